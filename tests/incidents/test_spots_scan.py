"""The scan statistic: SaTScan's New York case, an oracle, and noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from incidents.scan import scan

PUBLISHED = Path(__file__).parent / "published"
# SaTScan 9.6, purely spatial, discrete Poisson, circles to 50 % of the population
SATSCAN = [
    (14.083511, 100, 58.28, 1.87, 28),
    (9.019716, 38, 17.79, 2.22, 8),
    (6.114140, 64, 40.85, 1.64, 33),
    (4.651839, 25, 12.82, 1.99, 4),
    (3.363518, 12, 5.14, 2.37, 4),
    (3.209485, 11, 4.61, 2.41, 3),
]
FIRST = {52, 50, 37, 49, 38, 48, 53, 39, 15, 47, 51, 1, 40, 44, 16, 2, 55, 36, 14, 43, 13, 45, 3,
         35, 17, 11, 12, 46}  # fmt: skip


def test_new_york_leukaemia() -> None:
    tracts = pd.read_csv(PUBLISHED / "new_york_leukaemia.csv")
    places = tracts[["latitude", "longitude"]].to_numpy()  # the case is told in plane degrees
    found = scan(places, tracts["cases"], tracts["population"], runs=199)
    for cluster, (ratio, events, expected, risk, members) in zip(found, SATSCAN, strict=False):
        assert cluster.log_likelihood_ratio == pytest.approx(ratio, abs=5.1e-7)
        assert cluster.events == events
        assert cluster.expected == pytest.approx(expected, abs=0.005)
        assert cluster.relative_risk == pytest.approx(risk, abs=0.005)
        assert len(cluster.places) == members
    assert set((found[0].places + 1).tolist()) == FIRST
    assert (found[1].places + 1).tolist() == [89, 88, 87, 84, 90, 86, 92, 85]
    assert found[0].p == 1 / 200
    assert found[1].p < 0.06
    assert found[4].p > 0.8


def plain_best(xy: np.ndarray, cases: np.ndarray, people: np.ndarray) -> float:
    """Every circle around every place, one by one."""
    total, best = cases.sum(), 0.0
    expected = people * total / people.sum()
    for centre in xy:
        distance = np.hypot(*(xy - centre).T)
        for radius in np.unique(distance):
            held = distance <= radius * (1 + 1e-12)
            c, e = cases[held].sum(), expected[held].sum()
            if e <= total / 2 and c > e and c >= 2:
                rest = (total - c) * np.log((total - c) / (total - e)) if total > c else 0.0
                best = max(best, c * np.log(c / e) + rest)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_best_circle_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, 6, (30, 2)).astype(float)  # many ties, and places at one point
    people = rng.integers(1, 50, 30).astype(float)
    cases = rng.poisson(2, 30)
    found = scan(xy, cases, people, runs=0)
    assert found[0].log_likelihood_ratio == pytest.approx(plain_best(xy, cases, people))
    members = np.concatenate([cluster.places for cluster in found])
    assert len(members) == len(set(members.tolist()))


def test_noise_is_rarely_significant() -> None:
    rng = np.random.default_rng(0)
    xy = rng.random((40, 2))
    people = rng.integers(100, 900, 40)
    low = 0
    for run in range(60):
        cases = rng.multinomial(80, people / people.sum())
        low += scan(xy, cases, people, runs=99, seed=run)[0].p <= 0.05
    assert low <= 8  # 3 are expected; 8 or fewer in 99.6 of 100 such tests


def test_radius_limits_circles() -> None:
    xy = np.array([[0.0, 0], [100, 0], [5_000, 0], [5_100, 0]])
    (best, *_rest) = scan(xy, [5, 6, 0, 0], [10, 10, 10, 10], most_radius=50, runs=9)
    assert best.radius == 0
    assert len(best.places) == 1


def test_what_cannot_be_scanned_is_refused() -> None:
    with pytest.raises(ValueError, match="no population"):
        scan([[0, 0]], [0], [0])
    with pytest.raises(ValueError, match="3 events lie in places without population"):
        scan([[0, 0], [1, 1]], [3, 2], [0, 9])
    with pytest.raises(ValueError, match="whole numbers"):
        scan([[0, 0]], [1.5], [3])
    with pytest.raises(ValueError, match="most_radius"):
        scan(np.zeros((4_000, 2)), np.ones(4_000), np.ones(4_000))
    assert scan([[0, 0], [1, 1]], [1, 0], [3, 3]) == []
