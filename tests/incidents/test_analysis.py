"""One call gives what a page shows; what is shared is read from one protected set of tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from attack import BY_ROWS, worked_out
from making import METRIC, X0, Y0, events, grids, layer

from geo.crs import metric_crs
from geo.geopackage import read_whole, write_whole
from geo.problems import InputError
from geo.read import read_layer
from incidents.analysis import Parameters, Prepared, analyse, prepare
from incidents.areas import Homes, areas_of
from incidents.disclosure import Mark
from incidents.events import load_events
from incidents.hotspotfile import layers_of, write_hotspots
from incidents.period import Period
from incidents.selection import Selection
from incidents.share_axes import ELSEWHERE
from incidents.sharedfile import shared_layers, write_shared
from incidents.sharing import Shared, share


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """2,000 events, a quarter of them in one corner; 300 households in each grid."""
    rng = np.random.default_rng(5)
    x = X0 + rng.uniform(0, 4000, 2000)
    y = Y0 + rng.uniform(0, 4000, 2000)
    x[:500], y[:500] = X0 + 500 + rng.normal(0, 100, 500), Y0 + 500 + rng.normal(0, 100, 500)
    x[500:530] = np.nan
    xy = np.column_stack([X0 + rng.uniform(0, 4000, 4800), Y0 + rng.uniform(0, 4000, 4800)])
    homes = Homes(xy, np.ones(4800), np.full(4800, 3.0))
    areas = areas_of(METRIC, grids=grids(), homes=homes)
    return prepare(events(2000, x=x, y=y), areas, homes=homes)


@pytest.fixture(scope="module")
def shared(prepared) -> Shared:
    return share(prepared)


def test_the_hot_corner_is_found_and_little_else(prepared) -> None:
    found = analyse(prepared)
    rows, columns = np.nonzero(found.significance.hot)
    away = np.hypot(rows * 200 + 100 - 500, columns * 200 + 100 - 500)
    assert 4 <= len(rows) <= 40
    assert (away < 800).all()
    assert found.counts.sum() == found.mapped
    assert found.mapped + int(found.tables["county"]["count"].iloc[-2:].sum()) == len(found.rows)
    assert found.development is not None
    assert {a.surface for a in found.accuracy} == {"density", "count"}


def test_every_event_is_counted_or_left_out_for_a_reason(prepared) -> None:
    period = Period(np.datetime64("2024-01-01"), np.datetime64("2025-01-01"))
    for selection in (
        Selection(), Selection(source="all"), Selection(period, "city_management", "discovered"),
        Selection(period, "环境保护", without_piles=True),
    ):  # fmt: skip
        found = analyse(prepared, selection, trend=False)
        left = sum(n for reason, n in found.left_out.items() if reason != "no-time-but-counted")
        assert len(found.rows) + left == 2000
        for table in found.tables.values():
            assert table["count"].sum() == len(found.rows)


def test_changes_compare_counts_of_the_same_filter(prepared) -> None:
    year = Period(np.datetime64("2024-01-01"), np.datetime64("2025-01-01"))
    before = Period(np.datetime64("2023-01-01"), np.datetime64("2024-01-01"))
    now = analyse(prepared, Selection(year), trend=False).tables["county"]
    then = analyse(prepared, Selection(before), trend=False).tables["county"]
    expected = now["count"].iloc[0] / then["count"].iloc[0] - 1
    assert now["change_on_year"].iloc[0] == pytest.approx(expected)
    assert now["change_on_period"].iloc[0] == pytest.approx(-expected / (1 + expected), abs=2)
    assert then["change_on_year"].isna().all()


def test_patrols_bring_the_warning_and_only_they(prepared) -> None:
    assert analyse(prepared, trend=False).notes == ()
    notes = analyse(prepared, Selection(source="all"), trend=False).notes
    assert [note.code for note in notes] == ["hotspots-feedback"]


def test_the_file_is_read_back_as_it_was(prepared, tmp_path) -> None:
    found = analyse(prepared)
    write_hotspots(prepared, found, tmp_path / "hotspots.gpkg", {"program": "test"})
    again = read_whole(tmp_path / "hotspots.gpkg")
    made = layers_of(prepared, found, {"program": "test"})
    assert again.keys() == made.keys()
    for name, frame in made.items():
        assert len(again[name]) == len(frame)
        assert list(again[name].columns) == list(frame.columns)
    cells = again["cells"]
    assert cells["count"].sum() == found.mapped
    assert cells.crs == METRIC
    assert (cells.geometry.area == 200 * 200).all()
    write_hotspots(prepared, found, tmp_path / "second.gpkg", {"program": "test"})
    first, second = (tmp_path / f"{name}.gpkg" for name in ("hotspots", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_file_is_written_whole_or_not_at_all(prepared, tmp_path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"old")
    bad = {"one": layers_of(prepared, analyse(prepared, trend=False))["cells"]}
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(bad, tmp_path / "missing" / "a.gpkg")
    with pytest.raises(InputError, match=r"end with \.gpkg"):
        write_whole(bad, tmp_path / "a.txt")
    assert path.read_bytes() == b"old"
    with pytest.raises(InputError, match="no readable GeoPackage"):
        read_whole(path)
    with pytest.raises(InputError, match="no such file"):
        read_whole(tmp_path / "none.gpkg")
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]


def test_what_is_shared_cannot_be_worked_out() -> None:
    """The whole way from events, with few of them, so that a solver is done in seconds."""
    whole = events(900, 3)
    whole = whole.take(whole.months < whole.months.min() + 3)
    few = grids(2, 2000.0).assign(village_code=["V1", "V1", "V2", "V2"], township_name="T")
    made = share(prepare(whole, areas_of(METRIC, grids=few)))
    assert len(made.common.months) == 3
    hidden = 0
    for held in made.common.months.values():
        hidden += sum(int((m != Mark.SHOWN).sum()) for m in held.marks.values())
        assert worked_out(held, BY_ROWS) == []
    assert hidden


def test_shared_rows_are_those_of_the_analyst_or_hidden(prepared, shared) -> None:
    found = analyse(prepared, trend=False)
    exact = found.tables["grid"].set_index("code")["count"]
    rows = shared.rows("grid").set_index("code")
    assert rows.index[-1] == ELSEWHERE
    for code, count, shown in rows.itertuples():
        true = exact["outside"] + exact["unplaced"] if code == ELSEWHERE else exact[code]
        assert (count == true and shown == str(true)) or shown in ("<3", "—")
    month = shared.rows("township", "2024", "environment")
    assert ((month["count"] >= 3) | month["count"].isna()).all()


def test_sensitive_kinds_stand_apart(prepared) -> None:
    kinds = np.where(np.arange(600) < 60, "家庭暴力", "环境保护")
    whole = events(600, category=kinds, source=["12345热线"] * 600)
    made = share(prepare(whole, prepared.areas))
    assert made.sensitive is not None
    secret, common = made.sensitive.years, made.common.years
    assert not made.sensitive.months
    assert {table[0] for held in secret.values() for table in held.marks} == {"township", "county"}
    assert sum(held.cube.counts.sum() for held in secret.values()) == 60
    assert sum(held.cube.counts.sum() for held in common.values()) == 540
    assert {held.threshold for held in secret.values()} == {5}


def test_areas_of_a_few_households_show_nothing() -> None:
    few = grids().assign(households=[5, *[300] * 15])
    made = share(prepare(events(3000), areas_of(METRIC, grids=few)))
    rows = made.rows("grid").set_index("code")
    assert rows.loc["G00", "shown"] == "—"
    assert (rows["shown"] == "—").sum() > 1  # another one is withheld, or it could be subtracted


def test_the_leaders_file_holds_areas_only(prepared, shared, tmp_path) -> None:
    march = Period(np.datetime64("2024-03-01"), np.datetime64("2024-04-01"))
    found = analyse(prepared, Selection(march), trend=False)
    write_shared(shared, found, tmp_path / "leaders.gpkg")
    again = read_whole(tmp_path / "leaders.gpkg")
    assert "unplaced" not in again
    assert set(again["cells"].columns) == {
        "cell", "significant", "direction", "trend", "geometry",
    }  # fmt: skip
    large = again["by_township"].set_index("code")
    assert (large["suppressed"] == large["count"].isna()).all()
    assert large["count"].dropna().min() >= 3
    assert large["rate_per_1000"].notna().sum() <= (large["count"] >= 10).sum()
    assert set(again["by_village"]["shown"]) == {"—"}  # small areas are told by the year
    keys = set(again["provenance"]["key"])
    assert not any(key.startswith(("count.outside", "left_out", "closure")) for key in keys)
    assert shared_layers(shared, found).keys() == again.keys()
    told = dict(zip(again["provenance"]["key"], again["provenance"]["value"], strict=True))
    county = shared.rows("county", "2024-03")
    assert told["count.in_county"] == county["shown"].iloc[0]
    assert told["filter.period"] == "2024-03-01/2024-03-31"


def test_no_line_of_provenance_counts_sensitive_events(prepared) -> None:
    """No file tells a source, so all of a month would be "of unknown source": less the published
    ones that is what the sensitive kinds hide."""
    marked = np.zeros(len(prepared.events), dtype=bool)
    marked[[3, 5]] = True
    secret = replace(prepared, events=replace(
        prepared.events, sensitive=marked, source=np.full(2000, 0, dtype=np.int8),
    ))  # fmt: skip
    shared = share(secret)
    for selection in (Selection(), Selection(category="environment")):
        found = analyse(secret, selection, trend=False)
        layers = shared_layers(shared, found)
        values = set(layers["provenance"]["value"])
        exact = {str(n) for n in (len(found.rows), found.mapped, len(secret.events))}
        assert not exact & values
        assert "about 2,000" in values


@pytest.mark.parametrize("how", [Parameters(bandwidth=50.0), Parameters(cell=20.0)])
def test_maps_for_others_are_no_finer_than_a_street(prepared, shared, how) -> None:
    with pytest.raises(InputError, match="point at doors"):
        shared_layers(shared, analyse(prepared, parameters=how, trend=False))


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(category="某某"), "by class"),
        (Selection(source="all"), "nothing else"),
        (Selection(Period(np.datetime64("2024-03-02"), np.datetime64("2024-04-01"))), "by month"),
        (Selection(Period(np.datetime64("2024-03-01"), None)), "by month"),
    ],
)
def test_what_is_no_row_of_the_tables_is_not_shared(prepared, shared, selection, words) -> None:
    whole = events(500, category=["某某"] * 500)
    other = prepare(whole, prepared.areas)
    with pytest.raises(InputError, match=words):
        shared_layers(shared, analyse(other, selection, trend=False))


def test_what_cannot_be_asked(prepared) -> None:
    with pytest.raises(InputError, match="no class and no kind"):
        analyse(prepared, Selection(category="nothing"))
    early = Period(np.datetime64("1990-01-01"), np.datetime64("1990-02-01"))
    with pytest.raises(InputError, match="no event fits"):
        analyse(prepared, Selection(early))
    without = prepare(events(30), prepared.areas)
    with pytest.raises(InputError, match="no households"):
        analyse(without, parameters=Parameters(exposure="households"))
    with pytest.raises(InputError, match="no cells of -1 m"):
        prepare(events(30), prepared.areas, cell=-1)


def real_prepared(folder: Path, incidents: str, areas: str, role: str) -> Prepared:
    base = read_layer(folder / areas if ":" not in areas else f"{folder / areas}", role)
    frame = gpd.GeoDataFrame(base.frame, crs=base.crs)
    west, south, east, north = frame.to_crs(4326).total_bounds
    crs = metric_crs((west + east) / 2, (south + north) / 2)
    made = areas_of(crs, **{role: frame.to_crs(crs)})
    whole = load_events([read_layer(folder / incidents, "incidents")], crs=crs)
    return prepare(whole, made)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "incidents", "areas", "role", "read", "most_outside"),
    [
        ("cambridge_ma", "incidents.csv", "cambridge.gpkg:police_response_districts", "beats",
         10_335, 120),
        ("uk_canterbury", "incidents.csv", "uk_canterbury.gpkg:lsoa", "villages", 6_914, 1500),
        ("chicago", "chicago.gpkg:carjackings_2020", "chicago.gpkg:police_beats", "beats",
         1_412, 5),
    ],
)  # fmt: skip
def test_real_places(real_data, name, incidents, areas, role, read, most_outside) -> None:
    made = real_prepared(real_data(name) / "clean", incidents, areas, role)
    found = analyse(made, trend=False)
    assert len(made.events) == read == len(found.rows)
    for table in found.tables.values():
        assert table["count"].sum() == read
        assert table.set_index("code")["count"]["outside"] <= most_outside
    assert 0 < found.significance.hot.sum() < 0.2 * found.cells.inside.sum()


@pytest.mark.real
def test_beats_told_in_the_file_are_those_found(real_data) -> None:
    """Chicago names the beat of each event; where geometry differs, a border street is near."""
    folder = real_data("chicago") / "clean"
    made = real_prepared(folder, "chicago.gpkg:carjackings_2020", "chicago.gpkg:police_beats",
                         "beats")  # fmt: skip
    told = read_layer(f"{folder}/chicago.gpkg:carjackings_2020", "incidents").frame["beat"]
    codes = np.append(made.areas.levels["beat"].codes, "")
    found = [str(code).lstrip("0") for code in codes[np.maximum(made.at["beat"], -1)]]
    same = [a == str(b).lstrip("0") for a, b in zip(found, told, strict=True)]
    assert np.mean(same) > 0.9
    level = made.areas.levels["beat"]
    shapes = dict(zip((c.lstrip("0") for c in level.codes), made.areas.shapes("beat"), strict=True))
    away = [
        shapes[str(code).lstrip("0")].distance(shapely.Point(x, y))
        for code, x, y, ok in zip(told, made.events.x, made.events.y, same, strict=True)
        if not ok and str(code).lstrip("0") in shapes
    ]
    assert np.quantile(away, 0.9) < 60


def test_an_empty_layer_has_no_events() -> None:
    with pytest.raises(InputError, match="no event"):
        load_events([layer({"x": [], "y": []})])


def test_nothing_of_a_sensitive_kind_is_drawn_for_leaders(prepared) -> None:
    """The hot corner is sensitive: the analyst sees it, the file for leaders shows no trace."""
    corner = (prepared.events.x < X0 + 1100) & (prepared.events.y < Y0 + 1100)
    marked = replace(prepared.events, sensitive=np.asarray(corner))
    secret = replace(prepared, events=marked)
    found = analyse(secret)
    assert found.significance.hot.any()
    layers = shared_layers(share(secret), found)
    never = prepare(
        prepared.events.take(np.flatnonzero(~corner)), prepared.areas,
        homes=Homes(*_people(prepared)),
    )  # fmt: skip
    wanted = shared_layers(share(never), analyse(never))
    for name in ("cells", "density"):  # as if those events had never been
        assert layers[name].geometry.equals(wanted[name].geometry), name
    near = shapely.box(X0 + 1, Y0 + 1, X0 + 999, Y0 + 999)
    assert not layers["density"].geometry.intersects(near).any()
    open_layers = shared_layers(share(prepared), analyse(prepared))
    assert open_layers["density"].geometry.intersects(near).any()  # else this shows nothing


def _people(prepared: Prepared) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Homes in the middle of each cell, as many as the cell holds."""
    assert prepared.households is not None
    inside = prepared.cells.inside
    middle = shapely.get_coordinates(shapely.centroid(prepared.cells.polygons()))
    held = prepared.households[inside]
    return middle, held, held * 3


def test_no_density_is_drawn_where_a_few_households_live(prepared) -> None:
    assert prepared.households is not None
    hot = analyse(prepared).significance.hot
    few = replace(prepared, households=np.where(hot, 3.0, prepared.households))
    found = replace(analyse(few), significance=analyse(prepared).significance)
    squares = shapely.union_all(found.cells.polygons()[hot[found.cells.inside]])
    layer = shared_layers(share(few), found)["density"]
    assert not layer.geometry.intersects(squares.buffer(-1)).any()
