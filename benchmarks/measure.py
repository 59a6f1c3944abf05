"""What a labelling is worth: one number per column of the tables in ``docs/peers.md``."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.instance import Floats, Instance, Ints


@dataclass(frozen=True)
class Quality:
    """Measures of one labelling of one instance.

    Attributes
    ----------
    grids : grids that hold a unit; ``k`` was asked for.
    smallest, largest : households of a grid.
    worst : largest |households - ideal| / ideal, where ideal = households of the village / k,
        the best any plan of k grids can reach; a missing grid counts as one with no household.
    within_5, within_10 : share of grids no further than 5 % / 10 % from that ideal.
    broken : grids in more than one piece across shared borders.
    pp_mean, pp_min : Polsby-Popper 4 pi A / P^2 of the grids, 1 for a disc. It punishes a grid
        for a jagged border that is the village's or a road's, not its own.
    reach_m : sqrt(mean over households of squared distance to their grid's household centre).
    inner_km : kilometres of border between grids.
    on_road : share of that border along a road; nan where the instance has none.
    split : buildings cut by the method before its labels were made whole (0 for unit methods).
    """

    grids: int
    smallest: int
    largest: int
    worst: float
    within_5: float
    within_10: float
    broken: int
    pp_mean: float
    pp_min: float
    reach_m: float
    inner_km: float
    on_road: float
    split: int = 0

    def record(self) -> dict[str, float | int | None]:
        """Plain values for JSON; nan (not applicable) becomes None."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


def quality(instance: Instance, labels: Ints, *, split: int = 0) -> Quality:
    """Measure ``labels``, one grid number per unit (any integers).

    Raises
    ------
    ValueError
        When the labels are not one per unit.
    """
    if labels.shape != instance.households.shape:
        raise ValueError(f"{len(labels)} labels for {len(instance.households)} units")
    names, grid = np.unique(labels, return_inverse=True)
    g = len(names)
    load = np.bincount(grid, instance.households, g)
    ideal = instance.households.sum() / instance.k
    deviation = np.abs(np.r_[load, np.zeros(max(0, instance.k - g))] - ideal) / ideal
    cut = grid[instance.edges[:, 0]] != grid[instance.edges[:, 1]]
    inner = float(instance.border[cut].sum())
    along = float((instance.border * instance.on_road)[cut].sum())
    pp = polsby_popper(instance, grid, g)
    return Quality(
        grids=g,
        smallest=int(load.min()),
        largest=int(load.max()),
        worst=float(deviation.max()),
        within_5=float(np.mean(deviation <= 0.05)),
        within_10=float(np.mean(deviation <= 0.10)),
        broken=int(np.sum(pieces(instance, grid, g) > 1)),
        pp_mean=float(pp.mean()),
        pp_min=float(pp.min()),
        reach_m=reach(instance, grid, g),
        inner_km=inner / 1000.0,
        on_road=along / inner if instance.on_road.any() and inner > 0 else float("nan"),
        split=split,
    )


def polsby_popper(instance: Instance, grid: Ints, g: int) -> Floats:
    """(g,) 4 pi A / P^2, from areas and border lengths; no polygon is made."""
    a, b = instance.edges.T
    cut = np.where(grid[a] != grid[b], instance.border, 0.0)
    perimeter = np.bincount(grid, instance.outer, g)
    perimeter += np.bincount(grid[a], cut, g) + np.bincount(grid[b], cut, g)
    return 4.0 * np.pi * np.bincount(grid, instance.area, g) / perimeter**2


def pieces(instance: Instance, grid: Ints, g: int) -> Ints:
    """(g,) connected components of each grid in the rook graph."""
    n = len(grid)
    a, b = instance.edges[grid[instance.edges[:, 0]] == grid[instance.edges[:, 1]]].T
    count, piece = connected_components(coo_array((np.ones(len(a)), (a, b)), (n, n)), False)
    first = np.zeros(count, dtype=np.int64)
    first[piece] = grid
    return np.bincount(first, minlength=g)


def reach(instance: Instance, grid: Ints, g: int) -> float:
    """Household-weighted root-mean-square distance to the grid's household centre, metres."""
    weight = instance.households.astype(float)
    load = np.maximum(np.bincount(grid, weight, g), 1.0)  # a grid with no household weighs nothing
    centre = np.c_[
        np.bincount(grid, weight * instance.points[:, 0], g) / load,
        np.bincount(grid, weight * instance.points[:, 1], g) / load,
    ]
    squared = np.sum((instance.points - centre[grid]) ** 2, axis=1)
    return float(np.sqrt(np.sum(weight * squared) / weight.sum()))
