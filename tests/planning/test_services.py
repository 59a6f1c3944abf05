"""How far to the nearest service, on ground where the way can be paced out."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from planning.planfile import PlanFile
from planning.services import (
    Network,
    beyond_walk,
    compound_rooms,
    kind_of_service,
    nearest_services,
    places_of,
)

CRS = "EPSG:4549"


def plan(homes: list[tuple[float, float, int]], *, grids: int = 1) -> PlanFile:
    """Grids of 1 km side by side from the origin, with homes (x, y, households) in them."""
    boxes = [shapely.box(1000 * g, 0, 1000 * g + 1000, 1000) for g in range(grids)]
    codes = [f"G{g}" for g in range(grids)]
    own = [codes[min(int(x // 1000), grids - 1)] for x, _, _ in homes]
    points = gpd.GeoDataFrame(
        {"household_id": range(len(homes)), "households": [n for *_, n in homes], "grid_code": own},
        geometry=[shapely.Point(x, y) for x, y, _ in homes], crs=CRS,
    )  # fmt: skip
    held = [sum(n for (*_, n), c in zip(homes, own, strict=True) if c == code) for code in codes]
    frame = gpd.GeoDataFrame({"code": codes, "households": held}, geometry=boxes, crs=CRS)
    nothing = pd.DataFrame()
    return PlanFile(frame, points, frame, nothing, nothing, nothing)


def places(*rows: tuple[str, str, float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": [r[0] for r in rows], "kind": [r[1] for r in rows]},
        geometry=[shapely.Point(r[2:]) for r in rows], crs=CRS,
    )  # fmt: skip


def roads(*lines: list[tuple[float, float]], classes: list[str] | None = None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"road_class": classes or [""] * len(lines)},
        geometry=[shapely.LineString(line) for line in lines], crs=CRS,
    )  # fmt: skip


def test_half_of_the_households_have_at_most_that_way() -> None:
    own = plan([(100, 0, 10), (200, 0, 10), (900, 0, 9)])
    table = nearest_services(own, places(("甲", "mediation", 0, 0)))
    assert table[["grid_code", "kind", "name", "metres"]].to_numpy().tolist() == [
        ["G0", "mediation", "甲", 200.0]
    ]
    assert not table["beyond"].iloc[0]


def test_a_grid_is_beyond_the_walk_when_most_of_its_households_are() -> None:
    own = plan([(0, 0, 10), (1900, 0, 10), (1500, 0, 1)], grids=2)
    near = places(("甲", "mediation", 0, 0), ("所", "police_station", 1900, 0))
    table = nearest_services(own, near).set_index(["kind", "grid_code"])
    assert table.loc[("mediation", "G1"), "beyond"]
    assert table.loc[("mediation", "G1"), "share_beyond"] == 1.0
    assert not table.loc[("police_station", "G1"), "beyond"]
    assert beyond_walk(table.reset_index()) == {"mediation": ["G1"], "police_station": ["G0"]}
    closer = nearest_services(own, near, walk_m=5000)
    assert beyond_walk(closer) == {}


def test_the_road_may_lead_to_another_place_than_the_crow() -> None:
    """A river between: the near room is across it, the far one along the road."""
    own = plan([(0, 0, 5)])
    both = places(("对岸", "mediation", 0, 200), ("同岸", "mediation", 600, 0))
    network = Network.of_roads(
        roads([(0, 0), (600, 0), (900, 0), (900, 200), (0, 200)])
    )
    straight, along = nearest_services(own, both), nearest_services(own, both, network)
    assert (straight["name"].iloc[0], straight["metres"].iloc[0]) == ("对岸", 200.0)
    assert (along["name"].iloc[0], along["metres"].iloc[0]) == ("同岸", 600.0)


def test_crossing_roads_meet_and_motorways_are_not_walked() -> None:
    own, room = plan([(0, 0, 1)]), places(("室", "mediation", 500, 500))
    crossing = [[(0.0, 0.0), (1000.0, 0.0)], [(500.0, -100.0), (500.0, 500.0)]]
    met = nearest_services(own, room, Network.of_roads(roads(*crossing)))
    assert met["metres"].iloc[0] == pytest.approx(1000, abs=0.1)
    shortcut = [*crossing, [(0.0, 0.0), (500.0, 500.0)]]
    kinds = ["", "", "高速公路"]
    met = nearest_services(own, room, Network.of_roads(roads(*shortcut, classes=kinds)))
    assert met["metres"].iloc[0] == pytest.approx(1000, abs=0.1)
    assert Network.of_roads(roads([(0, 0), (1, 0)], classes=["motorway"])) is None


def test_where_no_road_leads_the_straight_way_counts() -> None:
    own, room = plan([(0, 0, 1)]), places(("室", "mediation", 600, 800))
    islands = Network.of_roads(roads([(-100, 0), (0, 0)], [(600, 800), (700, 800)]))
    assert nearest_services(own, room, islands)["metres"].iloc[0] == 1000.0


POINTS = st.tuples(st.integers(0, 999), st.integers(0, 999))


@given(
    st.lists(POINTS, min_size=1, max_size=6), st.lists(POINTS, min_size=1, max_size=4),
    st.lists(st.tuples(POINTS, POINTS).filter(lambda ends: ends[0] != ends[1]), min_size=1,
             max_size=6),
)  # fmt: skip
def test_no_road_is_shorter_than_the_straight_line(
    homes: list[tuple[int, int]],
    rooms: list[tuple[int, int]],
    lines: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    network = Network.of_roads(roads(*[[a, b] for a, b in lines]))  # type: ignore[list-item]
    assert network is not None
    xy, at = np.array(homes, dtype=float), np.array(rooms, dtype=float)
    far, which = network.ways(xy, at)
    straight = np.hypot(*(xy[:, None] - at[None]).transpose(2, 0, 1))
    found = which >= 0
    assert np.isfinite(far[found]).all()
    assert (far[found] >= straight[found, which[found]] - 1e-6).all()
    assert (~np.isfinite(far[~found])).all()


def test_a_grid_without_people_is_judged_from_inside() -> None:
    table = nearest_services(plan([(0, 0, 1)], grids=2), places(("室", "mediation", 0, 0)))
    assert table.set_index("grid_code").loc["G1", "metres"] > 1000


def test_compounds_of_up_to_five_hundred_households() -> None:
    own = plan([(100, 100, 500), (600, 100, 501), (1100, 100, 3)], grids=2)
    compounds = gpd.GeoDataFrame(
        {"name": ["小", "大", "东", "空"], "village_code": "V"},
        geometry=[shapely.box(x, 50, x + 100, 150) for x in (50, 550, 1050, 1500)], crs=CRS,
    )  # fmt: skip
    table = compound_rooms(own, compounds, places(("室", "mediation", 100, 100)))
    assert table[["name", "households", "grid_codes", "room"]].to_numpy().tolist() == [
        ["小", 500, "G0", "室"], ["东", 3, "G1", "室"],
    ]  # fmt: skip
    assert table["metres"].iloc[0] < 60
    none = compound_rooms(own, compounds, places(("所", "police_station", 0, 0)))
    assert none["metres"].isna().all()


@pytest.mark.parametrize(
    ("word", "kind"),
    [("人民调解室", "mediation"), ("网格驿站", "grid_station"), ("派出所", "police_station"),
     ("Police", "police_station"), ("公园", None)],
)  # fmt: skip
def test_kinds_of_services(word: str, kind: str | None) -> None:
    assert kind_of_service(word) == kind
    assert kind_of_service("", word) == kind


def test_services_and_stations_become_places() -> None:
    services = gpd.GeoDataFrame(
        {"name": ["甲调解室", "公园", "乙"], "category": [None, "公园", "网格驿站"]},
        geometry=[shapely.Point(118.8, 32.0), shapely.Point(118.8, 32.0), None], crs=4326,
    )  # fmt: skip
    stations = gpd.GeoDataFrame({"name": ["城东所"]}, geometry=[shapely.Point(0, 0)], crs=CRS)
    found = places_of(services, stations, CRS)
    assert list(found["kind"]) == ["mediation", "police_station"]
    assert found.crs == CRS
    assert len(places_of(None, None, CRS)) == 0
