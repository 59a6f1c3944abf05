"""GeoPackages written whole or not at all, and read back layer by layer.

Written beside the target and renamed, so that a reader meets the old file or the new one, never
half of one. Equal layers give equal bytes: the one time stamp GDAL writes is fixed.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.messages import register
from geo.problems import InputError, Problem

register(
    {
        "geopackage-missing": (
            "找不到该文件;请检查路径。",
            "there is no such file; check the path.",
        ),
        "geopackage-unreadable": (
            "不是可读的 GeoPackage(可能已损坏或被截断);请重新生成。",
            "is no readable GeoPackage (damaged or cut off?); make it again.",
        ),
        "geopackage-name": (
            "文件名须以 .gpkg 结尾。",
            "is no name for the file; let it end with .gpkg.",
        ),
        "geopackage-not-writable": (
            "无法写入({reason});请检查文件夹是否存在、可写、有空间。",
            "cannot be written ({reason}); check that the folder exists, may be written to and "
            "has space.",
        ),
    }
)

_MOMENT = "2000-01-01T00:00:00Z"
_ERRORS = (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError)


def write_whole(layers: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """Write frames, with or without geometry, as the layers of one new GeoPackage.

    Raises :class:`InputError` where that cannot be done; an old file then stands as it was.
    """
    path = Path(path)
    temporary = free_name(path)
    try:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _MOMENT})
        for number, (name, frame) in enumerate(layers.items()):
            options = {"append": True} if number else {}
            pyogrio.write_dataframe(frame, temporary, layer=name, driver="GPKG", **options)
        if not is_whole(temporary):
            raise OSError(0, "the written file does not read back")
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except _ERRORS as error:
        raise _not_writable(path, error) from error
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
        for leftover in path.parent.glob(f"{temporary.name}*"):
            leftover.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """A free name beside the target, tried by making a file of it; raises InputError.

    For before the work: what cannot be written is told at once.
    """
    if path.suffix.lower() != ".gpkg":
        raise InputError([Problem("geopackage-name", path.name)])
    if path.is_dir():
        raise _not_writable(path, IsADirectoryError(0, "it is a folder"))
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".gpkg", dir=path.parent)
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        raise _not_writable(path, error) from error
    return Path(name)


def _not_writable(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return InputError([Problem("geopackage-not-writable", path.name, params={"reason": reason})])


def read_whole(path: str | Path) -> dict[str, pd.DataFrame]:
    """Every layer of a GeoPackage by name; raises :class:`InputError` for no or a damaged file."""
    path = Path(path)
    if not path.is_file():
        raise InputError([Problem("geopackage-missing", path.name)])
    if not is_whole(path):
        raise InputError([Problem("geopackage-unreadable", path.name)])
    try:
        names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        return {name: gpd.read_file(path, layer=name) for name in names}
    except _ERRORS as error:
        raise InputError([Problem("geopackage-unreadable", path.name)]) from error


def is_whole(path: Path) -> bool:
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
