"""Mutated files of every kind: whatever comes in, a layer or sentences come out.

``GRIDWRIGHT_FUZZ`` sets how many mutants are tried of each kind (25 by default; the readers have
been run with 100,000 in all). A mutant that raises anything but InputError is written to the
test's folder, and belongs into ``golden/`` once the reader is mended.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_formats import HOUSEHOLDS, VILLAGES

from geo.columns import Role
from geo.problems import InputError
from geo.read.layer import Raw
from geo.read.report import Report
from geo.read.shapes import settle
from geo.read.source import layers_of, locate, read_source

MUTANTS = int(os.environ.get("GRIDWRIGHT_FUZZ", "25"))
GOLDEN = Path(__file__).parent / "golden"
SPICE = (
    b"\0", b"\xff\xfe", b"1e308", b"NaN", b"-", b'"', b"'", b",", b"\r", b"[" * 50, b"{", b"}",
    b"null", b"<!DOCTYPE", b"&x;", b"\x01\x07\x00\x00\x00", b"999999999999999999999", b"\xe4\xb8",
    b"EPSG:0", b"POLYGON", b"SRID=1;", b"../", b"PK\x03\x04", b"\xd6\xd0", b"=1+1", b" " * 300,
)  # fmt: skip


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Flip, cut, double, splice or spice a file, one to six times."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        if not out:
            break
        place, kind = rng.randrange(len(out)), rng.randrange(7)
        length = rng.randint(1, 64)
        if kind == 0:
            out[place] = rng.randrange(256)
        elif kind == 1:
            out[place] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del out[place : place + length]
        elif kind == 3:
            out[place:place] = out[place : place + length]
        elif kind == 4:
            out[place:place] = rng.choice(SPICE)
        elif kind == 5:
            other = rng.randrange(len(out))
            out[place : place + length] = out[other : other + length]
        elif rng.random() < 0.3:
            del out[place:]
        else:
            out[place : place + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xff" * 4))
    return bytes(out)


def read_any(path: Path, role: Role) -> None:
    """A layer that holds together, or sentences in both languages; nothing else."""
    report = Report(path.name)
    with contextlib.suppress(InputError):
        layers_of(locate(path, Report("")), Report(""))
    with contextlib.suppress(InputError):
        source = locate(path, report)
        # Not through read_layer, which would turn an unforeseen exception into a sentence.
        made = read_source(source, role, {}, report)
        assert made.raw.rows > 0
        assert all(len(values) == made.raw.rows for values in made.columns.values())
        if made.shapes is not None:
            there = made.shapes[~shapely.is_missing(made.shapes)]
            assert shapely.is_valid(there).all()
            assert np.isfinite(shapely.bounds(there)).all()
        return
    assert report.problems
    for problem in report.problems:
        assert problem.text("zh") != problem.text("en")


KINDS: list[tuple[str, Callable[[Path], Path], Role]] = [
    *((write.__name__, write, "villages") for write in VILLAGES if write.__name__ != "geodatabase"),
    *((name, write, "households") for name, write in HOUSEHOLDS.items()),
]


@pytest.mark.parametrize(("name", "write", "role"), KINDS, ids=[name for name, _, _ in KINDS])
def test_mutants(name: str, write: Callable[[Path], Path], role: Role, tmp_path: Path) -> None:
    seed_folder, folder = tmp_path / "seed", tmp_path / "mutant"
    seed_folder.mkdir()
    path = write(seed_folder)
    parts = [p for p in seed_folder.iterdir() if p.is_file() and p.stem == path.stem]
    rng = random.Random(f"{name} {MUTANTS}")
    for _ in range(MUTANTS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        chosen = rng.choice(parts)
        for part in parts:
            data = part.read_bytes()
            (folder / part.name).write_bytes(mutate(data, rng) if part == chosen else data)
        read_any(folder / path.name, role)
        shutil.rmtree(folder)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.*")), ids=lambda path: path.name)
def test_golden_files(path: Path, tmp_path: Path) -> None:
    """Files that once broke a reader; the role stands first in their names."""
    if path.suffix == ".md":
        assert path.read_text("utf-8")
        return
    copied = tmp_path / path.name
    shutil.copy(path, copied)
    role: Role = "households" if path.name.startswith("households") else "villages"
    read_any(copied, role)


hostile = st.one_of(
    st.floats(110, 125),
    st.floats(110, 125),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, -0.0]),
    st.integers(-3, 3).map(float),
)


@settings(max_examples=150)
@given(st.lists(st.lists(st.tuples(hostile, hostile), min_size=3, max_size=9), max_size=4))
def test_any_rings_are_usable_areas_or_told(rings: list[list[tuple[float, float]]]) -> None:
    """What the gate lets through is valid, finite and has an area; the rest is told."""
    shapes = np.full(len(rings) + 1, None, dtype=object)
    shapes[-1] = shapely.box(120, 32, 121, 33)
    for row, ring in enumerate(rings):
        first = np.where(np.isnan(ring[0]), 120.0, ring[0])  # a ring must close
        corners = np.array([first, *ring[1:], first])
        with np.errstate(all="ignore"):
            shapes[row] = shapely.polygons(shapely.linearrings(corners, handle_nan="allow"))
    raw = Raw("x", [], {}, shapes=shapes, rows=len(shapes))
    report = Report("x")
    with np.errstate(all="ignore"):
        settle(raw, "villages", lambda _: None, report)
    assert raw.shapes is not None
    kept = ~shapely.is_missing(raw.shapes)
    assert shapely.is_valid(raw.shapes[kept]).all()
    assert (shapely.area(raw.shapes[kept]) > 0).all()
    assert np.isfinite(shapely.bounds(raw.shapes[kept])).all()
    assert kept.all() or report.problems


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12
) | st.sampled_from(["120.1", "32.1", "", '"', '"x', ",", "1e999", "12户", "=1+1"])


@settings(max_examples=120)
@given(st.lists(st.lists(cells, min_size=1, max_size=7), max_size=6), st.sampled_from(",;\t|"))
@example([["", "", "", "", '"'], ["0"], ["0"]], ",")  # an open quote over seeming footers
def test_any_table_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("table") / "h.csv"
    header = delimiter.join(["户编号", "村名", "经度", "纬度", "户数"])
    lines = [header, *(delimiter.join(row) for row in rows)]
    path.write_text("\n".join(lines), "utf-8", newline="")
    read_any(path, "households")
