"""What stays whole, what is dedicated, and the lines: layers beside villages and households."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from geo.harmonise import metric
from geo.linework import Linework, as_lines, empty_linework
from geo.placing import points_in
from geo.read import Layer
from geo.repair import polygonals
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
    shapes = polygonals(metric(layer, crs))
    result = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    return result[~result.geometry.is_empty].reset_index(drop=True)


def wholes_of(
    areas: Mapping[str, gpd.GeoDataFrame], crs: CRS
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Polygons to keep whole, each with a set number, and the table of sets so far.

    ``areas``: the polygons of compounds and groups, as :func:`polygons_of` makes them.
    """
    frames = [
        areas[role].assign(kind=kind)
        for role, kind in (("compounds", "compound"), ("groups", "group"))
    ]
    both = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=crs)
    both["set_id"] = np.arange(len(both))
    return both, pd.DataFrame(both[["kind", "name"]])


def set_numbers(
    table: pd.DataFrame, wholes: gpd.GeoDataFrame, sets: pd.DataFrame
) -> tuple[IntArray, pd.DataFrame]:
    """The set of each household row: its compound or group, by outline first, else by name."""
    number = np.full(len(table), -1, dtype=np.int64)
    if len(wholes):
        # compounds come first in the table and win over groups
        points = table[["x", "y"]].to_numpy(dtype=float)
        shape, row = points_in(points, wholes.geometry.to_numpy())
        number[row[::-1]] = wholes["set_id"].to_numpy()[shape[::-1]]
    for kind in ("compound", "group"):
        named = (table[kind] != "").to_numpy() & (number < 0)
        if not named.any():
            continue
        code, names = _named_sets(
            table["village"].to_numpy()[named], table[kind].to_numpy(dtype=object)[named]
        )
        number[named] = code + len(sets)
        added = pd.DataFrame({"kind": kind, "name": names})
        sets = pd.concat([sets, added], ignore_index=True)
    return number, sets


def _named_sets(village: IntArray, name: np.ndarray) -> tuple[IntArray, list[str]]:
    """A number for each name within its village, and the names; in the order of the village's
    number as a text, then of the name."""
    text, texts = pd.factorize(name)
    pair, pairs = pd.factorize(village * len(texts) + text)
    names = [(str(key // len(texts)), str(texts[key % len(texts)])) for key in pairs.tolist()]
    order = sorted(range(len(names)), key=lambda place: "\t".join(names[place]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[pair], [names[place][1] for place in order]
