"""Micro-grids on the board: redrawn, kept, filed, and following their grids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import towns

from planning.check import check_plan
from planning.county import CountyPlan, propose_county
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.tables import to_planfile
from store.policy import DeniedError, Grant, Person
from store.projects import Store
from ui.acting import acting_as
from ui.desk import Desk
from ui.kept import Kept, keep_view
from ui.micro_desk import KeptMicro
from ui.storage import GuardedStore
from ui.views import PlanView

FIRST, SECOND = "320116001201", "320116001202"


@pytest.fixture(scope="module")
def county() -> CountyPlan:
    x, y = towns.ORIGIN
    one = towns.village("12|34\n--+--\n56|78\n91|23", times=10, persons=3, code=FIRST)
    two = towns.village("1.2.3   1\n.4.5.    ", times=20, persons=3, code=SECOND, at=(x + 3000, y))
    ground = towns.county([one, two], road_names=["人民路", "通扬河"])
    return propose_county(ground, Settings(target=150, micro=50))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "plans.gridwright") as opened:
        yield opened


@pytest.fixture
def kept(store: Store, county: CountyPlan) -> Kept:
    view = PlanView("p", to_planfile(county), {})
    return keep_view(store, view, "县", lambda: county.ground)


def ask(desk: Desk, **request: object) -> None:
    answer = desk.ask({"base": desk.token, "id": "1", **request})
    assert answer.kind == "ok", answer


def opened(kept: Kept, grid: str, village: str = FIRST) -> tuple[KeptMicro, Desk]:
    found = kept.micro.open(kept.scenario(None), village, grid)
    return found, found.desk(found.scenario(None), grid)


def micro_of(plan: PlanFile, grid: str) -> dict[str, int]:
    assert plan.micro_grids is not None
    own = plan.micro_grids[plan.micro_grids["grid_code"] == grid]
    return dict(zip(own["code"], own["households"].astype(int), strict=True))


def sound(plan: PlanFile) -> None:
    """Every micro-grid lies in one grid, all of them cover it, and the households agree."""
    assert [f for f in check_plan(plan) if f.rule == "micro"] == []


def grid_of(kept: Kept, least: int = 2) -> str:
    plan = kept.view(kept.scenario(None)).plan
    assert plan.micro_grids is not None
    count = plan.micro_grids["grid_code"].value_counts()
    own = [c for c in sorted(count.index) if c.startswith(FIRST) and count[c] >= least]
    return str(own[0])


def test_the_board_shows_the_grids_own_micro_grids(kept: Kept) -> None:
    grid = grid_of(kept)
    plan = kept.view(kept.scenario(None)).plan
    _, desk = opened(kept, grid)
    assert {g.code for g in desk.plan.grids.values()} == set(micro_of(plan, grid))
    held = dict(zip((desk.plan.grids[int(k)].code for k in desk.plan.keys),
                    desk.plan.measures.households.astype(int), strict=True))  # fmt: skip
    assert held == micro_of(plan, grid)


def test_what_is_redrawn_is_in_the_plan_and_stays_there(
    kept: Kept, store: Store, county: CountyPlan
) -> None:
    grid, scenario = grid_of(kept), kept.scenario(None)
    before = kept.view(scenario).plan
    _, desk = opened(kept, grid)
    ask(desk, do="merge", grids=[int(key) for key in desk.plan.keys[:2]])
    after = kept.view(scenario).plan
    sound(after)
    assert len(micro_of(after, grid)) == len(micro_of(before, grid)) - 1
    assert sum(micro_of(after, grid).values()) == sum(micro_of(before, grid).values())
    others = [c for c in before.grids["code"] if c != grid]
    for other in others:
        assert micro_of(after, other) == micro_of(before, other)
    assert after.grids.equals(before.grids)
    # another visit finds it again
    again = keep_view(store, PlanView("q", to_planfile(county), {}), "县", lambda: county.ground)
    assert micro_of(again.view(scenario).plan, grid) == micro_of(after, grid)
    _, desk = opened(again, grid)
    ask(desk, do="undo")
    assert micro_of(again.view(scenario).plan, grid) == micro_of(before, grid)


def test_every_household_has_the_micro_grid_its_building_is_in(kept: Kept) -> None:
    grid, scenario = grid_of(kept), kept.scenario(None)
    _, desk = opened(kept, grid)
    ask(desk, do="merge", grids=[int(key) for key in desk.plan.keys[:2]])
    plan = kept.view(scenario).plan
    homes = plan.households
    held = homes[homes["grid_code"] == grid].groupby("micro_code")["households"].sum()
    assert {k: int(v) for k, v in held.items()} == {
        code: n for code, n in micro_of(plan, grid).items() if n
    }


def test_micro_grids_follow_a_grid_that_is_redrawn(kept: Kept) -> None:
    scenario = kept.scenario(None)
    grid = grid_of(kept)
    _, fine = opened(kept, grid)
    ask(fine, do="merge", grids=[int(key) for key in fine.plan.keys[:2]])
    merged = micro_of(kept.view(scenario).plan, grid)
    desk = kept.desk(scenario, FIRST)
    key = next(k for k, own in desk.plan.grids.items() if own.code == grid)
    edges = desk.plan.units.edges
    ends = np.concatenate([[edges.a, edges.b], [edges.b, edges.a]], axis=1)  # either way round
    out = (desk.plan.label[ends[0]] != key) & (desk.plan.label[ends[1]] == key)
    unit = int(ends[0][np.flatnonzero(out)[0]])
    giver = desk.plan.grids[int(desk.plan.label[unit])].code
    ask(desk, do="transfer", units=[unit], to=key)
    plan = kept.view(scenario).plan
    sound(plan)
    told = {one.grid: one for one in kept.micro.changes(scenario)[FIRST]}
    assert grid in told
    assert set(told) <= {grid, giver}
    assert sum(micro_of(plan, grid).values()) == sum(merged.values()) + int(
        desk.plan.units.households[unit]
    )
    # the board opens on the ground as it is now, and undo brings all of it back
    found, fresh = opened(kept, grid)
    assert fresh.plan.units.households.sum() == sum(micro_of(plan, grid).values())
    assert found is opened(kept, grid)[0]
    ask(desk, do="undo")
    assert micro_of(kept.view(scenario).plan, grid) == merged
    sound(kept.view(scenario).plan)


def test_a_scenario_takes_its_micro_grids_along_and_then_has_its_own(kept: Kept) -> None:
    first, grid = kept.scenario(None), grid_of(kept)
    _, desk = opened(kept, grid)
    ask(desk, do="merge", grids=[int(key) for key in desk.plan.keys[:2]])
    other = kept.store.branch(first, "试")
    merged = micro_of(kept.view(first).plan, grid)
    assert micro_of(kept.view(other).plan, grid) == merged
    own = kept.micro.open(other, FIRST, grid)
    theirs = own.desk(own.scenario(None), grid)
    ask(theirs, do="split", grid=int(theirs.plan.keys[0]), k=2)
    assert len(micro_of(kept.view(other).plan, grid)) == len(merged) + 1
    assert micro_of(kept.view(first).plan, grid) == merged


def test_what_micro_grids_do_not_have_is_refused_in_words(kept: Kept) -> None:
    _, desk = opened(kept, grid_of(kept))
    for do in ("rename", "kind", "explain"):
        answer = desk.ask({"base": desk.token, "id": "1", "do": do, "grid": 0, "name": "x"})
        assert (answer.kind, answer.key) == ("warn", "microboard.told_without")


def test_a_townships_planner_redraws_the_micro_grids_of_its_villages(
    store: Store, county: CountyPlan
) -> None:
    asked = cast("Store", GuardedStore(store, "do.edit"))
    view = PlanView("p", to_planfile(county), {})
    for place in ("镇", FIRST[:9]):
        with acting_as(Person(7, "li", (Grant("planner", place),))):
            kept = keep_view(asked, view, "县", lambda: county.ground)
            _, desk = opened(kept, grid_of(kept))
            ask(desk, do="merge", grids=[int(key) for key in desk.plan.keys[:2]])
            ask(desk, do="undo")
    for grants in ((Grant("planner", "西镇"), Grant("viewer", "镇")), (Grant("viewer", "镇"),)):
        with acting_as(Person(8, "wang", grants)), pytest.raises(DeniedError):
            ask(desk, do="merge", grids=[int(key) for key in desk.plan.keys[:2]])


def test_a_plan_without_micro_grids_says_so(store: Store, county: CountyPlan) -> None:
    plain = propose_county(county.ground, Settings(target=150))
    view = PlanView("r", to_planfile(plain), {})
    kept = keep_view(store, view, "无", lambda: plain.ground)
    grid = str(view.grids["code"].iloc[0])
    with pytest.raises(KeyError):
        kept.micro.open(kept.scenario(None), FIRST, grid)
    assert kept.view(kept.scenario(None)) is kept.first
