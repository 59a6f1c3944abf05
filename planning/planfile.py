"""plan.gpkg: the tables of a plan as other programs read them (``docs/formats.md``).

Written beside the target and renamed, so that a reader meets the old file or the new one, never
half of one. Identical tables give identical bytes: the one time stamp GDAL writes is fixed.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.crs import WGS84, metric_crs
from geo.messages import register
from geo.problems import InputError, Problem
from planning.late_homes import READING, LateHomes, shifted_back
from planning.sealed import SEALED, Key, key_of, put_sealed, sealed_layers, unpacked, unseal

register(
    {
        "plan-missing": (
            "找不到方案文件;请检查路径。",
            "there is no such plan file; check the path.",
        ),
        "plan-unreadable": (
            "不是可读的 GeoPackage 方案文件(可能已损坏或被截断);请重新生成。",
            "is no readable GeoPackage (damaged or cut off?); propose the plan again.",
        ),
        "plan-layer-missing": (
            "缺少图层 {layer};请确认这是格匠的方案文件。",
            "has no layer {layer}; make sure that it is a plan written by Gridwright.",
        ),
        "plan-column-missing": (
            "图层 grids 缺少 {what};请确认这是格匠的方案文件。",
            "its layer grids has no {what}; make sure that it is a plan written by Gridwright.",
        ),
        "plan-crs-unknown": (
            "没有说明坐标系,无法以米计量;请先在 GIS 中设定坐标系。",
            "does not say its coordinate system, so nothing can be measured in metres; set it in "
            "a GIS first.",
        ),
        "plan-replaced": (
            "方案文件在打开后被替换;请重新打开项目。",
            "was replaced by another file after it was opened; open the project again.",
        ),
        "plan-name": (
            "方案文件名须以 .gpkg 结尾。",
            "is no name for a plan; let it end with .gpkg.",
        ),
        "plan-not-writable": (
            "无法写入 {reason};请检查文件夹是否存在、可写、有空间。",
            "cannot be written ({reason}); check that the folder exists, may be written to and "
            "has space.",
        ),
    }
)

LAYERS = ("grids", "micro_grids", "households", "villages", "unplaced", "exceptions", "provenance")
_OPTIONAL = ("micro_grids", "households", "unplaced", "exceptions", "provenance", "villages")
# GDAL writes the moment of writing into gpkg_contents; a fixed one keeps equal plans equal
_MOMENT = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class PlanFile:
    """The tables of plan.gpkg; columns as in the contract, geometries in one metric system."""

    grids: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    unplaced: pd.DataFrame
    exceptions: pd.DataFrame
    provenance: pd.DataFrame
    micro_grids: gpd.GeoDataFrame | None = None

    def value(self, key: str) -> str | None:
        """A value of the provenance, None where it is not told."""
        rows = self.provenance.loc[self.provenance["key"] == key, "value"]
        return str(rows.iloc[0]) if len(rows) else None

    def inputs(self, *roles: str) -> dict[str, str]:
        """Name and hash of the files it was made from: "villages.name", "villages.sha256"; only
        those that it names."""
        told = {
            f"{role}.{key}": self.value(f"input.{role}.{own}")
            for role in roles for key, own in (("name", "file"), ("sha256", "sha256"))
        }  # fmt: skip
        return {key: value for key, value in told.items() if value}


class LatePlan(PlanFile):
    """A plan whose households are read when they are first asked for, by whichever thread.

    A city has 840,000 points; a map of its villages shows none of them, and an edit needs those of
    one village (:meth:`households_of`).
    """

    _homes: LateHomes
    _moved: Mapping[str, gpd.GeoDataFrame]

    @classmethod
    def of(
        cls, frames: Mapping[str, Any], homes: LateHomes, moved: Mapping[str, gpd.GeoDataFrame]
    ) -> LatePlan:
        """A plan of these tables, its households still in the file.

        ``moved`` by village: its households, with the grids they are in now.
        """
        made = object.__new__(cls)
        for name, value in {**frames, "_homes": homes, "_moved": moved}.items():
            object.__setattr__(made, name, value)
        return made

    def __getattr__(self, name: str) -> Any:
        """``households`` until they are there; raises InputError where the file was replaced."""
        if name != "households":
            raise AttributeError(name)
        found = self._homes.all(self._moved.values())
        object.__setattr__(self, "households", found)
        return found

    def households_of(self, villages: Collection[str]) -> gpd.GeoDataFrame:
        """The households of some villages, by their number in the layer; reads no others."""
        wanted = set(villages)
        own = self.grids["village_code"].astype(str).isin(wanted - self._moved.keys())
        unmoved = self._homes.of_grids(self.grids.loc[own, "code"].astype(str).tolist())
        moved = [self._moved[code] for code in sorted(wanted & self._moved.keys())]
        parts = [part for part in (unmoved, *moved) if len(part)]
        return pd.concat(parts).sort_index() if len(parts) > 1 else (parts or [unmoved])[0]

    def with_tables(
        self, moved: Mapping[str, gpd.GeoDataFrame] = MappingProxyType({}), **tables: Any
    ) -> LatePlan:
        """The same plan with other tables and other households of some villages; reads nothing."""
        held = {f.name: self.__dict__[f.name] for f in fields(self) if f.name != "households"}
        return LatePlan.of(held | tables, self._homes, {**self._moved, **moved})


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A temporary path in the target's folder that replaces the target when all went well.

    Raises :class:`InputError` where the folder cannot be written; the old file then stands.
    """
    temporary = _temporary(path)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise _not_writable(path, error) from error
    finally:
        for leftover in path.parent.glob(f"{temporary.name}*"):
            leftover.unlink(missing_ok=True)


def try_target(path: str | Path) -> None:
    """Raise :class:`InputError` where a plan cannot be written to ``path``; for before the work."""
    path = Path(path)
    if path.is_dir():
        raise _not_writable(path, IsADirectoryError(0, "it is a folder"))
    key_of(os.environ)
    _temporary(path)


def _not_writable(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return InputError([Problem("plan-not-writable", path.name, params={"reason": reason})])


def _temporary(path: Path) -> Path:
    """A free name beside the target, tried by making a file of it."""
    if path.suffix.lower() != ".gpkg":
        raise InputError([Problem("plan-name", path.name)])
    try:
        prefix = f".{path.stem}-"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        raise _not_writable(path, error) from error
    return Path(name)


@contextmanager
def _fixed_moment() -> Iterator[None]:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _MOMENT})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_layers(
    layers: Mapping[str, pd.DataFrame | None],
    path: Path,
    closed: Mapping[str, pd.DataFrame] | None = None,
    key: Key | None = None,
) -> None:
    """Write frames, with or without geometry, as the layers of one new GeoPackage.

    Those in ``closed`` go in under the ``key``.
    """
    with beside(path) as temporary, _fixed_moment():
        for name, frame in layers.items():
            if frame is None:
                continue
            options: dict[str, object] = {"layer": name, "driver": "GPKG"}
            if isinstance(frame, gpd.GeoDataFrame):
                # 165,000 points: the spatial index costs as much as the points and nobody of a
                # village's size needs it; polygons keep theirs
                options["SPATIAL_INDEX"] = "NO" if name in ("households", "unplaced") else "YES"
                if name == "households" and len(frame):
                    options["use_arrow"] = True
                    options["geometry_type"] = "Point"
            if temporary.exists():
                options["append"] = True
            pyogrio.write_dataframe(frame, temporary, **options)
        if closed and key is not None:
            put_sealed(temporary, closed, key)
        if not _whole(temporary):
            raise OSError(0, "the written file does not read back")


def write_plan(plan: PlanFile, path: str | Path) -> None:
    """Write a plan. Raises :class:`InputError` where that cannot be done; nothing half-written.

    With a key in the environment the households are in the file under that key, and its layers of
    them are empty (:mod:`planning.sealed`).
    """
    layers = {name: getattr(plan, name) for name in LAYERS}
    key = key_of(os.environ)
    closed = {name: layers[name] for name in SEALED} if key is not None else {}
    shown = {name: frame.iloc[:0] for name, frame in closed.items()}
    write_layers({**layers, **shown}, Path(path), closed, key)


def read_plan(path: str | Path, *, late: bool = False) -> PlanFile:
    """Read a plan.gpkg, also a foreign one that has at least a ``grids`` layer.

    Layers in degrees are brought to the metric system of their place. With ``late`` households
    are left in the file until they are asked for (:class:`LatePlan`), unless they are under a key
    (:mod:`planning.sealed`), which must then be in the environment. Raises :class:`InputError`
    for a missing or damaged file, a missing layer, or grids without shapes, code or households.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError([Problem("plan-missing", path.name)])
    if not _whole(path):
        raise InputError([Problem("plan-unreadable", path.name)])
    try:
        present = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        closed = sealed_layers(path)
        late = late and not closed
        frames = {
            name: gpd.read_file(path, layer=name, use_arrow=True)
            for name in LAYERS
            if name in present and name not in closed and not (late and name == "households")
        }
        for name, content in closed.items():
            opened = unseal(content, name, key_of(os.environ), path.name)
            frames[name] = unpacked(opened)
    except READING as error:
        raise InputError([Problem("plan-unreadable", path.name)]) from error
    if "grids" not in frames:
        params = {"layer": "grids"}
        raise InputError([Problem("plan-layer-missing", path.name, params=params)])
    frames = _in_metres(frames, path.name)
    late = late and "households" in present
    for name in _OPTIONAL:
        if name not in frames and not (late and name == "households"):
            frames[name] = _empty(name, frames["grids"].crs)
    micro = frames.pop("micro_grids")
    held = {**frames, "micro_grids": micro if len(micro) else None}
    return LatePlan.of(held, LateHomes(path, frames["grids"].crs), {}) if late else PlanFile(**held)


def _whole(path: Path) -> bool:
    """Whether a GeoPackage is undamaged and of its full length.

    SQLite reads a file that lost its end without complaint as long as it needs no lost page.
    """
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\x00") or len(head) < 100:
        return False
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    if path.stat().st_size < (65536 if page == 1 else page) * pages:
        return False
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
            return bool(file.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _in_metres(
    frames: dict[str, gpd.GeoDataFrame], file: str
) -> dict[str, gpd.GeoDataFrame]:
    """The layers in one metric system; refuses grids that cannot be measured or named."""
    frames = {name: shifted_back(frame) for name, frame in frames.items()}
    grids = frames["grids"]
    missing = [c for c in ("code", "households") if c not in grids]
    if not isinstance(grids, gpd.GeoDataFrame):
        missing.append("geometry")
    if missing:
        raise InputError(
            Problem("plan-column-missing", file, params={"what": what}) for what in missing
        )
    crs = grids.crs
    if crs is None or not (crs.is_projected or crs.is_geographic):
        raise InputError([Problem("plan-crs-unknown", file)])
    if crs.is_geographic or crs.to_epsg() == 3857:  # Web Mercator's metres are none
        west, south, east, north = grids.to_crs(WGS84).total_bounds
        crs = metric_crs((west + east) / 2, (south + north) / 2)
    return {
        name: frame.to_crs(crs)
        if isinstance(frame, gpd.GeoDataFrame) and frame.crs not in (None, crs)
        else frame
        for name, frame in frames.items()
    }


def _empty(name: str, crs: object) -> pd.DataFrame:
    columns = {
        "micro_grids": ["code", "grid_code", "households", "persons"],
        "households": ["household_id", "households", "persons", "grid_code", "micro_code"],
        "villages": [
            "code", "name", "township_name", "class", "households", "persons", "grids",
        ],
        "unplaced": ["household_id", "households", "persons", "reason"],
        "exceptions": ["grid_code", "rule", "value", "limit", "reason"],
        "provenance": ["key", "value"],
    }[name]
    table = pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
    if name in ("exceptions", "provenance", "unplaced"):
        return table
    empty: pd.DataFrame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
    return empty
