"""How much a file may ask of the machine. Above these a file is refused with a sentence."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds of one reading; the defaults let a city of 1.7 million households through."""

    file_bytes: int = 1024 * MEGABYTE  # as uploaded; looked at before anything is read
    unpacked_bytes: int = 2048 * MEGABYTE  # of a zip, all entries
    sheet_bytes: int = 600 * MEGABYTE  # of an .xlsx, which is parsed as text
    sheet_ratio: int = 150  # .xlsx entries above 100 MB must not unpack to more times their size
    entries: int = 10_000  # in a zip
    rows: int = 2_500_000
    text_rows: int = 12_000_000  # of a delimited text that came as it is, read in pieces
    columns: int = 2_000
    vertices: int = 30_000_000
    nesting: int = 16  # geometry collections inside one another
    name_length: int = 200  # characters of a name or code
    count: int = 1_000_000  # households or persons in one row
    repair_vertices: int = 3_000  # an invalid shape above this is repaired under a deadline
    repair_seconds: float = 5.0
    seconds: float = 60.0  # of a reading in a child process
    memory_bytes: int = 4096 * MEGABYTE


LIMITS = Limits()
