"""Posts: what each grid has and lacks, and what each post looks after. No names anywhere."""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.problems import InputError
from planning.planfile import PlanFile
from planning.staff import (
    KINDS,
    Pattern,
    Posts,
    incidents_by_grid,
    kind_of_post,
    read_posts,
    staffing,
    strangers,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import SOUTH, WEST
from synthetic import plan as synthetic_plan


@pytest.fixture
def plan() -> PlanFile:
    return synthetic_plan()


def posts(rows: list[tuple[str, str, int]]) -> Posts:
    table = pd.DataFrame(rows, columns=["grid_code", "kind", "number"])
    return Posts(table.assign(post=""))


def test_luhes_pattern(plan: PlanFile) -> None:
    """1+1+2+N: a leader, a full-time worker, two part-time workers, any number of volunteers."""
    first, second, third = plan.grids["code"][:3]
    roster = posts(
        [(first, "leader", 1), (first, "full_time", 1), (first, "part_time", 2),
         (second, "leader", 1), (second, "part_time", 1), (second, "volunteer", 30)]
    )  # fmt: skip
    table = staffing(plan, roster).set_index("code")
    assert list(table.loc[[first, second, third], "lacks"]) == [0, 2, 4]
    assert table.loc[second, "lacks_text"] == "专职 1 / full-time 1; 兼职 1 / part-time 1"
    assert table.loc[first, "posts"] == 4
    assert table.loc[second, "volunteer"] == 30


def test_zhejiangs_pattern_counts_three_kinds_together(plan: PlanFile) -> None:
    pattern = Pattern.parse("1+3+N")
    first, second = plan.grids["code"][:2]
    roster = posts(
        [(first, "leader", 1), (first, "full_time", 1), (first, "adviser", 2),
         (second, "leader", 1), (second, "part_time", 2)]
    )  # fmt: skip
    table = staffing(plan, roster, pattern).set_index("code")
    assert list(table.loc[[first, second], "lacks"]) == [0, 1]


@pytest.mark.parametrize(
    ("text", "least"),
    [("1+1+2+N", [1, 1, 2]), ("1+3+N", [1, 3]), ("1+1+N", [1, 1]), (" 1 + 2 + 3 + n ", [1, 2, 3]),
     ("leader=1, full_time=2, volunteer=N", [1, 2, 0])],
)  # fmt: skip
def test_patterns_that_are_understood(text: str, least: list[int]) -> None:
    assert [number for _, number in Pattern.parse(text).parts] == least


@pytest.mark.parametrize("text", ["", "1+1+2", "N", "a+b+N", "1+1+1+1+N", "boss=1", "leader=x"])
def test_patterns_that_are_not(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Pattern.parse(text)
    assert "1+1+2+N" in caught.value.problems[0].text("zh")


def test_load_is_told_for_each_working_post(plan: PlanFile) -> None:
    plan.grids["persons"] = plan.grids["households"] * 3
    code = plan.grids["code"].iloc[0]
    roster = posts([(code, "leader", 1), (code, "full_time", 1), (code, "part_time", 3)])
    table = staffing(plan, roster, incidents={code: 6}).set_index("code")
    row = table.loc[code]
    households = plan.grids["households"].iloc[0]
    assert row["households_a_worker"] == pytest.approx(households / 4, abs=0.05)
    assert row["persons_a_worker"] == pytest.approx(3 * households / 4, abs=0.05)
    assert row["incidents_a_worker"] == 1.5
    others = table.drop(code)
    assert others["households_a_worker"].isna().all()  # nobody works there
    assert others["incidents"].eq(0).all()


def test_without_a_roster_nothing_is_known_of_posts(plan: PlanFile) -> None:
    table = staffing(plan)
    assert table[[*KINDS, "posts", "lacks", "households_a_worker"]].isna().all().all()
    assert table["households"].sum() == plan.grids["households"].sum()


def test_one_group_a_grid_one_member_a_household(plan: PlanFile) -> None:
    table = staffing(plan, group_limit=300).set_index("code")
    held = plan.grids.set_index("code")["households"]
    assert (table["group_size"] == held).all()
    assert table["groups"].to_dict() == {code: 1 if n <= 300 else 2 for code, n in held.items()}


def test_dedicated_grids_need_no_posts(plan: PlanFile) -> None:
    plan.grids.loc[0, "kind"] = "dedicated"
    assert plan.grids["code"].iloc[0] not in set(staffing(plan)["code"])


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(list(KINDS)), st.integers(0, 4))))
def test_no_post_is_lost_and_none_is_counted_twice(rows: list[tuple[int, str, int]]) -> None:
    plan = synthetic_plan()
    codes = sorted(plan.grids["code"])
    table = staffing(plan, posts([(codes[i], kind, n) for i, kind, n in rows]))
    assert table["posts"].sum() == sum(n for _, _, n in rows)
    for i, code in enumerate(codes):
        own = table[table["code"] == code].iloc[0]
        for kind in KINDS:
            assert own[kind] == sum(n for j, k, n in rows if (j, k) == (i, kind))
        lacks = max(1 - own["leader"], 0) + max(1 - own["full_time"], 0)
        assert own["lacks"] == lacks + max(2 - own["part_time"], 0)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("网格长", "leader"), ("专职网格员", "full_time"), ("兼职网格员(银行)", "part_time"),
     ("网格指导员", "adviser"), ("志愿者", "volunteer"), ("Full-time", "full_time"), ("厨师", None),
     ("", None)],
)  # fmt: skip
def test_kinds_of_posts(word: str, kind: str | None) -> None:
    assert kind_of_post(word) == kind


def test_a_roster_is_read_without_its_people(tmp_path: Path, plan: PlanFile) -> None:
    code = plan.grids["code"].iloc[0]
    path = tmp_path / "岗位表.csv"
    path.write_text(
        "网格编码,岗位编码,岗位类型,姓名,联系电话,人数\n"
        f"{code},G001,网格长,某某,13800138000,1\n"
        f"{code},G002,专职网格员,某某,13800138001,1\n"
        f"{code},G003,厨师,某某,13800138002,2\n"
        "320116009999001,G004,网格长,某某,13800138003,1\n",
        encoding="utf-8",
    )
    found = read_posts(path)
    assert list(found.table.columns) == ["grid_code", "kind", "post", "number"]
    assert list(found.table["kind"]) == ["leader", "full_time", "volunteer", "leader"]
    assert list(found.table["post"]) == ["G001", "G002", "G003", "G004"]
    everything = found.table.to_csv() + " ".join(p.text("zh") for p in found.problems)
    assert "13800138" not in everything
    assert "某某" not in everything
    assert any("厨师" in problem.text("zh") for problem in found.problems)
    [lost] = strangers(plan, found)
    assert "320116009999001" in lost.text("zh")
    assert staffing(plan, found)["posts"].sum() == 4


def test_a_table_without_grid_codes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("岗位编码,岗位类型\nG001,网格长\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_posts(path)
    assert "网格编码" in caught.value.problems[0].text("zh")


def test_incidents_by_where_they_lie(plan: PlanFile) -> None:
    places = gpd.GeoDataFrame(
        geometry=[
            shapely.Point(WEST + 10, SOUTH + 10), shapely.Point(WEST + 20, SOUTH + 10),
            shapely.Point(WEST + 500, SOUTH + 10),  # on a border: counted once
            shapely.Point(WEST - 10, SOUTH + 10), None,
        ],
        crs=plan.grids.crs,
    )  # fmt: skip
    found = incidents_by_grid(plan, places.to_crs(4326))
    assert sum(found.values()) == 3
    assert found[plan.grids["code"].iloc[0]] >= 2
