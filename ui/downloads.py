"""A plan as bytes to download, one form a time; pure but for a temporary directory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from planning.export import NOTICE_EN, NOTICE_ZH, fits_gbk, write_geojson, write_shapefile
from planning.planfile import PlanFile, write_plan
from planning.register import write_register
from ui.words import Language, word


@dataclass(frozen=True)
class Form:
    """One kind of file: its key in the words, its suffix and its media type."""

    key: str
    suffix: str
    media: str
    write: Callable[[PlanFile, Path, Language], object]


def with_notice(plan: PlanFile) -> PlanFile:
    """The plan with the notice in its provenance."""
    notice = pd.DataFrame({"key": ["notice.zh", "notice.en"], "value": [NOTICE_ZH, NOTICE_EN]})
    rest = plan.provenance[~plan.provenance["key"].isin(list(notice["key"]))]
    return replace(plan, provenance=pd.concat([notice, rest], ignore_index=True))


FORMS: tuple[Form, ...] = (
    Form("register", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
         lambda plan, path, language: write_register(plan, path, language=language)),
    Form("gpkg", ".gpkg", "application/geopackage+sqlite3",
         lambda plan, path, _: write_plan(with_notice(plan), path)),
    Form("geojson", ".geojson", "application/geo+json",
         lambda plan, path, _: write_geojson(plan, path)),
    Form("shapefile", ".zip", "application/zip",
         lambda plan, path, _: write_shapefile(plan, path, encoding="UTF-8")),
    Form("shapefile_gbk", ".zip", "application/zip",
         lambda plan, path, _: write_shapefile(plan, path, encoding="GBK")),
)  # fmt: skip


def content(form: Form, plan: PlanFile, language: Language) -> bytes:
    """The file's bytes. Raises what the writers raise; nothing stays on the disk."""
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as name:
        path = Path(name) / f"plan{form.suffix}"
        form.write(plan, path, language)
        return path.read_bytes()


def file_name(form: Form, language: Language) -> str:
    """The name under which the browser saves the file."""
    if form.key == "register":
        return word("download.register_name", language) + form.suffix
    mark = {"shapefile": "-utf8", "shapefile_gbk": "-gbk"}.get(form.key, "")
    return word("download.file_name", language) + mark + form.suffix


def gbk_can_write(plan: PlanFile) -> bool:
    """Does GBK hold every name of the plan? Some rare characters of place names it does not."""
    frames = (plan.grids, plan.villages)
    texts = (frame[c] for frame in frames for c in frame.columns if frame[c].dtype.kind in "OT")
    return all(
        fits_gbk(value) for column in texts for value in column.unique() if isinstance(value, str)
    )
