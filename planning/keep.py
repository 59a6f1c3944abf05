"""Keeping what exists: today's grids as the plan of new ground.

Every unit goes to the grid that covers most of it; a unit that an old border really cuts is
refined along that border (:mod:`geo.refine`), so that the old grids come back to within a metre.
What could not be kept is listed, grid by grid, with square metres and households.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.enclosures import VillageGround
from geo.refine import HAIR_M, SLIVER_M, refine_by_polygons
from geo.segments import tally
from geo.units import Units
from planning.edits import divide_again
from planning.graph import IntArray, graph_of
from planning.plan import Grid, Kind, Plan
from planning.propose import propose
from planning.settings import Settings
from planning.start import pieces

WITHIN_M = 1.0  # an old grid has come back where no strip wider than this is missing


@dataclass(frozen=True)
class NotKept:
    """What an old grid lost: its code, square metres, and the households living there."""

    code: str
    area_m2: float
    households: int


@dataclass(frozen=True)
class Kept:
    """Today's grids on new ground.

    ``plan`` its units are the ground's, refined where an old border asked for it; ``parent``
    (n,) the unit of the ground each came from. ``new`` keys of grids on ground that had none.
    ``not_kept`` what old grids lost; ``gone`` codes of the grids that have no unit left.
    """

    plan: Plan
    parent: IntArray
    new: frozenset[int]
    not_kept: tuple[NotKept, ...]
    gone: tuple[str, ...]


def keep(
    units: Units,
    grids: gpd.GeoDataFrame,
    settings: Settings,
    *,
    ground: VillageGround | None = None,
    village_name: str = "",
    used: frozenset[str] = frozenset(),
) -> Kept:
    """Bring old grids (:class:`planning.today.Today` rows of this village) onto its units.

    Codes, names and kinds are kept. Ground without an old grid becomes a new grid where enough
    people live on it (the least households of a grid, or half the target), else it joins the
    neighbour it shares most border with. ``used`` codes are given to no new grid. Without
    ``ground`` the households of a cut unit are not parted (see :mod:`geo.refine`).
    """
    shapes = grids.geometry.to_numpy()
    label, cut = _owners(units.geometry, units.area, shapes)
    parent = np.arange(len(units))
    if len(cut):
        tree = shapely.STRtree(units.geometry[cut])
        near = np.unique(tree.query(shapes, predicate="intersects")[0])
        refined = refine_by_polygons(units, shapes[near], ground, only=cut)
        units, parent = refined.units, refined.parent
        label = label[parent]
        pieces_of_cut = np.flatnonzero(np.isin(parent, cut))
        label[pieces_of_cut] = _most(units.geometry[pieces_of_cut], shapes)
    known = {
        int(row): _grid(grids, int(row)) for row in np.unique(label[label >= 0])
    }
    plan = _plan(units, label, known, village_name, len(grids), used)
    plan, new = _settle(plan, settings)
    codes = grids["code"].to_numpy()
    gone = tuple(str(codes[row]) for row in range(len(grids)) if row not in plan.grids)
    return Kept(plan, parent, new, tuple(_losses(plan, grids, ground)), gone)


def _grid(grids: gpd.GeoDataFrame, row: int) -> Grid:
    own = grids.iloc[row]
    kind: Kind = "dedicated" if own["kind"] == "dedicated" else "comprehensive"
    return Grid(str(own["code"]), str(own["name"]), kind)


def _plan(
    units: Units,
    label: IntArray,
    known: dict[int, Grid],
    village_name: str,
    next_key: int,
    used: frozenset[str],
) -> Plan:
    """A plan with one grid, keyed ``next_key``, for everything that has none yet."""
    blank = label < 0
    taken = used | {grid.code for grid in known.values()}
    if blank.any():
        label = np.where(blank, next_key, label)
        known = {**known, next_key: Grid("", "")}
    plan = Plan(units, label, known, village_name, next_key + 1, taken - {""})
    for key, grid in known.items():  # grids drawn by somebody who gave them no code
        if key == next_key or (grid.code and grid.name):
            continue
        wider, fresh = plan.fresh(grid.kind)
        given = wider.grids[fresh]
        named = replace(grid, code=grid.code or given.code, name=grid.name or given.name)
        used_now = plan.used if grid.code else wider.used
        plan = replace(plan, grids={**plan.grids, key: named}, used=used_now)
    return plan


def _owners(
    polygons: NDArray[np.object_], area: NDArray[np.float64], shapes: NDArray[np.object_]
) -> tuple[IntArray, IntArray]:
    """The old grid of each unit, -1 for none, and the units that an old border really cuts."""
    label = np.full(len(polygons), -1, dtype=np.int64)
    cut = np.empty(0, dtype=np.int64)
    if not len(shapes):
        return label, cut
    tree = shapely.STRtree(polygons)
    # nearly all units lie in one grid: told by one prepared test a grid, not by intersections
    grid, unit = tree.query(shapely.buffer(shapes, HAIR_M), predicate="covers")
    count = np.bincount(unit, minlength=len(polygons))
    single = count[unit] == 1
    label[unit[single]] = grid[single]
    open_units = np.flatnonzero(count != 1)
    if not len(open_units):
        return label, cut
    best = _most(polygons[open_units], shapes, even_small=True)
    held = best >= 0
    rows, host = open_units[held], shapes[best[held]]
    inside = _thick(shapely.intersection(polygons[rows], host))
    outside = _thick(shapely.difference(polygons[rows], host))
    label[rows[inside]] = best[held][inside]
    return label, rows[inside & outside]


def _thick(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether a disc of :data:`~geo.refine.SLIVER_M` fits into each shape."""
    return ~np.asarray(shapely.is_empty(shapely.buffer(shapes, -SLIVER_M)), dtype=bool)


def _most(
    polygons: NDArray[np.object_], shapes: NDArray[np.object_], *, even_small: bool = False
) -> IntArray:
    """The shape that covers most of each polygon; -1 where more of it is covered by none."""
    polygon, shape = shapely.STRtree(shapes).query(polygons, predicate="intersects")
    held = shapely.area(shapely.intersection(polygons[polygon], shapes[shape]))
    best = np.full(len(polygons), -1, dtype=np.int64)
    order = np.lexsort((-shape, held))
    order = order[held[order] > 0]
    best[polygon[order]] = shape[order]
    if not even_small:
        most = np.zeros(len(polygons))
        np.maximum.at(most, polygon, held)
        bare = shapely.area(polygons) - tally(polygon, held, len(polygons))
        best[bare > most] = -1
    return best


def _settle(plan: Plan, settings: Settings) -> tuple[Plan, frozenset[int]]:
    """Give the ground that has no grid yet one of its own, or to a neighbour."""
    blank = plan.next_key - 1
    if blank not in plan.grids:
        return _new_dedicated(plan, frozenset(), blank)
    units = plan.units
    bare = plan.label == blank
    if bare.all():
        return _from_nothing(plan, settings)
    piece = pieces(graph_of(units), np.where(bare & (units.dedicated < 0), 0, 1))
    least = settings.min_households or settings.target / 2
    usual = [key for key, grid in plan.grids.items() if key != blank and _usual(grid)]
    new: set[int] = set()
    label = plan.label.copy()
    for number in np.unique(piece[bare & (units.dedicated < 0)]):
        members = np.flatnonzero(piece == number)
        if units.households[members].sum() >= least or not usual:
            plan, key = plan.fresh()
            label[members] = key
            new.add(key)
        else:
            label[members] = _host(plan, members, usual)
    plan, given = _new_dedicated(_relabelled(plan, label), frozenset(new), blank)
    for key in sorted(new):
        before = set(plan.grids)
        plan = _divided(plan, key, settings)
        given |= set(plan.grids) - before
    return plan, given


def _usual(grid: Grid) -> bool:
    return grid.kind == "comprehensive" and not grid.locked


def _relabelled(plan: Plan, label: IntArray) -> Plan:
    """The plan with other labels; the stand-in grid goes, unless dedicated ground waits in it."""
    alive = set(np.unique(label).tolist())
    grids = {key: grid for key, grid in plan.grids.items() if key in alive}
    return replace(plan, label=label, grids=grids)


def _host(plan: Plan, members: IntArray, usual: list[int]) -> int:
    """The comprehensive grid that some ground shares most border with, else the nearest."""
    graph = graph_of(plan.units)
    mine = np.zeros(len(graph), dtype=bool)
    mine[members] = True
    source = graph.source
    across = mine[source] & ~mine[graph.indices]
    owner = plan.label[graph.indices[across]]
    shared = {
        key: float(graph.length[across][owner == key].sum()) for key in usual if key in owner
    }
    if shared:
        return max(shared, key=lambda key: (shared[key], -key))
    place = np.column_stack([plan.units.x, plan.units.y])
    hosts = np.flatnonzero(np.isin(plan.label, usual))
    distance, near = cKDTree(place[hosts]).query(place[members])
    return int(plan.label[hosts[near[int(np.argmin(distance))]]])


def _new_dedicated(
    plan: Plan, new: frozenset[int], blank: int
) -> tuple[Plan, frozenset[int]]:
    """A grid for each dedicated place that lies mostly outside the dedicated grids of today."""
    units, given = plan.units, set(new)
    label = plan.label.copy()
    for number in np.unique(units.dedicated[units.dedicated >= 0]):
        members = np.flatnonzero(units.dedicated == number)
        own = np.array([plan.grids[int(key)].kind == "dedicated" for key in label[members]])
        if units.area[members][own].sum() >= units.area[members].sum() / 2:
            # a strip along its edge that had no grid is the place's own
            main = np.bincount(label[members][own], weights=units.area[members][own]).argmax()
            label[members[label[members] == blank]] = main
            continue
        plan, key = plan.fresh("dedicated")
        label[members[~own]] = key
        given.add(key)
    return _relabelled(plan, label), frozenset(given)


def _divided(plan: Plan, key: int, settings: Settings) -> Plan:
    """A new grid's ground in as many grids as its people ask for."""
    members = plan.members(key)
    counted = bool((plan.units.persons >= 0).all())
    k = settings.grids_of(
        int(plan.units.households[members].sum()),
        int(plan.units.persons[members].sum()) if counted else -1,
    )
    return divide_again(plan, [key], k, settings, settings.seed).plan if k > 1 else plan


def _from_nothing(plan: Plan, settings: Settings) -> tuple[Plan, frozenset[int]]:
    """A village that had no grid at all is proposed afresh, with codes never used."""
    proposal = propose(plan.units, settings)
    keys = np.empty(proposal.k, dtype=np.int64)
    for row, dedicated in enumerate(proposal.dedicated):
        plan, keys[row] = plan.fresh("comprehensive" if dedicated < 0 else "dedicated")
    grids = {int(key): plan.grids[int(key)] for key in keys}
    return replace(plan, label=keys[proposal.label], grids=grids), frozenset(keys.tolist())


def _losses(
    plan: Plan, grids: gpd.GeoDataFrame, ground: VillageGround | None
) -> list[NotKept]:
    """What each old grid lost: ground more than a metre wide, or households."""
    shapes = grids.geometry.to_numpy()
    if not len(shapes):
        return []
    codes = grids["code"].to_numpy()
    present = [key for key in sorted(plan.grids) if key < len(shapes)]
    outlines = np.full(len(shapes), shapely.Polygon(), dtype=object)
    outlines[present] = plan.outlines()[np.searchsorted(plan.keys, present)]
    missing = shapely.difference(shapes, outlines)
    wide = ~shapely.is_empty(shapely.buffer(missing, -WITHIN_M / 2))
    left = _left_households(plan, shapes, ground)
    return [
        NotKept(
            plan.grids[int(row)].code if row in present else str(codes[row]),
            float(missing[row].area),
            int(left[row]),
        )
        for row in np.flatnonzero(wide | (left > 0))
    ]


def _left_households(
    plan: Plan, shapes: NDArray[np.object_], ground: VillageGround | None
) -> NDArray[np.float64]:
    """Households that live in each old grid and are now in another."""
    units = plan.units
    if ground is None:
        xy, held, now = np.column_stack([units.x, units.y]), units.households, plan.label
    else:
        xy, held, now = ground.xy, ground.households, plan.label[units.unit_of_row]
    if not len(xy):
        return np.zeros(len(shapes))
    tree = shapely.STRtree(shapes)
    points = shapely.points(xy)
    row, grid = tree.query(points, predicate="intersects")
    # a house that an old border runs through is in both grids, however the border was rounded
    beside, close = tree.query(points, predicate="dwithin", distance=HAIR_M)
    stays = np.zeros(len(xy), dtype=bool)
    stays[beside[close == now[beside]]] = True
    # on a border between two old grids a household is in both: it left neither that it is in
    leaves = ~stays[row]
    first = np.unique(row[leaves], return_index=True)[1]
    return tally(grid[leaves][first], held[row[leaves][first]], len(shapes))
