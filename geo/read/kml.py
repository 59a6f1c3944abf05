"""KML, also as 奥维 (OVKML) and phones write it; parsed without entities and links."""

from __future__ import annotations

import re
from typing import Any, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

import pandas as pd

from geo.crs import WGS84
from geo.read.database import shown_layers
from geo.read.geometries import build_shapes
from geo.read.layer import Keep, Raw
from geo.read.limits import LIMITS
from geo.read.report import Report
from geo.read.text import detect_encoding

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_DEEPEST = 60
_GEOMETRIES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry")


class KmlMap:
    """One parsed KML text. Placemarks of all folders form one layer; a folder can be named."""

    def __init__(self, data: bytes, name: str, report: Report) -> None:
        self.name, self.report = name, report
        self.features: list[tuple[str, dict[str, str], dict[str, Any] | None]] = []
        self.encoding, text = self._text(data)
        if "<!DOCTYPE" in text[:100_000].upper() or "<!ENTITY" in text.upper():
            report.fail("xml_entities")
        self._parse(_DECLARATION.sub("", text, count=1))

    def _text(self, data: bytes) -> tuple[str, str]:
        """Decode by what the bytes are, not by what the declaration claims."""
        found = detect_encoding(data)
        if found is None:
            self.report.fail("encoding_unknown")
        encoding, mark = found
        return encoding, data[mark:].decode(encoding).lstrip("\ufeff \t\r\n")

    def _parse(self, text: str) -> None:
        parser: XMLPullParser[Any] = XMLPullParser(events=("start", "end"))
        folders: list[str] = []
        depth = 0
        try:
            parser.feed(text)
            parser.close()
            for item in parser.read_events():
                event, element = cast(tuple[str, Element], item)
                tag = _tag(element)
                if event == "start":
                    depth += 1
                    if depth > _DEEPEST:
                        self.report.fail("too_deep")
                    if tag in ("Folder", "Document"):
                        folders.append("")
                    continue
                depth -= 1
                if tag == "name" and folders and not folders[-1]:
                    folders[-1] = " ".join((element.text or "").split())
                elif tag in ("Folder", "Document"):
                    folders.pop()
                elif tag == "Placemark":
                    self._placemark(element, folders[-1] if folders else "")
                    element.clear()
        except ParseError as error:
            line = error.position[0]
            cut = not text.rstrip().endswith(">") or "</kml" not in text[-200:].lower()
            self.report.fail("cut_off" if cut else "xml_damaged", line=line)

    def _placemark(self, element: Element, folder: str) -> None:
        values: dict[str, str] = {}
        geometry = None
        for child in element:
            tag = _tag(child)
            if tag == "name":
                values["name"] = (child.text or "").strip()
            elif tag == "ExtendedData":
                values |= _extended(child)
            elif tag in _GEOMETRIES:
                geometry = _geometry(child, 0)
        self.features.append((folder, values, geometry))
        if len(self.features) > LIMITS.rows:
            self.report.fail("too_many_rows", rows=len(self.features), limit=LIMITS.rows)

    def layers(self) -> dict[str, str]:
        """The whole file under its own name, then each folder that holds placemarks."""
        folders = dict.fromkeys(folder for folder, _, _ in self.features if folder)
        return {self.name: "", **dict.fromkeys(folders, "")}

    def read(self, layer: str | None, keep: Keep) -> Raw:
        """All placemarks, or those of the folder named ``layer``."""
        chosen = self.features
        if layer is not None and layer != self.name:
            chosen = [feature for feature in self.features if feature[0] == layer]
            if not chosen:
                layers = shown_layers(list(self.layers()))
                self.report.fail("no_such_layer", layer=layer[:60], layers=layers)
        names = dict.fromkeys(name for _, values, _ in chosen for name in values)
        raw = Raw(layer or self.name, list(names), {}, crs=WGS84, rows=len(chosen))
        raw.encoding = self.encoding
        raw.extra["crs_by_format"] = True
        if len(names) > LIMITS.columns:
            self.report.fail("too_many_columns", columns=len(names), limit=LIMITS.columns)
        raw.columns = {
            name: pd.Series([v.get(name) or None for _, v, _ in chosen], dtype="str")
            for name in dict.fromkeys(keep(raw.names))
        }
        raw.shapes = build_shapes([geometry for _, _, geometry in chosen], raw, self.report)
        return raw


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2].rpartition(":")[2]


def _extended(element: Element) -> dict[str, str]:
    """Name and value of ``Data`` and ``SimpleData`` members."""
    values: dict[str, str] = {}
    for item in element.iter():
        tag, name = _tag(item), item.get("name")
        if tag == "SimpleData" and name:
            values[name] = (item.text or "").strip()
        elif tag == "Data" and name:
            inner = next((child for child in item if _tag(child) == "value"), None)
            values[name] = ((inner.text if inner is not None else "") or "").strip()
    return values


def _geometry(element: Element, depth: int) -> dict[str, Any]:
    """A KML geometry as a GeoJSON one."""
    tag = _tag(element)
    if tag == "MultiGeometry":
        if depth >= LIMITS.nesting:
            return {"type": "damaged"}
        parts = [_geometry(c, depth + 1) for c in element if _tag(c) in _GEOMETRIES]
        kinds = {part["type"] for part in parts}
        if len(kinds) == 1 and kinds <= {"Point", "LineString", "Polygon"}:
            return {
                "type": "Multi" + kinds.pop(),
                "coordinates": [part.get("coordinates") for part in parts],
            }
        return {"type": "GeometryCollection", "geometries": parts}
    if tag == "Polygon":
        rings = [
            _coordinates(ring)
            for wanted in ("outerBoundaryIs", "innerBoundaryIs")
            for boundary in element
            if _tag(boundary) == wanted
            for ring in boundary
            if _tag(ring) == "LinearRing"
        ]
        return {"type": "Polygon", "coordinates": rings}
    positions = _coordinates(element)
    if tag == "Point":
        return {"type": "Point", "coordinates": positions[0] if positions else []}
    return {"type": "LineString", "coordinates": positions}


def _coordinates(element: Element) -> list[list[object]]:
    """The tuples "lon,lat[,height]" of a ``coordinates`` member."""
    inner = next((child for child in element if _tag(child) == "coordinates"), None)
    text = (inner.text if inner is not None else "") or ""
    # Some phones put a space after the comma.
    text = re.sub(r"\s*,\s*", ",", text)
    return [[_number(part) for part in item.split(",")] for item in text.split()]


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text
