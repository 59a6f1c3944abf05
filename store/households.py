"""Households taken out of what is kept, or put under a key; plans and counts stay.

The store itself holds no household. They are in the plan.gpkg of a project's folder, in its layers
``households`` and ``unplaced``, and in the files that the folder was proposed from.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from geo.messages import register
from geo.problems import InputError, Problem
from geo.roles import likely_role
from planning.history import now
from planning.planfile import LAYERS, beside, read_plan, write_layers
from planning.sealed import SEALED, Key
from store.base import Base
from store.files import digest

register(
    {
        "forget-missing": (
            "不存在或不是方案文件(plan.gpkg);请检查路径。",
            "is missing or no plan (plan.gpkg); check the path.",
        ),
    }
)

_DATA = frozenset((
    ".gpkg", ".geojson", ".json", ".shp", ".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix",
    ".zip", ".kml", ".kmz", ".ovkml", ".parquet", ".geoparquet", ".csv", ".tsv", ".txt", ".xlsx",
    ".xls",
))  # fmt: skip


@dataclass(frozen=True)
class Forgotten:
    """What was taken out: rows of households by layer, and the files that were deleted."""

    rows: dict[str, int]
    files: tuple[str, ...]


def forget_households(
    plan: Path, *, inputs: bool = False, store: Base | None = None, actor: str = ""
) -> Forgotten:
    """Take every household out of a plan's file; grids, counts and everything else stay.

    The file is written anew beside and takes the old one's place, so nothing of the households is
    left in its free pages. With ``inputs`` the files of the folder that hold households by their
    names are deleted too, whichever program needs them. The store's audit trail notes how many
    rows went, and of which file, by its digest before.

    What cannot be reached: copies, backups, and what a disk keeps of a deleted file.
    """
    if not plan.is_file():
        raise InputError([Problem("forget-missing", plan.name)])
    before = digest(plan)
    try:
        with beside(plan) as temporary:
            shutil.copyfile(plan, temporary)
            with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
                rows = _take_out(connection)
    except sqlite3.Error as error:
        raise InputError([Problem("forget-missing", plan.name)]) from error
    files = tuple(_deleted(plan)) if inputs else ()
    if store is not None:
        detail = {"plan": before, "rows": rows, "files": len(files)}
        store.note(actor, "", "households.forget", plan.name, detail)
    return Forgotten(rows, files)


def _take_out(connection: sqlite3.Connection) -> dict[str, int]:
    """Empty the layers of households, in place; returns how many rows each had."""
    connection.execute("pragma trusted_schema = off")
    connection.execute("pragma secure_delete = on")
    held = {name for (name,) in connection.execute("select table_name from gpkg_contents")}
    counts = dict.fromkeys(SEALED, 0)
    connection.execute("begin immediate")
    if "households" in held:
        counts["households"] = connection.execute("delete from households").rowcount
    if "unplaced" in held:
        counts["unplaced"] = connection.execute("delete from unplaced").rowcount
    connection.execute("drop table if exists gridwright_sealed")
    connection.execute(
        "update gpkg_contents set min_x = null, min_y = null, max_x = null, max_y = null "
        "where table_name in ('households', 'unplaced')"
    )
    if "provenance" in held:
        row = ("households.removed", now())
        connection.execute("insert into provenance (key, value) values (?, ?)", row)
    connection.execute("commit")
    connection.execute("vacuum")
    return counts


def _deleted(plan: Path) -> Iterator[str]:
    for path in sorted(plan.parent.iterdir()):
        named = path.suffix.lower() in _DATA and likely_role(path.stem) == "households"
        if named and path.is_file() and path.name != plan.name:
            os.unlink(path)
            yield path.name


def reseal(plan: Path, key: Key | None) -> None:
    """Write a plan's file anew with its households under ``key``, or open where it is None.

    Where they are under a key already, that one must be in the environment.
    """
    held = read_plan(plan)
    layers = {name: getattr(held, name) for name in LAYERS}
    closed = {name: layers[name] for name in SEALED} if key is not None else {}
    shown = {name: frame.iloc[:0] for name, frame in closed.items()}
    write_layers({**layers, **shown}, plan, closed, key)
