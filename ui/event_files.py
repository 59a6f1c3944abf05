"""A project's files of events, beats and stations: in its folder, brought by a visitor, or held
since their folder was deleted; no Streamlit here.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geo.read import Layer, read_layer
from geo.roles import likely_role
from ui.jobs import Job, Step
from ui.pickups import layers_of
from ui.shelf import Shelf
from ui.sources import MORE_ROLES, candidates, safe_name

if TYPE_CHECKING:
    from ui.projects import Project

LAYERS: Shelf[Mapping[str, tuple[Layer, ...]]] = Shelf(room=8)
"""Layers of events, beats and stations that came with an upload, by the project's id."""


FILES: Shelf[tuple[tuple[str, str, bytes], ...]] = Shelf(room=4)
"""Files (role, name, content) of projects whose folder is gone, by the project's id."""


def more_sources(project: Project) -> dict[str, tuple[str, ...]]:
    """Role -> files of events, beats and stations beside the project's own files."""
    folders = {_file(source).parent for source in project.sources.values() if source}
    found: dict[str, tuple[str, ...]] = {}
    for folder in sorted(folders):
        if not folder.is_dir():
            continue
        for candidate in candidates(folder.iterdir(), layers_of):
            role = likely_role(candidate.label)
            if role in MORE_ROLES:
                found[role] = (*found.get(role, ()), candidate.source)
    return found


def _file(source: str) -> Path:
    """The file of a source; ``FILE:layer`` names a layer of it."""
    path = Path(source)
    return path if path.exists() else Path(source.rpartition(":")[0] or source)


def keep_files(project_id: str, folder: Path) -> None:
    """Hold the events, beats and stations of a folder that is about to be deleted."""
    held = []
    for path in sorted(folder.iterdir()):
        role = likely_role(path.name)
        if role in MORE_ROLES:
            held.append((str(role), path.name, path.read_bytes()))
    FILES.put(project_id, tuple(held))


def has_events(project: Project) -> bool:
    """Did the project come with events?"""
    if project.id in FILES and any(role == "incidents" for role, _, _ in FILES.get(project.id)):
        return True
    held = LAYERS.get(project.id) if project.id in LAYERS else {}
    return bool(held.get("incidents") or more_sources(project).get("incidents"))


def read_uploads(
    job: Job,
    files: Sequence[tuple[str, bytes]],
    role: str = "incidents",
    *,
    trusted: bool = False,
) -> tuple[Layer, ...]:
    """Layers of files (name, content), as from a browser; on the disk only while they are read."""
    folder = Path(tempfile.mkdtemp(prefix="gridwright-upload-"))
    try:
        found = []
        for number, (name, content) in enumerate(files):
            job.report(Step("reading", number, len(files)))
            path = folder / safe_name(name)
            path.write_bytes(content)
            found.append(read_layer(str(path), role, trusted=trusted, name=name))  # type: ignore[arg-type]
        return tuple(found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
