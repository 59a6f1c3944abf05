"""How long a planner waits: first map, and click to redrawn map, in Chromium.

    python -m benchmarks.board ADDRESS   the running program, a project with households open

Measured in the page: from asking for an edit until the frame after the map was drawn again.
Needs playwright and a Chromium (``GRIDWRIGHT_CHROMIUM``, else the one on the path).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time

import numpy as np
from playwright.sync_api import Page, sync_playwright

EDITS = 20


def _state(page: Page) -> dict[str, str]:
    text = page.eval_on_selector(".gw-hand", "e => JSON.stringify(e.dataset)")
    return dict(json.loads(text))


def _ready(page: Page) -> None:
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-hand')?.dataset.units || 0) > 0"
    )


def _edit(page: Page, number: int) -> float:
    """One edit: every other a transfer of a clicked unit, else its undoing. Milliseconds."""
    before = _state(page)["version"]
    if number % 2:
        page.keyboard.press("Control+z")
    else:
        box = page.locator(".gw-hand .gw-map").bounding_box()
        assert box is not None
        at = (box["width"] * (0.42 + 0.02 * (number % 5)), box["height"] * 0.5)
        page.mouse.click(box["x"] + at[0], box["y"] + at[1])
        page.locator(".gw-rows tr[data-key]:not(.gw-on) .gw-small").first.click()
    page.wait_for_function(
        "v => { const d = document.querySelector('.gw-hand').dataset;"
        " return d.idle === 'true' && d.version !== v; }",
        arg=before,
    )
    page.wait_for_timeout(150)  # the frame after, and a person's breath
    return float(_state(page)["latency"])


def main(address: str) -> None:
    """Measure and print one table row."""
    program = os.environ.get("GRIDWRIGHT_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as browsers:
        chromium = browsers.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(viewport={"width": 1366, "height": 768})
        page.goto(f"{address}/board")
        _ready(page)  # reads the ground, once a server
        started = time.monotonic()
        page.goto(f"{address}/board")
        _ready(page)
        first = time.monotonic() - started
        taken = np.array([_edit(page, number) for number in range(EDITS)])
        units, grids = (_state(page)[name] for name in ("units", "grids"))
        chromium.close()
    median, late = np.percentile(taken, [50, 95])
    print(
        f"{units} units, {grids} grids: first map {first:.2f} s; {EDITS} edits: "
        f"median {median:.0f} ms, 95th percentile {late:.0f} ms, most {taken.max():.0f} ms"
    )


if __name__ == "__main__":
    main(sys.argv[1])
