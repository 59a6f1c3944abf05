"""Micro-grids redrawn in Chromium: the board switches to one grid, what is done is filed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from counties import demonstration
from serving import download, served
from test_redraw_browser import SLOW, choose_row, edit, press, ready, state

from planning.check import check_plan
from planning.planfile import PlanFile, read_plan
from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four villages of the demonstration county, planned with micro-grids."""
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    return demonstration(tmp_path_factory, "micro")


@pytest.fixture
def board(chromium: Browser, folder: Path, tmp_path: Path) -> Iterator[Page]:
    environment = {
        "GRIDWRIGHT_PROJECT": str(folder),
        "GRIDWRIGHT_STORE": str(tmp_path / "plans.gridwright"),
    }
    with served(tmp_path / "log.txt", environment) as address:
        context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        context.add_init_script("localStorage.setItem('gridwright.board.tour', 'seen')")
        page = context.new_page()
        page.set_default_timeout(SLOW)
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(f"{address}/board")
        ready(page)
        yield page
        context.close()
        assert broken == []


def switch(page: Page, to: str) -> None:
    """Show the grids, or the micro-grids of a grid by its short code."""
    place = page.eval_on_selector(".gw-hand", "e => e.dataset.place")
    box = page.get_by_label("调整", exact=True).first
    for _ in range(5):
        box.click()
        box.fill(to)
        box.press("Enter")
        try:
            page.wait_for_function(
                "place => document.querySelector('.gw-hand').dataset.place !== place",
                arg=place, timeout=SLOW // 5,
            )  # fmt: skip
            return
        except Exception as late:  # a click during a rerun is lost
            if type(late).__name__ != "TimeoutError":
                raise
    pytest.fail(f"the board did not switch to {to}")


def downloaded(page: Page, tmp_path: Path) -> PlanFile:
    page.get_by_role("link", name="下载").first.click()
    path = tmp_path / "plan.gpkg"
    download(page, "download_gpkg", path)
    return read_plan(path)


def test_micro_grids_are_redrawn_kept_and_filed(
    board: Page, folder: Path, tmp_path: Path
) -> None:
    before = read_plan(folder / "plan.gpkg")
    assert before.micro_grids is not None
    village = state(board)["place"].rpartition("/")[2]
    grid = f"{village}002"
    own = before.micro_grids[before.micro_grids["grid_code"] == grid]
    switch(board, "002")
    assert state(board)["place"].endswith(f"/{grid}")
    assert int(state(board)["grids"]) == len(own)
    assert board.locator("[data-name=rename]").count() == 0
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    assert int(edit(board, lambda: press(board, "m"))["grids"]) == len(own) - 1
    # the same after a reload, undone and done again
    board.reload()
    ready(board)
    switch(board, "002")
    assert int(state(board)["grids"]) == len(own) - 1
    undo, redo = (board.locator(f"[data-name={name}]") for name in ("undo", "redo"))
    assert int(edit(board, undo.click)["grids"]) == len(own)
    assert int(edit(board, redo.click)["grids"]) == len(own) - 1
    plan = downloaded(board, tmp_path)
    assert plan.micro_grids is not None
    now = plan.micro_grids[plan.micro_grids["grid_code"] == grid]
    assert len(now) == len(own) - 1
    assert now["households"].sum() == own["households"].sum()
    assert len(plan.micro_grids) == len(before.micro_grids) - 1
    assert not [found for found in check_plan(plan) if found.rule == "micro"]


def test_micro_grids_follow_a_redrawn_grid_and_it_says_so(board: Page, tmp_path: Path) -> None:
    village = state(board)["place"].rpartition("/")[2]
    switch(board, "001")
    switch(board, "网格")
    assert state(board)["place"].endswith(f"/{village}")
    choose_row(board, 0)
    choose_row(board, 1, add=True)
    edit(board, lambda: press(board, "m"))
    left = board.locator(".gw-rows tr[data-key] .gw-link").first.inner_text().strip()
    plan = downloaded(board, tmp_path)
    assert plan.micro_grids is not None
    assert set(plan.micro_grids["grid_code"]) <= set(plan.grids["code"])
    assert not [found for found in check_plan(plan) if found.rule == "micro"]
    board.get_by_role("link", name="调整网格").first.click()
    ready(board)
    told = board.get_by_text("微网格随之变化")
    told.first.wait_for()
    assert left in told.first.inner_text()
