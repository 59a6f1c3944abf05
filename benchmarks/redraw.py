"""Redrawing by hand in a whole city: from its files and its plan to an edited village and back.

    python -m benchmarks.redraw DIR [--villages N] [--store FILE] [--pictures FOLDER]

Starts the program on DIR (a city of ``demo --city DIR`` with its plan.gpkg) with a store of its own
and drives it in Chromium, without network: seconds until the city is in the store (the job on the
board's page), until the first board is drawn, until another village is; of an edit and an undo; of
the plan's page after an edit, of the comparison with the proposal, of the plan as a file. Then the
server is started anew and a board opened again. Memory of the server and of the process that takes
the city in. ``--store`` keeps the store, and takes one that holds the city already. ``--pictures``
keeps the screens, Chinese and English. Writes records/redraw.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.bigmap import memory, server
from benchmarks.board import SEEN, Board, chromium
from benchmarks.engines import RECORDS
from benchmarks.run import today

SLOW = 240_000
DRAWN = "() => Number(document.querySelector('.gw-hand')?.dataset.units || 0) > 0"
Rows = list[tuple[str, str]]


class Children(threading.Thread):
    """The most that the process which takes the city in and its workers held, page by page shared
    once (PSS), asked every second; which one it is its command line says."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self.over = False

    def run(self) -> None:
        """Look until it is over."""
        while not self.over:
            held = 0
            for process in Path("/proc").iterdir():
                try:
                    if b"store.taking_child" in (process / "cmdline").read_bytes():
                        text = (process / "smaps_rollup").read_text()
                        held += int(text.split("Pss:")[1].split()[0]) // 1024
                except (OSError, IndexError):
                    continue
            self.most = max(self.most, held)
            time.sleep(1)


@contextmanager
def visit(browser: Browser, language: str) -> Iterator[Page]:
    """A page whose browser asks for that language."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale=language)
    context.add_init_script(SEEN)
    page = context.new_page()
    page.set_default_timeout(SLOW)
    yield page
    context.close()


class Clock:
    """Seconds by name, as they are measured."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Measure what is done within."""
        started = time.monotonic()
        yield
        self.add(what, f"{time.monotonic() - started:.1f} s")

    def add(self, what: str, value: str) -> None:
        """Note a figure, and say it."""
        self.rows.append((what, value))
        print(f"{what}: {value}", flush=True)


def _picture(page: Page, folder: Path | None, name: str) -> None:
    if folder is not None:
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{name}.png")


def _edits(board: Board, clock: Clock) -> None:
    """Give a border's units to the neighbour and take that back; the mouse over them before."""
    found = board.border()
    if found is None:
        clock.add("a border to pull", "none in view")
        return
    x, y = found
    for _ in range(5):
        board.press("b")
        board.undone("brush", lambda: board.stroke((x - 30, y), (x + 70, y + 20)))
        board.press("v")
    for tool in ("brush", "undo"):
        taken = sorted(row["ms"] for row in board.taken if row["tool"] == tool and row["ms"])
        if taken:
            clock.add(f"{tool}: middle, slowest of {len(taken)}",
                      f"{taken[len(taken) // 2]:.0f}, {taken[-1]:.0f} ms")  # fmt: skip


def _opened(page: Page, address: str, clock: Clock, process: int, pictures: Path | None) -> Board:
    """The board's page until a village is drawn; the city is taken in where it is not yet."""
    with clock.told("plan's page, first visitor"):
        page.goto(address)
        page.wait_for_function(
            "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
        )
    with clock.told("board's page until something is there"):
        page.locator("[data-testid=stSidebarNav] a[href$='/board']").click()
        page.wait_for_selector(".gw-hand[data-units], .st-key-taking_begin button")
    begin = page.locator(".st-key-taking_begin button")
    if begin.count():
        _picture(page, pictures, "begin")
        children = Children()
        children.start()
        with clock.told("the city taken into the store"):
            begin.click()
            page.get_by_text("/1995").or_(page.get_by_text("/194")).first.wait_for()
            _picture(page, pictures, "taking")
            page.wait_for_function(DRAWN)
        children.over = True
        clock.add("memory of the process that takes it in", f"{children.most:,} MB")
    else:
        with clock.told("first board drawn"):
            page.wait_for_function(DRAWN)
    clock.add("memory of the server with a board", f"{memory(process, 'VmRSS'):,} MB")
    return Board(page)


def measure(folder: Path, store: Path, villages: int, pictures: Path | None) -> Rows:
    """Everything, once."""
    rows: Rows = []
    clock = Clock(rows)
    with chromium() as browser, server(folder, store) as (address, process):
        with visit(browser, "zh-CN") as page:
            board = _opened(page, address, clock, process, pictures)
            _picture(page, pictures, "board-zh")
            _edits(board, clock)
            for number in range(villages):
                with clock.told(f"village {number + 2}"):
                    before = board.state()["place"]
                    page.locator(".st-key-village_on button").first.click()
                    page.wait_for_function(
                        "v => { const d = document.querySelector('.gw-hand')?.dataset;"
                        " return d && d.idle === 'true' && d.place !== v; }", arg=before,
                    )  # fmt: skip
            _edits(board, clock)
            board.press("Escape", "v")
            board.choose_rows(0, 1)
            board.timed("merge", lambda: board.press("m"))
            clock.add("merge", f"{board.taken[-1]['ms']} ms")
            _picture(page, pictures, "edited-zh")
            clock.add("memory of the server", f"{memory(process, 'VmRSS'):,} MB")
            with clock.told("plan's page after the edit"):
                page.locator("[data-testid=stSidebarNavLink]").first.click()
                page.wait_for_function(
                    "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
                )
            _picture(page, pictures, "plan-zh")
            with clock.told("page of scenarios, what was redrawn beside the proposal"):
                page.locator("[data-testid=stSidebarNav] a[href$='/scenarios']").click()
                page.locator(".gw-board").nth(1).wait_for()
            _picture(page, pictures, "scenarios-zh")
            with clock.told("page of downloads"):
                page.locator("[data-testid=stSidebarNav] a[href$='/download']").click()
                page.locator(".st-key-download_gpkg button").wait_for()
            with clock.told("the plan as a GeoPackage"), page.expect_download() as taken:
                page.locator(".st-key-download_gpkg button").click()
            size = Path(taken.value.path()).stat().st_size
            clock.add("its size", f"{size / 1e6:.0f} MB")
        with visit(browser, "en-US") as page:
            page.goto(address)
            page.locator("[data-testid=stSidebarNav] a[href$='/board']").click()
            with clock.told("board of a second planner"):
                page.wait_for_function(DRAWN)
            _picture(page, pictures, "board-en")
            clock.add("memory of the server, two planners", f"{memory(process, 'VmRSS'):,} MB")
        clock.add("memory of the server at its peak", f"{memory(process, 'VmHWM'):,} MB")
    with chromium() as browser, server(folder, store) as (address, process):
        with visit(browser, "zh-CN") as page:
            _opened(page, address, Clock(again := []), process, None)
        rows += [(f"started anew: {what}", value) for what, value in again]
    return rows


def main() -> None:
    """Measure and record."""
    given = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    given.add_argument("folder", type=Path)
    given.add_argument("--villages", type=int, default=3)
    given.add_argument("--store", type=Path)
    given.add_argument("--pictures", type=Path)
    given.add_argument("--name", default="redraw")
    told = given.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        place = told.store or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        rows = measure(told.folder.resolve(), place, told.villages, told.pictures)
    head = f"{os.cpu_count()} cores, load {before:.1f} before the run. {today()}."
    table = "\n".join(f"| {what} | {value} |" for what, value in rows)
    text = f"{head}\n\n| | |\n| --- | ---: |\n{table}\n"
    (RECORDS / f"{told.name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
