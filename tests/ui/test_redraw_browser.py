"""A planner's work on the board in Chromium, the internet out of reach: one journey a tool."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from counties import demonstration
from serving import Window, download, served

from planning.check import check_plan
from planning.planfile import read_plan
from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SLOW = 60_000  # milliseconds; a loaded machine is not a defect of the program
TOURED = "localStorage.setItem('gridwright.board.tour', 'seen')"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application with four villages of the demonstration county, and a store of its own."""
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    folder = demonstration(tmp_path_factory, "planned")
    kept = folder / "kept"
    environment = {
        "GRIDWRIGHT_PROJECT": str(folder), "GRIDWRIGHT_STORE": str(kept / "plans.gridwright"),
    }  # fmt: skip
    with served(folder / "log.txt", environment) as found:
        yield found


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Window]:
    """For all tests of a planner who knows the board and asks for no other language or colours."""
    window = Window(chromium, script=TOURED)
    yield window
    window.close()


@pytest.fixture
def board(
    chromium: Browser, window: Window, address: str, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The board, every step of an earlier test undone."""
    settings = dict(getattr(request, "param", {}))
    script = "" if settings.pop("touring", False) else TOURED
    own = window
    if settings or not script:
        own = Window(chromium, script=script, **settings)
    page = own.fresh(address)
    page.goto(f"{address}/board")
    ready(page)
    tab(page, "history")
    if page.locator(".gw-body .gw-entry").count() > 1:
        before = state(page)["version"]
        page.locator(".gw-body .gw-entry").last.click()
        settle(page, before, may_stay=True)
    tab(page, "grids")
    yield page
    if own is not window:
        own.close()
    assert own.outside == []
    assert own.broken == []


def ready(page: Page) -> None:
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-hand')?.dataset.units || 0) > 0"
    )


def state(page: Page) -> dict[str, str]:
    text = page.eval_on_selector(".gw-hand", "e => JSON.stringify(e.dataset)")
    return dict(json.loads(text))


def settle(page: Page, before: str, *, may_stay: bool = False) -> dict[str, str]:
    """Wait until the server answered; the plan is another one unless it ``may_stay``."""
    page.wait_for_function(
        "([version, stay]) => { const d = document.querySelector('.gw-hand').dataset;"
        " return d.idle === 'true' && (stay || d.version !== version); }",
        arg=[before, may_stay],
    )
    return state(page)


def tab(page: Page, name: str) -> None:
    page.locator(f"[data-tab={name}]").click()


def edit(page: Page, do: Any) -> dict[str, str]:
    before = state(page)["version"]
    do()
    return settle(page, before)


def said(page: Page) -> str:
    return page.inner_text(".gw-note")


def row(page: Page, number: int) -> Any:
    return page.locator(".gw-rows tr[data-key]").nth(number)


def give_elsewhere(page: Page) -> None:
    """Give the chosen units to a grid that holds none of them."""
    page.locator(".gw-rows tr[data-key]:not(.gw-on)").first.get_by_text("划入").click()


def households(page: Page) -> list[int]:
    cells = page.locator(".gw-rows tr[data-key] td:nth-child(2)").all_inner_texts()
    return [int(text.replace(",", "")) for text in cells]


def centre_of(page: Page) -> tuple[float, float]:
    box = page.locator(".gw-hand .gw-map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def stroke(page: Page, *points: tuple[float, float], release: bool = True) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    if release:
        page.mouse.up()


def around(page: Page, size: float) -> list[tuple[float, float]]:
    x, y = centre_of(page)
    return [(x - size, y - size), (x + size, y - size), (x + size, y + size), (x - size, y + size),
            (x - size, y - size)]  # fmt: skip


def choose_row(page: Page, number: int, *, add: bool = False) -> None:
    row(page, number).locator(".gw-link").click(modifiers=["Shift"] if add else [])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_choose_by_click_shift_click_rectangle_lasso_and_from_the_table(board: Page) -> None:
    x, y = centre_of(board)
    board.mouse.move(x, y)
    board.wait_for_selector(".gw-beside:not([hidden])")
    board.mouse.click(x, y)
    assert len(state(board)["chosen"].split()) == 1
    board.keyboard.down("Shift")
    board.mouse.click(x + 110, y + 60)
    stroke(board, (x - 120, y - 120), (x - 20, y - 20))
    board.keyboard.up("Shift")
    assert len(state(board)["chosen"].split()) > 2
    press(board, "r")
    stroke(board, (x - 60, y - 60), (x + 60, y + 60))
    boxed = set(state(board)["chosen"].split())
    press(board, "l")
    stroke(board, *around(board, 60))
    assert set(state(board)["chosen"].split()) == boxed
    assert len(boxed) > 1
    press(board, "Escape", "Escape")
    assert state(board)["chosen"] == ""
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    assert len(state(board)["chosenGrids"].split()) == 2
    assert board.locator(".gw-chosen-grid").count() == 2
    board.fill(".gw-search", "003")
    assert board.locator(".gw-rows tr[data-key]").count() == 1


def test_transfer_by_click_and_by_button_undo_redo_history_and_reload(board: Page) -> None:
    start = households(board)
    press(board, "r")
    stroke(board, *around(board, 70)[:3:2])
    edit(board, lambda: give_elsewhere(board))
    moved = households(board)
    assert sum(moved) == sum(start)
    assert moved != start
    edit(board, lambda: press(board, "Control+z"))
    assert households(board) == start
    edit(board, lambda: press(board, "Control+Shift+z"))
    assert households(board) == moved
    board.reload()
    ready(board)
    assert households(board) == moved
    tab(board, "history")
    assert "划转" in board.inner_text(".gw-body")
    edit(board, lambda: board.locator(".gw-body .gw-entry").last.click())
    tab(board, "grids")
    assert households(board) == start
    edit(board, lambda: board.locator("button[data-name=redo]").click())
    assert households(board) == moved


def test_merge_split_balance_number_propose_tidy_and_new(board: Page) -> None:
    grids = int(state(board)["grids"])
    total = sum(households(board))
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    assert int(edit(board, lambda: press(board, "m"))["grids"]) == grids - 1
    press(board, "s")
    board.fill(".gw-asking input", "3")
    assert int(edit(board, lambda: press(board, "Enter"))["grids"]) == grids + 1
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    before = state(board)["version"]
    press(board, "e")
    settle(board, before, may_stay=True)  # parts just made may be even already
    press(board, "Escape", "r")
    stroke(board, *around(board, 60)[:3:2])
    assert int(edit(board, lambda: press(board, "n"))["grids"]) >= grids
    before = state(board)["version"]
    press(board, "i")
    settle(board, before, may_stay=True)
    press(board, "g")
    board.fill(".gw-asking input", "4")
    edit(board, lambda: press(board, "Enter"))
    edit(board, lambda: press(board, "p"))
    assert sum(households(board)) == total


def test_a_locked_grid_keeps_what_it_has_and_says_so(board: Page) -> None:
    start = households(board)
    edit(board, lambda: press(board, "Shift+X"))
    press(board, "r")
    stroke(board, *around(board, 60)[:3:2])
    before = state(board)["version"]
    give_elsewhere(board)
    board.wait_for_timeout(100)
    settle(board, before, may_stay=True)
    assert "锁定" in said(board)
    assert households(board) == start
    edit(board, lambda: press(board, "Shift+U"))
    edit(board, lambda: give_elsewhere(board))
    assert households(board) != start


def test_rename_kind_and_reason(board: Page) -> None:
    choose_row(board, 0)
    press(board, "f")
    board.fill(".gw-asking input", "<img src=x onerror=window.__xss=1>")
    edit(board, lambda: press(board, "Enter"))
    assert "<img src=x" in board.inner_text(".gw-chosen")
    press(board, "w")
    board.fill(".gw-asking input", "学校占地")
    edit(board, lambda: press(board, "Enter"))
    assert "学校占地" in board.inner_text(".gw-chosen")
    edit(board, lambda: press(board, "c"))
    assert board.evaluate("() => window.__xss") is None
    assert "90" in board.inner_text(".gw-chosen")


def test_the_brush_paints_units_over(board: Page) -> None:
    start = households(board)
    choose_row(board, 0)
    press(board, "b")
    x, y = centre_of(board)
    stroke(board, (x - 80, y), (x + 80, y), release=False)
    assert "→" in board.inner_text(".gw-beside")
    edit(board, lambda: board.mouse.up())
    assert households(board)[0] > start[0]
    assert "涂刷" in said(board)


def border_at(board: Page) -> tuple[float, float]:
    """A place along the middle row of the map where one grid ends and another begins."""
    x, y = centre_of(board)
    last = ""
    for step in range(-240, 240, 6):
        board.mouse.move(x + step, y)
        tip = board.locator(".gw-beside")
        now = tip.inner_text().split("\n")[0] if tip.is_visible() else ""
        if now and last and now != last:
            return x + step, y
        last = now
    raise AssertionError("no border between two grids on the middle row")


def test_a_border_follows_the_mouse_and_escape_lets_go(board: Page) -> None:
    start, version = households(board), state(board)["version"]
    x, y = border_at(board)
    press(board, "d")
    stroke(board, (x, y), (x + 90, y), release=False)
    assert board.inner_text(".gw-beside").count("→") == 2
    press(board, "Escape")
    board.mouse.up()
    assert (households(board), state(board)["version"]) == (start, version)
    for pull in (90, -90):
        board.mouse.move(x, y)
        stroke(board, (x, y), (x + pull, y))
        board.wait_for_timeout(400)
        if settle(board, version, may_stay=True)["version"] != version:
            break
    assert households(board) != start
    assert sum(households(board)) == sum(start)


def test_an_outline_and_a_cut_are_drawn(board: Page) -> None:
    grids, start = int(state(board)["grids"]), households(board)
    x, y = centre_of(board)
    press(board, "k")
    after = edit(board, lambda: stroke(board, (x, y - 60), (x, y), (x, y + 60)))
    assert int(after["grids"]) == grids + 1
    edit(board, lambda: press(board, "Control+z"))
    choose_row(board, 0)
    press(board, "o")
    edit(board, lambda: stroke(board, *around(board, 90)))
    assert sum(households(board)) == sum(start)
    assert households(board) != start


def test_units_are_cut_where_the_line_is_drawn_and_whole_again(board: Page) -> None:
    start, whole = households(board), state(board)
    x, y = centre_of(board)
    press(board, "k")
    board.locator("[data-option=through]").click()
    assert state(board)["through"] == "true"
    cut = edit(board, lambda: stroke(board, (x - 60, y - 66), (x, y), (x + 50, y + 70)))
    assert int(cut["grids"]) == int(whole["grids"]) + 1
    assert int(cut["units"]) > int(whole["units"])
    assert "切开" in said(board)
    assert sum(households(board)) == sum(start)
    board.reload()
    ready(board)
    assert state(board)["units"] == cut["units"]
    back = edit(board, lambda: press(board, "Control+z"))
    assert (back["units"], households(board)) == (whole["units"], start)
    press(board, "q")
    choose_row(board, 0)
    press(board, "o")
    drawn = edit(board, lambda: stroke(board, *around(board, 83)))
    assert int(drawn["units"]) > int(whole["units"])
    assert sum(households(board)) == sum(start)
    press(board, "q")
    assert state(board)["through"] == "false"


def test_what_is_wrong_is_listed_and_gone_to(board: Page) -> None:
    x, y = centre_of(board)
    press(board, "h")  # a click chooses the whole grid
    board.mouse.click(x, y)
    own = state(board)["chosenGrids"]
    press(board, "h")
    assert own
    press(board, "Escape")
    board.mouse.click(x, y)
    edit(board, lambda: give_elsewhere(board))
    tab(board, "wrong")
    entries = board.locator(".gw-body .gw-entry")
    assert entries.count() > 0
    scale = board.inner_text(".leaflet-control-scale-line")
    board.locator(".gw-body .gw-entry", has_text="飞地").first.click()
    board.wait_for_function(
        "was => document.querySelector('.leaflet-control-scale-line').innerText !== was", arg=scale
    )


def test_scenarios_are_branched_renamed_and_switched(board: Page) -> None:
    start = households(board)
    tab(board, "scenarios")
    first = board.locator(".gw-body .gw-entry").count()
    board.get_by_text("另建分支…").click()
    board.fill(".gw-asking input", "方案乙")
    edit(board, lambda: press(board, "Enter"))
    assert board.locator(".gw-body .gw-entry").count() == first + 1
    assert "方案乙" in board.inner_text(".gw-body .gw-entry.gw-on")
    board.get_by_text("改名…").click()
    board.fill(".gw-asking input", "方案丙")
    before = state(board)["version"]
    press(board, "Enter")
    settle(board, before, may_stay=True)
    board.locator(".gw-body").get_by_text("方案丙").wait_for()
    tab(board, "grids")
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    edit(board, lambda: press(board, "m"))
    tab(board, "scenarios")
    edit(board, lambda: board.locator(".gw-body .gw-entry").first.click())
    tab(board, "grids")
    assert households(board) == start


def test_by_keyboard_alone(board: Page) -> None:
    press(board, "?")
    assert "Ctrl-Z" in board.inner_text(".gw-help")
    press(board, "Escape", "Alt+ArrowRight", " ")
    board.wait_for_function(
        "() => (document.querySelector('.gw-hand').dataset.chosen || '').split(' ')"
        ".filter(Boolean).length === 1"
    )
    for _ in range(40):
        press(board, "Alt+ArrowRight")
    press(board, "Alt+ArrowDown", "Alt+ArrowDown")
    before = state(board)["version"]
    press(board, "Enter")
    settle(board, before, may_stay=True)
    board.wait_for_function("() => document.querySelector('.gw-note').innerText.trim() !== ''")


def draw_by_keys(page: Page, *corners: str) -> None:
    """Move the cross by so many arrows of each letter (u d l r), then put a corner down."""
    arrows = {"u": "ArrowUp", "d": "ArrowDown", "l": "ArrowLeft", "r": "ArrowRight"}
    for corner in corners:
        press(page, *(arrows[letter] for letter in corner), " ")


def test_lines_outlines_boxes_and_loops_are_drawn_by_keyboard(board: Page) -> None:
    start, grids = households(board), int(state(board)["grids"])
    press(board, "k", "ArrowUp")
    assert board.locator(".gw-pen").is_visible()
    focused = "() => document.activeElement.classList.contains('gw-map')"
    assert board.evaluate(focused)
    outline = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert board.evaluate(outline) == "solid"
    draw_by_keys(board, "uuu", "rr")
    assert state(board)["corners"] == "2"
    press(board, "Backspace")
    assert state(board)["corners"] == "1"
    press(board, "Escape")
    assert (state(board)["corners"], state(board)["tool"]) == ("0", "cut")
    draw_by_keys(board, "", "dddd")
    cut = edit(board, lambda: press(board, "ArrowDown", "ArrowDown", "Enter"))
    assert int(cut["grids"]) == grids + 1
    edit(board, lambda: press(board, "Control+z"))
    press(board, "r")
    draw_by_keys(board, "", "rrrruuuu")
    boxed = state(board)["chosen"].split()
    assert boxed
    press(board, "Escape", "l")
    draw_by_keys(board, "lllldddd", "rrrr", "uuuu", "llll")
    press(board, "Enter")
    assert state(board)["chosen"].split()
    choose_row(board, 0)
    press(board, "o")
    draw_by_keys(board, "uuu", "rrrrrr", "dddddd", "llllll")
    edit(board, lambda: press(board, "Enter"))
    assert sum(households(board)) == sum(start)
    assert households(board) != start


def test_the_brush_and_a_border_are_led_by_keyboard(board: Page) -> None:
    start = households(board)
    choose_row(board, 0)
    press(board, "b", "ArrowRight", " ")
    assert state(board)["stroke"] == "true"
    press(board, *["ArrowRight"] * 8, *["ArrowUp"] * 6)
    edit(board, lambda: press(board, " "))
    assert households(board)[0] > start[0]
    edit(board, lambda: press(board, "Control+z"))
    press(board, "Escape", "d")
    version = state(board)["version"]
    for _ in range(40):  # until a border is within reach
        press(board, "ArrowLeft", " ")
        if state(board)["stroke"] != "true":
            continue
        press(board, *["ArrowRight"] * 4)
        assert board.inner_text(".gw-beside").count("→") == 2
        press(board, "Enter")
        if settle(board, version, may_stay=True)["version"] != version:
            break
        press(board, *["ArrowLeft"] * 4)
    assert "拖动边界" in said(board)
    assert sum(households(board)) == sum(start)


@pytest.mark.parametrize("board", [{"touring": True}], indirect=True)
def test_a_tour_is_shown_once_and_again_when_asked(board: Page) -> None:
    card = board.locator(".gw-tour")
    card.wait_for()
    board.locator(".gw-tour-next").focus()
    texts = []
    for _ in range(6):
        texts.append(card.inner_text())
        assert board.locator(".gw-tour-here").count() == 1
        press(board, "Enter")
    assert len(set(texts)) == 6
    assert not card.is_visible()
    board.reload()
    ready(board)
    assert not card.is_visible()
    press(board, "?")
    board.locator(".gw-help").get_by_text("导览").click()
    assert "地图" in card.inner_text()
    board.locator(".gw-tour-skip").click()
    assert not card.is_visible()
    assert board.locator(".gw-tour-here").count() == 0


@pytest.mark.parametrize(
    "board", [{"touring": True, "locale": "en-US"}], indirect=True
)
def test_the_tour_stands_in_nobodys_way_and_escape_skips_it(board: Page) -> None:
    assert "click a unit" in board.inner_text(".gw-tour")
    x, y = centre_of(board)
    board.mouse.click(x, y - 80)
    assert len(state(board)["chosen"].split()) == 1
    press(board, "Escape")
    assert not board.locator(".gw-tour").is_visible()
    assert len(state(board)["chosen"].split()) == 1


def test_each_village_opens_in_turn_with_its_own_history(board: Page) -> None:
    start = state(board)
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    merged = edit(board, lambda: press(board, "m"))
    box = board.locator("[data-testid=stSidebar] [data-testid=stSelectbox] input").first
    counts = set()
    for number in range(4):
        box.click()
        option = board.locator("[role=option]").nth(number)
        code = option.inner_text().split("·")[-1].strip()
        option.click()
        board.wait_for_function(
            "code => { const d = document.querySelector('.gw-hand').dataset;"
            " return d.idle === 'true' && d.place.endsWith(`/${code}`); }", arg=code,
        )  # fmt: skip
        assert len(households(board)) == int(state(board)["grids"])
        counts.add((state(board)["units"], state(board)["grids"]))
    assert len(counts) > 2
    assert (merged["units"], merged["grids"]) in counts
    assert (start["units"], start["grids"]) not in counts


def test_a_second_tab_is_told(board: Page, address: str) -> None:
    other = board.context.new_page()
    other.set_default_timeout(SLOW)
    other.goto(f"{address}/board")
    ready(other)
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    grids = edit(board, lambda: press(board, "m"))["grids"]
    other.bring_to_front()
    choose_row(other, 0)
    choose_row(other, 1, add=True)
    after = edit(other, lambda: press(other, "m"))
    assert "别处" in said(other)
    assert after["grids"] == grids
    told = edit(other, lambda: other.locator(".gw-keep-mine").click())
    assert told["version"].split(":")[0] != after["version"].split(":")[0]
    tab(other, "scenarios")
    assert "我的改动" in other.inner_text(".gw-body")


@pytest.mark.parametrize(
    "board", [{"locale": "en-US", "color_scheme": "dark"}], indirect=True
)
def test_english_and_dark(board: Page) -> None:
    assert state(board)["dark"] == "true"
    assert "Undo" in board.inner_text(".gw-bar")
    box = board.locator(".gw-bar").bounding_box()
    assert box is not None
    assert box["height"] < 100  # three lines of buttons at most


def test_what_is_redrawn_is_on_the_plan_page_and_in_the_download(
    board: Page, tmp_path: Path
) -> None:
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    left = int(edit(board, lambda: press(board, "m"))["grids"])
    board.get_by_role("link", name="网格方案").first.click()
    board.wait_for_selector(".gw-numbers")
    board.get_by_role("link", name="下载").first.click()
    path = tmp_path / "plan.gpkg"
    download(board, "download_gpkg", path)
    plan = read_plan(path)
    assert left in set(plan.grids["village_code"].value_counts())
    assert plan.value("scenario.steps") == "1"
    assert not [found for found in check_plan(plan) if found.rule in ("gap", "overlap", "count")]
