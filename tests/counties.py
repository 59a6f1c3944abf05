"""The small demonstration county that many tests work on: made once, then copied."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from data.demo import write_county
from geo.ground import Inputs, load_ground
from planning.county import propose_county
from planning.planfile import write_plan
from planning.settings import Settings
from planning.tables import to_planfile

LAYERS = ("roads", "water", "railways", "compounds", "groups", "dedicated")


def inputs(folder: Path) -> Inputs:
    """All files of a demonstration county that a plan is made from."""
    return Inputs(
        villages=str(folder / "villages.gpkg"), households=str(folder / "households.csv"),
        **{name: str(folder / f"{name}.gpkg") for name in LAYERS},
    )  # fmt: skip


def demonstration(factory: pytest.TempPathFactory, name: str = "four") -> Path:
    """A folder of its own with four villages: ``four`` the files, ``planned`` with their plan,
    ``micro`` with micro-grids of 60 households as well.

    Made by whichever test process asks first, and the same for all of them.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = shared / f"county-{name}"
    with (shared / f"county-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(factory, name, made)
    own = factory.mktemp("county")
    shutil.copytree(made, own, dirs_exist_ok=True)
    return own


def _make(factory: pytest.TempPathFactory, name: str, made: Path) -> None:
    folder = factory.mktemp("making")
    if name == "four":
        write_county(folder, villages=4)
    else:
        shutil.copytree(demonstration(factory), folder, dirs_exist_ok=True)
        settings = {"planned": Settings(), "micro": Settings(micro=60)}[name]
        plan = propose_county(load_ground(inputs(folder)), settings)
        write_plan(to_planfile(plan), folder / "plan.gpkg")
    folder.rename(made)
