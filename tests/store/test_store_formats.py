"""Files of earlier formats open; what they become is what a new file is, to the word."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from geo.problems import InputError
from planning import edits
from planning.history import Step
from store.projects import Store
from store.sqlite import open_file

OLD = Path(__file__).with_name("format-1.gridwright")  # written by the program of that time
CODE = "320116001201"
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of a file of format 1: a project of two scenarios, with steps and an undo."""
    path = tmp_path / "plans.gridwright"
    shutil.copyfile(OLD, path)
    return path


def words(path: Path) -> set[tuple[str, ...]]:
    """Every table, index and trigger of a file, as it was made."""
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("select type, name, tbl_name, sql from sqlite_master"))


def format_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("pragma user_version").fetchone()[0])


def test_a_file_of_format_1_opens_with_all_that_is_in_it(old: Path) -> None:
    with Store(old) as store:
        assert store.verify() == []
        (project,) = store.projects()
        assert project.name == "示范县"
        assert [s.name for s in store.scenarios(project.id)] == ["初始方案 / proposal", "乙方案"]
        first = store.scenarios(project.id)[0].id
        opened = store.open_plan(first, CODE)
        assert [e.name for e in store.log(first, CODE)] == ["transfer"] * 3 + ["undo"]
        to = next(k for k in opened.plan.keys.tolist() if k != opened.plan.label[3])
        after = edits.transfer(opened.plan, np.array([3]), to).plan
        assert store.save_step(first, CODE, 4, Step("transfer", opened.plan, after)) == 5
    assert format_of(old) == 2
    kept = old.with_name(f"{old.name}.format-1")
    assert format_of(kept) == 1
    assert words(kept) == words(OLD)
    with Store(old) as again:
        assert again.verify() == []
    assert sorted(p.name for p in old.parent.iterdir()) == [old.name, kept.name]


def test_what_was_migrated_is_what_is_made_new(old: Path, tmp_path: Path) -> None:
    with Store(old), Store(tmp_path / "new.gridwright"):
        pass
    assert words(old) == words(tmp_path / "new.gridwright")


def test_a_project_exported_in_format_1_is_taken_over_as_it_is(tmp_path: Path) -> None:
    before = OLD.read_bytes()
    with Store(tmp_path / "p.db") as store:
        store.import_project(OLD)
        assert store.verify() == []
        assert store.projects()[0].name == "示范县"
    assert OLD.read_bytes() == before


def test_opening_read_only_leaves_an_old_file_alone(old: Path) -> None:
    open_file(old, read_only=True).dispose()
    assert old.read_bytes() == OLD.read_bytes()


def test_a_newer_file_is_refused(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("pragma user_version = 3")
    before = old.read_bytes()
    with pytest.raises(InputError, match="newer Gridwright"):
        Store(old)
    assert old.read_bytes() == before


def test_killed_while_migrating_the_file_is_of_one_format_or_the_other(tmp_path: Path) -> None:
    paths = [tmp_path / f"{turn}.gridwright" for turn in range(8)]
    for path in paths:
        shutil.copyfile(OLD, path)
    program = Path(__file__).with_name("migration_kills.py")
    done = subprocess.run(
        [sys.executable, str(program), "9", *map(str, paths)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert format_of(paths[0]) == 2  # the one that nobody killed
    assert {format_of(path) for path in paths} <= {1, 2}
    for path in paths:
        with Store(path) as store:
            assert store.verify() == []
            assert store.projects()[0].name == "示范县"
        assert format_of(path) == 2
