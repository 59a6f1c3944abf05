"""Backup, export, import and verify: one file carries all of it, and no stranger's file gets in."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from geo.problems import InputError
from planning import edits
from planning.county import CountyPlan
from planning.history import Step
from planning.record import same_plan
from store.projects import Created, Store
from store.sqlite import open_file
from store.values import DamagedError, check_polygonal

CODES = ("320116001201", "320116001202")


def with_steps(store: Store, county: CountyPlan) -> Created:
    """A project of two scenarios with steps, undone ones among them."""
    made = store.create_project(county, "示范县", actor="甲")
    for unit in (0, 1, 2):
        opened = store.open_plan(made.scenario, CODES[0])
        to = next(k for k in opened.plan.keys.tolist() if k != opened.plan.label[unit])
        plan = edits.transfer(opened.plan, np.array([unit]), to).plan
        step = Step("transfer", opened.plan, plan, note="为什么", actor="甲")
        store.save_step(made.scenario, CODES[0], opened.version, step)
    store.undo(made.scenario, CODES[0], 3)
    store.adopt(store.branch(made.scenario, "乙方案"))
    return made


@pytest.fixture
def exported(store: Store, county: CountyPlan, tmp_path: Path) -> Path:
    store.create_project(county, "another")
    path = tmp_path / "one.gridwright"
    store.export_project(with_steps(store, county).project, path)
    return path


def test_a_project_arrives_as_it_left(store: Store, exported: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "other.db") as other:
        other.import_project(exported)
        number = other.import_project(exported)  # twice is two projects
        assert [p.name for p in other.projects()] == ["示范县", "示范县"]
        theirs, ours = other.scenarios(number), store.scenarios(store.projects()[0].id)
        assert [s.name for s in theirs] == [s.name for s in ours]
        assert [s.adopted for s in theirs] == [False, True]
        assert theirs[1].parent == theirs[0].id
        for a, b in zip(theirs, ours, strict=True):
            for code in CODES:
                one, two = other.open_plan(a.id, code), store.open_plan(b.id, code)
                assert same_plan(one.plan, two.plan)
                assert len(one.history.future) == len(two.history.future)
            logs = other.log(a.id, CODES[0]), store.log(b.id, CODES[0])
            assert logs[0] == logs[1]
        assert other.verify() == []


def test_a_backup_is_the_whole_store(store: Store, county: CountyPlan, tmp_path: Path) -> None:
    with_steps(store, county)
    path = tmp_path / "backup.db"
    path.write_text("an older backup")
    store.backup(path)
    with Store(path) as again:
        assert again.projects() == store.projects()
        assert again.verify() == []
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_sound_store_has_nothing_wrong(store: Store, county: CountyPlan) -> None:
    with_steps(store, county)
    assert store.verify() == []


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


PACKED = zlib.compress(b"[]").hex()
SPOILT: dict[str, str] = {
    "a step is gone": "delete from log where seq = 2",
    "a label is another": "update plan set state = start where position > 0",
    "the position is nowhere": "update plan set position = 99 where version > 0",
    "a unit is gone": "delete from unit where number = 0",
    "a shape is none": "update unit set geometry = x'0107000000' where number = 0",
    "a shape is moved": "update unit set x = x + 1 where number = 0",
    "a text for a number": "update unit set households = 'many' where number = 0",
    "a record is no record": f"update log set record = x'{PACKED}' where seq = 1",
    "a value is not packed": "update log set record = x'00' where seq = 1",
    "a step follows itself": "update log set parent = seq where seq = 1",
    "rows without a project": "pragma foreign_keys = off; ",
    "settings are none": f"update project set settings = x'{PACKED}'",
    "a trigger": "create trigger t after insert on log begin delete from log; end",
    "a view": "create view v as select 1",
    "one more table": "create table t(a)",
    "no tables": "drop table log",
}


@pytest.mark.parametrize("statement", SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_file_is_refused_and_nothing_of_it_stays(
    exported: Path, tmp_path: Path, statement: str
) -> None:
    if statement.startswith("pragma"):
        statement = "update village set project_id = 99"
    change(exported, statement)
    with Store(tmp_path / "other.db") as other:
        with pytest.raises(InputError, match=r"one\.gridwright"):
            other.import_project(exported)
        assert other.projects() == []


def foreign(path: Path) -> None:
    path.unlink()
    change(path, "create table grids(code)")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a database at all"),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 9000),
        lambda path: change(path, "pragma user_version = 7"),
        foreign,
    ],
    ids=["missing", "empty", "text", "cut off", "overwritten", "newer", "foreign"],
)
def test_a_stranger_is_refused_in_both_languages(
    exported: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(exported)
    with Store(tmp_path / "other.db") as other:
        with pytest.raises(InputError) as told:
            other.import_project(exported)
        assert all(p.text("zh") and p.text("en") for p in told.value.problems)
        assert other.projects() == []


def test_a_foreign_database_is_not_even_touched(tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    change(path, "create table grids(code)")
    before = path.read_bytes()
    with pytest.raises(InputError, match="no project file"):
        Store(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "statement", [SPOILT[k] for k in ("a step is gone", "a label is another", "a unit is gone")]
)
def test_verify_names_the_plan_that_is_wrong(
    store: Store, county: CountyPlan, statement: str, tmp_path: Path
) -> None:
    with_steps(store, county)
    copy = tmp_path / "copy.db"
    store.backup(copy)
    change(copy, statement)
    with Store(copy) as spoilt:
        found = spoilt.verify()
    assert found
    assert CODES[0] in found[0].where


def test_a_project_that_is_not_there_is_not_exported(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such"):
        store.export_project(3, tmp_path / "x.gridwright")
    assert not (tmp_path / "x.gridwright").exists()


def test_a_backup_over_the_store_itself_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "p.db") as store, pytest.raises(InputError, match="store itself"):
        store.backup(tmp_path / "p.db")


def test_an_export_holds_nothing_of_the_other_projects(
    store: Store, county: CountyPlan, tmp_path: Path
) -> None:
    store.create_project(county, "SECRET-OTHER-PROJECT")
    made = store.create_project(county, "mine")
    path = tmp_path / "mine.gridwright"
    store.export_project(made.project, path)
    assert b"SECRET-OTHER-PROJECT" not in path.read_bytes()


def test_opening_read_only_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        open_file(tmp_path / "none.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x03\x00",
        b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * 20_000,
        b"\x01\x06\x00\x00\x00\x01\x00\x00\x00" * 20_000,
        b"\x01\x03\x00\x00\x00\xff\xff\xff\xff",
        b"\x01\x03\x00\x00\x00\x00\x00\x00\x00!",
    ],
)
def test_a_shape_that_could_crash_a_reader_is_never_read(data: bytes) -> None:
    with pytest.raises(DamagedError):
        check_polygonal(data)
