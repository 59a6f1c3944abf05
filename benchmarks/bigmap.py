"""The map of a whole city in a browser: opening it, moving on it, searching it.

    python -m benchmarks.bigmap DIR               a city of `demo --city DIR` with its plan.gpkg

Starts the program on DIR with a store of its own and drives it in Chromium: seconds from asking
for the page to the drawn map (the first visitor of a new server, and one after), to the table of a
search, of the exceptions and of the villages, to the grids of a place that was zoomed to; the
longest frame while panning and zooming with the server **stopped**, which shows that the map does
not wait for it; bytes over the connection and memory of the server.

A table is there in the frame after the browser wrote its rows: ``fillText`` tells. What a screen
reader is told comes two tenths of a second later, because the library that draws tables waits so
long for a further change; that time is kept beside the other. Writes records/bigmap.md and .json.
Needs playwright and a Chromium
(``GRIDWRIGHT_CHROMIUM``, else the one on the path).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page
from pyogrio import read_dataframe

from benchmarks.board import chromium
from benchmarks.engines import RECORDS
from benchmarks.run import machine, today
from planning.codes import filing_order
from ui.pages import beside
from ui.words import word

SLOW = 120_000
QUERIES = ("320", "社区", "第一网格", "第二 社区", "")  # each with other rows than the one before
SIDES = ("exceptions", "villages", "grids")
ROWS_SEEN = 12
WRITTEN = """
  const write = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
    if (window.awaited !== undefined && text === window.awaited) {
      window.awaited = undefined;
      requestAnimationFrame(() => { window.seen = performance.now(); });
    }
    return write.call(this, text, ...where);
  };
  for (const kind of ["keydown", "pointerdown"]) {
    addEventListener(kind, () => { window.asked ??= performance.now(); }, { capture: true });
  }
"""
"""What a page notes: when somebody asked by key or mouse, and when a text stood in a table."""


@contextmanager
def server(folder: Path, store: Path) -> Iterator[tuple[str, int]]:
    """The program's address and process; it has imported nothing of ours yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ, "GRIDWRIGHT_PROJECT": str(folder),
        "GRIDWRIGHT_STORE": str(store / "plans.gridwright"),
    }  # fmt: skip
    with (store / "log.txt").open("wb") as log:
        run = subprocess.Popen(
            [sys.executable, "-m", "ui.start", "run", "app.py", "--server.port", str(port),
             "--server.headless", "true"],
            env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.25)
            yield address, run.pid
        finally:
            run.send_signal(signal.SIGCONT)
            run.terminate()
            run.wait(20)


def memory(process: int, name: str) -> int:
    """Megabytes of a process: ``VmRSS`` now or ``VmHWM`` at its peak."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0]) // 1024


class Visit:
    """One visitor's page."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        self.context.add_init_script(WRITTEN)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SLOW)
        self.bytes = 0
        self.page.on("websocket", lambda wire: wire.on("framereceived", self._received))
        self.address = address

    def _received(self, frame: bytes | str) -> None:
        self.bytes += len(frame)

    def open(self) -> tuple[float, float]:
        """Seconds to the drawn map, and to the table beside it."""
        started = time.monotonic()
        self.page.goto(self.address)
        self.page.wait_for_function(
            "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
        )
        # its canvas is painted in the frame after
        self.page.evaluate(
            "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )
        drawn = time.monotonic() - started
        self.page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
        return drawn, time.monotonic() - started

    def board(self) -> dict[str, str]:
        """What the map tells of itself."""
        text = self.page.eval_on_selector(".gw-board", "e => JSON.stringify(e.dataset)")
        return dict(json.loads(text))

    def settle(self) -> float:
        """Seconds until the map holds what its view needs."""
        started = time.monotonic()
        self.page.wait_for_function(
            "() => (document.querySelector('.gw-board').dataset.parts || '').startsWith('idle')"
        )
        return time.monotonic() - started

    def seen(self, text: str, ask: Callable[[], None]) -> float:
        """Seconds from a key or a click in ``ask`` to a table with ``text`` on the screen."""
        self.page.evaluate(
            "text => { window.awaited = text; window.seen = window.asked = undefined; }", text
        )
        ask()
        self.page.wait_for_function("() => window.seen !== undefined")
        return float(self.page.evaluate("() => window.seen - window.asked")) / 1000

    def search(self, query: str, rows: int, name: str) -> tuple[float, float]:
        """Seconds from Enter to the rows that were found, on the screen and for screen readers.

        ``name`` of a row that was not in the table before.
        """
        box = self.page.locator("[data-testid=stTextInput] input").last
        box.fill(query)
        started = time.monotonic()
        drawn = self.seen(name, lambda: box.press("Enter"))
        self.page.wait_for_function(
            "n => document.querySelector('[data-testid=stDataFrame] canvas table')"
            "?.getAttribute('aria-rowcount') === String(n)",
            arg=rows + 1,
        )
        return drawn, time.monotonic() - started

    def side(self, name: str) -> float:
        """Seconds from choosing another table beside the map to its heads on the screen."""
        head = word({"grids": "grid.persons", "exceptions": "exception.rule",
                     "villages": "village.suggested"}[name], "zh")  # fmt: skip
        button = self.page.locator(".stMain [data-testid=stButtonGroup] button")
        self.page.wait_for_timeout(500)
        return self.seen(head, button.nth(beside.SIDES.index(name)).click)

    def point(self, x: float, y: float) -> None:
        """Put the mouse at a share of the map's width and height."""
        box = self.page.locator(".gw-map").bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    def longest_frame(self, act: Callable[[], None]) -> float:
        """Milliseconds between two frames at the worst while ``act`` moves the map."""
        self.page.evaluate(
            """() => {
              window.gaps = []; let last = performance.now();
              const step = (now) => { window.gaps.push(now - last); last = now;
                window.running = requestAnimationFrame(step); };
              window.running = requestAnimationFrame(step);
            }"""
        )
        act()
        return float(
            self.page.evaluate("() => { cancelAnimationFrame(window.running);"
                               " return Math.max(...window.gaps); }")
        )  # fmt: skip

    def pan(self) -> None:
        """Drag the map to and fro."""
        for x in (0.3, 0.7, 0.5):
            self.point(0.5, 0.5)
            self.page.mouse.down()
            self.point(x, 0.6)
            self.page.mouse.up()
            self.page.wait_for_timeout(350)

    def wheel(self, notches: int) -> None:
        """Zoom by the wheel."""
        for _ in range(abs(notches)):
            self.page.mouse.wheel(0, -120 if notches > 0 else 120)
            self.page.wait_for_timeout(350)


def searched(visit: Visit, grids: pd.DataFrame) -> dict[str, Any]:
    """Every query's seconds, each seen by a row that the table before did not show."""
    grids = grids.iloc[filing_order(grids)]
    texts = grids["code"] + "\0" + grids["name"] + "\0" + grids["village_name"]
    drawn, told, before = [], [], set(grids["name"][:ROWS_SEEN])
    for query in QUERIES:
        wanted = np.ones(len(texts), dtype=bool)
        for part in query.split():
            wanted &= texts.str.contains(part, regex=False).to_numpy()
        rows = grids["name"][wanted]
        name = next(one for one in rows[:ROWS_SEEN] if one not in before)
        one, other = visit.search(query, len(rows), name)
        drawn.append(one)
        told.append(other)
        before = set(rows[:ROWS_SEEN])
        visit.page.wait_for_timeout(500)
    return {"search_s": drawn, "search_told_s": told}


def measure(folder: Path) -> dict[str, Any]:
    """All figures of one run."""
    grids = read_dataframe(folder / "plan.gpkg", layer="grids", read_geometry=False)
    found: dict[str, Any] = {"grids": len(grids)}
    with tempfile.TemporaryDirectory() as work, server(folder, Path(work)) as (address, process), \
            chromium() as browser:  # fmt: skip
        first = Visit(browser, address)
        found["first_map_s"], found["first_table_s"] = first.open()
        found["first_picture_s"] = first.settle()
        found["opened_mb"] = memory(process, "VmHWM")
        first.context.close()
        visit = Visit(browser, address)
        found["next_map_s"], found["next_table_s"] = visit.open()
        found["open_bytes"] = visit.bytes
        visit.settle()
        visit.page.wait_for_timeout(1500)
        found |= searched(visit, grids)
        found["side_s"] = [visit.side(name) for name in SIDES * 2]
        visit.point(0.22, 0.18)  # a county of the city, on this map
        steps = []
        for _ in range(8):
            before = visit.bytes
            visit.wheel(2)
            late = visit.settle()
            state = visit.board()
            steps.append({"zoom": float(state["view"].split()[2]), "settled_s": late,
                          "features": int(state["features"]), "bytes": visit.bytes - before})
        found["steps"] = steps
        visit.wheel(-10)
        visit.settle()
        os.kill(process, signal.SIGSTOP)
        found["stopped_pan_ms"] = visit.longest_frame(visit.pan)
        found["stopped_zoom_ms"] = visit.longest_frame(lambda: (visit.wheel(4), visit.wheel(-4))[0])
        os.kill(process, signal.SIGCONT)
        visit.settle()
        found["peak_mb"] = memory(process, "VmHWM")
        before = memory(process, "VmRSS")
        more = [Visit(browser, address) for _ in range(3)]
        for other in more:
            other.open()
        found["mb_a_visitor"] = (memory(process, "VmRSS") - before) / 3
    return found


def table(found: dict[str, Any]) -> list[str]:
    """The record as people read it."""
    searches, told = sorted(found["search_s"]), sorted(found["search_told_s"])
    sides = [f"{seconds * 1000:.0f}" for seconds in found["side_s"]]
    n = len(SIDES)
    rows = [
        ("map drawn, first visitor of a new server", f"{found['first_map_s']:.1f} s"),
        ("its table", f"{found['first_table_s']:.1f} s"),
        ("map drawn, next visitor", f"{found['next_map_s']:.1f} s"),
        ("its table", f"{found['next_table_s']:.1f} s"),
        ("sent until then", f"{found['open_bytes'] / 1e6:.1f} MB"),
        ("search: slowest, middle", f"{searches[-1] * 1000:.0f}, "
         f"{searches[len(searches) // 2] * 1000:.0f} ms"),
        ("the same told to a screen reader", f"{told[-1] * 1000:.0f}, "
         f"{told[len(told) // 2] * 1000:.0f} ms"),
        ("tables of exceptions, villages, grids", f"{', '.join(sides[:n])} ms"),
        ("the same again", f"{', '.join(sides[n:])} ms"),
        ("slowest frame, panning, server stopped", f"{found['stopped_pan_ms']:.0f} ms"),
        ("slowest frame, zooming, server stopped", f"{found['stopped_zoom_ms']:.0f} ms"),
        ("memory of the server: opened, at its peak", f"{found['opened_mb']:,}, "
         f"{found['peak_mb']:,} MB"),
        ("one more visitor", f"{found['mb_a_visitor']:.0f} MB"),
    ]  # fmt: skip
    lines = ["| | |", "| --- | ---: |", *(f"| {name} | {value} |" for name, value in rows), ""]
    lines += ["| zoom | until all is there | features held | sent |"]
    lines += ["| ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {step['zoom']:.2f} | {step['settled_s'] * 1000:.0f} ms | {step['features']:,} |"
        f" {step['bytes'] / 1000:,.0f} kB |"
        for step in found["steps"]
    ]
    return lines


def main(arguments: list[str]) -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    found = measure(given.folder.resolve())
    head = (
        f"A plan of {found['grids']:,} grids in Chromium without a graphics card, 1366 x 768; "
        f"{os.cpu_count()} cores, load {load:.1f} before the run. {today()}."
    )
    lines = [head, "", *table(found), ""]
    print("\n".join(lines))
    record = {**found, "load": load, "date": today(), "machine": machine("streamlit")}
    RECORDS.joinpath("bigmap.json").write_text(json.dumps(record, ensure_ascii=False, indent=1))
    RECORDS.joinpath("bigmap.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
