"""Text on a sheet of paper: wrapped by the font's own widths, never past its edges; pure.

Places are parts of the sheet from the lower left, sizes are points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A4 = (11.69, 8.27)  # inches, lying
INK, SOFT = "#23262b", "#5b616a"
LEAST = 6.0  # points; nobody reads less on paper
LEADING = 1.38  # height of a line in sizes of its letters
_HANGING = "，。；、：）)%"  # may stand behind the end of a line


@dataclass(frozen=True)
class Text:
    """One paragraph; ``mark`` stands before it, ``indent`` is a part of the sheet's width, ``gap``
    of its height, below the paragraph."""

    text: str
    size: float
    colour: str = INK
    mark: str = ""
    indent: float = 0.0
    gap: float = 0.0


class Writer:
    """Puts text on one sheet; ``$`` is a dollar sign."""

    def __init__(self, figure: Figure, font: Path) -> None:
        from matplotlib.font_manager import FontProperties

        self.figure, self.path = figure, font
        self.font = FontProperties(fname=str(font))

    def put(self, x: float, y: float, text: str, size: float = 9, colour: str = INK,
            **more: Any) -> None:  # fmt: skip
        """One line. Raises ValueError for letters too small to be read."""
        if size < LEAST:
            raise ValueError(f"letters of {size} points are too small to be read")
        self.figure.text(x, y, text, size=size, color=colour, fontproperties=self.sized(size),
                         parse_math=False, **more)  # fmt: skip

    def sized(self, size: float) -> Any:
        """The font in a size."""
        found = self.font.copy()
        found.set_size(size)
        return found

    def wide(self, text: str, size: float) -> float:
        """Width of a text, a part of the sheet's."""
        return sum(_advance(self.path, sign) for sign in text) * size / 72 / A4[0]

    def fit(self, x: float, y: float, text: str, size: float, room: float, **more: Any) -> None:
        """One line in no more than ``room``: smaller letters where it needs them, then cut."""
        least = max(0.6 * size, LEAST)
        size = max(min(size, size * room / max(self.wide(text, size), 1e-9)), least)
        if self.wide(text, size) > room:
            while text and self.wide(text + "…", size) > room:
                text = text[:-1]
            text += "…"
        self.put(x, y, text, size, **more)

    def wrapped(self, text: str, size: float, room: float) -> list[str]:
        """The lines of a text in ``room``."""
        em = room * A4[0] * 72 / size
        return wrapped(text, em, lambda sign: _advance(self.path, sign))

    def high(self, text: Text, room: float) -> float:
        """Height of a paragraph, a part of the sheet's."""
        return len(self.wrapped(text.text, text.size, room - text.indent)) * step(text.size)

    def lines(self, x: float, y: float, text: Text, room: float) -> float:
        """Put a paragraph from ``y`` down; returns where the next may begin."""
        if text.mark:
            self.put(x, y, text.mark, text.size, text.colour, va="top")
        for line in self.wrapped(text.text, text.size, room - text.indent):
            self.put(x + text.indent, y, line, text.size, text.colour, va="top")
            y -= step(text.size)
        return y - text.gap

    def flow(
        self, x: float, y: float, texts: Sequence[Text], room: float, least: float
    ) -> tuple[float, list[Text]]:
        """Put paragraphs from ``y`` down to ``least``; returns where they end and what had no
        room, in order."""
        for number, text in enumerate(texts):
            if y - self.high(text, room) < least:
                return y, list(texts[number:])
            y = self.lines(x, y, text, room)
        return y, []

    def height(self, texts: Sequence[Text], room: float) -> float:
        """Height of paragraphs below each other."""
        return sum(self.high(text, room) + text.gap for text in texts)

    def split(self, text: Text, room: float, height: float) -> tuple[Text, Text]:
        """A paragraph in two, the first as long as ``height`` allows, a line at least."""
        lines = self.wrapped(text.text, text.size, room - text.indent)
        many = max(int(height / step(text.size)), 1)
        first, second = " ".join(lines[:many]), " ".join(lines[many:])
        return replace(text, text=first), replace(text, text=second, mark="")


def step(size: float) -> float:
    """From one line to the next, a part of the sheet's height."""
    return size * LEADING / 72 / A4[1]


@lru_cache(maxsize=20_000)
def _advance(font: Path, sign: str) -> float:
    """Width of a sign, in sizes of its letters."""
    return float(_face(font).load_char(ord(sign)).linearHoriAdvance) / 65_536 / 100


@lru_cache(maxsize=4)
def _face(font: Path) -> Any:
    from matplotlib.ft2font import FT2Font

    face = FT2Font(str(font))
    face.set_size(100, 72)
    return face


def wrapped(text: str, width: float, wide: Callable[[str], float]) -> list[str]:
    """Lines no wider than ``width``, ``wide`` being the width of a sign; Latin words stay whole
    unless one of them is wider than a line, and a closing sign may hang out."""
    lines, line, used = [], "", 0.0
    for part in _parts(text, width, wide):
        size = sum(map(wide, part.rstrip()))
        if line and used + size > width and part not in _HANGING:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line, used = line + part, used + sum(map(wide, part))
    return [*lines, line.rstrip()] if line.strip() else lines


def _parts(text: str, width: float, wide: Callable[[str], float]) -> Iterator[str]:
    """Chinese characters one by one, Latin words with the blank behind them; what is wider than a
    line sign by sign."""
    run = ""
    for sign in [*text, ""]:
        chinese = bool(sign) and ord(sign) > 0x2E7F
        if sign and not chinese and not run.endswith(" "):
            run += sign
            continue
        if run:
            yield from [run] if sum(map(wide, run.rstrip())) <= width else run
        run = "" if chinese else sign
        if chinese:
            yield sign
