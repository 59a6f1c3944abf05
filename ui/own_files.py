"""The project's own files, which register and sheets use without being asked; no Streamlit."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from geo.problems import InputError
from geo.read import list_layers
from geo.roles import likely_role
from planning.attachments import ROSTER, attach
from planning.beats.beatfile import BeatFile, read_beatfile
from planning.leaders import WORDS as LEADERS
from planning.leaders import Leaders, known, read_leaders
from planning.planfile import PlanFile
from planning.register_form import Filing
from ui.projects import Project
from ui.sources import READABLE

log = logging.getLogger("gridwright.ui")

ROLES = ("services", "stations", "compounds", "roads")


def own_files(project: Project) -> list[tuple[str, Path]]:
    """Files in the project's folders for the register, under names that tell what they are."""
    folders = {Path(source).parent for source in project.sources.values()
               if source and Path(source).is_file()}  # fmt: skip
    found = []
    for folder in sorted(folders):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in READABLE or not path.is_file():
                continue
            text = path.stem.casefold()
            if any(word in text for word in (*LEADERS, *ROSTER)):
                found.append((path.name, path))
            elif (role := likely_role(path.stem)) in ROLES:
                found.append((f"{role}-{path.name}", path))
    return found


def own_beats(project: Project, plan: PlanFile) -> BeatFile | None:
    """The beats of a beats.gpkg in the project's folder that unite this plan's grids, or None."""
    codes = set(plan.grids["code"].astype(str))
    for folder in sorted({Path(source).parent for source in project.sources.values() if source}):
        for path in sorted(folder.glob("*.gpkg")) if folder.is_dir() else ():
            if likely_role(path.stem) != "beats":
                continue
            try:
                if "grid_beats" not in list_layers(path):
                    continue
                found = read_beatfile(path)
            except (InputError, OSError, ValueError) as error:
                log.info("%s is no division into beats: %s", path.name, type(error).__name__)
                continue
            if set(found.grid_beats["grid_code"].astype(str)) == codes:
                return _in(found, plan)
    return None


def _in(beats: BeatFile, plan: PlanFile) -> BeatFile:
    return replace(beats, beats=beats.beats.to_crs(plan.grids.crs))


def own_leaders(project: Project, plan: PlanFile) -> Leaders:
    """The grids that posts follow, from files of the project whose name says so."""
    found: Leaders = {}
    for name, path in own_files(project):
        if any(word in path.stem.casefold() for word in LEADERS):
            try:
                read = read_leaders(path, trusted=project.trusted, name=name)
            except InputError as error:
                log.warning("%s is not used: %s", name, error.problems[0].code)
                continue
            found |= known(plan, read)[0]
    return found


class _Parts:
    """What was worked out of a plan and its files; compared by content's marks, not content."""

    def __init__(self, plan: PlanFile, files: tuple[tuple[str, Path], ...], trusted: bool) -> None:
        self.plan, self.files, self.trusted = plan, files, trusted
        stamps = tuple((name, path.stat().st_mtime_ns) for name, path in files)
        self._mark = (id(plan), stamps, trusted)

    def __hash__(self) -> int:
        return hash(self._mark)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Parts) and self._mark == other._mark


@lru_cache(maxsize=4)
def _worked_out(parts: _Parts, pattern: str) -> Filing:
    return attach(parts.plan, parts.files, Filing(pattern=pattern), trusted=parts.trusted).filing


def with_own_files(project: Project, plan: PlanFile, filing: Filing) -> Filing:
    """The filing with staff, services, compounds and leaders' grids from the project's own files.

    What the filing has already stays. Worked out once a plan; some seconds for a county.
    """
    files = tuple(own_files(project))
    if not files:
        return filing
    own = _worked_out(_Parts(plan, files, project.trusted), filing.pattern)
    return replace(
        filing,
        staff=filing.staff if filing.staff is not None else own.staff,
        services=filing.services if filing.services is not None else own.services,
        compounds=filing.compounds if filing.compounds is not None else own.compounds,
        leaders=filing.leaders or own.leaders,
    )
