"""The cheapest exchange of events that all published sums survive: the inner loop of disclosure
control, compiled. What an exchange is and what it proves, :mod:`incidents.disclosure` says.

Tables lie behind one another in flat arrays, each in row-major order: ``values``, ``marks`` and
``price`` have one entry a number of a table. Imported where it is used: who shares nothing need not
wait for the compiler's library.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from incidents.cube import ALL, Cube, Table

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

MOST_AXES = 3  # that one exchange moves on
NEVER = 1e15  # the price of a number that was published before and cannot be taken back
_SHOWN, _SMALL, _WITHHELD = 0, 1, 2
_LOST_CLAIM = 9.0  # times the price: a mark that must claim less costs more than one more number


@dataclass(frozen=True, eq=False)
class Sums:
    """What the kernel reads. ``counts`` (leaves,) row-major with ``leaf_stride`` (axes,);
    ``groups`` (tables, axes, leaves) the group of a leaf; ``told`` (tables, axes) whether a table
    tells an axis' groups apart; a number's place is ``offset`` (tables,) plus group times
    ``stride`` (tables, axes)."""

    counts: IntArray
    leaf_stride: IntArray
    groups: IntArray
    told: NDArray[np.bool_]
    stride: IntArray
    offset: IntArray
    values: IntArray
    marks: NDArray[np.int8]
    price: FloatArray
    threshold: int


def sums_of(
    cube: Cube,
    values: Mapping[Table, IntArray],
    marks: Mapping[Table, NDArray[np.int8]],
    threshold: int,
    fixed: Collection[Table] = (),
) -> Sums:
    """Every table in flat arrays, with what a number costs to withhold: one of a ``fixed`` table
    :data:`NEVER`."""
    axes = cube.axes
    leaves = max(axis.leaves for axis in axes)
    groups = np.zeros((len(values), len(axes), leaves), dtype=np.int64)
    told = np.zeros((len(values), len(axes)), dtype=bool)
    stride = np.zeros((len(values), len(axes)), dtype=np.int64)
    for t, (table, held) in enumerate(values.items()):
        for a, (axis, level) in enumerate(zip(axes, table, strict=True)):
            groups[t, a, : axis.leaves] = axis.groups(level)
            told[t, a] = level != ALL
        stride[t] = np.array(_strides(held.shape))
    # a large number is worth more than several small ones, and one of a few more than one of
    # many: totals are what people look for
    most = max((v.size for v in values.values()), default=1)
    price = [
        np.full(v.size, NEVER) if table in fixed
        else ((1.0 + np.sqrt(v)) * np.sqrt(most / v.size)).ravel()
        for table, v in values.items()
    ]  # fmt: skip
    return Sums(
        np.ascontiguousarray(cube.counts, dtype=np.int64).ravel(),
        np.array(_strides(cube.counts.shape)),
        groups, told, stride,
        np.cumsum([0, *(v.size for v in values.values())])[:-1].astype(np.int64),
        np.concatenate([v.ravel() for v in values.values()]),
        np.concatenate([m.ravel() for m in marks.values()]),
        np.concatenate(price),
        threshold,
    )  # fmt: skip


def _strides(shape: Sequence[int]) -> list[int]:
    """Steps between neighbours on each axis of a row-major array."""
    return [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]


def cheapest(
    sums: Sums,
    chosen: IntArray,
    partners: IntArray,
    many: IntArray,
    origin: IntArray,
    sign: int,
    bound: float,
) -> tuple[float, IntArray]:
    """The cheapest partner leaf on each of the ``chosen`` axes, at a cost under ``bound``.

    ``partners`` (chosen, most) holds ``many`` (chosen,) leaves a row; ``origin`` (axes,) is where
    ``sign`` is added. The first of equal cost is taken. Returns infinity where there is none.
    """
    best, *leaves = _cheapest(
        sums.counts, sums.leaf_stride, sums.groups, sums.told, sums.stride, sums.offset,
        sums.values, sums.marks, sums.price, sums.threshold, chosen, partners, many, origin, sign,
        bound,
    )  # fmt: skip
    return best, np.array(leaves[: len(chosen)], dtype=np.int64)


@njit(cache=True, nogil=True)
def _cheapest(
    counts: IntArray,
    leaf_stride: IntArray,
    groups: IntArray,
    told: NDArray[np.bool_],
    stride: IntArray,
    offset: IntArray,
    values: IntArray,
    marks: NDArray[np.int8],
    price: FloatArray,
    threshold: int,
    chosen: IntArray,
    partners: IntArray,
    many: IntArray,
    origin: IntArray,
    sign: int,
    bound: float,
) -> tuple[float, int, int, int]:
    tables, axes = told.shape
    n = len(chosen)
    best, found = np.inf, np.full(3, -1, dtype=np.int64)
    limit = bound
    moved = np.zeros(max(n, 1), dtype=np.int64)  # what each axis' exchange adds to a leaf's place
    start = np.zeros(tables, dtype=np.int64)  # the number that holds the origin
    relevant = np.zeros(tables, dtype=np.bool_)
    shift = np.zeros((tables, max(n, 1)), dtype=np.int64)
    felt = np.zeros(tables, dtype=np.bool_)
    for t in range(tables):
        start[t] = offset[t]
        for a in range(axes):
            start[t] += stride[t, a] * groups[t, a, origin[a]]
        relevant[t] = True
        for j in range(n):
            relevant[t] = relevant[t] and told[t, chosen[j]]
    leaf = 0
    for a in range(axes):
        leaf += leaf_stride[a] * origin[a]
    total = 1
    for j in range(n):
        total *= many[j]
    at = np.zeros(max(n, 1), dtype=np.int64)
    for combination in range(total):
        rest = combination
        for j in range(n - 1, -1, -1):
            at[j] = partners[j, rest % many[j]]
            rest //= many[j]
            moved[j] = leaf_stride[chosen[j]] * (at[j] - origin[chosen[j]])
        for t in range(tables):
            felt[t] = relevant[t]
            if relevant[t]:
                for j in range(n):
                    a = chosen[j]
                    apart = groups[t, a, at[j]] - groups[t, a, origin[a]]
                    shift[t, j] = stride[t, a] * apart
                    if apart == 0:  # the sum holds both leaves and does not feel the exchange
                        felt[t] = False
        cost, allowed = 0.0, True
        for far in range(1 << n):
            step, place = sign, leaf
            for j in range(n):
                if far >> (n - 1 - j) & 1:
                    step = -step
                    place += moved[j]
            if counts[place] + step < 0:
                allowed = False
                break
            for t in range(tables):
                if not felt[t]:
                    continue
                node = start[t]
                for j in range(n):
                    if far >> (n - 1 - j) & 1:
                        node += shift[t, j]
                after = values[node] + step
                if after < 0:
                    allowed = False
                    break
                mark = marks[node]
                if mark == _SHOWN:
                    cost += price[node]
                claims = after < threshold if mark == _SMALL else (
                    after >= threshold or mark > _WITHHELD)
                if not claims:
                    cost += _LOST_CLAIM * price[node]
            if not allowed or cost >= limit:
                allowed = False
                break
        if allowed:
            best, limit = cost, cost
            for j in range(n):
                found[j] = at[j]
    return best, found[0], found[1], found[2]
