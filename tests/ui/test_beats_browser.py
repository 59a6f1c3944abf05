"""Police beats in Chromium: propose three kinds, redraw one on the board, take it away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from serving import download, served

from geo.ground import Inputs, load_ground
from planning.beats.beatfile import read_beatfile
from planning.county import propose_county
from planning.planfile import write_plan
from planning.settings import Settings
from planning.tables import to_planfile
from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
SLOW = 90_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application on six villages with their beats, stations and incidents beside the plan."""
    from data.demo import write_county

    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    folder = tmp_path_factory.mktemp("county")
    write_county(folder, villages=6)
    inputs = Inputs(
        villages=str(folder / "villages.gpkg"), households=str(folder / "households.csv")
    )
    write_plan(to_planfile(propose_county(load_ground(inputs), Settings())), folder / "plan.gpkg")
    environment = {
        "GRIDWRIGHT_PROJECT": str(folder),
        "GRIDWRIGHT_STORE": str(folder / "kept" / "plans.gridwright"),
    }
    with served(folder / "log.txt", environment) as found:
        yield found


def test_beats_are_proposed_redrawn_and_taken_away(
    chromium: Browser, address: str, tmp_path: Path
) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    outside: list[str] = []
    broken: list[str] = []
    page.on(
        "request",
        lambda asked: outside.append(asked.url)
        if urlsplit(asked.url).scheme not in ("data", "blob")
        and urlsplit(asked.url).hostname != "127.0.0.1"
        else None,
    )
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(f"{address}/beats")
    page.locator(".st-key-beats_propose button").click()
    page.wait_for_selector(".st-key-beats_redraw_balanced")
    page.wait_for_function(
        "() => { const maps = [...document.querySelectorAll('.gw-board')];"
        " return maps.length >= 3 && maps.slice(0, 3).every(m => Number(m.dataset.features) > 0"
        " && Number(m.dataset.view.split(' ')[2]) < 16); }"
    )
    page.get_by_role("tab", name="Crossings").click()
    page.get_by_text("made of whole grids").wait_for()

    page.locator(".st-key-beats_redraw_least-change button").click()
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-hand')?.dataset.units || 0) > 0"
    )
    if page.locator(".gw-tour-skip").count():
        page.locator(".gw-tour-skip").first.click()
    rows = page.locator(".gw-rows tr[data-key]")
    before = rows.count()
    rows.nth(0).locator(".gw-link").click()
    rows.nth(1).locator(".gw-link").click(modifiers=["Shift"])
    page.keyboard.press("m")
    page.wait_for_function(
        f"() => document.querySelectorAll('.gw-rows tr[data-key]').length === {before - 1}"
    )
    page.locator(".st-key-beats_back button").click()
    download(page, "beats_gpkg", tmp_path / "beats.gpkg")
    assert len(read_beatfile(tmp_path / "beats.gpkg").beats) == before - 1
    context.close()
    assert outside == []
    assert broken == []
