"""Next month in Chromium: new counts, the least change, version 2, only what changed to print."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pypdfium2
import pytest
from counties import demonstration
from serving import download, idle, served

from geo.problems import InputError
from planning.changes import find_changes
from planning.planfile import read_plan
from planning.sheets.fonts import find_font
from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SLOW = 90_000  # milliseconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Last month's plan, and this month's households: two buildings hold far more people."""
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    try:
        find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    folder = demonstration(tmp_path_factory, "planned")
    homes = folder / "households.csv"
    plan = read_plan(folder / "plan.gpkg")
    table = pd.read_csv(homes, encoding="utf-8-sig", dtype={"村代码": str})
    grid = plan.grids[plan.grids["kind"] == "comprehensive"]["code"].iloc[0]
    own = plan.households[plan.households["grid_code"] == grid]
    for household in own["household_id"].iloc[:2]:
        row = table["户编号"].astype(str) == str(household)
        table.loc[row, ["户数", "人口"]] += [150, 450]
    table.to_csv(homes, index=False, encoding="utf-8-sig")
    return folder


@pytest.fixture
def page(chromium: Browser, folder: Path, tmp_path: Path) -> Iterator[Page]:
    environment = {
        "GRIDWRIGHT_PROJECT": str(folder),
        "GRIDWRIGHT_STORE": str(tmp_path / "plans.gridwright"),
    }
    with served(tmp_path / "log.txt", environment) as address:
        context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.goto(address)
        page.wait_for_selector(".gw-numbers")
        yield page
        context.close()


def test_new_counts_least_change_version_two(page: Page, folder: Path, tmp_path: Path) -> None:
    before = read_plan(folder / "plan.gpkg")
    start = page.get_by_label("起点", exact=True).first
    start.click()
    start.fill("保留当前方案")
    start.press("Enter")
    idle(page)
    page.locator(".st-key-propose button").click()
    page.get_by_text("保留现有网格：移动").first.wait_for()
    page.get_by_role("link", name="下载").first.click()
    path = tmp_path / "second.gpkg"
    download(page, "download_gpkg", path)
    found = find_changes(before, read_plan(path))
    fresh = set(found.sheets())
    assert 0 < len(fresh) < len(before.grids)
    # the earlier version is given: the table of changes, and only what changed to print
    page.locator(".st-key-gw_form_changes input[type=file]").set_input_files(
        str(folder / "plan.gpkg")
    )
    page.get_by_text(f"{len(fresh)} 个网格的图纸需要重新打印").wait_for()
    download(page, "download_changes", tmp_path / "changes.xlsx")
    book = openpyxl.load_workbook(tmp_path / "changes.xlsx")
    rows = [row[1].value for row in book["网格变更表"].iter_rows(min_row=3)]
    quiet = [row[1].value for row in book["未变网格"].iter_rows(min_row=3)]
    assert len(rows) + len(quiet) >= len(before.grids)
    assert len(quiet) == len(before.grids) - len(
        found.table[(found.table["change"] != "kept") & (found.table["old_code"] != "")]
    )
    page.locator(".st-key-draw_sheets button").click()
    download(page, "download_sheets", tmp_path / "sheets.zip")
    with zipfile.ZipFile(tmp_path / "sheets.zip") as archive:
        pages = {}
        for name in archive.namelist():
            document = pypdfium2.PdfDocument(io.BytesIO(archive.read(name)))
            pages[name] = len(document)
            document.close()
    assert sum(n for name, n in pages.items() if name.startswith("grids-")) == len(fresh)
    assert pages["village.pdf"] == 1
    assert "overview.pdf" not in pages
