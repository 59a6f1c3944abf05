"""How long a planner waits on the board: every tool, in Chromium, one village after another.

    python -m benchmarks.board ADDRESS NAME PLAN [--villages N] [--named CODE ...] [--rounds N]

ADDRESS is the running program with the project of PLAN, its households open. Villages are taken
evenly from the plan, or those named. Each gets every tool; each edit is undone again,
which is measured too, and no household may be lost. Measured in the page: from asking for an edit
until the frame after the map was drawn again. Writes records/board-NAME.json and .md. Needs
playwright and a Chromium (``GRIDWRIGHT_CHROMIUM``, else the one on the path).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as Late
from pyogrio import read_dataframe

RECORDS = Path(__file__).parent / "records"
AUTOMATIC = ("balance", "split", "number", "propose", "tidy")
SEEN = "localStorage.setItem('gridwright.board.tour', 'seen')"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium without a graphics card."""
    program = os.environ.get("GRIDWRIGHT_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as browsers:
        found = browsers.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


class Board:
    """The board in a page: what a hand does, and how long the program takes over it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taken: list[dict[str, Any]] = []

    def state(self) -> dict[str, str]:
        """What the board tells of itself."""
        text = self.page.eval_on_selector(".gw-hand", "e => JSON.stringify(e.dataset)")
        return dict(json.loads(text))

    def ready(self) -> None:
        """Wait for the first map."""
        self.page.wait_for_function(
            "() => Number(document.querySelector('.gw-hand')?.dataset.units || 0) > 0"
        )

    def open_village(self, text: str) -> None:
        """Choose a village in the list; waits for its map."""
        before = self.state()["version"]
        box = self.page.locator("[data-testid=stSidebar] [data-testid=stSelectbox] input").first
        box.fill(text)
        self.page.locator("[role=option]").first.wait_for()
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(300)
        try:
            self.page.wait_for_function(
                "v => { const d = document.querySelector('.gw-hand')?.dataset;"
                " return d && d.idle === 'true' && d.version !== v; }",
                arg=before, timeout=20_000,
            )  # fmt: skip
        except Late:
            return  # it was open already
        self.page.mouse.click(*self.middle())  # the keys are the board's again
        self.clear()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def timed(self, tool: str, act: Callable[[], None]) -> bool:
        """Do and record it; whether the plan is another one now."""
        before = self.state()
        self.page.evaluate("() => { document.querySelector('.gw-hand').dataset.latency = ''; }")
        act()
        try:
            self.page.wait_for_function(
                "() => { const d = document.querySelector('.gw-hand').dataset;"
                " return d.idle === 'true' && d.latency !== ''; }",
                timeout=30_000,
            )
        except Late:
            self.taken.append({"tool": tool, "ms": None, "changed": False})
            return False
        self.page.wait_for_timeout(60)  # a person's breath
        now = self.state()
        row = {"tool": tool, "ms": float(now["latency"]), "units": int(before["units"])}
        self.taken.append(row | {"changed": now["version"] != before["version"]})
        return bool(row["ms"]) and now["version"] != before["version"]

    def undone(self, tool: str, act: Callable[[], None]) -> None:
        """Do, record, and take back."""
        if self.timed(tool, act):
            self.timed("undo", lambda: self.press("Control+z"))

    def households(self) -> list[int]:
        """Households of the grids, from the table."""
        self.page.locator("[data-tab=grids]").click()
        cells = self.page.locator(".gw-rows tr[data-key] td:nth-child(2)").all_inner_texts()
        return [int(text.replace(",", "")) for text in cells]

    def choose_rows(self, *rows: int) -> None:
        """Choose grids in the table."""
        self.page.locator("[data-tab=grids]").click()
        links = self.page.locator(".gw-rows tr[data-key] .gw-link")
        for number, row in enumerate(rows):
            links.nth(row).click(modifiers=["Shift"] if number else [])

    def clear(self) -> None:
        """Choose nothing, with the plain tool."""
        self.press("Escape", "Escape", "Escape", "v", "Escape")

    def middle(self) -> tuple[float, float]:
        """The middle of the map."""
        box = self.page.locator(".gw-hand .gw-map").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def stroke(self, *points: tuple[float, float]) -> None:
        """Drag the mouse along points."""
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=6)
        self.page.mouse.up()

    def border(self) -> tuple[float, float] | None:
        """A place where one grid ends and another begins, from left to right."""
        x, y = self.middle()
        for row in (0, -90, 90):
            last = ""
            for step in range(-248, 248, 16):
                self.page.mouse.move(x + step, y + row)
                tip = self.page.locator(".gw-beside")
                now = tip.inner_text().split("\n")[0] if tip.is_visible() else ""
                if now and last and now != last:
                    return x + step - 8, y + row
                last = now
        return None


# --- one function a tool ------------------------------------------------------------------------


def _ask(board: Board, key: str, text: str) -> None:
    board.press(key)
    board.page.fill(".gw-asking input", text)
    board.press("Enter")


def _around(board: Board, size: float) -> list[tuple[float, float]]:
    x, y = board.middle()
    return [(x - size, y - size), (x + size, y - size), (x + size, y + size),
            (x - size, y + size), (x - size, y - size)]  # fmt: skip


def choose_and_give(board: Board) -> None:
    """Box, give to a row, undo, redo, undo."""
    board.press("r")
    corners = _around(board, 60)
    board.stroke(corners[0], corners[2])
    others = board.page.locator(".gw-rows tr[data-key]:not(.gw-on) .gw-small")
    if not others.count() or not board.state()["chosen"]:
        return
    if board.timed("transfer", lambda: others.first.click()):
        board.timed("undo", lambda: board.press("Control+z"))
        board.timed("redo", lambda: board.press("Control+Shift+z"))
        board.timed("undo", lambda: board.press("Control+z"))


def brush_and_drag(board: Board) -> None:
    """Paint over a border; pull it one way, or the other."""
    found = board.border()
    if found is None:
        return
    x, y = found
    board.press("b")
    board.undone("brush", lambda: board.stroke((x - 30, y), (x + 70, y + 20)))
    board.press("d")
    for pull in (80, -80):
        before = len(board.taken)
        board.page.mouse.move(x, y)
        board.page.mouse.down()
        board.page.mouse.move(x + pull, y, steps=8)
        if "→" in board.page.inner_text(".gw-beside"):
            board.undone("drag", board.page.mouse.up)
        else:
            board.page.mouse.up()
        if len(board.taken) > before:
            break


def lines_and_outlines(board: Board) -> None:
    """Cut and draw, along the units and through them."""
    x, y = board.middle()
    for through in (False, True):
        name = " through" if through else ""
        board.press("k")
        if through:
            board.press("q")
        cut = [(x - 40, y - 90), (x, y), (x + 25, y + 90)]
        board.undone(f"cut{name}", lambda cut=cut: board.stroke(*cut))
        board.clear()
        board.choose_rows(0)
        board.press("o")
        board.undone(f"outline{name}", lambda: board.stroke(*_around(board, 80)))
        board.clear()
    board.press("q")


def grids(board: Board) -> None:
    """Merge, split, balance, number, propose, tidy, new."""
    count = int(board.state()["grids"])
    if count > 1:
        board.choose_rows(0, 1)
        board.undone("merge", lambda: board.press("m"))
        board.clear()
        board.choose_rows(0, 1)
        board.undone("balance", lambda: board.press("e"))
    board.clear()
    board.choose_rows(0)
    board.undone("split", lambda: _ask(board, "s", "3"))
    board.clear()
    board.press("r")
    corners = _around(board, 50)
    board.stroke(corners[0], corners[2])
    if board.state()["chosen"]:
        board.undone("new", lambda: board.press("n"))
    board.clear()
    board.undone("number", lambda: _ask(board, "g", str(count + 1)))
    board.undone("propose", lambda: board.press("p"))
    board.undone("tidy", lambda: board.press("i"))


def one_grid(board: Board) -> None:
    """Lock, unlock, rename, reason, kind."""
    board.clear()
    board.choose_rows(0)
    board.undone("lock", lambda: board.press("x"))
    board.undone("rename", lambda: _ask(board, "f", "甲网格"))
    board.undone("reason", lambda: _ask(board, "w", "河在中间"))
    board.undone("kind", lambda: board.press("c"))
    board.clear()


TOOLS = (choose_and_give, brush_and_drag, lines_and_outlines, grids, one_grid)


def redraw(board: Board) -> None:
    """Every tool on the open village. Raises AssertionError where a household is lost."""
    start, units = board.households(), board.state()["units"]
    for tool in TOOLS:
        board.clear()
        tool(board)
    assert board.households() == start, "households differ after all was undone"
    assert board.state()["units"] == units, "units differ after all was undone"


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The record as lines of Markdown: one row a tool, automatic ones last."""
    lines = ["| tool | times | median ms | 95th percentile ms | slowest ms |"]
    lines.append("|---|--:|--:|--:|--:|")
    tools = list(dict.fromkeys(row["tool"] for row in rows))
    groups = [[t] for t in tools if t not in AUTOMATIC] + [[t] for t in tools if t in AUTOMATIC]
    hand = [t for t in tools if t not in AUTOMATIC]
    for names, title in [*((g, g[0]) for g in groups), (hand, "**all by hand**")]:
        ms = [row["ms"] for row in rows if row["tool"] in names and row["ms"] is not None]
        if ms:
            middle, late = np.percentile(ms, [50, 95])
            lines.append(f"| {title} | {len(ms)} | {middle:.0f} | {late:.0f} | {max(ms):.0f} |")
    return lines


def measure(address: str, name: str, chosen: list[str], rounds: int) -> None:
    """Measure and write the record."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        context.add_init_script(SEEN)
        page = context.new_page()
        page.set_default_timeout(60_000)
        board = Board(page)
        page.goto(f"{address}/board")
        board.ready()  # reads the ground, once a server
        started = time.monotonic()
        page.goto(f"{address}/board")
        board.ready()
        first = time.monotonic() - started
        drawn = []
        for text in chosen:
            board.open_village(text)
            state = board.state()
            drawn.append({"village": text, "units": state["units"], "grids": state["grids"]})
            print(drawn[-1], flush=True)
            for _ in range(rounds):
                redraw(board)
                write(name, first, drawn, board.taken)  # so that a run cut short is a record too
    print("\n".join(table(board.taken)))


def write(
    name: str, first: float, drawn: list[dict[str, str]], taken: list[dict[str, Any]]
) -> None:
    """The record so far."""
    record = {"first_map_s": round(first, 2), "villages": drawn, "edits": taken}
    RECORDS.joinpath(f"board-{name}.json").write_text(json.dumps(record, ensure_ascii=False))
    units = [int(one["units"]) for one in drawn]
    head = (
        f"{len(drawn)} villages of {min(units)} to {max(units)} units; first map {first:.2f} s; "
        f"load of the machine {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores."
    )
    RECORDS.joinpath(f"board-{name}.md").write_text("\n".join([head, "", *table(taken), ""]))


def main(arguments: list[str]) -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("name")
    parser.add_argument("plan")
    parser.add_argument("--villages", type=int, default=20)
    parser.add_argument("--named", nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args(arguments)
    every = sorted(str(code) for code in read_dataframe(given.plan, layer="villages")["code"])
    chosen = given.named or every[:: max(1, len(every) // given.villages)][: given.villages]
    measure(given.address, given.name, chosen, given.rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
