"""Places of table rows: coordinate columns, a column of "lon,lat", or well-known text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.columns import ColumnFound, Role
from geo.crs import guess_crs
from geo.read.layer import Raw
from geo.read.report import Report, listed
from geo.read.shapes import POINT, WANTED
from geo.read.values import as_text, looks_like_wkt, parse_coordinates
from geo.read.wkb import ewkt_srid, shapes_from_wkt

Floats = NDArray[np.float64]
_FAR_DEGREES, _FAR_METRES = 3.0, 300_000.0


def place_rows(
    raw: Raw,
    role: Role,
    by_canonical: Mapping[str, str],
    found: list[ColumnFound],
    report: Report,
) -> list[ColumnFound]:
    """Give a table's rows their shapes (None where a row has no place); sets ``raw.crs``.

    Returns the columns found, with those added that were told from their values. A table without
    any place keeps ``raw.shapes`` None.
    """
    wkt = by_canonical.get("wkt")
    if wkt is None or not looks_like_wkt(raw.columns.get(wkt)):
        wkt = next((n for n, v in raw.columns.items() if looks_like_wkt(v)), None)
    if wkt is not None:
        _from_wkt(raw, wkt, report)
        raw.extra["placed_by"] = ("wkt",)
        return _with(found, {wkt: "wkt"})
    if POINT not in WANTED[role]:
        return found
    pair, told = _coordinate_columns(raw, by_canonical)
    if pair is None:
        return found
    x, y, unreadable = pair
    _from_numbers(raw, x, y, unreadable, report)
    return _with(found, told)


def _with(found: list[ColumnFound], told: Mapping[str, str]) -> list[ColumnFound]:
    return [
        ColumnFound(c.source, told[c.source], "content")
        if c.source in told and c.canonical != told[c.source]
        else c
        for c in found
    ]


def _from_wkt(raw: Raw, column: str, report: Report) -> None:
    values = as_text(raw.columns[column])
    cells = [value if isinstance(value, str) else None for value in values]
    raw.shapes = shapes_from_wkt(cells, raw, report)
    srid = next((s for s in map(ewkt_srid, cells) if s is not None), None)
    if srid is not None:
        from geo.read.database import read_crs

        raw.crs = read_crs(f"EPSG:{srid}", report)


Pair = tuple[Floats, Floats, NDArray[np.bool_]]


def _coordinate_columns(
    raw: Raw, by_canonical: Mapping[str, str]
) -> tuple[Pair | None, dict[str, str]]:
    lon, lat = by_canonical.get("lon"), by_canonical.get("lat")
    if lon in raw.columns and lat in raw.columns:
        raw.extra["placed_by"] = ("lon", "lat")
        x, bad_x = _coordinates(raw, str(lon))
        y, bad_y = _coordinates(raw, str(lat))
        return (x, y, bad_x | bad_y), {}
    both = by_canonical.get("lonlat")
    if both in raw.columns:
        pair = _split_pair(raw.columns[str(both)])
        if pair is not None:
            raw.extra["placed_by"] = ("lonlat",)
            return pair, {}
    return _by_content(raw)


def _coordinates(raw: Raw, name: str) -> tuple[Floats, NDArray[np.bool_]]:
    """A column's numbers, and the cells that could not be read, now or when it was gathered."""
    numbers, bad = parse_coordinates(raw.columns[name])
    before = raw.unreadable.get(name)
    return numbers, bad if before is None else bad | before


def _split_pair(values: pd.Series[Any]) -> Pair | None:
    """Two numbers in one cell: "120.1,32.4", "(120.1 32.4)"."""
    text = as_text(values)
    parts = text.str.extract(r"(-?\d+\.?\d*)\s*[,，;；\s]\s*(-?\d+\.?\d*)")
    if parts.notna().to_numpy().mean() < 0.5:
        return None
    x, bad_x = parse_coordinates(parts[0])
    y, bad_y = parse_coordinates(parts[1])
    return x, y, bad_x | bad_y | (text.notna() & parts[0].isna()).to_numpy()


def _by_content(raw: Raw) -> tuple[Pair | None, dict[str, str]]:
    """Two columns of decimal degrees inside China's ranges, when no name told them."""
    east: tuple[str, Floats, NDArray[np.bool_]] | None = None
    north: tuple[str, Floats, NDArray[np.bool_]] | None = None
    for name in raw.columns:
        numbers, bad = _coordinates(raw, name)
        good = numbers[np.isfinite(numbers)]
        if good.size < max(1, len(numbers) // 2) or not (good % 1 != 0).mean() > 0.9:
            continue
        if east is None and ((good > 73) & (good < 136)).mean() > 0.95:
            east = (name, numbers, bad)
        elif north is None and ((good > 3) & (good < 54)).mean() > 0.95:
            north = (name, numbers, bad)
    if east is None or north is None:
        return None, {}
    raw.extra["placed_by"] = ("lon", "lat")
    return (east[1], north[1], east[2] | north[2]), {east[0]: "lon", north[0]: "lat"}


def _from_numbers(
    raw: Raw, x: Floats, y: Floats, unreadable: NDArray[np.bool_], report: Report
) -> None:
    """Points from two columns of numbers, their system guessed, the order put right."""
    good = np.isfinite(x) & np.isfinite(y)
    null_island = good & (x == 0) & (y == 0)
    good &= ~null_island
    guess = guess_crs(x[good], y[good])
    if guess.swapped:
        x, y = y, x
        report.warn("swapped")
    if guess.kind == "plane":
        report.warn("metres_no_crs")
    elif guess.kind == "zone_prefixed" and guess.crs is not None:
        report.note("crs_guessed", crs=guess.crs.name)
    raw.crs = guess.crs
    outside = good & ~_possible(x, y, guess.crs)
    good &= ~outside
    _tell_rows(raw, x, y, unreadable, null_island, outside, good, report)
    shapes = np.full(raw.rows, None, dtype=object)
    shapes[good] = shapely.points(x[good], y[good])
    raw.shapes = shapes
    raw.extra["told_missing"] = frozenset(np.flatnonzero(~good).tolist())


def _possible(x: Floats, y: Floats, crs: CRS | None) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        if crs is not None and crs.is_geographic:
            return (np.abs(x) <= 180) & (np.abs(y) <= 90)
        return (np.abs(x) < 1e8) & (np.abs(y) < 1e8)


def _tell_rows(
    raw: Raw,
    x: Floats,
    y: Floats,
    unreadable: NDArray[np.bool_],
    null_island: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    good: NDArray[np.bool_],
    report: Report,
) -> None:
    empty = ~good & ~unreadable & ~null_island & ~outside
    for code, why, hit in (
        ("coordinates_unreadable", "coordinates-unreadable", unreadable & ~good),
        ("coordinates_missing", "no-coordinates", empty),
        ("null_island", "null-island", null_island),
        ("outside_world", "outside-world", outside),
    ):
        rows = np.flatnonzero(hit)
        if rows.size:
            raw.displaced(rows, why)
            report.warn(code, rows=listed(raw, rows), count=int(rows.size))
    if good.sum() >= 10:
        limit = _FAR_DEGREES if raw.crs is not None and raw.crs.is_geographic else _FAR_METRES
        mx, my = np.median(x[good]), np.median(y[good])
        far = good & ((np.abs(x - mx) > limit) | (np.abs(y - my) > limit))
        rows = np.flatnonzero(far)
        if rows.size:
            report.warn("far_away", rows=listed(raw, rows), count=int(rows.size))
