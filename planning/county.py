"""A county's proposal: every village by itself, on as many workers as there are, then one plan.

Villages are independent, so the work is a map over them; the order in which they finish changes
nothing. What comes back is small: labels, codes and outlines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Protocol

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
from geo.segments import Edges, Segments
from geo.units import Units, build_units
from planning.bounds import BESIDE_M, four_bounds
from planning.carry import Upkeep, carry
from planning.codes import reading_order
from planning.graph import IntArray
from planning.measure import Measures, measure
from planning.micro import MicroGrids, micro_grids
from planning.micro_follow import kept_micro
from planning.packing import as_binary
from planning.plan import Grid
from planning.propose import Proposal, propose
from planning.rules import GridException, exceptions
from planning.running import Cancelled, Elsewhere, Job, Lost, each
from planning.settings import Settings
from planning.today import Today

register(
    {
        "village-uncuttable": (
            "{village} 无法划分({reason});请检查该村的边界和穿过它的道路、水系。",
            "{village} could not be divided ({reason}); check its boundary and the lines that "
            "cross it.",
        ),
        "village-kills-worker": (
            "{village} 使计算进程中途退出(多为内存不足);其余村已算好并保留,请检查该村的数据后"
            "再次运行。",
            "{village} killed the process that planned it (out of memory?); the other villages "
            "are done and kept. Check this village's data and run again.",
        ),
    }
)

__all__ = ["Cancelled", "CountyPlan", "Progress", "VillagePlan", "propose_county"]

#: names of must-stay-together sets by their number
Names = Mapping[int, str] | Sequence[str] | None


class Kept(Protocol):
    """Where finished villages are kept for the next run (:mod:`planning.resume`)."""

    def get(self, village: int) -> VillagePlan | None:
        """A village's plan of an earlier run."""
        ...

    def put(self, village: int, plan: VillagePlan) -> None:
        """Keep a finished village."""
        ...


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
    ground: VillageGround, lines: Linework, settings: Settings, set_names: Names = None
) -> VillagePlan:
    """Cut one village into units and propose its grids."""
    return describe(build_units(ground), lines, settings, set_names)


def describe(
    units: Units, lines: Linework, settings: Settings, set_names: Names = None
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
    set_names: Names = None,
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
    set_names: Names,
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
class Parcel:
    """All that planning one village depends on, and nothing of the rest of the county.

    ``lines`` the lines in and near it, ``rows`` (n,) their numbers in the county's; the ground's
    own line numbers count in ``lines``. ``sets`` the names of its sets by number. ``old`` today's
    grids in it, ``used`` codes that no new grid may have. ``shapes`` whether the units' shapes and
    borders come back with the plan.
    """

    share: VillageGround
    lines: Linework
    rows: IntArray
    name: str
    file: str
    settings: Settings
    sets: dict[int, str]
    old: gpd.GeoDataFrame | None = None
    used: frozenset[str] = frozenset()
    band: float | None = None
    shapes: bool = True

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is sent: shapes as binary, whatever else as it is."""
        parts = (getattr(self, f.name) for f in fields(self))
        # settings are checked when they are made, and hold no shapes
        return Parcel, tuple(p if isinstance(p, Settings) else as_binary(p) for p in parts)


def plan_parcel(parcel: Parcel) -> VillagePlan:
    """Plan one village from its parcel: the one function that every worker runs.

    Raises :class:`InputError` naming the village whose ground could not be cut.
    """
    try:
        if parcel.old is None:
            plan = plan_village(parcel.share, parcel.lines, parcel.settings, parcel.sets)
        else:
            plan = carry_village(
                build_units(parcel.share), parcel.share, parcel.lines, parcel.settings,
                parcel.old, name=parcel.name, used=parcel.used, band=parcel.band,
                set_names=parcel.sets,
            )  # fmt: skip
    except (ValueError, shapely.errors.GEOSException) as error:
        params = {"village": parcel.name, "reason": str(error)[:200]}
        raise InputError([Problem("village-uncuttable", parcel.file, params=params)]) from error
    if not parcel.shapes:
        return _without_shapes(plan)
    return _with_county_lines(plan, parcel.rows)


def _without_shapes(plan: VillagePlan) -> VillagePlan:
    """The plan with its units' counts alone: their shapes and borders are most of what is sent."""
    units = plan.units
    none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
    bare = replace(
        units,
        geometry=np.full(len(units), None, dtype=object),
        edges=Edges(none, none, nothing, nothing),
        segments=Segments(none, none, nothing, nothing, nothing, nothing, none),
    )
    return replace(plan, units=bare)


def _with_county_lines(plan: VillagePlan, rows: IntArray) -> VillagePlan:
    """The plan with its borders naming lines by their number in the county."""
    segments = plan.units.segments
    if not len(rows):
        return plan
    line = np.where(segments.line >= 0, rows[segments.line], -1)
    return replace(plan, units=replace(plan.units, segments=replace(segments, line=line)))


@dataclass(frozen=True)
class _Run:
    """A county to be planned. ``shares`` rows of today's grids a village."""

    ground: Ground
    settings: Settings
    names: NDArray[np.object_]
    today: Today | None = None
    shares: list[IntArray] = field(default_factory=list)
    band: float | None = None
    shapes: bool = True

    @cached_property
    def called(self) -> list[str]:
        """Names of the villages: a table asked village by village is slow to answer."""
        return [str(name) for name in self.ground.villages["name"]]

    def parcel(self, village: int) -> Parcel:
        """One village's parcel."""
        ground, today = self.ground, self.today
        share = share_of(ground, village, self.settings)
        rows = ground.lines_near(village, BESIDE_M)
        own = np.union1d(share.set_id[share.set_id >= 0], share.whole_id)
        return Parcel(
            share=replace(share, line_id=np.searchsorted(rows, share.line_id)),
            lines=ground.lines.only(rows),
            rows=rows,
            name=str(ground.villages["name"].iloc[village]),
            file=ground.layers["villages"].file.name if "villages" in ground.layers else "",
            settings=self.settings,
            sets={int(i): str(self.names[i]) for i in own},
            old=None if today is None else today.grids.iloc[self.shares[village]],
            used=frozenset() if today is None else today.used,
            band=self.band,
            shapes=self.shapes,
        )


def propose_county(
    ground: Ground,
    settings: Settings,
    *,
    workers: int = 1,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    today: Today | None = None,
    band: float | None = None,
    kept: Kept | None = None,
    elsewhere: Elsewhere | None = None,
    shapes: bool = True,
) -> CountyPlan:
    """Propose grids for every village; the same for any number of ``workers``, here or elsewhere.

    Without ``shapes``, units come back with their counts and without shapes and borders, where
    nothing more is to be asked of them: all that the tables of a plan need, and a third of what is
    sent. (Ready-made areas and micro-grids of ``today`` need the shapes; then they come anyway.)

    With ``today``'s grids, these are kept, and only those that break a rule (or are farther than
    ``band``, a share, from their village's even count) are changed (:mod:`planning.carry`).
    Villages that ``kept`` holds are not planned again, and those that finish are put there.
    Raises :class:`Cancelled` soon after ``cancelled()`` turns true, :class:`InputError` naming
    the village whose ground could not be cut, or those that killed their workers (after all
    others are done).
    """
    total = len(ground.villages)
    shares = [] if today is None else today.shares(ground.villages)
    shapes = shapes or ground.areas is not None or (today is not None and today.micro is not None)
    run = _Run(ground, settings, ground.sets["name"].to_numpy(), today, shares, band, shapes)
    plans: dict[int, VillagePlan] = {}
    lost: list[int] = []
    for village, plan in _kept_and_made(run, workers, cancelled, kept, elsewhere):
        if isinstance(plan, Lost):
            lost.append(village)
            continue
        plans[village] = plan
        if progress is not None:
            progress(Progress(len(plans), total, str(ground.villages["name"].iloc[village])))
    if lost:
        file = ground.layers["villages"].file.name if "villages" in ground.layers else ""
        names = [str(ground.villages["name"].iloc[i]) for i in lost]
        raise InputError(
            Problem("village-kills-worker", file, params={"village": name}) for name in names
        )
    own = tuple(_with_micro(plans[i], settings, today) for i in range(total))
    return CountyPlan(ground, settings, own, today)


def _with_micro(plan: VillagePlan, settings: Settings, today: Today | None) -> VillagePlan:
    """A village with today's micro-grids, where today has any: they are numbers people know."""
    if today is None or today.micro is None or not settings.micro:
        return plan
    units, label = plan.units, plan.proposal.label
    micro = kept_micro(units, label, plan.grids, today.micro, settings.micro)
    return replace(plan, micro=micro)


def _kept_and_made(
    run: _Run,
    workers: int,
    cancelled: Callable[[], bool] | None,
    kept: Kept | None,
    elsewhere: Elsewhere | None,
) -> Iterator[tuple[int, VillagePlan | Lost]]:
    """Village numbers and plans: first those kept from an earlier run, then as they finish."""
    todo = []
    for village in _largest_first(run.ground):
        held = None if kept is None else kept.get(int(village))
        if held is None:
            todo.append(int(village))
        else:
            yield int(village), held
    job = Job(run.parcel, plan_parcel)
    stop = cancelled or (lambda: False)
    for village, plan in each(job, todo, workers=workers, elsewhere=elsewhere, stop=stop):
        if kept is not None and not isinstance(plan, Lost):
            kept.put(village, plan)
        yield village, plan


def _largest_first(ground: Ground) -> IntArray:
    size = np.bincount(ground.households["village"], minlength=len(ground.villages))
    return np.argsort(-size, kind="stable").astype(np.int64)
