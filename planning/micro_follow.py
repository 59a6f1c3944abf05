"""When grids are redrawn their micro-grids follow, with the least change, and say what changed.

What stayed keeps its number; ground that came from elsewhere joins the micro-grid it shares most
border with, or is one of its own where enough people live on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.coverage import components, dissolve
from geo.segments import tally
from geo.units import Units
from planning.graph import FloatArray, IntArray
from planning.micro import MicroGrids
from planning.micro_plan import MOST, MicroPlan, micro_name, part_of
from planning.plan import Grid, Plan

OWN_SHARE = 0.5
"""Households, as a share of the target, from which ground that came is a micro-grid of its own."""


@dataclass(frozen=True)
class FormerMicro:
    """The micro-grids there were: codes, the codes of their grids, and polygons, (m,) each."""

    code: NDArray[np.object_]
    grid: NDArray[np.object_]
    shape: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.code)

    def near(self, bounds: Sequence[float]) -> FormerMicro:
        """Those that touch a box (west, south, east, north)."""
        rows = np.sort(self._tree.query(shapely.box(*bounds)))
        return FormerMicro(self.code[rows], self.grid[rows], self.shape[rows])

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.shape)


@dataclass(frozen=True)
class MicroChange:
    """What became of a grid's micro-grids: numbers of those that changed, are new, are gone."""

    grid: str
    changed: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True)
class Followed:
    """The micro-grids of a village's grids as they are now.

    ``label`` (n,) micro-grid of each unit, -1 on dedicated ground; ``code``, ``grid`` (m,) the
    micro-grid's code and its grid's; ``changes`` a row a grid whose micro-grids are others now.
    """

    label: IntArray
    code: tuple[str, ...]
    grid: tuple[str, ...]
    changes: tuple[MicroChange, ...]

    def outlines(self, units: Units) -> NDArray[np.object_]:
        """Polygons of the micro-grids, (m,)."""
        held = self.label >= 0
        return dissolve(units.geometry[held], self.label[held])

    def plan(self, village: Plan, grid: str) -> MicroPlan:
        """The micro-grids of one grid as a plan to be edited. KeyError for another grid."""
        key = next((k for k, own in village.grids.items() if own.code == grid), None)
        if key is None:
            raise KeyError(grid)
        members = village.members(key)
        rows = np.unique(self.label[members])
        if (rows < 0).any():
            raise KeyError(grid)
        known = {
            i: Grid(self.code[row], micro_name(int(self.code[row][-2:])))
            for i, row in enumerate(rows.tolist())
        }
        label = np.searchsorted(rows, self.label[members]).astype(np.int64)
        used = frozenset(one.code for one in known.values())
        units = part_of(village.units, members, grid)
        return MicroPlan(units, label, known, "", len(known), used)


def follow(plan: Plan, former: FormerMicro, target: int) -> Followed:
    """The micro-grids of a village's comprehensive grids, as little other than before as can be.

    ``former`` those of its ground before the grids were redrawn, ``target`` households of one.
    """
    tag = _tags(plan.units, former)
    home = _homes(plan, tag, len(former))
    label = np.full(len(plan.units), -1, dtype=np.int64)
    codes: list[str] = []
    grids: list[str] = []
    changes = []
    for key in sorted(plan.grids, key=lambda k: plan.grids[k].code):
        own = plan.grids[key]
        if own.kind == "dedicated":
            continue
        members = plan.members(key)
        part = _divided(plan, members, tag, home == key, target)
        numbers = _numbers(own.code, part, former)
        order = np.argsort([numbers[one] for one in range(len(part.kept))], kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        label[members] = len(codes) + place[part.label]
        codes += [f"{own.code}{numbers[one]:02d}" for one in order.tolist()]
        grids += [own.code] * len(order)
        change = _change(plan, own.code, members, part, numbers, tag, former)
        if change is not None:
            changes.append(change)
    return Followed(label, tuple(codes), tuple(grids), tuple(changes))


def _tags(units: Units, former: FormerMicro) -> IntArray:
    """The former micro-grid of each unit, or -1."""
    tag = np.full(len(units), -1, dtype=np.int64)
    if not len(former):
        return tag
    inside = shapely.point_on_surface(units.geometry)
    unit, row = shapely.STRtree(former.shape).query(inside, predicate="intersects")
    order = np.lexsort((-row, unit))
    tag[unit[order]] = row[order]
    return tag


def _homes(plan: Plan, tag: IntArray, m: int) -> IntArray:
    """The grid (its key) that holds most of each former micro-grid, or -1; shape (m,)."""
    home = np.full(m, -1, dtype=np.int64)
    mass = plan.units.households + plan.units.area * 1e-9
    for row in range(m):
        own = np.flatnonzero(tag == row)
        if len(own):
            keys, place = np.unique(plan.label[own], return_inverse=True)
            home[row] = keys[np.argmax(np.bincount(place, weights=mass[own]))]
    return home


@dataclass(frozen=True)
class _Part:
    """A grid's units by micro-grid 0..k-1; ``kept`` (k,) the former one each continues, or -1."""

    label: IntArray
    kept: IntArray


def _divided(
    plan: Plan, members: IntArray, tag: IntArray, at_home: NDArray[np.bool_], target: int
) -> _Part:
    """The micro-grids of one grid: pieces that are at home here, the rest joined or new."""
    own = tag[members]
    known = np.unique(own[own >= 0])
    untouched = not (own < 0).any() and all(
        np.isin(np.flatnonzero(tag == row), members).all() for row in known.tolist()
    )
    if untouched and len(known):
        return _Part(np.searchsorted(known, own).astype(np.int64), known)
    ground = part_of(plan.units, members, "")
    same = own[ground.edges.a] == own[ground.edges.b]
    piece = components(len(members), ground.edges.a[same], ground.edges.b[same])
    mass = tally(piece, ground.households + ground.area * 1e-9, int(piece.max()) + 1)
    lived = np.bincount(piece, weights=ground.households)
    first = np.unique(piece, return_index=True)[1]
    former = own[first]
    stays = np.zeros(len(mass), dtype=bool)
    for row in known.tolist():
        if at_home[row]:
            rows = np.flatnonzero(former == row)
            stays[rows[np.argmax(mass[rows])]] = True
    fresh = ~stays & (lived >= max(1.0, OWN_SHARE * target))
    if not (stays | fresh).any():
        fresh[np.argmax(mass)] = True
    host = _joined(piece, ground, stays | fresh, mass)
    seats = np.flatnonzero(stays | fresh)
    kept = np.where(stays[seats], former[seats], -1)
    return _Part(np.searchsorted(seats, host[piece]).astype(np.int64), kept)


def _joined(
    piece: IntArray, ground: Units, seats: NDArray[np.bool_], mass: FloatArray
) -> IntArray:
    """The seat that each piece joins: of its neighbours that with most common border."""
    n = len(seats)
    host = np.where(seats, np.arange(n), -1)
    shared = np.zeros((n, n))
    a, b = piece[ground.edges.a], piece[ground.edges.b]
    np.add.at(shared, (a, b), ground.edges.length)
    shared += shared.T
    waiting = [int(p) for p in np.argsort(-mass, kind="stable") if host[p] < 0]
    while waiting:
        settled = []
        for own in waiting:
            beside = np.flatnonzero((shared[own] > 0) & (host >= 0))
            beside = beside[beside != own]
            if len(beside):
                host[own] = host[beside[np.argmax(shared[own, beside])]]
                settled.append(own)
        if not settled:  # an island: it goes with the largest
            largest = np.flatnonzero(seats)[np.argmax(mass[seats])]
            host[waiting] = largest
            break
        waiting = [own for own in waiting if own not in settled]
    return host


def _numbers(grid: str, part: _Part, former: FormerMicro) -> list[int]:
    """The number of each micro-grid: its own where it had one here, else the lowest free one."""
    taken = {
        int(tail)
        for code, of in zip(former.code, former.grid, strict=True)
        if of == grid and (tail := str(code).removeprefix(grid)).isdecimal()
    }
    numbers: list[int] = []
    for row in part.kept.tolist():
        tail = str(former.code[row]).removeprefix(grid) if row >= 0 else ""
        if row >= 0 and former.grid[row] == grid and tail.isdecimal():
            numbers.append(int(tail))
        else:
            numbers.append(0)
    for place, number in enumerate(numbers):
        if not number:
            free = (n for n in range(1, MOST + 1) if n not in taken)
            numbers[place] = next(free, 0) or _over(numbers)
            taken.add(numbers[place])
    return numbers


def _over(numbers: Sequence[int]) -> int:
    """The lowest number not in use now, where all were given once."""
    return next(n for n in range(1, 1000) if n not in numbers)


def _change(
    plan: Plan, grid: str, members: IntArray, part: _Part, numbers: Sequence[int], tag: IntArray,
    former: FormerMicro,
) -> MicroChange | None:  # fmt: skip
    """What is told of a grid; None where its micro-grids are what they were."""
    before = {
        str(code): row
        for row, (code, of) in enumerate(zip(former.code, former.grid, strict=True))
        if of == grid
    }
    changed, new = [], []
    for place, row in enumerate(part.kept.tolist()):
        code = f"{grid}{numbers[place]:02d}"
        if row < 0 or former.grid[row] != grid:
            new.append(code)
            continue
        now = set(members[part.label == place].tolist())
        if now != set(np.flatnonzero(tag == row).tolist()):
            changed.append(code)
    kept = {str(former.code[row]) for row in part.kept[part.kept >= 0].tolist()}
    gone = sorted(set(before) - kept)
    if not (changed or new or gone):
        return None
    return MicroChange(grid, tuple(sorted(changed)), tuple(sorted(new)), tuple(gone))


def kept_micro(
    units: Units, label: IntArray, grids: Sequence[Grid], former: FormerMicro, target: int
) -> MicroGrids:
    """The micro-grids of a village whose grids were carried over: kept as far as they can be.

    ``label`` (n,) row of ``grids`` of each unit; ``former`` of the whole county.
    """
    plan = Plan(units, label, dict(enumerate(grids)))
    found = follow(plan, former.near(shapely.total_bounds(units.geometry)), target)
    row = {grid.code: i for i, grid in enumerate(grids)}
    tails = [code.removeprefix(of) for code, of in zip(found.code, found.grid, strict=True)]
    return MicroGrids(
        label=found.label,
        grid=np.array([row[code] for code in found.grid], dtype=np.int64),
        number=np.array([int(tail) for tail in tails], dtype=np.int64),
        outlines=found.outlines(units),
    )


def former_of(micro: gpd.GeoDataFrame) -> FormerMicro:
    """A plan file's micro-grids as what was there before."""
    return FormerMicro(
        micro["code"].astype(str).to_numpy(object),
        micro["grid_code"].astype(str).to_numpy(object),
        micro.geometry.to_numpy(),
    )


def table_of(plan: Plan, followed: Followed, crs: object) -> gpd.GeoDataFrame:
    """Micro-grids as rows of plan.gpkg: code, grid_code, households, persons, polygon."""
    m, held = len(followed.code), followed.label >= 0
    label = followed.label[held]
    households = np.bincount(label, weights=plan.units.households[held], minlength=m)
    persons = np.bincount(label, weights=plan.units.persons[held], minlength=m)
    known = bool((plan.units.persons >= 0).all())
    return gpd.GeoDataFrame(
        {
            "code": list(followed.code),
            "grid_code": list(followed.grid),
            "households": households.astype(np.int64),
            "persons": pd.array(persons.astype(np.int64) if known else [None] * m, dtype="Int64"),
        },
        geometry=followed.outlines(plan.units),
        crs=crs,
    )
