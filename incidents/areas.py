"""Counts, densities and rates of grids, beats, villages, townships and the county.

Every event is placed once, in the smallest unit there is, and every level adds units up. Only
beats that cut units are asked themselves. So the sums agree at every level, with two rows for what
lies outside all areas and what has no place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.messages import register
from geo.placing import place_rows
from geo.problems import InputError, Problem
from incidents.events import Events, FloatArray
from incidents.smooth import empirical_bayes, funnel
from incidents.steps import Steps, blocks, joined, one_after_another

IntArray = NDArray[np.int64]
LevelName = Literal["grid", "beat", "village", "township", "county"]
Per = Literal["persons", "households"]
LEVELS: tuple[LevelName, ...] = ("grid", "beat", "village", "township", "county")
LEVEL_NAMES: Mapping[str, tuple[str, str]] = {
    "grid": ("网格", "Grid"), "beat": ("警格", "Beat"), "village": ("村(社区)", "Village"),
    "township": ("乡镇(街道)", "Township"), "county": ("全县(区)", "County"),
}  # fmt: skip
NO_PLACE, OUTSIDE = -1, -2
#: codes of the two rows that every table ends with
OUTSIDE_CODE, NO_PLACE_CODE = "outside", "unplaced"
ENOUGH = 10  # below, a rate says nothing
TOLERANCE_M = 20.0  # an event this close outside a border belongs to the area
_EVENTS = 100_000  # events that are placed in one piece
CUT_SHARE = 0.05  # of a unit in a second beat; less is how borders are digitised

register(
    {
        "areas-none": (
            "没有任何区域(网格、村或警格);请至少给出一个带边界的文件。",
            "no areas were given; give a plan, villages or beats with their boundaries.",
        ),
        "areas-beats-cut": (
            "{count} 个最小单元被警格边界切开(如 {name});警格的事件按其自身边界计数。",
            "{count} units are cut by a beat's border (such as {name}); events count in the beats "
            "by the beats' own borders.",
        ),
    }
)


@dataclass(frozen=True, eq=False)
class Homes:
    """Household points: ``xy`` (m, 2) metres, ``households`` and ``persons`` (m,), NaN unknown.

    ``estimated`` where nobody counted households and they were worked out from residents.
    """

    xy: FloatArray
    households: FloatArray
    persons: FloatArray
    estimated: bool = False


@dataclass(frozen=True, eq=False)
class Level:
    """One level of areas. ``of`` (units,) is the area of each unit; the rest is per area.

    ``persons`` and ``households`` are NaN where a part of the area's is unknown. ``own`` holds
    polygons where the areas are not made of whole units (``of`` is then empty).
    """

    name: LevelName
    codes: NDArray[np.str_]
    names: NDArray[np.str_]
    of: IntArray
    persons: FloatArray
    households: FloatArray
    area_km2: FloatArray
    own: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class Areas:
    """The levels over one set of units (polygons, metres); each unit is in one area a level."""

    crs: CRS
    units: NDArray[np.object_]
    levels: Mapping[LevelName, Level]
    notes: tuple[Problem, ...] = ()
    _united: dict[str, NDArray[np.object_]] = field(
        init=False, repr=False, default_factory=dict
    )

    @property
    def ground(self) -> shapely.Geometry:
        """All units as one shape."""
        if "" not in self._united:
            whole = [shapely.union_all(shapely.buffer(self.units, 0))]
            self._united[""] = np.array(whole, dtype=object)
        return self._united[""][0]

    @property
    def per(self) -> Per:
        """What rates are of: residents, or households where no area's residents are known."""
        def known(name: Per) -> bool:
            return any(bool((getattr(v, name) > 0).any()) for v in self.levels.values())

        return "households" if known("households") and not known("persons") else "persons"

    def shapes(self, level: LevelName) -> NDArray[np.object_]:
        """(areas,) polygons of a level."""
        of, k, own = self.levels[level].of, len(self.levels[level]), self.levels[level].own
        if own is not None:
            return own
        if k == len(self.units):
            return self.units[np.argsort(of)]
        if k == 1:
            return np.array([self.ground], dtype=object)
        if level not in self._united:  # seconds for a city, and asked for more than once
            parts = [shapely.union_all(self.units[of == i]) for i in range(k)]
            self._united[level] = np.array(parts, dtype=object)
        return self._united[level].copy()


def areas_of(
    crs: CRS,
    *,
    grids: gpd.GeoDataFrame | None = None,
    villages: gpd.GeoDataFrame | None = None,
    beats: gpd.GeoDataFrame | None = None,
    homes: Homes | None = None,
) -> Areas:
    """The levels that the layers give; frames are in ``crs``, columns as in docs/formats.md.

    Units are the grids; without them the villages; without those the beats. A beat is made of the
    units whose middle it holds, unless a beat's border cuts units: then its own border counts,
    and ``homes`` its residents. Raises :class:`InputError` where there is no area at all.
    """
    given: dict[LevelName, gpd.GeoDataFrame | None] = {
        "grid": grids, "village": villages, "beat": beats,
    }  # fmt: skip
    base = next((name for name, frame in given.items() if frame is not None and len(frame)), None)
    if base is None:
        raise InputError([Problem("areas-none")])
    frame = given[base]
    assert frame is not None
    units = np.asarray(frame.geometry.to_numpy())
    counts = _counts(frame)
    levels: dict[LevelName, Level] = {}
    notes: list[Problem] = []
    _add(levels, base, _column(frame, "code"), _column(frame, "name"), units, counts)
    if base == "grid":
        _add_parents(levels, frame, units, counts, villages)
    elif base == "village":
        _add_townships(levels, frame, units, counts)
    if beats is not None and len(beats) and base != "beat":
        codes, names, cut = _beats_of(units, beats)
        if not len(cut):
            _add(levels, "beat", codes, names, units, counts)
        else:
            levels["beat"] = _own_level(beats, homes)
            params: dict[str, object] = {"count": len(cut), "name": levels[base].codes[cut[0]]}
            notes.append(Problem("areas-beats-cut", "", "", params, "warning"))
    whole = np.full(len(units), "county")
    _add(levels, "county", whole, whole, units, counts)
    return Areas(crs, units, {n: levels[n] for n in LEVELS if n in levels}, tuple(notes))


def _own_level(beats: gpd.GeoDataFrame, homes: Homes | None) -> Level:
    """Beats by their own borders, residents counted from household points."""
    shapes = np.asarray(beats.dissolve(_column(beats, "code")).geometry.to_numpy())
    codes, first = np.unique(_column(beats, "code"), return_index=True)
    persons = households = np.full(len(codes), np.nan)
    if homes is not None:
        at, _ = place_rows(homes.xy, shapes, TOLERANCE_M)
        held = at >= 0

        def total(values: FloatArray) -> FloatArray:
            each = np.bincount(at[held], weights=values[held], minlength=len(codes))
            return each.astype(np.float64)

        persons, households = total(homes.persons), total(homes.households)
    return Level(
        "beat", codes, _column(beats, "name")[first], np.empty(0, dtype=np.int64), persons,
        households, shapely.area(shapes) / 1e6, shapes,
    )  # fmt: skip


def _column(frame: pd.DataFrame, name: str) -> NDArray[np.str_]:
    for column in (name, "code", "name"):
        if column in frame:
            return frame[column].fillna("").astype(str).to_numpy(dtype=np.str_)
    return np.array([f"{i + 1:03d}" for i in range(len(frame))], dtype=np.str_)


def _counts(frame: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Persons and households of each unit, NaN unknown (a plan writes -1 or nothing)."""
    found = []
    for column in ("persons", "households"):
        values = np.full(len(frame), np.nan)
        if column in frame:
            values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
        found.append(np.where(values < 0, np.nan, values))
    return found[0], found[1]


def _add(
    levels: dict[LevelName, Level],
    name: LevelName,
    codes: NDArray[np.str_],
    names: NDArray[np.str_],
    units: NDArray[np.object_],
    counts: tuple[FloatArray, FloatArray],
) -> None:
    """Put a level in; units of one code are one area."""
    known, first, of = np.unique(codes, return_index=True, return_inverse=True)

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(of, weights=values, minlength=len(known)).astype(np.float64)

    levels[name] = Level(
        name, known, names[first], of.astype(np.int64), total(counts[0]), total(counts[1]),
        total(shapely.area(units) / 1e6),
    )  # fmt: skip


def _add_parents(
    levels: dict[LevelName, Level],
    grids: gpd.GeoDataFrame,
    units: NDArray[np.object_],
    counts: tuple[FloatArray, FloatArray],
    villages: gpd.GeoDataFrame | None,
) -> None:
    """Villages and townships of grids, by the grids' own columns, else by where they lie."""
    if "village_code" in grids:
        names = grids["village_name"] if "village_name" in grids else grids["village_code"]
        codes = _column(grids, "village_code")
        _add(levels, "village", codes, names.fillna("").to_numpy(dtype=np.str_), units, counts)
    elif villages is not None and len(villages):
        codes, found, _ = _beats_of(units, villages)
        _add(levels, "village", codes, found, units, counts)
    _add_townships(levels, grids, units, counts)


def _add_townships(
    levels: dict[LevelName, Level],
    frame: gpd.GeoDataFrame,
    units: NDArray[np.object_],
    counts: tuple[FloatArray, FloatArray],
) -> None:
    """Townships by the units' own column, where it names any."""
    if "township_name" in frame and (frame["township_name"].fillna("") != "").any():
        towns = _column(frame, "township_name")
        _add(levels, "township", towns, towns, units, counts)


def _beats_of(
    units: NDArray[np.object_], beats: gpd.GeoDataFrame
) -> tuple[NDArray[np.str_], NDArray[np.str_], IntArray]:
    """Code and name of the area that holds each unit's middle ("" none), and the units cut."""
    shapes = np.asarray(beats.geometry.to_numpy())
    middle = shapely.get_coordinates(shapely.point_on_surface(units))
    which, _ = place_rows(middle, shapes, TOLERANCE_M)
    codes, names = np.append(_column(beats, "code"), ""), np.append(_column(beats, "name"), "")
    held = np.flatnonzero(which >= 0)
    shared = shapely.area(shapely.intersection(units[held], shapes[which[held]]))
    cut = held[shared < (1 - CUT_SHARE) * shapely.area(units[held])]
    return codes[which], names[which], cut


def place(
    areas: Areas, events: Events, steps: Steps = one_after_another
) -> dict[LevelName, IntArray]:
    """Area of each event (n,) at each level; NO_PLACE without coordinates, OUTSIDE beyond all.

    ``steps`` does the events block by block (stage "places").
    """
    asked = [areas.units, *(v.own for v in areas.levels.values() if v.own is not None)]
    parts = blocks(len(events), _EVENTS)

    def piece(number: int) -> NDArray[np.int32]:
        own = parts[number]
        xy = np.column_stack([events.x[own], events.y[own]])
        found = np.stack([place_rows(xy, shapes, TOLERANCE_M)[0] for shapes in asked])
        found[(found < 0) & events.placed[own]] = OUTSIDE
        return found.astype(np.int32)

    unit, *others = joined(steps("places", len(parts), piece)).astype(np.int64)
    rest = iter(others)
    return {
        name: np.where(unit >= 0, level.of[np.maximum(unit, 0)], unit)
        if level.own is None
        else next(rest)
        for name, level in areas.levels.items()
    }


def tally(level: Level, at: IntArray, weights: FloatArray | None = None) -> FloatArray:
    """(areas + 2,) events of each area, then those outside, then those without a place."""
    k = len(level)
    slot = np.where(at >= 0, at, np.where(at == OUTSIDE, k, k + 1))
    return np.bincount(slot, weights=weights, minlength=k + 2).astype(np.float64)


def area_table(level: Level, at: IntArray, per: Per = "persons") -> pd.DataFrame:
    """One row an area and the two last rows; every event of ``at`` is in exactly one row.

    Columns: code, name, count, households, persons, area_km2, density (per km²), rate_per_1000
    residents (households, with ``per``), rate_smoothed (empirical Bayes, per 1,000), rate_low and
    rate_high (funnel limits around the common rate), unusual ("high", "low" or ""), enough (count
    >= 10). Rates are NaN where the residents are unknown or none. Residents are not the people
    present: a market has few residents and many events.
    """
    counts = tally(level, at)
    k = len(level)
    table = pd.DataFrame(
        {
            "code": [*level.codes, OUTSIDE_CODE, NO_PLACE_CODE],
            "name": [*level.names, "", ""],
            "count": counts.astype(np.int64),
        }
    )
    for column in ("households", "persons", "area_km2"):
        table[column] = np.append(getattr(level, column), [np.nan, np.nan])
    table["density"] = table["count"] / table["area_km2"]
    residents: FloatArray = getattr(level, per)
    known = np.flatnonzero(np.nan_to_num(residents) > 0)
    people, held = residents[known], counts[:k][known]
    band = funnel(held, people)
    for column, values in (
        ("rate_per_1000", held / people * 1000),
        ("rate_smoothed", empirical_bayes(held, people) * 1000),
        ("rate_low", band.lower / people * 1000),
        ("rate_high", band.upper / people * 1000),
    ):
        table[column] = np.nan
        table.loc[known, column] = values
    table["unusual"] = ""
    table.loc[known[band.high], "unusual"] = "high"
    table.loc[known[band.low], "unusual"] = "low"
    table["enough"] = table["count"] >= ENOUGH
    return table


def change(now: FloatArray, before: FloatArray) -> FloatArray:
    """Share by which ``now`` is above ``before``; NaN (shown "—") where before is 0 or unknown."""
    earlier = np.asarray(before, dtype=np.float64)
    known = earlier > 0
    out = np.full(earlier.shape, np.nan)
    np.divide(np.asarray(now) - earlier, earlier, out=out, where=known)
    return out


def shown_change(value: float) -> str:
    """A change as people read it: +12.5 %, "—" where there is nothing to compare with."""
    return "—" if np.isnan(value) else f"{value:+.1%}"
