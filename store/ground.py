"""A village's units in the store, kept so that what is loaded equals what was saved.

Border segments and neighbours follow from the shapes and are computed again; which line a segment
runs along does not, and is kept. Not kept is ``unit_of_row``, which household row went where: the
store holds sums of units and no household.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from geo.coverage import components
from geo.segments import Segments, border_segments, outer_length, rook_edges
from geo.units import Units
from planning.record import ground_key, label_of, runs_of
from store.located import located, srid_of_village
from store.schema import GROUND, UNIT
from store.values import DamagedError

INTEGERS = ("households", "persons", "block", "whole", "dedicated")
FLOATS = ("x", "y", "spread", "area")


@dataclass(frozen=True)
class GroundRows:
    """Units as the store takes them: ``lines`` runs along their segments, ``table`` its columns."""

    key: str
    lines: list[list[int]]
    shapes: NDArray[np.object_]
    table: dict[str, NDArray[Any]]


def ground_rows(units: Units) -> GroundRows:
    """What is kept of units. ValueError where their segments are not those of their shapes."""
    plain = border_segments(units.geometry)
    if not (
        np.array_equal(plain.left, units.segments.left)
        and np.array_equal(plain.x1, units.segments.x1)
        and np.array_equal(plain.y1, units.segments.y1)
    ):
        raise ValueError(f"village {units.code}: segments are not in the order of the shapes")
    columns = {name: getattr(units, name) for name in INTEGERS + FLOATS}
    return GroundRows(ground_key(units), runs_of(units.segments.line), units.geometry, columns)


def save_ground(c: Connection, village_id: int, units: Units) -> str:
    """Keep units unless they are there; returns their key.

    ValueError where their segments are not those of their shapes.
    """
    key = ground_key(units)
    known = select(GROUND.c.id).where(GROUND.c.village_id == village_id, GROUND.c.key == key)
    if c.execute(known).first() is None:
        insert_ground(c, village_id, ground_rows(units), srid_of_village(c, village_id))
    return key


def insert_ground(c: Connection, village_id: int, rows: GroundRows, srid: int) -> None:
    """Keep units of a village that has none of this key."""
    row = {"village_id": village_id, "key": rows.key, "lines": rows.lines}
    made = c.execute(insert(GROUND), row).inserted_primary_key
    assert made is not None
    names = list(rows.table)
    columns = zip(*(rows.table[name].tolist() for name in names), strict=True)
    units = [
        {"ground_id": int(made[0]), "number": n, "geometry": shape}
        | dict(zip(names, own, strict=True))
        for n, (shape, own) in enumerate(zip(located(rows.shapes, srid), columns, strict=True))
    ]
    if units:
        c.execute(insert(UNIT), units)


def load_grounds(c: Connection, village_id: int, code: str, keys: set[str]) -> dict[str, Units]:
    """Units of a village by their key. Raises :class:`DamagedError` where one is missing."""
    found = c.execute(
        select(GROUND.c.id, GROUND.c.key, GROUND.c.lines).where(
            GROUND.c.village_id == village_id, GROUND.c.key.in_(keys)
        )
    ).all()
    if {row.key for row in found} != keys:
        raise DamagedError(f"village {code} lacks its units")
    loaded = {row.key: _load(c, row.id, code, row.lines) for row in found}
    if any(ground_key(units) != key for key, units in loaded.items()):
        raise DamagedError(f"the units of village {code} are not what was saved")
    return loaded


def _load(c: Connection, ground_id: int, code: str, lines: list[list[int]]) -> Units:
    rows = c.execute(
        select(UNIT).where(UNIT.c.ground_id == ground_id).order_by(UNIT.c.number)
    ).all()
    table: dict[str, Any] = {
        name: np.array([getattr(r, name) for r in rows], dtype=kind)
        for names, kind in ((INTEGERS, np.int64), (FLOATS, np.float64))
        for name in names
    }
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = [r.geometry for r in rows]
    try:
        bare = border_segments(geometry)
        line = label_of(lines)
    except ValueError as error:
        raise DamagedError(f"village {code}: {error}") from error
    if len(line) != len(bare.left) or [r.number for r in rows] != list(range(len(rows))):
        raise DamagedError(f"village {code} lacks units")
    segments = Segments(bare.left, bare.right, bare.x1, bare.y1, bare.x2, bare.y2, line)
    edges = rook_edges(segments)
    return Units(
        code=code,
        geometry=geometry,
        outer=outer_length(segments, len(rows)),
        part=components(len(rows), edges.a, edges.b),
        edges=edges,
        segments=segments,
        unit_of_row=np.empty(0, dtype=np.int64),
        **table,
    )

