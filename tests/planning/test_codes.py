"""Codes, names and the order of reading."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.codes import (
    chinese_number,
    filing_order,
    grid_codes,
    grid_names,
    reading_order,
    village_of_code,
)
from planning.naming import short_number


def value_of(text: str) -> int:
    """A Chinese numeral below a thousand, read the way a child reads it."""
    total = number = 0
    for character in text:
        if character in "百十":
            total += (number or 1) * {"百": 100, "十": 10}[character]
            number = 0
        else:
            number = "零一二三四五六七八九".index(character)
    return total + number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "一"), (9, "九"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"),
        (100, "一百"), (101, "一百零一"), (110, "一百一十"), (111, "一百一十一"),
        (120, "一百二十"), (205, "二百零五"), (899, "八百九十九"), (999, "九百九十九"),
    ],
)  # fmt: skip
def test_chinese_numbers(number: int, text: str) -> None:
    assert chinese_number(number) == text


def test_chinese_numbers_are_all_different_and_read_back() -> None:
    texts = [chinese_number(n) for n in range(1, 1000)]
    assert len(set(texts)) == 999
    assert [value_of(text) for text in texts] == list(range(1, 1000))


@pytest.mark.parametrize("number", [0, -1, 1000])
def test_no_name_beyond_the_scheme(number: int) -> None:
    with pytest.raises(ValueError, match=str(number)):
        chinese_number(number)


def test_codes_of_a_village() -> None:
    assert grid_codes("320116001201", 2, 2) == [
        "320116001201001", "320116001201002", "320116001201901", "320116001201902",
    ]  # fmt: skip
    assert grid_codes("V001", 0, 1) == ["V001901"]
    assert len(set(grid_codes("V", 899, 99))) == 998


@pytest.mark.parametrize(("comprehensive", "dedicated"), [(900, 0), (1, 100)])
def test_codes_run_out(comprehensive: int, dedicated: int) -> None:
    with pytest.raises(ValueError, match="V001"):
        grid_codes("V001", comprehensive, dedicated)


def test_names() -> None:
    assert grid_names("幸福村", 2, ["实验小学", ""]) == [
        "幸福村第一网格", "幸福村第二网格", "实验小学专属网格", "幸福村第二专属网格",
    ]  # fmt: skip


def test_a_board_is_read_like_a_page() -> None:
    x, y = np.meshgrid(np.arange(4.0), np.arange(4.0)[::-1])
    assert reading_order(x.ravel(), y.ravel()).tolist() == list(range(16))
    assert reading_order(np.array([5.0, 1.0]), np.array([0.0, 0.1])).tolist() == [1, 0]


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), max_size=30))
def test_reading_order_is_an_order(places: list[tuple[float, float]]) -> None:
    xy = np.array(places).reshape(-1, 2)
    order = reading_order(xy[:, 0], xy[:, 1])
    assert sorted(order) == list(range(len(places)))


def test_a_code_belongs_to_the_village_it_was_given_in() -> None:
    """Villages numbered 1 to 13, as American cities do: 11001 begins with 1 and with 11."""
    villages = {"1", "10", "11", "110"}
    given = {"1001": "1", "10001": "10", "11001": "11", "110001": "110", "11-01": "11", "9001": ""}
    assert {code: village_of_code(code, villages) for code in given} == given


def test_grids_are_filed_village_by_village() -> None:
    rows = [("10", "10001"), ("2", "2001"), ("10", "10010"), ("1", "1010"), ("10", "9001"),
            ("1", "1002"), (None, "x")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["village_code", "code"])
    filed = table["code"].iloc[filing_order(table)].tolist()
    assert filed == ["x", "1002", "1010", "2001", "9001", "10001", "10010"]
    assert filing_order(table[["code"]]).tolist()[0] == 6


def test_a_grid_of_a_village_that_is_gone_is_told_by_that_village() -> None:
    assert short_number("320116001201003", "320116001201", "柳塘村第三网格") == "003"
    assert short_number("320116001203001", "320116001201", "石桥村第一网格") == "石桥村 001"
    assert short_number("320116001203901", "320116001201", "石桥小学") == "320116001203901"
    assert short_number("A-7", "", "第七网格") == "A-7"
