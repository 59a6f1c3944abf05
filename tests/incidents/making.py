"""Events and areas made for tests: layers as the readers hand them over, without files."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.read import FileRecord, Layer
from incidents.events import Events, load_events

METRIC = CRS.from_epsg(4549)
X0, Y0 = 500_000.0, 3_600_000.0


def layer(table: dict[str, object], *, crs: CRS | None = METRIC, name: str = "a.csv") -> Layer:
    """A layer of events; columns x and y become points, NaN none."""
    frame = pd.DataFrame({k: v for k, v in table.items() if k not in "xy"})
    x, y = np.asarray(table["x"], dtype=float), np.asarray(table["y"], dtype=float)
    shapes = np.where(np.isfinite(x), shapely.points(x, y), None)
    frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs)
    return Layer("incidents", name, frame, crs, [], [], [], FileRecord(name, 1, "0" * 64))


def events(n: int = 200, seed: int = 0, *, size: float = 4000.0, **columns: object) -> Events:
    """n events in a square of ``size`` metres, over 2023 and 2024."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2023-01-01", "s")
    table: dict[str, object] = {
        "x": X0 + rng.uniform(0, size, n),
        "y": Y0 + rng.uniform(0, size, n),
        "time": start + rng.integers(0, 731 * 86_400, n).astype("timedelta64[s]"),
        "time_precision": ["minute"] * n,
        "category": rng.choice(["城市管理", "环境保护", "社会治安"], n),
        "source": rng.choice(["12345热线", "网格巡查"], n, p=[0.7, 0.3]),
        "status": rng.choice(["已办结", "处置中"], n, p=[0.9, 0.1]),
    }
    return load_events([layer(table | columns)], crs=METRIC)


def grids(side: int = 4, size: float = 1000.0) -> gpd.GeoDataFrame:
    """side × side square grids, two columns of them a village, two villages a township."""
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    x, y = X0 + column.ravel() * size, Y0 + row.ravel() * size
    village = row.ravel() // 2 * 2 + column.ravel() // 2
    table = pd.DataFrame(
        {
            "code": [f"G{i:02d}" for i in range(side * side)],
            "name": [f"grid {i}" for i in range(side * side)],
            "village_code": [f"V{v}" for v in village],
            "village_name": [f"village {v}" for v in village],
            "township_name": [f"T{v // 2}" for v in village],
            "households": 300,
            "persons": 900,
        }
    )
    return gpd.GeoDataFrame(table, geometry=shapely.box(x, y, x + size, y + size), crs=METRIC)
