"""Households under a key: nothing of them in the file, all of them with the key, none without."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest
import towns
from pandas.testing import assert_frame_equal

from geo.problems import InputError
from planning.check import check_plan
from planning.county import propose_county
from planning.planfile import PlanFile, read_plan, try_target, write_plan
from planning.sealed import key_of, new_key, seal, unseal
from planning.settings import Settings
from planning.tables import to_planfile


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    x, y = towns.ORIGIN
    own = towns.county([towns.village("12|34\n--+--\n56|78", times=10, persons=3, code="A")])
    made = to_planfile(propose_county(own, Settings(target=60)))
    lost = pd.DataFrame(
        {"household_id": ["CANARY-7731"], "households": [4], "persons": [9],
         "reason": ["outside-all-villages"], "x": [x], "y": [y]}
    )  # fmt: skip
    held = made.households.assign(
        household_id=[f"CANARY-{n}" for n in range(len(made.households))]
    )
    return replace(made, households=held, unplaced=lost)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    text = new_key()
    monkeypatch.setenv("GRIDWRIGHT_KEY", text)
    return text


def test_with_the_key_a_plan_reads_as_one_without(
    plan: PlanFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    write_plan(plan, tmp_path / "closed.gpkg")
    closed = read_plan(tmp_path / "closed.gpkg")
    late = read_plan(tmp_path / "closed.gpkg", late=True)
    monkeypatch.delenv("GRIDWRIGHT_KEY")
    write_plan(plan, tmp_path / "open.gpkg")
    opened = read_plan(tmp_path / "open.gpkg")
    for field in fields(PlanFile):
        for one in (closed, late):
            a, b = getattr(one, field.name), getattr(opened, field.name)
            if b is None:
                assert a is None
            else:
                assert_frame_equal(a, b)
    assert len(opened.households) == 8
    assert check_plan(closed) == check_plan(opened)


def test_nothing_of_the_households_is_in_the_file(
    plan: PlanFile, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(plan, tmp_path / "closed.gpkg")
    content = (tmp_path / "closed.gpkg").read_bytes()
    assert b"CANARY" not in content
    assert key.encode() not in content
    monkeypatch.delenv("GRIDWRIGHT_KEY")
    write_plan(plan, tmp_path / "open.gpkg")
    assert b"CANARY" in (tmp_path / "open.gpkg").read_bytes()  # the search can find them
    assert sorted(path.name for path in tmp_path.iterdir()) == ["closed.gpkg", "open.gpkg"]


def test_without_the_key_or_with_another_it_is_one_sentence(
    plan: PlanFile, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "closed.gpkg"
    write_plan(plan, path)
    monkeypatch.setenv("GRIDWRIGHT_KEY", new_key())
    with pytest.raises(InputError, match="another key"):
        read_plan(path)
    monkeypatch.delenv("GRIDWRIGHT_KEY")
    with pytest.raises(InputError, match="GRIDWRIGHT_KEY") as told:
        read_plan(path)
    assert "密钥" in told.value.problems[0].text("zh")
    monkeypatch.setenv("GRIDWRIGHT_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "key").write_text(f"{key}\n", "ascii")
    assert len(read_plan(path).households) == 8


@pytest.mark.parametrize(
    "statement",
    [
        "update gridwright_sealed set content = substr(content, 1, 300)",
        "update gridwright_sealed set content = zeroblob(3)",
        "update gridwright_sealed set content = 'text'",
        # one layer's content under the other's name
        "update gridwright_sealed set name = case name when 'households' then 'unplaced' "
        "else 'grids' end where name <> 'x'",
    ],
)
def test_what_was_changed_is_not_believed(
    plan: PlanFile, tmp_path: Path, key: str, statement: str
) -> None:
    path = tmp_path / "closed.gpkg"
    write_plan(plan, path)
    with closing(sqlite3.connect(path)) as connection:
        if "case" in statement:
            connection.execute("delete from gridwright_sealed where name = 'unplaced'")
        connection.execute(statement)
        connection.commit()
    with pytest.raises(InputError, match="damaged or were changed"):
        read_plan(path)


def test_every_bit_is_guarded(key: str) -> None:
    given = key_of({"GRIDWRIGHT_KEY": key})
    assert given is not None
    assert key not in repr(given)
    closed = seal(b"content", "households", given)
    assert closed != seal(b"content", "households", given)  # no nonce twice
    assert unseal(closed, "households", given, "f") == b"content"
    for at in range(len(closed)):
        spoilt = bytearray(closed)
        spoilt[at] ^= 1
        with pytest.raises(InputError):
            unseal(bytes(spoilt), "households", given, "f")
    for name in ("unplaced", ""):
        with pytest.raises(InputError):
            unseal(closed, name, given, "f")


@pytest.mark.parametrize("text", ["x", "c2hvcnQ=", "ü" * 44, "=" * 44, "A" * 4000])
def test_what_is_no_key_is_refused_before_the_work(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWRIGHT_KEY", text)
    with pytest.raises(InputError, match="holds no key") as told:
        try_target(tmp_path / "plan.gpkg")
    assert text not in told.value.problems[0].text("en").replace("GRIDWRIGHT_KEY", "")
    monkeypatch.delenv("GRIDWRIGHT_KEY")
    monkeypatch.setenv("GRIDWRIGHT_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(InputError, match="holds no key"):
        key_of({"GRIDWRIGHT_KEY_FILE": str(tmp_path / "none")})
