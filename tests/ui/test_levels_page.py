"""Down and up through the levels: what is shown of a place is the sum of what is shown below."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pypdfium2
import pytest
import towns

from geo.problems import InputError
from planning.county import propose_county
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.sheets.fonts import find_font
from planning.tables import to_planfile
from ui.leaders import read_upload, sheets_of
from ui.levels import AREAS, CHAIN, LevelBook, Place, numbers, sums
from ui.views import PlanView


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    """Two townships, three villages, micro-grids."""
    x, y = towns.ORIGIN
    own = [
        towns.village("12|34\n--+--\n56|78", times=10, persons=3, code=code, at=(x + at, y))
        for code, at in (("320116001201", 0), ("320116001202", 900), ("320116002201", 1800))
    ]
    ground = towns.county(own)
    names = ["城中街道", "城中街道", "平桥镇"]
    ground = replace(ground, villages=ground.villages.assign(township_name=names))
    return to_planfile(propose_county(ground, Settings(target=120, micro=50)))


@pytest.fixture(scope="module")
def book(plan: PlanFile) -> LevelBook:
    return LevelBook(PlanView("p", plan, {}))


def test_every_place_is_the_sum_of_what_lies_below_it(book: LevelBook) -> None:
    seen: list[str] = []

    def down(place: Place) -> None:
        seen.append(place.level)
        assert book.agrees(place)
        row, below = book.row(place), book.below(place)
        assert row is not None
        if not len(below):
            return
        total = sums(below)
        assert total["households"] == int(row["households"])
        assert total["persons"] == int(row["persons"])
        for level, code in zip(below["level"], below["code"], strict=True):
            down(Place(level, code))

    down(book.root)
    assert set(seen) == set(CHAIN) - {"city"}
    assert book.root.level == "county"
    assert seen.count("township") == 2
    assert seen.count("village") == 3


def test_a_place_that_does_not_agree_is_told(plan: PlanFile) -> None:
    villages = plan.villages.assign(households=plan.villages["households"] + 1)
    wrong = LevelBook(PlanView("p", replace(plan, villages=villages), {}))
    code = str(plan.villages["code"].iloc[0])
    assert not wrong.agrees(Place("village", code))
    assert wrong.agrees(wrong.root)


def test_the_way_up_is_the_way_down(book: LevelBook) -> None:
    place, way = book.root, [book.root]
    while len(below := book.below(place)):
        place = Place(str(below["level"].iloc[-1]), str(below["code"].iloc[-1]))
        way.append(place)
    assert place.level == "micro_grid"
    assert book.path(place) == way
    assert book.path(Place("grid", "nowhere")) == [book.root]
    assert book.name(way[1], "zh") == "平桥镇"
    assert book.name(place, "zh") == place.code[-2:]
    assert " Grid " in book.name(way[3], "en")


def test_the_map_shows_what_lies_below(book: LevelBook) -> None:
    place = book.root
    while True:
        rows = book.below(place)
        scene = book.scene(place, "zh")
        layer = next(one for one in scene.layers if one.id == AREAS)
        meant = list(rows["code"]) if len(rows) else [place.code]
        assert sorted(layer.features) == sorted(meant)
        assert scene.bounds is not None
        told = json.loads(layer.features[meant[0]])
        own = book.table[book.table["code"] == meant[0]].iloc[-1]
        assert f"{int(own['households']):,}" in told["r"]
        if not len(rows):
            break
        place = Place(str(rows["level"].iloc[0]), str(rows["code"].iloc[0]))


def test_a_leaders_grids_alone_are_on_the_map(book: LevelBook, plan: PlanFile) -> None:
    codes = [str(plan.grids["code"].iloc[0]), str(plan.grids["code"].iloc[-1])]
    scene = book.followed("县长", codes, "zh")
    layer = next(one for one in scene.layers if one.id == AREAS)
    assert sorted(layer.features) == sorted(codes)


def test_a_leaders_sheets(plan: PlanFile) -> None:
    try:
        find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    codes = [str(code) for code in plan.grids["code"].iloc[:2]]
    data = sheets_of(PlanView("p", plan, {}), "县长", codes, "zh", "县")
    document = pypdfium2.PdfDocument(data)
    try:
        assert len(document) == 3
        assert "县长联系网格" in document[0].get_textpage().get_text_range()
    finally:
        document.close()


def test_an_uploaded_list_is_read_apart() -> None:
    text = "岗位,姓名,网格编码\n县长,某某,320116001201001\n"
    assert read_upload("领导.csv", text.encode()) == {"县长": ("320116001201001",)}
    with pytest.raises(InputError):
        read_upload("领导.csv", b"\x00\x01")


def test_a_sum_of_which_a_part_is_unknown_is_unknown() -> None:
    rows = pd.DataFrame({"households": [1, 2], "persons": pd.array([1, None], dtype="Int64")})
    assert sums(rows)["households"] == 3
    assert sums(rows)["persons"] is None


def test_maps_of_grids_say_numbers_and_villages_where_they_are_several() -> None:
    grids = pd.DataFrame(
        [("320116001201001", "320116001201", "柳塘村第一网格", "柳塘村"),
         ("320116001201901", "320116001201", "柳塘小学专属网格", "柳塘村"),
         ("320116001203002", "320116001201", "石桥村第二网格", "柳塘村")],
        columns=["code", "village_code", "name", "village_name"],
    )  # fmt: skip
    assert numbers(grids) == ["001", "901", "石桥村 002"]
    grids.loc[1, ["code", "village_code", "village_name"]] = ["320116001202001", "320116001202",
                                                             "石桥村"]  # fmt: skip
    assert numbers(grids) == ["柳塘村 001", "石桥村 001", "石桥村 002"]
