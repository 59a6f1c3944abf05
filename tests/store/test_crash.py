"""What the store promises when things go wrong: killed, overtaken, no room, no right to write."""

from __future__ import annotations

import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import towns

from geo.problems import InputError
from planning import edits
from planning.county import CountyPlan, propose_county
from planning.history import Step
from planning.plan import Plan
from planning.settings import Settings
from store.projects import Conflict, Store

CODE = "320116001201"
REPOSITORY = Path(__file__).resolve().parents[2]
LONG = os.environ.get("GRIDWRIGHT_LONG") == "1"  # the whole runs that docs/store.md records
KILLS = 1000 if LONG else 25
ROUNDS = 13 if LONG else 3
TURNS = 400
EACH = 20


def moved(plan: Plan, unit: int, actor: str = "") -> Step:
    to = next(key for key in plan.keys.tolist() if key != plan.label[unit])
    after = edits.transfer(plan, np.array([unit]), to).plan
    return Step("transfer", plan, after, actor=actor)


def test_killed_at_any_moment_every_acknowledged_step_is_there(
    county: CountyPlan, place: str | Path, tmp_path: Path
) -> None:
    with Store(place) as store:
        scenario = store.create_project(county, "c").scenario
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kills.py")), str(place), str(scenario),
         CODE, str(KILLS), "4"],
        env={**os.environ, "PYTHONPATH": paths}, cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert f"{KILLS} kills" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("seed", range(7, 7 + ROUNDS))
def test_two_writers_in_turn_and_out_of_turn_lose_nothing(
    county: CountyPlan, place: str | Path, seed: int
) -> None:
    """Hundreds of random interleavings: who is behind is told, and what was told saved is there."""
    chance = random.Random(seed)
    with Store(place) as one, Store(place) as two:
        scenario = one.create_project(county, "c").scenario
        pages = {s: s.open_plan(scenario, CODE) for s in (one, two)}
        acknowledged: list[str] = []
        told: list[tuple[bool, int, str]] = []
        expected: list[tuple[bool, int, str]] = []
        for turn in range(TURNS):
            store = chance.choice([one, two])
            page = pages[store]
            if chance.random() < 0.3:
                pages[store] = store.open_plan(scenario, CODE)
                continue
            step = replace(moved(page.plan, chance.randrange(4), str(turn)), note=str(turn))
            behind = page.version != len(acknowledged)
            try:
                version = store.save_step(scenario, CODE, page.version, step)
            except Conflict as met:
                told.append((behind, met.version, met.who))
                expected.append((True, len(acknowledged), acknowledged[-1]))
                pages[store] = store.open_plan(scenario, CODE)
                continue
            assert not behind
            acknowledged.append(str(turn))
            history = page.history.do(replace(step, seq=version))
            pages[store] = replace(page, plan=step.after, history=history, version=version)
        assert [e.actor for e in one.log(scenario, CODE)] == acknowledged
        assert told == expected
        assert len(told) > 20
        assert one.verify() == []


@pytest.mark.parametrize("_", range(4 * ROUNDS if LONG else 1))
def test_writers_at_the_same_time_lose_nothing(
    county: CountyPlan, place: str | Path, _: int
) -> None:
    with Store(place) as store:
        scenario = store.create_project(county, "c").scenario
    saved: dict[str, int] = {}

    def work(name: str) -> None:
        count = 0
        with Store(place) as own:
            page = own.open_plan(scenario, CODE)
            while count < EACH:
                step = moved(page.plan, count % 4, f"{name}{count}")
                try:
                    version = own.save_step(scenario, CODE, page.version, step)
                except Conflict:
                    page = own.open_plan(scenario, CODE)
                    continue
                page = replace(page, plan=step.after, version=version)
                count += 1
        saved[name] = count

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert saved == {"a": EACH, "b": EACH}
    with Store(place) as store:
        log = [entry.actor for entry in store.log(scenario, CODE)]
        assert len(log) == store.version(scenario, CODE) == 2 * EACH
        for name in "ab":
            assert [who for who in log if who[0] == name] == [f"{name}{n}" for n in range(EACH)]
        assert store.verify() == []


def test_a_full_disk_is_one_sentence_and_the_old_plan_stays(
    county: CountyPlan, tmp_path: Path
) -> None:
    with Store(tmp_path / "p.db") as store:
        scenario = store.create_project(county, "c").scenario
        page = store.open_plan(scenario, CODE)
        room = (tmp_path / "p.db-wal").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room + 100, hard))
        try:
            with pytest.raises(InputError, match="has space") as told:
                store.save_step(scenario, CODE, 0, moved(page.plan, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
            with pytest.raises(InputError, match="has space"):
                store.backup(tmp_path / "backup.db")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert told.value.problems[0].text("zh")
        assert not (tmp_path / "backup.db").exists()
        assert store.version(scenario, CODE) == 0
        assert store.verify() == []
        assert store.save_step(scenario, CODE, 0, moved(page.plan, 0)) == 1


@pytest.mark.parametrize("folder", ["missing", "a file"])
def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(InputError, match="cannot be opened or written"):
        Store(tmp_path / folder / "p.db")


def test_a_folder_that_may_not_be_written_is_one_sentence() -> None:
    """As nobody, where the tests run as the superuser, who may write everywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder, me = Path(name), os.geteuid()
        folder.chmod(0o555)
        if me == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(InputError, match="cannot be opened or written"):
                Store(folder / "p.db")
        finally:
            os.seteuid(me)
            folder.chmod(0o700)
        assert list(folder.iterdir()) == []


def test_a_store_kept_busy_is_one_sentence(
    county: CountyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.WAIT_MS", 10)
    with Store(tmp_path / "p.db") as store:
        with closing(sqlite3.connect(tmp_path / "p.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            with pytest.raises(InputError, match="busy"):
                store.create_project(county, "c")
        assert store.create_project(county, "c").project == 1


CANARIES = ("CANARY-ID-7731", "张三丰测试", "13800138000", "320116199001010017")


def test_no_personal_value_reaches_the_file(tmp_path: Path) -> None:
    """Whatever a careless reader might have let through stays out of database and log."""
    ground = towns.county([towns.village("12|34\n--+--\n56|78", times=10, code=CODE)])
    number = range(len(ground.households))
    held = ground.households.assign(
        household_id=[f"{CANARIES[0]}-{i}" for i in number],
        owner_name=CANARIES[1], phone=CANARIES[2], id_card=CANARIES[3],
    )  # fmt: skip
    county = propose_county(replace(ground, households=held), Settings(target=60))
    path = tmp_path / "p.db"
    with Store(path) as store:
        made = store.create_project(county, "c")
        page = store.open_plan(made.scenario, CODE)
        store.save_step(made.scenario, CODE, 0, moved(page.plan, 0))
        store.export_project(made.project, tmp_path / "x.gridwright")
        written = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        # packed values are looked into as well
        for table in (county.ground.layers, store.record(made.scenario)):
            assert not any(word in repr(table) for word in CANARIES)
    assert {"p.db", "p.db-wal", "x.gridwright"} <= written.keys()
    for content in written.values():
        assert not any(word.encode() in content for word in CANARIES)
    assert path.stat().st_mode & 0o077 == 0
