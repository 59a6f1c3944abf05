"""What stands beside or below the map: facts, small tables, paragraphs, the legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planning.sheets.fonts import Font
from planning.sheets.panel import AROUND, DEDICATED, INK, SOFT, STYLES, SUBJECT, WATER_AREA
from planning.sheets.pdf import MM_PER_PT, Canvas, Colour, Points
from planning.sheets.words import say

HAIR = (0.85, 0.86, 0.88)
MICRO_INK, BEAT_INK = (0.11, 0.42, 0.36), (0.11, 0.18, 0.44)
GRID_LINE, VILLAGE_LINE = (INK, 0.45), (INK, 1.0)
_NO_HEAD = "，。；、,.;:：)）"  # signs that no line begins with


@dataclass(frozen=True)
class Table:
    """A small table: its column heads and rows of text.

    The first column takes what is left; every other one stands to the right.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Side:
    """A place on the paper to write into; every method returns how far down it came (mm)."""

    canvas: Canvas
    font: Font
    language: str

    def width(self, text: str, size: float) -> float:
        """The width of a text in millimetres."""
        return self.font.width(text, size * MM_PER_PT)

    def fit(self, text: str, size: float, width: float, least: float = 6.0) -> float:
        """The size at which a text is no wider than ``width``; never under ``least``."""
        needed = self.width(text, size)
        return size if needed <= width else max(least, size * width / needed)

    def shortened(self, text: str, size: float, width: float) -> str:
        """The text, cut with an ellipsis where it is too wide."""
        if self.width(text, size) <= width:
            return text
        while text and self.width(text + "…", size) > width:
            text = text[:-1]
        return text + "…"

    def facts(
        self, x: float, y: float, width: float, rows: Sequence[tuple[str, str]]
    ) -> float:
        """Names and values, a line each."""
        for name, value in rows:
            y -= 5.0
            self.canvas.text(x, y, name, 8, ink=SOFT)
            size = self.fit(value, 9, width - 24)
            self.canvas.text(x + 24, y, self.shortened(value, size, width - 24), size)
            self.canvas.lines([flat(x, x + width, y - 1.4)], HAIR, 0.15)
        return y

    def texts(
        self, x: float, y: float, width: float, texts: Sequence[tuple[str, str]], end: float
    ) -> float:
        """Paragraphs under their names, down to ``end`` at most."""
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

    def table(self, x: float, y: float, width: float, table: Table, end: float) -> float:
        """A table in as many columns of rows as it takes; what has no room is counted."""
        if not table.rows:
            return y
        y -= 1.0
        for size, step in ((8.0, 4.0), (7.0, 3.5), (6.0, 3.0)):
            cells = self._cells(table, size, width)
            room = max(1, int((y - end) / step) - 1)
            most = max(1, int((width + 4) // (sum(cells) + 4)))
            if most * room >= len(table.rows):
                break
        columns = min(most, -(-len(table.rows) // room))
        each = (width - 4 * (columns - 1)) / columns
        shown = table.rows
        if len(shown) > columns * room:
            shown = shown[: columns * room - 1]
        deep = -(-len(shown) // columns)
        if columns * room <= len(shown) + 1 < len(table.rows) + 1:
            deep = room
        low = y
        for column in range(columns):
            own = shown[column * deep : (column + 1) * deep]
            left = x + column * (each + 4)
            low = min(low, self._column(left, y, each, table.head, own, size, step, cells))
        if len(shown) < len(table.rows):
            low -= step
            left = x + (columns - 1) * (each + 4)
            more = say("more", self.language, n=len(table.rows) - len(shown))
            self.canvas.text(left, low, more, size, ink=SOFT)
        return low

    def _cells(self, table: Table, size: float, width: float) -> list[float]:
        """The width that each column needs."""
        each = [[table.head[i], *(row[i] for row in table.rows)] for i in range(len(table.head))]
        cells = [max(self.width(text, size) for text in column) + 2.0 for column in each]
        cells[0] = min(cells[0], width - sum(cells[1:]))
        return cells

    def _column(
        self, x: float, y: float, width: float, head: Sequence[str],
        rows: Sequence[Sequence[str]], size: float, step: float, cells: Sequence[float],
    ) -> float:  # fmt: skip
        first = width - sum(cells[1:])
        for number, row in enumerate([head, *rows]):
            y -= step
            ink = SOFT if number == 0 else INK
            self.canvas.text(x, y, self.shortened(row[0], size, first - 1), size, ink=ink)
            right = x + first
            for text, room in zip(row[1:], cells[1:], strict=True):
                right += room
                self.canvas.text(right - self.width(text, size), y, text, size, ink=ink)
            self.canvas.lines([flat(x, x + width, y - 1.1)], HAIR, 0.1)
        return y

    def legend(
        self, x: float, y: float, names: Sequence[str], columns: int = 1, step: float = 44.0
    ) -> float:
        """The signs of the map with their names."""
        self.canvas.text(x, y - 3, say("legend", self.language), 8, ink=SOFT)
        down = y
        for i, name in enumerate(names):
            left, down = x + (i % columns) * step, y - 8 - (i // columns) * 5.0
            self._sign(left, down, name)
            text = say(name, self.language)
            self.canvas.text(left + 10, down, text, self.fit(text, 8, step - 11))
        return down

    def _sign(self, x: float, y: float, name: str) -> None:
        fills: dict[str, Colour] = {
            "subject": SUBJECT, "around": AROUND, "dedicated": DEDICATED, "water": WATER_AREA,
        }  # fmt: skip
        if name in fills:
            self.canvas.rectangle(x, y - 0.6, 8, 3.2, fill=fills[name], line=INK, weight=0.15)
            return
        lines: dict[str, tuple[Colour, float]] = {
            "beat_line": (BEAT_INK, 0.8), "micro": (MICRO_INK, 0.4), "grid_line": GRID_LINE,
            "grid_thin": (SOFT, 0.25), "village_line": VILLAGE_LINE,
            "village_thin": (INK, 0.5), "town_line": (INK, 1.1),
            **STYLES,
        }  # fmt: skip
        ink, weight = lines[name]
        dash = {"micro": (1.4, 0.9), "railways": (1.6, 1.0)}.get(name, ())
        self.canvas.lines([flat(x, x + 8, y + 1.0)], ink, weight, dash)


def wrap(text: str, font: Font, size: float, width: float) -> list[str]:
    """Lines no wider than ``width`` mm; Latin words stay whole where they can."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _pieces(paragraph):
            full = font.width(line + piece, size * MM_PER_PT) > width
            if line and full and piece[0] not in _NO_HEAD:
                lines.append(line.rstrip())
                line = ""
            line += piece.lstrip() if not line else piece
        if line.strip():
            lines.append(line)
    return lines


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


def points(pairs: Sequence[tuple[float, float]]) -> Points:
    """Pairs as an array."""
    return np.array(pairs, dtype=float)


def flat(x1: float, x2: float, y: float) -> Points:
    """A level line."""
    return points([(x1, y), (x2, y)])
