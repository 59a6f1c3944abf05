"""How far people are from the nearest mediation room, grid station and police station.

By distance, in a straight line or along the roads that are given; for each grid the way that half
of its households have at most. A walk of 15 minutes is 1,200 m here: 80 m a minute.
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
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geo.linework import join_dangles
from planning.graph import FloatArray, IntArray
from planning.planfile import PlanFile

KINDS: dict[str, tuple[str, str]] = {
    # kind: (Chinese, English)
    "mediation": ("调解室", "Mediation room"),
    "grid_station": ("网格驿站", "Grid station"),
    "police_station": ("派出所", "Police station"),
}
_SAID = {
    "mediation": ("调解", "mediat"),
    "grid_station": ("驿站", "网格站", "网格服务", "grid station", "grid_station"),
    "police_station": ("派出所", "警务", "police"),
}
WALK_M = 1200.0  # 15 minutes at 80 m a minute
SMALL_COMPOUND = 500  # households; up to so many are to have a mediation room
_NOT_WALKED = ("高速", "motorway", "快速路", "trunk_link", "motorway_link")
_STEP_M = 50.0  # roads are joined to houses at points no farther apart
_NODE_M = 0.01  # ends nearer than this are one junction


def kind_of_service(*words: str) -> str | None:
    """The kind that a place's category or name says, None for any other."""
    for word in words:
        text = word.casefold()
        for kind, said in _SAID.items():
            if any(part in text for part in said):
                return kind
    return None


def places_of(
    services: gpd.GeoDataFrame | None, stations: gpd.GeoDataFrame | None, crs: object
) -> gpd.GeoDataFrame:
    """Services and police stations as one frame: name, kind, geometry (points) in ``crs``.

    Services of another kind are left out; a station is a police station whatever it says.
    """
    rows: list[tuple[str, str, shapely.Geometry]] = []
    for frame, fixed in ((services, None), (stations, "police_station")):
        if frame is None or not len(frame):
            continue
        shapes = frame.to_crs(crs).geometry
        text = {
            c: frame[c].fillna("").astype(str) if c in frame else [""] * len(frame)
            for c in ("name", "category")
        }
        for name, category, shape in zip(text["name"], text["category"], shapes, strict=True):
            kind = fixed or kind_of_service(category, name)
            if kind is not None and shape is not None and not shape.is_empty:
                rows.append((name, kind, shape.centroid))
    table = pd.DataFrame([row[:2] for row in rows], columns=["name", "kind"])
    return gpd.GeoDataFrame(table, geometry=[row[2] for row in rows], crs=crs)


@dataclass(frozen=True)
class Network:
    """Roads as a graph: ``xy`` (n, 2) metres, and the lengths between neighbouring points."""

    xy: FloatArray
    a: IntArray
    b: IntArray
    metres: FloatArray

    @cached_property
    def tree(self) -> cKDTree:
        """Nearest points of the network."""
        return cKDTree(self.xy)

    @classmethod
    def of_roads(cls, roads: gpd.GeoDataFrame) -> Network | None:
        """The network of roads in a metric system; None where there are none to walk on.

        Crossing lines meet where they cross, bridges too: a walk over one counts as a junction.
        Motorways are left out where ``road_class`` says so.
        """
        kept = roads[roads.geometry.notna()]
        if "road_class" in kept:
            told = kept["road_class"].fillna("").astype(str)
            kept = kept[~told.map(lambda word: any(part in word for part in _NOT_WALKED))]
        shapes = kept.geometry.to_numpy()
        shapes = shapes[np.isin(shapely.get_type_id(shapes), (1, 5))]
        if not len(shapes):
            return None
        lines = shapely.get_parts(shapes)
        # streets are often drawn a few metres short of the avenue they meet
        lines = np.concatenate([lines, join_dangles(lines, shapely.LineString())])
        noded = shapely.get_parts(shapely.union_all(lines, grid_size=_NODE_M))
        xy, row = shapely.get_coordinates(shapely.segmentize(noded, _STEP_M), return_index=True)
        _, first, node = np.unique(
            np.round(xy / _NODE_M) @ np.array([1, 1j]), return_index=True, return_inverse=True
        )
        same = row[1:] == row[:-1]
        a, b = node[:-1][same], node[1:][same]
        points = xy[first]
        return cls(points, a, b, np.hypot(*(points[a] - points[b]).T))

    def ways(self, homes: FloatArray, places: FloatArray) -> tuple[FloatArray, IntArray]:
        """Metres from each home to its nearest place along the roads, and which it is.

        A home and a place are joined to the road's nearest point by a straight line. Infinite and
        -1 where no road leads from one to the other.
        """
        n, m = len(self.xy), len(places)
        gap, at = self.tree.query(places)
        rows = np.concatenate([self.a, self.b, n + np.arange(m)])
        columns = np.concatenate([self.b, self.a, at])
        # a place right on a road is still joined to it: a zero would be no edge
        length = np.concatenate([self.metres, self.metres, np.maximum(gap, 1e-6)])
        order = np.lexsort((length, columns, rows))
        rows, columns, length = rows[order], columns[order], length[order]
        first = np.r_[True, (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])]
        graph = csr_array((length[first], (rows[first], columns[first])), shape=(n + m, n + m))
        far, _, source = dijkstra(
            graph, indices=n + np.arange(m), min_only=True, return_predecessors=True
        )
        off, near = self.tree.query(homes)
        found = np.isfinite(far[near])
        return off + far[near], np.where(found, source[near] - n, -1)


def _straight(homes: FloatArray, places: FloatArray) -> tuple[FloatArray, IntArray]:
    far, which = cKDTree(places).query(homes)
    return np.asarray(far, dtype=float), np.asarray(which, dtype=np.int64)


def _weighted_median(values: FloatArray, weights: NDArray[np.int64]) -> float:
    """The value that half of the weight does not exceed; values may be infinite."""
    order = np.argsort(values, kind="stable")
    heap = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(heap, heap[-1] / 2)])


def nearest_services(
    plan: PlanFile,
    places: gpd.GeoDataFrame,
    network: Network | None = None,
    *,
    walk_m: float = WALK_M,
    kinds: Sequence[str] = tuple(KINDS),
) -> pd.DataFrame:
    """One row a grid and kind of service: columns ``grid_code``, ``kind``, ``name``, ``metres``,
    ``beyond``, ``share_beyond``.

    ``metres`` is what half of the grid's households have at most to their nearest place of the
    kind, ``name`` the place that most of them have nearest, ``share_beyond`` the share of
    households with a longer way than ``walk_m``, ``beyond`` whether that is more than half. A grid
    where nobody lives is judged from a point inside it. Kinds without any place are left out.
    Along ``network`` where one is given; homes without a way by road count in a straight line.
    """
    codes = plan.grids["code"].astype(str).to_numpy()
    homes = plan.households
    here = pd.Index(codes).get_indexer(homes["grid_code"].fillna("").astype(str))
    weight = pd.to_numeric(homes["households"], errors="coerce").fillna(0).to_numpy(dtype=np.int64)
    used = (here >= 0) & (weight > 0)
    xy = shapely.get_coordinates(homes.geometry.to_numpy()[used])
    here, weight = here[used], weight[used]
    empty = np.setdiff1d(np.arange(len(codes)), here)
    inside = shapely.get_coordinates(
        shapely.point_on_surface(plan.grids.geometry.to_numpy()[empty])
    )
    xy = np.concatenate([xy, inside])
    here, weight = np.concatenate([here, empty]), np.r_[weight, np.ones(len(empty), np.int64)]
    order = np.argsort(here, kind="stable")
    xy, here, weight = xy[order], here[order], weight[order]
    starts = np.searchsorted(here, np.arange(len(codes) + 1))
    rows = []
    for kind in kinds:
        own = places[places["kind"] == kind]
        if not len(own):
            continue
        far, which = _reached(xy, shapely.get_coordinates(own.geometry.to_numpy()), network)
        names = own["name"].to_numpy()
        for i, code in enumerate(codes):
            part = slice(starts[i], starts[i + 1])
            metres = _weighted_median(far[part], weight[part])
            share = float(weight[part][far[part] > walk_m].sum() / weight[part].sum())
            most = np.bincount(which[part], weights=weight[part]).argmax()
            rows.append((code, kind, str(names[most]), round(metres, 1), share > 0.5, share))
    columns = ["grid_code", "kind", "name", "metres", "beyond", "share_beyond"]
    return pd.DataFrame(rows, columns=columns)


def _reached(
    homes: FloatArray, places: FloatArray, network: Network | None
) -> tuple[FloatArray, IntArray]:
    far, which = _straight(homes, places)
    if network is None:
        return far, which
    along, by_road = network.ways(homes, places)
    found = by_road >= 0
    return np.where(found, along, far), np.where(found, by_road, which)


def beyond_walk(services: pd.DataFrame) -> dict[str, list[str]]:
    """By kind, the codes of the grids where most households have more than the walk."""
    far = services[services["beyond"]]
    return {str(kind): [str(c) for c in own["grid_code"]] for kind, own in far.groupby("kind")}


def compound_rooms(
    plan: PlanFile,
    compounds: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    network: Network | None = None,
    *,
    most: int = SMALL_COMPOUND,
) -> pd.DataFrame:
    """Compounds of up to ``most`` households and the mediation room nearest to each.

    One row a compound where anybody lives: ``name``, ``village_code``, ``households`` (of the
    plan's points inside it), ``grid_codes`` (of the grids they are in), ``room``, ``metres`` (null
    where there is no room at all). Smallest codes first; larger compounds are left out.
    """
    areas = compounds[compounds.geometry.notna()].to_crs(plan.grids.crs)
    homes = plan.households
    area, home = shapely.STRtree(homes.geometry.to_numpy()).query(
        areas.geometry.to_numpy(), predicate="intersects"
    )
    inside = pd.DataFrame(
        {
            "area": area,
            "households": homes["households"].to_numpy()[home],
            "grid": homes["grid_code"].fillna("").astype(str).to_numpy()[home],
        }
    )
    held = inside.groupby("area")["households"].sum()
    grids = inside.groupby("area")["grid"].agg(lambda own: "; ".join(sorted(set(own) - {""})))
    small = held[(held > 0) & (held <= most)]
    shapes = areas.geometry.to_numpy()[small.index]
    rooms = places[places["kind"] == "mediation"]
    table = pd.DataFrame(
        {
            column: areas[column].fillna("").astype(str).to_numpy()[small.index]
            if column in areas
            else [""] * len(small)
            for column in ("name", "village_code")
        }
    )
    table["households"] = small.to_numpy(dtype=np.int64)
    table["grid_codes"] = grids.loc[small.index].to_numpy()
    table["room"], table["metres"] = "", np.nan
    if len(rooms) and len(small):
        middle = shapely.get_coordinates(shapely.point_on_surface(shapes))
        far, which = _reached(middle, shapely.get_coordinates(rooms.geometry.to_numpy()), network)
        table["room"], table["metres"] = rooms["name"].to_numpy()[which], far.round(1)
    return table.sort_values(["grid_codes", "name"]).reset_index(drop=True)
