"""What a hot-spot map costs, beside the usual way in the same process. Writes records/hotspots.md.

``.venv/bin/python -m benchmarks.hotspots``: 100,000 events on 500 x 500 cells. Every row names its
peer; a peer that would take minutes is run on a part and its time scaled, and says so.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist
from scipy.stats import false_discovery_control, gaussian_kde, norm, theilslopes

from geo.read import FileRecord, Layer
from incidents.analysis import Prepared, prepare
from incidents.areas import areas_of
from incidents.cells import Cells, count, rectangle
from incidents.clusters import clusters
from incidents.density import density
from incidents.events import load_events
from incidents.gistar import gi_star
from incidents.near_repeat import near_repeat
from incidents.scan import scan
from incidents.sharing import share
from incidents.trend import mann_kendall

RECORD = Path(__file__).parent / "records" / "hotspots.md"
EVENTS, SIDE, SIZE = 100_000, 500, 200.0


def best(work: Callable[[], object], times: int = 3) -> float:
    """Processor seconds, one core, of the fastest of a few runs: the machine may be shared."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def events(rng: np.random.Generator) -> np.ndarray:
    """(2, n) half of them even, half in 60 towns."""
    towns = rng.uniform(0, SIDE * SIZE, (60, 2))
    clumped = towns[rng.integers(0, 60, EVENTS // 2)] + rng.normal(0, 1_500, (EVENTS // 2, 2))
    even = rng.uniform(0, SIDE * SIZE, (EVENTS - EVENTS // 2, 2))
    return np.concatenate([clumped, even]).T


def queen_matrix(side: int) -> csr_array:
    """(n, n) each cell and its neighbours: what packages build their statistics on."""
    row, column = np.divmod(np.arange(side * side), side)
    pairs = []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            inside = (row + down >= 0) & (row + down < side)
            inside &= (column + right >= 0) & (column + right < side)
            here = np.flatnonzero(inside)
            pairs.append(np.stack([here, here + down * side + right]))
    a, b = np.concatenate(pairs, axis=1)
    return csr_array((np.ones(len(a)), (a, b)))


def matrix_gi_star(values: np.ndarray, weights: csr_array) -> np.ndarray:
    """The textbook form on a sparse matrix, with SciPy's correction."""
    n, mean = len(values), values.mean()
    members = np.asarray(weights.sum(axis=1)).ravel()
    z = (weights @ values - members * mean) / (
        values.std() * np.sqrt((n * members - members**2) / (n - 1))
    )
    return false_discovery_control(2 * norm.sf(np.abs(z)))


def rows(cells: Cells, xy: np.ndarray) -> list[tuple[str, float, str, float, str]]:
    """(task, ours, peer, its seconds, limit)."""
    rng = np.random.default_rng(1)
    counts = count(cells, *xy)
    flat, weights = counts.ravel(), queen_matrix(SIDE)
    some = cells.centres()[rng.integers(0, SIDE * SIDE, 100)].T
    edges = np.arange(SIDE + 1) * SIZE
    out = [
        (
            "count", best(lambda: count(cells, *xy)),
            "numpy.histogram2d", best(lambda: np.histogram2d(xy[1], xy[0], [edges, edges])), "",
        ),
        (
            "density, quartic 300 m, edges", best(lambda: density(cells, counts)),
            "scipy.stats.gaussian_kde, 100 cells scaled to all",
            best(lambda: gaussian_kde(xy, 0.01)(some), 1) * SIDE * SIDE / 100, "0.15 s",
        ),
        (
            "density, Gaussian 300 m, edges",
            best(lambda: density(cells, counts, kernel="gaussian")),
            "scipy.ndimage.gaussian_filter, no edges", best(lambda: gaussian_filter(counts, 1.5)),
            "0.15 s",
        ),
        (
            "Gi* (exact) and correction", best(lambda: gi_star(counts, cells)),
            "sparse matrix, normal z, SciPy's correction",
            best(lambda: matrix_gi_star(flat, weights)), "0.1 s",
        ),
        (
            "999 Monte-Carlo runs",
            best(lambda: gi_star(counts, cells, method="monte_carlo"), 1),
            "sparse matrix x multinomial, 9 runs scaled",
            best(
                lambda: weights @ rng.multinomial(EVENTS, np.full(SIDE**2, SIDE**-2.0), 9).T, 1
            ) * 111, "5 s",
        ),
    ]  # fmt: skip
    return out + smaller(rng) + proved(rng)


def smaller(rng: np.random.Generator) -> list[tuple[str, float, str, float, str]]:
    """The tools that look at fewer places."""
    series = rng.poisson(0.5, (24, 10_000)).astype(float)
    xy, day = rng.uniform(0, 20_000, (2, 3_000)), rng.integers(0, 365, 3_000)
    place = rng.uniform(0, 50_000, (281, 2))
    people = rng.integers(500, 5_000, 281)
    cases = rng.multinomial(552, people / people.sum())

    def every_pair() -> None:
        near, when = pdist(xy.T), pdist(day[:, None])
        np.histogram2d(near, when, [[0, 1, 101, 201, 301, 401, 1e9], [0, 8, 15, 22, 29, 400]])

    return [
        (
            "Mann-Kendall and Sen, 10,000 cells x 24", best(lambda: mann_kendall(series), 1),
            "scipy.stats.theilslopes alone, 100 cells scaled",
            best(lambda: [theilslopes(series[:, k]) for k in range(100)], 1) * 100, "",
        ),
        (
            "near repeats, 3,000 events, 999 shuffles", best(lambda: near_repeat(*xy, day), 1),
            "all pairs by scipy pdist, one table scaled to 1,000", best(every_pair, 1) * 1_000, "",
        ),
        (
            "scan, 281 areas, 999 runs", best(lambda: scan(place, cases, people), 1),
            "the same, run by run, 20 scaled",
            best(lambda: [scan(place, cases, people, runs=0) for _ in range(20)], 1) * 50, "",
        ),
        (
            "clusters, 10,000 events",
            best(lambda: clusters(*rng.normal(0, 3_000, (2, 10_000)), least=50), 1), "", 0.0, "",
        ),
    ]  # fmt: skip


def proved(rng: np.random.Generator) -> list[tuple[str, float, str, float, str]]:
    """What leaders wait for before they see numbers: each month's tables of one large level and the
    county, then each year's of all levels beside its months as they stand."""
    return [
        (
            "tables for leaders proved: 24 months, 2 years; 593 grids, 94 beats, 105 villages",
            best(partial(share, county(rng)), 3), "", 0.0, "5 s",
        ),
        (
            "the same, quiet: 96 months of 14 events but for one of 3,800; 649 villages in 37 "
            "townships",
            best(partial(share, quiet(rng)), 3), "", 0.0, "5 s",
        ),
    ]  # fmt: skip


def quiet(rng: np.random.Generator) -> Prepared:
    """Months so quiet that nearly every number of a township is under three: there most proofs have
    to be looked for far away. Of the size and shape of Tainan's accidents."""
    crs, number = CRS.from_epsg(4549), np.arange(649)
    x, y = 500_000 + number % 26 * 1_000, 3_600_000 + number // 26 * 1_000
    ground = gpd.GeoDataFrame(
        {"code": list(map(str, number)), "name": list(map(str, number)),
         "township_name": list(map(str, number * 37 // 649)), "households": 1_000,
         "persons": 2_800},
        geometry=shapely.box(x, y, x + 1_000, y + 1_000), crs=crs,
    )  # fmt: skip
    months = np.datetime64("2018-01", "M") + np.repeat(np.arange(96), 14)
    month = np.concatenate([months, np.full(3_800, np.datetime64("2023-01", "M"))])
    many = len(month)
    usual = rng.gamma(1.0, 1.0, 649)
    at = rng.choice(649, many, p=usual / usual.sum())
    time = month.astype("datetime64[s]") + rng.integers(0, 28 * 86_400, many).astype("m8[s]")
    return _prepared(rng, ground, time, x[at], y[at], np.full(many, "公共安全"))


def _prepared(
    rng: np.random.Generator, ground: gpd.GeoDataFrame, time: np.ndarray, x: np.ndarray,
    y: np.ndarray, kinds: np.ndarray, **areas: gpd.GeoDataFrame,
) -> Prepared:  # fmt: skip
    """Events somewhere in their squares of a kilometre, 97 % of them closed."""
    many = len(time)
    frame = gpd.GeoDataFrame(
        {"time": time, "time_precision": "minute", "category": kinds,
         "status": rng.choice(["已办结", "处置中"], many, p=[0.97, 0.03])},
        geometry=shapely.points(x + rng.random(many) * 1_000, y + rng.random(many) * 1_000),
        crs=ground.crs,
    )  # fmt: skip
    record = FileRecord("a.csv", 1, "0" * 64)
    layer = Layer("incidents", "a.csv", frame, ground.crs, [], [], [], record)
    levels = areas or {"villages": ground}
    return prepare(load_events([layer], crs=ground.crs), areas_of(ground.crs, **levels))


def county(rng: np.random.Generator) -> Prepared:
    """40,000 events of six kinds in two years, 97 % closed, in 593 grids of 105 villages and 15
    townships, and in 94 beats that cut villages."""
    crs, grid = CRS.from_epsg(4549), np.arange(593)
    x, y = 500_000 + grid % 25 * 1_000, 3_600_000 + grid // 25 * 1_000
    village = grid * 105 // 593
    squares = shapely.box(x, y, x + 1_000, y + 1_000)
    ground = gpd.GeoDataFrame(
        {"code": list(map(str, grid)), "village_code": list(map(str, village)),
         "township_name": list(map(str, village // 7)), "households": 250, "persons": 700},
        geometry=squares, crs=crs,
    )  # fmt: skip
    number = grid * 7 // 44 % 94
    beats = gpd.GeoDataFrame(
        {"code": list(map(str, range(94)))},
        geometry=[shapely.union_all(squares[number == i]) for i in range(94)], crs=crs,
    )  # fmt: skip
    usual = rng.gamma(1.0, 1.0, 593)
    at = rng.choice(593, 40_000, p=usual / usual.sum())
    kinds = np.array(["社会治安", "公共安全", "城市管理", "环境保护", "专项重点工作", "城市部件"])
    start, seconds = np.datetime64("2024-01-01", "s"), rng.integers(0, 731 * 86_400, 40_000)
    time = start + seconds.astype("timedelta64[s]")
    kind = rng.choice(kinds, 40_000, p=np.array([8, 5, 4, 3, 2, 1]) / 23)
    return _prepared(rng, ground, time, x[at], y[at], kind, grids=ground, beats=beats)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args(arguments)
    cells = rectangle(SIDE, SIDE, SIZE)
    lines = ["| task | seconds | limit | the usual way | seconds |", "|---|---|---|---|---|"]
    for task, ours, peer, theirs, limit in rows(cells, events(np.random.default_rng(0))):
        lines.append(
            f"| {task} | {ours:.3f} | {limit} | {peer} | {f'{theirs:,.3f}' if peer else ''} |"
        )
    print("\n".join(lines))
    if not options.no_record:
        text = (
            "# Hot spots: time\n\nWritten by `python -m benchmarks.hotspots`: "
            f"{EVENTS:,} events on {SIDE} x {SIDE} cells; processor seconds on one "
            "core, the fastest of three runs where they are short.\n\n"
        )
        RECORD.write_text(text + "\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
