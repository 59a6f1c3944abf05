"""The grid division register (网格划分登记表) as an Excel workbook, ready to print and to file.

A first sheet with the figures of every township, then one sheet a township with one row a grid,
then the villages and all levels, the exceptions, what was asked for besides (staff, services), and
where the plan came from. The form is in
:mod:`planning.register_form`, how a sheet looks in :mod:`planning.workbook`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import shapely
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from pyproj import CRS

from geo.crs import to_lonlat
from planning.bounds import side_in_english, side_points, sides_of, unnamed
from planning.codes import filing_order
from planning.export import (
    NOTICE_EN,
    NOTICE_ZH,
    Column,
    Language,
    Plan,
    atomically,
    in_language,
    in_words,
    plain,
    present,
    rule_names,
)
from planning.export.columns import KIND_WORDS
from planning.leaders import table_of as leader_rows
from planning.levels import levels
from planning.naming import name_in
from planning.provenance_words import provenance_in
from planning.register_cover import cover
from planning.register_form import (
    COMPOUND_COLUMNS,
    EXCEPTION_COLUMNS,
    LEADER_COLUMNS,
    LEVEL_COLUMNS,
    NO_TOWN,
    PROVENANCE_COLUMNS,
    SIGNED,
    STAFF_COLUMNS,
    TITLES,
    Filing,
    block,
    service_list,
    upper_levels,
)
from planning.services import KINDS as SERVICE_KINDS
from planning.staff import KINDS as POST_KINDS
from planning.workbook import (
    Paper,
    banner,
    cell_of,
    columns_between,
    fit_height,
    line,
    page,
    readable,
    sheet_name,
    widths,
)

NAMES = ("name", "old_name", "new_name")  # columns of lists that hold grids' names


@dataclass(frozen=True)
class _Head:
    """One column of a township's sheet: its group, its name, its width and its number format."""

    group: tuple[str, str]
    name: tuple[str, str]
    width: float
    form: str = ""


def write_register(
    plan: Plan, path: Path, *, language: Language = "zh", filing: Filing | None = None
) -> Path:
    """Write the register to ``path`` (.xlsx), grids in the order of their codes.

    Counts are numbers with formats, codes and names are text. Raises OSError when the file cannot
    be written; then ``path`` is as it was.
    """
    told = filing or Filing()
    index = 0 if language == "zh" else 1
    book = Workbook()
    book.remove(book.worksheets[0])
    taken: set[str] = set()

    def sheet(title: str) -> Worksheet:
        book.create_sheet(sheet_name(title, taken))
        return book.worksheets[-1]

    cover(sheet(TITLES["register"][index]), plan, told, language)
    rows = _register_rows(plan, told, language)
    for town, own in rows.groupby("town", sort=False):
        _township(sheet(str(town)), str(town), own, told, language)
    upper = upper_levels(plan, told.place, language)
    served: tuple[pd.DataFrame | None, Sequence[Column]] = (
        (None, ()) if told.services is None else service_list(told.services, plan, language)
    )
    lists: list[tuple[str, pd.DataFrame | None, Sequence[Column]]] = [
        ("levels", upper, LEVEL_COLUMNS),
        ("exceptions", plan.exceptions, EXCEPTION_COLUMNS),
        ("staff", _spoken(told.staff, "lacks_text", language), STAFF_COLUMNS),
        ("services", *served),
        ("compounds", told.compounds, COMPOUND_COLUMNS),
        ("leaders", leader_rows(plan, told.leaders) if told.leaders else None, LEADER_COLUMNS),
        ("provenance", provenance_in(plan.provenance, language), PROVENANCE_COLUMNS),
    ]
    for key, frame, columns in lists:
        if frame is not None:
            title = TITLES[key][index]
            write_list(sheet(title), frame, columns, title, language=language, paper=told.paper)
    return atomically(path, lambda target: book.save(target))


def write_list(
    sheet: Worksheet,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    title: str,
    *,
    language: Language,
    paper: Paper = "A4",
) -> None:
    """A plain list: title, header, one row a record, filters, the header on every page."""
    index = 0 if language == "zh" else 1
    shown = present(frame, columns)
    room = [max(c.width, _least_width(c.english) if index else 0.0) for c in shown]
    banner(sheet, 1, title, len(shown), language=language, size=14, bold=True, side="center")
    forms = [c.number_format for c in shown]
    heads = [(c.chinese, c.english)[index] for c in shown]
    line(sheet, 2, heads, forms, language=language, head=True)
    fit_height(sheet, 2, heads, room)
    values = [_named(in_words(frame, c, language), c, language) for c in shown]
    for number, row in enumerate(zip(*values, strict=True), start=3):
        line(sheet, number, row, forms, language=language)
        fit_height(sheet, number, row, room)
    widths(sheet, room)
    if not len(frame):
        banner(sheet, 3, ("无。", "None.")[index], len(shown), language=language)
    if shown:
        last = cell_of(sheet, 2, len(shown)).column_letter
        sheet.auto_filter.ref = f"A2:{last}{2 + len(frame)}"
    page(sheet, titles="1:2", language=language, paper=readable(room, paper), freeze="A3")


def _least_width(head: str) -> float:
    """The room an English header needs: half of it in a line, and no word broken."""
    return max(2 + columns_between(head) / 2, *(2.5 + 1.2 * len(part) for part in head.split()))


def _named(values: list[object], column: Column, language: Language) -> list[object]:
    """A column's values, names of grids in the reader's language."""
    if column.source not in NAMES:
        return values
    return [
        "; ".join(name_in(name, language) for name in value.split("; "))
        if isinstance(value, str)
        else value
        for value in values
    ]


def _spoken(frame: pd.DataFrame | None, column: str, language: Language) -> pd.DataFrame | None:
    """The frame with one column's ``Chinese / English; ...`` in the reader's language."""
    if frame is None:
        return None
    said = [
        "; ".join(in_language(part, language) for part in str(text).split("; "))
        for text in frame[column]
    ]
    return frame.assign(**{column: said})


def _reasons(plan: Plan, language: Language) -> dict[str, str]:
    """By grid, the planner's own word for its exceptions, else those of the rules."""
    told: dict[str, list[str]] = {}
    for code, reason in zip(plan.exceptions["grid_code"], plan.exceptions["reason"], strict=True):
        text = in_language(str(plain(reason) or "").strip(), language)
        if text and text not in told.setdefault(str(code), []):
            told[str(code)].append(text)
    found = {code: "; ".join(texts) for code, texts in told.items()}
    if "reason" in plan.grids:
        for code, said in zip(plan.grids["code"], plan.grids["reason"], strict=True):
            if text := str(plain(said) or "").strip():
                found[str(code)] = text
    return found


def _heads(filing: Filing, language: Language) -> list[_Head]:
    """The columns of a township's sheet, grouped as on the printed form."""
    chinese = language == "zh"
    grid, size = ("网格", "Grid"), ("规模", "Size")
    bounds = ("四至", "Bounds")
    staff = (f"网格员配置(应配 {filing.pattern})", f"Posts ({filing.pattern})")
    remark = ("例外与备注", "Exceptions and remarks")
    heads = [
        _Head(grid, ("序号", "No."), 5, "0"),
        _Head(grid, ("网格编码", "Grid code"), 20),
        _Head(grid, ("网格名称", "Grid name"), 22),
        _Head(grid, ("类型", "Kind"), 9.5 if chinese else 14.5),
        _Head(grid, ("村(社区)", "Village"), 13 if chinese else 17),
        _Head(size, ("户数", "House-holds"), 7.5, "0"),
        _Head(size, ("人口", "Persons"), 8 if chinese else 11, "0"),
        _Head(size, ("微网格数", "Micro-grids"), 7, "0"),
        _Head(bounds, ("东至", "East"), 15),
        _Head(bounds, ("南至", "South"), 15),
        _Head(bounds, ("西至", "West"), 15),
        _Head(bounds, ("北至", "North"), 15),
    ]
    heads += [_Head(staff, pair, 6 if chinese else 12.5, "0") for pair in POST_KINDS.values()]
    heads += [_Head(staff, ("缺岗", "Lacks"), 5.5 if chinese else 8.5, "0")]
    if filing.services is not None:
        near = ("最近服务设施(米)", "Nearest services (m)")
        heads += [
            _Head(near, words, 9, "#,##0")
            for kind, words in SERVICE_KINDS.items()
            if (filing.services["kind"] == kind).any()
        ]
    heads += [
        _Head(remark, ("例外情况", "Exceptions"), 12),
        _Head(remark, ("原因", "Reason"), 20),
        _Head(remark, ("备注", "Remarks"), 8 if chinese else 11.5),
    ]
    return heads


def _register_rows(plan: Plan, filing: Filing, language: Language) -> pd.DataFrame:
    """One row a grid: the cells of its line in ``cells`` (without the running number), its town."""
    index = 0 if language == "zh" else 1
    table = levels(plan)
    table = table[table["level"] == "grid"].set_index("code")
    grids = pd.DataFrame(plan.grids).assign(code=plan.grids["code"].astype(str))
    grids = grids.iloc[filing_order(grids)]
    reasons = _reasons(plan, language)
    staff = None if filing.staff is None else filing.staff.set_index("code")
    services = filing.services
    ways = None if services is None else services.set_index(["grid_code", "kind"])["metres"]
    kinds = [] if services is None else [k for k in SERVICE_KINDS if (services["kind"] == k).any()]
    rows = []
    for grid in grids.to_dict("records"):
        code = grid["code"]
        kind = str(plain(grid.get("kind")) or "comprehensive")
        sides = sides_of(str(plain(grid.get("bounds_text")) or ""))
        four = sides or (str(plain(grid.get("bounds_text")) or ""), "", "", "")
        spoken = list(four) if index == 0 else [side_in_english(side) for side in four]
        if filing.coordinates and sides is not None:
            places = _places(grid["geometry"], plan.grids.crs)
            spoken = [
                f"{words}({place})" if unnamed(side) else words
                for words, side, place in zip(spoken, four, places, strict=True)
            ]
        posts: list[object] = [None] * (len(POST_KINDS) + 1)
        if staff is not None and code in staff.index:
            posts = [plain(staff.at[code, c]) for c in (*POST_KINDS, "lacks")]
        micro = None if plan.micro_grids is None else table.at[code, "micro_grids"]
        name = name_in(str(plain(grid.get("name")) or ""), language)
        cells: list[object] = [
            code, name, KIND_WORDS.get(kind, kind) if index == 0 else kind,
            grid.get("village_name"), grid.get("households"), grid.get("persons"), micro,
            *spoken,
            *posts,
            *([None if ways is None else ways.get((code, k)) for k in kinds]),
            rule_names(str(plain(grid.get("exceptions")) or ""), language),
            reasons.get(code, ""), "",
        ]  # fmt: skip
        town = str(plain(grid.get("township_name")) or "").strip() or NO_TOWN[index]
        rows.append((town, [plain(cell) for cell in cells], kind))
    return pd.DataFrame(rows, columns=["town", "cells", "kind"])


def _places(shape: shapely.Geometry, crs: object) -> list[str]:
    """Longitude and latitude of a point on each side, to a metre."""
    x, y = side_points(shape).T
    lon, lat = to_lonlat(x, y, CRS.from_user_input(crs))
    return [f"{a:.5f},{b:.5f}" for a, b in zip(lon, lat, strict=True)]


def _township(
    sheet: Worksheet, town: str, rows: pd.DataFrame, filing: Filing, language: Language
) -> None:
    """One township: title, header block, two header rows, the grids, their sum, the signatures."""
    index = 0 if language == "zh" else 1
    heads = _heads(filing, language)
    n, room, forms = len(heads), [h.width for h in heads], [h.form for h in heads]
    title = TITLES["register"][index]
    whole = title if town == NO_TOWN[index] else f"{town}{title}" if index == 0 else ""
    banner(
        sheet, 1, whole or f"{town}: {title}", n,
        language=language, size=16, bold=True, side="center",
    )  # fmt: skip
    banner(sheet, 2, block(filing, language), n, language=language)
    groups = [h.group[index] for h in heads]
    line(sheet, 3, groups, forms, language=language, head=True)
    line(sheet, 4, [h.name[index] for h in heads], forms, language=language, head=True)
    together = [sum(h.width for h in heads if h.group == own.group) for own in heads]
    fit_height(sheet, 3, groups, together)
    fit_height(sheet, 4, [h.name[index] for h in heads], room)
    start = 0
    for stop in range(1, n + 1):
        if stop == n or groups[stop] != groups[start]:
            if stop - start > 1:
                sheet.merge_cells(start_row=3, start_column=start + 1, end_row=3, end_column=stop)
            start = stop
    last = 4
    for number, cells in enumerate(rows["cells"], start=1):
        last = 4 + number
        values = [number, *cells]
        line(sheet, last, values, forms, language=language)
        fit_height(sheet, last, values, room)
    sums = _sums(rows, heads, index)
    line(sheet, last + 1, sums, forms, language=language, total=True)
    fit_height(sheet, last + 1, sums, room)
    banner(sheet, last + 2, NOTICE_ZH if index == 0 else NOTICE_EN, n, language=language)
    banner(sheet, last + 3, SIGNED[language], n, language=language)
    sheet.row_dimensions[last + 3].height = 30
    widths(sheet, room)
    paper = readable(room, filing.paper)
    page(sheet, titles="1:4", language=language, paper=paper, freeze="D5")


def _sums(rows: pd.DataFrame, heads: Sequence[_Head], index: int) -> list[object]:
    """The last line: counts added up; a sum of which a part is not known is left empty."""
    dedicated = int((rows["kind"] == "dedicated").sum())
    usual = len(rows) - dedicated
    words = (
        f"综合 {usual} 个,专属 {dedicated} 个",
        f"{usual} comprehensive, {dedicated} dedicated",
    )
    sums: list[object] = [None, ("合计", "Total")[index], words[index], *[None] * (len(heads) - 3)]
    posts = {pair[index] for pair in (*POST_KINDS.values(), ("缺岗", "Lacks"))}
    added = {"户数", "House-holds", "人口", "Persons", "微网格数", "Micro-grids"} | posts
    for column, head in enumerate(heads[1:], start=1):
        if head.name[index] not in added:
            continue
        # dedicated grids have no posts to fill
        own = rows[rows["kind"] != "dedicated"] if head.name[index] in posts else rows
        held = [cells[column - 1] for cells in own["cells"]]
        if held and all(isinstance(value, int | float) for value in held):
            sums[column] = sum(held)
    return sums
