"""Names of grids, micro-grids and beats as they are spoken in English.

A plan carries one name a grid, in Chinese: 幸福村第一网格. English papers say "幸福村 Grid 1": the
number is told in figures, a village's own name stays as it is. A name of another shape stays whole.
"""

from __future__ import annotations

import re

from planning.codes import chinese_number

_KINDS = (("专属网格", "Dedicated Grid"), ("微网格", "Micro-grid"), ("网格", "Grid"),
          ("警格", "Beat"), ("警务区", "Beat"))  # fmt: skip
_NUMBERED = re.compile(
    f"(.*?)第([0-9]+|[一二三四五六七八九十百零]+)({'|'.join(kind for kind, _ in _KINDS)})"
)
_WORDS = dict(_KINDS)
_FIGURES = {chinese_number(number): number for number in range(1, 1000)}
_DEDICATED = "专属网格"
NAMELESS = frozenset({"", "null", "none", "nan", "n/a", "na", "unnamed", "no name", "无", "无名"})
"""What files write where a line has no name."""


def name_in(name: str, language: str) -> str:
    """A name as papers of a language print it; in Chinese as it is."""
    if language == "zh":
        return name
    found = _NUMBERED.fullmatch(name)
    if found is None:
        own = name.removesuffix(_DEDICATED)
        return f"{own} (dedicated)" if own and own != name else name
    place, number, kind = found.groups()
    figure = int(number) if number.isdecimal() else _FIGURES.get(number)
    if figure is None:
        return name
    return f"{place} {_WORDS[kind]} {figure}".strip()


def short_number(code: str, village: str, name: str = "") -> str:
    """What tells a grid from its neighbours on a map: its code without the village's.

    A grid that came along when villages were merged keeps the code of the village that is gone:
    told by that village's name, which its own name begins with (塔荡村 001), else by all of it.
    """
    if village and code.startswith(village):
        return code[len(village) :].lstrip("-_") or code
    found = _NUMBERED.fullmatch(name)
    if found is not None and found[1] and code[-3:].isdecimal():
        return f"{found[1]} {code[-3:]}"
    return code


def is_numbered(name: str, village: str) -> bool:
    """Is this only a number in its village, as the program names a grid, or no name at all?"""
    found = _NUMBERED.fullmatch(name)
    return not name or (found is not None and found[1] in ("", village))


def line_name(value: object) -> str:
    """A line's name, or nothing where the file only says that it has none."""
    text = value.strip() if isinstance(value, str) else ""
    return "" if text.casefold() in NAMELESS else text
