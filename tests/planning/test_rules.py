"""Which exceptions a plan declares, of which grid, with which numbers and reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import towns

from geo.units import Units, build_units
from planning.measure import measure
from planning.propose import Proposal, propose
from planning.rules import RULES, GridException, exceptions
from planning.settings import Settings


def judged(
    units: Units, settings: Settings, names: list[str] | None = None
) -> tuple[Proposal, list[GridException]]:
    proposal = propose(units, settings)
    measures = measure(units, proposal.label, proposal.k)
    return proposal, exceptions(units, proposal, measures, settings, names)


def test_a_plan_that_keeps_every_rule_declares_nothing() -> None:
    assert judged(towns.lattice(6, 6, 10), Settings(target=90))[1] == []


@pytest.mark.parametrize(
    ("settings", "rule", "value", "limit"),
    [
        (Settings(max_households=300, max_persons=None), "max_households", 800, 300),
        (Settings(max_persons=1500), "max_persons", 2400, 1500),
    ],
)
def test_a_giant_is_declared_with_its_numbers(
    settings: Settings, rule: str, value: int, limit: int
) -> None:
    units = towns.of_polygons(
        towns.lattice(3, 1).geometry, [100, 800, 100], persons=[300, 2400, 300]
    )
    proposal, found = judged(units, settings)
    assert [(e.rule, e.value, e.limit) for e in found if e.rule == rule] == [(rule, value, limit)]
    declared = next(e for e in found if e.rule == rule)
    assert declared.grid == proposal.label[1]
    assert "by itself" in declared.reason
    assert "单个" in declared.reason


def test_at_the_cap_is_within_it() -> None:
    units = towns.lattice(2, 1, 150)
    assert judged(units, Settings(max_households=300))[1] == []


def test_too_few_households_for_the_least() -> None:
    _, found = judged(towns.lattice(2, 1, 10), Settings(min_households=50))
    assert [(e.rule, e.value, e.limit) for e in found] == [("min_households", 20, 50)]


def test_dedicated_grids_have_no_caps() -> None:
    units = replace(towns.lattice(2, 1, [10, 2000]), dedicated=np.array([-1, 0]))
    found = judged(units, Settings(max_households=300, min_households=5))[1]
    assert found == []


def test_a_joined_islet_is_declared() -> None:
    units = build_units(towns.village("111111    1\n111111     ", times=10, cell=100.0))
    proposal, found = judged(units, Settings(target=300))
    assert [(e.rule, e.value, e.limit) for e in found] == [("parts", 2, 1)]
    assert found[0].grid == proposal.label[int(units.x.argmax())]
    assert "1 exclave or islet too small" in found[0].reason


def test_a_set_over_the_cap_is_cut_and_named() -> None:
    units = towns.lattice(6, 1, 100)
    units = replace(units, whole=np.array([0, 0, 0, 0, -1, -1]))
    proposal, found = judged(
        units, Settings(target=200, max_households=300, max_persons=None), ["幸福里"]
    )
    assert proposal.k == 3
    cut = [e for e in found if e.rule == "split_set"]
    assert len(cut) == 1
    assert cut[0].value >= 2
    assert "幸福里" in cut[0].reason
    assert "exceeds" in cut[0].reason


def test_a_set_in_two_places_is_declared() -> None:
    units = towns.lattice(9, 1, [50, 50, 50, 50, 50, 50, 50, 50, 50])
    whole = np.full(9, -1)
    whole[[0, 8]] = 0
    _, found = judged(replace(units, whole=whole), Settings(target=150), ["双河"])
    cut = [e for e in found if e.rule == "split_set"]
    assert [(e.value, e.limit) for e in cut] == [(2, 1)]
    assert "双河" in cut[0].reason


def test_a_set_without_people_in_two_grids_is_not_cut() -> None:
    units = towns.lattice(8, 1, [50, 50, 50, 50, 50, 50, 50, 0])
    whole = np.full(8, -1)
    whole[[0, 7]] = 0
    assert judged(replace(units, whole=whole), Settings(target=150))[1] == []


def test_added_grids_are_declared() -> None:
    units = towns.lattice(4, 1, [60, 60, 60, 60])
    settings = Settings(target=100, max_households=100, max_persons=None)
    proposal, found = judged(units, settings)
    assert (proposal.given, proposal.k) == (3, 4)
    assert [(e.grid, e.rule, e.value, e.limit) for e in found] == [(-1, "grids_added", 4, 3)]


def test_every_rule_has_a_name_in_both_languages() -> None:
    assert all(zh and en and zh != en for zh, en in RULES.values())


def test_reasons_are_told_in_both_languages() -> None:
    units = towns.of_polygons(
        towns.lattice(3, 1).geometry, [100, 800, 100], persons=[300, 2400, 300]
    )
    for e in judged(units, Settings(min_households=200))[1]:
        assert e.rule in RULES
        assert any("\u4e00" <= c <= "\u9fff" for c in e.reason)
        assert any(c.isascii() and c.isalpha() for c in e.reason)
