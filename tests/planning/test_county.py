"""A county: villages do not touch each other's plans, nor does the number of workers."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
import towns

from geo.ground import Ground
from planning.county import (
    Cancelled,
    CountyPlan,
    Progress,
    VillagePlan,
    in_reading_order,
    propose_county,
)
from planning.planfile import write_plan
from planning.settings import Settings
from planning.tables import to_planfile

PICTURES = {
    "A": "12.|.23\n3.1|4..\n---+---\n.31|222\n2..|1.3",
    "B": "..1|2..\n3..|..4\n---+---\n5..|..6",
    "C": "1.2.3.4\n.5.6.7.\n8.9.1.2",
    "D": "99|99\n--+--\n99|99",
}
RULES = Settings(target=120, micro=50)


def ground(codes: str = "ABCD", far: float = 0.0) -> Ground:
    """Villages in a row; the last ``far`` metres further east."""
    held = []
    for i, code in enumerate(codes):
        x = towns.ORIGIN[0] + "ABCD".index(code) * 2000.0
        x += far if i == len(codes) - 1 else 0.0
        held.append(
            towns.village(PICTURES[code], times=10, persons=3, code=code, at=(x, towns.ORIGIN[1]))
        )
    return towns.county(held)


@pytest.fixture(scope="module")
def plan() -> CountyPlan:
    return propose_county(ground(), RULES)


def same(one: VillagePlan, other: VillagePlan) -> None:
    assert np.array_equal(one.proposal.label, other.proposal.label)
    assert bool(shapely.equals_exact(one.outlines, other.outlines, tolerance=0).all())
    assert one.bounds == other.bounds
    assert one.exceptions == other.exceptions
    assert one.micro is not None
    assert other.micro is not None
    assert np.array_equal(one.micro.label, other.micro.label)


def test_a_village_is_planned_as_if_it_were_alone(plan: CountyPlan) -> None:
    for codes in ("A", "AC", "ACD"):
        alone = propose_county(ground(codes), RULES)
        for village, code in zip(alone.villages, codes, strict=True):
            same(village, plan.villages["ABCD".index(code)])


def test_a_far_village_moves_nothing(plan: CountyPlan) -> None:
    apart = propose_county(ground(far=30_000.0), RULES)
    for village in range(3):
        same(apart.villages[village], plan.villages[village])


def test_the_order_of_villages_moves_nothing(plan: CountyPlan) -> None:
    for village, code in zip(propose_county(ground("DBA"), RULES).villages, "DBA", strict=True):
        same(village, plan.villages["ABCD".index(code)])


def test_the_order_of_households_moves_nothing(plan: CountyPlan) -> None:
    own = ground()
    order = np.random.default_rng(3).permutation(len(own.households))
    shuffled = replace(own, households=own.households.iloc[order].reset_index(drop=True))
    tables, again = to_planfile(plan), to_planfile(propose_county(shuffled, RULES))
    pd.testing.assert_frame_equal(
        pd.DataFrame(tables.grids.drop(columns="geometry")),
        pd.DataFrame(again.grids.drop(columns="geometry")),
    )
    key = ["household_id", "grid_code", "micro_code"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(tables.households[key]).sort_values("household_id", ignore_index=True),
        pd.DataFrame(again.households[key]).sort_values("household_id", ignore_index=True),
    )


def test_any_number_of_workers_writes_the_same_bytes(plan: CountyPlan, tmp_path: Path) -> None:
    two = propose_county(ground(), RULES, workers=2)
    bare = propose_county(ground(), RULES, workers=2, shapes=False)
    assert not any(len(village.units.segments.left) for village in bare.villages)
    for i, one in enumerate((plan, two, bare)):
        write_plan(to_planfile(one), tmp_path / f"{i}.gpkg")
    written = {(tmp_path / f"{i}.gpkg").read_bytes() for i in range(3)}
    assert len(written) == 1


def test_workers_are_threads_where_forking_is_unsafe(plan: CountyPlan) -> None:
    """The web application has threads of its own; forking there could hang."""
    leave = threading.Event()
    other = threading.Thread(target=leave.wait)
    other.start()
    try:
        two = propose_county(ground(), RULES, workers=2)
    finally:
        leave.set()
        other.join()
    for one, again in zip(plan.villages, two.villages, strict=True):
        same(one, again)


def test_another_seed_may_differ_and_is_told(plan: CountyPlan) -> None:
    other = to_planfile(propose_county(ground("AB"), replace(RULES, seed=5)))
    assert other.value("setting.seed") == "5"
    assert to_planfile(plan).value("setting.seed") == "0"


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_counts_every_village_once(workers: int) -> None:
    seen: list[Progress] = []
    propose_county(ground(), RULES, workers=workers, progress=seen.append)
    assert [p.done for p in seen] == [1, 2, 3, 4]
    assert {p.total for p in seen} == {4}
    assert {p.village for p in seen} == {"A村", "B村", "C村", "D村"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_can_be_cancelled(workers: int) -> None:
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        propose_county(
            ground(), RULES, workers=workers, progress=seen.append,
            cancelled=lambda: len(seen) >= 1,
        )
    assert len(seen) < 4


def test_grids_are_numbered_like_a_page(plan: CountyPlan) -> None:
    """North before south and west before east, dedicated grids last."""
    for village in plan.villages:
        assert np.array_equal(
            in_reading_order(village.units, village.proposal).label, village.proposal.label
        )
    board = propose_county(
        towns.county([towns.village("5|5\n-+-\n5|5", times=20)]), Settings(target=100)
    )
    assert board.villages[0].proposal.k == 4
    x, y = shapely.get_coordinates(shapely.centroid(board.villages[0].outlines)).T
    assert y[0] > y[2]
    assert x[0] < x[1]
    assert x[2] < x[3]


def test_dedicated_ground_is_cut_out_and_numbered_last() -> None:
    x, y = towns.ORIGIN
    school = shapely.box(x + 60, y + 60, x + 190, y + 140)
    own = towns.county(
        [towns.village(PICTURES["C"], times=10, code="C")], dedicated=[("实验小学", school)]
    )
    tables = to_planfile(propose_county(own, RULES))
    last = tables.grids.iloc[-1]
    assert last["code"] == "C901"
    assert last["kind"] == "dedicated"
    assert last["name"] == "实验小学专属网格"
    assert last.geometry.symmetric_difference(school).area < 1
    assert (tables.grids["kind"] == "dedicated").sum() == 1
    assert (tables.grids["code"].iloc[:-1] < "C900").all()
    assert not tables.grids.geometry.iloc[:-1].intersects(school.buffer(-1)).any()


def test_compounds_stay_whole() -> None:
    x, y = towns.ORIGIN
    compound = shapely.box(x + 90, y - 10, x + 260, y + 110)
    own = towns.county(
        [towns.village(PICTURES["C"], times=10, code="C")], compounds=[("幸福里", compound)]
    )
    tables = to_planfile(propose_county(own, RULES))
    held = tables.households[tables.households.intersects(compound)]
    assert len(held) > 1
    assert held["grid_code"].nunique() == 1
    assert tables.value("whole.compound.sets") == "1"
    assert tables.value("whole.compound.kept") == "1"
