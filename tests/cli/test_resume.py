"""A run that is killed: its finished villages are not done again, and the plan is the same."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import towns

from cli.main import main
from geo.ground import Ground
from planning import resume
from planning.county import propose_county
from planning.resume import Unfinished, digest_of
from planning.saved import from_bytes, to_bytes
from planning.settings import Settings
from planning.tables import to_planfile
from planning.today import of_plan

PICTURE = "12.|.23\n3.1|4..\n---+---\n.31|222\n2..|1.3"
RULES = Settings(target=120)


def ground(villages: int = 3) -> Ground:
    x, y = towns.ORIGIN
    return towns.county(
        [
            towns.village(PICTURE, times=10, persons=3, code=f"32011600120{i}", at=(x + i * 2e3, y))
            for i in range(villages)
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return towns.write_files(ground(6), tmp_path_factory.mktemp("county"))


def command(county: dict[str, Path], output: Path, *more: str) -> list[str]:
    return [
        "propose", "--villages", str(county["villages"]), "--households",
        str(county["households"]), "--target", "120", "-o", str(output), *more,
    ]  # fmt: skip


# run in a process of its own: every village waits until the test lets it, the third for ever
SLOW = """
import os, sys, time
from planning import county
quick, done = county.plan_parcel, [0]
def slow(parcel):
    done[0] += 1
    if done[0] > 3:
        time.sleep(600)
    return quick(parcel)
county.plan_parcel = slow
from cli.main import main
main(sys.argv[1:])
"""


def test_after_a_kill_finished_villages_are_taken_up_and_the_plan_is_the_same_to_the_byte(
    county: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, torn = tmp_path / "a" / "plan.gpkg", tmp_path / "b" / "plan.gpkg"
    whole.parent.mkdir()
    torn.parent.mkdir()
    assert main(command(county, whole, "--workers", "1")) == 0
    assert sorted(p.name for p in whole.parent.iterdir()) == ["plan.gpkg"]

    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *command(county, torn, "--workers", "1")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while len(list(torn.parent.glob(".*.unfinished/*.village"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not torn.exists()

    from planning import county as running

    done: list[str] = []
    quick = running.plan_parcel

    def counted(parcel: running.Parcel) -> running.VillagePlan:
        done.append(parcel.name)
        return quick(parcel)

    monkeypatch.setattr(running, "plan_parcel", counted)
    capfd.readouterr()
    assert main(command(county, torn, "--workers", "1")) == 0
    assert len(done) == 3
    assert "3 villages were taken up" in capfd.readouterr().err
    assert torn.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in torn.parent.iterdir()) == ["plan.gpkg"]


def test_without_resume_nothing_is_kept(county: dict[str, Path], tmp_path: Path) -> None:
    asked: list[int] = []
    original = Unfinished.put
    try:
        Unfinished.put = lambda self, village, plan: asked.append(village)  # type: ignore[method-assign]
        output = tmp_path / "plan.gpkg"
        assert main(command(county, output, "--workers", "1", "--no-resume")) == 0
    finally:
        Unfinished.put = original  # type: ignore[method-assign]
    assert asked == []


def test_another_county_other_settings_and_another_program_have_other_digests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = ground()
    first = digest_of(held, RULES)
    assert digest_of(ground(), RULES) == first
    moved = held.households.copy()
    moved.loc[0, "x"] += 0.001
    others = [
        digest_of(replace(held, households=moved), RULES),
        digest_of(held, replace(RULES, seed=1)),
        digest_of(held, RULES, band=0.2),
    ]
    monkeypatch.setattr(resume, "program", lambda: "another")
    others.append(digest_of(held, RULES))
    assert len({first, *others}) == 5


def test_micro_grids_of_today_are_told_from_none() -> None:
    """Villages kept without the shapes of their units are no use to a run that follows them."""
    held = ground(1)
    rules = replace(RULES, micro=50)
    today = of_plan(to_planfile(propose_county(held, rules)), held.crs)
    assert today.micro is not None
    other = replace(today.micro, shape=today.micro.shape[::-1])
    found = [today, replace(today, micro=None), replace(today, micro=other)]
    assert len({digest_of(held, rules, one) for one in found}) == 3


def test_a_kept_village_comes_back_as_it_was(tmp_path: Path) -> None:
    plan = propose_county(ground(1), replace(RULES, micro=50)).villages[0]
    kept = Unfinished(tmp_path / "plan.gpkg", "d")
    kept.put(0, plan)
    again = kept.get(0)
    assert again is not None
    assert kept.taken == 1
    assert np.array_equal(again.proposal.label, plan.proposal.label)
    assert all(a.equals(b) for a, b in zip(again.outlines, plan.outlines, strict=True))
    assert again.bounds == plan.bounds
    assert again.exceptions == plan.exceptions
    assert kept.get(1) is None


@pytest.mark.parametrize("spoilt", ["short", "flipped", "empty"])
def test_a_damaged_file_is_not_believed(tmp_path: Path, spoilt: str) -> None:
    kept = Unfinished(tmp_path / "plan.gpkg", "d")
    kept.put(0, propose_county(ground(1), RULES).villages[0])
    (file,) = kept.folder.iterdir()
    body = file.read_bytes()
    changed = {
        "short": body[: len(body) // 2],
        "flipped": body[:-9] + bytes([body[-9] ^ 1]) + body[-8:],
        "empty": b"",
    }[spoilt]
    file.write_bytes(changed)
    assert kept.get(0) is None


@pytest.mark.parametrize("body", [b"", b"cos\nsystem\n(S'true'\ntR.", b"\x93NUMPY"])
def test_bytes_that_are_no_plan_are_refused_even_with_a_checksum(
    tmp_path: Path, body: bytes
) -> None:
    kept = Unfinished(tmp_path / "plan.gpkg", "d")
    kept.folder.mkdir()
    (kept.folder / "0.village").write_bytes(hashlib.sha256(body).digest() + body)
    assert kept.get(0) is None


def planted(kinds: list[list[object]], body: bytes) -> bytes:
    tree = json.dumps({"plan": {"array": 0}, "arrays": kinds}).encode()
    return len(tree).to_bytes(8, "little") + tree + body


@pytest.mark.parametrize(
    ("kinds", "body", "reason"),
    [
        ([["|O", 1]], b"\0" * 8, "no array of numbers"),  # addresses, that would be followed
        ([["<i8", -1]], b"", "no array of numbers"),
        ([["<i8", 1 << 40]], b"", "cut off"),
        ([["<i8", 2]], b"\0" * 15, "cut off"),
        ([["<i8", 2]], b"\0" * 17, "more than"),
        ([["<i8", 2]], b"\0" * 16, "no village's plan"),
    ],
)
def test_arrays_of_a_planted_file_are_numbers_and_all_there(
    kinds: list[list[object]], body: bytes, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        from_bytes(planted(kinds, body))


def test_a_disk_that_takes_nothing_does_not_stop_the_run(tmp_path: Path) -> None:
    kept = Unfinished(tmp_path / "missing" / "plan.gpkg", "d")
    plan = propose_county(ground(2), RULES, kept=kept)
    assert len(plan.villages) == 2
    assert kept.failed == "No such file or directory"


def test_carried_villages_come_back_as_they_were() -> None:
    held = ground(1)
    first = propose_county(held, RULES)
    today = of_plan(to_planfile(first), held.crs)
    plan = propose_county(held, replace(RULES, target=60), today=today, band=0.1).villages[0]
    assert plan.upkeep is not None
    again = from_bytes(to_bytes(plan))
    assert again.upkeep == plan.upkeep
    assert again.grids == plan.grids
    assert to_bytes(again) == to_bytes(plan)
