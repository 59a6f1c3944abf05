"""GeoJSON and TopoJSON, parsed here so that every fault can be named by feature."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
from pyproj import CRS

from geo.columns import Role
from geo.crs import WGS84
from geo.read.database import choose_layer, read_crs
from geo.read.geometries import build_shapes
from geo.read.layer import Keep, Raw
from geo.read.limits import LIMITS
from geo.read.report import Report
from geo.read.text import decode
from geo.read.topology import topology_features

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
        features = (
            topology_features(self.document, chosen, self.report) if topology else self._features()
        )
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
