"""The grid division register (网格划分登记表) as an Excel workbook, ready to print and to file.

One row a grid; further sheets hold the villages, the exceptions and where the plan came from.
Every text cell is stored as text and carries Excel's quote prefix, so that a village called
``=1+1`` stays a name, in Excel and when the cell is edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from planning.export import (
    GRID_COLUMNS,
    NOTICE_EN,
    NOTICE_ZH,
    VILLAGE_COLUMNS,
    Column,
    Language,
    Plan,
    atomically,
    in_language,
    in_words,
    plain,
    present,
)

EXCEPTION_COLUMNS: tuple[Column, ...] = (
    Column("grid_code", "网格编码", "Grid code", "grid_code", "网格编码", 18),
    Column("rule", "规则", "Rule", "rule", "规则", 18),
    Column("value", "实际值", "Value", "value", "实际值", 12, "#,##0.##"),
    Column("limit", "限值", "Limit", "limit", "限值", 12, "#,##0.##"),
    Column("reason", "原因", "Reason", "reason", "原因", 60),
)
PROVENANCE_COLUMNS: tuple[Column, ...] = (
    Column("key", "项目", "Key", "key", "项目", 34),
    Column("value", "内容", "Value", "value", "内容", 90),
)
TITLES = {
    "register": ("网格划分登记表", "Grid division register"),
    "villages": ("村(社区)汇总", "Villages"),
    "exceptions": ("例外情况", "Exceptions"),
    "provenance": ("来源与参数", "Provenance"),
}

_THIN = Side(style="thin", color="B5B9C0")
_FRAME = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAD = PatternFill("solid", fgColor="E6EAF0")
_EXCEL_TEXT = 32_767  # characters a cell can hold


def put_text(cell: Cell, text: str) -> None:
    """Store ``text`` as text whatever it begins with."""
    cell.value = text[:_EXCEL_TEXT]
    cell.data_type = "s"  # openpyxl takes a leading "=" for a formula unless told
    cell.quotePrefix = True


def cell_of(sheet: Worksheet, row: int, column: int) -> Cell:
    """The cell to write to; a new sheet has no merged cells, whose rest cannot be written."""
    cell = sheet.cell(row=row, column=column)
    assert isinstance(cell, Cell)
    return cell


def put(cell: Cell, value: object, number_format: str) -> None:
    """Store a value: numbers as numbers where the column has a format, everything else as text."""
    clean = plain(value)
    if clean is None:
        return
    if number_format and isinstance(clean, int | float):
        cell.value = clean
        cell.number_format = number_format
    else:
        put_text(cell, str(clean))


def _sheet(
    sheet: Worksheet, frame: pd.DataFrame, columns: Sequence[Column], title: str, language: Language
) -> None:
    """Title, notice, header and one row a record; the header repeats on every printed page."""
    columns = present(frame, columns)
    chinese = language == "zh"
    heading, notice = cell_of(sheet, 1, 1), cell_of(sheet, 2, 1)
    put_text(heading, title)
    heading.font = Font(size=14, bold=True)
    put_text(notice, NOTICE_ZH if chinese else NOTICE_EN)
    notice.font = Font(size=9, color="5B616A")
    for number, column in enumerate(columns, start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = column.width
        head = cell_of(sheet, 3, number)
        put_text(head, column.chinese if chinese else column.english)
        head.font, head.fill, head.border = Font(bold=True), _HEAD, _FRAME
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        wrap = Alignment(vertical="center", wrap_text=column.width >= 30)
        for row, value in enumerate(in_words(frame, column, language), start=4):
            cell = cell_of(sheet, row, number)
            put(cell, value, column.number_format)
            cell.border, cell.alignment = _FRAME, wrap
    if columns:
        last = get_column_letter(len(columns))
        sheet.auto_filter.ref = f"A3:{last}{max(3, 3 + len(frame))}"
    sheet.freeze_panes = "A4"
    sheet.print_title_rows = "3:3"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    # "&" begins a code in Excel's footers; the notice holds none.
    sheet.oddFooter = HeaderFooterItem(
        left=_HeaderFooterPart(text=NOTICE_ZH if chinese else NOTICE_EN, size=8),
        right=_HeaderFooterPart(text="&P / &N"),
    )


def _with_reasons(plan: Plan, language: Language) -> pd.DataFrame:
    """The grids with a column ``reason``: the planner's own word, else those of the exceptions."""
    grids = pd.DataFrame(plan.grids).sort_values("code")
    told: dict[str, list[str]] = {}
    for code, reason in zip(plan.exceptions["grid_code"], plan.exceptions["reason"], strict=True):
        text = str(plain(reason) or "").strip()
        text = in_language(text, language)
        if text and text not in told.setdefault(str(code), []):
            told[str(code)].append(text)
    own = grids["reason"] if "reason" in grids else [""] * len(grids)
    return grids.assign(
        reason=[
            str(plain(said) or "").strip() or "; ".join(told.get(str(code), []))
            for code, said in zip(grids["code"], own, strict=True)
        ]
    )


def write_register(plan: Plan, path: Path, *, language: Language = "zh") -> Path:
    """Write the register to ``path`` (.xlsx), grids in the order of their codes.

    Counts and measures are numbers with formats, codes and names are text. Raises OSError when
    the file cannot be written; then ``path`` is as it was.
    """
    index = 0 if language == "zh" else 1
    book = Workbook()
    sheets = (
        ("register", _with_reasons(plan, language), GRID_COLUMNS),
        ("villages", plan.villages.sort_values("code"), VILLAGE_COLUMNS),
        ("exceptions", plan.exceptions, EXCEPTION_COLUMNS),
        ("provenance", plan.provenance, PROVENANCE_COLUMNS),
    )
    book.remove(book.worksheets[0])
    for key, frame, columns in sheets:
        title = TITLES[key][index]
        book.create_sheet(title)
        _sheet(book.worksheets[-1], frame, columns, title, language)
    return atomically(path, lambda target: book.save(target))
