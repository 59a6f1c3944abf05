"""A county's proposal: every village by itself, on as many workers as there are, then one plan.

Villages are independent, so the work is a map over them; the order in which they finish changes
nothing. What comes back is small: labels, codes and outlines.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.coverage import dissolve
from geo.enclosures import VillageGround
from geo.ground import Ground
from geo.linework import Linework
from geo.messages import register
from geo.problems import InputError, Problem
from geo.units import Units, build_units
from planning.bounds import four_bounds
from planning.carry import Upkeep, carry
from planning.codes import reading_order
from planning.graph import IntArray
from planning.measure import Measures, measure
from planning.micro import MicroGrids, micro_grids
from planning.plan import Grid
from planning.propose import Proposal, propose
from planning.rules import GridException, exceptions
from planning.settings import Settings
from planning.today import Today

register(
    {
        "village-uncuttable": (
            "{village} 无法划分({reason});请检查该村的边界和穿过它的道路、水系。",
            "{village} could not be divided ({reason}); check its boundary and the lines that "
            "cross it.",
        ),
    }
)


class Cancelled(Exception):  # noqa: N818 (not an error: somebody asked for it)
    """The run was stopped on request; nothing was written."""


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` villages, the last of them ``village``."""

    done: int
    total: int
    village: str


@dataclass(frozen=True)
class VillagePlan:
    """One village's units and plan. Labels follow reading order, dedicated grids last.

    ``outlines`` (k,) polygons of the grids; ``bounds`` (k,) their four bounds in words. Where
    grids were carried over from a plan of today, ``grids`` (k,) are their codes and names, and
    labels follow the codes; ``upkeep`` says what became of them.
    """

    units: Units
    proposal: Proposal
    measures: Measures
    outlines: NDArray[np.object_]
    bounds: list[str]
    exceptions: list[GridException]
    micro: MicroGrids | None = None
    grids: tuple[Grid, ...] = ()
    upkeep: Upkeep | None = None


@dataclass(frozen=True)
class CountyPlan:
    """A county's proposal: one :class:`VillagePlan` a village, in the ground's order.

    ``today`` the grids it was carried over from, if any.
    """

    ground: Ground
    settings: Settings
    villages: tuple[VillagePlan, ...]
    today: Today | None = None


def whole_units(settings: Settings) -> tuple[float, float]:
    """Households and persons up to which a compound or hamlet is cut as one unit.

    Up to the caps no grid will ever part it; micro-grids do, and need its buildings.
    """
    if settings.micro:
        return 0.0, 0.0
    return settings.max_households or np.inf, settings.max_persons or np.inf


def share_of(ground: Ground, village: int, settings: Settings) -> VillageGround:
    """A village's share of the ground, as its units are cut from it under ``settings``."""
    households, persons = whole_units(settings)
    return ground.village(village, keep_households=households, keep_persons=persons)


def plan_village(
    ground: VillageGround, lines: Linework, settings: Settings, set_names: list[str] | None = None
) -> VillagePlan:
    """Cut one village into units and propose its grids."""
    return describe(build_units(ground), lines, settings, set_names)


def describe(
    units: Units, lines: Linework, settings: Settings, set_names: list[str] | None = None
) -> VillagePlan:
    """Propose on given units, number the grids in reading order, and measure them."""
    proposal = in_reading_order(units, propose(units, settings))
    return _measured(units, proposal, lines, settings, set_names)


def carry_village(
    units: Units,
    ground: VillageGround,
    lines: Linework,
    settings: Settings,
    old: gpd.GeoDataFrame,
    *,
    name: str = "",
    used: frozenset[str] = frozenset(),
    band: float | None = None,
    set_names: list[str] | None = None,
) -> VillagePlan:
    """Carry today's grids (``old``) over to the village's units instead of proposing new ones."""
    carried = carry(
        units, old, settings, ground=ground, village_name=name, used=used, band=band
    )
    plan = _measured(carried.units, carried.proposal, lines, settings, set_names)
    return replace(plan, grids=carried.grids, upkeep=carried.upkeep)


def _measured(
    units: Units,
    proposal: Proposal,
    lines: Linework,
    settings: Settings,
    set_names: list[str] | None,
) -> VillagePlan:
    measures = measure(units, proposal.label, proposal.k)
    return VillagePlan(
        units=units,
        proposal=proposal,
        measures=measures,
        outlines=dissolve(units.geometry, proposal.label),
        bounds=four_bounds(
            units.segments, proposal.label, proposal.k, lines, proposal.dedicated
        ),
        exceptions=exceptions(units, proposal, measures, settings, set_names),
        micro=micro_grids(units, proposal, settings) if settings.micro else None,
    )


def in_reading_order(units: Units, proposal: Proposal) -> Proposal:
    """The same plan with labels 0.. from north to south and west to east, dedicated ones last."""
    k = proposal.k
    mass = np.maximum(np.bincount(proposal.label, weights=units.area, minlength=k), 1e-9)
    x = np.bincount(proposal.label, weights=units.area * units.x, minlength=k) / mass
    y = np.bincount(proposal.label, weights=units.area * units.y, minlength=k) / mass
    order: IntArray = np.concatenate(
        [
            rows[reading_order(x[rows], y[rows])]
            for rows in (
                np.flatnonzero(proposal.dedicated < 0),
                np.flatnonzero(proposal.dedicated >= 0),
            )
        ]
    )
    new = np.empty(k, dtype=np.int64)
    new[order] = np.arange(k)
    return Proposal(
        label=new[proposal.label],
        dedicated=proposal.dedicated[order],
        ideal=proposal.ideal[order],
        given=proposal.given,
        joined=proposal.joined[order],
        alone=proposal.alone[order],
        settlement=proposal.settlement,
    )


@dataclass(frozen=True)
class _Run:
    """All that a worker needs to plan any village. ``shares`` rows of today's grids a village."""

    ground: Ground
    settings: Settings
    names: list[str]
    today: Today | None = None
    shares: list[IntArray] = field(default_factory=list)
    band: float | None = None


# The run's ground, for workers forked from this process: they share its memory and are sent a
# number. Only a process without threads forks, so no second run can meet it here.
_shared: _Run | None = None


def _plan_one(run: _Run, village: int) -> VillagePlan:
    ground, settings, today = run.ground, run.settings, run.today
    name = str(ground.villages["name"].iloc[village])
    try:
        share = share_of(ground, village, settings)
        if today is None:
            return plan_village(share, ground.lines, settings, run.names)
        return carry_village(
            build_units(share), share, ground.lines, settings,
            today.grids.iloc[run.shares[village]],
            name=name, used=today.used, band=run.band, set_names=run.names,
        )
    except (ValueError, shapely.errors.GEOSException) as error:
        file = ground.layers["villages"].file.name if "villages" in ground.layers else ""
        params = {"village": name, "reason": str(error)[:200]}
        raise InputError([Problem("village-uncuttable", file, params=params)]) from error


def _plan_shared(village: int) -> VillagePlan:
    assert _shared is not None
    return _plan_one(_shared, village)


def propose_county(
    ground: Ground,
    settings: Settings,
    *,
    workers: int = 1,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    today: Today | None = None,
    band: float | None = None,
) -> CountyPlan:
    """Propose grids for every village; the same for any number of ``workers``.

    With ``today``'s grids, these are kept, and only those that break a rule (or are farther than
    ``band``, a share, from their village's even count) are changed (:mod:`planning.carry`).
    Raises :class:`Cancelled` soon after ``cancelled()`` turns true, :class:`InputError` naming
    the village whose ground could not be cut.
    """
    total = len(ground.villages)
    plans: dict[int, VillagePlan] = {}
    shares = [] if today is None else today.shares(ground.villages)
    run = _Run(ground, settings, list(ground.sets["name"]), today, shares, band)
    for village, plan in _results(run, workers, cancelled):
        plans[village] = plan
        if progress is not None:
            progress(Progress(len(plans), total, str(ground.villages["name"].iloc[village])))
    return CountyPlan(ground, settings, tuple(plans[i] for i in range(total)), today)


def _largest_first(ground: Ground) -> IntArray:
    size = np.bincount(ground.households["village"], minlength=len(ground.villages))
    return np.argsort(-size, kind="stable").astype(np.int64)


def _results(
    run: _Run, workers: int, cancelled: Callable[[], bool] | None
) -> Iterator[tuple[int, VillagePlan]]:
    """Village numbers and plans as they finish."""
    stop = cancelled or (lambda: False)
    todo = [int(i) for i in _largest_first(run.ground)]
    if workers <= 1 or len(todo) < 4:
        for village in todo:
            if stop():
                raise Cancelled
            yield village, _plan_one(run, village)
        return
    with _workers(run, workers) as submit:
        waiting: dict[Future[VillagePlan], int] = {}
        while todo or waiting:
            while todo and len(waiting) < 2 * workers:
                village = todo.pop(0)
                waiting[submit(village)] = village
            done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
            if stop():
                raise Cancelled
            for future in done:
                yield waiting.pop(future), future.result()


@contextmanager
def _workers(
    run: _Run, workers: int
) -> Iterator[Callable[[int], Future[VillagePlan]]]:
    """A way to submit villages: to forked processes where nothing else runs in this one, else to
    threads.

    A process with other threads (a web server) must not fork, and one started afresh would import
    its main program again. Threads serve nearly as well: geometry and search release the lock.
    """
    global _shared
    alone = threading.active_count() == 1
    pool: Executor
    if alone and "fork" in multiprocessing.get_all_start_methods():
        _shared = run
        pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))

        def submit(village: int) -> Future[VillagePlan]:
            return pool.submit(_plan_shared, village)

    else:
        pool = ThreadPoolExecutor(workers)

        def submit(village: int) -> Future[VillagePlan]:
            return pool.submit(_plan_one, run, village)

    try:
        yield submit
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if alone:
            _shared = None
