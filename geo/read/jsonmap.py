"""GeoJSON and TopoJSON, parsed here so that every fault can be named by feature."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.columns import Role
from geo.crs import WGS84
from geo.read.database import choose_layer, read_crs
from geo.read.layer import Keep, Raw, Shapes
from geo.read.limits import LIMITS
from geo.read.report import Report, listed
from geo.read.text import decode

_DEEPEST = 40  # brackets inside one another; a feature's polygon needs nine


class JsonMap:
    """One parsed JSON text. Raises InputError where it is damaged or not map data."""

    def __init__(self, data: bytes, name: str, report: Report) -> None:
        self.name, self.report = name, report
        decoded = decode(data)
        if decoded is None:
            report.fail("encoding_unknown")
        text, self.encoding = decoded
        if _nesting(text) > _DEEPEST:
            report.fail("too_deep")
        self._twice: set[str] = set()
        self._halves = 0
        try:
            self.document = json.loads(
                text, object_pairs_hook=self._object, parse_constant=self._constant
            )
        except json.JSONDecodeError as error:
            self.document = self._by_lines(text, error)
        except (RecursionError, ValueError):
            report.fail("too_deep")
        if self._twice:
            report.error("json_key_twice", keys=", ".join(sorted(self._twice)[:5]))
        self._refuse_pointers()

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                (self._twice if key in seen else seen).add(key)
        return made

    def _constant(self, word: str) -> float:
        return float(word.replace("Infinity", "inf"))

    def _by_lines(self, text: str, error: json.JSONDecodeError) -> Any:
        """Newline-delimited features; anything else is damaged."""
        lines = [line.strip("\x1e\r\n \t,") for line in text.split("\n")]
        try:
            features = [json.loads(line, object_pairs_hook=self._object) for line in lines if line]
        except ValueError:
            features = []
        if features and all(isinstance(f, dict) and "geometry" in f for f in features):
            return {"type": "FeatureCollection", "features": features}
        whole = text.rstrip()
        cut = error.pos >= len(whole) - 1 or not whole.endswith(("}", "]"))
        self.report.fail("cut_off" if cut else "json_damaged", line=error.lineno)

    def _refuse_pointers(self) -> None:
        document = self.document
        if not isinstance(document, dict):
            self.report.fail("json_not_map")
        kind = str(document.get("type", ""))
        if kind == "gdalg" or "command_line" in document or "gdal_version" in document:
            self.report.fail("points_elsewhere")
        crs = document.get("crs")
        if isinstance(crs, dict) and crs.get("type") not in ("name", "EPSG", "epsg"):
            self.report.fail("points_elsewhere")

    def layers(self) -> dict[str, str]:
        """Layer names and the type of the first shape in each."""
        if self.document.get("type") == "Topology":
            objects = self.document.get("objects")
            if not isinstance(objects, dict):
                self.report.fail("json_not_map")
            return {str(name): _first_type(value) for name, value in objects.items()}
        return {self.name: ""}

    def read(self, layer: str | None, role: Role, keep: Keep) -> Raw:
        """One layer: columns wanted by ``keep`` and all shapes."""
        chosen = choose_layer(self.layers(), layer, role, self.report)
        topology = self.document.get("type") == "Topology"
        features = _topology_features(self, chosen) if topology else self._features()
        if len(features) > LIMITS.rows:
            self.report.fail("too_many_rows", rows=len(features), limit=LIMITS.rows)
        raw = Raw(chosen, [], {}, rows=len(features), encoding=self.encoding)
        raw.crs, raw.extra["crs_by_format"] = self._crs()
        self._columns(features, raw, keep)
        raw.shapes = build_shapes([_member(f, "geometry") for f in features], raw, self.report)
        return raw

    def _features(self) -> list[Any]:
        kind = self.document.get("type")
        if kind == "FeatureCollection":
            features = self.document.get("features")
            if not isinstance(features, list):
                self.report.fail("json_not_map")
            return features
        if kind == "Feature":
            return [self.document]
        if "coordinates" in self.document or "geometries" in self.document:
            return [{"type": "Feature", "properties": {}, "geometry": self.document}]
        self.report.fail("json_not_map")

    def _crs(self) -> tuple[CRS | None, bool]:
        """The system stated by an old-style ``crs`` member, else WGS 84 by the format."""
        crs = self.document.get("crs")
        properties = crs.get("properties") if isinstance(crs, dict) else None
        if not isinstance(properties, dict):
            return WGS84, True
        stated = str(properties.get("name", properties.get("code", "")))
        if "://" in stated and "opengis.net" not in stated:
            self.report.fail("points_elsewhere")
        if stated.isdigit():
            stated = f"EPSG:{stated}"
        if stated.upper().endswith(("CRS84", "CRS:84")):
            return WGS84, False
        return read_crs(stated, self.report), False

    def _columns(self, features: list[Any], raw: Raw, keep: Keep) -> None:
        names: dict[str, None] = {}
        bags = [_member(feature, "properties") for feature in features]
        for bag in bags:
            if isinstance(bag, dict):
                names.update(dict.fromkeys(bag))
            if len(names) > LIMITS.columns:
                self.report.fail("too_many_columns", columns=len(names), limit=LIMITS.columns)
        raw.names = [str(self._cell(name)) for name in names]
        if "geometry" in names:
            self.report.note("column_called_geometry")
        for name in dict.fromkeys(keep(raw.names)):
            cells = [self._cell(bag.get(name)) if isinstance(bag, dict) else None for bag in bags]
            raw.columns = {**raw.columns, name: pd.Series(cells, dtype=object)}
        if self._halves:
            self.report.warn("half_characters", count=self._halves)

    def _cell(self, value: Any) -> Any:
        """A property without halves of characters, which no text may hold."""
        if not isinstance(value, str) or value.isascii():
            return value
        whole = value.encode("utf-8", errors="replace").decode("utf-8")
        self._halves += whole != value
        return whole


def _nesting(text: str) -> int:
    """How deep brackets go, counted on a short text exactly and on a long one in its runs."""
    deepest = depth = 0
    for character in text if len(text) < 100_000 else text[:100_000]:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return max(deepest, _DEEPEST + 1 if "[" * (_DEEPEST + 1) in text else 0)


def _member(feature: Any, key: str) -> Any:
    return feature.get(key) if isinstance(feature, dict) else None


def _first_type(value: Any) -> str:
    inner = value.get("geometries") if isinstance(value, dict) else None
    first = inner[0] if isinstance(inner, list) and inner else value
    return str(_member(first, "type") or "")


# ---------------------------------------------------------------------------------- coordinates


class _FaultError(ValueError):
    """A shape that cannot be built; the message is a problem code."""


def build_shapes(geometries: Iterable[Any], raw: Raw, report: Report) -> Shapes:
    """Shapes of GeoJSON geometries; those that cannot be built are listed by fault and None."""
    values = list(geometries)
    points = _all_points(values)
    if points is not None:
        return points
    shapes = np.full(len(values), None, dtype=object)
    faults: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        if value is None:
            continue
        try:
            shapes[row] = _shape(value, 0)
        except _FaultError as fault:
            faults.setdefault(str(fault), []).append(row)
        except (ValueError, TypeError, KeyError, IndexError, shapely.GEOSException, OverflowError):
            faults.setdefault("shape_damaged", []).append(row)
    told: set[int] = set()
    for code, rows in faults.items():
        told.update(rows)
        report.warn(code, rows=listed(raw, rows), count=len(rows))
    raw.extra["told_missing"] = frozenset(told)
    return shapes


def _all_points(values: list[Any]) -> Shapes | None:
    """The quick way for a layer of points; None when any is anything else."""
    if not values or not all(isinstance(v, dict) and v.get("type") == "Point" for v in values):
        return None
    try:
        coordinates = np.array([v["coordinates"][:2] for v in values])
    except (ValueError, KeyError, TypeError):
        return None
    if coordinates.dtype.kind not in "fi" or coordinates.shape != (len(values), 2):
        return None
    points: Shapes = shapely.points(coordinates.astype(float))
    return points


def _positions(value: Any, least: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not isinstance(value, list):
        raise _FaultError("coordinates_not_numbers")
    pairs = []
    for position in value:
        if not isinstance(position, list) or len(position) < 2:
            raise _FaultError("coordinates_not_numbers")
        x, y = position[0], position[1]
        if type(x) not in (int, float) or type(y) not in (int, float):
            raise _FaultError("coordinates_not_numbers")
        pairs.append((float(x), float(y)))
    if len(pairs) < least:
        raise _FaultError("too_few_corners")
    array = np.array(pairs, dtype=float).reshape(-1, 2)
    if not np.isfinite(array).all():
        raise _FaultError("coordinates_not_numbers")
    return array


def _ring(value: Any) -> shapely.Geometry:
    corners = _positions(value, 3)
    if (corners[0] != corners[-1]).any():
        corners = np.vstack((corners, corners[:1]))
    if len(corners) < 4:
        raise _FaultError("too_few_corners")
    return shapely.linearrings(corners)


def _polygon(rings: Any) -> shapely.Geometry:
    if not isinstance(rings, list):
        raise _FaultError("coordinates_not_numbers")
    if not rings:
        return shapely.Polygon()
    holes = [_ring(ring) for ring in rings[1:]]
    return shapely.polygons(_ring(rings[0]), holes or None)


def _shape(geometry: Any, depth: int) -> shapely.Geometry:
    """One geometry object as a shape."""
    if not isinstance(geometry, dict):
        raise _FaultError("shape_damaged")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        if depth >= LIMITS.nesting:
            raise _FaultError("shape_damaged")
        members = [_shape(member, depth + 1) for member in geometry.get("geometries") or []]
        return shapely.geometrycollections(members)
    maker = _MAKERS.get(str(kind))
    if maker is None:
        raise _FaultError("shape_damaged")
    coordinates = geometry.get("coordinates")
    return shapely.Point() if coordinates == [] else maker(coordinates)


_MAKERS: dict[str, Callable[[Any], shapely.Geometry]] = {
    "Point": lambda c: shapely.points(_positions([c], 1)[0]),
    "MultiPoint": lambda c: shapely.multipoints(_positions(c, 1)),
    "LineString": lambda c: shapely.linestrings(_positions(c, 2)),
    "MultiLineString": lambda c: shapely.multilinestrings(
        [shapely.linestrings(_positions(part, 2)) for part in c]
    ),
    "Polygon": _polygon,
    "MultiPolygon": lambda c: shapely.multipolygons([_polygon(part) for part in c]),
}


# ------------------------------------------------------------------------------------- TopoJSON


def _topology_features(source: JsonMap, layer: str) -> list[dict[str, Any]]:
    """Features of one object of a topology, arcs resolved to coordinates."""
    arcs = _decoded_arcs(source)
    value = source.document["objects"][layer]
    members = value.get("geometries") if isinstance(value, dict) else None
    transform = source.document.get("transform")
    features: list[dict[str, Any]] = []
    for member in members if isinstance(members, list) else [value]:
        if not isinstance(member, dict):
            features.append({"properties": {}, "geometry": None})
            continue
        bag = member.get("properties")
        properties = dict(bag) if isinstance(bag, dict) else {}
        if "id" in member:
            properties.setdefault("id", member["id"])
        try:
            geometry = _resolved(member, arcs, transform)
        except (IndexError, TypeError, KeyError, ValueError):
            geometry = {"type": "damaged"}
        features.append({"properties": properties, "geometry": geometry})
    return features


def _decoded_arcs(source: JsonMap) -> list[list[list[float]]]:
    transform = source.document.get("transform")
    arcs = []
    try:
        for arc in source.document.get("arcs") or []:
            points = np.array([position[:2] for position in arc], dtype=float).reshape(-1, 2)
            if transform is not None:
                points = np.cumsum(points, axis=0)
                points = points * np.array(transform["scale"]) + np.array(transform["translate"])
            arcs.append(points.tolist())
    except (ValueError, TypeError, KeyError, IndexError):
        source.report.fail("json_damaged", line=1)
    return arcs


def _resolved(member: dict[str, Any], arcs: list[list[list[float]]], transform: Any) -> Any:
    kind = member.get("type")
    if kind is None:
        return None
    if kind == "GeometryCollection":
        inner = [_resolved(part, arcs, transform) for part in member["geometries"]]
        return {"type": kind, "geometries": inner}
    if kind in ("Point", "MultiPoint"):
        return {"type": kind, "coordinates": _moved(member["coordinates"], transform)}

    def line(indexes: list[int]) -> list[list[float]]:
        out: list[list[float]] = []
        for index in indexes:
            arc = arcs[index] if index >= 0 else arcs[~index][::-1]
            out += arc[1:] if out else arc
        return out

    indexes = member["arcs"]
    coordinates: Any
    if kind == "LineString":
        coordinates = line(indexes)
    elif kind in ("Polygon", "MultiLineString"):
        coordinates = [line(ring) for ring in indexes]
    else:
        coordinates = [[line(ring) for ring in polygon] for polygon in indexes]
    return {"type": kind, "coordinates": coordinates}


def _moved(coordinates: Any, transform: Any) -> Any:
    if transform is None:
        return coordinates
    if coordinates and isinstance(coordinates[0], list):
        return [_moved(position, transform) for position in coordinates]
    scale, translate = transform["scale"], transform["translate"]
    return [c * s + t for c, s, t in zip(coordinates, scale, translate, strict=False)]
