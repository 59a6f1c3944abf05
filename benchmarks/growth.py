"""How the cost of a plan grows with its households: a plot and an exponent, from the record.

    python -m benchmarks.growth

Reads records/city.json (``python -m benchmarks.city``) and draws docs/pictures/growth.png. Needs
matplotlib, which only development installs.
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from benchmarks.city import Row, exponent
from benchmarks.engines import RECORDS

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "growth.png"
STARTS_S = 2.5  # processor seconds of imports, which no county is too small for


def rows() -> list[Row]:
    """The runs of the record that differ in size alone, smallest first; the last of each size."""
    held = json.loads((RECORDS / "city.json").read_text("utf-8"))["rows"]
    own = [Row(**one) for one in held if one["where"] == "two workers"]
    return sorted({row.households: row for row in own}.values(), key=lambda row: row.households)


def draw(found: list[Row]) -> None:
    """Processor seconds against households, both in powers of ten, beside a line of power 1."""
    households = np.array([row.households for row in found], dtype=float)
    seconds = np.array([row.cpu_s for row in found])
    figure, axes = plt.subplots(figsize=(7.2, 4.2))
    axes.loglog(households, seconds, "o-", color="#2c5d94", label="gridwright propose, whole")
    axes.loglog(households, seconds - STARTS_S, "s--", color="#5b90c4", markersize=4,
                label=f"without {STARTS_S} s of imports")  # fmt: skip
    line = seconds[-1] * households / households[-1]
    axes.loglog(households, line, ":", color="#8c8474", label="linear")
    for x, y in zip(households, seconds, strict=True):
        axes.annotate(f"{y:.0f} s", (x, y), textcoords="offset points", xytext=(-6, 8), ha="right")
    axes.set_xlabel("households")
    axes.set_ylabel("processor seconds")
    axes.set_xticks(households, [f"{x:,.0f}" for x in households])
    axes.set_xlim(households[0] / 1.8, households[-1] * 1.5)
    axes.set_ylim(line[0] / 1.6, seconds[-1] * 2)
    axes.minorticks_off()
    axes.grid(True, which="major", color="#e2e2e2", linewidth=0.6)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=90)


def main() -> None:
    """Draw, and say the exponents."""
    found = rows()
    draw(found)
    print(f"{len(found)} sizes: power {exponent(found):.2f}")
    for one, two in itertools.pairwise(found):
        growth = math.log(two.households / one.households)
        power = math.log((two.cpu_s - STARTS_S) / (one.cpu_s - STARTS_S)) / growth
        print(f"{one.households:,} to {two.households:,}, imports aside: {power:.2f}")


if __name__ == "__main__":
    main()
