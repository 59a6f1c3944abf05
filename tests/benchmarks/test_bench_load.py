"""The load client in a small form: real sign-ins, leaders and planners at once, nothing timed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from counties import demonstration

from benchmarks.load import Server, missed, options, run, summary, table, tree
from benchmarks.people import Book
from ui.map.component import LEAFLET


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    return demonstration(tmp_path_factory, "planned")


def test_nobody_is_sent_what_is_somebody_else_s(county: Path) -> None:
    """Three leaders and two planners; marks and digests as in the whole run."""
    given = options(
        ["--project", str(county), "--minutes", "0.05", "--least", "4", "--leaders", "3",
         "--planners", "2", "--burst", "3", "--leader-think", "0.5", "--planner-think", "0.3",
         "--session-seconds", "1", "--settle", "0.5", "--limit-gb", "0", "--no-record"]
    )  # fmt: skip
    with ThreadPoolExecutor(1) as apart:  # the main thread may hold a browser's event loop
        found, book = apart.submit(run, given).result()
    assert book.failures == []
    assert book.foreign == []
    assert len(book.seconds["burst"]) == 3
    assert len(book.seconds["filter"]) >= 12
    assert len(book.seconds["edit"]) >= 8
    assert book.answers["ok"] > 0
    assert found["choices_shown_again"] == len(book.seen) > 0
    rows = summary(book)
    assert "| filter |" in table(
        found | {"rows": rows, "given": vars(given), "machine": {"cores": 2}, "load": 0.0,
                 "date": "", "foreign": 0, "failed": 0, "sent_mb": 1}
    )  # fmt: skip


def test_what_is_not_as_it_should_be_is_named() -> None:
    book = Book()
    book.seconds["filter"] = [0.1] * 90 + [3.0] * 10
    book.seconds["edit"] = [0.1]
    book.seconds["burst"] = [6.0]
    book.foreign.append("mark0123456789 was sent mark9876543210")
    memory = {"memory_mb": {"before": 100, "peak": 300, "after": 140}}
    said = missed(summary(book), memory, book)
    assert [line.split(":")[0] for line in said] == ["filter", "burst", "memory", "not theirs"]
    memory["memory_mb"]["after"] = 105
    assert len(missed(summary(book), memory, book)) == 3


def test_memory_is_that_of_a_process_and_its_children() -> None:
    own = Server("", 1)
    assert 1 in tree(1)
    assert len(tree(1)) > 1
    assert own.resident() > 0
