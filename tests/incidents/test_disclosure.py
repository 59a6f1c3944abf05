"""Nothing small can be read or worked out: a solver tries, on every hidden number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from attack import worked_out
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.cube import Axis, Cube, count_cube
from incidents.disclosure import Mark, protect

TABLES = [
    ("grid", "all", "all"), ("grid", "year", "all"), ("grid", "all", "class"),
    ("village", "all", "all"), ("village", "month", "all"), ("village", "all", "class"),
    ("beat", "all", "all"), ("beat", "month", "all"),
    ("all", "month", "class"), ("all", "month", "all"), ("all", "all", "class"),
    ("all", "all", "all"),
]  # fmt: skip


def axes() -> tuple[Axis, Axis, Axis]:
    """Six grids in three villages and two beats that cross them; four months in two years."""
    area = Axis(
        "area", 6,
        {"grid": np.arange(6), "village": np.array([0, 0, 1, 1, 2, 2]),
         "beat": np.array([0, 0, 0, 1, 1, 1])},
        {"grid": list("abcdef"), "village": list("uvw"), "beat": list("xy")},
    )  # fmt: skip
    time = Axis(
        "time", 4, {"month": np.arange(4), "year": np.array([0, 0, 1, 1])},
        {"month": ["11", "12", "1", "2"], "year": ["2023", "2024"]},
    )  # fmt: skip
    kind = Axis("kind", 2, {"class": np.arange(2)}, {"class": ["p", "q"]})
    return area, time, kind


def cube(rate: float, seed: int, spread: float) -> Cube:
    rng = np.random.default_rng(seed)
    level = rng.gamma(1 / spread, rate * spread, 6)[:, None, None]
    return Cube(axes(), rng.poisson(np.broadcast_to(level, (6, 4, 2))).astype(np.int64))


def test_the_attack_sees_what_subtraction_gives() -> None:
    """One small number in a table with its total: primary marks alone give it away."""
    counts = np.full((6, 4, 2), 5)
    counts[2] = 0
    counts[2, 0, 0] = 1
    whole = protect(Cube(axes(), counts), TABLES)
    naive = {
        table: np.where(whole.cube.table(table) < 3, Mark.SMALL, Mark.SHOWN).astype(np.int8)
        for table in whole.marks
    }
    assert worked_out(replace(whole, marks=naive))
    assert worked_out(whole) == []


@given(
    rate=st.floats(0.05, 6), seed=st.integers(0, 10_000), spread=st.floats(0.1, 4),
    most=st.sampled_from([0.25, 1.0]),
)  # fmt: skip
@settings(max_examples=25)
def test_no_difference_of_tables_gives_a_hidden_number_back(rate, seed, spread, most) -> None:
    protected = protect(cube(rate, seed, spread), TABLES, most_hidden=most)
    for table, marks in protected.marks.items():
        assert not ((marks == Mark.SHOWN) & (protected.cube.table(table) < 3)).any()
    assert worked_out(protected) == []


def test_areas_of_few_households_show_nothing_and_stay_open() -> None:
    whole = cube(4.0, 1, 0.2)
    few = np.array([False, True, False, False, False, False])
    protected = protect(whole, TABLES, hidden={(0, "grid"): few})
    assert (protected.marks[("grid", "all", "all")][1] == Mark.HIDDEN).all()
    assert worked_out(protected) == []


@pytest.mark.parametrize("total", [0, 1, 2])
def test_next_to_nothing_in_all(total: int) -> None:
    counts = np.zeros((6, 4, 2), dtype=np.int64)
    counts[0, 0, 0] = total
    protected = protect(Cube(axes(), counts), TABLES, most_hidden=1.0)
    assert all((marks != Mark.SHOWN).all() for marks in protected.marks.values())
    assert worked_out(protected) == []


def test_large_numbers_are_all_shown() -> None:
    protected = protect(Cube(axes(), np.full((6, 4, 2), 9)), TABLES)
    assert protected.dropped == ()
    assert all((marks == Mark.SHOWN).all() for marks in protected.marks.values())
    assert (protected.shown(("grid", "all", "all")) == 72).all()


def test_words_of_the_marks() -> None:
    counts = np.full((6, 4, 2), 9)
    counts[0] = 0
    protected = protect(Cube(axes(), counts), TABLES)
    said = protected.text(("grid", "all", "all")).ravel()
    assert said[0] == "<3"
    assert "—" in said
    assert "72" in said


def test_tables_that_say_too_little_are_left_out() -> None:
    counts = np.zeros((6, 4, 2), dtype=np.int64)
    counts[:, 0, 0] = 50
    protected = protect(Cube(axes(), counts), TABLES)
    assert ("grid", "all", "all") not in protected.dropped
    assert ("village", "month", "all") in protected.dropped
    assert ("village", "month", "all") not in protected.marks


def test_the_same_arguments_give_the_same_marks() -> None:
    one, two = (protect(cube(2.0, 5, 1.0), TABLES) for _ in range(2))
    assert all((one.marks[t] == two.marks[t]).all() for t in one.marks)


def test_a_cube_of_events_adds_up() -> None:
    rng = np.random.default_rng(0)
    leaves = [rng.integers(0, n, 500) for n in (6, 4, 2)]
    whole = count_cube(axes(), leaves)
    for table in TABLES:
        assert whole.table(table).sum() == 500
    assert whole.table(("village", "all", "all"))[0, 0, 0] == (leaves[0] < 2).sum()


def test_counts_of_other_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="on axes"):
        Cube(axes(), np.zeros((6, 4), dtype=np.int64))
