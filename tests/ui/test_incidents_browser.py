"""Events in Chromium with the network blocked: leaders look, filter, take away; analysts check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from counties import demonstration
from serving import download, served

from ui.map.component import LEAFLET
from ui.printed import NoFontError, chinese_font

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
SLOW = 90_000


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demonstration(tmp_path_factory)


@pytest.fixture(scope="module")
def address(county: Path) -> Iterator[str]:
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    kept = county / "kept" / "plans.gridwright"
    environment = {"GRIDWRIGHT_PROJECT": str(county), "GRIDWRIGHT_STORE": str(kept)}
    with served(county / "log.txt", environment) as found:
        yield found


def opened(chromium: Browser, address: str, size: tuple[int, int], language: str) -> Page:
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, locale=language, accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(SLOW)
    page.goto(address)
    return page


def drawn(page: Page) -> None:
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
    )


def option(page: Page, box: str, name: str) -> None:
    page.locator(f"[class*={box}] input").first.click()
    page.get_by_role("option", name=name, exact=True).click()


def test_a_leader_looks_filters_and_takes_it_away(
    chromium: Browser, address: str, county: Path, tmp_path: Path
) -> None:
    page = opened(chromium, f"{address}/leader", (1366, 768), "zh-CN")
    broken: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    drawn(page)
    page.wait_for_function(
        "() => document.querySelector('.st-key-leader_html button')?.disabled === false"
    )
    before = page.locator(".gw-numbers").inner_text()
    option(page, "leader_period", "2024 年")
    page.wait_for_function(
        "old => document.querySelector('.gw-numbers').innerText !== old", arg=before
    )
    colours = page.locator(".gw-legend").inner_text()
    option(page, "leader_period", "2025 年")
    page.wait_for_function("() => document.querySelector('.gw-numbers').innerText.includes('%')")
    assert page.locator(".gw-legend").inner_text() == colours  # the same every period
    sent = tmp_path / "sent.html"
    download(page, "leader_html", sent)
    try:
        chinese_font()
    except NoFontError:
        pytest.skip("no font with Chinese characters is installed")
    sheet = tmp_path / "sheet.pdf"
    download(page, "leader_pdf", sheet)
    assert sheet.read_bytes().startswith(b"%PDF-")
    page.context.close()
    assert broken == []
    assert all(url.startswith((address, "data:", "blob:", "ws:")) for url in asked)
    opens_without_network(chromium, sent)
    holds_no_home(sent, county)


def opens_without_network(chromium: Browser, sent: Path) -> None:
    """The file shows its map from the disk, asking nobody."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, offline=True)
    page = context.new_page()
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(sent.as_uri())
    page.wait_for_selector(".leaflet-container canvas", state="attached")
    painted = page.evaluate(
        "() => { const c = document.querySelector('.leaflet-container canvas');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return d.some((value) => value !== 0); }"
    )
    context.close()
    assert painted
    assert broken == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def holds_no_home(sent: Path, county: Path) -> None:
    """No coordinate of a household or an event stands in what a leader sends on."""
    text = sent.read_text("utf-8")
    numbers = {f"{float(n):.5f}" for n in re.findall(r"\d+\.\d{4,}", text)}
    for name in ("households.csv", "incidents.csv"):
        table = pd.read_csv(county / name, usecols=lambda c: c in ("经度", "纬度")).dropna()
        east = table["经度"].map("{:.5f}".format).isin(numbers)
        north = table["纬度"].map("{:.5f}".format).isin(numbers)
        shared = float((east & north).mean())
        assert shared < 0.01, name  # borders have numbers too: a few meet by chance


def test_a_leader_on_a_telephone_in_english(chromium: Browser, address: str) -> None:
    page = opened(chromium, f"{address}/leader", (390, 844), "en-US")
    drawn(page)
    page.get_by_text("Events reported by people").wait_for()
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390
    page.locator(".gw-board").scroll_into_view_if_needed()
    box = page.locator(".gw-board").bounding_box()
    assert box is not None
    assert box["width"] <= 390
    page.context.close()


def test_an_analyst_sees_fitness_first_and_every_part(chromium: Browser, address: str) -> None:
    page = opened(chromium, f"{address}/incidents", (1366, 900), "en-US")
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.get_by_text("With a usable place").wait_for()
    part = page.locator(".st-key-analysis_part_box button")
    for name, sign in (
        ("Classes", "Use this table"), ("Hot spots", "significantly high"),
        ("Areas", "Never coloured by counts"), ("Time", "Hour by weekday"),
        ("The loop", "Peace index"), ("Trust", "Nothing is forecast"),
        ("Files", "Table of classes"),
    ):  # fmt: skip
        part.filter(has_text=name).first.click()
        page.get_by_text(sign).first.wait_for()
        assert page.locator(".stException").count() == 0
    page.context.close()
    assert broken == []
