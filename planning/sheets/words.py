"""Every word that is printed on a map sheet, in Chinese and English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "households": ("户数", "Households"),
    "persons": ("人口", "Persons"),
    "area": ("面积", "Area"),
    "code": ("编码", "Code"),
    "village": ("村(社区)", "Village"),
    "township": ("乡镇(街道)", "Township"),
    "kind": ("类别", "Kind"),
    "comprehensive": ("综合网格", "comprehensive"),
    "dedicated": ("专属网格", "dedicated"),
    "grids": ("网格", "Grids"),
    "micro": ("微网格", "Micro-grids"),
    "bounds": ("四至", "Bounds"),
    "exceptions": ("例外", "Exceptions"),
    "legend": ("图例", "Legend"),
    "subject": ("本图范围", "this sheet"),
    "around": ("相邻", "neighbours"),
    "roads": ("道路", "roads"),
    "water": ("水系", "waters"),
    "railways": ("铁路", "railways"),
    "beat_line": ("警格界", "beats"),
    "scale": ("比例尺 1:{n}", "Scale 1:{n}"),
    "north": ("北", "N"),
    "date": ("日期", "Date"),
    "version": ("版本", "Version"),
    "unit": ("编制单位", "By"),
    "station": ("派出所", "Station"),
    "work": ("工作量", "Work"),
    "villages": ("村(社区)数", "Villages"),
    "more": ("另有 {n} 项", "{n} more"),
    "grid_line": ("网格界", "grid border"),
    "grid_thin": ("网格界", "grid border"),
    "village_thin": ("村(社区)界", "village border"),
    "town_line": ("乡镇(街道)界", "township border"),
    "village_line": ("村(社区)界", "village border"),
    "of_grids": ("网格", "Grids"),
    "of_villages": ("村数", "Villages"),
    "townships": ("乡镇(街道)", "Townships"),
    "listed_villages": ("村(社区)", "Villages"),
    "east": ("东至", "East"),
    "south": ("南至", "South"),
    "west": ("西至", "West"),
    "north_side": ("北至", "North"),
    "beat_of": ("警格 {name}", "Beat {name}"),
    "leader_of": ("{name}联系网格", "Grids followed by {name}"),
    "overview_of": ("{name}网格总图", "{name}: overview of grids"),
    "overview": ("网格总图", "Overview of grids"),
}


def say(name: str, language: str, /, **values: object) -> str:
    """A word of the sheets."""
    return WORDS[name][0 if language == "zh" else 1].format(**values)
