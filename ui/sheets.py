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

    from planning.planfile import PlanFile
    from planning.sheets.page import Imprint
    from ui.words import Language

BOOKS: Shelf[bytes] = Shelf(room=6)
"""Finished books by an id that nobody can guess: a zip of PDFs."""

WHAT = ("grid", "village", "township", "overview")


def make_books(
    job: Job,
    plan: PlanFile,
    context: Mapping[str, gpd.GeoDataFrame],
    what: Sequence[str],
    language: Language,
    imprint: Imprint,
) -> str:
    """Draw the sheets asked for; returns the id of a zip with a PDF a kind (a township's grids
    each). Raises :class:`geo.problems.InputError` where the machine has no Chinese font."""
    from planning.sheets.book import Atlas, write_book  # half a second of imports

    near = {role: frame.to_crs(plan.grids.crs) for role, frame in context.items()}
    atlas = Atlas(plan, near, None, language, imprint)
    books = [book for kind in what for book in _books(atlas.grids, kind)]
    total = sum(len(atlas.subjects(kind, codes)) for _, kind, codes in books)  # type: ignore[arg-type]
    done = 0
    packed = io.BytesIO()
    with TemporaryDirectory(prefix="gridwright-sheets-") as folder, zipfile.ZipFile(
        packed, "w", zipfile.ZIP_STORED
    ) as archive:
        for name, kind, codes in books:
            path = Path(folder) / name

            def report(number: int, _: int, before: int = done, name: str = name) -> None:
                job.report(Step("sheets", before + number, total, name))

            try:
                done += write_book(
                    atlas, kind, path, codes=codes, progress=report,  # type: ignore[arg-type]
                    cancelled=job.cancelled,
                )  # fmt: skip
            except Cancelled as stopped:
                raise CancelledError from stopped
            if path.exists():
                archive.write(path, name)
                path.unlink()
    key = new_id()
    BOOKS.put(key, packed.getvalue())
    return key


def _books(grids: gpd.GeoDataFrame, kind: str) -> list[tuple[str, str, set[str] | None]]:
    """Names of files, kind, and the codes in each: the grids by township, the rest in one."""
    if kind != "grid":
        return [(f"{kind}.pdf", kind, None)]
    towns = grids["township_name"].fillna("").astype(str)
    found: list[tuple[str, str, set[str] | None]] = []
    for number, town in enumerate(dict.fromkeys(towns), 1):
        plain = re.sub(r"\W+", "", town)[:40]
        own = set(grids.loc[towns == town, "code"].astype(str))
        found.append((f"grids-{number:02d}{'-' + plain if plain else ''}.pdf", kind, own))
    return found
