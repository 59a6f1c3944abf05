"""Excel sheets: values as shown, the header found below merged titles, footers left out."""

from __future__ import annotations

import datetime
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo.columns import Role, meanings_of
from geo.problems import InputError, Severity
from geo.read.database import choose_layer
from geo.read.delimited import check_header
from geo.read.layer import COUNTS, Keep, Raw
from geo.read.limits import LIMITS
from geo.read.merged import Merged, xls_ranges, xlsx_ranges
from geo.read.report import Report

_HEAD_ROWS = 30


def xlsx_sheets(path: Path, report: Report) -> list[str]:
    """Names of an .xlsx workbook's sheets."""
    book = _open(path, report)
    try:
        return [str(name) for name in book.sheetnames]
    finally:
        book.close()


def xls_sheets(path: Path, report: Report) -> list[str]:
    """Names of an .xls workbook's sheets."""
    return [str(name) for name in _open_old(path, report).sheet_names()]


def _open(path: Path, report: Report) -> Any:
    import openpyxl  # costs a third of a second: not for those who read no workbook

    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl raises whatever the damaged part makes it raise
        report.fail("unreadable", reason=type(error).__name__)


def _open_old(path: Path, report: Report) -> Any:
    import xlrd

    try:
        return xlrd.open_workbook(str(path), on_demand=True, logfile=_Silence())
    except Exception as error:  # xlrd raises whatever the damaged part makes it raise
        report.fail("unreadable", reason=type(error).__name__)


class _Silence:
    """xlrd writes remarks about odd files to a log that nobody reads."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return


def read_xlsx(path: Path, named: str | None, role: Role, keep: Keep, report: Report) -> Raw:
    """One sheet of an .xlsx workbook. Formula cells give their last calculated value."""
    book = _open(path, report)
    try:
        filled = {str(sheet.title): "" for sheet in book.worksheets if _has_rows(sheet)}
        sheet_name = _choose(filled or dict.fromkeys(book.sheetnames, ""), named, role, report)
        sheet = book[sheet_name]
        sheet.reset_dimensions()  # what a file claims about its size may be wrong or hostile
        with zipfile.ZipFile(path) as archive:
            merged = Merged(xlsx_ranges(archive, sheet._worksheet_path))
        rows = sheet.iter_rows(values_only=True)
        return _read_rows(rows, merged, sheet_name, role, keep, report)
    except InputError:
        raise
    except Exception as error:  # openpyxl raises whatever the damaged part makes it raise
        report.fail("unreadable", reason=type(error).__name__)
    finally:
        book.close()


def _has_rows(sheet: Any) -> bool:
    rows = 0
    for row in sheet.iter_rows(values_only=True, max_row=_HEAD_ROWS):
        rows += any(cell is not None for cell in row)
    return rows >= 2


def _choose(sheets: dict[str, str], named: str | None, role: Role, report: Report) -> str:
    if named is None and len(sheets) > 1 and not any(len(name) == 0 for name in sheets):
        plain = [name for name in sheets if not name.lower().startswith(("说明", "readme", "填表"))]
        if len(plain) == 1:
            return plain[0]
    return choose_layer(sheets, named, role, report)


def read_xls(path: Path, named: str | None, role: Role, keep: Keep, report: Report) -> Raw:
    """One sheet of an .xls workbook."""
    book = _open_old(path, report)
    try:
        sheets = {str(name): "" for name in book.sheet_names()}
        filled = {name: "" for name in sheets if book.sheet_by_name(name).nrows >= 2}
        sheet = book.sheet_by_name(_choose(filled or sheets, named, role, report))
        rows = (_old_row(sheet, number, book.datemode) for number in range(sheet.nrows))
        name = str(sheet.name)
        ranges = xls_ranges(path, name, _Silence())
        if ranges is None:
            report.warn("merged_unknown")
        merged = Merged(ranges or ())
        return _read_rows(rows, merged, name, role, keep, report)
    except InputError:
        raise
    except Exception as error:  # xlrd raises whatever the damaged part makes it raise
        report.fail("unreadable", reason=type(error).__name__)


def _old_row(sheet: Any, number: int, datemode: int) -> tuple[object, ...]:
    import xlrd

    cells: list[object] = []
    for cell in sheet.row(number):
        if cell.ctype == xlrd.XL_CELL_DATE:
            cells.append(xlrd.xldate_as_datetime(cell.value, datemode))
        elif cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR):
            cells.append(None)
        else:
            cells.append(cell.value)
    return tuple(cells)


#: a row's number, its cells, and what cells merged from above give to it
_Row = tuple[int, Sequence[object], Mapping[int, object]]


def _read_rows(
    rows: Iterable[Sequence[object]],
    merged: Merged,
    name: str,
    role: Role,
    keep: Keep,
    report: Report,
) -> Raw:
    """Rows of cells to columns; the header is the row with the most known names."""
    head: list[_Row] = []
    iterator = ((n, row, merged.carried(n, row)) for n, row in enumerate(rows, start=1))
    for number, row, carried in iterator:
        _check_width(row, report)
        if any(_text(cell) for cell in row):
            head.append((number, row, carried))
        if number >= _HEAD_ROWS:
            break
    if not head:
        report.fail("empty_file")
    whole = [_overlaid(row, carried) for _, row, carried in head]
    place = _header_place(whole, role)
    names = check_header([_text(cell) for cell in whole[place]], report)
    wanted = list(dict.fromkeys(keep(names)))
    positions = {n: i for i, n in reversed(list(enumerate(names))) if n in wanted}
    below = chain(head[place + 1 :], iterator)
    cells, numbers, fills = _cells(below, positions, len(names), name, role, report)
    header_number = head[place][0]
    count = _without_footers(fills, numbers, len(names), report)
    columns = {n: _column(values[:count]) for n, values in cells.items()}
    raw = Raw(name, names, columns, first_number=header_number + 1, rows=count)
    raw.numbers = np.asarray(numbers[:count], dtype=np.int64)
    return raw


def _overlaid(row: Sequence[object], carried: Mapping[int, object]) -> Sequence[object]:
    """A row with what cells merged from above give to it."""
    if not carried:
        return row
    width = max(len(row), max(carried) + 1)
    return [carried.get(i, row[i] if i < len(row) else None) for i in range(width)]


def _cells(
    rows: Iterable[_Row],
    positions: Mapping[str, int],
    width: int,
    name: str,
    role: Role,
    report: Report,
) -> tuple[dict[str, list[object]], list[int], list[int]]:
    """Cells of the wanted columns, row numbers, and how many cells each row fills by itself."""
    cells: dict[str, list[object]] = {n: [] for n in positions}
    known = {n: set(meanings_of(n, role)) for n in positions}
    numbers: list[int] = []
    fills: list[int] = []
    given: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for number, row, carried in rows:
        filled = sum(cell is not None and cell != "" for cell in row[:width])
        if not filled:
            continue
        numbers.append(number)
        fills.append(filled)
        if len(numbers) > LIMITS.rows:
            report.fail("too_many_rows", name, rows=len(numbers), limit=LIMITS.rows)
        for column, position in positions.items():
            value = row[position] if position < len(row) else None
            if position in carried:
                above = carried[position]
                counts = known[column] & COUNTS or not (known[column] or isinstance(above, str))
                (totals if counts else given)[column] += 1
                value = 0 if counts else above
            cells[column].append(value)
    for code, told in (("merged_filled", given), ("merged_counts", totals)):
        if told:
            severity: Severity = "note" if code == "merged_filled" else "warning"
            report.add(severity, code, columns=", ".join(told), count=told.total())
    return cells, numbers, fills


def _check_width(row: Sequence[object], report: Report) -> None:
    if len(row) > LIMITS.columns and any(_text(cell) for cell in row[LIMITS.columns :]):
        report.fail("too_many_columns", columns=len(row), limit=LIMITS.columns)


def _text(cell: object) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _header_place(rows: list[Sequence[object]], role: Role) -> int:
    def score(place: int) -> tuple[int, int, int]:
        texts = [_text(cell) for cell in rows[place]]
        known = sum(bool(meanings_of(text, role)) for text in texts if text)
        return known, min(sum(map(bool, texts)), 50) if known == 0 else 0, -place

    return max(range(len(rows)), key=score)


def _without_footers(fills: list[int], numbers: list[int], width: int, report: Report) -> int:
    count = len(fills)
    while count and width > 2 and fills[count - 1] <= 1:
        count -= 1
    if count < len(fills):
        report.note("footers", rows=", ".join(map(str, numbers[count:][:5])))
    return count


def _column(values: list[object]) -> pd.Series[Any]:
    """Numbers stay numbers, dates become ISO text, everything else is text."""
    filled = [value for value in values if value is not None and value != ""]
    if filled and all(type(value) in (int, float) for value in filled):
        return pd.Series(
            [np.nan if value is None or value == "" else value for value in values], dtype=float
        )
    return pd.Series([_cell(value) for value in values], dtype="str")


def _cell(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime.datetime):
        at_midnight = value.time() == datetime.time()
        return value.date().isoformat() if at_midnight else value.isoformat(" ", "seconds")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).encode("utf-8", errors="replace").decode("utf-8")
