"""What a division into beats breaks, beat by beat, with the amount and the reason.

Any labels are judged, a proposal's as well as those drawn by hand; nothing is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.coverage import components
from geo.segments import tally
from planning.beats.ground import BeatGround
from planning.beats.rules import Borders, borders, pens
from planning.beats.settings import BeatSettings
from planning.graph import FloatArray, IntArray
from planning.plan import Plan

BEAT_RULES: dict[str, tuple[str, str]] = {
    # rule: (Chinese, English) name for lists
    "parts": ("不连片", "not in one piece"),
    "max_persons": ("人口超上限", "over the cap on residents"),
    "workload_band": ("工作量超出幅度", "work outside the band"),
    "crossing": ("跨派出所或村界", "crosses a station's or village's border"),
    "apart": ("应分格的网格同格", "holds grids that must be apart"),
    "together": ("应同格的网格被分开", "parts grids that must be together"),
}


@dataclass(frozen=True)
class BeatException:
    """One rule that one beat breaks. ``beat`` its key; ``reason`` in both languages."""

    beat: int
    rule: str
    value: float
    limit: float
    reason: str


@dataclass(frozen=True)
class Frame:
    """The rules of one ground as arrays, worked out once and used after every edit.

    ``area`` (n,) number of the connected ground each grid may share beats with (a locked beat is
    ground of its own); ``pen`` (n,) the
    ground no beat may leave; ``allowed`` borders without ``tied`` ones.
    """

    settings: BeatSettings
    rules: Borders
    area: IntArray
    pen: IntArray


def frame(ground: BeatGround, settings: BeatSettings, beats: int) -> Frame:
    """The rules for about ``beats`` beats. Raises :class:`InputError` as :func:`borders` does."""
    rules = borders(ground, settings, float(ground.work.total.sum()) / max(beats, 1))
    locked = np.where(np.isin(ground.home, rules.locked), ground.home, -1)
    inside = locked[rules.a] == locked[rules.b]
    area = components(len(ground), rules.a[inside], rules.b[inside])
    return Frame(settings, rules, area, pens(ground, settings))


@dataclass(frozen=True)
class Load:
    """What each beat holds against what it may, arrays (k,) in the order of the plan's keys.

    ``work``; ``mean`` work of the mean beat of its area; ``persons`` (-1 unknown); ``urban``;
    ``cap`` on residents (inf for none). ``deviation`` is work / mean - 1.
    """

    work: FloatArray
    mean: FloatArray
    persons: IntArray
    urban: NDArray[np.bool_]
    cap: FloatArray
    band: float

    @property
    def deviation(self) -> FloatArray:
        """How far each beat's work lies from its area's mean, as a share of it."""
        return np.where(self.mean > 0, self.work / np.maximum(self.mean, 1e-12) - 1, 0.0)

    @property
    def room_persons(self) -> FloatArray:
        """Residents that each beat may still take; negative over the cap, NaN where unknown."""
        return np.where(self.persons < 0, np.nan, self.cap - self.persons)

    @property
    def room_work(self) -> FloatArray:
        """Work that each beat may still take inside the band; negative above it."""
        return np.asarray(self.mean * (1 + self.band) - self.work)


def load_of(ground: BeatGround, plan: Plan, rules: Frame) -> Load:
    """Work, residents, class and caps of every beat. O(grids)."""
    label, k, settings = plan.compact, len(plan.keys), rules.settings
    work = tally(label, ground.work.total, k)
    persons = tally(label, np.maximum(ground.units.persons, 0), k)
    town = tally(label, np.maximum(ground.units.persons, 0) * ground.urban, k)
    if not persons.any():  # class by households, or by ground
        mass = ground.units.households if ground.units.households.any() else ground.units.area
        persons_like, town = tally(label, mass, k), tally(label, mass * ground.urban, k)
    else:
        persons_like = persons
    urban = 2 * town >= persons_like
    caps = settings.max_persons_urban, settings.max_persons_rural
    cap = np.where(urban, *(np.inf if c is None else float(c) for c in caps))
    return Load(
        work=work,
        mean=_means(ground, plan, rules, work),
        persons=persons.astype(np.int64) if ground.counted else np.full(k, -1, dtype=np.int64),
        urban=urban,
        cap=cap,
        band=settings.band,
    )


def _means(ground: BeatGround, plan: Plan, rules: Frame, work: FloatArray) -> FloatArray:
    """Work of the mean beat of each beat's area; a beat counts in the area of most of its work."""
    k, m = len(plan.keys), int(rules.area.max()) + 1
    held = np.zeros((k, m))
    mass = ground.work.total + 1e-9 * ground.units.area
    np.add.at(held, (plan.compact, rules.area), mass)
    own = held.argmax(axis=1)
    count = np.bincount(own, minlength=m)
    whole = tally(own, work, m)
    return np.asarray((whole / np.maximum(count, 1))[own])


def exceptions_of(ground: BeatGround, plan: Plan, rules: Frame) -> list[BeatException]:
    """Every rule that the beats break, by beat and rule, with the reason."""
    load = load_of(ground, plan, rules)
    found = [
        *_parts(plan, rules),
        *_caps(ground, plan, load),
        *_band(ground, plan, load),
        *_crossing(plan, rules),
        *_pairs(ground, plan, rules),
    ]
    order = {rule: i for i, rule in enumerate(BEAT_RULES)}
    return sorted(found, key=lambda e: (e.beat, order[e.rule]))


def _parts(plan: Plan, rules: Frame) -> list[BeatException]:
    """Beats whose grids no crossable border joins; islands that were tied are told as such."""
    n, label = len(plan.units), plan.compact
    same = label[rules.rules.a] == label[rules.rules.b]
    with_ties = _pieces(n, rules.rules.a[same], rules.rules.b[same], label)
    tied = {tuple(sorted(pair)) for pair in rules.rules.tied.tolist()}
    pairs = zip(rules.rules.a.tolist(), rules.rules.b.tolist(), strict=True)
    real = same & np.array([pair not in tied for pair in pairs], dtype=bool)
    pieces = _pieces(n, rules.rules.a[real], rules.rules.b[real], label)
    found = []
    for i in np.flatnonzero(pieces > 1).tolist():
        if with_ties[i] == 1:
            reason = (
                f"{pieces[i] - 1} 处孤立地块过小,不足以单独成警格,并入最近的警格 / "
                f"{pieces[i] - 1} pieces apart, too small for a beat, joined the nearest one"
            )
        else:
            reason = "各部分之间没有可用的公共边界 / no border that may be crossed joins its parts"
        found.append(BeatException(int(plan.keys[i]), "parts", float(pieces[i]), 1, reason))
    return found


def _pieces(n: int, a: IntArray, b: IntArray, label: IntArray) -> IntArray:
    piece = components(n, a, b)
    owner = np.unique(np.column_stack([label, piece]), axis=0)[:, 0]
    return np.bincount(owner, minlength=int(label.max()) + 1).astype(np.int64)


def _caps(ground: BeatGround, plan: Plan, load: Load) -> list[BeatException]:
    if not ground.counted:
        return []
    found = []
    for i in np.flatnonzero(load.persons > load.cap).tolist():
        inside = plan.compact == i
        largest = int(ground.units.persons[inside].max())
        over = int(load.persons[i] - load.cap[i])
        if largest > load.cap[i]:
            reason = (
                f"其中一个网格就有 {largest} 人,超过上限 {largest - load.cap[i]:.0f} 人 / "
                f"one of its grids alone holds {largest}, {largest - load.cap[i]:.0f} over the cap"
            )
        else:
            reason = (
                f"超出 {over} 人;相邻警格没有余量,或警格数不足 / {over} over; its neighbours "
                "have no room, or there are too few beats"
            )
        found.append(
            BeatException(
                int(plan.keys[i]), "max_persons", float(load.persons[i]), float(load.cap[i]), reason
            )
        )
    return found


def _band(ground: BeatGround, plan: Plan, load: Load) -> list[BeatException]:
    found = []
    off = load.deviation
    for i in np.flatnonzero(np.abs(off) > load.band + 1e-9).tolist():
        share = (1 + load.band) if off[i] > 0 else (1 - load.band)
        limit = float(load.mean[i] * share)
        found.append(
            BeatException(
                int(plan.keys[i]), "workload_band", float(load.work[i]), limit,
                _band_reason(ground, plan, load, i, limit),
            )
        )
    return found


def _band_reason(ground: BeatGround, plan: Plan, load: Load, i: int, limit: float) -> str:
    """Why this beat is outside: a grid too large, a cap that contradicts, or grids too coarse."""
    inside = plan.compact == i
    work, off = float(load.work[i]), float(load.deviation[i])
    largest = float(ground.work.total[inside].max())
    if off > 0 and largest > limit:
        return (
            f"其中一个网格的工作量 {largest:.0f} 已超出上限 {limit:.0f} / one of its grids alone "
            f"has {largest:.0f} of work, the band ends at {limit:.0f}"
        )
    if off > 0 and inside.sum() == 1:
        return "只有一个网格,不能再分 / a single grid, which cannot be divided"
    if off < 0 and ground.counted and np.isfinite(load.cap[i]) and work > 0:
        needed = load.persons[i] * limit / work  # residents it would have with enough work
        if needed > load.cap[i]:
            return (
                f"与人口上限矛盾:达到幅度约需 {needed:.0f} 人,上限 {load.cap[i]:.0f} 人,"
                f"差 {needed - load.cap[i]:.0f} 人 / contradicts the cap on residents: enough work "
                f"comes with about {needed:.0f} of them, {needed - load.cap[i]:.0f} over the cap "
                f"of {load.cap[i]:.0f}"
            )
    gap = abs(work - limit)
    return (
        f"差 {gap:.0f}({gap / max(load.mean[i], 1e-9):.1%});未找到保持连片的整格组合 / "
        f"{gap:.0f} short of the band ({gap / max(load.mean[i], 1e-9):.1%} of the mean); no union "
        "of whole grids in one piece was found that closes it"
    )


def _crossing(plan: Plan, rules: Frame) -> list[BeatException]:
    """Beats with ground in two stations, or in two villages or townships where none may cross."""
    owner = np.unique(np.column_stack([plan.compact, rules.pen]), axis=0)[:, 0]
    count = np.bincount(owner, minlength=len(plan.keys))
    reason = (
        "含有不同派出所辖区或村(社区)的网格 / holds grids of several stations, townships or "
        "villages"
    )
    return [
        BeatException(int(plan.keys[i]), "crossing", float(count[i]), 1, reason)
        for i in np.flatnonzero(count > 1)
    ]


def _pairs(ground: BeatGround, plan: Plan, rules: Frame) -> list[BeatException]:
    code, found = ground.grids["code"].to_numpy(), []
    for a, b in rules.rules.apart.tolist():
        if plan.label[a] == plan.label[b]:
            found.append(
                BeatException(int(plan.label[a]), "apart", 2, 1, f"{code[a]} / {code[b]}")
            )
    together = rules.rules.together
    for number in np.flatnonzero(np.bincount(together) > 1).tolist():
        keys = np.unique(plan.label[together == number])
        if len(keys) > 1:
            reason = ", ".join(code[together == number])
            found.append(BeatException(int(keys[0]), "together", float(len(keys)), 1, reason))
    return found
