"""Reading a file nobody vouches for: in a child process that can do little harm.

The child has GDAL's drivers cut down to the few needed (``GDAL_SKIP`` works only from the
environment, before GDAL is loaded), a dead-end proxy, no network where the system allows to take
it away, limits on memory, processor time, file size and open files, an empty home, and a private
folder that is removed afterwards. It answers with Parquet and JSON, never with pickles. Whatever
happens to it becomes one sentence here. Where the system can fork, it comes from a process that has
loaded what reads files and has never seen one (:mod:`geo.read.nursery`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from geo.columns import ColumnFound, Role
from geo.personal import Dropped
from geo.problems import Problem
from geo.read.layer import Raw, Shapes
from geo.read.limits import LIMITS
from geo.read.nursery import NurseryError, nursery
from geo.read.report import Report
from geo.read.source import Source

_DRIVERS_KEPT = frozenset(("GPKG", "ESRI Shapefile", "OpenFileGDB", "MEM", "Memory"))

Parts = tuple[dict[str, "pd.Series[Any]"], Shapes | None, Raw, list[ColumnFound], list[Dropped]]


def read_apart(source: Source, role: Role, given: Mapping[str, str], report: Report) -> Parts:
    """Like :func:`geo.read.source.read_source`, in a child process."""
    with tempfile.TemporaryDirectory(prefix="gridwright-") as folder:
        request = {"role": role, "columns": dict(given), "task": "read"}
        answer = _ask(source, request, Path(folder), report)
        _take_problems(answer, report)
        report.stop_on_errors()
        table = pq.read_table(Path(folder) / "rows.parquet")
    shapes: Shapes | None = None
    if "__shape" in table.column_names:
        shapes = shapely.from_wkb(table.column("__shape").to_pandas().to_numpy(dtype=object))
        table = table.drop_columns(["__shape"])
    raw = Raw(answer["name"], answer["names"], {}, rows=table.num_rows)
    if "__no_place" in table.column_names:
        told = table.column("__no_place").to_pandas().to_numpy(dtype=object)
        raw.extra["no_place"] = told
        raw.numbers = table.column("__number").to_numpy()
        table = table.drop_columns(["__no_place", "__number"])
    columns = {name: table.column(name).to_pandas() for name in table.column_names}
    raw.crs = CRS.from_wkt(answer["crs"]) if answer["crs"] else None
    raw.encoding, raw.datum_hint = answer["encoding"], answer["datum_hint"]
    found = [ColumnFound(**item) for item in answer["found"]]
    dropped = [Dropped(**item) for item in answer["dropped"]]
    return columns, shapes, raw, found, dropped


def layers_apart(source: Source, report: Report) -> list[str]:
    """Like :func:`geo.read.source.layers_of`, in a child process."""
    with tempfile.TemporaryDirectory(prefix="gridwright-") as folder:
        answer = _ask(source, {"task": "layers"}, Path(folder), report)
    _take_problems(answer, report)
    report.stop_on_errors()
    return [str(name) for name in answer["layers"]]


def _take_problems(answer: Mapping[str, Any], report: Report) -> None:
    report.columns = [str(name) for name in answer["columns"]]
    report.problems += [Problem(**problem) for problem in answer["problems"]]


def _ask(source: Source, request: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """Run the child on one request; failures end as a problem of the file."""
    request |= {"path": str(source.path.resolve()), "layer": source.layer}
    request |= {"file": report.file, "folder": str(folder)}
    code = _read(request, folder)
    if code is None:
        report.fail("too_slow", seconds=round(LIMITS.seconds))
    answer = folder / "answer.json"
    if code != 0 or not answer.exists():
        report.fail("reader_died")
    loaded: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    return loaded


def _read(request: dict[str, Any], folder: Path) -> int | None:
    """The exit code of the process that did a request; None where it took too long."""
    command = [*_without_network(), sys.executable, "-P", "-m", "geo.read.child"]
    if hasattr(os, "fork"):
        environment = _environment(Path("/nonexistent"))
        for _ in range(2):  # a nursery may go, being idle, in the moment it is asked
            try:
                return nursery([*command, "nursery"], environment).read(request, LIMITS.seconds)
            except NurseryError:
                continue
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            env=_environment(folder),
            cwd=folder,
            capture_output=True,
            timeout=LIMITS.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode


@lru_cache(maxsize=1)
def _without_network() -> tuple[str, ...]:
    """The words that start a program without network, where the system lets us."""
    unshare = shutil.which("unshare")
    for options in (("--net",), ("--user", "--map-root-user", "--net")):
        if unshare is None:
            break
        tried = subprocess.run([unshare, *options, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return (unshare, *options)
    return ()


@lru_cache(maxsize=1)
def _drivers_skipped() -> str:
    import pyogrio

    return " ".join(
        f'"{name}"' if " " in name else name
        for name in sorted(set(pyogrio.list_drivers()) - _DRIVERS_KEPT)
    )


def _environment(folder: Path) -> dict[str, str]:
    """All the child may know of its surroundings."""
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([root, *(p for p in sys.path if p.endswith("-packages"))]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GDAL_SKIP": _drivers_skipped(),
        "OGR_SKIP": _drivers_skipped(),
        "GDAL_HTTP_PROXY": "127.0.0.1:9",
        "GDAL_PAM_ENABLED": "NO",
        "OGR_SQLITE_JOURNAL": "OFF",
        "PROJ_NETWORK": "OFF",
        "OPENBLAS_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def answer_table(
    columns: Mapping[str, pd.Series[Any]],
    shapes: Shapes | None,
    raw: Raw | None = None,
) -> pa.Table:
    """Rows as an Arrow table, shapes as well-known binary; which rows have none, and why."""
    arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    if shapes is not None:
        arrays["__shape"] = pa.array(shapely.to_wkb(shapes), type=pa.binary())
    if raw is not None and raw.extra.get("no_place") is not None:
        arrays["__no_place"] = pa.array(raw.extra["no_place"], type=pa.string())
        arrays["__number"] = pa.array(raw.all_numbers())
    return pa.table(arrays)
