"""Golden towns: plans worked out by hand (README.md beside this file says how to add one)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import shapely
import towns

from planning.county import VillagePlan, propose_county
from planning.settings import Settings

HERE = Path(__file__).resolve().parent
ARTIFACTS = HERE.parent / "artifacts"
TOWNS = sorted((HERE / "towns").glob("*.txt"))
CELL = 100.0
FREE = " -|+?"  # characters of a plan that are not compared


@dataclass(frozen=True)
class Town:
    """One golden case: what is planned, and what must come out."""

    name: str
    settings: Settings
    picture: str
    plan: str
    exceptions: list[tuple[str, str, float, float]]


def read_town(path: Path) -> Town:
    text = path.read_text("utf-8")
    parts: dict[str, str] = {}
    for part in ("exceptions", "plan", "town", "settings"):
        text, found, parts[part] = text.rpartition(f"\n{part}\n")
        assert found, f"{path.name} has no part {part!r}"
    assert text.strip(), f"{path.name} does not say why its plan is right"
    chosen = {}
    for line in parts["settings"].splitlines():
        if line.strip():
            key, value = (word.strip() for word in line.split("="))
            chosen[key] = None if value == "none" else int(value)
    exceptions = [line.split() for line in parts["exceptions"].splitlines() if line.strip()]
    return Town(
        name=path.stem,
        settings=Settings(**chosen),  # type: ignore[arg-type]
        picture=parts["town"],
        plan=parts["plan"],
        exceptions=[(g, rule, float(value), float(limit)) for g, rule, value, limit in exceptions],
    )


def drawn(picture: str, plan: VillagePlan) -> dict[tuple[int, int], str]:
    """The grid's letter of every cell's middle."""
    x, y = towns.ORIGIN
    found = {}
    for _, column, row in towns.cells(picture):
        middle = shapely.Point(x + (column + 0.5) * CELL, y + (row + 0.5) * CELL)
        away = shapely.distance(plan.outlines, middle)
        found[column, row] = chr(ord("A") + int(np.argmin(away)))
    return found


def differences(
    expected: dict[tuple[int, int], str], found: dict[tuple[int, int], str]
) -> list[tuple[int, int]]:
    return [cell for cell, letter in expected.items() if letter not in FREE + found[cell]]


def draw(
    path: Path, expected: dict[tuple[int, int], str], found: dict[tuple[int, int], str]
) -> None:
    """Both plans side by side, differing cells crossed out."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    path.parent.mkdir(exist_ok=True)
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 5))
    wrong = differences(expected, found)
    for axis, title, plan in zip(axes, ("expected", "found"), (expected, found), strict=True):
        axis.set_title(title)
        axis.set_aspect("equal")
        for (column, row), letter in plan.items():
            colour = "white" if letter in FREE else pyplot.colormaps["tab20"](ord(letter) % 20)
            square = pyplot.Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="grey")
            axis.add_patch(square)
            axis.text(column + 0.5, row + 0.5, letter, ha="center", va="center")
            if (column, row) in wrong:
                axis.plot([column, column + 1], [row, row + 1], color="black")
        axis.autoscale_view()
    figure.savefig(path)
    pyplot.close(figure)


@pytest.mark.parametrize("path", TOWNS, ids=lambda path: path.stem)
def test_golden_town(path: Path) -> None:
    town = read_town(path)
    ground = towns.village(town.picture, times=10, cell=CELL)
    (plan,) = propose_county(towns.county([ground]), town.settings).villages
    expected = {(column, row): letter for letter, column, row in towns.cells(town.plan)}
    found = drawn(town.picture, plan)
    assert expected.keys() == found.keys(), "town and plan are not drawn alike"
    wrong = differences(expected, found)
    if wrong:
        draw(ARTIFACTS / f"golden-{town.name}.png", expected, found)
    assert wrong == [], f"see tests/artifacts/golden-{town.name}.png"
    assert [
        (chr(ord("A") + e.grid), e.rule, e.value, e.limit) for e in plan.exceptions
    ] == town.exceptions


def test_there_are_towns() -> None:
    assert len(TOWNS) >= 3


def test_a_difference_leaves_a_picture(tmp_path: Path) -> None:
    expected = {(0, 0): "A", (1, 0): "B", (2, 0): "-"}
    found = {(0, 0): "A", (1, 0): "A", (2, 0): "B"}
    assert differences(expected, found) == [(1, 0)]
    draw(tmp_path / "shots" / "golden.png", expected, found)
    assert (tmp_path / "shots" / "golden.png").read_bytes().startswith(b"\x89PNG")
