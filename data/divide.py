"""Divides the county's blocks among townships and villages.

Villages grow from seeds over the blocks; a step over a river, a railway or a main road costs
extra, so that borders come to lie along them, and chance in every step keeps them from being
straight. Then two villages are given an exclave each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from data.blocks import Blocks, IntArray
from data.layout import FloatArray, Layout
from data.names import COUNTY_CODE, Names

_CROSSING = {
    "river": 1500.0, "expressway": 700.0, "railway": 600.0, "tributary": 450.0, "provincial": 350.0,
    "arterial": 300.0, "canal": 250.0, "county": 250.0, "township": 80.0,
}  # fmt: skip


@dataclass
class Villages:
    """``of_face`` (f,) village of each block; per village its township, names, code and class."""

    of_face: IntArray
    township: IntArray
    name: list[str]
    township_name: list[str]
    code: list[str]
    class_code: list[str]
    urban: NDArray[np.bool_]
    geometry: NDArray[np.object_]


def neighbours(blocks: Blocks, rng: np.random.Generator, chance: float = 0.5) -> csr_array:
    """Cost of a step from block to block: distance with chance, dearer over waters and roads."""
    inner = (blocks.left >= 0) & (blocks.right >= 0)
    a, b = blocks.left[inner], blocks.right[inner]
    centre = blocks.centres()
    step = np.hypot(*(centre[a] - centre[b]).T) * rng.uniform(1 - chance, 1 + chance, len(a))
    step = step + np.array([_CROSSING.get(kind, 0.0) for kind in blocks.kinds[inner]])
    n = len(blocks.faces)
    least = np.full(len(a), np.inf)
    pair, row = np.unique(np.minimum(a, b) * n + np.maximum(a, b), return_inverse=True)
    least = np.full(len(pair), np.inf)
    np.minimum.at(least, row, step)
    low, high = pair // n, pair % n
    return csr_array((np.r_[least, least], (np.r_[low, high], np.r_[high, low])), shape=(n, n))


def grow(cost: csr_array, seeds: IntArray) -> IntArray:
    """The seed (0..s-1) that reaches each block at least cost; pieces are connected."""
    _, _, source = dijkstra(cost, indices=seeds, min_only=True, return_predecessors=True)
    position = np.full(cost.shape[0], -1, dtype=np.int64)
    position[seeds] = np.arange(len(seeds))
    return position[source]


def balanced(
    cost: csr_array,
    centre: FloatArray,
    weight: FloatArray,
    faces: IntArray,
    k: int,
    rng: np.random.Generator,
) -> IntArray:
    """k connected areas of some blocks with roughly even weight: (len(faces),) 0..k-1."""
    if k <= 1:
        return np.zeros(len(faces), dtype=np.int64)
    own = cost[faces][:, faces]
    heavy = rng.choice(len(faces), 6000, p=weight[faces] / weight[faces].sum())
    places, _ = kmeans2(centre[faces][heavy], k, minit="++", rng=rng)
    label = np.zeros(len(faces), dtype=np.int64)
    for _ in range(4):
        gap = ((centre[faces][:, None, :] - places[None]) ** 2).sum(axis=2)
        seeds = np.unique(np.argmin(gap, axis=0))
        if len(seeds) < k:
            spare = np.setdiff1d(np.arange(len(faces)), seeds)
            seeds = np.r_[seeds, rng.choice(spare, k - len(seeds), replace=False)]
        label = grow(own, seeds)
        mass = np.maximum(weight[faces], 1e-3)
        places = np.column_stack(
            [
                np.bincount(label, mass * axis, k) / np.bincount(label, mass, k)
                for axis in centre[faces].T
            ]
        )
    return label


def divide(
    blocks: Blocks,
    layout: Layout,
    weight: FloatArray,
    zone: IntArray,
    names: Names,
    rng: np.random.Generator,
) -> Villages:
    """Villages over the blocks. ``zone`` 0 the seat, 1.. a town's centre, -1 the country."""
    scale, centre = layout.scale, blocks.centres()
    cost = neighbours(blocks, rng)
    zone = _whole_zones(cost, zone)
    towns = np.unique(zone[zone > 0])
    of_face = np.full(len(centre), -1, dtype=np.int64)
    urban: list[bool] = []
    home: list[int] = []  # the town each village belongs to

    def add(faces: IntArray, k: int, is_urban: bool, town: int) -> None:
        label = balanced(cost, centre, weight, faces, k, rng)
        of_face[faces] = label + len(urban)
        urban.extend([is_urban] * k)
        home.extend([town] * k)

    add(np.flatnonzero(zone == 0), scale.core_communities, True, 0)
    shares = np.full(len(towns), scale.town_communities // max(len(towns), 1))
    shares[: scale.town_communities - int(shares.sum())] += 1
    for town, k in zip(towns, np.maximum(shares, 1), strict=True):
        add(np.flatnonzero(zone == town), int(k), True, int(town))
    rest = np.flatnonzero(of_face < 0)
    add(rest, scale.villages - len(urban), False, -1)
    return _described(blocks, layout, of_face, np.array(urban), np.array(home), names, rng)


def _whole_zones(cost: csr_array, zone: IntArray) -> IntArray:
    """Keep the largest piece of each town; the rest of it is country."""
    zone = zone.copy()
    for town in np.unique(zone[zone >= 0]):
        faces = np.flatnonzero(zone == town)
        piece = connected_components(cost[faces][:, faces], directed=False)[1]
        zone[faces[piece != np.bincount(piece).argmax()]] = -1
    rest = np.flatnonzero(zone < 0)
    piece = connected_components(cost[rest][:, rest], directed=False)[1]
    main = np.bincount(piece).argmax()
    for small in np.unique(piece[piece != main]):  # country shut in by a town joins the town
        faces = rest[piece == small]
        near = np.unique(cost[faces].indices)
        near = near[zone[near] >= 0]
        if len(near):
            zone[faces] = zone[near[0]]
    return zone


def _townships(
    layout: Layout, middle: FloatArray, home: IntArray, rng: np.random.Generator
) -> IntArray:
    """Township of each village: subdistricts share the seat by direction, towns the country."""
    scale = layout.scale
    own = np.full(len(home), -1, dtype=np.int64)
    town_of = np.arange(len(layout.centres)) - 1 + scale.subdistricts
    own[home > 0] = town_of[home[home > 0]]
    delta = middle - layout.centres[0]
    turn = rng.uniform(0, 2 * np.pi)
    sector = ((np.arctan2(delta[:, 1], delta[:, 0]) - turn) % (2 * np.pi)) / (2 * np.pi)
    quarter = np.minimum((sector * scale.subdistricts).astype(int), scale.subdistricts - 1)
    own[home == 0] = quarter[home == 0]
    country = np.flatnonzero(home < 0)
    gap = np.hypot(*(middle[country, None, :] - layout.centres[None]).transpose(2, 0, 1))
    gap[:, 0] *= 1.4
    nearest = gap.argmin(axis=1)
    own[country] = np.where(nearest == 0, quarter[country], town_of[nearest])
    return own


def _described(
    blocks: Blocks,
    layout: Layout,
    of_face: IntArray,
    urban: NDArray[np.bool_],
    home: IntArray,
    names: Names,
    rng: np.random.Generator,
) -> Villages:
    count, scale = len(urban), layout.scale
    area = shapely.area(blocks.faces)
    centre = blocks.centres()
    mass = np.bincount(of_face, area, count)
    middle = np.column_stack([np.bincount(of_face, area * c, count) / mass for c in centre.T])
    township = _townships(layout, middle, home, rng)
    of_face = _exclaves(blocks, of_face, urban, township, rng)
    labels = [next(names.subdistricts) for _ in range(scale.subdistricts)]
    labels += [next(names.towns) for _ in range(scale.towns)]
    titles = [next(names.communities) if u else next(names.villages) for u in urban]
    codes, classes = [""] * count, [""] * count
    for t in range(scale.subdistricts + scale.towns):
        prefix = t + 1 if t < scale.subdistricts else 100 + t - scale.subdistricts
        for is_urban, first in ((True, 1), (False, 200)):
            members = np.flatnonzero((township == t) & (urban == is_urban))
            for number, village in enumerate(members):
                codes[village] = f"{COUNTY_CODE}{prefix:03d}{first + number:03d}"
                if is_urban:
                    classes[village] = "111" if home[village] == 0 else "121"
                else:
                    classes[village] = "210" if number == 0 and t >= scale.subdistricts else "220"
    geometry = np.array(
        [shapely.coverage_union_all(blocks.faces[of_face == v]) for v in range(count)]
    )
    return Villages(
        of_face, township, titles, [labels[t] for t in township], codes, classes, urban, geometry
    )


def _exclaves(
    blocks: Blocks,
    of_face: IntArray,
    urban: NDArray[np.bool_],
    township: IntArray,
    rng: np.random.Generator,
) -> IntArray:
    """Give two country villages three blocks inside a neighbour of their neighbour."""
    of_face = of_face.copy()
    inner = (blocks.left >= 0) & (blocks.right >= 0)
    a = np.r_[blocks.left[inner], blocks.right[inner]]
    b = np.r_[blocks.right[inner], blocks.left[inner]]
    made = 0
    for village in rng.permutation(np.flatnonzero(~urban)):
        if made == 2:
            break
        own = of_face == village
        near = np.unique(of_face[b[own[a]]])
        hosts = [
            v for v in near if v != village and not urban[v] and township[v] == township[village]
        ]
        for host in hosts:
            members = np.flatnonzero(of_face == host)
            deep = members[[set(of_face[b[a == f]]) == {host} for f in members]]
            ring = {f for f in deep if set(b[a == f]) <= set(deep.tolist())}
            if not ring:
                continue
            core = sorted(ring)[0]
            chosen = [core, *sorted(set(b[a == core]) & ring)[:2]]
            of_face[chosen] = village
            made += 1
            break
    return of_face
