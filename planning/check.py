"""Judge any plan from its tables and geometry alone, ours, edited or foreign.

Nothing here trusts the columns it checks: areas, parts, counts and caps are worked out again. A
breach of a cap or of contiguity that the plan itself declares among its exceptions, with a reason,
is listed as declared; no reason excuses a gap, an overlap or a wrong count. What was redrawn by
hand into a breach is declared only once the planner has said why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.messages import register
from geo.problems import InputError, Problem
from geo.repair import overlaps, polygonal
from planning.check_villages import TOLERANCE_M2, Village, judged
from planning.planfile import PlanFile
from planning.settings import Settings

register(
    {
        "plan-setting": (
            "方案来源信息中 {key} 的值“{value}”不可用;请改正或重新生成方案。",
            "the plan's provenance gives {key} the value {value!r}, which cannot be; correct it or "
            "propose the plan again.",
        ),
    }
)

NEAR_M = 0.75  # a building (rows in a square of 0.5 m) counts as one, wherever a border runs

VILLAGES = "villages"
"""What :func:`check_plan` says it is at while it goes through the villages."""

NO_REASON = "人工调整,未填写原因 / redrawn by hand, no reason given"
"""What a filed plan says of a breach made by hand for which the planner gave no reason: none."""

CHECKS: dict[str, tuple[str, str]] = {
    # rule: (Chinese, English)
    "code": ("编码重复或缺失", "code missing or used twice"),
    "nested": ("网格不属于任何村", "grid belongs to no village"),
    "empty_shape": ("没有可用图形", "no usable shape"),
    "overlap": ("网格重叠", "grids overlap"),
    "gap": ("村内未覆盖", "ground of a village that no grid covers"),
    "outside": ("超出所属村", "grid reaches outside its village"),
    "parts": ("不连片", "not in one piece"),
    "misplaced": ("户点不在所属网格内", "household outside the grid it is counted in"),
    "counted_twice": ("户点重复计数", "household counted twice"),
    "uncounted": ("户数与户点不符", "households differ from the household points"),
    "missing": ("有户未列入", "households missing from the plan"),
    "max_persons": ("人口超上限", "over the cap on persons"),
    "max_households": ("户数超上限", "over the cap on households"),
    "min_households": ("户数低于下限", "under the least households"),
    "micro": ("微网格与网格不符", "micro-grids differ from their grid"),
    "unexplained": ("例外情况没有原因", "exception without a reason"),
}
DECLARABLE = frozenset({"parts", "max_persons", "max_households", "min_households"})


@dataclass(frozen=True)
class Finding:
    """One breach: ``value`` against ``limit``; ``declared`` when the plan gives a reason for it."""

    rule: str
    grid_code: str
    value: float
    limit: float
    reason: str
    declared: bool = False


def check_plan(
    plan: PlanFile,
    villages: gpd.GeoDataFrame | None = None,
    households: pd.DataFrame | None = None,
    settings: Settings | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    workers: int = 1,
) -> list[Finding]:
    """Every breach, worst rules first as in :data:`CHECKS`; an empty list for a sound plan.

    ``villages`` (code, geometry) and ``households`` (households) of the original files, in the
    plan's coordinate system, are compared too where given. ``settings`` default to the plan's
    provenance, and to the usual caps where it tells none. ``progress`` is told how many of the
    "villages", and then of the "kinds of checks", are done, and how many there are. The findings
    are the same for any number of ``workers``.
    """
    settings = settings or settings_of(plan)
    tolerance = settings.tolerance_m if plan.value("setting.tolerance_m") else 0.0
    own = plan.villages if villages is None else villages
    grids = plan.grids.reset_index(drop=True)
    grids["code"] = grids["code"].fillna("").astype(str)
    shapes = np.array([polygonal(g) for g in grids.geometry], dtype=object)
    tell = progress or (lambda what, done, total: None)
    kinds: tuple[Callable[[], list[Finding]], ...] = (
        lambda: _codes(grids, own),
        lambda: _coverage(grids, shapes, own, workers, tell),
        lambda: _parts(grids, shapes),
        lambda: _counts(plan, grids, shapes, households, tolerance),
        lambda: _caps(grids, settings),
        lambda: _micro(plan, grids, shapes),
    )
    found: list[Finding] = []
    for done, kind in enumerate(kinds, 1):
        found += kind()
        tell("kinds of checks", done, len(kinds))
    explained = _explained(plan.exceptions)
    told = plan.exceptions[explained]
    declared = {
        (code, rule)
        for code, rule in zip(told["grid_code"], told["rule"], strict=True)
        if rule in DECLARABLE
    }
    found += _unexplained(plan.exceptions[~explained])
    order = {rule: i for i, rule in enumerate(CHECKS)}
    found = [
        replace(f, declared=True) if (f.grid_code, f.rule) in declared else f for f in found
    ]
    return sorted(found, key=lambda f: (f.declared, order[f.rule], f.grid_code))


def _explained(exceptions: pd.DataFrame) -> np.ndarray:
    """Which exceptions carry a reason, shape (e,)."""
    reason = exceptions["reason"].fillna("").astype(str).str.strip()
    return np.asarray((reason != "") & (reason != NO_REASON))


def _unexplained(rows: pd.DataFrame) -> list[Finding]:
    """Exceptions without a reason that no check of this module would find: a set that is cut."""
    found = rows[~rows["rule"].isin(CHECKS.keys())]
    numbers = found[["value", "limit"]].astype(float).to_numpy()
    return [
        Finding("unexplained", str(code), float(value), float(limit), str(rule))
        for code, rule, (value, limit) in zip(
            found["grid_code"], found["rule"], numbers, strict=True
        )
    ]


def settings_of(plan: PlanFile) -> Settings:
    """The rules a plan was made with (target, caps, micro-grids), from its provenance; the usual
    ones where it has none.

    Raises :class:`InputError` for values that no plan can have been made with.
    """
    changes: dict[str, float | None] = {}
    problems = []
    names = ("target", "min_households", "max_households", "max_persons", "micro", "tolerance_m")
    for name in names:
        text = (plan.value(key := f"setting.{name}") or "").strip()
        try:
            if text:
                changes[name] = float(text) if name == "tolerance_m" else int(float(text))
            elif plan.value(key) is not None and name.startswith(("min_", "max_")):
                changes[name] = None
        except (ValueError, OverflowError):
            problems.append(Problem("plan-setting", params={"key": key, "value": text[:40]}))
    if not problems:
        try:
            return replace(Settings(), **changes)  # type: ignore[arg-type]
        except ValueError as error:
            params = {"key": "setting", "value": str(error)}
            problems.append(Problem("plan-setting", params=params))
    raise InputError(problems)


def _codes(grids: pd.DataFrame, villages: pd.DataFrame) -> list[Finding]:
    codes = grids["code"]
    found = [
        Finding("code", "", 1, 0, f"row {row + 1}: no code") for row in grids.index[codes == ""]
    ]
    count = codes[codes != ""].value_counts()
    found += [
        Finding("code", str(code), int(n), 1, f"{n} grids share this code")
        for code, n in count[count > 1].items()
    ]
    if len(villages) and "village_code" in grids:
        known = set(villages["code"].astype(str))
        lost = ~grids["village_code"].astype(str).isin(known)
        found += [
            Finding("nested", str(row.code), 0, 1, f"village {row.village_code} is not in the plan")
            for row in grids[lost].itertuples()
        ]
    return found


def _coverage(
    grids: pd.DataFrame,
    shapes: np.ndarray,
    villages: gpd.GeoDataFrame,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> list[Finding]:
    codes = grids["code"].astype(str).to_numpy()
    found = [
        Finding("empty_shape", codes[i], 0, 1, "the grid has no area")
        for i in np.flatnonzero(shapely.area(shapes) <= 0)
    ]
    crossing = overlaps(shapes)
    found += [
        Finding("overlap", codes[a], m2, 0, f"shares {m2:.1f} m2 with {codes[b]}")
        for a, b, m2 in crossing
        if m2 > TOLERANCE_M2
    ]
    if not len(villages) or "village_code" not in grids:
        return found + _holes(shapes)
    of = grids["village_code"].astype(str).to_numpy()
    groups = grids.groupby(of).indices
    crossed = {of[a] for a, b, _ in crossing if of[a] == of[b]}
    none = np.empty(0, dtype=np.int64)
    asked = [
        Village(code, area, np.asarray(groups.get(code, none)), code in crossed)
        for code, area in zip(villages["code"].astype(str), villages.geometry, strict=True)
    ]

    def told(done: int, total: int) -> None:
        progress(VILLAGES, done, total)

    for one in judged(asked, shapes, workers=workers, progress=told):
        if one.bare:
            reason = "the village has no grid at all"
            found.append(Finding("gap", one.code, one.missing_m2, 0, reason))
            continue
        if one.missing_m2:
            reason = f"{one.missing_m2:.1f} m2 of village {one.code} lie in no grid"
            found.append(Finding("gap", codes[one.first], one.missing_m2, 0, reason))
        found += [
            Finding("outside", codes[row], m2, 0, f"{m2:.1f} m2 outside") for row, m2 in one.beyond
        ]
    return found


def _holes(shapes: np.ndarray) -> list[Finding]:
    """Without villages, a gap is a hole in the union of all grids."""
    whole = shapely.get_parts(shapely.union_all(shapes))
    rings = shapely.get_rings(whole)
    inner = rings[shapely.is_ccw(rings) != shapely.is_ccw(shapely.get_exterior_ring(whole))[0]]
    area = shapely.area(shapely.polygons(inner)) if len(inner) else np.empty(0)
    return [
        Finding("gap", "", float(m2), 0, f"a hole of {m2:.1f} m2 between the grids")
        for m2 in area
        if m2 > TOLERANCE_M2
    ]


def _parts(grids: pd.DataFrame, shapes: np.ndarray) -> list[Finding]:
    count = shapely.get_num_geometries(shapes)
    found = []
    for i in np.flatnonzero(count > 1):
        whole = shapely.union_all(shapely.get_parts(shapes[i]))
        parts = int(shapely.get_num_geometries(whole))
        if parts > 1:
            reason = f"{parts} pieces that do not touch along a border"
            found.append(Finding("parts", str(grids["code"].iloc[i]), parts, 1, reason))
    return found


def _counts(
    plan: PlanFile,
    grids: pd.DataFrame,
    shapes: np.ndarray,
    given: pd.DataFrame | None,
    tolerance: float,
) -> list[Finding]:
    held, found = plan.households, []
    if len(held):
        found += _misplaced(plan, grids, shapes, tolerance + NEAR_M)
        twice = held["household_id"][held["household_id"].duplicated()]
        if len(twice):
            found.append(
                Finding("counted_twice", "", len(twice), 0, f"{len(twice)} household ids repeat")
            )
        codes = grids["code"]
        found += _recounted("uncounted", "grid", grids, held, held["grid_code"])
        lost = held.loc[~held["grid_code"].astype(str).isin(set(codes)), "households"]
        if len(lost):
            reason = f"{lost.sum()} households name a grid that is not in the plan"
            found.append(Finding("uncounted", "", float(lost.sum()), 0, reason))
    if given is not None:
        total = int(given["households"].sum())
        inside = int(held["households"].sum()) + int(plan.unplaced["households"].sum())
        if total != inside:
            reason = f"the file has {total} households, the plan places or lists {inside}"
            found.append(Finding("missing", "", inside, total, reason))
    return found


def _recounted(
    rule: str, what: str, areas: pd.DataFrame, held: pd.DataFrame, code: pd.Series
) -> list[Finding]:
    """Areas whose households or persons differ from the sum of their points."""
    found = []
    for column in ("households", "persons"):
        if column not in areas or column not in held or not held[column].notna().any():
            continue
        points = pd.to_numeric(held[column]).fillna(0).groupby(code.astype(str)).sum()
        counted = areas["code"].astype(str).map(points).fillna(0).to_numpy(dtype=float)
        told = pd.to_numeric(areas[column], errors="coerce").fillna(0).to_numpy(dtype=float)
        found += [
            Finding(
                rule, str(areas["code"].iloc[i]), told[i], counted[i],
                f"the {what} says {told[i]:.0f} {column}, its points {counted[i]:.0f}",
            )
            for i in np.flatnonzero(told != counted)
        ]
    return found


def _misplaced(
    plan: PlanFile, grids: pd.DataFrame, shapes: np.ndarray, tolerance: float
) -> list[Finding]:
    """Points further outside their grid than the tolerance the plan was made with."""
    held = plan.households
    row = pd.Series(np.arange(len(grids)), index=grids["code"])
    row = row[~row.index.duplicated()]
    own = held["grid_code"].astype(str).map(row)
    known = own.notna().to_numpy()
    points = held.geometry.to_numpy()[known]
    own_row = own[known].to_numpy(dtype=int)
    inside = np.zeros(len(points), dtype=bool)
    which, point = shapely.STRtree(points).query(shapes, predicate="intersects")
    inside[point[own_row[point] == which]] = True
    out = np.flatnonzero(~inside)
    away = shapely.distance(shapes[own_row[out]], points[out])
    # a point near a border may be given to its village's nearest grid, never past another grid
    elsewhere = np.isin(out, point)
    wrong = out[~(away <= tolerance) | (elsewhere & (away > NEAR_M))]  # NaN: no shape at all
    codes, count = np.unique(own_row[wrong], return_counts=True)
    return [
        Finding(
            "misplaced", str(grids["code"].iloc[code]), int(n), 0,
            f"{n} household points lie outside this grid",
        )
        for code, n in zip(codes, count, strict=True)
    ]


def _caps(grids: pd.DataFrame, settings: Settings) -> list[Finding]:
    usual = grids
    if "kind" in grids:
        usual = grids[grids["kind"].astype(str) != "dedicated"]
    found = []
    for rule, column, cap in (
        ("max_persons", "persons", settings.max_persons),
        ("max_households", "households", settings.max_households),
    ):
        if cap is None or column not in usual:
            continue
        value = pd.to_numeric(usual[column], errors="coerce")
        found += [
            Finding(rule, str(usual["code"].loc[i]), float(value.loc[i]), cap, f"{value.loc[i]:g}")
            for i in usual.index[value > cap]
        ]
    if settings.min_households is not None:
        least = settings.min_households
        value = pd.to_numeric(usual["households"], errors="coerce")
        found += [
            Finding(
                "min_households", str(usual["code"].loc[i]), float(value.loc[i]), least,
                f"{value.loc[i]:g}",
            )
            for i in usual.index[value < least]
        ]
    return found


def _micro(plan: PlanFile, grids: pd.DataFrame, shapes: np.ndarray) -> list[Finding]:
    if plan.micro_grids is None:
        return []
    row = pd.Series(np.arange(len(grids)), index=grids["code"])
    row = row[~row.index.duplicated()]
    own = plan.micro_grids["grid_code"].astype(str).map(row)
    codes = plan.micro_grids["code"].astype(str)
    found = [
        Finding("micro", code, 0, 1, "names a grid that is not in the plan")
        for code in codes[own.isna()]
    ]
    known = own.notna().to_numpy()
    micro = plan.micro_grids.geometry.to_numpy()[known]
    host = shapes[own[known].to_numpy(dtype=int)]
    beyond = shapely.area(shapely.difference(micro, host))
    found += [
        Finding("micro", codes[known].iloc[i], float(beyond[i]), 0, f"{beyond[i]:.1f} m2 outside")
        for i in np.flatnonzero(beyond > TOLERANCE_M2)
    ]
    polygons = np.array([polygonal(g) for g in plan.micro_grids.geometry], dtype=object)
    found += [
        Finding("micro", codes.iloc[a], m2, 0, f"shares {m2:.1f} m2 with {codes.iloc[b]}")
        for a, b, m2 in overlaps(polygons)
        if m2 > TOLERANCE_M2
    ]
    covered = np.bincount(
        own[known].to_numpy(dtype=int), weights=shapely.area(micro), minlength=len(grids)
    )
    missing = shapely.area(shapes) - covered
    if "kind" in grids:
        missing[(grids["kind"].astype(str) == "dedicated").to_numpy()] = 0
    found += [
        Finding(
            "micro", str(grids["code"].iloc[i]), float(missing[i]), 0,
            f"{missing[i]:.1f} m2 of the grid lie in no micro-grid",
        )
        for i in np.flatnonzero(missing > TOLERANCE_M2)
    ]
    held = plan.households
    if len(held) and "micro_code" in held:
        found += _recounted("micro", "micro-grid", plan.micro_grids, held, held["micro_code"])
    return found
