"""What ``gridwright inspect`` says about a layer, line by line, in one language."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS

from geo.clean import NO_PLACE_WORDS, Cleaned
from geo.columns import Role
from geo.datum import DatumEvidence
from geo.dwellings import shifts_there
from geo.inspect import dimension_of, in_degrees
from geo.personal import masked
from geo.problems import Language
from geo.read import Layer
from geo.reasons import reasons, why
from geo.roles import likely_role

ROLE_WORDS: dict[Role, tuple[str, str]] = {
    "villages": ("村(社区)界", "villages"),
    "households": ("户", "households"),
    "roads": ("道路", "roads"),
    "water": ("水系", "water"),
    "railways": ("铁路", "railways"),
    "compounds": ("小区", "compounds"),
    "groups": ("村民小组/自然村", "village groups"),
    "dedicated": ("专属网格单位", "dedicated places"),
    "stations": ("派出所", "stations"),
    "beats": ("警格", "beats"),
    "officers": ("警力", "officers"),
    "incidents": ("事件(警情)", "incidents"),
    "services": ("服务点", "services"),
}
_WORDS: dict[str, tuple[str, str]] = {
    "file": ("文件", "file"),
    "layers": ("图层", "layers"),
    "name_one": ("(用“文件:图层”指定一个)", "(name one as FILE:layer)"),
    "read_as": ("读作", "read as"),
    "because_said": ("由您指定", "as you said"),
    "because_name": ("据名称", "by its name"),
    "because_inside": ("据列和图形", "by its columns and shapes"),
    "encoding": ("文字编码", "text encoding"),
    "rows": ("行数", "rows"),
    "read": ("读取", "read"),
    "with_place": ("有位置", "with a place"),
    "no_shapes": ("没有图形或坐标", "without shapes or coordinates"),
    "crs": ("坐标系", "coordinate system"),
    "datum": ("基准", "datum"),
    "columns": ("列", "columns"),
    "left_out": ("未保留的个人信息(只列个数)", "personal data left out (counts only)"),
    "whole_column": ("整列", "the whole column"),
    "cells": ("格", "cells"),
    "unplaced": ("没有位置的行", "rows without a place"),
    "problems": ("问题", "problems"),
    "none": ("无", "none"),
    "error": ("错误", "error"),
    "warning": ("警告", "warning"),
    "note": ("说明", "note"),
    "identity_number": ("证件号码", "identity numbers"),
    "mobile_number": ("手机号", "mobile numbers"),
    "bank_card": ("银行卡号", "bank card numbers"),
    "plate": ("车牌", "number plates"),
    "unknown": ("未知", "unknown"),
    "stated": ("文件或其格式说明", "stated by the file or its format"),
    "by_numbers": ("按坐标值判断", "judged by the numbers"),
    "by_overlap": ("按与村界的重叠判断", "found by where the villages lie"),
    "bare_degrees": ("坐标列是度数", "columns of bare degrees"),
    "no_evidence": (
        "没有证据;可用 --villages 给出村界来核对",
        "without evidence; --villages FILE shows whether it is right",
    ),
    "not_needed": ("用不到,不保留", "not needed, not kept"),
    "metric": ("按米计算用", "measured in"),
    "not_kept": ("不保留", "not kept"),
}


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control and direction characters become "?"."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _say(key: str, language: Language) -> str:
    return _WORDS[key][0 if language == "zh" else 1]


def role_word(role: Role, language: Language) -> str:
    """What a role is called."""
    return ROLE_WORDS[role][0 if language == "zh" else 1]


def lines_of_layers(source: str, layers: list[str], language: Language) -> list[str]:
    """The layers of a file, with what their names suggest."""
    lines = [f"{_say('file', language)}: {masked(_file_name(source), 80)}"]
    if len(layers) == 1:
        return lines
    lines.append(f"{_say('layers', language)} {_say('name_one', language)}:")
    for name in layers:
        role = likely_role(name)
        suggested = f"  ({role_word(role, language)}?)" if role else ""
        lines.append(f"  {masked(name, 60)}{suggested}")
    return lines


def _file_name(source: str) -> str:
    return source.replace("\\", "/").rstrip("/").rpartition("/")[2]


def lines_of(layer: Layer, cleaned: Cleaned | None, said: bool, language: Language) -> list[str]:
    """Everything that was found about one layer."""
    found = layer if cleaned is None else cleaned.layer
    lines = [
        *_head(layer, said, language),
        *_rows(layer, cleaned, language),
        *_system(layer, cleaned, language),
        "",
        *_columns(layer, language),
    ]
    if layer.dropped:
        lines += ["", f"{_say('left_out', language)}:"]
        for item in layer.dropped:
            kind = "whole_column" if item.kind == "column" else item.kind
            lines.append(
                f"  {masked(item.column, 40)}: {_say(kind, language)}, "
                f"{item.count:,} {_say('cells', language)}"
            )
    lines += ["", f"{_say('problems', language)}:"]
    told = [
        f"  {_say(severity, language)}: {replace(problem, file='').text(language)}"
        for severity in ("error", "warning", "note")
        for problem in found.problems
        if problem.severity == severity
    ]
    return lines + (told or [f"  {_say('none', language)}"])


def _head(layer: Layer, said: bool, language: Language) -> list[str]:
    if said:
        because = "because_said"
    elif layer.role in (likely_role(layer.name), likely_role(Path(layer.file.name).stem)):
        because = "because_name"
    else:
        because = "because_inside"
    line = (
        f"{masked(layer.name, 60)}: {_say('read_as', language)} "
        f"{role_word(layer.role, language)} ({_say(because, language)})"
    )
    return [line] + (
        [f"{_say('encoding', language)}: {layer.encoding}"] if layer.encoding else []
    )


def _rows(layer: Layer, cleaned: Cleaned | None, language: Language) -> list[str]:
    total = len(layer.frame)
    line = f"{_say('rows', language)}: {total:,} {_say('read', language)}"
    if "geometry" not in layer.frame:
        return [f"{line}, {_say('no_shapes', language)}"]
    placed = int((~shapely.is_missing(layer.frame.geometry.to_numpy())).sum())
    lines = [f"{line}, {placed:,} {_say('with_place', language)}"]
    if layer.no_place is not None:
        kinds, counts = np.unique(layer.no_place[layer.no_place != ""], return_counts=True)
        words = [
            f"{count:,} {NO_PLACE_WORDS[kind][0 if language == 'zh' else 1]}"
            for kind, count in zip(kinds, counts, strict=True)
        ]
        lines.append(f"{_say('unplaced', language)}: {', '.join(words)}")
    if cleaned is not None and cleaned.outside is not None:
        inside = len(cleaned.placed) - cleaned.outside
        lines.append(
            f"村界内 {inside:,} 行,村界外 {cleaned.outside:,} 行"
            if language == "zh"
            else f"in the villages: {inside:,} rows inside one, {cleaned.outside:,} in none"
        )
    return lines


def _system(layer: Layer, cleaned: Cleaned | None, language: Language) -> list[str]:
    if "geometry" not in layer.frame:
        return []
    crs = layer.crs
    how = "stated"
    if cleaned is not None and crs is None:
        crs, how = cleaned.layer.crs, "by_overlap"
    if crs is None:
        return [f"{_say('crs', language)}: {_say('unknown', language)}"]
    if any(problem.code == "read_crs_guessed" for problem in layer.problems):
        how = "by_numbers"
    elif how == "stated" and any(c.canonical in ("lon", "lonlat") for c in layer.columns):
        how = "bare_degrees" if CRS(crs).is_geographic else "by_numbers"
    lines = [f"{_say('crs', language)}: {_crs_name(crs)} ({_say(how, language)})"]
    if cleaned is None:
        return lines
    if CRS(crs).is_geographic:
        lines += _datum(cleaned, language)
    if cleaned.crs is not None:
        lines.append(f"{_say('metric', language)}: {_crs_name(cleaned.crs)}")
    return lines


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg(min_confidence=20)
    name = masked(crs.name, 80)
    return f"{name} (EPSG:{code})" if code else name


_DATUM = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}


def _datum(cleaned: Cleaned, language: Language) -> list[str]:
    """The datum and the evidence for it, and the doubt where there is one."""
    chosen = _DATUM[cleaned.datum]
    if cleaned.evidence is None:
        if not _could_be_shifted(cleaned):
            return []
        return [f"{_say('datum', language)}: {chosen} ({_say('no_evidence', language)})"]
    shares = _shares(cleaned.evidence, language)
    lines = [f"{_say('datum', language)}: {chosen} ({shares})"]
    if cleaned.evidence.doubtful:
        lines.append("  " + _doubt(cleaned.evidence, language))
    return lines


def _could_be_shifted(cleaned: Cleaned) -> bool:
    """Whether a web map of the place would have shifted these rows, or a shift was undone."""
    if cleaned.datum != "wgs84":
        return True
    frame = in_degrees(cleaned.layer, "wgs84")
    points = dimension_of(cleaned.layer) == 0
    return points and frame is not None and shifts_there(frame.geometry.to_numpy())


def _shares(found: DatumEvidence, language: Language) -> str:
    parts = [f"{_DATUM[name]} {share:.1%}" for name, share in found.shares.items()]
    if language == "zh":
        return f"抽查 {found.sampled:,} 点,落在村界内的比例:{'、'.join(parts)}"
    return f"of {found.sampled:,} points asked, inside a village: {', '.join(parts)}"


def _doubt(found: DatumEvidence, language: Language) -> str:
    best = max(found.shares.values())
    if best < 0.98:
        return (
            f"存疑:最高只有 {best:.1%} 落在村界内(应在 98 % 以上);请核对,或用 --datum 指定"
            if language == "zh"
            else f"doubtful: at best {best:.1%} lie in a village, where 98 % should; check, or say "
            "--datum"
        )
    return (
        "存疑:两种基准相差不到 1 %;请核对,或用 --datum 指定"
        if language == "zh"
        else "doubtful: two of them are within 1 %; check, or say --datum"
    )


def _columns(layer: Layer, language: Language) -> list[str]:
    """Each column, what it was taken for, and why; those nobody needs on one line."""
    lines = [f"{_say('columns', language)}:"]
    plain: list[str] = []
    for kept in (True, False):
        for column in layer.columns:
            if bool(column.canonical) != kept or column.why == "personal":
                continue
            source = masked(column.source, 40)
            if [reason.code for reason in reasons(layer, column)] == ["why-unused"]:
                plain.append(source)
                continue
            used = column.canonical or _say("not_kept", language)
            lines.append(f"  {source} -> {used}: {why(layer, column, language)}")
    if plain:
        lines.append(f"  {_say('not_needed', language)}: {', '.join(plain)}")
    return lines if len(lines) > 1 else [*lines, f"  {_say('none', language)}"]
