"""Choices about a file's columns: kept by column names, without a value, and harmless if spoilt."""

from __future__ import annotations

from pathlib import Path

from geo.inspect import Choice
from ui.remembered import choices_file, keep, recall

NAMES = ["XZQDM", "XZQMC", "备注"]


def test_a_choice_comes_back_for_the_same_columns_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "home" / "choices.json"
    keep(file, NAMES, Choice("villages", {"code": "XZQDM"}, "gcj02"), used=True)
    found = recall(file, NAMES[::-1])
    assert found is not None
    assert found.used
    assert (found.choice.role, dict(found.choice.columns)) == ("villages", {"code": "XZQDM"})
    assert found.choice.datum == "gcj02"
    assert recall(file, ["XZQDM"]) is None


def test_the_newest_choice_wins(tmp_path: Path) -> None:
    file = tmp_path / "choices.json"
    keep(file, NAMES, Choice("villages"), used=True)
    keep(file, NAMES, Choice("compounds"), used=False)
    found = recall(file, NAMES)
    assert found is not None
    assert (found.choice.role, found.used) == ("compounds", False)


def test_no_value_of_a_headerless_table_is_written_down(tmp_path: Path) -> None:
    file = tmp_path / "choices.json"
    canary = "13800138000"
    keep(file, [canary, "x"], Choice("households", {"household_id": canary}), used=True)
    assert canary not in file.read_text("utf-8")


def test_a_spoilt_file_is_no_memory_and_no_error(tmp_path: Path) -> None:
    file = tmp_path / "choices.json"
    for spoilt in ("", "{", "[1]", '{"a": 1}'):
        file.write_text(spoilt, "utf-8")
        assert recall(file, NAMES) is None
    keep(file, NAMES, Choice("roads"), used=True)
    assert recall(file, NAMES) is not None


def test_the_folder_can_be_set(tmp_path: Path) -> None:
    assert choices_file({"GRIDWRIGHT_HOME": str(tmp_path)}) == tmp_path / "choices.json"
