"""A plan as bytes to download, one form a time; pure but for a temporary directory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from planning.approval import write_approval
from planning.changes import Changes, find_changes, write_changes
from planning.code_schemes import Scheme, recode
from planning.earlier import earlier_version
from planning.export import (
    Level,
    System,
    fits_gbk,
    with_notice,
    write_csv,
    write_geojson,
    write_geopackage,
    write_geoparquet,
    write_kml,
    write_shapefile,
)
from planning.export.systems import DEGREES, SYSTEMS
from planning.planfile import PlanFile
from planning.register import Filing, write_register
from ui.words import Language, word

__all__ = [
    "FORMS",
    "Choice",
    "Form",
    "changes_content",
    "content",
    "earlier_version",
    "file_name",
    "find_changes",
    "gbk_can_write",
    "system_label",
    "system_of",
    "with_notice",
]


@dataclass(frozen=True)
class Choice:
    """What the visitor chose. ``system`` None: what is usual for the form."""

    system: System | None = None
    level: Level = "grids"
    filing: Filing = field(default_factory=Filing)
    scheme: Scheme = field(default_factory=Scheme)


Write = Callable[[PlanFile, Path, Language, Choice, System], object]


@dataclass(frozen=True)
class Form:
    """One kind of file: its key in the words, its suffix, its media type, and how it is written.

    ``systems`` it can be in, the usual one first; none for a document. ``one_level``: it holds
    only the level chosen.
    """

    key: str
    suffix: str
    media: str
    write: Write
    systems: tuple[System, ...] = ()
    one_level: bool = False


_ANY: tuple[System, ...] = ("metric", *DEGREES)
_LON_LAT: tuple[System, ...] = ("wgs84", "cgcs2000", "gcj02")
_OFFICE = "application/vnd.openxmlformats-officedocument"

FORMS: tuple[Form, ...] = (
    Form("register", ".xlsx", f"{_OFFICE}.spreadsheetml.sheet",
         lambda plan, path, language, choice, _: write_register(
             plan, path, language=language, filing=choice.filing)),
    Form("approval", ".docx", f"{_OFFICE}.wordprocessingml.document",
         lambda plan, path, language, choice, _: write_approval(
             plan, path, language=language, filing=choice.filing)),
    Form("gpkg", ".gpkg", "application/geopackage+sqlite3",
         lambda plan, path, _, __, system: write_geopackage(plan, path, system=system), _ANY),
    Form("geojson", ".geojson", "application/geo+json",
         lambda plan, path, _, choice, system: write_geojson(
             plan, path, system=system, level=choice.level), _LON_LAT, True),
    Form("shapefile", ".zip", "application/zip",
         lambda plan, path, _, __, system: write_shapefile(
             plan, path, encoding="UTF-8", system=system), _ANY),
    Form("shapefile_gbk", ".zip", "application/zip",
         lambda plan, path, _, __, system: write_shapefile(
             plan, path, encoding="GBK", system=system), _ANY),
    Form("kml", ".kml", "application/vnd.google-earth.kml+xml",
         lambda plan, path, _, choice, system: write_kml(
             plan, path, system=system, level=choice.level), _LON_LAT, True),
    Form("geoparquet", ".parquet", "application/vnd.apache.parquet",
         lambda plan, path, _, choice, system: write_geoparquet(
             plan, path, system=system, level=choice.level), _ANY, True),
    Form("csv", ".csv", "text/csv",
         lambda plan, path, language, choice, system: write_csv(
             plan, path, system=system, level=choice.level, language=language), _LON_LAT, True),
)  # fmt: skip


def system_of(form: Form, choice: Choice) -> System | None:
    """The system that the file will be in; None for a document."""
    if not form.systems:
        return None
    return choice.system if choice.system in form.systems else form.systems[0]


def content(
    form: Form,
    plan: PlanFile,
    language: Language,
    choice: Choice | None = None,
    complete: Callable[[Filing], Filing] | None = None,
) -> bytes:
    """The file's bytes. Raises what the writers raise; nothing stays on the disk.

    ``complete`` adds to the filing what is worked out only when a paper is asked for.
    """
    chosen = choice or Choice()
    if complete is not None:
        chosen = replace(chosen, filing=complete(chosen.filing))
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as name:
        path = Path(name) / f"plan{form.suffix}"
        told = plan if chosen.scheme == Scheme() else recode(plan, chosen.scheme)
        form.write(told, path, language, chosen, system_of(form, chosen) or "metric")
        return path.read_bytes()


def file_name(form: Form, language: Language, choice: Choice | None = None) -> str:
    """The name under which the browser saves the file: a chosen system and level are part of it."""
    if form.key in ("register", "approval"):
        return word(f"download.{form.key}_name", language) + form.suffix
    chosen = choice or Choice()
    marks = [{"shapefile": "utf8", "shapefile_gbk": "gbk"}.get(form.key, "")]
    if form.one_level and chosen.level != "grids":
        marks.append(chosen.level.replace("_", "-"))
    if chosen.system is not None and chosen.system in form.systems:
        marks.append(chosen.system)
    name = word("download.file_name", language)
    return "-".join([name, *(mark for mark in marks if mark)]) + form.suffix


def system_label(system: System, language: Language) -> str:
    """What a system is called on the page and in the files."""
    return SYSTEMS[system][0 if language == "zh" else 1]


def gbk_can_write(plan: PlanFile) -> bool:
    """Does GBK hold every name of the plan? Some rare characters of place names it does not."""
    frames = (plan.grids, plan.villages)
    texts = (frame[c] for frame in frames for c in frame.columns if frame[c].dtype.kind in "OT")
    return all(
        fits_gbk(value) for column in texts for value in column.unique() if isinstance(value, str)
    )


def changes_content(found: Changes, language: Language, filing: Filing) -> bytes:
    """The table of changes since an earlier version, as a workbook."""
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as name:
        path = write_changes(found, Path(name) / "changes.xlsx", language=language, filing=filing)
        return path.read_bytes()
