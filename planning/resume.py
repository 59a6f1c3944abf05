"""Finished villages of an unfinished run, kept beside the plan that they are for.

A run that is killed leaves a folder ``.NAME.gpkg-DIGEST.unfinished`` with one file a village. The
digest covers the content of every input, the settings and the program itself, so that a folder is
taken up only by a run that would make the very same villages. Each file is written whole or not at
all and carries a checksum; one that is damaged, or holds anything but a village's plan, is not
believed and the village is planned again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.ground import Ground
from planning.county import VillagePlan
from planning.saved import from_bytes, to_bytes
from planning.settings import Settings
from planning.today import Today

_LIBRARIES = ("numpy", "scipy", "shapely", "pymetis", "pandas", "numba")
_PACKAGES = ("geo", "planning")


@lru_cache(maxsize=1)
def program() -> str:
    """A digest of everything that decides a plan besides its inputs: our modules, the libraries."""
    found = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    for package in _PACKAGES:
        for module in sorted((root / package).glob("*.py")):  # none below makes a plan
            found.update(module.relative_to(root).as_posix().encode() + b"\0")
            found.update(module.read_bytes())
    for name in _LIBRARIES:
        found.update(f"{name} {version(name)}\0".encode())
    found.update(shapely.geos_version_string.encode())
    return found.hexdigest()


def digest_of(
    ground: Ground, settings: Settings, today: Today | None = None, band: float | None = None
) -> str:
    """A digest of a run: of the ground as it was read, the settings, and the program.

    What was read counts, not the files: a copy under another name is the same county, and a layer
    of a file is told from another one.
    """
    found = hashlib.sha256(f"{program()} {ground.crs.to_string()}".encode())

    def add(values: Iterable[object]) -> None:
        for value in values:
            found.update(f"{value}\0".encode())

    def add_frame(frame: pd.DataFrame) -> None:
        for column in frame.columns:
            values = frame[column].to_numpy()
            if column == "geometry":
                add_shapes(values)
            elif values.dtype.kind in "iuf":
                found.update(np.ascontiguousarray(values).tobytes())
            else:
                add(values)

    def add_shapes(shapes: NDArray[np.object_]) -> None:
        for body in shapely.to_wkb(shapes):
            found.update(b"" if body is None else body)

    add_frame(ground.villages)
    held = ("households", "persons", "x", "y", "village", "set_id")
    add_frame(ground.households[list(held)])
    for frame in (ground.sets, ground.wholes, ground.dedicated):
        add_frame(frame)
    for words in (ground.lines.kind, ground.lines.name):
        add(words)
    for shapes in (ground.lines.geometry, ground.areas):
        if shapes is not None:
            add_shapes(shapes)
    add([sorted(asdict(settings).items()), band])
    if today is not None:
        add_frame(today.grids)
        add(sorted(today.used))
    return found.hexdigest()


class Unfinished:
    """The folder of a run's finished villages. Nothing is made before the first is kept.

    Where it cannot be written (a full disk) the run goes on without: ``failed`` then says why.
    """

    def __init__(self, output: Path, digest: str) -> None:
        self._output = output
        self.folder = output.with_name(f".{output.name}-{digest[:24]}.unfinished")
        self.failed: str | None = None
        self.taken = 0

    def forget(self) -> None:
        """Remove what this run and earlier ones for the same plan have kept."""
        for folder in self._output.parent.glob(f".{self._output.name}-*.unfinished"):
            shutil.rmtree(folder, ignore_errors=True)

    def get(self, village: int) -> VillagePlan | None:
        """The plan of a village that was finished before; None where there is none to believe."""
        try:
            held = self._file(village).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(held[32:]).digest() != held[:32]:
            return None
        try:
            plan = from_bytes(held[32:])
        except ValueError:
            return None
        self.taken += 1
        return plan

    def put(self, village: int, plan: VillagePlan) -> None:
        """Keep a finished village."""
        if self.failed is not None:
            return
        body = to_bytes(plan)
        target = self._file(village)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
            os.replace(name, target)
        except OSError as error:
            self.failed = error.strerror or type(error).__name__

    def _file(self, village: int) -> Path:
        return self.folder / f"{village}.village"
