"""Micro-grids nest in grids, cover them, and hold whole buildings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.units import Units, build_units
from planning.graph import graph_of
from planning.micro import MicroGrids, micro_grids
from planning.propose import Proposal, propose
from planning.settings import Settings


def nested(units: Units, proposal: Proposal, micro: MicroGrids) -> None:
    """Everything that micro-grids promise."""
    usual = proposal.dedicated[proposal.label] < 0
    assert ((micro.label >= 0) == usual).all()
    assert (micro.grid[micro.label[usual]] == proposal.label[usual]).all()
    assert len(micro.grid) == len(micro.number) == len(micro.outlines)
    for grid in np.flatnonzero(proposal.dedicated < 0):
        own = np.flatnonzero(micro.grid == grid)
        assert micro.number[own].tolist() == list(range(1, len(own) + 1))
        parts = micro.outlines[own]
        members = units.geometry[proposal.label == grid]
        assert shapely.area(parts).sum() == pytest.approx(shapely.area(members).sum())
        assert shapely.coverage_is_valid(parts)
    near = towns.neighbours(graph_of(units))
    joined = 0
    for members in towns.grids_of(micro.label, len(micro.grid)):
        assert members
        joined += towns.piece_count(near, members) - 1
    assert joined <= proposal.joined.sum()


TOWN = """
12.|.23|4.1
3.1|4..|.22
---+---+---
.31|222|1..
2..|1.3|.12
"""


def test_a_town_in_micro_grids() -> None:
    units = build_units(towns.village(TOWN, times=10))
    rules = Settings(target=200, micro=60)
    proposal = propose(units, rules)
    micro = micro_grids(units, proposal, rules)
    nested(units, proposal, micro)
    held = np.bincount(micro.label, weights=units.households)
    expected = sum(
        max(1, round(h / 60)) for h in np.bincount(proposal.label, weights=units.households)
    )
    assert len(held) == expected
    assert 20 <= held.min() <= held.max() <= 100
    again = micro_grids(units, proposal, rules)
    assert np.array_equal(again.label, micro.label)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(5, 90))
def test_any_board(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    board = towns.lattice(int(random.integers(2, 7)), int(random.integers(2, 6)))
    kept = random.random(len(board)) < 0.85
    kept[0] = True
    polygons = board.geometry[kept]
    units = towns.of_polygons(
        polygons,
        random.integers(0, 30, len(polygons)),
        dedicated=np.where(random.random(len(polygons)) < 0.08, 0, -1),
    )
    rules = Settings(target=100, micro=size)
    proposal = propose(units, rules)
    nested(units, proposal, micro_grids(units, proposal, rules))


def test_a_high_rise_is_a_micro_grid_by_itself() -> None:
    units = towns.lattice(3, 1, [10, 400, 10])
    rules = Settings(target=420, micro=60)
    proposal = propose(units, rules)
    assert proposal.k == 1
    micro = micro_grids(units, proposal, rules)
    assert sorted(np.bincount(micro.label, weights=units.households)) == [10, 10, 400]


def test_empty_ground_is_no_micro_grid() -> None:
    """Beside one high-rise: the open ground goes with it, and does not make a second."""
    units = towns.lattice(3, 1, [0, 329, 0])
    rules = Settings(target=330, micro=60)
    proposal = propose(units, rules)
    micro = micro_grids(units, proposal, rules)
    assert micro.label.tolist() == [0, 0, 0]
    assert micro.number.tolist() == [1]
    nobody = micro_grids(replace(units, households=np.zeros(3, dtype=np.int64)), proposal, rules)
    assert (nobody.label >= 0).all()


def test_only_dedicated_ground_has_none() -> None:
    units = replace(towns.lattice(2, 1), dedicated=np.array([0, 0]))
    rules = Settings(micro=60)
    micro = micro_grids(units, propose(units, rules), rules)
    assert micro.label.tolist() == [-1, -1]
    assert len(micro.grid) == len(micro.number) == len(micro.outlines) == 0


def test_nobody_asked() -> None:
    units = towns.lattice(2, 1, 5)
    with pytest.raises(ValueError, match="no micro-grids"):
        micro_grids(units, propose(units, Settings()), Settings())
