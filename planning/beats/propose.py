"""Three divisions of the same grids into beats: least change, balanced, compact.

Contiguity is no term of a price but a rule of the search: every division it meets is in one piece
beat by beat. Band and caps are priced so high that a division that keeps them wins over any that
does not; what cannot be kept is listed with its amount (:mod:`planning.beats.describe`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.problems import Problem
from geo.segments import tally
from planning.beats.anneal import Area, Price, search
from planning.beats.bounds import fewest_beats
from planning.beats.ground import BeatGround
from planning.beats.judge import Frame, frame
from planning.beats.least import least_change, polished, price_at
from planning.beats.numbers import numbers_of_beats
from planning.beats.plan import BeatPlan, plan_of
from planning.beats.rules import Borders, node_graph
from planning.beats.settings import KINDS, BeatSettings, Kind
from planning.beats.starts import starts_of, todays_start
from planning.county import Cancelled
from planning.graph import FloatArray, IntArray
from planning.partition import village_seed

HOT = 0.3  # beats' worth of work, to start balanced and compact searches at


@dataclass(frozen=True)
class Effort:
    """How long to search: tried moves a node and start, starts, and the heat to cool down to,
    as a share of a usual grid's work; ``again`` how often to search on where a
    beat is still outside the band; ``rounds`` regions a beat that least change goes through again,
    with ``region_moves`` tried moves a node; ``threads`` change nothing but the time.

    Small areas are searched from more starts: there a single walk gets stuck between walls of
    contiguity, and time is cheap.
    """

    moves: int = 3_000
    least_moves: int = 100_000
    most_moves: int = 8_000_000
    starts: int = 4
    small_starts: int = 12
    small: int = 150
    cold: float = 2e-3
    again: int = 3
    rounds: int = 5
    region_moves: int = 300
    threads: int = 2


@dataclass(frozen=True)
class BeatProgress:
    """``done`` of ``total`` areas (stations, villages or the whole), by number of grids."""

    done: int
    total: int


class Kept(Protocol):
    """Where finished areas are kept for the next run (:mod:`planning.beats.resume`)."""

    def get(self, area: int, grids: int) -> tuple[IntArray, int] | None:
        """An area's beats of an earlier run, and their number."""
        ...

    def put(self, area: int, part: IntArray, k: int) -> None:
        """Keep a finished area."""
        ...


@dataclass(frozen=True)
class BeatProposal:
    """A division into beats and what it was made under.

    ``plan`` labels on grids; key i < number of today's beats is today's beat i. ``rules`` judge
    it, and whatever hands make of it; ``fewest`` beats that the caps need; ``notes`` wishes that
    could not be met.
    """

    plan: BeatPlan
    rules: Frame
    fewest: int
    notes: tuple[Problem, ...]


def price_of(settings: BeatSettings, kind: Kind, *, counted: bool) -> Price:
    """The search's price for a kind of proposal.

    The band is held with a hair to spare, so that rounding cannot push a beat over it.
    """
    urban = settings.max_persons_urban if counted else None
    rural = settings.max_persons_rural if counted else None
    base = Price(
        band=settings.band * (1 - 1e-6),
        cap_urban=np.inf if urban is None else float(urban),
        cap_rural=np.inf if rural is None else float(rural),
    )
    if kind == "least-change":
        return replace(base, step=2.0, moved=1.0, travel=0.002, border=0.002)
    if kind == "balanced":
        return replace(base, even=0.5 / settings.band**2, travel=0.5, border=0.1, moved=0.1)
    return replace(base, travel=1.0)


def propose_beats(
    ground: BeatGround,
    settings: BeatSettings,
    *,
    effort: Effort | None = None,
    progress: Callable[[BeatProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    kept: Kept | None = None,
) -> BeatProposal:
    """Divide the grids into beats of the kind that ``settings`` name.

    The same arguments give the same beats. Areas that ``kept`` holds are not divided again, and
    those that are finished are put there. Raises :class:`InputError` for rules that name what is
    not there or contradict each other outright, :class:`Cancelled` soon after ``cancelled()``.
    """
    effort = effort or Effort()
    n = len(ground)
    fewest = fewest_beats(
        ground.units.persons, ground.urban,
        settings.max_persons_urban, settings.max_persons_rural,
    )
    today = np.unique(ground.home[ground.home >= 0])
    usual = settings.beats or max(fewest, len(today), 1)
    judge = frame(ground, settings, usual)
    rules = judge.rules
    keep = ~np.isin(ground.home, rules.locked)
    area = np.full(n, -1, dtype=np.int64)
    area[keep] = np.unique(judge.area[keep], return_inverse=True)[1]
    numbers, notes = numbers_of_beats(ground, settings, rules, area, fewest)
    label = np.where(keep, -1, ground.home).astype(np.int64)
    next_key = 0 if ground.today is None else len(ground.today.beats)
    for number, k in enumerate(numbers.tolist()):
        if cancelled is not None and cancelled():
            raise Cancelled
        rows = np.flatnonzero(area == number)
        held = None if kept is None else kept.get(number, len(rows))
        if held is None:
            held = _divide(ground, settings, rules, rows, k, effort)
            if kept is not None:
                kept.put(number, *held)
        part, own_k = held
        keys, next_key = _keys(ground, rows, part, own_k, next_key)
        label[rows] = keys[part]
        if progress is not None:
            progress(BeatProgress(int((label >= 0).sum()), n))
    plan = plan_of(ground, label, rules.locked)
    return BeatProposal(plan, judge, fewest, (*rules.notes, *notes))


def propose_three(
    ground: BeatGround,
    settings: BeatSettings,
    *,
    effort: Effort | None = None,
    progress: Callable[[BeatProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[Kind, BeatProposal]:
    """All kinds side by side under one set of rules; least change only where there are beats."""
    kinds = KINDS if ground.today is not None else KINDS[1:]
    return {
        kind: propose_beats(
            ground, replace(settings, kind=kind),
            effort=effort, progress=progress, cancelled=cancelled,
        )
        for kind in kinds
    }


def _divide(
    ground: BeatGround,
    settings: BeatSettings,
    rules: Borders,
    rows: IntArray,
    k: int,
    effort: Effort,
) -> tuple[IntArray, int]:
    """Labels 0..k-1 of one area's grids; more beats than asked where the caps prove to need it.

    The bound on their number knows nothing of whole grids, so up to a few more are tried, unless
    their number was given.
    """
    tries = 1 if settings.beats is not None or not ground.counted else 4
    best: tuple[float, IntArray, int] | None = None
    for own_k in range(k, min(k + tries, len(rows) + 1)):
        label = divide_area(ground, settings, rules, rows, own_k, effort)
        over = _over_caps(ground, settings, rows, label, own_k)
        if best is None or over < best[0] - 1e-9:
            best = over, label, own_k
        if over <= 0:
            break
    assert best is not None
    return best[1], best[2]


def _over_caps(
    ground: BeatGround, settings: BeatSettings, rows: IntArray, label: IntArray, k: int
) -> float:
    """Residents over the caps, without what single grids hold over them anyway."""
    if not ground.counted:
        return 0.0
    persons = ground.units.persons[rows].astype(float)
    total = tally(label, persons, k)
    town = tally(label, persons * ground.urban[rows], k)
    urban = np.inf if settings.max_persons_urban is None else float(settings.max_persons_urban)
    rural = np.inf if settings.max_persons_rural is None else float(settings.max_persons_rural)
    over = np.maximum(total - np.where(2 * town >= total, urban, rural), 0.0)
    alone = np.bincount(label, minlength=k) == 1
    return float(over[~alone].sum())


def divide_area(
    ground: BeatGround,
    settings: BeatSettings,
    rules: Borders,
    rows: IntArray,
    k: int,
    effort: Effort,
) -> IntArray:
    """Divide one connected area into exactly k beats, shape (len(rows),)."""
    keep = np.zeros(len(ground), dtype=bool)
    keep[rows] = True
    work = ground.work.total[rows]
    if k <= 1:
        return np.zeros(len(rows), dtype=np.int64)
    if work.sum() <= 0:  # nobody's ground: even by area
        work = ground.units.area[rows]
    graph, node = node_graph(rules, keep, ground, float(work.sum()) / k)
    if not graph.households.any():
        graph = replace(graph, households=graph.area / graph.area.sum() * k)
    k = min(k, len(graph))
    persons = np.maximum(ground.units.persons[rows], 0) * ground.urban[rows]
    local = _local_homes(ground, rows, k)
    home = _majority(node, local, ground.work.total[rows] + 1e-9 * ground.units.area[rows], k)
    inner = np.flatnonzero(keep[rules.apart].all(axis=1))
    position = np.full(len(ground), -1, dtype=np.int64)
    position[rows] = node
    area = Area(graph, tally(node, persons, len(graph)), home, position[rules.apart[inner]])
    price = price_of(settings, settings.kind, counted=ground.counted)
    code = str(ground.grids["code"].iloc[rows[0]])
    seed = village_seed(f"{settings.kind}/{code}/{k}", settings.seed)
    return _best(area, k, price, settings.kind, seed, effort)[node]


def _local_homes(ground: BeatGround, rows: IntArray, k: int) -> IntArray:
    """Today's beats of an area as labels 0.., the k with most work in it; others are -1."""
    kept = kept_beats(ground, rows)[:k]
    home = ground.home[rows]
    label = np.full(len(rows), -1, dtype=np.int64)
    for i, beat in enumerate(sorted(kept.tolist())):
        label[home == beat] = i
    return label


def kept_beats(ground: BeatGround, rows: IntArray) -> IntArray:
    """Rows of today's beats that have most of their work in these grids, heaviest first."""
    home = ground.home
    if not (home[rows] >= 0).any():
        return np.empty(0, dtype=np.int64)
    mass = ground.work.total + 1e-9 * ground.units.area
    known = home >= 0
    whole = np.bincount(home[known], weights=mass[known])
    inside = rows[home[rows] >= 0]
    here = np.bincount(home[inside], weights=mass[inside], minlength=len(whole))
    main = np.flatnonzero((here > 0) & (here >= 0.5 * whole))
    return main[np.argsort(-here[main], kind="stable")].astype(np.int64)


def _majority(node: IntArray, label: IntArray, mass: FloatArray, k: int) -> IntArray:
    """The home of each node: the label that holds most of its grids' work, -1 none."""
    m = int(node.max()) + 1
    held = np.zeros((m, k + 1))
    np.add.at(held, (node, label), mass)  # -1 counts in the last column
    held[:, k] *= 0.999
    best = held.argmax(axis=1)
    return np.where(best == k, -1, best).astype(np.int64)


def _best(
    area: Area, k: int, price: Price, kind: Kind, seed: int, effort: Effort
) -> IntArray:
    """The cheapest of several searches."""
    n = len(area)
    moves = int(np.clip(effort.moves * n, effort.least_moves, effort.most_moves))
    runs = effort.small_starts if n <= effort.small else effort.starts
    grid = float(np.median(area.graph.households[area.graph.households > 0]))
    if kind == "least-change" and (area.home >= 0).any():
        return _nearest_today(area, k, price, seed, effort, moves, grid)
    starts = starts_of(area, k, seed, runs)

    def run(number: int) -> tuple[IntArray, float]:
        return search(
            area, starts[number], k, price,
            moves=moves, hot=HOT, cold=effort.cold * grid, seed=seed + number,
        )

    with ThreadPoolExecutor(effort.threads) as pool:  # the search releases the interpreter's lock
        found = list(pool.map(run, range(len(starts))))
    best, least = found[int(np.argmin([round(cost, 12) for _, cost in found]))]
    for again in range(effort.again):
        if _inside(area, best, k, price):
            break
        # warm again, from the best so far: most of it is right, and the rest has to give way
        label, cost = search(
            area, best, k, price,
            moves=2 * moves, hot=(0.5, 1.0, 2.0)[again % 3] * grid, cold=effort.cold * grid,
            seed=seed + runs + again, first=1.0,
        )
        if cost < least - 1e-12:
            best, least = label, cost
    return best


def _nearest_today(
    area: Area, k: int, price: Price, seed: int, effort: Effort, moves: int, grid: float
) -> IntArray:
    """Least change from today's beats; from other divisions where those stand in the way."""
    best, least = least_change(
        area, todays_start(area, k), k, price,
        moves=moves, rounds=effort.rounds, region_moves=effort.region_moves, grid=grid,
        seed=seed, threads=effort.threads,
    )
    if _inside(area, best, k, price):
        return best
    # even out from other starts, then home as far as the band allows
    even = replace(price, moved=0.05, even=0.5 / price.band**2, step=0.5)
    cold = effort.cold * grid
    starts = starts_of(area, k, seed, effort.starts)

    def run(start: IntArray) -> tuple[IntArray, float]:
        return search(area, start, k, even, moves=moves, hot=HOT, cold=cold, seed=seed)

    with ThreadPoolExecutor(effort.threads) as pool:
        tried = list(pool.map(run, starts))
    label, _ = search(
        area, min(tried, key=lambda pair: pair[1])[0], k, price,
        moves=2 * moves, hot=0.1 * grid, cold=cold, seed=seed + 1, first=1.0,
    )
    for number, start in enumerate((best, label)):
        label = polished(
            area, start, k, price, rounds=2 * effort.rounds * k,
            region_moves=effort.region_moves, grid=grid, seed=seed + 2 + number,
        )
        cost = price_at(area, label, k, price)
        if cost < least - 1e-12:
            best, least = label, cost
    return best


def _inside(area: Area, label: IntArray, k: int, price: Price) -> bool:
    """Whether every beat of several grids is inside the band; single grids cannot help it."""
    held = tally(label, area.graph.households, k)
    many = np.bincount(label, minlength=k) > 1
    return bool((np.abs(held - 1)[many] <= price.band + 1e-9).all())


def _keys(
    ground: BeatGround, rows: IntArray, part: IntArray, k: int, next_key: int
) -> tuple[IntArray, int]:
    """Keys for parts 0..k-1: today's beats by the work they share, new numbers for the rest."""
    kept = kept_beats(ground, rows)
    keys = np.full(k, -1, dtype=np.int64)
    if len(kept):
        column = np.full(int(kept.max()) + 1, -1, dtype=np.int64)
        column[kept] = np.arange(len(kept))
        home = ground.home[rows]
        known = np.isin(home, kept)
        shared = np.zeros((k, len(kept)))
        mass = ground.work.total[rows] + 1e-9 * ground.units.area[rows]
        np.add.at(shared, (part[known], column[home[known]]), mass[known])
        one, two = linear_sum_assignment(shared, maximize=True)
        real = shared[one, two] > 0
        keys[one[real]] = kept[two[real]]
    fresh = np.flatnonzero(keys < 0)
    keys[fresh] = next_key + np.arange(len(fresh))
    return keys, next_key + len(fresh)
