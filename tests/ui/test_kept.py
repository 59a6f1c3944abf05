"""What is redrawn reaches the plan's tables: the store, the plan's page, the files handed out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import towns
from pandas.testing import assert_frame_equal

from geo.ground import Ground
from planning.check import check_plan
from planning.county import CountyPlan, propose_county
from planning.planfile import LatePlan, read_plan, write_plan
from planning.settings import Settings
from planning.tables import to_planfile
from store.policy import Grant, Person
from store.projects import Store
from ui.downloads import FORMS, content
from ui.draft import Draft, to_settings
from ui.kept import Kept, find_kept, keep_view, open_kept
from ui.scoped import view_for
from ui.study import study_key
from ui.views import PlanView

FIRST, SECOND = "320116001201", "320116001202"


@pytest.fixture(scope="module")
def county() -> CountyPlan:
    x, y = towns.ORIGIN
    one = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code=FIRST)
    two = towns.village("1.2.3   1\n.4.5.    ", times=20, persons=3, code=SECOND, at=(x + 3000, y))
    ground = towns.county([one, two], road_names=["人民路", "通扬河"])
    return propose_county(ground, Settings(target=60))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "plans.gridwright") as opened:
        yield opened


def view_of(county: CountyPlan) -> PlanView:
    return PlanView("p", to_planfile(county), {})


def keep(store: Store, county: CountyPlan) -> Kept:
    return keep_view(store, view_of(county), "县", lambda: county.ground)


def merge(kept: Kept, scenario: int, village: str) -> None:
    desk = kept.desk(scenario, village)
    keys = [int(key) for key in desk.plan.keys[:2]]
    answer = desk.ask({"base": desk.token, "id": "1", "do": "merge", "grids": keys})
    assert answer.kind == "ok"


def test_an_edit_is_in_the_view_and_in_every_download(store: Store, county: CountyPlan) -> None:
    kept = keep(store, county)
    scenario = kept.scenario(None)
    before = kept.view(scenario)
    assert before is kept.first
    merge(kept, scenario, FIRST)
    now = kept.view(scenario)
    assert len(now.grids) == len(before.grids) - 1
    assert now.grids["households"].sum() == before.grids["households"].sum()
    other = before.grids["village_code"] == SECOND
    assert_frame_equal(
        now.grids.loc[now.grids["village_code"] == SECOND, before.grids.columns].reset_index(
            drop=True
        ),
        before.grids[other].reset_index(drop=True),
    )
    households = now.plan.households.groupby("grid_code")["households"].sum()
    assert dict(households) == dict(zip(now.grids["code"], now.grids["households"], strict=True))
    assert not [f for f in check_plan(now.plan) if not f.reason]
    form = next(form for form in FORMS if form.key == "gpkg")
    written = content(form, now.plan, "zh")
    path = store.path.parent / "out.gpkg"
    path.write_bytes(written)
    assert set(read_plan(path).grids["code"]) == set(now.grids["code"])


def test_a_view_is_filed_again_only_where_something_changed(
    store: Store, county: CountyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(store, county)
    scenario = kept.scenario(None)
    asked: list[list[str]] = []
    refiled = store.refiled

    def watched(number: int, filed: object, villages: list[str], *more: object) -> object:
        asked.append(list(villages))
        return refiled(number, filed, villages, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "refiled", watched)
    merge(kept, scenario, FIRST)
    one = kept.view(scenario)
    assert kept.view(scenario) is one
    merge(kept, scenario, SECOND)
    kept.view(scenario)
    assert asked == [[FIRST], [SECOND]]


def test_undoing_everything_gives_the_plan_as_it_was(store: Store, county: CountyPlan) -> None:
    kept = keep(store, county)
    scenario = kept.scenario(None)
    merge(kept, scenario, FIRST)
    kept.view(scenario)
    desk = kept.desk(scenario, FIRST)
    assert desk.ask({"base": desk.token, "id": "2", "do": "undo"}).kind == "ok"
    first, now = kept.first, kept.view(scenario)
    assert first is not None
    same = ["code", "name", "households", "parts", "bounds_text", "exceptions"]
    assert_frame_equal(now.grids[same], first.grids[same])
    assert np.allclose(now.grids.area, first.grids.area)
    assert_frame_equal(now.plan.households, first.plan.households)


def test_the_same_plan_finds_its_project_after_a_restart(store: Store, county: CountyPlan) -> None:
    assert find_kept(store, view_of(county)) is None
    kept = keep(store, county)
    merge(kept, kept.scenario(None), FIRST)

    def no_ground() -> Ground:
        raise AssertionError("what is in the store needs no reading")

    again = keep_view(store, view_of(county), "县", no_ground)
    assert again.project == kept.project
    assert len(again.view(again.scenario(None)).grids) == len(to_planfile(county).grids) - 1
    assert len(store.projects()) == 1


def test_scenarios_stand_beside_each_other(store: Store, county: CountyPlan) -> None:
    kept = keep(store, county)
    first = kept.scenario(None)
    merge(kept, first, FIRST)
    other = store.branch(first, "另案")
    merge(kept, other, SECOND)
    sizes = [len(kept.view(number).grids) for number in (first, other)]
    assert sizes[1] == sizes[0] - 1
    store.adopt(other)
    assert kept.scenario(None) == other
    store.delete(other)
    assert kept.scenario(other) == first


def test_redrawing_makes_nobody_read_the_events_again(store: Store, county: CountyPlan) -> None:
    kept = keep(store, county)
    scenario = kept.scenario(None)
    before = kept.view(scenario)
    before.kept = kept
    merge(kept, scenario, FIRST)
    now = kept.view(scenario)
    assert now is not before
    leader = Person(1, "l", (Grant("viewer"),))
    town = Person(2, "t", (Grant("viewer", str(now.plan.villages["township_name"].iloc[0])),))
    assert study_key(None, now) == study_key(None, before)
    assert study_key(None, view_for(now, town)) == study_key(None, view_for(before, town))
    assert study_key(None, view_for(now, town)) != study_key(None, now)
    assert study_key(None, view_for(now, leader)) == study_key(None, now)  # one publication
    branch = store.branch(scenario, "另一个")
    assert study_key(None, kept.view(branch)) != study_key(None, now)


def test_a_project_opens_from_the_store_alone(store: Store, county: CountyPlan) -> None:
    kept = keep(store, county)
    merge(kept, kept.scenario(None), FIRST)
    wanted = kept.view(kept.scenario(None)).grids
    opened, view = open_kept(store, kept.project)
    assert set(view.grids["code"]) == set(wanted["code"])
    assert not len(view.plan.households)  # the store holds none
    merge(opened, opened.scenario(None), SECOND)
    assert len(opened.view(opened.scenario(None)).grids) == len(wanted) - 1
    with pytest.raises(KeyError):
        opened.desk(opened.scenario(None), "999999999999")


def test_a_step_that_came_too_late_lives_on_in_a_branch(store: Store, county: CountyPlan) -> None:
    kept = keep(store, county)
    first = kept.scenario(None)
    desk = kept.desk(first, FIRST)
    stale = desk.token
    keys = [int(key) for key in desk.plan.keys]
    late = {"id": "9", "do": "merge", "grids": keys[1:3]}
    merge(kept, first, FIRST)  # somebody was faster
    assert desk.ask({**late, "base": stale}).key == "redraw.told_conflict"
    number, answer = kept.branch_with(desk, stale, late, "我的改动", "甲")
    assert answer.kind == "ok"
    own = kept.desk(number, FIRST)
    assert len(own.plan.grids) == len(keys) - 1
    assert set(keys[1:3]) - set(own.plan.grids)  # my merge, and not the other one
    assert keys[0] in own.plan.grids
    assert len(desk.plan.grids) == len(keys) - 1  # the faster one's plan is as it was
    assert [record["actor"] for record in store.record(number)] == ["甲"]
    for nonsense in ("", None, "1.1:99", f"{kept.project}.{first}:999", stale + "x"):
        with pytest.raises(ValueError, match="never had"):
            kept.branch_with(desk, nonsense, late, "x")


def test_micro_grids_are_on_the_map_of_their_village(store: Store, county: CountyPlan) -> None:
    own = propose_county(county.ground, to_settings(Draft(target=60, micro=30)))
    view = PlanView("m", to_planfile(own), {})
    micro = view.plan.micro_grids
    assert micro is not None
    layer = next(la for la in view.scene("zh", village=FIRST).layers if la.id == "micro")
    inside = micro["grid_code"].astype(str).str.startswith(FIRST)
    assert set(layer.features) == set(micro.loc[inside, "code"].astype(str))
    assert not [la for la in view.scene("zh").layers if la.id == "micro"]
    # an edit of a village files its micro-grids again: each lies in one grid as it is now
    kept = keep_view(store, view, "县", lambda: county.ground)
    merge(kept, kept.scenario(None), FIRST)
    now = kept.view(kept.scenario(None)).plan
    assert now.micro_grids is not None
    assert set(now.micro_grids["grid_code"]) <= set(now.grids["code"])
    assert now.micro_grids["households"].sum() == micro["households"].sum()


def late_view(county: CountyPlan, path: Path) -> PlanView:
    """The plan as a large one is opened: its households stay in the file."""
    write_plan(to_planfile(county), path)
    return PlanView("late", read_plan(path, late=True), {})


def test_a_large_plan_is_filed_again_without_its_other_households(
    store: Store, county: CountyPlan, tmp_path: Path
) -> None:
    """Edit after edit the tables are those of a plan that is held whole; nothing more is read."""
    with Store(tmp_path / "late.gridwright") as second:
        view = late_view(county, tmp_path / "plan.gpkg")
        read = PlanView("whole", read_plan(tmp_path / "plan.gpkg"), {})
        whole = keep_view(store, read, "县", lambda: county.ground)
        late = keep_view(second, view, "县", lambda: county.ground)
        for village in (FIRST, SECOND, FIRST):
            views = []
            for kept in (whole, late):
                scenario = kept.scenario(None)
                merge(kept, scenario, village)
                views.append(kept.view(scenario).plan)
            same, tables = views
            assert isinstance(tables, LatePlan)
            assert "households" not in vars(tables)
            for layer in ("grids", "villages", "exceptions"):
                assert_frame_equal(
                    getattr(tables, layer), getattr(same, layer), check_dtype=False
                )
        found = tables.households_of([SECOND])
        assert len(found) == (same.households["grid_code"].isin(
            same.grids.loc[same.grids["village_code"] == SECOND, "code"])).sum()  # fmt: skip
        assert_frame_equal(
            tables.households[["household_id", "grid_code"]],
            same.households[["household_id", "grid_code"]], check_dtype=False,
        )  # fmt: skip
        assert "households" not in vars(view.plan)  # the plan as it was opened is another one


def test_who_lives_where_is_read_from_the_plan_to_cut_a_unit(
    store: Store, county: CountyPlan, tmp_path: Path
) -> None:
    """A city's ground is not read again for it, and every household is where the ground has it."""
    view = late_view(county, tmp_path / "plan.gpkg")

    def nobody_reads_it() -> Ground:
        raise AssertionError("the whole ground was read")

    kept = keep_view(store, view, "县", lambda: county.ground)
    kept.homes = nobody_reads_it
    for row, code in enumerate((FIRST, SECOND)):
        homes = kept.desk(kept.scenario(None), code).homes
        assert homes is not None
        own, its = homes().village(0), county.ground.village(row)
        for name in ("xy", "households", "persons"):
            assert np.array_equal(getattr(own, name), getattr(its, name))
