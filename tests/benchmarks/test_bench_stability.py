"""The stability benchmark: what it counts as moved, and that growth is what it says."""

from __future__ import annotations

import numpy as np
import towns

from benchmarks.stability import measure, moved, three_more, three_percent, with_growth
from planning.county import propose_county
from planning.settings import Settings
from planning.tables import to_planfile

TOWN = "12.34|1\n.2..3|2\n-----+-\n4.5.6|3\n.1..2|."


def test_moved_counts_who_parts_company_not_who_is_renamed() -> None:
    ground = towns.county([towns.village(TOWN, times=5, persons=2, code="V")])
    plan = to_planfile(propose_county(ground, Settings(target=60)))
    assert moved(plan, plan) == 0
    codes = sorted(set(plan.households["grid_code"]))
    assert len(codes) > 1
    turned = plan.households.copy()
    turned["grid_code"] = turned["grid_code"].map(dict(zip(codes, codes[::-1], strict=True)))
    renamed = type(plan)(plan.grids, turned, plan.villages, plan.unplaced, plan.exceptions,
                         plan.provenance)  # fmt: skip
    assert moved(plan, renamed) == 0
    other = plan.households.copy()
    first = other.index[other["grid_code"] == codes[0]][0]
    other.loc[first, "grid_code"] = codes[1]
    parted = type(plan)(plan.grids, other, plan.villages, plan.unplaced, plan.exceptions,
                        plan.provenance)  # fmt: skip
    assert moved(plan, parted) == plan.households.loc[first, "households"]


def test_growth_adds_what_it_says_and_the_runs_are_measured() -> None:
    ground = towns.county([towns.village(TOWN, times=20, persons=2, code="V")])
    held = ground.households["households"].sum()
    assert three_more(ground).sum() == 3
    assert three_percent(ground).sum() == round(0.03 * held)
    rules = Settings(target=200)
    before = to_planfile(propose_county(ground, rules))
    grown = with_growth(ground, three_more(ground))
    assert grown.households["persons"].sum() == ground.households["persons"].sum() + 6
    fresh, kept = measure("3", grown, before, rules)
    assert (fresh.run, kept.run) == ("fresh", "--from")
    assert (kept.moved, kept.bound) == (0, 0)
    assert np.isfinite(fresh.within_10)
