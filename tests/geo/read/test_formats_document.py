"""docs/formats.md says what the readers do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from test_bad_inputs import FURTHER, MEASURED
from test_real_sets import SETS

from geo.columns import MEANINGS
from geo.read.limits import LIMITS, MEGABYTE

DOCS = Path(__file__).resolve().parents[3] / "docs"
TEXT = (DOCS / "formats.md").read_text("utf-8")
NEVER_KEPT = {"lon", "lat", "lonlat", "wkt", "date", "clock"}


def test_every_kept_column_of_every_role_is_named() -> None:
    for role, columns in MEANINGS.items():
        assert role in TEXT
        for column in columns.keys() - NEVER_KEPT:
            assert f"`{column}`" in TEXT, (role, column)


def rows_of_sets() -> dict[str, list[str]]:
    """Set → the cells of its row in the table of real sets."""
    table = TEXT.partition("## The real sets")[2]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", table, re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


def test_every_real_set_is_in_the_table() -> None:
    assert {real.source.partition("/")[0] for real in SETS} <= rows_of_sets().keys()


@pytest.mark.real
def test_the_table_lists_what_lies_there(real_data: Callable[[str], Path]) -> None:
    there = {path.name for path in real_data(".").iterdir() if (path / "SOURCE.md").exists()}
    assert rows_of_sets().keys() == there


@pytest.mark.parametrize("role", ["villages", "households", "incidents"])
def test_the_table_says_what_each_set_holds(role: str) -> None:
    """A set with such a file has its rows, as they are read, in the column of the role."""
    place = ("villages", "households", "incidents").index(role)
    for real in SETS:
        if real.role != role:
            continue
        cells = rows_of_sets()[real.source.partition("/")[0]]
        assert cells[place], (real.source, role)
        numbers = [int(n.replace(",", "")) for n in re.findall(r"[0-9][0-9,]*", " ".join(cells))]
        assert real.rows in numbers or real.rows == 1, real.source
        assert cells[-1], real.source


def test_limits_are_those_of_the_program() -> None:
    for value, shown in (
        (LIMITS.file_bytes, f"{LIMITS.file_bytes // (1024 * MEGABYTE)} GB"),
        (LIMITS.unpacked_bytes, f"{LIMITS.unpacked_bytes // (1024 * MEGABYTE)} GB"),
        (LIMITS.entries, f"{LIMITS.entries:,} entries"),
        (LIMITS.sheet_bytes, f"{LIMITS.sheet_bytes // MEGABYTE} MB"),
        (LIMITS.rows, f"{LIMITS.rows / 1e6:g} million, {LIMITS.columns:,}"),
        (LIMITS.text_rows, f"{LIMITS.text_rows // 10**6} million"),
        (LIMITS.vertices, f"{LIMITS.vertices // 10**6} million"),
        (LIMITS.name_length, f"{LIMITS.name_length} characters"),
        (LIMITS.seconds, f"{LIMITS.seconds:g} s"),
    ):
        assert re.search(rf"\| [^\n]*{re.escape(shown)}", TEXT), (value, shown)


def test_every_test_named_beside_a_hostile_file_is_there() -> None:
    """In each cell of tests: a file's path applies to the names after it, else the bad inputs."""
    tests = Path(__file__).parents[2]
    everything = "".join(path.read_text("utf-8") for path in tests.rglob("test_*.py"))
    cases = {case.name for case in [*MEASURED, *FURTHER]}
    named = 0
    for line in (DOCS / "hostile.md").read_text("utf-8").splitlines():
        for name in re.findall(r"`([^`]+)`", line.rpartition(" | ")[2]):
            if name.startswith("tests/"):
                assert (tests.parent / name).is_file(), name
            elif name.startswith("test_"):
                assert f"def {name}(" in everything, name
            else:
                assert name in cases, name
            named += 1
    assert named > 100
