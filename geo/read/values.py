"""Cells to values: numbers, coordinates, codes and names as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.read.limits import LIMITS

Floats = NDArray[np.float64]
Texts = pd.Series
Weights = NDArray[np.int64] | None

_WKT_START = r"^\s*(SRID=\d+;)?\s*(POINT|LINESTRING|POLYGON|MULTI|GEOMETRYCOLLECTION)"

_UNIT = re.compile(r"(户|戶|人|口|名|个|個|栋|棟|households?|persons?|people)$", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_ANGLE = re.compile(
    r"(?P<before>[EWNSewns]|东经|西经|北纬|南纬)?"
    r"(?P<deg>[0-9]{1,3}(?:\.[0-9]+)?)[°度d:](?:(?P<min>[0-9]{1,2}(?:\.[0-9]+)?)[′'’‘分m:]?)?"
    r"(?:(?P<sec>[0-9]{1,2}(?:\.[0-9]+)?)(?:″|\"|”|“|''|’’|′′|秒|s)?)?(?P<after>[EWNSewns])?"
)
_HIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
# The same characters for Arrow's RE2, which knows no surrogates.
_HIDDEN_RE2 = (
    r"[\x00-\x1f\x7f-\x{a0}\x{1680}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{2069}]"
    r"|[\x{3000}\x{feff}]|^\s|\s$|\s\s"
)
_NOTHING_RE2 = r"^(-|--|—|/|\\|无|無|空|(?i:null|none|nan|na|n/a))$"
# What Arrow certainly reads, and as a finite number.
_SURELY_PLAIN_RE2 = r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_HYPHENED = re.compile(r"[0-9]{6,9}-[0-9]{3}")
_WHOLE_FLOAT = re.compile(r"([0-9]+)\.0+")
_NOTHING = frozenset(
    ("", "-", "--", "—", "/", "\\", "无", "無", "null", "none", "nan", "na", "n/a", "空")
)


def as_text(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column as text; whole numbers lose a trailing ".0", missing values stay missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype("str")
    if pd.api.types.is_bool_dtype(values):
        return values.astype("str")
    if pd.api.types.is_float_dtype(values):
        whole = values.isna() | ((values % 1 == 0) & (values.abs() < 2**53))
        if bool(whole.all()):
            return values.astype("Int64").astype("str").where(values.notna(), None)
    if pd.api.types.is_object_dtype(values):
        return pd.Series([_cell_text(v) for v in values], index=values.index, dtype="str")
    return values.astype("str")


def _cell_text(value: object) -> str | None:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    text = value if isinstance(value, str) else str(value)
    return text.encode("utf-8", errors="replace").decode("utf-8") or None


def distinct(values: pd.Series[Any]) -> tuple[pd.Series[Any], NDArray[np.intp]] | None:
    """The different texts of a column that is held by them, and each row's place among them (-1
    where its cell is empty); None for a column that is held cell by cell."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return None
    texts: pd.Series[Any] = pd.Series(values.cat.categories, dtype="str")
    return texts, np.asarray(values.cat.codes, dtype=np.intp)


def looks_like_wkt(values: pd.Series[Any] | None) -> bool:
    """Whether most of a column's first cells are well-known text."""
    if values is None or pd.api.types.is_numeric_dtype(values):
        return False
    head = as_text(values.dropna().iloc[:20])
    return len(head) > 0 and bool(head.str.match(_WKT_START, case=False).mean() > 0.5)


def parse_numbers(values: pd.Series[Any]) -> tuple[Floats, NDArray[np.bool_]]:
    """Numbers of a column (NaN where empty or unreadable), and which cells were unreadable.

    Reads plain numbers, full-width digits, thousands commas, decimal commas and a trailing unit
    (12 户, 1,234人). Text that means nothing (-, 无, null, nan) is empty, not unreadable. Infinite
    words are unreadable. Each cell is read by itself: what its neighbours are changes nothing.
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        out = values.to_numpy(dtype=float, na_value=np.nan)
        bad = np.isinf(out)
        return np.where(bad, np.nan, out), bad
    return _by_cell(values, _number)


def parse_coordinates(values: pd.Series[Any]) -> tuple[Floats, NDArray[np.bool_]]:
    """Like :func:`parse_numbers`, and degrees-minutes-seconds: 120°30′00″E, 北纬31度30分."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return parse_numbers(values)
    return _by_cell(values, _coordinate)


def coordinates_of(texts: pa.Array) -> tuple[Floats, NDArray[np.bool_]]:
    """The same of an Arrow array of texts."""
    return _numbers_of(texts, _coordinate)


def _by_cell(
    values: pd.Series[Any], read: Callable[[str], float]
) -> tuple[Floats, NDArray[np.bool_]]:
    few = distinct(values)
    texts = as_text(values) if few is None else few[0]
    numbers, bad = _numbers_of(pa.array(texts, from_pandas=True, type=pa.string()), read)
    if few is None:
        return numbers, bad
    return np.append(numbers, np.nan)[few[1]], np.append(bad, False)[few[1]]


def _numbers_of(
    texts: pa.Array, read: Callable[[str], float]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Numbers of texts: plain ones all at once, each other different text by ``read``."""
    empty = pc.is_null(texts)
    try:
        out = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
        odd = ~np.isfinite(out) & ~empty.to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        plain = pc.fill_null(pc.match_substring_regex(texts, _SURELY_PLAIN_RE2), False)
        numbers = pc.cast(pc.if_else(plain, texts, None), pa.float64())
        out = numbers.to_numpy(zero_copy_only=False)
        odd = ~pc.or_(plain, empty).to_numpy(zero_copy_only=False)
    bad = np.zeros(len(out), dtype=bool)
    if not odd.any():
        return out, bad
    told = texts.filter(pa.array(odd)).dictionary_encode()
    found = [(read(text), _means_nothing(text)) for text in told.dictionary.to_pylist()]
    number = np.array([value for value, _ in found])
    unread = np.isnan(number) & ~np.array([nothing for _, nothing in found])
    out, place = out.copy(), told.indices.to_numpy()
    out[odd], bad[odd] = number[place], unread[place]
    return out, bad


def _means_nothing(text: str) -> bool:
    return text.strip().casefold() in _NOTHING


def _number(text: str) -> float:
    plain = _UNIT.sub("", unicodedata.normalize("NFKC", text).strip()).strip()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    if not _PLAIN.fullmatch(plain):
        return float("nan")
    value = float(plain)
    return value if np.isfinite(value) else float("nan")


def _coordinate(text: str) -> float:
    value = _number(text)
    if not np.isnan(value) or _means_nothing(text):
        return value
    angle = parse_angle(text)
    return value if angle is None else angle


def parse_angle(text: str) -> float | None:
    """Degrees (west and south negative) of an angle with degrees, minutes and seconds, or None."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    for sign in ("′", "’", "‘"):
        plain = plain.replace(sign + sign, '"')
    match = _ANGLE.fullmatch(plain)
    if match is None:
        return None
    minutes, seconds = float(match["min"] or 0), float(match["sec"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    value = float(match["deg"]) + minutes / 60 + seconds / 3600
    mark = (match["before"] or match["after"] or "").upper()
    return -value if mark in ("W", "S", "西经", "南纬") else value


def clean_text(
    values: pd.Series[Any], weights: Weights = None
) -> tuple[pd.Series[Any], int, int]:
    """Names and codes without hidden characters, on one line, of bounded length.

    Returns the column, how many cells held control or direction characters, and how many were
    cut; ``weights`` says how many cells each text stands for. Text that means nothing becomes
    missing. HTML, quotes and formulas stay: they are text, and whoever shows or writes them
    escapes them.
    """
    text = as_text(values)
    array = pa.array(text, from_pandas=True, type=pa.string())
    odd = pc.or_(
        pc.match_substring_regex(array, _HIDDEN_RE2),
        pc.greater(pc.utf8_length(array), LIMITS.name_length),
    )
    odd = pc.or_(odd, pc.match_substring_regex(array, _NOTHING_RE2))
    rows = pc.fill_null(odd, False).to_numpy(zero_copy_only=False).nonzero()[0]
    if not rows.size:
        return text, 0, 0
    picked = text.iloc[rows]
    unique = {item: _clean(item) for item in picked.unique()}
    hidden = cut = 0
    cleaned = [unique[item] for item in picked]
    for row, new in zip(rows, cleaned, strict=True):
        times = 1 if weights is None else int(weights[row])
        hidden, cut = hidden + new[1] * times, cut + new[2] * times
    if all(new[0] == old for new, old in zip(cleaned, picked, strict=True)):
        return text, hidden, cut
    out = np.array(list(text), dtype=object)
    out[rows] = [new[0] for new in cleaned]
    return pd.Series(out, index=text.index, dtype="str"), hidden, cut


def _clean(text: str) -> tuple[str | None, bool, bool]:
    visible = _HIDDEN.sub(lambda m: " " if m.group().isspace() else "", text)
    plain = " ".join(visible.split())
    hidden = any(not c.isspace() for m in _HIDDEN.finditer(text) for c in m.group())
    if plain.casefold() in _NOTHING:
        return None, hidden, False
    return plain[: LIMITS.name_length], hidden, len(plain) > LIMITS.name_length


def parse_codes(
    values: pd.Series[Any], weights: Weights = None
) -> tuple[pd.Series[Any], NDArray[np.bool_], int]:
    """Codes as text; which cells a spreadsheet turned into 3.2E+11; how many got zeros back.

    ``weights`` as in :func:`clean_text`. Leading zeros are given back where a column of digits has
    one longest length and others fall short of it by one, or where Taiwan's county prefix 0 (09007,
    09020) was lost from all.
    """
    text, _, _ = clean_text(values)
    unique = text.dropna().unique()
    tidy = {item: _code(item) for item in unique}
    if any(new != old for old, new in tidy.items()):
        text = text.map(tidy)
    scientific = [item for item in tidy.values() if _SCIENTIFIC.fullmatch(item)]
    lost = text.isin(scientific).to_numpy(dtype=bool)
    digits = text.dropna().unique()
    if not len(digits) or not all(item.isascii() and item.isdigit() for item in digits):
        return text, lost, 0
    lengths = {len(item) for item in digits}
    longest = max(lengths)
    short = text.str.len() == longest - 1
    # 9, 11 and 12 digits are the lengths of township and village codes; serial numbers that grow
    # from five to six digits must stay as they are.
    if longest in (9, 11, 12) and lengths == {longest - 1, longest}:
        padded = text.where(~short.fillna(False), "0" + text)
    elif lengths == {10} and all(item.startswith(("9007", "9020")) for item in digits):
        short, padded = text.notna(), "0" + text
    else:
        return text, lost, 0
    given = short.fillna(False).to_numpy(dtype=bool)
    return padded, lost, int(given.sum() if weights is None else weights[given].sum())


def _code(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("'").strip()
    if _HYPHENED.fullmatch(plain):  # 67000010-001 is the village 67000010001
        return plain.replace("-", "")
    match = _WHOLE_FLOAT.fullmatch(plain)
    return match[1] if match else plain
