"""The peers of the hot-spot benchmark do what they are compared for, and noise is noise."""

from __future__ import annotations

import numpy as np

from benchmarks.hotspots import best, matrix_gi_star, queen_matrix
from benchmarks.noise import false_cells, ragged, scatter
from incidents.gistar import gi_star


def test_the_matrix_peer_gives_the_same_corrected_values() -> None:
    counts = np.random.default_rng(0).negative_binomial(1, 0.2, (20, 20)).astype(float)
    ours = gi_star(counts, method="normal")
    np.testing.assert_allclose(
        matrix_gi_star(counts.ravel(), queen_matrix(20)), ours.q.ravel(), rtol=1e-9
    )


def test_noise_falls_inside_the_area_alone() -> None:
    cells = ragged()
    counts = scatter(cells, 500, np.random.default_rng(0))
    assert counts.sum() == 500
    assert counts[~cells.inside].sum() == 0
    assert 2_000 < cells.inside.sum() < 3_500
    assert false_cells(cells, 50, "normal", 3, seed=1).min() > 5


def test_best_is_of_real_runs() -> None:
    calls: list[int] = []
    assert best(lambda: calls.append(1), 4) >= 0
    assert len(calls) == 4
