"""Hit rate, PAI, PEI, RRI: ptools' printed example, and fair treatment of ties."""

from __future__ import annotations

import numpy as np
import pytest

from incidents.accuracy import back_test, curve, measure
from incidents.cells import rectangle


def test_ptools_example() -> None:
    result = curve([8, 4, 4, 2, 1, 0], [6, 7, 3, 2, 1, 0])
    np.testing.assert_allclose(result.pai, [1.8947, 1.4211, 1.6842, 1.4211, 1.2, 1.0], atol=5e-5)
    np.testing.assert_allclose(result.pei, [0.8571, 0.6923, 1, 1, 1, 1], atol=5e-5)
    np.testing.assert_allclose(result.rri, [1.3333, 1.3333, 1, 1, 1, 1], atol=5e-5)


def test_ptools_own_test() -> None:
    result = curve([3, 2, 1], [6, 3, 0])
    np.testing.assert_allclose(result.pai, [2, 1.5, 1])
    np.testing.assert_allclose(result.pei, [1, 1, 1])
    np.testing.assert_allclose(result.rri, np.cumsum([3, 2, 1]) / np.cumsum([6, 3, 0]))


def test_measure_is_the_curve_where_a_share_ends_on_a_cell() -> None:
    rng = np.random.default_rng(0)
    predicted, observed = rng.permutation(100).astype(float), rng.poisson(2, 100).astype(float)
    full = curve(predicted, observed)
    for row in measure("map", predicted, observed, np.ones(100), (0.01, 0.05, 0.10)):
        at = round(row.share * 100) - 1
        assert row.hit == pytest.approx(full.hit[at])
        assert row.pai == pytest.approx(full.pai[at])
        assert row.pei == pytest.approx(full.pei[at])


def test_cells_predicted_alike_are_taken_by_lot() -> None:
    observed = np.array([10.0, 0, 0, 0])
    (row,) = measure("map", np.zeros(4), observed, np.ones(4), (0.25,))
    assert row.hit == pytest.approx(0.25)
    assert row.pai == pytest.approx(1.0)
    assert row.pei == pytest.approx(0.25)


def test_back_test_of_events_that_come_again() -> None:
    rng = np.random.default_rng(1)
    cells = rectangle(50, 50)
    rate = np.full((50, 50), 0.02)
    rate[20:24, 30:34] = 3.0
    before, after = rng.poisson(rate).astype(float), rng.poisson(rate).astype(float)
    rows = {(row.surface, row.share): row for row in back_test(cells, before, after)}
    assert set(rows) == {(s, a) for s in ("density", "count") for a in (0.01, 0.05, 0.10)}
    assert rows["density", 0.01].pai > 20
    assert 0 < rows["count", 0.01].pei <= 1
    assert rows["density", 0.10].events == after.sum()
    with pytest.raises(ValueError, match="no event in the later period"):
        back_test(cells, before, np.zeros((50, 50)))
