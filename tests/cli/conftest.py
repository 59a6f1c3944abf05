"""A small county as files, and the program to run on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import towns
from postgres_server import new_place, place, server

from cli.main import main
from planning.planfile import read_plan

__all__ = ["new_place", "place", "server"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    x, y = towns.ORIGIN
    ground = towns.county(
        [
            towns.village("12|34\n--+--\n56|78", times=10, persons=3, code="320116001201"),
            towns.village(
                "1.2.3.4\n.5.6.7.", times=10, persons=3, code="320116001202", at=(x + 3000, y)
            ),
        ],
        road_names=["人民路", "通扬河"],
    )
    return towns.write_files(ground, tmp_path_factory.mktemp("county"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program in this process: exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stop:  # argparse leaves this way
            code = stop.code if isinstance(stop.code, int) else 2
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def plan(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.gpkg"
    code = main(
        [
            "propose", "--villages", str(files["villages"]), "--households",
            str(files["households"]), "--roads", str(files["roads"]), "-o", str(path),
            "--target", "120", "--workers", "1",
        ]
    )  # fmt: skip
    assert code == 0
    return path


@pytest.fixture(scope="session")
def incidents(plan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hundred events near the plan's households, one corner of which is hot."""
    homes = read_plan(plan).households.to_crs(4326).geometry
    rng = np.random.default_rng(3)
    rows = rng.integers(0, len(homes), 300)
    lon = homes.x.to_numpy()[np.append(rows, np.zeros(100, dtype=int))]
    lat = homes.y.to_numpy()[np.append(rows, np.zeros(100, dtype=int))]
    lon = lon + rng.normal(0, 0.0002, 400)
    lat = lat + rng.normal(0, 0.0002, 400)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365 * 24 * 60, 400), "min")
    table = pd.DataFrame(
        {
            "发生时间": days.strftime("%Y-%m-%d %H:%M"),
            "来源": np.where(np.arange(400) % 4 == 0, "网格巡查", "12345热线"),
            "大类": np.where(np.arange(400) % 2 == 0, "城市管理", "环境保护"),
            "状态": np.where(np.arange(400) % 10 == 0, "处置中", "已办结"),
            "报警人": "不应保留",
            "经度": lon.round(6),
            "纬度": lat.round(6),
        }
    )
    table.loc[table.index[:20], ["经度", "纬度"]] = np.nan
    path = tmp_path_factory.mktemp("events") / "incidents.csv"
    table.to_csv(path, index=False)
    return path
