"""docs/formats.md says what the readers do."""

from __future__ import annotations

import re
from pathlib import Path

from test_real_sets import SETS

from geo.columns import MEANINGS
from geo.read.limits import LIMITS, MEGABYTE

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text("utf-8")
NEVER_KEPT = {"lon", "lat", "lonlat", "wkt", "date", "clock"}


def test_every_kept_column_of_every_role_is_named() -> None:
    for role, columns in MEANINGS.items():
        assert role in TEXT
        for column in columns.keys() - NEVER_KEPT:
            assert f"`{column}`" in TEXT, (role, column)


def test_every_real_set_is_in_the_table() -> None:
    for name in {real.source.partition("/")[0] for real in SETS}:
        assert f"`{name}`" in TEXT


def test_limits_are_those_of_the_program() -> None:
    for value, shown in (
        (LIMITS.file_bytes, f"{LIMITS.file_bytes // (1024 * MEGABYTE)} GB"),
        (LIMITS.unpacked_bytes, f"{LIMITS.unpacked_bytes // (1024 * MEGABYTE)} GB"),
        (LIMITS.entries, f"{LIMITS.entries:,} entries"),
        (LIMITS.sheet_bytes, f"{LIMITS.sheet_bytes // MEGABYTE} MB"),
        (LIMITS.rows, f"{LIMITS.rows / 1e6:g} million, {LIMITS.columns:,}"),
        (LIMITS.vertices, f"{LIMITS.vertices // 10**6} million"),
        (LIMITS.name_length, f"{LIMITS.name_length} characters"),
        (LIMITS.seconds, f"{LIMITS.seconds:g} s"),
    ):
        assert re.search(rf"\| [^\n]*{re.escape(shown)}", TEXT), (value, shown)
