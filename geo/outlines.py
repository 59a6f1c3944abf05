"""A set without village boundaries: the outline of its ready-made areas is taken for one village.

Census blocks and other small areas cover the ground they count; their union is a boundary. The
footprints of buildings do not: what lies between them would belong to nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import metric_crs
from geo.datum import Datum
from geo.harmonise import degrees, metric
from geo.inspect import restated
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer

register(
    {
        "villages-missing": (
            "没有村(社区)边界,而户数不是相连的小区域,无法代替;请给出村界文件。",
            "there are no village boundaries, and the households are no adjoining areas that could "
            "stand in for them; give the file of the villages.",
        ),
        "villages-of-areas": (
            "没有村(社区)边界:{count} 个小区域的外轮廓当作一个村;如有村界请加上。",
            "there are no village boundaries: the outline of the {count} areas is taken for one "
            "village. Add the villages' file if there is one.",
        ),
    }
)

_GAP_M = 20.0
"""Areas nearer than this adjoin: small areas are often drawn without the streets between them."""
_PIECES_SHARE = 0.1
"""More separate pieces than this share of the areas, and they are buildings rather than blocks."""


def can_stand_for_villages(layer: Layer) -> bool:
    """Is every row of a layer of households that has a place an area?"""
    if "geometry" not in layer.frame or not len(layer.frame):
        return False
    kinds = shapely.get_dimensions(layer.frame.geometry.to_numpy())
    return bool((kinds == 2).any() and np.isin(kinds, (2, -1)).all())


def village_of_areas(layer: Layer, datum: Datum | Literal["auto"]) -> Layer:
    """One village, in metres, that covers all areas of a layer of households in that datum.

    Raises :class:`InputError` where its shapes are no areas or do not adjoin (more separate pieces
    than a tenth of the areas, those within 20 m of each other taken for one): then only the owner
    knows the boundaries. The layer has to state its coordinate system.
    """
    if not can_stand_for_villages(layer):
        raise InputError([Problem("villages-missing", layer.file.name)])
    # of areas nothing tells a shift: they lie where they are drawn unless somebody says otherwise
    layer = restated(layer, "wgs84" if datum == "auto" else datum)
    west, south, east, north = degrees(layer).total_bounds
    crs = metric_crs((west + east) / 2, (south + north) / 2)
    shapes = metric(layer, crs)
    shapes = shapely.make_valid(shapes[shapely.get_dimensions(shapes) == 2])
    closed = shapely.buffer(
        shapely.union_all(shapely.buffer(shapes, _GAP_M / 2, quad_segs=2, join_style="mitre")),
        -_GAP_M / 2, join_style="mitre",
    )  # fmt: skip
    # closing may shave a spike: whatever an area covers is inside
    outline = shapely.union_all(np.append(shapes, closed))
    faces = shapely.get_parts(outline)
    faces = faces[shapely.get_dimensions(faces) == 2]
    if len(faces) > max(1.0, _PIECES_SHARE * len(shapes)):
        raise InputError([Problem("villages-missing", layer.file.name)])
    told = Problem(
        "villages-of-areas", layer.file.name, "", {"count": len(shapes)}, "warning"
    )  # fmt: skip
    table = pd.DataFrame({"code": ["V00001"], "name": [layer.name or layer.file.name]})
    whole = faces[0] if len(faces) == 1 else shapely.multipolygons(faces)
    return replace(
        layer, role="villages", frame=gpd.GeoDataFrame(table, geometry=[whole], crs=crs),
        crs=crs, columns=[], dropped=[], problems=[told], datum_hint=None, no_place=None,
        numbers=None,
    )  # fmt: skip
