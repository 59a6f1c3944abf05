"""``gridwright hotspots``: events and areas in, one file out, sums and doubts told."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest


def layers(path: Path) -> dict[str, pd.DataFrame]:
    return {name: gpd.read_file(path, layer=name) for name in pyogrio.list_layers(path)[:, 0]}


def test_the_file_of_the_contract(run, plan, incidents, tmp_path) -> None:
    out = tmp_path / "hotspots.gpkg"
    code, said, err = run("hotspots", incidents, "--plan", plan, "-o", out)
    assert code == 0
    assert "400 events read, 300 selected" in said
    assert "20 events have no usable place" in err
    found = layers(out)
    assert {"cells", "density", "by_grid", "by_village", "unplaced", "accuracy", "provenance"} <= (
        found.keys()
    )
    assert {
        "count", "expected", "gi_star", "p_value", "q_value", "significant", "trend",
    } <= set(found["cells"].columns)  # fmt: skip
    assert {
        "code", "count", "suppressed", "rate_per_1000", "rate_smoothed", "closed", "closure_rate",
        "change_on_year", "change_on_period",
    } <= set(found["by_grid"].columns)  # fmt: skip
    for name in ("by_grid", "by_village", "by_county"):
        assert found[name]["count"].sum() == 300
    assert "不应保留" not in out.read_bytes().decode("utf-8", "ignore")


def test_provenance_tells_filters_counts_and_hashes(run, plan, incidents, tmp_path) -> None:
    out = tmp_path / "hotspots.gpkg"
    run("hotspots", incidents, "--plan", plan, "-o", out, "--since", "2024-03-01",
        "--until", "2024-05-31", "--category", "城市管理")  # fmt: skip
    lines = layers(out)["provenance"].set_index("key")["value"]
    assert lines["filter.period"] == "2024-03-01/2024-05-31"
    assert lines["filter.category"] == "城市管理"
    assert lines["filter.source"] == "reported"
    assert len(lines["incidents.0.sha256"]) == 64
    assert lines["plan.name"] == plan.name
    for file in ("plan", "villages", "households"):
        assert len(lines[f"{file}.sha256"]) == 64
    left = sum(int(v) for k, v in lines.items() if k.startswith("left_out.other"))
    assert int(lines["count.selected"]) + left == int(lines["count.read"]) == 400


def test_patrols_are_left_out_unless_asked_and_then_warned_of(
    run, plan, incidents, tmp_path
) -> None:
    out = tmp_path / "hotspots.gpkg"
    _, _, err = run("hotspots", incidents, "--plan", plan, "-o", out)
    assert "patrol" not in err
    code, said, err = run("hotspots", incidents, "--plan", plan, "-o", out, "--source", "all")
    assert code == 0
    assert "400 selected" in said
    assert "the map shows the patrols' ways too" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "soon"), "'soon' is no date"),
        (("--since", "2024-05-01", "--until", "2024-04-01"), "ends before it begins"),
        (("--category", "nothing of the kind"), "no class and no kind"),
        (("--since", "1999-01-01", "--until", "1999-12-31"), "no event fits"),
        (("--columns", "incidents.colour=x"), "incidents.MEANING=COLUMN"),
        (("--cell", "0"), "no cells of 0 m"),
    ],
)
def test_what_cannot_be_done_is_said(run, plan, incidents, tmp_path, arguments, words) -> None:
    out = tmp_path / "hotspots.gpkg"
    code, _, err = run("hotspots", incidents, "--plan", plan, "-o", out, *arguments)
    assert code == 2
    assert words in err
    assert not out.exists()


def test_areas_are_needed(run, incidents, tmp_path) -> None:
    code, _, err = run("hotspots", incidents, "-o", tmp_path / "hotspots.gpkg")
    assert code == 2
    assert "no areas" in err


def test_the_output_is_no_input(run, plan, incidents) -> None:
    code, _, err = run("hotspots", incidents, "--plan", plan, "-o", plan)
    assert code == 2
    assert "is an input" in err


def test_the_table_of_categories_goes_out_and_in(run, plan, incidents, tmp_path) -> None:
    out, table = tmp_path / "hotspots.gpkg", tmp_path / "table.csv"
    run("hotspots", incidents, "--plan", plan, "-o", out, "--write-categories", table)
    edited = table.read_text("utf-8-sig")
    edited = edited.replace("城市管理,city_management", "城市管理,environment")
    table.write_text(edited, "utf-8")
    code, said, _ = run("hotspots", incidents, "--plan", plan, "-o", out, "--categories", table,
                        "--category", "environment")  # fmt: skip
    assert code == 0
    assert "300 selected" in said


def test_the_file_for_leaders_holds_no_small_count_and_no_place(
    run, plan, incidents, tmp_path
) -> None:
    out, shared = tmp_path / "hotspots.gpkg", tmp_path / "leaders.gpkg"
    code, _, _ = run("hotspots", incidents, "--plan", plan, "-o", out, "--shared", shared)
    assert code == 0
    found = layers(shared)
    assert "unplaced" not in found
    assert "count" not in found["cells"]
    assert not {"gi_star", "p_value", "expected", "density"} & set(found["cells"].columns)
    counts = pd.concat([v["count"] for k, v in found.items() if k.startswith("by_")])
    assert counts.dropna().min() >= 3
    assert found["tables"]["count"].dropna().min() >= 3
    assert set(found["tables"].loc[found["tables"]["count"].isna(), "shown"]) <= {"<3", "—"}
    assert not any(
        shape.geom_type == "Point"
        for frame in found.values() if isinstance(frame, gpd.GeoDataFrame)
        for shape in frame.geometry.dropna()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "2024-03-05", "--until", "2024-03-20"), "by month, by year or of all time"),
        (("--source", "all"), "count what people reported, nothing else"),
    ],
)
def test_what_is_not_shared(run, plan, incidents, tmp_path, arguments, words) -> None:
    out, shared = tmp_path / "hotspots.gpkg", tmp_path / "leaders.gpkg"
    code, _, err = run("hotspots", incidents, "--plan", plan, "-o", out, "--shared", shared,
                       *arguments)  # fmt: skip
    assert code == 2
    assert words in err
    assert not out.exists()
    assert not shared.exists()


@pytest.mark.real
def test_tainan(run, real_data, tmp_path) -> None:
    folder = real_data("tw_tainan") / "clean"
    out = tmp_path / "hotspots.gpkg"
    code, said, _ = run(
        "hotspots", folder / "incidents.csv", "--villages", folder / "villages.gpkg", "-o", out,
        "--cell", 500, "--since", "2023-01-01", "--until", "2023-01-31",
    )  # fmt: skip
    assert code == 0
    assert "5226 events read" in said
    villages = gpd.read_file(out, layer="by_village", ignore_geometry=True)
    assert len(villages) == 649 + 2
    selected = int(said.split(" selected")[0].split()[-1])
    assert villages["count"].sum() == selected > 3000


def test_it_speaks_chinese_when_asked(run, plan, incidents, tmp_path) -> None:
    out = tmp_path / "h.gpkg"
    code, said, err = run("hotspots", incidents, "--plan", plan, "-o", out, "--language", "zh")
    assert code == 0
    assert "读入 400 条事件" in said
    assert "20 条事件没有可用位置" in err
    assert "warning" not in err
    code, _, err = run("hotspots", incidents, "-o", out, "--language", "zh")
    assert code == 2
    assert "没有区域" in err


def test_canterburys_points_are_snapped_and_its_days_unknown(run, real_data, tmp_path) -> None:
    events = real_data("uk_canterbury/clean/incidents.csv")
    areas = f"{real_data('uk_canterbury/clean/uk_canterbury.gpkg')}:wards"
    out, shared = tmp_path / "h.gpkg", tmp_path / "s.gpkg"
    code, said, err = run(
        "hotspots", events, "--villages", areas, "-o", out, "--shared", shared
    )
    assert code == 0
    assert "6914 events read, 6914 selected, 6486 mapped" in said
    assert "94% of the events share their coordinate" in err
    assert "6,914 events tell only the month" in err
    assert "likely a busy shared point" in err
    mine, theirs = layers(out), layers(shared)
    assert set(theirs["cells"]["cell"]) < set(mine["cells"]["cell"])
    around = mine["cells"].set_index("cell")["around"]
    assert (around[theirs["cells"]["cell"]] >= 5).all()
    assert "Westgate" in set(theirs["by_village"]["name"])


def test_chicago_in_beats_and_community_areas(run, real_data, tmp_path) -> None:
    file = real_data("chicago/clean/chicago.gpkg")
    out, shared = tmp_path / "h.gpkg", tmp_path / "s.gpkg"
    code, said, _ = run(
        "hotspots", f"{file}:carjackings_2020", "--villages", f"{file}:community_areas_2020",
        "--beats", f"{file}:police_beats", "-o", out, "--shared", shared,
    )  # fmt: skip
    assert code == 0
    assert "1412 events read, 1412 selected, 1412 mapped" in said
    mine, theirs = layers(out), layers(shared)
    told = gpd.read_file(file, layer="carjackings_2020")["Beat"].astype(int)
    counted = mine["by_beat"].set_index("code")["count"].iloc[:-2]
    counted.index = counted.index.astype(int)
    same = counted.reindex(told.value_counts().index).to_numpy()
    # the file names a beat itself; those that we count in another lie on a street between two,
    # all of them within 15 cm of the border
    assert np.minimum(same, told.value_counts().to_numpy()).sum() > 0.93 * len(told)
    table = theirs["by_village"]
    shown = table["count"].notna()
    assert (table.loc[shown, "count"] >= 3).all()
    assert set(table.loc[~shown, "shown"]) <= {"<3", "—"}
    assert {"WEST GARFIELD PARK", "AUSTIN"} <= set(table["name"])
