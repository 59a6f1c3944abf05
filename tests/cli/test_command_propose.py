"""``gridwright propose``: what it writes, what it refuses, and in which words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from planning.planfile import read_plan


@pytest.fixture
def propose(run, files, tmp_path):
    """Run propose on the small county; further arguments are appended, ``name=`` replaces one."""

    def call(*more: object, **replaced: object):
        named = {
            "--villages": files["villages"], "--households": files["households"],
            "-o": tmp_path / "plan.gpkg", "--workers": 1,
        }  # fmt: skip
        for name, value in replaced.items():
            named["-o" if name == "o" else f"--{name}"] = value
        return run("propose", *(part for pair in named.items() for part in pair), *more)

    return call


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_a_plan_is_written_and_summed_up(propose, tmp_path, files) -> None:
    code, out, err = propose("--target", 120, "--roads", files["roads"], "--micro", 40)
    assert code == 0
    plan = read_plan(tmp_path / "plan.gpkg")
    assert f"{len(plan.grids)} grids in 2 villages, 640 households" in out
    assert "2 of 2 villages" in err
    assert plan.grids["households"].sum() == 640
    assert plan.grids["persons"].sum() == 1920
    assert plan.micro_grids is not None
    assert plan.value("input.villages.file") == "villages.gpkg"
    assert re.fullmatch("[0-9a-f]{64}", plan.value("input.households.sha256") or "")
    assert plan.provenance["value"].astype(str).str.contains(str(tmp_path)).sum() == 0
    assert any("人民路" in text for text in plan.grids["bounds_text"])
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]


def test_the_same_files_give_the_same_bytes(propose, tmp_path) -> None:
    for name in ("one.gpkg", "two.gpkg"):
        assert propose("--target", 120, o=tmp_path / name)[0] == 0
    assert (tmp_path / "one.gpkg").read_bytes() == (tmp_path / "two.gpkg").read_bytes()


def test_another_process_and_hash_seed_give_the_same_bytes(propose, tmp_path, files) -> None:
    assert propose("--target", 120)[0] == 0
    subprocess.run(
        [
            sys.executable, "-m", "cli.main", "propose", "--villages", files["villages"],
            "--households", files["households"], "--target", "120", "--workers", "2",
            "-o", tmp_path / "other.gpkg",
        ],
        env={**os.environ, "PYTHONHASHSEED": "1"}, check=True, capture_output=True,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert (tmp_path / "other.gpkg").read_bytes() == (tmp_path / "plan.gpkg").read_bytes()


def test_strict_fails_on_an_exception_and_still_writes(propose, tmp_path) -> None:
    arguments = ("--target", 120, "--min-households", 500)
    assert propose(*arguments)[0] == 0
    (tmp_path / "plan.gpkg").unlink()
    code, out, _ = propose(*arguments, "--strict")
    assert code == 1
    assert "exceptions: min_households" in out
    assert (tmp_path / "plan.gpkg").exists()
    assert propose("--target", 120, "--strict")[0] == 0


def test_presets_and_what_overrides_them(propose, tmp_path) -> None:
    assert propose("--preset", "zhejiang", "--target", 350, "--max-persons", 0)[0] == 0
    plan = read_plan(tmp_path / "plan.gpkg")
    assert plan.value("setting.target") == "350"
    assert plan.value("setting.max_households") == "500"
    assert plan.value("setting.max_persons") == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", 0], "target"),
        (["--target", 300, "--max-households", 100], "below the target"),
        (["--tolerance", "nan"], "tolerance_m"),
        (["--shape", -1], "shape"),
        (["--micro", 0], "micro"),
        (["--columns", "villages"], "villages.code=COLUMN"),
        (["--columns", "vilages.code=XZQDM"], "vilages"),
        (["--columns", "villages.cod=XZQDM"], "township_name"),
        (["--columns", "beats.code=XZQDM"], "households"),
    ],
)
def test_settings_no_plan_could_follow(propose, tmp_path, arguments, words) -> None:
    code, out, err = propose(*arguments)
    assert (code, out) == (2, "")
    assert len(lines(err)) == 1
    assert words in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["no/plan.gpkg", "plan.txt", ""])
def test_the_output_is_tried_before_the_work(propose, tmp_path, monkeypatch, name) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    monkeypatch.setattr("cli.propose.load_ground", never)
    code, _, err = propose(o=tmp_path / name)
    assert code == 2
    assert len(lines(err)) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("layer", ["", ":villages"])
def test_no_input_is_overwritten(propose, tmp_path, files, layer) -> None:
    own = tmp_path / "own.gpkg"
    own.write_bytes(files["villages"].read_bytes())
    code, _, err = propose(villages=f"{own}{layer}", o=tmp_path / "." / "own.gpkg")
    assert code == 2
    assert [line.split(":")[0] for line in lines(err)] == ["own.gpkg"]
    assert own.read_bytes() == files["villages"].read_bytes()


@pytest.mark.parametrize("number", ["0", "-2", "two"])
def test_workers_that_cannot_be(propose, tmp_path, number) -> None:
    assert propose("--workers", number)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_an_old_plan_survives_an_error(propose, tmp_path) -> None:
    assert propose("--target", 120)[0] == 0
    before = (tmp_path / "plan.gpkg").read_bytes()
    assert propose(households=tmp_path / "no.csv")[0] == 2
    assert (tmp_path / "plan.gpkg").read_bytes() == before


def test_every_missing_file_is_told_on_its_line(propose, tmp_path) -> None:
    code, out, err = propose(
        "--roads", tmp_path / "c.gpkg", villages=tmp_path / "a.gpkg", households=tmp_path / "b.csv"
    )
    assert (code, out) == (2, "")
    assert [line.split(":")[0] for line in lines(err)] == ["a.gpkg", "b.csv", "c.gpkg"]
    assert list(tmp_path.iterdir()) == []


# --- the numbers of grids fixed by hand


def test_numbers_fixed_by_hand(propose, tmp_path) -> None:
    table = tmp_path / "numbers.csv"
    for encoding, head in (("utf-8-sig", "村代码,网格数"), ("gb18030", "村代码,网格数"),
                           ("utf-8", "code,grids")):  # fmt: skip
        table.write_text(f"{head}\n320116001201,2\n320116001202,4\n", encoding)
        assert propose("--grids-per-village", table)[0] == 0
        plan = read_plan(tmp_path / "plan.gpkg")
        assert plan.villages["grids"].tolist() == [2, 4]
        assert plan.value("grids_of.320116001202") == "4"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("code,grids\n320116001201,0\n", ["row 2"]),
        ("code,grids\n320116001201,two\n320116001202,-1\n", ["row 2", "row 3"]),
        ("code,grids\n320116001201,²\n", ["row 2"]),
        ("code,grids\n320116001201,1.5\n", ["row 2"]),
        ("code,grids\n320116001201,900\n", ["row 2"]),
        ("code,grids\n320116001201," + "9" * 5000 + "\n", ["row 2"]),
        ("code,grids\n320116001201,\n", ["row 2"]),
        ("code,grids\n999,2\n", ["999"]),
        ("code,grids\n,2\n", ["row 2"]),
        ("code,grids\n320116001201,2\n320116001201,3\n", ["row 3"]),
        ("a,b\n1,2\n", ["code,grids"]),
        ("", ["code,grids"]),
        ("\x00\x01\x02", ["code,grids"]),
    ],
)
def test_numbers_that_cannot_be(propose, tmp_path, content, words) -> None:
    (tmp_path / "numbers.csv").write_text(content, "utf-8")
    code, out, err = propose("--grids-per-village", tmp_path / "numbers.csv")
    assert (code, out) == (2, "")
    told = [line for line in lines(err) if line.startswith("numbers.csv")]
    assert len(told) == len(words)
    assert all(word in line for word, line in zip(words, told, strict=True))
    assert [p.name for p in tmp_path.iterdir()] == ["numbers.csv"]


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_no_table_of_numbers(propose, tmp_path, name) -> None:
    code, _, err = propose("--grids-per-village", tmp_path / name)
    assert code == 2
    assert len(lines(err)) == 1


# --- households that are odd


def households(
    tmp_path: Path, rows: list[tuple[object, ...]], head: str = "编号,经度,纬度"
) -> Path:
    path = tmp_path / "odd.csv"
    text = "\n".join([head, *(",".join(map(str, row)) for row in rows)])
    path.write_text(text + "\n", "utf-8")
    return path


@pytest.fixture
def inside(files) -> list[tuple[float, float]]:
    table = pd.read_csv(files["households"])
    return list(zip(table["经度"], table["纬度"], strict=True))


def test_households_without_coordinates_are_listed(propose, tmp_path, inside) -> None:
    rows = [(f"a{i}", *place) for i, place in enumerate(inside)]
    path = households(tmp_path, [*rows, ("lost", "", ""), ("away", 10, 50)])
    code, out, _ = propose(households=path)
    assert code == 0
    assert "2 more unplaced" in out
    plan = read_plan(tmp_path / "plan.gpkg")
    assert plan.unplaced["reason"].tolist() == ["no-coordinates", "outside-all-villages"]
    assert plan.unplaced.geometry.isna().tolist() == [True, False]
    assert len(plan.households) == len(inside)


def test_numbers_given_twice_count_twice(propose, run, tmp_path, inside) -> None:
    """What a file numbers its rows by is not read, so a repeated or blank number is no clash."""
    rows = [("" if i % 2 else "a0", *place) for i, place in enumerate(inside)]
    assert propose(households=households(tmp_path, rows))[0] == 0
    code, out, err = run("check", tmp_path / "plan.gpkg")
    assert code == 0, out + err
    assert f"{len(inside)} households" in out


def test_no_household_inside(propose, tmp_path) -> None:
    code, _, err = propose(households=households(tmp_path, [("a", 10, 50), ("b", 11, 50)]))
    assert code == 2
    assert "no household lies in any village" in err


def test_no_household_at_all(propose, tmp_path) -> None:
    code, _, err = propose(households=households(tmp_path, []))
    assert code == 2
    assert len(lines(err)) == 1
    assert "odd.csv" in err


def test_households_without_places(propose, tmp_path) -> None:
    code, _, err = propose(households=households(tmp_path, [("a",), ("b",)], head="编号"))
    assert code == 2
    assert "odd.csv" in err
    assert "Traceback" not in err


def test_points_mixed_with_areas(propose, tmp_path, files) -> None:
    villages = gpd.read_file(files["villages"])
    middle = villages.geometry.iloc[0].representative_point()
    mixed = gpd.GeoDataFrame(
        {"户数": [3, 4]}, geometry=[middle, middle.buffer(0.0001)], crs=villages.crs
    )
    mixed.to_file(tmp_path / "mixed.geojson")
    code, _, err = propose(households=tmp_path / "mixed.geojson")
    assert code in (0, 2)
    assert "Traceback" not in err
    if code == 0:
        assert read_plan(tmp_path / "plan.gpkg").grids["households"].sum() == 7
    else:
        assert "mixed.geojson" in err


def test_ready_made_areas(propose, tmp_path, files) -> None:
    villages = gpd.read_file(files["villages"]).to_crs(4549)
    west, south, _, north = villages.geometry.iloc[0].bounds
    areas = [
        shapely.box(west + 50 * i, south, west + 50 * (i + 1), north) for i in range(5)
    ]
    frame = gpd.GeoDataFrame({"户数": [60] * 5}, geometry=areas, crs=4549)
    frame.to_file(tmp_path / "areas.gpkg")
    code, out, err = propose("--target", 100, households=tmp_path / "areas.gpkg")
    assert code == 0, err
    plan = read_plan(tmp_path / "plan.gpkg")
    assert plan.villages["households"].tolist() == [300, 0]
    assert "300 households" in out
