"""Clusters of events as outlines, on request: what hangs together, not what is significant.

HDBSCAN finds groups of any shape and leaves the scattered rest out. It tests nothing: it finds
groups in noise too. An outline is made of whole cells, so that no corner of it is an event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry
from sklearn.cluster import HDBSCAN

from incidents.cells import CELL_M, Cells, FloatArray, IntArray, locate

LEAST_EVENTS = 10
MOST_EVENTS = 50_000  # HDBSCAN takes 2.3 s for 20,000 and grows faster than the number


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of events, the largest first.

    Attributes
    ----------
    label : (events,) number of each event's cluster, from 0; -1 for none (also without a place).
    events : (clusters,) events in each.
    outline : (clusters,) Polygon or MultiPolygon of the cells that hold them.
    per_km2 : (clusters,) events per km² of the outline.
    """

    label: IntArray
    events: IntArray
    outline: NDArray[np.object_]
    per_km2: FloatArray


def clusters(
    x: ArrayLike,
    y: ArrayLike,
    *,
    least: int = LEAST_EVENTS,
    reach: float | None = None,
    cell: float = CELL_M,
    area: Cells | None = None,
) -> Clusters:
    """Groups of at least ``least`` events by HDBSCAN (Campello, Moulavi & Sander 2013).

    Parameters
    ----------
    x, y : metres. Events without a place, or outside ``area``, are in no cluster.
    reach : metres; groups nearer than this are one (``cluster_selection_epsilon``); None lets
        the density alone decide.
    cell : side of the outlines' cells, metres; taken from ``area`` where given.

    Wrong on piles (many events on one coordinate are a cluster of no size: look at the piles
    first) and where events were snapped to a few points. Not a test: see
    :func:`incidents.scan.scan` for "how sure". Raises ValueError for more than 50,000 events, or
    a ``least`` below 2.
    """
    if least < 2:
        raise ValueError("a cluster holds at least two events")
    xy = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
    usable = np.isfinite(xy).all(axis=1)
    if area is not None:
        usable &= locate(area, xy[:, 0], xy[:, 1]) >= 0
        cell = area.size
    rows = np.flatnonzero(usable)
    if len(rows) > MOST_EVENTS:
        raise ValueError(f"{len(rows)} events are too many for clusters: choose a shorter period")
    label = np.full(len(xy), -1, dtype=np.int64)
    if len(rows) >= 2 * least:
        model = HDBSCAN(
            min_cluster_size=least,
            cluster_selection_epsilon=0.0 if reach is None else float(reach),
            copy=True,
        )
        label[rows] = model.fit_predict(xy[rows] - xy[rows].mean(axis=0))
    events = np.bincount(label[label >= 0])
    order = np.argsort(-events, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    label[label >= 0] = rank[label[label >= 0]]
    outline = np.array([_outline(xy[label == k], cell) for k in range(len(order))], dtype=object)
    ground = shapely.area(outline) / 1e6 if len(outline) else np.empty(0)
    return Clusters(label, events[order].astype(np.int64), outline, events[order] / ground)


def _outline(xy: FloatArray, size: float) -> BaseGeometry:
    """The cells that hold the events, gaps of less than a cell closed."""
    west, south = np.unique(np.floor(xy / size), axis=0).T * size
    held = shapely.union_all(shapely.box(west, south, west + size, south + size))
    # Square corners keep the closed shape on the cells' lines.
    wide = shapely.buffer(held, 0.5 * size, cap_style="square", join_style="mitre")
    closed = shapely.buffer(wide, -0.5 * size, cap_style="square", join_style="mitre")
    return shapely.union(closed, held)
