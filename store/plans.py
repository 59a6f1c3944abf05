"""One plan's log in the database: steps appended, the position moved, nothing ever taken away.

Every entry has the next number; a step names the step it follows, so that what was undone and then
passed by stays in the log and can be gone back to. The plan's row says which step is in force
(``position``) and where redo leads (``tip``), and holds the present plan, so that opening needs no
replay to be right and :func:`store.files.verify` can compare the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from sqlalchemy import Connection, insert, select, update

from geo.messages import register
from geo.problems import InputError, Problem
from geo.units import Units
from planning.history import History, Step, now
from planning.plan import Plan
from planning.record import (
    Record,
    RecordError,
    apply,
    plan_of,
    record_of,
    reverse,
    same_plan,
    state_of,
    step_of,
)
from store.ground import load_grounds, save_ground
from store.schema import LOG, PLAN, SCENARIO, VILLAGE
from store.values import DamagedError

register(
    {
        "store-no-plan": (
            "没有这个方案或村(社区),可能已被删除;请返回项目列表。",
            "has no such scenario or village (deleted?); go back to the list of projects.",
        ),
        "store-deleted": (
            "该方案已删除,不能再改;请先恢复它或另建分支。",
            "this scenario was deleted and takes no more changes; restore it or branch it first.",
        ),
    }
)

Grounds = WeakValueDictionary[str, Units]
Parents = dict[int, int]


class Conflict(Exception):  # noqa: N818 (nobody's error: somebody else was faster)
    """Somebody changed the plan since it was opened; nothing was saved.

    ``who`` did ``what`` (a key of :data:`planning.history.STEPS`) ``when`` (ISO 8601, UTC), last;
    ``version`` is the plan's version now. Open the plan again, or branch from the version that
    was opened (:meth:`store.projects.Store.branch`).
    """

    def __init__(self, who: str, what: str, when: str, version: int) -> None:
        super().__init__(f"{who or 'somebody'} changed the plan at {when}: {what}")
        self.who, self.what, self.when, self.version = who, what, when, version


@dataclass(frozen=True)
class Opened:
    """A plan as it is in the store: ``plan`` is ``history.present``, ``version`` its state."""

    plan: Plan
    history: History
    version: int


@dataclass(frozen=True)
class Entry:
    """One entry of a plan's log.

    ``parent`` the step it follows (of an undo, redo or goto: the step it led to); ``in_force``
    whether the present plan rests on it; ``ahead`` whether redo leads to it. ``record`` is None
    for an undo, redo or goto.
    """

    seq: int
    parent: int
    name: str
    actor: str
    time: str
    in_force: bool
    ahead: bool
    record: Record | None


@dataclass(frozen=True)
class PlanRow:
    """A plan's row, its village's number and code, and when its scenario was deleted."""

    id: int
    start: Record
    state: Record
    version: int
    position: int
    tip: int
    village_id: int
    code: str
    deleted_at: str | None


def plan_row(c: Connection, scenario: int, village: str, file: str) -> PlanRow:
    """The plan's row, with the village's and the scenario's. :class:`InputError` for none."""
    found = c.execute(
        select(
            PLAN.c.id,
            PLAN.c.start,
            PLAN.c.state,
            PLAN.c.version,
            PLAN.c.position,
            PLAN.c.tip,
            VILLAGE.c.id.label("village_id"),
            VILLAGE.c.code,
            SCENARIO.c.deleted_at,
        )
        .join(VILLAGE, PLAN.c.village_id == VILLAGE.c.id)
        .join(SCENARIO, PLAN.c.scenario_id == SCENARIO.c.id)
        .where(PLAN.c.scenario_id == scenario, VILLAGE.c.code == village)
    ).first()
    if found is None:
        raise InputError([Problem("store-no-plan", file)])
    if not (isinstance(found.start, dict) and isinstance(found.state, dict)):
        raise DamagedError("a plan is none")
    return PlanRow(**found._mapping)


def check_version(c: Connection, row: PlanRow, base_version: int, file: str) -> None:
    """Raise :class:`Conflict` where the plan is no longer at ``base_version``."""
    if row.deleted_at is not None:
        raise InputError([Problem("store-deleted", file)])
    if row.version != base_version:
        last = c.execute(
            select(LOG.c.actor, LOG.c.name, LOG.c.at).where(
                LOG.c.plan_id == row.id, LOG.c.seq == row.version
            )
        ).first()
        who, what, when = tuple(last) if last is not None else ("", "", "")
        raise Conflict(who, what, when, row.version)


def parents_of(c: Connection, plan_id: int) -> Parents:
    """The step that each step follows, 0 for the start."""
    return {
        row.seq: row.parent
        for row in c.execute(
            select(LOG.c.seq, LOG.c.parent).where(
                LOG.c.plan_id == plan_id, LOG.c.record.is_not(None)
            )
        )
    }


def chain(parents: Parents, seq: int) -> list[int]:
    """The steps from the first to ``seq``. :class:`DamagedError` where it does not lead back."""
    way: list[int] = []
    while seq:
        if seq not in parents or parents[seq] >= seq:
            raise DamagedError(f"step {seq} follows no step")
        way.append(seq)
        seq = parents[seq]
    return way[::-1]


def records_of(c: Connection, plan_id: int, seqs: list[int]) -> dict[int, Record]:
    """Records by their number."""
    wanted = set(seqs)
    records = {
        row.seq: row.record
        for row in c.execute(
            select(LOG.c.seq, LOG.c.record).where(
                LOG.c.plan_id == plan_id, LOG.c.record.is_not(None)
            )
            if len(wanted) > 500  # SQLite takes only so many values in one statement
            else select(LOG.c.seq, LOG.c.record).where(
                LOG.c.plan_id == plan_id, LOG.c.seq.in_(wanted), LOG.c.record.is_not(None)
            )
        )
        if row.seq in wanted
    }
    if not all(isinstance(record, dict) for record in records.values()):
        raise DamagedError("a step is no record")
    return records


def grounds_for(
    c: Connection, row: PlanRow, states: list[Record], records: list[Record], known: Grounds
) -> Mapping[str, Units]:
    """All units that states and records speak of; those in memory already are not read again."""
    keys = {str(state.get("ground")) for state in states}
    keys.update(str(key) for record in records for key in record.get("ground", ()))
    held = {key: units for key in keys if (units := known.get(key)) is not None}
    missing = keys - held.keys()
    if missing:
        loaded = load_grounds(c, row.village_id, row.code, missing)
        known.update(loaded)
        held.update(loaded)
    return held


def open_plan(c: Connection, row: PlanRow, known: Grounds) -> Opened:
    """The plan with all its steps up to where redo leads."""
    parents = parents_of(c, row.id)
    way = chain(parents, row.tip)
    records = records_of(c, row.id, way)
    grounds = grounds_for(c, row, [row.start], list(records.values()), known)
    start = plan = plan_of(row.start, grounds)
    steps: list[Step] = []
    for seq in way:
        after = apply(records[seq], plan, grounds)
        steps.append(step_of(records[seq], plan, after, seq))
        plan = after
    place = chain(parents, row.position)
    if place != way[: len(place)]:
        raise DamagedError("the present step is not on the way to the last")
    history = History(start, tuple(steps)).goto(len(place))
    return Opened(history.present, history, row.version)


def save_step(c: Connection, row: PlanRow, step: Step, known: Grounds) -> int:
    """Append a step made on the present plan; returns the new version.

    ValueError where the step starts from another plan than the one at this version.
    """
    held = plan_of(row.state, {str(row.state["ground"]): step.before.units})
    if not same_plan(held, step.before):
        raise ValueError("the step starts from a plan that is not the stored one")
    save_ground(c, row.village_id, step.after.units)
    known[str(state_of(step.after)["ground"])] = step.after.units
    seq = row.version + 1
    entry = {
        "plan_id": row.id,
        "seq": seq,
        "parent": row.position,
        "name": step.name,
        "actor": step.actor,
        "at": step.time,
        "record": record_of(step),
    }
    c.execute(insert(LOG), entry)
    _settle(c, row.id, state_of(step.after), seq, seq, seq)
    return seq


def _settle(
    c: Connection, plan_id: int, state: Record, version: int, position: int, tip: int
) -> None:
    values = {"state": state, "version": version, "position": position, "tip": tip}
    c.execute(update(PLAN).where(PLAN.c.id == plan_id).values(**values))


def move(
    c: Connection, row: PlanRow, name: str, target: int, actor: str, known: Grounds
) -> int:
    """Make ``target`` the step in force (0: the start); returns the new version.

    Redo leads on along the way it led before, where ``target`` lies on it, else nowhere.
    KeyError where there is no such step.
    """
    parents = parents_of(c, row.id)
    if target and target not in parents:
        raise KeyError(target)
    if target == row.position:
        return row.version
    here, there = chain(parents, row.position), chain(parents, target)
    shared = sum(1 for a, b in zip(here, there, strict=False) if a == b)
    back, forth = here[shared:][::-1], there[shared:]
    records = records_of(c, row.id, back + forth)
    grounds = grounds_for(c, row, [row.state], list(records.values()), known)
    plan = plan_of(row.state, grounds)
    for seq in back:
        plan = apply(reverse(records[seq]), plan, grounds)
    for seq in forth:
        plan = apply(records[seq], plan, grounds)
    seq = row.version + 1
    tip = row.tip if target in {0, *chain(parents, row.tip)} else target
    entry = {
        "plan_id": row.id, "seq": seq, "parent": target, "name": name, "actor": actor,
        "at": now(), "record": None,
    }  # fmt: skip
    c.execute(insert(LOG), entry)
    _settle(c, row.id, state_of(plan), seq, target, tip)
    return seq


def undo_target(c: Connection, row: PlanRow) -> int:
    """The step in force after an undo; the present one where there is nothing to undo."""
    return parents_of(c, row.id).get(row.position, 0)


def redo_target(c: Connection, row: PlanRow) -> int:
    """The step in force after a redo; the present one where there is nothing to redo."""
    way = chain(parents_of(c, row.id), row.tip)
    ahead = way[way.index(row.position) + 1 :] if row.position else way
    return ahead[0] if ahead else row.position


def entries(c: Connection, row: PlanRow) -> list[Entry]:
    """The whole log of a plan, undone steps included, in the order of writing."""
    parents = parents_of(c, row.id)
    force = set(chain(parents, row.position))
    ahead = set(chain(parents, row.tip)) - force
    rows = c.execute(select(LOG).where(LOG.c.plan_id == row.id).order_by(LOG.c.seq))
    return [
        Entry(r.seq, r.parent, r.name, r.actor, r.at, r.seq in force, r.seq in ahead, r.record)
        for r in rows
    ]


def in_force(c: Connection, row: PlanRow) -> list[Record]:
    """The records that lead from the start to the present plan."""
    way = chain(parents_of(c, row.id), row.position)
    records = records_of(c, row.id, way)
    return [records[seq] for seq in way]


def replayed(c: Connection, row: PlanRow) -> Plan:
    """The plan that the log gives. :class:`RecordError` or :class:`DamagedError` if it fails."""
    # everything that ever happened, so that redo and goto are known to work too
    parents = parents_of(c, row.id)
    records = records_of(c, row.id, list(parents))
    nothing: Grounds = WeakValueDictionary()  # read again: what is in memory proves nothing
    grounds = grounds_for(c, row, [row.start, row.state], list(records.values()), nothing)
    plans = {0: plan_of(row.start, grounds)}
    for seq in sorted(records):
        if parents[seq] not in plans:
            raise DamagedError(f"step {seq} follows no step")
        plans[seq] = apply(records[seq], plans[parents[seq]], grounds)
    if row.position not in plans or row.position not in {0, *chain(parents, row.tip)}:
        raise DamagedError("the present step is not on the way to the last")
    if not same_plan(plans[row.position], plan_of(row.state, grounds)):
        raise RecordError("the steps lead to another plan than the one that is kept")
    return plans[row.position]
