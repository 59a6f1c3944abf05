"""The record of steps: JSON that replays to the very plan, and is refused where it does not fit."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import STEPS, RandomStep, board, step_on
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from openpyxl import load_workbook

from planning import edits, record
from planning.history import Step
from planning.plan import Grid, Plan


def through_json(step: Step) -> record.Record:
    text = json.dumps(record.record_of(step), ensure_ascii=False, allow_nan=False)
    read: record.Record = json.loads(text)
    return read


@given(STEPS)
@settings(max_examples=50)
def test_replaying_the_record_gives_the_present_plan(steps: list[RandomStep]) -> None:
    start = plan = board()
    records = []
    for random in steps:
        step = step_on(plan, random)
        records.append(through_json(step))
        plan = step.after
    back = record.replay([record.reverse(r) for r in reversed(records)], plan)
    assert record.same_plan(back, start)
    replayed = record.replay(records, start)
    assert record.same_plan(replayed, plan)
    assert replayed.units is plan.units
    kept = json.loads(json.dumps(record.state_of(plan)))
    again = record.plan_of(kept, {record.ground_key(plan.units): plan.units})
    assert record.same_plan(again, plan)


@given(arrays.arrays(np.int64, st.integers(0, 40), elements=st.integers(0, 3)))
def test_runs_of_labels_come_back(label: np.ndarray) -> None:
    runs = record.runs_of(label)
    assert (record.label_of(runs) == label).all()
    assert all(a[1] != b[1] for a, b in itertools.pairwise(runs))


def a_step() -> Step:
    plan = board()
    return Step("transfer", plan, edits.transfer(plan, np.array([0, 1, 6]), 2).plan, actor="甲")


def test_a_record_says_from_where_to_where_and_how_many() -> None:
    told = record.record_of(a_step())
    plan = board()
    codes = [plan.grids[0].code, plan.grids[2].code]
    assert told["flows"] == [[*codes, 3, 30]]
    assert told["moves"] == [[0, 2, 0, 2], [6, 1, 0, 2]]
    assert told["grids"] == {}


@pytest.mark.parametrize(
    "spoil",
    [
        {"format": 2},
        {"village": "X"},
        {"moves": [[0, 2, 1, 2]]},
        {"moves": [[35, 2, 2, 1]]},
        {"moves": [[-1, 1, 2, 1]]},
        {"moves": [[0, 0, 0, 1]]},
        {"moves": "no"},
        {"moves": [[0, 1, 0, 99]]},
        {"grids": {"0": [None, None]}},
        {"grids": {"x": [None, None]}},
        {"grids": {"7": [None, {"code": "a"}]}},
        {"next_key": [9, 9]},
        {"used": None},
    ],
)
def test_a_record_that_does_not_fit_is_refused(spoil: dict[str, object]) -> None:
    step = a_step()
    told = record.record_of(step) | spoil
    with pytest.raises(record.RecordError):
        record.apply(told, step.before)


def test_a_record_is_refused_twice_over() -> None:
    told, start = record.record_of(a_step()), board()
    with pytest.raises(record.RecordError):
        record.replay([told, told], start)


def test_a_step_that_cuts_units_replays_with_its_ground() -> None:
    before = board()
    fine = replace(board(households=7).units)
    label = np.where(np.arange(36) < 18, 0, 5)
    grids = {0: before.grids[0], 5: Grid("T009", "新")}
    after = Plan(fine, label, grids, "村", 6, before.used | {"T009"})
    told = through_json(Step("cut", before, after))
    known = {record.ground_key(fine): fine}
    assert record.same_plan(record.apply(told, before, known), after)
    ground = {record.ground_key(before.units): before.units}
    assert record.same_plan(record.apply(record.reverse(told), after, ground), before)
    with pytest.raises(record.RecordError):
        record.apply(told, before)
    with pytest.raises(record.RecordError):
        record.apply(told, after, known)


def test_the_ground_key_tells_grounds_apart_and_equal_ones_alike() -> None:
    keys = {record.ground_key(board(households=h).units) for h in (1, 1, 2)}
    assert len(keys) == 2


def test_the_exported_table_is_for_people_and_holds_no_formula() -> None:
    step = replace(a_step(), note="=HYPERLINK(1)", time="2026-01-02T03:04:05Z")
    table = record.table_of([record.record_of(step)])
    row = table.iloc[0]
    assert list(table.columns) == list(record.TABLE_COLUMNS)
    assert row["from_to"] == f"{board().grids[0].code}>{board().grids[2].code} (30)"
    assert (row["actor"], row["households"], row["step_zh"]) == ("甲", 30, "划转")
    assert row["note"] == "'=HYPERLINK(1)"


def test_an_empty_record_is_an_empty_table() -> None:
    assert list(record.table_of([]).columns) == list(record.TABLE_COLUMNS)


def test_the_record_is_written_as_csv_and_excel(tmp_path: Path) -> None:
    told = [record.record_of(replace(a_step(), note="=1+1"))]
    for name in ("record.csv", "record.xlsx"):
        record.write_table(told, tmp_path / name)
    read = pd.read_csv(tmp_path / "record.csv", encoding="utf-8-sig")
    assert read["note"].tolist() == ["'=1+1"]
    sheet = load_workbook(tmp_path / "record.xlsx").active
    assert sheet is not None
    cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
    assert "f" not in cells.values()
    with pytest.raises(ValueError, match="csv"):
        record.write_table(told, tmp_path / "record.txt")
