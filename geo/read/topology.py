"""TopoJSON: shared arcs put together again as the coordinates of each feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from geo.read.report import Report


def topology_features(document: dict[str, Any], layer: str, report: Report) -> list[dict[str, Any]]:
    """Features of one object of a topology, arcs resolved to coordinates."""
    arcs = _decoded_arcs(document, report)
    value = document["objects"][layer]
    members = value.get("geometries") if isinstance(value, dict) else None
    transform = document.get("transform")
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


def _decoded_arcs(document: dict[str, Any], report: Report) -> list[list[list[float]]]:
    transform = document.get("transform")
    arcs = []
    try:
        for arc in document.get("arcs") or []:
            points = np.array([position[:2] for position in arc], dtype=float).reshape(-1, 2)
            if transform is not None:
                points = np.cumsum(points, axis=0)
                points = points * np.array(transform["scale"]) + np.array(transform["translate"])
            arcs.append(points.tolist())
    except (ValueError, TypeError, KeyError, IndexError):
        report.fail("json_damaged", line=1)
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
