"""A sound plan is called sound, and each way of spoiling it is found and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import towns

from planning.check import CHECKS, NO_REASON, Finding, check_plan, settings_of
from planning.county import propose_county
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.tables import to_planfile


def made() -> PlanFile:
    x, y = towns.ORIGIN
    own = towns.county(
        [
            towns.village("12|34\n--+--\n56|78", times=10, persons=3, code="A"),
            towns.village("9999\n9999", times=10, persons=3, code="B", at=(x + 3000, y)),
        ],
        dedicated=[("学校", shapely.box(x + 5, y + 5, x + 45, y + 45))],
    )
    rules = Settings(target=120, micro=60, max_households=200, min_households=50)
    return to_planfile(propose_county(own, rules))


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    return made()


def grids(plan: PlanFile, **columns: object) -> PlanFile:
    return replace(plan, grids=plan.grids.assign(**columns))


def with_shape(plan: PlanFile, row: int, shape: shapely.Geometry) -> PlanFile:
    shapes = list(plan.grids.geometry)
    shapes[row] = shape
    return replace(plan, grids=plan.grids.set_geometry(shapes, crs=plan.grids.crs))


def with_value(plan: PlanFile, column: str, row: int, value: object) -> PlanFile:
    values = list(plan.grids[column])
    values[row] = value
    return grids(plan, **{column: values})


def with_household(plan: PlanFile, row: int, column: str, value: object) -> PlanFile:
    values = list(plan.households[column])
    values[row] = value
    return replace(plan, households=plan.households.assign(**{column: values}))


def first_usual(plan: PlanFile) -> int:
    return int(np.flatnonzero(plan.grids["kind"] == "comprehensive")[0])


def rules(found: list[Finding]) -> set[str]:
    return {f.rule for f in found}


def test_a_sound_plan_is_sound(plan: PlanFile) -> None:
    assert check_plan(plan) == []
    assert check_plan(plan, plan.villages, plan.households) == []


# --- the ways of spoiling it: each names the rules that it must, and the only ones that it may


def gap(plan: PlanFile) -> PlanFile:
    shape = plan.grids.geometry.iloc[0]
    return with_shape(plan, 0, shape.difference(shape.boundary.buffer(0.5)))


def overlap(plan: PlanFile) -> PlanFile:
    """A grid grows over its neighbour, by a strip that holds no household."""
    shape, village = plan.grids.geometry.iloc[0], plan.villages.geometry.iloc[0]
    return with_shape(plan, 0, shape.buffer(1.0, join_style="mitre").intersection(village))


def outside(plan: PlanFile) -> PlanFile:
    shape = plan.grids.geometry.iloc[0]
    far = shapely.affinity.translate(shape.envelope, -1.0)
    beyond = far.difference(plan.villages.geometry.iloc[0])
    return with_shape(plan, 0, shape.union(beyond))


def stray(plan: PlanFile) -> PlanFile:
    """A corner of one grid, without households, goes to one that it does not touch."""
    village = plan.grids[plan.grids["village_code"] == "A"]
    donor, taker = next(
        (a, b)
        for a in village.index
        for b in village.index
        if a != b
        and not village.geometry[a].buffer(1).intersects(village.geometry[b])
        and village["kind"][b] == "comprehensive"
    )
    corner = shapely.Point(village.geometry[donor].exterior.coords[0]).buffer(5)
    piece = village.geometry[donor].intersection(corner)
    spoiled = with_shape(plan, donor, village.geometry[donor].difference(corner))
    return with_shape(spoiled, taker, village.geometry[taker].union(piece))


def gone(plan: PlanFile) -> PlanFile:
    return replace(plan, grids=plan.grids.drop(index=1).reset_index(drop=True))


def no_grid_at_all(plan: PlanFile) -> PlanFile:
    return replace(
        plan,
        grids=plan.grids[plan.grids["village_code"] != "B"],
        households=plan.households[plan.households["grid_code"].str[:1] != "B"],
        micro_grids=None,
    )


def no_shape(plan: PlanFile) -> PlanFile:
    return with_shape(plan, 0, shapely.Polygon())


def code_twice(plan: PlanFile) -> PlanFile:
    return with_value(plan, "code", 1, plan.grids["code"].iloc[0])


def no_code(plan: PlanFile) -> PlanFile:
    return with_value(plan, "code", 1, None)


def foreign_village(plan: PlanFile) -> PlanFile:
    return with_value(plan, "village_code", 0, "Z")


def moved_point(plan: PlanFile) -> PlanFile:
    other = plan.households.geometry.iloc[-1]
    points = list(plan.households.geometry)
    points[0] = other
    return replace(plan, households=plan.households.set_geometry(points, crs=plan.grids.crs))


def moved_code(plan: PlanFile) -> PlanFile:
    other = plan.households["grid_code"].iloc[-1]
    return with_household(plan, 0, "grid_code", other)


def removed(plan: PlanFile) -> PlanFile:
    return replace(plan, households=plan.households.iloc[1:])


def doubled(plan: PlanFile) -> PlanFile:
    again = pd.concat([plan.households, plan.households.iloc[:1]], ignore_index=True)
    return replace(plan, households=gpd.GeoDataFrame(again, crs=plan.grids.crs))


def unknown_grid(plan: PlanFile) -> PlanFile:
    return with_household(plan, 0, "grid_code", "X999")


def told_too_many(plan: PlanFile) -> PlanFile:
    row = first_usual(plan)
    return with_value(plan, "households", row, int(plan.grids["households"].iloc[row]) + 1)


def told_too_few_persons(plan: PlanFile) -> PlanFile:
    """The cap on persons must not be kept by writing a smaller number."""
    row = first_usual(plan)
    return with_value(plan, "persons", row, int(plan.grids["persons"].iloc[row]) - 100)


def crowded(plan: PlanFile) -> PlanFile:
    """A tower goes up: the points and the grid tell the same, and it is too much."""
    code = plan.households["grid_code"].iloc[0]
    row = int(np.flatnonzero(plan.grids["code"] == code)[0])
    more = with_household(plan, 0, "households", int(plan.households["households"].iloc[0]) + 500)
    return with_value(more, "households", row, int(plan.grids["households"].iloc[row]) + 500)


def peopled(plan: PlanFile) -> PlanFile:
    code = plan.households["grid_code"].iloc[0]
    row = int(np.flatnonzero(plan.grids["code"] == code)[0])
    more = with_household(plan, 0, "persons", int(plan.households["persons"].iloc[0]) + 5000)
    return with_value(more, "persons", row, int(plan.grids["persons"].iloc[row]) + 5000)


def emptied(plan: PlanFile) -> PlanFile:
    row = first_usual(plan)
    code = plan.grids["code"].iloc[row]
    left = plan.households[plan.households["grid_code"] != code]
    spoiled = with_value(with_value(plan, "households", row, 0), "persons", row, 0)
    return replace(spoiled, households=left, micro_grids=None)


def micro_outside(plan: PlanFile) -> PlanFile:
    assert plan.micro_grids is not None
    shapes = list(plan.micro_grids.geometry)
    shapes[0] = shapely.affinity.translate(shapes[0], 1.0)
    return replace(plan, micro_grids=plan.micro_grids.set_geometry(shapes, crs=plan.grids.crs))


def micro_overlap(plan: PlanFile) -> PlanFile:
    """One micro-grid spreads over its whole grid, and so over its neighbours in it."""
    assert plan.micro_grids is not None
    count = plan.micro_grids["grid_code"].value_counts()
    row = int(np.flatnonzero(plan.micro_grids["grid_code"] == count.index[0])[0])
    shapes = list(plan.micro_grids.geometry)
    shapes[row] = plan.grids.set_index("code").geometry[count.index[0]]
    return replace(plan, micro_grids=plan.micro_grids.set_geometry(shapes, crs=plan.grids.crs))


def micro_gap(plan: PlanFile) -> PlanFile:
    assert plan.micro_grids is not None
    return replace(plan, micro_grids=plan.micro_grids.iloc[1:].reset_index(drop=True))


def micro_of_no_grid(plan: PlanFile) -> PlanFile:
    assert plan.micro_grids is not None
    names = ["X999", *plan.micro_grids["grid_code"].iloc[1:]]
    return replace(plan, micro_grids=plan.micro_grids.assign(grid_code=names))


SPOILED: list[tuple[Callable[[PlanFile], PlanFile], set[str], set[str]]] = [
    # how, what must be found, what else may be
    (gap, {"gap"}, {"micro"}),
    (overlap, {"overlap"}, {"micro"}),
    (outside, {"outside"}, {"micro"}),
    (stray, {"parts"}, {"micro"}),
    (gone, {"gap", "uncounted"}, {"micro"}),
    (no_grid_at_all, {"gap"}, set()),
    (no_shape, {"empty_shape", "gap", "misplaced"}, {"micro"}),
    (code_twice, {"code"}, {"uncounted", "misplaced", "micro"}),
    (no_code, {"code", "uncounted"}, {"micro"}),
    (foreign_village, {"nested", "gap"}, set()),
    (moved_point, {"misplaced"}, set()),
    (moved_code, {"misplaced", "uncounted"}, {"micro"}),
    (removed, {"uncounted"}, {"micro"}),
    (doubled, {"counted_twice", "uncounted"}, {"micro"}),
    (unknown_grid, {"uncounted"}, set()),
    (told_too_many, {"uncounted"}, set()),
    (told_too_few_persons, {"uncounted"}, set()),
    (crowded, {"max_households"}, {"micro"}),
    (peopled, {"max_persons"}, {"micro"}),
    (emptied, {"min_households"}, set()),
    (micro_outside, {"micro"}, set()),
    (micro_overlap, {"micro"}, set()),
    (micro_gap, {"micro"}, set()),
    (micro_of_no_grid, {"micro"}, set()),
]


@pytest.mark.parametrize(("spoil", "must", "may"), SPOILED, ids=[s[0].__name__ for s in SPOILED])
def test_each_way_of_spoiling_is_found(
    plan: PlanFile,
    spoil: Callable[[PlanFile], PlanFile],
    must: set[str],
    may: set[str],
) -> None:
    spoiled = spoil(plan)
    found = check_plan(spoiled)
    assert must <= rules(found) <= must | may
    assert not any(f.declared for f in found)
    assert all(f.reason and f.rule in CHECKS for f in found)
    order = [list(CHECKS).index(f.rule) for f in found]
    assert order == sorted(order)
    assert check_plan(plan) == []  # nothing was written to the plan itself


def test_every_rule_is_tried() -> None:
    elsewhere = {"missing", "unexplained"}
    assert {rule for _, must, _ in SPOILED for rule in must} == set(CHECKS) - elsewhere


def test_what_is_told_of_a_gap(plan: PlanFile) -> None:
    spoiled = gap(plan)
    expected = plan.grids.area.iloc[0] - spoiled.grids.area.iloc[0]
    (found,) = [f for f in check_plan(spoiled) if f.rule == "gap"]
    assert found.value == pytest.approx(expected)
    assert found.grid_code.startswith("A")


# --- against the original files


def test_villages_that_were_changed_since(plan: PlanFile) -> None:
    shapes = list(plan.villages.geometry)
    shapes[1] = shapes[1].buffer(10)
    assert rules(check_plan(plan, plan.villages.set_geometry(shapes, crs=plan.grids.crs))) == {
        "gap"
    }
    assert rules(check_plan(plan, plan.villages.iloc[:1])) == {"nested"}


def test_households_lost_on_the_way(plan: PlanFile) -> None:
    given = pd.DataFrame({"households": [*plan.households["households"], 7]})
    found = check_plan(plan, households=given)
    assert [(f.rule, f.limit - f.value) for f in found] == [("missing", 7)]


def test_unplaced_households_are_not_lost(plan: PlanFile) -> None:
    lost = plan.unplaced.iloc[:0].reindex([0]).assign(households=7, reason="outside-all-villages")
    listed = replace(plan, unplaced=lost)
    given = pd.DataFrame({"households": [*plan.households["households"], 7]})
    assert check_plan(listed, households=given) == []


# --- declared exceptions


def declared(plan: PlanFile, *rows: tuple[str, str, float, float, str]) -> PlanFile:
    columns = ["grid_code", "rule", "value", "limit", "reason"]
    return replace(plan, exceptions=pd.DataFrame(rows, columns=columns))


def test_a_declared_exception_is_listed_as_one(plan: PlanFile) -> None:
    spoiled = crowded(plan)
    code = plan.households["grid_code"].iloc[0]
    with_reason = declared(spoiled, (code, "max_households", 600.0, 200.0, "one tower"))
    found = check_plan(replace(with_reason, micro_grids=None))
    assert [(f.rule, f.declared) for f in found] == [("max_households", True)]


@pytest.mark.parametrize(
    ("code", "rule", "reason"),
    [
        ("A001", "max_households", ""),  # no reason
        ("A001", "max_households", "  "),
        ("A001", "max_households", NO_REASON),  # made by hand and not explained
        ("A999", "max_households", "one tower"),  # another grid
        ("A001", "max_persons", "one tower"),  # another rule
    ],
)
def test_what_declares_nothing(plan: PlanFile, code: str, rule: str, reason: str) -> None:
    spoiled = crowded(plan)
    own = plan.households["grid_code"].iloc[0]
    code = own if code == "A001" else code
    found = check_plan(declared(spoiled, (code, rule, 600.0, 200.0, reason)))
    assert not any(f.declared for f in found)


@pytest.mark.parametrize(("reason", "broken"), [("河在中间", 0), ("", 1), (NO_REASON, 1)])
def test_a_set_cut_by_hand_is_broken_until_it_is_explained(
    plan: PlanFile, reason: str, broken: int
) -> None:
    code = plan.grids["code"].iloc[0]
    found = check_plan(declared(plan, (code, "split_set", 2.0, 1.0, reason)))
    assert [f.grid_code for f in found if f.rule == "unexplained"] == [code] * broken
    assert not any(f.declared for f in found)


@pytest.mark.parametrize("spoil", [gap, overlap, moved_point, code_twice, told_too_many])
def test_topology_and_counts_cannot_be_declared_away(
    plan: PlanFile, spoil: Callable[[PlanFile], PlanFile]
) -> None:
    found = check_plan(spoil(plan))
    excuses = [(f.grid_code, f.rule, f.value, f.limit, "because") for f in found]
    again = check_plan(declared(spoil(plan), *excuses))
    assert {f.rule for f in again if not f.declared} >= {
        f.rule for f in found if f.rule not in ("micro",)
    }


# --- foreign plans


def foreign(plan: PlanFile, shapes: list[shapely.Geometry]) -> PlanFile:
    """Nothing but a layer of grids, as a surveyor might send it."""
    frame = gpd.GeoDataFrame(
        {"code": [f"G{i}" for i in range(len(shapes))], "households": 100},
        geometry=shapes,
        crs=towns.CRS_M,
    )
    return PlanFile(
        grids=frame,
        households=plan.households.iloc[:0],
        villages=plan.villages.iloc[:0],
        unplaced=plan.unplaced.iloc[:0],
        exceptions=plan.exceptions.iloc[:0],
        provenance=plan.provenance.iloc[:0],
    )


BOARD = [shapely.box(x, y, x + 100, y + 100) for x in (0, 100, 200) for y in (0, 100, 200)]


def test_a_foreign_plan_of_grids_alone(plan: PlanFile) -> None:
    assert check_plan(foreign(plan, BOARD)) == []


def test_a_hole_in_a_foreign_plan(plan: PlanFile) -> None:
    (found,) = check_plan(foreign(plan, [*BOARD[:4], *BOARD[5:]]))
    assert (found.rule, found.value) == ("gap", 10_000.0)


def test_a_foreign_plan_on_two_islands_has_no_gap(plan: PlanFile) -> None:
    far = [shapely.affinity.translate(shape, 5000) for shape in BOARD]
    assert check_plan(foreign(plan, [*BOARD, *far])) == []
    holed = check_plan(foreign(plan, [*BOARD, *far[:4], *far[5:]]))
    assert [(f.rule, f.value) for f in holed] == [("gap", 10_000.0)]


def test_holes_are_found_whichever_way_rings_turn(plan: PlanFile) -> None:
    """One grid around a lake that belongs to nobody."""
    ring = shapely.box(0, 0, 300, 300).difference(shapely.box(100, 100, 200, 200))
    for clockwise in (False, True):
        shape = shapely.orient_polygons(ring, exterior_cw=clockwise)
        assert rules(check_plan(foreign(plan, [shape]))) == {"gap"}


def test_a_foreign_plan_with_crossed_and_overlapping_shapes(plan: PlanFile) -> None:
    bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    assert "overlap" in rules(check_plan(foreign(plan, [bow_tie, BOARD[0]])))


def test_the_usual_caps_hold_for_a_plan_that_tells_none(plan: PlanFile) -> None:
    assert settings_of(foreign(plan, BOARD)) == Settings()
    told = settings_of(plan)
    assert (told.target, told.max_households, told.min_households) == (120, 200, 50)
    crowd = foreign(plan, BOARD)
    crowd = replace(crowd, grids=crowd.grids.assign(persons=1501))
    assert rules(check_plan(crowd)) == {"max_persons"}


def test_persons_unknown_break_no_cap(plan: PlanFile) -> None:
    unknown = replace(
        plan,
        grids=plan.grids.assign(persons=pd.array([None] * len(plan.grids), dtype="Int64")),
        households=plan.households.assign(
            persons=pd.array([None] * len(plan.households), dtype="Int64")
        ),
        micro_grids=None,
    )
    assert check_plan(unknown) == []


def test_every_rule_has_a_name_in_both_languages() -> None:
    assert all(zh and en and zh != en for zh, en in CHECKS.values())
