"""A study of a made-up county: four villages with hostile names, one place that is really hot, one
that only three households make hot, a few sensitive events."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Transformer
from shapely.geometry import LineString, box

from geo.read import read_layer
from incidents.analysis import prepare
from incidents.areas import Homes, areas_of
from incidents.categories import default_table
from incidents.events import load_events
from incidents.sharing import share, without_sensitive
from ui.study import Study, course_of

CRS = "EPSG:4549"
WEST, SOUTH = 500_000.0, 3_570_000.0
HOSTILE = "<img src=x onerror=window.__xss=1>`${window.__xss=2}`</script>'\"{{7*7}}"
HOT, FEW = (WEST + 1_100, SOUTH + 1_100), (WEST + 3_100, SOUTH + 3_100)  # metres


def villages() -> gpd.GeoDataFrame:
    rows = [
        {"code": f"3201{i}", "name": f"{HOSTILE}{i}", "township_name": f"T{i // 2}{HOSTILE}",
         "households": 900 if i else 300, "persons": 2_700.0,
         "geometry": box(WEST + 2_000 * (i % 2), SOUTH + 2_000 * (i // 2),
                         WEST + 2_000 * (i % 2 + 1), SOUTH + 2_000 * (i // 2 + 1))}
        for i in range(4)
    ]  # fmt: skip
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def write_events(folder: Path, since: str = "", until: str = "9999") -> Path:
    """A file of 4,000 events over two years, places scattered but for two piles of streets; of
    these only the ones between two ISO days, both included."""
    rng = np.random.default_rng(5)
    n = 4_000
    x, y = WEST + rng.uniform(0, 4_000, n), SOUTH + rng.uniform(0, 4_000, n)
    for rows, (east, north) in ((slice(0, 400), HOT), (slice(400, 700), FEW)):
        size = rows.stop - rows.start
        x[rows], y[rows] = east + rng.uniform(-90, 90, size), north + rng.uniform(-90, 90, size)
    lon, lat = Transformer.from_crs(CRS, 4326, always_xy=True).transform(x, y)
    time = np.datetime64("2024-01-01T00:00") + rng.integers(0, 731 * 1_440, n).astype("m8[m]")
    kind = np.where(rng.random(n) < 0.5, "社会治安", "环境保护").astype(object)
    small = np.full(n, "盗窃", dtype=object)
    small[-7:], kind[-7:] = "家庭暴力", "社会治安"
    frame = pd.DataFrame(
        {"发生时间": pd.Series(time).dt.strftime("%Y-%m-%d %H:%M"),
         "来源": np.where(rng.random(n) < 0.8, "12345热线", "网格巡查"),
         "大类": kind, "小类": small,
         "状态": np.where(rng.random(n) < 0.9, "已办结", "处理中"),
         "经度": np.round(lon, 6), "纬度": np.round(lat, 6)}
    )  # fmt: skip
    day = frame["发生时间"].str[:10]
    path = folder / "incidents.csv"
    frame[(day >= since) & (day <= until)].to_csv(path, index=False)
    return path


def study(folder: Path, since: str = "", until: str = "9999") -> Study:
    """The study, its shared tables proved."""
    layer = read_layer(write_events(folder, since, until), "incidents")
    frame = villages()
    table = default_table()
    events = load_events([layer], crs=frame.crs, table=table)
    corners = np.arange(50, 4_000, 100)
    xy = np.array([(WEST + e, SOUTH + n) for e in corners for n in corners], dtype=float)
    cell = (xy - (WEST, SOUTH)) // 200
    few = (cell == (np.array(FEW) - (WEST, SOUTH)) // 200).all(axis=1)
    households = np.where(few, 0.75, 3.0)  # four points a cell: three households, else twelve
    homes = Homes(xy, households, households * 3)
    areas = areas_of(frame.crs, villages=frame, homes=homes)
    prepared = prepare(events, areas, homes=homes)
    roads = gpd.GeoDataFrame(
        {"name": [HOSTILE], "road_class": ["primary"]},
        geometry=[LineString([(WEST, SOUTH + 1_150), (WEST + 4_000, SOUTH + 1_150)])], crs=CRS,
    )  # fmt: skip
    made = Study(
        "test", events, areas, homes, (), table, roads, None, {"roads": roads}, prepared,
        without_sensitive(prepared), share(prepared),
    )  # fmt: skip
    for kind in (None, "public_order", "environment"):
        course_of(made, kind)
    return made
