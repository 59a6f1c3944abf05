"""Three sheets as they were filed: lines and words exactly, the picture nearly.

What is drawn (areas, lines, their colours and places, to a tenth of a millimetre) and the words do
not depend on the version of the font, so they are compared one by one. Glyphs do, so the picture
may differ in a few pixels. ``GRIDWRIGHT_WRITE_GOLDEN=1`` writes all three anew.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pypdfium2
import pytest
import shapely
import towns
from PIL import Image, ImageFilter

from geo.problems import InputError
from planning.county import propose_county
from planning.settings import Settings
from planning.sheets.book import Atlas, Kind, draw
from planning.sheets.fonts import find_font
from planning.sheets.page import Imprint
from planning.sheets.pdf import Page, pdf_bytes
from planning.sheets.picture import png_bytes
from planning.tables import to_planfile

GOLDEN = Path(__file__).parents[2] / "golden/sheets"
ARTIFACTS = Path(__file__).parents[2] / "artifacts"
WIDTH = 900  # pixels
NEAR = 10  # hundredths of a millimetre that a point may lie elsewhere
MOST_OFF = 0.004  # share of the picture that may differ: other hinting, another font's numerals
OFF = 72  # of 255: a pixel that is this much lighter or darker differs
_TEXT = re.compile(r"BT .*? ET")


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    try:
        find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    x, y = towns.ORIGIN
    one = towns.village(
        "12|34\n--+--\n56|78\n91|23", times=10, persons=3, code="320116001201"
    )
    two = towns.village(
        "1.2.3   1\n.4.5.    ", times=20, persons=3, code="320116001202",
        at=(x + 600, y),
    )  # fmt: skip
    ground = towns.county(
        [one, two], road_names=["人民路", "通扬河"],
        dedicated=[("实验小学", shapely.box(x + 660, y + 5, x + 740, y + 45))],
    )  # fmt: skip
    county = propose_county(ground, Settings(target=150, micro=60))
    lines = gpd.GeoDataFrame(
        {"name": [str(name) for name in ground.lines.name]},
        geometry=list(ground.lines.geometry), crs=ground.crs,
    )  # fmt: skip
    imprint = Imprint("示范县", "政法委", "2026-11-22", "2")
    return Atlas(to_planfile(county), {"roads": lines}, None, "zh", imprint)


def drawn(page: Page) -> list[str]:
    """Everything on the page but its texts: an operation a line."""
    content = _TEXT.sub("T", page.content.decode("ascii"))
    return [f"paper {page.width:g} {page.height:g}", *content.splitlines()]


def spoken(pdf: bytes) -> list[str]:
    """The words of the page, sorted: their order in the file means nothing to a reader."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return sorted("".join(document[0].get_textpage().get_text_range()).split())
    finally:
        document.close()


def same_line(one: str, two: str) -> bool:
    """Do two operations draw the same, points within :data:`NEAR`?"""
    a, b = one.split(), two.split()
    if len(a) != len(b):
        return False
    for left, right in zip(a, b, strict=True):
        if left == right:
            continue
        if not (left.lstrip("-").isdigit() and right.lstrip("-").isdigit()):
            return False
        if abs(int(left) - int(right)) > NEAR:
            return False
    return True


def difference(now: Image.Image, meant: Image.Image) -> tuple[float, Image.Image]:
    """The share of the picture that differs, and both beside a picture that marks where."""
    if now.size != meant.size:
        return 1.0, now
    soft = [
        np.asarray(one.convert("L").filter(ImageFilter.BoxBlur(1)), dtype=int)
        for one in (now, meant)
    ]
    off = np.abs(soft[0] - soft[1]) > OFF
    marked = np.asarray(now.convert("RGB")).copy() // 2 + 127
    marked[off] = (200, 0, 30)
    width, height = now.size
    beside = Image.new("RGB", (3 * width, height), "white")
    for place, one in enumerate((meant, now, Image.fromarray(marked.astype(np.uint8)))):
        beside.paste(one.convert("RGB"), (place * width, 0))
    return float(off.mean()), beside


@pytest.mark.parametrize(
    ("kind", "number"), [("grid", 1), ("village", 0), ("overview", 0)], ids=str
)
def test_the_sheet_is_as_it_was_filed(atlas: Atlas, kind: Kind, number: int) -> None:
    page = draw(atlas, kind, atlas.subjects(kind)[number])
    pdf = pdf_bytes([page], atlas.font, kind)
    picture = png_bytes(pdf, WIDTH)
    told = [*drawn(page), "# words", *spoken(pdf)]
    text, image = GOLDEN / f"{kind}.txt", GOLDEN / f"{kind}.png"
    if os.environ.get("GRIDWRIGHT_WRITE_GOLDEN") == "1":
        GOLDEN.mkdir(exist_ok=True)
        text.write_text("\n".join(told) + "\n", encoding="utf-8")
        image.write_bytes(picture)
    meant = text.read_text("utf-8").splitlines()
    share, beside = difference(Image.open(io.BytesIO(picture)), Image.open(image))
    other = [
        f"line {i + 1}: {a!r} -> {b!r}"
        for i, (a, b) in enumerate(zip(meant, told, strict=False))
        if not same_line(a, b)
    ]
    if other or len(told) != len(meant) or share > MOST_OFF:
        ARTIFACTS.mkdir(exist_ok=True)
        beside.save(ARTIFACTS / f"sheet-{kind}.png")
        pytest.fail(
            f"the sheet differs ({share:.2%} of the picture, {len(other)} operations or words), "
            f"see tests/artifacts/sheet-{kind}.png: meant, now, where.\n" + "\n".join(other[:10])
        )


def test_a_difference_is_seen_and_drawn(atlas: Atlas) -> None:
    """Another plan's sheet is not taken for this one, in the picture alone."""
    pages = [draw(atlas, "grid", code) for code in atlas.subjects("grid")[:2]]
    pdf = pdf_bytes(pages, atlas.font, "t")
    one, two = (Image.open(io.BytesIO(png_bytes(pdf, WIDTH, page))) for page in (0, 1))
    share, beside = difference(one, two)
    assert share > MOST_OFF
    assert beside.size == (3 * one.width, one.height)
    red = (np.asarray(beside)[:, 2 * one.width :] == (200, 0, 30)).all(axis=2).mean()
    assert red == pytest.approx(share)
    assert difference(one, one)[0] == 0


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("10 20 m 30 40 l S", "12 20 m 30 35 l S", True),
        ("10 20 m 30 40 l S", "10 20 m 30 60 l S", False),
        ("10 20 m 30 40 l S", "10 20 m S", False),
        ("第一网格", "第二网格", False),
    ],
)
def test_lines_are_compared_to_a_tenth_of_a_millimetre(one: str, two: str, same: bool) -> None:
    assert same_line(one, two) is same
