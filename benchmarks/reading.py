"""Reading household tables: detection, checks and placement in villages, beside plain readers.

    python -m benchmarks.reading                  165,000 rows, three runs each; keeps the record
    python -m benchmarks.reading --large          also 1.7 million rows, one run each
    python -m benchmarks.reading --reduced        20,000 rows, no record

The file is made here: villages as a lattice of wavy outlines, points of households in them in
GB18030, with the columns people have (codes, names, groups, counts), a telephone column to be left
out, and one row in a thousand spoilt. Each row of the table is a fresh process: wall seconds from
start to end, imports and all, and the peak of its memory. The peer is what a person with Python
would write: pandas.read_csv and geopandas.sjoin, told the encoding and the columns, without looking
for the encoding, the meaning of columns, the datum, or anything that is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.engines import RECORDS
from benchmarks.run import machine, today

WEST, SOUTH, WIDTH = 119.50, 32.20, 0.030  # of a village, degrees: about 2.8 by 3.3 km
SPOILT = 1000  # one row in so many has no place, or is no number

OURS = """
import json, sys
from geo.clean import clean
from geo.read import read_layer
villages = read_layer(sys.argv[1], "villages")
cleaned = clean(read_layer(sys.argv[2], "households"), villages=villages)
print(json.dumps({"rows": len(cleaned.layer.frame), "inside": len(cleaned.placed) - cleaned.outside,
                  "datum": cleaned.datum}))
"""
PEER = """
import json, sys
import geopandas as gpd, pandas as pd
villages = gpd.read_file(sys.argv[1])[["geometry"]].to_crs(4549)
table = pd.read_csv(sys.argv[2], encoding="gb18030", dtype={"村代码": str})
x, y = (pd.to_numeric(table[c], errors="coerce") for c in ("经度", "纬度"))
points = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs=4326).to_crs(4549)
joined = gpd.sjoin(points, villages, predicate="within", how="left")
joined = joined[~joined.index.duplicated()]
print(json.dumps({"rows": len(joined), "inside": int(joined["index_right"].notna().sum())}))
"""
PLAIN = """
import json, sys
import pandas as pd
print(json.dumps({"rows": len(pd.read_csv(sys.argv[2], encoding="gb18030"))}))
"""
PROGRAMS = {
    "gridwright: find out, check, leave out, place": OURS,
    "pandas + geopandas.sjoin: read and place": PEER,
    "pandas.read_csv: read only": PLAIN,
}


@dataclass(frozen=True)
class Row:
    """One program on one file, as a whole process."""

    program: str
    rows: int
    inside: int | None
    wall_s: float
    cpu_s: float
    peak_mb: float


def write_villages(path: Path, side: int) -> None:
    """``side`` squared villages whose shared borders wave, 160 corners each."""
    step = np.linspace(0, 1, 41)[:-1]
    wave = 0.03 * np.sin(2 * np.pi * 3 * step)

    def edge(a: tuple[float, float], b: tuple[float, float]) -> np.ndarray:
        low, high = min(a, b), max(a, b)  # drawn the same way from both sides
        along = np.subtract(high, low)
        line = np.add(low, step[:, None] * along + wave[:, None] * along[::-1])
        return line if a == low else np.vstack(([high], line[:0:-1]))

    shapes, codes = [], []
    for i in range(side):
        for j in range(side):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
            ring = np.vstack([edge(a, b) for a, b in pairwise(corners)])
            shapes.append(shapely.Polygon(ring * WIDTH + (WEST, SOUTH)))
            codes.append(f"3299{i:04d}{j:04d}")
    frame = {"村代码": codes, "村名": [f"第{n}村" for n in range(len(codes))]}
    gpd.GeoDataFrame(frame, geometry=shapes, crs=4490).to_file(path)


def write_households(path: Path, rows: int, side: int, seed: int = 0) -> None:
    """A CSV in GB18030 of households in and near the villages."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0.07, side - 0.07, (2, rows))
    cell = x.astype(int) * side + y.astype(int)
    table = pd.DataFrame(
        {
            "户编号": np.arange(1, rows + 1),
            "经度": [f"{v:.6f}" for v in WEST + WIDTH * x],
            "纬度": [f"{v:.6f}" for v in SOUTH + WIDTH * y],
            "户数": "1",
            "人口": rng.integers(1, 7, rows),
            "村代码": [f"3299{c // side:04d}{c % side:04d}" for c in cell],
            "村名": [f"第{c}村" for c in cell],
            "村民小组": [f"{g}组" for g in rng.integers(1, 13, rows)],
            "联系电话": [f"139{n:08d}" for n in rng.integers(0, 10**8, rows)],
        }
    )
    table.loc[:: 2 * SPOILT, ["经度", "纬度"]] = ""
    table.loc[SPOILT :: 2 * SPOILT, "户数"] = "不详"
    table.to_csv(path, index=False, encoding="gb18030")


def timed(name: str, program: str, villages: Path, households: Path) -> Row:
    """Run a program in a process of its own; raises CalledProcessError where it fails."""
    command = [sys.executable, "-c", program, str(villages), str(households)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = process.stdout.read() if process.stdout else ""
    # wait4 tells what this process used, not all children so far
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, name)
    told = json.loads(said)
    cpu = used.ru_utime + used.ru_stime
    return Row(
        name, told["rows"], told.get("inside"), round(wall, 2), round(cpu, 2),
        round(used.ru_maxrss / 1024),
    )  # fmt: skip


def measure(rows: int, repeats: int, folder: Path) -> list[Row]:
    """The median run (by wall time) of each program on a file of so many rows."""
    side = max(3, round((rows / 1570) ** 0.5))  # households to a village as in a real district
    villages, households = folder / "villages.gpkg", folder / "households.csv"
    write_villages(villages, side)
    write_households(households, rows, side)
    found = []
    for name, program in PROGRAMS.items():
        done = [timed(name, program, villages, households) for _ in range(repeats)]
        found.append(sorted(done, key=lambda row: row.wall_s)[repeats // 2])
    placed = {row.inside for row in found if row.inside is not None}
    if len(placed) != 1:
        raise ValueError(f"the programs place different numbers of households: {placed}")
    return found


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| rows | program | placed | wall s | cpu s | peak MB |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {r.rows:,} | {r.program} | {'' if r.inside is None else f'{r.inside:,}'} | {r.wall_s} "
        f"| {r.cpu_s} | {r.peak_mb:,.0f} |"
        for r in rows
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 1.7 million rows")
    parser.add_argument("--reduced", action="store_true", help="20,000 rows, no record")
    chosen = parser.parse_args(arguments)
    sizes = {20_000: 1} if chosen.reduced else {165_000: 3}
    if chosen.large:
        sizes[1_700_000] = 1
    load, rows = os.getloadavg(), []
    for size, repeats in sizes.items():
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(size, repeats, Path(folder))
    print(table(rows))
    if not chosen.reduced:
        record = {
            "date": today(),
            "machine": machine("gridwright"),
            "load_before": load,
            "rows": [asdict(r) for r in rows],
        }
        (RECORDS / "reading.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (RECORDS / "reading.md").write_text(table(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
