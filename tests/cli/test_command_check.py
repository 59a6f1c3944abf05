"""``gridwright check``: 0 for a sound plan, 1 for a broken one, 2 for what is no plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import towns

from planning.planfile import read_plan, write_layers, write_plan
from planning.running import Lost


def test_a_sound_plan(run, plan, files) -> None:
    code, out, err = run(
        "check", plan, "--villages", files["villages"], "--households", files["households"]
    )
    assert (code, err) == (0, "")
    assert "sound" in out
    assert "640 households" in out


def spoiled(plan: Path, tmp_path: Path) -> Path:
    whole = read_plan(plan)
    write_plan(replace(whole, grids=whole.grids.iloc[1:]), tmp_path / "spoiled.gpkg")
    return tmp_path / "spoiled.gpkg"


def test_a_broken_plan(run, plan, tmp_path) -> None:
    code, out, err = run("check", spoiled(plan, tmp_path))
    assert code == 1
    assert "BROKEN" in out
    assert "ground of a village that no grid covers" in out
    assert "breaches" in err


def test_a_declared_exception_does_not_fail(run, files, tmp_path) -> None:
    code, _, _ = run(
        "propose", "--villages", files["villages"], "--households", files["households"],
        "-o", tmp_path / "plan.gpkg", "--min-households", 900, "--workers", 1,
    )  # fmt: skip
    assert code == 0
    code, out, _ = run("check", tmp_path / "plan.gpkg")
    assert code == 0
    assert "declared" in out
    assert "under the least households" in out


def test_households_missing_from_the_plan(run, plan, files, tmp_path) -> None:
    table = pd.read_csv(files["households"])
    more = pd.concat([table, table.iloc[:1].assign(户数=9, 编号="new")])
    more.to_csv(tmp_path / "more.csv", index=False)
    code, out, _ = run("check", plan, "--households", tmp_path / "more.csv")
    assert code == 1
    assert "the file has 649 households, the plan places or lists 640" in out


def test_villages_changed_since(run, plan, files, tmp_path) -> None:
    villages = gpd.read_file(files["villages"]).to_crs(4549)
    villages.set_geometry(villages.buffer(5)).to_file(tmp_path / "wider.gpkg")
    code, out, _ = run("check", plan, "--villages", tmp_path / "wider.gpkg")
    assert code == 1
    assert "lie in no grid" in out


def test_villages_that_were_repaired_do_not_break_the_plan(run, tmp_path) -> None:
    """Slivers that propose repaired, and told, are no fault of the plan."""
    x, y = towns.ORIGIN
    shapes = [shapely.box(x, y, x + 500, y + 500), shapely.box(x + 498, y, x + 1000, y + 500)]
    villages = gpd.GeoDataFrame(
        {"code": ["V1", "V2"], "name": ["一村", "二村"]}, geometry=shapes, crs=towns.CRS_M
    )
    villages.to_file(tmp_path / "villages.gpkg")
    points = gpd.GeoDataFrame(
        {"户数": [100, 100]},
        geometry=gpd.points_from_xy([x + 100, x + 900], [y + 100, y + 400]), crs=towns.CRS_M,
    )  # fmt: skip
    points.to_file(tmp_path / "households.gpkg")
    code, _, err = run(
        "propose", "--villages", tmp_path / "villages.gpkg",
        "--households", tmp_path / "households.gpkg", "-o", tmp_path / "plan.gpkg",
    )  # fmt: skip
    assert code == 0
    assert "overlapped" in err
    code, out, _ = run("check", tmp_path / "plan.gpkg", "--villages", tmp_path / "villages.gpkg")
    assert code == 0, out


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind"])
def test_no_plan(run, tmp_path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.gpkg").write_bytes(content)
    code, out, err = run("check", tmp_path / "x.gpkg")
    assert (code, out) == (2, "")
    assert err.startswith("x.gpkg: ")
    assert len(err.splitlines()) == 1


def test_a_foreign_plan_with_grids_alone(run, plan, tmp_path) -> None:
    write_layers({"grids": read_plan(plan).grids}, tmp_path / "grids.gpkg")
    code, out, _ = run("check", tmp_path / "grids.gpkg")
    assert code == 0, out


def test_a_foreign_plan_against_its_villages(run, plan, files, tmp_path) -> None:
    write_layers({"grids": read_plan(plan).grids.iloc[:-1]}, tmp_path / "grids.gpkg")
    code, out, _ = run("check", tmp_path / "grids.gpkg", "--villages", files["villages"])
    assert code == 1
    assert "lie in no grid" in out


def test_provenance_somebody_wrote_by_hand(run, plan, tmp_path) -> None:
    whole = read_plan(plan)
    odd = pd.DataFrame({"key": ["setting.target", "setting.tolerance_m"], "value": ["many", "far"]})
    write_plan(replace(whole, provenance=odd), tmp_path / "odd.gpkg")
    code, _, err = run("check", tmp_path / "odd.gpkg")
    assert code == 2
    assert len(err.splitlines()) == 2
    assert "setting.target" in err
    assert "setting.tolerance_m" in err


def test_missing_comparison_files(run, plan, tmp_path) -> None:
    for option in ("--villages", "--households"):
        code, out, err = run("check", plan, option, tmp_path / "no.gpkg")
        assert (code, out) == (2, "")
        assert err.startswith("no.gpkg")


def test_a_large_plan_tells_a_log_how_far_it_is(
    run, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.check.MANY", 1)
    code, _, err = run("check", plan)
    assert code == 0
    first, *villages, last = err.splitlines()[:3]
    assert villages == ["2 of 2 villages"]
    assert (first, last) == ("1 of 6 kinds of checks", "2 of 6 kinds of checks")
    assert err.splitlines()[3:] == [f"{n} of 6 kinds of checks" for n in (3, 4, 5, 6)]


@pytest.mark.parametrize("workers", [1, 2])
def test_findings_are_the_same_for_any_number_of_workers(
    run, tmp_path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Eight villages, one a piece: the third without grids, the fifth with a hole, the sixth with
    a grid that reaches beyond it, the seventh with two that overlap."""
    monkeypatch.setattr("planning.check_villages._AT_ONCE", 1)
    x, y = towns.ORIGIN
    rows = []
    for v in range(8):
        for half in range(2):
            low = x + v * 1000 + half * 500
            rows.append((f"V{v}", f"G{v}{half}", shapely.box(low, y, low + 500, y + 500)))
    areas = [shapely.union_all([rows[2 * v][2], rows[2 * v + 1][2]]) for v in range(8)]
    villages = gpd.GeoDataFrame(
        {"code": [f"V{v}" for v in range(8)]}, geometry=areas, crs=towns.CRS_M
    )
    grids = gpd.GeoDataFrame(
        [(village, code, 10) for village, code, _ in rows],
        columns=["village_code", "code", "households"], geometry=[r[2] for r in rows],
        crs=towns.CRS_M,
    )  # fmt: skip
    shapes = grids.geometry.to_numpy()
    shapes[8] = shapes[8].difference(shapely.box(x + 4100, y + 100, x + 4110, y + 110))
    shapes[10] = shapes[10].union(shapely.box(x + 5100, y - 20, x + 5120, y))
    shapes[12] = shapes[12].union(shapely.box(x + 6500, y, x + 6501, y + 500))
    shapes[13] = shapes[13].difference(shapely.box(x + 6800, y, x + 7000, y + 1))
    grids = grids.set_geometry(gpd.GeoSeries(shapes, crs=towns.CRS_M)).drop(index=[4, 5])
    write_layers({"grids": grids, "villages": villages}, tmp_path / "plan.gpkg")
    code, out, err = run("check", tmp_path / "plan.gpkg", "--workers", workers)
    assert code == 1
    assert out.splitlines() == [
        "BROKEN G60: grids overlap: 500 (limit 0); shares 500.0 m2 with G61",
        "BROKEN G40: ground of a village that no grid covers: 100 (limit 0); "
        "100.0 m2 of village V4 lie in no grid",
        "BROKEN G60: ground of a village that no grid covers: 200 (limit 0); "
        "200.0 m2 of village V6 lie in no grid",
        "BROKEN V2: ground of a village that no grid covers: 500000 (limit 0); "
        "the village has no grid at all",
        "BROKEN G50: grid reaches outside its village: 400 (limit 0); 400.0 m2 outside",
    ]
    assert "5 breaches" in err


def test_villages_whose_check_ends_its_process_are_named(
    run, plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "planning.check_villages.each", lambda job, todo, workers: ((i, Lost()) for i in todo)
    )
    code, out, err = run("check", plan)
    assert (code, out) == (2, "")
    assert "the process that checked village 320116001201 and those after it ended" in err
