"""What a layer is for: a first guess from its name, a second from its columns and shapes.

A guess only: whoever brings the file sees it and can say otherwise. Names are looked through in
the order of :data:`_TOKENS`, so that 村民户点 is about households and 警务区界 about beats.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from geo.columns import Role, meanings_of

_TOKENS: tuple[tuple[Role, tuple[str, ...]], ...] = (
    ("railways", ("railway", "railroad", "rail", "铁路", "轨道")),
    ("dedicated", ("dedicated", "专属", "专用")),
    ("incidents", ("incident", "crime", "crash", "accident", "carjack", "警情", "案件", "事件",
                   "事故", "诉求", "工单")),
    ("beats", ("beat", "警格", "警务区", "责任区")),
    ("officers", ("officer", "警力", "民警")),
    ("stations", ("police_station", "station", "派出所")),
    ("beats", ("police", "patrol")),  # sectors, routes and districts of theirs
    ("services", ("service", "调解", "服务站", "服务点")),
    ("compounds", ("compound", "estate", "小区", "住宅区")),
    ("groups", ("group", "hamlet", "村民小组", "自然村", "小组")),
    ("households", ("household", "dwelling", "address", "dengji", "户点", "住户", "户", "门牌",
                    "网格户")),
    ("roads", ("road", "street", "highway", "道路", "路网", "街", "公路")),
    ("water", ("water", "river", "hydro", "水系", "河", "湖", "水域")),
    ("villages", ("village", "boundar", "neighborhood", "neighbourhood", "block", "community",
                  "村界", "社区", "行政村", "村", "界线", "cun")),
)  # fmt: skip

Dimension = Literal[0, 1, 2]


def likely_role(name: str) -> Role | None:
    """The role that a file's or layer's name suggests."""
    text = unicodedata.normalize("NFKC", name).casefold()
    for role, tokens in _TOKENS:
        if any(token in text for token in tokens):
            return role
    return None


def role_of_columns(names: Sequence[str], dimension: Dimension) -> Role:
    """The role that a layer's columns and shapes (0 points, 1 lines, 2 areas) suggest.

    Looks only for names that tell one role from another; "name" and "code" do not. Points about
    which nothing is told are households, areas villages, lines roads.
    """

    def known(role: Role, canonical: str, surest: int) -> bool:
        return any(meanings_of(name, role).get(canonical, surest) < surest for name in names)

    if dimension == 1:
        if known("roads", "road_class", 8) or known("roads", "name", 8):
            return "roads"
        return "water" if known("water", "name", 5) else "roads"
    if dimension == 0:
        if known("incidents", "time", 30) or known("incidents", "date", 9):
            return "incidents"
        if known("officers", "officers", 99):
            return "officers"
        if known("stations", "name", 2):
            return "stations"
        return "households"
    if known("beats", "code", 17) or known("beats", "name", 9):
        return "beats"
    if known("groups", "name", 14):
        return "groups"
    if known("compounds", "name", 11):
        return "compounds"
    counted = known("households", "households", 99) or known("households", "persons", 99)
    named = known("villages", "name", 46) or known("villages", "township_name", 99)
    return "households" if counted and not named else "villages"
