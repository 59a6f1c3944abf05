"""Levels in Chromium: down by the map, up by the names, one leader's grids alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from counties import demonstration
from playwright.sync_api import TimeoutError
from serving import Window, download, idle, served

from planning.planfile import read_plan
from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SLOW = 60_000  # milliseconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four villages with micro-grids, and a list of a leader's grids."""
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    folder = demonstration(tmp_path_factory, "micro")
    codes = read_plan(folder / "plan.gpkg").grids["code"].astype(str)
    (folder / "领导联网格.csv").write_text(
        f"岗位,网格编码\n县长,{codes.iloc[0]}\n县长,{codes.iloc[-1]}\n", encoding="utf-8-sig"
    )
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    environment = {
        "GRIDWRIGHT_PROJECT": str(folder),
        "GRIDWRIGHT_STORE": str(folder / "kept" / "plans.gridwright"),
    }
    with served(folder / "log.txt", environment) as found:
        yield found


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Window]:
    window = Window(chromium)
    yield window
    window.close()


@pytest.fixture
def page(window: Window, address: str) -> Iterator[Page]:
    page = window.fresh(address)
    page.goto(f"{address}/levels")
    page.wait_for_selector(".gw-numbers")
    yield page
    assert window.broken == []
    assert window.outside == []


def numbers(page: Page) -> list[str]:
    return page.locator(".gw-numbers b").all_inner_texts()


OTHER = (
    "other => [...document.querySelectorAll('.gw-numbers b')].map(b => b.innerText).join()"
    " !== other"
)


def until(page: Page, other: list[str], most: int = SLOW) -> list[str]:
    """The numbers once they are no longer ``other``, or after ``most`` milliseconds."""
    with suppress(TimeoutError):
        page.wait_for_function(OTHER, arg=",".join(other), timeout=most)
    return numbers(page)


def test_down_to_a_micro_grid_and_up_again(page: Page, folder: Path) -> None:
    plan = read_plan(folder / "plan.gpkg")
    county = numbers(page)
    assert county[0] == f"{len(plan.grids):,}"
    assert county[3] == f"{int(plan.grids['households'].sum()):,}"
    now, depth = county, 0
    idle(page)
    while page.get_by_text("没有下一级").count() == 0 and depth < 6:
        assert page.get_by_text("与本级一致").count() == 1
        box = page.locator(".gw-board").first.bounding_box()
        assert box is not None
        for share in (0.5, 0.42, 0.58, 0.35, 0.65):  # the middle may lie between two places
            page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.5)
            if until(page, now, 1500) != now:
                break
        before, now = now, until(page, now)
        assert now != before
        depth += 1
        idle(page)  # the numbers change before the sentence under them
    assert depth >= 3
    page.locator(".st-key-levels_path button").first.click()
    assert until(page, now) == county


def test_a_leaders_grids_alone(page: Page, folder: Path, tmp_path: Path) -> None:
    plan = read_plan(folder / "plan.gpkg")
    own = plan.grids.iloc[[0, -1]]
    county = numbers(page)
    box = page.get_by_label("领导联网格", exact=True).first
    box.click()
    box.fill("县长")
    box.press("Enter")
    shown = until(page, county)
    assert shown[0] == "2"
    assert shown[3] == f"{int(own['households'].sum()):,}"
    path = tmp_path / "leader.pdf"
    download(page, "leader_sheets", path)
    document = pypdfium2.PdfDocument(path)
    assert len(document) == 3
    document.close()
