"""What a planner may ask for, and what is refused with every reason at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.settings import PRESETS, Settings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": 0}, "target"),
        ({"min_households": 0}, "min_households"),
        ({"max_households": -1}, "max_households"),
        ({"max_persons": 0}, "max_persons"),
        ({"micro": 0}, "micro"),
        ({"target": 300, "max_households": 299}, "below the target"),
        ({"target": 100, "min_households": 200, "max_households": 150}, "above"),
        ({"grids_per_village": {"320": 0}}, "320"),
        ({"balance": -0.1}, "balance"),
        ({"walk": float("nan")}, "walk"),
        ({"tolerance_m": float("inf")}, "tolerance_m"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**changes)  # type: ignore[arg-type]


def test_every_contradiction_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"target.*; .*micro.*; .*shape"):
        Settings(target=0, micro=-3, shape=-1.0)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_hold_together(name: str) -> None:
    assert Settings.preset(name, seed=4).seed == 4


def test_a_preset_nobody_published() -> None:
    with pytest.raises(KeyError):
        Settings.preset("atlantis")


@pytest.mark.parametrize(
    ("households", "persons", "grids"),
    [
        (0, -1, 1), (1, -1, 1), (449, -1, 1), (450, -1, 2), (451, -1, 2), (750, -1, 2),
        (751, -1, 3), (300, 1500, 1), (300, 1501, 2), (300, 4501, 4), (3000, 9000, 10),
    ],
)  # fmt: skip
def test_number_of_grids(households: int, persons: int, grids: int) -> None:
    """max(round(H / 300), ceil(P / 1500)), halves to even."""
    assert Settings().grids_of(households, persons) == grids


def test_number_of_grids_under_other_caps() -> None:
    settings = Settings(target=400, max_households=500, max_persons=None)
    assert settings.grids_of(500, 99_999) == 1
    assert settings.grids_of(501, -1) == 2


@given(st.integers(0, 50_000), st.integers(-1, 200_000))
def test_the_formula_never_forces_a_cap_to_break(households: int, persons: int) -> None:
    settings = Settings(max_households=450)
    k = settings.grids_of(households, persons)
    assert k >= 1
    assert households <= 450 * k
    assert persons <= 1500 * k
