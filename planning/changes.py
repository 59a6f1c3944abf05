"""What became of every grid between two filed versions: the table that is sent out.

Told from shapes and households (:func:`planning.compare.compare_plans`), never from codes alone:
a code that another plan gave to other ground is found out. A grid *continues* in the grid that it
is matched with; it is *split* where other grids of the new plan hold a good part of it, *merged*
where several old grids went into one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from openpyxl import Workbook

from planning.compare import SAME_AREA, compare_plans
from planning.export import Column, Language, atomically
from planning.planfile import PlanFile
from planning.register import write_list
from planning.register_form import Filing

_TRACE = 0.01  # less of a grid than this is what two programs round differently
PART = 0.2  # a grid that takes this much of another took part in it; less is a border that moved

CHANGES: dict[str, tuple[str, str]] = {
    # change: (Chinese, English)
    "kept": ("未变", "kept"),
    "recounted": ("范围未变,户数有变", "same ground, other counts"),
    "rehomed": ("范围未变,所属村有变", "same ground, other village"),
    "recoded": ("范围未变,编码有变", "same ground, other code"),
    "adjusted": ("边界调整", "border moved"),
    "split": ("拆分", "split"),
    "merged": ("合并", "merged"),
    "new": ("新设", "new"),
    "gone": ("撤销", "gone"),
}
CHANGE_COLUMNS: tuple[Column, ...] = (
    Column("change", "变化", "Change", "change", "变化", 18),
    Column("village", "村(社区)", "Village", "village", "村(社区)", 18),
    Column("old_code", "原编码", "Old code", "old_code", "原编码", 18),
    Column("old_name", "原名称", "Old name", "old_name", "原名称", 22),
    Column("new_code", "现编码", "New code", "new_code", "现编码", 22),
    Column("new_name", "现名称", "New name", "new_name", "现名称", 22),
    Column("households_before", "原户数", "Households before", "hh_before", "原户数", 10, "#,##0"),
    Column("households_after", "现户数", "Households after", "hh_after", "现户数", 10, "#,##0"),
    Column("households_moved", "移出户数", "Households that left", "hh_moved", "移出户数", 10,
           "#,##0"),
)  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """What is between two versions.

    ``table`` one row a grid of the old version, then the new ones: the columns of
    :data:`CHANGE_COLUMNS`; several codes are parted by ``; ``, the continuing grid's first.
    ``households_moved`` of the whole plan. ``reused`` codes of the old version that the new one
    gave to other ground, which must not be.
    """

    table: pd.DataFrame
    households_moved: int
    reused: tuple[str, ...]

    def count(self, change: str) -> int:
        """How many rows say so."""
        return int((self.table["change"] == change).sum())

    def became(self, code: str) -> list[str]:
        """The codes that an old code's grid has now; empty for one that is gone or unknown."""
        rows = self.table.loc[self.table["old_code"] == code, "new_code"]
        return [new for text in rows for new in str(text).split("; ") if new]

    def sheets(self) -> list[str]:
        """Codes of the new version whose map sheets are to be printed anew."""
        rows = self.table[~self.table["change"].isin(["kept", "gone"])]
        return sorted({code for text in rows["new_code"] for code in str(text).split("; ") if code})


def find_changes(before: PlanFile, after: PlanFile) -> Changes:
    """What became of every grid. :class:`InputError` where the two share no ground.

    A part counts by households where the old grid has any, else by area; borders that moved by
    less than :data:`PART` of a grid are an adjustment.
    """
    found = compare_plans(before, after)
    match = {str(a): str(b) for a, b in zip(found.grids["code_a"], found.grids["code_b"],
             strict=True) if pd.notna(a) and pd.notna(b)}  # fmt: skip
    shares = _shares(before, after)
    gave = {a: [b for b, s in to.items() if s >= PART] for a, to in shares.items()}
    took: dict[str, list[str]] = defaultdict(list)
    for a, parts in gave.items():
        for b in parts:
            took[b].append(a)
    name = _names(before), _names(after)
    home = _homes(before), _homes(after)
    rows: list[tuple[object, ...]] = []
    for row in found.grids.to_dict("records"):
        old = "" if pd.isna(row["code_a"]) else str(row["code_a"])
        new = "" if pd.isna(row["code_b"]) else str(row["code_b"])
        if not old:
            rows.append(
                ("new", _home(None, home[1].get(new)), "", "", new, name[1].get(new, ""), 0,
                 row["households_b"], 0)
            )  # fmt: skip
            continue
        parts = gave.get(old, [])
        heirs = list(dict.fromkeys([*([new] if new else []), *parts]))
        change = _change(row, old, new, parts, took)
        homes = home[0].get(old), home[1].get(new)
        if change in ("kept", "recounted") and all(homes) and homes[0] != homes[1]:
            change = "rehomed"
        rows.append(
            (
                change, _home(*homes), old, name[0].get(old, ""), "; ".join(heirs),
                "; ".join(name[1].get(code, "") for code in heirs), row["households_a"],
                row["households_b"], row["households_a"] - row["households_kept"],
            )
        )  # fmt: skip
    columns = [column.source for column in CHANGE_COLUMNS]
    table = pd.DataFrame(rows, columns=columns).astype(
        {column: "int64" for column in columns if column.startswith("households")}
    )
    return Changes(table, found.households_changed, _reused(before, after, match, shares))


def _change(
    row: Mapping[Hashable, Any], old: str, new: str, parts: list[str], took: dict[str, list[str]]
) -> str:
    """The one word for an old grid; ``new`` is its continuation or nothing."""
    if row["jaccard_area"] >= SAME_AREA:
        if old != new:
            return "recoded"
        return "kept" if row["households_a"] == row["households_b"] else "recounted"
    if len(parts) > 1:
        return "split"
    if any(len(took[b]) > 1 for b in parts):
        return "merged"
    return "adjusted" if new else "gone"


def _names(plan: PlanFile) -> dict[str, str]:
    if "name" not in plan.grids:
        return {}
    names = plan.grids["name"].fillna("").astype(str)
    return dict(zip(plan.grids["code"].astype(str), names, strict=True))


def _homes(plan: PlanFile) -> dict[str, tuple[str, str]]:
    """Code and name of each grid's village."""
    grids = plan.grids
    if "village_code" not in grids:
        return {}
    named = grids["village_name"] if "village_name" in grids else grids["village_code"]
    pairs = zip(grids["village_code"].fillna("").astype(str), named.fillna("").astype(str),
                strict=True)  # fmt: skip
    return dict(zip(grids["code"].astype(str), pairs, strict=True))


def _home(old: tuple[str, str] | None, new: tuple[str, str] | None) -> str:
    """The village's name, or from which to which."""
    names = list(dict.fromkeys(home[1] or home[0] for home in (old, new) if home is not None))
    return " → ".join(names)


def _shares(before: PlanFile, after: PlanFile) -> dict[str, dict[str, float]]:
    """For each old grid, the share of it that each new grid holds: of households, else of area."""
    old, new = before.grids, after.grids.to_crs(before.grids.crs)
    one, two = shapely.make_valid(old.geometry.to_numpy()), shapely.make_valid(
        new.geometry.to_numpy())  # fmt: skip
    codes = old["code"].astype(str).to_numpy(), new["code"].astype(str).to_numpy()
    left, right = shapely.STRtree(two).query(one, predicate="intersects")
    area = shapely.area(shapely.intersection(one[left], two[right]))
    ground = pd.DataFrame({"a": codes[0][left], "b": codes[1][right], "m2": area})
    ground = ground[ground["m2"] > 1.0]
    lived = _lived(before, after)
    shares: dict[str, dict[str, float]] = {}
    for code, own in ground.groupby("a"):
        held = lived.get(str(code), {})
        total = sum(held.values())
        if total:
            shares[str(code)] = {b: n / total for b, n in held.items()}
        else:
            m2 = own.groupby("b")["m2"].sum()
            shares[str(code)] = {str(b): float(m / m2.sum()) for b, m in m2.items()}
    return shares


def _lived(before: PlanFile, after: PlanFile) -> dict[str, dict[str, float]]:
    """Households of each old grid by the new grid that their point lies in."""
    points = before.households
    if not len(points):
        return {}
    places = points.to_crs(after.grids.crs).geometry.to_numpy()
    point, grid = shapely.STRtree(after.grids.geometry.to_numpy()).query(
        places, predicate="intersects"
    )
    table = pd.DataFrame(
        {
            "point": point,
            "a": points["grid_code"].fillna("").astype(str).to_numpy()[point],
            "b": after.grids["code"].astype(str).to_numpy()[grid],
            "n": pd.to_numeric(points["households"], errors="coerce").fillna(0).to_numpy()[point],
        }
    ).drop_duplicates("point")
    sums = table[table["n"] > 0].groupby(["a", "b"])["n"].sum()
    held: dict[str, dict[str, float]] = defaultdict(dict)
    for a, b, number in sums.reset_index().itertuples(index=False):
        held[str(a)][str(b)] = float(number)
    return held


def _reused(
    before: PlanFile,
    after: PlanFile,
    match: dict[str, str],
    shares: dict[str, dict[str, float]],
) -> tuple[str, ...]:
    """Old codes that now name a grid which neither continues nor holds a part of the old one."""
    both = set(before.grids["code"].astype(str)) & set(after.grids["code"].astype(str))
    return tuple(
        sorted(
            code
            for code in both
            if match.get(code) != code and shares.get(code, {}).get(code, 0.0) < _TRACE
        )
    )


def write_changes(
    changes: Changes, path: Path, *, language: Language = "zh", filing: Filing | None = None
) -> Path:
    """The table as a workbook to send out: what changed first, then the grids that did not.

    Raises OSError when the file cannot be written; then ``path`` is as it was.
    """
    index = 0 if language == "zh" else 1
    told = filing or Filing()
    book = Workbook()
    book.remove(book.worksheets[0])
    quiet = changes.table["change"] == "kept"
    words = {change: pair[index] for change, pair in CHANGES.items()}
    version = (f"版本 {told.version}", f"version {told.version}")[index] if told.version else ""
    mark = " ".join(part for part in (told.unit, told.date, version) if part)
    for title, rows in (
        (("网格变更表", "Grid changes"), changes.table[~quiet]),
        (("未变网格", "Grids that did not change"), changes.table[quiet]),
    ):
        book.create_sheet(title[index])
        write_list(
            book.worksheets[-1], rows.assign(change=rows["change"].map(words)), CHANGE_COLUMNS,
            f"{title[index]} {mark}".strip(), language=language, paper=told.paper,
        )  # fmt: skip
    return atomically(path, lambda target: book.save(target))
