"""Personal data is never stored: columns that hold it by name, and cells that hold it by content.

The list of names follows the Personal Information Protection Law's sensitive kinds and what
household rosters and incident ledgers carry in practice. Content is told by form *and* checksum
where the number has one. Nothing here returns a value it found: only kinds, columns and counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.columns import normal_name

Kind = Literal["identity_number", "mobile_number", "bank_card", "plate"]

_PARTS = (
    "姓名 身份证 身份号 证件 手机 电话 联系 联络 微信 QQ号 邮箱 户主 出生 年龄 性别 民族 宗教 "
    "政治面貌 "
    "婚姻 学历 文化程度 职业 工作单位 健康 残疾 精神障碍 疾病 低保 特困 银行卡 银行账号 开户 "
    "一卡通 "
    "社保卡 车牌 号牌 照片 重点人员 人员类别 报警人 报案人 投诉人 诉求人 申请人 当事人 嫌疑人 "
    "受害人 "
    "被害人 违法人 警号 案情 警情内容 简要 事件描述 诉求内容 监护人 党员 "
    "idcard idnumber idno passport firstname lastname surname personname ownername phone mobile "
    "telephone email wechat birth ethnic religion marital bankcard bankaccount licenseplate "
    "licenceplate plateno suspect victim complainant narrative badge"
)
_WORDS = (
    "网格长 网格员 专职网格员 兼职网格员 微网格长 网格指导员 楼长 楼栋长 组长 负责人 责任人 民警 "
    "社区民警 "
    "驻村民警 责任民警 辅警 处置人 经办人 owner tel cell dob sex gender age photo plate contact "
    "created_user last_edited_user"
)
_WHOLE = frozenset(map(normal_name, _WORDS.split()))
_PERSONAL_PARTS = tuple(map(normal_name, _PARTS.split()))
# Counts of such people are no personal data: 民警数, 残疾人数, 低保户数.
_COUNT_ENDING = re.compile(r"(数|人数|户数|数量|人口|count|num)$")


def is_personal_name(name: str) -> bool:
    """Whether a column of this name must not be read."""
    normal = normal_name(name)
    if _COUNT_ENDING.search(normal):
        return False
    return normal in _WHOLE or any(part in normal for part in _PERSONAL_PARTS)


@dataclass(frozen=True)
class Dropped:
    """What was left out: a column (``kind`` "column") or cells of one kind in a kept column."""

    column: str
    kind: Literal["column"] | Kind
    count: int


_IDENTITY = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"[0-9]{3}[0-9Xx](?![0-9])"
)
_IDENTITY_15 = re.compile(
    r"(?<![0-9])[1-8][0-9]{5}[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}(?![0-9])"
)
_IDENTITY_TW = re.compile(r"(?<![A-Za-z0-9])[A-Z][1289][0-9]{8}(?![0-9])")
_MOBILE = re.compile(r"(?<![0-9.])(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}(?![0-9])")
_CARD = re.compile(
    r"(?<![0-9])(?:62|4[0-9]|5[1-5]|35|37|60|9[0-9])[0-9]{2}(?:[- "
    "]?[0-9]){12,15}(?![0-9])"
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•\- ]?"
    r"[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Z0-9])"
)
# Whatever the patterns above can match holds one of these; RE2 finds them in whole columns.
_SUSPECT = (
    r"[0-9０-９]{7}|[0-9]{3}[- ][0-9]{4}|[0-9]{4}[- ][0-9]{4}|[A-Z][·•\- ]?[A-Z0-9Ａ-Ｚ０-９]{4}"
)
_SUSPECT_CODE = r"[0-9０-９ -]{15}|[A-Z][0-9０-９]{9}|[A-Z][·•\- ]?[A-Z0-9Ａ-Ｚ０-９]{4}"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_TW_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def _identity_ok(number: str) -> bool:
    total = sum(int(d) * w for d, w in zip(number[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _identity_tw_ok(number: str) -> bool:
    first = _TW_LETTERS.index(number[0]) + 10
    digits = [first // 10, first % 10, *map(int, number[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(d * w for d, w in zip(digits, weights, strict=True)) % 10 == 0


def _luhn_ok(number: str) -> bool:
    digits = [int(d) for d in number if d.isdigit()][::-1]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def kind_of(text: str, *, is_code: bool = False) -> Kind | None:
    """The kind of personal number a text holds anywhere, or None.

    ``is_code``: the column holds administrative or grid codes, where eleven and fifteen digits in
    a row are usual; only numbers with a checksum count there.
    """
    plain = unicodedata.normalize("NFKC", text)
    if any(_identity_ok(match.group()) for match in _IDENTITY.finditer(plain)):
        return "identity_number"
    if any(_identity_tw_ok(match.group()) for match in _IDENTITY_TW.finditer(plain)):
        return "identity_number"
    if not is_code and _IDENTITY_15.search(plain):
        return "identity_number"
    if not is_code and _MOBILE.search(plain):
        return "mobile_number"
    if any(_luhn_ok(match.group()) for match in _CARD.finditer(plain)):
        return "bank_card"
    return "plate" if _PLATE.search(plain) else None


def blank_personal(
    values: pd.Series, *, is_code: bool = False, weights: NDArray[np.int64] | None = None
) -> tuple[pd.Series, Counter[Kind]]:
    """A text column with every cell that holds a personal number emptied, and counts by kind.

    ``weights`` says how many cells each text stands for.
    """
    counts: Counter[Kind] = Counter()
    array = pa.array(values, from_pandas=True, type=pa.string())
    suspect = pc.match_substring_regex(array, _SUSPECT_CODE if is_code else _SUSPECT)
    texts = pc.unique(pc.filter(array, pc.fill_null(suspect, False))).to_pylist()
    kinds = {text: kind for text in texts if (kind := kind_of(text, is_code=is_code))}
    if not kinds:
        return values, counts
    hits = pc.is_in(array, value_set=pa.array(list(kinds))).to_numpy(zero_copy_only=False)
    times = np.ones(len(values), dtype=np.int64) if weights is None else weights
    for text, many in zip(values[hits], times[hits], strict=True):
        counts[kinds[text]] += int(many)
    return values.where(~hits, None), counts


def masked(value: object, limit: int = 24) -> str:
    """A value as it may stand in a message: short, on one line, never a personal number."""
    text = " ".join(str(value).split())
    if kind_of(text) is not None or re.search(r"[0-9]{11}", text):
        return "***"
    return text if len(text) <= limit else text[: limit - 1] + "…"
