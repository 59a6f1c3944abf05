"""CSV, TSV and their cousins: any delimiter, any line end, any encoding met in practice."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from geo.columns import Role, meanings_of
from geo.personal import kind_of, masked
from geo.problems import InputError
from geo.read.gather import Gathered
from geo.read.layer import Keep, Raw
from geo.read.limits import LIMITS
from geo.read.report import Report, listed
from geo.read.stream import BLOCK, Otherwise, TextStream
from geo.read.text import encodings_of
from geo.read.wkb import ROWS_AT_ONCE

_DELIMITERS = (",", "\t", ";", "|")
_DECIMAL = re.compile(r"[+-]?[0-9]+\.(?!0+$)[0-9]{2,}")
_HEAD_LINES = 30  # title rows above the header are looked for in these
_FOOTERS = 1000  # rows that may be read beyond the limit because they may be footers


def read_delimited(
    path: Path,
    name: str,
    role: Role,
    keep: Keep,
    report: Report,
    *,
    coordinates: Keep = lambda names: [],
    most: int = LIMITS.rows,
) -> Raw:
    """Read a delimited text into columns of text, and of numbers where they are coordinates.

    The file is decoded and parsed a block at a time; what stays of a block are the wanted columns,
    held small (:mod:`geo.read.gather`), as numbers those that ``coordinates`` names. Errors:
    encoding unknown, no header, a column name twice, more columns than allowed or more than
    ``most`` rows, rows longer than the header. Rows that are short are filled up and listed; rows
    at the end with a single filled field are footers and left out.
    """
    told = len(report.problems)
    for encoding, mark in encodings_of(path):
        quoted = False
        while True:
            try:
                raw = _read_as(
                    _Text(path, encoding, mark, quoted), name, role, keep, coordinates, report, most
                )
            except Otherwise as other:
                del report.problems[told:]
                if other.what == "encoding":
                    break
                quoted = True
                continue
            raw.encoding = encoding
            return raw
    report.fail("encoding_unknown")


@dataclass(frozen=True)
class _Text:
    """A file and what its text is taken for."""

    path: Path
    encoding: str
    mark: int
    quoted: bool

    def open(self, *, quoted: bool = False) -> TextStream:
        """The text from its beginning."""
        plain = not (self.quoted or quoted)
        return TextStream(self.path, self.encoding, self.mark, plain=plain)


def _read_as(
    text: _Text,
    name: str,
    role: Role,
    keep: Keep,
    coordinates: Keep,
    report: Report,
    most: int,
) -> Raw:
    """The table, if the text is what it is taken for; raises :class:`Otherwise` if not."""
    with text.open() as stream:
        try:
            delimiter, skipped, header = find_header(stream.head, role, report)
            names = check_header(header, report)
            wanted = list(dict.fromkeys(keep(names)))
        except InputError:
            stream.exhaust()  # of another encoding the header would be another, too
            raise
        shape = _Shape(delimiter, skipped, names, wanted, coordinates(wanted), most)
        raw = Raw(name, names, {}, first_number=skipped + 2)
        raw.extra["delimiter"] = delimiter
        told = len(report.problems)
        whole = _fast_table(stream, shape, raw, report)
    if not whole:
        del report.problems[told:]
        with text.open(quoted=True) as stream:
            _careful_table(stream, shape, raw, report)
    if stream.nul:
        report.warn("nul_characters")
    return raw


@dataclass(frozen=True)
class _Shape:
    """How a text's lines are a table: ``skipped`` lines stand above the header; ``wanted`` of the
    columns' ``names`` are kept, ``coordinates`` of them as numbers; more than ``most`` rows are
    refused."""

    delimiter: str
    skipped: int
    names: list[str]
    wanted: list[str]
    coordinates: list[str]
    most: int

    def gathered(self) -> Gathered:
        """The wanted columns, still without a row."""
        return Gathered(self.wanted, self.coordinates)


def find_header(data: bytes, role: Role, report: Report) -> tuple[str, int, list[str]]:
    """The delimiter, the number of lines above the header, and the header's fields."""
    head = data[:65_536].decode("utf-8", errors="replace").replace("\r\n", "\n")
    lines = head.replace("\r", "\n").split("\n")[:_HEAD_LINES]
    if len(data) > 65_536 and "\n" not in head and "\r" not in head:
        lines = [data.split(b"\n", 1)[0].decode("utf-8", errors="replace")]
    best: tuple[float, str, int, list[str]] | None = None
    for delimiter in _DELIMITERS:
        for number, line in enumerate(lines):
            if not line.strip():
                continue
            fields = next(csv.reader([line], delimiter=delimiter), [])
            if len(fields) > LIMITS.columns:
                report.fail("too_many_columns", columns=len(fields), limit=LIMITS.columns)
            known = sum(bool(meanings_of(field, role)) for field in fields)
            # The row with most known names is the header; among equals the first, widest one.
            score = known * 1000 + min(len(fields), 50) - number * 0.1
            if best is None or score > best[0]:
                best = (score, delimiter, number, fields)
    if best is None:
        report.fail("empty_file")
    score, delimiter, number, fields = best
    if score < 900:  # nothing known: take the first line with the most usual delimiter
        number = next(index for index, line in enumerate(lines) if line.strip())
        counts = Counter({d: lines[number].count(d) for d in _DELIMITERS})
        delimiter = counts.most_common(1)[0][0]
        fields = next(csv.reader([lines[number]], delimiter=delimiter), [])
    return delimiter, number, fields


def check_header(fields: list[str], report: Report) -> list[str]:
    """The header's names, stripped; names twice are an error, empty names get a number.

    A first row of data is no header: its cells would stand in every message as column names.
    """
    names = [field.replace("\ufeff", "").strip() for field in fields]
    if any(kind_of(n) for n in names) or sum(bool(_DECIMAL.fullmatch(n)) for n in names) > 1:
        report.fail("header_missing")
    while names and not names[-1]:
        names.pop()
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        report.error("column_twice", columns=", ".join(map(masked, twice[:5])))
    return [name or f"column {place}" for place, name in enumerate(names, start=1)]


def _fast_table(stream: TextStream, shape: _Shape, raw: Raw, report: Report) -> bool:
    """All rows through Arrow's parser into ``raw``; False when any does not fit, for the careful
    way."""
    names, wanted = shape.names, shape.wanted
    if len(set(names)) != len(names) or not wanted or b"\n" not in stream.head:
        return False
    gathered = shape.gathered()
    try:
        for batch in pa.csv.open_csv(
            io.BufferedReader(stream, BLOCK),
            read_options=pa.csv.ReadOptions(
                skip_rows=shape.skipped + 1, column_names=names, block_size=BLOCK
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=shape.delimiter, newlines_in_values=not stream.plain
            ),
            convert_options=pa.csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                check_utf8=False,
            ),
        ):
            gathered.add(dict(zip(wanted, batch.columns, strict=True)), batch.num_rows)
            if gathered.rows > shape.most + _FOOTERS:
                report.fail("too_many_rows", rows=gathered.rows, limit=shape.most)
    except pa.ArrowInvalid:
        if stream.failed is not None:
            raise stream.failed from None
        return False
    if stream.quotes % 2:  # Arrow closes an open quote at the end; the careful way tells it
        return False
    raw.rows = gathered.rows - _footer_lines(stream, shape.delimiter, names, report)
    if raw.rows > shape.most:
        report.fail("too_many_rows", rows=raw.rows, limit=shape.most)
    raw.columns, raw.unreadable = gathered.taken(raw.rows)
    return True


def _footer_lines(stream: TextStream, delimiter: str, names: list[str], report: Report) -> int:
    """How many of the last lines fill only one of several fields."""
    tail = stream.tail.decode("utf-8", errors="ignore").rstrip("\r\n")
    lines = tail.split("\n")[1:][::-1]  # the first may be cut, and the header is no footer
    count = 0
    for line in lines:
        fields = line.split(delimiter)
        if len(names) <= 2 or '"' in line or sum(bool(f.strip()) for f in fields) != 1:
            break
        count += 1
    if count:
        last = range(stream.lines - count + 1, stream.lines + 1)
        report.note("footers", rows=", ".join(map(str, last[:5])))
    return count


def _careful_table(stream: TextStream, shape: _Shape, raw: Raw, report: Report) -> None:
    """Row by row, for files with rows of unequal length, quotes astray, or a single line."""
    csv.field_size_limit(1 << 24)
    width = len(shape.names)
    gathered = shape.gathered()
    rows = _Rows(width)
    with io.TextIOWrapper(io.BufferedReader(stream, BLOCK), "utf-8", newline="") as lines:
        reader = csv.reader(lines, delimiter=shape.delimiter, strict=True)
        begun, piece = 1, list[list[str]]()
        try:
            for place, fields in enumerate(reader):
                begun = reader.line_num + 1
                if place <= shape.skipped or not rows.take(fields, reader.line_num):
                    continue
                piece.append(fields)
                if len(piece) == ROWS_AT_ONCE:
                    _gather(gathered, piece, shape)
                    piece = []
                    if gathered.rows > shape.most + _FOOTERS:
                        report.fail("too_many_rows", rows=gathered.rows, limit=shape.most)
        except csv.Error:
            report.fail("table_damaged", line=begun)
    _gather(gathered, piece, shape)
    raw.rows = gathered.rows - rows.footers
    raw.numbers = np.frombuffer(rows.numbers, dtype=np.int64)[: raw.rows].copy()
    if rows.footers:
        report.note("footers", rows=", ".join(map(str, rows.numbers[raw.rows :][:5])))
    if raw.rows > shape.most:
        report.fail("too_many_rows", rows=raw.rows, limit=shape.most)
    rows.tell_unequal(raw, report)
    raw.columns, raw.unreadable = gathered.taken(raw.rows)


def _gather(gathered: Gathered, piece: list[list[str]], shape: _Shape) -> None:
    """Take the wanted fields of some rows; what a short row lacks is empty."""
    columns = {}
    for name in shape.wanted:
        place = shape.names.index(name)
        cells = [(fields[place] or None) if place < len(fields) else None for fields in piece]
        columns[name] = pa.array(cells, pa.string())
    gathered.add(columns, len(piece))


class _Rows:
    """What is to be told of rows taken one by one: their lines, and which are not as the header.

    ``footers`` of the last rows fill one field of several: "date of the data: …".
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self.numbers = array("q")
        self.footers = 0
        self._long: list[tuple[int, int]] = []
        self._short: list[tuple[int, int]] = []

    def take(self, fields: list[str], line: int) -> bool:
        """Whether a row holds anything; it is then counted."""
        filled = sum(map(bool, map(str.strip, fields)))
        if not filled:
            return False
        self.footers = self.footers + 1 if self._width > 2 and filled == 1 else 0
        if len(fields) < self._width:
            self._short.append((len(self.numbers), len(fields)))
        elif any(map(str.strip, fields[self._width :])):
            self._long.append((len(self.numbers), len(fields)))
        self.numbers.append(line)
        return True

    def tell_unequal(self, raw: Raw, report: Report) -> None:
        """Rows that have more fields than the header, which is an error, or fewer."""
        for told, code, found in (
            (report.error, "rows_long", self._long), (report.warn, "rows_short", self._short),
        ):  # fmt: skip
            rows = [row for row, _ in found if row < raw.rows]
            if rows:
                fields = found[0][1]
                told(code, rows=listed(raw, rows), fields=fields, header=self._width)
