"""The paper that goes with a division to whoever approves it: a Word document.

Method, figures, townships, every exception with its reason, signatures, and the two sentences
that every print carries. Opens in Word, WPS and LibreOffice; fonts are named, not embedded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from docx import Document
from docx.document import Document as Paper
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from planning.export import (
    NOTICE_EN,
    NOTICE_ZH,
    Language,
    Plan,
    atomically,
    in_language,
    plain,
    rule_names,
)
from planning.levels import dedicated_share, levels
from planning.naming import name_in
from planning.register_form import NO_TOWN, Filing
from planning.services import KINDS as SERVICE_KINDS
from planning.services import beyond_walk

_FONTS = {"zh": ("Times New Roman", "仿宋"), "en": ("Arial", "宋体")}
_HEADINGS = {
    "zh": ("一、划分方法", "二、主要数据", "三、各乡镇情况", "四、例外情况及原因", "五、审批"),
    "en": ("1. Method", "2. Figures", "3. Townships", "4. Exceptions and reasons", "5. Approval"),
}


def write_approval(
    plan: Plan, path: Path, *, language: Language = "zh", filing: Filing | None = None
) -> Path:
    """Write the document to ``path`` (.docx). Raises OSError; then ``path`` is as it was.

    Numbers are taken from the plan's tables, parameters from its provenance; what the plan does
    not tell is left out.
    """
    told = filing or Filing()
    paper = Document()
    _set_up(paper, language)
    chinese = language == "zh"
    unit = told.unit or "____________"
    title = "网格划分方案报批材料" if chinese else "Grid division: paper for approval"
    _line(paper, title, language, size=20, bold=True, centred=True)
    date, version = told.date or "________", told.version or "____"
    _line(
        paper,
        f"填报单位:{unit}    日期:{date}    版本:{version}"
        if chinese
        else f"Filed by: {unit}    Date: {date}    Version: {version}",
        language,
        centred=True,
    )
    heads = _HEADINGS[language]
    _heading(paper, heads[0], language)
    for text in _method(plan, language):
        _line(paper, text, language, indent=chinese)
    _heading(paper, heads[1], language)
    _table(paper, ("项目", "数值") if chinese else ("Figure", "Value"),
           [*_figures(plan, language), *_served(told, language)], language,
           (9.3, 6.5))  # fmt: skip
    _heading(paper, heads[2], language)
    _townships(paper, plan, language)
    _heading(paper, heads[3], language)
    _exceptions(paper, plan, language)
    _heading(paper, heads[4], language)
    _signatures(paper, language)
    _line(paper, NOTICE_ZH if chinese else NOTICE_EN, language, bold=True)
    _footer(paper, language)
    return atomically(path, lambda target: paper.save(str(target)))


def _set_up(paper: Paper, language: Language) -> None:
    section = paper.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.6)
    section.top_margin, section.bottom_margin = Cm(2.6), Cm(2.2)
    western, eastern = _FONTS[language]
    usual = paper.styles["Normal"]
    usual.font.name, usual.font.size = western, Pt(11)
    usual.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), eastern)


def _line(
    paper: Paper,
    text: str,
    language: Language,
    *,
    size: float = 11,
    bold: bool = False,
    centred: bool = False,
    indent: bool = False,
) -> Paragraph:
    paragraph = paper.add_paragraph()
    _run(paragraph, text, language, size, bold)
    paragraph.paragraph_format.space_after = Pt(4)
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(2 * size)
    return paragraph


def _run(paragraph: Paragraph, text: str, language: Language, size: float, bold: bool) -> None:
    run = paragraph.add_run(str(plain(text) or ""))
    run.font.size, run.font.bold = Pt(size), bold
    western, eastern = _FONTS[language]
    run.font.name = western
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), eastern)


def _heading(paper: Paper, text: str, language: Language) -> None:
    paragraph = _line(paper, text, language, size=13, bold=True)
    paragraph.paragraph_format.space_before = Pt(10)
    paragraph.paragraph_format.keep_with_next = True


def _table(
    paper: Paper,
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    language: Language,
    centimetres: Sequence[float],
    *,
    total: bool = False,
) -> Table:
    """A ruled table in the middle of the page, its header on every page, no row broken.

    ``total`` prints the last row bold.
    """
    table: Table = paper.add_table(rows=1, cols=len(head))
    table.style = "Table Grid"
    table.autofit = False
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    _fill(table.rows[0].cells, head, language, bold=True)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for number, values in enumerate(rows, start=1):
        row = table.add_row()  # type: ignore[no-untyped-call]
        _fill(row.cells, values, language, bold=total and number == len(rows))
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for column, width in zip(table.columns, centimetres, strict=True):
        column.width = Cm(width)  # LibreOffice reads this, Word the cells'
        for cell in column.cells:
            cell.width = Cm(width)
    return table


def _fill(
    cells: Sequence[_Cell], values: Sequence[object], language: Language, *, bold: bool
) -> None:
    for cell, value in zip(cells, values, strict=True):
        text = "" if value is None else str(value)
        number = bool(text) and not set(text) - set("0123456789.,%-/ ")
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
        _run(paragraph, text, language, 9, bold)
        if number and len(text) < 12:  # counts; codes are longer
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        elif bold:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _told(plan: Plan, key: str) -> str:
    rows = plan.provenance.loc[plan.provenance["key"] == key, "value"]
    return str(plain(rows.iloc[0]) or "").strip() if len(rows) else ""


def _method(plan: Plan, language: Language) -> list[str]:
    """How the division was made, from what the plan tells of itself."""
    chinese = language == "zh"
    words = {
        "target": ("每格约 {} 户", "about {} households a grid"),
        "min_households": ("不少于 {} 户", "at least {} households"),
        "max_households": ("不超过 {} 户", "at most {} households"),
        "max_persons": ("不超过 {} 人", "at most {} persons"),
        "micro": ("微网格约 {} 户", "micro-grids of about {} households"),
    }
    size = [
        pair[0 if chinese else 1].format(value)
        for key, pair in words.items()
        if (value := _told(plan, f"setting.{key}"))
    ]
    scale = ("、" if chinese else ", ").join(size)
    lines = (
        [
            "按“规模适度、界限清晰、全域覆盖、不重不漏”的要求,在每个村(社区)内部划分,网格不跨村(社区)。"
            "界线优先沿道路、河流、铁路,不穿越建筑物;居民小区、村民小组、自然村尽量保持完整。",
            f"规模标准:{scale}。" if scale else "",
            "机关、学校、医院、园区、市场等划为专属网格,单独编码,不计入户数均衡。",
            "本材料所列超出标准的网格均逐一说明原因。",
        ]
        if chinese
        else [
            "Grids are divided inside each village, never across villages; they cover it without "
            "gap or overlap. Borders follow roads, rivers and railways where they can and cut no "
            "building; compounds, village groups and natural villages are kept whole.",
            f"Size: {scale}." if scale else "",
            "Offices, schools, hospitals, parks and markets are dedicated grids with codes of "
            "their own and do not count in the balance of households.",
            "Every grid beyond these rules is listed below with its reason.",
        ]
    )
    return [text for text in lines if text]


def _figures(plan: Plan, language: Language) -> list[tuple[str, str]]:
    """The plan's figures, worked out from its tables."""
    index = 0 if language == "zh" else 1
    grids = pd.DataFrame(plan.grids)
    usual = grids[grids["kind"] != "dedicated"] if "kind" in grids else grids
    held = pd.to_numeric(usual["households"], errors="coerce").fillna(0).astype(float)
    persons = pd.to_numeric(grids["persons"], errors="coerce") if "persons" in grids else None
    rows: list[tuple[tuple[str, str], str]] = [
        (("村(社区)", "Villages"), f"{len(plan.villages):,}"),
        (("综合网格", "Comprehensive grids"), f"{len(usual):,}"),
        (("专属网格", "Dedicated grids"), f"{len(grids) - len(usual):,}"),
        (("专属网格占比", "Share of dedicated grids"), f"{dedicated_share(plan) or 0:.1%}"),
        (("户数合计", "Households"), f"{int(grids['households'].sum()):,}"),
    ]
    if plan.micro_grids is not None:
        rows.insert(3, (("微网格", "Micro-grids"), f"{len(plan.micro_grids):,}"))
    if persons is not None and persons.notna().all():
        rows.append((("人口合计", "Persons"), f"{int(persons.sum()):,}"))
    if len(held):
        rows.append((("综合网格平均户数", "Mean households a grid"), f"{held.mean():.0f}"))
        rows.append((("户数最少、最多", "Least and most"), f"{held.min():.0f} - {held.max():.0f}"))
        mean = held.groupby(usual["village_code"]).transform("mean") if "village_code" in usual \
            else pd.Series(held.mean(), held.index)  # fmt: skip
        near = ((held / mean.where(mean > 0) - 1).abs() <= 0.10).mean()
        name = ("与村均户数相差 10% 以内", "Within 10 % of the village's mean")
        rows.append((name, f"{near:.1%}"))
    if line := _told(plan, "result.inner_border_on_line"):
        name = ("内部界线沿道路、河流、铁路", "Inner borders along roads, rivers, railways")
        rows.append((name, f"{float(line):.1%}"))
    if lost := _told(plan, "count.households_unplaced"):
        rows.append((("未能落图的户", "Households that could not be placed"), lost))
    broken = plan.exceptions["grid_code"].nunique()
    rows.append((("有例外的网格", "Grids with exceptions"), f"{broken:,}"))
    return [(pair[index], value) for pair, value in rows]


def _served(filing: Filing, language: Language) -> list[tuple[str, str]]:
    """What the filing knows of posts and services: what is lacking, who has far to walk."""
    index = 0 if language == "zh" else 1
    rows: list[tuple[tuple[str, str], str]] = []
    staff = filing.staff
    if staff is not None and staff["lacks"].notna().any():
        short = staff["lacks"].fillna(0).astype(int)
        name = (f"缺岗的网格、岗位数({filing.pattern})", f"Grids that lack posts, and how many "
                f"({filing.pattern})")  # fmt: skip
        rows.append((name, f"{(short > 0).sum():,} / {short.sum():,}"))
    if filing.services is not None:
        far = beyond_walk(filing.services)
        for kind, words in SERVICE_KINDS.items():
            if (filing.services["kind"] == kind).any():
                name = (f"多数户距{words[0]}步行超过 15 分钟的网格",
                        f"Grids most of which are beyond 15 minutes' walk: "
                        f"{words[1].lower()}")  # fmt: skip
                rows.append((name, f"{len(far.get(kind, [])):,}"))
    return [(pair[index], value) for pair, value in rows]


def _townships(paper: Paper, plan: Plan, language: Language) -> None:
    chinese = language == "zh"
    head = (
        ("乡镇(街道)", "村", "综合", "专属", "专属占比", "户数", "人口")
        if chinese
        else ("Township", "Villages", "Compr.", "Dedicated", "Share", "Households", "Persons")
    )
    table = levels(plan)
    rows: list[tuple[object, ...]] = []
    towns = table[table["level"] == "township"]
    for town in towns.to_dict("records"):
        grids, dedicated, persons = town["grids"], town["dedicated"], plain(town["persons"])
        rows.append(
            (
                town["name"] or NO_TOWN[0 if chinese else 1], town["villages"],
                grids - dedicated, dedicated, f"{dedicated / grids:.1%}",
                f"{town['households']:,}", "" if persons is None else f"{persons:,}",
            )
        )  # fmt: skip
    if len(rows) > 1:
        rows.append(_sum_of(towns, chinese))
    _table(paper, head, rows, language, (2.8, 2.1, 1.8, 2.4, 1.7, 2.7, 2.3), total=len(rows) > 1)


def _sum_of(towns: pd.DataFrame, chinese: bool) -> tuple[object, ...]:
    """The last row of the townships: their sum; persons only where every township tells them."""
    grids, dedicated = int(towns["grids"].sum()), int(towns["dedicated"].sum())
    known = towns["persons"].notna().all()
    return (
        "合计" if chinese else "Total", int(towns["villages"].sum()), grids - dedicated, dedicated,
        f"{dedicated / grids:.1%}" if grids else "", f"{int(towns['households'].sum()):,}",
        f"{int(towns['persons'].sum()):,}" if known else "",
    )  # fmt: skip


def _exceptions(paper: Paper, plan: Plan, language: Language) -> None:
    chinese = language == "zh"
    if not len(plan.exceptions):
        _line(paper, "无。" if chinese else "None.", language)
        return
    names = (
        dict(zip(plan.grids["code"], plan.grids["name"], strict=True))
        if "name" in plan.grids
        else {}
    )
    own = (
        dict(zip(plan.grids["code"], plan.grids["reason"], strict=True))
        if "reason" in plan.grids
        else {}
    )
    head = (
        ("网格编码", "网格名称", "规则", "实际值", "限值", "原因")
        if chinese
        else ("Grid code", "Grid", "Rule", "Value", "Limit", "Reason")
    )
    rows = []
    for e in plan.exceptions.sort_values("grid_code").to_dict("records"):
        reason = str(plain(own.get(e["grid_code"])) or "").strip() or str(plain(e["reason"]) or "")
        rows.append(
            (
                e["grid_code"], name_in(str(plain(names.get(e["grid_code"])) or ""), language),
                rule_names(str(plain(e["rule"]) or ""), language), _number(e["value"]),
                _number(e["limit"]), in_language(reason, language),
            )
        )  # fmt: skip
    _table(paper, head, rows, language, (3.6, 2.9, 2.1, 1.6, 1.4, 4.2))


def _number(value: object) -> str:
    clean = plain(value)
    return f"{clean:,.6g}" if isinstance(clean, int | float) else ""


def _signatures(paper: Paper, language: Language) -> None:
    """Three boxes to sign and seal in, kept on one page."""
    words = (
        [("编制单位意见", "(盖章)", "年   月   日"), ("审核意见", "(签字)", "年   月   日"),
         ("批准意见", "(签字)(盖章)", "年   月   日")]
        if language == "zh"
        else [("Prepared by", "(seal)", "Date:"), ("Checked by", "(signature)", "Date:"),
              ("Approved by", "(signature and seal)", "Date:")]
    )  # fmt: skip
    table = paper.add_table(rows=1, cols=3)
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for cell, (title, how, date) in zip(table.rows[0].cells, words, strict=True):
        _run(cell.paragraphs[0], title, language, 11, True)
        for text in ("", "", how, date):
            paragraph = cell.add_paragraph()
            _run(paragraph, text, language, 11, False)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    paper.add_paragraph()


def _footer(paper: Paper, language: Language) -> None:
    """The notice, the page number and how many pages there are, on every page."""
    footer, chinese = paper.sections[0].footer, language == "zh"
    notice, paragraph = footer.paragraphs[0], footer.add_paragraph()
    notice.alignment = paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(notice, NOTICE_ZH if chinese else NOTICE_EN, language, 7, False)
    _run(paragraph, "第 " if chinese else "Page ", language, 8, False)
    _number_of(paragraph, "PAGE")
    _run(paragraph, " 页 共 " if chinese else " of ", language, 8, False)
    _number_of(paragraph, "NUMPAGES")
    if chinese:
        _run(paragraph, " 页", language, 8, False)


def _number_of(paragraph: Paragraph, field: str) -> None:
    """A field that the office program fills in: the page, or how many there are."""
    for kind, text in (("begin", ""), ("", f" {field} "), ("end", "")):
        run = paragraph.add_run()
        run.font.size = Pt(8)
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.set(qn("xml:space"), "preserve")
            mark.text = text
        run._r.append(mark)
