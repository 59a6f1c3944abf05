"""A map of hot spots that is killed: finished pieces are not done again, the file is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cli.event_steps import KeptSteps
from cli.main import main
from geo.problems import InputError
from incidents import trend as running
from incidents.gistar import Significance
from planning.pieces import Pieces
from planning.running import Lost

# in a process of its own: the fourth month is never finished
SLOW = """
import sys, time
from incidents import trend
quick, done = trend.gi_star, [0]
def slow(*arguments, **more):
    done[0] += 1
    if done[0] > 3:
        time.sleep(600)
    return quick(*arguments, **more)
trend.gi_star = slow
from cli.main import main
main(sys.argv[1:])
"""


def command(incidents: Path, plan: Path, output: Path, *more: str) -> list[str]:
    return ["hotspots", str(incidents), "--plan", str(plan), "-o", str(output), *more]


def killed(arguments: list[str], folder: Path) -> None:
    """A run that is killed while it judges its fourth month."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments, "--workers", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 120
    while len(list(folder.glob(".*.unfinished/months-*.piece"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert [p.name for p in folder.glob("*.gpkg")] == []


def test_after_a_kill_finished_pieces_are_taken_up_and_the_file_is_the_same_to_the_byte(
    incidents: Path, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, torn = tmp_path / "a" / "hotspots.gpkg", tmp_path / "b" / "hotspots.gpkg"
    whole.parent.mkdir()
    torn.parent.mkdir()
    assert main(command(incidents, plan, whole, "--workers", "2")) == 0
    assert [p.name for p in whole.parent.iterdir()] == ["hotspots.gpkg"]
    killed(command(incidents, plan, torn), torn.parent)

    done: list[int] = []
    quick: Callable[..., Significance] = running.gi_star

    def counted(*arguments: object, **more: object) -> Significance:
        done.append(1)
        return quick(*arguments, **more)

    monkeypatch.setattr(running, "gi_star", counted)
    capfd.readouterr()
    assert main(command(incidents, plan, torn, "--workers", "1")) == 0
    told = capfd.readouterr().err
    assert len(done) == 12 - 3
    assert "hot spots of each period: 12 of 12" in told
    # two pieces of ground, the places of all events, and three months
    assert "6 pieces were taken up from a run that was stopped" in told
    assert torn.read_bytes() == whole.read_bytes()
    assert [p.name for p in torn.parent.iterdir()] == ["hotspots.gpkg"]


def test_the_file_for_leaders_is_the_same_for_any_number_of_workers(
    incidents: Path, plan: Path, tmp_path: Path
) -> None:
    made = []
    for workers in ("1", "3"):
        folder = tmp_path / workers
        folder.mkdir()
        out, shared = folder / "hotspots.gpkg", folder / "shared.gpkg"
        more = ("--shared", str(shared), "--workers", workers)
        assert main(command(incidents, plan, out, *more)) == 0
        assert sorted(p.name for p in folder.iterdir()) == ["hotspots.gpkg", "shared.gpkg"]
        made.append((out.read_bytes(), shared.read_bytes()))
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("more", "kept"), [(["--no-resume"], False), (["--since", "1999-01-01"], True)]
)
def test_nothing_is_left_behind(
    incidents: Path, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    more: list[str], kept: bool,
) -> None:  # fmt: skip
    """Without --resume nothing is kept, and what cannot be made at all is not kept either."""
    asked: list[str] = []
    write = Pieces.write

    def noted(self: Pieces, name: str, body: bytes) -> None:
        asked.append(name)
        write(self, name, body)

    monkeypatch.setattr(Pieces, "write", noted)
    more = [*more, "--until", "1999-02-01"] if kept else more
    code = main(command(incidents, plan, tmp_path / "h.gpkg", *more))
    assert code == (2 if kept else 0)
    assert bool(asked) == kept
    assert {p.name for p in tmp_path.iterdir()} <= {"h.gpkg"}


def test_a_damaged_piece_is_done_again(tmp_path: Path) -> None:
    kept = Pieces(tmp_path / "h.gpkg", "0" * 64)
    done: list[int] = []

    def work(piece: int) -> np.ndarray:
        done.append(piece)
        return np.full(3, piece)

    first = KeptSteps(kept, 1, "en")("months", 3, work)
    assert [p.tolist() for p in first] == [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    (kept.folder / "months-1.piece").write_bytes(b"x" * 60)
    kept.write("months-2", b"\x93NUMPY\x01\x00garbage")  # whole, but no array
    again = KeptSteps(kept, 1, "en")("months", 3, work)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert done == [0, 1, 2, 1, 2]
    assert kept.taken == 1
    KeptSteps(kept, 1, "en").of("shared")("months", 3, work)
    assert done == [0, 1, 2, 1, 2, 0, 1, 2]


def test_a_piece_that_kills_its_process_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cli.event_steps.each", lambda job, todo, workers: ((i, Lost()) for i in todo)
    )
    with pytest.raises(InputError) as caught:
        KeptSteps(None, 2, "zh")("trends", 2, lambda piece: np.zeros(1))
    assert [p.text("zh") for p in caught.value.problems][1].startswith("计算“趋势”第 2 部分的进程")
