"""Exports read back: names, codes, counts and shapes as they were, and nothing runs in Excel."""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from geo.problems import InputError
from planning.export import (
    GRID_COLUMNS,
    NOTICE_ZH,
    VILLAGE_COLUMNS,
    atomically,
    clipped,
    in_language,
    rule_names,
    write_geojson,
    write_shapefile,
)
from planning.planfile import PlanFile
from planning.register import write_register

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan

FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(1)", "\tx", '=HYPERLINK("http://x","y")']


@pytest.fixture
def plan() -> PlanFile:
    return synthetic_plan()


def test_column_names_fit_their_formats() -> None:
    for columns in (GRID_COLUMNS, VILLAGE_COLUMNS):
        for column in columns:
            assert column.ascii10.isascii()
            assert len(column.ascii10) <= 10
            assert len(column.gbk5) <= 5
            assert len(column.gbk5.encode("gbk")) <= 10
        assert len({c.ascii10 for c in columns}) == len(columns)
        assert len({c.gbk5 for c in columns}) == len(columns)


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_shapefile_reads_back(plan: PlanFile, tmp_path: Path, encoding: str) -> None:
    path = write_shapefile(plan, tmp_path / "plan.zip", encoding=encoding)  # type: ignore[arg-type]
    back = gpd.read_file(f"zip://{path}!grids.shp")
    index = 1 if encoding == "GBK" else 0
    names = {c.source: (c.ascii10, c.gbk5)[index] for c in GRID_COLUMNS}
    names.pop("reason")  # of plans that were redrawn by hand
    assert set(names.values()) <= set(back.columns)
    assert list(back[names["code"]]) == list(plan.grids["code"])
    assert list(back[names["name"]]) == list(plan.grids["name"])
    assert list(back[names["bounds_text"]]) == list(plan.grids["bounds_text"])
    assert list(back[names["households"]]) == list(plan.grids["households"])
    assert back[names["persons"]].isna().sum() == plan.grids["persons"].isna().sum()
    assert back.crs.equals(plan.grids.crs)
    assert back.geometry.geom_equals(plan.grids.geometry).all()


def test_shapefile_carries_the_notice_and_the_names(plan: PlanFile, tmp_path: Path) -> None:
    path = write_shapefile(plan, tmp_path / "plan.zip")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("README.txt").decode("utf-8-sig")
        assert archive.read("grids.cpg") == b"UTF-8"
    assert NOTICE_ZH in text
    assert "hous" in text


def test_a_character_outside_gbk_is_refused_by_name(plan: PlanFile, tmp_path: Path) -> None:
    plan.grids.loc[0, "name"] = "䶮村第一网格"
    with pytest.raises(InputError) as caught:
        write_shapefile(plan, tmp_path / "plan.zip", encoding="GBK")
    assert "䶮村第一网格" in caught.value.problems[0].text("zh")
    assert list(tmp_path.iterdir()) == []
    write_shapefile(plan, tmp_path / "plan.zip", encoding="UTF-8")


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_long_texts_are_cut_at_a_whole_character(encoding: str) -> None:
    cut = clipped("村" * 300, encoding)
    assert isinstance(cut, str)
    assert len(cut.encode(encoding)) <= 254
    assert set(cut) == {"村", "…"}
    assert clipped("短", encoding) == "短"
    assert clipped(None, encoding) is None


def test_geojson_is_in_degrees_and_says_what_it_is(plan: PlanFile, tmp_path: Path) -> None:
    path = write_geojson(plan, tmp_path / "plan.geojson")
    document = json.loads(path.read_text("utf-8"))
    assert NOTICE_ZH in document["description"]
    first = document["features"][0]
    assert first["properties"]["code"] == plan.grids["code"].iloc[0]
    longitude, latitude = first["geometry"]["coordinates"][0][0][:2]
    assert 119 < longitude < 121
    assert 32 < latitude < 33
    back = gpd.read_file(path).to_crs(plan.grids.crs)
    assert (back.geometry.area / plan.grids.geometry.area - 1).abs().max() < 1e-4


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula(plan: PlanFile, tmp_path: Path, text: str) -> None:
    plan.grids.loc[0, "village_name"] = text
    plan.exceptions.loc[0, "reason"] = text
    path = write_register(plan, tmp_path / "register.xlsx")
    book = openpyxl.load_workbook(path)
    types = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in types
    cells = [c for c in book.worksheets[0]["F"] if c.value == text]
    assert len(cells) == 1
    assert cells[0].quotePrefix


def test_register_has_one_row_a_grid_with_numbers_as_numbers(
    plan: PlanFile, tmp_path: Path
) -> None:
    sheet = openpyxl.load_workbook(write_register(plan, tmp_path / "r.xlsx")).worksheets[0]
    head = [cell.value for cell in sheet[3]]
    rows = list(sheet.iter_rows(min_row=4, values_only=True))
    assert sheet.title == "网格划分登记表"
    assert sheet["A2"].value == NOTICE_ZH
    assert [row[0] for row in rows] == sorted(plan.grids["code"])
    assert sum(row[head.index("户数")] for row in rows) == plan.grids["households"].sum()
    assert rows[0][head.index("网格类型")] == "综合网格"
    assert rows[0][head.index("人口")] is None


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
        sheet = openpyxl.load_workbook(path).worksheets[0]
        head = [cell.value for cell in sheet[3]].index("例外原因" if language == "zh" else "Reason")
        column = [row[head] for row in sheet.iter_rows(min_row=4, values_only=True)]
        assert column[:2] == [first, "河在中间"]
        assert not any(column[2:])


def test_register_in_english(plan: PlanFile, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_register(plan, tmp_path / "r.xlsx", language="en"))
    assert book.sheetnames[0] == "Grid division register"
    assert book.worksheets[0]["G3"].value == "Households"


def test_a_control_character_does_not_stop_the_register(
    plan: PlanFile, tmp_path: Path
) -> None:
    plan.grids.loc[0, "name"] = "柳\x00塘\x0b村"
    sheet = openpyxl.load_workbook(write_register(plan, tmp_path / "r.xlsx")).worksheets[0]
    assert sheet["B4"].value == "柳塘村"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.zip"
    path.write_bytes(b"old")

    def fails(target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        atomically(path, fails)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_rules_and_reasons_are_told_in_the_readers_language() -> None:
    assert rule_names("max_persons; parts", "zh") == "人口超上限; 不连片"
    assert rule_names("a rule of tomorrow", "en") == "a rule of tomorrow"
    assert in_language("单独已超上限 / exceeds a cap by itself", "en") == "exceeds a cap by itself"
    assert in_language("柳塘 / A 太大 / 柳塘 / A is too large", "zh") == "柳塘 / A 太大"
    assert in_language("plain text / of a foreign plan", "zh") == "plain text / of a foreign plan"
