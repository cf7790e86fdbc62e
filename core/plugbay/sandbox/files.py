"""Small real files: the attachments that customers of the sandbox have sent."""

from __future__ import annotations

import random
import struct
import zlib


def text_log(rng: random.Random) -> bytes:
    """An application log in plain text."""
    lines = [
        f"2026-01-{rng.randint(10, 28)} {rng.randint(0, 23):02}:{rng.randint(0, 59):02} "
        f"{rng.choice(('INFO', 'INFO', 'WARN', 'ERROR'))} trail importer: step {step} code {rng.randint(100, 999)}"
        for step in range(rng.randint(20, 60))
    ]
    return ("\n".join(lines) + "\n").encode()


def png(rng: random.Random, width: int, height: int) -> bytes:
    """A valid RGB image of two colours.

    Args:
        rng: Chooses the colours.
        width: In pixels.
        height: In pixels.
    """
    upper, lower = (bytes(rng.randrange(256) for _ in range(3)) for _ in range(2))
    rows = b"".join(b"\x00" + (upper if row < height // 2 else lower) * width for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_FONT = b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


def pdf(title: str) -> bytes:
    """A one-page PDF that shows a line of ASCII text."""
    shown = title.encode("ascii", "replace").translate(None, b"()\\")
    content = b"BT /F1 18 Tf 72 760 Td (" + shown + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R " + _FONT + b" >>",
        b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream",
    )
    body = b"%PDF-1.4\n"
    offsets: list[int] = []
    for number, item in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n" % number + item + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer
