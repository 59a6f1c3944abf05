"""The five numbers above the map; pure."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ui.map.layers import judged

WITHIN = 0.10
"""A grid is near its village's feasible ideal when it deviates by no more than this share."""


@dataclass(frozen=True)
class Headline:
    """Counts of one plan, or of the part of it that is shown. NaN where there is no value."""

    grids: int
    households: int
    near_ideal: float
    on_lines: float
    exceptions: int


def inner_lengths(grids: gpd.GeoDataFrame) -> np.ndarray:
    """Metres of each grid's border that it shares with another grid of its village, shape (n,).

    Taken from the column ``inner_border_m`` where the plan has it. Else counts the straight
    segments that two grids both have, which is exact for a coverage (every vertex of a border
    belongs to both sides) and too little for hand-made shapes whose borders only touch.
    """
    if "inner_border_m" in grids.columns:  # the proposal measured it on its units
        told = pd.to_numeric(grids["inner_border_m"], errors="coerce")
        return np.asarray(told.fillna(0), dtype=float)
    shapes = np.asarray(grids.geometry.values, dtype=object)
    parts, part_owner = shapely.get_parts(shapes, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    owner_of_part = part_owner[ring_part]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    start, end = points[:-1][same], points[1:][same]
    owner = owner_of_part[ring[:-1][same]]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    low, high = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
    village = pd.factorize(grids["village_code"])[0][owner]
    table = pd.DataFrame(
        {"v": village, "a": low[:, 0], "b": low[:, 1], "c": high[:, 0], "d": high[:, 1]}
    )
    shared = table.duplicated(keep=False).to_numpy()
    length = np.hypot(*(high - low).T)
    return np.bincount(owner[shared], weights=length[shared], minlength=len(grids))


def line_share(grids: gpd.GeoDataFrame, inner: np.ndarray) -> float:
    """Share of all inner border that runs along a road, river or railway; NaN without any."""
    if "edge_on_line" not in grids.columns or inner.sum() <= 0:
        return float("nan")
    on_line = pd.to_numeric(grids["edge_on_line"], errors="coerce").fillna(0).to_numpy(dtype=float)
    return float(np.dot(on_line, inner) / inner.sum())


def headline(grids: gpd.GeoDataFrame, exceptions: pd.DataFrame, inner: np.ndarray) -> Headline:
    """The five numbers of these grids; exceptions count when they name one of the grids."""
    deviations = judged(grids, "deviation_ideal")
    known = deviations[np.isfinite(deviations)]
    near = np.abs(known) <= WITHIN + 1e-9
    households = pd.to_numeric(grids["households"], errors="coerce").fillna(0)
    here = exceptions["grid_code"].astype(str).isin(set(grids["code"].astype(str)))
    return Headline(
        grids=len(grids),
        households=int(households.sum()),
        near_ideal=float(near.mean()) if len(known) else float("nan"),
        on_lines=line_share(grids, inner),
        exceptions=int(here.sum()),
    )
