"""Shapefiles whose names survive: dBase fields hold ten bytes of name and 254 of text."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from geo.messages import register
from geo.problems import InputError, Problem
from planning.export.columns import (
    LEVELS,
    NOTICE_EN,
    NOTICE_ZH,
    Column,
    Plan,
    columns_of,
    in_words,
    present,
    table_of,
)
from planning.export.safely import atomically
from planning.export.systems import SYSTEMS, System, in_system

register(
    {
        "export.not_in_gbk": (
            "{text} 含有 GBK 无法表示的字符,请改用 UTF-8 编码导出 Shapefile。",
            "{text} holds characters that GBK cannot write; export the Shapefile in UTF-8.",
        ),
    }
)

_DBF_TEXT_BYTES = 254


def clipped(text: object, encoding: str, limit: int = _DBF_TEXT_BYTES) -> object:
    """A text that fits a dBase field: cut at a whole character, with an ellipsis in its place.

    What ``encoding`` cannot write counts as one byte; :func:`fits_gbk` finds it before.
    """
    if not isinstance(text, str) or len(text.encode(encoding, errors="replace")) <= limit:
        return text
    mark = "…"
    room = limit - len(mark.encode(encoding))
    cut = text.encode(encoding, errors="replace")[:room]
    return cut.decode(encoding, errors="ignore") + mark


def fits_gbk(text: str) -> bool:
    """Can GBK write every character of ``text``?"""
    try:
        text.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def _must_fit_gbk(texts: Mapping[str, Sequence[object]], layer: str) -> None:
    """Raise InputError naming every value that GBK cannot write; GDAL would put ``?`` there."""
    problems = []
    for name, values in texts.items():
        for value in values:
            if isinstance(value, str) and not fits_gbk(value):
                problems.append(Problem("export.not_in_gbk", layer, name, {"text": f"“{value}”"}))
    if problems:
        raise InputError(problems[:20])


def _shapefile(
    frame: gpd.GeoDataFrame,
    columns: Sequence[Column],
    directory: Path,
    layer: str,
    encoding: Literal["UTF-8", "GBK"],
) -> None:
    chinese = encoding == "GBK"
    table = pd.DataFrame(index=frame.index)
    texts: dict[str, list[object]] = {}
    for column in present(frame, columns):
        name = column.gbk5 if chinese else column.ascii10
        if column.number_format:
            table[name] = pd.to_numeric(frame[column.source], errors="coerce")
        else:
            texts[name] = in_words(frame, column, "zh" if chinese else "en")
            cut = [clipped(value, encoding) for value in texts[name]]
            table[name] = pd.Series(cut, index=frame.index, dtype=object)
    if chinese:
        _must_fit_gbk(texts, layer)
    shapes = gpd.GeoDataFrame(table, geometry=frame.geometry, crs=frame.crs)
    shapes.to_file(directory / f"{layer}.shp", engine="pyogrio", encoding=encoding)
    # Written here as well, because readers without it take the text for their own code page.
    (directory / f"{layer}.cpg").write_text(encoding, encoding="ascii")


def _field_list(encoding: Literal["UTF-8", "GBK"], system: System) -> str:
    lines = [NOTICE_ZH, NOTICE_EN, "", f"encoding / 编码: {encoding}"]
    lines += [f"coordinates / 坐标系: {SYSTEMS[system][0]} / {SYSTEMS[system][1]}", ""]
    for level in LEVELS:
        lines.append(f"{level}.shp")
        for column in columns_of(level):
            name = column.gbk5 if encoding == "GBK" else column.ascii10
            lines.append(f"  {name}\t{column.source}\t{column.chinese}\t{column.english}")
    return "\r\n".join(lines) + "\r\n"


def write_shapefile(
    plan: Plan,
    path: Path,
    *,
    encoding: Literal["UTF-8", "GBK"] = "UTF-8",
    system: System = "metric",
) -> Path:
    """Grids, villages and micro-grids as a zip of Shapefiles whose names survive.

    In UTF-8 the column names are ASCII of at most 10 letters; in GBK they are Chinese of at most
    5 characters, since a longer one is cut in mid-character and the file cannot be read back.
    Texts over 254 bytes are cut at a whole character.

    Raises
    ------
    InputError : a text holds a character that GBK cannot write (only with ``encoding="GBK"``).
    """

    def write(target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".shapefile.") as name:
            directory = Path(name)
            for level in LEVELS:
                if (frame := table_of(plan, level)) is not None:
                    shapes = in_system(frame, system)
                    _shapefile(shapes, columns_of(level), directory, level, encoding)
            text = _field_list(encoding, system)
            (directory / "README.txt").write_text(text, encoding="utf-8-sig", newline="")
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for part in sorted(directory.iterdir()):
                    archive.write(part, part.name)

    return atomically(path, write)
