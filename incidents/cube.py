"""Counts of events by area, time, kind, source and state, and every table that adds them up.

A :class:`Cube` holds the counts of the smallest pieces (leaves) of each axis; a table is one level
an axis: ("village", "month", "all"). All tables of a publication stand side by side, because
whoever reads one can read the others too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
ALL = "all"
#: one level name an axis, in the axes' order
Table = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis. ``of[level]`` (leaves,) is the group of each leaf, numbered from 0 without gaps;
    ``labels[level]`` names the groups. The level "all" is there without being given."""

    name: str
    leaves: int
    of: Mapping[str, IntArray]
    labels: Mapping[str, Sequence[str]]

    def groups(self, level: str) -> IntArray:
        """(leaves,) group of each leaf at a level."""
        return np.zeros(self.leaves, dtype=np.int64) if level == ALL else self.of[level]

    def size(self, level: str) -> int:
        """Groups of a level."""
        return 1 if level == ALL else len(self.labels[level])

    def label(self, level: str, group: int) -> str:
        """The name of a group, "" for the level that has only one."""
        return "" if level == ALL else str(self.labels[level][group])


@dataclass(frozen=True, eq=False)
class Cube:
    """Counts by leaf of each axis (all whole numbers from 0 up)."""

    axes: tuple[Axis, ...]
    counts: IntArray

    def __post_init__(self) -> None:
        """Raise ValueError where the counts are not of these axes."""
        shape = tuple(axis.leaves for axis in self.axes)
        if self.counts.shape != shape or (self.counts < 0).any():
            raise ValueError(f"counts {self.counts.shape} must be whole numbers on axes {shape}")

    def table(self, table: Table) -> IntArray:
        """The sums of one table, one axis a level."""
        sums = self.counts
        for number, (axis, level) in enumerate(zip(self.axes, table, strict=True)):
            sums = _summed(sums, number, axis.groups(level), axis.size(level))
        return sums


def _summed(counts: IntArray, number: int, groups: IntArray, size: int) -> IntArray:
    """Counts with one axis' leaves added up to groups."""
    moved = np.moveaxis(counts, number, 0)
    out = np.zeros((size, *moved.shape[1:]), dtype=np.int64)
    np.add.at(out, groups, moved)
    return np.moveaxis(out, 0, number)


def count_cube(axes: Sequence[Axis], leaves: Sequence[IntArray]) -> Cube:
    """The cube of n events; ``leaves`` holds, for each axis, the leaf (n,) of each event."""
    shape = tuple(axis.leaves for axis in axes)
    flat = np.ravel_multi_index(tuple(leaves), shape)
    counts = np.bincount(flat, minlength=int(np.prod(shape))).astype(np.int64)
    return Cube(tuple(axes), counts.reshape(shape))
