"""Map sheets made from the page: a zip of books, progress, and stopping."""

from __future__ import annotations

import io
import zipfile

import pypdfium2
import pytest
import towns

from geo.problems import InputError
from planning.county import propose_county
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.sheets.fonts import find_font
from planning.sheets.page import Imprint
from planning.tables import to_planfile
from ui.jobs import CancelledError, Job
from ui.sheets import BOOKS, PART, WHAT, make_books


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    try:
        find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    one = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code="320116001201")
    ground = towns.county([one], road_names=["人民路", "通扬河"])
    return to_planfile(propose_county(ground, Settings(target=60)))


def test_every_kind_is_a_book_of_the_zip(plan: PlanFile) -> None:
    job = Job("sheets")
    key = make_books(job, plan, {}, WHAT, "zh", Imprint("县"))
    with zipfile.ZipFile(io.BytesIO(BOOKS.get(key))) as archive:
        names = archive.namelist()
        count = {}
        for name in names:
            document = pypdfium2.PdfDocument(archive.read(name))
            count[name.split("-")[0].removesuffix(".pdf")] = len(document)
            document.close()
    assert count == {"grids": len(plan.grids), "village": 1, "township": 1, "overview": 1}
    step = job.snapshot().step
    assert step.done == step.total == sum(count.values())


def test_pictures_for_telephones(plan: PlanFile) -> None:
    job = Job("sheets")
    key = make_books(job, plan, {}, ["overview"], "zh", Imprint("县"), png=True)
    with zipfile.ZipFile(io.BytesIO(BOOKS.get(key))) as archive:
        names = [name for name in archive.namelist() if name.startswith("png/")]
        assert len(names) == len(plan.grids)
        assert archive.read(names[0])[:8] == b"\x89PNG\r\n\x1a\n"
    step = job.snapshot().step
    assert step.done == step.total == len(plan.grids) + 1


def test_only_what_changed_is_drawn(plan: PlanFile) -> None:
    wanted = {str(plan.grids["code"].iloc[0])}
    key = make_books(Job("sheets"), plan, {}, PART, "zh", Imprint("县"), codes=wanted)
    with zipfile.ZipFile(io.BytesIO(BOOKS.get(key))) as archive:
        for name in archive.namelist():
            document = pypdfium2.PdfDocument(archive.read(name))
            assert len(document) == 1
            document.close()
        assert len(archive.namelist()) == 2


def test_a_stopped_job_keeps_nothing(plan: PlanFile) -> None:
    job = Job("sheets")
    job.cancel()
    before = len(BOOKS.all())
    with pytest.raises(CancelledError):
        make_books(job, plan, {}, ["grid"], "en", Imprint())
    assert len(BOOKS.all()) == before
