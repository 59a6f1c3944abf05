"""Compile the loops once, at set-up, so that no planner waits for it: ``python -m planning.warm``.

numba keeps the compiled loops beside the source; every later process only loads it.
"""

from __future__ import annotations

import numpy as np
import shapely

from geo.cells import subdivide
from planning.beats.anneal import Area, search
from planning.beats.anneal import Price as BeatPrice
from planning.beats.regions import renew
from planning.graph import Graph
from planning.search import Price, refine
from planning.start import pieces


def warm() -> None:
    """Cut a square and refine a two-node graph: compiles for their types."""
    square = shapely.box(0.0, 0.0, 9.0, 9.0)
    subdivide(square, np.array([square]), np.array([[2.0, 3.0], [7.0, 5.0]]), np.array([0, 1]))
    one = np.ones(2)
    pair = Graph(
        indptr=np.array([0, 1, 2]),
        indices=np.array([1, 0]),
        length=one,
        off_line=one,
        households=one,
        persons=one,
        x=np.array([0.0, 1.0]),
        y=one,
        spread=one * 0,
        area=one,
        outer=one * 3,
    )
    pieces(pair, np.array([0, 1]))
    refine(pair, np.array([0, 1]), 2, Price(), moves=10, hot=0.1, cold=0.01, seed=0)
    beats = Area(pair, one, np.array([0, 1]), np.empty((0, 2), dtype=np.int64))
    search(beats, np.array([0, 1]), 2, BeatPrice(0.1), moves=10, hot=0.1, cold=0.01, seed=0)
    renew(
        beats, np.array([0, 1]), 2, BeatPrice(0.1),
        rounds=1, moves=10, grid=1.0, cold=0.01, seed=0,
    )


if __name__ == "__main__":
    warm()
