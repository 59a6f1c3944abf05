"""A report as one sheet to print: a PDF of A4, lying, with the Chinese font inside."""

from __future__ import annotations

import io
import textwrap
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ui.event_map import GREY_LIGHT, HEAT_LIGHT
from ui.labels import fitting
from ui.places import course_word
from ui.send import legend_rows, main_roads
from ui.survey import Report
from ui.words import word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

A4 = (11.69, 8.27)  # inches
MAP_POINTS, NAME_SIZE = (0.57 * 842, 0.70 * 595), 6.5  # the map on the sheet, in points
INK, SOFT = "#23262b", "#5b616a"
#: files of fonts that have Chinese characters, best first; none of them is part of this program
FONTS = (
    "NotoSansCJK-Regular", "NotoSansCJKsc-Regular", "NotoSansSC-Regular", "SourceHanSansSC-Regular",
    "wqy-microhei", "wqy-zenhei", "msyh", "simhei", "PingFang", "DroidSansFallbackFull",
    "NotoSerifCJK-Regular", "simsun",
)  # fmt: skip


class NoFontError(RuntimeError):
    """The machine has no font with Chinese characters."""


@cache
def chinese_font() -> Path:
    """A font file of this machine with Chinese characters. Raises :class:`NoFontError`."""
    from matplotlib.font_manager import findSystemFonts

    by_stem = {Path(name).stem.casefold(): Path(name) for name in sorted(findSystemFonts())}
    for wanted in FONTS:
        if wanted.casefold() in by_stem:
            return by_stem[wanted.casefold()]
    raise NoFontError


def report_pdf(report: Report) -> bytes:
    """The sheet. Raises :class:`NoFontError` where no font can write Chinese."""
    import matplotlib
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    font = FontProperties(fname=str(chinese_font()))
    # Outlines of the glyphs used go into the file; Type 3 is the kind every printer takes.
    with matplotlib.rc_context({"pdf.fonttype": 3, "hatch.linewidth": 0.5}):
        figure = Figure(figsize=A4)
        FigureCanvasPdf(figure)
        writer = _Writer(figure, font)
        _head(writer, report)
        _map(figure.add_axes((0.03, 0.125, 0.57, 0.70)), writer, report)
        _side(writer, report)
        _foot(writer, report)
        out = io.BytesIO()
        about = {"Title": f"{word('page.leader', report.language)} {report.period}",
                 "CreationDate": None}  # fmt: skip
        figure.savefig(out, format="pdf", metadata=about)
    return out.getvalue()


class _Writer:
    """Text on the sheet, in parts of its size from the lower left; ``$`` is a dollar sign."""

    def __init__(self, figure: Figure, font: Any) -> None:
        self.figure, self.font = figure, font

    def put(self, x: float, y: float, text: str, size: float = 9, colour: str = INK,
            **more: Any) -> None:  # fmt: skip
        self.figure.text(x, y, text, size=size, color=colour, fontproperties=self.sized(size),
                         parse_math=False, **more)  # fmt: skip

    def sized(self, size: float) -> Any:
        found = self.font.copy()
        found.set_size(size)
        return found

    def lines(self, x: float, y: float, text: str, width: int, size: float, colour: str = INK
              ) -> float:  # fmt: skip
        """Put wrapped text from ``y`` down; returns where the next may begin."""
        step = size * 1.38 / 72 / A4[1]
        for line in wrapped(text, width):
            self.put(x, y, line, size, colour, va="top")
            y -= step
        return y


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` halves of a Chinese character; Latin words stay whole."""
    lines, line, used = [], "", 0.0
    for part in _pieces(text):
        size = sum(2 if ord(sign) > 0x2E7F else 1.1 for sign in part)
        if line and used + size > width and part not in "，。；、：）)%":
            lines.append(line.rstrip())
            line, used = "", 0.0
        line, used = line + part, used + size
    return [*lines, line] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """Chinese characters one by one, Latin words with the blank behind them; long words cut."""
    found: list[str] = []
    for word_ in text.replace(" ", " \x00").split("\x00"):
        run = ""
        for sign in word_:
            if ord(sign) > 0x2E7F:
                found += [run] if run else []
                found.append(sign)
                run = ""
            else:
                run += sign
        found += textwrap.wrap(run, 60, drop_whitespace=False) if run else []
    return found


# --- the parts ----------------------------------------------------------------------------------


def _head(writer: _Writer, report: Report) -> None:
    title = " ".join(filter(None, (report.place, word("page.leader", report.language))))
    writer.put(0.03, 0.945, title, 17)
    writer.put(0.97, 0.948, f"{report.period} · {report.category}", 12, ha="right")
    for number, (label, value, note) in enumerate(report.numbers):
        x = 0.03 + number * 0.192
        writer.put(x, 0.885, value, 15)
        writer.put(x, 0.862, label, 8, SOFT)
        if note:
            writer.put(x, 0.843, note, 6.5, SOFT)
    if report.warnings:
        writer.put(0.03, 0.822, "\N{WARNING SIGN} " + " ".join(report.warnings), 8.5, "#8a5a00")


def _rings(shape: shapely.Geometry) -> list[np.ndarray]:
    parts = shapely.get_parts(shape)
    return [shapely.get_coordinates(part.exterior) for part in parts if part.geom_type == "Polygon"]


def _map(axes: Axes, writer: _Writer, report: Report) -> None:
    from matplotlib.collections import LineCollection, PolyCollection

    outlines = report.outlines.geometry.simplify(10)
    rings = [ring for shape in outlines for ring in _rings(shape)]
    axes.add_collection(
        PolyCollection(rings, facecolor=GREY_LIGHT, edgecolor="#6a7078", linewidth=0.6)
    )
    if len(report.cells):
        squares = [shapely.get_coordinates(shape) for shape in report.cells.geometry]
        colours = [HEAT_LIGHT[c] for c in report.cells["density_class"]]
        axes.add_collection(PolyCollection(squares, facecolor=colours, edgecolor="none", zorder=2))
        rims = [ring for place in report.places for ring in _rings(place.shape)]
        axes.add_collection(
            PolyCollection(rims, facecolor="none", edgecolor=INK, linewidth=0.6, zorder=4)
        )
    roads = main_roads(report.roads)
    if roads is not None:
        runs = [shapely.get_coordinates(part) for line in roads.geometry.simplify(15)
                for part in shapely.get_parts(line)]  # fmt: skip
        axes.add_collection(LineCollection(runs, colors="#8c8474", linewidths=0.5, zorder=3))
    _names(axes, writer, report)
    for place in report.places:
        axes.annotate(
            str(place.number), place.middle, xytext=(9, 9), textcoords="offset points",
            ha="center", va="center", zorder=6, fontproperties=writer.sized(7), color="white",
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": INK, "edgecolor": "white"},
        )  # fmt: skip
    west, south, east, north = report.outlines.total_bounds
    wide = 0.02 * max(east - west, north - south)
    axes.set(xlim=(west - wide, east + wide), ylim=(south - wide, north + wide), aspect="equal")
    axes.set_axis_off()
    _scale(axes, writer, report)


def _names(axes: Axes, writer: _Writer, report: Report) -> None:
    """Names of the areas, as many as have room."""
    west, south, east, north = report.outlines.total_bounds
    point = max((east - west) / MAP_POINTS[0], (north - south) / MAP_POINTS[1])
    middles = report.outlines.representative_point()
    xy = np.column_stack([middles.x, middles.y])
    texts = [str(name) for name in report.outlines["name"]]
    room = fitting(xy, texts, report.outlines.area.to_numpy(), NAME_SIZE * point)
    for (x, y), text in zip(xy[room], np.array(texts)[room], strict=True):
        axes.annotate(text, (x, y), ha="center", va="center", zorder=4,
                      fontproperties=writer.sized(NAME_SIZE), color=SOFT,
                      parse_math=False)  # fmt: skip


def _scale(axes: Axes, writer: _Writer, report: Report) -> None:
    """A bar of a round number of kilometres, and north (the grid's, which is near enough)."""
    west, south, east, _ = report.outlines.total_bounds
    long = (east - west) / 5
    power = 10 ** np.floor(np.log10(long))
    long = max(step * power for step in (1, 2, 5) if step * power <= long)
    axes.plot([west, west + long], [south, south], color=INK, linewidth=2, zorder=7)
    text = f"{long / 1000:g} km" if long >= 1000 else f"{long:g} m"
    axes.annotate(text, (west, south), xytext=(0, 4), textcoords="offset points",
                  fontproperties=writer.sized(7))  # fmt: skip
    across = _free_corner(axes, report.outlines.geometry.to_numpy())
    axes.annotate(
        word("incidents.north", report.language), (across, 0.98), (across, 0.91),
        xycoords="axes fraction", textcoords="axes fraction", ha="center",
        fontproperties=writer.sized(8), arrowprops={"arrowstyle": "-|>", "color": INK},
    )  # fmt: skip


def _free_corner(axes: Axes, shapes: np.ndarray) -> float:
    """Where the north arrow covers no ground: the left or the right of the map's upper edge."""
    axes.apply_aspect()
    change = axes.transAxes + axes.transData.inverted()
    for across in (0.03, 0.97):
        corner = shapely.box(*change.transform((across - 0.03, 0.88)),
                             *change.transform((across + 0.03, 1.0)))  # fmt: skip
        if not shapely.intersects(shapes, corner).any():
            return across
    return 0.03


def _side(writer: _Writer, report: Report) -> None:
    from matplotlib.patches import Rectangle

    lang, x = report.language, 0.625
    writer.put(x, 0.80, word("incidents.density", lang), 9)
    rows = legend_rows(report)
    for number, (colour, text) in enumerate(rows):
        left, y = x + (number % 3) * 0.12, 0.775 - (number // 3) * 0.024
        writer.figure.add_artist(
            Rectangle((left, y), 0.016, 0.013, facecolor=colour, edgecolor="#6e737b", linewidth=0.4)
        )
        writer.put(left + 0.021, y + 0.001, text, 7.5)
    y = 0.765 - ((len(rows) + 2) // 3) * 0.024
    writer.put(x, y, word("incidents.side_places", lang), 10)
    y -= 0.012
    if not report.places:
        y = writer.lines(x, y, word("incidents.no_places", lang), 66, 8) - 0.01
    for place in report.places:
        writer.put(x, y, str(place.number), 8, va="top")
        y = writer.lines(x + 0.022, y, place.where, 66, 8)
        y = writer.lines(x + 0.022, y, place.why, 76, 7, SOFT) - 0.006
    for note in report.notes:
        y = writer.lines(x, y, note, 80, 6.5, SOFT)


def _foot(writer: _Writer, report: Report) -> None:
    courses = {course_word(int(c), report.language) for c in report.cells["course"] if c}
    y = 0.118
    y = writer.lines(0.03, y, report.meaning, 245, 6.5, SOFT)
    if courses:
        y = writer.lines(
            0.03, y, f"{word('incidents.trend', report.language)}: {', '.join(sorted(courses))}",
            240, 6.5, SOFT,
        )  # fmt: skip
    lines = [f"{key} {value}" for key, value in report.lines if not key.startswith("notice")]
    writer.lines(0.03, y, " | ".join(lines), 330, 4.6, SOFT)
    writer.put(0.5, 0.014, report.notice, 8, ha="center")
