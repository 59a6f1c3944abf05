"""Confirmed piles and the edited table of classes outlive a restart; nothing personal does."""

from __future__ import annotations

import json
from pathlib import Path

import county_events as county
import numpy as np
import pandas as pd
import pytest

from incidents.categories import SEVEN, SIX, default_table
from ui.event_memory import events_file, keep_table, kept_piles, kept_table
from ui.jobs import Job
from ui.projects import Project
from ui.study import Study, make_study, pile_told, with_table

PILE = (county.WEST + 3_333, county.SOUTH + 777)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A county with a file of events, sixty of them at one coordinate."""
    where = tmp_path / "county"
    where.mkdir()
    county.villages().to_file(where / "villages.gpkg")
    path = county.write_events(where)
    piled(path, 60)
    return where


def piled(path: Path, many: int) -> None:
    lon, lat = county.Transformer.from_crs(county.CRS, 4326, always_xy=True).transform(*PILE)
    frame = pd.read_csv(path)
    frame.loc[frame.index[1_000 : 1_000 + many], ["经度", "纬度"]] = round(lon, 6), round(lat, 6)
    frame.to_csv(path, index=False)


def read(folder: Path, memory: Path | None) -> Study:
    """A reading as after a restart: nothing of an earlier one is used."""
    opened = Project("p", "p", "folder", {"villages": str(folder / "villages.gpkg")})
    return make_study(Job("survey"), "p", opened, None, memory=memory)


def the_pile(study: Study) -> int:
    return next(
        number
        for number, finding in enumerate(study.prepared.quality.findings)
        if finding.code.startswith("quality-pile")
    )


def off_the_map(study: Study) -> int:
    return len(study.kept_apart(study.prepared).quality.piled)


def test_a_confirmed_pile_stays_confirmed_after_a_restart(folder: Path, tmp_path: Path) -> None:
    memory = tmp_path / "home" / "events.json"
    first = read(folder, memory)
    assert off_the_map(first) == 60
    pile_told(first, the_pile(first), real=True)
    pile_told(first, the_pile(first), real=True)  # a box that left the page says it again
    assert first.piles_real == {the_pile(first)}
    again = read(folder, memory)
    assert again.piles_real == {the_pile(again)}
    assert off_the_map(again) == 0
    piled(folder / "incidents.csv", 90)  # next month's file: more events at the same place
    assert off_the_map(read(folder, memory)) == 0
    pile_told(again, the_pile(again), real=False)  # taken back
    assert off_the_map(read(folder, memory)) == 90


def test_what_was_said_of_a_pile_stays_while_another_file_is_read(
    folder: Path, tmp_path: Path
) -> None:
    memory = tmp_path / "events.json"
    first = read(folder, memory)
    pile_told(first, the_pile(first), real=True)
    before = kept_piles(memory, next(iter(json.loads(memory.read_text()))))
    other = county.write_events(folder)  # without the pile
    assert other.exists()
    without = read(folder, memory)
    assert without.piles_real == frozenset()
    assert kept_piles(memory, next(iter(json.loads(memory.read_text())))) == before != frozenset()


def test_an_edited_table_of_classes_is_used_after_a_restart(folder: Path, tmp_path: Path) -> None:
    memory = tmp_path / "events.json"
    first = read(folder, memory)
    assert first.table == default_table(SIX)
    table = default_table(SIX).changed("社会治安", "city_management", sensitive=True)
    with_table(Job("survey"), first, table)
    again = read(folder, memory)
    assert again.table == table
    assert again.events.sensitive.any()
    assert (again.events.group == SIX.keys.index("city_management")).any()
    with_table(Job("survey"), again, default_table(SEVEN))
    assert read(folder, memory).events.classes.key == "seven"


def test_nothing_is_kept_without_a_file_to_keep_it_in(folder: Path) -> None:
    first = read(folder, None)
    pile_told(first, the_pile(first), real=True)
    assert off_the_map(first) == 0
    assert off_the_map(read(folder, None)) == 60


def test_no_place_and_nothing_personal_is_written_down(folder: Path, tmp_path: Path) -> None:
    memory = tmp_path / "events.json"
    first = read(folder, memory)
    pile_told(first, the_pile(first), real=True)
    table = default_table(SIX).changed("13800138000", "environment").changed("噪声", "environment")
    keep_table(memory, "x", table)
    text = memory.read_text("utf-8")
    assert "13800138000" not in text
    assert "噪声" in text
    assert kept_table(memory, "x") == default_table(SIX).changed("噪声", "environment")
    row = first.prepared.quality.findings[the_pile(first)].rows[0]
    for number in (first.events.x[row], first.events.y[row], *PILE):
        assert str(int(np.round(number))) not in text
    assert memory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("spoilt", ["", "{", "[1]", '{"x": 3}', '{"x": {"table": {"list": "?"}}}'])
def test_a_spoilt_file_is_no_memory_and_no_error(tmp_path: Path, spoilt: str) -> None:
    memory = tmp_path / "events.json"
    memory.write_text(spoilt, "utf-8")
    assert kept_table(memory, "x") is None
    assert kept_piles(memory, "x") == frozenset()
    keep_table(memory, "x", default_table(SEVEN))
    assert kept_table(memory, "x") == default_table(SEVEN)


def test_it_lies_beside_the_choices_about_columns(tmp_path: Path) -> None:
    assert events_file({"GRIDWRIGHT_HOME": str(tmp_path)}) == tmp_path / "events.json"
