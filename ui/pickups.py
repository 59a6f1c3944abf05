"""Files a visitor chose, before their roles are settled: from the browser or from a folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from geo.read import list_layers
from ui.shelf import Shelf, new_id
from ui.sources import PLAN_NAME, Candidate, candidates, first_guess, safe_name

Kind = Literal["demo", "folder", "upload", "saved"]


@dataclass(frozen=True)
class Pickup:
    """Files a user chose, before their roles are settled."""

    id: str
    name: str
    kind: Kind
    candidates: tuple[Candidate, ...]
    chosen: Mapping[str, str]
    plan: Path | None = None
    directory: Path | None = None  # of an upload; deleted when read

    def forget(self) -> None:
        """Delete an upload's files; a folder's are not ours."""
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)


PICKUPS: Shelf[Pickup] = Shelf(room=16)


def layers_of(path: Path, *, trusted: bool = True) -> list[str]:
    """Names of a file's layers."""
    return list_layers(str(path), trusted=trusted)


def pick_folder(folder: Path) -> Pickup:
    """What lies in a folder of the server. Raises OSError when it cannot be listed."""
    found = tuple(candidates(folder.iterdir(), layers_of))
    plan = folder / PLAN_NAME
    name = folder.name.lstrip(".")
    pickup = Pickup(
        new_id(),
        name,
        # What "make run" and the command line call the demonstration county.
        "demo" if name == "demo" else "folder",
        found,
        first_guess(found),
        plan if plan.exists() else None,
    )
    PICKUPS.put(pickup.id, pickup)
    return pickup


def pick_upload(files: Iterable[tuple[str, bytes]]) -> Pickup:
    """Files from the browser (name, content), kept in a directory only this server can read.

    Nobody vouches for them, so they are looked into by a confined process only. That is why a
    plan.gpkg among them is not opened: plans are read in this one.
    """
    directory = Path(tempfile.mkdtemp(prefix="gridwright-upload-"))
    paths = []
    for name, content in files:
        path = directory / safe_name(name)
        path.write_bytes(content)
        paths.append(path)
    found = tuple(candidates(paths, partial(layers_of, trusted=False)))
    pickup = Pickup(new_id(), "", "upload", found, first_guess(found), None, directory)
    PICKUPS.put(pickup.id, pickup)
    return pickup
