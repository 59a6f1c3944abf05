"""A report as one sheet to print: a PDF of A4, lying, with the Chinese font inside.

What has no room on the sheet in letters that can be read stands on a second one; nothing is cut.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ui.event_map import GREY_LIGHT, HEAT_LIGHT
from ui.labels import fitting
from ui.paper import A4, INK, LEAST, SOFT, Text, Writer
from ui.places import course_word
from ui.send import legend_rows, main_roads
from ui.survey import Report
from ui.words import word

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT, RIGHT, SIDE, WIDE = 0.03, 0.97, 0.625, 0.57  # parts of the sheet: edges, column, map
BOTTOM, FOOT_MOST = 0.036, 0.30  # the last line above the notice; how far up the foot may reach
NAME_SIZE = 6.5
#: sizes of where, why and notes beside the map: the first that fit
SIDE_SIZES = ((8.0, 7.0, 6.5), (7.5, 6.5, 6.5), (7.0, 6.5, 6.0), (6.5, LEAST, LEAST))
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
    """The sheet, and those behind it. Raises :class:`NoFontError` where no font can write
    Chinese."""
    import matplotlib
    from matplotlib.backends.backend_pdf import PdfPages

    out, font = io.BytesIO(), chinese_font()
    about = {"Title": f"{word('page.leader', report.language)} {report.period}",
             "CreationDate": None}  # fmt: skip
    # Outlines of the glyphs used go into the file; Type 3 is the kind every printer takes.
    with (
        matplotlib.rc_context({"pdf.fonttype": 3, "hatch.linewidth": 0.5}),
        PdfPages(out, metadata=about) as book,
    ):
        writer, rest = _first(report, font)
        book.savefig(writer.figure)
        number = 1
        while rest:
            number += 1
            writer, rest = _behind(report, font, rest, number)
            book.savefig(writer.figure)
    return out.getvalue()


def _sheet(font: Path) -> Writer:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    figure = Figure(figsize=A4)
    FigureCanvasPdf(figure)
    return Writer(figure, font)


def _first(report: Report, font: Path) -> tuple[Writer, list[Text]]:
    """The sheet with the map, and what had no room on it."""
    writer = _sheet(font)
    top = _head(writer, report)
    bottom, below = _foot(writer, report)
    box = (LEFT, bottom + 0.008, WIDE, top - bottom - 0.016)
    _map(writer.figure.add_axes(box), writer, report)
    beside = _side(writer, report, top, bottom)
    return writer, [*beside, *below]


def _behind(
    report: Report, font: Path, texts: list[Text], number: int
) -> tuple[Writer, list[Text]]:
    """A sheet of text, and what has no room on it either."""
    writer = _sheet(font)
    writer.fit(LEFT, 0.945, f"{_title(report)} · {number}", 12, RIGHT - LEFT)
    room, y = RIGHT - LEFT, 0.92
    if y - writer.high(texts[0], room) < BOTTOM:  # longer than a sheet
        one, other = writer.split(texts[0], room, y - BOTTOM)
        texts = [one, other, *texts[1:]]
    _, rest = writer.flow(LEFT, y, texts, room, BOTTOM)
    writer.fit(0.5, 0.014, report.notice, 8, RIGHT - LEFT, ha="center")
    return writer, rest


# --- the parts ----------------------------------------------------------------------------------


def _title(report: Report) -> str:
    return " · ".join(filter(None, (report.place, word("page.leader", report.language))))


def _head(writer: Writer, report: Report) -> float:
    """Title, five numbers, warnings; returns where the map may begin."""
    writer.fit(LEFT, 0.945, _title(report), 17, 0.58)
    writer.fit(RIGHT, 0.948, f"{report.period} · {report.category}", 12, 0.34, ha="right")
    lowest = 0.85
    for number, (label, value, note) in enumerate(report.numbers):
        x = LEFT + number * 0.192
        writer.put(x, 0.885, value, 15)
        writer.put(x, 0.862, label, 8, SOFT)
        lowest = min(lowest, writer.lines(x, 0.853, Text(note, 6.5, SOFT), 0.18))
    if report.warnings:
        told = Text("\N{WARNING SIGN} " + " ".join(report.warnings), 8.5, "#8a5a00")
        lowest = writer.lines(LEFT, lowest - 0.006, told, RIGHT - LEFT)
    return lowest - 0.004


def _rings(shape: shapely.Geometry) -> list[np.ndarray]:
    parts = shapely.get_parts(shape)
    return [shapely.get_coordinates(part.exterior) for part in parts if part.geom_type == "Polygon"]


def _map(axes: Axes, writer: Writer, report: Report) -> None:
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


def _names(axes: Axes, writer: Writer, report: Report) -> None:
    """Names of the areas, as many as have room."""
    west, south, east, north = report.outlines.total_bounds
    box = axes.get_position()
    point = max((east - west) / (box.width * A4[0]), (north - south) / (box.height * A4[1])) / 72
    middles = report.outlines.representative_point()
    xy = np.column_stack([middles.x, middles.y])
    texts = [str(name) for name in report.outlines["name"]]
    room = fitting(xy, texts, report.outlines.area.to_numpy(), NAME_SIZE * point)
    for (x, y), text in zip(xy[room], np.array(texts)[room], strict=True):
        axes.annotate(text, (x, y), ha="center", va="center", zorder=4,
                      fontproperties=writer.sized(NAME_SIZE), color=SOFT,
                      parse_math=False)  # fmt: skip


def _scale(axes: Axes, writer: Writer, report: Report) -> None:
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


def _side(writer: Writer, report: Report, top: float, bottom: float) -> list[Text]:
    """Legend, places and notes beside the map; returns what had no room."""
    from matplotlib.patches import Rectangle

    lang, x = report.language, SIDE
    writer.put(x, top - 0.016, word("incidents.density", lang), 9)
    rows = legend_rows(report)
    for number, (colour, text) in enumerate(rows):
        left, y = x + (number % 3) * 0.12, top - 0.041 - (number // 3) * 0.024
        writer.figure.add_artist(
            Rectangle((left, y), 0.016, 0.013, facecolor=colour, edgecolor="#6e737b", linewidth=0.4)
        )
        writer.fit(left + 0.021, y + 0.001, text, 7.5, 0.096)
    y = top - 0.051 - ((len(rows) + 2) // 3) * 0.024
    writer.put(x, y, word("incidents.side_places", lang), 10)
    y -= 0.012
    room, space = RIGHT - x, y - bottom - 0.004
    texts = next(
        (made for made in (_beside(report, *sizes) for sizes in SIDE_SIZES)
         if writer.height(made, room) <= space),
        _beside(report, *SIDE_SIZES[-1]),
    )  # fmt: skip
    return writer.flow(x, y, texts, room, bottom + 0.004)[1]


def _beside(report: Report, where: float, why: float, note: float) -> list[Text]:
    """Places and notes in the sizes given."""
    texts = []
    if not report.places:
        texts.append(Text(word("incidents.no_places", report.language), where, gap=0.01))
    for place in report.places:
        texts.append(Text(place.where, where, mark=str(place.number), indent=0.022))
        texts.append(Text(place.why, why, SOFT, indent=0.022, gap=0.006))
    return [*texts, *(Text(told, note, SOFT) for told in report.notes)]


def _foot(writer: Writer, report: Report) -> tuple[float, list[Text]]:
    """What the colours mean, the data and parameters, the notice; returns where they begin and
    what had no room."""
    courses = {course_word(int(c), report.language) for c in report.cells["course"] if c}
    texts = [Text(report.meaning, 6.5, SOFT)]
    if courses:
        told = f"{word('incidents.trend', report.language)}: {', '.join(sorted(courses))}"
        texts.append(Text(told, 6.5, SOFT))
    lines = [f"{key} {value}" for key, value in report.lines if not key.startswith("notice")]
    texts.append(Text(" | ".join(lines), LEAST, SOFT))
    room = RIGHT - LEFT
    rest: list[Text] = []
    while writer.height(texts, room) > FOOT_MOST:
        rest.insert(0, texts.pop())
    top = BOTTOM + writer.height(texts, room)
    writer.flow(LEFT, top, texts, room, 0.0)
    writer.fit(0.5, 0.014, report.notice, 8, RIGHT - LEFT, ha="center")
    return top, rest
