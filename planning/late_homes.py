"""The households of a plan.gpkg that stay in the file until they are asked for.

A city has 840,000 points. A map of its villages shows none of them, an edit asks for those of one
village; all of them are read once, for whoever needs them all, and shared.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geo.crs import WGS84
from geo.datum import gcj02_to_wgs84
from geo.problems import InputError, Problem

READING = (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError)
NAMES = ("grid_code", "micro_code")
"""What of a household an edit changes."""


class LateHomes:
    """The layer ``households`` of a file, in the system ``crs``; for whichever thread.

    Every method raises :class:`InputError` where the file was replaced or cannot be read.
    """

    def __init__(self, path: Path, crs: object) -> None:
        self.path = path
        self.crs = crs
        self._state = _state(path)
        self._reading = threading.Lock()
        self._held: gpd.GeoDataFrame | None = None

    def all(self, moved: Iterable[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
        """All households, those of ``moved`` with the grids told there; rows from 0."""
        with self._reading:
            if self._held is None:
                self._held = self._read(None)
            held = self._held
        found = held.reset_index(drop=True)
        for name in NAMES:
            told = [frame[name] for frame in moved if name in frame]
            if told:
                changed = pd.concat(told)
                values = held[name].to_numpy(dtype=object, copy=True)
                values[held.index.get_indexer(changed.index)] = changed.to_numpy(dtype=object)
                found[name] = values
        return found

    def of_grids(self, codes: Sequence[str]) -> gpd.GeoDataFrame:
        """The households that the file says are in these grids, by their number in the layer."""
        with self._reading:
            held = self._held
        if held is not None:
            return held[held["grid_code"].isin(set(codes))]
        quoted = ", ".join("'" + code.replace("'", "''") + "'" for code in codes)
        return self._read(f"grid_code IN ({quoted})" if codes else "0 = 1")

    def _read(self, where: str | None) -> gpd.GeoDataFrame:
        # of a file that was written anew these households would belong to another plan's grids
        if not self.path.is_file() or _state(self.path) != self._state:
            raise InputError([Problem("plan-replaced", self.path.name)])
        try:
            frame = gpd.read_file(
                self.path, layer="households", use_arrow=True, where=where, fid_as_index=True
            )
        except READING as error:
            raise InputError([Problem("plan-unreadable", self.path.name)]) from error
        frame = shifted_back(frame)
        return frame if frame.crs in (None, self.crs) else frame.to_crs(self.crs)


def _state(path: Path) -> tuple[int, ...]:
    """What tells that a path holds the file it held."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def shifted_back(frame: Any) -> Any:
    """A layer whose system is GCJ-02 by name, in WGS 84; any other table as it is.

    The shift is no datum that PROJ knows: taken for one, such a plan would lie 500 m away.
    """
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        return frame
    if "GCJ-02" not in frame.crs.name:
        return frame
    moved = shapely.transform(
        frame.geometry.to_numpy(), lambda xy: np.column_stack(gcj02_to_wgs84(xy[:, 0], xy[:, 1]))
    )
    return frame.set_geometry(gpd.GeoSeries(moved, index=frame.index, crs=WGS84))
