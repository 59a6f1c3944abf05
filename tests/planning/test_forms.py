"""Every form of a plan, read back by our own readers and by GDAL, equals what was written."""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo.datum import gcj02_to_wgs84
from geo.read import read_layer
from planning.changes import find_changes
from planning.earlier import earlier_version
from planning.export import (
    LEVELS,
    SYSTEMS,
    System,
    harmless,
    in_system,
    table_of,
    write_csv,
    write_geojson,
    write_geopackage,
    write_geoparquet,
    write_kml,
    write_shapefile,
)
from planning.export.systems import DEGREES
from planning.planfile import PlanFile, read_plan

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan

NAMES = st.text(
    st.sampled_from("幸福村第一网格龙池街道䶮𠮷\"'&<>,;%{}[]()/\\#·—A1é"), min_size=1, max_size=14
).map(lambda text: f"村{text.strip()}")  # a lone stroke means "none" to the readers  # fmt: skip
Writer = Callable[..., Path]
FORMS: dict[str, tuple[Writer, str, tuple[System, ...]]] = {
    # ending: (writer, layer to read, systems)
    "geojson": (write_geojson, "", DEGREES),
    "kml": (write_kml, "", DEGREES),
    "parquet": (write_geoparquet, "", tuple(SYSTEMS)),
    "gpkg": (write_geopackage, ":grids", tuple(SYSTEMS)),
    "zip": (write_shapefile, ":grids", tuple(SYSTEMS)),
}
CASES = [(ending, system) for ending, form in FORMS.items() for system in form[2]]


def named(names: list[str]) -> PlanFile:
    plan = synthetic_plan()
    n = len(plan.grids)
    plan.grids["name"] = [names[i % len(names)] for i in range(n)]
    plan.grids["village_name"] = [names[-1 - i % len(names)] for i in range(n)]
    return plan


def with_micro(plan: PlanFile) -> PlanFile:
    grids = plan.grids
    micro = gpd.GeoDataFrame(
        {
            "code": [f"{code}01" for code in grids["code"]],
            "grid_code": list(grids["code"]),
            "households": list(grids["households"]),
            "persons": grids["persons"],
        },
        geometry=grids.geometry.to_numpy(),
        crs=grids.crs,
    )
    return replace(plan, micro_grids=micro)


def same_ground(found: gpd.GeoSeries, meant: gpd.GeoSeries, tolerance: float) -> bool:
    """Every vertex of the one lies within ``tolerance`` of the other's outline, and back."""
    pairs = zip(found.to_numpy(), meant.to_numpy(), strict=True)
    return all(shapely.hausdorff_distance(a, b) <= tolerance for a, b in pairs)


@pytest.mark.parametrize(("ending", "system"), CASES)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NAMES, min_size=1, max_size=5))
def test_what_is_read_back_is_what_was_written(
    ending: str, system: System, names: list[str]
) -> None:
    plan = named(names)
    write, layer, _ = FORMS[ending]
    with tempfile.TemporaryDirectory() as folder:
        path = write(plan, Path(folder) / f"plan.{ending}", system=system)
        ours = read_layer(f"{path}{layer}", "dedicated").frame
        theirs = by_gdal(path, ending)
    meant = in_system(plan.grids, system)
    tolerance = 1e-7 if system in DEGREES else 1e-6
    for frame, column in ((ours, "name"), (theirs, "Name" if ending == "kml" else "name")):
        assert list(frame["code"].astype(str)) == list(meant["code"])
        assert list(frame[column]) == list(meant["name"])
        assert list(frame["households"].astype(int)) == list(meant["households"])
        assert same_ground(frame.geometry, meant.geometry, tolerance)
    village = "vill_code" if ending == "zip" else "village_code"
    assert list(theirs[village].astype(str)) == list(meant["village_code"])
    assert list(ours["persons"].isna()) == list(meant["persons"].isna())


def by_gdal(path: Path, ending: str) -> gpd.GeoDataFrame:
    if ending == "parquet":
        return gpd.read_parquet(path)
    if ending == "zip":
        return gpd.read_file(f"zip://{path}!grids.shp")
    return gpd.read_file(path, layer="grids") if ending == "gpkg" else gpd.read_file(path)


@pytest.mark.parametrize("system", SYSTEMS)
@settings(max_examples=5)
@given(st.lists(NAMES, min_size=1, max_size=5))
def test_the_table_reads_back(system: System, names: list[str]) -> None:
    plan = named(names)
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(plan, Path(folder) / "grids.csv", system=system)
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        ours = read_layer(path, "dedicated").frame
        theirs = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(ours["code"].astype(str)) == list(plan.grids["code"])
    assert list(theirs["网格编码"]) == list(plan.grids["code"])
    assert list(theirs["网格名称"]) == [harmless(name) for name in plan.grids["name"]]
    assert list(theirs["村(社区)代码"]) == list(plan.grids["village_code"])
    assert list(theirs["户数"].astype(int)) == list(plan.grids["households"])
    assert set(theirs["坐标系"]) == {SYSTEMS[system][0]}
    axes = ("X", "Y") if system == "metric" else ("经度", "纬度")
    x, y = (theirs[name].astype(float) for name in axes)
    shapes = in_system(plan.grids, system).geometry
    assert shapely.contains_xy(shapes.to_numpy(), x.to_numpy(), y.to_numpy()).all()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_of_a_table_is_run(tmp_path: Path, text: str) -> None:
    plan = synthetic_plan()
    plan.grids.loc[0, "name"] = text
    with write_csv(plan, tmp_path / "grids.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1][1] == "'" + text
    numbers = [float(row[rows[0].index("与目标偏差")]) for row in rows[1:]]
    assert min(numbers) < 0  # a negative number is a number and stays one


def test_a_table_of_the_western_and_southern_world_has_numbers(tmp_path: Path) -> None:
    plan = synthetic_plan()
    plan.grids.set_crs(32719, allow_override=True, inplace=True)  # UTM 19 south
    path = write_csv(plan, tmp_path / "grids.csv")
    found = read_layer(path, "dedicated").frame
    assert (found.geometry.x < 0).all()
    assert (found.geometry.y < 0).all()


def test_gcj02_is_shifted_and_said(tmp_path: Path) -> None:
    plan = synthetic_plan()
    path = write_geoparquet(plan, tmp_path / "p.parquet", system="gcj02")
    shifted = gpd.read_parquet(path)
    assert "GCJ-02" in shifted.crs.name
    assert shifted.crs != "EPSG:4326"
    own = shapely.get_coordinates(plan.grids.to_crs(4326).geometry.to_numpy())
    moved = shapely.get_coordinates(shifted.geometry.to_numpy())
    _, _, metres = Geod(ellps="WGS84").inv(*own.T, *moved.T)
    assert ((np.array(metres) > 420) & (np.array(metres) < 612)).all()
    back = np.column_stack(gcj02_to_wgs84(*moved.T))
    assert np.abs(back - own).max() < 1e-8
    told = write_geopackage(plan, tmp_path / "p.gpkg", system="gcj02")
    again = read_plan(told)
    assert "GCJ-02" in str(again.value("coordinates"))
    for name in ("grids", "villages", "households"):
        there = getattr(again, name).geometry.to_numpy()
        meant = getattr(plan, name).to_crs(again.grids.crs).geometry.to_numpy()
        off = shapely.get_coordinates(there) - shapely.get_coordinates(meant)
        assert np.abs(off).max() < 0.001  # metres
    late = read_plan(told, late=True)
    off = shapely.get_coordinates(late.households.geometry.to_numpy()) - shapely.get_coordinates(
        plan.households.to_crs(late.grids.crs).geometry.to_numpy()
    )
    assert np.abs(off).max() < 0.001
    text = write_geojson(plan, tmp_path / "p.geojson", system="gcj02").read_text("utf-8")
    assert "GCJ-02" in text.split('"features"')[0]
    assert "GCJ-02" in write_kml(plan, tmp_path / "p.kml", system="gcj02").read_text("utf-8")


@pytest.mark.parametrize("system", ["metric", *DEGREES])
def test_an_earlier_version_in_any_system_is_the_same_plan(tmp_path: Path, system: System) -> None:
    plan = synthetic_plan()
    path = write_geopackage(plan, tmp_path / "p.gpkg", system=system)
    earlier = earlier_version(path.name, path.read_bytes())
    assert set(find_changes(earlier, plan).table["change"]) == {"kept"}


def test_a_border_shared_before_is_shared_after(tmp_path: Path) -> None:
    for system in SYSTEMS:
        shapes = in_system(synthetic_plan().grids, system).geometry.to_numpy()
        assert shapely.coverage_is_valid(shapes)


def test_every_level_has_its_code_and_its_parents() -> None:
    plan = with_micro(synthetic_plan())
    frames = {level: table_of(plan, level) for level in LEVELS}
    assert all(frame is not None for frame in frames.values())
    grids, villages, micro = frames["grids"], frames["villages"], frames["micro_grids"]
    assert grids is not None
    assert villages is not None
    assert micro is not None
    assert set(micro["grid_code"]) <= set(grids["code"])
    assert set(micro["village_code"]) <= set(villages["code"])
    assert set(grids["village_code"]) <= set(villages["code"])
    assert list(villages["parent_code"]) == [code[:9] for code in villages["code"]]
    assert micro["name"].iloc[0] == f"{grids['name'].iloc[0]}-01"
    assert table_of(synthetic_plan(), "micro_grids") is None


@pytest.mark.parametrize("write", [write_geojson, write_kml, write_geoparquet, write_csv])
def test_micro_grids_and_villages_can_be_had_too(tmp_path: Path, write: Writer) -> None:
    plan = with_micro(synthetic_plan())
    for level in ("villages", "micro_grids"):
        path = write(plan, tmp_path / f"{level}.{write.__name__[6:]}", level=level)
        assert path.stat().st_size > 100
    with pytest.raises(ValueError, match="micro_grids"):
        write(synthetic_plan(), tmp_path / "none", level="micro_grids")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_micro_grids_read_back_from_a_shapefile_and_a_table(tmp_path: Path, encoding: str) -> None:
    plan = with_micro(synthetic_plan())
    assert plan.micro_grids is not None
    path = write_shapefile(plan, tmp_path / "p.zip", encoding=encoding)  # type: ignore[arg-type]
    table = write_csv(plan, tmp_path / "p.csv", level="micro_grids")
    for source in (f"{path}:micro_grids", table):
        frame = read_layer(source, "dedicated").frame
        assert list(frame["code"]) == list(plan.micro_grids["code"])
        assert frame["name"].iloc[0] == f"{plan.grids['name'].iloc[0]}-01"
        assert list(frame["households"]) == list(plan.micro_grids["households"])


@pytest.mark.parametrize("write", [write_geojson, write_kml])
def test_metres_are_not_written_where_degrees_belong(tmp_path: Path, write: Writer) -> None:
    with pytest.raises(ValueError, match="longitude"):
        write(synthetic_plan(), tmp_path / "plan", system="metric")
