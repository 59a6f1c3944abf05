"""The words of sources and states: reported or found on patrol, and the steps of the loop.

Told from the files' own words, longest first; a word that is not known stays "unknown".
"""

from __future__ import annotations

from collections.abc import Mapping

from incidents.categories import plain

SOURCES = ("unknown", "reported", "discovered")
#: the six steps (采集上报、核实立案、指挥派遣、处理反馈、核查结案、考核评价), after "unknown"
STATES = ("unknown", "report", "verify", "dispatch", "handle", "close", "assess")

SOURCE_NAMES: Mapping[str, tuple[str, str]] = {
    "unknown": ("来源不明", "Source not told"),
    "reported": ("群众报告", "Reported by people"),
    "discovered": ("巡查发现", "Found on patrol"),
}
STATE_NAMES: Mapping[str, tuple[str, str]] = {
    "unknown": ("状态不明", "State not told"),
    "report": ("采集上报", "Reported"),
    "verify": ("核实立案", "Verified"),
    "dispatch": ("指挥派遣", "Dispatched"),
    "handle": ("处理反馈", "In hand"),
    "close": ("核查结案", "Closed"),
    "assess": ("考核评价", "Assessed"),
}

_SOURCE_WORDS = {
    "discovered": "巡查 巡逻 巡检 主动发现 主动 网格 采集 检查 排查 监控 视频 探头 传感 感知 "
    "物联 预警 "
    "抓拍 自动 patrol discovered sensor camera proactive inspection officer-initiated "
    "self-initiated",
    "reported": "12345 12319 110 热线 报警 接警 群众 居民 来电 来访 来信 信访 求助 投诉 举报 上门 "
    "微信 网络 随手拍 call hotline citizen public complaint reported 911 999 phone web walk-in",
}
# fewer than the sources' words: a file of all sources may well have 网格 in its name
_FOUND_FILES = (
    "巡查", "巡逻", "巡检", "监控", "探头", "传感", "感知", "物联", "patrol", "sensor", "camera",
)  # fmt: skip
_STATE_WORDS = {
    "assess": "考核 评价 回访 评估 归档 assessed evaluated archived",
    "close": "已办结 办结 结案 已结 完成 已解决 化解 终结 closed complete completed resolved done "
    "no suspect identified "
    "unable caution sentence prison fined penalty resolution court not guilty public interest "
    "discharge warning",
    "handle": "处置中 处理中 办理中 处置 处理 办理 待反馈 反馈 in progress handling under "
    "investigation "
    "awaiting action",
    "dispatch": "派遣 派单 已派 交办 分派 转办 流转 签收 dispatched assigned",
    "verify": "核实 立案 受理 待派 审核 verified accepted opened",
    "report": "上报 登记 新增 待受理 待核实 未受理 reported new registered received",
}
_PHRASES = (
    "no suspect identified", "not guilty", "public interest", "in progress",
    "under investigation", "officer-initiated", "self-initiated",
)  # fmt: skip


def _table(words: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for meaning, text in words.items():
        for phrase in _PHRASES:
            if phrase in text:
                found[phrase] = meaning
                text = text.replace(phrase, " ")
        found |= dict.fromkeys(text.split(), meaning)
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


_SOURCE_OF, _STATE_OF = _table(_SOURCE_WORDS), _table(_STATE_WORDS)
# words that turn a state's meaning round
_NOT_YET = (
    "未办结", "未结", "未完成", "待办结", "未处理", "not closed", "unresolved", "incomplete",
)  # fmt: skip


def source_of(text: str) -> int:
    """Index into :data:`SOURCES` of a source as a file words it."""
    words = plain(text)
    hit = next((meaning for word, meaning in _SOURCE_OF.items() if word in words), "unknown")
    return SOURCES.index(hit)


def found_by_name(file: str) -> bool:
    """Does a file's name say that what it holds was found on patrol or by devices? Asked where no
    column tells the source."""
    words = plain(file)
    return any(word in words for word in _FOUND_FILES)


def state_of(text: str) -> int:
    """Index into :data:`STATES` of a state as a file words it."""
    words = plain(text)
    if any(word in words for word in _NOT_YET):
        return STATES.index("handle")
    hit = next((meaning for word, meaning in _STATE_OF.items() if word in words), "unknown")
    return STATES.index(hit)
