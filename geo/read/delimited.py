"""CSV, TSV and their cousins: any delimiter, any line end, any encoding met in practice."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from geo.columns import Role, meanings_of
from geo.personal import kind_of, masked
from geo.read.layer import Keep, Raw
from geo.read.limits import LIMITS
from geo.read.report import Report, listed
from geo.read.text import detect_encoding

_DELIMITERS = (",", "\t", ";", "|")
_DECIMAL = re.compile(r"[+-]?[0-9]+\.(?!0+$)[0-9]{2,}")
_HEAD_LINES = 30  # title rows above the header are looked for in these


def read_delimited(data: bytes, name: str, role: Role, keep: Keep, report: Report) -> Raw:
    """Read a delimited text into columns of text; nothing is converted here.

    Errors: encoding unknown, no header, a column name twice, more columns or rows than allowed,
    rows longer than the header. Rows that are short are filled up and listed; rows at the end
    with a single filled field are footers and left out.
    """
    found = detect_encoding(data)
    if found is None:
        report.fail("encoding_unknown")
    encoding, mark = found
    data = data[mark:] if encoding == "utf-8" else data[mark:].decode(encoding).encode("utf-8")
    if b"\0" in data:
        data = data.replace(b"\0", b"")
        report.warn("nul_characters")
    if b"\n" not in data[:1_000_000]:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    delimiter, skipped, header = find_header(data, role, report)
    names = check_header(header, report)
    table = _fast_table(data, delimiter, skipped, names, keep)
    if table is None:
        raw = _careful_table(data, delimiter, skipped, names, keep, report)
    else:
        table = table.slice(0, table.num_rows - _footer_lines(data, delimiter, names, report))
        columns = {column: table.column(column).to_pandas() for column in table.column_names}
        raw = Raw(name, names, columns, first_number=skipped + 2, rows=table.num_rows)
    raw.encoding = encoding
    raw.extra["delimiter"] = delimiter
    if raw.rows > LIMITS.rows:
        report.fail("too_many_rows", rows=raw.rows, limit=LIMITS.rows)
    return raw


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


def _fast_table(
    data: bytes, delimiter: str, skipped: int, names: list[str], keep: Keep
) -> pa.Table | None:
    """All rows through Arrow's parser; None when any row does not fit, for the careful way."""
    wanted = list(dict.fromkeys(keep(names)))
    if len(set(names)) != len(names) or not wanted or b"\n" not in data:
        return None
    try:
        return pa.csv.read_csv(
            pa.BufferReader(data),
            read_options=pa.csv.ReadOptions(
                skip_rows=skipped + 1, column_names=names, block_size=4 << 20
            ),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in data),
            convert_options=pa.csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None


def _footer_lines(data: bytes, delimiter: str, names: list[str], report: Report) -> int:
    """How many of the last lines fill only one of several fields."""
    tail = data[-20_000:].decode("utf-8", errors="ignore").rstrip("\r\n")
    lines = tail.split("\n")[1:][::-1]  # the first may be cut, and the header is no footer
    count = 0
    for line in lines:
        fields = line.split(delimiter)
        if len(names) <= 2 or '"' in line or sum(bool(f.strip()) for f in fields) != 1:
            break
        count += 1
    if count:
        report.note("footers", rows=_last_numbers(data, count))
    return count


def _last_numbers(data: bytes, count: int) -> str:
    """Line numbers of the last ``count`` lines."""
    total = data.rstrip(b"\r\n").count(b"\n") + 1
    return ", ".join(str(total - count + 1 + place) for place in range(min(count, 5)))


def _careful_table(
    data: bytes, delimiter: str, skipped: int, names: list[str], keep: Keep, report: Report
) -> Raw:
    """Row by row, for files with rows of unequal length, quotes astray, or a single line."""
    csv.field_size_limit(1 << 24)
    rows: list[list[str]] = []
    numbers: list[int] = []
    stream = io.StringIO(data.decode("utf-8"), newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    begun = 1
    try:
        for place, fields in enumerate(reader):
            begun = reader.line_num + 1
            if place <= skipped or not any(field.strip() for field in fields):
                continue
            rows.append(fields)
            numbers.append(reader.line_num)
    except csv.Error:
        report.fail("table_damaged", line=begun)
    raw = Raw(name="", names=names, columns={}, first_number=skipped + 2)
    rows, numbers = _without_footers(rows, numbers, len(names), report)
    raw.numbers, raw.rows = np.asarray(numbers, dtype=np.int64), len(rows)
    _tell_unequal(raw, rows, len(names), report)
    wanted = list(dict.fromkeys(keep(names)))
    lists = list(zip_longest(*rows, fillvalue=""))[: len(names)]
    lists += [("",) * len(rows)] * (len(names) - len(lists))
    columns: dict[str, pd.Series[Any]] = {}
    for column, values in zip(names, lists, strict=True):
        if column in wanted and column not in columns:
            columns[column] = pd.Series([value or None for value in values], dtype="str")
    raw.columns = columns
    return raw


def _without_footers(
    rows: list[list[str]], numbers: list[int], width: int, report: Report
) -> tuple[list[list[str]], list[int]]:
    """Drop rows at the end that fill one field of several: "date of the data: …"."""
    count = len(rows)
    while count and width > 2 and sum(bool(field.strip()) for field in rows[count - 1]) <= 1:
        count -= 1
    if count < len(rows):
        report.note("footers", rows=", ".join(map(str, numbers[count:][:5])))
    return rows[:count], numbers[:count]


def _tell_unequal(raw: Raw, rows: list[list[str]], width: int, report: Report) -> None:
    long = [i for i, fields in enumerate(rows) if any(f.strip() for f in fields[width:])]
    short = [i for i, fields in enumerate(rows) if len(fields) < width]
    if long:
        fields = len(rows[long[0]])
        report.error("rows_long", rows=listed(raw, long), fields=fields, header=width)
    if short:
        fields = len(rows[short[0]])
        report.warn("rows_short", rows=listed(raw, short), fields=fields, header=width)
