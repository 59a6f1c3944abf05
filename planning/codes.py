"""Numbers, codes and names of grids.

Default scheme: the village's code and three digits, 001-899 comprehensive, 901-999 dedicated;
numbered from north to south in rows and within a row from west to east, as the Beijing and Xi'an
standards ask (domain notes: 西→东, 北→南). A code once filed is kept by whoever files it; the
proposal starts a new plan.
"""

from __future__ import annotations

import math
from collections.abc import Container

import numpy as np
import pandas as pd

from geo.messages import register
from geo.problems import InputError, Problem
from planning.graph import FloatArray, IntArray

register(
    {
        "too-many-grids": (
            "村 {village} 将有 {usual} 个综合网格和 {dedicated} 个专属网格,三位编码容不下"
            "(上限 899 和 99);请提高目标户数或减少网格数。",
            "village {village} would have {usual} comprehensive and {dedicated} dedicated grids; "
            "three digits hold 899 and 99. Raise the target or the caps, or ask for fewer grids.",
        ),
    }
)

FIRST_DEDICATED = 901
LAST_COMPREHENSIVE = 899
MOST_DEDICATED = 99

_DIGITS = "零一二三四五六七八九"


def reading_order(x: FloatArray, y: FloatArray) -> IntArray:
    """Order of places as one reads a map: rows from the north, each from the west.

    Returns the positions in order, shape (n,). About sqrt(n) rows of equal number; wrong (that
    is, arbitrary) for places that do not fall in rows at all.
    """
    n = len(x)
    if n == 0:
        return np.empty(0, dtype=np.int64)
    rows = max(1, round(math.sqrt(n)))
    by_north = np.lexsort((x, -y))
    row = np.empty(n, dtype=np.int64)
    row[by_north] = np.arange(n) * rows // n
    return np.lexsort((-y, x, row)).astype(np.int64)


def chinese_number(number: int) -> str:
    """A whole number from 1 to 999 in Chinese numerals: 1 一, 10 十, 21 二十一, 105 一百零五."""
    if not 1 <= number <= 999:
        raise ValueError(f"no grid name for number {number}")
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += "十" if tens == 1 and not hundreds else f"{_DIGITS[tens]}十"
    elif hundreds and ones:
        text += "零"
    return text + (_DIGITS[ones] if ones else "")


def grid_codes(village_code: str, comprehensive: int, dedicated: int = 0) -> list[str]:
    """Codes of a village's grids, comprehensive first. InputError beyond 899 or 99."""
    if comprehensive > LAST_COMPREHENSIVE or dedicated > MOST_DEDICATED:
        params = {"village": village_code, "usual": comprehensive, "dedicated": dedicated}
        raise InputError([Problem("too-many-grids", params=params)])
    numbers = [*range(1, comprehensive + 1)]
    numbers += range(FIRST_DEDICATED, FIRST_DEDICATED + dedicated)
    return [f"{village_code}{number:03d}" for number in numbers]


def village_of_code(code: str, villages: Container[str]) -> str:
    """Which of the villages a grid's code was given in, "" for none of them.

    Codes of villages need not be of one length (1, 2, ... 13): 11001 is the first grid of 11 and
    none of 1, though it begins with either. Three digits after the village's code decide; in a code
    of another form the longest village.
    """
    if code[:-3] in villages and code[-3:].isdecimal():
        return code[:-3]
    return next((code[:n] for n in range(len(code) - 1, 0, -1) if code[:n] in villages), "")


def filing_order(grids: pd.DataFrame) -> IntArray:
    """Rows of a table of grids as they are filed: by village, then by code, shape (n,).

    Shorter codes come first, so that village 2 stands before village 10.
    """
    code = grids["code"].fillna("").astype(str)
    home = grids["village_code"].fillna("").astype(str) if "village_code" in grids else code.str[:0]
    keys = (code, code.str.len(), home, home.str.len())
    return np.lexsort(tuple(key.to_numpy() for key in keys)).astype(np.int64)


def grid_names(village_name: str, comprehensive: int, dedicated: list[str]) -> list[str]:
    """Names: 幸福村第一网格 ..., and for dedicated grids the place's own name."""
    names = [f"{village_name}第{chinese_number(i + 1)}网格" for i in range(comprehensive)]
    for i, place in enumerate(dedicated):
        own = place or f"{village_name}第{chinese_number(i + 1)}"
        names.append(f"{own}专属网格")
    return names
