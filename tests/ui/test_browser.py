"""The application in Chromium, the internet out of reach: a planner's first minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from serving import Window, download, idle, served
from synthetic import HOSTILE, plan, roads

from planning.planfile import write_plan
from ui.map.component import LEAFLET
from ui.words import WORDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application on a port of its own, with a plan in which one village has a hostile name."""
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    folder = tmp_path_factory.mktemp("county")
    write_plan(plan(HOSTILE), folder / "plan.gpkg")
    roads().to_file(folder / "roads.gpkg")
    with served(folder / "log.txt", {"GRIDWRIGHT_PROJECT": str(folder)}) as found:
        yield found


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Window]:
    """For all tests that ask for no other language or colours."""
    window = Window(chromium)
    yield window
    window.close()


@pytest.fixture
def visitor(
    chromium: Browser, window: Window, address: str, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A page that notes every request which leaves this machine, and every error of a script."""
    settings = getattr(request, "param", {})
    own = Window(chromium, **settings) if settings else window
    yield own.fresh(address)
    if own is not window:
        own.close()
    assert own.outside == []
    assert own.broken == []


def board(page: Page) -> dict[str, str]:
    text = page.eval_on_selector(".gw-board", "e => JSON.stringify(e.dataset)")
    return dict(json.loads(text))


def open_map(page: Page, address: str, path: str = "") -> dict[str, str]:
    page.goto(address + path)
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
    )
    return board(page)


def until(page: Page, name: str, condition: str) -> None:
    page.wait_for_function(
        f"() => {{ const value = document.querySelector('.gw-board').dataset.{name};"
        f" return {condition}; }}"
    )


def colours(page: Page) -> int:
    """How many different colours the map's canvases show."""
    return int(
        page.evaluate(
            """() => {
              const seen = new Set();
              for (const canvas of document.querySelectorAll('.gw-map canvas')) {
                const { width, height } = canvas;
                const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
                for (let i = 0; i < pixels.length; i += 4 * 97) {
                  if (pixels[i + 3] > 200) {
                    seen.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
                  }
                }
              }
              return seen.size;
            }"""
        )
    )


def shown_scale(page: Page) -> str:
    return page.inner_text(".leaflet-control-scale-line")


def centre(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_grids_are_seen_and_nothing_is_asked_of_the_internet(
    visitor: Page, address: str
) -> None:
    state = open_map(visitor, address)
    assert int(state["features"]) >= 8
    assert colours(visitor) >= 4
    assert "内部使用,未经地图审核不得公开" in visitor.inner_text(".gw-notice")
    assert visitor.inner_text(".gw-numbers").split()[0] == "8"
    assert shown_scale(visitor)


@pytest.mark.parametrize("visitor", [{"locale": "en-US"}], indirect=True)
def test_the_browsers_language_decides_and_the_switch_overrides(
    visitor: Page, address: str
) -> None:
    open_map(visitor, address)
    visitor.get_by_text("Propose grids").wait_for()
    visitor.get_by_text("中文", exact=True).click()
    visitor.get_by_text("生成网格方案").wait_for()
    visitor.locator(".gw-switches summary", has_text="图层").wait_for()
    visitor.reload()
    visitor.get_by_text("生成网格方案").wait_for()


@pytest.mark.parametrize("visitor", [{"color_scheme": "dark"}], indirect=True)
def test_a_dark_page_has_a_dark_map(visitor: Page, address: str) -> None:
    assert open_map(visitor, address)["dark"] == "true"
    assert colours(visitor) >= 4


def test_the_map_follows_when_the_computer_turns_dark(visitor: Page, address: str) -> None:
    assert open_map(visitor, address)["dark"] == "false"
    visitor.emulate_media(color_scheme="dark")
    until(visitor, "dark", "value === 'true'")


def test_a_row_of_the_exceptions_moves_the_map_there(visitor: Page, address: str) -> None:
    open_map(visitor, address)
    before = shown_scale(visitor)
    visitor.get_by_text("例外 1").click()
    table = visitor.locator("[data-testid=stDataFrame]")
    visitor.wait_for_function(
        "() => document.querySelectorAll('[data-testid=stDataFrame]').length === 1"
        " && !document.querySelector('input[placeholder^=\"按名称\"]')"
    )
    visitor.wait_for_timeout(500)  # the table paints itself on a canvas, without a sign
    box = table.bounding_box()
    assert box is not None
    visitor.mouse.click(box["x"] + 18, box["y"] + 52)
    until(visitor, "focus", "Number(value) > 0")
    assert board(visitor)["selected"] == "320116001001004"
    assert shown_scale(visitor) != before
    assert "第4网格" in visitor.inner_text(".gw-grid-name")


def test_click_and_double_click_on_the_map(visitor: Page, address: str) -> None:
    open_map(visitor, address)
    x, y = centre(visitor, ".gw-map")
    visitor.mouse.click(x + 60, y + 60)
    until(visitor, "selected", "value !== ''")
    chosen = board(visitor)["selected"]
    assert chosen.startswith("320116001202")
    visitor.mouse.dblclick(x + 60, y + 60)
    until(visitor, "place", "value.endsWith('320116001202')")
    assert visitor.inner_text(".gw-numbers").split()[0] == "4"
    visitor.mouse.click(*centre(visitor, ".gw-fit"))
    assert board(visitor)["place"].endswith("320116001202")


def test_layers_can_be_switched_off(visitor: Page, address: str) -> None:
    open_map(visitor, address)
    with_roads = colours(visitor)
    visitor.click(".gw-switches summary")
    for label in ("道路", "村界", "例外标记"):
        visitor.locator(".gw-switch", has_text=label).locator("input").uncheck()
    visitor.wait_for_timeout(300)  # the canvas is drawn with the next frames
    assert colours(visitor) < with_roads


def test_a_hostile_name_is_shown_as_the_text_it_is(visitor: Page, address: str) -> None:
    open_map(visitor, address)
    x, y = centre(visitor, ".gw-map")
    visitor.mouse.move(x - 60, y + 60)
    visitor.mouse.move(x - 62, y + 61)
    visitor.wait_for_selector(".gw-tip")
    assert HOSTILE in visitor.inner_text(".gw-tip-name")
    visitor.mouse.click(x - 62, y + 61)
    visitor.wait_for_selector(".gw-grid")
    assert HOSTILE in visitor.inner_text(".gw-grid-name")
    visitor.mouse.dblclick(x - 62, y + 61)
    until(visitor, "place", "value.endsWith('320116001001')")
    visitor.get_by_text("项目", exact=True).click()
    visitor.get_by_text("打开一个县区").wait_for()
    assert visitor.evaluate("() => window.__xss") is None
    assert visitor.locator("img[src='x']").count() == 0


def test_a_page_that_was_left_and_found_again_has_its_map(visitor: Page, address: str) -> None:
    before = open_map(visitor, address, "/plan")  # as somebody sends it who sees another page first
    idle(visitor)
    assert visitor.get_by_role("dialog").count() == 0
    assert urlsplit(visitor.url).path == "/"
    visitor.get_by_text("下载", exact=True).first.click()
    visitor.get_by_text("GeoJSON").first.wait_for()
    visitor.get_by_text("网格方案", exact=True).first.click()
    visitor.wait_for_function(
        "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
    )
    assert board(visitor)["features"] == before["features"]
    assert colours(visitor) >= 4


def test_the_register_can_be_downloaded(visitor: Page, address: str, tmp_path: Path) -> None:
    visitor.goto(f"{address}/download")
    visitor.locator(".st-key-download_csv button").wait_for()  # the last: nothing moves any more
    sheets = visitor.locator(".st-key-gw_form_sheets")
    assert sheets.get_by_text(WORDS["sheets.no_beat"][0]).count() == 1
    assert sheets.get_by_role("link").evaluate_all("all => all.map(a => a.pathname)") == [
        "/beats", "/levels",
    ]  # fmt: skip
    path = tmp_path / "register.xlsx"
    assert download(visitor, "download_register", path) == "网格划分登记表.xlsx"
    assert path.read_bytes()[:2] == b"PK"


def test_data_can_be_taken_in_another_coordinate_system(
    visitor: Page, address: str, tmp_path: Path
) -> None:
    visitor.goto(f"{address}/download")
    visitor.locator(".st-key-download_csv button").wait_for()
    idle(visitor)  # a list that opens while the page is still drawn closes again
    visitor.locator(".st-key-download_system input").click()
    visitor.locator(".st-key-download_system input").fill("GCJ")
    visitor.get_by_role("option").filter(has_text="GCJ-02").click()
    visitor.get_by_text("不能与其他数据混用").wait_for()
    path = tmp_path / "grids.csv"
    assert download(visitor, "download_csv", path) == "网格方案-gcj02.csv"
    head, first = path.read_text("utf-8-sig").splitlines()[:2]
    assert head.endswith("经度,纬度,坐标系")
    assert "GCJ-02" in first


def test_what_changed_since_an_earlier_version(
    visitor: Page, address: str, tmp_path: Path
) -> None:
    earlier = tmp_path / "v1.gpkg"
    write_plan(plan("柳塘村"), earlier)
    visitor.goto(f"{address}/download")
    visitor.locator(".st-key-download_csv button").wait_for()
    visitor.locator(".st-key-earlier input[type=file]").set_input_files(str(earlier))
    path = tmp_path / "changes.xlsx"
    assert download(visitor, "download_changes", path) == "网格变更表.xlsx"
