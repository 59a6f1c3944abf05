"""Tables as people read them: columns named in the user's language, rows found by name or code.

Pure: what stands here turns a plan's frames into what a page shows, and knows no Streamlit.
Names keep their place in cells, where nothing is read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from planning.export import in_language, rule_names
from planning.naming import name_in
from ui.format import name_text
from ui.map.layers import exception_count, judged
from ui.words import Language, known, word

GRID_TABLE = (
    "code", "name", "households", "persons", "deviation", "deviation_ideal", "exceptions",
    "polsby_popper", "edge_on_line", "reach_m", "village_name", "township_name", "kind",
)  # fmt: skip
SEARCHED = ("code", "name", "village_name")
GRID_HEADS = {
    "code": "grid.code",
    "name": "grid.name",
    "households": "grid.households",
    "persons": "grid.persons",
    "deviation": "grid.deviation",
    "deviation_ideal": "grid.deviation_ideal",
    "exceptions": "grid.exceptions",
    "polsby_popper": "grid.compactness",
    "edge_on_line": "grid.on_lines",
    "reach_m": "grid.reach",
    "village_name": "village.name",
    "township_name": "village.township",
    "kind": "grid.kind",
}
VILLAGE_HEADS = {
    "code": "village.code",
    "name": "village.name",
    "township_name": "village.township",
    "households": "grid.households",
    "persons": "grid.persons",
    "grids": "village.grids_now",
    "suggested": "village.suggested",
    "wanted": "village.wanted",
}


def matching(frame: pd.DataFrame, query: str, columns: Sequence[str]) -> pd.DataFrame:
    """Rows in which every word of ``query`` occurs in one of ``columns``, case ignored."""
    kept = pd.Series(True, index=frame.index)
    for part in name_text(query).casefold().split():
        found = pd.Series(False, index=frame.index)
        for column in columns:
            if column in frame.columns:
                texts = frame[column].map(lambda value: name_text(value).casefold())
                found |= texts.str.contains(part, regex=False)
        kept &= found
    return frame[kept]


def kind_word(kind: object, language: Language) -> str:
    """Comprehensive or dedicated, in words; another kind as it is."""
    key = f"kind.{name_text(kind)}"
    return word(key, language) if known(key) else name_text(kind)


def _numbers(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        return pd.Series(float("nan"), index=frame.index)
    return pd.to_numeric(frame[name], errors="coerce").astype(float)


def households_of(frame: pd.DataFrame) -> int:
    """Households of a table whose rows carry counts; a row without one is one household."""
    if "households" not in frame.columns:
        return len(frame)
    return int(pd.to_numeric(frame["households"], errors="coerce").fillna(1).sum())


def grid_table(grids: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The table of grids, one row a grid in the plan's order, under the plan's column names.

    ``deviation`` and ``deviation_ideal`` are in percent; ``exceptions`` is a count.
    """
    table = pd.DataFrame(index=grids.index)
    for name in GRID_TABLE:
        if name in ("deviation", "deviation_ideal"):
            # Rounded here, because a table would show what rounds to nothing as "-0".
            table[name] = (judged(grids, name) * 100).round() + 0.0
        elif name == "edge_on_line":
            table[name] = _numbers(grids, name) * 100
        elif name in ("households", "persons", "polsby_popper", "reach_m"):
            table[name] = _numbers(grids, name)
        elif name == "exceptions":
            cells = grids[name] if name in grids.columns else pd.Series("", index=grids.index)
            table[name] = cells.map(exception_count)
        elif name == "kind":
            kinds = grids[name] if name in grids.columns else pd.Series("", index=grids.index)
            table[name] = kinds.map(lambda value: kind_word(value, language))
        elif name == "name" and name in grids.columns:
            table[name] = [spoken(value, language) for value in grids[name]]
        elif name in grids.columns:
            table[name] = grids[name].map(name_text)
    return table


def spoken(name: object, language: Language) -> str:
    """A grid's name as a page of a language writes it: 幸福村 Grid 1."""
    return name_in(name_text(name), "zh" if language == "zh" else "en")


class GridIndex:
    """The grids of one plan ready to be searched and shown: a city has thousands.

    ``grids`` in the order they are shown in; every answer keeps it.
    """

    def __init__(self, grids: pd.DataFrame, columns: Sequence[str] = SEARCHED) -> None:
        self.grids = grids
        self._columns = columns
        self._tables: dict[Language, pd.DataFrame] = {}

    @cached_property
    def _texts(self) -> np.ndarray:
        """Everything of a grid that is searched, in one text; no query holds the separator."""
        parts = [
            self.grids[name].map(name_text).to_numpy(dtype=object)
            for name in self._columns
            if name in self.grids.columns
        ]
        return np.array(["\0".join(cells).casefold() for cells in zip(*parts, strict=True)],
                        dtype=object)  # fmt: skip

    def rows(self, query: str, among: np.ndarray) -> np.ndarray:
        """Rows among ``among`` ((n,) of bool) in which every word of ``query`` occurs."""
        found = np.flatnonzero(among)
        for part in name_text(query).casefold().split():
            texts = self._texts[found]
            found = found[np.fromiter((part in text for text in texts), bool, len(texts))]
        return found

    def table(self, rows: np.ndarray, language: Language) -> pd.DataFrame:
        """:func:`grid_table` of some rows, made once a language."""
        if language not in self._tables:
            self._tables[language] = grid_table(self.grids, language)
        return self._tables[language].iloc[rows]


def exception_table(
    exceptions: pd.DataFrame, grids: pd.DataFrame, language: Language
) -> pd.DataFrame:
    """The list of exceptions with the grid's name; the grid's code keeps its column."""
    codes = exceptions["grid_code"].map(name_text)
    named = grids[grids["code"].astype(str).isin(set(codes))]  # a city has thousands of others
    names = dict(zip(named["code"].astype(str), named["name"], strict=True))
    return pd.DataFrame(
        {
            "grid_name": codes.map(lambda code: spoken(names.get(code, code), language)),
            "rule": exceptions["rule"].map(lambda rule: rule_names(name_text(rule), language)),
            "value": _numbers(exceptions, "value"),
            "limit": _numbers(exceptions, "limit"),
            "reason": exceptions["reason"].map(
                lambda text: name_text(in_language(str(text), language))
            ),
            "grid_code": codes,
        },
        index=exceptions.index,
    )


def village_table(
    villages: pd.DataFrame, suggested: Mapping[str, int], wanted: Mapping[str, int]
) -> pd.DataFrame:
    """Villages with the number of grids the rule gives and the number the planner wants."""
    codes = villages["code"].map(name_text)
    table = pd.DataFrame({"code": codes}, index=villages.index)
    for name in ("name", "township_name"):
        table[name] = villages[name].map(name_text) if name in villages.columns else ""
    for name in ("households", "persons", "grids"):
        table[name] = _numbers(villages, name)
    table["suggested"] = codes.map(lambda code: suggested.get(code)).astype("Int64")
    table["wanted"] = codes.map(lambda code: wanted.get(code)).astype("Int64")
    return table


def wanted_numbers(edited: pd.DataFrame) -> dict[str, int]:
    """What the planner filled in: village code -> number of grids; blank rows follow the rule."""
    filled = edited[edited["wanted"].notna()]
    return {
        str(code): int(number)
        for code, number in zip(filled["code"], filled["wanted"], strict=True)
        if int(number) >= 1
    }


def village_choices(villages: pd.DataFrame) -> dict[str, str]:
    """Village code -> ``name · township · code``, in the order of codes, for a list to search."""
    rows = villages.sort_values("code")
    townships = rows["township_name"] if "township_name" in rows.columns else [""] * len(rows)
    return {
        name_text(code): " · ".join(
            part for part in (name_text(name), name_text(township), name_text(code)) if part
        )
        for code, name, township in zip(rows["code"], rows["name"], townships, strict=True)
    }
