"""How far to trust a map: what a map of the past would have caught of a later period.

Nothing here forecasts. A surface made from one period ranks the cells; the events of a later
period, which the surface has not seen, say how many of them fell into the cells ranked first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from incidents.cells import Cells, FloatArray
from incidents.density import BANDWIDTH_M, Kernel, density

SHARES = (0.01, 0.05, 0.10)


@dataclass(frozen=True, eq=False)
class Curve:
    """Measures after each cell, cells ordered by the surface, best first; arrays (n,).

    Attributes
    ----------
    area : share of the ground taken so far (a / A).
    hit : share of the later events in it (n / N).
    pai : hit / area; 1 is what any choice by lot gives (Chainey, Tompson & Uhlig 2008).
    pei : pai / the best pai this much ground could have had (Hunt 2016).
    rri : events the surface had there / events that came (Wheeler & Steenbeek 2021); 1 is neither
        over nor under; nan where no event came.
    """

    area: FloatArray
    hit: FloatArray
    pai: FloatArray
    pei: FloatArray
    rri: FloatArray


def curve(predicted: ArrayLike, observed: ArrayLike, area: ArrayLike | None = None) -> Curve:
    """Cumulative measures; ``predicted`` and ``observed`` events per cell, ``area`` of any unit.

    Among cells predicted alike the worst come first: a tie is no merit. Raises ValueError
    for other lengths or when nothing was observed.
    """
    pred = np.asarray(predicted, dtype=np.float64)
    obs = np.asarray(observed, dtype=np.float64)
    ground = np.ones(len(obs)) if area is None else np.asarray(area, dtype=np.float64)
    if not pred.shape == obs.shape == ground.shape or pred.ndim != 1:
        raise ValueError("predicted, observed and area must be lists of one length")
    if not obs.sum() > 0:
        raise ValueError("no event in the later period: nothing to measure with")
    order = np.lexsort((obs, -pred / ground))
    taken = np.cumsum(ground[order]) / ground.sum()
    hit = np.cumsum(obs[order]) / obs.sum()
    came = np.cumsum(obs[order])
    rri = np.divide(np.cumsum(pred[order]), came, out=np.full(len(obs), np.nan), where=came > 0)
    best = _best_hit(obs, ground, taken)
    pei = np.divide(hit, best, out=np.zeros_like(hit), where=best > 0)
    return Curve(taken, hit, hit / taken, pei, rri)


def _best_hit(observed: FloatArray, ground: FloatArray, taken: FloatArray) -> FloatArray:
    """Most that could have been caught on each share of ground: densest cells first."""
    order = np.argsort(-observed / ground, kind="stable")
    area = np.concatenate([[0.0], np.cumsum(ground[order]) / ground.sum()])
    caught = np.concatenate([[0.0], np.cumsum(observed[order]) / observed.sum()])
    return np.asarray(np.interp(taken, area, caught))


@dataclass(frozen=True)
class Accuracy:
    """What one surface caught on one share of the ground.

    ``surface`` is ``count``, ``density`` or a name given; ``share`` of the ground looked at;
    ``hit``, ``pai``, ``pei`` and ``rri`` as in :class:`Curve`; ``events`` of the later period.
    """

    surface: str
    share: float
    hit: float
    pai: float
    pei: float
    rri: float
    events: int


def measure(
    name: str,
    predicted: ArrayLike,
    observed: ArrayLike,
    area: ArrayLike,
    shares: tuple[float, ...] = SHARES,
) -> list[Accuracy]:
    """One row per share of the ground, the last cell taken in part so that the share is exact.

    ``predicted`` (n,) per unit of ground, ``observed`` (n,) events, ``area`` (n,) ground.

    Cells the surface does not tell apart (all the zeros of a count) are taken in equal parts, not
    in whichever order they stand: what a choice by lot among them catches on average.
    """
    pred = np.asarray(predicted, dtype=np.float64)
    obs = np.asarray(observed, dtype=np.float64)
    ground = np.asarray(area, dtype=np.float64)
    if not obs.sum() > 0:
        raise ValueError("no event in the later period: nothing to measure with")
    _, level = np.unique(-pred, return_inverse=True)
    taken = np.concatenate([[0.0], np.cumsum(np.bincount(level, ground))])
    caught = np.concatenate([[0.0], np.cumsum(np.bincount(level, obs))])
    foreseen = np.concatenate([[0.0], np.cumsum(np.bincount(level, pred * ground))])
    scale = float(obs.sum()) / foreseen[-1] if foreseen[-1] > 0 else 0.0
    rows = []
    for share in shares:
        n = float(np.interp(share * ground.sum(), taken, caught))
        hit = n / float(obs.sum())
        best = float(_best_hit(obs, ground, np.array([share]))[0])
        had = float(np.interp(share * ground.sum(), taken, foreseen)) * scale
        rows.append(
            Accuracy(
                name,
                share,
                hit,
                hit / share,
                hit / best if best > 0 else 0.0,
                had / n if n > 0 else float("nan"),
                int(obs.sum()),
            )
        )
    return rows


def back_test(
    cells: Cells,
    before: ArrayLike,
    after: ArrayLike,
    *,
    bandwidth: float = BANDWIDTH_M,
    kernel: Kernel = "quartic",
    shares: tuple[float, ...] = SHARES,
) -> list[Accuracy]:
    """Density and simple counting of the earlier period, measured on the later one.

    ``before`` and ``after`` are (ny, nx) counts of two periods that do not overlap. The rri scales
    the earlier period to as many events as came, so it tells place, not growth. Cells count with
    their ground inside the area.

    Wrong on few events (with under 50 in the later period the hit rate is good to ten points) and
    where reporting changed between the periods.
    """
    inside = cells.inside
    past = np.asarray(before, dtype=np.float64)
    later = np.asarray(after, dtype=np.float64)[inside]
    ground = cells.share[inside]
    surface = density(cells, past, bandwidth=bandwidth, kernel=kernel)[inside] * ground
    # Ranked by density per ground, not by total: a border cell is small, not quiet.
    rows = measure("density", surface / ground, later, ground, shares)
    return rows + measure("count", past[inside] / ground, later, ground, shares)
