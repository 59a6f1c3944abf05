"""Kulldorff's circular scan: where, how large, how sure, in one test over all circles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from incidents.cells import FloatArray, IntArray

MOST_PLACES = 3_000  # circles grow with the square; 3,000 places have up to 4.5 million


@dataclass(frozen=True, eq=False)
class Cluster:
    """One circle with more events than its population lets expect.

    Attributes
    ----------
    centre : number of the place in the middle.
    places : numbers of the places inside, nearest first.
    radius : distance of the furthest place's point, in the unit of the coordinates.
    events, expected : in the circle; expected at the common rate.
    relative_risk : rate inside / rate outside.
    log_likelihood_ratio : how much better "another rate inside" explains the events.
    p : share of random scatterings whose best circle anywhere is at least as good.
    """

    centre: int
    places: IntArray
    radius: float
    events: int
    expected: float
    relative_risk: float
    log_likelihood_ratio: float
    p: float


def scan(
    points: ArrayLike,
    events: ArrayLike,
    population: ArrayLike,
    *,
    most_share: float = 0.5,
    most_radius: float | None = None,
    runs: int = 999,
    seed: int = 0,
) -> list[Cluster]:
    """Circles with high rates, best first; secondary ones share no place with a better one.

    Parameters
    ----------
    points : (n, 2) metres; of cells or areas (``Cells.centres()``, representative points).
    events, population : (n,); whole numbers and anything from 0 up (residents, households).
    most_share : of the population a circle may hold; most_radius : metres, None for no limit.
    runs : random scatterings of the same number of events by population (multinomial).

    Formula: discrete Poisson model (Kulldorff 1997): LLR = c ln(c / E) + (C - c) ln((C - c) /
    (C - E)) where c > E. Each centre offers its best circle, as in SaTScan, with whose New York
    case (LLR 14.083511) it agrees. Places at one distance enter together (SaTScan adds them one
    by one, which makes circles nobody can draw). Circles of fewer than two events are not looked
    at. The p of secondary clusters is conservative.

    Wrong for long clusters (a road, a river bank: found as a part or a fat circle) and where the
    population is not what is at risk. Raises ValueError for other lengths, nothing to scan, events
    in places without population, or more than 3,000 places without a radius.
    """
    xy = np.asarray(points, dtype=np.float64)
    cases = np.asarray(events, dtype=np.float64)
    people = np.asarray(population, dtype=np.float64)
    n, total = len(xy), int(cases.sum())
    if xy.shape != (n, 2) or cases.shape != (n,) or people.shape != (n,):
        raise ValueError("points, events and population must tell of the same places")
    if (cases < 0).any() or (cases != np.floor(cases)).any() or (people < 0).any():
        raise ValueError("events must be whole numbers, and nothing may be negative")
    if (cases[people == 0] > 0).any():
        raise ValueError(
            f"{int(cases[people == 0].sum())} events lie in places without population: any circle "
            "around them would be beyond chance; leave them out, or give what they follow"
        )
    if not people.sum() > 0:
        raise ValueError("no population: nothing to expect events from")
    if n > MOST_PLACES and most_radius is None:
        raise ValueError(f"{n} places are too many for all circles: give most_radius, or areas")
    if total < 2:
        return []
    expected = total * people / people.sum()
    chance = np.random.default_rng(seed).multinomial(total, people / people.sum(), size=runs)
    scattered = np.ascontiguousarray(chance.T.astype(np.int32))
    found, highest, table = [], np.zeros(runs), _table(total)
    for centre in range(n):
        circle = _circles(xy, centre, expected, total * most_share, most_radius)
        if circle is None:
            continue
        order, ends, distance = circle
        inside = np.cumsum(expected[order])[ends]
        ratio = _ratio(np.cumsum(cases[order])[ends], inside, total)
        best = int(np.argmax(ratio))
        if ratio[best] > 0:
            end = int(ends[best])
            found.append((float(ratio[best]), centre, order[: end + 1], float(distance[end])))
        if runs:
            sums = np.cumsum(scattered[order], axis=0, dtype=np.int32)[ends]
            highest = np.maximum(highest, _highest(sums, inside, total, table))
    return _apart(found, cases, expected, total, highest)


def _circles(
    xy: FloatArray, centre: int, expected: FloatArray, most: float, radius: float | None
) -> tuple[IntArray, IntArray, FloatArray] | None:
    """Places by distance, the last place of each circle, the distances; None without a circle."""
    distance = np.hypot(*(xy - xy[centre]).T)
    order = np.argsort(distance, kind="stable")
    ordered = distance[order]
    apart = np.append(ordered[1:] > ordered[:-1] * (1 + 1e-12), True)
    allowed = apart & (np.cumsum(expected[order]) <= most * (1 + 1e-12))
    if radius is not None:
        allowed &= ordered <= radius
    ends = np.flatnonzero(allowed)
    if not len(ends):
        return None
    last = int(ends[-1]) + 1
    return order[:last], ends, ordered[:last]


def _ratio(inside: FloatArray, expected: FloatArray, total: int) -> FloatArray:
    """Log likelihood ratio of circles; 0 where there are no more than expected, or under two."""
    outside = total - inside
    safe = np.maximum(expected, 1e-300)
    value = xlogy(inside, inside / safe)
    value += xlogy(outside, outside / np.maximum(total - expected, 1e-300))
    return np.asarray(np.where((inside > expected) & (inside >= 2), value, 0.0))


def _table(total: int) -> FloatArray:
    """(total + 1,) c ln(c) + (C - c) ln(C - c) of every count."""
    known = np.arange(total + 1, dtype=np.float64)
    return np.asarray(xlogy(known, known) + xlogy(total - known, total - known))


def _highest(
    sums: NDArray[np.int32], expected: FloatArray, total: int, table: FloatArray
) -> FloatArray:
    """(runs,) best ratio of one centre's circles (circles, runs).

    The same as :func:`_ratio`, with the logarithms of counts looked up and those of expectations
    worked out once a circle.
    """
    inner, outer = np.maximum(expected, 1e-300), np.maximum(total - expected, 1e-300)
    value = table[sums]
    value -= sums * (np.log(inner) - np.log(outer))[:, None]
    value -= (total * np.log(outer))[:, None]
    value[(sums <= expected[:, None]) | (sums < 2)] = 0.0
    return np.asarray(value.max(axis=0))


def _apart(
    found: list[tuple[float, int, IntArray, float]],
    cases: FloatArray,
    expected: FloatArray,
    total: int,
    highest: FloatArray,
) -> list[Cluster]:
    """Best first, each only if it shares no place with a better one."""
    taken = np.zeros(len(cases), dtype=bool)
    clusters = []
    for ratio, centre, places, radius in sorted(found, key=lambda each: (-each[0], each[1])):
        if taken[places].any():
            continue
        taken[places] = True
        c, e = float(cases[places].sum()), float(expected[places].sum())
        outside = (total - c) / (total - e) if total > e else 0.0
        clusters.append(
            Cluster(
                centre=centre,
                places=places,
                radius=float(radius),
                events=int(c),
                expected=e,
                relative_risk=(c / e) / outside if outside > 0 and e > 0 else float("inf"),
                log_likelihood_ratio=ratio,
                p=float((np.sum(highest >= ratio * (1 - 1e-9)) + 1) / (len(highest) + 1)),
            )
        )
    return clusters
