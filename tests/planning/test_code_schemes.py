"""Other code schemes: one to one, nothing lost, nothing used twice."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.problems import InputError
from planning.check import check_plan
from planning.code_schemes import Scheme, recode
from planning.planfile import PlanFile
from planning.today import RETIRED, of_plan

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan


def filed() -> PlanFile:
    """A plan with micro-grids, a dedicated grid and a code that is out of use."""
    plan = synthetic_plan()
    grids = plan.grids.copy()
    grids.loc[7, ["code", "kind"]] = [f"{grids.loc[7, 'village_code']}901", "dedicated"]
    micro = gpd.GeoDataFrame(
        {
            "code": [f"{code}{n:02d}" for code in grids["code"][:7] for n in (1, 2)],
            "grid_code": [code for code in grids["code"][:7] for _ in (1, 2)],
            "households": 1, "persons": 3,
        },
        geometry=[shape for shape in grids.geometry[:7] for _ in (1, 2)],
        crs=grids.crs,
    )  # fmt: skip
    told = pd.DataFrame({"key": [RETIRED], "value": ["320116001001005"]})
    homes = plan.households.assign(micro_code=f"{grids['code'].iloc[0]}01")
    return replace(
        plan, grids=grids, micro_grids=micro, households=homes,
        provenance=pd.concat([plan.provenance, told], ignore_index=True),
    )  # fmt: skip


def test_the_usual_scheme_changes_nothing() -> None:
    plan = filed()
    again = recode(plan, Scheme())
    assert list(again.grids["code"]) == list(plan.grids["code"])
    assert again.micro_grids is not None
    assert plan.micro_grids is not None
    assert list(again.micro_grids["code"]) == list(plan.micro_grids["code"])


def test_every_table_is_rewritten_and_still_fits() -> None:
    plan = filed()
    done = recode(plan, Scheme("ZH{village}-{kind}{number:4}", "{grid}.{number:3}"))
    assert done.grids["code"].iloc[0] == "ZH320116001001-10001"
    assert done.grids["code"].iloc[7] == "ZH320116001202-20901"
    assert done.micro_grids is not None
    assert done.micro_grids["code"].iloc[1] == "ZH320116001001-10001.002"
    assert set(done.micro_grids["grid_code"]) <= set(done.grids["code"])
    assert set(done.households["grid_code"]) <= set(done.grids["code"])
    assert set(done.households["micro_code"]) <= set(done.micro_grids["code"])
    assert set(done.exceptions["grid_code"]) <= set(done.grids["code"])
    assert done.value("code.scheme.grid") == "ZH{village}-{kind}{number:4}"
    before = {(f.rule, f.value) for f in check_plan(plan)}
    assert {(f.rule, f.value) for f in check_plan(done)} == before


def test_a_retired_code_stays_retired() -> None:
    done = recode(filed(), Scheme("{village}G{number:2}"))
    assert done.value(RETIRED) == "320116001001G05"
    assert "320116001001G05" in of_plan(done, done.grids.crs).used


@pytest.mark.parametrize(
    "template",
    ["{village}", "{number:3}", "{village}{number}{number}", "{village}{other}{number}",
     "{village} {number}", "=1{village}{number}", "{village}{number:3}<b>", "村{village}{number}",
     "{village}{number:10}", "{village" + "{number}", "{village}{number}" + "x" * 80],
)  # fmt: skip
def test_templates_that_cannot_be_used(template: str) -> None:
    with pytest.raises(InputError) as caught:
        Scheme(template)
    for language in ("zh", "en"):
        assert "{village}{number:3}" in caught.value.problems[0].text(language)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        Scheme(micro="{number}")


def test_a_foreign_code_is_named() -> None:
    plan = synthetic_plan()
    plan.grids.loc[2, "code"] = "X-17"
    with pytest.raises(InputError) as caught:
        recode(plan, Scheme("{village}{number:4}"))
    assert "X-17" in caught.value.problems[0].text("zh")


def test_two_grids_are_never_given_one_code() -> None:
    """Villages 1 and 11: without a fixed width 1+11 and 11+1 would be one code."""
    plan = synthetic_plan()
    village = ["1"] * 4 + ["11"] * 4
    code = ["1001", "1002", "1003", "1011", "11001", "11002", "11003", "11004"]
    odd = replace(
        plan,
        grids=plan.grids.assign(code=code, village_code=village),
        villages=plan.villages.assign(code=["1", "11"]),
    )
    with pytest.raises(InputError) as caught:
        recode(odd, Scheme("{village}{number:1}"))
    assert caught.value.problems[0].code == "code-taken-twice"
    assert recode(odd, Scheme("{village}-{number:1}")).grids["code"].is_unique


@given(
    st.sampled_from(["{village}", "{county}.{village}", "A{village}_{kind}"]),
    st.integers(3, 6),
    st.integers(2, 4),
)
def test_recoding_is_one_to_one(head: str, width: int, narrow: int) -> None:
    plan = filed()
    done = recode(plan, Scheme(f"{head}{{number:{width}}}", f"{{grid}}-{{number:{narrow}}}"))
    assert done.grids["code"].is_unique
    assert done.micro_grids is not None
    assert done.micro_grids["code"].is_unique
    assert done.grids["households"].sum() == plan.grids["households"].sum()
    assert list(done.grids.geometry) == list(plan.grids.geometry)
