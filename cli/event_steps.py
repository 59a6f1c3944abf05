"""How ``gridwright hotspots`` does the pieces of its analysis: on processes, told, and kept.

Pieces are kept beside the output (:mod:`planning.pieces`) until it is written, so that a run that
was killed goes on with those that are missing.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
from tqdm import tqdm

from cli.event_places import Places
from geo.messages import register, sentence
from geo.problems import InputError, Language, Problem
from incidents.analysis import Parameters
from incidents.events import Events
from incidents.selection import Selection
from incidents.steps import Array
from planning.pieces import Digest, Pieces, program
from planning.running import Job, Lost, each

register(
    {
        "hotspots-stage": ("{stage}:{done}/{total}", "{stage}: {done} of {total}"),
        "hotspots-taken": (
            "从上次中断的运行接续,已有 {count} 个部分不再重算",
            "{count} pieces were taken up from a run that was stopped",
        ),
        "hotspots-not-kept": (
            "注意:已完成的部分未能保存({reason}),中断后须重算",
            "warning: finished pieces could not be kept for another run ({reason})",
        ),
        "hotspots-piece-lost": (
            "计算“{stage}”第 {number} 部分的进程中途退出(多为内存不足);其余部分已保留,请再次运行。",
            "the process that did piece {number} of {stage} ended (out of memory?); the others are "
            "kept. Run again.",
        ),
    }
)

STAGES: dict[str, tuple[str, str]] = {
    "cells": ("分格", "cells"),
    "places": ("事件落点", "places of events"),
    "months": ("逐期热点", "hot spots of each period"),
    "trends": ("趋势", "trends"),
    "density": ("密度分级", "outlines of density"),
}
"""What the stages of an analysis are called on standard error."""

_PACKAGES = ("geo", "incidents")
_AGAIN = frozenset({"hotspots-piece-lost", "geopackage-not-writable"})
"""Problems after which the same command may do better."""


def digest_of(
    events: Events, places: Places, selection: Selection, parameters: Parameters
) -> str:
    """A digest of a run: of events and areas as they were read, what was asked, and the program."""
    areas, homes = places.areas, places.homes
    found = Digest(f"hotspots {program(*_PACKAGES)} {areas.crs.to_string()} {events.crs}")
    for values in (events.x, events.y, events.lost, events.source, events.state, events.group,
                   events.sensitive, events.weight):  # fmt: skip
        found.add_array(values)
    for moments in (events.time, events.time_to, events.reported, events.closed, events.due):
        found.add_array(moments.view(np.int64))
    for words in (events.category, events.subtype, events.department):
        found.add(words.categories)
        found.add_array(np.asarray(words.codes))
    found.add_array(events.precision.view(np.uint32))
    found.add([events.classes.key, *events.classes.keys])
    found.add_shapes(areas.units)
    for name, level in areas.levels.items():
        found.add([name, *level.codes, *level.names])
        for values in (level.of, level.persons, level.households, level.area_km2):
            found.add_array(values)
        if level.own is not None:
            found.add_shapes(level.own)
    if homes is not None:
        for values in (homes.xy, homes.households, homes.persons):
            found.add_array(values)
        found.add([homes.estimated])
    for group in places.known:
        found.add([group.kind, *group.names])
        found.add_array(group.xy)
    found.add([selection, sorted(asdict(parameters).items())])
    return found.text()


class KeptSteps:
    """Does the pieces on ``workers`` processes; those that ``kept`` holds are not done again.

    ``label`` tells the stages of a second analysis from those of the first.
    """

    def __init__(
        self, kept: Pieces | None, workers: int, language: Language, label: str = ""
    ) -> None:
        self._kept = kept
        self._workers = workers
        self._language = language
        self._label = label

    def of(self, label: str) -> KeptSteps:
        """The same for a second analysis."""
        return KeptSteps(self._kept, self._workers, self._language, f"{label}-")

    def __call__(self, stage: str, pieces: int, work: Callable[[int], Array]) -> list[Array]:
        """The pieces of a stage in order.

        Raises :class:`InputError` naming a piece that killed its process, after all others.
        """
        names = STAGES.get(stage, (stage, stage))
        name = names[0 if self._language == "zh" else 1]
        found: dict[int, Array] = {}
        lost = []
        with tqdm(total=pieces, desc=name, disable=not sys.stderr.isatty()) as bar:
            for piece, body in self._finished(stage, pieces, work):
                bar.update()
                if isinstance(body, Lost):
                    lost.append(piece)
                    continue
                found[piece] = body
                if bar.disable and len(found) == pieces:
                    self._say("hotspots-stage", stage=name, done=len(found), total=pieces)
        if lost:
            raise InputError(
                Problem("hotspots-piece-lost", params={"stage": name, "number": piece + 1})
                for piece in lost
            )
        return [found[piece] for piece in range(pieces)]

    def _finished(
        self, stage: str, pieces: int, work: Callable[[int], Array]
    ) -> Iterator[tuple[int, Array | Lost]]:
        """Numbers and arrays: first those of an earlier run, then as they are done."""
        todo = []
        stage = self._label + stage
        for piece in range(pieces):
            held = self._taken(f"{stage}-{piece}")
            if held is None:
                todo.append(piece)
            else:
                yield piece, held
        for piece, body in each(Job(int, work), todo, workers=self._workers):
            if self._kept is not None and not isinstance(body, Lost):
                self._kept.write(f"{stage}-{piece}", _bytes(body))
            yield piece, body

    def _taken(self, name: str) -> Array | None:
        body = None if self._kept is None else self._kept.read(name)
        if self._kept is None or body is None:
            return None
        try:
            held: Array = np.load(io.BytesIO(body), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        self._kept.taken += 1
        return held

    def tell(self) -> None:
        """On standard error: what was taken up, and why nothing was kept."""
        if self._kept is None:
            return
        if self._kept.taken:
            self._say("hotspots-taken", count=self._kept.taken)
        if self._kept.failed is not None:
            self._say("hotspots-not-kept", reason=self._kept.failed)

    def _say(self, code: str, **params: object) -> None:
        print(sentence(code, self._language, params), file=sys.stderr)


@contextmanager
def forgetting(kept: Pieces | None) -> Iterator[None]:
    """Remove the pieces when all is done, and where what was asked for cannot be made at all."""
    try:
        yield
    except InputError as error:
        again = any(problem.code in _AGAIN for problem in error.problems)
        if kept is not None and not again:
            kept.forget()
        raise
    if kept is not None:
        kept.forget()


def _bytes(body: Array) -> bytes:
    written = io.BytesIO()
    np.save(written, body, allow_pickle=False)
    return written.getvalue()
