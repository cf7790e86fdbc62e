"""Files whose bytes are made when they are asked for, so that a large one costs no memory."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_BLOCK = 1 << 16
_COUNTER = 8


@dataclass(frozen=True)
class GeneratedBytes:
    """Bytes that do not compress, never repeat a block, and are the same every time.

    Args:
        seed: Decides them.
        size: How many there are.
    """

    seed: int
    size: int

    def __len__(self) -> int:
        return self.size

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` (to the end, if None), in pieces of at most 64 KiB."""
        end = self.size if stop is None else min(stop, self.size)
        while start < end:
            number, offset = divmod(start, _BLOCK)
            block = number.to_bytes(_COUNTER, "big") + self._filling
            piece = block[offset : offset + end - start]
            yield piece
            start += len(piece)

    @property
    def digest(self) -> str:
        """A text that is another for other bytes, in hexadecimal digits."""
        return hashlib.md5(f"{self.seed}/{self.size}".encode(), usedforsecurity=False).hexdigest()

    @cached_property
    def _filling(self) -> bytes:
        return random.Random(self.seed).randbytes(_BLOCK - _COUNTER)  # noqa: S311 - reproducible data, not secrets
