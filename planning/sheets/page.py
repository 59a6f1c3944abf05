"""One sheet of paper: title, map, what is known of the subject, legend, scale, north, notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planning.export import NOTICE_EN, NOTICE_ZH
from planning.sheets.fonts import Font
from planning.sheets.panel import (
    AROUND,
    DEDICATED,
    INK,
    SOFT,
    STYLES,
    SUBJECT,
    WATER_AREA,
    Frame,
    Panel,
    frame_for,
    nice_scale,
)
from planning.sheets.pdf import MM_PER_PT, Canvas, Colour, Points

PAPER = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}
EDGE, HEAD, FOOT, SIDE = 10.0, 15.0, 12.0, 66.0  # mm
BELOW = 62.0  # of a sheet that stands: the panel under the map
NOTICE = {"zh": NOTICE_ZH, "en": NOTICE_EN}

WORDS: dict[str, tuple[str, str]] = {
    "households": ("户数", "Households"),
    "persons": ("人口", "Persons"),
    "area": ("面积", "Area"),
    "code": ("编码", "Code"),
    "village": ("村(社区)", "Village"),
    "township": ("乡镇(街道)", "Township"),
    "kind": ("类别", "Kind"),
    "comprehensive": ("综合网格", "comprehensive"),
    "dedicated": ("专属网格", "dedicated"),
    "grids": ("网格", "Grids"),
    "micro": ("微网格", "Micro-grids"),
    "bounds": ("四至", "Bounds"),
    "exceptions": ("例外", "Exceptions"),
    "legend": ("图例", "Legend"),
    "subject": ("本图范围", "this sheet"),
    "around": ("相邻", "neighbours"),
    "roads": ("道路", "roads"),
    "water": ("水系", "waters"),
    "railways": ("铁路", "railways"),
    "beat_line": ("警格界", "beats"),
    "scale": ("比例尺 1:{n}", "Scale 1:{n}"),
    "north": ("北", "N"),
    "date": ("日期", "Date"),
    "version": ("版本", "Version"),
    "unit": ("编制单位", "By"),
    "station": ("派出所", "Station"),
    "work": ("工作量", "Work"),
    "villages": ("村(社区)数", "Villages"),
    "more": ("另有 {n} 项", "{n} more"),
}


def say(name: str, language: str, **values: object) -> str:
    """A word of the sheets."""
    return WORDS[name][0 if language == "zh" else 1].format(**values)


@dataclass(frozen=True)
class Imprint:
    """What stands on every sheet: who made it, when, which version; ``place`` the county."""

    place: str = ""
    unit: str = ""
    date: str = ""
    version: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a sheet says: title, rows of (name, value), paragraphs of (name, text)."""

    title: str
    rows: Sequence[tuple[str, str]]
    texts: Sequence[tuple[str, str]]
    legend: Sequence[str]


class Paper:
    """A sheet being drawn. ``panel`` is the map's frame, ready to be drawn into."""

    def __init__(
        self, bounds: Sequence[float], font: Font, language: str, size: str = "A4"
    ) -> None:
        short, long = PAPER[size]
        west, south, east, north = bounds
        self.lying = (east - west) > 0.92 * (north - south)
        width, height = (long, short) if self.lying else (short, long)
        self.canvas = Canvas(width, height, font)
        self.font, self.language = font, language
        side, below = (SIDE, 0.0) if self.lying else (0.0, BELOW)
        self.frame: Frame = frame_for(
            bounds, EDGE, EDGE + FOOT + below, width - 2 * EDGE - side - (3 if side else 0),
            height - 2 * EDGE - HEAD - FOOT - below - (3 if below else 0),
        )  # fmt: skip
        self.panel = Panel(self.canvas, self.frame)

    def finish(self, sheet: Sheet, imprint: Imprint) -> None:
        """Everything around the map; call it when the map is drawn."""
        c, frame = self.canvas, self.frame
        c.rectangle(frame.x, frame.y, frame.width, frame.height, line=INK, weight=0.35)
        top = c.height - EDGE - 6
        size = self._fit(sheet.title, 16, c.width - 2 * EDGE - 60)
        c.text(EDGE, top, sheet.title, size, bold=True)
        if imprint.place:
            width = self.font.width(imprint.place, 10 * MM_PER_PT)
            c.text(c.width - EDGE - width, top, imprint.place, 10, ink=SOFT)
        self._scale_bar()
        self._north()
        if self.lying:
            x, y, width = frame.x + frame.width + 3, frame.y + frame.height, SIDE
            y = self._facts(x, y, width, sheet.rows)
            y = self._texts(x, y - 2, width, sheet.texts, frame.y + 38)
            self._legend(x, max(y - 3, frame.y + 34), sheet.legend)
        else:
            x, y = EDGE, frame.y - 3
            half = (c.width - 2 * EDGE) / 2 - 2
            down = self._facts(x, y, half, sheet.rows)
            self._legend(x, down - 3, sheet.legend, columns=2)
            self._texts(x + half + 4, y, half, sheet.texts, EDGE + FOOT)
        self._foot(imprint)

    def _fit(self, text: str, size: float, width: float) -> float:
        needed = self.font.width(text, size * MM_PER_PT)
        return size if needed <= width else max(7.0, size * width / needed)

    def _facts(
        self, x: float, y: float, width: float, rows: Sequence[tuple[str, str]]
    ) -> float:
        for name, value in rows:
            y -= 5.0
            self.canvas.text(x, y, name, 8, ink=SOFT)
            size = self._fit(value, 9, width - 24)
            self.canvas.text(x + 24, y, value, size)
            self.canvas.lines([_flat(x, x + width, y - 1.4)], (0.85, 0.86, 0.88), 0.15)
        return y

    def _texts(
        self, x: float, y: float, width: float, texts: Sequence[tuple[str, str]], end: float
    ) -> float:
        for name, text in texts:
            if not text:
                continue
            y -= 5.0
            self.canvas.text(x, y, name, 8, ink=SOFT)
            for line in wrap(text, self.font, 8, width):
                if y - 4.0 < end:
                    return y
                y -= 4.0
                self.canvas.text(x, y, line, 8)
        return y

    def _legend(self, x: float, y: float, names: Sequence[str], columns: int = 1) -> None:
        self.canvas.text(x, y - 3, say("legend", self.language), 8, ink=SOFT)
        for i, name in enumerate(names):
            left, down = x + (i % columns) * 44, y - 8 - (i // columns) * 5.0
            self._sign(left, down, name)
            self.canvas.text(left + 11, down, say(name, self.language), 8)

    def _sign(self, x: float, y: float, name: str) -> None:
        fills: dict[str, Colour] = {
            "subject": SUBJECT, "around": AROUND, "dedicated": DEDICATED, "water": WATER_AREA,
        }  # fmt: skip
        if name in fills:
            self.canvas.rectangle(x, y - 0.6, 8, 3.2, fill=fills[name], line=INK, weight=0.15)
            return
        middle = [_flat(x, x + 8, y + 1.0)]
        if name == "beat_line":
            self.canvas.lines(middle, (0.11, 0.18, 0.44), 0.8)
        elif name == "micro":
            self.canvas.lines(middle, (0.11, 0.42, 0.36), 0.25, (1.2, 0.8))
        else:
            ink, weight = STYLES[name]
            self.canvas.lines(middle, ink, weight, (1.6, 1.0) if name == "railways" else ())

    def _scale_bar(self) -> None:
        """A bar of a round length, and the scale in numbers, in the lower left of the map."""
        c, frame = self.canvas, self.frame
        metres = nice_scale(frame.width * frame.scale / 1000 / 5)
        long = metres * 1000 / frame.scale
        x, y = frame.x + 4, frame.y + 5
        c.rectangle(x - 2, y - 3, long + 16, 9.5, fill=(1, 1, 1))
        for i in range(4):
            c.rectangle(x + i * long / 4, y, long / 4, 1.2, line=INK, weight=0.2,
                        fill=INK if i % 2 == 0 else (1, 1, 1))  # fmt: skip
        told = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres} m"
        c.text(x - 0.5, y + 2.4, "0", 6.5)
        c.text(x + long - 1, y + 2.4, told, 6.5)

    def _north(self) -> None:
        c, frame = self.canvas, self.frame
        x, y = frame.x + frame.width - 8, frame.y + frame.height - 16
        c.rectangle(x - 4.5, y - 2, 9, 16, fill=(1, 1, 1))
        c.areas([_points([(x, y + 9), (x - 2.2, y), (x, y + 1.8)])], INK)
        c.lines([_points([(x, y + 9), (x + 2.2, y), (x, y + 1.8), (x, y + 9)])], INK, 0.2)
        text = say("north", self.language)
        width = self.font.width(text, 8 * MM_PER_PT)
        c.text(x - width / 2, y + 10, text, 8, bold=True)

    def _foot(self, imprint: Imprint) -> None:
        c, language = self.canvas, self.language
        scale = say("scale", language, n=f"{self.frame.scale:,}")
        told = [scale]
        for name in ("unit", "date", "version"):
            value = getattr(imprint, name)
            if value:
                told.append(f"{say(name, language)}: {value}")
        c.text(EDGE, EDGE + 5.5, "    ".join(told), 8)
        size = self._fit(NOTICE[language], 7.5, c.width - 2 * EDGE)
        c.text(EDGE, EDGE + 0.8, NOTICE[language], size, ink=(0.62, 0.07, 0.28))


def wrap(text: str, font: Font, size: float, width: float) -> list[str]:
    """Lines no wider than ``width`` mm; Latin words stay whole where they can."""
    lines, line = [], ""
    for piece in _pieces(text):
        full = font.width(line + piece, size * MM_PER_PT) > width
        if line and full and piece not in "，。；、)）":
            lines.append(line.rstrip())
            line = ""
        line += piece.lstrip() if not line else piece
    return [*lines, line] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    found, latin = [], ""
    for sign in text:
        if ord(sign) < 0x2E80 and not sign.isspace():
            latin += sign
            continue
        if latin:
            found.append(latin)
            latin = ""
        found.append(sign)
    return [*found, latin] if latin else found


def _points(pairs: Sequence[tuple[float, float]]) -> Points:
    return np.array(pairs, dtype=float)


def _flat(x1: float, x2: float, y: float) -> Points:
    return _points([(x1, y), (x2, y)])
