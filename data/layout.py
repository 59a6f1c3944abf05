"""The bones of the county: its size, its towns, its river and its main roads.

Everything is in metres on a local plane: the CGCS2000 3-degree Gauss-Krueger zone of 120 E
(EPSG:4549), moved so that the county seat lies near the origin. Only :mod:`data.files` turns
metres into degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial import Delaunay

from data.names import RIVER, Names

FloatArray = NDArray[np.float64]

FULL_COUNTY_VILLAGES = 105
FULL_COUNTY_HOUSEHOLDS = 165_000
_SEMI_AXES = (15_000.0, 17_600.0)
_RURAL_BLOCK = 135_000.0  # m2: about 370 m across
_TOWN_BLOCK = 33_000.0  # m2: about 180 m across


@dataclass(frozen=True)
class Scale:
    """How much of everything a county of so many villages has."""

    villages: int
    households: int
    subdistricts: int
    towns: int
    core_communities: int
    town_communities: int
    semi_x: float
    semi_y: float
    core_radius: float
    fullness: float = 1.0

    @property
    def rural_villages(self) -> int:
        """Villages that are neither in the seat nor a town's centre."""
        return self.villages - self.core_communities - self.town_communities


def scale_of(villages: int, fullness: float = 1.0) -> Scale:
    """The scale of a county of ``villages`` villages; 105 is the full county.

    ``fullness`` times as many households live there as in the demonstration county.

    Raises ValueError below 4: a seat, a town and the country need at least that.
    """
    if villages < 4:
        raise ValueError(f"a county needs at least 4 villages, not {villages}")
    share = villages / FULL_COUNTY_VILLAGES
    townships = max(2, round(14 * share))
    subdistricts = max(1, round(townships * 4 / 14))
    towns = townships - subdistricts
    town_communities = towns + int(6 * share)
    core = max(subdistricts, round(44 * share) - town_communities)
    stretch = sqrt(share)
    return Scale(
        villages=villages,
        households=round(FULL_COUNTY_HOUSEHOLDS * share * fullness),
        subdistricts=subdistricts,
        towns=towns,
        core_communities=core,
        town_communities=town_communities,
        semi_x=_SEMI_AXES[0] * stretch,
        semi_y=_SEMI_AXES[1] * stretch,
        core_radius=sqrt(core * 1.02e6 / np.pi),
        fullness=fullness,
    )


@dataclass
class Line:
    """A named line of the ground: ``kind`` is its class, ``name`` what a map writes on it."""

    kind: str
    name: str
    geometry: shapely.LineString


@dataclass
class Layout:
    """Towns, outline and main lines; the blocks are cut from these."""

    scale: Scale
    centres: FloatArray  # (1 + towns, 2): the seat first
    radii: FloatArray  # (1 + towns,): where the town thins out
    lines: list[Line] = field(default_factory=list)
    river: shapely.Polygon = field(default_factory=shapely.Polygon)
    outline: shapely.Polygon = field(default_factory=shapely.Polygon)
    wobble: FloatArray = field(default_factory=lambda: np.zeros((1, 8)))

    def urbanity(self, xy: FloatArray) -> FloatArray:
        """From 0 (fields) to 1 (a town's middle) at each point of ``xy`` (n, 2)."""
        best = np.zeros(len(xy))
        for centre, radius, waves in zip(self.centres, self.radii, self.wobble, strict=True):
            delta = xy - centre
            angle = np.arctan2(delta[:, 1], delta[:, 0])
            ripple = sum(waves[k] * np.cos((k + 2) * angle + waves[k + 4] * 60.0) for k in range(4))
            reach = np.hypot(delta[:, 0], delta[:, 1]) / (radius * (1.0 + ripple))
            best = np.maximum(best, np.exp(-np.log(2.0) * reach**4))
        return best

    def block_area(self, xy: FloatArray) -> FloatArray:
        """The area in square metres a block should have at each point."""
        urban = np.clip(self.urbanity(xy) * 1.6, 0.0, 1.0)
        return np.exp(np.log(_RURAL_BLOCK) * (1.0 - urban) + np.log(_TOWN_BLOCK) * urban)


def wavy(
    start: FloatArray, end: FloatArray, rng: np.random.Generator, *, bend: float, wave: float
) -> FloatArray:
    """A smooth line from start to end: ``bend`` metres of swing, ``wave`` metres of wavelength."""
    length = float(np.hypot(*(end - start)))
    t = np.linspace(0.0, 1.0, max(8, int(length / 70.0)))
    swing = np.zeros_like(t)
    for octave, weight in enumerate((1.0, 0.45, 0.2)):
        phase, stretch = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 1.25)
        turns = length / wave * 1.9**octave * stretch
        swing += weight * np.sin(2 * np.pi * turns * t + phase)
    swing *= bend * np.minimum(1.0, 6.0 * np.minimum(t, 1.0 - t))
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    return start + np.outer(t, end - start) + np.outer(swing, across)


def spline(points: FloatArray, step: float = 120.0) -> FloatArray:
    """A smooth line through ``points`` in order."""
    chord = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    curve = CubicSpline(chord, points)
    return np.asarray(curve(np.linspace(0.0, chord[-1], max(6, int(chord[-1] / step)))))


def _direction(angle: float) -> FloatArray:
    return np.array([np.cos(angle), np.sin(angle)])


def draw_layout(scale: Scale, names: Names, rng: np.random.Generator) -> Layout:
    """Place the towns, then the river, waters, railway and main roads."""
    centres = _town_centres(scale, rng)
    radii = np.r_[scale.core_radius, _town_radii(scale, rng)]
    layout = Layout(scale=scale, centres=centres, radii=radii)
    layout.wobble = np.hstack(
        [rng.uniform(-0.16, 0.16, (len(radii), 4)) / np.arange(1, 5), rng.random((len(radii), 4))]
    )
    layout.outline = _outline(scale, rng)
    _draw_waters(layout, names, rng)
    _draw_roads(layout, names, rng)
    return layout


def _town_centres(scale: Scale, rng: np.random.Generator) -> FloatArray:
    """The seat near the middle and the towns spread over the rest (Lloyd's rule, then a shake)."""
    axes = np.array([scale.semi_x, scale.semi_y])
    angle, reach = rng.uniform(0, 2 * np.pi, 4000), np.sqrt(rng.random(4000)) * 0.97
    ground = np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None] * axes
    seat = rng.normal(0.0, 0.05, 2) * axes
    turn = rng.uniform(0, 2 * np.pi) + np.arange(scale.towns) * 2 * np.pi / scale.towns
    towns = (
        np.column_stack([np.cos(turn), np.sin(turn)])
        * axes
        * rng.uniform(0.45, 0.75, (scale.towns, 1))
    )
    points = np.vstack([seat, towns])
    for _ in range(12):
        distance = np.linalg.norm(ground[:, None, :] - points[None], axis=2)
        # the seat's own subdistricts reach past its edge
        distance[:, 0] -= scale.core_radius * 0.9
        owner = distance.argmin(axis=1)
        for town in range(1, len(points)):
            mine = ground[owner == town]
            if len(mine):
                points[town] = mine.mean(axis=0)
    shake = 0.045 * scale.semi_x
    points[1:] += rng.normal(0.0, shake, (scale.towns, 2))
    return points


def _town_radii(scale: Scale, rng: np.random.Generator) -> FloatArray:
    """Radius of each town from its number of communities (at least one each)."""
    count = np.ones(scale.towns)
    count[rng.permutation(scale.towns)[: scale.town_communities - scale.towns]] += 1
    return np.sqrt(count * rng.uniform(0.95, 1.15, scale.towns) * 1.0e6 / np.pi)


def _outline(scale: Scale, rng: np.random.Generator) -> shapely.Polygon:
    """The ragged shape whose blocks become the county."""
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    reach = np.ones_like(angle)
    for harmonic in range(2, 12):
        size = 0.26 / harmonic**1.05
        reach += rng.normal(0, size * 0.55) * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    reach = np.clip(reach, 0.62, 1.32)
    reach /= np.sqrt((reach**2).mean())
    return shapely.Polygon(
        np.column_stack([np.cos(angle) * scale.semi_x, np.sin(angle) * scale.semi_y])
        * reach[:, None]
    )


def _draw_waters(layout: Layout, names: Names, rng: np.random.Generator) -> None:
    scale, seat = layout.scale, layout.centres[0]
    far = 1.5 * scale.semi_y
    heading = rng.uniform(-0.75, -0.15)
    side = _direction(heading + np.pi / 2) * (-0.62 * scale.core_radius)
    bend = min(0.62 * scale.core_radius, 1_300.0)
    course = spline(
        np.vstack(
            [
                seat + side - _direction(heading + 0.35) * far,
                seat + side - _direction(heading + 0.2) * far * 0.45,
                seat + side - _direction(heading) * scale.core_radius * 0.9,
                seat + side + _direction(heading) * scale.core_radius * 0.9,
                seat + side + _direction(heading - 0.3) * far * 0.5,
                seat + side + _direction(heading - 0.1) * far,
            ]
        ),
        90.0,
    )
    t = np.arange(len(course)) * 90.0
    tangent = np.gradient(course, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    meander = np.sin(t / rng.uniform(880, 1000) + 1.3 * np.sin(t / 2300.0)) * 0.5
    calm = 1.0 - 0.75 * np.exp(-((course - seat) ** 2).sum(axis=1) / (2.2 * scale.core_radius) ** 2)
    course = course + normal * (meander * calm * min(bend, 900.0))[:, None]
    width = 205.0 + 50.0 * np.sin(t / 3100.0 + rng.uniform(0, 6)) + 22.0 * np.sin(t / 870.0)
    banks = np.vstack(
        [course + normal * width[:, None] / 2, (course - normal * width[:, None] / 2)[::-1]]
    )
    axis = shapely.LineString(course)
    layout.river = shapely.make_valid(shapely.Polygon(banks)).buffer(12.0).buffer(-12.0)
    layout.lines.append(Line("river", RIVER, axis))
    _draw_side_waters(layout, axis, names, rng, far)


def _draw_side_waters(
    layout: Layout, axis: shapely.LineString, names: Names, rng: np.random.Generator, far: float
) -> None:
    """Tributaries wind into the river; canals run nearly straight and cross the country."""
    scale = layout.scale
    places = np.linspace(0.22, 0.8, max(2, round(5 * scale.semi_x / 15_000)))
    for number, place in enumerate(places):
        mouth = np.array(
            axis.interpolate(place + rng.uniform(-0.04, 0.04), normalized=True).coords[0]
        )
        sign = 1 if number % 2 == 0 else -1
        spring = mouth + _direction(rng.uniform(0.9, 2.2) * sign - 0.3) * far
        course = wavy(mouth, spring, rng, bend=330.0, wave=5_200.0)
        layout.lines.append(Line("tributary", next(names.canals), shapely.LineString(course)))
    for number in range(max(1, round(7 * scale.semi_x / 15_000))):
        heading = rng.normal(np.pi / 2 if number % 2 else 0.0, 0.16)
        offset = (number // 2 - 1.2 + rng.uniform(-0.25, 0.25)) * 0.62 * scale.semi_x
        middle = _direction(heading + np.pi / 2) * offset
        course = wavy(
            middle - _direction(heading) * far,
            middle + _direction(heading) * far,
            rng,
            bend=70.0,
            wave=9_000.0,
        )
        line = shapely.LineString(course)
        # no canal is dug through the middle of the seat
        seat = shapely.Point(layout.centres[0]).buffer(scale.core_radius * 0.7)
        for part in shapely.get_parts(line.difference(seat)):
            layout.lines.append(Line("canal", next(names.canals), part))


def _draw_roads(layout: Layout, names: Names, rng: np.random.Generator) -> None:
    scale, seat = layout.scale, layout.centres[0]
    far = 1.5 * scale.semi_y
    heading = rng.uniform(-0.5, 0.35)
    gap = max(1.55 * scale.core_radius, 1_800.0)
    over = seat + _direction(heading + np.pi / 2) * gap
    express = wavy(
        over - _direction(heading) * far,
        over + _direction(heading) * far,
        rng,
        bend=260.0,
        wave=16_000.0,
    )
    layout.lines.append(Line("expressway", "G9908清禾高速", shapely.LineString(express)))
    rail_heading = heading + np.pi / 2 + rng.uniform(-0.35, 0.1)
    beside = seat - _direction(rail_heading + np.pi / 2) * 1.12 * scale.core_radius
    rail = wavy(
        beside - _direction(rail_heading) * far,
        beside + _direction(rail_heading) * far,
        rng,
        bend=170.0,
        wave=15_000.0,
    )
    layout.lines.append(Line("railway", "清泽铁路", shapely.LineString(rail)))
    ring = _ring(layout, rng)
    layout.lines.append(Line("arterial", "环城路", shapely.LineString(ring.exterior)))
    _draw_arterials(layout, ring, names, rng)
    provincial = _provincial(layout, far, rng)
    county = _county_roads(layout, provincial, rng)
    for number, points in enumerate(provincial):
        line = shapely.LineString(spline(points)).difference(ring)
        for part in shapely.get_parts(line):
            layout.lines.append(Line("provincial", f"S{231 + 98 * number}省道", part))
    for number, course in enumerate(county):
        for part in shapely.get_parts(shapely.LineString(course).difference(ring)):
            if part.length > 500.0:
                layout.lines.append(Line("county", f"X{201 + number}县道", part))


def _ring(layout: Layout, rng: np.random.Generator) -> shapely.Polygon:
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    # a superellipse: ring roads are rounded squares
    turn = rng.uniform(-0.2, 0.2)
    reach = (np.abs(np.cos(angle - turn)) ** 3.4 + np.abs(np.sin(angle - turn)) ** 3.4) ** (
        -1 / 3.4
    )
    reach *= 0.86 * layout.scale.core_radius * (1 + 0.035 * np.sin(3 * angle + rng.uniform(0, 6)))
    return shapely.Polygon(
        layout.centres[0] + np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None]
    )


def _draw_arterials(
    layout: Layout, ring: shapely.Polygon, names: Names, rng: np.random.Generator
) -> None:
    """The seat's main streets: two bent families, some stopping at the ring, some going past."""
    radius, seat = layout.scale.core_radius, layout.centres[0]
    turn = rng.uniform(-0.22, 0.22)
    for family in range(2):
        along = _direction(turn + family * np.pi / 2 + rng.uniform(-0.05, 0.05))
        across = np.array([-along[1], along[0]])
        place = -radius * 0.78 + rng.uniform(0, 200)
        while place < radius * 0.8:
            reach = radius * rng.uniform(1.0, 1.3)
            line = shapely.LineString(
                wavy(
                    seat + across * place - along * reach,
                    seat + across * place + along * reach,
                    rng,
                    bend=45.0,
                    wave=4_200.0,
                )
            )
            name = next(names.arterials)
            parts = shapely.get_parts(line.intersection(ring)) if rng.random() < 0.35 else [line]
            # a street that meets the river without a bridge breaks off there
            for part in parts:
                layout.lines.append(Line("arterial", name, part))
            place += rng.uniform(480.0, 820.0)


def _provincial(layout: Layout, far: float, rng: np.random.Generator) -> list[FloatArray]:
    """Two trunk roads through the seat, each through the towns that lie most in its way."""
    seat, towns = layout.centres[0], layout.centres[1:]
    if len(towns) < 4:
        heading = rng.uniform(0.9, 1.6)
        out = _direction(heading) * far
        return [np.vstack([seat - out, seat, towns[0], towns[0] + (towns[0] - seat) * 2.0])]
    bearing = np.arctan2(*(towns - seat).T[::-1])
    roads: list[FloatArray] = []
    used: set[int] = set()
    for target in (np.pi / 2, 0.05):
        chosen = []
        for side in (target, target + np.pi):
            off = np.abs(np.angle(np.exp(1j * (bearing - side))))
            off[list(used)] = 9.0
            best = int(off.argmin())
            used.add(best)
            chosen.append(best)
        first, last = towns[chosen[0]], towns[chosen[1]]
        roads.append(
            np.vstack(
                [
                    first + (first - seat) / np.linalg.norm(first - seat) * far,
                    first,
                    seat,
                    last,
                    last + (last - seat) / np.linalg.norm(last - seat) * far,
                ]
            )
        )
    return roads


def _county_roads(
    layout: Layout, provincial: list[FloatArray], rng: np.random.Generator
) -> list[FloatArray]:
    """Roads between neighbouring towns (the Gabriel graph) and from the towns outward."""
    points = layout.centres
    trunk = {tuple(np.round(p)) for road in provincial for p in road}
    pairs: set[tuple[int, int]] = {(0, 1)}
    if len(points) > 3:
        for simplex in Delaunay(points).simplices:
            pairs |= {
                (int(min(a, b)), int(max(a, b)))
                for a, b in zip(simplex, np.roll(simplex, 1), strict=True)
            }
    courses = []
    for a, b in sorted(pairs):
        middle, half = (points[a] + points[b]) / 2, np.linalg.norm(points[a] - points[b]) / 2
        others = np.delete(points, [a, b], axis=0)
        gabriel = not (np.linalg.norm(others - middle, axis=1) < half * 0.95).any()
        on_trunk = a == 0 and tuple(np.round(points[b])) in trunk
        if gabriel and not on_trunk:
            courses.append(wavy(points[a], points[b], rng, bend=190.0, wave=5_500.0))
    for town in range(1, len(points)):
        if tuple(np.round(points[town])) not in trunk:
            out = (points[town] - points[0]) / np.linalg.norm(points[town] - points[0])
            end = points[town] + out * 1.1 * layout.scale.semi_y
            courses.append(wavy(points[town], end, rng, bend=160.0, wave=6_000.0))
    return courses
