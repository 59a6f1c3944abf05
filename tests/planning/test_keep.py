"""Today's grids on new ground: what comes back, what is listed, what is new."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
import towns
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.coverage import dissolve
from geo.enclosures import VillageGround
from geo.problems import InputError
from geo.units import Units, build_units
from planning.county import propose_county
from planning.keep import Kept, keep
from planning.propose import propose
from planning.settings import Settings
from planning.tables import to_planfile
from planning.today import Today, of_plan, read_today

TOWN = "12.34|1\n.2..3|2\n-----+-\n4.5.6|3\n.1..2|."
RULES = Settings(target=60)


def town(picture: str = TOWN, code: str = "V") -> tuple[Units, VillageGround]:
    ground = towns.village(picture, times=5, persons=2, code=code)
    return build_units(ground), ground


def old(*rows: tuple[str, shapely.Geometry], kind: str = "comprehensive") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "code": [code for code, _ in rows],
            "name": [f"{code}格" for code, _ in rows],
            "kind": kind,
            "village_code": "V",
        },
        geometry=[shape for _, shape in rows],
        crs=towns.CRS_M,
    )


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A box in cells from the south-west corner."""
    x, y = towns.ORIGIN
    c = towns.CELL
    return shapely.box(x + west * c, y + south * c, x + east * c, y + north * c)


def kept(units: Units, grids: gpd.GeoDataFrame, ground: VillageGround | None) -> Kept:
    result = keep(units, grids, RULES, ground=ground, village_name="村")
    fine = result.plan.units
    assert np.bincount(result.parent, weights=fine.area) == pytest.approx(units.area)
    assert np.bincount(result.parent, weights=fine.households) == pytest.approx(units.households)
    return result


def outline(result: Kept, code: str) -> shapely.Geometry:
    key = next(k for k, grid in result.plan.grids.items() if grid.code == code)
    return result.plan.outlines()[np.searchsorted(result.plan.keys, key)]


def apart(one: shapely.Geometry, other: shapely.Geometry) -> float:
    return max(
        shapely.hausdorff_distance(one.boundary, other.boundary, densify=0.05),
        shapely.hausdorff_distance(other.boundary, one.boundary, densify=0.05),
    )


def test_a_plan_comes_back_as_it_was_and_nothing_is_cut() -> None:
    units, ground = town()
    label = propose(units, RULES).label
    shapes = dissolve(units.geometry, label)
    assert len(shapes) > 2
    grids = old(*((f"V{i:03d}", shape) for i, shape in enumerate(shapes, start=1)))
    result = kept(units, grids, ground)
    assert (result.plan.label == label).all()
    assert (result.not_kept, result.gone, result.new) == ((), (), frozenset())
    assert [grid.name for grid in result.plan.grids.values()] == list(grids["name"])


def test_old_borders_across_units_come_back_within_a_metre() -> None:
    units, ground = town()
    west, east = box(0, 0, 3.37, 5), box(3.37, 0, 7, 5)
    result = kept(units, old(("A", west), ("B", east)), ground)
    assert len(result.plan.units) > len(units)
    area = shapely.union_all(units.geometry)
    for code, shape in (("A", west), ("B", east)):
        assert apart(outline(result, code), shapely.intersection(shape, area)) < 1.0
    assert result.not_kept == ()
    # everybody is where the building stands
    at = result.plan.label[result.plan.units.unit_of_row]
    assert (at == (ground.xy[:, 0] > towns.ORIGIN[0] + 3.37 * towns.CELL)).all()


def test_hair_gaps_and_overlaps_of_drawn_grids_leave_no_slivers() -> None:
    units, ground = town()
    grids = old(("A", box(0, 0, 3.372, 5)), ("B", box(3.368, 0, 7, 2.4)),
                ("C", box(3.37, 2.402, 7, 5)))  # fmt: skip
    result = kept(units, grids, ground)
    assert sorted(grid.code for grid in result.plan.grids.values()) == ["A", "B", "C"]
    assert (result.plan.measures.parts == 1).all()
    thick = shapely.buffer(result.plan.units.geometry, -0.25)
    assert not shapely.is_empty(thick).any()


def test_without_the_ground_the_unit_is_parted_all_the_same() -> None:
    units, _ = town()
    result = kept(units, old(("A", box(0, 0, 3.37, 5)), ("B", box(3.37, 0, 7, 5))), None)
    assert result.plan.units.households.sum() == units.households.sum()
    assert apart(outline(result, "A"), box(0, 0, 3.37, 5)) < 1.0


def test_a_grid_without_ground_is_gone_and_its_code_is_not_given_again() -> None:
    units, ground = town()
    grids = old(("V001", box(0, 0, 4, 5)), ("V002", box(50, 50, 60, 60)))
    result = keep(units, grids, RULES, ground=ground, village_name="村",
                  used=frozenset({"V001", "V002", "V003"}))  # fmt: skip
    assert result.gone == ("V002",)
    fresh = {result.plan.grids[key].code for key in result.new}
    assert fresh
    assert fresh.isdisjoint({"V001", "V002", "V003"})


def test_what_lies_outside_the_village_is_listed_with_its_households() -> None:
    units, ground = town()
    result = kept(units, old(("A", box(0, 0, 7, 5)), ("B", box(2, 2, 3, 3))), ground)
    # B lies inside A: half of it each is the same ground twice, so one of them loses it
    assert {item.code for item in result.not_kept} <= {"A", "B"}
    assert sum(item.area_m2 for item in result.not_kept) == pytest.approx(2500, rel=0.01)
    reach = kept(units, old(("A", box(-2, 0, 7, 5))), ground)
    (lost,) = reach.not_kept
    assert lost.code == "A"
    assert lost.area_m2 == pytest.approx(2 * 5 * 2500, rel=1e-6)
    assert lost.households == 0


def test_bare_ground_joins_its_neighbour_or_is_a_grid_by_its_people() -> None:
    units, ground = town()
    few = kept(units, old(("A", box(0, 0, 6, 5))), ground)  # 30 households, half of the target
    assert len(few.new) == 1
    many = kept(units, old(("A", box(0, 0, 7, 3)), ("B", box(0, 3, 5, 5))), ground)
    assert [grid.code for grid in many.plan.grids.values()] == ["A", "B"]
    assert many.new == frozenset()


def test_a_village_without_any_old_grid_is_proposed() -> None:
    units, ground = town()
    result = keep(units, old(), RULES, ground=ground, village_name="村",
                  used=frozenset({"V001"}))  # fmt: skip
    assert len(result.plan.grids) == propose(units, RULES).k
    codes = sorted(grid.code for grid in result.plan.grids.values())
    assert codes[0] == "V002"
    assert result.new == frozenset(result.plan.grids)


def test_grids_without_codes_and_names_get_them() -> None:
    units, ground = town()
    grids = old(("", box(0, 0, 4, 5)), ("X9", box(4, 0, 7, 5)))
    grids["name"] = ""
    result = kept(units, grids, ground)
    assert {grid.code for grid in result.plan.grids.values()} == {"V001", "X9"}
    assert all(grid.name for grid in result.plan.grids.values())


def test_a_new_dedicated_place_gets_a_grid_and_an_old_one_stays() -> None:
    picture = "AAB\nAAB\nCCC"
    units = towns.units(picture, {"A": 40, "B": 0, "C": 50}, dedicated={"B": 0})
    shapes = list(towns.shapes(picture).values())
    everything = shapely.union_all(shapes)
    result = keep(units, old(("A", everything)), RULES)
    kinds = [grid.kind for grid in result.plan.grids.values()]
    assert sorted(kinds) == ["comprehensive", "dedicated"]
    grids = old(("A", shapely.union_all(shapes[::2])), ("B", shapes[1]))
    grids["kind"] = ["comprehensive", "dedicated"]
    again = keep(units, grids, RULES)
    assert {g.code: g.kind for g in again.plan.grids.values()} == {
        "A": "comprehensive", "B": "dedicated",
    }  # fmt: skip
    assert again.new == frozenset()


tenths = st.integers(3, 67).map(lambda v: v / 10)


@settings(max_examples=30)
@example([1.5], 14, 0.05078125)  # two old borders meet a hair from a unit's own
@example([0.3], 15, 1.192092896e-07)  # an old border runs through houses, but for a rounding
@given(
    st.lists(tenths, min_size=1, max_size=3, unique=True), st.integers(4, 46), st.floats(0, 0.09)
)
def test_any_drawn_borders_come_back(across, along, off) -> None:
    """Borders a hair or some metres off the cells' own, in rows and columns."""
    units, ground = town()
    cuts, middle = [0.0, *(c + off for c in sorted(across)), 7.0], along / 10 + off
    spans = list(pairwise(cuts))
    boxes = [box(a, 0, b, middle) for a, b in spans] + [box(a, middle, b, 5) for a, b in spans]
    rows = [(f"G{i}", shape) for i, shape in enumerate(boxes)]
    result = kept(units, old(*rows), ground)
    assert (result.not_kept, result.gone, result.new) == ((), (), frozenset())
    for code, shape in rows:
        assert apart(outline(result, code), shape) < 1.0


def test_read_from_any_polygons(tmp_path) -> None:
    frame = gpd.GeoDataFrame(
        {"网格编码": ["A", "A", "B"], "网格名称": ["甲", "甲", "乙"],
         "类别": ["", "", "专属网格"]},
        geometry=[box(0, 0, 1, 1), box(2, 0, 3, 1), box(4, 0, 5, 1)], crs=towns.CRS_M,
    )  # fmt: skip
    frame.to_crs(4490).to_file(tmp_path / "old.geojson")
    today = read_today(tmp_path / "old.geojson", towns.CRS_M)
    assert today.grids["code"].tolist() == ["A", "B"]
    assert today.grids["name"].tolist() == ["甲", "乙"]
    assert today.grids["kind"].tolist() == ["comprehensive", "dedicated"]
    assert today.grids.geometry.area.tolist() == pytest.approx([5000, 2500], rel=1e-3)
    assert len(today.sha256) == 64


def test_files_that_hold_no_grids(tmp_path) -> None:
    gpd.GeoDataFrame(
        {"code": ["A"]}, geometry=[shapely.Point(119, 32)], crs=4490
    ).to_file(tmp_path / "points.geojson")
    with pytest.raises(InputError, match="no grid polygon"):
        read_today(tmp_path / "points.geojson", towns.CRS_M)
    with pytest.raises(InputError):
        read_today(tmp_path / "absent.gpkg", towns.CRS_M)


def test_grids_find_their_village_by_code_then_by_ground() -> None:
    villages = gpd.GeoDataFrame(
        {"code": ["V", "W"]}, geometry=[box(0, 0, 5, 5), box(5, 0, 10, 5)], crs=towns.CRS_M
    )
    grids = old(("1", box(0, 0, 4, 5)), ("2", box(4, 0, 8, 5)), ("3", box(4, 0, 8, 5)),
                ("4", box(20, 0, 30, 5)))  # fmt: skip
    grids["village_code"] = ["", "V", "", "V"]
    today = Today(grids, "f", "0")
    assert [rows.tolist() for rows in today.shares(villages)] == [[0, 1], [2]]
    assert today.gone(villages) == ["4"]
    with pytest.raises(InputError, match="touch none"):
        Today(grids.iloc[[3]], "f", "0").shares(villages)


def test_a_plan_in_memory_serves_as_well() -> None:
    ground = towns.county([towns.village(TOWN, times=5, persons=2, code="V")])
    tables = to_planfile(propose_county(ground, RULES))
    today = of_plan(tables, ground.crs)
    assert today.used == frozenset(tables.grids["code"])
    again = propose_county(ground, RULES, today=today)
    assert again.villages[0].upkeep is not None
    assert again.villages[0].upkeep.changed == ()
    assert to_planfile(again).grids["code"].tolist() == tables.grids["code"].tolist()
