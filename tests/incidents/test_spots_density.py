"""Density: mass, edges, kernels against direct sums, breaks that stay."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from sklearn.neighbors import KernelDensity

from incidents.cells import count, cover, rectangle
from incidents.density import Kernel, classify, density, fixed_breaks, where_hot


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
@pytest.mark.parametrize("size", [50, 200, 700])
def test_one_event_in_the_middle_keeps_its_mass(kernel: Kernel, size: float) -> None:
    cells = rectangle(61, 61, size)
    counts = np.zeros(cells.shape)
    counts[30, 30] = 1
    surface = density(cells, counts, kernel=kernel, bandwidth=300, edges=False)
    assert surface.sum() * cells.cell_km2 == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(surface, surface.T, atol=1e-9)
    np.testing.assert_allclose(surface, surface[::-1], atol=1e-9)


def test_fine_cells_reach_the_kernel_itself() -> None:
    """Silverman (1986), eq. 4.5: 3 / (pi h^2) at the event, 3 / (pi h^2) (1 - 1/4)^2 half way."""
    cells = rectangle(161, 161, 10)
    counts = np.zeros(cells.shape)
    counts[80, 80] = 1
    surface = density(cells, counts, bandwidth=400, edges=False)
    peak = 3.0 / (np.pi * 0.4**2)
    assert surface[80, 80] == pytest.approx(peak, rel=2e-3)
    assert surface[80, 100] == pytest.approx(peak * 0.75**2, rel=2e-3)
    assert surface[80, 122] == pytest.approx(0.0, abs=1e-9)


def test_agrees_with_a_kernel_density_computed_event_by_event() -> None:
    rng = np.random.default_rng(0)
    xy = rng.normal(5_000, 900, (2_000, 2))
    cells = rectangle(100, 100, 100)
    ours = density(cells, count(cells, *xy.T), kernel="gaussian", bandwidth=300, edges=False)
    model = KernelDensity(bandwidth=300).fit(xy)
    exact = np.exp(model.score_samples(cells.centres())) * len(xy) * 1e6
    assert np.abs(ours.ravel() - exact).max() < 0.02 * exact.max()


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
def test_even_events_give_an_even_surface_to_the_corner(kernel: Kernel) -> None:
    """Uncorrected a border holds half and a corner a quarter: 0.513 and 0.263 were measured."""
    cells = rectangle(60, 60, 50)
    counts = np.full(cells.shape, 3.0)
    corrected = density(cells, counts, kernel=kernel)
    np.testing.assert_allclose(corrected, 3 / cells.cell_km2, rtol=1e-6)
    bare = density(cells, counts, kernel=kernel, edges=False) * cells.cell_km2 / 3
    # cells on the border: their middle is 25 m inside, so a little over a half and a quarter
    assert 0.5 < bare[0, 30] < 0.62
    assert 0.25 < bare[0, 0] < 0.38


def test_even_ground_in_a_ragged_area_is_even() -> None:
    area = shapely.Polygon([(0, 0), (6_000, 500), (5_200, 5_500), (2_500, 3_000), (300, 5_900)])
    cells = cover(area, 200)
    surface = density(cells, cells.share * 7)
    np.testing.assert_allclose(surface[cells.inside], 7 / cells.cell_km2, rtol=1e-6)
    assert np.isnan(surface[~cells.inside]).all()


def test_breaks_are_fixed_over_periods_and_round() -> None:
    rng = np.random.default_rng(1)
    periods = [rng.gamma(1, 20, 500), rng.gamma(1, 60, 500)]
    breaks = fixed_breaks(np.concatenate(periods), 6)
    assert (np.diff(breaks) > 0).all()
    assert all(f"{b:g}".lstrip("0.")[:2].rstrip("0.") in {"1", "15", "2", "3", "5", "7"}
               for b in breaks)  # fmt: skip
    assert classify([0.0, breaks[0], breaks[-1] + 1, np.nan], breaks).tolist() == [
        0, 0, len(breaks), -1,
    ]  # fmt: skip
    assert len(fixed_breaks([0.0, np.nan])) == 0


def test_only_hot_ground_is_drawn() -> None:
    drawn = where_hot([[1.0, 2.0]], np.array([[False, True]]))
    assert np.isnan(drawn[0, 0])
    assert drawn[0, 1] == 2.0


@pytest.mark.parametrize("bandwidth", [0, -3, np.nan, np.inf])
def test_a_bandwidth_is_a_positive_number(bandwidth: float) -> None:
    with pytest.raises(ValueError, match="bandwidth"):
        density(rectangle(3, 3), np.zeros((3, 3)), bandwidth=bandwidth)


def test_where_no_event_is_near_density_is_nothing_at_all() -> None:
    cells = rectangle(120, 90, 200.0)
    counts = np.zeros(cells.shape)
    counts[10, 10] = counts[100, 80] = 7.0
    surface = density(cells, counts)
    assert (surface[40:70] == 0.0).all()
    assert fixed_breaks(surface).min() > 0.01
