"""What a plan's provenance is called on paper: its keys and values in the reader's language.

The file keeps the keys as they are (``setting.target``), for programs; the register's last sheet is
read by people. A key that this version does not know is printed as it is.
"""

from __future__ import annotations

import pandas as pd

from planning.export import Language, in_language, plain

Pair = tuple[str, str]

_KEYS: dict[str, Pair] = {
    "program": ("程序", "Program"),
    "python": ("Python 版本", "Python"),
    "crs": ("坐标系", "Coordinate system"),
    "coordinates": ("坐标", "Coordinates"),
    "version": ("版本", "Version"),
    "seed": ("随机种子", "Seed"),
    "households.datum": ("户点坐标基准", "Datum of the households"),
    "setting.target": ("目标户数(每格)", "Households wanted in a grid"),
    "setting.min_households": ("户数下限", "Least households"),
    "setting.max_households": ("户数上限", "Most households"),
    "setting.max_persons": ("人口上限", "Most persons"),
    "setting.micro": ("微网格户数", "Households in a micro-grid"),
    "setting.seed": ("随机种子", "Seed"),
    "setting.tolerance_m": ("村界外容差(米)", "Tolerance outside villages (m)"),
    "setting.balance": ("权重:户数均衡", "Weight: even counts"),
    "setting.shape": ("权重:形状紧凑", "Weight: compact outlines"),
    "setting.walk": ("权重:步行距离", "Weight: short walks"),
    "setting.lines": ("权重:沿路沿河", "Weight: borders along lines"),
    "argument.strict": ("有例外即报错", "Exceptions are errors"),
    "argument.band": ("允许偏离村均", "Band around the even count"),
    "count.rows_in": ("户点行数", "Rows of households"),
    "count.rows_placed": ("已落图行数", "Rows placed"),
    "count.rows_unplaced": ("未落图行数", "Rows not placed"),
    "count.households_placed": ("已落图户数", "Households placed"),
    "count.households_unplaced": ("未落图户数", "Households not placed"),
    "count.villages": ("村(社区)数", "Villages"),
    "count.grids": ("网格数", "Grids"),
    "count.units": ("最小单元数", "Smallest units"),
    "whole.compound.sets": ("有住户的小区", "Compounds with households"),
    "whole.compound.kept": ("其中未被分割", "Of these, not cut"),
    "whole.group.sets": ("有住户的自然村、村民小组", "Village groups with households"),
    "whole.group.kept": ("其中未被分割", "Of these, not cut"),
    "whole.settlement.found": ("识别出的聚落", "Settlements found"),
    "whole.settlement.kept": ("其中未被分割", "Of these, not cut"),
    "result.within_5_percent_of_ideal": ("与村均相差 5% 以内的网格",
                                         "Grids within 5 % of their village's ideal"),
    "result.within_10_percent_of_ideal": ("与村均相差 10% 以内的网格",
                                          "Grids within 10 % of their village's ideal"),
    "result.worst_from_ideal": ("与村均最大偏差", "Farthest from the village's ideal"),
    "result.mean_polsby_popper": ("平均紧凑度", "Mean compactness (Polsby-Popper)"),
    "result.inner_border_on_line": ("内部界线沿道路、河流、铁路",
                                    "Inner borders along roads, rivers, railways"),
    "from.file": ("沿用的网格文件", "Today's grids: file"),
    "from.sha256": ("沿用的网格文件 SHA-256", "Today's grids: SHA-256"),
    "from.households_moved": ("换格户数", "Households that changed grids"),
    "from.lower_bound": ("换格户数下限", "Fewest that must change"),
    "from.moved_per_bound": ("换格户数与下限之比", "Changed for each that must"),
    "from.grids_unchanged": ("未变网格数", "Grids unchanged"),
    "from.grids_changed": ("有变网格数", "Grids changed"),
    "from.grids_new": ("新设网格数", "Grids new"),
    "from.grids_gone": ("撤销网格数", "Grids gone"),
    "from.grids_not_mended": ("未能调整到位的网格数", "Grids not mended"),
    "from.households_not_kept": ("未能沿用范围的户数", "Households on ground not kept"),
    "from.area_not_kept_m2": ("未能沿用的面积(平方米)", "Ground not kept (m²)"),
    "from.not_kept": ("未能沿用的网格", "Grid not kept"),
    "from.changed": ("有变的网格", "Changed grid"),
    "from.new": ("新设的网格", "New grid"),
    "from.gone": ("撤销的网格", "Grid gone"),
    "from.not_mended": ("未能调整到位的网格", "Grid not mended"),
    "code.retired": ("停用编码(不再使用)", "Retired code, given to no other grid"),
    "code.scheme.grid": ("网格编码模板", "Template of grid codes"),
    "code.scheme.micro": ("微网格编码模板", "Template of micro-grid codes"),
    "scenario.name": ("方案名称", "Scenario"),
    "scenario.steps": ("调整步数", "Steps in force"),
    "scenario.entries": ("操作记录数", "Entries of the log"),
}  # fmt: skip
_ROLES: dict[str, Pair] = {
    "villages": ("村(社区)", "villages"),
    "households": ("户点", "households"),
    "roads": ("道路", "roads"),
    "water": ("水系", "water"),
    "railways": ("铁路", "railways"),
    "compounds": ("小区", "compounds"),
    "groups": ("自然村、村民小组", "village groups"),
    "dedicated": ("专属网格", "dedicated places"),
}
_INPUTS: dict[str, Pair] = {
    "file": ("文件", "file"),
    "size": ("字节数", "bytes"),
    "sha256": ("SHA-256", "SHA-256"),
    "rows": ("行数", "rows"),
    "crs": ("坐标系", "coordinate system"),
    "dropped": ("未保存的列(值数)", "left out (values)"),
}
_NUMBERED: dict[str, Pair] = {
    "library": ("程序库 {}", "Library {}"),
    "note": ("读取说明 {}", "Note {}"),
    "grids_of": ("村 {} 的网格数", "Grids of village {}"),
}
_VALUES: dict[str, Pair] = {
    "True": ("是", "yes"),
    "False": ("否", "no"),
    "wgs84": ("WGS 84", "WGS 84"),
    "gcj02": ("GCJ-02(国测局加偏)", "GCJ-02"),
    "bd09": ("BD-09(百度)", "BD-09"),
}
_NONE = ("无", "none")


def key_in(key: str, language: Language) -> str:
    """What a key is called; a key this version does not know as it is."""
    index = 0 if language == "zh" else 1
    if key in _KEYS:
        return _KEYS[key][index]
    first, _, rest = key.partition(".")
    if first in _NUMBERED and rest:
        return _NUMBERED[first][index].format(rest)
    role, _, what = rest.partition(".")
    if first == "input" and role in _ROLES and what in _INPUTS:
        told, of = _ROLES[role][index], _INPUTS[what][index]
        return f"输入 {told}:{of}" if index == 0 else f"Input {told}: {of}"
    return key


def value_in(key: str, value: object, language: Language) -> object:
    """A value as it is printed: shares as per cent, a limit that is not set as none."""
    index = 0 if language == "zh" else 1
    clean = plain(value)
    if key.startswith("setting.") and clean in (None, ""):
        return _NONE[index]
    if not isinstance(clean, str):
        return clean
    if key.startswith(("argument.", "households.")) and clean in _VALUES:
        return _VALUES[clean][index]
    if key.startswith("result.") and key != "result.mean_polsby_popper":
        try:
            return f"{float(clean):.1%}"
        except ValueError:
            return clean
    return in_language(clean, language)


def provenance_in(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The provenance with keys and values in the reader's language, in the same order."""
    rows = [
        (key_in(str(key), language), value_in(str(key), value, language))
        for key, value in zip(table["key"], table["value"], strict=True)
        if not str(key).startswith("notice.")  # printed on every page already
    ]
    return pd.DataFrame(rows, columns=["key", "value"])
