"""Opening, proposing, and what stays behind: files of an upload do not."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely
from synthetic import CRS, SOUTH, WEST, plan, square

from geo.problems import InputError
from planning.code_schemes import Scheme
from planning.export import NOTICE_ZH
from planning.planfile import read_plan, write_plan
from planning.register import Filing
from planning.settings import Settings
from ui import projects
from ui.downloads import (
    FORMS,
    Choice,
    changes_content,
    content,
    earlier_version,
    file_name,
    find_changes,
    gbk_can_write,
    system_of,
)
from ui.errors import JobGoneError
from ui.jobs import CancelledError, Job
from ui.pickups import pick_folder, pick_upload
from ui.projects import PLANS, PROJECTS, Project
from ui.shelf import Shelf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two villages of 300 m with 120 households each on a lattice, and a road between them."""
    villages = gpd.GeoDataFrame(
        {"村代码": ["320116001001", "320116001202"], "村名": ["柳塘村", "石桥村"]},
        geometry=[square(0, 0), square(1, 0)],
        crs=CRS,
    )
    villages.to_file(tmp_path / "villages.gpkg")
    rows = []
    for village in range(2):
        for i in range(120):
            x = WEST + 500 * village + 30 + 40 * (i % 12)
            y = SOUTH + 30 + 45 * (i // 12)
            rows.append((f"{village}-{i}", 3, shapely.Point(x, y)))
    points = gpd.GeoDataFrame(
        rows, columns=["户编号", "人口", "geometry"], geometry="geometry", crs=CRS
    )
    points.to_file(tmp_path / "households.gpkg")
    gpd.GeoDataFrame(
        {"name": ["人民路"], "road_class": ["primary"]},
        geometry=[shapely.LineString([(WEST, SOUTH + 255), (WEST + 1000, SOUTH + 255)])],
        crs=CRS,
    ).to_file(tmp_path / "roads.gpkg")
    return tmp_path


def opened(folder: Path) -> Project:
    pickup = pick_folder(folder)
    return PROJECTS.get(projects.open_pickup(Job("open"), pickup, pickup.chosen, trusted=True))


def test_a_folder_is_read_and_its_grids_are_proposed(folder: Path) -> None:
    project = opened(folder)
    assert project.can_propose
    assert project.plan_id is None
    assert project.ground is not None
    villages = projects.villages_of(project.ground)
    assert list(villages["households"]) == [120, 120]
    settings = Settings(target=60)
    assert set(projects.suggested_numbers(villages, settings).values()) == {2}
    reported: list[str] = []
    job = Job("propose")
    job.report = lambda step: reported.append(step.stage)  # type: ignore[method-assign]
    view = PLANS.get(projects.propose(job, project, settings))
    assert len(view.grids) == 4
    assert view.headline().households == 240
    assert "proposing" in reported
    village = view.scene("zh", village="320116001001")
    shown = {layer.id for layer in village.layers}
    assert {"grids", "units", "households", "roads", "villages"} <= shown


def test_numbers_a_planner_wants_are_followed(folder: Path) -> None:
    project = opened(folder)
    settings = Settings(target=60, grids_per_village={"320116001001": 3})
    view = PLANS.get(projects.propose(Job("propose"), project, settings))
    assert dict(view.grids.groupby("village_code").size()) == {
        "320116001001": 3,
        "320116001202": 2,
    }


def test_a_cancelled_proposal_leaves_the_plan(folder: Path) -> None:
    project = opened(folder)
    job = Job("propose")
    projects.ground_of(project, job)
    job.cancelled = lambda: True  # type: ignore[method-assign]
    with pytest.raises(CancelledError):
        projects.propose(job, project, Settings())
    assert project.plan_id is None


def test_a_folder_with_a_plan_is_shown_without_reading_its_households(folder: Path) -> None:
    write_plan(plan(), folder / "plan.gpkg")
    project = opened(folder)
    assert project.ground is None
    assert project.plan_id is not None
    view = PLANS.get(project.plan_id)
    assert len(view.grids) == 8
    assert set(view.context) == {"roads"}


def test_an_uploads_files_are_gone_once_they_are_read(folder: Path) -> None:
    files = [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.gpkg"))]
    pickup = pick_upload(files)
    assert pickup.directory is not None
    assert pickup.directory.stat().st_mode & 0o077 == 0
    job = Job("open")
    project = PROJECTS.get(projects.open_pickup(job, pickup, pickup.chosen, trusted=False))
    assert not pickup.directory.exists()
    assert project.sources == {}
    assert project.can_propose


def test_an_uploaded_plan_is_not_opened_in_this_process(folder: Path) -> None:
    write_plan(plan(), folder / "plan.gpkg")
    files = [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.gpkg"))]
    pickup = pick_upload(files)
    assert pickup.plan is None
    assert all("plan.gpkg" not in candidate.source for candidate in pickup.candidates)
    pickup.forget()


def test_an_upload_that_cannot_be_read_is_gone_too() -> None:
    pickup = pick_upload([("villages.geojson", b"{"), ("households.csv", b"x")])
    with pytest.raises(InputError) as caught:
        projects.open_pickup(Job("open"), pickup, pickup.chosen, trusted=False)
    assert {problem.file for problem in caught.value.problems} == {
        "villages.geojson",
        "households.csv",
    }
    assert pickup.directory is not None
    assert not pickup.directory.exists()


def test_the_servers_project_is_read_once_for_all(folder: Path) -> None:
    write_plan(plan(), folder / "plan.gpkg")
    environment = {projects.PROJECT_VARIABLE: str(folder)}
    first = projects.default_project(environment)
    assert first == projects.default_project(environment)
    assert projects.default_project({}) is None


def test_a_shelf_forgets_the_oldest_but_not_the_pinned() -> None:
    shelf: Shelf[int] = Shelf(room=2)
    shelf.put("pinned", 0, pinned=True)
    for number in range(5):
        shelf.put(f"n{number}", number)
    assert shelf.get("pinned") == 0
    assert shelf.get("n4") == 4
    with pytest.raises(JobGoneError):
        shelf.get("n0")


# --- downloads


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.key)
def test_every_form_is_made_and_named(form: object) -> None:
    begins = (b"PK\x03\x04", b"SQLi", b'{\n"t', b"<?xm", b"PAR1", b"\xef\xbb\xbf\xe7")
    assert content(form, plan(), "zh")[:4] in begins  # type: ignore[arg-type]
    for language in ("zh", "en"):
        assert file_name(form, language).endswith(form.suffix)  # type: ignore[arg-type, attr-defined]


def test_the_geopackage_reads_back_with_the_notice(tmp_path: Path) -> None:
    form = next(form for form in FORMS if form.key == "gpkg")
    path = tmp_path / "plan.gpkg"
    path.write_bytes(content(form, plan(), "zh"))
    back = read_plan(path)
    assert back.value("notice.zh") == NOTICE_ZH
    assert list(back.grids["code"]) == list(plan().grids["code"])


def test_the_register_is_in_the_visitors_language() -> None:
    form = next(form for form in FORMS if form.key == "register")
    book = openpyxl.load_workbook(io.BytesIO(content(form, plan(), "en")))
    assert book.sheetnames[0] == "Grid division register"


def test_the_two_shapefiles_say_their_encoding() -> None:
    for key, mark in (("shapefile", b"UTF-8"), ("shapefile_gbk", b"GBK")):
        form = next(form for form in FORMS if form.key == key)
        with zipfile.ZipFile(io.BytesIO(content(form, plan(), "zh"))) as archive:
            assert archive.read("grids.cpg") == mark


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.key)
@pytest.mark.parametrize("system", [None, "cgcs2000", "wgs84", "gcj02"])
def test_every_form_is_made_in_every_system_and_says_which(form: object, system: object) -> None:
    choice = Choice(system=system)  # type: ignore[arg-type]
    written = content(form, plan(), "zh", choice)  # type: ignore[arg-type]
    name = file_name(form, "en", choice)  # type: ignore[arg-type]
    own = system_of(form, choice)  # type: ignore[arg-type]
    if own is None:
        assert form.key in ("register", "approval")  # type: ignore[attr-defined]
        return
    assert system in (None, own)
    assert (str(system) in name) == (system is not None)
    if own == "gcj02" and form.suffix != ".zip":  # type: ignore[attr-defined]
        assert b"GCJ-02" in written


def test_a_level_is_part_of_the_name_where_the_file_holds_one() -> None:
    choice = Choice(level="villages")
    names = {form.key: file_name(form, "en", choice) for form in FORMS}
    assert names["kml"] == "grid-plan-villages.kml"
    assert names["gpkg"] == "grid-plan.gpkg"
    found = json.loads(content(next(f for f in FORMS if f.key == "geojson"), plan(), "zh", choice))
    assert len(found["features"]) == len(plan().villages)


def test_an_earlier_version_that_was_uploaded_is_read_apart(tmp_path: Path) -> None:
    form = next(form for form in FORMS if form.key == "gpkg")
    before = earlier_version("v1.gpkg", content(form, plan(), "zh"))
    assert list(before.grids["code"]) == list(plan().grids["code"])
    assert set(before.households["grid_code"]) == set(plan().households["grid_code"])
    book = openpyxl.load_workbook(
        io.BytesIO(changes_content(find_changes(before, plan()), "zh", Filing(version="2")))
    )
    changed = [row[0].value for row in book.worksheets[0].iter_rows()]
    assert changed[2:] == ["无。"]  # under title and header: nothing changed
    assert book.worksheets[1].max_row == 2 + len(plan().grids)


@pytest.mark.parametrize("data", [b"", b"no GeoPackage", b"SQLite format 3\x00" + b"\x00" * 200])
def test_an_upload_that_is_no_plan_is_told(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        earlier_version("old.gpkg", data)
    assert all("old.gpkg" in problem.text("zh") for problem in caught.value.problems)


def test_codes_can_be_downloaded_in_another_scheme() -> None:
    form = next(form for form in FORMS if form.key == "geojson")
    choice = Choice(scheme=Scheme("{village}G{number:2}"))
    found = json.loads(content(form, plan(), "zh", choice))
    assert found["features"][0]["properties"]["code"] == "320116001001G01"


def test_gbk_is_offered_only_where_it_can_write_every_name() -> None:
    assert gbk_can_write(plan())
    assert not gbk_can_write(plan("䶮村"))


@pytest.fixture(autouse=True)
def no_leftovers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of ours stays in the directory for temporary files."""
    own = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(own))
        yield
    assert list(own.glob("gridwright-*")) == []
