"""plan.gpkg: reads back as written, same bytes for the same plan, old file or new, never half."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import towns

from geo.problems import InputError
from planning.county import propose_county
from planning.planfile import LAYERS, PlanFile, read_plan, try_target, write_layers, write_plan
from planning.settings import Settings
from planning.tables import to_planfile


def made(micro: int | None = 60, seed: int = 0) -> PlanFile:
    x, y = towns.ORIGIN
    own = towns.county(
        [
            towns.village("12|34\n--+--\n56|78", times=10, persons=3, code="A"),
            towns.village("99   1\n9.    ", times=10, code="B", at=(x + 3000, y)),
        ]
    )
    lost = pd.DataFrame(
        {
            "household_id": ["L1", "L2"], "households": [4, 1], "persons": [9, -1],
            "reason": ["outside-all-villages", "no-coordinates"], "x": [x, np.nan],
            "y": [y - 999, np.nan],
        }
    )  # fmt: skip
    own = replace(own, unplaced=lost)
    return to_planfile(propose_county(own, Settings(target=120, micro=micro, seed=seed)))


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    return made()


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Values as any reader sees them: numbers, text, missing."""
    table = pd.DataFrame(frame)
    for name in table.columns:
        if name == "geometry":
            # a file holds one type a layer, so a single polygon comes back as a multipolygon
            table[name] = [
                None if g is None else b"".join(p.wkb for p in shapely.get_parts(g))
                for g in table[name]
            ]
        elif pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].astype("Float64").astype(object)
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    return table


@pytest.mark.parametrize("micro", [60, None])
def test_reads_back_as_written(tmp_path: Path, micro: int | None) -> None:
    plan = made(micro)
    write_plan(plan, tmp_path / "plan.gpkg")
    back = read_plan(tmp_path / "plan.gpkg")
    for field in fields(PlanFile):
        one, other = getattr(plan, field.name), getattr(back, field.name)
        if one is None:
            assert other is None
            continue
        assert set(other.columns) == set(one.columns), field.name
        pd.testing.assert_frame_equal(plain(other[one.columns]), plain(one), obj=field.name)
        if isinstance(one, gpd.GeoDataFrame):
            assert other.crs == one.crs, field.name


def test_writing_what_was_read_gives_the_same_bytes(plan: PlanFile, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "one.gpkg")
    write_plan(made(), tmp_path / "two.gpkg")
    one = (tmp_path / "one.gpkg").read_bytes()
    assert (tmp_path / "two.gpkg").read_bytes() == one
    write_plan(made(seed=9), tmp_path / "three.gpkg")
    assert (tmp_path / "three.gpkg").read_bytes() != one


def test_a_standard_geopackage(plan: PlanFile, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "plan.gpkg")
    assert [str(n) for n in pyogrio.list_layers(tmp_path / "plan.gpkg")[:, 0]] == list(LAYERS)
    with sqlite3.connect(tmp_path / "plan.gpkg") as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("pragma application_id").fetchone() == (0x47504B47,)
    connection.close()


def test_nothing_but_the_plan_is_left_in_the_folder(plan: PlanFile, tmp_path: Path) -> None:
    for _ in range(2):
        write_plan(plan, tmp_path / "plan.gpkg")
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]


@pytest.mark.parametrize("name", ["plan.GPKG", "方案 1.gpkg", "a.b.gpkg"])
def test_odd_names(plan: PlanFile, tmp_path: Path, name: str) -> None:
    try_target(tmp_path / name)
    write_plan(plan, tmp_path / name)
    assert len(read_plan(tmp_path / name).grids) == len(plan.grids)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["plan", "plan.zip", "no/plan.gpkg", "folder.gpkg"])
def test_a_target_is_refused_before_and_at_writing(
    plan: PlanFile, tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder.gpkg").mkdir()
    for attempt in (try_target, lambda path: write_plan(plan, path)):
        with pytest.raises(InputError, match=Path(name).name):
            attempt(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.gpkg"]


@pytest.mark.parametrize("failure", [OSError(5, "Input/output error"), MemoryError()])
def test_a_failure_half_way_keeps_the_old_file(
    plan: PlanFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    path = tmp_path / "plan.gpkg"
    write_plan(plan, path)
    before = path.read_bytes()
    real = pyogrio.write_dataframe

    def failing(frame: pd.DataFrame, target: Path, **options: object) -> None:
        if options["layer"] == "villages":
            raise failure
        real(frame, target, **options)

    monkeypatch.setattr(pyogrio, "write_dataframe", failing)
    with pytest.raises((InputError, MemoryError)):
        write_plan(plan, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]


FULL_DISK = """
import resource, sys
from planning.planfile import read_plan, write_plan
from geo.problems import InputError
plan = read_plan(sys.argv[1])
told = 0
for room in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        write_plan(plan, sys.argv[1])
    except InputError as error:
        told += "plan.gpkg: cannot be written" in str(error)
print(told)
"""


def test_no_space_keeps_the_old_file(plan: PlanFile, tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    write_plan(plan, path)
    before = path.read_bytes()
    rooms = [str(int(len(before) * share)) for share in (0.01, 0.2, 0.4, 0.6, 0.8, 0.95)]
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), *rooms],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout == f"{len(rooms)}\n"
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]


KILLED = """
import sys, time
import planning.planfile as planfile
plan = planfile.read_plan(sys.argv[1])
layers = {name: getattr(plan, name) for name in planfile.LAYERS}
with planfile.beside(planfile.Path(sys.argv[1])) as temporary:
    planfile.pyogrio.write_dataframe(layers["grids"], temporary, layer="grids", driver="GPKG")
    print("half", flush=True)
    time.sleep(60)
"""


def test_killed_half_way_the_old_file_stands(plan: PlanFile, tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    write_plan(plan, path)
    before = path.read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    assert len(list(tmp_path.iterdir())) > 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert path.read_bytes() == before
    assert len(read_plan(path).grids) == len(plan.grids)
    write_plan(plan, path)  # the leftover is in nobody's way
    assert path.read_bytes() == before


# --- files that are no plan


def test_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "no.gpkg", tmp_path):
        with pytest.raises(InputError, match="no such plan file"):
            read_plan(path)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"SQLite format 3\x00", b"<html></html>", b"PK\x03\x04", bytes(5000)]
)
def test_not_a_geopackage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.gpkg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"plan\.gpkg"):
        read_plan(path)


def test_cut_off_anywhere(plan: PlanFile, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "whole.gpkg")
    whole = (tmp_path / "whole.gpkg").read_bytes()
    path = tmp_path / "plan.gpkg"
    for length in [*np.linspace(0.02, 0.98, 13) * len(whole), len(whole) - 1]:
        path.write_bytes(whole[: int(length)])
        with pytest.raises(InputError, match=r"plan\.gpkg"):
            read_plan(path)


def test_damaged_anywhere(plan: PlanFile, tmp_path: Path) -> None:
    """A page of zeros: told as damage, or nothing of the plan was lost."""
    write_plan(plan, tmp_path / "whole.gpkg")
    whole = (tmp_path / "whole.gpkg").read_bytes()
    path = tmp_path / "plan.gpkg"
    told = 0
    for start in range(0, len(whole), 4 * 4096):
        path.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        try:
            back = read_plan(path)
        except InputError:
            told += 1
            continue
        assert len(back.grids) == len(plan.grids)
        assert len(back.households) == len(plan.households)
    assert told


def test_a_foreign_geopackage_without_grids(plan: PlanFile, tmp_path: Path) -> None:
    write_layers({"zones": plan.villages}, tmp_path / "zones.gpkg")
    with pytest.raises(InputError, match="no layer grids"):
        read_plan(tmp_path / "zones.gpkg")


def test_a_foreign_plan_with_grids_alone(plan: PlanFile, tmp_path: Path) -> None:
    write_layers({"grids": plan.grids}, tmp_path / "grids.gpkg")
    back = read_plan(tmp_path / "grids.gpkg")
    assert len(back.grids) == len(plan.grids)
    assert back.micro_grids is None
    for name in ("households", "villages", "unplaced", "exceptions", "provenance"):
        frame = getattr(back, name)
        assert len(frame) == 0
        assert set(frame.columns) <= set(getattr(plan, name).columns)
    assert back.value("setting.target") is None


def test_a_table_named_grids_is_no_map(plan: PlanFile, tmp_path: Path) -> None:
    flat = pd.DataFrame(plan.grids.drop(columns="geometry"))
    write_layers({"grids": flat}, tmp_path / "flat.gpkg")
    with pytest.raises(InputError, match=r"flat\.gpkg"):
        read_plan(tmp_path / "flat.gpkg")


@pytest.mark.parametrize("column", ["code", "households"])
def test_grids_without_a_column_that_counts(
    plan: PlanFile, tmp_path: Path, column: str
) -> None:
    write_layers({"grids": plan.grids.drop(columns=column)}, tmp_path / "bare.gpkg")
    with pytest.raises(InputError, match=column):
        read_plan(tmp_path / "bare.gpkg")


@pytest.mark.parametrize("crs", [4326, 4490, 3857])
def test_grids_in_degrees_are_brought_to_metres(
    plan: PlanFile, tmp_path: Path, crs: int
) -> None:
    """In degrees no gap would ever be a square metre, and every check would pass."""
    layers = {"grids": plan.grids.to_crs(crs), "households": plan.households.to_crs(crs)}
    write_layers(layers, tmp_path / "degrees.gpkg")
    back = read_plan(tmp_path / "degrees.gpkg")
    assert back.grids.crs == back.households.crs == plan.grids.crs
    assert back.grids.area.tolist() == pytest.approx(plan.grids.area.tolist(), rel=1e-6)


def test_grids_without_a_coordinate_system(plan: PlanFile, tmp_path: Path) -> None:
    bare = gpd.GeoDataFrame(plan.grids.drop(columns="geometry"), geometry=list(plan.grids.geometry))
    with pytest.warns(UserWarning, match="crs"):
        write_layers({"grids": bare}, tmp_path / "bare.gpkg")
    with pytest.raises(InputError, match="coordinate system"):
        read_plan(tmp_path / "bare.gpkg")


def test_time_zone_and_clock_do_not_show(plan: PlanFile, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "one.gpkg")
    time.sleep(1.1)
    zone = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Shanghai"
    time.tzset()
    try:
        write_plan(plan, tmp_path / "two.gpkg")
    finally:
        del os.environ["TZ"]
        if zone is not None:
            os.environ["TZ"] = zone
        time.tzset()
    assert (tmp_path / "one.gpkg").read_bytes() == (tmp_path / "two.gpkg").read_bytes()
