"""The benchmark runs engines apart, gives up on time, and keeps honest records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import engines, run
from benchmarks.instance import Instance, village
from benchmarks.measure import quality
from benchmarks.ours import blocks, graph_of_instance
from benchmarks.peers import LIBRARY, PEERS, SLOW, Answer
from benchmarks.power import power_diagram


@pytest.fixture(scope="module")
def small() -> Instance:
    return village(900)


class Pipe(list[Any]):
    """What a child process would have sent."""

    def send(self, thing: Any) -> None:
        self.append(thing)


def row(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "engine": name, "status": "done", "seconds": 1.25, "cpu_seconds": 1.2,
        "smallest": 280, "largest": 310, "worst": 0.067,
        "within_5": 0.9, "within_10": 1.0, "broken": 0, "pp_mean": 0.5,
        "pp_min": 0.25, "reach_m": 200.4, "split": 0, "on_road": None, **changes,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["metis", "metis-roads", "power"])
def test_a_peer_answers_with_the_grids_asked_for(name: str, small: Instance) -> None:
    answer = PEERS[name](small, 1)
    found = quality(small, answer.labels)
    assert (found.grids, answer.split) == (small.k, 0)
    assert found.worst < 0.15


@pytest.mark.parametrize("name", ["metis", "kmeans-constrained", "gerrychain", "ward"])
def test_an_engine_runs_in_a_process_of_its_own(name: str, small: Instance) -> None:
    """Apart from this process, where a library's warning would be an error."""
    found = run.run(name, small, deadline=120)
    if found["status"].startswith("not installed"):
        pytest.skip(found["status"])
    assert found["status"] == "done"
    assert found["grids"] == small.k
    assert found["seconds"] >= 0
    assert found["machine"][LIBRARY[name]][0].isdigit()


def test_an_engine_over_its_deadline_is_ended() -> None:
    found = run.run("power", village(9_000), deadline=0)
    assert found["status"] == "over 0 s"
    assert "worst" not in found


def test_a_missing_library_costs_only_its_row(
    monkeypatch: pytest.MonkeyPatch, small: Instance
) -> None:
    def absent(instance: Instance, seed: int) -> Answer:
        raise ModuleNotFoundError("No module named 'absent'", name="absent")

    monkeypatch.setitem(run.ENGINES, "absent", absent)
    pipe = Pipe()
    run.answer("absent", 1, pipe)  # type: ignore[arg-type]
    assert pipe == ["stopped", "not installed: absent"]


def test_a_peer_that_gives_up_says_why(monkeypatch: pytest.MonkeyPatch, small: Instance) -> None:
    def gives_up(instance: Instance, seed: int) -> Answer:
        if instance is small:
            raise RuntimeError("no cut found")
        return Answer(np.zeros(len(instance.households), dtype=np.int64))

    monkeypatch.setitem(run.ENGINES, "gives-up", gives_up)
    pipe = Pipe()
    pipe.recv = lambda: small  # type: ignore[attr-defined]
    run.answer("gives-up", 1, pipe)  # type: ignore[arg-type]
    assert pipe == ["ready", "failed: RuntimeError: no cut found"]


def test_a_power_diagram_of_a_regular_town_is_even() -> None:
    x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
    labels = power_diagram(np.c_[x.ravel(), y.ravel()], np.ones(400, dtype=np.int64), 4, seed=1)
    assert np.ptp(np.bincount(labels, minlength=4)) <= 8


def test_the_engines_graph_holds_the_same_ground() -> None:
    instance = village(900, roads=True)
    graph = graph_of_instance(instance)
    assert graph.households.sum() == 900
    assert graph.length.sum() == pytest.approx(2 * instance.border.sum())
    along = 2 * np.sum(instance.border * instance.on_road)
    assert (graph.length - graph.off_line).sum() == pytest.approx(along)
    block = blocks(instance)
    apart = block[instance.edges[:, 0]] != block[instance.edges[:, 1]]
    assert np.array_equal(apart, instance.on_road == 1)


def test_running_one_engine_again_replaces_its_row_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: Instance
) -> None:
    monkeypatch.setattr(engines, "RECORDS", tmp_path)
    engines.keep(small, [row("ward"), row("metis")])
    engines.keep(small, [row("ward", seconds=9.0)])
    record = json.loads((tmp_path / f"{small.name}.json").read_text("utf-8"))
    assert [(r["engine"], r["seconds"]) for r in record["rows"]] == [("metis", 1.25), ("ward", 9.0)]
    assert record["households"] == 900
    assert "| ward | 9.00 | 1.20 | 280-310 | 6.7% |" in (tmp_path / f"{small.name}.md").read_text(
        "utf-8"
    )


def test_a_row_that_is_not_done_shows_its_status_and_no_number() -> None:
    line = engines.table([{"engine": "skater", "status": "over 180 s"}]).splitlines()[2]
    assert line.startswith("| skater | over 180 s | – |")


def test_an_unknown_engine_is_an_error_that_names_the_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stop:
        engines.main(["--peers", "metis,nothing"])
    assert stop.value.code == 2
    assert "unknown: nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "path", sorted(engines.RECORDS.glob("village-*.json")), ids=lambda p: p.stem
)
def test_a_kept_record_can_be_judged(path: Path) -> None:
    """Each row says when and on what it was measured, and the table is the record's own."""
    record = json.loads(path.read_text("utf-8"))
    for kept in record["rows"]:
        assert kept["date"]
        assert {"processor", "cores", "python"} <= set(kept["machine"])
        if kept["status"] == "done":
            assert kept["smallest"] <= record["households"] / record["grids"] <= kept["largest"]
    assert path.with_suffix(".md").read_text("utf-8") == engines.table(record["rows"])


def test_slow_peers_are_peers() -> None:
    assert set(PEERS) >= SLOW
    assert set(LIBRARY) == set(PEERS)
