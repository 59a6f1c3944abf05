"""Proven optima against brute force, and against a case that others have solved."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from pathlib import Path

import numpy as np
import pytest
import shapely

from benchmarks.exact import NoPlanError, gap, least_border, least_deviation
from benchmarks.instance import Instance, from_cells
from benchmarks.measure import pieces, quality
from benchmarks.plans import all_plans, fl25, hamlet, measure_all, standing

SOLVED_PLANS = 117_688
SOLVED_DEVIATION = 0.0072


def board(width: int, height: int, k: int) -> Instance:
    cells = [shapely.box(x, y, x + 1, y + 1) for y in range(height) for x in range(width)]
    return from_cells("board", k, np.array(cells), np.ones(len(cells), dtype=np.int64))


@pytest.mark.parametrize(("n", "k"), [(2, 2), (5, 2), (8, 3), (9, 4)])
def test_a_row_of_units_is_cut_at_its_joints(n: int, k: int) -> None:
    assert len(all_plans(board(n, 1, k))) == comb(n - 1, k - 1)


@pytest.mark.parametrize(("side", "equal"), [(2, 2), (3, 10), (4, 117)])
def test_equal_cuts_of_a_square_board(side: int, equal: int) -> None:
    """The n x n board cut into n connected districts of n squares: OEIS A172477."""
    instance = board(side, side, side)
    measured = measure_all(instance, all_plans(instance))
    assert int(np.sum(measured.worst == 0)) == equal


def test_plans_are_contiguous_and_met_once() -> None:
    instance = hamlet(11, 3, seed=4)
    plans = all_plans(instance)
    assert len(np.unique(plans, axis=0)) == len(plans)
    for plan in plans[:: max(1, len(plans) // 200)]:
        assert pieces(instance, plan.astype(np.int64), 3).tolist() == [1, 1, 1]


def test_measuring_many_agrees_with_measuring_one() -> None:
    instance = hamlet(10, 3, seed=2)
    plans = all_plans(instance)
    many = measure_all(instance, plans)
    for row in (0, len(plans) // 2, len(plans) - 1):
        one = quality(instance, plans[row].astype(np.int64))
        assert many.worst[row] == pytest.approx(one.worst)
        assert many.border[row] == pytest.approx(one.inner_km * 1000)
        assert many.pp[row] == pytest.approx(one.pp_mean)
        assert many.reach[row] == pytest.approx(one.reach_m)


@pytest.mark.parametrize(("units", "k", "seed"), [(10, 2, 1), (11, 3, 2), (12, 3, 3), (12, 4, 5)])
def test_the_solver_agrees_with_brute_force(units: int, k: int, seed: int) -> None:
    instance = hamlet(units, k, seed=seed)
    measured = measure_all(instance, all_plans(instance))
    even = least_deviation(instance)
    assert even.proven
    assert even.value == pytest.approx(measured.worst.min())
    band = float(np.quantile(measured.worst, 0.1))
    short = least_border(instance, band + 1e-9)
    assert short.proven
    allowed = measured.worst <= band + 1e-9
    assert short.value == pytest.approx(measured.border[allowed].min(), abs=0.5)
    assert quality(instance, short.labels).worst <= band + 1e-8


def test_an_impossible_band_is_said_to_be() -> None:
    instance = board(3, 1, 2)  # 1 and 2 squares: no nearer than a third
    assert least_deviation(instance).value == pytest.approx(1 / 3)
    with pytest.raises(NoPlanError, match="infeasible"):
        least_border(instance, 0.3)


def test_gaps_of_the_best_and_of_a_poor_plan() -> None:
    instance = board(4, 4, 2)
    halves = np.repeat([0, 0, 1, 1], 4)
    assert gap(instance, halves).border == 0
    assert gap(instance, halves).deviation == 0
    crooked = np.array([0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1])
    poor = gap(instance, crooked)
    assert poor.proven
    assert poor.deviation == pytest.approx(1 / 8)
    assert poor.border == pytest.approx(6 / 4 - 1)


def test_a_broken_plan_has_no_gap() -> None:
    with pytest.raises(ValueError, match="2 of them broken"):
        gap(board(2, 2, 2), np.array([0, 1, 1, 0]))


def test_a_plan_on_the_frontier_has_none_better() -> None:
    instance = board(4, 4, 2)
    everything = measure_all(instance, all_plans(instance))
    halves = measure_all(instance, np.repeat([0, 0, 1, 1], 4).astype(np.int8)[None, :])
    best = standing(everything, halves)
    assert (best.better, best.border_gap, best.deviation_gap) == (0, 0, 0)
    crooked = np.array([0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1], dtype=np.int8)
    assert standing(everything, measure_all(instance, crooked[None, :])).better > 0


@pytest.mark.real
def test_the_solved_precincts(real_data: Callable[[str], Path]) -> None:
    instance, plans = fl25(real_data("redist_peers_A/clean"))
    assert plans.shape == (SOLVED_PLANS, 25)
    assert len(np.unique(plans, axis=0)) == SOLVED_PLANS
    measured = measure_all(instance, plans)
    assert measured.worst.min() == pytest.approx(SOLVED_DEVIATION, abs=5e-5)
    assert int(np.sum(measured.worst <= 0.05)) == 192
    assert int(np.sum(measured.worst <= 0.10)) == 927
    even = least_deviation(instance)
    assert even.proven
    assert even.value == pytest.approx(measured.worst.min())
    short = least_border(instance, 0.05)
    assert short.proven
    assert short.value == pytest.approx(measured.border[measured.worst <= 0.05].min(), abs=0.5)


@pytest.mark.real
def test_the_solved_precincts_are_contiguous_in_our_graph(
    real_data: Callable[[str], Path],
) -> None:
    instance, plans = fl25(real_data("redist_peers_A/clean"))
    for plan in plans[::251]:
        assert pieces(instance, plan.astype(np.int64), 3).tolist() == [1, 1, 1]
