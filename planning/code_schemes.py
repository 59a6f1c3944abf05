"""Codes in another scheme than the usual one, from a template; and how codes hold together.

The usual scheme is the village's code and three digits, and two more for a micro-grid
(:mod:`planning.codes`). Cities ask for others; a template writes the same numbers differently, so
what was filed stays filed and no code is ever given to another grid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pandas as pd

from geo.messages import register
from geo.problems import InputError, Problem
from planning.codes import FIRST_DEDICATED, village_of_code
from planning.planfile import PlanFile
from planning.today import RETIRED


@dataclass(frozen=True)
class Scheme:
    """How codes are written, as two templates; what they say never changes, only how.

    Fields of ``grid``: ``{village}`` the village's code, ``{township}`` and ``{county}`` its first
    nine and six digits, ``{number}`` the grid's number (``{number:3}``: at least three digits) and
    ``{kind}`` 1 for comprehensive and 2 for dedicated grids. Fields of ``micro``: ``{grid}`` and
    ``{number}``. Everything else is letters, digits, dots, hyphens and underscores.
    """

    grid: str = "{village}{number:3}"
    micro: str = "{grid}{number:2}"

    def __post_init__(self) -> None:
        """Raise :class:`InputError` for templates that could give two grids one code."""
        wrong = [
            reason
            for name, text, fields, needed in (
                ("grid", self.grid, _GRID_FIELDS, {"village", "number"}),
                ("micro", self.micro, _MICRO_FIELDS, {"grid", "number"}),
            )
            for reason in _template_faults(name, text, fields, needed)
        ]
        if wrong:
            raise InputError(wrong)

    def grid_code(self, village: str, number: int, *, dedicated: bool) -> str:
        """The code of a village's grid by its number."""
        values = {
            "village": village, "township": village[:9], "county": village[:6],
            "kind": "2" if dedicated else "1",
        }  # fmt: skip
        return _filled(self.grid, values, number)

    def micro_code(self, grid: str, number: int) -> str:
        """The code of a grid's micro-grid by its number."""
        return _filled(self.micro, {"grid": grid}, number)


_GRID_FIELDS = frozenset({"village", "township", "county", "number", "kind"})
_MICRO_FIELDS = frozenset({"grid", "number"})
_FIELD = re.compile(r"\{([a-z]+)(?::([0-9]))?\}")
_LONGEST = 80
_PLAIN = re.compile(r"[A-Za-z0-9._-]*")

register(
    {
        "code-template-characters": (
            "编码模板“{text}”中只能有字母、数字和 . _ - 以及字段;例如 {example}。",
            "the code template {text!r} may hold letters, digits, dots, hyphens, underscores and "
            "fields only; for example {example}.",
        ),
        "code-template-unknown": (
            "编码模板“{text}”中的字段 {field} 不存在;例如 {example}。",
            "the code template {text!r} has an unknown field {field}; for example {example}.",
        ),
        "code-template-without": (
            "编码模板“{text}”缺少字段 {field};例如 {example}。",
            "the code template {text!r} lacks the field {field}; for example {example}.",
        ),
        "code-template-twice": (
            "编码模板“{text}”中 {field} 只能出现一次;例如 {example}。",
            "the code template {text!r} may hold {field} only once; for example {example}.",
        ),
        "code-template-long": (
            "编码模板“{text}”过长;例如 {example}。",
            "the code template {text!r} is too long; for example {example}.",
        ),
        "code-not-of-village": (
            "网格 {code} 的编码不是“村代码 + 序号”,无法改用其他编码规则;请先按默认规则编码。",
            "the code of grid {code} is not its village's code and a number, so it cannot be "
            "written in another scheme; give it a code of the usual scheme first.",
        ),
        "code-taken-twice": (
            "编码模板使 {count} 个网格的编码重复(如 {code});请在模板中写全村代码和序号。",
            "the template gives {count} grids a code that another has (such as {code}); let it "
            "hold the village's whole code and the number.",
        ),
    }
)


def _template_faults(
    name: str, text: str, fields: frozenset[str], needed: set[str]
) -> list[Problem]:
    used = [match[1] for match in _FIELD.finditer(text)]
    rest = _FIELD.sub("", text)
    example = "{village}{number:3}" if name == "grid" else "{grid}{number:2}"
    faults: list[tuple[str, str]] = []
    if len(text) > _LONGEST:
        faults.append(("long", ""))
    faults += [("unknown", field) for field in used if field not in fields]
    if not _PLAIN.fullmatch(rest):
        faults.append(("characters", ""))
    faults += [("without", field) for field in sorted(needed) if field not in used]
    if used.count("number") > 1:
        faults.append(("twice", "number"))
    return [
        Problem(
            f"code-template-{fault}",
            params={"text": text[:_LONGEST], "field": f"{{{field}}}", "example": example},
        )
        for fault, field in faults[:1]
    ]


def _filled(template: str, values: dict[str, str], number: int) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1] == "number":
            return f"{number:0{match[2] or 1}d}"
        return values[match[1]]

    return _FIELD.sub(fill, template)


def recode(plan: PlanFile, scheme: Scheme) -> PlanFile:
    """The plan under another scheme: every code rewritten, in every table, one to one.

    Codes are of the usual scheme (village's code and number), so a grid keeps its number whatever
    the scheme, and a retired code stays retired under its new name. Raises :class:`InputError`
    where a code is of no such form, or where the template gives two grids one code.
    """
    codes = plan.grids["code"].astype(str)
    villages = plan.grids["village_code"].fillna("").astype(str)
    kinds = plan.grids["kind"] if "kind" in plan.grids else pd.Series("comprehensive", codes.index)
    known = set(villages) | set(plan.villages["code"].astype(str))
    new: dict[str, str] = {}
    for code, village, kind in zip(codes, villages, kinds, strict=True):
        number = code[len(village) :].lstrip("-")
        if not village or not code.startswith(village) or not number.isdecimal():
            raise InputError([Problem("code-not-of-village", params={"code": code})])
        new[code] = scheme.grid_code(village, int(number), dedicated=kind == "dedicated")
    retired = plan.provenance["key"] == RETIRED
    for code in plan.provenance.loc[retired, "value"].astype(str):
        home = village_of_code(code, known)
        tail = code[len(home) :].lstrip("-")
        if home and tail.isdecimal() and code not in new:
            dedicated = int(tail) >= FIRST_DEDICATED
            new[code] = scheme.grid_code(home, int(tail), dedicated=dedicated)
    count = pd.Series(list(new.values())).value_counts()
    if (count > 1).any():
        params = {"count": int(count[count > 1].sum()), "code": str(count.index[0])}
        raise InputError([Problem("code-taken-twice", params=params)])
    return _with_codes(plan, new, scheme)


def _with_codes(plan: PlanFile, new: dict[str, str], scheme: Scheme) -> PlanFile:
    micro_new: dict[str, str] = {}
    micro = plan.micro_grids
    if micro is not None:
        for code, grid in zip(micro["code"].astype(str), micro["grid_code"].astype(str),
                              strict=True):  # fmt: skip
            tail = code[len(grid) :].lstrip("-")
            if not code.startswith(grid) or not tail.isdecimal():
                raise InputError([Problem("code-not-of-village", params={"code": code})])
            micro_new[code] = scheme.micro_code(new[grid], int(tail))
        micro = micro.assign(
            code=micro["code"].map(micro_new), grid_code=micro["grid_code"].map(new)
        )
    homes = plan.households
    exceptions = plan.exceptions
    told = plan.provenance
    renamed = told["value"].map(lambda code: new.get(code, code))
    values = told["value"].where(told["key"] != RETIRED, renamed)
    rows = [("code.scheme.grid", scheme.grid), ("code.scheme.micro", scheme.micro)]
    rest = told.assign(value=values)[~told["key"].str.startswith("code.scheme.")]
    return replace(
        plan,
        grids=plan.grids.assign(code=plan.grids["code"].map(new)),
        micro_grids=micro,
        households=homes.assign(
            grid_code=homes["grid_code"].map(new),
            micro_code=homes["micro_code"].map(micro_new)
            if "micro_code" in homes and micro is not None
            else homes.get("micro_code"),
        )
        if len(homes)
        else homes,
        exceptions=exceptions.assign(
            grid_code=[new.get(str(code), code) for code in exceptions["grid_code"]]
        ),
        provenance=pd.concat(
            [rest, pd.DataFrame(rows, columns=["key", "value"])], ignore_index=True
        ),
    )
