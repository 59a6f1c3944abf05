"""Villages are known by code and name: each once, whole, and told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.personal import masked
from geo.read.layer import Raw, Shapes
from geo.read.report import Report, listed

Columns = dict[str, "pd.Series[Any]"]
_WIDE_DEGREES, _WIDE_METRES = 1.5, 150_000.0


def settle_villages(
    columns: Columns, shapes: Shapes | None, raw: Raw, report: Report
) -> tuple[Columns, Shapes | None]:
    """Fill in missing codes and names, join the parts of one village, tell doubtful ones.

    Rows with the same code and name are parts of one village (exclaves drawn as rows of their
    own) and become one multi-part shape; their counts are summed unless all are equal. The same
    code with different names is an error: nobody but the owner knows which is right.
    """
    rows = raw.rows
    if "code" not in columns:
        columns["code"] = pd.Series([f"V{i:05d}" for i in range(1, rows + 1)], dtype="str")
        report.warn("codes_made")
    missing = columns["code"].isna().to_numpy()
    if missing.any():
        made = pd.Series([f"V{i:05d}" for i in range(1, rows + 1)], dtype="str")
        columns["code"] = columns["code"].where(~missing, made)
        places = np.flatnonzero(missing)
        report.warn("codes_missing", rows=listed(raw, places), count=len(places))
    if "name" not in columns:
        columns["name"] = columns["code"]
        report.note("names_made")
    columns["name"] = columns["name"].where(columns["name"].notna(), columns["code"])
    columns, shapes = _join_parts(columns, shapes, raw, report)
    _tell_same_names(columns, report)
    if shapes is not None:
        _tell_wide(columns, shapes, raw, report)
    return columns, shapes


def _join_parts(
    columns: Columns, shapes: Shapes | None, raw: Raw, report: Report
) -> tuple[Columns, Shapes | None]:
    codes, names = columns["code"], columns["name"]
    repeated = codes.duplicated(keep=False).to_numpy()
    if not repeated.any():
        return columns, shapes
    keep = np.ones(len(codes), dtype=bool)
    shapes = None if shapes is None else shapes.copy()
    joined: list[str] = []
    places = pd.Series(np.flatnonzero(repeated)).groupby(codes[repeated].to_numpy(), sort=False)
    for code, group in places:
        members = group.to_numpy()
        if names.iloc[members].nunique() > 1:
            if len(report.problems) < 200:
                report.error("code_twice", code=masked(code), rows=listed(raw, members))
            continue
        joined.append(str(code))
        keep[members[1:]] = False
        if shapes is not None:
            shapes[members[0]] = _united(shapes[members])
        for count in columns.keys() & {"households", "persons"}:
            values = columns[count].iloc[members]
            if values.nunique(dropna=False) > 1:
                columns[count].iloc[members[0]] = values.sum()
    report.stop_on_errors()
    shown = ", ".join(joined[:5]) + (" …" if len(joined) > 5 else "")
    report.warn("parts_joined", codes=shown, count=len(joined))
    raw.numbers = np.array([raw.number(int(i)) for i in np.flatnonzero(keep)])
    raw.rows = int(keep.sum())
    columns = {name: values[keep].reset_index(drop=True) for name, values in columns.items()}
    return columns, None if shapes is None else shapes[keep]


def _united(parts: NDArray[np.object_]) -> shapely.Geometry:
    union = shapely.union_all(parts)
    faces = shapely.get_parts(shapely.get_parts(union))
    faces = faces[shapely.get_type_id(faces) == 3]
    return faces[0] if faces.size == 1 else shapely.multipolygons(faces)


def _tell_same_names(columns: Columns, report: Report) -> None:
    by = [columns["name"]]
    if "township_name" in columns:
        by.append(columns["township_name"].fillna(""))
    keys = pd.concat(by, axis=1)
    same = keys.duplicated(keep=False) & (columns["name"] != columns["code"])
    if same.any():
        names = list(dict.fromkeys(columns["name"][same]))
        shown = ", ".join(masked(name) for name in names[:5]) + (" …" if len(names) > 5 else "")
        report.note("names_twice", names=shown, count=len(names))


def _tell_wide(columns: Columns, shapes: Shapes, raw: Raw, report: Report) -> None:
    bounds = shapely.bounds(shapes)
    size = (bounds[:, 2:] - bounds[:, :2]).max(axis=1)
    geographic = raw.crs is not None and raw.crs.is_geographic
    for row in np.flatnonzero(size > (_WIDE_DEGREES if geographic else _WIDE_METRES))[:5]:
        name = masked(columns["name"].iloc[int(row)])
        named = f" ({name})" if name else ""
        report.warn("village_wide", rows=listed(raw, [row]), name=named)
