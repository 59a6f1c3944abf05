"""Invented names: places, roads, waters and compounds; never a person.

Every name is drawn from characters common on maps of the lower Yangtze plain. A surname in
front of 庄 or 舍 is a place, as on any such map. Nothing is copied from a gazetteer.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

COUNTY = "清禾县"
COUNTY_CODE = "329901"  # prefecture 3299 does not exist in GB/T 2260, so no real place is meant
RIVER = "澜河"

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余"
    "苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙"
    "段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚"
)
_PLACE_ENDS = ("庄", "家庄", "家舍", "舍", "家垛", "家桥", "家巷", "家圩", "家荡", "家墩")
_SIDES = ("", "", "", "", "东", "西", "南", "北", "前", "后", "大", "小", "新", "老")
_GOOD = "兴安和丰永建光明富民德仁义文华盛泰康宁祥瑞春阳景秀清平顺达昌荣庆福禄寿喜嘉裕润泽"
_GOOD_2 = "兴安和丰民业光华盛泰康宁祥阳胜利平顺达昌荣庆福源泉林园新乐信义德仁成功隆茂"
_LAND = ("桥", "港", "渡", "墩", "荡", "沟", "圩", "堰", "塘", "湾", "垛", "店", "集", "台")
_LAND_FRONT = [
    "三里",
    "五里",
    "七里",
    "十里",
    "双",
    "石",
    "板",
    "红",
    "白",
    "青",
    "高",
    "柳",
    "杨",
    "桃",
    "杏",
    "槐",
    "桑",
    "竹",
    "荷",
    "菱",
    "芦",
    "鹤",
    "雁",
    "渔",
    "网",
    "仓",
    "塔",
    "庙",
    "官",
    "马",
    "牛",
    "羊",
    "龙",
    "凤",
    "金",
    "银",
    "铜",
    "砖",
    "瓦",
    "窑",
    "盐",
    "米",
    "油",
    "横",
    "竖",
    "斜",
    "弯",
    "平",
    "阔",
    "深",
    "浅",
    "陆",
    "团",
    "方",
    "花",
    "草",
    "大",
    "小",
]
_TOWNS = [
    "临泽",
    "望舒",
    "青浦桥",
    "白鹭",
    "安澜",
    "丰圩",
    "石港",
    "双沟",
    "芦荡",
    "云溪",
    "金垛",
    "鹤湾",
    "柳堰",
    "永丰",
    "长渡",
    "沙沟",
    "樊川口",
    "义阡",
    "菱塘",
    "平桥",
    "横塘",
    "庆丰",
    "新集",
    "三垛",
    "官渡",
    "高墩",
]
_SUBDISTRICTS = ("城中", "城东", "城南", "城西", "城北", "开发区", "新城", "滨河")
_ARTERIALS = [
    "人民",
    "解放",
    "建设",
    "文昌",
    "中山",
    "青年",
    "迎宾",
    "学府",
    "新华",
    "振兴",
    "和平",
    "长江",
    "淮海",
    "太湖",
    "黄山",
    "泰山",
    "珠江",
    "友谊",
    "府前",
    "体育",
    "工业",
    "科技",
    "环城",
    "泽园",
    "澜滨",
    "朝阳",
    "文汇",
    "健康",
    "通港",
    "东进",
    "北海",
    "望江",
    "滨河",
    "育才",
    "兴业",
    "开元",
    "盛世",
    "凤凰",
    "银杏",
    "香樟",
    "海棠",
    "梧桐",
    "紫薇",
    "玉兰",
]
_COMPOUND_FRONT = [
    "阳光",
    "金色",
    "锦绣",
    "翠竹",
    "碧水",
    "滨河",
    "书香",
    "水岸",
    "东方",
    "盛世",
    "御景",
    "香樟",
    "紫薇",
    "玉兰",
    "海棠",
    "梧桐",
    "丽景",
    "万和",
    "嘉禾",
    "华庭",
    "天和",
    "雅居",
    "春江",
    "澜湾",
    "秀水",
    "都市",
    "中央",
    "学府",
    "清水",
    "凤凰",
    "银杏",
    "江南",
    "和润",
    "星河",
    "城市",
    "国泰",
]
_COMPOUND_END = ("花园", "苑", "名都", "家园", "新城", "华府", "公馆", "雅苑", "小区", "嘉园", "湾")
_OLD_COMPOUND_END = ("新村", "小区", "公寓", "一村", "二村", "北苑", "南苑", "里")
_DIGITS = "零一二三四五六七八九"


def numeral(value: int) -> str:
    """The Chinese numeral of 1..99, as used in 第三警务区 and 五组."""
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else _DIGITS[tens] + "十")
    return head + (_DIGITS[ones] if ones or not tens else "")


def _mixed(names: list[str], rng: np.random.Generator) -> list[str]:
    unique = list(dict.fromkeys(names))
    return [unique[i] for i in rng.permutation(len(unique))]


def _endless(names: list[str]) -> Iterator[str]:
    """The names in order, then again with 二, 三 ... so that none comes twice."""
    yield from names
    for round_number in range(2, 100):
        for name in names:
            yield name[:-1] + numeral(round_number) + name[-1]


class Names:
    """One county's supply of names: each iterator gives a name once."""

    def __init__(self, rng: np.random.Generator) -> None:
        pairs = [a + b for a in _GOOD for b in _GOOD_2 if a != b]
        landmarks = [a + b for a in _LAND_FRONT for b in _LAND]
        homes = [s + n + e for s in _SIDES[3:] for n in _SURNAMES for e in _PLACE_ENDS]
        self.subdistricts = iter([n + "街道" for n in _SUBDISTRICTS])
        self.towns = _endless(_mixed(list(_TOWNS), rng))
        self.communities = _endless([n + "社区" for n in _mixed(pairs, rng)])
        mixture = _mixed(landmarks, rng)[:200] + _mixed(homes, rng)[:260] + _mixed(pairs, rng)[:120]
        self.villages = _endless([n + "村" for n in _mixed(mixture, rng)])
        self.homes = _endless(_mixed(homes, rng))
        self.arterials = _endless([n + "路" for n in _mixed(list(_ARTERIALS), rng)])
        ends = ("街", "路", "巷")
        streets = [
            a + b + ends[(i + j) % 3]
            for i, a in enumerate(_GOOD_2)
            for j, b in enumerate(_GOOD)
            if a != b
        ]
        self.streets = _endless(_mixed(streets, rng))
        lanes = [n + "路" for n in pairs + landmarks]
        lanes += [s + n + e + "路" for s in _SIDES[3:9] for n in _SURNAMES for e in _PLACE_ENDS[:4]]
        self.lanes = _endless(_mixed(lanes, rng))
        self.canals = _endless([n + "河" for n in _mixed(pairs + landmarks, rng)])
        ditches = [n + e for n in pairs + landmarks for e in ("沟", "渠", "中沟")]
        self.ditches = _endless(_mixed(ditches, rng))
        self.compounds = _endless(
            _mixed([a + b for a in _COMPOUND_FRONT for b in _COMPOUND_END if a[-1] != b[0]], rng)
        )
        self.old_compounds = _endless(
            _mixed([a + b for a in pairs[::3] for b in _OLD_COMPOUND_END], rng)
        )
