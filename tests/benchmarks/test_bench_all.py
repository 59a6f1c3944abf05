"""The reduced benchmarks: what counts as slower, and how growth is told."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as everything
from benchmarks import city
from benchmarks.__main__ import Row, measured, slower, table


def row(name: str, units: float, cpu: float = 20.0, status: str = "done") -> Row:
    return Row(name, status, 2 * cpu, cpu, units)


def test_slower_is_a_quarter_more_than_the_record_and_a_second() -> None:
    record = [row("a", 100), row("b", 100), row("c", 1), row("d", 100, status="over 100 s")]
    assert slower([row("a", 124)], record) == []
    assert slower([row("b", 131)], record) == ["b: 1.31 times the record"]
    assert slower([row("c", 1.5, cpu=0.4)], record) == []  # less than a second
    assert slower([row("d", 900)], record) == []  # nothing to compare with
    assert slower([row("new", 5)], record) == []


def test_one_that_fails_is_told_whatever_its_record() -> None:
    assert slower([row("a", 1, status="ended with 1")], []) == ["a: ended with 1"]


def test_a_benchmark_over_its_time_is_stopped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(everything.REDUCED, "slow", ("noise", ["--runs", "100000"]))
    assert measured("slow", 1.0, deadline=0.2).status == "over 0 s"


def test_the_table_stands_beside_the_record() -> None:
    text = table([row("a", 50)], [row("a", 100)])
    assert text.splitlines()[-1] == "| a | done | 40.0 | 20.0 | 50 | 0.50 |"


def test_every_reduced_benchmark_is_a_program_with_a_main() -> None:
    for module, _ in everything.REDUCED.values():
        assert callable(__import__(f"benchmarks.{module}", fromlist=["main"]).main)


def test_linear_growth_has_the_exponent_one() -> None:
    rows = [
        city.Row(n, n // 850, n // 260, "two workers", n / 1e4, n / 1e4, 1)
        for n in (10_000, 100_000, 1_000_000)
    ]
    assert city.exponent(rows) == pytest.approx(1.0)
    assert city.exponent(rows[:1]) is None
