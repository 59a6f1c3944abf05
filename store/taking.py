"""A plan taken into the store village by village: on all cores, resumed after a kill.

A city's villages are minutes of work. The project is made first and is told from others by
:data:`store.creation.UNFINISHED` in its provenance, so that no page finds it; villages come in a
few at a time, each time in one transaction, so that others go on saving meanwhile; with the last
of them it gets its mark. A run that was killed is taken up by the next one for the same plan,
ground and settings; what else was begun for that plan, or a week ago, is taken away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from geo.ground import Ground
from geo.problems import InputError, Problem
from planning.keep import NotKept
from planning.opened import Laid, Laying, open_village, plan_digest
from planning.planfile import PlanFile
from planning.resume import digest_of
from planning.running import Job, Lost, each
from planning.settings import Settings
from store import audit
from store.creation import (
    UNFINISHED,
    VillageRows,
    finish_project,
    insert_project,
    insert_villages,
    positions,
    retired_by_village,
    village_rows,
)
from store.located import announce_system
from store.projects import Created, Store
from store.schema import PROJECT, SCENARIO

TOGETHER = 2.0
"""Seconds of work that are kept in one transaction: what a kill can cost."""
OLD = timedelta(days=7)


@dataclass(frozen=True)
class Taken:
    """What came of it: the project, and what a foreign plan's grids lost on the way.

    ``not_kept`` of the villages that this run took in, ``before`` those that an earlier one had.
    """

    made: Created
    not_kept: tuple[NotKept, ...]
    before: int


@dataclass(frozen=True)
class _Parcel:
    laid: Laid
    position: int
    village: dict[str, object]
    retired: frozenset[str]


@dataclass(frozen=True)
class _Made:
    rows: VillageRows
    not_kept: tuple[NotKept, ...]


def _make(parcel: _Parcel) -> _Made:
    """One village as the store takes it: what every worker runs."""
    opened = open_village(parcel.laid)
    codes, names = [g.code for g in opened.plan.grids], [g.name for g in opened.plan.grids]
    rows = village_rows(
        parcel.village, parcel.position, opened.plan, codes, names, parcel.retired
    )
    return _Made(rows, opened.not_kept)


def take_in(
    place: str | Path,
    ground: Ground,
    plan: PlanFile,
    settings: Settings,
    name: str,
    *,
    actor: str = "",
    workers: int = 1,
    progress: Callable[[int, int, str], None] = lambda done, total, village: None,
) -> Taken:
    """Put a plan and its ground into the store at ``place``, as a project with one scenario.

    The same project as :meth:`store.projects.Store.create_project` makes of
    :func:`planning.opened.county_of_plan`, but for the numbers of its rows. ``progress`` is told
    villages done, in all, and the last one's name; what it raises ends the run, which the next one
    takes up. Raises :class:`InputError` where plan and ground do not belong together, and for
    villages that kill their worker.
    """
    laying = Laying(ground, plan, settings)
    mark = plan_digest(plan)
    what = f"{mark} {digest_of(ground, settings, laying.today)}"
    with Store(place) as store, store.writing() as c:
        made = _begun(c, mark, what) or Created(
            *insert_project(
                c, ground, settings, name, actor, plan.provenance, (UNFINISHED, what)
            )
        )
        announce_system(c)
        held = positions(c, made.project)
    todo = [row for row in _largest_first(ground) if row not in held]
    lost: list[NotKept] = []
    done = len(held)
    # the store is not held open meanwhile: workers are forked, and must not inherit a connection
    for bundle in _in_time(_villages(laying, todo, workers)):
        with Store(place) as store, store.writing() as c:
            insert_villages(c, made.project, made.scenario, [own.rows for own in bundle])
        for own in bundle:
            done += 1
            lost += own.not_kept
            progress(done, len(laying), str(own.rows.own["name"]))
    with Store(place) as store, store.writing() as c:
        if finish_project(c, made.project, mark, store.name):
            detail = {"name": name.strip(), "villages": len(laying)}
            audit.append(c, "project.create", f"project/{made.project}", detail, actor=actor)
    return Taken(made, tuple(lost), len(held))


def _largest_first(ground: Ground) -> list[int]:
    """Villages by their households: the longest must not be the last."""
    size = [-len(ground.rows_of(row)) for row in range(len(ground.villages))]
    return sorted(range(len(size)), key=size.__getitem__)


def _villages(laying: Laying, todo: list[int], workers: int) -> Iterator[_Made]:
    """Villages as they are done. Raises :class:`InputError` for those that kill their worker."""
    known = frozenset(laying.ground.villages["code"].astype(str))
    retired = retired_by_village(laying.today.used, known)
    columns = {name: laying.ground.villages[name].to_numpy() for name in (
        "code", "name", "township_name", "class_code", "geometry")}  # fmt: skip

    def parcel(row: int) -> _Parcel:
        village = {name: column[row] for name, column in columns.items()}
        own = retired.get(str(village["code"]), frozenset())
        return _Parcel(laying.parcel(row), row, village, own)

    killed: list[int] = []
    for row, made in each(Job(parcel, _make), todo, workers=workers):
        if isinstance(made, Lost):
            killed.append(row)
        else:
            yield made
    if killed:
        raise InputError(
            Problem("village-kills-worker", params={"village": laying.name(row)}) for row in killed
        )


def _in_time(villages: Iterator[_Made]) -> Iterator[list[_Made]]:
    """Villages in bundles of :data:`TOGETHER` seconds; the last one also where the run fails."""
    bundle: list[_Made] = []
    begun = time.monotonic()
    try:
        for own in villages:
            bundle.append(own)
            if time.monotonic() - begun >= TOGETHER:
                yield bundle
                bundle, begun = [], time.monotonic()
    except InputError:
        if bundle:
            yield bundle
        raise
    if bundle:
        yield bundle


def _begun(c: Connection, mark: str, what: str) -> Created | None:
    """The project that an earlier run began of the very same; others of this plan are deleted."""
    found = None
    oldest = datetime.now(UTC) - OLD
    query = select(PROJECT.c.id, PROJECT.c.provenance, PROJECT.c.created_at)
    for row in c.execute(query.order_by(PROJECT.c.id)).all():
        told = next((text for key, text in row.provenance if key == UNFINISHED), None)
        if told == what and found is None:
            first = select(SCENARIO.c.id).where(SCENARIO.c.project_id == row.id)
            found = Created(row.id, int(c.execute(first).scalars().first() or 0))
        elif told is not None and (
            told.startswith(f"{mark} ") or datetime.fromisoformat(row.created_at) < oldest
        ):
            c.execute(PROJECT.delete().where(PROJECT.c.id == row.id))
    return found
