"""The project's own files are used for the register and the sheets without being asked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pypdfium2
import pytest
import shapely
from synthetic import plan as synthetic_plan

from geo.problems import InputError
from planning.planfile import PlanFile
from planning.register_form import Filing
from planning.sheets.fonts import find_font
from planning.sheets.page import Imprint
from ui.downloads import FORMS, Choice, content
from ui.jobs import Job
from ui.own_files import own_beats, own_files, own_leaders, with_own_files
from ui.projects import Project
from ui.sheets import BOOKS, make_books


@pytest.fixture
def plan() -> PlanFile:
    return synthetic_plan()


@pytest.fixture
def project(tmp_path: Path, plan: PlanFile) -> Project:
    """A folder with a mediation room, a police station, a leader's list, and a plan."""
    grid = plan.grids.to_crs(4326).geometry.iloc[0].representative_point()
    at = f"{grid.x:.6f},{grid.y:.6f}"
    codes = plan.grids["code"].astype(str)
    (tmp_path / "服务点.csv").write_text(f"名称,类别,经度,纬度\n一号,调解室,{at}\n", "utf-8")
    (tmp_path / "派出所.csv").write_text(f"派出所名称,经度,纬度\n东所,{at}\n", "utf-8")
    (tmp_path / "领导联网格.csv").write_text(f"岗位,网格编码\n县长,{codes.iloc[0]}\n", "utf-8")
    villages = tmp_path / "villages.gpkg"
    plan.villages.to_file(villages, layer="villages")
    return Project("p", "县", "folder", {"villages": str(villages)})


def test_what_lies_beside_the_plan_is_found_by_its_name(project: Project) -> None:
    names = [path.name for _, path in own_files(project)]
    assert names == ["服务点.csv", "派出所.csv", "领导联网格.csv"]
    assert own_files(Project("q", "县", "folder", {})) == []


def test_the_register_uses_it_without_being_asked(
    project: Project, plan: PlanFile, tmp_path: Path
) -> None:
    form = next(form for form in FORMS if form.key == "register")
    plain = openpyxl.load_workbook(io.BytesIO(content(form, plan, "zh")))
    data = content(
        form, plan, "zh", Choice(), lambda filing: with_own_files(project, plan, filing)
    )
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert set(book.sheetnames) - set(plain.sheetnames) == {"服务设施", "领导联网格"}
    own = Filing(leaders={"书记": ("1",)})
    assert with_own_files(project, plan, own).leaders == own.leaders  # what is brought comes first


def test_an_unusable_file_of_the_folder_is_left_out(project: Project, plan: PlanFile) -> None:
    folder = Path(project.sources["villages"]).parent
    (folder / "领导二.csv").write_bytes(b"\x00\x01")
    assert list(own_leaders(project, plan)) == ["县长"]


def division(plan: PlanFile, path: Path, codes: list[str]) -> None:
    area = shapely.union_all(plan.grids.geometry.to_numpy())
    beats = gpd.GeoDataFrame(
        {"code": ["B1"], "name": ["第一警格"], "station": ["东所"], "households": [1],
         "persons": [1], "workload": [1.0], "exceptions": [""]},
        geometry=[area], crs=plan.grids.crs,
    )  # fmt: skip
    beats.to_file(path, layer="beats")
    pyogrio.write_dataframe(
        pd.DataFrame({"grid_code": codes, "beat_code": "B1"}), path, layer="grid_beats"
    )


def test_beats_of_the_folder_are_drawn_where_they_unite_these_grids(
    project: Project, plan: PlanFile
) -> None:
    try:
        find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    path = Path(project.sources["villages"]).parent / "beats.gpkg"
    assert own_beats(project, plan) is None
    division(plan, path, list(plan.grids["code"].astype(str))[1:])
    assert own_beats(project, plan) is None  # of other grids
    path.unlink()
    division(plan, path, list(plan.grids["code"].astype(str)))
    beats = own_beats(project, plan)
    assert beats is not None
    leaders = own_leaders(project, plan)
    key = make_books(
        Job("s"), plan, {}, ["beat", "leader"], "zh", Imprint("县"), beats=beats, leaders=leaders
    )
    with zipfile.ZipFile(io.BytesIO(BOOKS.get(key))) as archive:
        assert sorted(archive.namelist()) == ["beat.pdf", "leader.pdf"]
        document = pypdfium2.PdfDocument(archive.read("beat.pdf"))
        text = document[0].get_textpage().get_text_range()
        document.close()
    assert "第一警格" in text
