"""Cells merged downwards: text is given to the rows below, a count never is."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from old_excel import record, write_xls

from geo.read import Layer, read_layer
from geo.read.merged import Merged, xls_ranges, xlsx_ranges

HEAD = ["乡镇", "村代码", "村名", "户数"]


def workbook(folder: Path, rows: list[list[object]], *ranges: str) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in ranges:
        book.active.merged_cells.add(cells)  # merge_cells makes an object for every cell of them
    book.save(folder / "villages.xlsx")
    return folder / "villages.xlsx"


def codes(layer: Layer) -> set[str]:
    return {problem.code.removeprefix("read_") for problem in layer.problems}


def test_a_township_merged_over_its_villages(tmp_path: Path) -> None:
    rows = [
        ["2024 年村情表", None, None, None],
        HEAD,
        ["东镇", "320116001201", "东村", 900],
        [None, "320116001202", "西村", 800],
        [None, "320116001203", "中村", 700],
        ["南镇", "320116002201", "南村", 600],
        [None, "320116002202", "北村", 500],
        [None, "320116002203", "散村", 400],
    ]
    layer = read_layer(workbook(tmp_path, rows, "A1:D1", "A3:A5", "A6:A7"), "villages")
    # 散村 lies below the second merged cell, not in it: nothing is guessed for it
    told = layer.frame["township_name"]
    assert told[:5].tolist() == ["东镇", "东镇", "东镇", "南镇", "南镇"]
    assert told.isna().tolist() == [False] * 5 + [True]
    assert layer.frame["households"].sum() == 3900
    note = next(p for p in layer.problems if p.code == "read_merged_filled")
    assert note.params == {"columns": "乡镇", "count": 3}
    assert "乡镇" in note.text("zh")
    assert "3 cells" in note.text("en")


def test_a_count_merged_over_rows_counts_once(tmp_path: Path) -> None:
    head = ["村名", "小区", "户数", "经度", "纬度"]
    rows = [
        head,
        ["东村", "一号院", 90, 120.01, 32.01],
        [None, "二号院", None, 120.02, 32.02],
        ["西村", "三号院", 30, 120.03, 32.03],
    ]
    layer = read_layer(workbook(tmp_path, rows, "A2:A3", "C2:C3"), "households")
    assert layer.frame["households"].tolist() == [90, 0, 30]
    assert layer.frame["village_name"].tolist() == ["东村", "东村", "西村"]
    assert {"merged_filled", "merged_counts"} <= codes(layer)


def test_a_header_of_two_rows(tmp_path: Path) -> None:
    rows = [
        ["村代码", "村名", "规模", None],
        [None, None, "户数", "人口"],
        ["320116001201", "东村", 900, 2700],
        ["320116001202", "西村", 800, 2400],
    ]
    layer = read_layer(workbook(tmp_path, rows, "A1:A2", "B1:B2", "C1:D1"), "villages")
    assert layer.frame["code"].tolist() == ["320116001201", "320116001202"]
    assert layer.frame["households"].tolist() == [900, 800]
    assert layer.frame["persons"].tolist() == [2700, 2400]


def test_rows_within_a_range_that_are_empty_stay_empty(tmp_path: Path) -> None:
    rows = [HEAD, ["东镇", "320116001201", "东村", 900], *[[None] * 4] * 500]
    layer = read_layer(workbook(tmp_path, rows, "A2:A1048576"), "villages")
    assert len(layer.frame) == 1


def test_personal_columns_are_not_filled_down(tmp_path: Path) -> None:
    rows = [
        ["乡镇", "村名", "户数", "网格长"],
        ["东镇", "东村", 9, "某甲某"],
        [None, "西村", 8, None],
    ]
    layer = read_layer(workbook(tmp_path, rows, "A2:A3", "D2:D3"), "villages")
    assert "某甲某" not in layer.frame.to_csv()
    assert layer.frame["township_name"].tolist() == ["东镇", "东镇"]


def test_ranges_are_found_across_blocks_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [HEAD] + [[None] * 4 for _ in range(40)]
    path = workbook(tmp_path, rows, *(f"A{n}:B{n + 1}" for n in range(2, 40, 2)))
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path) as archive:
        expected = [(0, n, n + 1) for n in range(2, 40, 2)]
        for size in (401, 500, 1 << 20):
            monkeypatch.setattr("geo.read.merged._BLOCK", size)
            assert sorted(xlsx_ranges(archive, part)) == expected


def test_old_workbooks_tell_their_ranges(tmp_path: Path) -> None:
    rows = [HEAD, ["东镇", "320116001201", "东村", 9], [None, "320116001202", "西村", 8]]
    path = write_xls(tmp_path / "v.xls", rows, merged=[(1, 2, 0, 0)])
    assert xls_ranges(path, "Sheet1", None) == [(0, 2, 3)]
    frame = read_layer(path, "villages").frame
    assert frame["township_name"].tolist() == ["东镇", "东镇"]


def test_old_workbooks_without_readable_formats_say_so_and_are_read(tmp_path: Path) -> None:
    rows = [HEAD, ["东镇", "320116001201", "东村", 9], [None, "320116001202", "西村", 8]]
    cut_off_font = record(0x0031, b"\0")
    path = write_xls(tmp_path / "v.xls", rows, merged=[(1, 2, 0, 0)], extra=cut_off_font)
    assert xls_ranges(path, "Sheet1", None) is None
    layer = read_layer(path, "villages")
    assert layer.frame["name"].tolist() == ["东村", "西村"]
    assert layer.frame["township_name"].isna().tolist() == [False, True]
    assert "merged_unknown" in codes(layer)


def test_nothing_is_carried_past_the_end_of_a_range() -> None:
    merged = Merged([(0, 2, 3), (1, 2, 2)])
    rows: list[tuple[object, ...]] = [("h", "h"), ("x", "y"), (None, None), (None, None)]
    assert [merged.carried(n, row) for n, row in enumerate(rows, start=1)] == [{}, {}, {0: "x"}, {}]
