"""What a column holds, told from its name, in Chinese (both scripts) and English.

Truth lives in :data:`MEANINGS`: for each role, each canonical column has its known names, surest
first. The names come from public layers of all mainland provinces, Taiwan's and other censuses,
and from practice. A name is compared without case, spaces, underscores and brackets, in
simplified characters and half-width forms. Where several columns qualify, the surest name wins;
values only break ties between a constant column and one that tells rows apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "villages",
    "households",
    "roads",
    "water",
    "railways",
    "compounds",
    "groups",
    "dedicated",
    "stations",
    "beats",
    "officers",
    "incidents",
    "services",
]
ROLES: tuple[Role, ...] = (
    "villages",
    "households",
    "roads",
    "water",
    "railways",
    "compounds",
    "groups",
    "dedicated",
    "stations",
    "beats",
    "officers",
    "incidents",
    "services",
)

_SIMPLIFIED = str.maketrans(
    "戶數經緯號區鄉鎮碼編稱類發時間單級組莊標東總縣屬狀態來報細員警統計路線橋處廳鄰門職務點結案屋寬長會農"
    "網聯絡繫電話證銀車業歷殘當訴請資郵齡黨監護釋別",
    "户数经纬号区乡镇码编称类发时间单级组庄标东总县属状态来报细员警统计路线桥处厅邻门职务点结案屋宽长会农"
    "网联络系电话证银车业历残当诉请资邮龄党监护释别",
)

_VILLAGE_CODE = (
    "村代码 村级码 村编码 村代號 村里代码 村里代號 行政村代码 行政村编码 村社区代码 村(社区)代码 "
    "村居代码 村居编码 社区代码 社区编码 村委会代码 村界代码 所属村代码 villcode villagecode "
    "village_id "
    "vill_code cundm czcundm sqcdm sqbm sqdm cwhdm cjdcqdm cjgzqydm djzqdm zldwdm comid comid_1 "
    "block_code block_id 村级代码 村级编码 cun_code 统计用区划代码 统计代码 行政区划代码 区划代码 "
    "区划编码 regioncode region_code xzqdm xzqhdm xzbm"
)
_VILLAGE_NAME = (
    "村名 村名称 村级名 村级名称 行政村 行政村名 行政村名称 村社区 村(社区) 村(居) 村居 村居名称 "
    "村社区名称 村里 村里名称 村里名 社区 社区名称 社区名 村委会 居委会 村(居)委会 所属村 所属社区 "
    "所属村居 所在村 所属行政村 villname villagename village vill_name cunmc cun_mc cun_name "
    "czcunmc "
    "sqcmc sqmc cwhmc cjdcqmc cjgzqymc djzqmc zldwmc comname comname_1 block_name 村级"
)
_TOWN = (
    "乡镇 乡镇名 乡镇名称 乡镇名_ 乡镇级 乡镇(街道) 乡镇街道 镇街 镇街名称 街道 街道名称 街道名 "
    "所属街道 "
    "所属乡镇 所属镇街 所在乡镇 所在街道 镇 镇名 镇名称 乡 乡名称 乡名 乡镇市区 区域 town townname "
    "town_name township township_name townshipname street streetname street_nam xzxzqmc xzjgzqymc "
    "sjgzqymc xzjmc xiang_name xiang_mc xzmc streetna_1 sub_dist subdist subdistrict sub_district "
    "upname taluka tehsil district"
)
_HOUSEHOLDS = (
    "户数 总户数 家庭户数 常住户数 实有户数 户籍户数 居住户数 入住户数 合计户数 户数(户) 户 "
    "grid_household grid_households households household householdcount household_count hh hhs "
    "no_of_households tot_hh total_hh totalhouseholds hh_cnt h_cnt hhcount num_hh dwelling_units "
    "dwellings dwelling housing_units units tot_hu hu_tot family families"
)
_PERSONS = (
    "人口 人口数 总人口 总人口数 人数 总人数 常住人口 常住人口数 实有人口 户籍人口 居住人口 "
    "家庭人口 "
    "家庭人口数 家庭人数 人口数量 合计人口 人口(人) grid_persons grid_population persons person "
    "people "
    "population pop pop_total totpop tot_pop total_pop totalpopulation population_total p_cnt "
    "num_people residents"
)
_LON = (
    "经度 经度坐标 东经 经度(wgs84) 经度x 中心经度 lon lng long longitude lon_wgs84 lng_wgs84 "
    "wgs84_lon "
    "wgs84_lng gcj02_lng gcj_lng gcjlng bd_lng bdlng gd_lng x坐标 坐标x x中心点 中心点x 横坐标 "
    "x_coord "
    "coord_x xcoord point_x pointx intptlon20 gpsx gps经度 jd x 东坐标 easting east e_coord"
)
_LAT = (
    "纬度 纬度坐标 北纬 纬度(wgs84) 纬度y 中心纬度 lat latitude lat_wgs84 wgs84_lat gcj02_lat "
    "gcj_lat "
    "gcjlat bd_lat bdlat gd_lat y坐标 坐标y y中心点 中心点y 纵坐标 y_coord coord_y ycoord point_y "
    "pointy "
    "intptlat20 gpsy gps纬度 wd y 北坐标 northing north n_coord"
)
_WKT = "wkt the_geom geom geometry wkt_geom geomwkt shape 几何 空间数据 边界 边界坐标 grid_range"
_LONLAT = "坐标 经纬度 坐标(经纬度) 位置坐标 lnglat lonlat coordinates coordinate location_lonlat"
_GENERIC_CODE = "编码 代码 编号 code gbcode code_ id_code"
_GENERIC_NAME = "名称 name fullname title label dispname"
_PLACE = {"lon": _LON, "lat": _LAT, "lonlat": _LONLAT, "wkt": _WKT}
_VILLAGE_REF = {"village_code": _VILLAGE_CODE, "village_name": _VILLAGE_NAME}
_COUNTS = {"households": _HOUSEHOLDS, "persons": _PERSONS}
_ROAD_NAME = (
    "道路名称 道路名 路名 街路巷名称 街巷名称 路线名称 街道名称 street_name st_name streetname "
    "roadname "
    "road_name"
)
_STATION = (
    "派出所 属地派出所 所属派出所 辖区派出所 管辖派出所 派出所名称 sspcs pcs station stationname "
    "station_name policestation precinct district dist_num division"
)

_TABLES: dict[Role, dict[str, str]] = {
    "villages": {
        "code": _VILLAGE_CODE
        + " villagecode area_code csdi_admin area_id geoid geoid10 geoid20 gbcode code cun pac "
        "cacode "
        "n_hood neighborhood_id cen_2001 cen_2011 area_num_1 area_numbe zona 编码 代码 编号 "
        "block_co_1 "
        "xjdm xjdm1 pcode bsm id",
        "name": _VILLAGE_NAME
        + " xzqmc xzqm xzqhmc 名称 name 居委会名称 areaname area_name cun name20 namelsad "
        "neighborhood "
        "neighbourhood nbhd community 741村1 name_tc name_sc name_en xjmc xjmc1 cname ename sname "
        "pname fullname dispname title label",
        "township_name": _TOWN,
        "class_code": "城乡分类代码 城乡分类 城乡分类码 城乡类型 城乡属性 城乡划分 cxfldm cxfl "
        "cxfl_dm class_code "
        "classcode urban_rural urbanrural ur_code rural_urban village_class class",
        **_COUNTS,
        **_PLACE,
    },
    "households": {
        "household_id": "户编号 户号 户id 户主编号 户代码 房屋编号 房屋编码 门牌号 household_id "
        "householdid hh_id hid "
        "point_id address_id codebase geoid20 geoid unq_id ml 编号 序号 id fid oid objectid",
        **_COUNTS,
        **_VILLAGE_REF,
        "group": "村民小组 村小组 小组 组 组别 组名 村组 居民小组 自然村 自然村名 自然村名称 "
        "自然屯 屯 屯名 生产队 "
        "villagegroup village_group groupname group natural_village hamlet 邻",
        "compound": "小区 小区名称 小区名 所属小区 所在小区 住宅小区 楼盘 楼盘名称 院落 compound "
        "compoundname "
        "compound_name estate estate_name residential_compound",
        **_PLACE,
    },
    "roads": {
        "name": f"{_ROAD_NAME} {_GENERIC_NAME} street",
        "road_class": "道路等级 公路等级 道路类别 道路类型 技术等级 路线等级 等级 行政等级 "
        "road_class roadclass highway "
        "fclass road_type roadtype class functional_class majorroad roadways rclass mtfcc 类型 "
        "类别 type",
        "wkt": _WKT,
    },
    "water": {
        "name": f"河流名称 水系名称 河名 水体名称 湖泊名称 {_GENERIC_NAME}",
        "wkt": _WKT,
    },
    "railways": {"name": f"铁路名称 线路名称 线名 {_GENERIC_NAME}", "wkt": _WKT},
    "compounds": {
        "name": "小区名称 小区名 小区 住宅小区 楼盘名称 楼盘 院落名称 compound_name compound "
        "estate_name "
        f"estate {_GENERIC_NAME}",
        **_VILLAGE_REF,
        **_COUNTS,
        **_PLACE,
    },
    "groups": {
        "name": "村民小组 村小组 小组名称 小组 组名 组别 组 自然村 自然村名 自然村名称 自然屯 屯名 "
        "屯 village_group "
        f"group_name groupname group natural_village hamlet {_GENERIC_NAME}",
        **_VILLAGE_REF,
        **_COUNTS,
        **_PLACE,
    },
    "dedicated": {
        "name": f"单位名称 专属网格名称 网格名称 微网格名称 单位 场所名称 机构名称 {_GENERIC_NAME}",
        "category": "类别 类型 单位类型 单位类别 场所类型 行业 行业类别 专属网格类型 category kind "
        "type use fclass",
        "code": f"专属网格编码 网格编码 网格编号 微网格编码 {_GENERIC_CODE} id",
        **_VILLAGE_REF,
        **_COUNTS,
        **_PLACE,
    },
    "stations": {
        "name": f"派出所 派出所名称 站名 站点名称 单位名称 机构名称 station station_name site_name "
        f"{_GENERIC_NAME}",
        "category": "类别 类型 category kind type",
        "code": f"派出所代码 派出所编码 机构代码 机构编码 单位代码 station_code {_GENERIC_CODE} id",
        **_PLACE,
    },
    "services": {
        "name": f"单位名称 机构名称 场所名称 设施名称 调解室 站点名称 site_name {_GENERIC_NAME}",
        "category": "类别 类型 设施类别 设施类型 服务类型 机构类型 category kind service type "
        "amenity",
        "code": f"机构代码 机构编码 设施编码 {_GENERIC_CODE} id",
        **_PLACE,
    },
    "beats": {
        "code": "警格编码 警格代码 警格编号 警务区编码 警务区代码 警务区编号 责任区编码 责任区代码 "
        "责任区编号 "
        f"jwzrqdm jwzrqbm beat_code beat_num beatnum beat cadra car_rte walk_rte sector "
        f"{_GENERIC_CODE} "
        "警格 警务区 nbhd id",
        "name": "警格名称 警格 警务区名称 警务区 警务责任区 责任区名称 责任区 jwzrq jwzrqmc "
        "beat_name beatname "
        f"{_GENERIC_NAME} n_hood",
        "station": _STATION,
        **_COUNTS,
        "wkt": _WKT,
    },
    "officers": {
        "beat": "警格编码 警格代码 警格编号 警格 警格名称 警务区 警务区编码 责任区 警务责任区 "
        "beat_code beat beat_name",
        "station": _STATION,
        "post": "岗位编码 岗位代码 岗位编号 岗位 岗号 post_code postcode post position",
        "kind": "岗位类型 岗位类别 警力类型 类别 类型 kind type category",
        "officers": "警力 民警数 警力数 民警人数 社区民警数 人数 辅警数 officers officer_count "
        "staff headcount",
        **_PLACE,
    },
    "incidents": {
        "incident_id": "事件编号 警情编号 接警单编号 工单编号 案件编号 事项编号 编号 incident_id "
        "incidentid case_number "
        "crash_number crime_id event_id casenumber case_mber id 序号",
        "time": "发生时间 发案时间 发生时间起 发案时间起 案发时间起 发生时间下限 "
        "报警时间 接警时间 上报时间 受理时间 事发时间 登记时间 诉求时间 "
        "事件时间 案发时间 发生日期 日期 时间 datetime date_time occurred occurred_at "
        "incident_datetime "
        "timestamp date month reported_at time "
        "来电时间 反映时间 告警时间 触发时间 alarm_time "
        "event_time",
        "date": "发生日期 事发日期 案发日期 报警日期 incident_date",
        "clock": "发生时间 事发时间 案发时间 报警时间 incident_time",
        "category": "警情类别 事件类别 警情类型 事件类型 案件类别 案件类型 纠纷类型 纠纷类别 大类 "
        "事项类别 诉求类型 "
        "问题类别 问题类型 问题分类 问题大类 诉求类别 诉求分类 诉求大类 一级类别 一级分类 工单类型 "
        "工单类别 事项类型 事件大类 案件大类 警情大类 隐患类型 告警类型 报警类型 报警类别 "
        "alarm_type event_type "
        "事故类别名称 事故类别 类别 类型 category crime_type primary_type incident_type type iucr",
        "subtype": "小类 细类 子类 警情小类 事件小类 问题小类 诉求小类 案件小类 二级类别 二级分类 "
        "事故类型及型态大类别名称 subtype "
        "subcategory "
        "description descr_tion object_2",
        "source": "来源 事件来源 警情来源 信息来源 上报来源 报警方式 受理渠道 渠道 source channel "
        "origin",
        "status": "状态 办理状态 处理状态 事件状态 办结状态 案件状态 工单状态 处置状态 调解结果 "
        "处理结果 处置结果 status outcome "
        "last_outcome_category",
        "closed_time": "办结时间 结案时间 完成时间 处结时间 结束时间 closed closed_at closed_time "
        "resolved_at",
        # 上报时间, 报警时间 ... mean this only beside a time of occurrence: see _PATTERNS
        "reported_time": "报告时间 接报时间 reported_time time_reported",
        "due_time": "办理时限 截止时间 处置时限 应办结时间 到期时间 due due_at due_time deadline",
        "time_to": "发生时间止 发案时间止 案发时间止 发生时间上限 occurred_to time_to to_datetime "
        "end_datetime",
        "department": "处置部门 承办部门 责任部门 办理部门 主办单位 承办单位 处置单位 责任单位 "
        "部门 "
        "department handling_department responsible_department agency",
        "minutes": "处置时长 处警时长 用时 耗时 分钟 用时(分钟) 处置用时 minutes service_minutes "
        "duration_min totminutes service_time",
        "village_code": _VILLAGE_CODE,
        "village_name": _VILLAGE_NAME,
        "beat": "警格编码 警格 警务区 责任区 beat beat_code",
        **_PLACE,
    },
}

_PATTERNS: dict[Role, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "villages": (
        ("code", re.compile(r"(wd|lsoa|msoa|oa|lad|par|ward)\d\dcd")),
        ("name", re.compile(r"(wd|lsoa|msoa|oa|lad|par|ward)\d\dnm")),
        ("persons", re.compile(r"(人口|人数|常住人口|pop|population)(19|20)\d\d|(19|20)\d\dpop")),
        ("households", re.compile(r"(户数|households|hh)(19|20)\d\d")),
    ),
    "incidents": (
        (
            "reported_time",
            re.compile(r"(上报|报警|接警|受理|登记|诉求|报案|立案)时间|reported(at)?|reportdate"),
        ),
    ),
    "households": (
        ("household_id", re.compile(r"(lsoa|oa)\d\dcd")),
        ("village_code", re.compile(r"(lad|wd)\d\dcd")),
    ),
}

_PUNCTUATION = re.compile(r"[\s_\-·.,:;/\\'\"()\[\]{}<>|#*]+")


def normal_name(name: str) -> str:
    """A column name without case, width, script, spaces and punctuation."""
    half_width = unicodedata.normalize("NFKC", name).casefold()
    return _PUNCTUATION.sub("", half_width).translate(_SIMPLIFIED)


def _ranks(words: str) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for rank, word in enumerate(words.split()):
        ranks.setdefault(normal_name(word), rank)
    return ranks


#: role → canonical column → normalised name → rank (0 is surest)
MEANINGS: Mapping[Role, Mapping[str, Mapping[str, int]]] = {
    role: {canonical: _ranks(words) for canonical, words in table.items()}
    for role, table in _TABLES.items()
}


@dataclass(frozen=True)
class ColumnFound:
    """What one column of a file was taken for, and why.

    ``canonical`` is None for a column that is not kept: ``why`` is then "unused" (no meaning for
    this role) or "personal" (dropped by law). Otherwise "given" (by the user), "name" (known
    name) or "content" (told from the values).
    """

    source: str
    canonical: str | None
    why: Literal["given", "name", "content", "unused", "personal"]


def meanings_of(name: str, role: Role) -> dict[str, int]:
    """Every canonical column of ``role`` that a name may stand for, with its rank (0 is surest)."""
    normal = normal_name(name)
    found = {c: ranks[normal] for c, ranks in MEANINGS[role].items() if normal in ranks}
    for canonical, pattern in _PATTERNS.get(role, ()):
        if canonical not in found and pattern.fullmatch(normal):
            found[canonical] = 50
    return found


def recognise(
    names: Sequence[str],
    role: Role,
    *,
    given: Mapping[str, str] | None = None,
    telling: Mapping[str, float] | None = None,
    personal: Iterable[str] = (),
) -> list[ColumnFound]:
    """What each column of a file is taken for; one entry per column, in the file's order.

    ``given`` maps canonical names to the file's names and wins over everything except the law:
    a name in ``personal`` is never kept. ``telling`` holds, for columns whose values were looked
    at, the share of distinct values (0..1): a constant column gives way to one that tells rows
    apart. Each canonical column is filled once. Raises KeyError with the missing name when
    ``given`` names a column the file does not have.
    """
    barred = set(personal)
    chosen: dict[str, tuple[str, Literal["given", "name"]]] = {}
    taken: set[str] = set(barred)
    for canonical, name in (given or {}).items():
        if name not in names:
            raise KeyError(name)
        if name not in barred:
            chosen[canonical] = (name, "given")
            taken.add(name)
    ranked = []
    for position, name in enumerate(names):
        flat = (telling or {}).get(name, 1.0) <= 0.0
        for canonical, rank in ({} if name in taken else meanings_of(name, role)).items():
            ranked.append((flat, rank, position, canonical, name))
    for _, _, _, canonical, name in sorted(ranked):
        if canonical not in chosen and name not in taken:
            chosen[canonical] = (name, "name")
            taken.add(name)
    if role == "incidents":
        _lone_clock(chosen)
    by_name = {name: (canonical, why) for canonical, (name, why) in chosen.items()}
    return [
        ColumnFound(name, *by_name[name])
        if name in by_name
        else ColumnFound(name, None, "personal" if name in barred else "unused")
        for name in names
    ]


def _lone_clock(chosen: dict[str, tuple[str, Literal["given", "name"]]]) -> None:
    """A clock without a date is a whole time: 发生时间 beside 上报时间 is when it happened."""
    earlier = chosen.get("time")
    settled = earlier is not None and earlier[1] == "given"
    if "clock" not in chosen or "date" in chosen or settled:
        return
    clock = chosen.pop("clock")
    told = {name: "reported_time" in meanings_of(name, "incidents")
            for name, _ in filter(None, (earlier, clock))}  # fmt: skip
    if earlier and told[clock[0]] and not told[earlier[0]]:  # 报警时间 beside 发生时间起
        chosen.setdefault("reported_time", clock)
        return
    chosen["time"] = clock
    reported = earlier and told[earlier[0]]
    if earlier and reported and "reported_time" not in chosen:
        chosen["reported_time"] = earlier
