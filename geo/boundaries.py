"""Village boundaries as read: names, codes, shapes repaired into a coverage."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from geo.harmonise import metric
from geo.problems import Problem
from geo.read import Layer
from geo.repair import as_coverage


def boundaries(
    layer: Layer, crs: CRS, *, repair: bool
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Villages with code, name, township_name, class_code, as a coverage; and what was mended.

    The reader has given every village a code and a name and joined the rows of one. Raises
    :class:`geo.problems.InputError` for grave overlaps unless ``repair``.
    """
    frame = layer.frame
    table = pd.DataFrame(index=range(len(frame)))
    for column in ("code", "name", "township_name", "class_code"):
        values = frame[column] if column in frame else pd.Series("", index=frame.index)
        table[column] = values.fillna("").astype(str).str.strip().to_numpy()
    repaired = as_coverage(
        metric(layer, crs), list(table["name"]), layer.file.name, repair_overlaps=repair
    )
    return gpd.GeoDataFrame(table, geometry=repaired.geometry, crs=crs), list(repaired.notes)
