"""Numbers, angles, codes, names and times as people write them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.read.text import decode, detect_encoding
from geo.read.times import parse_time, parse_times
from geo.read.values import clean_text, parse_angle, parse_codes, parse_numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), (" 12 ", 12), ("1,234", 1234), ("12户", 12), ("３０人", 30), ("-4", -4),
        ("1.5", 1.5), ("1,5", 1.5), ("1e3", 1000), ("", None), ("-", None), ("无", None),
        ("many", "bad"), ("inf", "bad"), ("nan", None), ("1e999", "bad"), ("12 或 13", "bad"),
    ],
)  # fmt: skip
def test_numbers(text: str, value: object) -> None:
    numbers, bad = parse_numbers(pd.Series([text, "abc"]))
    assert bad[0] == (value == "bad")
    if isinstance(value, (int, float)):
        assert numbers[0] == value
    else:
        assert np.isnan(numbers[0])


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("120°30′00″E", 120.5), ("120°30'00\"", 120.5), ("120°30’36’’", 120.51),
        ("31度30分36秒", 31.51), ("北纬31°30′", 31.5), ("71°6′W", -71.1), ("120.5°", 120.5),
        ("120 ° 30 ′", 120.5), ("120°61′", None), ("abc", None), ("", None),
    ],
)  # fmt: skip
def test_angles(text: str, degrees: float | None) -> None:
    assert parse_angle(text) == (None if degrees is None else pytest.approx(degrees))


@pytest.mark.parametrize(
    ("text", "expected", "precision"),
    [
        ("2024/3/5 14:20", "2024-03-05T14:20:00", "minute"),
        ("2024-03-05T14:20:30+08:00", "2024-03-05T14:20:30", "minute"),
        ("2024年3月5日", "2024-03-05T00:00:00", "day"),
        ("2024年3月5日 下午2时20分", "2024-03-05T14:20:00", "minute"),
        ("2024年3月5日14时", "2024-03-05T14:00:00", "minute"),
        ("103年01月01日 04時30分00秒", "2014-01-01T04:30:00", "minute"),
        ("民國112年7月", "2023-07-01T00:00:00", "month"),
        ("20240305 142030", "2024-03-05T14:20:30", "minute"),
        ("2018-10", "2018-10-01T00:00:00", "month"),
        ("4/10/10 9:39", "2010-04-10T09:39:00", "minute"),
        ("12/11/2020 11:45:00 PM", "2020-12-11T23:45:00", "minute"),
        ("45356.5", "2024-03-05T12:00:00", "minute"),
        ("45356", "2024-03-05T00:00:00", "day"),
        ("2024.3.5", "2024-03-05T00:00:00", "day"),
        ("2024-02-30", None, ""),
        ("2024/13/01", None, ""),
        ("0001-01-01", None, ""),
        ("2024-03-05 25:00", None, ""),
        ("yesterday", None, ""),
    ],
)
def test_times(text: str, expected: str | None, precision: str) -> None:
    found = parse_time(text)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (str(found[0]), found[1]) == (expected, precision)


def test_day_first_is_seen_in_the_column() -> None:
    times, _, bad = parse_times(pd.Series(["03/04/2024", "25/04/2024"]))
    assert times.astype(str).tolist() == ["2024-04-03T00:00:00", "2024-04-25T00:00:00"]
    assert not bad.any()


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_not(text: str) -> None:
    found = parse_time(text)
    assert found is None or not np.isnat(found[0])


@given(st.text(max_size=60))
def test_any_text_is_cleaned(text: str) -> None:
    whole = text.encode("utf-8", "replace").decode()
    cleaned, _, _ = clean_text(pd.Series([whole], dtype="str"))
    value = cleaned.iloc[0]
    if isinstance(value, str):
        assert value == value.strip()
        assert "\n" not in value
        assert "\u202e" not in value
        again, hidden, cut = clean_text(cleaned)
        assert (again.iloc[0], hidden, cut) == (value, 0, 0)


@given(st.lists(st.one_of(st.none(), st.text(max_size=20), st.floats(), st.integers()), max_size=8))
def test_any_cells_are_numbers_or_not(cells: list[object]) -> None:
    column = pd.Series(cells, dtype=object)
    numbers, bad = parse_numbers(column)
    assert len(numbers) == len(bad) == len(cells)
    assert not np.isinf(numbers).any()
    assert np.isnan(numbers[bad]).all()


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ([320116001001.0, 320116001002.0], ["320116001001", "320116001002"]),
        (["320116001001.0", None], ["320116001001", None]),
        (["'320116001001", "３２０１１６００１００２"], ["320116001001", "320116001002"]),
        (["67000010-001"], ["67000010001"]),
        (["9007010001", "9007010002"], ["09007010001", "09007010002"]),
        (["10007010001", "9007010002"], ["10007010001", "09007010002"]),
        (["99999", "100000"], ["99999", "100000"]),
        ([7, 12], ["7", "12"]),
    ],
)
def test_codes(cells: list[object], codes: list[str | None]) -> None:
    text, lost, _ = parse_codes(pd.Series(cells))
    assert [value if isinstance(value, str) else None for value in text] == codes
    assert not lost.any()


def test_scientific_codes_are_lost() -> None:
    _, lost, _ = parse_codes(pd.Series(["3.2E+11", "320116001001", "3.20116e11"]))
    assert lost.tolist() == [True, False, True]


SAMPLE = "村代码,村名,乡镇\n1,东村,某镇\n2,大庄社区居委会,某街道办事处\n"
TRADITIONAL = "村里代碼,村里,區域\n1,忠政里,臺南市新營區\n2,民權里,臺南市鹽水區\n"


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (SAMPLE, "utf-8", "utf-8"), (SAMPLE, "utf-8-sig", "utf-8"), (SAMPLE, "gbk", "gb18030"),
        (SAMPLE, "utf-16", "utf-16-le"), (TRADITIONAL, "big5", "big5hkscs"),
        (TRADITIONAL, "gb18030", "gb18030"), ("plain", "ascii", "utf-8"),
    ],
)  # fmt: skip
def test_encodings(text: str, encoding: str, expected: str) -> None:
    assert decode(text.encode(encoding)) == (text, expected)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_encoding_or_none(data: bytes) -> None:
    found = detect_encoding(data)
    if found is not None:
        data[found[1] :].decode(found[0])


def test_plain_times_read_at_once_are_those_read_one_by_one() -> None:
    """Every field off by one, every mark another one, days that do not exist."""
    texts = [
        "2024-03-05 14:20:00", "2024-03-05T14:20:00", "2024-02-29 00:00:00", "2023-02-29 00:00:00",
        "2024-04-31 10:00:00", "2024-12-31 23:59:59", "2024-13-01 00:00:00", "2024-00-10 00:00:00",
        "2024-01-00 00:00:00", "2024-01-01 24:00:00", "2024-01-01 24:00:01", "2024-01-01 12:60:00",
        "2024-01-01 12:00:60", "1899-12-31 00:00:00", "1900-01-01 00:00:00", "2100-12-31 00:00:00",
        "2101-01-01 00:00:00", "2024/03/05 14:20:00", "2024-03-05 14.20.00", "２024-03-05 14:20:00",
        "2024-3-5 14:20:00  ", "0103-01-01 04:30:00", "2024-03-05x14:20:00", "25/04/2024 14:20:00",
        "", None,
    ]  # fmt: skip
    times, precision, bad = parse_times(pd.Series(texts, dtype=object))
    for text, time, told, wrong in zip(texts, times, precision, bad, strict=True):
        alone = parse_time(text, day_first=True) if text else None
        assert (None if np.isnat(time) else time) == (alone[0] if alone else None), text
        assert told == (alone[1] if alone else ""), text
        assert wrong == (bool(text) and alone is None), text


PLAIN = st.datetimes(
    min_value=datetime(1890, 1, 1), max_value=datetime(2110, 1, 1)
).map(lambda time: time.strftime("%Y-%m-%d %H:%M:%S"))  # fmt: skip
ODD = st.sampled_from(
    ["2024-02-30 10:00:00", "2024-03-05T14:20:00", "2024-03-05 24:00:00", "2024-03-05 14:20:0x",
     "2024/3/5", "25/04/2024", "03/04/2024", "", " ", "昨天", "１９字节的文本一", None]
)  # fmt: skip


@given(st.lists(st.one_of(PLAIN, ODD), max_size=30), st.integers(0, 5))
def test_times_taken_together_are_the_times_taken_one_by_one(
    cells: list[str | None], left_out: int
) -> None:
    """Written plainly or not, held cell by cell or by the different ones, from any row on."""
    column = pd.Series(cells, dtype="str").iloc[left_out:].reset_index(drop=True)
    day_first = any(cell == "25/04/2024" for cell in cells[left_out:])
    for held in (column, column.astype("category")):
        times, told, bad = parse_times(held)
        for row, cell in enumerate(cells[left_out:]):
            pair = None if cell is None else parse_time(cell, day_first=day_first)
            assert told[row] == ("" if pair is None else pair[1])
            assert np.isnat(times[row]) if pair is None else times[row] == pair[0]
            assert bad[row] == (pair is None and cell is not None and cell.strip() != "")
