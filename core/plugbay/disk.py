"""What is on the disk for good, and not only said to be."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["sync_directory"]


def sync_directory(directory: Path) -> None:
    """Writes a directory to the disk: a new name in it is there only then.

    Raises:
        OSError: It cannot be opened or written.
    """
    if sys.platform == "win32":  # which cannot open one
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
