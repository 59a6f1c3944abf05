"""Real events through the application in Chromium, network blocked: Canterbury's snapped crimes of
which only the month is known, and Chicago's carjackings in its community areas."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from playwright.sync_api import TimeoutError
from serving import download, served

from ui.map.component import LEAFLET
from ui.printed import NoFontError, chinese_font

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.real]
SLOW = 120_000
RealData = Callable[[str], Path]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    environment = {
        "GRIDWRIGHT_HOME": str(tmp_path / "home"), "GRIDWRIGHT_PROJECT": "",
        "GRIDWRIGHT_STORE": str(tmp_path / "kept" / "plans.gridwright"),
    }  # fmt: skip
    with served(tmp_path / "log.txt", environment) as found:
        yield found


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Callable[[str, list[Path]], Page]]:
    """Bring files in a language and accept them; afterwards nothing broke, nobody was asked."""
    broken: list[str] = []
    asked: list[str] = []
    opened: list[Page] = []

    def bring(language: str, files: list[Path]) -> Page:
        context = chromium.new_context(
            viewport={"width": 1366, "height": 768}, locale=language, accept_downloads=True
        )
        page = context.new_page()
        opened.append(page)
        page.set_default_timeout(SLOW)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/project")
        field = page.locator("input[type=file]").first
        field.wait_for(state="attached")
        field.set_input_files([str(file) for file in files])
        accept = page.locator(".st-key-files_accept button").first
        accept.wait_for()
        for patience in (20_000, SLOW):  # a click while the page is drawn anew can be lost
            if "/project" in page.url and accept.is_visible() and accept.is_enabled():
                accept.click()
            with contextlib.suppress(TimeoutError):
                page.wait_for_url(lambda url: "/project" not in url, timeout=patience)
                break
        assert "/project" not in page.url
        return page

    yield bring
    for page in opened:
        assert page.locator(".stException").count() == 0
        page.context.close()
    assert broken == []
    assert all(url.startswith((address, "data:", "blob:", "ws:")) for url in asked)


def drawn(page: Page) -> None:
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
    )


def proved(page: Page) -> None:
    page.wait_for_function(
        "() => document.querySelector('.st-key-leader_html button')?.disabled === false"
    )
    # the button is drawn before the numbers are
    page.wait_for_function(
        "() => (document.querySelector('.gw-numbers b')?.textContent.trim() ?? '—') !== '—'"
    )


def numbers(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".gw-numbers b").all_inner_texts()]


def part(page: Page, name: str, sign: str) -> None:
    """Open a part of the analysts' page and wait for its sign."""
    page.locator(".st-key-analysis_part_box button").filter(has_text=name).first.click()
    page.get_by_text(sign).first.wait_for()


def option(page: Page, box: str, name: str) -> None:
    page.locator(f"[class*={box}] input").first.click()
    page.locator(f"[class*={box}] input").first.fill(name)
    page.get_by_role("option", name=name, exact=True).click()


def taken(page: Page, key: str, path: Path) -> Path:
    download(page, key, path)
    return path


def test_canterburys_snapped_months_are_mapped_with_their_warning(
    visit: Callable[[str, list[Path]], Page], real_data: RealData, tmp_path: Path
) -> None:
    areas = real_data("uk_canterbury/clean/uk_canterbury.gpkg")
    events = real_data("uk_canterbury/clean/incidents.csv")
    page = visit("en-US", [areas, events])
    page.locator(".st-key-propose button").click()
    page.wait_for_selector(".gw-numbers")
    page.get_by_role("link", name="Events at a glance").click()
    drawn(page)
    warning = page.locator(".gw-warn")
    warning.wait_for()
    assert "snapped to shared points" in warning.inner_text()
    assert "94%" in warning.inner_text()
    box = warning.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 300  # seen without scrolling
    proved(page)
    told = numbers(page)
    given = pd.read_csv(events)
    month = given[(given["month"] == given["month"].max())
                  & ~given["category"].str.contains("sexual")]  # fmt: skip
    note = page.locator(".gw-numbers").inner_text()
    assert "without sensitive kinds" in note
    other = re.search(r"([\d,]+) more without a place or outside", note)
    assert other is not None  # told apart: it is in no rate
    assert int(told[0].replace(",", "")) + int(other[1].replace(",", "")) == len(month)
    assert told[2] == "—"  # there is no February before
    page.locator(".gw-place").first.wait_for()  # drawn after the numbers
    places = page.locator(".gw-place").all_inner_texts()
    assert 1 <= len(places) <= 10
    assert "Grid" in places[0]
    assert not re.search("[\\u4e00-\\u9fff]", " ".join(places))  # English pages speak English
    assert "Westgate" in places[0]  # the city's centre, with its busiest points on the map
    assert "what its residents would explain" in page.locator(".gw-place").first.inner_text()
    sent = taken(page, "leader_html", tmp_path / "sent.html").read_text("utf-8")
    assert "snapped to shared points" in sent
    page.get_by_role("link", name="Events: analysis").click()
    page.get_by_text("good to a neighbourhood at best").first.wait_for()
    page.get_by_text("busy shared point").first.wait_for()
    part(page, "Time", "only their month: nothing can be said by hour and weekday")
    part(page, "loop", "The data do not tell these")
    part(page, "Trust", "It takes six months")
    page.get_by_text("中文", exact=True).first.click()
    page.get_by_text("至少要有六个月").first.wait_for()
    page.get_by_role("link", name="事件一张图").click()
    page.get_by_text("热点只准到街区").first.wait_for()


def test_chicagos_carjackings_without_households_in_its_community_areas(
    visit: Callable[[str, list[Path]], Page], real_data: RealData, tmp_path: Path, chromium: Browser
) -> None:
    page = visit("zh-CN", [real_data("chicago/clean/chicago.gpkg")])
    assert "/leader" in page.url  # there is nothing to plan: the events are what can be seen
    drawn(page)
    proved(page)
    assert numbers(page)[:2] == ["1,412", "—"]
    assert page.locator(".gw-warn").count() == 0
    places = page.locator(".gw-place b").all_inner_texts()
    assert len(places) == 10
    assert places[0].startswith("WEST GARFIELD PARK")
    page.get_by_text("没有户数，不能按人口比较").first.wait_for()
    page.get_by_text("各区域", exact=True).first.click()
    page.wait_for_selector("[data-testid=stDataFrame]")
    sent = taken(page, "leader_html", tmp_path / "sent.html")
    shown = json.dumps(places[0], ensure_ascii=False).strip('"').split("、")[0]
    assert shown in sent.read_text("utf-8")
    context = chromium.new_context(viewport={"width": 390, "height": 844}, offline=True)
    alone = context.new_page()
    alone.goto(sent.as_uri())
    alone.wait_for_selector(".leaflet-control-scale-line")
    units = alone.locator(".leaflet-control-scale-line").all_inner_texts()
    assert len(units) == 1
    assert units[0].endswith("km")
    met = alone.evaluate(
        "() => { const boxes = [...document.querySelectorAll('.gw-name')]"
        ".filter((e) => e.style.visibility !== 'hidden')"
        ".map((e) => e.firstElementChild.getBoundingClientRect());"
        " return boxes.some((a, i) => boxes.slice(i + 1).some((b) => a.left < b.right"
        " && b.left < a.right && a.top < b.bottom && b.top < a.bottom)); }"
    )
    assert met is False  # no two names lie on each other
    assert alone.locator(".gw-name").count() == 9
    context.close()
    try:
        chinese_font()
    except NoFontError:
        pytest.skip("no font with Chinese characters is installed")
    assert taken(page, "leader_pdf", tmp_path / "s.pdf").read_bytes().startswith(b"%PDF-")
    page.get_by_role("link", name="事件分析").click()
    page.get_by_text("有可用位置").wait_for()
    part(page, "时间", "1,412 条有钟点")
    part(page, "区域", "不按件数着色")
    option(page, "analysis_level_zh", "警格")
    page.get_by_text("不按件数着色").first.wait_for()
    part(page, "闭环", "文件没有说明事件状态")
    page.get_by_text("数据没有这些指标").first.wait_for()
    page.get_by_text("各区域得分相同").first.wait_for()
