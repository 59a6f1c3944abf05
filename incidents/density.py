"""Kernel density: events per km², by counting in cells and filtering the counts.

An event is taken to lie anywhere in its cell and the value of a cell is the mean over its ground,
so the kernel is averaged over both squares. That keeps the total, whatever the size of the cells,
and needs no second, finer grid. At the border the filtered counts are divided by the share of the
kernel that lies in the area: without that a border cell loses half of its density, a corner three
quarters.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import correlate1d
from scipy.signal import fftconvolve
from scipy.special import ndtr

from incidents.cells import BoolArray, Cells, FloatArray, IntArray

Kernel = Literal["quartic", "gaussian"]
BANDWIDTH_M = 300.0
LEAST_MASS = 0.02  # a cell with less of its kernel in the area would be divided by next to nothing
_NOISE = 1e-13  # of all events: less is what the transform rounds, where there is no event at all
_FINE = 8  # samples per cell side when the quartic kernel is averaged over squares


def density(
    cells: Cells,
    counts: ArrayLike,
    *,
    bandwidth: float = BANDWIDTH_M,
    kernel: Kernel = "quartic",
    edges: bool = True,
) -> FloatArray:
    """(ny, nx) events per km² of the area's ground; nan outside the area.

    Parameters
    ----------
    counts : (ny, nx) from :func:`incidents.cells.count`; weights are allowed.
    bandwidth : metres. ``quartic``: the radius, beyond which an event counts for nothing.
        ``gaussian``: the standard deviation (a quartic kernel of radius h spreads like a Gaussian
        of h / 2.83). No rule of thumb is offered: on a county they give 1.7 km, which halves what
        the hottest 1 % of the ground holds.
    edges : divide by the kernel's mass inside the area (Diggle 1985). Even events then give an
        even surface; the sum over the area is no longer exactly the number of events.

    Formula: quartic k(d) = 3 / (pi h^2) (1 - d^2 / h^2)^2 (Silverman 1986, eq. 4.5); Gaussian cut
    at four standard deviations.

    Wrong beyond the area: events outside were not read, so the border's value rests on one side.
    Says nothing about chance: draw it where :func:`incidents.gistar.gi_star` is significant.

    Raises ValueError for another shape, or a bandwidth that is not a positive number.
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.shape != cells.shape:
        raise ValueError(f"counts {values.shape} are not of these cells {cells.shape}")
    if not (math.isfinite(bandwidth) and bandwidth > 0):
        raise ValueError(f"the bandwidth must be a positive number of metres, not {bandwidth}")
    inside = cells.inside
    smooth = _filter(np.where(inside, values, 0.0), cells.size, bandwidth, kernel)
    if edges:
        mass = _filter(cells.share, cells.size, bandwidth, kernel)
        smooth = smooth / np.maximum(mass, LEAST_MASS)
    return np.where(inside, np.maximum(smooth, 0.0) / cells.cell_km2, np.nan)


def _filter(values: FloatArray, size: float, bandwidth: float, kernel: Kernel) -> FloatArray:
    """Weighted sums with a kernel whose weights sum to 1; beyond the table there is nothing."""
    if kernel == "gaussian":
        line = _gaussian_line(bandwidth / size)
        down = correlate1d(values, line, axis=0, mode="constant")
        return np.asarray(correlate1d(down, line, axis=1, mode="constant"))
    if kernel != "quartic":
        raise ValueError(f"the kernel is 'quartic' or 'gaussian', not {kernel!r}")
    disc = _quartic_disc(bandwidth / size)
    smooth = np.asarray(fftconvolve(values, disc, mode="same"))
    smooth[np.abs(smooth) < _NOISE * np.abs(values).sum()] = 0.0
    return smooth


def _gaussian_line(sigma: float) -> FloatArray:
    """Weights of cells at distance -r..r: a Gaussian averaged over both cells; sum 1.

    The mean over two unit intervals is the second difference of the twice integrated density
    u Phi(u / s) + s phi(u / s).
    """
    reach = math.ceil(4.0 * sigma) + 1
    u = np.arange(-reach - 1, reach + 2, dtype=np.float64)
    bell = np.exp(-0.5 * (u / sigma) ** 2) / math.sqrt(2.0 * math.pi)
    twice = u * ndtr(u / sigma) + sigma * bell
    weights = twice[2:] - 2.0 * twice[1:-1] + twice[:-2]
    return np.asarray(weights / weights.sum())


def _quartic_disc(radius: float) -> FloatArray:
    """(2r + 1, 2r + 1) weights of a quartic kernel averaged over both squares; sum 1."""
    reach = math.ceil(radius) + 1
    fine = max(_FINE, math.ceil(4.0 / radius))  # a kernel far smaller than a cell is still seen
    steps = np.arange(-reach * fine, reach * fine + 1) / fine
    square = steps[:, None] ** 2 + steps[None, :] ** 2
    disc = np.clip(1.0 - square / radius**2, 0.0, None) ** 2
    # Mean over two squares: a tent of two cells' width, along each axis.
    tent = 1.0 - np.abs(np.arange(-fine, fine + 1)) / fine
    disc = correlate1d(correlate1d(disc, tent, 0, mode="constant"), tent, 1, mode="constant")
    weights = disc[::fine, ::fine]
    return np.asarray(weights / weights.sum())


def fixed_breaks(values: ArrayLike, classes: int = 5) -> FloatArray:
    """(classes - 1,) upper limits of all classes but the last, round numbers, ascending.

    Give it the surfaces of **all** periods to be compared, and draw each with the result: equal
    colours then mean equal numbers. Limits stand at even steps on a logarithmic scale between the
    median and the 99th percentile of what is above 0, rounded to 1, 1.5, 2, 3, 5, 7 times a power
    of ten. Fewer limits where rounding makes two of them one; none where nothing is above 0.
    """
    each = np.asarray(values, dtype=np.float64).ravel()
    each = each[np.isfinite(each) & (each > 0)]
    if classes < 2:
        raise ValueError("at least two classes")
    if not len(each):
        return np.empty(0)
    low, high = np.quantile(each, [0.5, 0.99])
    steps = np.geomspace(low, max(high, low), classes - 1)
    return np.unique([_round_number(float(step)) for step in steps])


def _round_number(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    nearest = min((1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0), key=lambda m: abs(m - value / power))
    return float(f"{nearest * power:.6g}")


def classify(values: ArrayLike, breaks: ArrayLike) -> IntArray:
    """Class of each value, 0 for values up to the first limit; -1 for nan."""
    each = np.asarray(values, dtype=np.float64)
    limits = np.asarray(breaks, dtype=np.float64)
    return np.where(np.isnan(each), -1, np.searchsorted(limits, each, side="left"))


def where_hot(surface: ArrayLike, hot: BoolArray) -> FloatArray:
    """The surface where Gi* is significantly high, nan elsewhere: what a leader's map shows."""
    return np.where(hot, np.asarray(surface, dtype=np.float64), np.nan)
