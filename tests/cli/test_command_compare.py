"""``gridwright compare``: a comparison and no verdict; 2 for what is no plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest

from planning.planfile import read_plan, write_plan


@pytest.fixture
def merged(plan: Path, tmp_path: Path) -> Path:
    """The plan with its first two grids made one."""
    whole = read_plan(plan)
    one, two = whole.grids["code"].iloc[:2]
    grids = whole.grids.assign(code=whole.grids["code"].replace(two, one))
    grids = grids.dissolve("code", aggfunc={c: "first" for c in grids if c not in (
        "code", "geometry", "households")} | {"households": "sum"}, as_index=False)  # fmt: skip
    homes = whole.households.assign(
        grid_code=whole.households["grid_code"].replace(two, one)
    )
    path = tmp_path / "merged.gpkg"
    write_plan(replace(whole, grids=grids, households=homes), path)
    return path


def test_a_plan_and_itself(run, plan) -> None:
    code, out, err = run("compare", plan, plan)
    assert (code, err) == (0, "")
    assert "0 changed, 0 new, 0 gone" in out
    assert "0 of 640" in out


def test_changes_are_told_and_written(run, plan, merged, tmp_path) -> None:
    target = tmp_path / "changes.gpkg"
    code, out, _ = run("compare", plan, merged, "-o", target)
    assert code == 0
    assert "1 changed, 0 new, 1 gone" in out
    layers = {str(name) for name in pyogrio.list_layers(target)[:, 0]}
    assert layers == {"moved", "grids", "summary"}
    moved = gpd.read_file(target, layer="moved")
    assert len(moved) == 1
    assert moved["households"].sum() > 0
    assert moved.crs == read_plan(plan).grids.crs
    assert set(gpd.read_file(target, layer="grids")["change"]) == {"same", "changed", "gone"}


def test_no_changes_are_written_too(run, plan, tmp_path) -> None:
    target = tmp_path / "changes.gpkg"
    assert run("compare", plan, plan, "-o", target)[0] == 0
    assert len(gpd.read_file(target, layer="moved")) == 0


def test_bad_arguments_write_nothing(run, plan, tmp_path) -> None:
    before = plan.read_bytes()
    for arguments in (
        (plan, tmp_path / "none.gpkg"),
        (plan, plan, "-o", plan),
        (plan, plan, "-o", tmp_path / "changes.txt"),
        (plan, plan, "-o", tmp_path / "no" / "changes.gpkg"),
    ):
        code, out, err = run("compare", *arguments)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
    assert plan.read_bytes() == before
    assert list(tmp_path.iterdir()) == []
