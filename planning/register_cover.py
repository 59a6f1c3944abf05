"""The register's first sheet: the figures of every township, and whether the levels agree."""

from __future__ import annotations

import pandas as pd
from openpyxl.worksheet.worksheet import Worksheet

from planning.export import NOTICE_EN, NOTICE_ZH, Language, Plan, plain
from planning.levels import LEVEL_WORDS, dedicated_share, disagreements, levels
from planning.register_form import NO_TOWN, SIGNED, TITLES, Filing, block
from planning.workbook import banner, fit_height, line, page, widths


def cover(sheet: Worksheet, plan: Plan, filing: Filing, language: Language) -> None:
    """The first sheet: figures of every township, their sum, whether the levels agree."""
    index = 0 if language == "zh" else 1
    heads = [
        ("乡镇(街道)", "Township", 24), ("村(社区)", "Villages", 11), ("网格", "Grids", 11),
        ("其中综合", "Comprehensive", 14 + 4 * index), ("其中专属", "Dedicated", 11 + 2 * index),
        ("专属占比", "Dedicated share", 11 + 2 * index), ("微网格", "Micro-grids", 11),
        ("户数", "Households", 12 + 3 * index), ("人口", "Persons", 12),
        ("例外网格", "With exceptions", 12 + 2 * index),
    ]  # fmt: skip
    forms = ["", *["#,##0"] * 4, "0.0%", *["#,##0"] * 4]
    title, n = TITLES["register"][index], len(heads)
    banner(sheet, 1, title, n, language=language, size=18, bold=True, side="center")
    banner(sheet, 2, block(filing, language), n, language=language)
    line(sheet, 3, [h[index] for h in heads], forms, language=language, head=True)
    fit_height(sheet, 3, [h[index] for h in heads], [h[2] for h in heads])
    table = levels(plan)
    towns = table[table["level"] == "township"]
    broken = _with_exceptions(plan)
    row = 4
    for town in towns.itertuples():
        values = _figures(town.name or NO_TOWN[index], pd.DataFrame([town]), plan)
        line(sheet, row, [*values, broken.get(str(town.code), 0)], forms, language=language)
        row += 1
    total = _figures(("合计", "Total")[index], towns, plan)
    line(sheet, row, [*total, sum(broken.values())], forms, language=language, total=True)
    share = dedicated_share(plan)
    said = [
        _agreement(plan, index),
        (
            f"专属网格占网格总数的 {share or 0:.1%};已公布的比例:农村约 1%~3%,密集城区约 23%~24%。",
            f"Dedicated grids are {share or 0:.1%} of all; published: 1-3 % in the country, "
            "23-24 % in dense cities.",
        )[index],
        NOTICE_ZH if index == 0 else NOTICE_EN,
        SIGNED[language],
    ]
    for number, text in enumerate(said, start=row + 1):
        banner(sheet, number, text, n, language=language)
        sheet.row_dimensions[number].height = 30
    widths(sheet, [h[2] for h in heads])
    page(sheet, titles="1:3", language=language, paper=filing.paper, freeze="A4")


def _figures(name: object, rows: pd.DataFrame, plan: Plan) -> list[object]:
    """The cells of one line of the cover but the last; ``rows`` of the table of levels."""
    grids, dedicated = int(rows["grids"].sum()), int(rows["dedicated"].sum())
    micro = int(rows["micro_grids"].sum()) if plan.micro_grids is not None else None
    persons = rows["persons"].sum() if rows["persons"].notna().all() else None
    return [
        name, int(rows["villages"].sum()), grids, grids - dedicated, dedicated,
        dedicated / grids if grids else None, micro, int(rows["households"].sum()), plain(persons),
    ]  # fmt: skip


def _with_exceptions(plan: Plan) -> dict[str, int]:
    """How many grids of each township break a rule, by the township's code of the levels."""
    table = levels(plan)
    up = dict(zip(table["code"], table["parent"], strict=True))
    codes = {str(code) for code in plan.exceptions["grid_code"]} & set(
        table.loc[table["level"] == "grid", "code"]
    )
    towns = [up.get(up[code], "") for code in codes]
    return {town: towns.count(town) for town in set(towns)}


def _agreement(plan: Plan, index: int) -> str:
    found = disagreements(plan)
    if not found:
        return (
            "县、乡镇、村、网格、微网格、户点逐级合计一致。",
            "The sums agree at every level: county, township, village, grid, micro-grid, "
            "household point.",
        )[index]
    first = found[0]
    return (
        f"逐级合计有 {len(found)} 处不一致,首处:{LEVEL_WORDS[first.level][0]} {first.code} 登记 "
        f"{first.told},下级合计 {first.summed}。",
        f"The sums differ in {len(found)} places, first: {LEVEL_WORDS[first.level][1].lower()} "
        f"{first.code} says {first.told}, below it are {first.summed}.",
    )[index]
