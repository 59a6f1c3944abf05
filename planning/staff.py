"""Staff: the posts each grid should have, has and lacks, and what each post has to look after.

Posts and codes only: a roster's columns with names, numbers or telephones are never read (the
readers drop them). The pattern is a line such as ``1+1+2+N``; other patterns name their kinds,
``leader=1, full_time=1, part_time=1, adviser=1, volunteer=N``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.columns import normal_name
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import read_layer
from planning.export import Plan

register(
    {
        "staff.pattern": (
            "岗位配置“{text}”无法理解;请写成 1+1+2+N,或 leader=1, full_time=1, part_time=2。",
            "the pattern of posts {text!r} is not understood; write 1+1+2+N, or leader=1, "
            "full_time=1, part_time=2.",
        ),
        "staff.no_grid_column": (
            "没有网格编码列;请在岗位表中加入“网格编码”列。",
            "has no column with grid codes; add one named grid_code.",
        ),
        "staff.unknown_grid": (
            "{count} 个岗位的网格编码不在方案中(如 {code}),未计入;请改正编码。",
            "{count} posts name a grid that the plan does not have (such as {code}) and are not "
            "counted; correct the codes.",
        ),
        "staff.unknown_kind": (
            "{count} 个岗位的类型无法识别(如 {kind}),计为其他;"
            "请写网格长、专职、兼职、指导员、志愿者。",
            "{count} posts are of a kind that is not known (such as {kind}) and count as others; "
            "write leader, full_time, part_time, adviser or volunteer.",
        ),
    }
)

KINDS: dict[str, tuple[str, str]] = {
    # kind: (Chinese, English)
    "leader": ("网格长", "Leader"),
    "full_time": ("专职", "Full-time"),
    "part_time": ("兼职", "Part-time"),
    "adviser": ("指导员", "Adviser"),
    "volunteer": ("志愿者等", "Volunteers"),
}
_WORKERS = ("full_time", "part_time")
_SAID = {
    "leader": "网格长 leader gridleader",
    "part_time": "兼职网格员 兼职 parttime parttimeworker",
    "full_time": "专职网格员 专职 网格员 fulltime fulltimeworker worker",
    "adviser": "网格指导员 指导员 adviser advisor",
    "volunteer": "志愿者 志愿力量 其他力量 其他 volunteer volunteers other",
}
_COLUMNS = {
    # what the readers call it: the names it has in rosters, surest first. Grid codes must be read
    # as codes: fifteen digits in a text column look like an identity number of the old form
    "code": "网格编码 网格代码 网格编号 所属网格编码 所属网格 grid_code grid",
    "category": "岗位类型 岗位类别 人员类别 类型 类别 kind post_kind type",
    "name": "岗位编码 岗位代码 岗位编号 岗号 post_code post",
    "households": "岗位数 人数 数量 number count posts",
}
GROUP_LIMIT = 500  # members a chat group holds; more households than that need a second group


@dataclass(frozen=True)
class Pattern:
    """How many posts of which kinds a comprehensive grid should have.

    ``parts``: kinds that count together, and the least number of them. Volunteers (N) have none.
    """

    text: str
    parts: tuple[tuple[tuple[str, ...], int], ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """``1+1+2+N`` (leader, full-time, part-time, volunteers), ``1+3+N`` (leader; full-time,
        part-time and adviser together), ``1+1+N``, or ``kind=number, ...``.

        Raises :class:`InputError` for anything else.
        """
        clean = text.strip()
        wrong = InputError([Problem("staff.pattern", params={"text": clean[:40]})])
        if "=" in clean:
            parts = []
            for piece in re.split(r"[,，;]\s*", clean):
                kind, _, number = (word.strip() for word in piece.partition("="))
                if kind not in KINDS or not (number == "N" or number.isdecimal()):
                    raise wrong
                parts.append(((kind,), 0 if number == "N" else int(number)))
            return cls(clean, tuple(parts))
        numbers = [word.strip().upper() for word in clean.replace("＋", "+").split("+")]
        if numbers[-1] != "N" or not all(n.isdecimal() for n in numbers[:-1]):
            raise wrong
        kinds: dict[int, tuple[tuple[str, ...], ...]] = {
            2: (("leader",), ("full_time",)),
            3: (("leader",), ("full_time",), ("part_time",)),
        }
        if len(numbers) == 3 and int(numbers[1]) > 1:
            kinds[2] = (("leader",), ("full_time", "part_time", "adviser"))
        if len(numbers) - 1 not in kinds:
            raise wrong
        least = [int(n) for n in numbers[:-1]]
        return cls(clean, tuple(zip(kinds[len(least)], least, strict=True)))


USUAL = Pattern.parse("1+1+2+N")


@dataclass(frozen=True)
class Posts:
    """Posts by grid: ``table`` with grid_code, kind (of :data:`KINDS`), post (code), number."""

    table: pd.DataFrame
    problems: tuple[Problem, ...] = ()


def kind_of_post(word: str) -> str | None:
    """The kind that a roster's word means, None for one that is not known."""
    normal = normal_name(word)
    for kind, words in _SAID.items():
        if normal in {normal_name(w) for w in words.split()}:
            return kind
    return next((k for k in ("part_time", "leader", "adviser", "full_time")
                 if KINDS[k][0] in word), None)  # fmt: skip


def read_posts(source: str | Path, *, trusted: bool = True, name: str | None = None) -> Posts:
    """Read a roster: one row a post (or a kind, with a number), by grid code.

    Personal columns are dropped by the readers, whatever they hold.
    ``trusted`` and ``name`` as in :func:`geo.read.read_layer`. Raises :class:`InputError` where
    there is no column with grid codes.
    """
    read = partial(read_layer, source, "dedicated", trusted=trusted, name=name)
    names = [found.source for found in read().columns]
    normal = {normal_name(name): name for name in reversed(names)}
    chosen = {
        canonical: next((normal[w] for w in map(normal_name, words.split()) if w in normal), None)
        for canonical, words in _COLUMNS.items()
    }
    columns = {canonical: name for canonical, name in chosen.items() if name is not None}
    layer = read(columns=columns)
    if "code" not in columns:
        raise InputError([Problem("staff.no_grid_column", layer.file.name)])
    frame, n = layer.frame, len(layer.frame)
    nothing = pd.Series([""] * n, dtype=object)
    held = {canonical: frame.get(canonical, nothing) for canonical in _COLUMNS}
    if "households" not in columns:
        held["households"] = pd.Series([1] * n)
    said = held["category"].fillna("").astype(str).str.strip()
    known = said.map(kind_of_post)
    unknown = said[known.isna()]
    table = pd.DataFrame(
        {
            "grid_code": held["code"].fillna("").astype(str).str.strip(),
            "kind": known.fillna("volunteer"),
            "post": held["name"].fillna("").astype(str),
            "number": pd.to_numeric(held["households"], errors="coerce").fillna(1).astype(int),
        }
    )
    problems = list(layer.problems)
    if len(unknown):
        params = {"count": len(unknown), "kind": unknown.iloc[0] or "-"}
        problems.append(Problem("staff.unknown_kind", layer.file.name, params=params,
                                severity="warning"))  # fmt: skip
    return Posts(table, tuple(problems))


def staffing(
    plan: Plan,
    posts: Posts | None = None,
    pattern: Pattern = USUAL,
    incidents: Mapping[str, int] | None = None,
    group_limit: int = GROUP_LIMIT,
) -> pd.DataFrame:
    """One row a comprehensive grid, in the order of codes.

    ``code``, ``name``, ``households``, ``persons``, ``incidents`` (null where not given); one
    column a kind with the posts it has, ``posts`` their sum, ``lacks`` the posts missing under the
    pattern and ``lacks_text`` which; ``households_a_worker``, ``persons_a_worker``,
    ``incidents_a_worker`` for each full-time and part-time post (null where there is none);
    ``group_size`` members of the residents' group (one a household) and ``groups`` how many groups
    of at most ``group_limit`` that takes. Without ``posts`` nothing is known of what there is, and
    those columns are null. Posts of grids that the plan does not have are not counted
    (:func:`strangers`).
    """
    grids = pd.DataFrame(plan.grids)
    usual = grids[grids["kind"] != "dedicated"] if "kind" in grids else grids
    usual = usual.assign(code=usual["code"].astype(str)).sort_values("code")
    persons = usual["persons"] if "persons" in usual else pd.Series(pd.NA, usual.index)
    table = pd.DataFrame(
        {
            "code": usual["code"].to_numpy(),
            "name": usual["name"].to_numpy() if "name" in usual else usual["code"].to_numpy(),
            "households": usual["households"].astype("Int64").to_numpy(),
            "persons": pd.to_numeric(persons, errors="coerce").astype("Int64").to_numpy(),
        }
    ).astype({"households": "Int64", "persons": "Int64"})
    told = table["code"].map(dict(incidents)).fillna(0) if incidents is not None else pd.NA
    table["incidents"] = pd.Series(told, table.index, dtype="Int64")
    _count_posts(table, posts, pattern)
    for measure in ("households", "persons", "incidents"):
        workers = table[list(_WORKERS)].sum(axis=1, skipna=False).astype("Float64")
        load = table[measure].astype("Float64") / workers.mask(workers == 0)
        table[f"{measure}_a_worker"] = load.round(1)
    table["group_size"] = table["households"]
    table["groups"] = [math.ceil(h / group_limit) for h in table["households"]]
    return table


def _count_posts(table: pd.DataFrame, posts: Posts | None, pattern: Pattern) -> None:
    """Add the columns of posts to ``table``."""
    if posts is None:
        for kind in (*KINDS, "posts", "lacks"):
            table[kind] = pd.Series(pd.NA, table.index, dtype="Int64")
        table["lacks_text"] = ""
        return
    counted = posts.table.groupby(["grid_code", "kind"])["number"].sum().unstack(fill_value=0)
    for kind in KINDS:
        held = counted[kind] if kind in counted else pd.Series(dtype=int)
        table[kind] = table["code"].map(held).fillna(0).astype("Int64")
    table["posts"] = table[list(KINDS)].sum(axis=1).astype("Int64")
    lacks = np.zeros(len(table), dtype=np.int64)
    words: list[list[str]] = [[] for _ in range(len(table))]
    for kinds, least in pattern.parts:
        short = np.maximum(least - table[list(kinds)].sum(axis=1).to_numpy(dtype=np.int64), 0)
        lacks += short
        label = "/".join(KINDS[kind][0] for kind in kinds)
        english = " or ".join(KINDS[kind][1].lower() for kind in kinds)
        for row in np.flatnonzero(short):
            words[row].append(f"{label} {short[row]} / {english} {short[row]}")
    table["lacks"] = pd.Series(lacks, table.index, dtype="Int64")
    table["lacks_text"] = ["; ".join(own) for own in words]


def strangers(plan: Plan, posts: Posts) -> list[Problem]:
    """A warning about posts whose grid the plan does not have; none where there are none."""
    known = set(plan.grids["code"].astype(str))
    lost = posts.table[~posts.table["grid_code"].isin(known)]
    if not len(lost):
        return []
    params = {"count": int(lost["number"].sum()), "code": lost["grid_code"].iloc[0] or "-"}
    return [Problem("staff.unknown_grid", params=params, severity="warning")]


def incidents_by_grid(plan: Plan, places: gpd.GeoDataFrame) -> dict[str, int]:
    """Incidents of each grid by where they lie; those outside every grid are not counted.

    A point on a border counts in the first of its grids by the order of the plan.
    """
    grids = plan.grids
    points = places[places.geometry.notna()].to_crs(grids.crs).geometry.to_numpy()
    point, grid = shapely.STRtree(grids.geometry.to_numpy()).query(points, predicate="intersects")
    order = np.lexsort((grid, point))
    point, grid = point[order], grid[order]
    first = np.r_[True, point[1:] != point[:-1]] if len(point) else np.empty(0, dtype=bool)
    count = np.bincount(grid[first], minlength=len(grids))
    return dict(zip(grids["code"].astype(str), count.tolist(), strict=True))
