"""Posts to beats: one community, one officer. Posts are codes, not people; no name is kept.

An officers table has one row a post (``post``, ``kind``, ``beat``, ``station``) or one row a beat
or station with a count (``officers``). A post goes to the beat it names, else to a beat of its
station, else anywhere; beats without a post first, then those with most work a post.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.messages import register
from geo.problems import Problem
from planning.beats.ground import BeatGround
from planning.beats.judge import Frame, load_of
from planning.graph import IntArray
from planning.plan import Plan

register(
    {
        "officers-few": (
            "{beats} 个警格中有 {short} 个没有岗位(如 {code});已安排 {posts} 个岗位。",
            "{short} of {beats} beats have no post (such as {code}); {posts} posts were placed.",
        ),
        "officers-much": (
            "{count} 个警格的每岗工作量超出幅度 {band:.0%}(最高的 {code} 为平均的 {times:.2f} "
            "倍)。",
            "{count} beats give a post more work than the band of {band:.0%} allows (most in "
            "{code}, {times:.2f} times the mean).",
        ),
        "officers-unknown-beat": (
            "{count} 个岗位所写的警格(如 {name})不存在,已按派出所或工作量安排。",
            "{count} posts name a beat that there is not (such as {name}); they were placed by "
            "station or by work.",
        ),
        "officers-lost-station": (
            "{count} 个岗位所写的派出所(如 {name})没有警格,暂未安排。",
            "{count} posts name a station without beats (such as {name}) and have no beat yet.",
        ),
    }
)

MOST_POSTS = 100_000


@dataclass(frozen=True)
class Posts:
    """``table``: post, kind, station, beat_code (blank where none). ``notes`` what is short."""

    table: pd.DataFrame
    notes: tuple[Problem, ...]

    def per_beat(self, plan: Plan) -> IntArray:
        """Posts of each beat in the order of the plan's keys, shape (k,)."""
        count = self.table["beat_code"].value_counts()
        codes = [plan.grids[int(key)].code for key in plan.keys]
        return np.array([int(count.get(code, 0)) for code in codes], dtype=np.int64)


def posts_of(officers: pd.DataFrame) -> pd.DataFrame:
    """One row a post: post, kind, station, beat, from a table of posts or of counts."""
    table = pd.DataFrame(index=officers.index)
    for name in ("post", "kind", "station", "beat"):
        values = officers[name].fillna("").astype(str).str.strip() if name in officers else ""
        table[name] = pd.Series(values, index=officers.index, dtype=object)
    count = pd.Series(1, index=officers.index)
    if "officers" in officers:
        count = pd.to_numeric(officers["officers"], errors="coerce").fillna(1).clip(0, MOST_POSTS)
    table = table.loc[np.repeat(table.index, count.astype(int))].reset_index(drop=True)
    blank = (table["post"] == "") | table["post"].duplicated(keep=False)
    numbers = [f"P{i + 1:04d}" for i in range(len(table))]
    table["post"] = table["post"].where(~blank, pd.Series(numbers, dtype=object))
    return table


def assign(ground: BeatGround, plan: Plan, rules: Frame) -> Posts | None:
    """Posts to beats, as the officers table names them and evenly by work where it does not.

    None where no officers table was read.
    """
    if ground.officers is None:
        return None
    table = posts_of(ground.officers)
    load = load_of(ground, plan, rules)
    codes = [plan.grids[int(key)].code for key in plan.keys]
    names = {grid.name: grid.code for grid in plan.grids.values()}
    known = {code: i for i, code in enumerate(codes)}
    station = _stations_of(ground, plan)
    given = np.zeros(len(codes), dtype=np.int64)
    place = np.full(len(table), -1, dtype=np.int64)
    asked = [known.get(names.get(b, b), -1) for b in table["beat"]]
    for row, beat in enumerate(asked):
        if beat >= 0:
            place[row] = beat
            given[beat] += 1
    notes = _lost(table, asked, station)
    for row in np.flatnonzero(place < 0).tolist():
        own = table["station"].iloc[row]
        among = [i for i in range(len(codes)) if not own or station[i] in ("", own)]
        if not among:
            continue
        beat = max(among, key=lambda i: (given[i] == 0, load.work[i] / (given[i] + 1), -i))
        place[row] = beat
        given[beat] += 1
    table["beat_code"] = [codes[i] if i >= 0 else "" for i in place]
    table["station"] = [
        own or (station[i] if i >= 0 else "")
        for own, i in zip(table["station"], place, strict=True)
    ]
    notes += _short(codes, given, load.work, rules.settings.band)
    return Posts(table[["post", "kind", "station", "beat_code"]], tuple(notes))


def _stations_of(ground: BeatGround, plan: Plan) -> list[str]:
    names = (*ground.stations, "")
    held = np.zeros((len(plan.keys), len(names)))
    np.add.at(held, (plan.compact, ground.station), ground.units.area)
    return [names[i] for i in held.argmax(axis=1)]


def _lost(table: pd.DataFrame, asked: list[int], station: list[str]) -> list[Problem]:
    notes = []
    wrong = (table["beat"] != "") & (np.array(asked, dtype=np.int64) < 0)
    if wrong.any():
        params = {"count": int(wrong.sum()), "name": table["beat"][wrong].iloc[0]}
        notes.append(Problem("officers-unknown-beat", params=params, severity="warning"))
    alone = (table["station"] != "") & ~table["station"].isin(station) & (np.array(asked) < 0)
    if alone.any() and any(station):
        params = {"count": int(alone.sum()), "name": table["station"][alone].iloc[0]}
        notes.append(Problem("officers-lost-station", params=params, severity="warning"))
    return notes


def _short(
    codes: list[str], given: IntArray, work: np.ndarray, band: float
) -> list[Problem]:
    """Beats without a post, and posts with more work than the band around the mean allows."""
    notes = []
    without = np.flatnonzero(given == 0)
    if len(without):
        params: dict[str, object] = {
            "posts": int(given.sum()), "beats": len(codes), "short": len(without),
            "code": codes[without[0]],
        }
        notes.append(Problem("officers-few", params=params, severity="warning"))
    if given.any():
        mean = work.sum() / given.sum()
        each = np.where(given > 0, work / np.maximum(given, 1), 0.0)
        much = np.flatnonzero(each > (1 + band) * mean)
        if len(much):
            worst = int(each.argmax())
            params = {
                "count": len(much), "band": band, "code": codes[worst],
                "times": float(each[worst] / mean),
            }
            notes.append(Problem("officers-much", params=params, severity="warning"))
    return notes
