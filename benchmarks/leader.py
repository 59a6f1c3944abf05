"""How long a leader waits for another period: from the choice to the new map and numbers.

    python -m benchmarks.leader FOLDER --events N      first: a folder's events made as many
    python -m benchmarks.leader ADDRESS NAME           five choices, in Chromium

FOLDER is a county as ``gridwright demo`` makes it; its ``incidents.csv`` is replaced by N events
drawn from it, each moved by up to 150 m and within its month. ADDRESS is the running program with
that folder and its plan as its project. Measured in the page: from the click until the last change
of map or numbers. Writes records/leader-NAME.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Page

from benchmarks.board import RECORDS, chromium

CHOICES = ("2025 年 11 月", "2024 年", "2025 年", "2024 年 6 月", "全部时段")
QUIET = 1_500  # milliseconds without a change: the page stands
WATCH = """() => {
  const seen = { start: 0, last: 0, numbers: 0 };
  window.gwSeen = seen;
  const note = (name) => () => { seen[name] = performance.now(); };
  new MutationObserver(note("last")).observe(document.querySelector(".gw-board"),
    { attributes: true, attributeFilter: ["data-features"] });
  new MutationObserver(note("numbers")).observe(document.body, { subtree: true, childList: true,
    characterData: true });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[role=option]")) seen.start = performance.now();
  }, true);
}"""
# the first message after a choice may repeat the old map: wait until nothing comes any more
STANDS = f"""before => {{
  const seen = window.gwSeen, now = performance.now();
  const text = document.querySelector(".gw-numbers")?.innerText;
  return seen.start && text && text !== before && seen.last > seen.start
    && now - Math.max(seen.last, seen.numbers) > {QUIET};
}}"""


def enlarge(folder: Path, many: int) -> None:
    """As many events as wanted, drawn from those of the folder."""
    file = folder / "incidents.csv"
    table = pd.read_csv(file, encoding="utf-8-sig", dtype=str)
    rng = np.random.default_rng(0)
    drawn = table.iloc[rng.integers(0, len(table), many)].reset_index(drop=True)
    drawn["事件编号"] = [f"SJ{number:08d}" for number in range(many)]
    for column, metre in (("经度", 1 / 94_000), ("纬度", 1 / 111_000)):
        shifted = drawn[column].astype(float) + rng.uniform(-150, 150, many) * metre
        drawn[column] = shifted.round(6)
    drawn.to_csv(file, index=False, encoding="utf-8-sig")


def choose(page: Page, words: str) -> float:
    """Seconds from choosing a period to the new map and numbers."""
    before = page.locator(".gw-numbers").inner_text()
    page.evaluate("() => { window.gwSeen.start = 0; }")
    box = page.locator("[class*=leader_period] input").first
    box.click()
    box.fill(words)  # the list draws only what is in sight
    page.get_by_role("option", name=words, exact=True).click()
    page.wait_for_function(STANDS, arg=before, timeout=60_000, polling=50)
    seen = page.evaluate("() => window.gwSeen")
    return (max(seen["last"], seen["numbers"]) - seen["start"]) / 1000


def measure(address: str) -> dict[str, Any]:
    """Five choices one after another, as a leader makes them."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        page.set_default_timeout(120_000)
        began = time.perf_counter()
        page.goto(f"{address}/leader")
        page.wait_for_function(
            "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
        )
        opened = time.perf_counter() - began
        page.wait_for_function(
            "() => document.querySelector('.st-key-leader_html button')?.disabled === false"
        )
        proved = time.perf_counter() - began
        page.wait_for_timeout(3_000)
        page.evaluate(WATCH)
        taken = [choose(page, words) for words in CHOICES]
        load = os.getloadavg()[0]
    return {"map": opened, "numbers": proved, "choices": taken, "load": load}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where")
    parser.add_argument("name", nargs="?")
    parser.add_argument("--events", type=int)
    options = parser.parse_args(arguments)
    if options.events:
        enlarge(Path(options.where), options.events)
        return 0
    found = measure(options.where)
    seconds = " ".join(f"{value:.2f}" for value in found["choices"])
    text = (
        f"Reading the files to the first map {found['map']:.0f} s, to the proved numbers "
        f"{found['numbers']:.0f} s; another period: {seconds} s; load of the machine "
        f"{found['load']:.1f} on {os.cpu_count()} cores.\n"
    )
    print(text)
    (RECORDS / f"leader-{options.name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RECORDS / f"leader-{options.name}.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
