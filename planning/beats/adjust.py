"""When grids are redrawn, beats follow: the same beats on the new grids, and what changed.

A beat stays where it was on the ground. Each new grid goes to the beat that holds most of its
households (ground, where nobody lives); what that breaks is mended by giving stray pieces to the
neighbour around them. Beats and grids may then be adjusted together: least change from the beats
carried over, inside band and caps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.segments import tally
from planning.beats.ground import BeatGround, BeatInputs, grid_points, load_beat_ground
from planning.beats.judge import BeatException, Frame, exceptions_of, frame
from planning.beats.plan import BeatPlan
from planning.beats.propose import BeatProposal, propose_beats
from planning.beats.rules import node_graph
from planning.beats.settings import BeatSettings
from planning.beats.starts import fill
from planning.beats.today import lay_over
from planning.beats.work import WorkSpec
from planning.graph import IntArray
from planning.plan import Plan
from planning.planfile import PlanFile
from planning.start import pieces


@dataclass(frozen=True)
class Followed:
    """Beats carried over to other grids.

    ``ground`` the new grids with the old beats as today's; ``plan`` the beats on them; ``changes``
    one row a beat: code, change ("same", "changed", "gone"), grids_before, grids, persons_before,
    persons, workload_before, workload, moved_m2 (ground that entered or left it), new_exceptions
    (rules it kept before and breaks now).
    """

    ground: BeatGround
    plan: BeatPlan
    rules: Frame
    changes: pd.DataFrame


def follow(
    ground: BeatGround, plan: Plan, rules: Frame, redrawn: BeatGround, source: PlanFile
) -> Followed:
    """Carry the beats of ``plan`` on ``ground`` over to the grids of ``redrawn``.

    ``source`` is the plan of the redrawn grids (its household points decide where a grid's
    households lie). Raises :class:`InputError` where old and new ground share nothing.
    """
    outlines = plan.outlines()
    codes = [plan.grids[int(key)].code for key in plan.keys]
    beats = gpd.GeoDataFrame(
        {
            "code": codes,
            "name": [plan.grids[int(key)].name for key in plan.keys],
            "station": _stations(ground, plan),
        },
        geometry=list(outlines),
        crs=ground.crs,
    ).to_crs(redrawn.crs)
    own = gpd.GeoDataFrame(
        {"code": redrawn.grids["code"]}, geometry=list(redrawn.units.geometry), crs=redrawn.crs
    )
    today = lay_over(beats, own, grid_points(source, redrawn.grids), "", [])
    fresh = replace(redrawn, today=today)
    label = _carried(fresh, rules.settings)
    grids = {i: plan.grids[int(plan.keys[i])] for i in np.unique(label).tolist()}
    carried = BeatPlan(
        fresh.units, label, grids, plan.village_name, len(codes), plan.used | set(codes)
    )
    judge = frame(fresh, _known(rules.settings, fresh), len(codes))
    changes = _changes(ground, plan, rules, fresh, carried, judge)
    return Followed(fresh, carried, judge, changes)


def adjust(followed: Followed, settings: BeatSettings) -> BeatProposal:
    """Grids have moved and beats must too: least change from the beats carried over."""
    known = _known(replace(settings, kind="least-change"), followed.ground)
    return propose_beats(followed.ground, known)


def load_redrawn(
    plan: PlanFile, inputs: BeatInputs | None = None, spec: WorkSpec | None = None
) -> BeatGround:
    """The ground of redrawn grids; its beats come from :func:`follow`, not from a file."""
    return load_beat_ground(plan, replace(inputs or BeatInputs(), existing=None), spec)


def _known(settings: BeatSettings, ground: BeatGround) -> BeatSettings:
    """The settings without rules that name grids or beats which are gone."""
    grids = set(ground.grids["code"])
    beats = set() if ground.today is None else set(ground.today.beats["code"])

    def alive(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        return tuple(group for group in groups if set(group) <= grids)

    pairs = {
        name: tuple((a, b) for a, b in alive(getattr(settings, name)))
        for name in ("links", "cuts", "apart")
    }
    return replace(
        settings,
        links=pairs["links"],
        cuts=pairs["cuts"],
        apart=pairs["apart"],
        together=alive(settings.together),
        locked=frozenset(settings.locked & beats),
    )


def _stations(ground: BeatGround, plan: Plan) -> list[str]:
    names = (*ground.stations, "")
    held = np.zeros((len(plan.keys), len(names)))
    np.add.at(held, (plan.compact, ground.station), ground.units.area)
    return [names[i] for i in held.argmax(axis=1)]


def _carried(ground: BeatGround, settings: BeatSettings) -> IntArray:
    """Beat of each new grid, every beat in one piece where its grids allow it."""
    rules = frame(ground, _known(settings, ground), len(np.unique(ground.home))).rules
    keep = np.ones(len(ground), dtype=bool)
    graph, node = node_graph(replace(rules, together=np.arange(len(ground))), keep, ground, 1.0)
    label = fill(graph, ground.home)
    mass = graph.households + 1e-9 * graph.area
    for _ in range(len(ground)):
        piece = pieces(graph, label)
        held = tally(piece, mass, int(piece.max()) + 1)
        moved = _give_stray(graph.source, graph.indices, graph.length, label, piece, held)
        if moved is None:
            break
        label = moved
    return label[node]


def _give_stray(
    source: IntArray,
    target: IntArray,
    length: NDArray[np.float64],
    label: IntArray,
    piece: IntArray,
    held: NDArray[np.float64],
) -> IntArray | None:
    """Give the lightest stray piece to the neighbour with most border; None without any."""
    owner = np.zeros(len(held), dtype=np.int64)
    owner[piece] = label
    main = {int(beat): int(np.flatnonzero(owner == beat)[held[owner == beat].argmax()])
            for beat in np.unique(owner)}  # fmt: skip
    for stray in np.argsort(held, kind="stable").tolist():
        if main[int(owner[stray])] == stray:
            continue
        rows = (piece[source] == stray) & (piece[target] != stray)
        if rows.any():
            shared = tally(label[target[rows]], length[rows] + 1e-9, int(label.max()) + 1)
            result = label.copy()
            result[piece == stray] = int(shared.argmax())
            return result
    return None


def _changes(
    before: BeatGround, old: Plan, old_rules: Frame, after: BeatGround, new: Plan, rules: Frame
) -> pd.DataFrame:
    """What became of every beat; keys of ``new`` are positions in ``old.keys``."""
    was, now = _held(before, old), _held(after, new)
    broke = _broken(exceptions_of(before, old, old_rules))
    breaks = _broken(exceptions_of(after, new, rules))
    outline = gpd.GeoSeries(list(old.outlines()), crs=before.crs).to_crs(after.crs)
    shapes = dict(zip(new.keys.tolist(), new.outlines(), strict=True))
    rows = []
    for i, key in enumerate(old.keys.tolist()):
        code, shape = old.grids[key].code, shapes.get(i)
        if shape is None:
            rows.append((code, "gone", *_pair(was, i, None, -1), outline.iloc[i].area, ""))
            continue
        moved = float(outline.iloc[i].symmetric_difference(shape).area)
        at = int(np.searchsorted(new.keys, i))
        fresh = sorted(breaks.get(i, set()) - broke.get(key, set()))
        same = moved < 1.0 and was["persons"][i] == now["persons"][at]
        pair = _pair(was, i, now, at)
        rows.append((code, "same" if same else "changed", *pair, moved, "; ".join(fresh)))
    names = ["code", "change", "grids_before", "grids", "persons_before", "persons",
             "workload_before", "workload", "moved_m2", "new_exceptions"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def _held(ground: BeatGround, plan: Plan) -> dict[str, NDArray[np.float64]]:
    label, k = plan.compact, len(plan.keys)
    return {
        "grids": np.bincount(label, minlength=k).astype(float),
        "persons": tally(label, np.maximum(ground.units.persons, 0), k),
        "workload": tally(label, ground.work.total, k),
    }


def _pair(
    was: Mapping[str, NDArray[np.float64]],
    i: int,
    now: Mapping[str, NDArray[np.float64]] | None,
    at: int,
) -> list[float]:
    values = []
    for name in ("grids", "persons", "workload"):
        values += [float(was[name][i]), 0.0 if now is None else float(now[name][at])]
    return values


def _broken(found: list[BeatException]) -> dict[int, set[str]]:
    rules: dict[int, set[str]] = {}
    for e in found:
        rules.setdefault(e.beat, set()).add(e.rule)
    return rules
