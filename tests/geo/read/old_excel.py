"""The smallest .xls (BIFF8 in an OLE2 container) that a reader accepts; no library writes it."""

from __future__ import annotations

import struct
from pathlib import Path

SECTOR = 512


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def label(row: int, column: int, text: str) -> bytes:
    body = struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le")
    return record(0x0204, body)


def number(row: int, column: int, value: float) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def write_xls(
    path: Path,
    rows: list[list[object]],
    sheet: str = "Sheet1",
    merged: list[tuple[int, int, int, int]] | None = None,
    extra: bytes = b"",
) -> Path:
    """``merged``: first and last row, first and last column of each range, from 0; ``extra``:
    more records of the workbook."""
    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    name = struct.pack("<BB", len(sheet), 1) + sheet.encode("utf-16-le")
    head = record(0x0809, begin)
    entry_size = 4 + 6 + len(name)
    place = len(head) + len(extra) + entry_size + 4
    book = head + extra + record(0x0085, struct.pack("<IH", place, 0) + name) + record(0x000A, b"")
    body = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if isinstance(value, str):
                body += label(r, c, value)
            elif isinstance(value, (int, float)):
                body += number(r, c, float(value))
    if merged:
        ranges = b"".join(struct.pack("<HHHH", *cells) for cells in merged)
        body += record(0x00E5, struct.pack("<H", len(merged)) + ranges)
    stream = book + body + record(0x000A, b"")
    stream += b"\0" * (max(4096, -(-len(stream) // SECTOR) * SECTOR) - len(stream))
    sectors = len(stream) // SECTOR
    table = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    table += [0xFFFFFFFF] * (SECTOR // 4 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<I", 0) + b"\xff" * (SECTOR - len(header) - 4)
    nothing = 0xFFFFFFFF
    folder = entry("Root Entry", 5, nothing, nothing, 1, 0xFFFFFFFE, 0)
    folder += entry("Workbook", 2, nothing, nothing, nothing, 2, len(stream))
    folder += b"\0" * (SECTOR - len(folder))
    path.write_bytes(header + struct.pack(f"<{len(table)}I", *table) + folder + stream)
    return path


def entry(name: str, kind: int, left: int, right: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    body = text + b"\0" * (64 - len(text)) + struct.pack("<HBB", len(text), kind, 1)
    body += struct.pack("<III", left, right, child) + b"\0" * 36
    return body + struct.pack("<IQ", start, size)
