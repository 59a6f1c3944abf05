"""What a beat's work is: residents, households, incidents, ground, or travel, in agreed weights.

Work is a number per grid. One kind alone keeps its natural unit (residents, reports, minutes);
several are mixed as shares of their totals, in points of which the whole ground has 100,000. What
people are (age, origin, registration, welfare, record) is never work: such names are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geo.columns import normal_name
from geo.messages import register
from geo.personal import is_personal_name
from geo.problems import InputError, Problem
from planning.graph import FloatArray, IntArray

register(
    {
        "work-personal": (
            "“{name}”描述的是人而不是工作,不得作为工作量权重;可用:{known}。",
            "{name!r} says what people are, not what work there is, and cannot be a weight; "
            "there are: {known}.",
        ),
        "work-unknown": (
            "没有“{name}”这种工作量;可用:{known}。",
            "there is no kind of work {name!r}; there are: {known}.",
        ),
        "work-weight": (
            "“{name}”的权重“{value}”须为 0 或正数,且不能全为 0。",
            "the weight {value!r} of {name!r} has to be 0 or more, and not all may be 0.",
        ),
        "work-missing": (
            "要以“{name}”计工作量,但缺少数据;请提供{what}。",
            "work is to be counted by {name}, but there is no data for it; give {what}.",
        ),
        "work-none": (
            "各网格的工作量合计为 0,无法均衡;请换一种工作量或检查数据。",
            "the grids hold no work at all, so nothing can be balanced; choose another kind of "
            "work or check the data.",
        ),
        "work-clipped": (
            "{count} 起事件用时超过 {limit:.0f} 分钟(最长 {largest:.0f}),按 {limit:.0f} 计;"
            "请核对这些记录。",
            "{count} incidents took more than {limit:.0f} minutes (at most {largest:.0f}) and "
            "count as {limit:.0f}; check those records.",
        ),
        "work-no-minutes": (
            "{count} 起事件没有可用的用时,按中位数 {median:.0f} 分钟计。",
            "{count} incidents have no usable minutes and count as the median, {median:.0f}.",
        ),
        "work-category": (
            "事件类别“{name}”在事件数据中不存在;请改正类别权重。",
            "no incident is of category {name!r}; correct the category weights.",
        ),
    }
)

WORDS: dict[str, tuple[str, str]] = {
    # kind of work: (Chinese, English)
    "residents": ("常住人口", "residents"),
    "households": ("户数", "households"),
    "incidents": ("事件", "incidents"),
    "area": ("面积", "area"),
    "travel": ("路程", "travel"),
}
_NEEDS = {
    "residents": ("带人口的方案", "a plan with persons"),
    "households": ("带户数的方案", "a plan with households"),
    "incidents": ("有位置的事件文件", "incidents with places"),
    "travel": ("派出所位置", "the stations' places"),
}
_PEOPLE = (
    "年龄 性别 民族 种族 宗教 国籍 籍贯 户籍 流动 外来 暂住 重点人 人员 残疾 精神 低保 救助 福利 "
    "贫困 收入 学历 职业 婚姻 党员 信访人 前科 刑满 吸毒 "
    "age sex gender race ethnic religion nationality origin registration registered hukou migrant "
    "immigrant floating welfare benefit disab mental income poverty education unemploy married "
    "criminalrecord offender convict youth elderly minor"
)
_PEOPLE_PARTS = tuple(normal_name(part) for part in _PEOPLE.split())
POINTS = 100_000.0


@dataclass(frozen=True)
class WorkSpec:
    """Which work counts how much.

    ``weights`` kind of work to weight (empty: incidents where there are any, else residents, else
    households). ``categories`` incident category to weight, 1 where not named. ``minutes`` counts
    incidents by the minutes they took. Raises :class:`InputError` for what is no work.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    categories: Mapping[str, float] = field(default_factory=dict)
    minutes: bool = False

    def __post_init__(self) -> None:
        known = ", ".join(WORDS)
        problems = []
        for name, weight in self.weights.items():
            if name not in WORDS:
                code = "work-personal" if is_about_people(name) else "work-unknown"
                problems.append(Problem(code, params={"name": name, "known": known}))
            elif not (np.isfinite(weight) and weight >= 0):
                params = {"name": name, "value": weight}
                problems.append(Problem("work-weight", params=params))
        for name, weight in self.categories.items():
            if not (np.isfinite(weight) and weight >= 0):
                params = {"name": name, "value": weight}
                problems.append(Problem("work-weight", params=params))
        if self.weights and not problems and not any(self.weights.values()):
            name, value = next(iter(self.weights.items()))
            problems.append(Problem("work-weight", params={"name": name, "value": value}))
        if problems:
            raise InputError(problems)


def is_about_people(name: str) -> bool:
    """Whether a name speaks of what people are: demography, registration, welfare, record."""
    normal = normal_name(name)
    return is_personal_name(name) or any(part in normal for part in _PEOPLE_PARTS)


@dataclass(frozen=True)
class Work:
    """Work per grid. ``total`` (n,) in ``unit``; ``parts`` one column a kind, natural units.

    ``incidents`` (n,) number of incidents, whatever the work is; ``outliers`` incident_id and
    minutes of the clipped ones; ``said`` the weights as provenance.
    """

    total: FloatArray
    unit: str
    parts: pd.DataFrame
    incidents: IntArray
    outliers: pd.DataFrame
    said: Mapping[str, str]
    notes: tuple[Problem, ...] = ()


def work_of(
    spec: WorkSpec,
    *,
    households: IntArray,
    persons: IntArray,
    area_m2: FloatArray,
    travel: FloatArray | None = None,
    incidents: pd.DataFrame | None = None,
    file: str = "",
) -> Work:
    """Work of n grids.

    ``persons`` (n,) -1 where unknown; ``travel`` (n,) household-kilometres to the station.
    ``incidents`` has ``grid`` (row, -1 outside), and ``category``, ``minutes``, ``incident_id``
    where known. Raises :class:`InputError` where the data for a weight is missing or all 0.
    """
    n = len(households)
    counted = bool((persons >= 0).all()) and bool((persons > 0).any())
    notes: list[Problem] = []
    events = pd.DataFrame({"grid": []}) if incidents is None else incidents
    placed = events[events["grid"] >= 0]
    weights = dict(spec.weights) or {
        "incidents" if len(placed) else "residents" if counted else "households": 1.0
    }
    load, outliers = _load(placed, spec, file, notes)
    have = {
        "residents": persons.astype(float) if counted else None,
        "households": households.astype(float) if (households > 0).any() else None,
        "incidents": np.bincount(placed["grid"].to_numpy(dtype=np.int64), load, n)
        if len(placed)
        else None,
        "area": area_m2 / 1e6,
        "travel": travel,
    }
    used = {name: weight for name, weight in weights.items() if weight > 0}
    missing = [name for name in used if have[name] is None]
    if missing:
        raise InputError(
            Problem("work-missing", params={"name": name, "what": " / ".join(_NEEDS[name])})
            for name in missing
        )
    parts = pd.DataFrame({name: have[name] for name in WORDS if have[name] is not None})
    total = _mixed(parts, used)
    if not total.sum() > 0:
        raise InputError([Problem("work-none")])
    unit = next(iter(used)) if len(used) == 1 else "points"
    said = {f"work.weight.{name}": f"{weight:g}" for name, weight in used.items()}
    said |= {f"work.category.{name}": f"{w:g}" for name, w in spec.categories.items()}
    said |= {"work.unit": "minutes" if unit == "incidents" and spec.minutes else unit}
    held = np.bincount(placed["grid"].to_numpy(dtype=np.int64), minlength=n).astype(np.int64)
    return Work(total, said["work.unit"], parts, held, outliers, said, tuple(notes))


def _mixed(parts: pd.DataFrame, used: Mapping[str, float]) -> FloatArray:
    if len(used) == 1:
        return parts[next(iter(used))].to_numpy(dtype=float)
    whole = sum(used.values())
    total = np.zeros(len(parts))
    for name, weight in used.items():
        held = parts[name].to_numpy(dtype=float)
        if held.sum() > 0:
            total += weight / whole * POINTS * held / held.sum()
    return total


def _load(
    placed: pd.DataFrame, spec: WorkSpec, file: str, notes: list[Problem]
) -> tuple[FloatArray, pd.DataFrame]:
    """Work of each placed incident, and the outliers among their minutes."""
    load = np.ones(len(placed))
    empty = pd.DataFrame({"incident_id": [], "minutes": []})
    if spec.minutes:
        if "minutes" not in placed or not placed["minutes"].notna().any():
            what = "用时列 / a column of minutes"
            raise InputError([Problem("work-missing", file, "", {"name": "minutes", "what": what})])
        load, outliers = clipped(placed["minutes"].to_numpy(dtype=float), file, notes)
        rows = placed[outliers]
        ids = rows["incident_id"] if "incident_id" in rows else pd.Series("", rows.index)
        empty = pd.DataFrame(
            {"incident_id": ids.to_numpy(), "minutes": rows["minutes"].to_numpy()}
        )
    if spec.categories:
        names = (
            placed["category"].fillna("").astype(str)
            if "category" in placed
            else pd.Series("", placed.index)
        )
        for name in spec.categories:
            if not (names == name).any():
                notes.append(Problem("work-category", file, "", {"name": name}, "warning"))
        load = load * names.map(dict(spec.categories)).fillna(1.0).to_numpy(dtype=float)
    return load, empty


def clipped(
    minutes: FloatArray, file: str, notes: list[Problem]
) -> tuple[FloatArray, np.ndarray]:
    """Minutes without the absurd: above Q3 + 3 (Q3 - Q1) they count as that fence (Tukey 1977).

    Missing and negative ones count as the median. Returns the minutes and which were clipped.
    Wrong where long cases are real and rare: then weigh categories instead.
    """
    usable = np.isfinite(minutes) & (minutes >= 0)
    if not usable.any():
        return np.ones(len(minutes)), np.zeros(len(minutes), dtype=bool)
    low, median, high = np.quantile(minutes[usable], [0.25, 0.5, 0.75])
    fence = high + 3 * max(high - low, 1.0)
    over = usable & (minutes > fence)
    if over.any():
        params = {"count": int(over.sum()), "limit": fence, "largest": float(minutes[over].max())}
        notes.append(Problem("work-clipped", file, "", params, "warning"))
    if not usable.all():
        params = {"count": int((~usable).sum()), "median": float(median)}
        notes.append(Problem("work-no-minutes", file, "", params, "warning"))
    return np.where(usable, np.minimum(minutes, fence), median), over
