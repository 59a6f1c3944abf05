"""A small county as files, and the program to run on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import towns
from postgres_server import new_place, place, server

from cli.main import main

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
