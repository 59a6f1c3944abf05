"""Map sheets for the download page: drawn by a job, kept until they are taken; no Streamlit."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from planning.county import Cancelled
from ui.jobs import CancelledError, Job, Step
from ui.shelf import Shelf, new_id

if TYPE_CHECKING:
    import geopandas as gpd

    from planning.beats.beatfile import BeatFile
    from planning.leaders import Leaders
    from planning.planfile import PlanFile
    from planning.sheets.page import Imprint
    from ui.words import Language

BOOKS: Shelf[bytes] = Shelf(room=6)
"""Finished books by an id that nobody can guess: a zip of PDFs."""

WHAT = ("grid", "village", "township", "overview")
PART = ("grid", "village")
"""Sheets that can be drawn of a part of the grids."""
MORE = ("beat", "leader")
"""Sheets that are offered where there are beats, and leaders who follow grids."""


def make_books(
    job: Job,
    plan: PlanFile,
    context: Mapping[str, gpd.GeoDataFrame],
    what: Sequence[str],
    language: Language,
    imprint: Imprint,
    *,
    beats: BeatFile | None = None,
    leaders: Leaders | None = None,
    codes: set[str] | None = None,
    png: bool = False,
) -> str:
    """Draw the sheets asked for; returns the id of a zip with a PDF a kind (a township's grids
    each). ``codes``: only sheets of these grids and their villages; ``png``: a picture of each
    grid's sheet too, for telephones. Raises :class:`geo.problems.InputError` where the machine has
    no Chinese font."""
    from planning.sheets.book import Atlas, pictures, write_book  # half a second of imports

    near = {role: frame.to_crs(plan.grids.crs) for role, frame in context.items()}
    atlas = Atlas(plan, near, beats, language, imprint, leaders or {})
    books = [book for kind in what for book in _books(atlas.grids, kind, codes)]
    total = sum(len(atlas.subjects(kind, part)) for _, kind, part in books)  # type: ignore[arg-type]
    shown = atlas.subjects("grid", codes) if png else []
    total += len(shown)
    done = 0
    packed = io.BytesIO()
    with TemporaryDirectory(prefix="gridwright-sheets-") as folder, zipfile.ZipFile(
        packed, "w", zipfile.ZIP_STORED
    ) as archive:
        for name, kind, part in books:
            path = Path(folder) / name

            def report(number: int, _: int, before: int = done, name: str = name) -> None:
                job.report(Step("sheets", before + number, total, name))

            try:
                done += write_book(
                    atlas, kind, path, codes=part, progress=report,  # type: ignore[arg-type]
                    cancelled=job.cancelled,
                )  # fmt: skip
            except Cancelled as stopped:
                raise CancelledError from stopped
            if path.exists():
                archive.write(path, name)
                path.unlink()
        for code, picture in pictures(atlas, "grid", shown):
            if job.cancelled():
                raise CancelledError
            done += 1
            job.report(Step("sheets", done, total, "png"))
            archive.writestr(f"png/{re.sub(r'[^0-9A-Za-z_-]', '_', code)}.png", picture)
    key = new_id()
    BOOKS.put(key, packed.getvalue())
    return key


def _books(
    grids: gpd.GeoDataFrame, kind: str, codes: set[str] | None = None
) -> list[tuple[str, str, set[str] | None]]:
    """Names of files, kind, and the codes in each: the grids by township, the rest in one."""
    if codes is not None:
        grids = grids[grids["code"].astype(str).isin(codes)]
    if kind != "grid":
        own = set(grids["village_code"].astype(str)) if kind == "village" else None
        return [(f"{kind}.pdf", kind, None if codes is None else own)]
    towns = grids["township_name"].fillna("").astype(str)
    found: list[tuple[str, str, set[str] | None]] = []
    for number, town in enumerate(dict.fromkeys(towns), 1):
        plain = re.sub(r"\W+", "", town)[:40]
        own = set(grids.loc[towns == town, "code"].astype(str))
        found.append((f"grids-{number:02d}{'-' + plain if plain else ''}.pdf", kind, own))
    return found
