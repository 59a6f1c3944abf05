"""What became of each grid, on squares whose fate can be told by looking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_compare import HALVES, MOVED, SIDE, plan

from planning.changes import CHANGES, Changes, find_changes, write_changes
from planning.planfile import PlanFile

WHOLE = [0] * SIDE * SIDE
# the western half stays; the eastern one becomes a northern and a southern part
THIRDS = [0 if c < 3 else (1 if r < 3 else 2) for r in range(SIDE) for c in range(SIDE)]


def named(label: list[int], codes: dict[int, str]) -> PlanFile:
    """A plan whose grids have the codes given."""
    made = plan(label)
    own = {f"A{key:03d}": code for key, code in codes.items()}
    return replace(
        made,
        grids=made.grids.assign(code=made.grids["code"].replace(own)),
        households=made.households.assign(grid_code=made.households["grid_code"].replace(own)),
    )


def fate(changes: Changes) -> dict[str, tuple[str, str]]:
    return {
        row.old_code or row.new_code: (row.change, row.new_code)
        for row in changes.table.itertuples()
    }


def test_nothing_changed() -> None:
    found = find_changes(plan(HALVES), plan(HALVES))
    assert fate(found) == {"A000": ("kept", "A000"), "A001": ("kept", "A001")}
    assert found.sheets() == []
    assert found.households_moved == 0
    assert found.reused == ()


def test_a_split_names_all_its_parts() -> None:
    found = find_changes(plan(HALVES), plan(THIRDS))
    assert fate(found) == {
        "A000": ("kept", "A000"),
        "A001": ("split", "A001; A002"),
        "A002": ("new", "A002"),
    }
    assert found.became("A001") == ["A001", "A002"]
    assert found.sheets() == ["A001", "A002"]
    assert found.households_moved == 18


def test_a_merger_names_the_one_that_is_left() -> None:
    found = find_changes(plan(THIRDS), plan(HALVES))
    assert fate(found) == {
        "A000": ("kept", "A000"), "A001": ("merged", "A001"), "A002": ("merged", "A001"),
    }  # fmt: skip
    assert found.became("A002") == ["A001"]
    assert found.sheets() == ["A001"]


def test_a_border_that_moved() -> None:
    found = find_changes(plan(HALVES), plan(MOVED))
    assert fate(found) == {"A000": ("adjusted", "A000"), "A001": ("adjusted", "A001")}
    assert list(found.table["households_moved"]) == [0, 2]
    assert found.sheets() == ["A000", "A001"]


def test_other_counts_on_the_same_ground() -> None:
    found = find_changes(plan(HALVES), plan(HALVES, each=3))
    assert {change for change, _ in fate(found).values()} == {"recounted"}
    assert found.sheets() == ["A000", "A001"]


def test_another_code_is_told() -> None:
    found = find_changes(plan(HALVES), named(HALVES, {1: "A009"}))
    assert fate(found)["A001"] == ("recoded", "A009")
    assert found.reused == ()


def test_a_grid_whose_village_was_merged_is_told_and_printed_again() -> None:
    before, after = plan(HALVES), plan(HALVES)
    grids = after.grids.assign(village_code=["V", "W"], village_name=["柳塘村", "石桥村"])
    old = before.grids.assign(village_name="柳塘村")
    found = find_changes(replace(before, grids=old), replace(after, grids=grids))
    assert fate(found) == {"A000": ("kept", "A000"), "A001": ("rehomed", "A001")}
    assert found.table["village"].tolist() == ["柳塘村", "柳塘村 → 石桥村"]
    assert found.sheets() == ["A001"]
    bare = replace(before, grids=before.grids.drop(columns="village_code"))
    assert set(find_changes(bare, after).table["change"]) == {"kept"}


def test_a_code_given_to_other_ground_is_found() -> None:
    """The western half's code goes to the east, whose own code is retired: not to be filed."""
    found = find_changes(plan(HALVES), named(HALVES, {0: "A007", 1: "A000"}))
    assert found.reused == ("A000",)


@pytest.mark.parametrize("points", [True, False])
def test_without_points_area_decides(points: bool) -> None:
    found = find_changes(plan(HALVES, points=points), plan(THIRDS, points=points))
    assert found.count("split") == found.count("kept") == found.count("new") == 1


@given(
    st.lists(st.integers(0, 3), min_size=SIDE * SIDE, max_size=SIDE * SIDE),
    st.lists(st.integers(0, 3), min_size=SIDE * SIDE, max_size=SIDE * SIDE),
)
def test_every_grid_of_both_versions_is_accounted_for(a: list[int], b: list[int]) -> None:
    before, after = plan(a), plan(b, codes="B")
    found = find_changes(before, after)
    old = [code for code in found.table["old_code"] if code]
    assert sorted(old) == sorted(before.grids["code"])
    new = {code for text in found.table["new_code"] for code in text.split("; ") if code}
    assert new == set(after.grids["code"])
    assert set(found.table["change"]) <= set(CHANGES)
    rows = found.table[found.table["old_code"] != ""]
    assert rows["households_before"].sum() == before.grids["households"].sum()
    assert rows["households_moved"].sum() == found.households_moved
    assert not rows.loc[rows["change"] != "gone", "new_code"].eq("").any()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_workbook_says_it_all(tmp_path: Path, language: str) -> None:
    found = find_changes(plan(HALVES), plan(THIRDS))
    path = write_changes(found, tmp_path / "changes.xlsx", language=language)  # type: ignore[arg-type]
    book = openpyxl.load_workbook(path)
    assert len(book.sheetnames) == 2
    words = {pair[0 if language == "zh" else 1] for pair in CHANGES.values()}
    changed = [row[0] for row in book.worksheets[0].iter_rows(min_row=3, values_only=True)]
    assert len(changed) == 2
    assert set(changed) <= words
    assert book.worksheets[1]["C3"].value == "A000"
