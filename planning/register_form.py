"""The printed form of the register: titles, columns of its lists, header block, signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planning.export import Column, Language, Plan
from planning.levels import LEVEL_WORDS, levels
from planning.services import KINDS as SERVICE_KINDS
from planning.staff import KINDS as POST_KINDS
from planning.workbook import Paper

TITLES = {
    "register": ("网格划分登记表", "Grid division register"),
    "levels": ("分级汇总", "Levels"),
    "exceptions": ("例外情况", "Exceptions"),
    "staff": ("人员配置", "Staff"),
    "services": ("服务设施", "Services"),
    "compounds": ("小区与调解室", "Compounds"),
    "leaders": ("领导联网格", "Leaders' grids"),
    "provenance": ("来源与参数", "Provenance"),
}
NO_TOWN = ("未注明乡镇", "No township told")
EXCEPTION_COLUMNS: tuple[Column, ...] = (
    Column("grid_code", "网格编码", "Grid code", "grid_code", "网格编码", 18),
    Column("rule", "规则", "Rule", "rule", "规则", 20),
    Column("value", "实际值", "Value", "value", "实际值", 12, "#,##0.##"),
    Column("limit", "限值", "Limit", "limit", "限值", 12, "#,##0.##"),
    Column("reason", "原因", "Reason", "reason", "原因", 64),
)
PROVENANCE_COLUMNS: tuple[Column, ...] = (
    Column("key", "项目", "Key", "key", "项目", 34),
    Column("value", "内容", "Value", "value", "内容", 90),
)
LEVEL_COLUMNS: tuple[Column, ...] = (
    Column("level", "级别", "Level", "level", "级别", 14),
    Column("code", "代码", "Code", "code", "代码", 18),
    Column("name", "名称", "Name", "name", "名称", 22),
    Column("parent", "上级代码", "Parent code", "parent", "上级代码", 16),
    Column("villages", "村(社区)", "Villages", "villages", "村数", 10, "#,##0"),
    Column("grids", "网格", "Grids", "grids", "网格数", 10, "#,##0"),
    Column("dedicated", "其中专属", "Dedicated", "dedicated", "专属数", 10, "#,##0"),
    Column("share", "专属占比", "Share", "share", "专属占比", 10, "0.0%"),
    Column("micro_grids", "微网格", "Micro-grids", "micro", "微网格数", 12, "#,##0"),
    Column("households", "户数", "Households", "households", "户数", 12, "#,##0"),
    Column("persons", "人口", "Persons", "persons", "人口", 12, "#,##0"),
)
STAFF_COLUMNS: tuple[Column, ...] = (
    Column("code", "网格编码", "Grid code", "code", "网格编码", 18),
    Column("name", "网格名称", "Grid", "name", "网格名称", 22),
    Column("households", "户数", "Households", "households", "户数", 9, "0"),
    Column("persons", "人口", "Persons", "persons", "人口", 9, "0"),
    Column("incidents", "事件", "Incidents", "incidents", "事件", 9, "0"),
    *(Column(kind, zh, en, kind, zh[:5], 9, "0") for kind, (zh, en) in POST_KINDS.items()),
    Column("lacks", "缺岗", "Lacks", "lacks", "缺岗", 8, "0"),
    Column("lacks_text", "缺何岗位", "Which", "lacks_text", "缺何岗位", 26),
    Column("households_a_worker", "每岗户数", "Households a worker", "h_work", "每岗户数", 11,
           "0.0"),
    Column("persons_a_worker", "每岗人口", "Persons a worker", "p_work", "每岗人口", 11, "0.0"),
    Column("incidents_a_worker", "每岗事件", "Incidents a worker", "i_work", "每岗事件", 11, "0.0"),
    Column("group_size", "群成员数", "Group size", "group_size", "群成员数", 10, "0"),
    Column("groups", "群数", "Groups", "groups", "群数", 8, "0"),
)  # fmt: skip
COMPOUND_COLUMNS: tuple[Column, ...] = (
    Column("name", "小区", "Compound", "name", "小区", 24),
    Column("village_code", "村(社区)代码", "Village code", "vill_code", "村代码", 16),
    Column("households", "户数", "Households", "households", "户数", 10, "0"),
    Column("grid_codes", "所在网格", "Grids", "grids", "所在网格", 36),
    Column("room", "最近调解室", "Nearest mediation room", "room", "调解室", 30),
    Column("metres", "距离(米)", "Distance (m)", "metres", "距离", 12, "#,##0"),
)

LEADER_COLUMNS: tuple[Column, ...] = (
    Column("post", "领导岗位", "Post", "post", "领导岗位", 24),
    Column("code", "网格编码", "Grid code", "code", "网格编码", 20),
    Column("name", "网格名称", "Grid", "name", "网格名称", 24),
    Column("village_name", "村(社区)", "Village", "village", "村(社区)", 18),
    Column("households", "户数", "Households", "households", "户数", 12, "#,##0"),
    Column("persons", "人口", "Persons", "persons", "人口", 12, "#,##0"),
)


def upper_levels(plan: Plan, place: str, language: Language) -> pd.DataFrame:
    """City, county, townships and villages of a plan, every row with a name.

    Files name townships and villages; what is above them is called ``place``, or said in words.
    Where codes tell no city and no county, one row stands for the whole.
    """
    index = 0 if language == "zh" else 1
    table = levels(plan)
    table = table[table["level"].isin(["city", "county", "township", "village"])]
    table = table[(table["level"] != "city") | (table["code"] != "")].copy()
    top = "county" if (table["level"] == "county").sum() == 1 else "city"
    words: dict[str, tuple[str, str]] = {
        top: (place or "全部", place or "All of it"),
        "township": NO_TOWN,
    }
    if top == "county":
        words["city"] = ("所属市(仅计本县)", "Its city (this county only)")
    # top down, and village 2 before village 10
    rank = table["level"].map(["city", "county", "township", "village"].index)
    long = table["code"].str.len()
    table = table.iloc[np.lexsort((table["code"], long, rank))]
    named = [
        name or words.get(level, (f"代码 {code}", f"Code {code}"))[index]
        for name, level, code in zip(table["name"], table["level"], table["code"], strict=True)
    ]
    share = table["dedicated"] / table["grids"].where(table["grids"] > 0)
    said = [LEVEL_WORDS[level][index] for level in table["level"]]
    return table.assign(name=named, share=share, level=said)


def service_list(
    services: pd.DataFrame, plan: Plan, language: Language
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """The services one row a grid, in the order of codes, and the columns of the list.

    For each kind the place, the way and the share with more than the walk; last, the kinds that
    most of the grid's households have farther than that, to filter by.
    """
    index = 0 if language == "zh" else 1
    kinds = [kind for kind in SERVICE_KINDS if (services["kind"] == kind).any()]
    columns = [
        Column("grid_code", "网格编码", "Grid code", "grid_code", "网格编码", 18),
        Column("name", "网格名称", "Grid", "name", "网格名称", 22),
    ]
    table = pd.DataFrame({"grid_code": sorted(services["grid_code"].astype(str).unique())})
    if "name" in plan.grids:
        names = dict(zip(plan.grids["code"].astype(str), plan.grids["name"], strict=True))
        table["name"] = table["grid_code"].map(names)
    far = pd.Series("", index=table.index)
    for kind in kinds:
        zh, en = SERVICE_KINDS[kind]
        own = services[services["kind"] == kind].assign(code=lambda t: t["grid_code"].astype(str))
        own = own.drop_duplicates("code").set_index("code").reindex(table["grid_code"])
        for what in ("name", "metres", "share_beyond"):
            table[f"{kind}_{what}"] = own[what].to_numpy()
        beyond = own["beyond"].fillna(False).to_numpy(dtype=bool)
        mark = ("、", ", ")[index]
        far = far.where(~beyond, far + far.map(lambda t, m=mark: m if t else "") + (zh, en)[index])
        columns += [
            Column(f"{kind}_name", f"最近{zh}", f"Nearest {en.lower()}", "", "", 24),
            Column(f"{kind}_metres", "半数户不超过(米)", "Half of households within (m)", "", "",
                   11, "#,##0"),
            Column(f"{kind}_share_beyond", "步行 15 分钟以外户占比",
                   "Share beyond a 15-minute walk", "", "", 12, "0%"),
        ]  # fmt: skip
    columns.append(Column("beyond", "多数户超过 15 分钟", "Most beyond 15 minutes", "", "", 22))
    return table.assign(beyond=far), tuple(columns)


@dataclass(frozen=True)
class Filing:
    """What an office puts on the register besides the plan. Empty fields are left to fill in.

    ``place`` the county, or the city of several counties; ``unit`` who files it,
    ``date`` and ``version`` as they are to be printed; ``pattern`` of posts
    a grid should have; ``staff`` of :func:`planning.staff.staffing`, ``services`` and
    ``compounds`` of :mod:`planning.services`, or None. ``coordinates``: say the longitude and
    latitude (WGS 84) of a side whose words name no line. ``leaders`` the grids that the holder
    of a post follows (:mod:`planning.leaders`).
    """

    place: str = ""
    unit: str = ""
    date: str = ""
    version: str = ""
    paper: Paper = "A4"
    pattern: str = "1+1+2+N"
    coordinates: bool = False
    staff: pd.DataFrame | None = None
    services: pd.DataFrame | None = None
    compounds: pd.DataFrame | None = None
    leaders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def block(filing: Filing, language: Language) -> str:
    """The line under the title: who files it, when, which version."""
    blank = "____________"
    unit, date = filing.unit or blank, filing.date or blank
    version = filing.version or "____"
    if language == "zh":
        return f"填报单位:{unit}    填报日期:{date}    版本:{version}    计量单位:户、人"
    return f"Filed by: {unit}    Date: {date}    Version: {version}    Counts: households, persons"


SIGNED = {
    "zh": "填报人:____________    审核人:____________    负责人(签字):____________    "
    "单位(盖章):____________    日期:____年__月__日",
    "en": "Prepared by: ____________    Checked by: ____________    Approved (signature): "
    "____________    Seal: ____________    Date: ____________",
}
