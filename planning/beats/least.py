"""Least change: many searches from today's beats, then the best of them again, region by region.

How dear a beat outside the band is while the search is warm decides how far work may travel. Cheap,
and it stays at home but some beats stay outside; dear, and every beat comes inside at any cost. No
one setting is best everywhere (few large beats that lack half their work, a hundred small ones a
grid off), so that each of :data:`SCHEDULES` is tried, and one dear price judges all of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from planning.beats.anneal import Area, Price, search
from planning.beats.regions import renew
from planning.graph import IntArray


@dataclass(frozen=True)
class Schedule:
    """``slope`` and ``step`` of the band while searching; ``hot``, ``cold`` in a usual grid's work.
    """

    slope: float
    step: float
    hot: float
    cold: float


SCHEDULES = (
    Schedule(8, 1, 0.5, 0.1),
    Schedule(15, 1, 2, 0.02),
    Schedule(8, 1, 0.5, 0.1),
    Schedule(8, 1, 1, 0.05),
    Schedule(8, 1, 0.5, 0.1),
    Schedule(8, 1, 2, 0.02),
)
MOST_RUNS = 3  # of each schedule
ENOUGH = 2_500_000  # tried moves of one schedule; fewer runs where one takes as many
FINALISTS = 2  # twice as many where a schedule has several runs
LEAST_ROUNDS = 40  # regions, however few beats
COLD = 0.1  # of a usual grid's work, at the end of a region's search


def least_change(
    area: Area,
    today: IntArray,
    k: int,
    price: Price,
    *,
    moves: int,
    rounds: int,
    region_moves: int,
    grid: float,
    seed: int,
    threads: int,
) -> tuple[IntArray, float]:
    """The cheapest labels found from ``today`` (0..k-1, every beat in one piece), and their price.

    ``moves`` tried moves a search; ``rounds`` regions a beat with ``region_moves`` a node.
    ``grid`` the work of a usual node. ``threads`` change nothing but the time.
    """
    runs = int(np.clip(ENOUGH // max(moves, 1), 1, MOST_RUNS)) * len(SCHEDULES)
    finalists = FINALISTS if runs == len(SCHEDULES) else 2 * FINALISTS

    def run(number: int) -> tuple[float, int, IntArray]:
        schedule = SCHEDULES[number % len(SCHEDULES)]
        label, _ = search(
            area, today, k, replace(price, slope=schedule.slope, step=schedule.step),
            moves=moves, hot=schedule.hot * grid, cold=schedule.cold * grid, seed=seed + number,
        )
        return round(price_at(area, label, k, price), 12), number, label

    def again(found: tuple[float, int, IntArray]) -> tuple[float, int, IntArray]:
        _, number, label = found
        label = polished(
            area, label, k, price,
            rounds=max(rounds * k, LEAST_ROUNDS), region_moves=region_moves,
            grid=grid, seed=seed + number,
        )
        return round(price_at(area, label, k, price), 12), number, label

    with ThreadPoolExecutor(threads) as pool:  # the search releases the interpreter's lock
        found = sorted(pool.map(run, range(runs)), key=lambda one: one[:2])
        cost, _, label = min(pool.map(again, found[:finalists]), key=lambda one: one[:2])
    return label, cost


def polished(
    area: Area,
    label: IntArray,
    k: int,
    price: Price,
    *,
    rounds: int,
    region_moves: int,
    grid: float,
    seed: int,
) -> IntArray:
    """``label`` after ``rounds`` regions, and with every grid given back that may go back."""
    label = renew(
        area, label, k, price,
        rounds=rounds, moves=region_moves, grid=grid, cold=COLD * grid, seed=seed,
    )
    label, _ = search(
        area, label, k, price,
        moves=200 * len(area), hot=1e-3 * grid, cold=1e-4 * grid, seed=seed, first=1.0,
    )
    return label


def price_at(area: Area, label: IntArray, k: int, price: Price) -> float:
    """What a division costs."""
    return search(area, label, k, price, moves=0, hot=1.0, cold=1.0, seed=0)[1]
