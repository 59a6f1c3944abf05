"""The five numbers, the tables, the search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from synthetic import plan

from ui.figures import headline, inner_lengths, line_share
from ui.tables import (
    exception_table,
    grid_table,
    households_of,
    matching,
    village_choices,
    village_table,
    wanted_numbers,
)
from ui.views import PlanView


def test_inner_lengths_against_pairwise_intersections() -> None:
    grids = plan().grids
    expected = np.zeros(len(grids))
    for i in range(len(grids)):
        for j in range(len(grids)):
            if i != j and grids["village_code"][i] == grids["village_code"][j]:
                shared = shapely.intersection(
                    grids.geometry[i].boundary, grids.geometry[j].boundary
                )
                expected[i] += shared.length
    assert inner_lengths(grids) == pytest.approx(expected)


def test_inner_lengths_are_taken_from_the_plan_where_it_tells() -> None:
    grids = plan().grids.assign(inner_border_m=7.0)
    assert list(inner_lengths(grids)) == [7.0] * 8


def test_the_five_numbers() -> None:
    one = plan()
    head = headline(one.grids, one.exceptions, inner_lengths(one.grids))
    assert head.grids == 8
    assert head.households == one.grids["households"].sum()
    # 310/310, 300/310 and all four of the second village; 150 and 480 are far off
    assert head.near_ideal == pytest.approx(6 / 8)
    # every grid has 1,000 m of inner border: two grids wholly on lines, six by half
    assert head.on_lines == pytest.approx((2 * 1 + 6 * 0.5) / 8)
    assert head.exceptions == 1


def test_numbers_of_one_village_count_only_its_own() -> None:
    view = PlanView("k", plan(), {})
    assert view.headline("320116001202").grids == 4
    assert view.headline("320116001202").exceptions == 0
    assert len(view.exceptions("320116001001")) == 1


def test_a_villages_number_of_grids_leaves_dedicated_ones_out() -> None:
    one = plan()
    kinds = ["dedicated", *["comprehensive"] * 7]
    view = PlanView("k", replace(one, grids=one.grids.assign(kind=kinds)), {})
    assert list(view.villages()["grids"]) == [3, 4]


def test_no_grid_has_no_share() -> None:
    one = plan()
    none = one.grids.iloc[:0]
    head = headline(none, one.exceptions, np.zeros(0))
    assert head.grids == head.households == head.exceptions == 0
    assert np.isnan(head.near_ideal)
    assert np.isnan(line_share(none, np.zeros(0)))


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 8), ("柳塘", 4), ("石桥 第2", 1), ("001202", 4), ("320116001001003", 1), ("没有", 0),
     ("(", 0), (".*", 0)],
)  # fmt: skip
def test_search_by_name_or_code(query: str, found: int) -> None:
    assert len(matching(plan().grids, query, ("code", "name"))) == found


def test_the_table_of_grids_is_in_the_readers_language() -> None:
    one = plan()
    chinese, english = grid_table(one.grids, "zh"), grid_table(one.grids, "en")
    assert set(chinese["kind"]) == {"综合网格"}
    assert set(english["kind"]) == {"comprehensive"}
    assert list(chinese["deviation"][:2]) == [3, -50]
    assert not np.signbit(chinese["deviation_ideal"][0])
    assert list(chinese["exceptions"]) == [0, 0, 0, 1, 0, 0, 0, 0]


def test_exceptions_are_told_in_the_readers_language() -> None:
    one = plan()
    told = one.exceptions.assign(reason="单独已超上限 / exceeds the cap by itself")
    chinese, english = (exception_table(told, one.grids, lang) for lang in ("zh", "en"))
    assert chinese["rule"][0] == "人口超上限"
    assert english["rule"][0] == "over the cap on persons"
    assert chinese["reason"][0] == "单独已超上限"
    assert english["reason"][0] == "exceeds the cap by itself"
    assert chinese["grid_name"][0] == "柳塘村第4网格"


def test_an_exception_of_a_grid_that_is_not_there_keeps_its_code() -> None:
    one = plan()
    lost = one.exceptions.assign(grid_code="999")
    assert exception_table(lost, one.grids, "zh")["grid_name"][0] == "999"


def test_numbers_of_grids_a_village_there_and_back() -> None:
    one = plan()
    table = village_table(one.villages, {"320116001001": 5}, {"320116001202": 3})
    assert table["suggested"][0] == 5
    assert table["wanted"].isna()[0]
    assert wanted_numbers(table) == {"320116001202": 3}


def test_a_choice_of_village_can_be_searched_by_name_and_code() -> None:
    choices = village_choices(plan().villages)
    assert choices["320116001001"] == "柳塘村 · 龙池街道 · 320116001001"


def test_households_without_a_count_are_one_each() -> None:
    assert households_of(pd.DataFrame({"reason": ["a", "b"]})) == 2
    assert households_of(pd.DataFrame({"households": [3, None]})) == 4
    assert households_of(plan().unplaced) == 0


def test_a_plan_without_the_optional_columns_is_still_shown() -> None:
    one = plan()
    few = one.grids[["code", "name", "village_code", "households", "geometry"]]
    view = PlanView("k", replace(one, grids=few), {})
    assert np.isnan(view.headline().near_ideal)
    assert len(grid_table(view.grids, "en")) == 8
