"""Two plans of the same ground, anybody's: what moved between them, and how each does.

Nothing of the plans is trusted but shapes, codes and households. Grids are matched one to one so
that most households (then most ground) stay where they are; what lies elsewhere has moved. Plans
on different units, villages or counts can be compared: everything is found from shapes and points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.messages import register
from geo.problems import InputError, Problem
from planning.graph import FloatArray, IntArray
from planning.planfile import PlanFile

register(
    {
        "compare-apart": (
            "两个方案没有共同的地块,无法比较;请确认它们属于同一地区。",
            "the two plans share no ground and cannot be compared; make sure that they are of "
            "one place.",
        ),
    }
)

SAME_AREA = 0.999  # matched grids sharing this much of their joint area have the same outline
PIECE_M2 = 1.0  # smaller moved pieces are what two programs round differently


@dataclass(frozen=True)
class Figures:
    """How one plan does; None where its file does not say.

    ``within_10`` share of comprehensive grids within 10 % of their village's mean households,
    ``worst`` the largest such deviation; ``polsby_popper`` mean over comprehensive grids, from the
    shapes; ``edge_on_line`` share of inner borders along a road, river or railway; ``exceptions``
    rules broken and declared.
    """

    grids: int
    households: int
    within_10: float
    worst: float
    polsby_popper: float
    edge_on_line: float | None
    exceptions: int


@dataclass(frozen=True)
class Comparison:
    """What lies between plan a and plan b.

    ``households`` compared (those with a grid in both) and ``households_changed`` among them, 0
    where neither file holds points; ``grids_changed`` of a's and b's together, a matched pair
    counted once; ``information`` the variation of information between the two, weighted by
    households, in nats (Meila 2003; 0 for the same division, whatever the codes; at most ln n).
    ``grids`` one row a matched, new or vanished grid; ``moved`` the pieces that changed grid.
    """

    a: Figures
    b: Figures
    households: int
    households_changed: int
    grids_changed: int
    information: float
    grids: pd.DataFrame
    moved: gpd.GeoDataFrame

    def summary(self) -> pd.DataFrame:
        """The figures as a table: measure, a, b; what is between them stands under b."""
        rows: list[tuple[str, float | None, float | None]] = [
            (name, getattr(self.a, name), getattr(self.b, name))
            for name in Figures.__dataclass_fields__
        ]
        rows += [
            (name, None, getattr(self, name))
            for name in ("households_changed", "grids_changed", "information")
        ]
        return pd.DataFrame(rows, columns=["measure", "a", "b"]).astype({"a": float, "b": float})


@dataclass(frozen=True)
class _Overlaps:
    """Pairs of grids that share ground: rows of a and of b, m2, shape, households of each."""

    a: IntArray
    b: IntArray
    area: FloatArray
    shape: NDArray[np.object_]
    households: IntArray


def compare_plans(a: PlanFile, b: PlanFile) -> Comparison:
    """Compare two plans. :class:`InputError` where they share no ground."""
    first, second = _grids(a.grids), _grids(b.grids.to_crs(a.grids.crs))
    pairs = _overlaps(first, second)
    if not len(pairs.a):
        raise InputError([Problem("compare-apart")])
    home = _homes(a, b, first, second)
    pairs = _count(pairs, home)
    match = _match(pairs, len(first), len(second))
    held = home["households"].to_numpy()
    changed = match[home["a"].to_numpy()] != home["b"].to_numpy()
    grids = _grid_table(first, second, pairs, match)
    return Comparison(
        a=_figures(a, first),
        b=_figures(b, second),
        households=int(held.sum()),
        households_changed=int(held[changed].sum()),
        grids_changed=int((grids["change"] != "same").sum()),
        information=_information(home),
        grids=grids,
        moved=_moved(first, second, pairs, match),
    )


def _grids(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    own = frame[frame.geometry.notna()].reset_index(drop=True)
    own["geometry"] = shapely.make_valid(own.geometry.to_numpy())
    own["code"] = own["code"].fillna("").astype(str)
    for column, usual in (("name", ""), ("kind", "comprehensive"), ("village_code", "")):
        own[column] = own[column].fillna(usual).astype(str) if column in own else usual
    own["households"] = pd.to_numeric(own["households"], errors="coerce").fillna(0)
    return own


def _overlaps(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> _Overlaps:
    one, two = a.geometry.to_numpy(), b.geometry.to_numpy()
    left, right = shapely.STRtree(two).query(one, predicate="intersects")
    same = shapely.equals_exact(one[left], two[right])
    # two grids that are the same in both plans have exchanged no ground, whatever they share
    still = np.isin(left, left[same]) & np.isin(right, right[same])
    asked = same | ~still
    left, right, same = left[asked], right[asked], same[asked]
    shape = one[left]
    shape[~same] = shapely.intersection(shape[~same], two[right[~same]])
    area = shapely.area(shape)
    kept = area > PIECE_M2
    nobody = np.zeros(int(kept.sum()), dtype=np.int64)
    return _Overlaps(left[kept], right[kept], area[kept], shape[kept], nobody)


def _homes(
    a: PlanFile, b: PlanFile, first: gpd.GeoDataFrame, second: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Households with their row in both plans' grids: columns a, b, households.

    Points of a (of b, where a has none) by the code they carry; in the other plan by household
    number where both know the same, else by where the point lies.
    """
    turned = not len(a.households)
    source, other = (b, a) if turned else (a, b)
    own, theirs = (second, first) if turned else (first, second)
    points = source.households
    here = _row_of_code(own, points["grid_code"])
    ids = [frame["household_id"] for frame in (points, other.households)]
    if len(points) and ids[0].is_unique and ids[0].reset_index(drop=True).equals(
        ids[1].reset_index(drop=True)
    ):
        there = _row_of_code(theirs, other.households["grid_code"])
        return _where(points, here, there, turned)
    names = [own.astype(str) for own in ids]
    if all(n.is_unique for n in names) and len(points) and set(names[0]) == set(names[1]):
        code = other.households["grid_code"].set_axis(names[1].to_numpy())
        there = _row_of_code(theirs, code.loc[names[0].to_numpy()])
    else:
        there = _row_of_point(theirs, points, own.crs)
    return _where(points, here, there, turned)


def _where(points: pd.DataFrame, here: IntArray, there: IntArray, turned: bool) -> pd.DataFrame:
    """Households that have a grid in both plans: its rows in a and in b, and how many live there.

    ``turned`` where ``points`` are those of b.
    """
    known = (here >= 0) & (there >= 0)
    table = pd.DataFrame({"a": there, "b": here} if turned else {"a": here, "b": there})
    counts = pd.to_numeric(points["households"], errors="coerce").fillna(1).to_numpy(dtype=int)
    return table.assign(households=counts)[known].reset_index(drop=True)


def _row_of_code(grids: gpd.GeoDataFrame, codes: pd.Series) -> IntArray:
    row = pd.Series(range(len(grids)), index=grids["code"])
    row = row[~row.index.duplicated()]
    found: IntArray = codes.astype(str).map(row).fillna(-1).to_numpy().astype(np.int64)
    return found


def _row_of_point(grids: gpd.GeoDataFrame, points: pd.DataFrame, crs: object) -> IntArray:
    row = np.full(len(points), -1, dtype=np.int64)
    if isinstance(points, gpd.GeoDataFrame) and len(points):
        places = points.geometry if points.crs is None else points.to_crs(crs).geometry
        point, grid = shapely.STRtree(grids.geometry.to_numpy()).query(
            places.to_numpy(), predicate="intersects"
        )
        row[point[::-1]] = grid[::-1]
    return row


def _count(pairs: _Overlaps, home: pd.DataFrame) -> _Overlaps:
    """The overlaps with the households that live in each."""
    held = home.groupby(["a", "b"])["households"].sum()
    keys = pd.MultiIndex.from_arrays([pairs.a, pairs.b])
    counts = held.reindex(keys).fillna(0).to_numpy(dtype=np.int64)
    return _Overlaps(pairs.a, pairs.b, pairs.area, pairs.shape, counts)


def _match(pairs: _Overlaps, n: int, m: int) -> IntArray:
    """For each grid of a the grid of b that continues it, or -1; shape (n,).

    One to one, with the most households and then the most ground kept, exactly, cluster of
    overlapping grids by cluster (villages, as a rule).
    """
    worth = pairs.households + pairs.area / (pairs.area.sum() * 2)
    graph = csr_array((worth, (pairs.a, pairs.b + n)), shape=(n + m, n + m))
    _, cluster = connected_components(graph, directed=False)
    match = np.full(n, -1, dtype=np.int64)
    order = np.argsort(cluster[pairs.a], kind="stable")
    splits = np.flatnonzero(np.diff(cluster[pairs.a][order])) + 1
    for rows in np.split(order, splits):
        left, at_left = np.unique(pairs.a[rows], return_inverse=True)
        right, at_right = np.unique(pairs.b[rows], return_inverse=True)
        kept = np.zeros((len(left), len(right)))
        kept[at_left, at_right] = worth[rows]
        one, two = linear_sum_assignment(kept, maximize=True)
        real = kept[one, two] > 0
        match[left[one[real]]] = right[two[real]]
    return match


def _grid_table(
    a: gpd.GeoDataFrame, b: gpd.GeoDataFrame, pairs: _Overlaps, match: IntArray
) -> pd.DataFrame:
    """One row a grid of a, then the new ones of b."""
    shared = {
        (int(i), int(j)): (area, held)
        for i, j, area, held in zip(pairs.a, pairs.b, pairs.area, pairs.households, strict=True)
    }
    size = a.area.to_numpy(), b.area.to_numpy()
    count = a["households"].to_numpy(dtype=int), b["households"].to_numpy(dtype=int)
    code = a["code"].to_numpy(), b["code"].to_numpy()
    rows = []
    for i, j in enumerate(match.tolist()):
        if j < 0:
            rows.append((code[0][i], None, "gone", count[0][i], 0, 0, 0.0))
            continue
        area, kept = shared[i, j]
        jaccard = float(area / (size[0][i] + size[1][j] - area))
        same = jaccard >= SAME_AREA and count[0][i] == count[1][j]
        word = "same" if same else "changed"
        rows.append((code[0][i], code[1][j], word, count[0][i], count[1][j], kept, jaccard))
    for j in np.setdiff1d(np.arange(len(b)), match).tolist():
        rows.append((None, code[1][j], "new", 0, count[1][j], 0, 0.0))
    names = ["code_a", "code_b", "change", "households_a", "households_b", "households_kept",
             "jaccard_area"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    return table.astype({"code_a": object, "code_b": object, "change": object})


def _moved(
    a: gpd.GeoDataFrame, b: gpd.GeoDataFrame, pairs: _Overlaps, match: IntArray
) -> gpd.GeoDataFrame:
    """Pieces of ground whose grid in b does not continue their grid in a."""
    rows = np.flatnonzero(match[pairs.a] != pairs.b)
    one, two = pairs.a[rows], pairs.b[rows]
    shapes = [_polygonal(shape) for shape in pairs.shape[rows]]
    return gpd.GeoDataFrame(
        {
            "code_a": a["code"].to_numpy()[one],
            "name_a": a["name"].to_numpy()[one],
            "code_b": b["code"].to_numpy()[two],
            "name_b": b["name"].to_numpy()[two],
            "households": pairs.households[rows],
            "area_m2": pairs.area[rows],
        },
        geometry=gpd.GeoSeries(shapes, crs=a.crs),
        crs=a.crs,
    )


def _polygonal(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """The areas of an intersection; lines and points where borders touch are none."""
    parts = shapely.get_parts(np.array([shape]), return_index=False)
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    return shapely.MultiPolygon(list(parts[shapely.get_type_id(parts) == 3]))


def _information(home: pd.DataFrame) -> float:
    """H(A|B) + H(B|A) over households, in nats; 0 where nobody is compared."""
    held = home.groupby(["a", "b"])["households"].sum()
    held = held[held > 0]
    total = float(held.sum())
    if not total:
        return 0.0
    joint = held.to_numpy() / total
    of_a = held.groupby(level="a").transform("sum").to_numpy() / total
    of_b = held.groupby(level="b").transform("sum").to_numpy() / total
    return float(max(0.0, -(joint * np.log(joint**2 / (of_a * of_b))).sum()))


def _figures(plan: PlanFile, grids: gpd.GeoDataFrame) -> Figures:
    usual = grids[grids["kind"] == "comprehensive"]
    held = usual["households"].to_numpy(dtype=float)
    mean = usual.groupby("village_code")["households"].transform("mean").to_numpy(dtype=float)
    off = np.abs(held[mean > 0] / mean[mean > 0] - 1)
    around = usual.length.to_numpy()
    compact = 4 * np.pi * usual.area.to_numpy() / np.maximum(around, 1e-9) ** 2
    return Figures(
        grids=len(grids),
        households=int(grids["households"].sum()),
        within_10=float((off <= 0.10).mean()) if len(off) else 1.0,
        worst=float(off.max(initial=0.0)),
        polsby_popper=float(compact.mean()) if len(usual) else 0.0,
        edge_on_line=_edge_on_line(usual),
        exceptions=len(plan.exceptions),
    )


def _edge_on_line(grids: gpd.GeoDataFrame) -> float | None:
    """Over all inner borders where their lengths are told, else the grids' mean."""
    if "edge_on_line" not in grids:
        return None
    share = pd.to_numeric(grids["edge_on_line"], errors="coerce")
    length = pd.to_numeric(
        grids["inner_border_m"] if "inner_border_m" in grids else pd.Series(1.0, grids.index),
        errors="coerce",
    ).where(share.notna(), 0.0)
    if not length.sum() > 0:
        return None
    return float((share.fillna(0) * length).sum() / length.sum())


def layers_of(found: Comparison) -> Mapping[str, pd.DataFrame]:
    """The layers of changes.gpkg: moved pieces, the grids matched, the figures."""
    return {"moved": found.moved, "grids": found.grids, "summary": found.summary()}
