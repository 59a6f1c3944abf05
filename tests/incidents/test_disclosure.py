"""Nothing small can be read or worked out: a solver tries, on every hidden number."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from attack import worked_out
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.cube import Axis, Cube, count_cube
from incidents.disclosure import Mark, _Work, protect
from incidents.growing import STATES

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


def test_the_total_stays_where_an_event_can_go_elsewhere_as_another_kind() -> None:
    """Nobody in the empty village could be of another kind, and the one event of that kind lies in
    another county: only a move of place and kind at once keeps both totals."""
    area = Axis("area", 4, {"village": np.arange(4), "county": np.array([0, 0, 0, 1])},
                {"village": list("abcd"), "county": list("xy")})  # fmt: skip
    kind = Axis("kind", 2, {"kind": np.arange(2)}, {"kind": list("pq")})
    counts = np.array([[111, 0], [0, 0], [1, 0], [10, 1]], dtype=np.int64)
    tables = [(level, each) for level in ("village", "county") for each in ("all", "kind")]
    held = protect(Cube((area, kind), counts), tables, most_hidden=1.0)
    assert (held.marks["county", "all"] == Mark.SHOWN).all()
    assert worked_out(held) == []


@pytest.mark.parametrize("total", [0, 1, 2])
def test_next_to_nothing_in_all(total: int) -> None:
    counts = np.zeros((6, 4, 2), dtype=np.int64)
    counts[0, 0, 0] = total
    protected = protect(Cube(axes(), counts), TABLES, most_hidden=1.0)
    assert all((marks != Mark.SHOWN).all() for marks in protected.marks.values())
    assert worked_out(protected) == []


def test_where_no_table_says_enough_none_is_made() -> None:
    nothing = Cube(axes(), np.zeros((6, 4, 2), dtype=np.int64))
    protected = protect(nothing, [("grid", "all", "all"), ("village", "month", "all")])
    assert protected.marks == {}
    assert len(protected.dropped) == 2


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


# --- with the steps of the loop, as sharing publishes them


def loop_cube(rate: float, seed: int) -> Cube:
    """Four grids in two townships, three months in two years, two kinds, three states."""
    of = {"grid": np.arange(4), "township": np.array([0, 0, 1, 1]), "county": np.zeros(4, int)}
    area = Axis("area", 4, of, {"grid": list("abcd"), "township": list("uv"), "county": ["w"]})
    time = Axis(
        "time", 3, {"month": np.arange(3), "year": np.array([0, 1, 1])},
        {"month": ["2023-12", "2024-01", "2024-02"], "year": ["2023", "2024"]},
    )  # fmt: skip
    kind = Axis("kind", 2, {"kind": np.arange(2)}, {"kind": ["p", "q"]})
    state = Axis("state", 3, {"state": np.arange(3)}, {"state": list(STATES)})
    rng = np.random.default_rng(seed)
    usual = rng.gamma(1.0, rate, (4, 1, 2, 1)) * np.array([0.9, 0.06, 0.04])
    counts = rng.poisson(np.broadcast_to(usual, (4, 3, 2, 3))).astype(np.int64)
    return Cube((area, time, kind, state), counts)


@given(rate=st.floats(0.2, 30), seed=st.integers(0, 10_000))
@settings(max_examples=12)
def test_closure_by_month_gives_no_open_event_away(rate, seed) -> None:
    tables = [
        (level, time, kind, "all") for level in ("grid", "township", "county")
        for time in ("year", "month") for kind in ("all", "kind") if level != "grid" or kind == time
    ]  # fmt: skip
    tables += [(level, time, "all", "state") for level, time in
               (("township", "month"), ("county", "month"), ("county", "year"))]  # fmt: skip
    protected = protect(loop_cube(rate, seed), tables, most_hidden=1.0)
    assert ("county", "month", "all", "state") in protected.marks
    assert worked_out(protected) == []


# --- the compiled search against plain sums


def plain_cost(work: _Work, origin: tuple[int, ...], other: dict[int, int], sign: int) -> float:
    """What an exchange costs, number by number; infinity where it is not allowed."""
    axes, cost = list(other), 0.0
    for far in product((False, True), repeat=len(axes)):
        leaf = list(origin)
        for axis, moved in zip(axes, far, strict=True):
            leaf[axis] = other[axis] if moved else leaf[axis]
        step = sign * (-1) ** sum(far)
        if work.cube.counts[tuple(leaf)] + step < 0:
            return np.inf
        for table, groups in work.groups.items():
            if any(groups[a][other[a]] == groups[a][origin[a]] for a in axes):
                continue
            node = tuple(int(g[i]) for g, i in zip(groups, leaf, strict=True))
            value, mark = int(work.values[table][node]), int(work.marks[table][node])
            price = (1 + np.sqrt(value)) * np.sqrt(
                max(v.size for v in work.values.values()) / work.values[table].size
            )
            after = value + step
            if after < 0:
                return np.inf
            fits = (after < 3) if mark == Mark.SMALL else after >= 3 or mark == Mark.HIDDEN
            cost += (mark == Mark.SHOWN) * price + (not fits) * 9 * price
    return cost


@pytest.mark.parametrize("seed", range(4))
def test_the_compiled_search_finds_what_plain_sums_find(seed: int) -> None:
    whole = cube(1.5, seed, 1.0)
    values = {table: whole.table(table) for table in TABLES}
    marks = {t: np.where(v < 3, Mark.SMALL, Mark.SHOWN).astype(np.int8) for t, v in values.items()}
    work = _Work(whole, values, marks, 3)
    rng = np.random.default_rng(seed)
    table = ("grid", "year", "class")
    work.groups[table] = [a.groups(level) for a, level in zip(whole.axes, table, strict=True)]
    partners = {axis: work._partners(table, axis, 0) for axis in range(3)}
    del work.groups[table]
    for chosen in [c for n in range(4) for c in combinations(range(3), n)]:
        origin, sign = (0, 0, 0), int(rng.choice([-1, 1]))
        costs = [
            plain_cost(work, origin, dict(zip(chosen, map(int, leaves), strict=True)), sign)
            for leaves in product(*(partners[axis] for axis in chosen))
        ]
        work.groups[table] = [a.groups(level) for a, level in zip(whole.axes, table, strict=True)]
        found = work._cheapest(table, chosen, origin, sign, np.inf)
        del work.groups[table]
        assert (np.inf if found is None else found[0]) == pytest.approx(min(costs))
        if found is not None:
            assert plain_cost(work, origin, dict(found[1].other), sign) == pytest.approx(found[0])
            assert work._cheapest(table, chosen, origin, sign, found[0]) is None


def test_warming_compiles_the_search_for_the_types_it_is_called_with() -> None:
    from incidents.exchange import _cheapest
    from incidents.warm import warm

    warm()
    before = len(_cheapest.signatures)
    assert before == 1
    protect(cube(2.0, 5, 1.0), TABLES)
    assert len(_cheapest.signatures) == before
