"""Looking into a file before anything of it is kept: what it is, where it lies, what to change.

Truth about what a person decided lives in :class:`Choice`: it goes into a reading and is all that
is remembered for the next file with the same columns. The page and the command line both read
through :func:`look`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from geo.columns import ColumnFound, Role, meanings_of
from geo.crs import WGS84, metric_crs
from geo.datum import Datum, DatumEvidence
from geo.dwellings import datum_evidence, shifts_there
from geo.harmonise import degrees, metric, project, shift
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.read.layer import COUNTS
from geo.roles import Dimension, likely_role, role_of_columns

register(
    {
        "datum-undone": (
            "坐标从 {datum} 换算为 WGS 84。",
            "its coordinates were brought from {datum} to WGS 84.",
        ),
    }
)

#: problems which say that the shapes are not those of the role that was tried
_WRONG_SHAPES = frozenset(
    f"read_{code}"
    for code in (
        "nothing_usable", "points_in_polygons", "lines_in_polygons", "points_in_lines",
        "lines_in_points", "no_places",
    )
)  # fmt: skip
#: columns which say that people are counted or housed in a table's rows
_LIVED_IN = frozenset(("persons", "group", "compound"))
_TRIED: tuple[Role, ...] = ("villages", "households", "roads")


@dataclass(frozen=True)
class Choice:
    """What a person (or a first guess) decided about a layer.

    ``columns``: canonical name → the file's column; an empty text leaves the meaning unfilled.
    ``datum`` of longitudes and latitudes; "auto" leaves households to the evidence.
    """

    role: Role
    columns: Mapping[str, str] = field(default_factory=dict)
    datum: Datum | Literal["auto"] = "auto"


def look(
    source: str | Path,
    choice: Choice | None = None,
    *,
    trusted: bool = True,
    name: str | None = None,
    hint: str = "",
) -> Layer:
    """Read a layer as chosen; without a choice its role is found out.

    ``hint`` is the name to guess from, where the path's is not the owner's. Raises
    :class:`InputError` with every problem, and the file's columns where reading came so far.
    """
    if choice is not None:
        return chosen(source, choice, trusted=trusted, name=name)
    guess = likely_role(hint) if hint else _role_of_name(str(source))
    failed: InputError | None = None
    table: Layer | None = None
    for role in dict.fromkeys((guess, *_TRIED) if guess else _TRIED):
        try:
            layer = read_layer(source, role, trusted=trusted, name=name)
        except InputError as error:
            failed = failed or error
            if not any(problem.code in _WRONG_SHAPES for problem in error.problems):
                raise
            continue
        if role == guess and ("geometry" in layer.frame or role != "villages"):
            parts = role == "villages" and _are_parts(layer)
            return _as(source, "households", layer, trusted, name) if parts else layer
        if "geometry" not in layer.frame and not _LIVED_IN & set(layer.frame):
            table = table or layer  # a list of names, unless another role finds places in it
            continue
        if any(problem.code in _WRONG_SHAPES for problem in layer.problems):
            table = table or layer  # a few rows fitted; another role may take them all
            continue
        found = role_of_columns([c.source for c in layer.columns], dimension_of(layer))
        return layer if found == role else _as(source, found, layer, trusted, name)
    if table is not None:
        return table
    assert failed is not None  # every role was tried, and each ended in one of the three ways
    raise failed


def _role_of_name(source: str) -> Role | None:
    """The role that a layer's own name suggests, or else its file's."""
    file, colon, layer = source.rpartition(":")
    own = likely_role(layer) if colon and not Path(source).exists() else None
    return own or likely_role(Path(file if own or not Path(source).exists() else source).stem)


def _are_parts(layer: Layer) -> bool:
    """Whether areas are not villages but counted parts of them: unnamed, or named like others."""
    if dimension_of(layer) != 2:
        return False
    if not any(meanings_of(c.source, "households").keys() & COUNTS for c in layer.columns):
        return False
    named = any(c.canonical == "name" for c in layer.columns)
    names = layer.frame["name"]
    return not named or names.nunique() < 0.6 * len(names)


def _as(source: str | Path, role: Role, plain: Layer, trusted: bool, name: str | None) -> Layer:
    """The layer read for the role its columns suggest; as it was read where that fails."""
    try:
        return read_layer(source, role, trusted=trusted, name=name)
    except InputError:
        return plain


def chosen(
    source: str | Path, choice: Choice, *, trusted: bool = True, name: str | None = None
) -> Layer:
    """Read a layer as chosen; a meaning that was emptied is left out."""
    given = {canonical: column for canonical, column in choice.columns.items() if column}
    layer = read_layer(source, choice.role, columns=given, trusted=trusted, name=name)
    return without(layer, [c for c, column in choice.columns.items() if not column])


def without(layer: Layer, meanings: Sequence[str]) -> Layer:
    """A layer that leaves some of its recognised columns out."""
    gone = [name for name in meanings if name in layer.frame and name != "geometry"]
    found = [
        ColumnFound(c.source, None, "unused") if c.canonical in gone else c for c in layer.columns
    ]
    return replace(layer, frame=layer.frame.drop(columns=gone), columns=found)


def dimension_of(layer: Layer) -> Dimension:
    """0 points, 1 lines, 2 areas: what most of a layer's shapes are; 0 for a table."""
    if "geometry" not in layer.frame or not len(layer.frame):
        return 0
    found = shapely.get_dimensions(layer.frame.geometry.to_numpy())
    counts = np.bincount(found[found >= 0], minlength=3)
    return (0, 1, 2)[int(counts.argmax())]


def evidence(layer: Layer, villages: Layer) -> DatumEvidence | None:
    """Which datum a layer of points is in, by the share inside the villages under each.

    None where there is nothing to compare: no points in degrees, no outlines of villages with a
    known system, or a part of the world that no web map shifts.
    """
    if not (_located(layer) and _located(villages)) or not CRS(layer.crs).is_geographic:
        return None
    shapes = layer.frame.geometry.to_numpy()
    if dimension_of(layer) != 0 or dimension_of(villages) != 2 or not shifts_there(shapes):
        return None
    west, south, east, north = degrees(villages).total_bounds
    crs = metric_crs((west + east) / 2, (south + north) / 2)
    return datum_evidence(shapes, metric(villages, crs), crs)


def _located(layer: Layer) -> bool:
    return "geometry" in layer.frame and layer.crs is not None and len(layer.frame) > 0


def restated(layer: Layer, datum: Datum | Literal["auto"]) -> Layer:
    """A layer with its degrees brought from ``datum`` to WGS 84.

    "auto" undoes the shift that the format hints at, and no other.
    """
    if not _located(layer):
        return layer
    source = CRS(layer.crs)
    known: Datum = (layer.datum_hint or "wgs84") if datum == "auto" else datum
    if known == "wgs84" or not source.is_geographic:
        return replace(layer, datum_hint=None)
    shapes = shift(shapely.force_2d(layer.frame.geometry.to_numpy()), known)
    frame = gpd.GeoDataFrame(layer.frame.drop(columns="geometry"), geometry=shapes, crs=WGS84)
    params = {"datum": {"gcj02": "GCJ-02", "bd09": "BD-09"}[known]}
    told = Problem("datum-undone", layer.file.name, "", params, "note")
    problems = [*layer.problems, told]
    return replace(layer, frame=frame, crs=WGS84, datum_hint=None, problems=problems)


def in_degrees(layer: Layer, datum: Datum | Literal["auto"]) -> gpd.GeoDataFrame | None:
    """The rows that have a place, WGS 84 degrees, ready for a map; None where none is known."""
    placed = restated(layer, datum)
    if not _located(placed):
        return None
    shapes = shapely.force_2d(placed.frame.geometry.to_numpy())
    shapes = project(shapes, CRS(placed.crs), WGS84)
    held = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    held[held] = np.isfinite(shapely.bounds(shapes[held])).all(axis=1)
    table = placed.frame.drop(columns="geometry")[held].reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=shapes[held], crs=WGS84)
