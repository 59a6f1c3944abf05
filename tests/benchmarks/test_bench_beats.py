"""The benchmark of beats measures what it says, on a city small enough to wait for."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.beats import city_ground, measure, table


def test_a_small_city_is_measured_in_all_kinds() -> None:
    ground = city_ground(60, 6)
    rows = list(measure("city 60", ground))
    assert len(rows) == 6
    for row in rows:
        assert row["beats"] == 6
        assert row["broken"] == 0
        assert row["moved_work"] >= row["bound"] - 1e-9
        assert row["bound_whole"] >= row["bound"] - 1e-9
    shown = table(rows, [{"seed": 0, "kind": "compact", "status": "time limit"}])
    assert shown.count("| city 60 |") == 6
    assert "time limit" in shown


def test_the_city_tiles_its_square() -> None:
    ground = city_ground(40, 4)
    assert ground.units.area.sum() == pytest.approx(40 * 500**2)
    assert len(np.unique(ground.home)) == 4
