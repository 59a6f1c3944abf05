"""Which file is which: candidates in a folder or an upload, and a first guess at their roles.

Names only; nothing here opens a file except to list the layers of one that can hold several.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geo.roles import likely_role
from ui.errors import FolderNotAllowedError

ROLES = (
    "villages", "households", "roads", "water", "railways", "compounds", "groups", "dedicated",
)  # fmt: skip
REQUIRED = ("villages", "households")
MORE_ROLES = ("incidents", "beats", "stations")
"""Roles that no proposal needs: what happened, and where the police look after it."""

USED_ROLES = (*ROLES, *MORE_ROLES)
PLAN_NAME = "plan.gpkg"
FOLDERS_VARIABLE = "GRIDWRIGHT_FOLDERS"

READABLE = (
    ".gpkg", ".geojson", ".json", ".shp", ".zip", ".kml", ".kmz", ".ovkml", ".parquet",
    ".geoparquet", ".gdb", ".csv", ".tsv", ".txt", ".xlsx", ".xls",
)  # fmt: skip
SEVERAL_LAYERS = (".gpkg", ".gdb", ".xlsx", ".xls", ".kml", ".kmz", ".ovkml")
UPLOADABLE = (
    *(suffix.lstrip(".") for suffix in READABLE if suffix != ".gdb"), "dbf", "shx", "prj", "cpg",
)  # fmt: skip
NOT_DATA = {"readme.txt", "说明.txt", "requirements.txt"}

@dataclass(frozen=True)
class Candidate:
    """One table or layer that could play a role; ``source`` is what the readers take."""

    label: str
    source: str
    guess: str = ""


def guess_role(name: str) -> str:
    """The role of a proposal that a file's or layer's name suggests, or an empty text."""
    role = likely_role(name)
    return role if role in ROLES else ""


def candidates(
    files: Iterable[Path], list_layers: Callable[[Path], Sequence[str]]
) -> list[Candidate]:
    """What the readers could read among ``files``, in the order of names.

    A file that holds several layers gives one candidate a layer; a file whose layers cannot be
    listed stays one candidate, and reading it will say what is wrong with it.
    """
    found = []
    for path in sorted(files, key=lambda p: p.name):
        suffix = path.suffix.lower()
        if suffix not in READABLE or path.name.lower() in NOT_DATA or path.name == PLAN_NAME:
            continue
        layers: Sequence[str] = ()
        if suffix in SEVERAL_LAYERS:
            try:
                layers = list_layers(path)
            except (ValueError, OSError):
                layers = ()
        if len(layers) > 1:
            found += [
                Candidate(f"{path.name} · {layer}", f"{path}:{layer}", guess_role(layer))
                for layer in layers
            ]
        else:
            found.append(Candidate(path.name, str(path), guess_role(path.stem)))
    return found


def first_guess(found: Sequence[Candidate]) -> dict[str, str]:
    """Role -> source: the first candidate whose name suggests the role."""
    chosen: dict[str, str] = {}
    for candidate in found:
        if candidate.guess and candidate.guess not in chosen:
            chosen[candidate.guess] = candidate.source
    return chosen


def missing_roles(chosen: Mapping[str, str]) -> list[str]:
    """Roles without which nothing can be proposed."""
    return [role for role in REQUIRED if not chosen.get(role)]


def safe_name(name: str) -> str:
    """A file name for the server's disk from a name the browser sent; never a path."""
    base = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(ch for ch in base if ch.isalnum() or ch in "._- ()（）").strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if not dot:
        stem, suffix = kept, ""
    return f"{stem[:80] or 'file'}{dot}{suffix[:12]}"


def allowed_roots(environment: Mapping[str, str], home: Path, here: Path) -> list[Path]:
    """Folders below which a user may name one: those the administrator set, or else the home
    and the working directory of whoever runs the server."""
    named = environment.get(FOLDERS_VARIABLE, "")
    roots = [Path(part) for part in named.split(os.pathsep) if part] or [home, here]
    return [root.expanduser().resolve() for root in roots]


def allowed_folder(text: str, roots: Sequence[Path]) -> Path:
    """The folder a user named, links resolved.

    Raises
    ------
    FolderNotAllowedError : it lies outside ``roots``; also for one that does not exist there, so
        that nobody can ask which folders exist.
    FileNotFoundError : inside ``roots``, but no folder.
    """
    path = Path(text.strip()).expanduser()
    resolved = path.resolve()
    if not any(resolved.is_relative_to(root) for root in roots):
        raise FolderNotAllowedError(text)
    if not resolved.is_dir():
        raise FileNotFoundError(text)
    return resolved
