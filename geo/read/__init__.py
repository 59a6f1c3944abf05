"""Reading the files people have: any format, encoding and order; only what is needed is kept.

>>> layer = read_layer("villages.zip", "villages", columns={"code": "XZQDM"})  # doctest: +SKIP
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.collecting import uncollected
from geo.columns import ROLES, ColumnFound, Role
from geo.personal import Dropped
from geo.problems import InputError
from geo.read import messages as _messages
from geo.read.assemble import Assembled
from geo.read.isolate import layers_apart, read_apart
from geo.read.layer import NO_PLACE, FileRecord, Layer, Raw, Shapes
from geo.read.report import Report
from geo.read.source import Source, computed_layers, layers_of, locate, read_source, record

_messages.register_all()
_LOG = logging.getLogger(__name__)

__all__ = [
    "NO_PLACE",
    "ROLES",
    "ColumnFound",
    "Dropped",
    "FileRecord",
    "Layer",
    "Role",
    "list_layers",
    "read_layer",
]


@uncollected()
def read_layer(
    source: str | Path,
    role: Role,
    *,
    columns: Mapping[str, str] | None = None,
    trusted: bool = True,
    name: str | None = None,
) -> Layer:
    """Read one layer for a role: recognised, cleaned, reduced, every problem told.

    Parameters
    ----------
    source : a file, or "FILE:layer" where it holds several.
    role : what the layer is for; decides which columns are kept (see docs/formats.md).
    columns : canonical name → the file's name, for columns to be taken as given.
    trusted : False for uploads: the file is then read in a child process without network, with
        limits on memory, time and size.
    name : the file's name as its owner knows it, where it differs from the path's (uploads).

    Coordinates stay in the file's own system, which is ``Layer.crs`` (None when unknown).
    Raises :class:`geo.problems.InputError` with every problem found when the file cannot be used.
    """
    report = Report(name or _file_name(source))
    found = locate(source, report)
    if trusted and not _reads_itself(found, report):
        made = _read_here(found, role, columns or {}, report)
        parts = (made.columns, made.shapes, made.raw, made.found, made.dropped)
    else:
        parts = read_apart(found, role, columns or {}, report)
    values, shapes, raw, taken, dropped = parts
    frame: pd.DataFrame = pd.DataFrame(values)
    if shapes is not None:
        import geopandas  # costs a third of a second: not in the child process

        frame = geopandas.GeoDataFrame(frame, geometry=shapes, crs=raw.crs)
    file = record(found.path)
    if name is not None:
        file = FileRecord(name, file.size, file.sha256)
    no_place = _reasons(raw, shapes)
    return Layer(
        role=role,
        name=raw.name,
        frame=frame,
        crs=raw.crs,
        columns=taken,
        dropped=dropped,
        problems=list(report.problems),
        file=file,
        datum_hint=raw.datum_hint,
        encoding=raw.encoding,
        no_place=no_place,
        numbers=None if no_place is None else raw.all_numbers(),
    )


def list_layers(path: str | Path, *, trusted: bool = True, name: str | None = None) -> list[str]:
    """Names of the layers (or sheets, or folders) in a file; raises InputError."""
    report = Report(name or _file_name(path))
    source = locate(path, report)
    return layers_of(source, report) if trusted else layers_apart(source, report)


def _reasons(raw: Raw, shapes: Shapes | None) -> NDArray[np.object_] | None:
    """Why rows have no shape, "" where they have one; None where there is nothing to say."""
    if shapes is None:
        return None
    lost = np.asarray(shapely.is_missing(shapes))
    if not lost.any():
        return None
    told = raw.extra.get("no_place")
    known = np.full(len(shapes), "", dtype=object) if told is None else told
    return np.where(lost, np.where(known == "", "shape-damaged", known), "")


def _read_here(source: Source, role: Role, columns: Mapping[str, str], report: Report) -> Assembled:
    """Read in this process; a fault nobody foresaw becomes a sentence, with its kind."""
    try:
        return read_source(source, role, columns, report)
    except InputError:
        raise
    except Exception as error:  # libraries raise anything on damaged files; users see no traceback
        _LOG.error("reading failed unforeseen: %s", type(error).__name__)
        report.fail("unreadable", reason=type(error).__name__)


def _file_name(source: str | Path) -> str:
    """A name to show: never a folder of this machine."""
    return str(source).replace("\\", "/").rstrip("/").rpartition("/")[2][:120]


def _reads_itself(source: Source, report: Report) -> bool:
    """Whether a file brings a program of its own that would run while it is read."""
    computed = computed_layers(source, report)
    return bool(computed) and (source.layer is None or source.layer in computed)
