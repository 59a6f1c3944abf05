"""Finished pieces of an unfinished run, kept beside the file that they are for.

A run that is killed leaves a folder ``.NAME-DIGEST.unfinished`` with one file a piece. The digest
covers what was read, the settings and the program, so that a folder is taken up only by a run that
would make the very same pieces. Each file is written whole or not at all and carries a checksum;
one that is damaged is not believed, and its piece is done again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

_SHAPES_AT_ONCE = 65_536
_LIBRARIES = ("numpy", "scipy", "shapely", "pymetis", "pandas", "numba")


@lru_cache(maxsize=8)
def program(*folders: str) -> str:
    """A digest of everything that decides a result besides its inputs: modules, libraries.

    ``folders`` of modules, relative to the program's own; those below them do not count.
    """
    found = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    for folder in folders:
        for module in sorted((root / folder).glob("*.py")):
            found.update(module.relative_to(root).as_posix().encode() + b"\0")
            found.update(module.read_bytes())
    for name in _LIBRARIES:
        try:
            found.update(f"{name} {version(name)}\0".encode())
        except PackageNotFoundError:
            found.update(f"{name}\0".encode())
    found.update(shapely.geos_version_string.encode())
    return found.hexdigest()


class Digest:
    """A digest of what a run is made from, taken in parts."""

    def __init__(self, start: str = "") -> None:
        self._found = hashlib.sha256(start.encode())

    def add(self, values: Iterable[object]) -> None:
        """Take texts, or what prints the same where it is the same."""
        self._found.update("".join([f"{value}\0" for value in values]).encode())

    def add_array(self, values: NDArray[np.generic]) -> None:
        """Take an array: numbers by their bytes, anything else by its text."""
        if values.dtype.kind in "iufb":
            self._found.update(f"{values.dtype.str}{values.shape}".encode())
            self._found.update(np.ascontiguousarray(values).tobytes())
        else:
            self.add(values.ravel().tolist())

    def add_shapes(self, shapes: NDArray[np.object_]) -> None:
        """Take shapes."""
        for start in range(0, len(shapes), _SHAPES_AT_ONCE):
            bodies = shapely.to_wkb(shapes[start : start + _SHAPES_AT_ONCE])
            self._found.update(b"".join([b"" if body is None else body for body in bodies]))

    def add_frame(self, frame: pd.DataFrame) -> None:
        """Take a table, its shapes included."""
        for column in frame.columns:
            values = frame[column].to_numpy()
            self.add([column])
            if column == "geometry":
                self.add_shapes(values)
            elif values.dtype.kind in "iufb":
                self.add_array(values)
            else:
                self.add(values)

    def text(self) -> str:
        """The digest, hexadecimal."""
        return self._found.hexdigest()


class Pieces:
    """The folder of a run's finished pieces. Nothing is made before the first is kept.

    Where it cannot be written (a full disk) the run goes on without: ``failed`` then says why.
    ``taken`` counts the pieces that were not done again.
    """

    suffix = ".piece"

    def __init__(self, output: Path, digest: str) -> None:
        self._output = output
        self.folder = output.with_name(f".{output.name}-{digest[:24]}.unfinished")
        self.failed: str | None = None
        self.taken = 0

    def forget(self) -> None:
        """Remove what this run and earlier ones for the same file have kept."""
        for folder in self._output.parent.glob(f".{self._output.name}-*.unfinished"):
            shutil.rmtree(folder, ignore_errors=True)

    def read(self, name: str) -> bytes | None:
        """A piece that was finished before; None where there is none to believe."""
        try:
            held = self._file(name).read_bytes()
        except OSError:
            return None
        return held[32:] if hashlib.sha256(held[32:]).digest() == held[:32] else None

    def write(self, name: str, body: bytes) -> None:
        """Keep a finished piece."""
        if self.failed is not None:
            return
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
            os.replace(temporary, self._file(name))
        except OSError as error:
            self.failed = error.strerror or type(error).__name__

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}{self.suffix}"
