"""Where people live: compounds and streets in town, hamlets along lanes in the country.

Every row is a building: where it stands, how many households and persons, and what it is part of.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from data.blocks import Blocks, IntArray
from data.layout import FloatArray, Layout
from data.names import Names

COMPOUND, STREET, HAMLET, NOTHING = 0, 1, 2, 3
_PERSONS_BESIDE_ONE = 1.92  # persons a household has beside its first, on average


@dataclass
class Use:
    """What each block is used for, before anybody knows its village."""

    kind: IntArray
    expected: FloatArray  # households
    zone: IntArray  # 0 the seat, 1.. towns, -1 the country


@dataclass
class People:
    """Buildings (rows) and the outlines of compounds and hamlets."""

    xy: FloatArray
    households: IntArray
    persons: IntArray
    face: IntArray
    compound: IntArray  # row of ``compound_shape``, -1 none
    hamlet: IntArray  # row of ``hamlet_shape``, -1 none
    compound_shape: list[shapely.Polygon] = field(default_factory=list)
    compound_name: list[str] = field(default_factory=list)
    compound_face: list[int] = field(default_factory=list)
    hamlet_shape: list[shapely.Polygon] = field(default_factory=list)
    hamlet_name: list[str] = field(default_factory=list)
    hamlet_face: list[int] = field(default_factory=list)


def zones(blocks: Blocks, layout: Layout) -> IntArray:
    """0 the seat, 1.. the towns, -1 the country, by how built-up the block's middle is."""
    centre = blocks.centres()
    gap = np.hypot(*(centre[:, None, :] - layout.centres[None]).transpose(2, 0, 1))
    nearest = (gap / layout.radii[None]).argmin(axis=1)
    return np.where(layout.urbanity(centre) > 0.42, nearest, -1).astype(np.int64)


def use_of(blocks: Blocks, layout: Layout, rng: np.random.Generator) -> Use:
    """Draw what each block is used for and how many households it should hold."""
    n = len(blocks.faces)
    zone = zones(blocks, layout)
    area = shapely.area(blocks.faces)
    dry = shapely.area(shapely.intersection(blocks.faces, layout.river)) < 0.35 * area
    solid = _roundness(blocks.faces) > 0.35
    town = (zone >= 0) & dry
    draw = rng.random(n)
    kind = np.full(n, NOTHING, dtype=np.int64)
    expected = np.zeros(n)
    seat = town & (zone == 0)
    share = np.where(seat, 0.36, 0.16)
    is_compound = town & (draw < share) & solid & (area > 9000) & (area < 70_000)
    kind[is_compound] = COMPOUND
    dense = rng.lognormal(0, 0.28, n) * np.where(seat, 0.0072, 0.0050)
    expected[is_compound] = np.clip(area * dense, 70, 290)[is_compound]
    is_street = town & ~is_compound & (draw < 0.88)
    kind[is_street] = STREET
    thin = rng.lognormal(0, 0.35, n) * np.where(seat, 0.0024, 0.0019)
    expected[is_street] = np.clip(area * thin, 8, 120)[is_street]
    country = (zone < 0) & dry & (area > 15_000) & solid
    near_town = layout.urbanity(blocks.centres()) > 0.08
    chosen = country & (draw < np.where(near_town, 0.42, 0.27))
    kind[chosen] = HAMLET
    expected[chosen] = np.clip(rng.lognormal(np.log(43), 0.33, n), 24, 78)[chosen]
    _scale(expected, kind, zone, layout)
    return Use(kind, expected, zone)


def _roundness(faces: NDArray[np.object_]) -> FloatArray:
    return np.asarray(4 * np.pi * shapely.area(faces) / shapely.length(faces) ** 2)


def _scale(expected: FloatArray, kind: IntArray, zone: IntArray, layout: Layout) -> None:
    """Bring the expected households of seat, towns and country to the county's proportions."""
    scale = layout.scale
    rural = scale.rural_villages * 1_060.0 * scale.fullness
    towns = scale.town_communities * 1_300.0 * scale.fullness
    parts = {0: scale.households - rural - towns, 1: towns, -1: rural}
    for part, wanted in parts.items():
        rows = (zone > 0) if part == 1 else (zone == part)
        held = expected[rows].sum()
        if held > 0:
            expected[rows] *= np.clip(wanted / held, 0.4, 2.2)
    hamlet = kind == HAMLET
    expected[hamlet] = np.clip(expected[hamlet], 20, 92)


def settle(
    blocks: Blocks, layout: Layout, use: Use, names: Names, rng: np.random.Generator
) -> People:
    """Buildings for every block in use, so that the county's households come out exactly."""
    gathered: list[tuple[FloatArray, IntArray, int, int, int]] = []
    people = People(*([np.empty(0)] * 6))  # type: ignore[arg-type]
    for face in np.flatnonzero(use.kind != NOTHING):
        shape, expected = blocks.faces[face], use.expected[face]
        if layout.river.intersects(shape):
            shape = _largest(shape.difference(layout.river.buffer(25.0)))
        if shape.is_empty:
            continue
        if use.kind[face] == COMPOUND:
            _compound(shape, expected, int(face), people, gathered, names, rng)
        elif use.kind[face] == STREET:
            _street(shape, expected, int(face), gathered, rng)
        else:
            _hamlet(shape, expected, int(face), people, gathered, names, rng)
    people.xy = np.vstack([g[0] for g in gathered])
    people.households = np.concatenate([g[1] for g in gathered])
    size = [len(g[1]) for g in gathered]
    people.face, people.compound, people.hamlet = (
        np.repeat([g[i] for g in gathered], size).astype(np.int64) for i in (2, 3, 4)
    )
    _to_total(people, layout.scale.households, rng)
    people.persons = people.households + rng.poisson(_PERSONS_BESIDE_ONE * people.households)
    return people


def _largest(shape: shapely.Geometry) -> shapely.Polygon:
    parts = shapely.get_parts(shape)
    parts = parts[shapely.get_type_id(parts) == 3]
    return parts[np.argmax(shapely.area(parts))] if len(parts) else shapely.Polygon()


def _compound(
    shape: shapely.Polygon,
    expected: float,
    face: int,
    people: People,
    gathered: list[tuple[FloatArray, IntArray, int, int, int]],
    names: Names,
    rng: np.random.Generator,
) -> None:
    """High-rises in rows on a walled plot set back from its roads."""
    plot = _largest(shape.buffer(-13.0, join_style="mitre"))
    if plot.area < 5_000:
        return
    yard = plot.buffer(-11.0)
    high = expected > 150
    gap = rng.uniform(52, 64) if high else rng.uniform(36, 44)
    per_building = rng.uniform(60, 120) if high else rng.uniform(24, 40)
    xy = _rows(yard, gap, gap * (0.8 if high else 1.1), rng)
    wanted = max(2, round(expected / per_building))
    if len(xy) < 2:
        return
    xy = xy[np.sort(rng.permutation(len(xy))[:wanted])]
    mean = min(expected / len(xy), 215.0)
    held = np.maximum(6, np.round(mean * rng.uniform(0.82, 1.18, len(xy)) / 2) * 2)
    people.compound_shape.append(plot)
    people.compound_name.append(next(names.compounds if high else names.old_compounds))
    people.compound_face.append(face)
    gathered.append((xy, held.astype(np.int64), face, len(people.compound_shape) - 1, -1))


def _rows(
    yard: shapely.Geometry, along: float, across: float, rng: np.random.Generator
) -> FloatArray:
    """Points in rows that follow the plot's long side, inside it."""
    if yard.is_empty:
        return np.empty((0, 2))
    box = shapely.minimum_rotated_rectangle(yard)
    corners = shapely.get_coordinates(box)[:4]
    u, v = corners[1] - corners[0], corners[3] - corners[0]
    if np.hypot(*u) < np.hypot(*v):
        u, v = v, u
    lu, lv = np.hypot(*u), np.hypot(*v)
    s = np.arange(along * rng.uniform(0.2, 0.5), lu, along) / lu
    t = np.arange(across * rng.uniform(0.2, 0.5), lv, across) / lv
    grid = np.array([corners[0] + a * u + b * v for b in t for a in s]).reshape(-1, 2)
    grid = grid + rng.normal(0, 1.5, grid.shape)
    return grid[shapely.contains_xy(yard, grid[:, 0], grid[:, 1])] if len(grid) else grid


def _street(
    shape: shapely.Polygon,
    expected: float,
    face: int,
    gathered: list[tuple[FloatArray, IntArray, int, int, int]],
    rng: np.random.Generator,
) -> None:
    """Low houses round the block, behind the pavement, 6 to 30 households each."""
    line = _largest(shape.buffer(-rng.uniform(14, 20))).exterior
    if line is None or line.is_empty:
        return
    per_building = rng.uniform(6, 16) if expected > 40 else rng.uniform(3, 8)
    wanted = max(2, round(expected / per_building))
    place = (np.arange(wanted) + rng.uniform(0.2, 0.8, wanted)) / wanted
    xy = shapely.get_coordinates(shapely.line_interpolate_point(line, place, normalized=True))
    held = np.maximum(1, rng.poisson(expected / wanted, wanted))
    gathered.append((xy, held.astype(np.int64), face, -1, -1))


def _hamlet(
    shape: shapely.Polygon,
    expected: float,
    face: int,
    people: People,
    gathered: list[tuple[FloatArray, IntArray, int, int, int]],
    names: Names,
    rng: np.random.Generator,
) -> None:
    """Rows of houses inside the block, along its sides."""
    rings = []
    for depth in np.cumsum([rng.uniform(17, 26), *rng.uniform(19, 25, 3)]):
        ring = _largest(shape.buffer(-depth)).exterior
        if ring is not None and ring.length > 80:
            rings.append(ring)
    if not rings:
        return
    wanted = round(expected)
    start, pitch = rng.random(), rng.uniform(15.5, 20.0)
    held: list[FloatArray] = []
    left = wanted
    share = (0.46, 0.30, 0.24) if rng.random() < 0.7 else (0.75, 0.25, 0.0)
    for ring, part in zip(rings, share, strict=False):
        count = min(left, max(1, round(wanted * part)), int(ring.length * 0.8 / pitch))
        # a gap here and there: a yard, a pond, a threshing floor
        skip = np.cumsum(rng.choice([1, 1, 1, 1, 2], count))
        along = (start * ring.length + skip * pitch) % ring.length
        xy = shapely.get_coordinates(shapely.line_interpolate_point(ring, along))
        held.append(xy + rng.normal(0, 1.6, xy.shape))
        left -= count
    xy = np.vstack(held)
    xy = xy[shapely.contains_xy(shape.buffer(-8.0), xy[:, 0], xy[:, 1])]
    if len(xy) < 6:
        return
    count = np.where(rng.random(len(xy)) < 0.07, 2, 1)
    outline = shapely.concave_hull(shapely.multipoints(xy), ratio=0.35).buffer(13.0)
    outline = _largest(outline.intersection(shape.buffer(-2.0)))
    inside = shapely.contains_xy(outline, xy[:, 0], xy[:, 1])
    people.hamlet_shape.append(outline)
    people.hamlet_name.append(next(names.homes))
    people.hamlet_face.append(face)
    number = len(people.hamlet_shape) - 1
    gathered.append((xy[inside], count[inside].astype(np.int64), face, -1, number))


def _to_total(people: People, total: int, rng: np.random.Generator) -> None:
    """Scale the town's buildings so that all households sum to ``total`` exactly."""
    town = np.flatnonzero(people.hamlet < 0)
    rest = total - int(people.households[people.hamlet >= 0].sum())
    exact = people.households[town] * rest / people.households[town].sum()
    low = np.maximum(1, np.floor(exact)).astype(np.int64)
    short = rest - int(low.sum())
    order = np.argsort(-(exact - low), kind="stable")
    if short > 0:
        low[order[:short]] += 1
    while short < 0:
        able = np.flatnonzero(low > 1)[:-short]
        low[able] -= 1
        short += len(able)
    people.households[town] = low
