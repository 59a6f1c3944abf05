"""The graph that proposals and refinements work on: nodes carry counts, edges carry borders.

A :class:`Graph` is the ground without its polygons: arrays only, so that partitioning, annealing
and contraction cost what numpy costs. Sets that must stay together are contracted to one node
first; whatever is then decided of nodes is a decision of units through ``contract``'s mapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo.segments import tally
from geo.units import Units

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Graph:
    """n nodes and their borders in compressed rows (both directions of every edge).

    ``indptr`` (n+1,), ``indices`` (e,) neighbours; ``length`` (e,) shared border in metres;
    ``off_line`` (e,) the part of it along no road, river or railway. ``households``, ``persons``
    (n,) counts, persons 0 where unknown; ``x``, ``y`` the households' mean place, ``spread`` their
    summed squared distance from it (m2 households); ``area`` m2; ``outer`` metres of border that
    no node shares.
    """

    indptr: IntArray
    indices: IntArray
    length: FloatArray
    off_line: FloatArray
    households: FloatArray
    persons: FloatArray
    x: FloatArray
    y: FloatArray
    spread: FloatArray
    area: FloatArray
    outer: FloatArray

    def __len__(self) -> int:
        return len(self.households)

    @cached_property
    def source(self) -> IntArray:
        """The node each directed edge starts from, shape (e,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    @cached_property
    def moments(self) -> FloatArray:
        """Per node (n, 8): households, persons, the households' first moments and their summed
        squares about the nodes' middle, area, outer border, 0. Sums of rows measure a grid."""
        h = self.households
        x, y = self.x - self.x.mean(), self.y - self.y.mean()
        square = h * (x * x + y * y) + self.spread
        rows = [h, self.persons, h * x, h * y, square, self.area, self.outer, np.zeros(len(h))]
        return np.ascontiguousarray(np.column_stack(rows))


def _rows(
    n: int, a: IntArray, b: IntArray, length: FloatArray, off_line: FloatArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Undirected edges as compressed rows, neighbours ascending."""
    source, target = np.concatenate([a, b]), np.concatenate([b, a])
    order = np.lexsort((target, source))
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=n), out=indptr[1:])
    return (
        indptr,
        target[order].astype(np.int64),
        np.concatenate([length, length])[order],
        np.concatenate([off_line, off_line])[order],
    )


def graph_of(units: Units) -> Graph:
    """The rook graph of a village's units."""
    edges, n = units.edges, len(units)
    off_line = np.maximum(edges.length - edges.on_line, 0.0)
    persons = np.maximum(units.persons, 0).astype(float)
    return Graph(
        *_rows(n, edges.a, edges.b, edges.length, off_line),
        households=units.households.astype(float),
        persons=persons,
        x=units.x,
        y=units.y,
        spread=units.spread,
        area=units.area,
        outer=units.outer,
    )


def contract(graph: Graph, label: IntArray) -> Graph:
    """Merge nodes by labels 0..m-1 (each used): counts add, shared borders vanish."""
    m = int(label.max()) + 1
    a, b = label[graph.source], label[graph.indices]
    keep = a < b
    pair, row = np.unique(a[keep] * m + b[keep], return_inverse=True)
    length = tally(row, graph.length[keep], len(pair))
    off_line = tally(row, graph.off_line[keep], len(pair))

    def total(values: FloatArray) -> FloatArray:
        return tally(label, values, m)

    households = total(graph.households)
    # places are weighted by households; where nobody lives, by area
    weight = np.where(households[label] > 0, graph.households, graph.area)
    mass = total(weight)
    x, y = total(weight * graph.x) / mass, total(weight * graph.y) / mass
    away = (graph.x - x[label]) ** 2 + (graph.y - y[label]) ** 2
    return Graph(
        *_rows(m, pair // m, pair % m, length, off_line),
        households=households,
        persons=total(graph.persons),
        x=x,
        y=y,
        spread=total(graph.spread + graph.households * away),
        area=total(graph.area),
        outer=total(graph.outer),
    )


def induce(graph: Graph, nodes: IntArray) -> Graph:
    """The graph on a subset of nodes; border towards the others becomes outer border."""
    position = np.full(len(graph), -1, dtype=np.int64)
    position[nodes] = np.arange(len(nodes))
    source = graph.source
    a, b = position[source], position[graph.indices]
    inside = (a >= 0) & (b >= 0) & (a < b)
    cut = (a >= 0) & (b < 0)
    outer = graph.outer[nodes] + tally(a[cut], graph.length[cut], len(nodes))
    return Graph(
        *_rows(len(nodes), a[inside], b[inside], graph.length[inside], graph.off_line[inside]),
        households=graph.households[nodes],
        persons=graph.persons[nodes],
        x=graph.x[nodes],
        y=graph.y[nodes],
        spread=graph.spread[nodes],
        area=graph.area[nodes],
        outer=outer,
    )
