from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.sandbox import Sandbox
from plugbay.sandbox.files import pdf, png


@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers())
def test_png(width, height, seed):
    """An image's chunks have right lengths and checksums, and its pixels are all there."""
    data = png(random.Random(seed), width, height)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        chunks[kind] = body
        at += 12 + length

    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)


@pytest.mark.parametrize("title", ["Order 1", "", "(odd) \\ ünïcode"])
def test_pdf(title):
    """A document's table of objects points at its objects."""
    data = pdf(title)
    at = int(data.split(b"startxref\n")[1].split(b"\n")[0])
    rows = data[at:].split(b"\n")[3:7]

    assert data.startswith(b"%PDF-1.4")
    assert data[at:].startswith(b"xref\n0 5\n")
    for number, row in enumerate(rows, 1):
        assert data[int(row[:10]) :].startswith(b"%d 0 obj" % number)


def test_all_kinds_are_seeded():
    """An account's customers have sent pictures, documents and logs."""
    files = Sandbox(seed=11, tickets=300, calls=0).account.files.values()

    assert {file.content_type for file in files} == {"image/png", "application/pdf", "text/plain"}
    assert all(file.data for file in files)
