"""A download of 300 MB from a server that generates it: peak memory above the start, and CPU.

Ours to a path and piece by piece, against plain httpx streaming to a file, each in a fresh process; plain httpx
that reads the answer whole stands beside them for scale. The bytes are counted, and those of the file hashed by
ours only: its CPU includes the digest and the syncing of the file.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import httpx
from measuring import child, peak_mib, report, start_peak
from rows import Row
from server import FILE_BYTES, FILE_ID, serving

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig

__all__ = ["downloads"]

ATTEMPTS = 2


def downloads(rounds: int) -> list[Row]:
    """Peaks and CPU of all ways."""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in _WAYS}
    with serving() as root, tempfile.TemporaryDirectory() as folder:
        for _ in range(min(rounds, ATTEMPTS)):
            for way, figures in runs.items():
                figures.append(child("downloads.py", way, root, folder))
    peak = {way: min(run["peak"] for run in found) for way, found in runs.items()}
    cpu = {way: min(run["cpu"] for run in found) for way, found in runs.items()}
    return [
        Row("300 MB to a path, peak above start", peak["to"], peak["streamed"], "MiB"),
        Row("300 MB in pieces, peak above start", peak["pieces"], peak["streamed"], "MiB"),
        Row("300 MB to a path, peak, against httpx buffered", peak["to"], peak["buffered"], "MiB"),
        Row("300 MB to a path, CPU", cpu["to"], cpu["streamed"], "ms"),
        Row("300 MB in pieces, CPU", cpu["pieces"], cpu["streamed"], "ms"),
    ]


async def _to(root: str, folder: Path) -> int:
    async with _connector(root) as zendesk:
        saved = await zendesk.attachments.download(FILE_ID).to(folder / "ours.bin", overwrite=True)
    return saved["size"]


async def _pieces(root: str, folder: Path) -> int:  # noqa: ARG001 - nothing is kept
    count = 0
    async with _connector(root) as zendesk:
        async for piece in zendesk.attachments.download(FILE_ID).pieces():
            count += len(piece)
    return count


async def _streamed(root: str, folder: Path) -> int:
    async with httpx.AsyncClient(trust_env=False) as client, client.stream("GET", f"{root}/file") as response:
        with (folder / "plain.bin").open("wb") as file:
            async for piece in response.aiter_bytes():
                file.write(piece)
            return file.tell()


async def _buffered(root: str, folder: Path) -> int:  # noqa: ARG001 - nothing is kept
    async with httpx.AsyncClient(trust_env=False) as client:
        return len((await client.get(f"{root}/file")).content)


def _connector(root: str) -> ZendeskSupportConnector:
    return ZendeskSupportConnector(ZendeskSupportOauth20AuthConfig(access_token="token"), base_url=root)


_WAYS = {"to": _to, "pieces": _pieces, "streamed": _streamed, "buffered": _buffered}


def _main(way: str, root: str, folder: str) -> None:
    start, cpu = start_peak(), time.process_time()
    size = asyncio.run(_WAYS[way](root, Path(folder)))
    spent = time.process_time() - cpu
    assert size == FILE_BYTES, size
    report(cpu=spent * 1000, peak=peak_mib() - start)


if __name__ == "__main__":
    _main(*sys.argv[1:])
