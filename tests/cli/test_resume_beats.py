"""A division into beats that is killed: finished areas are not done again, the file is the same."""

from __future__ import annotations

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
from planning.beats import propose as running
from planning.beats.ground import load_beat_ground
from planning.beats.propose import Effort
from planning.beats.resume import UnfinishedAreas, digest_of
from planning.beats.settings import BeatSettings
from planning.county import propose_county
from planning.planfile import read_plan, write_plan
from planning.settings import Settings
from planning.tables import to_planfile

PICTURE = "12.|.23\n3.1|4..\n---+---\n.31|222\n2..|1.3"

# in a process of its own: the third area is never finished
SLOW = """
import sys, time
from planning.beats import propose
quick, done = propose._divide, [0]
def slow(*arguments):
    done[0] += 1
    if done[0] > 2:
        time.sleep(600)
    return quick(*arguments)
propose._divide = slow
from cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four villages, each an area of its own."""
    x, y = towns.ORIGIN
    county = towns.county(
        [
            towns.village(PICTURE, times=10, persons=3, code=f"32011600120{i}", at=(x + i * 2e3, y))
            for i in range(4)
        ]
    )  # fmt: skip
    path = tmp_path_factory.mktemp("plan") / "plan.gpkg"
    write_plan(to_planfile(propose_county(county, Settings(target=60))), path)
    return path


def command(plan: Path, output: Path, *more: str) -> list[str]:
    return ["beats", str(plan), "-o", str(output), "--cross", "village", "--work", "households",
            "--beats", "8", *more]  # fmt: skip


def killed(plan: Path, output: Path) -> None:
    """A run that is killed while it divides its third area."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *command(plan, output)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 120
    while len(list(output.parent.glob(".*.unfinished/*.area"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not output.exists()


def test_after_a_kill_finished_areas_are_taken_up_and_the_beats_are_the_same_to_the_byte(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    whole, torn = tmp_path / "a" / "beats.gpkg", tmp_path / "b" / "beats.gpkg"
    whole.parent.mkdir()
    torn.parent.mkdir()
    assert main(command(plan, whole)) == 0
    assert [p.name for p in whole.parent.iterdir()] == ["beats.gpkg"]
    killed(plan, torn)
    done: list[int] = []
    quick = running._divide

    def counted(*arguments: object) -> object:
        done.append(1)
        return quick(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "_divide", counted)
    capfd.readouterr()
    assert main(command(plan, torn)) == 0
    assert len(done) == 2
    assert "2 areas were taken up" in capfd.readouterr().err
    assert torn.read_bytes() == whole.read_bytes()
    assert [p.name for p in torn.parent.iterdir()] == ["beats.gpkg"]


def test_other_rules_take_nothing_up(
    plan: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    torn = tmp_path / "beats.gpkg"
    killed(plan, torn)
    assert main(command(plan, torn, "--seed", "4")) == 0
    assert "taken up" not in capfd.readouterr().err


def test_without_resume_nothing_is_kept(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(UnfinishedAreas, "put", lambda self, area, part, k: asked.append(area))
    assert main(command(plan, tmp_path / "beats.gpkg", "--no-resume")) == 0
    assert asked == []


def test_what_decides_the_beats_decides_the_digest(plan: Path) -> None:
    ground = load_beat_ground(read_plan(plan))
    settings = BeatSettings(kind="balanced")
    first = digest_of(ground, settings)
    assert digest_of(load_beat_ground(read_plan(plan)), BeatSettings(kind="balanced")) == first
    more = replace(ground.work, total=ground.work.total + np.arange(len(ground)))
    others = [
        digest_of(ground, replace(settings, seed=1)),
        digest_of(ground, replace(settings, locked=frozenset({"A"}))),
        digest_of(ground, settings, Effort(moves=1)),
        digest_of(replace(ground, work=more), settings),
        digest_of(replace(ground, urban=~ground.urban), settings),
    ]
    assert len({first, *others}) == 6


@pytest.mark.parametrize(
    "body", [b"", b"x" * 40, b"\x93NUMPY\x01\x00garbage"], ids=["empty", "noise", "half"]
)
def test_a_damaged_area_is_divided_again(tmp_path: Path, body: bytes) -> None:
    kept = UnfinishedAreas(tmp_path / "beats.gpkg", "0" * 64)
    kept.put(0, np.array([0, 1, 1]), 2)
    found = kept.get(0, 3)
    assert found is not None
    assert found[0].tolist() == [0, 1, 1]
    assert found[1] == 2
    assert kept.get(0, 4) is None  # another number of grids
    (file,) = kept.folder.iterdir()
    file.write_bytes(body)
    assert kept.get(0, 3) is None
    kept.write("0", body)  # whole, but no area
    assert kept.get(0, 3) is None


def test_labels_that_are_none_are_not_believed(tmp_path: Path) -> None:
    kept = UnfinishedAreas(tmp_path / "beats.gpkg", "0" * 64)
    for part, k in (([0, 2], 2), ([-1, 0], 1)):
        kept.put(0, np.array(part), k)
        assert kept.get(0, 2) is None
