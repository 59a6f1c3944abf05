"""Finished villages of an unfinished plan, so that a run that was killed goes on where it stood.

Kept beside the plan by :mod:`planning.pieces`: taken up only by a run that would make the very
same villages. A file that holds anything but a village's plan is not believed.
"""

from __future__ import annotations

from dataclasses import asdict

from geo.ground import Ground
from planning import pieces
from planning.county import VillagePlan
from planning.pieces import Digest, Pieces
from planning.saved import from_bytes, to_bytes
from planning.settings import Settings
from planning.today import Today

_PACKAGES = ("geo", "planning")  # the modules right in them: none below makes a plan


def program() -> str:
    """A digest of everything that decides a plan besides its inputs: our modules, the libraries."""
    return pieces.program(*_PACKAGES)


def digest_of(
    ground: Ground, settings: Settings, today: Today | None = None, band: float | None = None
) -> str:
    """A digest of a run: of the ground as it was read, the settings, and the program.

    What was read counts, not the files: a copy under another name is the same county, and a layer
    of a file is told from another one.
    """
    found = Digest(f"{program()} {ground.crs.to_string()}")
    found.add_frame(ground.villages)
    held = ("households", "persons", "x", "y", "village", "set_id")
    found.add_frame(ground.households[list(held)])
    for frame in (ground.sets, ground.wholes, ground.dedicated):
        found.add_frame(frame)
    for words in (ground.lines.kind, ground.lines.name):
        found.add(words)
    for shapes in (ground.lines.geometry, ground.areas):
        if shapes is not None:
            found.add_shapes(shapes)
    found.add([sorted(asdict(settings).items()), band])
    if today is not None:
        found.add_frame(today.grids)
        found.add(sorted(today.used))
        found.add([today.micro is None])
        if today.micro is not None:
            for names in (today.micro.code, today.micro.grid):
                found.add(names)
            found.add_shapes(today.micro.shape)
    return found.text()


class Unfinished(Pieces):
    """The finished villages of a run."""

    suffix = ".village"

    def get(self, village: int) -> VillagePlan | None:
        """The plan of a village that was finished before; None where there is none to believe."""
        body = self.read(str(village))
        if body is None:
            return None
        try:
            plan = from_bytes(body)
        except ValueError:
            return None
        self.taken += 1
        return plan

    def put(self, village: int, plan: VillagePlan) -> None:
        """Keep a finished village."""
        if self.failed is None:
            self.write(str(village), to_bytes(plan))
