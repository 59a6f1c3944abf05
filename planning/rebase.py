"""A request made on a plan that others have changed meanwhile: may it be carried out all the same?

Two edits of one village leave each other alone where the grids they touch are not the same ones:
then the order in which they are made makes no difference, and the later one is carried out on the
plan as it is now. Everything else is for a person to decide.
"""

from __future__ import annotations

import numpy as np

from geo.enclosures import VillageGround
from planning.plan import Plan
from planning.record import ground_key
from planning.requests import Done, Request, RequestError, carry_out
from planning.settings import Settings


def same_ground(before: Plan, after: Plan) -> bool:
    """Do the units' numbers mean the same ground in both plans?"""
    return before.units is after.units or ground_key(before.units) == ground_key(after.units)


def touched(before: Plan, after: Plan) -> frozenset[int] | None:
    """Grids whose ground or whose name, kind, lock or reason differs, by key; new and gone ones
    too. None where units were cut: then no number of a unit means the same."""
    if not same_ground(before, after):
        return None
    moved = before.label != after.label
    keys = {*np.unique(before.label[moved]).tolist(), *np.unique(after.label[moved]).tolist()}
    every = {*before.grids, *after.grids}
    keys |= {key for key in every if before.grids.get(key) != after.grids.get(key)}
    return frozenset(keys)


def rebased(
    request: Request, base: Plan, now: Plan, settings: Settings,
    ground: VillageGround | None = None,
) -> Done | None:  # fmt: skip
    """A request that was made on ``base``, carried out on ``now``; None where somebody must decide.

    It is carried out where the grids that it touches on ``base`` and those that differ between the
    two plans are disjoint, and it then moves the very same units. ``ground`` as for
    :func:`planning.requests.carry_out`. Raises :class:`planning.requests.RequestError` for a
    request that was none on ``base`` either.
    """
    theirs = touched(base, now)
    done = carry_out(request, base, settings, ground)
    mine = touched(base, done.plan)
    if theirs is None or mine is None:
        return None
    # a grid that both made has one number by chance; it will get another
    if (mine & base.grids.keys()) & theirs:
        return None
    try:
        again = carry_out(request, now, settings, ground)
    except RequestError:
        return None
    if again.plan.units is not now.units:
        return None
    was, moved = base.label != done.plan.label, now.label != again.plan.label
    return again if np.array_equal(was, moved) else None
