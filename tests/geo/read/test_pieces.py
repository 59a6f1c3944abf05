"""A table read in pieces is the table: of whatever size they are, and wherever they are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.problems import InputError
from geo.read import Layer, delimited, read_layer, stream
from geo.read.gather import Gathered
from geo.read.layer import Raw
from geo.read.report import Report
from geo.read.values import parse_coordinates, parse_numbers
from geo.read.wkb import shapes_of_pieces

HEADER = "户编号,经度,纬度,户数,人口,村代码,村名,联系电话\n"
CELLS = st.one_of(
    st.sampled_from(
        ["", "1", "12户", "不详", "-", "nan", "inf", "１２", "1,234", "120.5", "32.25", "0",
         "320116001001", "32011600100", "东村", "东 村", "<b>", "13912345678", "a\u200bb",
         "11010519491231002X", "'07", "3.2E+11", "120°30′", "POINT (120 32)"]
    ),
    st.text(st.characters(codec="gb18030", exclude_characters="\0\r\n"), max_size=6),
)  # fmt: skip


def quoted(cell: str) -> str:
    return f'"{cell}"' if set(cell) & set(',"') and '"' not in cell else cell.replace('"', "")


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A table of households in some encoding, with whatever stands in its cells."""
    rows = draw(st.lists(st.lists(CELLS, min_size=8, max_size=8), min_size=1, max_size=40))
    lines = [",".join([str(n), *map(quoted, cells[1:])]) for n, cells in enumerate(rows, start=1)]
    if draw(st.booleans()):
        lines.append("数据截至2024年" + "," * 7)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = HEADER.replace("\n", end) + end.join(lines) + end * draw(st.integers(0, 2))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])))


def outcome(path: Path) -> Layer | list[object]:
    try:
        return read_layer(path, "households")
    except InputError as error:
        return list(error.problems)


def in_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (stream, delimited):
        monkeypatch.setattr(module, "BLOCK", size)
    monkeypatch.setattr(stream, "HEAD", size)
    monkeypatch.setattr(delimited, "ROWS_AT_ONCE", max(1, size // 100))


def same(one: Layer | list[object], other: Layer | list[object]) -> None:
    if isinstance(one, list) or isinstance(other, list):
        assert one == other
        return
    pd.testing.assert_frame_equal(pd.DataFrame(one.frame), pd.DataFrame(other.frame))
    assert one.crs == other.crs
    assert one.problems == other.problems
    assert one.dropped == other.dropped
    assert one.columns == other.columns
    assert one.encoding == other.encoding
    assert (one.no_place is None) == (other.no_place is None)
    if one.no_place is not None and one.numbers is not None:
        np.testing.assert_array_equal(one.no_place, other.no_place)
        np.testing.assert_array_equal(one.numbers, other.numbers)


@given(content=tables(), size=st.integers(150, 3000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_pieces_of_any_size_give_the_same_table(
    content: bytes, size: int, tmp_path: Path
) -> None:
    path = tmp_path / "h.csv"
    path.write_bytes(content)
    whole = outcome(path)
    with pytest.MonkeyPatch.context() as patch:
        in_blocks(patch, size)
        same(outcome(path), whole)


def table_of(rows: int, *more: str) -> str:
    lines = [f"{n},120.{n:05d},32.1,1,3,320116001001,East,x" for n in range(1, rows + 1)]
    return HEADER + "\n".join([*lines, *more]) + "\n"


LATE = {
    "another encoding": ("9,120.5,32.1,1,3,320116001001,东村,x", "gb18030", 1.0),
    "a quote": ('9,120.5,32.1,1,3,320116001001,"East, old",x', "utf-8", 1.0),
    "a line in a cell": ('9,120.5,32.1,1,3,320116001001,"East\nold",x', "utf-8", 1.0),
    "a NUL": ("9,120.5,32.1,1,3,320116001001,Ea\0st,x", "utf-8", 1.0),
    "a short row": ("9,120.5,32.1,1", "utf-8", np.nan),
    "an unreadable coordinate": ("9,somewhere,32.1,1,3,320116001001,East,x", "utf-8", 1.0),
}


@pytest.mark.parametrize("late", LATE)
def test_what_comes_late_counts_as_what_comes_first(
    late: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head is read one way, and then something turns up that it did not show."""
    row, encoding, _ = LATE[late]
    header = HEADER if encoding == "utf-8" else HEADER.replace("村名", "village_name")
    text = table_of(400, row).replace(HEADER, header)
    in_blocks(monkeypatch, 1 << 20)
    path = tmp_path / "h.csv"
    path.write_bytes(text.encode(encoding))
    whole = outcome(path)
    in_blocks(monkeypatch, 700)
    same(outcome(path), whole)
    assert isinstance(whole, Layer)
    assert len(whole.frame) == 401


def test_plain_letters_first_and_chinese_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beginning that fits any encoding does not decide which one it is."""
    in_blocks(monkeypatch, 600)
    text = table_of(300, "301,120.5,32.1,1,3,320116001001,东村,x").replace(
        HEADER, "id,lon,lat,households,persons,village_code,village_name,phone\n"
    )
    for encoding in ("utf-8", "gb18030"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(text.encode(encoding))
        layer = read_layer(path, "households")
        assert layer.encoding == encoding
        assert layer.frame["village_name"].iloc[300] == "东村"
    path.write_bytes(text.encode("gb18030") + b"302,120.5,32.1,1,3,320116001001,\xff\xff,x\n")
    with pytest.raises(InputError) as caught:
        read_layer(path, "households")
    assert [p.code for p in caught.value.problems] == ["read_encoding_unknown"]


def test_a_personal_column_is_not_even_held(tmp_path: Path) -> None:
    """The parser is not asked for it, so that no piece ever holds it."""
    asked: list[list[str]] = []
    path = tmp_path / "h.csv"
    path.write_text(table_of(5), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        plain = pa.csv.ConvertOptions

        def options(**chosen: object) -> object:
            asked.append(list(chosen["include_columns"]))  # type: ignore[call-overload]
            return plain(**chosen)

        patch.setattr(pa.csv, "ConvertOptions", options)
        read_layer(path, "households")
    assert asked == [["经度", "纬度", "户数", "人口", "村代码", "村名"]]


def test_too_many_rows_are_refused_before_all_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_blocks(monkeypatch, 1000)
    path = tmp_path / "h.csv"
    path.write_text(table_of(5000), "utf-8")
    report = Report("h.csv")
    with pytest.raises(InputError) as caught:
        delimited.read_delimited(path, "h", "households", list, report, most=100)
    (problem,) = caught.value.problems
    assert problem.code == "read_too_many_rows"
    assert 100 < int(str(problem.params["rows"])) < 2000


@given(st.lists(CELLS, max_size=30), st.integers(1, 30))
def test_a_cell_is_read_by_itself(cells: list[str], size: int) -> None:
    """Numbers do not depend on what else stands in a column, or how it is held."""
    for parse in (parse_numbers, parse_coordinates):
        column = pd.Series(cells, dtype="str")
        together = parse(column)
        apart = [parse(column.iloc[[row]].reset_index(drop=True)) for row in range(len(cells))]
        held = parse(column.astype("category"))
        for place in (0, 1):
            np.testing.assert_array_equal(together[place], held[place])
            alone = np.array([pair[place][0] for pair in apart])
            np.testing.assert_array_equal(together[place], alone.astype(together[place].dtype))
    gathered = Gathered(["c"], ["c"])
    for start in range(0, len(cells), size):
        piece = [cell or None for cell in cells[start : start + size]]
        gathered.add({"c": pa.array(piece, pa.string())}, len(piece))
    columns, unreadable = gathered.taken(len(cells))
    numbers, bad = parse_coordinates(columns["c"])
    expected = parse_coordinates(pd.Series([c or None for c in cells], dtype="str"))
    np.testing.assert_array_equal(numbers, expected[0])
    np.testing.assert_array_equal(bad | unreadable.get("c", np.zeros(len(cells), bool)),
                                  expected[1])  # fmt: skip


def test_binary_shapes_of_every_kind_come_out_the_same_a_piece_or_a_cell_at_a_time() -> None:
    """Plain kinds are told from a piece's bytes at once; collections and damage are looked into."""
    square = shapely.box(0, 0, 1, 1)
    plain = [square, shapely.MultiPolygon([square]), shapely.LineString([(0, 0), (1, 1)]), None]
    collection = shapely.GeometryCollection([square])
    for shapes in (plain, [*plain, collection], [None, None], [collection]):
        cells = [None if s is None else shapely.to_wkb(s, byte_order=i % 2)
                 for i, s in enumerate(shapes)]  # fmt: skip
        for more in ([], [b""], [b"\x01\x03\x00"], [cells[0][:30]] if cells[0] else []):
            held = [*cells, *more]
            found = []
            for piece in (pa.array(held, pa.binary()), pa.array(held, pa.large_binary())[0:],
                          np.array(held, dtype=object)):  # fmt: skip
                report, raw = Report("x"), Raw("x", [], {}, rows=len(held))
                made = shapes_of_pieces([piece], raw, report)
                found.append((shapely.to_wkt(made).tolist(), report.problems))
            assert found[0] == found[1] == found[2]
