"""A part of the county, a township, in the county's protected tables: its own rows and no others.

Were a part's events protected by themselves, the two sets of tables could be subtracted: what the
county tells of its villages by year, less what a township's own months tell, is the month that
these hide. So a part is protected by nothing of its own. Its leaders read the rows that the
county's leaders read, those of areas that lie wholly inside; its total is the row of its township,
or the sum of such rows where each is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.problems import InputError, Problem
from incidents.areas import CUT_SHARE, Areas, IntArray, Level, LevelName
from incidents.cells import Cells
from incidents.share_axes import combinations_on_ground
from incidents.sharing import Shared

TILES: tuple[LevelName, ...] = ("county", "township", "village", "grid", "beat")


@dataclass(frozen=True, eq=False)
class SharedPart(Shared):
    """The county's tables as a part of it may read them.

    ``part`` are the part's own areas, ``own`` the codes of those that lie wholly inside, by level,
    ``tiles`` the levels whose own areas make up the part, the coarsest first.
    """

    part: Areas
    own: Mapping[LevelName, frozenset[str]]
    tiles: tuple[LevelName, ...]

    @property
    def areas(self) -> Areas:
        """The part's areas."""
        return self.part

    def rows(self, level: LevelName, period: str = "", kind: str = "") -> pd.DataFrame:
        """As :meth:`Shared.rows`, for the part's areas; "—" for one that lies partly outside."""
        if level == "county":
            whole = self._added(lambda name: super(SharedPart, self).rows(name, period, kind))
        else:
            whole = super().rows(level, period, kind)
        found = self._only(whole, level)
        return found.assign(shown=found["shown"].fillna("—"))

    def loop(self, level: LevelName, period: str = "") -> pd.DataFrame:
        """As :meth:`Shared.loop`, for the part's areas."""
        if level == "county":
            whole = self._added(lambda name: super(SharedPart, self).loop(name, period))
        else:
            whole = super().loop(level, period)
        return self._only(whole, level)

    def listed(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a long table (level, code, ...) that are of areas wholly inside."""
        inside = [
            code in self.own.get(level, ()) for level, code in zip(table["level"], table["code"],
                                                                   strict=True)
        ]  # fmt: skip
        return table[np.array(inside, dtype=bool)].reset_index(drop=True)

    def beyond(self, cells: Cells) -> NDArray[np.bool_]:
        """(ny, nx) cells that are not the part's."""
        return ~cells_of(cells, self.part, self.prepared.areas)

    def _only(self, table: pd.DataFrame, level: LevelName) -> pd.DataFrame:
        codes = [str(code) for code in self.part.levels[level].codes]
        own = codes if level == "county" else [c for c in codes if c in self.own[level]]
        kept = table[table["code"].isin(own)].set_index("code")
        return kept.reindex(codes).rename_axis("code").reset_index()

    def _added(self, read: Callable[[LevelName], pd.DataFrame]) -> pd.DataFrame:
        """The part as one row: the sum of its tiles where each is shown, one tile as it stands.
        Raises KeyError where no table of tiles is published."""
        found: pd.DataFrame | None = None
        for name in self.tiles:
            try:
                table = read(name)
            except KeyError:
                continue
            tiles = table[table["code"].isin(self.own[name])]
            numbers = tiles.select_dtypes("number")
            whole = numbers.sum(min_count=len(numbers)).to_frame().T.assign(code="county")
            if "shown" in tiles:
                count = whole["count"].iloc[0]
                one = tiles["shown"].iloc[0] if len(tiles) == 1 else "—"
                whole["shown"] = one if np.isnan(count) else str(int(count))
            if found is None or not numbers.isna().any(axis=None):
                found = whole
            if not numbers.isna().any(axis=None):
                break
        if found is None:
            raise KeyError("county")
        return found


def part_of(shared: Shared, villages: Collection[str]) -> SharedPart:
    """The county's tables for who may see some ``villages`` (codes). Raises InputError where the
    county has none of them."""
    areas = areas_of_villages(shared.prepared.areas, villages)
    levels = shared.prepared.areas.levels
    ground = combinations_on_ground(shared.prepared)
    held = np.isin(levels["village"].codes, list(villages))
    inside = held[ground[:, list(levels).index("village")]]
    own: dict[LevelName, frozenset[str]] = {}
    tiles: list[LevelName] = []
    for column, (name, level) in enumerate(levels.items()):
        at = ground[:, column]
        if level.own is None:
            whole = np.setdiff1d(at[inside & (at >= 0)], at[~inside])
            if np.isin(at[inside], whole).all():
                tiles.append(name)
        else:  # a border of its own is digitised beside the grids', and belongs to it all the same
            whole = np.flatnonzero(_shares_within(level.own, areas.units) >= 1 - CUT_SHARE)
        own[name] = frozenset(map(str, level.codes[whole]))
    return SharedPart(
        shared.prepared, shared.common, shared.sensitive, areas, own,
        tuple(name for name in TILES if name in tiles),
    )  # fmt: skip


def areas_of_villages(areas: Areas, villages: Collection[str]) -> Areas:
    """The units of some villages and what they are parts of; counts are those of the units.
    Raises InputError where there is none of them."""
    village = areas.levels["village"]
    keep = np.flatnonzero(np.isin(village.codes, list(villages))[village.of])
    if not len(keep):
        raise InputError([Problem("areas-none")])
    base = areas.levels.get("grid", village)
    smallest, first = np.unique(base.of[keep], return_index=True)
    units = areas.units[keep]
    levels: dict[LevelName, Level] = {}
    for name, level in areas.levels.items():
        if level.own is not None:
            met = np.flatnonzero(_shares_within(level.own, units) > CUT_SHARE)
            levels[name] = Level(
                name, level.codes[met], level.names[met], level.of, level.persons[met],
                level.households[met], level.area_km2[met], level.own[met],
            )  # fmt: skip
            continue
        used, of = np.unique(level.of[keep], return_inverse=True)
        levels[name] = _smaller(level, used, of.astype(np.int64), base, smallest, first, units)
    return Areas(areas.crs, units, levels, areas.notes)


def _shares_within(
    shapes: NDArray[np.object_], units: NDArray[np.object_]
) -> NDArray[np.float64]:
    """(n,) the share of each shape's ground that lies on the units."""
    unit, shape = shapely.STRtree(shapes).query(units, predicate="intersects")
    met = shapely.area(shapely.intersection(units[unit], shapes[shape]))
    held = np.bincount(shape, weights=met, minlength=len(shapes))
    return np.asarray(held / shapely.area(shapes))


def _smaller(
    level: Level, used: IntArray, of: IntArray, base: Level, smallest: IntArray, first: IntArray,
    units: NDArray[np.object_],
) -> Level:  # fmt: skip
    """A level of some units: its areas with the people of the ``smallest`` areas that are kept,
    ``first`` a unit of each."""
    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = np.bincount(of[first], weights=values[smallest], minlength=len(used))
        return kept.astype(np.float64)

    km2 = np.bincount(of, weights=shapely.area(units) / 1e6, minlength=len(used))
    return Level(
        level.name, level.codes[used], level.names[used], of, total(base.persons),
        total(base.households), km2.astype(np.float64),
    )  # fmt: skip


def cells_of(cells: Cells, part: Areas, whole: Areas) -> NDArray[np.bool_]:
    """(ny, nx) cells that are the part's: their middle lies on its ground, or on nobody's while
    some of the cell lies on the part's."""
    ny, nx = cells.shape
    x = cells.x0 + (np.arange(nx) + 0.5) * cells.size
    y = cells.y0 + (np.arange(ny) + 0.5) * cells.size
    at, ground = np.meshgrid(x, y), part.ground
    found = np.asarray(shapely.contains_xy(ground, *at))
    rim = cells.inside & ~found & ~shapely.contains_xy(whole.ground, *at)
    rows, columns = np.nonzero(rim)
    west, south = cells.x0 + columns * cells.size, cells.y0 + rows * cells.size
    squares = shapely.box(west, south, west + cells.size, south + cells.size)
    found[rim] = shapely.intersects(squares, ground)
    return found
