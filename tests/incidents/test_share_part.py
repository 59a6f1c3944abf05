"""A township's leaders read the county's rows, and together with the county's no more."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from attack import BY_ROWS, worked_out
from making import METRIC, X0, Y0, events, grids

from geo.problems import InputError
from incidents.analysis import Prepared, analyse, prepare
from incidents.areas import Homes, areas_of
from incidents.share_part import areas_of_villages, cells_of, part_of
from incidents.sharedfile import shared_layers
from incidents.sharing import Shared, share

TOWN = ("V0", "V1")  # the villages of T0, of grids() with four by four


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(events(1500, 5), areas_of(METRIC, grids=grids()))


@pytest.fixture(scope="module")
def county(prepared) -> Shared:
    return share(prepared)


@pytest.fixture(scope="module")
def town(county) -> Shared:
    return part_of(county, TOWN)


def monthly(counts: dict[tuple[float, float], list[int]]) -> Prepared:
    """So many reported events at each place in each month of 2023."""
    x, y, time = [], [], []
    for (east, north), each in counts.items():
        for month, many in enumerate(each):
            x += [X0 + east] * many
            y += [Y0 + north] * many
            start = (np.datetime64("2023-01", "M") + month).astype("datetime64[s]")
            time += [start + np.timedelta64(i, "h") for i in range(many)]
    table = {"category": ["环境保护"] * len(x), "source": ["12345热线"] * len(x),
             "status": ["已办结"] * len(x)}  # fmt: skip
    told = events(len(x), x=x, y=y, time=np.array(time), **table)
    return prepare(told, areas_of(METRIC, grids=grids()))


def test_the_attack_sees_what_two_sets_of_tables_give() -> None:
    """A township protected by itself tells its villages by month; the county tells them by year.
    The month that is hidden is the year less the other eleven. Read from the county's tables, no
    village has a month."""
    quiet = [4, 4, 1, *[4] * 9]
    whole = monthly({(500, 500): quiet, (2500, 500): [5] * 12, (500, 2500): [6] * 12,
                     (2500, 2500): [6] * 12})  # fmt: skip
    county, town = share(whole), np.flatnonzero(whole.at["township"] == 0)
    alone = share(prepare(whole.events.take(town), areas_of_villages(whole.areas, TOWN)))
    months = [alone.rows("village", f"2023-{m:02d}").set_index("code").loc["V0"]
              for m in range(1, 13)]  # fmt: skip
    shown = [float(row["count"]) for row in months]
    assert months[2]["shown"] == "<3"
    year = float(county.rows("village", "2023").set_index("code").loc["V0", "count"])
    assert year - np.nansum(shown) == 1  # what "<3" hid
    part = part_of(county, TOWN)
    assert part.rows("village", "2023").set_index("code").loc["V0", "count"] == year
    with pytest.raises(KeyError):
        part.rows("village", "2023-03")


def test_a_township_has_the_countys_rows_and_no_month_of_a_village(county, town) -> None:
    for period in ("", "2023", "2024", "2024-03"):
        for kind in ("", "environment"):
            for level in ("township", "village", "grid"):
                try:
                    whole = county.rows(level, period, kind).set_index("code")
                except KeyError:
                    with pytest.raises(KeyError):
                        town.rows(level, period, kind)
                    continue
                own = town.rows(level, period, kind).set_index("code")
                assert len(own)
                assert own["shown"].equals(whole.loc[own.index, "shown"])
                assert own["count"].equals(whole.loc[own.index, "count"])
            total = town.rows("county", period, kind)
            row = county.rows("township", period, kind).set_index("code").loc["T0"]
            assert total["shown"].tolist() == [row["shown"]]
    with pytest.raises(KeyError):
        town.rows("village", "2024-03")


def test_the_sum_of_two_townships_is_told_where_both_are(county) -> None:
    both = part_of(county, ("V0", "V1", "V2", "V3"))
    assert both.rows("county", "2024")["count"].tolist() == [
        county.rows("county", "2024")["count"].iloc[0]
    ]
    assert len(both.rows("county", "2024")) == 1  # what lies elsewhere is nobody's part


def test_villages_across_townships_are_added_up_by_year_only(county) -> None:
    some = part_of(county, ("V0", "V2"))
    year = county.rows("village", "2024").set_index("code")["count"]
    assert some.rows("county", "2024")["count"].iloc[0] == year["V0"] + year["V2"]
    assert some.rows("township", "2024")["shown"].tolist() == ["—", "—"]
    with pytest.raises(KeyError):
        some.rows("county", "2024-03")


def test_a_beat_that_reaches_beyond_is_not_told(prepared) -> None:
    frame = grids()
    lower, upper = frame.iloc[:12].union_all(), frame.iloc[12:].union_all()
    beats = gpd.GeoDataFrame({"code": ["B1", "B2"]}, geometry=[lower, upper], crs=METRIC)
    made = share(prepare(prepared.events, areas_of(METRIC, grids=frame, beats=beats)))
    rows = part_of(made, TOWN).rows("beat", "2024").set_index("code")
    assert rows["shown"].to_dict() == {"B1": "—"}
    other = part_of(made, ("V2", "V3")).rows("beat", "2024").set_index("code")
    assert other.loc["B1", "shown"] == "—"
    assert other.loc["B2", "count"] > 0


def test_a_beat_of_a_border_of_its_own_belongs_to_it(prepared) -> None:
    """Drawn two metres off the townships' border, and across grids: it is the township's."""
    west, south, east, north = prepared.areas.ground.bounds
    halves = [shapely.box(west, south, east, south + 2002),
              shapely.box(west, south + 2002, west + 1500, north),
              shapely.box(west + 1500, south + 2002, east, north)]  # fmt: skip
    beats = gpd.GeoDataFrame({"code": ["B1", "B2", "B3"]}, geometry=halves, crs=METRIC)
    made = share(prepare(prepared.events, areas_of(METRIC, grids=grids(), beats=beats)))
    assert made.areas.levels["beat"].own is not None
    lower = part_of(made, TOWN)
    assert lower.rows("beat", "2024")["code"].tolist() == ["B1"]
    assert lower.rows("beat", "2024")["count"].iloc[0] > 100
    assert "beat" not in lower.tiles
    assert part_of(made, ("V2", "V3")).rows("beat", "2024")["code"].tolist() == ["B2", "B3"]


def test_a_closure_is_that_of_the_township(county, town) -> None:
    told = county.loop("township", "2024").set_index("code").loc["T0"]
    own = town.loop("county", "2024")[["closed", "dispatched"]].iloc[0]
    np.testing.assert_equal(own.tolist(), told.tolist())
    with pytest.raises(KeyError):
        town.loop("county", "2024-03")


def test_the_file_of_a_part_is_cut_out_of_the_countys(prepared, county, town) -> None:
    rng = np.random.default_rng(1)
    corner = np.array([500_500.0, 3_600_500.0])
    hot = np.arange(1500) < 300
    xy = np.where(hot[:, None], corner + rng.normal(0, 80, (1500, 2)),
                  np.column_stack([prepared.events.x, prepared.events.y]))  # fmt: skip
    told = events(1500, 5, x=xy[:, 0], y=xy[:, 1])
    homes = Homes(np.column_stack([told.x, told.y]) + 5, np.full(1500, 9.0), np.full(1500, 20.0))
    piled = prepare(told, prepared.areas, homes=homes)
    shared = share(piled)
    found = analyse(piled)
    whole = shared_layers(shared, found)
    for villages in (TOWN, ("V2", "V3")):
        part = part_of(shared, villages)
        own = shared_layers(part, found)
        assert set(own["cells"]["cell"]) <= set(whole["cells"]["cell"])
        assert set(own["by_village"]["code"]) == set(villages)
        assert set(own["tables"]["level"]) <= {"grid", "village", "township"}
        merged = own["tables"].merge(whole["tables"], how="left", indicator=True)
        assert (merged["_merge"] == "both").all()
        assert len(own["by_county"]) == 1
    both = [set(shared_layers(part_of(shared, v), found)["cells"]["cell"])
            for v in (TOWN, ("V2", "V3"))]  # fmt: skip
    assert both[0] | both[1] == set(whole["cells"]["cell"])
    assert not both[0] & both[1]


def test_people_and_ground_of_a_part_are_those_of_its_grids(prepared) -> None:
    areas = areas_of_villages(prepared.areas, TOWN)
    assert len(areas.units) == 8
    assert areas.levels["county"].persons.tolist() == [8 * 900]
    assert areas.levels["village"].households.tolist() == [4 * 300, 4 * 300]
    assert areas.levels["township"].area_km2.tolist() == [8.0]
    assert cells_of(prepared.cells, areas, prepared.areas).sum() == 200
    with pytest.raises(InputError, match="no areas"):
        areas_of_villages(prepared.areas, ["nowhere"])


def test_what_is_told_to_both_gives_nothing_back() -> None:
    """One publication, one proof: the solver knows all that the two leaders hold together."""
    few = grids(2, 2000.0).assign(
        village_code=["V1", "V2", "V3", "V3"], township_name=["T", "T", "U", "U"]
    )
    told = events(320, 8, category=["环境保护"] * 320)
    inside = told.take(told.months < told.months.min() + 12)
    made = share(prepare(inside, areas_of(METRIC, grids=few)))
    part = part_of(made, ("V1", "V2"))
    assert part.common is made.common
    for held in [*made.common.months.values(), *made.common.years.values()]:
        assert worked_out(held, BY_ROWS) == []
