"""Undo and redo: the very plan comes back, and nothing that was done is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from boards import board

from planning import edits
from planning.history import STEPS, History, Step
from planning.plan import Plan


def moved(plan: Plan, unit: int, to: int, **told: str) -> Step:
    return Step("transfer", plan, edits.transfer(plan, np.array([unit]), to).plan, **told)


def three_steps() -> History:
    history = History(board())
    for unit, to in ((0, 1), (1, 2), (2, 1)):
        history = history.do(moved(history.present, unit, to))
    return history


def test_undo_gives_back_the_very_plan_that_was() -> None:
    history = three_steps()
    for step in reversed(history.past):
        assert history.present is step.after
        history = history.undo()
        assert history.present is step.before
    assert history.present is history.start
    assert history.undo() is history


def test_redo_is_the_way_undo_came() -> None:
    history = three_steps()
    back = history.undo().undo()
    assert [s.after for s in back.future] == [s.after for s in history.past[1:]]
    assert back.redo().redo() == history
    assert history.redo() is history


def test_a_new_step_takes_the_place_of_what_was_undone() -> None:
    back = three_steps().undo()
    forked = back.do(moved(back.present, 30, 0))
    assert not forked.can_redo
    assert len(forked.past) == 3
    assert forked.undo().present is back.present


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_goto_reaches_every_position_from_every_other(position: int) -> None:
    history = three_steps()
    for start in range(4):
        there = history.goto(start).goto(position)
        assert len(there.past) == position
        assert there.steps == history.steps


@pytest.mark.parametrize("position", [-1, 4])
def test_goto_refuses_a_position_that_is_not_there(position: int) -> None:
    with pytest.raises(IndexError):
        three_steps().goto(position)


def test_a_step_made_on_another_plan_is_refused() -> None:
    history = three_steps()
    with pytest.raises(ValueError, match="not the present"):
        history.do(moved(board(), 0, 1))


def test_a_step_counts_what_it_moved() -> None:
    step = moved(board(), 0, 1, note="为什么", actor="a")
    assert (step.units, step.households, step.empty) == (1, 10, False)
    assert step.village_code == board().units.code
    assert Step("transfer", step.before, step.before).empty


def test_a_rename_moves_nothing_and_is_not_empty() -> None:
    plan = board()
    step = Step("rename", plan, edits.rename(plan, 0, "东片"))
    assert (step.units, step.households, step.empty) == (0, 0, False)


def test_every_step_is_named_in_both_languages() -> None:
    assert all(chinese and english for chinese, english in STEPS.values())
