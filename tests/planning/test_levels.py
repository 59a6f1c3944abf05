"""Sums agree at every level, and a number that does not is found."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from planning.levels import dedicated_share, disagreements, levels
from planning.planfile import PlanFile

CRS = "EPSG:4549"


def county(shape: list[list[list[tuple[int, int]]]], *, statistical: bool = True) -> PlanFile:
    """A plan by townships, villages and grids of (households, micro-grids); persons are double.

    A grid without micro-grids is a dedicated one.
    """
    grids, micro, villages = [], [], []
    for t, town in enumerate(shape):
        for v, village in enumerate(town):
            code = f"320116{t + 1:03d}{v + 1:03d}" if statistical else f"T{t}V{v}"
            own = []
            for g, (households, parts) in enumerate(village):
                grid = f"{code}{g + 1 if parts else 901 + g:03d}"
                kind = "comprehensive" if parts else "dedicated"
                own.append((grid, kind, code, f"镇{t}", households, 2 * households))
                cut = np.diff(np.linspace(0, households, parts + 1).astype(int)) if parts else []
                micro += [(f"{grid}{m + 1:02d}", grid, int(n), 2 * int(n))
                          for m, n in enumerate(cut)]  # fmt: skip
            grids += own
            total = sum(row[4] for row in own)
            villages.append((code, f"村{v}", f"镇{t}", total, 2 * total, len(own)))

    def frame(rows: list[tuple[object, ...]], columns: str) -> gpd.GeoDataFrame:
        boxes = [shapely.box(100 * i, 0, 100 * i + 100, 100) for i in range(len(rows))]
        return gpd.GeoDataFrame(
            pd.DataFrame(rows, columns=columns.split()), geometry=boxes, crs=CRS
        )

    grid_frame = frame(grids, "code kind village_code township_name households persons")
    homes = gpd.GeoDataFrame(
        {"household_id": range(len(grids)), "households": grid_frame["households"],
         "persons": grid_frame["persons"], "grid_code": grid_frame["code"]},
        geometry=grid_frame.centroid, crs=CRS,
    )  # fmt: skip
    nothing = pd.DataFrame({"grid_code": [], "reason": []})
    return PlanFile(
        grids=grid_frame, households=homes,
        villages=frame(villages, "code name township_name households persons grids"),
        unplaced=nothing, exceptions=nothing,
        provenance=pd.DataFrame({"key": [], "value": []}),
        micro_grids=frame(micro, "code grid_code households persons"),
    )  # fmt: skip


GRIDS = st.tuples(st.integers(0, 500), st.integers(0, 6))
COUNTIES = st.lists(
    st.lists(st.lists(GRIDS, min_size=1, max_size=4), min_size=1, max_size=3),
    min_size=1, max_size=3,
)  # fmt: skip


@given(COUNTIES)
def test_every_level_sums_to_the_same(shape: list[list[list[tuple[int, int]]]]) -> None:
    plan = county(shape)
    table = levels(plan)
    whole = sum(h for town in shape for village in town for h, _ in village)
    for level in ("city", "county", "township", "village", "grid"):
        own = table[table["level"] == level]
        assert own["households"].sum() == whole
        assert own["persons"].sum() == 2 * whole
        assert own["grids"].sum() == len(plan.grids)
        assert own["micro_grids"].sum() == len(plan.micro_grids)  # type: ignore[arg-type]
    for code, below in table[table["parent"] != ""].groupby("parent"):
        mine = table[table["code"] == code].iloc[0]
        if (below["level"] == "micro_grid").any():
            assert below["households"].sum() == mine["households"]
            assert len(below) == mine["micro_grids"]
        else:
            for measure in ("households", "persons", "grids", "dedicated", "micro_grids"):
                assert below[measure].sum() == mine[measure]
    assert disagreements(plan) == []


@given(COUNTIES, st.sampled_from(["villages", "grids", "micro_grids", "households"]), st.data())
def test_one_wrong_number_is_found(
    shape: list[list[list[tuple[int, int]]]], layer: str, data: st.DataObject
) -> None:
    plan = county(shape)
    frame = getattr(plan, layer)
    if not len(frame):
        return
    row = data.draw(st.integers(0, len(frame) - 1))
    wrong = frame.copy()
    wrong.loc[row, "households"] += 1
    found = disagreements(replace(plan, **{layer: wrong}))
    assert found
    assert all(abs(f.told - f.summed) == 1 for f in found)
    assert {f.measure for f in found} == {"households"}


def test_codes_of_another_kind_stand_under_one_whole() -> None:
    table = levels(county([[[(100, 1), (50, 0)]]], statistical=False))
    assert list(table["level"]) == ["city", "county", "township", "village", "grid", "grid",
                                    "micro_grid"]  # fmt: skip
    assert table.loc[table["level"] == "township", "code"].tolist() == ["镇0"]
    assert table.loc[table["level"] == "city", "households"].tolist() == [150]


def test_an_unknown_number_of_persons_makes_its_sums_unknown() -> None:
    plan = county([[[(100, 1), (50, 1)]], [[(10, 1)]]])
    persons = plan.grids["persons"].astype("Int64")
    persons[0] = pd.NA
    table = levels(replace(plan, grids=plan.grids.assign(persons=persons)))
    towns = table[table["level"] == "township"]["persons"]
    assert towns.isna().tolist() == [True, False]
    assert table[table["level"] == "county"]["persons"].isna().all()


def test_a_number_that_is_not_told_does_not_disagree() -> None:
    plan = county([[[(100, 1), (50, 1)]], [[(10, 1)]]])
    villages = plan.villages.assign(persons=pd.array([None, 20], dtype="Int64"))
    assert disagreements(replace(plan, villages=villages)) == []
    wrong = plan.villages.assign(persons=pd.array([None, 21], dtype="Int64"))
    [found] = disagreements(replace(plan, villages=wrong))
    assert (found.level, found.measure, found.told, found.summed) == ("village", "persons", 21, 20)


@pytest.mark.parametrize(("shape", "share"), [([[[(9, 1)] * 3 + [(0, 0)]]], 0.25),
                                              ([[[(9, 1)]]], 0.0)])  # fmt: skip
def test_the_share_of_dedicated_grids(
    shape: list[list[list[tuple[int, int]]]], share: float
) -> None:
    plan = county(shape)
    assert dedicated_share(plan) == share
    assert dedicated_share(replace(plan, grids=plan.grids.iloc[:0])) is None
    bare = replace(plan, grids=plan.grids.drop(columns=["kind"]))
    assert dedicated_share(bare) == 0.0
