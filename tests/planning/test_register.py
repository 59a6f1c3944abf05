"""The register as it is filed: every sheet compared with a golden one, and nothing runs in Excel.

``GRIDWRIGHT_WRITE_GOLDEN=1`` writes the golden files anew; look at the workbook before keeping
them. When they differ, ``tests/artifacts/register-zh.diff`` says where.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook import Workbook

from planning.export import NOTICE_ZH
from planning.planfile import PlanFile
from planning.provenance_words import provenance_in
from planning.register import write_register
from planning.register_form import Filing, service_list
from planning.staff import Posts, staffing
from planning.workbook import columns_between, fit_height, page, sheet_name, widths

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan

TESTS = Path(__file__).resolve().parents[1]
GOLDEN = TESTS / "golden" / "register"
ARTIFACTS = TESTS / "artifacts"
FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(1)", "\tx", '=HYPERLINK("http://x","y")']


@pytest.fixture
def plan() -> PlanFile:
    return synthetic_plan()


def filed(plan: PlanFile) -> tuple[PlanFile, Filing]:
    """The plan with micro-grids, a dedicated grid, two townships, and all that is filed with it."""
    grids = plan.grids.copy()
    grids.loc[7, ["kind", "name", "households"]] = ["dedicated", "石桥小学专属网格", 0]
    grids.loc[7, "code"] = f"{grids.loc[7, 'village_code']}901"
    grids["persons"] = (grids["households"] * 3).astype("Int64")
    grids.loc[4:, "township_name"] = "竹溪镇"
    usual = grids[grids["kind"] == "comprehensive"]
    micro = gpd.GeoDataFrame(
        {
            "code": [f"{code}01" for code in usual["code"]],
            "grid_code": list(usual["code"]),
            "households": list(usual["households"]),
            "persons": usual["persons"].to_numpy(),
        },
        geometry=usual.geometry.to_numpy(),
        crs=grids.crs,
    )
    villages = plan.villages.assign(
        township_name=["龙池街道", "竹溪镇"],
        households=grids.groupby("village_code")["households"].sum().to_numpy(),
        persons=grids.groupby("village_code")["persons"].sum().to_numpy(),
    )
    homes = plan.households.iloc[:0]
    whole = replace(plan, grids=grids, micro_grids=micro, villages=villages, households=homes)
    codes = list(usual["code"])
    rows = [(code, kind, f"{code}{kind}", 1) for code in codes[:-1]
            for kind in ("leader", "full_time", "part_time", "part_time")]  # fmt: skip
    posts = Posts(pd.DataFrame(rows, columns=["grid_code", "kind", "post", "number"]))
    services = pd.DataFrame(
        {
            "grid_code": [code for code in grids["code"] for _ in range(2)],
            "kind": ["mediation", "police_station"] * len(grids),
            "name": ["龙池调解室", "龙池派出所"] * len(grids),
            "metres": [400.0, 1500.5] * len(grids),
            "beyond": [False, True] * len(grids),
            "share_beyond": [0.0, 1.0] * len(grids),
        }
    )
    told = Filing(
        unit="示范县社会治理中心", date="2026-03-01", version="2", paper="A3",
        staff=staffing(whole, posts), services=services,
    )  # fmt: skip
    return whole, told


def dump(book: Workbook) -> str:
    """Everything of a workbook that shows or prints, as text."""
    lines = []
    for sheet in book:
        area = " ".join(str(merged) for merged in sorted(map(str, sheet.merged_cells.ranges)))
        setup = sheet.page_setup
        lines += [
            f"# {sheet.title}",
            f"print {setup.orientation} paper {setup.paperSize} wide {setup.fitToWidth} "
            f"high {setup.fitToHeight} fit {sheet.sheet_properties.pageSetUpPr.fitToPage} "
            f"titles {sheet.print_title_rows} freeze {sheet.freeze_panes}",
            f"footer {sheet.oddFooter.left.text} | {sheet.oddFooter.right.text}",
            "widths " + " ".join(f"{letter}:{own.width:g}"
                                 for letter, own in sheet.column_dimensions.items()),
            f"merged {area}",
            f"filter {sheet.auto_filter.ref}",
        ]  # fmt: skip
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None or cell.border.left.style:
                    lines.append(
                        f"{cell.coordinate} {cell.value!r} {cell.number_format} "
                        f"{'framed' if cell.border.left.style else '-'} "
                        f"{'bold' if cell.font.b else '-'} "
                        f"{sheet.row_dimensions[cell.row].height or '-'}"
                    )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_register_is_as_it_was_filed(plan: PlanFile, tmp_path: Path, language: str) -> None:
    whole, told = filed(plan)
    path = write_register(whole, tmp_path / "r.xlsx", language=language, filing=told)  # type: ignore[arg-type]
    found = dump(openpyxl.load_workbook(path))
    golden = GOLDEN / f"{language}.txt"
    if os.environ.get("GRIDWRIGHT_WRITE_GOLDEN") == "1":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found, encoding="utf-8")
    meant = golden.read_text("utf-8")
    if found != meant:
        ARTIFACTS.mkdir(exist_ok=True)
        shutil.copy(path, ARTIFACTS / f"register-{language}.xlsx")
        lines = (meant.splitlines(), found.splitlines())
        difference = "\n".join(difflib.unified_diff(*lines, "golden", "now", lineterm=""))
        (ARTIFACTS / f"register-{language}.diff").write_text(difference, encoding="utf-8")
        pytest.fail(f"the register differs, see tests/artifacts:\n{difference[:2000]}")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula(plan: PlanFile, tmp_path: Path, text: str) -> None:
    plan.grids.loc[0, "village_name"] = text
    plan.grids.loc[1, "township_name"] = text
    plan.exceptions.loc[0, "reason"] = text
    book = openpyxl.load_workbook(write_register(plan, tmp_path / "register.xlsx"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    found = [cell for cell in cells if cell.value == text]
    assert len(found) >= 3  # the village, its reason in two places
    assert all(cell.quotePrefix for cell in found)


def grid_rows(book: Workbook) -> list[dict[str, object]]:
    """The rows of grids of every township's sheet by the names of their columns."""
    rows = []
    for sheet in book:
        head = [cell.value for cell in sheet[4]]
        if head[0] not in ("序号", "No."):
            continue
        for values in sheet.iter_rows(min_row=5, values_only=True):
            if isinstance(values[0], int):
                rows.append(dict(zip(head, values, strict=True)))
    return rows


def test_one_row_a_grid_one_sheet_a_township(plan: PlanFile, tmp_path: Path) -> None:
    whole, told = filed(plan)
    book = openpyxl.load_workbook(write_register(whole, tmp_path / "r.xlsx", filing=told))
    assert book.sheetnames[:3] == ["网格划分登记表", "龙池街道", "竹溪镇"]
    rows = grid_rows(book)
    assert [row["网格编码"] for row in rows] == sorted(whole.grids["code"])
    assert sum(row["户数"] for row in rows) == whole.grids["households"].sum()  # type: ignore[misc]
    assert rows[0]["类型"] == "综合网格"
    assert rows[-1]["类型"] == "专属网格"
    assert (rows[0]["东至"], rows[0]["南至"]) == ("人民路", "中山河")
    assert [row["缺岗"] for row in rows] == [0] * 6 + [4, None]
    for sheet in book.worksheets[1:3]:
        last = [row for row in sheet.iter_rows(values_only=True) if row[1] == "合计"]
        own = [row for row in rows if row["网格编码"] in {c.value for c in sheet["B"]}]
        assert last[0][5] == sum(row["户数"] for row in own)  # type: ignore[misc]
        assert any(cell.value == NOTICE_ZH for cell in sheet["A"])


def test_a_side_without_a_name_can_be_told_by_its_place(plan: PlanFile, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(
        write_register(plan, tmp_path / "r.xlsx", filing=Filing(coordinates=True))
    )
    row = grid_rows(book)[0]
    assert row["东至"] == "人民路"
    said = re.fullmatch(r"村界\((1\d\d\.\d{5}),(\d\d\.\d{5})\)", str(row["西至"]))
    assert said is not None
    place = gpd.GeoSeries.from_xy([float(said[1])], [float(said[2])], crs=4326)
    assert plan.grids.boundary.iloc[0].distance(place.to_crs(plan.grids.crs).iloc[0]) < 1


def test_the_cover_says_whether_the_levels_agree(plan: PlanFile, tmp_path: Path) -> None:
    whole, told = filed(plan)
    cover = openpyxl.load_workbook(write_register(whole, tmp_path / "r.xlsx", filing=told))
    texts = [str(cell.value) for cell in cover.worksheets[0]["A"]]
    assert "县、乡镇、村、网格、微网格、户点逐级合计一致。" in texts
    assert any("12.5%" in text for text in texts)  # one of eight grids is dedicated
    wrong = replace(whole, villages=whole.villages.assign(grids=[4, 5]))
    cover = openpyxl.load_workbook(write_register(wrong, tmp_path / "w.xlsx", filing=told))
    texts = [str(cell.value) for cell in cover.worksheets[0]["A"]]
    assert any("不一致" in text and "320116001202" in text for text in texts)


def test_the_register_prints_the_reason(plan: PlanFile, tmp_path: Path) -> None:
    codes = sorted(plan.grids["code"])
    plan.exceptions.loc[0, ["grid_code", "reason"]] = [codes[0], "单独超上限 / too large by itself"]
    rows = [(codes[1], "max_persons", 2000.0, 1500.0, "人工调整 / by hand")]
    more = pd.DataFrame(rows, columns=["grid_code", "rule", "value", "limit", "reason"])
    own = ["河在中间" if code == codes[1] else "" for code in plan.grids["code"]]
    told = replace(
        plan,
        grids=plan.grids.assign(reason=own),
        exceptions=pd.concat([plan.exceptions.iloc[:1], more], ignore_index=True),
    )
    for language, first in (("zh", "单独超上限"), ("en", "too large by itself")):
        path = write_register(told, tmp_path / "r.xlsx", language=language)  # type: ignore[arg-type]
        rows_ = grid_rows(openpyxl.load_workbook(path))
        column = [row["原因" if language == "zh" else "Reason"] for row in rows_]
        assert column[:2] == [first, "河在中间"]
        assert not any(column[2:])


def test_a_foreign_plan_without_towns_bounds_or_kinds(plan: PlanFile, tmp_path: Path) -> None:
    few = plan.grids[["code", "households", "geometry"]]
    bare = replace(plan, grids=few, villages=plan.villages.iloc[:0], households=plan.households[:0])
    for language, name in (("zh", "未注明乡镇"), ("en", "No township told")):
        path = write_register(bare, tmp_path / "r.xlsx", language=language)  # type: ignore[arg-type]
        book = openpyxl.load_workbook(path)
        assert name in book.sheetnames
        assert len(grid_rows(book)) == len(few)


def test_a_control_character_does_not_stop_the_register(plan: PlanFile, tmp_path: Path) -> None:
    plan.grids.loc[0, "name"] = "柳\x00塘\x0b村"
    book = openpyxl.load_workbook(write_register(plan, tmp_path / "r.xlsx"))
    assert grid_rows(book)[0]["网格名称"] == "柳塘村"


@pytest.mark.parametrize(("rows", "high"), [(10, 0), (28, 0), (30, 1), (40, 0), (57, 2)])
def test_no_page_holds_a_sum_and_signatures_alone(rows: int, high: int) -> None:
    """27 rows of 18 points and their header fill an A4 page; two more are printed with them."""
    sheet = Workbook().create_sheet()
    widths(sheet, [20.0] * 5)
    for row in range(1, rows + 1):
        sheet.cell(row=row, column=1).value = "x"
        sheet.row_dimensions[row].height = 18
    page(sheet, titles="1:1", language="zh")
    assert sheet.page_setup.fitToHeight == high


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_level_has_a_name(plan: PlanFile, tmp_path: Path, language: str) -> None:
    whole, told = filed(plan)

    def names(plan: PlanFile, place: str) -> list[str | None]:
        told_so = replace(told, place=place)
        path = write_register(plan, tmp_path / "r.xlsx", language=language, filing=told_so)  # type: ignore[arg-type]
        sheet = openpyxl.load_workbook(path)["分级汇总" if language == "zh" else "Levels"]
        return [str(row[2] or "") for row in sheet.iter_rows(min_row=3, values_only=True)]

    zh = language == "zh"
    county = names(whole, "示范县")
    assert county[:2] == ["所属市(仅计本县)" if zh else "Its city (this county only)", "示范县"]
    assert all(county)
    assert names(whole, "")[1] == ("全部" if zh else "All of it")
    foreign = replace(
        whole, villages=whole.villages.assign(code=["A", "B"]),
        grids=whole.grids.assign(township_name="", village_code=["A"] * 4 + ["B"] * 4),
    )  # fmt: skip
    no_town = "未注明乡镇" if zh else "No township told"
    assert names(foreign, "Cambridge")[:2] == ["Cambridge", no_town]


def test_the_provenance_is_told_in_the_reader_s_language() -> None:
    rows = {
        "setting.target": "300", "setting.micro": "", "argument.strict": "False",
        "input.roads.rows": "12", "note.1": "路已修复。 / roads were repaired.",
        "result.worst_from_ideal": "0.2194", "code.retired": "320116001001009", "new.key": "x",
    }  # fmt: skip
    table = pd.DataFrame(list(rows.items()), columns=["key", "value"])
    zh = dict(provenance_in(table, "zh").itertuples(index=False))
    assert zh == {
        "目标户数(每格)": "300", "微网格户数": "无", "有例外即报错": "否", "输入 道路:行数": "12",
        "读取说明 1": "路已修复。", "与村均最大偏差": "21.9%",
        "停用编码(不再使用)": "320116001001009", "new.key": "x",
    }  # fmt: skip
    en = dict(provenance_in(table, "en").itertuples(index=False))
    assert (en["Input roads: rows"], en["Note 1"]) == ("12", "roads were repaired.")


@pytest.mark.parametrize(
    ("text", "lines"),
    [("a railway, Binney and Bent", 3), ("Huron", 1), ("Neighborhood Nine", 2), ("House-holds", 1),
     ("庆林社区第一网格庆林社区", 2), ("329901002003010; 329901002003009", 4)],
)  # fmt: skip
def test_a_row_is_as_high_as_its_words_need(text: str, lines: int) -> None:
    sheet = Workbook().create_sheet()
    fit_height(sheet, 1, [text], [15.0], least=0)
    assert sheet.row_dimensions[1].height == lines * 14 + 4


def test_services_are_listed_one_row_a_grid(plan: PlanFile) -> None:
    codes = sorted(plan.grids["code"].astype(str))[:2]
    rows = [
        (codes[1], "mediation", "甲", 2000.0, True, 0.9),
        (codes[1], "police_station", "乙", 3000.0, True, 1.0),
        (codes[0], "mediation", "甲", 100.0, False, 0.0),
    ]
    columns = ["grid_code", "kind", "name", "metres", "beyond", "share_beyond"]
    table, shown = service_list(pd.DataFrame(rows, columns=columns), plan, "zh")
    assert table["grid_code"].tolist() == codes
    assert table["beyond"].tolist() == ["", "调解室、派出所"]
    assert table["mediation_metres"].tolist() == [100.0, 2000.0]
    assert [column.source for column in shown] == table.columns.tolist()
    assert not [column for column in shown if column.source.startswith("grid_station")]


def test_sheet_names_are_names_that_excel_takes() -> None:
    taken: set[str] = set()
    names = [sheet_name(wanted, taken) for wanted in
             ("城东/街道", "城东:街道", "History", "", "很长" * 30, "很长" * 30)]  # fmt: skip
    assert len({name.casefold() for name in names}) == len(names)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in names)
    assert columns_between("村A") == 3


def test_libreoffice_opens_it_and_prints_every_grid(plan: PlanFile, tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None or shutil.which("pdftotext") is None:
        pytest.skip("LibreOffice or pdftotext is not installed")
    whole, told = filed(plan)
    path = write_register(whole, tmp_path / "register.xlsx", filing=told)
    profile = (tmp_path / "profile").as_uri()
    subprocess.run(
        [office, f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf",
         "--outdir", str(tmp_path), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    run = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "register.pdf"), "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    printed = re.sub(r"\s", "", run.stdout)
    assert all(code in printed for code in whole.grids["code"])
    assert "内部使用,未经地图审核不得公开" in printed
    assert "###" not in run.stdout  # a number wider than its column
    assert zipfile.is_zipfile(path)
