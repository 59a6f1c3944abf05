"""One sheet of paper: title, map, what is known of the subject, legend, scale, north, notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planning.export import NOTICE_EN, NOTICE_ZH
from planning.sheets.fonts import Font
from planning.sheets.panel import INK, SOFT, Frame, Panel, frame_for, nice_scale
from planning.sheets.pdf import Canvas
from planning.sheets.side import Side, Table, points
from planning.sheets.words import say

PAPER = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}
EDGE, HEAD, FOOT, SIDE = 10.0, 15.0, 12.0, 66.0  # mm
BELOW = 62.0  # of a sheet that stands: the panel under the map
NOTICE = {"zh": NOTICE_ZH, "en": NOTICE_EN}

@dataclass(frozen=True)
class Imprint:
    """What stands on every sheet: who made it, when, which version; ``place`` the county."""

    place: str = ""
    unit: str = ""
    date: str = ""
    version: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a sheet says: title, rows of (name, value), paragraphs of (name, text), a table."""

    title: str
    rows: Sequence[tuple[str, str]]
    texts: Sequence[tuple[str, str]]
    legend: Sequence[str]
    table: Table | None = None


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
        self.side = Side(self.canvas, font, language)
        side, below = (SIDE, 0.0) if self.lying else (0.0, BELOW)
        self.frame: Frame = frame_for(
            bounds, EDGE, EDGE + FOOT + below, width - 2 * EDGE - side - (3 if side else 0),
            height - 2 * EDGE - HEAD - FOOT - below - (3 if below else 0),
        )  # fmt: skip
        self.panel = Panel(self.canvas, self.frame)
        for box in (self._bar_box(), self._north_box()):  # no label under what is drawn last
            self.panel.reserve(*box)

    def finish(self, sheet: Sheet, imprint: Imprint) -> None:
        """Everything around the map; call it when the map is drawn."""
        c, frame = self.canvas, self.frame
        c.rectangle(frame.x, frame.y, frame.width, frame.height, line=INK, weight=0.35)
        top = c.height - EDGE - 6
        place = self.side.width(imprint.place, 10)
        size = self.side.fit(sheet.title, 16, c.width - 2 * EDGE - place - 6, 7.0)
        c.text(EDGE, top, sheet.title, size, bold=True)
        if imprint.place:
            c.text(c.width - EDGE - place, top, imprint.place, 10, ink=SOFT)
        self._scale_bar()
        self._north()
        (self._beside if self.lying else self._below)(sheet)
        self._foot(imprint)

    def _beside(self, sheet: Sheet) -> None:
        frame, side = self.frame, self.side
        x, y = frame.x + frame.width + 3, frame.y + frame.height
        rows = -(-len(sheet.legend) // 2)
        end = frame.y + 8 + 5 * rows
        y = side.facts(x, y, SIDE, sheet.rows)
        y = side.texts(x, y - 2, SIDE, sheet.texts, end)
        if sheet.table is not None:
            y = side.table(x, y - 2, SIDE, sheet.table, end)
        side.legend(x, max(y - 3, end), sheet.legend, columns=2, step=SIDE / 2)

    def _below(self, sheet: Sheet) -> None:
        """The facts and the legend on the left, what is told in words on the right."""
        side, y, end = self.side, self.frame.y - 1, EDGE + FOOT
        half = (self.canvas.width - 2 * EDGE) / 2 - 2
        down = side.facts(EDGE, y, half, sheet.rows)
        side.legend(EDGE, down - 2, sheet.legend, columns=3, step=half / 3)
        x = EDGE + half + 4
        y = side.texts(x, y, half, sheet.texts, end)
        if sheet.table is not None:
            side.table(x, y, half, sheet.table, end)

    def _bar_metres(self) -> int:
        return nice_scale(self.frame.width * self.frame.scale / 1000 / 5)

    def _bar_box(self) -> tuple[float, float, float, float]:
        """The paper of the scale bar: x, y, width, height."""
        long = self._bar_metres() * 1000 / self.frame.scale
        return self.frame.x + 2, self.frame.y + 2, long + 16, 9.5

    def _north_box(self) -> tuple[float, float, float, float]:
        frame = self.frame
        return frame.x + frame.width - 12.5, frame.y + frame.height - 18, 9, 16

    def _scale_bar(self) -> None:
        """A bar of a round length in the lower left of the map."""
        c, frame = self.canvas, self.frame
        metres = self._bar_metres()
        long = metres * 1000 / frame.scale
        x, y = frame.x + 4, frame.y + 5
        c.rectangle(*self._bar_box(), fill=(1, 1, 1))
        for i in range(4):
            c.rectangle(x + i * long / 4, y, long / 4, 1.2, line=INK, weight=0.2,
                        fill=INK if i % 2 == 0 else (1, 1, 1))  # fmt: skip
        told = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres} m"
        c.text(x - 0.5, y + 2.4, "0", 6.5)
        c.text(x + long - 1, y + 2.4, told, 6.5)

    def _north(self) -> None:
        c, frame = self.canvas, self.frame
        x, y = frame.x + frame.width - 8, frame.y + frame.height - 16
        c.rectangle(*self._north_box(), fill=(1, 1, 1))
        c.areas([points([(x, y + 9), (x - 2.2, y), (x, y + 1.8)])], INK)
        c.lines([points([(x, y + 9), (x + 2.2, y), (x, y + 1.8), (x, y + 9)])], INK, 0.2)
        text = say("north", self.language)
        width = self.side.width(text, 8)
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
        size = self.side.fit(NOTICE[language], 7.5, c.width - 2 * EDGE, 5.0)
        c.text(EDGE, EDGE + 0.8, NOTICE[language], size, ink=(0.62, 0.07, 0.28))
