"""``gridwright beats`` on files: done, broken rules, bad input."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from conftest import Run

from planning.beats.beatfile import read_beatfile


@pytest.fixture
def today(plan: Path, tmp_path: Path) -> Path:
    """The plan's grids in two beats, the western half and the rest."""
    grids = gpd.read_file(plan, layer="grids")
    x = grids.centroid.x
    west = x <= x.sort_values().iloc[len(x) // 2]
    beats = grids.assign(警格编码=west.map({True: "JA", False: "JB"})).dissolve("警格编码")
    path = tmp_path / "today.gpkg"
    beats.reset_index()[["警格编码", "geometry"]].to_file(path)
    return path


def test_beats_are_written_and_told(run: Run, plan: Path, today: Path, tmp_path: Path) -> None:
    output = tmp_path / "beats.gpkg"
    code, out, err = run(
        "beats", plan, "--existing", today, "-o", output, "--cross", "any",
        "--workload-band", "0.5", "--work", "households",
    )  # fmt: skip
    assert code == 0, err
    tables = read_beatfile(output)
    assert len(tables.beats) == 2
    assert set(tables.grid_beats["grid_code"]) == set(gpd.read_file(plan, layer="grids")["code"])
    assert "2 beats of" in out
    assert "least work any such division must move" in out
    assert tables.value("argument.plan") == plan.name


@pytest.mark.parametrize("objective", ["balanced", "compact"])
def test_beats_need_no_beats_of_today(
    run: Run, plan: Path, tmp_path: Path, objective: str
) -> None:
    output = tmp_path / "beats.gpkg"
    code, out, _ = run(
        "beats", plan, "-o", output, "--objective", objective, "--beats", "2", "--cross", "any"
    )
    assert code == 0
    assert len(read_beatfile(output).beats) == 2
    assert "moved" not in out


def test_the_same_seed_gives_the_same_file(
    run: Run, plan: Path, today: Path, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("a.gpkg", "b.gpkg")]
    for file in files:
        assert run("beats", plan, "--existing", today, "-o", file, "--seed", "5")[0] == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_strict_tells_broken_rules_by_the_exit_code(
    run: Run, plan: Path, tmp_path: Path
) -> None:
    output = tmp_path / "beats.gpkg"
    tight = ("--max-persons-urban", "1", "--max-persons-rural", "1")
    code, out, err = run("beats", plan, "-o", output, "--objective", "balanced", *tight, "--strict")
    assert code == 1
    assert "over the cap on residents" in out
    assert "alone hold more residents" in err
    assert output.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--objective", "least-change"], "start"),
        (["--work", "民族=1"], "what people are"),
        (["--work", "trees"], "no kind of work"),
        (["--work", "residents=much"], "not of the form"),
        (["--workload-band", "2"], "between 0 and 1"),
        (["--link", "only-one"], "not of the form"),
        (["--columns", "code"], "not of the form"),
        (["--link", "none,nothing"], "not in the plan"),
        (["--incidents", "missing.csv"], "missing.csv"),
    ],
)
def test_bad_arguments_write_nothing(
    run: Run, plan: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    output = tmp_path / "beats.gpkg"
    code, _, err = run("beats", plan, "-o", output, *arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert not output.exists()


def test_an_input_is_never_overwritten(run: Run, plan: Path, today: Path) -> None:
    before = today.read_bytes()
    assert run("beats", plan, "--existing", today, "-o", today)[0] == 2
    assert today.read_bytes() == before


def test_officers_stand_in_the_file(run: Run, plan: Path, today: Path, tmp_path: Path) -> None:
    posts = tmp_path / "posts.csv"
    pd.DataFrame({"岗位编码": ["P1", "P2"], "警格": ["JA", "JB"], "姓名": ["甲", "乙"]}).to_csv(
        posts, index=False, encoding="utf-8"
    )
    output = tmp_path / "beats.gpkg"
    code, _, err = run(
        "beats", plan, "--existing", today, "--officers", posts, "-o", output, "--cross", "any"
    )
    assert code == 0
    tables = read_beatfile(output)
    assert tables.officers["beat_code"].tolist() == ["JA", "JB"]
    assert "name" not in tables.officers.columns
    assert "姓名" in err
    assert b"\xe7\x94\xb2" not in output.read_bytes()
