"""A year counted by redrawn grids gives no difference to what was told of it before."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from making import METRIC, X0, Y0, events, grids

from incidents.analysis import Prepared, prepare
from incidents.areas import areas_of
from incidents.disclosure import Mark
from incidents.sharing import Shared, share
from incidents.told import as_told


def redrawn(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A strip of the first grid, a few houses, goes to its neighbour in the village."""
    strip = shapely.box(X0 + 900, Y0, X0 + 1000, Y0 + 300)
    shapes = frame.geometry.to_numpy().copy()
    shapes[0], shapes[1] = shapely.difference(shapes[0], strip), shapely.union(shapes[1], strip)
    return frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))


@pytest.fixture(scope="module")
def before() -> Prepared:
    return prepare(events(1200, 5), areas_of(METRIC, grids=grids()))


@pytest.fixture(scope="module")
def after(before: Prepared) -> Prepared:
    return prepare(before.events, areas_of(METRIC, grids=redrawn(grids())))


def told(shared: Shared, notes: object = None) -> tuple[Shared, dict]:
    """As it is kept: through a file."""
    made, kept = as_told(shared, {} if notes is None else json.loads(json.dumps(notes)))
    return made, json.loads(json.dumps(kept))


def numbers(shared: Shared) -> dict[tuple, float]:
    """Every number of every table of the years that is shown, by what it is of."""
    found = {}
    for year, held in shared.common.years.items():
        for table, marks in held.marks.items():
            values = held.cube.table(table)
            for place in np.argwhere(marks == Mark.SHOWN):
                names = [axis.label(level, int(i)) for axis, level, i in
                         zip(held.cube.axes, table, place, strict=True)]  # fmt: skip
                found[year, table, *names] = int(values[tuple(place)])
    return found


def test_the_attack_sees_what_two_drawings_give(before, after) -> None:
    """Counted anew as it was before, the strip's own events are the difference of two numbers."""
    one, two = numbers(share(before)), numbers(share(after))
    first = ("2024", ("grid", "year", "all", "all"), "G00", "2024", "", "")
    assert one[first] - two[first] > 0


def test_a_redrawn_grid_is_not_told_of_a_year_that_was(before, after) -> None:
    first, notes = told(share(before))
    assert numbers(first) == numbers(share(before))
    again, kept = told(share(after), notes)
    assert kept == notes
    one, two = numbers(first), numbers(again)
    assert two.items() <= one.items()  # the same numbers or fewer: no difference is left
    gone = {names[2] for names in one.keys() - two.keys()}
    assert gone == {"G00", "G01"}
    assert again.rows("grid", "2024").set_index("code").loc["G00", "shown"] == "—"
    assert again.common.months.keys() == first.common.months.keys()


def test_a_year_that_ends_later_is_told_by_the_grids_of_then(before, after) -> None:
    early = before.events.months < before.events.months.min() + 12
    whole = np.flatnonzero(early)
    _, notes = told(share(prepare(before.events.take(whole), before.areas)))
    assert [year for year in notes if " " not in year] == ["2023"]
    later, kept = told(share(after), notes)
    rows = later.rows("grid", "2024").set_index("code")
    assert rows.loc["G00", "shown"] == share(after).rows("grid", "2024").set_index("code").loc[
        "G00", "shown"
    ]
    assert later.rows("grid", "2023").set_index("code").loc["G00", "shown"] == "—"
    assert kept["2023"] == notes["2023"]
    assert {"2023", "2024"} < kept.keys()


def test_events_told_anew_are_told_by_the_grids_of_today(before, after) -> None:
    _, notes = told(share(before))
    reported = (before.events.source != 2) & (before.events.time > np.datetime64("2024-01-01"))
    less = np.delete(np.arange(1200), np.flatnonzero(reported)[0])
    anew = share(prepare(before.events.take(less), after.areas))
    made, kept = told(anew, notes)
    assert same_year(numbers(made)) == same_year(numbers(anew))
    assert kept["2024"] != notes["2024"]
    assert kept["2023"] == notes["2023"]


def same_year(found: dict[tuple, float]) -> dict[tuple, float]:
    return {key: value for key, value in found.items() if key[0] == "2024"}


def test_beats_of_redrawn_grids_are_withheld_too(before) -> None:
    square = shapely.box(X0, Y0, X0 + 4000, Y0 + 1000)
    other = shapely.box(X0, Y0 + 1000, X0 + 4000, Y0 + 4000)
    beats = gpd.GeoDataFrame({"code": ["B1", "B2"]}, geometry=[square, other], crs=METRIC)
    frame = grids()
    shapes = frame.geometry.to_numpy().copy()
    strip = shapely.box(X0, Y0 + 960, X0 + 1000, Y0 + 1000)  # from the first beat to the second
    shapes[0], shapes[4] = shapely.difference(shapes[0], strip), shapely.union(shapes[4], strip)
    moved = frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))
    marked = replace(before.events, sensitive=np.arange(1200) % 3 == 0)
    one, two = (
        share(prepare(marked, areas_of(METRIC, grids=g, beats=beats))) for g in (frame, moved)
    )
    _, notes = told(one)
    again, _ = told(two, notes)
    assert set(again.rows("beat", "2024")["shown"]) <= {"—", "<3"}
    secret = again.sensitive.years["2024"]
    assert (secret.marks["beat", "year", "all", "all"][:2] == Mark.HIDDEN).all()
    assert (secret.marks["county", "year", "all", "all"][0] == Mark.SHOWN).all()
