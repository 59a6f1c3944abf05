"""Beats proved best on small cases: integer programmes in HiGHS, contiguity by cuts as needed.

Both models assign every grid to one beat with its work inside the band. A solution with a broken
beat is cut off: two grids in different pieces may share the beat only with one of the grids that
separate them (Carvajal et al. 2013), and the model is solved again until no beat is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, vstack

from planning.graph import FloatArray, Graph, IntArray
from planning.start import pieces


class UnsolvedError(RuntimeError):
    """HiGHS found no proven optimum in its time, or there is no solution at all."""


def least_change(graph: Graph, home: IntArray, k: int, band: float) -> tuple[IntArray, float]:
    """Labels and the least work in another beat than ``home``; the mean beat's work is 1."""
    n, work = len(graph), graph.households
    cost = np.repeat(work, k).reshape(n, k)
    cost[np.arange(n), home] = 0.0
    rows = [_once(n, k)]
    held = csr_array(_held(n, k, work))
    limits = [
        LinearConstraint(rows[0], 1, 1),
        LinearConstraint(held, 1 - band, 1 + band),
    ]
    x, least = _solve(graph, cost.ravel(), limits, n * k, lambda x: x[: n * k].reshape(n, k))
    return x.argmax(axis=1), least


def compact(graph: Graph, k: int, band: float) -> tuple[IntArray, float]:
    """Labels and the least work times distance to k centres among the grids (p-median)."""
    n, work = len(graph), graph.households
    away = np.hypot(graph.x[:, None] - graph.x, graph.y[:, None] - graph.y)
    cost = np.concatenate([(work[:, None] * away).ravel(), np.zeros(n)])
    size = n * n + n
    one = csr_array(
        (np.ones(n * n), (np.repeat(np.arange(n), n), np.arange(n * n))), shape=(n, size)
    )
    number = csr_array((np.ones(n), (np.zeros(n, int), n * n + np.arange(n))), shape=(1, size))
    held = _held(n, n, work)
    wide = [
        coo_array(
            (
                np.concatenate([held.data, np.full(n, -share)]),
                (
                    np.concatenate([held.coords[0], np.arange(n)]),
                    np.concatenate([held.coords[1], n * n + np.arange(n)]),
                ),
            ),
            shape=(n, size),
        ).tocsr()
        for share in (1 - band, 1 + band)
    ]
    # a grid goes only to a grid that is a centre
    only = coo_array(
        (
            np.concatenate([np.ones(n * n), -np.ones(n * n)]),
            (
                np.tile(np.arange(n * n), 2),
                np.concatenate([np.arange(n * n), n * n + np.tile(np.arange(n), n)]),
            ),
        ),
        shape=(n * n, size),
    ).tocsr()
    limits = [
        LinearConstraint(one, 1, 1),
        LinearConstraint(number, k, k),
        LinearConstraint(wide[0], 0, np.inf),
        LinearConstraint(wide[1], -np.inf, 0),
        LinearConstraint(only, -np.inf, 0),
    ]
    x, least = _solve(graph, cost, limits, size, lambda x: x[: n * n].reshape(n, n))
    _, label = np.unique(x.argmax(axis=1), return_inverse=True)
    return label, least


def _once(n: int, k: int) -> csr_array:
    return csr_array(
        (np.ones(n * k), (np.repeat(np.arange(n), k), np.arange(n * k))), shape=(n, n * k)
    )


def _held(n: int, k: int, work: FloatArray) -> coo_array:
    return coo_array(
        (np.repeat(work, k), (np.tile(np.arange(k), n), np.arange(n * k))), shape=(k, n * k)
    )


def _solve(
    graph: Graph,
    cost: FloatArray,
    limits: list[LinearConstraint],
    size: int,
    assigned: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, float]:
    """Solve, cut off broken beats, solve again. Raises :class:`UnsolvedError`."""
    cuts: list[csr_array] = []
    for _ in range(200):
        extra = [LinearConstraint(vstack(cuts), -np.inf, 1)] if cuts else []
        found = milp(
            cost,
            constraints=[*limits, *extra],
            integrality=np.ones(size),
            bounds=Bounds(0, 1),
            options={"time_limit": 60.0, "mip_rel_gap": 0.0},
        )
        if found.status != 0:
            raise UnsolvedError(found.message)
        x = assigned(np.round(found.x))
        fresh = list(_broken(graph, x, size))
        if not fresh:
            return x, float(found.fun)
        cuts += fresh
    raise UnsolvedError("200 rounds of cuts")


def _broken(graph: Graph, x: FloatArray, size: int) -> Iterator[csr_array]:
    """One cut for each piece of a beat that is not its heaviest."""
    n, width = x.shape
    label = x.argmax(axis=1)
    piece = pieces(graph, label)
    for beat in np.unique(label):
        own = np.unique(piece[label == beat])
        if len(own) < 2:
            continue
        main = max(own, key=lambda p: (piece == p).sum())
        far = int(np.flatnonzero(piece == main)[0])
        for p in own[own != main]:
            members = np.flatnonzero(piece == p)
            near = np.setdiff1d(
                np.concatenate(
                    [graph.indices[graph.indptr[m] : graph.indptr[m + 1]] for m in members]
                ),
                members,
            )
            columns = np.concatenate([[members[0], far], near]) * width + beat
            signs = np.concatenate([[1.0, 1.0], -np.ones(len(near))])
            yield csr_array((signs, (np.zeros(len(columns), int), columns)), shape=(1, size))
    assert n == len(graph)
