"""How many beats each area gets: from a given number, today's beats, officers and the caps."""

from __future__ import annotations

import numpy as np

from geo.problems import Problem
from geo.segments import tally
from planning.beats.bounds import fewest_beats
from planning.beats.ground import BeatGround
from planning.beats.rules import Borders
from planning.beats.settings import BeatSettings
from planning.graph import IntArray


def numbers_of_beats(
    ground: BeatGround, settings: BeatSettings, rules: Borders, area: IntArray, fewest: int
) -> tuple[IntArray, list[Problem]]:
    """Beats of each area, shape (areas,), and what of the wishes could not be met.

    Given: shared by work, each area at least what its caps need. Else today's number in each
    area, or one a post where there are officers and no beats yet, never fewer than the caps need.
    """
    m = int(area.max(initial=-1)) + 1
    if not m:
        return np.empty(0, dtype=np.int64), []
    units, inside = ground.units, area >= 0
    nodes = np.array([len(np.unique(rules.together[area == i])) for i in range(m)])
    least = np.array(
        [
            fewest_beats(
                units.persons[area == i], ground.urban[area == i],
                settings.max_persons_urban, settings.max_persons_rural,
            )
            for i in range(m)
        ]
    )
    least = np.minimum(least, nodes)
    notes = _large_grids(ground, settings)
    work = tally(area[inside], ground.work.total[inside], m)
    if settings.beats is not None:
        wanted = settings.beats - len(rules.locked)
        return _given(settings.beats, wanted, least, nodes, work, fewest, notes), notes
    if ground.today is None:
        posts = _posts(ground)
        shared = _apportion(max(posts, int(least.sum())), least, nodes, work)
        return shared, notes
    count = _today(ground, area, m)
    return np.minimum(np.maximum(count, least), nodes), notes


def _today(ground: BeatGround, area: IntArray, m: int) -> IntArray:
    """Today's beats by the area that holds most of their work."""
    known = (ground.home >= 0) & (area >= 0)
    beats = len(ground.today.beats) if ground.today is not None else 0
    held = np.zeros((beats, m))
    mass = ground.work.total + 1e-9 * ground.units.area
    np.add.at(held, (ground.home[known], area[known]), mass[known])
    alive = np.flatnonzero(held.sum(axis=1) > 0)
    return np.bincount(held[alive].argmax(axis=1), minlength=m).astype(np.int64)


def _posts(ground: BeatGround) -> int:
    if ground.officers is None or "officers" not in ground.officers:
        return 0 if ground.officers is None else len(ground.officers)
    return int(ground.officers["officers"].fillna(1).sum())


def _given(
    asked: int,
    wanted: int,
    least: IntArray,
    nodes: IntArray,
    work: np.ndarray,
    fewest: int,
    notes: list[Problem],
) -> IntArray:
    if wanted < len(least):
        locked = asked - wanted
        params = {"asked": asked, "least": len(least) + locked}
        notes.append(Problem("beats-number", params=params, severity="warning"))
    if wanted > nodes.sum():
        params = {"asked": asked, "most": int(nodes.sum()) + asked - wanted}
        notes.append(Problem("beats-number-most", params=params, severity="warning"))
    if asked < max(fewest, int(least.sum()) + asked - wanted):
        needed = max(fewest, int(least.sum()) + asked - wanted)
        params = {"asked": asked, "least": needed, "short": needed - asked}
        notes.append(Problem("beats-number-caps", params=params, severity="warning"))
    floor = least if least.sum() <= wanted else np.ones_like(least)
    return _apportion(wanted, floor, nodes, work)


def _apportion(number: int, floor: IntArray, most: IntArray, work: np.ndarray) -> IntArray:
    """``number`` shared by work, one by one where a beat would hold most, between the bounds."""
    shares: IntArray = np.minimum(np.maximum(floor, 1), most).astype(np.int64)
    while shares.sum() < number and (shares < most).any():
        load = np.where(shares < most, (work + 1e-12) / shares, -1.0)
        shares[int(load.argmax())] += 1
    return shares


def _large_grids(ground: BeatGround, settings: BeatSettings) -> list[Problem]:
    """Grids that alone hold more residents than their beat may."""
    if not ground.counted:
        if settings.max_persons_urban or settings.max_persons_rural:
            return [Problem("beats-persons-unknown", severity="warning")]
        return []
    urban = np.inf if settings.max_persons_urban is None else settings.max_persons_urban
    rural = np.inf if settings.max_persons_rural is None else settings.max_persons_rural
    cap = np.where(ground.urban, urban, rural)
    # a rural grid may lie in an urban beat, so only the wider cap proves that it cannot be kept
    over = ground.units.persons - np.maximum(cap, np.where(ground.urban, cap, urban))
    large = np.flatnonzero(over > 0)
    if not len(large):
        return []
    worst = int(large[over[large].argmax()])
    params = {
        "count": len(large),
        "code": ground.grids["code"].iloc[worst],
        "persons": int(ground.units.persons[worst]),
        "limit": int(ground.units.persons[worst] - over[worst]),
    }
    return [Problem("beats-cap-grid", params=params, severity="warning")]
