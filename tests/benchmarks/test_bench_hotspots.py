"""The peers of the hot-spot benchmark do what they are compared for, and noise is noise."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.hotspots import best, matrix_gi_star, queen_matrix
from benchmarks.noise import cases, false_cells
from incidents.gistar import gi_star


def test_the_matrix_peer_gives_the_same_corrected_values() -> None:
    counts = np.random.default_rng(0).negative_binomial(1, 0.2, (20, 20)).astype(float)
    ours = gi_star(counts, method="normal")
    np.testing.assert_allclose(
        matrix_gi_star(counts.ravel(), queen_matrix(20)), ours.q.ravel(), rtol=1e-9
    )


def test_noise_falls_where_it_may_and_is_judged_as_maps_are() -> None:
    made = cases()
    for one in made.values():
        assert one.chance.sum() == pytest.approx(1.0)
        assert not one.chance[~one.held.cells.inside].any()
    assert 2_000 < made["ragged"].cells < 3_500
    lived, empty = made["households"].held.households, made["households"].chance == 0
    assert lived is not None
    assert lived.sum() == 12_000
    assert empty[made["households"].held.cells.inside].any()
    assert false_cells(made["ragged"], 50, "normal", 3).min() > 5


def test_best_is_of_real_runs() -> None:
    calls: list[int] = []
    assert best(lambda: calls.append(1), 4) >= 0
    assert len(calls) == 4
