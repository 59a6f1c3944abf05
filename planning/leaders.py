"""A leader's own grids (领导联网格): which grids the holder of a post follows.

Posts or offices by their code or title, never a person: columns with names, numbers or telephones
are not read. One row a post and grid, or several codes of grids in one cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from geo.columns import normal_name
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import read_layer
from planning.export import Plan

register(
    {
        "leaders-columns": (
            "缺少{what}列;请用“岗位编码”和“网格编码”两列。",
            "has no column with {what}; give one named post and one named grid_code.",
        ),
        "leaders-unknown": (
            "{count} 个联系网格的编码不在方案中(如 {code}),未使用;请改正编码。",
            "{count} followed grids are not in the plan (such as {code}) and are not used; "
            "correct the codes.",
        ),
        "leaders-line": (
            "第 {row} 行无法理解:“{text}”;请写成“岗位: 网格编码, 网格编码”。",
            "line {row} is not understood: {text!r}; write POST: CODE, CODE.",
        ),
    }
)

WORDS = ("领导", "联网格", "联系网格", "包联", "leader")
"""What the name of such a file says."""
_POST = (
    "岗位编码 岗位代码 岗位编号 领导岗位 联系岗位 岗位 职务 单位编码 单位 部门 post_code "
    "leader_post post office"
)
_GRID = "网格编码 网格代码 网格编号 联系网格编码 联系网格 所属网格 grid_codes grid_code grids grid"
_BETWEEN = re.compile(r"[,，;；、\s]+")
LONGEST = 40  # characters of a post's title

Leaders = dict[str, tuple[str, ...]]


def read_leaders(source: str | Path, *, trusted: bool = True, name: str | None = None) -> Leaders:
    """Posts and the grids they follow, in the order of the file.

    ``trusted`` and ``name`` as in :func:`geo.read.read_layer`. Raises :class:`InputError` where a
    column is missing.
    """
    read = partial(read_layer, source, "dedicated", trusted=trusted, name=name)
    first = read()
    normal = {normal_name(found.source): found.source for found in reversed(first.columns)}
    chosen = {
        canonical: next((normal[w] for w in map(normal_name, words.split()) if w in normal), None)
        for canonical, words in (("name", _POST), ("code", _GRID))
    }
    missing = [what for what, found in chosen.items() if found is None]
    if missing:
        raise InputError(
            Problem("leaders-columns", first.file.name, params={"what": "post" if one == "name"
                    else "grid_code"}) for one in missing
        )  # fmt: skip
    frame = read(columns={what: str(found) for what, found in chosen.items()}).frame
    if not {"name", "code"} <= set(frame.columns):
        raise InputError([Problem("leaders-columns", first.file.name, params={"what": "post"})])
    rows = zip(frame["name"].fillna("").astype(str), frame["code"].fillna("").astype(str),
               strict=True)  # fmt: skip
    return _gathered((post, _BETWEEN.split(codes)) for post, codes in rows)


def leaders_of_text(text: str) -> Leaders:
    """Posts and grids as somebody types them, a post a line: ``POST: CODE, CODE``.

    Raises :class:`InputError` for a line that is not understood.
    """
    rows: list[tuple[str, list[str]]] = []
    wrong = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        post, mark, codes = line.replace("：", ":").partition(":")
        if not mark or not post.strip() or not codes.strip():
            params = {"row": number, "text": line.strip()[:40]}
            wrong.append(Problem("leaders-line", params=params))
            continue
        rows.append((post, _BETWEEN.split(codes)))
    if wrong:
        raise InputError(wrong)
    return _gathered(rows)


def _gathered(rows: Iterable[tuple[str, list[str]]]) -> Leaders:
    found: dict[str, list[str]] = {}
    for post, codes in rows:
        title = " ".join(str(post).split())[:LONGEST]
        if not title:
            continue
        own = found.setdefault(title, [])
        own += [code for code in codes if code and code not in own]
    return {post: tuple(codes) for post, codes in found.items() if codes}


def known(plan: Plan, leaders: Mapping[str, tuple[str, ...]]) -> tuple[Leaders, list[Problem]]:
    """The grids of the plan among those followed, and what is told of the others."""
    here = set(plan.grids["code"].astype(str))
    strange = [code for codes in leaders.values() for code in codes if code not in here]
    kept = {post: tuple(c for c in codes if c in here) for post, codes in leaders.items()}
    problems = []
    if strange:
        params = {"count": len(strange), "code": strange[0]}
        problems.append(Problem("leaders-unknown", params=params, severity="warning"))
    return {post: codes for post, codes in kept.items() if codes}, problems


def table_of(plan: Plan, leaders: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """One row a post and grid: post, code, name, village_name, households, persons."""
    grids = pd.DataFrame(plan.grids).assign(code=plan.grids["code"].astype(str))
    grids = grids.drop_duplicates("code").set_index("code")
    columns = ["name", "village_name", "households", "persons"]
    rows = [
        (post, code) for post, codes in leaders.items() for code in codes if code in grids.index
    ]
    table = pd.DataFrame(rows, columns=["post", "code"])
    return table.join(grids.reindex(columns=columns), on="code")
