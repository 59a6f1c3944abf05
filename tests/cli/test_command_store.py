"""gridwright store: backups while somebody works, restoring across databases, verify, the trail."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import towns

from planning import edits
from planning.county import CountyPlan, propose_county
from planning.history import Step
from planning.record import same_plan
from planning.settings import Settings
from store.projects import Conflict, Created, Store
from store.schema_accounts import ACCOUNT, GRANT, SIGN_IN

Run = Callable[..., tuple[int, str, str]]
CODE = "320116001201"
OLD = Path(__file__).resolve().parents[1] / "store" / "format-1.gridwright"


@pytest.fixture(scope="session")
def county() -> CountyPlan:
    village = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code=CODE)
    return propose_county(towns.county([village], road_names=["人民路", "河"]), Settings(target=60))


def one_step(store: Store, scenario: int, unit: int, actor: str = "") -> int:
    opened = store.open_plan(scenario, CODE)
    to = next(k for k in opened.plan.keys.tolist() if k != opened.plan.label[unit])
    after = edits.transfer(opened.plan, np.array([unit]), to).plan
    step = Step("transfer", opened.plan, after, note="为什么", actor=actor)
    return store.save_step(scenario, CODE, opened.version, step)


def with_people(store: Store, county: CountyPlan) -> Created:
    """A project with steps, and an account that is signed in."""
    made = store.create_project(county, "示范县", actor="甲")
    for unit in (0, 1, 2):
        one_step(store, made.scenario, unit, "甲")
    store.undo(made.scenario, CODE, 3)
    store.branch(made.scenario, "乙方案")
    with store.writing() as c:
        account = {"name": "planner", "password": "$argon2id$", "created_at": "", "created_by": ""}
        number = c.execute(ACCOUNT.insert(), account).inserted_primary_key
        assert number is not None
        c.execute(GRANT.insert(), {"account_id": number[0], "role": "planner"})
        row = {"token_hash": "SIGNED-IN-TOKEN", "account_id": number[0], "created_at": "",
               "expires_at": "", "seen_at": ""}  # fmt: skip
        c.execute(SIGN_IN.insert(), row)
    return made


def test_a_backup_is_restored_in_either_database(
    run: Run, new_place: Callable[[], str | Path], county: CountyPlan, tmp_path: Path
) -> None:
    first, second, backup = new_place(), new_place(), tmp_path / "b.gridwright"
    with Store(first) as store:
        made = with_people(store, county)
        code, out, err = run("store", "backup", "--store", first, "-o", backup)
        assert (code, err) == (0, "")
        assert out.startswith("format 2, 1 projects, 2 scenarios, 8 steps: well\n")
        assert b"SIGNED-IN-TOKEN" not in backup.read_bytes()
        for place in (second, tmp_path / "as-file.gridwright"):
            code, out, err = run("store", "restore", "--store", place, backup)
            assert (code, err) == (0, "")
            with Store(place) as restored:
                assert restored.projects() == store.projects()
                assert restored.scenarios(made.project) == store.scenarios(made.project)
                ours, theirs = (s.open_plan(made.scenario, CODE) for s in (store, restored))
                assert same_plan(ours.plan, theirs.plan)
                assert ours.version == theirs.version == 4
                assert store.log(made.scenario, CODE) == restored.log(made.scenario, CODE)
                # the trail goes on where the backup's ended
                actions = [note.action for note in restored.trail()]
                assert actions[-1] == "store.restore"
                with restored.reading() as c:
                    assert len(c.execute(ACCOUNT.select()).all()) == 1
                    assert len(c.execute(GRANT.select()).all()) == 1
                    assert c.execute(SIGN_IN.select()).all() == []
                # and numbers after the highest
                again = restored.create_project(county, "next")
                assert again.project > made.project
                assert one_step(restored, made.scenario, 3) == 5
                assert restored.verify() == []


def test_a_backup_while_somebody_works_is_one_state(
    run: Run, place: str | Path, county: CountyPlan, tmp_path: Path
) -> None:
    with Store(place) as store:
        scenario = store.create_project(county, "c").scenario
        stop, saved = threading.Event(), []

        def work() -> None:
            with Store(place) as own:
                while not stop.is_set():
                    saved.append(one_step(own, scenario, len(saved) % 4))

        worker = threading.Thread(target=work)
        worker.start()
        try:
            for number in range(4):
                while len(saved) < 3 * number:
                    stop.wait(0.01)
                before = len(saved)
                backup = tmp_path / f"{number}.gridwright"
                code, out, err = run("store", "backup", "--store", place, "-o", backup)
                assert (code, err) == (0, "")
                assert "well" in out
                with Store(backup) as copy:
                    assert before <= copy.version(scenario, CODE) <= len(saved) + 1
        finally:
            stop.set()
            worker.join()
        assert store.version(scenario, CODE) == len(saved)
        assert store.verify() == []


def test_nothing_is_replaced_unasked_and_what_was_there_is_saved(
    run: Run, place: str | Path, county: CountyPlan, tmp_path: Path
) -> None:
    backup = tmp_path / "b.gridwright"
    with Store(place) as store:
        made = store.create_project(county, "first")
        store.backup(backup)
        page = store.open_plan(made.scenario, CODE)
        one_step(store, made.scenario, 0)
        store.create_project(county, "second")
        head = store.trail_head()
        code, _, err = run("store", "restore", "--store", place, backup)
        assert code == 2
        assert "--force" in err
        assert [p.name for p in store.projects()] == ["second", "first"]
        code, out, err = run("store", "restore", "--store", place, backup, "--force")
        assert (code, err) == (0, "")
        # whoever had it open works on with what is there now, or is told
        assert [p.name for p in store.projects()] == ["first"]
        assert store.version(made.scenario, CODE) == 0
        with pytest.raises(Conflict):
            store.undo(made.scenario, CODE, 1)
        assert one_step(store, made.scenario, 1) == 1
        assert page.version == 0
        (told,) = store.trail(action="store.restore")
        assert told.detail["before"] == head
    saved = Path(out.splitlines()[0].removeprefix("what was there is now "))
    assert saved == tmp_path / "b.gridwright.before-1"
    with Store(saved) as before:
        assert [p.name for p in before.projects()] == ["second", "first"]
        assert before.version(made.scenario, CODE) == 1


def test_a_damaged_file_is_moved_aside_for_a_sound_backup(
    run: Run, county: CountyPlan, tmp_path: Path
) -> None:
    place, backup = tmp_path / "p.gridwright", tmp_path / "b.gridwright"
    with Store(place) as store:
        store.create_project(county, "c")
        store.backup(backup)
    place.write_bytes(place.read_bytes()[:8192] + b"\xff" * 40_000)
    code, _, err = run("store", "verify", "--store", place)
    assert code == 1 or "damaged" in err
    code, _, err = run("store", "restore", "--store", place, backup)
    assert code == 2
    spoilt = tmp_path / "spoilt.gridwright"
    spoilt.write_bytes(place.read_bytes())
    code, _, err = run("store", "restore", "--store", place, spoilt, "--force")
    assert code == 2
    assert place.read_bytes() == spoilt.read_bytes()  # no sound backup: nothing moves
    code, out, _ = run("store", "restore", "--store", place, backup, "--force")
    assert code == 0
    assert "damaged-1" in out
    assert (tmp_path / "p.gridwright.damaged-1").read_bytes() == spoilt.read_bytes()


def test_verify_names_what_is_wrong(run: Run, county: CountyPlan, tmp_path: Path) -> None:
    place = tmp_path / "p.gridwright"
    with Store(place) as store:
        made = store.create_project(county, "c")
        one_step(store, made.scenario, 0)
    code, out, err = run("store", "verify", "--store", place)
    assert (code, err) == (0, "")
    head = out.splitlines()[1].removeprefix("audit trail ends with ")
    assert run("store", "verify", "--store", place, "--head", head)[0] == 0
    assert run("store", "verify", "--store", place, "--head", f"3:{'0' * 64}")[0] == 1
    before = place.read_bytes()
    assert run("store", "verify", "--store", place)[0] == 0
    assert place.read_bytes() == before
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("delete from log")
        connection.commit()
    code, out, err = run("store", "verify", "--store", place)
    assert code == 1
    assert "NOT well" in out
    assert CODE in err


def test_migrate_tells_what_it_did(run: Run, place: str | Path, tmp_path: Path) -> None:
    with Store(place):
        pass
    assert run("store", "migrate", "--store", place)[:2] == (0, "format 2 already\n")
    old = tmp_path / "old.gridwright"
    shutil.copyfile(OLD, old)
    assert run("store", "verify", "--store", old)[1].startswith("format 1, 1 projects")
    assert run("store", "migrate", "--store", old)[:2] == (0, "format 1 before, 2 now\n")
    assert (tmp_path / "old.gridwright.format-1").exists()
    with Store(old) as store:
        (_,) = store.trail(action="store.migrate")


def test_a_backup_of_format_1_is_restored(run: Run, place: str | Path) -> None:
    code, out, err = run("store", "restore", "--store", place, OLD)
    assert (code, err) == (0, "")
    assert out.startswith("format 2, 1 projects, 2 scenarios")


@pytest.mark.parametrize(
    "arguments",
    [("verify",), ("migrate",), ("backup", "-o", "b"), ("audit", "-o", "a.csv"),
     ("expire", "--days", "3")],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_where_there_is_no_store_none_is_made(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run("store", *arguments, "--store", tmp_path / "none.gridwright")
    assert code == 2
    assert "is no store" in err
    assert list(tmp_path.iterdir()) == []


def test_the_trail_is_written_and_shortened(run: Run, place: str | Path, tmp_path: Path) -> None:
    with Store(place) as store:
        store.note("甲", "viewer", "sign-in.done", "account/1", {"by": "password"})
        path = tmp_path / "trail.jsonl"
        assert run("store", "audit", "--store", place, "-o", path)[:2] == (0, "2 entries\n")
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert [line["actor"] for line in lines] == ["", "甲"]
        assert run("store", "audit", "--store", place, "-o", tmp_path / "t.csv")[0] == 0
        with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
            assert [row["action"] for row in csv.DictReader(file)] == [
                "store.create", "sign-in.done", "audit.export",
            ]  # fmt: skip
        code, out, _ = run("store", "expire", "--store", place, "--days", "1")
        assert (code, out) == (0, "0 entries deleted\n")
        assert run("store", "audit", "--store", place, "-o", tmp_path / "t.doc")[0] == 2
        assert run("store", "expire", "--store", place, "--days", "0")[0] == 2


def test_the_store_is_found_by_the_environment(
    run: Run, place: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWRIGHT_STORE", str(place))
    with Store(place):
        pass
    assert run("store", "verify")[0] == 0
