"""What an export holds: the plan's tables, their columns in each form, and the two notices.

A column has one source in the plan and a name for each form, because the forms differ in what a
name may be. :func:`tables` gives every level of a plan with its codes and its parents' codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

Language = Literal["zh", "en"]
Level = Literal["grids", "micro_grids", "villages"]
LEVELS: tuple[Level, ...] = ("grids", "villages", "micro_grids")

NOTICE_ZH = (
    "内部使用,未经地图审核不得公开。"
    "网格界线仅用于内部服务管理,不是行政区域界线,不作为行政区划依据。"
)
NOTICE_EN = (
    "Internal use; not to be published before map review. "
    "Grid borders serve internal management only and are no administrative boundaries."
)

class Plan(Protocol):
    """The tables an export reads; :class:`planning.planfile.PlanFile` has them."""

    @property
    def grids(self) -> gpd.GeoDataFrame:
        """The grids."""
        ...

    @property
    def villages(self) -> gpd.GeoDataFrame:
        """The villages."""
        ...

    @property
    def micro_grids(self) -> gpd.GeoDataFrame | None:
        """The micro-grids, where there are any."""
        ...

    @property
    def exceptions(self) -> pd.DataFrame:
        """What breaks a rule, and why."""
        ...

    @property
    def provenance(self) -> pd.DataFrame:
        """Where the plan came from."""
        ...


@dataclass(frozen=True)
class Column:
    """A column of the plan, its names in the exports and its width in the register."""

    source: str
    chinese: str
    english: str
    ascii10: str  # Shapefile, UTF-8: at most 10 ASCII characters
    gbk5: str  # Shapefile, GBK: at most 5 Chinese characters (10 bytes)
    width: int = 12
    number_format: str = ""  # empty: text


GRID_COLUMNS: tuple[Column, ...] = (
    Column("code", "网格编码", "Grid code", "code", "网格编码", 18),
    Column("name", "网格名称", "Grid name", "name", "网格名称", 20),
    Column("kind", "网格类型", "Kind", "kind", "网格类型", 10),
    Column("township_name", "乡镇(街道)", "Township", "township", "乡镇街道", 14),
    Column("village_code", "村(社区)代码", "Village code", "vill_code", "村代码", 15),
    Column("village_name", "村(社区)名称", "Village", "vill_name", "村名称", 14),
    Column("households", "户数", "Households", "households", "户数", 8, "0"),
    Column("persons", "人口", "Persons", "persons", "人口", 8, "0"),
    Column("target", "目标户数", "Target", "target", "目标户数", 9, "0"),
    Column("deviation", "与目标偏差", "Deviation", "dev", "目标偏差", 11, "+0.0%;-0.0%;0.0%"),
    Column(
        "deviation_ideal", "与村均偏差", "Dev. from ideal", "dev_ideal", "村均偏差", 11,
        "+0.0%;-0.0%;0.0%",
    ),
    Column("area_m2", "面积(平方米)", "Area (m²)", "area_m2", "面积", 13, "#,##0"),
    Column("perimeter_m", "周长(米)", "Perimeter (m)", "perim_m", "周长", 11, "#,##0"),
    Column("polsby_popper", "紧凑度", "Compactness", "compact", "紧凑度", 9, "0.00"),
    Column("reach_m", "平均距离(米)", "Reach (m)", "reach_m", "平均距离", 11, "#,##0"),
    Column("edge_on_line", "沿线界线占比", "Edge on lines", "edge_line", "沿线占比", 12, "0%"),
    Column("parts", "分块数", "Parts", "parts", "分块数", 8, "0"),
    Column("bounds_text", "四至", "Bounded by", "bounds", "四至", 46),
    Column("exceptions", "例外情况", "Exceptions", "exceptions", "例外情况", 30),
    Column("reason", "例外原因", "Reason", "reason", "例外原因", 40),
)  # fmt: skip

VILLAGE_COLUMNS: tuple[Column, ...] = (
    Column("code", "村(社区)代码", "Village code", "code", "村代码", 15),
    Column("name", "村(社区)名称", "Village", "name", "村名称", 14),
    Column("parent_code", "上级代码", "Parent code", "parent", "上级代码", 13),
    Column("township_name", "乡镇(街道)", "Township", "township", "乡镇街道", 14),
    Column("class", "城乡", "Class", "class", "城乡", 8),
    Column("households", "户数", "Households", "households", "户数", 8, "0"),
    Column("persons", "人口", "Persons", "persons", "人口", 8, "0"),
    Column("grids", "网格数", "Grids", "grids", "网格数", 8, "0"),
)

MICRO_COLUMNS: tuple[Column, ...] = (
    Column("code", "微网格编码", "Micro-grid code", "code", "微网格编码", 20),
    Column("name", "微网格名称", "Micro-grid", "name", "微网格名称", 24),
    Column("grid_code", "所属网格编码", "Grid code", "grid_code", "所属网格", 18),
    Column("village_code", "村(社区)代码", "Village code", "vill_code", "村代码", 15),
    Column("households", "户数", "Households", "households", "户数", 8, "0"),
    Column("persons", "人口", "Persons", "persons", "人口", 8, "0"),
)

KIND_WORDS = {"comprehensive": "综合网格", "dedicated": "专属网格"}
CLASS_WORDS = {"urban": "城镇", "rural": "农村"}
_STATISTICAL_DIGITS = 12  # of a village's code: 6 county, 3 township, 3 village


def columns_of(level: Level) -> tuple[Column, ...]:
    """The columns of a level's table."""
    return {"grids": GRID_COLUMNS, "villages": VILLAGE_COLUMNS, "micro_grids": MICRO_COLUMNS}[
        level
    ]


def township_code(village_code: str) -> str:
    """The township's nine digits where the village has the statistical twelve, else nothing."""
    whole = village_code.isdigit() and len(village_code) == _STATISTICAL_DIGITS
    return village_code[:9] if whole else ""


def table_of(plan: Plan, level: Level) -> gpd.GeoDataFrame | None:
    """One level of a plan with its codes and its parents' codes; None where the plan has none.

    The parent of a micro-grid is ``grid_code``, of a grid ``village_code``, of a village
    ``parent_code`` (its township; empty where the codes are not the statistical ones).
    """
    if level == "grids":
        return plan.grids
    if level == "villages":
        parents = [township_code(str(code)) for code in plan.villages["code"]]
        return plan.villages.assign(parent_code=parents)
    micro = plan.micro_grids
    if micro is None or not len(micro):
        return None
    known = plan.grids.drop_duplicates("code").set_index("code")
    village = micro["grid_code"].map(known["village_code"])
    names = micro["grid_code"].map(known["name"]) if "name" in known else micro["grid_code"]
    last = [
        code[len(grid) :].lstrip("-") if code.startswith(grid) else code
        for code, grid in zip(
            micro["code"].astype(str), micro["grid_code"].astype(str), strict=True
        )
    ]
    return micro.assign(
        village_code=village,
        name=[f"{name}-{number}" for name, number in zip(names, last, strict=True)],
    )


def plain(value: object) -> object:
    """A cell's value as Python's own type; None for what is missing; no control characters."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        return "".join(ch for ch in value if ch in "\t\n" or ord(ch) >= 32)
    return value


def present(frame: pd.DataFrame, columns: Sequence[Column]) -> list[Column]:
    """The columns that ``frame`` has."""
    return [column for column in columns if column.source in frame.columns]


def in_language(text: str, language: Language) -> str:
    """One half of a text that the rules write as ``Chinese / English``; another text as it is."""
    halves = text.split(" / ")
    middle = len(halves) // 2
    if len(halves) % 2 or "".join(halves[:middle]).isascii():
        return text
    return " / ".join(halves[:middle] if language == "zh" else halves[middle:])


def rule_names(text: str, language: Language) -> str:
    """Rules separated by semicolons, by their names; one this version does not know as it is."""
    # Here: the rules bring the whole proposal along, a second that who only looks need not wait.
    from planning.rules import RULES

    index = 0 if language == "zh" else 1
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return "; ".join(RULES[part][index] if part in RULES else part for part in parts)


def in_words(frame: pd.DataFrame, column: Column, language: Language) -> list[object]:
    """A column's values, the program's own terms in the reader's language."""
    values = [plain(value) for value in frame[column.source]]

    def spoken(value: object) -> object:
        if not isinstance(value, str):
            return value
        if column.source in ("exceptions", "rule"):
            return rule_names(value, language)
        if column.source == "reason":
            return in_language(value, language)
        words = {"kind": KIND_WORDS, "class": CLASS_WORDS}.get(column.source, {})
        return words.get(value, value) if language == "zh" else value

    return [spoken(value) for value in values]


