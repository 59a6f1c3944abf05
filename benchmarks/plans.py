"""All contiguous plans of a tiny case: the oracle that needs no solver.

Used twice: to check the solver of :mod:`benchmarks.exact` by brute force, and to say of a plan
how many others are at least as good in balance, shape and reach at once, which no single
optimum says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.instance import Floats, Instance, from_cells, outline_of, tile

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Measured:
    """One row per plan: worst deviation, metres of inner border, mean Polsby-Popper, reach m."""

    worst: Floats
    border: Floats
    pp: Floats
    reach: Floats


@dataclass(frozen=True)
class Standing:
    """Where a plan stands among all contiguous plans of its case.

    Attributes
    ----------
    plans : contiguous plans of the case.
    as_balanced : plans whose worst deviation is no larger.
    better : plans that are no worse in worst deviation, mean Polsby-Popper and reach, and
        better in one of them; 0 means the plan is on the frontier of the three.
    border_gap : border over the shortest among the plans as balanced, less 1.
    pp_gap : best mean Polsby-Popper among the plans as balanced, less the plan's.
    reach_gap : reach over the smallest among the plans as balanced, less 1.
    deviation_gap : worst deviation less the smallest possible.
    """

    plans: int
    as_balanced: int
    better: int
    border_gap: float
    pp_gap: float
    reach_gap: float
    deviation_gap: float


def hamlet(units: int, k: int, *, seed: int) -> Instance:
    """A small village of ``units`` cells with 8 to 90 households each, seeded."""
    rng = np.random.default_rng([seed, units, k])
    households = np.clip(rng.lognormal(3.4, 0.6, units), 8, 90).astype(np.int64)
    outline = outline_of(float(households.sum()) * 700.0)
    left, low, right, high = outline.buffer(-40.0).bounds
    points = np.empty((0, 2))
    while len(points) < units:
        point = rng.uniform((left, low), (right, high))
        apart = np.hypot(*(points - point).T) if len(points) else np.array([np.inf])
        inside = geopandas.GeoSeries.from_xy([point[0]], [point[1]]).within(outline).iloc[0]
        if inside and apart.min() > 35.0:
            points = np.r_[points, point[None, :]]
    name = f"hamlet-{units}-k{k}-seed{seed}"
    return tile(name, k, outline, [], np.round(points, 3), households)


def all_plans(instance: Instance) -> NDArray[np.int8]:
    """(m, n) every partition into ``k`` contiguous grids, once each; labels 0..k-1.

    Grids are numbered by their lowest unit, so no plan is met twice. The count grows
    exponentially: some thousands for 14 units, 117,688 for 25 units and three grids.
    """
    n = len(instance.households)
    near = [0] * n
    for a, b in instance.edges.tolist():
        near[a] |= 1 << b
        near[b] |= 1 << a
    plans = list(_plans(near, (1 << n) - 1, instance.k))
    labels = np.zeros((len(plans), n), dtype=np.int8)
    for row, grids in enumerate(plans):
        for grid, mask in enumerate(grids):
            labels[row, [u for u in range(n) if mask >> u & 1]] = grid
    return labels


def _plans(near: list[int], left: int, k: int) -> Iterator[tuple[int, ...]]:
    if k == 1:
        if _pieces(near, left, 1) == 1:
            yield (left,)
        return
    for grid in _connected(near, left):
        rest = left & ~grid
        if rest and _pieces(near, rest, k - 1) <= k - 1:
            for others in _plans(near, rest, k - 1):
                yield (grid, *others)


def _connected(near: list[int], left: int) -> Iterator[int]:
    """Every connected set of units of ``left`` that holds its lowest unit, once each."""
    lowest = left & -left
    stack = [(lowest, near[lowest.bit_length() - 1] & left & ~lowest, left & ~lowest)]
    while stack:
        grid, border, free = stack.pop()
        border &= free
        if not border:
            yield grid
            continue
        unit = border & -border  # either never in this grid, or in it from now on
        free &= ~unit
        stack.append((grid, border & ~unit, free))
        stack.append((grid | unit, border | near[unit.bit_length() - 1], free))


def _pieces(near: list[int], units: int, enough: int) -> int:
    """Connected pieces of a set of units; stops counting one past ``enough``."""
    count = 0
    while units and count <= enough:
        count += 1
        piece, fresh = 0, units & -units
        while fresh:
            piece |= fresh
            reached = 0
            while fresh:
                unit = fresh & -fresh
                reached |= near[unit.bit_length() - 1]
                fresh ^= unit
            fresh = reached & units & ~piece
        units &= ~piece
    return count


def measure_all(instance: Instance, plans: NDArray[np.int8]) -> Measured:
    """The measures of :mod:`benchmarks.measure`, for many plans at once (labels 0..k-1)."""
    k, h = instance.k, instance.households.astype(float)
    a, b = instance.edges.T
    cut = np.where(plans[:, a] != plans[:, b], instance.border, 0.0)
    worst, pp, inertia = (np.zeros(len(plans)) for _ in range(3))
    ideal = h.sum() / k
    for grid in range(k):
        inside = (plans == grid).astype(float)
        load = inside @ h
        worst = np.maximum(worst, np.abs(load - ideal) / ideal)
        touching = (plans[:, a] == grid) | (plans[:, b] == grid)
        perimeter = inside @ instance.outer + np.sum(cut * touching, axis=1)
        pp += 4.0 * np.pi * (inside @ instance.area) / perimeter**2 / k
        for axis in (instance.points - instance.points.mean(axis=0)).T:
            inertia += inside @ (h * axis**2) - (inside @ (h * axis)) ** 2 / np.maximum(load, 1e-9)
    return Measured(worst, cut.sum(axis=1), pp, np.sqrt(np.maximum(inertia, 0.0) / h.sum()))


def standing(everything: Measured, plan: Measured) -> Standing:
    """Where one plan (a :class:`Measured` of one row) stands among all of them."""
    balanced = everything.worst <= plan.worst + _ROUNDING
    no_worse = (
        balanced
        & (everything.pp >= plan.pp - _ROUNDING)
        & (everything.reach <= plan.reach * (1.0 + _ROUNDING))
    )
    better = no_worse & (
        (everything.worst < plan.worst - _ROUNDING)
        | (everything.pp > plan.pp + _ROUNDING)
        | (everything.reach < plan.reach * (1.0 - _ROUNDING))
    )
    return Standing(
        plans=len(everything.worst),
        as_balanced=int(balanced.sum()),
        better=int(better.sum()),
        border_gap=rounded(plan.border[0] / everything.border[balanced].min() - 1.0),
        pp_gap=rounded(everything.pp[balanced].max() - plan.pp[0]),
        reach_gap=rounded(plan.reach[0] / everything.reach[balanced].min() - 1.0),
        deviation_gap=rounded(plan.worst[0] - everything.worst.min()),
    )


def rounded(gap: float) -> float:
    """A gap to nine places, so that the order of a sum does not show as a gap of -1e-16."""
    return round(float(gap), 9) + 0.0


def fl25(directory: Path) -> tuple[Instance, NDArray[np.int8]]:
    """The 25 precincts of the R package redist and all their contiguous plans in three grids.

    ``directory`` holds ``peers.gpkg`` (layer fl25) and ``fl25_enum.parquet``. People stand for
    households; metres are those of UTM zone 17N.

    Raises
    ------
    FileNotFoundError
        When either file is not there.
    """
    for name in ("peers.gpkg", "fl25_enum.parquet"):
        if not (directory / name).exists():
            raise FileNotFoundError(f"{name} is not in {directory.name}")
    frame = geopandas.read_file(directory / "peers.gpkg", layer="fl25").to_crs(32617)
    table = pd.read_parquet(directory / "fl25_enum.parquet")
    plans = table[[f"p{unit}" for unit in range(len(frame))]].to_numpy(dtype=np.int8) - 1
    people = frame["pop"].to_numpy().astype(np.int64)
    return from_cells("fl25", 3, np.asarray(frame.geometry.values), people), plans
