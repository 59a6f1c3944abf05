"""Village boundaries made into a coverage: valid shapes, no overlap, no sliver between them.

Every repair is reported with its square metres. Overlaps above a bound are not repaired unless
asked: two villages that claim the same hamlet are a question for people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.messages import register
from geo.problems import InputError, Problem

Shapes = NDArray[np.object_]

SLIVER_M = 10.0  # gaps narrower than this between villages belong to one of them
OVERLAP_SHARE = 0.02  # of the smaller village: more is a dispute, not a digitising error
OVERLAP_M2 = 10_000.0

register(
    {
        "village-invalid": (
            "{village} 的边界自相交,已修复,面积变化 {m2:.0f} 平方米;请核对。",
            "the boundary of {village} crossed itself and was repaired, changing its area by "
            "{m2:.0f} m2; please compare it with the original.",
        ),
        "village-no-area": (
            "{village} 没有可用的面,不能划分;请改正边界或删除该行。",
            "{village} has no usable area and cannot be divided; mend its boundary or remove "
            "the row.",
        ),
        "villages-overlap": (
            "{first} 与 {second} 重叠 {m2:.0f} 平方米;请核对边界,或选择“修复重叠”归入一方。",
            "{first} and {second} overlap by {m2:.0f} m2; mend the boundaries, or ask for overlaps "
            "to be repaired (--repair) and one of the two gets the ground.",
        ),
        "villages-overlap-repaired": (
            "{first} 与 {second} 的重叠 {m2:.1f} 平方米已归入其中一方。",
            "{first} and {second} overlapped by {m2:.1f} m2; one of the two got the ground.",
        ),
        "villages-cleaned": (
            "村界之间的缝隙和重叠已清理:总面积变化 {m2:.1f} 平方米,{count} 个村的边界有改动。",
            "gaps and overlaps between villages were cleaned: the total area changed by "
            "{m2:.1f} m2, {count} villages' boundaries were touched.",
        ),
    }
)


@dataclass(frozen=True)
class Repaired:
    """Villages as a coverage, in the input's order, and what was done to them."""

    geometry: Shapes
    notes: tuple[Problem, ...]


def polygonal(geometry: shapely.Geometry) -> shapely.Geometry:
    """The polygon part of a shape, valid, two-dimensional; empty where there is none."""
    flat = shapely.force_2d(geometry)
    if flat is None or shapely.is_empty(flat):
        return shapely.Polygon()
    if not shapely.is_valid(flat):
        flat = shapely.make_valid(flat, method="structure", keep_collapsed=False)
    if shapely.get_type_id(flat) in (3, 6):
        return flat
    parts = shapely.get_parts(flat)
    parts = parts[np.isin(shapely.get_type_id(parts), (3, 6))]
    return shapely.union_all(parts) if len(parts) else shapely.Polygon()


def polygonals(shapes: Shapes) -> Shapes:
    """:func:`polygonal` of every shape; those that need no mending are looked at all at once."""
    made: Shapes = np.array(shapely.force_2d(shapes), dtype=object)
    odd = ~np.isin(shapely.get_type_id(made), (3, 6)) | shapely.is_empty(made)
    odd |= ~shapely.is_valid(made)
    for row in np.flatnonzero(odd):
        made[row] = polygonal(made[row])
    return made


def _validated(geometry: Shapes, names: list[str], file: str) -> tuple[Shapes, list[Problem]]:
    mended = polygonals(geometry)
    notes, errors = [], []
    lost = shapely.area(mended) <= 0
    crossed = ~shapely.is_missing(geometry) & ~shapely.is_valid(geometry)
    for row in np.flatnonzero(lost | crossed):
        params: dict[str, object] = {"village": names[row]}
        if lost[row]:
            errors.append(Problem("village-no-area", file, params=params))
            continue
        params["m2"] = abs(shapely.area(mended[row]) - shapely.area(geometry[row]))
        notes.append(Problem("village-invalid", file, params=params, severity="warning"))
    if errors:
        raise InputError(errors)
    return mended, notes


def _plainly(shapes: Shapes) -> Shapes:
    """Shapes to be compared: one part is that part, corners begin and turn alike."""
    single = shapely.get_num_geometries(shapes) == 1
    plain = np.where(single, shapely.get_geometry(shapes, 0), shapes)
    return np.asarray(shapely.normalize(plain))


def overlaps(geometry: Shapes) -> list[tuple[int, int, float]]:
    """Pairs of rows whose interiors meet, with the square metres they share, largest first."""
    first, second = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    ahead = first < second
    first, second = first[ahead], second[ahead]
    inner = ~shapely.touches(geometry[first], geometry[second])
    first, second = first[inner], second[inner]
    shared = shapely.area(shapely.intersection(geometry[first], geometry[second]))
    rows = [
        (int(a), int(b), float(m2))
        for a, b, m2 in zip(first, second, shared, strict=True)
        if m2 > 1e-6
    ]
    return sorted(rows, key=lambda row: -row[2])


def as_coverage(
    geometry: Shapes, names: list[str], file: str = "", *, repair_overlaps: bool = False
) -> Repaired:
    """Valid villages that share their borders exactly. Metric coordinates.

    Villages that already do are returned untouched. Raises :class:`InputError` naming every
    village without area, and every overlap of more than 2 % of the smaller village and 10,000 m2
    unless ``repair_overlaps``. Wrong where villages are meant to lie apart by less than
    :data:`SLIVER_M` (the strip they enclose is given to one), and where a strip between two is
    open at its end, along the county's edge: that stays, outside both.
    """
    mended, notes = _validated(geometry, names, file)
    found = overlaps(mended)
    if not found and shapely.coverage_is_valid(mended, gap_width=SLIVER_M):
        return Repaired(mended, tuple(notes))
    area = shapely.area(mended)
    disputes = []
    for a, b, m2 in found:
        params = {"first": names[a], "second": names[b], "m2": m2}
        grave = m2 > OVERLAP_M2 and m2 > OVERLAP_SHARE * min(area[a], area[b])
        if grave and not repair_overlaps:
            disputes.append(Problem("villages-overlap", file, params=params))
        elif m2 > 1:
            notes.append(
                Problem("villages-overlap-repaired", file, params=params, severity="warning")
            )
    if disputes:
        raise InputError(disputes)
    cleaned = np.asarray(shapely.coverage_clean(mended, gap_width=SLIVER_M))
    lost = shapely.area(cleaned) <= 0
    if lost.any():
        raise InputError(
            Problem("village-no-area", file, params={"village": names[i]})
            for i in np.flatnonzero(lost)
        )
    # a shape with the same corners is the same; of most villages nothing was changed
    changed = ~shapely.equals_exact(_plainly(mended), _plainly(cleaned), 0.0)
    difference = shapely.symmetric_difference(mended[changed], cleaned[changed])
    touched = int((shapely.area(difference) > 1e-3).sum())
    if touched:
        change = float(abs(shapely.area(cleaned).sum() - area.sum()))
        params = {"m2": change, "count": touched}
        notes.append(Problem("villages-cleaned", file, params=params, severity="note"))
    return Repaired(cleaned, tuple(notes))
