"""What stays whole, what is dedicated, and the lines: layers beside villages and households."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.harmonise import metric
from geo.linework import Linework, as_lines, empty_linework
from geo.read import Layer
from geo.repair import polygonal
from geo.segments import IntArray

KINDS = {"roads": "road", "water": "water", "railways": "railway"}
"""Layers of lines, and what one of their lines is."""


def linework_of(layers: Mapping[str, Layer], crs: CRS) -> Linework:
    """Roads, waters and railways as one set of named lines."""
    frames = {}
    for role in KINDS:
        layer = layers.get(role)
        if layer is not None and len(layer.frame):
            table = pd.DataFrame(layer.frame.drop(columns="geometry", errors="ignore"))
            frames[role] = gpd.GeoDataFrame(table, geometry=metric(layer, crs), crs=crs)
    return lines_of(frames)


def lines_of(frames: Mapping[str, gpd.GeoDataFrame]) -> Linework:
    """The same of frames by role, in one metric system already."""
    shapes, kinds, names = [], [], []
    for role, kind in KINDS.items():
        frame = frames.get(role)
        if frame is None or not len(frame):
            continue
        lines, row = as_lines(frame.geometry.to_numpy())
        text = frame.get("name", pd.Series("", index=frame.index))
        shapes.append(lines)
        kinds.append(np.full(len(lines), kind, dtype=object))
        names.append(text.fillna("").astype(str).to_numpy(dtype=object)[row])
    if not shapes:
        return empty_linework()
    return Linework(np.concatenate(shapes), np.concatenate(kinds), np.concatenate(names))


def polygons_of(layer: Layer | None, crs: CRS) -> gpd.GeoDataFrame:
    """Name, category and polygons of a layer in the metric system; empty where there is none."""
    if layer is None:
        return gpd.GeoDataFrame({"name": [], "category": []}, geometry=[], crs=crs)
    frame = layer.frame
    table = pd.DataFrame(index=range(len(frame)))
    for column in ("name", "category"):
        values = frame.get(column, pd.Series("", index=frame.index))
        table[column] = values.fillna("").astype(str).to_numpy()
    shapes = np.array([polygonal(g) for g in metric(layer, crs)], dtype=object)
    result = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    return result[~result.geometry.is_empty].reset_index(drop=True)


def wholes_of(
    layers: Mapping[str, Layer], crs: CRS
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Polygons to keep whole, each with a set number, and the table of sets so far."""
    frames = []
    for role, kind in (("compounds", "compound"), ("groups", "group")):
        frame = polygons_of(layers.get(role), crs)
        frames.append(frame.assign(kind=kind))
    both = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=crs)
    both["set_id"] = np.arange(len(both))
    return both, pd.DataFrame(both[["kind", "name"]])


def set_numbers(
    table: pd.DataFrame, wholes: gpd.GeoDataFrame, sets: pd.DataFrame
) -> tuple[IntArray, pd.DataFrame]:
    """The set of each household row: its compound or group, by outline first, else by name."""
    number = np.full(len(table), -1, dtype=np.int64)
    if len(wholes):
        points = shapely.points(table[["x", "y"]].to_numpy(dtype=float))
        tree = shapely.STRtree(points)
        # compounds come first in the table and win over groups
        shape, row = tree.query(wholes.geometry.to_numpy(), predicate="intersects")
        number[row[::-1]] = wholes["set_id"].to_numpy()[shape[::-1]]
    for kind in ("compound", "group"):
        named = (table[kind] != "").to_numpy() & (number < 0)
        if not named.any():
            continue
        key = table.loc[named, "village"].astype(str) + "\t" + table.loc[named, kind]
        code, unique = pd.factorize(key, sort=True)
        number[named] = code + len(sets)
        added = pd.DataFrame({"kind": kind, "name": [k.split("\t", 1)[1] for k in unique]})
        sets = pd.concat([sets, added], ignore_index=True)
    return number, sets
