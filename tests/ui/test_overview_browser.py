"""A small city in Chromium, shown as a large one: overview, parts, search, and no waiting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from serving import Window, idle, served

from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
TABLE = "[data-testid=stDataFrame]"
HUB = "globalThis[Symbol.for('gridwright.parts')]"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from data.city import write_city
    from geo.ground import Inputs, load_ground
    from planning.county import propose_county
    from planning.planfile import write_plan
    from planning.settings import Settings
    from planning.tables import to_planfile

    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    folder = tmp_path_factory.mktemp("city")
    write_city(folder, 1, counties=2, villages=6, workers=1)
    inputs = Inputs(
        villages=f"{folder}/villages.gpkg", households=f"{folder}/households.parquet",
        roads=f"{folder}/roads.gpkg",
    )  # fmt: skip
    write_plan(to_planfile(propose_county(load_ground(inputs), Settings())), folder / "plan.gpkg")
    environment = {
        "GRIDWRIGHT_PROJECT": str(folder),
        "GRIDWRIGHT_OVERVIEW_FROM": "5",
        "GRIDWRIGHT_STORE": str(folder / "kept" / "plans.gridwright"),
    }
    with served(folder / "log.txt", environment) as found:
        yield found


def board(page: Page) -> dict[str, Any]:
    text = page.eval_on_selector(".gw-board", "e => JSON.stringify(e.dataset)")
    return dict(json.loads(text))


def zoom(page: Page) -> float:
    return float(board(page)["view"].split()[2])


def quiet(page: Page) -> dict[str, Any]:
    """What the board says when it has all that its view needs."""
    page.wait_for_function(
        "() => (document.querySelector('.gw-board')?.dataset.parts || '').startsWith('idle')"
    )
    return board(page)


def turn(page: Page, notches: int, ready: str) -> None:
    """Turn the wheel over the map's middle until the zoom is as wanted."""
    box = page.locator(".gw-board .gw-map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(30):
        page.mouse.wheel(0, -120 * notches)
        page.wait_for_timeout(350)
        if page.evaluate(
            "() => { const zoom = Number(document.querySelector('.gw-board').dataset.view"
            f".split(' ')[2]); return {ready}; }}"
        ):
            return
    pytest.fail(f"the zoom never was {ready}: {board(page)['view']}")


def drawn(page: Page, layer: str) -> int:
    """Features that a layer holds, drawn already or not, counted where the map keeps them."""
    return int(
        page.evaluate(
            f"name => {{ const [parts] = {HUB}.boards.values();"
            " return parts.board.layers.get(name).held.features.size; }",
            layer,
        )
    )


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Window]:
    window = Window(chromium, locale="en-US")
    yield window
    window.close()


@pytest.fixture
def visitor(window: Window, address: str) -> Iterator[Page]:
    page = window.fresh(address)
    beside: list[int] = []

    def note(told: Route) -> None:
        beside.append(page.locator(TABLE).count())
        told.continue_()

    page.route("**/drawn/*", note)
    with page.expect_response("**/drawn/*") as answer:
        page.goto(address)
    assert beside == [0]  # the map is drawn, and its table has not been sent
    assert answer.value.status == 204  # somebody waited to hear of it
    page.locator(TABLE).first.wait_for()
    page.unroute_all()
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
    )
    yield page
    assert window.broken == []
    assert window.outside == []


def test_near_is_sent_far_is_not_and_points_come_last(visitor: Page) -> None:
    quiet(visitor)
    turn(visitor, -1, "zoom <= 7")
    assert drawn(visitor, "areas") == 12
    assert drawn(visitor, "grids") in range(0, 200)
    turn(visitor, 1, "zoom >= 13.5 && zoom < 15")
    quiet(visitor)
    assert drawn(visitor, "grids") > 0
    assert drawn(visitor, "households") == 0
    turn(visitor, 1, "zoom >= 15.25")
    quiet(visitor)
    assert drawn(visitor, "numbers") > 0


def test_the_map_moves_while_the_server_says_nothing(visitor: Page) -> None:
    quiet(visitor)
    # cut the messenger: nothing that is asked reaches the server
    visitor.evaluate(f"() => {{ const hub = {HUB}; hub.kept = hub.send; hub.send = null; }}")
    before = board(visitor)["view"]
    turn(visitor, 1, "zoom >= 13")
    box = visitor.locator(".gw-board .gw-map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visitor.mouse.move(x, y)
    visitor.mouse.down()
    visitor.mouse.move(x + 180, y + 90, steps=4)
    visitor.mouse.up()
    visitor.wait_for_timeout(300)
    assert board(visitor)["view"] != before
    assert board(visitor)["parts"].startswith("busy")
    colours = visitor.evaluate(
        """() => {
          const seen = new Set();
          for (const canvas of document.querySelectorAll('.gw-map canvas')) {
            const { width, height } = canvas;
            const dots = canvas.getContext('2d').getImageData(0, 0, width, height).data;
            for (let i = 0; i < dots.length; i += 388) if (dots[i + 3] > 200) seen.add(dots[i]);
          }
          return seen.size;
        }"""
    )
    assert colours >= 2  # villages stand in for grids that are not here
    visitor.evaluate(f"() => {{ const hub = {HUB}; hub.send = hub.kept; }}")
    quiet(visitor)


def test_a_search_and_a_row_lead_to_a_grid_that_was_not_sent(visitor: Page) -> None:
    quiet(visitor)
    turn(visitor, -1, "zoom <= 7")
    search = visitor.get_by_placeholder("Find by name or code", exact=False).first
    search.fill("001")
    search.press("Enter")
    table = visitor.locator("[data-testid=stDataFrame]").first
    table.wait_for()
    idle(visitor)
    visitor.wait_for_timeout(300)  # the table paints itself on a canvas, without a sign
    box = table.bounding_box()
    assert box is not None
    visitor.mouse.click(box["x"] + 22, box["y"] + 50)
    visitor.wait_for_function(
        "() => document.querySelector('.gw-board').dataset.selected.endsWith('001')"
    )
    visitor.wait_for_function(
        "() => Number(document.querySelector('.gw-board').dataset.view.split(' ')[2]) > 10"
    )
    found = quiet(visitor)
    assert drawn(visitor, "grids") > 0
    code = found["selected"]
    assert visitor.evaluate(
        f"code => {{ const [parts] = {HUB}.boards.values();"
        " return parts.board.layers.get('grids').shapes.has(code)"
        " && parts.board.mark.length > 0; }",
        code,
    )


def choose(page: Page, text: str) -> None:
    box = page.locator(".stMain [data-testid=stSelectbox] input").first
    box.click()
    box.fill(text)
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("Enter")


def test_a_village_and_back_again(visitor: Page) -> None:
    quiet(visitor)
    whole = board(visitor)["place"]
    choose(visitor, "3299")
    visitor.wait_for_function(
        "was => document.querySelector('.gw-board').dataset.place !== was", arg=whole
    )
    visitor.wait_for_function(
        "() => document.querySelector('.gw-board').dataset.parts === ''"
    )
    alone = int(board(visitor)["features"])
    assert alone > 0
    choose(visitor, "Whole county")
    visitor.wait_for_function(
        "was => document.querySelector('.gw-board').dataset.place === was", arg=whole
    )
    quiet(visitor)
    assert drawn(visitor, "areas") == 12
