"""``gridwright propose --from``: today's grids in, the same grids out, and what became of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from planning.planfile import read_plan

RULES = ("--target", 120, "--workers", 1)


@pytest.fixture
def again(run, files, plan, tmp_path):
    """Propose from the small county's plan with a changed table of households."""

    def call(change=None, *more: object):
        households = files["households"]
        if change is not None:
            table = pd.read_csv(households, encoding="utf-8-sig")
            change(table)
            households = tmp_path / "now.csv"
            table.to_csv(households, index=False, encoding="utf-8-sig")
        return run(
            "propose", "--villages", files["villages"], "--households", households,
            "--roads", files["roads"], "--from", plan, "-o", tmp_path / "new.gpkg", *RULES, *more,
        )  # fmt: skip

    return call


def test_the_same_counts_give_the_same_grids(again, plan, tmp_path) -> None:
    code, out, err = again()
    assert code == 0, err
    old, new = read_plan(plan), read_plan(tmp_path / "new.gpkg")
    assert f"from plan.gpkg: {len(old.grids)} grids unchanged, 0 changed, 0 new, 0 gone" in out
    assert "0 households moved" in out
    assert set(new.grids["code"]) == set(old.grids["code"])
    both = old.grids.merge(new.grids, on="code")
    assert (both["name_x"] == both["name_y"]).all()
    gap = shapely.symmetric_difference(both["geometry_x"].values, both["geometry_y"].values)
    assert shapely.area(gap).max() < 1e-3
    assert new.value("from.file") == "plan.gpkg"
    assert len(new.value("from.sha256") or "") == 64


def test_three_households_more_move_nobody(again, plan, tmp_path) -> None:
    def grow(table: pd.DataFrame) -> None:
        table.loc[3, "户数"] += 3

    assert again(grow)[0] == 0
    old, new = read_plan(plan), read_plan(tmp_path / "new.gpkg")
    assert new.value("from.households_moved") == "0"
    assert (old.households["grid_code"] == new.households["grid_code"]).all()
    assert new.households["households"].sum() == old.households["households"].sum() + 3


def test_a_broken_cap_is_mended_and_told(again, plan, tmp_path, run, files) -> None:
    def grow(table: pd.DataFrame) -> None:
        table.loc[[3, 6], "户数"] += 70

    code, out, err = again(grow, "--max-households", 160)
    assert code == 0, err
    new = read_plan(tmp_path / "new.gpkg")
    assert new.grids["households"].max() <= 160
    moved, bound = (int(new.value(f"from.{k}") or 0) for k in ("households_moved", "lower_bound"))
    assert moved >= bound > 0
    assert f"{moved} households moved; mending the same grids takes at least {bound}" in out
    old = read_plan(plan)
    counted = old.households["grid_code"] != new.households["grid_code"]
    assert int(new.households["households"][counted].sum()) == moved
    assert new.grids["code"].is_unique
    code, out, err = run("check", tmp_path / "new.gpkg", "--villages", files["villages"],
                         "--households", tmp_path / "now.csv")  # fmt: skip
    assert code == 0, out + err


@pytest.mark.parametrize("arguments", [("--band", 0.3), ("--from", "PLAN", "--band", 1.5)])
def test_a_band_needs_today_and_a_share(run, files, plan, tmp_path, arguments) -> None:
    words = [plan if word == "PLAN" else word for word in arguments]
    code, out, err = run(
        "propose", "--villages", files["villages"], "--households", files["households"],
        "-o", tmp_path / "new.gpkg", *words,
    )  # fmt: skip
    assert (code, out) == (2, "")
    assert "--band" in err
    assert list(tmp_path.iterdir()) == []


def test_grids_that_are_no_grids(run, files, tmp_path) -> None:
    code, _, err = run(
        "propose", "--villages", files["villages"], "--households", files["households"],
        "--from", tmp_path / "absent.gpkg", "-o", tmp_path / "new.gpkg",
    )  # fmt: skip
    assert code == 2
    assert "absent.gpkg" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_cambridge_keeps_its_plan_under_other_counts(run, real_data, tmp_path: Path) -> None:
    city = real_data("cambridge_ma/clean/cambridge.gpkg")
    points = real_data("cambridge_ma/clean/dwelling_points.csv")
    first, second = tmp_path / "plan.gpkg", tmp_path / "new.gpkg"
    files = ("--villages", f"{city}:neighborhoods", "--roads", f"{city}:streets", "--workers", 2)
    code, _, err = run("propose", *files, "--households", points, "-o", first)
    assert code == 0, err
    old = read_plan(first)
    table = pd.read_csv(points, dtype={0: str})
    twice = np.random.default_rng(0).choice(len(table), len(table) * 3 // 100, replace=False)
    grown = pd.concat([table, table.iloc[twice]], ignore_index=True)
    grown.to_csv(tmp_path / "grown.csv", index=False)
    cap = int(old.grids["households"].max())
    code, out, err = run(
        "propose", *files, "--households", tmp_path / "grown.csv", "--from", first,
        "--max-households", cap, "-o", second,
    )  # fmt: skip
    assert code == 0, err
    new = read_plan(second)
    moved, bound = (int(new.value(f"from.{k}") or 0) for k in ("households_moved", "lower_bound"))
    assert bound <= moved < 0.01 * old.grids["households"].sum(), out
    assert set(old.grids["code"]) <= set(new.grids["code"])
    kept = new.provenance.loc[new.provenance["key"] == "from.changed", "value"]
    same = old.grids[~old.grids["code"].isin(kept)].merge(new.grids, on="code")
    gap = shapely.symmetric_difference(same["geometry_x"].values, same["geometry_y"].values)
    assert shapely.is_empty(shapely.buffer(gap, -0.5)).all()
