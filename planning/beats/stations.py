"""Stations: whose area each grid lies in, from outlines or from the stations that beats name."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.coverage import components
from geo.harmonise import metric
from geo.messages import register
from geo.problems import Problem
from geo.read import Layer
from geo.segments import tally
from geo.units import Units
from planning.beats.today import TodaysBeats, lay_over
from planning.graph import FloatArray, IntArray

register(
    {
        "station-no-grid": (
            "派出所“{name}”辖区内没有网格;请核对辖区范围。",
            "the area of station {name!r} holds no grid; check its outline.",
        ),
        "station-stray": (
            "{count} 个网格(如 {code})按所占比例应归另一派出所,但与其辖区不相连,"
            "已归入周围的派出所。",
            "{count} grids (such as {code}) belong to a station by their share but do not touch "
            "its area; they went to the station around them.",
        ),
    }
)

STRAY_SHARE = 0.25  # of a station's work: a smaller piece apart from the rest is a stray


def stations_of(
    layer: Layer | None,
    own: gpd.GeoDataFrame,
    points: gpd.GeoDataFrame,
    today: TodaysBeats | None,
    notes: list[Problem],
) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Names of stations, what each holds of every grid (n, s), and their places (s, 2)."""
    none = np.empty((len(own), 0)), np.empty((0, 2))
    if layer is None or "geometry" not in layer.frame:
        if today is None or not today.stations:
            return (), *none
        return today.stations, today.station_share, np.full((len(today.stations), 2), np.nan)
    shapes = metric(layer, CRS(own.crs))
    if (shapely.get_dimensions(shapes) == 2).any():
        table = _named(layer)
        areas = gpd.GeoDataFrame(
            table.assign(station=table["name"]), geometry=list(shapes), crs=own.crs
        )
        areas = areas[shapely.area(shapes) > 0].reset_index(drop=True)
        found = lay_over(areas, own, points, layer.file.name, [])
        return found.stations, found.station_share, np.full((len(found.stations), 2), np.nan)
    if today is None or not today.stations:
        return (), none[0], shapely.get_coordinates(shapely.centroid(shapes))
    place = pd.DataFrame(shapely.get_coordinates(shapely.centroid(shapes)), columns=["x", "y"])
    place.index = pd.Index(_named(layer)["name"])
    place = place[~place.index.duplicated()]
    lost = [name for name in place.index if name not in today.stations]
    notes += [
        Problem("station-no-grid", layer.file.name, "", {"name": name}, "warning") for name in lost
    ]
    xy = place.reindex(list(today.stations)).to_numpy(dtype=float)
    return today.stations, today.station_share, xy


def _named(layer: Layer) -> pd.DataFrame:
    table = pd.DataFrame(index=range(len(layer.frame)))
    for name in ("code", "name", "station"):
        values = layer.frame[name].fillna("").astype(str).str.strip() if name in layer.frame else ""
        table[name] = pd.Series(values, index=table.index, dtype=object)
    blank = table["name"] == ""
    table.loc[blank, "name"] = table["station"].where(table["station"] != "", table["code"])[blank]
    return table


def station_of(
    units: Units,
    share: FloatArray,
    stations: tuple[str, ...],
    grids: pd.DataFrame,
    notes: list[Problem],
) -> IntArray:
    """The station that holds most of each grid; strays apart from their station's ground go to
    the station around them, since no beat could hold them and stay in one piece."""
    n = len(units)
    if not stations:
        return np.full(n, -1, dtype=np.int64)
    station = np.where(share.max(axis=1) > 0, share.argmax(axis=1), -1).astype(np.int64)
    notes += [
        Problem("station-no-grid", params={"name": stations[i]}, severity="warning")
        for i in range(len(stations))
        if not (station == i).any()
    ]
    before = station.copy()
    mass = units.households + 1e-9 * units.area
    for _ in range(n):
        same = station[units.edges.a] == station[units.edges.b]
        piece = components(n, units.edges.a[same], units.edges.b[same])
        held, of_piece = tally(piece, mass, int(piece.max()) + 1), np.zeros(piece.max() + 1, int)
        of_piece[piece] = station
        total = tally(station + 1, mass, len(stations) + 1)
        stray = (of_piece < 0) | (held < STRAY_SHARE * total[of_piece + 1])
        changed = _to_neighbours(units, station, piece, stray)
        if changed is None:
            break
        station = changed
    moved = np.flatnonzero((station != before) & (before >= 0))
    if len(moved):
        params = {"count": len(moved), "code": grids["code"].iloc[moved[0]]}
        notes.append(Problem("station-stray", params=params, severity="warning"))
    return station


def _to_neighbours(
    units: Units, station: IntArray, piece: IntArray, stray: NDArray[np.bool_]
) -> IntArray | None:
    """Give one stray piece to the station it shares most border with; None where none can go."""
    a = np.concatenate([units.edges.a, units.edges.b])
    b = np.concatenate([units.edges.b, units.edges.a])
    length = np.tile(units.edges.length, 2)
    cross = stray[piece[a]] & (station[a] != station[b]) & (station[b] >= 0)
    if not cross.any():
        return None
    first = piece[a][cross].min()
    rows = cross & (piece[a] == first)
    host = int(tally(station[b[rows]], length[rows], int(station.max()) + 1).argmax())
    result = station.copy()
    result[piece == first] = host
    return result
