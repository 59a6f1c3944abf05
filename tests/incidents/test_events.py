"""Files of events become one table; what no file tells stays unknown."""

from __future__ import annotations

import numpy as np
import pytest
from making import METRIC, X0, Y0, events, layer
from pyproj import CRS

from geo.problems import InputError
from geo.read import read_layer
from incidents.categories import SEVEN, SIX, THREE, default_table, read_table, write_table
from incidents.events import load_events
from incidents.words import SOURCES, STATES, source_of, state_of


def test_files_with_different_columns_become_one_table() -> None:
    first = layer(
        {"x": [X0, np.nan], "y": [Y0, np.nan], "category": ["盗窃", "井盖破损"],
         "status": ["已办结", ""]}
    )  # fmt: skip
    second = layer({"x": [X0 + 1], "y": [Y0], "source": ["网格巡查"]}, name="b.csv")
    whole = load_events([first, second], crs=METRIC)
    assert len(whole) == 3
    assert list(whole.placed) == [True, False, True]
    assert [SOURCES[s] for s in whole.source] == ["unknown", "unknown", "discovered"]
    assert [STATES[s] for s in whole.state] == ["close", "unknown", "unknown"]
    assert list(whole.group) == [0, 5, -1]
    assert np.isnat(whole.time).all()
    assert list(whole.file) == [0, 0, 1]
    assert [f.name for f in whole.files] == ["a.csv", "b.csv"]
    assert whole.unmapped() == {"": 1}


def test_degrees_become_metres_and_shifted_ones_are_put_back() -> None:
    lon, lat = [120.0, 120.01], [32.5, 32.51]
    plain = load_events([layer({"x": lon, "y": lat}, crs=CRS.from_epsg(4326))])
    assert plain.crs.to_epsg() == 4549
    shifted = load_events([layer({"x": lon, "y": lat}, crs=CRS.from_epsg(4326))], datum="gcj02")
    away = np.hypot(plain.x - shifted.x, plain.y - shifted.y)
    assert ((away > 400) & (away < 650)).all()


def test_taking_some_keeps_all_columns() -> None:
    whole = events(50)
    some = whole.take(np.arange(10))
    assert len(some) == len(some.category) == len(some.time) == 10
    assert some.files == whole.files


def test_no_event_and_no_place_are_refused() -> None:
    with pytest.raises(InputError, match="holds no event"):
        load_events([layer({"x": [], "y": []})])
    with pytest.raises(InputError, match="usable coordinates"):
        load_events([layer({"x": [np.nan], "y": [np.nan], "category": ["a"]})])


def test_an_occurrence_beside_a_report_is_the_time(tmp_path) -> None:
    path = tmp_path / "incidents.csv"
    path.write_text(
        "发生时间,上报时间,办结时间,办理时限,承办部门,报警人,经度,纬度\n"
        "2024-03-01 08:00,2024-03-01 09:30,2024-03-03 09:30,2024-03-02 09:30,城管局,"
        "不应保留,120,32\n",
        "utf-8",
    )
    whole = load_events([read_layer(path, "incidents")])
    assert whole.time[0] == np.datetime64("2024-03-01T08:00")
    assert whole.reported[0] == np.datetime64("2024-03-01T09:30")
    assert whole.closed[0] == np.datetime64("2024-03-03T09:30")
    assert whole.due[0] == np.datetime64("2024-03-02T09:30")
    assert list(whole.department) == ["城管局"]
    assert STATES[whole.state[0]] == "close"
    assert whole.dropped == (("incidents.csv", "报警人", 1),)
    assert not any("不应保留" in str(getattr(whole, name)) for name in vars(whole))


def test_a_date_and_a_clock_are_still_one_time(tmp_path) -> None:
    path = tmp_path / "incidents.csv"
    path.write_text("发生日期,发生时间,经度,纬度\n20240301,92500,120,32\n", "utf-8")
    whole = load_events([read_layer(path, "incidents")])
    assert whole.time[0] == np.datetime64("2024-03-01T09:25")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("12345热线", "reported"), ("110非警务", "reported"), ("群众来访", "reported"),
        ("网格巡查", "discovered"), ("视频监控", "discovered"), ("Patrol", "discovered"),
        ("", "unknown"), ("某系统", "unknown"),
    ],
)  # fmt: skip
def test_sources(text: str, meaning: str) -> None:
    assert SOURCES[source_of(text)] == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("已办结", "close"), ("未办结", "handle"), ("处置中", "handle"), ("已派单", "dispatch"),
        ("已立案", "verify"), ("待受理", "report"), ("已评价", "assess"),
        ("Under investigation", "handle"), ("", "unknown"),
        ("Investigation complete; no suspect identified", "close"),
    ],
)  # fmt: skip
def test_states(text: str, meaning: str) -> None:
    assert STATES[state_of(text)] == meaning


@pytest.mark.parametrize(
    ("classes", "category", "subtype", "key"),
    [
        (SIX, "城市管理", "乱停车", "city_management"), (SIX, "", "井盖破损", "city_components"),
        (SIX, "A2", "追撞", "public_safety"), (SIX, "Vehicle crime", "", "public_order"),
        (SIX, "Business matters", "", ""), (SIX, "矛盾纠纷", "", "special_tasks"),
        (THREE, "家庭矛盾", "", "family"), (SEVEN, "物业纠纷", "", "property"),
    ],
)  # fmt: skip
def test_classes(classes, category: str, subtype: str, key: str) -> None:
    found = default_table(classes).classify([category], [subtype])
    assert ("", *classes.keys)[found.number[0] + 1] == key


def test_sensitive_kinds_are_marked() -> None:
    kinds = ["家庭暴力", "占道经营", "Violence and sexual offences"]
    found = default_table().classify(kinds, [""] * 3)
    assert list(found.sensitive) == [True, False, True]


def test_the_table_goes_out_edited_and_in(tmp_path) -> None:
    path = tmp_path / "table.csv"
    edited = default_table().changed("某某事项", "environment", sensitive=True)
    write_table(edited, path)
    again = read_table(path)
    assert dict(again.rows) == dict(edited.rows)
    whole = events(20, category=["某某事项"] * 20).classified(again)
    assert (whole.group == SIX.keys.index("environment")).all()
    assert whole.sensitive.all()


def test_a_table_without_marks_makes_nothing_public(tmp_path) -> None:
    """Whoever maps kinds onto classes and says nothing of sensitive ones leaves them hidden."""
    path = tmp_path / "own.csv"
    path.write_text("local,class\n家庭暴力,社会治安\n打架,社会治安\n", "utf-8")
    own = read_table(path)
    kinds = ["家庭暴力", "邻里打架", "社会治安/强奸", "Domestic dispute"]
    assert own.classify(kinds, [""] * 4).sensitive.tolist() == [True, False, True, True]
    assert own.classify(["家庭暴力"], [""]).number[0] == SIX.keys.index("public_order")
    (note,) = own.notes
    assert note.severity == "note"
    assert "stay sensitive" in note.text("en")
    assert "仍按敏感处理" in note.text("zh")
    rows = "local,class,sensitive\n家庭暴力,社会治安,0\n打架,社会治安,是\n盗窃,,\n"
    path.write_text(rows, "utf-8")
    said = read_table(path)
    kinds = ["家庭暴力", "邻里打架", "家暴", "盗窃"]
    assert said.classify(kinds, [""] * 4).sensitive.tolist() == [False, True, True, False]
    path.write_text("local,class,sensitive\n家庭暴力,社会治安,maybe\n", "utf-8")
    with pytest.raises(InputError, match="'maybe' in the column sensitive"):
        read_table(path)


def test_a_table_that_says_everything_has_no_note(tmp_path) -> None:
    write_table(default_table(), tmp_path / "all.csv")
    assert read_table(tmp_path / "all.csv").notes == ()


@pytest.mark.parametrize(
    ("category", "subtype", "sensitive"),
    [
        ("Minor injury crash", "", False), ("Traffic", "Minor damage", False),
        ("Assault on a minor", "", True), ("Missing minors", "", True),
        ("Minor victim", "", True), ("市容", "儿童游乐设施损坏", False), ("走失", "儿童走失", True),
    ],
)  # fmt: skip
def test_a_sensitive_word_is_meant_as_one(category: str, subtype: str, sensitive: bool) -> None:
    assert default_table().classify([category], [subtype]).sensitive[0] == sensitive


def test_a_row_of_the_whole_kind_decides_about_it() -> None:
    """Unticked is unticked, whatever words stand in the kind; its neighbours stay as they were."""
    table = default_table().changed("儿童/儿童座椅损坏", "city_components")
    table = table.changed("minor child found", "special_tasks")
    found = table.classify(["儿童", "儿童", "Minor child found", "Minor child lost"],
                           ["儿童座椅损坏", "儿童座椅被盗", "", ""])  # fmt: skip
    assert found.sensitive.tolist() == [False, True, False, True]
    marked = default_table().changed("公示牌/倾斜", "city_components", sensitive=True)
    found = marked.classify(["公示牌", "公示牌"], ["倾斜", "破损"])
    assert found.sensitive.tolist() == [True, False]


def test_every_wrong_row_of_a_table_is_told(tmp_path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("local,class\n井盖,城市部件\n井盖,环境保护\n路灯,nothing\n", "utf-8")
    with pytest.raises(InputError) as error:
        read_table(path)
    assert [p.where for p in error.value.problems] == ["row 3", "row 4"]
    path.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, match="columns local,class"):
        read_table(path)
    with pytest.raises(ValueError, match="no class"):
        default_table().changed("a", "b")


def test_a_file_of_sensors_without_a_source_column_was_found_not_reported() -> None:
    places = {"x": [X0, X0 + 9], "y": [Y0, Y0], "category": ["火灾", "火灾"]}
    hotline = layer(places, name="12345热线.xlsx")
    told = load_events([layer(places, name="感知设备告警.csv"), hotline], crs=METRIC)
    assert told.source.tolist() == [2, 2, 0, 0]
    assert [note.code for note in told.notes] == ["events-found-by-name"]
    plain = load_events([layer({**places, "source": ["来访", ""]}, name="sensors.csv")], crs=METRIC)
    assert plain.source.tolist() == [1, 0]  # where a column tells it, the name is not asked
