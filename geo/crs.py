"""Which metric coordinate system a place is worked in, and which one bare numbers are in.

Lengths and areas are never measured in degrees or in Web Mercator (which stretches lengths by
1.18 at 32.5° north). All functions take longitude before latitude and x (east) before y (north).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer

WGS84 = CRS.from_epsg(4326)

# Boxes (lon, lat, lon, lat) of the places surveyed in TWD97 / TM2; drawn between the islands and
# the mainland's coast, so that Xiamen, Dadeng, Huangqi and Pingtan stay outside.
_TWD97_CENTRAL_119 = (
    (118.20, 24.10, 118.52, 24.54),  # Kinmen and Lieyu
    (119.40, 24.95, 119.50, 25.05),  # Wuqiu
    (119.88, 25.90, 120.60, 26.30),  # Matsu: Juguang, Nangan, Beigan
    (119.97, 26.30, 120.60, 26.42),  # Matsu: Dongyin, Liang
    (119.20, 23.05, 119.80, 23.95),  # Penghu
)
_TWD97_CENTRAL_121 = ((120.00, 21.70, 122.20, 25.75),)  # the main island, Lanyu, Pengjia


def metric_crs(lon: float, lat: float) -> CRS:
    """The metric coordinate system for the surroundings of a place (degrees, WGS 84).

    Mainland China (and whatever else lies in 73.5-135 E, 18-54 N, where the same projection is as
    good as any): CGCS2000 3-degree Gauss-Krueger without zone prefix, EPSG:4534 (75 E) to
    EPSG:4554 (135 E), zone ``round(lon / 3)``. Taiwan: TWD97, EPSG:3826, with EPSG:3825 for
    Penghu, Kinmen and Matsu, told apart by boxes. Elsewhere the UTM zone on WGS 84 (without the
    exceptions of Norway and Svalbard, where the plain zone is still metric, only wider).

    Wrong by up to 2.4e-4 in length at a zone's edge, more for an area wider than its zone: give
    the middle of the area. Raises ValueError for a place that is not on the globe.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)) or abs(lon) > 180 or abs(lat) > 84:
        raise ValueError(f"no metric coordinate system for longitude {lon}, latitude {lat}")
    return CRS.from_epsg(_metric_epsg(lon, lat))


def _metric_epsg(lon: float, lat: float) -> int:
    def inside(box: tuple[float, float, float, float]) -> bool:
        return box[0] <= lon <= box[2] and box[1] <= lat <= box[3]

    if any(map(inside, _TWD97_CENTRAL_119)):
        return 3825
    if any(map(inside, _TWD97_CENTRAL_121)):
        return 3826
    if 73.5 <= lon <= 135 and 18 <= lat <= 54:
        return 4534 + min(max(round(lon / 3), 25), 45) - 25
    zone = min(int((lon + 180) // 6) + 1, 60)
    return (32600 if lat >= 0 else 32700) + zone


@dataclass(frozen=True)
class CrsGuess:
    """What bare x and y look like. ``crs`` is None when only the owner can know it."""

    crs: CRS | None
    kind: Literal["degrees", "zone_prefixed", "plane", "unknown"]
    swapped: bool  # True: the columns are named the wrong way round (x holds north, y holds east)


def guess_crs(x: ArrayLike, y: ArrayLike) -> CrsGuess:
    """The coordinate system that numbers of unknown origin are in, judged by their size.

    Degrees become EPSG:4326; eastings with a zone prefix name their Gauss-Krueger zone
    themselves (3-degree EPSG:4513-4533, 6-degree EPSG:4491-4501). Six-digit eastings fit any
    zone: ``kind`` is then "plane" and :func:`crs_by_overlap` can decide with a known
    neighbourhood. Chinese survey sheets call north X, so the exchanged order is looked for too.
    Judged on the median, so a few stray values do no harm; wrong for degrees given in radians
    and for places where both orders are plausible (longitude and latitude both under 90).
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    finite = np.isfinite(xs) & np.isfinite(ys) & ~((xs == 0) & (ys == 0))
    if not finite.any():
        return CrsGuess(None, "unknown", False)
    mx, my = float(np.median(xs[finite])), float(np.median(ys[finite]))
    for east, north, swapped in ((mx, my, False), (my, mx, True)):
        kind, epsg = _judge(east, north)
        if kind == "degrees" and not swapped and 3 <= mx <= 54 and 73 <= my <= 90:
            continue  # inside the country only when exchanged
        if kind != "unknown":
            return CrsGuess(CRS.from_epsg(epsg) if epsg else None, kind, swapped)
    return CrsGuess(None, "unknown", False)


def _judge(
    east: float, north: float
) -> tuple[Literal["degrees", "zone_prefixed", "plane", "unknown"], int | None]:
    if abs(east) <= 180 and abs(north) <= 90:
        return "degrees", 4326
    zone, rest = divmod(east, 1_000_000)
    if 100_000 <= rest <= 900_000 and 1_800_000 <= north <= 6_100_000:
        if 25 <= zone <= 45:
            return "zone_prefixed", 4513 + int(zone) - 25
        if 13 <= zone <= 23:
            return "zone_prefixed", 4491 + int(zone) - 13
    if 100_000 <= east <= 900_000 and 0 < north < 10_000_000 and not 100_000 <= north <= 900_000:
        return "plane", None
    return "unknown", None


@lru_cache(maxsize=8)
def _candidates(lon: float, lat: float) -> tuple[int, ...]:
    """EPSG codes a sheet near this place may be in, most usual first."""
    codes = [_metric_epsg(lon, lat)]
    if 73.5 <= lon <= 135.5 and 3 <= lat <= 54:
        three = min(max(round(lon / 3), 25), 45)
        codes += [4534 + zone - 25 for zone in (three, three - 1, three + 1) if 25 <= zone <= 45]
        six = int(lon // 6) + 1
        codes += [4502 + zone - 13 for zone in (six, six - 1, six + 1) if 13 <= zone <= 23]
    zone = int((lon + 180) // 6) + 1
    codes += [
        (32600 if lat >= 0 else 32700) + z for z in (zone, zone - 1, zone + 1) if 1 <= z <= 60
    ]
    return tuple(dict.fromkeys(codes))


def crs_by_overlap(
    x: ArrayLike, y: ArrayLike, bounds: tuple[float, float, float, float]
) -> tuple[CRS, float] | None:
    """The plane system that puts most points (metres) inside known lon/lat bounds, and the share.

    ``bounds`` is (west, south, east, north) in degrees, for example of the villages. None when no
    candidate puts half of the points there. Neighbouring datums (CGCS2000, WGS 84) cannot be told
    apart this way; they differ by less than a metre.
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    west, south, east, north = bounds
    best: tuple[CRS, float] | None = None
    for epsg in _candidates(round((west + east) / 2, 1), round((south + north) / 2, 1)):
        crs = CRS.from_epsg(epsg)
        lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(xs, ys)
        hit = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        share = float(np.mean(hit)) if hit.size else 0.0
        if share >= 0.5 and (best is None or share > best[1] + 1e-9):
            best = (crs, share)
    return best


def to_lonlat(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude (degrees, WGS 84) of x, y in ``crs``; infinite where impossible."""
    if crs == WGS84:
        return x, y
    lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(x, y)
    return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
