"""Sheets of a workbook as offices print them: cells, borders, page set-up.

Every text cell is stored as text and carries Excel's quote prefix, so that a village called
``=1+1`` stays a name, in Excel and when the cell is edited.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from planning.export import NOTICE_EN, NOTICE_ZH, Language, plain

Paper = Literal["A4", "A3"]

_THIN = Side(style="thin", color="8A8F98")
FRAME = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
HEAD = PatternFill("solid", fgColor="E6EAF0")
TOTAL = PatternFill("solid", fgColor="F3F5F8")
_EXCEL_TEXT = 32_767  # characters a cell can hold
_LINE_POINTS = 14.0  # height of one line of 10-point type
_POINTS, _LEAST_POINTS = 10.0, 7.0  # size of the letters, and the smallest that can be read
_PRINTED_MM = 276.0  # of A4 lying, between the margins
_PRINTED: dict[str, tuple[float, float]] = {"A4": (276.0, 179.0), "A3": (400.0, 266.0)}
_LEAST_LEFT = 0.15  # of a page; with less on the last one all are made a little smaller
_POINT_MM, _USUAL_ROW = 25.4 / 72, 15.0
_CHARACTER_MM = 1.9  # a half-width character of the usual font
_SHEET_NAME = 31
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def fonts(language: Language) -> str:
    """A font that every office program has, or replaces by its like."""
    return "宋体" if language == "zh" else "Arial"


def put_text(cell: Cell, text: str) -> None:
    """Store ``text`` as text whatever it begins with."""
    cell.value = text[:_EXCEL_TEXT]
    cell.data_type = "s"  # openpyxl takes a leading "=" for a formula unless told
    cell.quotePrefix = True


def cell_of(sheet: Worksheet, row: int, column: int) -> Cell:
    """The cell to write to, before anything is merged."""
    cell = sheet.cell(row=row, column=column)
    assert isinstance(cell, Cell)
    return cell


def put(cell: Cell, value: object, number_format: str = "") -> None:
    """Store a value: numbers as numbers where the column has a format, everything else as text."""
    clean = plain(value)
    if clean is None or clean == "":
        return
    if number_format and isinstance(clean, int | float):
        cell.value = clean
        cell.number_format = number_format
    else:
        put_text(cell, str(clean))


def spaced(form: str) -> str:
    """A number format that keeps clear of the cell's right border."""
    return ";".join(f"{part}_ " for part in form.split(";")) if form else ""


def line(
    sheet: Worksheet,
    row: int,
    values: Sequence[object],
    formats: Sequence[str],
    *,
    language: Language,
    head: bool = False,
    total: bool = False,
) -> None:
    """One framed row; numbers to the right, a header in the middle and grey."""
    for number, (value, form) in enumerate(zip(values, formats, strict=True), start=1):
        cell = cell_of(sheet, row, number)
        put(cell, value, "" if head else spaced(form))
        cell.border = FRAME
        cell.font = Font(name=fonts(language), size=10, bold=head or total)
        if head or total:
            cell.fill = HEAD if head else TOTAL
        side = "center" if head else ("right" if form else "left")
        cell.alignment = Alignment(horizontal=side, vertical="center", wrap_text=True)


def banner(
    sheet: Worksheet,
    row: int,
    text: str,
    columns: int,
    *,
    language: Language,
    size: float = 10,
    bold: bool = False,
    side: Literal["left", "center", "right"] = "left",
) -> None:
    """A line of text over the whole width."""
    cell = cell_of(sheet, row, 1)
    put_text(cell, text)
    cell.font = Font(name=fonts(language), size=size, bold=bold)
    cell.alignment = Alignment(horizontal=side, vertical="center", wrap_text=True)
    sheet.row_dimensions[row].height = max(_LINE_POINTS, size * 1.7)
    if columns > 1:
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=columns)


def columns_between(text: str) -> int:
    """The room a text takes, in half-width characters."""
    return sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)


def _wrapped(text: str, room: float) -> int:
    """Lines that a text takes: words stay whole, Chinese breaks anywhere, long words are cut."""
    lines, used = 1, 0.0
    for word in text.replace("-", "- ").split(" "):
        wide = columns_between(word)
        if wide != len(word) and used + wide > room:  # Chinese: fills the line and goes on
            lines, used = lines + int((used + wide - 1) // room), (used + wide) % room + 1
        elif used and used + wide > room:
            lines, used = lines + 1 + int((wide - 1) // room), wide % room + 1
        else:
            lines, used = lines + int(max(0, wide - 1) // room), used + wide + 1
    return lines


def fit_height(
    sheet: Worksheet, row: int, values: Sequence[object], widths: Sequence[float], least: float = 18
) -> None:
    """Make a row as high as its longest wrapped text; programs do not do it on opening."""
    lines = 1
    for value, width in zip(values, widths, strict=True):
        if isinstance(value, str) and value:
            room = max(1.0, width - 1.0)
            lines = max(
                lines,
                sum(_wrapped(part, room) for part in value.split("\n")),
            )
    sheet.row_dimensions[row].height = max(least, min(409.0, lines * _LINE_POINTS + 4))


def widths(sheet: Worksheet, values: Sequence[float]) -> None:
    """Set the widths of the columns, in half-width characters."""
    for number, width in enumerate(values, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width


def readable(values: Sequence[float], paper: Paper) -> Paper:
    """The paper asked for, or A3 where columns of these widths would be too small to read on A4."""
    shrunk = _PRINTED_MM / (sum(values) * _CHARACTER_MM)
    return "A3" if _POINTS * shrunk < _LEAST_POINTS else paper


def page(
    sheet: Worksheet, *, titles: str, language: Language, paper: Paper = "A4", freeze: str = ""
) -> None:
    """Landscape, as wide as the page, titles on every page, the notice and page numbers below."""
    sheet.print_title_rows = titles
    if freeze:
        sheet.freeze_panes = freeze
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3 if paper == "A3" else sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = _pages(sheet, titles, paper)
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top, sheet.page_margins.bottom = 0.5, 0.7
    chinese = language == "zh"
    # "&" begins a code in Excel's footers; the notice holds none.
    pages = "第 &P 页 共 &N 页" if chinese else "Page &P of &N"
    sheet.oddFooter = HeaderFooterItem(
        left=_HeaderFooterPart(text=NOTICE_ZH if chinese else NOTICE_EN, size=8),
        right=_HeaderFooterPart(text=pages, size=8),
    )


def _pages(sheet: Worksheet, titles: str, paper: Paper) -> int:
    """How many pages high the sheet is to be at most; 0 for as many as it takes.

    A last page with a sum and signatures alone is one that gets lost: then one page less, which
    makes the print smaller by the little that stood there. Reckoned from the widths and heights
    that were set; office programs differ by a few per cent.
    """
    wide, high = _PRINTED[paper]
    room = sum(own.width for own in sheet.column_dimensions.values()) * _CHARACTER_MM
    shrunk = min(1.0, wide / room) if room else 1.0
    most = high / (shrunk * _POINT_MM)
    height = [sheet.row_dimensions[row].height or _USUAL_ROW for row in range(1, sheet.max_row + 1)]
    head = sum(height[: int(titles.rpartition(":")[2])])
    pages, used = 1, 0.0
    for own in height:
        if used + own > most:
            pages, used = pages + 1, head
        used += own
    return pages - 1 if pages > 1 and used - head < _LEAST_LEFT * most else 0


def sheet_name(wanted: str, taken: set[str]) -> str:
    """A name that Excel takes and no other sheet has; it is added to ``taken``."""
    base = " ".join(wanted.translate(_FORBIDDEN).split()) or "-"
    name, number = base[:_SHEET_NAME], 1
    while name.casefold() in taken or name.casefold() == "history":
        number += 1
        mark = f" ({number})"
        name = base[: _SHEET_NAME - len(mark)] + mark
    taken.add(name.casefold())
    return name
