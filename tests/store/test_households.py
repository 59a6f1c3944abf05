"""Households taken out of a plan: nothing of them stays, everything else does."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import towns
from pandas.testing import assert_frame_equal

from cli.main import main
from geo.problems import InputError
from planning.check import check_plan
from planning.county import CountyPlan
from planning.opened import plan_digest
from planning.planfile import PlanFile, read_plan, write_plan
from planning.sealed import new_key
from planning.tables import to_planfile
from store.households import forget_households
from store.projects import Store


@pytest.fixture
def plan(county: CountyPlan, tmp_path: Path) -> Path:
    made = to_planfile(county)
    ids = [f"CANARY-{n}" for n in range(len(made.households))]
    path = tmp_path / "county" / "plan.gpkg"
    path.parent.mkdir()
    held = {field.name: getattr(made, field.name) for field in fields(PlanFile)}
    write_plan(PlanFile(**{**held, "households": made.households.assign(household_id=ids)}), path)
    return path


def test_plan_and_counts_stay_and_no_household_does(
    plan: Path, store: Store, county: CountyPlan
) -> None:
    before = read_plan(plan)
    assert b"CANARY" in plan.read_bytes()
    made = store.create_project(
        county, "c", provenance=before.provenance, mark=plan_digest(before)
    )
    gone = forget_households(plan, store=store, actor="os:root")
    assert gone.rows == {"households": len(before.households), "unplaced": 0}
    assert b"CANARY" not in plan.read_bytes()
    after = read_plan(plan)
    for name in ("grids", "villages", "exceptions"):
        assert_frame_equal(getattr(before, name), getattr(after, name))
    assert int(after.grids["households"].sum()) == int(before.grids["households"].sum()) > 0
    assert (len(after.households), len(after.unplaced)) == (0, 0)
    assert after.value("households.removed") is not None
    assert check_plan(after) == check_plan(before)
    # the store's project is still this plan's
    assert store.marked(plan_digest(after)) == made.project
    (note,) = store.trail(action="households.forget")
    assert (note.actor, note.object) == ("os:root", "plan.gpkg")
    assert note.detail["rows"] == gone.rows
    assert store.verify() == []
    assert forget_households(plan).rows == {"households": 0, "unplaced": 0}


def test_households_under_a_key_go_without_it(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWRIGHT_KEY", new_key())
    write_plan(read_plan(plan), plan)
    monkeypatch.delenv("GRIDWRIGHT_KEY")
    with pytest.raises(InputError, match="under a key"):
        read_plan(plan)
    forget_households(plan)
    assert len(read_plan(plan).households) == 0


def test_the_files_it_was_made_from_go_where_that_is_asked(plan: Path) -> None:
    folder = plan.parent
    for name in ("households.csv", "户点.shp", "户点.dbf", "villages.gpkg", "roads.gpkg", "a.txt",
                 "households.md"):  # fmt: skip
        (folder / name).write_text("x")
    assert main(["store", "forget", str(plan)]) == 0
    assert len(list(folder.iterdir())) == 8
    assert main(["store", "forget", str(plan), "--inputs"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.txt", "households.md", "plan.gpkg", "roads.gpkg", "villages.gpkg",
    ]  # fmt: skip


def test_what_is_no_plan_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    with pytest.raises(InputError, match="no plan"):
        forget_households(path)
    path.write_text("not a plan")
    with pytest.raises(InputError, match="no plan"):
        forget_households(path)
    assert path.read_text() == "not a plan"
    assert list(tmp_path.iterdir()) == [path]


def test_a_plan_is_closed_and_opened_by_the_command(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    assert main(["store", "seal", str(plan)]) == 2  # no key, nothing done
    assert main(["store", "key", "-o", str(key)]) == 0
    assert key.stat().st_mode & 0o077 == 0
    assert main(["store", "key", "-o", str(key)]) == 2
    assert "no file has" in capsys.readouterr().err
    before = read_plan(plan)
    monkeypatch.setenv("GRIDWRIGHT_KEY_FILE", str(key))
    assert main(["store", "seal", str(plan)]) == 0
    assert b"CANARY" not in plan.read_bytes()
    assert len(read_plan(plan).households) == len(before.households)
    assert main(["store", "seal", str(plan), "--open"]) == 0
    assert b"CANARY" in plan.read_bytes()
    monkeypatch.delenv("GRIDWRIGHT_KEY_FILE")
    assert_frame_equal(read_plan(plan).households, before.households)


def test_a_proposal_is_written_under_the_key(
    county: CountyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line from end to end: what propose leaves on the disk."""
    monkeypatch.setenv("GRIDWRIGHT_KEY", new_key())
    files = towns.write_files(county.ground, tmp_path)
    output = tmp_path / "out" / "plan.gpkg"
    output.parent.mkdir()
    arguments = ["propose", "--villages", str(files["villages"]), "--households",
                 str(files["households"]), "-o", str(output), "--target", "60"]  # fmt: skip
    assert main(arguments) == 0
    assert [path.name for path in output.parent.iterdir()] == ["plan.gpkg"]
    assert main(["check", str(output)]) in (0, 1)
    assert len(read_plan(output).households) == len(county.ground.households)
    monkeypatch.delenv("GRIDWRIGHT_KEY")
    assert main(["check", str(output)]) == 2
