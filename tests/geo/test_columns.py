"""Column names of 58 real village layers and many tables, and what they are taken for."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from geo.columns import MEANINGS, ROLES, Role, meanings_of, normal_name, recognise
from geo.roles import likely_role

SCHEMAS = "cn_village_layer_schema_notes"

#: names the notes list as village columns that say no such thing by themselves
NOT_ALONE = {
    "cun",  # a code beside cun_name in one layer
    "XJXZQDM",
    "SJGZQYMC",
}


def taken(names: list[str], role: Role, **given: str) -> dict[str, str]:
    found = recognise(names, role, given=given)
    return {str(c.canonical): c.source for c in found if c.canonical}


def mapping(path: Path) -> dict[str, list[str]]:
    """The notes' table: target → source field names."""
    text = (path / "original" / "SCHEMA_MAPPING.md").read_text("utf-8")
    sections = re.findall(r"^### (\w+)\n(.+?)\n", text, re.MULTILINE)
    return {name: re.findall(r"`([^`]+)`", line) for name, line in sections}


def layers(path: Path) -> dict[str, list[str]]:
    """Layer → its field names, in order."""
    fields: dict[str, list[str]] = defaultdict(list)
    with (path / "clean" / "field_names_58_layers.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            fields[row["file"]].append(row["field"])
    return fields


@pytest.mark.real
@pytest.mark.parametrize(
    ("target", "canonical"),
    [("village_code", "code"), ("village_name", "name"), ("township_name", "township_name")],
)
def test_every_field_name_of_the_notes_is_known(
    real_data: Callable[[str], Path], target: str, canonical: str
) -> None:
    unknown = [
        name
        for name in mapping(real_data(SCHEMAS))[target]
        if name not in NOT_ALONE and canonical not in meanings_of(name, "villages")
    ]
    assert unknown == []


@pytest.mark.real
def test_fields_of_other_levels_are_not_taken_for_villages(
    real_data: Callable[[str], Path],
) -> None:
    table = mapping(real_data(SCHEMAS))
    for target in ("province_code", "province_name", "city_code", "county_code", "township_code"):
        for name in table[target]:
            assert not meanings_of(name, "villages").keys() & {"code", "name"}, name


@pytest.mark.real
def test_every_village_layer_gives_code_and_name(real_data: Callable[[str], Path]) -> None:
    """Of the 58 layers, all that the notes map to village columns, and by a mapped field."""
    path = real_data(SCHEMAS)
    table = mapping(path)
    codes, names = set(table["village_code"]), set(table["village_name"])
    found = {file: taken(list(dict.fromkeys(f)), "villages") for file, f in layers(path).items()}
    assert len(found) == 58
    for file, fields in layers(path).items():
        if codes & set(fields):
            assert found[file].get("code") in codes | {"编码", "ZONA", "Id", "id"}, file
        if names & set(fields):
            assert found[file].get("name") in names | {"名称"}, file


@pytest.mark.real
@pytest.mark.parametrize(
    ("part", "code", "name"),
    [
        ("重庆市", "SQCDM", "SQCMC"),
        ("35福建省", "CUNDM", "CUNMC"),
        ("河南村界", "村代码", "村名称"),
        ("安徽省", "CUN", "CUN_MC"),
        ("湖南省", "CJDCQDM", "CJDCQMC"),
        ("贵州省", "XZQDM", "XZQMC"),
        ("新疆", "zldwdm", "cun_name"),
        ("云南省", "PAC", "NAME"),
        ("上海村社区界.shp", "BLOCK_CODE", "BLOCK_NAME"),
        ("C_陕西省", "BSM", "XZQMC"),
    ],
)
def test_the_surest_field_wins(
    real_data: Callable[[str], Path], part: str, code: str, name: str
) -> None:
    (fields,) = [f for file, f in layers(real_data(SCHEMAS)).items() if part in file]
    found = taken(fields, "villages")
    assert (found["code"], found["name"]) == (code, name)


@pytest.mark.parametrize(
    ("role", "header", "expected"),
    [
        (
            "households",
            "户编号 村代码 村名 小区 村民小组 经度 纬度 户数 人口",
            {
                "household_id": "户编号", "village_code": "村代码", "village_name": "村名",
                "compound": "小区", "group": "村民小组", "lon": "经度", "lat": "纬度",
                "households": "户数", "persons": "人口",
            },
        ),
        ("households", "id lng lat grid_household grid_persons",
         {"household_id": "id", "lon": "lng", "lat": "lat", "households": "grid_household",
          "persons": "grid_persons"}),
        ("households", "X Y 自然村 家庭人口",
         {"lon": "X", "lat": "Y", "group": "自然村", "persons": "家庭人口"}),
        ("households", "codebase households population villcode",
         {"household_id": "codebase", "households": "households", "persons": "population",
          "village_code": "villcode"}),
        ("households", "name code lon lat", {"lon": "lon", "lat": "lat"}),
        ("villages", "VILLCODE TOWNNAME VILLNAME 城乡分类代码",
         {"code": "VILLCODE", "township_name": "TOWNNAME", "name": "VILLNAME",
          "class_code": "城乡分类代码"}),
        ("villages", "N_HOOD NAME dwelling_units",
         {"code": "N_HOOD", "name": "NAME", "households": "dwelling_units"}),
        ("villages", "村里代碼 區域 村里 戶數 人口",
         {"code": "村里代碼", "township_name": "區域", "name": "村里", "households": "戶數",
          "persons": "人口"}),
        ("villages", "WD13CD WD13NM", {"code": "WD13CD", "name": "WD13NM"}),
        ("roads", "名称 道路等级", {"name": "名称", "road_class": "道路等级"}),
        ("roads", "osm_id highway name", {"road_class": "highway", "name": "name"}),
        ("beats", "警格编码 警格名称 派出所",
         {"code": "警格编码", "name": "警格名称", "station": "派出所"}),
        ("beats", "SECTOR BEAT BEAT_NUM DISTRICT", {"code": "BEAT_NUM", "station": "DISTRICT"}),
        ("incidents", "接警单编号 报警时间 警情类别 小类 来源 状态 办结时间 经度 纬度",
         {"incident_id": "接警单编号", "time": "报警时间", "category": "警情类别",
          "subtype": "小类", "source": "来源", "status": "状态", "closed_time": "办结时间",
          "lon": "经度", "lat": "纬度"}),
        ("incidents", "工单编号 受理时间 办结时间 办理时限 问题类别 问题小类 承办单位 工单状态",
         {"incident_id": "工单编号", "time": "受理时间", "closed_time": "办结时间",
          "due_time": "办理时限", "category": "问题类别", "subtype": "问题小类",
          "department": "承办单位", "status": "工单状态"}),
        ("incidents", "警情编号 报警时间 发生时间起 发生时间止 警情类别 处置结果 x y",
         {"incident_id": "警情编号", "reported_time": "报警时间", "time": "发生时间起",
          "time_to": "发生时间止", "category": "警情类别", "status": "处置结果", "lon": "x",
          "lat": "y"}),
        ("incidents", "alarmTime alarmType longitude latitude",
         {"time": "alarmTime", "category": "alarmType", "lon": "longitude", "lat": "latitude"}),
        ("officers", "派出所 警务区 民警数",
         {"station": "派出所", "beat": "警务区", "officers": "民警数"}),
        ("services", "机构名称 设施类别", {"name": "机构名称", "category": "设施类别"}),
        ("groups", "村民小组 村代码 户数",
         {"name": "村民小组", "village_code": "村代码", "households": "户数"}),
        ("compounds", "小区名称 所属社区", {"name": "小区名称", "village_name": "所属社区"}),
    ],
)  # fmt: skip
def test_headers_people_write(role: Role, header: str, expected: dict[str, str]) -> None:
    assert taken(header.split(), role) == expected


def test_names_are_compared_without_their_dress() -> None:
    assert normal_name(" Village_Code ") == normal_name("VILLAGECODE") == "villagecode"
    assert normal_name("村（社区）") == normal_name("村(社区)") == "村社区"
    assert normal_name("戶數") == normal_name("户数")
    assert meanings_of("Ｘ坐标", "households") == meanings_of("X坐标", "households")


def test_what_is_given_wins() -> None:
    found = recognise(["村名", "甲", "乙"], "villages", given={"name": "乙", "code": "甲"})
    assert [(c.source, c.canonical, c.why) for c in found] == [
        ("村名", None, "unused"), ("甲", "code", "given"), ("乙", "name", "given"),
    ]  # fmt: skip
    with pytest.raises(KeyError, match="丙"):
        recognise(["甲"], "villages", given={"name": "丙"})


def test_personal_columns_are_never_taken() -> None:
    found = recognise(["name", "姓名"], "villages", given={"name": "姓名"}, personal=["姓名"])
    assert {c.source: (c.canonical, c.why) for c in found} == {
        "name": ("name", "name"), "姓名": (None, "personal"),
    }  # fmt: skip


def test_a_constant_column_gives_way() -> None:
    names = ["村代码", "CODE"]
    found = recognise(names, "villages", telling={"村代码": 0.0, "CODE": 1.0})
    assert [c.canonical for c in found] == [None, "code"]


def test_every_role_has_a_table() -> None:
    assert set(MEANINGS) == set(ROLES)
    assert all(MEANINGS[role] for role in ROLES)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("police_sectors", "beats"), ("PUBLICSAFETY_PoliceWalkingRoutes", "beats"),
        ("PUBLICSAFETY_PoliceStation", "stations"), ("police_crash_data", "incidents"),
        ("neighborhoods", "villages"), ("警务区界", "beats"), ("村民户点", "households"),
    ],
)  # fmt: skip
def test_a_layers_name_tells_what_it_is_for(name: str, role: Role) -> None:
    assert likely_role(name) == role
