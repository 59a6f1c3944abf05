"""Why a column was taken for what: one phrase a column, in Chinese and English, without a value.

Truth lives in the layer: its names, its role and the cells that were kept. A phrase tells the name
that decided, the names that gave way, and what the cells look like: how many digits, from which
number to which, how many different ones. It never shows a cell of text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geo.columns import MEANINGS, ColumnFound, Role, meanings_of, normal_name
from geo.messages import register, sentence
from geo.personal import masked
from geo.problems import Language
from geo.read import Layer

#: canonical column → Chinese, English
MEANING_WORDS: dict[str, tuple[str, str]] = {
    "code": ("代码", "code"),
    "name": ("名称", "name"),
    "township_name": ("乡镇(街道)", "township"),
    "class_code": ("城乡分类", "urban or rural class"),
    "households": ("户数", "number of households"),
    "persons": ("人口", "number of people"),
    "household_id": ("户编号", "household number"),
    "village_code": ("村代码", "village code"),
    "village_name": ("村名", "village name"),
    "group": ("村民小组/自然村", "village group"),
    "compound": ("小区", "compound"),
    "road_class": ("道路等级", "road class"),
    "category": ("类别", "category"),
    "subtype": ("小类", "subtype"),
    "source": ("来源", "source"),
    "status": ("状态", "status"),
    "station": ("派出所", "station"),
    "beat": ("警格", "beat"),
    "post": ("岗位", "post"),
    "kind": ("岗位类型", "kind of post"),
    "officers": ("警力数", "number of officers"),
    "incident_id": ("事件编号", "incident number"),
    "time": ("时间", "time"),
    "time_precision": ("时间精度", "precision of the time"),
    "date": ("日期", "date"),
    "clock": ("钟点", "time of day"),
    "closed_time": ("办结时间", "time closed"),
    "reported_time": ("报告时间", "time reported"),
    "due_time": ("办理时限", "time due"),
    "time_to": ("发生时间止", "latest time"),
    "minutes": ("处置时长(分钟)", "minutes of handling"),
    "department": ("处置部门", "department"),
    "lon": ("经度或东坐标", "longitude or easting"),
    "lat": ("纬度或北坐标", "latitude or northing"),
    "lonlat": ("一列坐标", "pair of coordinates"),
    "wkt": ("图形文本", "shape as text"),
}
_OF_ROLE: dict[tuple[Role, str], tuple[str, str]] = {
    ("villages", "code"): ("村代码", "village code"),
    ("villages", "name"): ("村名", "village name"),
    ("beats", "code"): ("警格编码", "beat code"),
    ("beats", "name"): ("警格名称", "beat name"),
}
_IDS = frozenset(("household_id", "incident_id"))
_PLACES = frozenset(("lon", "lat", "lonlat", "wkt"))

register(
    {
        "why-given": ("您指定为{meaning}", "you said that it is the {meaning}"),
        "why-name": ("列名是“{meaning}”的常见写法", "its name is a known synonym of {meaning}"),
        "why-pattern": (
            "列名的构成符合“{meaning}”的写法",
            "its name is built as names of {meaning} are",
        ),
        "why-lon": (
            "列名看不出,但值都是中国范围内的经度",
            "no name tells it, but its values are longitudes inside China",
        ),
        "why-lat": (
            "列名看不出,但值都是中国范围内的纬度",
            "no name tells it, but its values are latitudes inside China",
        ),
        "why-wkt": (
            "单元格里是文字写成的图形(WKT)",
            "its cells are shapes written as text (WKT)",
        ),
        "why-values": ("由其内容判断", "its values tell it"),
        "why-rivals": (
            "{columns} 也像,但不如它明确",
            "{columns} could be it too, but less surely",
        ),
        "why-renumbered": (
            "各行重新编号,不保留原编号",
            "rows are numbered anew and the file's own numbers are not kept",
        ),
        "why-unused": ("这里用不到,不保留", "nothing here needs it; it is not kept"),
        "why-shapes": ("图形已给出位置,不再读取", "the shapes give the places; it is not read"),
        "why-surer": (
            "也像“{meaning}”,但 {column} 更明确;不保留",
            "could be the {meaning}, but {column} is surer; it is not kept",
        ),
        "why-personal": (
            "按列名属于个人信息,从不读取",
            "its name says that it holds personal data; it is never read",
        ),
        "look-empty": ("值全为空", "every value is empty"),
        "look-digits": ("值是 {digits} 位数字", "the values are {digits} digits each"),
        "look-codes": (
            "值是 {low} 至 {high} 个字符的代码",
            "the values are codes of {low} to {high} characters",
        ),
        "look-different": ("{count} 个各不相同", "all {count} different"),
        "look-kinds": ("有 {count} 种", "{count} different ones"),
        "look-whole": (
            "值是 {low:.0f} 至 {high:.0f} 的整数",
            "the values are whole numbers from {low:.0f} to {high:.0f}",
        ),
        "look-times": ("值从 {first} 到 {last}", "the values run from {first} to {last}"),
        "look-blank": ("{count} 行为空", "{count} empty"),
    }
)


@dataclass(frozen=True)
class Reason:
    """One clause: a code of :data:`geo.messages.SENTENCES` and its parameters."""

    code: str
    params: dict[str, object] = field(default_factory=dict)
    meaning: str = ""
    role: Role = "villages"

    def text(self, language: Language) -> str:
        """The clause in a language."""
        params = dict(self.params)
        if self.meaning:
            params["meaning"] = meaning_word(self.meaning, self.role, language)
        return sentence(self.code, language, params)


def meaning_word(canonical: str, role: Role, language: Language) -> str:
    """What a canonical column is called in a layer of a role."""
    words = _OF_ROLE.get((role, canonical)) or MEANING_WORDS.get(canonical, (canonical, canonical))
    return words[0 if language == "zh" else 1]


def reasons(layer: Layer, column: ColumnFound) -> list[Reason]:
    """Why one column of a layer was taken for what it was, the deciding clause first."""
    if column.canonical is None:
        return [_left_out(layer, column)]
    meaning = column.canonical
    found = [_deciding(layer.role, column, meaning)]
    rivals = [
        masked(other.source)
        for other in layer.columns
        if other.canonical is None
        and other.why == "unused"
        and meaning in meanings_of(other.source, layer.role)
    ]
    if rivals and column.why == "name":
        shown = ", ".join(rivals[:3]) + (" …" if len(rivals) > 3 else "")
        found.append(Reason("why-rivals", {"columns": shown}))
    if meaning in _IDS:
        return [*found, Reason("why-renumbered")]
    kept = "time" if meaning in ("date", "clock") else meaning
    return found + (_looks(layer.frame[kept], kept) if kept in layer.frame else [])


def why(layer: Layer, column: ColumnFound, language: Language) -> str:
    """The clauses of one column as a phrase."""
    texts = [reason.text(language) for reason in reasons(layer, column)]
    return (";" if language == "zh" else "; ").join(texts)


def _deciding(role: Role, column: ColumnFound, meaning: str) -> Reason:
    if column.why == "given":
        return Reason("why-given", {}, meaning, role)
    if column.why == "content":
        known = meaning in ("lon", "lat", "wkt")
        return Reason(f"why-{meaning}" if known else "why-values")
    spelt = normal_name(column.source) in MEANINGS[role].get(meaning, {})
    return Reason("why-name" if spelt else "why-pattern", {}, meaning, role)


def _left_out(layer: Layer, column: ColumnFound) -> Reason:
    if column.why == "personal":
        return Reason("why-personal")
    possible = meanings_of(column.source, layer.role)
    if _PLACES & possible.keys() and "geometry" in layer.frame:
        return Reason("why-shapes")
    taken = {other.canonical: other.source for other in layer.columns if other.canonical}
    for meaning in sorted(possible, key=possible.__getitem__):
        if meaning in taken:
            return Reason("why-surer", {"column": masked(taken[meaning])}, meaning, layer.role)
    return Reason("why-unused")


def _looks(values: pd.Series[Any], meaning: str) -> list[Reason]:
    """What the cells look like: lengths, ranges, numbers of different ones."""
    there = values.dropna()
    if not len(there):
        return [Reason("look-empty")]
    if pd.api.types.is_datetime64_any_dtype(there):
        first, last = (f"{moment:%Y-%m-%d}" for moment in (there.min(), there.max()))
        found = [Reason("look-times", {"first": first, "last": last})]
    elif pd.api.types.is_numeric_dtype(there):
        low, high = float(there.min()), float(there.max())
        found = [Reason("look-whole", {"low": low, "high": high})]
    else:
        found = _looks_of_text(there.astype("str"), meaning)
    blank = int(len(values) - len(there))
    return found + ([Reason("look-blank", {"count": blank})] if blank else [])


def _looks_of_text(there: pd.Series[Any], meaning: str) -> list[Reason]:
    found = []
    if meaning.endswith("code"):
        lengths = there.str.len().to_numpy()
        low, high = int(lengths.min()), int(lengths.max())
        if low == high and bool(there.str.fullmatch("[0-9]+").all()):
            found.append(Reason("look-digits", {"digits": low}))
        else:
            found.append(Reason("look-codes", {"low": low, "high": high}))
    different = int(np.asarray(there.nunique()))
    every = different == len(there) and different > 1
    found.append(Reason("look-different" if every else "look-kinds", {"count": different}))
    return found
