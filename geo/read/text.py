"""Which encoding a text is in, found by trying and by looking at the result."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Characters that place names and table heads are full of, in both scripts. A wrong decoding of
# one East Asian encoding as another gives characters, but not these.
_FREQUENT = frozenset(
    "的村镇乡街道社区居委会路号小组户人口数名称代码经纬度东西南北大上下新中山河江湖县市省一二三"
    "鄉鎮區里鄰號戶數碼稱縣東門臺台灣口年月日時分類別發生地點"
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD_ROWS = 10_000  # in which texts are counted
_SAMPLE = 200_000  # bytes looked at to choose between encodings that all fit


def detect_encoding(data: bytes) -> tuple[str, int] | None:
    """The encoding of a text and the length of its byte-order mark; None when none fits.

    Tried in order: a byte-order mark, UTF-8, then GB18030 (which holds GBK and GB2312) against
    Big5, judged by how much of the result is common characters. Wrong for a Big5 text so short
    that every byte pair is a common character in both (a handful of characters); the caller can
    show the result and let a person choose.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return (name, len(mark)) if _fits(data[len(mark) :], name) else None
    if _fits(data, "utf-8"):
        return "utf-8", 0
    # the likelier is tried first: decoding all of a large file is what costs
    likely = sorted(("gb18030", "big5hkscs"), key=lambda name: -plausibility(data, name))
    found = next((name for name in likely if _fits(data, name)), None)
    return None if found is None else (found, 0)


def encodings_of(path: Path) -> Iterator[tuple[str, int]]:
    """Encodings that a file may be in, in the order of :func:`detect_encoding`, with the length of
    its byte-order mark. Told from its beginning alone: the first that all of it fits is the one.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            yield name, len(mark)
            return
    yield "utf-8", 0
    for name in sorted(("gb18030", "big5hkscs"), key=lambda name: -plausibility(head, name)):
        yield name, 0


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, ValueError):
        return False
    return True


def plausibility(data: bytes, encoding: str) -> float:
    """How much of a text reads as Chinese under an encoding: about 0 (rubbish) to 4."""
    text = data[:_SAMPLE].decode(encoding, errors="ignore")
    wide = [character for character in text if ord(character) > 0x7F]
    if not wide:
        return 0.0
    frequent = sum(character in _FREQUENT for character in wide)
    return (_common_share("".join(wide), encoding) * len(wide) + 3 * frequent) / len(wide)


def _common_share(text: str, encoding: str) -> float:
    """Share of the first-level (common) characters of the encoding's own table."""
    low, high = (0xB0, 0xD7) if encoding == "gb18030" else (0xA4, 0xC6)
    pairs = [character.encode(encoding, errors="ignore") for character in text]
    return sum(len(p) == 2 and low <= p[0] <= high for p in pairs) / len(pairs)


def decode(data: bytes) -> tuple[str, str] | None:
    """The text without byte-order mark, and its encoding's name; None when none fits."""
    found = detect_encoding(data)
    if found is None:
        return None
    encoding, mark = found
    return data[mark:].decode(encoding), encoding


def arrow_column(column: pa.ChunkedArray) -> pd.Series[Any]:
    """An Arrow column for pandas; text that is no UTF-8 (a file may hold any bytes) is decoded.

    Bytes that no encoding fits become replacement characters.
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            return _decoded(column)
        head = column.slice(0, _HEAD_ROWS)
        if len(head) >= 1000 and pc.count_distinct(head).as_py() > len(head) / 2:
            return text_column(column)  # hardly any repeats: numbers of rows, times
        return text_column(column.dictionary_encode())
    values: pd.Series[Any] = column.to_pandas()
    return values


def text_column(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Valid text of Arrow for pandas: by its different texts (as categories) where they are less
    than half as many as the cells, which then are looked at once each.
    """
    if not pa.types.is_dictionary(column.type):
        values: pd.Series[Any] = column.to_pandas()
        return values.astype("str")
    if not column.num_chunks:
        return pd.Series([], dtype="str")
    whole = column.unify_dictionaries()
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in whole.chunks]
    code = np.concatenate(codes)
    texts = whole.chunk(0).dictionary
    there = np.bincount(code[code >= 0], minlength=len(texts)) > 0
    if not there.all():  # rows at the end were left out
        place = np.append(np.cumsum(there) - 1, -1)
        code, texts = place[code], texts.filter(pa.array(there))
    names = pd.Index(texts.to_pandas(), dtype="str")
    if len(names) >= len(code) / 2:
        return pd.Series(names.array.take(code, allow_fill=True))
    return pd.Series(pd.Categorical.from_codes(code, categories=names, validate=False))


def _decoded(column: pa.ChunkedArray) -> pd.Series[Any]:
    raw = column.cast(pa.large_binary()).to_pylist()
    found = detect_encoding(b"\n".join(value for value in raw if value))
    encoding = found[0] if found else "utf-8"
    texts = [None if value is None else value.decode(encoding, "replace") for value in raw]
    return pd.Series(texts, dtype="str")
