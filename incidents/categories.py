"""Local kinds of events onto a short list of classes, by a table that people can edit.

The table is a CSV of three columns: ``local`` (the words of the file, or ``large/small``),
``class`` (a key of the list, or empty) and ``sensitive`` (1: never shown below the beat; 0: not).
A row fits where it equals the event's kind; else the longest row whose words stand in it.

A kind is sensitive where the row that equals it says so, whatever words stand in it; where no row
equals it, wherever a sensitive row's words do. Of a table from a file the built-in sensitive words
stay in force unless the file's own row of such a word says 0: whoever only maps kinds onto classes
must not make public, without a word, what was not.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.messages import register
from geo.problems import InputError, Problem

register(
    {
        "categories-unreadable": (
            "无法读取类别对照表;请给出含 local,class 两列的 CSV(sensitive 列可选)。",
            "cannot be read; give a CSV with the columns local,class (and, if wanted, sensitive).",
        ),
        "categories-class": (
            "类别“{value}”不在所用的类别表中(可用:{known})。",
            "{value!r} is no class of this list (known: {known}); correct it.",
        ),
        "categories-twice": (
            "“{value}”出现两次且类别不同;请只保留一行。",
            "{value!r} stands twice with different classes; keep one row.",
        ),
        "categories-mark": (
            "sensitive 列中的“{value}”无法识别;请填 1(敏感)或 0(不敏感),或留空。",
            "{value!r} in the column sensitive is neither; write 1 (sensitive) or 0 (not), or "
            "leave it empty.",
        ),
        "categories-default-marks": (
            "有 {count} 个内置敏感词表中没有注明是否敏感,仍按敏感处理(如“{name}”);"
            "不应敏感的,请加一行并在 sensitive 列填 0。",
            "says nothing of {count} built-in sensitive words (such as {name!r}): they stay "
            "sensitive. Where one is not, give it a row with 0 in the column sensitive.",
        ),
    }
)


@dataclass(frozen=True)
class ClassList:
    """A list of classes: its key, and for each class a key and its names (zh, en)."""

    key: str
    classes: Mapping[str, tuple[str, str]]

    @property
    def keys(self) -> tuple[str, ...]:
        """The classes' keys, in order."""
        return tuple(self.classes)


SIX = ClassList(
    "six",
    {
        "public_order": ("社会治安", "Public order"),
        "public_safety": ("公共安全", "Public safety"),
        "city_management": ("城市管理", "City management"),
        "environment": ("环境保护", "Environment"),
        "special_tasks": ("专项重点工作", "Special tasks"),
        "city_components": ("城市部件", "City components"),
    },
)
THREE = ClassList(
    "three",
    {
        "family": ("家里事", "Family matters"),
        "neighbourhood": ("邻里事", "Neighbours' matters"),
        "village": ("村里事", "Village matters"),
    },
)
SEVEN = ClassList(
    "seven",
    {
        "traffic": ("交通事故", "Traffic accidents"),
        "labour": ("劳动争议", "Labour"),
        "medical": ("医患纠纷", "Medical"),
        "household": ("家事纠纷", "Family"),
        "property": ("物业纠纷", "Property management"),
        "consumer": ("消费者权益保护", "Consumers"),
        "environment": ("环境保护", "Environment"),
    },
)
LISTS: Mapping[str, ClassList] = {item.key: item for item in (SIX, THREE, SEVEN)}

_WORDS: Mapping[str, Mapping[str, str]] = {
    "six": {
        "public_order": "社会治安 治安 刑事 盗窃 抢劫 抢夺 诈骗 殴打 打架 斗殴 赌博 涉毒 毒品 噪音 "
        "邻里纠纷 寻衅 入室 电诈 theft burglary robbery assault fraud shoplifting anti-social "
        "antisocial disorder drugs violence weapon hijacking carjacking battery homicide "
        "public order criminal damage vehicle crime "
        "noise crime",
        "public_safety": "公共安全 安全隐患 消防 火灾 交通事故 交通 燃气 溺水 用电 危房 危险品 "
        "安全生产 "
        "高空抛物 a1 a2 撞 fire crash accident collision traffic gas drowning auto vehicle car "
        "pedestrian truck taxi motorcycle bus hazard",
        "city_management": "城市管理 占道 乱停车 停车 违章 违建 垃圾 市容 环卫 卫生 广告 "
        "parking litter "
        "garbage sanitation vendor illegal building",
        "environment": "环境保护 环境 污染 污水 秸秆 油烟 扬尘 河道 水质 臭气 pollution sewage "
        "smoke "
        "river",
        "special_tasks": "专项重点工作 专项 重点工作 矛盾 纠纷 欠薪 劳资 劳动 征地 拆迁 物业 "
        "信访 维权 "
        "医患 dispute wages petition mediation labour labor",
        "city_components": "城市部件 部件 井盖 路灯 公示牌 护栏 路牌 道路破损 信号灯 健身器材 "
        "manhole "
        "street light streetlight sign railing pothole",
    },
    "three": {
        "family": "家里事 家事 家庭 婚姻 赡养 抚养 继承 分家 family marriage",
        "neighbourhood": "邻里事 邻里 相邻 噪音 宅基地 地界 漏水 停车 neighbour neighbor noise",
        "village": "村里事 村务 征地 拆迁 土地 集体 道路 水利 环境 垃圾 低保 village land",
    },
    "seven": {
        "traffic": "交通事故 交通 道交 a1 a2 撞 crash collision traffic",
        "labour": "劳动争议 劳动 劳资 欠薪 工伤 labour labor wages",
        "medical": "医患纠纷 医患 医疗 medical",
        "household": "家事纠纷 家事 家庭 婚姻 赡养 抚养 继承 family marriage",
        "property": "物业纠纷 物业 小区管理 property management",
        "consumer": "消费者权益保护 消费 维权 预付卡 退款 consumer refund",
        "environment": "环境保护 环境 污染 污水 油烟 噪音 秸秆 pollution noise",
    },
}
_PHRASES = ("public order", "criminal damage", "illegal building", "street light",
            "property management", "vehicle crime")  # fmt: skip
_SENSITIVE = (
    "强奸 猥亵 性侵 家暴 家庭暴力 虐待 未成年 儿童 拐卖 自杀 精神障碍 艾滋 卖淫 嫖娼 "
    "sexual rape domestic child minor abuse suicide prostitution trafficking"
)
#: "minor" is a person nearly everywhere but before these; a children's playground is no child
_NO_PERSON = re.compile(
    r"\bminor(?= (?:injur|damage|crash|accident|collision|fire|offen[cs]|dispute|repair|issue|"
    r"incident|theft|fault|violation|complaint|nuisance|disturbance|leak|spill|defect|road|"
    r"traffic|property|vehicle|public|noise|works?\b))|儿童(?=游乐|乐园|公园|滑梯)"
)
_YES = frozenset({"1", "1.0", "yes", "y", "true", "是", "敏感", "√", "✓"})
_NO = frozenset({"0", "0.0", "no", "n", "false", "否", "不敏感", "×"})


@dataclass(frozen=True)
class CategoryTable:
    """Words of the files → classes of one list. ``rows``: words → (class key or "", sensitive).

    ``notes`` are what its reading has to tell.
    """

    classes: ClassList
    rows: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    notes: tuple[Problem, ...] = field(default=(), compare=False)

    def changed(self, local: str, key: str, *, sensitive: bool = False) -> CategoryTable:
        """The table with one row set. Raises ValueError for a class that the list lacks."""
        if key and key not in self.classes.classes:
            raise ValueError(f"{key!r} is no class of the list {self.classes.key}")
        rows = {**self.rows, plain(local): (key, sensitive)}
        return CategoryTable(self.classes, rows, self.notes)

    def classify(self, categories: Sequence[str], subtypes: Sequence[str]) -> Classified:
        """Class number (-1 unmapped) and sensitivity of each pair of kind and sub-kind, (n,)."""
        number = {key: i for i, key in enumerate(self.classes.keys)}
        words = sorted(self.rows, key=len, reverse=True)
        found = [self._one(plain(c), plain(s), words) for c, s in zip(categories, subtypes,
                                                                     strict=True)]  # fmt: skip
        return Classified(
            np.array([number.get(key, -1) for key, _ in found], dtype=np.int8),
            np.array([sensitive for _, sensitive in found], dtype=bool),
        )

    def _one(self, category: str, subtype: str, words: Sequence[str]) -> tuple[str, bool]:
        """The class of one kind: whole words before parts, the large kind before the small."""
        both = f"{category}/{subtype}"
        texts = [text for text in (both, category, subtype) if text and text != "/"]
        whole = both if category and subtype else category or subtype
        if whole in self.rows:  # somebody decided about this very kind
            sensitive = self.rows[whole][1]
        else:
            sensitive = _names_any(both, [word for word in words if self.rows[word][1]])
        for text in texts:
            if text in self.rows and self.rows[text][0]:
                return self.rows[text][0], sensitive
        for text in texts[1:]:
            for word in words:
                if self.rows[word][0] and _holds(text, word):
                    return self.rows[word][0], sensitive
        return "", sensitive


def _holds(text: str, word: str) -> bool:
    """Whether words stand in a text: Chinese anywhere, Latin letters as whole words."""
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?:s|es)?(?![a-z0-9])", text) is not None


def _names_any(text: str, sensitive: Iterable[str]) -> bool:
    """Whether a kind's words hold one of the sensitive words, as a word of that meaning."""
    told = _NO_PERSON.sub(" ", text)
    return any(_holds(told, word) for word in sensitive)


@dataclass(frozen=True)
class Classified:
    """What became of kinds: ``number`` (n,) of the class or -1, ``sensitive`` (n,)."""

    number: NDArray[np.int8]
    sensitive: NDArray[np.bool_]


def plain(text: str) -> str:
    """Words as they are compared: lower case, single spaces."""
    return " ".join(str(text).casefold().split())


def default_table(classes: ClassList = SIX) -> CategoryTable:
    """The table that comes with the program; Chinese and English words of practice."""
    rows: dict[str, tuple[str, bool]] = {}
    for key, words in _WORDS[classes.key].items():
        for phrase in _PHRASES:
            if phrase in words:
                rows[phrase] = (key, False)
                words = words.replace(phrase, " ")
        for word in words.split():
            rows.setdefault(word, (key, False))
    for word in _SENSITIVE.split():
        rows[word] = (rows.get(word, ("", False))[0], True)
    return CategoryTable(classes, rows)


def write_table(table: CategoryTable, path: str | Path) -> None:
    """Write the table as CSV that spreadsheet programs open (UTF-8 with a mark)."""
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["local", "class", "sensitive"])
        out.writerows([local, key, int(s)] for local, (key, s) in table.rows.items())


def read_table(path: str | Path, classes: ClassList = SIX) -> CategoryTable:
    """Read an edited table; classes by key or by name. Raises InputError with every wrong row.

    A word without a mark of its own is sensitive where it holds a word that is. The built-in
    sensitive words of which the file says nothing stay, and the table's notes tell it.
    """
    path = Path(path)
    frame = _csv(path)
    names = {plain(name): key for key, both in classes.classes.items() for name in (key, *both)}
    keys: dict[str, str] = {}
    said: dict[str, bool] = {}
    problems = []
    marks = frame["sensitive"] if "sensitive" in frame else pd.Series("", index=frame.index)
    cells = zip(frame["local"], frame["class"], marks, strict=True)
    for number, (local, given, told) in enumerate(cells, start=2):
        words, key, mark = plain(local), names.get(plain(given), ""), plain(told)
        if not words:
            continue
        params: dict[str, object] = {"value": given[:40], "known": ", ".join(classes.keys)}
        if given.strip() and not key:
            problems.append(Problem("categories-class", path.name, f"row {number}", params))
        elif keys.get(words, key) != key:
            params = {"value": words[:40]}
            problems.append(Problem("categories-twice", path.name, f"row {number}", params))
        if mark and mark not in _YES | _NO:
            params = {"value": mark[:40]}
            problems.append(Problem("categories-mark", path.name, f"row {number}", params))
        keys[words] = key
        if mark:
            said[words] = mark in _YES or said.get(words, False)
    if problems:
        raise InputError(problems)
    return _with_default_marks(classes, keys, said, path.name)


def _with_default_marks(
    classes: ClassList, keys: Mapping[str, str], said: Mapping[str, bool], name: str
) -> CategoryTable:
    """A file's rows, what it ``said`` of being sensitive, and the built-in words for the rest."""
    built_in = [word for word, (_, mark) in default_table(classes).rows.items() if mark]
    unsaid = [word for word in built_in if word not in said]
    secret = [*unsaid, *(word for word, mark in said.items() if mark)]
    rows = {word: (key, said.get(word, _names_any(word, secret))) for word, key in keys.items()}
    rows |= {word: ("", True) for word in unsaid if word not in rows}
    notes: tuple[Problem, ...] = ()
    if unsaid:
        params: dict[str, object] = {"count": len(unsaid), "name": unsaid[0]}
        notes = (Problem("categories-default-marks", name, "", params, "note"),)
    return CategoryTable(classes, rows, notes)


def _csv(path: Path) -> pd.DataFrame:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            frame = pd.read_csv(path, dtype=str, encoding=encoding, keep_default_na=False)
        except UnicodeDecodeError:
            continue
        except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError([Problem("categories-unreadable", path.name)]) from error
        frame.columns = [plain(name) for name in frame.columns]
        if {"local", "class"} <= set(frame.columns):
            return frame
    raise InputError([Problem("categories-unreadable", path.name)])
