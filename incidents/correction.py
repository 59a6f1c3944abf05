"""Correction for looking at many places at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from incidents.cells import FloatArray


def benjamini_hochberg(p: ArrayLike, weights: ArrayLike | None = None) -> FloatArray:
    """q-values, the shape of ``p``: called significant at q <= 0.05, 5 % of the calls are false.

    Benjamini & Hochberg (1995): q of the i-th smallest p is min over j >= i of p_j m / j.
    ``weights`` (whole numbers) says how many tests each p stands for. nan (not tested) stays nan
    and is not counted. Holds for independent and for positively dependent tests, which sums over
    neighbouring cells are.
    """
    values = np.asarray(p, dtype=np.float64)
    flat = values.ravel()
    q = np.full(flat.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(flat))
    if not len(tested):
        return q.reshape(values.shape)
    many = np.ones(len(tested))
    if weights is not None:
        many = np.asarray(weights, dtype=np.float64).ravel()[tested]
    order = np.argsort(flat[tested], kind="stable")
    rank = np.cumsum(many[order])
    scaled = flat[tested][order] * rank[-1] / np.maximum(rank, 1.0)
    q[tested[order]] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q.reshape(values.shape)


def critical_value(tests: int, level: float = 0.95) -> float:
    """One-sided normal limit that ``tests`` independent z-values all stay under in 95 % of cases.

    Getis & Ord (1996), table 14.2 (Sidak): 1.645 for one test, 3.886 for a thousand. Strict for
    overlapping neighbourhoods; :func:`benjamini_hochberg` finds more.
    """
    if tests < 1 or not 0 < level < 1:
        raise ValueError("at least one test, and a level between 0 and 1")
    return float(ndtri(level ** (1.0 / tests)))
