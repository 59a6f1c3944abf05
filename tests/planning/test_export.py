"""Exports read back: names, codes, counts and shapes as they were."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest

from geo.problems import InputError
from planning.export import (
    GRID_COLUMNS,
    MICRO_COLUMNS,
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan


@pytest.fixture
def plan() -> PlanFile:
    return synthetic_plan()


def test_column_names_fit_their_formats() -> None:
    for columns in (GRID_COLUMNS, VILLAGE_COLUMNS, MICRO_COLUMNS):
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
