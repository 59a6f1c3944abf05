"""Draw the pictures of docs/.

    python -m docs.pictures REAL_DIR CITY_DIR COUNTY_DIR    the method and the plans
    python -m docs.pictures board ADDRESS                   the planner's board, in Chromium
    python -m docs.pictures events ADDRESS                  the two pages of events, in Chromium

ADDRESS is the running program with the demonstration county, or any other. REAL_DIR holds
``cambridge_ma`` (Cambridge's public domain data), CITY_DIR a folder with a link to it and a
plan.gpkg proposed from it, COUNTY_DIR the demonstration county with its plan.gpkg. Needs matplotlib
and playwright, which only development installs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib

from benchmarks.board import SEEN, Board, chromium

matplotlib.use("Agg")
import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import shapely
from matplotlib.axes import Axes
from PIL import Image

from geo.coverage import dissolve
from geo.ground import Ground, Inputs, load_ground
from geo.units import Units, build_units
from planning.county import describe
from planning.graph import graph_of
from planning.partition import village_seed
from planning.settings import Settings
from planning.start import centres_of, metis_start, power_start

HERE = Path(__file__).parent / "pictures"
LINE = "#3b6fb6"
plt.rcParams["font.family"] = ["Noto Sans CJK SC", "DejaVu Sans"]


def _canvas(bounds: np.ndarray, width: float = 9.0) -> tuple[plt.Figure, Axes]:
    west, south, east, north = bounds
    figure, axes = plt.subplots(figsize=(width, width * (north - south) / (east - west) + 0.2))
    axes.set_xlim(west - 20, east + 20)
    axes.set_ylim(south - 20, north + 20)
    axes.set_aspect("equal")
    axes.axis("off")
    figure.subplots_adjust(0, 0, 1, 1)
    return figure, axes


def _save(figure: plt.Figure, name: str) -> None:
    figure.savefig(HERE / name, dpi=80)
    plt.close(figure)
    _shrink(HERE / name)


def _shrink(path: Path) -> None:
    """A palette of 64 colours is enough for maps and takes a third of the bytes."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def _draw(axes: Axes, shapes: np.ndarray, **style: object) -> None:
    gpd.GeoSeries(shapes).plot(ax=axes, **style)


def _base(axes: Axes, ground: Ground, village: int) -> None:
    share = ground.village(village)
    _draw(axes, share.lines, color=LINE, linewidth=0.7)
    _draw(axes, np.array([share.area.boundary]), color="black", linewidth=1.6)


def _dots(axes: Axes, ground: Ground, village: int) -> None:
    xy = ground.village(village).xy
    axes.scatter(xy[:, 0], xy[:, 1], s=1.2, color="#444444", linewidths=0)


def _labels(axes: Axes, units: Units, label: np.ndarray, ideal: float) -> None:
    outlines = dissolve(units.geometry, label)
    held = np.bincount(label, weights=units.households)
    frame = gpd.GeoDataFrame({"deviation": held / ideal - 1}, geometry=outlines)
    frame.plot(ax=axes, column="deviation", cmap="RdBu", vmin=-0.3, vmax=0.3, alpha=0.75)
    frame.boundary.plot(ax=axes, color="black", linewidth=1.6)
    for place, count in zip(frame.representative_point(), held, strict=True):
        axes.annotate(f"{count:.0f}", (place.x, place.y), ha="center", fontsize=9)


def method(real: Path) -> None:
    """The steps of docs/method.md on one neighbourhood."""
    city = real / "cambridge_ma" / "clean"
    layers = {"roads": "streets", "water": "water", "railways": "rail"}
    ground = load_ground(
        Inputs(
            f"{city}/cambridge.gpkg:neighborhoods", city / "dwelling_points.csv",
            **{role: f"{city}/cambridge.gpkg:{name}" for role, name in layers.items()},
        )
    )
    village = list(ground.villages["name"]).index("Neighborhood Nine")
    bounds = np.array(ground.villages.geometry.iloc[village].bounds)
    units = build_units(ground.village(village))
    figure, axes = _canvas(bounds)
    _draw(axes, dissolve(units.geometry, units.block), facecolor="#f3efe4", edgecolor="#999999")
    _base(axes, ground, village)
    _save(figure, "method-2-enclosures.png")
    figure, axes = _canvas(bounds)
    _draw(axes, units.geometry, facecolor="none", edgecolor="#bbbbbb", linewidth=0.4)
    _base(axes, ground, village)
    _dots(axes, ground, village)
    _save(figure, "method-3-units.png")
    settings = Settings()
    plan = describe(units, ground.lines, settings)
    graph, k = graph_of(units), plan.proposal.k
    start = metis_start(graph, k, village_seed(units.code, 0))
    power = power_start(graph, k, centres_of(graph, start, k))
    ideal = units.households.sum() / k
    for name, label in (("6-start", power), ("7-grids", plan.proposal.label)):
        figure, axes = _canvas(bounds)
        _labels(axes, units, label, ideal)
        _base(axes, ground, village)
        _dots(axes, ground, village)
        _save(figure, f"method-{name}.png")


def plan_map(path: Path, layers: list[Path | str], name: str, village: str | None = None) -> None:
    """A plan as a map: grids by deviation from the ideal, lines, village borders."""
    grids = gpd.read_file(path, layer="grids")
    villages = gpd.read_file(path, layer="villages")
    if village is not None:
        grids = grids[grids["village_name"] == village]
        villages = villages[villages["name"] == village]
    figure, axes = _canvas(villages.total_bounds, 10.0)
    grids.plot(
        ax=axes, column="deviation_ideal", cmap="RdBu", vmin=-0.3, vmax=0.3, alpha=0.75,
        missing_kwds={"color": "#cccccc"},
    )
    grids.boundary.plot(ax=axes, color="black", linewidth=0.5 if village is None else 1.6)
    box = shapely.box(*villages.total_bounds)
    for layer in layers:
        file, _, part = str(layer).partition(":")
        lines = gpd.read_file(file, layer=part or None).to_crs(grids.crs)
        lines[lines.intersects(box)].plot(ax=axes, color=LINE, linewidth=0.4, alpha=0.8)
    villages.boundary.plot(ax=axes, color="#a03020", linewidth=1.2)
    if village is not None:
        homes = gpd.read_file(path, layer="households")
        homes[homes["grid_code"].isin(grids["code"])].plot(ax=axes, color="#444444", markersize=1.5)
    if village is not None or len(grids) < 200:
        for place, count in zip(grids.representative_point(), grids["households"], strict=True):
            axes.annotate(f"{count}", (place.x, place.y), ha="center", fontsize=7)
    _save(figure, name)


def plans(city: Path, county: Path) -> None:
    """The plans that docs/results.md shows: Cambridge, the county, a village, a community."""
    layers = [county / name for name in ("water.gpkg", "railways.gpkg")]
    plan_map(county / "plan.gpkg", layers, "demo-county.png")
    layers.append(county / "roads.gpkg")
    villages = gpd.read_file(county / "plan.gpkg", layer="villages")
    for kind in ("rural", "urban"):
        of_kind = villages[villages["class"] == kind]
        from_median = (of_kind["grids"] - of_kind["grids"].median()).abs()
        middle = of_kind.loc[from_median.idxmin()]
        plan_map(county / "plan.gpkg", layers, f"demo-{kind}.png", str(middle["name"]))
    real = city / "cambridge_ma" / "clean" / "cambridge.gpkg"
    plan_map(city / "plan.gpkg", [f"{real}:streets", f"{real}:water"], "cambridge.png")


# --- the planner's board ------------------------------------------------------------------------


class Album:
    """Pictures of the board, one a tool; each edit is taken back."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def take(self, name: str) -> None:
        """A picture of the board as it is."""
        path = HERE / f"board-{name}.png"
        self.board.page.wait_for_timeout(400)
        self.board.page.locator(".gw-hand").screenshot(path=path)
        _shrink(path)

    def edit(self, name: str, act: Callable[[], None]) -> None:
        """A picture of what an edit made."""
        before = self.board.state()["version"]
        act()
        self.board.page.wait_for_function(
            "v => { const d = document.querySelector('.gw-hand').dataset;"
            " return d.idle === 'true' && d.version !== v; }",
            arg=before,
        )
        self.board.page.mouse.move(3, 3)  # nothing hovers over what changed
        self.take(name)

    def sums(self) -> dict[str, str]:
        """Households by the grid's short code, from the table."""
        rows = self.board.page.locator(".gw-rows tr[data-key]").all_inner_texts()
        return {text.split()[0]: text.split()[1] for text in rows}

    def back(self) -> None:
        """As it was."""
        board = self.board
        board.clear()
        board.page.locator("[data-tab=history]").click()
        board.page.locator(".gw-body .gw-entry").last.click()
        board.page.wait_for_timeout(800)
        board.page.locator("[data-tab=grids]").click()
        board.clear()


def board_album(address: str, village: str | None = None) -> None:
    """One picture for each tool of docs/board.md."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1180, "height": 700}, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(60_000)
        board = Board(page)
        page.goto(f"{address}/board")
        board.ready()
        album = Album(board)
        album.take("tour")
        context.add_init_script(SEEN)
        page.reload()
        board.ready()
        if village:
            board.open_village(village)
        _choosing(album)
        _leading(album)
        _drawing(album)
        _grids(album)
        _telling(album)


def _choosing(album: Album) -> None:
    board = album.board
    x, y = board.middle()
    board.press("r")
    board.stroke((x - 70, y - 70), (x + 60, y + 60))
    album.take("choose")
    board.clear()
    board.press("l")
    board.stroke((x - 90, y), (x, y - 80), (x + 90, y), (x, y + 80), (x - 90, y))
    others = board.page.locator(".gw-rows tr[data-key]:not(.gw-on) .gw-small")
    album.edit("give", others.first.click)
    album.back()


def _leading(album: Album) -> None:
    board, page = album.board, album.board.page
    found = board.border()
    assert found is not None, "no border in the middle of the map"
    x, y = found
    board.press("b")
    page.mouse.move(x - 40, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 20, steps=8)
    album.take("brush")
    board.press("Escape")
    page.mouse.up()
    board.clear()
    board.press("d")
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in ((90, 0), (-90, 0), (60, 70), (-60, 70), (60, -70), (-60, -70)):
        page.mouse.move(x + dx, y + dy, steps=8)
        pairs = re.findall(r"([\d,]+) → ([\d,]+)", page.inner_text(".gw-beside"))
        if any(before != after for before, after in pairs):
            break
    album.take("border")
    board.press("Escape")
    page.mouse.up()
    board.clear()


def _drawing(album: Album) -> None:
    board = album.board
    x, y = board.middle()
    board.press("k")
    before = album.sums()
    album.edit("cut", lambda: board.stroke((x - 30, y - 100), (x, y), (x + 30, y + 100)))
    after = album.sums()
    parts = [row for row, code in enumerate(after) if after[code] != before.get(code)]
    board.clear()
    board.choose_rows(*parts)
    board.press("e")
    board.page.wait_for_timeout(3000)
    album.take("balance")
    album.back()
    board.press("k", "q")
    album.edit("cut-units", lambda: board.stroke((x - 30, y - 100), (x, y), (x + 30, y + 100)))
    album.back()
    board.press("o")
    ring = [(x + 90 * np.cos(a), y + 80 * np.sin(a)) for a in np.linspace(0, 6.2, 25)]
    album.edit("outline", lambda: board.stroke(*ring))
    album.back()
    board.press("q", "k", *["ArrowUp"] * 4, " ", *["ArrowDown"] * 3, *["ArrowRight"] * 3, " ")
    board.press(*["ArrowDown"] * 2, "ArrowLeft")
    album.take("keyboard")
    board.press("Escape")
    board.clear()


def _grids(album: Album) -> None:
    board, page = album.board, album.board.page
    board.choose_rows(0, 1)
    album.edit("merge", lambda: board.press("m"))
    album.back()

    def ask(key: str, text: str) -> None:
        board.press(key)
        page.fill(".gw-asking input", text)
        board.press("Enter")

    board.choose_rows(0)
    album.edit("split", lambda: ask("s", "3"))
    album.back()
    album.edit("number", lambda: ask("g", "9"))
    album.back()
    board.choose_rows(0, 1)
    album.edit("lock", lambda: board.press("x"))
    album.back()


def _telling(album: Album) -> None:
    board, page = album.board, album.board.page
    x, y = board.middle()
    board.press("r")
    board.stroke((x - 60, y - 60), (x + 60, y + 60))
    page.locator(".gw-rows tr[data-key]:not(.gw-on) .gw-small").last.click()
    page.wait_for_timeout(1500)
    page.locator("[data-tab=wrong]").click()
    page.locator(".gw-body .gw-entry").first.click()
    board.press("w")
    page.fill(".gw-asking input", "The river runs between them")
    board.press("Enter")
    page.wait_for_timeout(1500)
    album.take("wrong")
    board.clear()
    album.edit("tidy", lambda: board.press("i"))
    page.locator("[data-tab=history]").click()
    album.take("history")
    album.back()
    board.press("?")
    album.take("shortcuts")
    board.press("Escape")


# --- the pages of events ------------------------------------------------------------------------


def events_album(address: str) -> None:
    """The leader's page, on a desk and on a telephone, and the analysts'; nobody may have confirmed
    a pile of events before."""
    pages = (
        ("events-leader", "leader", "zh-CN", (1366, 768)),
        ("events-telephone", "leader", "en-GB", (390, 844)),
        ("events-analysis", "incidents", "en-GB", (1366, 900)),
    )
    with chromium() as browser:
        for name, page_name, locale, (width, height) in pages:
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale=locale
            )
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{address}/{page_name}")
            if page_name == "leader":
                page.wait_for_selector(
                    ".st-key-leader_html button:not([disabled])", state="attached"
                )
            else:
                parts = page.locator(".st-key-analysis_part_box button")
                parts.filter(has_text="Hot spots").first.click()
                page.locator(".st-key-analysis_scan label").first.click()
                page.get_by_text("Relative risk").first.wait_for(state="attached")
            page.wait_for_function(
                "() => Number(document.querySelector('.gw-board')?.dataset.features || 0) > 0"
            )
            page.wait_for_timeout(4_000)
            page.screenshot(path=HERE / f"{name}.png")  # with all colours: few cells are coloured
            context.close()


if __name__ == "__main__":
    if sys.argv[1] == "events":
        events_album(sys.argv[2])
        sys.exit()
    if sys.argv[1] == "board":
        board_album(*sys.argv[2:4])
        sys.exit()
    method(Path(sys.argv[1]))
    plans(Path(sys.argv[2]), Path(sys.argv[3]))
