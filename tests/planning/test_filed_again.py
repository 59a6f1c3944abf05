"""Edited villages filed again: what nobody touched stays as it was filed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
import towns

from geo.linework import Linework
from planning import edits
from planning.county import propose_county
from planning.filing import EditedVillage, file_again
from planning.plan import start_plan
from planning.settings import Settings
from planning.tables import codes_and_names, to_planfile


def test_four_bounds_of_grids_that_were_not_touched_stay() -> None:
    """The lines of a plan that is kept have names and no shape: a street beside a wall, or the
    river around a border, is told only where the plan was made, and must not be lost there."""
    one = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code="320116001201")
    county = propose_county(
        towns.county([one], road_names=["人民路", "通扬河"]), Settings(target=90)
    )
    told = "东至甲路,南至乙河,西至丙路,北至丁河"
    proposed = to_planfile(county)
    proposed = replace(proposed, grids=proposed.grids.assign(bounds_text=told))
    own = county.villages[0]
    codes, names = codes_and_names(county, 0)
    start = start_plan(own.units, own.proposal, codes, names, "村")
    assert len(start.keys) > 2
    lived = np.flatnonzero(own.units.households > 0)
    unit = next(u for u in lived if (start.label[lived] == start.label[u]).sum() > 1)
    came, went = int(start.label[unit]), next(
        int(key) for key in start.keys if key != start.label[unit]
    )  # fmt: skip
    after = edits.transfer(start, np.array([unit]), went).plan
    filed = file_again(
        county.ground, county.settings, proposed, [EditedVillage(after, start)]
    ).grids.set_index("code")["bounds_text"]
    for key, grid in after.grids.items():
        assert (filed[grid.code] == told) == (key not in (came, went))


def test_grids_that_were_touched_are_bounded_by_what_runs_beside_them() -> None:
    """A store knows no shape of a line; with the files at hand the street beside is told again."""
    one = towns.village("12\n34", times=10, persons=3, code="320116001201")
    bare = towns.county([one])
    county = propose_county(bare, Settings(target=50))
    proposed = to_planfile(county)
    own = county.villages[0]
    codes, names = codes_and_names(county, 0)
    start = start_plan(own.units, own.proposal, codes, names, "村")
    after = edits.merge(start, start.keys[:2]).plan if len(start.keys) > 2 else start
    after = edits.rename(after, int(after.keys[0]), "甲")
    west, south, east, north = one.area.bounds
    x = np.unique(own.units.segments.x1[own.units.segments.right >= 0])
    middle = float(x[np.abs(x - (west + east) / 2).argmin()]) + 5.0
    street = Linework(
        np.array([shapely.LineString([(middle, south), (middle, north)])], dtype=object),
        np.array(["road"], dtype=object), np.array(["巷子"], dtype=object),
    )  # fmt: skip
    edited = [EditedVillage(after, replace(start, label=np.roll(start.label, 1)))]
    plain, told = (
        file_again(bare, county.settings, proposed, edited, near=near).grids["bounds_text"]
        for near in (None, street)
    )
    assert not plain.str.contains("巷子").any()
    assert told.str.contains("巷子").any()
    nowhere = Linework(shapely.transform(street.geometry, lambda xy: xy + 1e5), street.kind,
                       street.name)  # fmt: skip
    far = file_again(bare, county.settings, proposed, edited, near=nowhere).grids["bounds_text"]
    assert far.tolist() == plain.tolist()
