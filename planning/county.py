"""A county's proposal: every village by itself, on as many workers as there are, then one plan.

Villages are independent, so the work is a map over them; the order in which they finish changes
nothing. What comes back is small: labels, codes and outlines.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.ground import Ground
from geo.linework import Linework
from geo.units import Units, VillageGround, build_units, dissolve
from planning.bounds import four_bounds
from planning.codes import reading_order
from planning.graph import IntArray
from planning.measure import Measures, measure
from planning.micro import MicroGrids, micro_grids
from planning.propose import Proposal, propose
from planning.rules import GridException, exceptions
from planning.settings import Settings


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

    ``outlines`` (k,) polygons of the grids; ``bounds`` (k,) their four bounds in words.
    """

    units: Units
    proposal: Proposal
    measures: Measures
    outlines: NDArray[np.object_]
    bounds: list[str]
    exceptions: list[GridException]
    micro: MicroGrids | None = None


@dataclass(frozen=True)
class CountyPlan:
    """A county's proposal: one :class:`VillagePlan` a village, in the ground's order."""

    ground: Ground
    settings: Settings
    villages: tuple[VillagePlan, ...]


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
    measures = measure(units, proposal.label, proposal.k)
    return VillagePlan(
        units=units,
        proposal=proposal,
        measures=measures,
        outlines=dissolve(units.geometry, proposal.label),
        bounds=four_bounds(units.segments, proposal.label, proposal.k, lines),
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


# The ground of the run, for workers that were forked from this process and so share its memory.
_shared: tuple[Ground, Settings] | None = None


def _plan_shared(village: int) -> VillagePlan:
    assert _shared is not None
    ground, settings = _shared
    return plan_village(ground.village(village), ground.lines, settings, list(ground.sets["name"]))


def _plan_sent(
    ground: VillageGround, lines: Linework, settings: Settings, set_names: list[str]
) -> VillagePlan:
    return plan_village(ground, lines, settings, set_names)


def propose_county(
    ground: Ground,
    settings: Settings,
    *,
    workers: int = 1,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CountyPlan:
    """Propose grids for every village; the same for any number of ``workers``.

    Raises :class:`Cancelled` soon after ``cancelled()`` turns true, ValueError naming the village
    whose ground could not be cut.
    """
    total = len(ground.villages)
    plans: dict[int, VillagePlan] = {}
    for village, plan in _run(ground, settings, workers, cancelled):
        plans[village] = plan
        if progress is not None:
            progress(Progress(len(plans), total, str(ground.villages["name"].iloc[village])))
    return CountyPlan(ground, settings, tuple(plans[i] for i in range(total)))


def _largest_first(ground: Ground) -> IntArray:
    size = np.bincount(ground.households["village"], minlength=len(ground.villages))
    return np.argsort(-size, kind="stable").astype(np.int64)


def _run(
    ground: Ground,
    settings: Settings,
    workers: int,
    cancelled: Callable[[], bool] | None,
) -> Iterator[tuple[int, VillagePlan]]:
    """Village numbers and plans as they finish."""
    stop = cancelled or (lambda: False)
    todo = [int(i) for i in _largest_first(ground)]
    names = list(ground.sets["name"])
    if workers <= 1 or len(todo) < 4:
        for village in todo:
            if stop():
                raise Cancelled
            yield village, plan_village(ground.village(village), ground.lines, settings, names)
        return
    # Forking shares the ground for nothing, but only a process without other threads may fork.
    fork = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    global _shared
    _shared = (ground, settings) if fork else None
    context = multiprocessing.get_context("fork" if fork else "forkserver")
    waiting: dict[Future[VillagePlan], int] = {}
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            while todo or waiting:
                while todo and len(waiting) < 2 * workers:
                    village = todo.pop(0)
                    if fork:
                        future = pool.submit(_plan_shared, village)
                    else:
                        share = ground.village(village)
                        future = pool.submit(_plan_sent, share, ground.lines, settings, names)
                    waiting[future] = village
                done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                if stop():
                    raise Cancelled
                for future in done:
                    yield waiting.pop(future), future.result()
        finally:
            _shared = None
            pool.shutdown(wait=True, cancel_futures=True)
