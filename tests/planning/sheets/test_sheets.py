"""Map sheets: every subject has its page, everything on it stays on the paper, nothing personal."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pypdfium2
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from geo.problems import InputError
from planning.beats.judge import BEAT_RULES
from planning.county import Cancelled, CountyPlan, propose_county
from planning.export import NOTICE_EN, NOTICE_ZH
from planning.rules import RULES
from planning.settings import Settings
from planning.sheets.book import Atlas, draw, pictures, write_book
from planning.sheets.fonts import find_font, load_font
from planning.sheets.page import Imprint
from planning.sheets.panel import Panel, Taken, frame_for, nice_scale
from planning.sheets.pdf import MM_PER_PT, Canvas, pdf_bytes
from planning.sheets.side import wrap
from planning.tables import to_planfile

FIRST = "320116001201"


def font_or_skip() -> Path:
    try:
        return find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")


@pytest.fixture(scope="module")
def county() -> CountyPlan:
    x, y = towns.ORIGIN
    one = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code=FIRST)
    two = towns.village(
        "1.2.3   1\n.4.5.    ", times=20, persons=3, code="320116001202", at=(x + 3000, y)
    )
    ground = towns.county(
        [one, two], road_names=["人民路", "通扬河"],
        dedicated=[("实验小学", shapely.box(x + 3060, y + 5, x + 3140, y + 45))],
    )  # fmt: skip
    return propose_county(ground, Settings(target=60, micro=30))


@pytest.fixture(scope="module")
def atlas(county: CountyPlan) -> Atlas:
    font_or_skip()
    plan = to_planfile(county)
    ground = county.ground
    lines = gpd.GeoDataFrame(
        {"name": [str(name) for name in ground.lines.name]},
        geometry=list(ground.lines.geometry), crs=ground.crs,
    )  # fmt: skip
    imprint = Imprint("示范县", "政法委", "2026-11-22", "2")
    return Atlas(plan, {"roads": lines}, None, "zh", imprint)


def texts(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def book(atlas: Atlas, kind: str, tmp_path: Path) -> list[str]:
    path = tmp_path / f"{kind}.pdf"
    pages = write_book(atlas, kind, path)  # type: ignore[arg-type]
    found = texts(path.read_bytes())
    assert len(found) == pages
    return found


def test_every_grid_has_its_page_with_what_is_known_of_it(atlas: Atlas, tmp_path: Path) -> None:
    pages = book(atlas, "grid", tmp_path)
    assert len(pages) == len(atlas.grids)
    for page, grid in zip(pages, atlas.grids.itertuples(), strict=True):
        flat = "".join(page.split())
        for wanted in (grid.code, grid.name, grid.village_name, NOTICE_ZH, "2026-11-22", "政法委"):
            assert "".join(str(wanted).split()) in flat, wanted
        for side in str(grid.bounds_text).split(","):
            assert "".join(side.split()) in flat
        assert f"{grid.households:,}" in page
        assert "1:" in page


def test_villages_townships_and_overview(atlas: Atlas, tmp_path: Path) -> None:
    villages = book(atlas, "village", tmp_path)
    assert len(villages) == 2
    for page, name in zip(villages, atlas.plan.villages["name"], strict=True):
        assert name in page
    assert len(book(atlas, "township", tmp_path)) == 1
    (overview,) = book(atlas, "overview", tmp_path)
    # where two names would overlap one is left out
    assert any(name in overview for name in atlas.plan.villages["name"])
    assert f"{int(atlas.plan.villages['households'].sum()):,}" in overview


def test_a_leaders_grids_have_a_sheet(atlas: Atlas, tmp_path: Path) -> None:
    codes = [str(code) for code in atlas.grids["code"]]
    followed = replace(atlas, leaders={"县长": codes[:2], "L-02": codes[2:3]})
    pages = book(followed, "leader", tmp_path)
    assert len(pages) == 2
    own = atlas.grids[atlas.grids["code"].isin(codes[:2])]
    assert "县长联系网格" in pages[0]
    assert f"{int(own['households'].sum()):,}" in pages[0]
    assert all(name in pages[0] for name in own["name"])
    assert atlas.subjects("leader") == []
    with pytest.raises(KeyError):
        draw(followed, "leader", "nobody")


def test_english_sheets_speak_english(atlas: Atlas, tmp_path: Path) -> None:
    (page,) = book(replace(atlas, language="en"), "overview", tmp_path)
    for wanted in ("Households", "Legend", "Scale", NOTICE_EN[:40]):
        assert wanted in page
    assert "户数" not in page
    first = book(replace(atlas, language="en"), "grid", tmp_path)[0]
    assert "Bounds" in first
    assert "东至" not in first


def test_every_rule_that_a_grid_may_break_can_be_printed(atlas: Atlas) -> None:
    """A font is cut down to what a sheet may say; a sign left out would be printed as 〓."""
    for rules in (RULES, BEAT_RULES):
        for pair in rules.values():
            assert not set("".join(pair)) - set(atlas.font.code)


def test_a_sheet_is_a_vector_page_of_a_standard_size(atlas: Atlas) -> None:
    for kind, sizes in (("grid", {(210, 297), (297, 210)}), ("overview", {(297, 420), (420, 297)})):
        page = draw(atlas, kind, atlas.subjects(kind)[0])  # type: ignore[arg-type]
        assert (page.width, page.height) in sizes
        assert b"/Image" not in pdf_bytes([page], atlas.font, "x")


def test_equal_plans_give_equal_bytes(atlas: Atlas) -> None:
    code = atlas.subjects("grid")[0]
    one, two = (pdf_bytes([draw(a, "grid", code)], a.font, "t") for a in (atlas, replace(atlas)))
    assert one == two


def test_only_the_sheets_asked_for_and_nothing_for_none(atlas: Atlas, tmp_path: Path) -> None:
    path = tmp_path / "some.pdf"
    wanted = atlas.subjects("grid")[1:3]
    assert write_book(atlas, "grid", path, codes=wanted) == 2
    assert write_book(atlas, "grid", tmp_path / "none.pdf", codes=["no such"]) == 0
    assert not (tmp_path / "none.pdf").exists()
    assert atlas.subjects("beat") == []
    with pytest.raises(KeyError):
        draw(atlas, "grid", "no such")


def test_a_cancelled_book_leaves_the_old_one(atlas: Atlas, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"old")
    seen: list[int] = []
    with pytest.raises(Cancelled):
        write_book(atlas, "grid", path, progress=lambda done, _: seen.append(done),
                   cancelled=lambda: len(seen) >= 2)  # fmt: skip
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.pdf"]


def test_a_picture_shows_the_subject_in_its_colour(atlas: Atlas) -> None:
    code = atlas.subjects("grid")[0]
    ((found, data),) = pictures(atlas, "grid", [code], width=800)
    assert found == code
    picture = Image.open(io.BytesIO(data))
    assert picture.width == 800
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    subject = (np.abs(pixels.astype(int) - (253, 243, 207)).max(axis=1) < 6).mean()
    assert 0.03 < subject < 0.9


def test_no_household_is_on_a_sheet(atlas: Atlas) -> None:
    """A plan without its households draws the same sheets."""
    plan = replace(atlas.plan, households=atlas.plan.households.iloc[:0])
    without = Atlas(plan, atlas.context, None, atlas.language, atlas.imprint)
    for kind in ("grid", "village", "overview"):
        code = atlas.subjects(kind)[0]  # type: ignore[arg-type]
        assert draw(atlas, kind, code) == draw(without, kind, code)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 1e6), st.floats(0, 4e6), st.floats(0.5, 90_000), st.floats(0.5, 90_000),
    st.sampled_from([(190.0, 200.0), (211.0, 160.0), (60.0, 250.0)]),
)  # fmt: skip
def test_the_frame_shows_the_whole_subject_at_a_round_scale(
    x: float, y: float, width: float, height: float, paper: tuple[float, float]
) -> None:
    frame = frame_for((x, y, x + width, y + height), 10, 20, *paper)
    west, south, east, north = frame.window
    assert west < x
    assert south < y
    assert east > x + width
    assert north > y + height
    corners = frame.paper(np.array([[x, y], [x + width, y + height]]))
    assert (corners[0] >= (10, 20)).all()
    assert (corners[1] <= (10 + paper[0], 20 + paper[1])).all()
    digits = str(frame.scale).rstrip("0")
    assert int(digits) in {1, 12, 15, 2, 25, 3, 4, 5, 6, 8}


@given(st.floats(1, 1e7))
def test_scales_are_round_and_never_too_large(least: float) -> None:
    found = nice_scale(least)
    assert found >= least * (1 - 1e-9)
    assert found <= least * 1.6 + 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(5, 180), st.floats(5, 180)), min_size=2, max_size=30))
def test_labels_never_overlap(places: list[tuple[float, float]]) -> None:
    font = load_font(font_or_skip(), set("0123456789网格"))
    canvas = Canvas(210, 210, font)
    panel = Panel(canvas, frame_for((0, 0, 200, 200), 5, 5, 200, 200))
    panel.taken = Taken()
    for number, (x, y) in enumerate(places):
        panel.label(shapely.box(x, y, x + 15, y + 12), f"{number:03d}", 9)
    shapes = panel.taken.shapes
    for i, one in enumerate(shapes):
        assert not any(one.overlaps(other) for other in shapes[:i])
    assert shapes


def test_two_numbers_side_by_side_are_not_one(atlas: Atlas) -> None:
    panel = Panel(Canvas(210, 210, atlas.font), frame_for((0, 0, 200, 200), 5, 5, 200, 200))
    metres = panel.frame.scale / 1000
    near = (atlas.font.width("001", 15 * MM_PER_PT) + atlas.font.width("04", 7 * MM_PER_PT)) / 2
    step = (near + 0.2) * metres
    assert panel.label(shapely.Point(100, 100).buffer(1), "001", 15, force=True)
    assert not panel.label(shapely.Point(100 + step, 100).buffer(0.01), "04", 7)
    assert panel.label(shapely.Point(100 + step + 3 * metres, 100).buffer(0.01), "04", 7)


def test_a_neighbour_from_another_village_is_named_with_it(atlas: Atlas) -> None:
    """Every village has a grid 001: only the village's name tells which."""
    grids = atlas.grids
    here = grids[grids["village_code"] == FIRST]
    subject = here.iloc[0]
    next_to = here[here.geometry.touches(subject.geometry)].iloc[0]
    other = (grids["code"] == next_to["code"]).to_numpy()
    moved = grids.assign(
        village_code=np.where(other, "320116001299", grids["village_code"]),
        village_name=np.where(other, "柳塘村", grids["village_name"]),
        code=np.where(other, "320116001299008", grids["code"]),
    )
    changed = Atlas(replace(atlas.plan, grids=moved), {}, None, "zh", atlas.imprint)
    page = draw(changed, "grid", str(subject["code"]))
    told = "".join(texts(pdf_bytes([page], changed.font, "x"))[0].split())
    assert "柳塘村008" in told
    assert "柳塘村" not in "".join(
        texts(pdf_bytes([draw(atlas, "grid", str(subject["code"]))], atlas.font, "x"))
    )


@given(st.text("网格街道 abcXYZ-0123，。", max_size=120), st.floats(20, 90))
@settings(max_examples=60, deadline=None)
def test_wrapped_lines_fit_and_lose_no_sign(text: str, width: float) -> None:
    font = load_font(font_or_skip(), set("网格街道abcXYZ，。"))
    lines = wrap(text, font, 8, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        if " " not in line.strip() and len(line) > 12 and line.isascii():
            continue  # one long Latin word is not cut
        assert font.width(line, 8 * MM_PER_PT) <= width + 3 * 8 * MM_PER_PT


def test_a_road_is_named_along_itself(atlas: Atlas) -> None:
    font = load_font(font_or_skip(), set("人民路"))
    canvas = Canvas(210, 210, font)
    panel = Panel(canvas, frame_for((0, 0, 200, 200), 5, 5, 200, 200))
    road = shapely.LineString([(10, 10), (190, 190)])
    roads = gpd.GeoDataFrame({"name": ["人民路"]}, geometry=[road], crs=atlas.grids.crs)
    panel.names({"roads": roads})
    assert panel.taken.shapes
    turned = panel.taken.shapes[0]
    a, b = shapely.get_coordinates(turned)[:2]
    assert math.atan2(b[1] - a[1], b[0] - a[0]) == pytest.approx(math.pi / 4, abs=0.02)
    line = shapely.LineString(panel.frame.paper(shapely.get_coordinates(road)))
    assert turned.intersects(line)


def test_a_machine_without_a_font_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRIDWRIGHT_FONT", str(tmp_path / "none.ttf"))
    with pytest.raises(InputError, match="cannot be used for the sheets"):
        load_font(find_font(), {"网"})
    (tmp_path / "bad.ttf").write_bytes(b"no font at all")
    with pytest.raises(InputError, match="cannot be used for the sheets"):
        load_font(tmp_path / "bad.ttf", {"网"})
