"""Places that are nobody's home: dedicated sites, stations, services, and today's beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from data.blocks import Blocks
from data.divide import Villages, grow, neighbours
from data.layout import FloatArray, Layout
from data.people import NOTHING, Use

_ENDINGS = {"学校": "小学", "市场": "农贸市场", "机关": "办公区", "公园": "公园"}


@dataclass
class Sites:
    """Dedicated sites: outline, name, category (Chinese), block."""

    shape: list[shapely.Polygon]
    name: list[str]
    category: list[str]
    face: list[int]


def reserve(blocks: Blocks, layout: Layout, use: Use, rng: np.random.Generator) -> list[int]:
    """Blocks in and around the towns for schools, a hospital, parks and markets: left unlived."""
    centre = blocks.centres()
    area = shapely.area(blocks.faces)
    round_enough = 4 * np.pi * area / shapely.length(blocks.faces) ** 2 > 0.45
    good = (use.zone >= 0) & (area > 12_000) & (area < 90_000) & round_enough
    good &= ~shapely.intersects(blocks.faces, layout.river)
    chosen: list[int] = []
    count = max(4, round(44 * layout.scale.villages / 105))
    for face in rng.permutation(np.flatnonzero(good)):
        gap = np.hypot(*(centre[chosen] - centre[face]).T) if chosen else np.array([np.inf])
        if gap.min() > 420:
            chosen.append(int(face))
        if len(chosen) == count:
            break
    edge = (use.zone < 0) & (layout.urbanity(centre) > 0.05) & (area > 50_000) & round_enough
    edge &= ~shapely.intersects(blocks.faces, layout.river)
    for face in rng.permutation(np.flatnonzero(edge))[:2]:
        chosen.append(int(face))
    use.kind[chosen] = NOTHING
    use.expected[chosen] = 0
    return chosen


def sites(blocks: Blocks, faces: list[int], villages: Villages, names_of: list[str]) -> Sites:
    """Dedicated sites on the reserved blocks: the last two are the industrial parks."""
    kinds = ["学校", "学校", "市场", "学校", "机关", "学校", "公园"]
    found = Sites([], [], [], [])
    ordinal: dict[str, int] = {}
    for i, face in enumerate(faces):
        if i >= len(faces) - 2:
            kind, name = "园区", ("东部产业园" if i == len(faces) - 1 else "高新产业园")
        elif i == 0:
            kind, name = "医院", "县人民医院"
        else:
            kind = kinds[i % len(kinds)]
            stem = names_of[villages.of_face[face]].removesuffix("社区").removesuffix("村")
            ordinal[stem + kind] = ordinal.get(stem + kind, 0) + 1
            count = ordinal[stem + kind]
            again = "" if count == 1 else f"第{'一二三四五六七八九'[count - 1]}"
            name = stem + again + _ENDINGS[kind]
        plot = blocks.faces[face].buffer(-9.0, join_style="mitre")
        if plot.geom_type != "Polygon" or plot.is_empty:
            continue
        found.shape.append(plot)
        found.name.append(name)
        found.category.append(kind)
        found.face.append(face)
    return found


def stations(layout: Layout, villages: Villages) -> tuple[FloatArray, list[str]]:
    """Police stations: one a township, near its middle, and two more in the seat."""
    xy, names = [], []
    township = np.array(villages.township_name)
    for title in dict.fromkeys(villages.township_name):
        members = np.flatnonzero(township == title)
        ground = shapely.union_all(villages.geometry[members])
        middle = ground.point_on_surface()
        town = layout.centres[1:][
            shapely.contains_xy(ground, layout.centres[1:, 0], layout.centres[1:, 1])
        ]
        place = town[0] + 60.0 if len(town) else np.array([middle.x, middle.y])
        xy.append(place)
        names.append(title.removesuffix("街道").removesuffix("镇") + "派出所")
    for turn, name in ((0.8, "城中派出所"), (3.9, "车站派出所")):
        step = np.array([np.cos(turn), np.sin(turn)]) * layout.scale.core_radius * 0.35
        xy.append(layout.centres[0] + step)
        names.append(name)
    return np.array(xy), names


def beats(
    blocks: Blocks,
    weight: FloatArray,
    station_xy: FloatArray,
    station: list[str],
    count: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.object_], list[str], list[str]]:
    """Today's beats: they tile the county, but were drawn at other times along other lines."""
    cost = neighbours(blocks, rng, chance=0.75)
    centre = blocks.centres()
    chance = np.sqrt(weight + 3.0)
    seeds: list[int] = []
    gap = np.full(len(centre), np.inf)
    for _ in range(count):
        score = gap * chance if seeds else chance
        face = int(np.argmax(score * rng.uniform(0.5, 1.0, len(score))))
        seeds.append(face)
        gap = np.minimum(gap, np.hypot(*(centre - centre[face]).T))
    label = grow(cost, np.array(seeds))
    shapes = np.array([shapely.coverage_union_all(blocks.faces[label == i]) for i in range(count)])
    place = centre[seeds]
    own = np.hypot(*(place[:, None] - station_xy[None]).transpose(2, 0, 1)).argmin(axis=1)
    number: dict[int, int] = {}
    names, homes = [], []
    for s in own:
        number[int(s)] = number.get(int(s), 0) + 1
        names.append(f"{station[s].removesuffix('派出所')}第{number[int(s)]}警务区")
        homes.append(station[s])
    return shapes, names, homes


def services(
    villages: Villages, rng: np.random.Generator
) -> tuple[FloatArray, list[str], list[str]]:
    """A grid station a village and a mediation room in every third: place, name, category."""
    xy, names, kinds = [], [], []
    middle = shapely.get_coordinates(shapely.point_on_surface(villages.geometry))
    for i, name in enumerate(villages.name):
        xy.append(middle[i] + rng.normal(0, 40, 2))
        names.append(f"{name}网格驿站")
        kinds.append("网格驿站")
        if i % 3 == 0:
            xy.append(middle[i] + rng.normal(0, 60, 2))
            names.append(f"{name}调解室")
            kinds.append("调解室")
    return np.array(xy), names, kinds


def beat_count(villages: int) -> int:
    """How many beats such a county has today."""
    return max(3, round(97 * villages / 105))
