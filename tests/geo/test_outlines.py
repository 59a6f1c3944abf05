"""Areas without a file of villages: their outline stands for one, where they adjoin."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.datum import wgs84_to_gcj02
from geo.ground import Inputs, assemble, load_ground
from geo.inspect import Choice, look
from geo.problems import InputError


def blocks(folder: Path, gap: float = 0.0, columns: int = 4) -> Path:
    """16 squares of 100 m with 20 households each, ``gap`` metres of street between them."""
    step = 100 + gap
    shapes = [
        shapely.box(500_000 + step * c, 3_400_000 + step * r,
                    500_100 + step * c, 3_400_100 + step * r)
        for r in range(16 // columns) for c in range(columns)
    ]  # fmt: skip
    counts = {"户数": [20] * 16, "人口": [50] * 16}
    frame = gpd.GeoDataFrame(counts, geometry=shapes, crs=4547)
    path = folder / f"blocks-{gap:.0f}.gpkg"
    frame.to_file(path)
    return path


@pytest.mark.parametrize("gap", [0.0, 12.0])
def test_adjoining_areas_make_one_village_that_holds_them_all(tmp_path: Path, gap: float) -> None:
    ground = load_ground(Inputs(None, blocks(tmp_path, gap)))
    assert len(ground.villages) == 1
    assert ground.households["households"].sum() == 320
    assert ground.unplaced.empty
    assert ground.areas is not None
    outline = ground.villages.geometry.iloc[0]
    assert outline.geom_type == "Polygon"
    assert not outline.interiors, "the streets between the blocks belong to the village"
    lost = shapely.union_all(ground.areas).difference(outline)
    assert lost.area < 1
    side = 4 * 100 + 3 * gap
    assert outline.area == pytest.approx(side * side, rel=0.01)
    assert "villages-of-areas" in [note.code for note in ground.notes]


def test_buildings_apart_are_no_boundary(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_ground(Inputs(None, blocks(tmp_path, gap=60.0)))
    assert [problem.code for problem in caught.value.problems] == ["villages-missing"]
    assert "村界" in caught.value.problems[0].text("zh")


def test_points_are_no_boundary(tmp_path: Path) -> None:
    path = tmp_path / "homes.csv"
    path.write_text("经度,纬度,户数\n117.1,30.7,3\n117.2,30.8,4\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_ground(Inputs(None, path))
    assert [problem.code for problem in caught.value.problems] == ["villages-missing"]


def test_the_outline_lies_where_the_areas_lie_in_a_shifted_datum(tmp_path: Path) -> None:
    true = gpd.read_file(blocks(tmp_path)).to_crs(4326)

    def shift(xy: np.ndarray) -> np.ndarray:
        return np.column_stack(wgs84_to_gcj02(xy[:, 0], xy[:, 1]))

    shifted = true.set_geometry(gpd.GeoSeries(shapely.transform(true.geometry, shift), crs=4326))
    path = tmp_path / "shifted.gpkg"
    shifted.to_file(path)
    layer = look(path, Choice("households"))
    ground = assemble({"households": layer}, Inputs(None, path, datum="gcj02"))
    assert ground.unplaced.empty
    expected = shapely.union_all(true.to_crs(ground.crs).geometry).centroid
    assert ground.villages.geometry.iloc[0].centroid.distance(expected) < 1


def test_villages_alone_are_a_ground_of_nobody(tmp_path: Path) -> None:
    frame = gpd.read_file(blocks(tmp_path)).assign(村名=[f"第{i}村" for i in range(16)])
    frame[["村名", "geometry"]].to_file(tmp_path / "villages.gpkg")
    ground = load_ground(Inputs(tmp_path / "villages.gpkg", None))
    assert len(ground.villages) == 16
    assert ground.households.empty
    assert ground.rows_of(3).size == 0
