"""Two scenarios side by side: maps that share a group, differences drawn on both, numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import towns

from planning import edits
from planning.county import CountyPlan, propose_county
from planning.filing import EditedVillage, file_again
from planning.plan import start_plan
from planning.settings import Settings
from planning.tables import codes_and_names, to_planfile
from ui.comparison import GROUP, Pair
from ui.map.scene import Focus, message
from ui.views import PlanView

VILLAGE = "320116001201"


@pytest.fixture(scope="module")
def county() -> CountyPlan:
    one = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code=VILLAGE)
    ground = towns.county([one], road_names=["人民路", "通扬河"])
    return propose_county(ground, Settings(target=120))


@pytest.fixture(scope="module")
def pair(county: CountyPlan) -> Pair:
    """On the right a building went over to another grid."""
    own, proposed = county.villages[0], to_planfile(county)
    codes, names = codes_and_names(county, 0)
    start = start_plan(own.units, own.proposal, codes, names, "村")
    lived = np.flatnonzero(own.units.households > 0)
    unit = next(u for u in lived if (start.label[lived] == start.label[u]).sum() > 1)
    to = next(int(key) for key in start.keys if key != start.label[unit])
    after = edits.transfer(start, np.array([unit]), to).plan
    filed = file_again(
        county.ground, county.settings, proposed, [EditedVillage(after, start)]
    )
    return Pair(PlanView("a", proposed, {}), PlanView("b", filed, {}))


def test_what_moved_is_drawn_on_both_maps(pair: Pair) -> None:
    left, right = pair.scenes("zh", None, Focus())
    for scene in (left, right):
        assert scene.group == GROUP
        moved = next(layer for layer in scene.layers if layer.id == "moved")
        assert len(moved.features) == len(pair.moved) > 0
        sent = json.loads(message(scene, {}))
        assert sent["group"] == GROUP
    grids = [next(la for la in s.layers if la.id == "grids") for s in (left, right)]
    assert grids[0].features != grids[1].features


def test_the_numbers_say_how_many_households_changed(pair: Pair) -> None:
    table = pair.numbers("en").set_index("measure")
    moved = int(table.loc["Households that changed grid", "b"])
    assert moved == pair.found.households_changed == int(pair.moved["households"].sum())
    assert table.loc["Households", "a"] == table.loc["Households", "b"]
    grids = pair.grids("en")
    assert set(grids["change"]) == {"changed"}
    assert len(grids) == 2


def test_a_row_shows_its_place_on_both_maps(pair: Pair) -> None:
    row = pair.grids("zh").iloc[0]
    place = pair.place(row["code_a"], row["code_b"])
    assert place.bounds is not None
    west, south, east, north = place.bounds
    assert west < east
    assert south < north
    assert pair.place("", "") == Focus()


def test_a_plan_and_itself_differ_in_nothing(pair: Pair) -> None:
    same = Pair(pair.left, replace_key(pair.left))
    assert same.moved.empty
    assert same.grids("zh").empty


def replace_key(view: PlanView) -> PlanView:
    return PlanView("c", replace(view.plan), {})
