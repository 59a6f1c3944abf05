"""The rules of a division into beats as a graph: who may share a beat with whom.

Borders between stations, between villages or townships (unless a beat may cross them) and along
barriers are no edges; links made by hand are. Grids that must stay together become one node.
Pieces of the ground that no edge joins (areas) are divided separately; a piece too small for a
beat of its own is tied to the nearest of its kind, and that is declared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.coverage import components
from geo.problems import InputError, Problem
from geo.segments import tally
from planning.beats.ground import BeatGround
from planning.beats.settings import BeatSettings
from planning.graph import FloatArray, Graph, IntArray

TIE_SHARE = 0.5  # of the mean beat: a piece with less work is tied to the nearest


@dataclass(frozen=True)
class Borders:
    """Edges between grids that one beat may hold, pairs a < b with shared length in metres.

    ``tied`` pairs that touch nowhere and were joined so that a piece too small for a beat gets
    one. ``together`` (n,) set number of each grid (its own where none); ``apart`` (m, 2) rows of
    grids never to share a beat; ``locked`` rows of today's beats. ``notes`` rules that could not
    be taken as they stand.
    """

    a: IntArray
    b: IntArray
    length: FloatArray
    tied: IntArray
    together: IntArray
    apart: IntArray
    locked: IntArray
    notes: tuple[Problem, ...]


def borders(ground: BeatGround, settings: BeatSettings, mean_work: float) -> Borders:
    """The borders that may be inside a beat. Raises :class:`InputError` for rules that name
    unknown grids or beats, or contradict each other."""
    edges, n = ground.units.edges, len(ground)
    links = _pairs(ground, settings.links)
    apart = _pairs(ground, settings.apart)
    pen = pens(ground, settings)
    cuts = np.sort(_pairs(ground, settings.cuts), axis=1)
    cut = np.isin(edges.a * n + edges.b, cuts[:, 0] * n + cuts[:, 1])
    allowed = (pen[edges.a] == pen[edges.b]) & ~ground.blocked & ~cut
    a = np.concatenate([edges.a[allowed], links[:, 0]])
    b = np.concatenate([edges.b[allowed], links[:, 1]])
    length = np.concatenate([edges.length[allowed], np.zeros(len(links))])
    together, notes = _together(ground, settings, a, b, apart)
    locked = _locked(ground, settings)
    tied = _ties(ground, pen, components(n, a, b), mean_work)
    a, b = np.concatenate([a, tied[:, 0]]), np.concatenate([b, tied[:, 1]])
    length = np.concatenate([length, np.zeros(len(tied))])
    low, high = np.minimum(a, b), np.maximum(a, b)
    pair, row = np.unique(low * n + high, return_inverse=True)
    return Borders(
        pair // n, pair % n, tally(row, length, len(pair)), tied, together, apart, locked,
        tuple(notes),
    )


def pens(ground: BeatGround, settings: BeatSettings) -> IntArray:
    """Number of the ground a beat may not leave: station, and village or township, shape (n,)."""
    place = {
        "any": np.zeros(len(ground), dtype=object),
        "township": ground.grids["township_name"].to_numpy(),
        "village": ground.grids["village_code"].to_numpy(),
    }[settings.cross]
    if settings.cross == "township" and len(ground.stations):
        place = np.zeros(len(ground), dtype=object)  # stations and townships need not coincide
    _, number = np.unique(place.astype(str), return_inverse=True)
    _, pen = np.unique(number * (len(ground.stations) + 1) + ground.station, return_inverse=True)
    return np.asarray(pen, dtype=np.int64)


def _pairs(ground: BeatGround, pairs: tuple[tuple[str, str], ...]) -> IntArray:
    rows: IntArray = ground.rows([code for pair in pairs for code in pair]).reshape(-1, 2)
    _refuse_unknown([code for pair in pairs for code in pair], rows.ravel())
    return np.asarray(rows[rows[:, 0] != rows[:, 1]])


def _refuse_unknown(codes: list[str], rows: IntArray) -> None:
    lost = [code for code, row in zip(codes, rows, strict=True) if row < 0]
    if lost:
        raise InputError(Problem("beats-rule-grid", params={"code": code}) for code in lost)


def _together(
    ground: BeatGround, settings: BeatSettings, a: IntArray, b: IntArray, apart: IntArray
) -> tuple[IntArray, list[Problem]]:
    """Sets of grids in one beat; a set that no border joins is left out and told."""
    n, notes = len(ground), []
    label = np.arange(n)
    for codes in settings.together:
        rows = ground.rows(list(codes))
        _refuse_unknown(list(codes), rows)
        chosen = np.zeros(n, dtype=bool)
        chosen[np.isin(label, label[rows])] = True
        inner = chosen[a] & chosen[b]
        if len(np.unique(components(n, a[inner], b[inner])[chosen])) > 1:
            params = {"codes": ", ".join(codes)}
            notes.append(Problem("beats-together-apart", params=params, severity="warning"))
            continue
        label[chosen] = rows[0]
    clash = apart[label[apart[:, 0]] == label[apart[:, 1]]]
    if len(clash):
        code = ground.grids["code"].to_numpy()
        raise InputError(
            Problem("beats-rule-apart", params={"a": code[one], "b": code[two]})
            for one, two in clash
        )
    return label.astype(np.int64), notes


def _locked(ground: BeatGround, settings: BeatSettings) -> IntArray:
    if not settings.locked:
        return np.empty(0, dtype=np.int64)
    codes = [] if ground.today is None else ground.today.beats["code"].tolist()
    lost = sorted(settings.locked - set(codes))
    if lost:
        raise InputError(Problem("beats-rule-beat", params={"code": code}) for code in lost)
    return np.array([codes.index(code) for code in sorted(settings.locked)], dtype=np.int64)


def _ties(ground: BeatGround, pen: IntArray, piece: IntArray, mean_work: float) -> IntArray:
    """Pairs of nearest grids that join pieces too small for a beat to others, shape (m, 2).

    Of the same pen first; a piece alone in its pen stays alone, for the pen is a rule.
    """
    shapes, work = ground.units.geometry, ground.work.total
    ties: list[tuple[int, int]] = []
    piece = piece.copy()
    while True:
        held = tally(piece, work, int(piece.max()) + 1)
        shared = {
            int(p): np.flatnonzero((pen == pen[np.flatnonzero(piece == p)[0]]) & (piece != p))
            for p in np.unique(piece)
            if held[p] < TIE_SHARE * mean_work
        }
        small = [p for p, others in shared.items() if len(others)]
        if not small:
            return np.array(ties, dtype=np.int64).reshape(-1, 2)
        p = min(small, key=lambda p: (held[p], p))
        own, others = np.flatnonzero(piece == p), shared[p]
        own_at, other_at = _nearest(shapes, own, others)
        ties.append((own_at, other_at))
        piece[own] = piece[other_at]


def _nearest(
    shapes: NDArray[np.object_], own: IntArray, others: IntArray
) -> tuple[int, int]:
    # touching across a barrier or at a corner counts as distance 0: the longest way inside wins
    place, away = shapely.STRtree(shapes[others]).query_nearest(
        shapes[own], return_distance=True, all_matches=False
    )
    best = int(np.lexsort((others[place[1]], own[place[0]], away))[0])
    return int(own[place[0][best]]), int(others[place[1][best]])


def node_graph(
    borders: Borders, keep: NDArray[np.bool_], ground: BeatGround, unit_work: float
) -> tuple[Graph, IntArray]:
    """Nodes (sets contracted) of the kept grids, and each kept grid's node.

    ``households`` of the graph is the work in units of ``unit_work``, so that starts made for
    households divide work.
    """
    rows = np.flatnonzero(keep)
    _, node = np.unique(borders.together[rows], return_inverse=True)
    m = int(node.max()) + 1
    position = np.full(len(keep), -1, dtype=np.int64)
    position[rows] = node
    a, b = position[borders.a], position[borders.b]
    inside = (a >= 0) & (b >= 0) & (a != b)
    low, high = np.minimum(a, b)[inside], np.maximum(a, b)[inside]
    pair, row = np.unique(low * m + high, return_inverse=True)
    length = tally(row, borders.length[inside], len(pair))
    source = np.concatenate([pair // m, pair % m])
    target = np.concatenate([pair % m, pair // m])
    order = np.lexsort((target, source))
    indptr = np.zeros(m + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=m), out=indptr[1:])
    doubled = np.concatenate([length, length])[order]
    units, work = ground.units, ground.work.total[rows]
    mass = work + 1e-6 * max(work.sum(), 1e-9) * units.area[rows] / units.area[rows].sum()
    total = tally(node, mass, m)
    return Graph(
        indptr=indptr,
        indices=target[order].astype(np.int64),
        length=doubled,
        off_line=doubled,
        households=tally(node, work, m) / unit_work,
        persons=tally(node, np.maximum(units.persons[rows], 0), m),
        x=tally(node, mass * units.x[rows], m) / total,
        y=tally(node, mass * units.y[rows], m) / total,
        spread=np.zeros(m),
        area=tally(node, units.area[rows], m),
        outer=np.zeros(m),
    ), node.astype(np.int64)
