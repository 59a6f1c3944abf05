"""A small plan with every layer of plan.gpkg: two villages of squares, four grids each."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
from shapely.geometry import LineString, Point, box

from planning.planfile import PlanFile

CRS = "EPSG:4549"
WEST, SOUTH = 500_000.0, 3_570_000.0
HOSTILE = "<img src=x onerror=window.__xss=1>${window.__xss=2}"


def square(column: int, row: int, size: float = 500.0) -> object:
    west, south = WEST + column * size, SOUTH + row * size
    return box(west, south, west + size, south + size)


def grids(village_name: str = "柳塘村") -> gpd.GeoDataFrame:
    rows = []
    for v, (code, name) in enumerate([("320116001001", village_name), ("320116001202", "石桥村")]):
        for n in range(4):
            households = [310, 150, 300, 480][n] if v == 0 else 300 + 10 * n
            deviation = households / 300 - 1
            ideal = 310.0 if v == 0 else 315.0
            rows.append(
                {
                    "code": f"{code}{n + 1:03d}",
                    "name": f"{name}第{n + 1}网格",
                    "kind": "comprehensive",
                    "village_code": code,
                    "village_name": name,
                    "township_name": "龙池街道",
                    "households": households,
                    "persons": households * 3 if n else None,
                    "area_m2": 250_000.0,
                    "perimeter_m": 2000.0,
                    "polsby_popper": 0.785,
                    "reach_m": 180.5,
                    "edge_on_line": 0.5 if n else 1.0,
                    "parts": 1,
                    "bounds_text": "东至人民路，南至中山河，西至村界，北至村界",
                    "exceptions": "max_persons" if (v == 0 and n == 3) else "",
                    "target": 300,
                    "deviation": deviation,
                    "ideal": ideal,
                    "deviation_ideal": households / ideal - 1,
                    "geometry": square(2 * v + n % 2, n // 2),
                }
            )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS).astype({"persons": "Int64"})


def plan(village_name: str = "柳塘村") -> PlanFile:
    frame = grids(village_name)
    villages = frame.dissolve(by="village_code", as_index=False, aggfunc="first")
    villages = gpd.GeoDataFrame(
        {
            "code": villages["village_code"],
            "name": villages["village_name"],
            "township_name": villages["township_name"],
            "class": "urban",
            "households": [1240, 1260],
            "persons": [3720, 3780],
            "grids": [4, 4],
        },
        geometry=villages.geometry.values,
        crs=CRS,
    )
    points = [Point(WEST + 100 + 20 * i, SOUTH + 100) for i in range(10)] + [
        Point(WEST + 100, SOUTH + 100)
    ]
    households = gpd.GeoDataFrame(
        {
            "household_id": [f"h{i}" for i in range(11)],
            "households": [1] * 10 + [30],
            "persons": pd.array([3] * 10 + [None], dtype="Int64"),
            "grid_code": frame["code"].iloc[0],
            "micro_code": "",
        },
        geometry=points,
        crs=CRS,
    )
    exceptions = pd.DataFrame(
        {
            "grid_code": [frame["code"].iloc[3]],
            "rule": ["max_persons"],
            "value": [1440.0],
            "limit": [1500.0],
            "reason": ["one building alone exceeds the cap"],
        }
    )
    return PlanFile(
        grids=frame,
        micro_grids=None,
        households=households,
        villages=villages,
        unplaced=gpd.GeoDataFrame({"household_id": [], "reason": []}, geometry=[], crs=CRS),
        exceptions=exceptions,
        provenance=pd.DataFrame({"key": ["seed", "version"], "value": ["0", "0.1.0"]}),
    )


def roads() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": ["人民路", "小巷"], "road_class": ["primary", "lane"]},
        geometry=[
            LineString([(WEST, SOUTH + 500), (WEST + 2000, SOUTH + 500)]),
            LineString([(WEST, SOUTH + 700), (WEST + 900, SOUTH + 700)]),
        ],
        crs=CRS,
    )
