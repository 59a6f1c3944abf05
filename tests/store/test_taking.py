"""A plan taken into the store village by village is the project that is made at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo.problems import InputError
from planning.county import CountyPlan
from planning.opened import county_of_plan, plan_digest
from planning.planfile import PlanFile
from planning.record import same_plan
from planning.settings import Settings
from planning.tables import to_planfile
from store import creation, projects, taking
from store.projects import Store
from store.taking import take_in


class KilledError(Exception):
    """What a run is ended with here."""


def interrupted(place: str | Path, county: CountyPlan, plan: PlanFile, name: str = "A") -> None:
    """A run that ends when its first village is in."""

    def killed(done: int, total: int, village: str) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        take_in(place, county.ground, plan, county.settings, name, progress=killed)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every village in a transaction of its own."""
    monkeypatch.setattr(taking, "TOGETHER", 0.0)


@pytest.mark.usefixtures("one_by_one")
def test_it_is_the_project_that_is_made_at_once(place: str | Path, county: CountyPlan) -> None:
    """Villages, plans, units, settings and names; its mark finds it, and the trail knows it."""
    plan = to_planfile(county)
    told: list[tuple[int, int]] = []
    taken = take_in(
        place, county.ground, plan, county.settings, " A ", actor="lu",
        progress=lambda done, total, _: told.append((done, total)),
    )  # fmt: skip
    assert told == [(1, 2), (2, 2)]
    assert (taken.before, taken.not_kept) == (0, ())
    at_once = county_of_plan(county.ground, plan, county.settings).county
    with Store(place) as store:
        assert store.marked(plan_digest(plan)) == taken.made.project
        other = store.create_project(at_once, "A", provenance=plan.provenance)
        assert [one.name for one in store.projects()] == ["A", "A"]
        assert store.projects()[1].created_by == "lu"
        assert store.settings(taken.made.project) == county.settings
        assert store.villages(taken.made.project) == store.villages(other.project)
        mine, its = store.ground(taken.made.project), store.ground(other.project)
        assert mine.villages.geom_equals_exact(its.villages, 0).all()
        assert mine.lines.name.tolist() == its.lines.name.tolist()
        for village in mine.villages["code"]:
            a = store.open_plan(taken.made.scenario, village)
            b = store.open_plan(other.scenario, village)
            assert same_plan(a.plan, b.plan)
            assert a.version == 0
            assert np.array_equal(a.plan.units.segments.line, b.plan.units.segments.line)
        assert store.verify() == []
        assert [note.actor for note in store.trail(action="project.create")] == ["lu", ""]


@pytest.mark.usefixtures("one_by_one")
def test_a_killed_run_is_seen_by_nobody_and_goes_on(
    place: str | Path, county: CountyPlan
) -> None:
    """What it had taken in is not done again; until the last village no page finds the project."""
    plan = to_planfile(county)
    interrupted(place, county, plan)
    with Store(place) as store:
        assert store.projects() == []
        assert store.marked(plan_digest(plan)) is None
        assert store.verify() == []
    told: list[int] = []
    taken = take_in(
        place, county.ground, plan, county.settings, "A",
        progress=lambda done, total, _: told.append(done),
    )  # fmt: skip
    assert (taken.before, told) == (1, [2])
    with Store(place) as store:
        assert [one.villages for one in store.projects()] == [2]
        codes = [one.code for one in store.villages(taken.made.project)]
        assert codes == county.ground.villages["code"].tolist()


@pytest.mark.usefixtures("one_by_one")
def test_what_was_begun_of_other_data_is_taken_away(
    place: str | Path, county: CountyPlan
) -> None:
    """Other settings make other units: such villages are not mixed with these."""
    plan = to_planfile(county)
    interrupted(place, county, plan)
    taken = take_in(place, county.ground, plan, Settings(target=61), "A")
    assert taken.before == 0
    with Store(place) as store:
        assert [one.id for one in store.projects()] == [taken.made.project]
        store.delete_project(taken.made.project)
        with store.reading() as c:
            for table in ("project", "village", "plan", "unit"):
                assert c.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0


def test_a_plan_of_another_place_is_refused(place: str | Path, county: CountyPlan) -> None:
    """Nothing of it is kept."""
    plan = to_planfile(county)
    there = PlanFile(**{**vars(plan), "grids": plan.grids.set_geometry(
        plan.grids.translate(90_000))})  # fmt: skip
    with pytest.raises(InputError, match="touch none"):
        take_in(place, county.ground, there, county.settings, "A")
    with Store(place) as store:
        assert store.projects() == []


def test_a_proposal_of_many_villages_lets_others_save_meanwhile(
    store: Store, county: CountyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes in several transactions, is the same project, and leaves nothing where it fails."""
    whole = store.create_project(county, "A", mark="a")
    monkeypatch.setattr(projects, "AT_ONCE", 1)
    monkeypatch.setattr(projects, "TOGETHER", 1)
    seen: list[list[str]] = []
    kept = creation.insert_villages

    def watched(*given: object) -> None:
        seen.append([one.name for one in store.projects()])  # nobody is kept waiting, none sees it
        kept(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(creation, "insert_villages", watched)
    parts = store.create_project(county, "B", mark="b")
    assert seen == [["A"], ["A"]]
    assert [one.name for one in store.projects()] == ["B", "A"]
    assert store.marked("b") == parts.project
    for village in county.ground.villages["code"]:
        a, b = (store.open_plan(made.scenario, village).plan for made in (whole, parts))
        assert same_plan(a, b)
    assert store.verify() == []

    def fails(*given: object) -> None:
        raise KilledError

    monkeypatch.setattr(creation, "insert_villages", fails)
    with pytest.raises(KilledError):
        store.create_project(county, "C", mark="c")
    with store.reading() as c:
        assert c.exec_driver_sql("SELECT count(*) FROM project").scalar_one() == 2
