"""Files that an office brings for the register, told apart by their names."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import pytest

from geo.problems import InputError
from planning.attachments import attach
from planning.planfile import PlanFile
from planning.register_form import Filing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan


def files(plan: PlanFile) -> dict[str, str]:
    code = plan.grids["code"].iloc[0]
    inside = plan.grids.to_crs(4326).geometry.iloc[0].representative_point()
    at = f"{inside.x:.6f},{inside.y:.6f}"
    return {
        "岗位表.csv": f"网格编码,岗位类型,姓名\n{code},网格长,某某\n{code},专职网格员,某某\n",
        "服务点.csv": f"名称,类别,经度,纬度\n柳塘调解室,调解室,{at}\n",
        "派出所.csv": f"派出所名称,经度,纬度\n龙池派出所,{at}\n",
        "事件.csv": f"事件编号,发生时间,经度,纬度\n1,2024-01-01 08:00,{at}\n",
    }


@pytest.mark.parametrize("trusted", [True, False])
def test_what_is_brought_is_in_the_filing(trusted: bool) -> None:
    plan = synthetic_plan()
    brought = [(name, text.encode()) for name, text in files(plan).items()]
    found = attach(plan, brought, Filing(unit="示范县"), trusted=trusted)
    told = [problem.text("zh") for problem in found.problems]
    assert len(told) == 1  # names were there and were not kept
    assert "姓名" in told[0]
    assert found.filing.unit == "示范县"
    assert found.filing.staff is not None
    first = found.filing.staff.iloc[0]
    assert (first["leader"], first["full_time"], first["lacks"], first["incidents"]) == (1, 1, 2, 1)
    assert found.filing.services is not None
    assert set(found.filing.services["kind"]) == {"mediation", "police_station"}
    assert found.filing.services["metres"].min() < 500
    assert found.filing.compounds is None
    assert "某某" not in str(found.filing.staff.to_dict())


def test_nothing_brought_is_nothing_added() -> None:
    assert attach(synthetic_plan(), [], Filing()).filing == Filing()


def test_what_cannot_be_used_is_told_and_the_rest_is_used() -> None:
    plan = synthetic_plan()
    brought = [
        ("服务点.csv", b"\x00\x01"),
        ("something.csv", b"a,b\n1,2\n"),
        ("派出所.csv", "派出所名称\n龙池派出所\n".encode()),
        ("岗位表.csv", files(plan)["岗位表.csv"].encode()),
    ]
    found = attach(plan, brought, Filing())
    assert found.filing.staff is not None
    assert found.filing.services is None
    named = {problem.file for problem in found.problems}
    assert {"服务点.csv", "something.csv", "派出所.csv"} <= named


def test_nothing_stays_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plan = synthetic_plan()
    attach(plan, [(n, t.encode()) for n, t in files(plan).items()], Filing(), trusted=True)
    assert list(tmp_path.glob("gridwright-*")) == []


def test_a_path_is_read_where_it_lies_with_its_layer_and_the_files_beside_it(
    tmp_path: Path,
) -> None:
    plan = synthetic_plan()
    inside = plan.grids.representative_point().iloc[[0]]
    table = {"name": ["柳塘调解室"], "category": ["调解室"]}
    rooms = gpd.GeoDataFrame(table, geometry=inside.array, crs=plan.grids.crs)
    rooms.to_file(tmp_path / "all.gpkg", layer="other")
    rooms.to_file(tmp_path / "all.gpkg", layer="rooms")
    rooms.to_file(tmp_path / "places.shp", encoding="utf-8")
    for source in (f"{tmp_path}/all.gpkg:rooms", tmp_path / "places.shp"):
        found = attach(plan, [("services", source)], Filing(), trusted=True)
        assert found.filing.services is not None, found.problems
        assert found.filing.services["metres"].iloc[0] < 500
    gone = attach(plan, [("services", tmp_path / "gone.shp")], Filing(), trusted=True)
    assert [(problem.file, problem.severity) for problem in gone.problems] == [
        ("gone.shp", "error")
    ]


def test_a_pattern_that_cannot_be_understood_is_refused() -> None:
    with pytest.raises(InputError):
        attach(synthetic_plan(), [], Filing(pattern="viele"))
