"""Grids that leaders follow: read by post, never by name; listed, drawn, filed."""

from __future__ import annotations

import sys
from pathlib import Path

import openpyxl
import pytest

from geo.problems import InputError
from planning.attachments import attach
from planning.leaders import known, leaders_of_text, read_leaders, table_of
from planning.planfile import PlanFile
from planning.register import write_register
from planning.register_form import Filing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    return synthetic_plan()


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "领导联网格.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_posts_are_read_and_names_are_not(tmp_path: Path, plan: PlanFile, trusted: bool) -> None:
    a, b, c = plan.grids["code"].astype(str).iloc[:3]
    path = written(
        tmp_path, f"领导姓名,领导岗位,网格编码\n某某,县长,{a}\n某某,县长,{b}\n某某,书记,{c}、{a}\n"
    )
    found = read_leaders(path, trusted=trusted, name=path.name)
    assert found == {"县长": (a, b), "书记": (c, a)}


@pytest.mark.parametrize(
    ("text", "what"), [("网格编码\n1\n", "post"), ("岗位,名称\n县长,x\n", "grid_code")]
)
def test_a_missing_column_is_named(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        read_leaders(written(tmp_path, text))
    assert what in str(caught.value.problems[0].params["what"])


def test_grids_that_the_plan_does_not_have_are_told(plan: PlanFile) -> None:
    own = str(plan.grids["code"].iloc[0])
    kept, told = known(plan, {"县长": (own, "999"), "书记": ("998",)})
    assert kept == {"县长": (own,)}
    assert told[0].params == {"count": 2, "code": "999"}
    assert known(plan, kept) == (kept, [])


def test_typed_lines() -> None:
    assert leaders_of_text("县长: 1, 2\n\n书记：3、4 县长\n县长: 2 5") == {
        "县长": ("1", "2", "5"), "书记": ("3", "4", "县长"),
    }  # fmt: skip
    assert leaders_of_text("") == {}
    with pytest.raises(InputError) as caught:
        leaders_of_text("县长: 1\nwithout a colon\n: 3")
    assert [problem.params["row"] for problem in caught.value.problems] == [2, 3]


def test_the_register_lists_them(tmp_path: Path, plan: PlanFile) -> None:
    a, b = plan.grids["code"].astype(str).iloc[:2]
    brought = [("领导联网格.csv", f"岗位,网格编码\n县长,{a}\n县长,{b}\n".encode())]
    found = attach(plan, brought, Filing(), trusted=True)
    assert found.filing.leaders == {"县长": (a, b)}
    path = write_register(plan, tmp_path / "r.xlsx", filing=found.filing)
    sheet = openpyxl.load_workbook(path)["领导联网格"]
    rows = [[cell.value for cell in row[:2]] for row in sheet.iter_rows(min_row=3)]
    assert rows == [["县长", a], ["县长", b]]
    sums = table_of(plan, found.filing.leaders)["households"].sum()
    assert sums == plan.grids["households"].iloc[:2].sum()
