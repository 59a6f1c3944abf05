"""Two years of events: six classes, three sources, a few true hot spots, and the usual dirt.

Times follow the season and the hour; one hot spot grows, one fades; some records have no place,
some only a date, and one pile stands at a police station, as in every real table. No person and
no free text is in them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.layout import FloatArray

START = np.datetime64("2024-01-01T00:00:00")
DAYS = 731

_CLASSES: dict[str, tuple[float, tuple[str, ...]]] = {
    "社会治安": (0.15, ("盗窃", "邻里纠纷", "噪音扰民", "诈骗")),
    "公共安全": (0.14, ("消防隐患", "交通事故", "燃气安全", "溺水隐患")),
    "城市管理": (0.30, ("占道经营", "乱停车", "违章搭建", "暴露垃圾")),
    "环境保护": (0.16, ("秸秆焚烧", "污水排放", "油烟扰民", "河道漂浮物")),
    "专项重点工作": (0.10, ("矛盾纠纷", "欠薪", "征地拆迁", "物业纠纷")),
    "城市部件": (0.15, ("井盖破损", "路灯故障", "公示牌损坏", "护栏损坏")),
}
_SOURCES = (("12345热线", 0.41), ("110非警务", 0.25), ("网格巡查", 0.34))
_HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 13, 11, 9, 9, 11, 12, 11, 11, 11, 11, 10, 8, 5, 3], float
)


def _times(n: int, trend: FloatArray, rng: np.random.Generator) -> np.ndarray:
    """Moments over two years; ``trend`` (n,) -1 fading, 0 even, 1 growing."""
    day = np.arange(DAYS)
    season = 1 + 0.22 * np.sin(2 * np.pi * (day - 110) / 365.25) + 0.05 * (day % 7 < 5)
    chosen = np.empty(n)
    for value in (-1.0, 0.0, 1.0):
        rows = np.flatnonzero(trend == value)
        weight = season * np.exp(value * 1.6 * (day / DAYS - 0.5))
        chosen[rows] = rng.choice(day, len(rows), p=weight / weight.sum())
    seconds = rng.choice(24, n, p=_HOURS / _HOURS.sum()) * 3600 + rng.integers(0, 3600, n)
    return START + (chosen.astype(np.int64) * 86_400 + seconds).astype("timedelta64[s]")


def _places(
    n: int,
    home: FloatArray,
    weight: FloatArray,
    centre: FloatArray,
    spread: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Places near homes, and in six hot spots; the first grows, the second fades."""
    rows = rng.choice(len(home), n, p=weight / weight.sum())
    xy = home[rows] + rng.normal(0, 35, (n, 2))
    trend = np.zeros(n)
    hot = np.flatnonzero(rng.random(n) < 0.13)
    spots = centre + rng.uniform(-1, 1, (6, 2)) * spread
    which = rng.choice(6, len(hot), p=[0.24, 0.22, 0.18, 0.14, 0.12, 0.10])
    xy[hot] = (
        spots[which]
        + rng.normal(0, 1, (len(hot), 2)) * np.array([130, 150, 110, 170, 120, 200])[which][:, None]
    )
    trend[hot] = np.where(which == 0, 1.0, np.where(which == 1, -1.0, 0.0))
    return xy, trend


def write_events(
    n: int,
    home: FloatArray,
    weight: FloatArray,
    centre: FloatArray,
    spread: float,
    station: FloatArray,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, FloatArray]:
    """The table without places, and the places (n, 2), NaN where none is known."""
    xy, trend = _places(n, home, weight, centre, spread, rng)
    happened = np.sort(_times(n, trend, rng))
    order = np.argsort(_times(n, trend, rng), kind="stable")  # places keep their trend's order
    xy = xy[order]
    pile = rng.random(n) < 0.015
    xy[pile] = station
    xy[rng.random(n) < 0.06] = np.nan
    names = list(_CLASSES)
    big = rng.choice(len(names), n, p=[share for share, _ in _CLASSES.values()])
    small = rng.integers(0, 4, n)
    source = rng.choice([s for s, _ in _SOURCES], n, p=[p for _, p in _SOURCES])
    reported = happened + rng.exponential(1800, n).astype("timedelta64[s]")
    days = rng.exponential(4.2, n)
    closed = reported + (days * 86_400).astype("timedelta64[s]")
    is_open = (rng.random(n) < 0.027) | (closed > START + np.timedelta64(DAYS, "D"))
    dateonly = rng.random(n) < 0.03
    happened = np.where(dateonly, happened.astype("datetime64[D]").astype(happened.dtype), happened)

    def text(times: np.ndarray) -> np.ndarray:
        return np.char.replace(np.datetime_as_string(times, unit="s"), "T", " ")

    table = pd.DataFrame(
        {
            "事件编号": np.char.add("SJ", np.char.zfill(np.arange(1, n + 1).astype(str), 7)),
            "发生时间": text(happened),
            "上报时间": text(reported),
            "办结时间": np.where(is_open, "", text(closed)),
            "来源": source,
            "大类": np.array(names, dtype=object)[big],
            "小类": np.array([list(k) for _, k in _CLASSES.values()], dtype=object)[big, small],
            "状态": np.where(is_open, "处置中", "已办结"),
        }
    )
    return table, xy
