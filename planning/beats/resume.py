"""Finished areas of an unfinished division into beats, for a run that goes on after a kill.

An area (a station, a township, a village: what no beat may leave) is divided by itself, so a
finished one need not be done again. Kept beside the file by :mod:`planning.pieces`.
"""

from __future__ import annotations

import io
from dataclasses import asdict

import numpy as np

from planning.beats.ground import BeatGround
from planning.beats.propose import Effort
from planning.beats.settings import BeatSettings
from planning.graph import IntArray
from planning.pieces import Digest, Pieces, program

_PACKAGES = ("geo", "planning", "planning/beats")


def digest_of(ground: BeatGround, settings: BeatSettings, effort: Effort | None = None) -> str:
    """A digest of a run: of the ground as it was read, the rules, and the program."""
    found = Digest(f"beats {program(*_PACKAGES)} {ground.crs.to_string()}")
    units = ground.units
    found.add_shapes(units.geometry)
    for values in (
        units.households, units.persons, units.x, units.y, units.spread, units.area, units.outer,
        ground.urban, ground.work.total, ground.work.incidents, ground.home, ground.station,
        ground.station_xy, ground.blocked,
    ):  # fmt: skip
        found.add_array(np.asarray(values))
    found.add_frame(ground.grids)
    if ground.today is not None:
        found.add_frame(ground.today.beats)
    if ground.officers is not None:
        found.add_frame(ground.officers)
    found.add(ground.stations)
    said = asdict(settings)
    said["locked"] = sorted(settings.locked)
    found.add([sorted((key, str(value)) for key, value in said.items())])
    found.add([sorted(asdict(effort or Effort()).items())])
    return found.text()


class UnfinishedAreas(Pieces):
    """The finished areas of a run: the beat of each of their grids, and how many beats."""

    suffix = ".area"

    def get(self, area: int, grids: int) -> tuple[IntArray, int] | None:
        """Beats 0..k-1 of an area's ``grids``, and k; None where there is nothing to believe."""
        body = self.read(str(area))
        if body is None:
            return None
        try:
            held = np.load(io.BytesIO(body), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        if held.dtype != np.int64 or held.shape != (grids + 1,) or held[:-1].min() < 0:
            return None
        k = int(held[-1])
        if held[:-1].max() >= k:
            return None
        self.taken += 1
        return held[:-1].copy(), k

    def put(self, area: int, part: IntArray, k: int) -> None:
        """Keep a finished area."""
        written = io.BytesIO()
        np.save(written, np.append(part, k).astype(np.int64), allow_pickle=False)
        self.write(str(area), written.getvalue())
