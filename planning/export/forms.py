"""GeoPackage, GeoJSON, KML, GeoParquet and CSV, each in the coordinate system asked for."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from planning.export.columns import (
    NOTICE_EN,
    NOTICE_ZH,
    Language,
    Level,
    Plan,
    columns_of,
    in_words,
    plain,
    present,
    table_of,
)
from planning.export.safely import atomically
from planning.export.systems import DEGREES, SYSTEMS, System, in_system
from planning.planfile import LAYERS, PlanFile, write_layers

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def with_notice(plan: PlanFile, system: System = "metric") -> PlanFile:
    """The plan with the notice, and the system its shapes are in, in its provenance."""
    told = {
        "notice.zh": NOTICE_ZH,
        "notice.en": NOTICE_EN,
        "coordinates": " / ".join(SYSTEMS[system]),
    }
    notice = pd.DataFrame({"key": list(told), "value": list(told.values())})
    rest = plan.provenance[~plan.provenance["key"].isin(list(told))]
    return replace(plan, provenance=pd.concat([notice, rest], ignore_index=True))


def write_geopackage(plan: PlanFile, path: Path, *, system: System = "metric") -> Path:
    """The whole plan as plan.gpkg. InputError where it cannot be written."""
    told = with_notice(plan, system)
    layers = {name: getattr(told, name) for name in LAYERS}
    write_layers(
        {
            name: in_system(frame, system)
            if isinstance(frame, gpd.GeoDataFrame) and frame.crs is not None
            else frame
            for name, frame in layers.items()
        },
        path,
    )
    return path


def _level(plan: Plan, level: Level, system: System) -> gpd.GeoDataFrame:
    """A level in ``system``. Raises ValueError where the plan does not have the level."""
    frame = table_of(plan, level)
    if frame is None:
        raise ValueError(f"the plan has no {level}")
    return in_system(frame, system)


def _in_degrees(system: System) -> None:
    if system not in DEGREES:
        raise ValueError(f"longitude and latitude only, not {system}")


def write_geojson(
    plan: Plan, path: Path, *, system: System = "wgs84", level: Level = "grids"
) -> Path:
    """One level in longitude/latitude as RFC 7946 asks, 7 decimals (1 cm), with the notice.

    Column names are those of plan.gpkg. Notice and coordinate system stand in the collection's
    ``description``. The RFC knows WGS 84 alone; CGCS2000 differs from it by less than a metre,
    and GCJ-02 is for whoever asked for it: its ``name`` says so.
    """
    _in_degrees(system)
    frame = _level(plan, level, system).set_crs(4326, allow_override=True)

    def write(target: Path) -> None:
        frame.to_file(
            target, driver="GeoJSON", engine="pyogrio", layer=_layer_name(level, system),
            COORDINATE_PRECISION=7, RFC7946="YES", DESCRIPTION=_description(system),
        )  # fmt: skip

    return atomically(path, write)


def _layer_name(level: Level, system: System) -> str:
    return f"{level}_gcj02" if system == "gcj02" else level


def _description(system: System) -> str:
    chinese, english = SYSTEMS[system]
    return f"{NOTICE_ZH} 坐标系:{chinese}。 {NOTICE_EN} Coordinates: {english}."


def write_kml(
    plan: Plan, path: Path, *, system: System = "wgs84", level: Level = "grids"
) -> Path:
    """One level as KML for globes and field apps: name, and every column as extended data."""
    _in_degrees(system)
    frame = _level(plan, level, system).set_crs(4326, allow_override=True)
    wanted = [c.source for c in present(frame, columns_of(level))]
    frame = frame[[*wanted, frame.geometry.name]].copy()
    for column in wanted:  # XML has no control characters
        if frame[column].dtype.kind in "OT":
            frame[column] = [plain(value) for value in frame[column]]

    def write(target: Path) -> None:
        named = target.with_name(f"{target.name}.kml")  # LIBKML makes a folder of any other ending
        pyogrio.write_dataframe(
            frame, named, driver="LIBKML", layer=_layer_name(level, system),
            layer_options={"NAME": _layer_name(level, system),
                           "DESCRIPTION": _description(system)},
        )  # fmt: skip
        named.replace(target)

    return atomically(path, write)


def write_geoparquet(
    plan: Plan, path: Path, *, system: System = "metric", level: Level = "grids"
) -> Path:
    """One level as GeoParquet 1.0; the coordinate system stands in its metadata."""
    frame = _level(plan, level, system)
    return atomically(path, lambda target: frame.to_parquet(target, index=False))


def harmless(value: object) -> object:
    """A text that a spreadsheet would run, behind an apostrophe; anything else as it is."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def write_csv(
    plan: Plan,
    path: Path,
    *,
    system: System = "wgs84",
    level: Level = "grids",
    language: Language = "zh",
) -> Path:
    """One level as a table: UTF-8 with mark, and a point inside each shape.

    The point is in ``system``, which a column of its own names. Texts that a spreadsheet would
    take for a formula stand behind an apostrophe.
    """
    frame = _level(plan, level, "metric")
    points = frame.set_geometry(frame.geometry.representative_point())
    places = in_system(points, system).geometry
    index = 0 if language == "zh" else 1
    columns = present(frame, columns_of(level))
    degrees = system in DEGREES
    x, y = (
        (("经度", "纬度"), ("longitude", "latitude")) if degrees else (("X", "Y"), ("x", "y"))
    )[index]
    head = [(c.chinese, c.english)[index] for c in columns]
    head += [x, y, ("坐标系", "coordinate_system")[index]]
    digits = 7 if degrees else 2
    # a western or southern coordinate begins with a minus and is a number all the same
    values = [[harmless(v) for v in in_words(frame, column, language)] for column in columns]
    values += [[f"{v:.{digits}f}" for v in places.x], [f"{v:.{digits}f}" for v in places.y]]
    values.append([SYSTEMS[system][index]] * len(frame))

    def write(target: Path) -> None:
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(head)
            rows.writerows(zip(*values, strict=True))

    return atomically(path, write)
