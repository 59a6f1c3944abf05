"""A division into beats as tables: beats, grids, changes against today, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.optimize import linear_sum_assignment

from geo.segments import tally
from planning.beats.anneal import mean_travel
from planning.beats.bounds import least_moved, least_moved_whole
from planning.beats.ground import BeatGround
from planning.beats.judge import BeatException, Frame, exceptions_of, load_of
from planning.graph import FloatArray, IntArray
from planning.plan import Plan


@dataclass(frozen=True)
class Summary:
    """A division in one row, to set beside another.

    ``worst`` largest share by which a beat's work is off its area's mean; ``inside`` share of
    beats inside the band; ``moved_work``, ``moved_persons`` (NaN unknown), ``moved_grids`` shares
    of what has a beat today that is now in another; ``bound``, ``bound_whole`` least share of
    work that any division with so many beats inside the band must move, without and with knowing
    that grids are whole and join a beat where they touch it; ``untouched`` beats of today that
    kept every grid and gained none;
    ``travel_m`` work's mean distance to its beat's centre, as the crow flies; ``broken`` beats
    in several pieces.
    """

    beats: int
    worst: float
    inside: float
    moved_work: float
    moved_persons: float
    moved_grids: float
    bound: float
    bound_whole: float
    untouched: int
    travel_m: float
    polsby_popper: float
    over_cap: int
    broken: int
    exceptions: int


def summary(ground: BeatGround, plan: Plan, rules: Frame) -> Summary:
    """The figures of a division."""
    load = load_of(ground, plan, rules)
    found = exceptions_of(ground, plan, rules)
    work, home = ground.work.total, ground.home
    known = home >= 0
    gone = known & (plan.label != home)
    travel, _ = mean_travel(
        work, ground.units.x, ground.units.y, plan.compact, len(plan.keys)
    )
    low = bounds_of(ground, plan, rules, load.band)
    persons = np.maximum(ground.units.persons, 0).astype(float)
    return Summary(
        beats=len(plan.keys),
        worst=float(np.abs(load.deviation).max()),
        inside=float((np.abs(load.deviation) <= load.band + 1e-9).mean()),
        moved_work=_share(work[gone].sum(), work[known].sum()),
        moved_persons=_share(persons[gone].sum(), persons[known].sum())
        if ground.counted
        else float("nan"),
        moved_grids=_share(gone.sum(), known.sum()),
        bound=_share(low[0], work[known].sum()),
        bound_whole=_share(low[1], work[known].sum()),
        untouched=int(_untouched(ground, plan).sum()),
        travel_m=float(travel / max(work.sum(), 1e-12)),
        polsby_popper=float(plan.measures.polsby_popper.mean()),
        over_cap=sum(e.rule == "max_persons" for e in found),
        broken=sum(e.rule == "parts" for e in found),
        exceptions=len(found),
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0


def bounds_of(ground: BeatGround, plan: Plan, rules: Frame, band: float) -> tuple[float, float]:
    """Least work to move, whichever way as many beats as the plan has are drawn inside the band.

    Area by area: with more beats than today the new ones lack all their work; with fewer, the
    lightest of today's give all of theirs. Without and with knowing that grids move whole and
    join a beat where they touch it.
    """
    if ground.today is None:
        return 0.0, 0.0
    work, area = ground.work.total, rules.area
    mass = work + 1e-9 * ground.units.area
    own = _area_of(plan.compact, area, mass, len(plan.keys))
    known = ground.home >= 0
    alive, home = np.unique(ground.home[known], return_inverse=True)
    old = _area_of(home, area[known], mass[known], len(alive))
    total = np.zeros(2)
    for number in np.unique(area).tolist():
        rows = np.flatnonzero(area == number)
        mean = float(work[rows].sum()) / max(int((own == number).sum()), 1)
        beats = alive[old == number]
        here = np.where(np.isin(ground.home[rows], beats), ground.home[rows], -1)
        label = np.where(here >= 0, np.searchsorted(beats, here), -1)
        more = int((own == number).sum()) - len(beats)
        held = tally(label[label >= 0], work[rows][label >= 0], len(beats))
        low, high = np.full(len(beats), mean * (1 - band)), np.full(len(beats), mean * (1 + band))
        gone = np.argsort(held, kind="stable")[: max(0, -more)]
        low[gone] = high[gone] = 0.0
        low = np.append(low, np.full(max(0, more), mean * (1 - band)))
        high = np.append(high, np.full(max(0, more), np.inf))
        # grids of other areas' beats move anyway, and may fill a gap like those without a beat
        foreign = float(work[rows][(label < 0) & (ground.home[rows] >= 0)].sum())
        free = float(work[rows][label < 0].sum())
        total += foreign
        total[0] += least_moved(work[rows], label, low, high, free)
        # fewer beats than today: which vanish is not known, so nothing about single gains is
        pairs = _within(rules, rows, len(work)) if more >= 0 else None
        total[1] += least_moved_whole(work[rows], label, low, high, free, pairs)
    return float(total[0]), float(total[1])


def _within(rules: Frame, rows: IntArray, n: int) -> IntArray:
    """Borders between these grids that may be inside a beat, as positions in ``rows``, (e, 2)."""
    place = np.full(n, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    pairs = np.column_stack([place[rules.rules.a], place[rules.rules.b]])
    return pairs[(pairs >= 0).all(axis=1)]


def _area_of(label: IntArray, area: IntArray, mass: FloatArray, k: int) -> IntArray:
    """The area that holds most of each label, shape (k,)."""
    held = np.zeros((k, int(area.max(initial=0)) + 1))
    np.add.at(held, (label, area), mass)
    best: IntArray = held.argmax(axis=1).astype(np.int64)
    return best


def _untouched(ground: BeatGround, plan: Plan) -> np.ndarray:
    """Of the plan's beats, which hold exactly the grids they hold today, shape (k,)."""
    changed = plan.label != ground.home
    touched = np.zeros(len(plan.keys), dtype=bool)
    touched[plan.compact[changed]] = True
    if ground.today is None:
        return np.zeros(len(plan.keys), dtype=bool)
    left = ground.home[changed & (ground.home >= 0)]
    touched |= np.isin(plan.keys, left)
    return ~touched & (plan.keys < len(ground.today.beats))


def beat_table(
    ground: BeatGround, plan: Plan, rules: Frame, officers: IntArray | None = None
) -> gpd.GeoDataFrame:
    """One row a beat, in the order of the plan's keys; columns as in beats.gpkg.

    ``officers`` (k,) posts of each beat, 0 where not given.
    """
    load, m = load_of(ground, plan, rules), plan.measures
    k, label = len(plan.keys), plan.compact
    said = _spoken(exceptions_of(ground, plan, rules))
    table = pd.DataFrame(
        {
            "code": [plan.grids[int(key)].code for key in plan.keys],
            "name": [plan.grids[int(key)].name for key in plan.keys],
            "station": _station(ground, label, k),
            "class": np.where(load.urban, "urban", "rural"),
            "grids": np.bincount(label, minlength=k),
            "households": m.households,
            "persons": pd.Series(load.persons, dtype="Int64").mask(load.persons < 0),
            "incidents": tally(label, ground.work.incidents, k).astype(np.int64),
            "workload": load.work,
            "workload_share": load.work / max(load.work.sum(), 1e-12),
            "workload_deviation": load.deviation,
            "max_persons": np.where(np.isfinite(load.cap), load.cap, np.nan),
            "room_persons": np.where(np.isfinite(load.cap), load.room_persons, np.nan),
            "room_work": load.room_work,
            "officers": np.zeros(k, dtype=np.int64) if officers is None else officers,
            "parts": m.parts,
            "area_m2": m.area_m2,
            "polsby_popper": m.polsby_popper,
            "reach_m": _reach(ground, label, k),
            "locked": [int(plan.grids[int(key)].locked) for key in plan.keys],
            "exceptions": [said.get(int(key), "") for key in plan.keys],
        }
    )
    return gpd.GeoDataFrame(table, geometry=list(plan.outlines()), crs=ground.crs)


def _spoken(found: list[BeatException]) -> dict[int, str]:
    rules: dict[int, set[str]] = {}
    for e in found:
        rules.setdefault(e.beat, set()).add(e.rule)
    return {beat: "; ".join(sorted(names)) for beat, names in rules.items()}


def _station(ground: BeatGround, label: IntArray, k: int) -> list[str]:
    """The station that holds most of each beat's ground, blank where none is known."""
    if not ground.stations:
        return [""] * k
    held = np.zeros((k, len(ground.stations) + 1))
    np.add.at(held, (label, ground.station), ground.units.area)
    names = (*ground.stations, "")
    return [names[i] for i in held.argmax(axis=1)]


def _reach(ground: BeatGround, label: IntArray, k: int) -> FloatArray:
    """Work-weighted root-mean-square distance to each beat's mean place, in metres."""
    units = ground.units
    mass = ground.work.total + 1e-9 * units.area
    total = tally(label, mass, k)
    x, y = tally(label, mass * units.x, k) / total, tally(label, mass * units.y, k) / total
    away = (units.x - x[label]) ** 2 + (units.y - y[label]) ** 2
    return np.sqrt(tally(label, mass * away, k) / total)


def grid_beats(ground: BeatGround, plan: Plan) -> pd.DataFrame:
    """grid_code, beat_code, previous_beat (null where none), moved 0/1 (0 where none)."""
    code = {key: grid.code for key, grid in plan.grids.items()}
    previous = [None if row < 0 else _today_code(ground, row) for row in ground.home.tolist()]
    moved = (ground.home >= 0) & (plan.label != ground.home)
    return pd.DataFrame(
        {
            "grid_code": ground.grids["code"].to_numpy(),
            "beat_code": [code[int(key)] for key in plan.label],
            "previous_beat": pd.Series(previous, dtype=object),
            "moved": moved.astype(np.int64),
        }
    )


def _today_code(ground: BeatGround, row: int) -> str:
    assert ground.today is not None
    return str(ground.today.beats["code"].iloc[row])


def beat_changes(ground: BeatGround, plan: Plan) -> pd.DataFrame:
    """Each beat against the beat of today it shares most work with, matched one to one.

    ``jaccard_area`` compares outlines; ``persons_kept``, ``workload_kept`` are what the beat holds
    of the matched one; ``grids_gained``, ``grids_lost``. A beat without a match is new, a last row
    without ``beat_code`` a beat of today that is gone.
    """
    columns = [
        "beat_code", "matched_previous", "jaccard_area", "persons_kept", "workload_kept",
        "grids_gained", "grids_lost", "untouched",
    ]
    if ground.today is None:
        return _changes([], columns)
    beats, k = ground.today.beats, len(plan.keys)
    match = matched(ground, plan)
    outline, work = plan.outlines(), ground.work.total
    persons = np.maximum(ground.units.persons, 0)
    rows: list[tuple[object, ...]] = []
    for i in range(k):
        code = plan.grids[int(plan.keys[i])].code
        if match[i] < 0:
            rows.append((code, None, 0.0, 0, 0.0, int((plan.compact == i).sum()), 0, 0))
            continue
        own, was = plan.compact == i, ground.home == match[i]
        old = beats.geometry.iloc[match[i]]
        shared = shapely.area(shapely.intersection(outline[i], old))
        union = shapely.area(outline[i]) + shapely.area(old) - shared
        kept, gained, lost = own & was, int((own & ~was).sum()), int((was & ~own).sum())
        rows.append(
            (
                code, beats["code"].iloc[match[i]], float(shared / union),
                int(persons[kept].sum()) if ground.counted else None, float(work[kept].sum()),
                gained, lost, int(not gained and not lost),
            )
        )
    alive = np.unique(ground.home[ground.home >= 0])
    for beat in np.setdiff1d(alive, match).tolist():
        count = int((ground.home == beat).sum())
        rows.append((None, beats["code"].iloc[beat], 0.0, 0, 0.0, 0, count, 0))
    return _changes(rows, columns)


def _changes(rows: list[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(
        {
            "beat_code": object, "matched_previous": object, "jaccard_area": float,
            "persons_kept": "Int64", "workload_kept": float, "grids_gained": int,
            "grids_lost": int, "untouched": int,
        }
    )


def matched(ground: BeatGround, plan: Plan) -> IntArray:
    """Row of the beat of today that continues in each beat, -1 for none, shape (k,).

    One to one with the most work, then ground, kept (Kuhn 1955, through scipy).
    """
    k = len(plan.keys)
    match = np.full(k, -1, dtype=np.int64)
    known = ground.home >= 0
    if ground.today is None or not known.any():
        return match
    shared = np.zeros((k, len(ground.today.beats)))
    mass = ground.work.total / max(ground.work.total.sum(), 1e-12)
    mass = mass + 1e-6 * ground.units.area / ground.units.area.sum()
    np.add.at(shared, (plan.compact[known], ground.home[known]), mass[known])
    one, two = linear_sum_assignment(shared, maximize=True)
    real = shared[one, two] > 0
    match[one[real]] = two[real]
    return match


def exception_table(plan: Plan, found: list[BeatException]) -> pd.DataFrame:
    """beat_code, rule, value, limit, reason."""
    rows = [(plan.grids[e.beat].code, e.rule, e.value, e.limit, e.reason) for e in found]
    table = pd.DataFrame(rows, columns=["beat_code", "rule", "value", "limit", "reason"])
    return table.astype(
        {"beat_code": object, "rule": object, "value": float, "limit": float, "reason": object}
    )
