"""Steps as records: plain JSON values that, replayed, give the plan again.

A record holds the difference of two plans, not a command: replaying it needs no edit to behave as
it did when the step was made. Labels are kept as runs of consecutive units that went from one grid
to another; the grid table as what each changed grid was before and after.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.units import Units
from planning.export import atomically
from planning.graph import IntArray
from planning.history import STEPS, Step
from planning.plan import Grid, Plan

Record = dict[str, Any]
FORMAT = 1


class RecordError(ValueError):
    """A record that does not belong to the plan it is applied to, or is no record."""


_keys: dict[int, str] = {}


def ground_key(units: Units) -> str:
    """A name for a village's units by their content: equal units, equal key."""
    known = _keys.get(id(units))
    if known is None:  # hashing 10,000 polygons takes longer than the edit they are hashed for
        known = _keys[id(units)] = _content_key(units)
        weakref.finalize(units, _keys.pop, id(units), None)
    return known


def _content_key(units: Units) -> str:
    digest = hashlib.sha256(units.code.encode())
    for shape in shapely.to_wkb(units.geometry):
        digest.update(shape)
    for values in (units.households, units.persons, units.whole, units.dedicated, units.block):
        digest.update(np.ascontiguousarray(values, dtype="<i8").tobytes())
    for places in (units.x, units.y, units.spread):
        digest.update(np.ascontiguousarray(places, dtype="<f8").tobytes())
    return digest.hexdigest()


def runs_of(label: IntArray) -> list[list[int]]:
    """A label vector as rows (count, label)."""
    if not len(label):
        return []
    starts = np.flatnonzero(np.r_[True, label[1:] != label[:-1]])
    counts = np.diff(np.r_[starts, len(label)])
    runs: list[list[int]] = np.column_stack([counts, label[starts]]).tolist()
    return runs


def label_of(runs: Iterable[Iterable[int]]) -> IntArray:
    """The label vector of rows (count, label); RecordError for a negative count."""
    table = np.array([list(run) for run in runs], dtype=np.int64).reshape(-1, 2)
    if (table[:, 0] < 0).any() or table[:, 0].sum() > 50_000_000:
        raise RecordError("a run of labels has no sensible length")
    return np.repeat(table[:, 1], table[:, 0])


def _moves(before: IntArray, after: IntArray) -> list[list[int]]:
    """Rows (first unit, count, from, to) of neighbouring units that moved alike."""
    at = np.flatnonzero(before != after)
    if not len(at):
        return []
    pair = np.column_stack([before[at], after[at]])
    same = (np.diff(at) == 1) & (pair[1:] == pair[:-1]).all(axis=1)
    first = np.flatnonzero(np.r_[True, ~same])
    count = np.diff(np.r_[first, len(at)])
    moves: list[list[int]] = np.column_stack([at[first], count, pair[first]]).tolist()
    return moves


def _flows(step: Step) -> list[list[Any]]:
    """Rows (from code, to code, units, households): what people read in a record."""
    was = step.was
    if was is None:
        return []
    a, b = step.before, step.after
    at = np.flatnonzero(was != b.label)
    pairs, row = np.unique(np.column_stack([was[at], b.label[at]]), axis=0, return_inverse=True)
    units = np.bincount(row, minlength=len(pairs))
    held = np.bincount(row, weights=b.units.households[at], minlength=len(pairs))
    return [
        [a.grids[int(p)].code, b.grids[int(q)].code, int(n), int(h)]
        for (p, q), n, h in zip(pairs, units, held, strict=True)
    ]


def _grid(grid: Grid | None) -> dict[str, Any] | None:
    return None if grid is None else asdict(grid)


def record_of(step: Step) -> Record:
    """A step as JSON-able values: who, when, what, why, and the difference it made."""
    a, b = step.before, step.after
    changed = {
        str(key): [_grid(a.grids.get(key)), _grid(b.grids.get(key))]
        for key in sorted({*a.grids, *b.grids})
        if a.grids.get(key) != b.grids.get(key)
    }
    record: Record = {
        "format": FORMAT,
        "name": step.name,
        "params": dict(step.params),
        "note": step.note,
        "actor": step.actor,
        "time": step.time,
        "village": step.village_code,
        "units": step.units,
        "households": step.households,
        "flows": _flows(step),
        "grids": changed,
        "next_key": [a.next_key, b.next_key],
        "used": [sorted(b.used - a.used), sorted(a.used - b.used)],
        "village_name": [a.village_name, b.village_name],
    }
    if step.refined:
        record["ground"] = [ground_key(a.units), ground_key(b.units)]
        record["labels"] = [runs_of(a.label), runs_of(b.label)]
    else:
        record["moves"] = _moves(a.label, b.label)
    return record


def _moved(record: Record, label: IntArray) -> IntArray:
    moves = np.array(record["moves"], dtype=np.int64).reshape(-1, 4)
    if (moves[:, 0] < 0).any() or (moves[:, 1] < 1).any():
        raise RecordError("a record moves units that cannot be")
    if (moves[:, 0] + moves[:, 1] > len(label)).any():
        raise RecordError("a record moves units that the plan does not have")
    after = label.copy()
    for first, count, source, target in moves.tolist():
        span = slice(first, first + count)
        if (label[span] != source).any():
            raise RecordError("a record moves units from a grid they are not in")
        after[span] = target
    return after


def apply(record: Record, plan: Plan, grounds: Mapping[str, Units] | None = None) -> Plan:
    """The plan after a recorded step.

    ``grounds`` holds the units by :func:`ground_key` that records which changed the ground need.
    Raises :class:`RecordError` where the record was made on another plan.
    """
    try:
        if record["format"] != FORMAT or record["village"] != plan.units.code:
            raise RecordError("the record is of another format or another village")
        grids = dict(plan.grids)
        for text, (before, after) in record["grids"].items():
            key = int(text)
            if _grid(grids.get(key)) != before:
                raise RecordError(f"grid {key} is not what the record found")
            grids.pop(key, None)
            if after is not None:
                grids[key] = Grid(**after)
        if record["next_key"][0] != plan.next_key:
            raise RecordError("the record was made on another plan")
        units, label = plan.units, plan.label
        if "ground" in record:
            if ground_key(units) != record["ground"][0]:
                raise RecordError("the record was made on other ground")
            units, label = (grounds or {})[record["ground"][1]], label_of(record["labels"][1])
        else:
            label = _moved(record, label)
        added, removed = record["used"]
        return replace(
            plan,
            units=units,
            label=label,
            grids=grids,
            village_name=record["village_name"][1],
            next_key=int(record["next_key"][1]),
            used=(plan.used | frozenset(added)) - frozenset(removed),
        )
    except RecordError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"not a usable record ({type(error).__name__}: {error})") from error


def reverse(record: Record) -> Record:
    """The record of the way back: applied after the step, it gives the plan before it."""
    back = dict(record)
    back["grids"] = {key: pair[::-1] for key, pair in record["grids"].items()}
    for name in ("next_key", "used", "village_name", "ground", "labels"):
        if name in record:
            back[name] = record[name][::-1]
    if "moves" in record:
        back["moves"] = [[unit, n, target, source] for unit, n, source, target in record["moves"]]
    return back


def replay(
    records: Iterable[Record], start: Plan, grounds: Mapping[str, Units] | None = None
) -> Plan:
    """The plan that the recorded steps lead to from ``start``. Raises as :func:`apply` does."""
    plan = start
    for record in records:
        plan = apply(record, plan, grounds)
    return plan


def step_of(record: Record, before: Plan, after: Plan, seq: int = 0) -> Step:
    """A record as a step again, between the two plans it lies between."""
    return Step(
        name=str(record["name"]),
        before=before,
        after=after,
        params=dict(record["params"]),
        note=str(record["note"]),
        actor=str(record["actor"]),
        time=str(record["time"]),
        seq=seq,
    )


def state_of(plan: Plan) -> Record:
    """A whole plan as JSON-able values, its units by their key."""
    return {
        "format": FORMAT,
        "ground": ground_key(plan.units),
        "labels": runs_of(plan.label),
        "grids": {str(key): _grid(plan.grids[key]) for key in sorted(plan.grids)},
        "village_name": plan.village_name,
        "next_key": plan.next_key,
        "used": sorted(plan.used),
    }


def plan_of(state: Record, grounds: Mapping[str, Units]) -> Plan:
    """The plan of :func:`state_of`. Raises :class:`RecordError` where it is none."""
    try:
        return Plan(
            units=grounds[state["ground"]],
            label=label_of(state["labels"]),
            grids={int(key): Grid(**grid) for key, grid in state["grids"].items()},
            village_name=str(state["village_name"]),
            next_key=int(state["next_key"]),
            used=frozenset(state["used"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"not a plan ({type(error).__name__}: {error})") from error


def same_plan(a: Plan, b: Plan) -> bool:
    """Whether two plans are equal in everything an edit can change."""
    return (
        (a.units is b.units or ground_key(a.units) == ground_key(b.units))
        and np.array_equal(a.label, b.label)
        and dict(a.grids) == dict(b.grids)
        and (a.village_name, a.next_key, a.used) == (b.village_name, b.next_key, b.used)
    )


TABLE_COLUMNS = (
    "seq", "time", "actor", "village_code", "step", "step_zh", "note", "from_to", "units",
    "households",
)  # fmt: skip


def table_of(records: Iterable[Record]) -> pd.DataFrame:
    """Records as a table for people: when, who, where, what, why, from where to where, how many.

    ``from_to`` reads ``A001>A002 (12)``: households that went from one grid's code to another's.
    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    rows = [
        (
            number,
            record["time"],
            record["actor"],
            record["village"],
            STEPS.get(record["name"], (record["name"],) * 2)[1],
            STEPS.get(record["name"], (record["name"],) * 2)[0],
            record["note"],
            "; ".join(f"{a}>{b} ({h})" for a, b, _, h in record["flows"]),
            record["units"],
            record["households"],
        )
        for number, record in enumerate(records, 1)
    ]
    table = pd.DataFrame(rows, columns=list(TABLE_COLUMNS))
    for column in ("time", "actor", "village_code", "step", "step_zh", "note", "from_to"):
        table[column] = [_no_formula(str(value)) for value in table[column]]
    return table


def write_table(records: Iterable[Record], path: Path) -> None:
    """Write :func:`table_of` as CSV (UTF-8 with a mark, for Excel) or .xlsx, whole or not at all.

    ValueError for another ending; OSError where the folder cannot be written.
    """
    table = table_of(records)
    if path.suffix not in (".csv", ".xlsx"):
        raise ValueError("a record is written as .csv or .xlsx")

    def write(target: Path) -> None:
        if path.suffix == ".csv":
            table.to_csv(target, index=False, encoding="utf-8-sig")
        else:
            table.to_excel(target, index=False, sheet_name="record")

    atomically(path, write)


def _no_formula(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
