"""Lists of leaders' grids that somebody brings, and the sheets of one of them; no Streamlit."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from planning.leaders import Leaders, read_leaders
from ui.sources import safe_name
from ui.views import PlanView
from ui.words import Language


def read_upload(name: str, content: bytes) -> Leaders:
    """Posts and grids of an uploaded table. Raises :class:`geo.problems.InputError`."""
    with tempfile.TemporaryDirectory(prefix="gridwright-upload-") as folder:
        path = Path(folder) / safe_name(name)
        path.write_bytes(content)
        return read_leaders(path, trusted=False, name=name)


def sheets_of(
    view: PlanView, post: str, codes: Sequence[str], language: Language, place: str
) -> bytes:
    """A PDF: the map of all grids that a post follows, then a page each.

    Raises :class:`geo.problems.InputError` where the machine has no Chinese font.
    """
    from planning.sheets.book import Atlas, Kind, draw  # half a second of imports
    from planning.sheets.page import Imprint
    from planning.sheets.pdf import pdf_bytes

    crs = view.plan.grids.crs
    near = {role: frame.to_crs(crs) for role, frame in view.context.items()}
    imprint = Imprint(place, "", date.today().isoformat(), "")
    atlas = Atlas(view.plan, near, None, language, imprint, {post: tuple(codes)})
    wanted: list[tuple[Kind, str]] = [("leader", post)]
    wanted += [("grid", code) for code in atlas.subjects("grid", codes)]
    pages = [draw(atlas, kind, code) for kind, code in wanted]
    titles = [atlas.title(kind, code) for kind, code in wanted]
    return pdf_bytes(pages, atlas.font, titles[0], titles)
