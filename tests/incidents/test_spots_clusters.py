"""Outlines of clusters: who is in them, and that no corner is an event."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from incidents.cells import cover
from incidents.clusters import clusters


def two_groups() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return np.concatenate(
        [rng.normal(1_000, 60, (80, 2)), rng.normal(5_000, 60, (40, 2)),
         rng.uniform(0, 10_000, (30, 2))]
    ).T  # fmt: skip


def test_groups_are_found_largest_first() -> None:
    x, y = two_groups()
    result = clusters(x, y, least=15)
    assert len(result.events) == 2
    assert result.events[0] > result.events[1] > 30
    for k in range(2):
        members = result.label == k
        assert members.sum() == result.events[k]
        points = shapely.points(x[members], y[members])
        assert shapely.covers(result.outline[k], points).all()
        assert result.per_km2[k] == pytest.approx(
            result.events[k] / (result.outline[k].area / 1e6)
        )
    assert (result.label[120:] == -1).mean() > 0.5


def test_outlines_follow_the_cells_and_give_no_event_away() -> None:
    x, y = two_groups()
    for outline in clusters(x, y, least=15).outline:
        corners = shapely.get_coordinates(outline)
        np.testing.assert_allclose(corners, np.round(corners / 200) * 200, atol=1e-6)


def test_events_without_a_place_or_outside_are_in_none() -> None:
    x, y = two_groups()
    x[0] = np.nan
    area = cover(shapely.box(0, 0, 2_000, 2_000), 100)
    result = clusters(x, y, least=15, area=area)
    assert result.label[0] == -1
    assert (result.label[(x > 2_000) | (y > 2_000)] == -1).all()


def test_too_few_and_too_many() -> None:
    assert len(clusters([1.0, 2.0], [1.0, 2.0]).events) == 0
    with pytest.raises(ValueError, match="too many for clusters"):
        clusters(np.zeros(50_001), np.zeros(50_001))
