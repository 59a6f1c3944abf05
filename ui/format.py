"""Numbers and names as people read them, the same in Chinese and English; no Streamlit here."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from datetime import datetime

DASH = "—"
"""Stands where there is no value."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def _missing(value: object) -> bool:
    if value is None:
        return True
    try:
        return bool(math.isnan(float(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return True


def whole(value: object) -> str:
    """``12345`` -> ``12,345``; a dash for None, NaN and text."""
    return DASH if _missing(value) else f"{round(float(value)):,}"  # type: ignore[arg-type]


def share(value: object, digits: int = 0) -> str:
    """``0.953`` -> ``95 %``."""
    return DASH if _missing(value) else f"{float(value):.{digits}%}".replace("%", " %")  # type: ignore[arg-type]


def signed_share(value: object, digits: int = 0) -> str:
    """``-0.04`` -> ``−4 %``, with a real minus sign; what rounds to nothing is ``0 %``."""
    if _missing(value):
        return DASH
    number = round(float(value), digits + 2) + 0.0  # type: ignore[arg-type]
    if number == 0:
        return f"{0:.{digits}f} %"
    return f"{number:+.{digits}%}".replace("-", "−").replace("%", " %")


def decimal(value: object, digits: int = 2) -> str:
    """``0.6361`` -> ``0.64``."""
    return DASH if _missing(value) else f"{float(value):,.{digits}f}"  # type: ignore[arg-type]


def area_km2(square_metres: object) -> str:
    """Square metres as square kilometres, with three significant places."""
    if _missing(square_metres):
        return DASH
    square_km = float(square_metres) / 1e6  # type: ignore[arg-type]
    return f"{square_km:.3f}" if square_km < 1 else f"{square_km:,.2f}"


def name_text(value: object) -> str:
    """A name from a file as one plain line: control and direction characters removed."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str) and value.isprintable():  # nearly all: nothing to remove
        return " ".join(value.split()) if " " in value else value
    text = "".join(
        " " if ch in "\t\r\n" else ch
        for ch in str(value)
        if ch in "\t\r\n" or unicodedata.category(ch) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return " ".join(text.split())


def html_text(value: object) -> str:
    """A value from a file, safe inside HTML text and attributes."""
    return html.escape(name_text(value), quote=True)


def markdown_text(value: object) -> str:
    """A value from a file, shown as it is where Streamlit would read Markdown."""
    return _MARKDOWN.sub(r"\\\1", name_text(value))


def local_time(moment: str) -> str:
    """A moment of the store (ISO 8601, UTC) on this server's clock, to the minute."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
