"""A plan in the forms other programs and people take: GeoJSON, Shapefile, the Excel register.

Each writer takes a plan's tables (:mod:`planning.planfile`) and a path, writes beside the path
and renames, so that a reader meets the old file or the new one and never half a file. Texts that
came from a file stay texts: a name that begins with ``=`` is no formula in Excel.

Every export says that it is internal and that grid borders are no administrative boundaries.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.messages import register
from geo.problems import InputError, Problem

Language = Literal["zh", "en"]

NOTICE_ZH = (
    "内部使用,未经地图审核不得公开。"
    "网格界线仅用于内部服务管理,不是行政区域界线,不作为行政区划依据。"
)
NOTICE_EN = (
    "Internal use; not to be published before map review. "
    "Grid borders serve internal management only and are no administrative boundaries."
)

register(
    {
        "export.not_in_gbk": (
            "{text} 含有 GBK 无法表示的字符,请改用 UTF-8 编码导出 Shapefile。",
            "{text} holds characters that GBK cannot write; export the Shapefile in UTF-8.",
        ),
    }
)


class Plan(Protocol):
    """The tables an export reads; :class:`planning.planfile.PlanFile` has them."""

    @property
    def grids(self) -> gpd.GeoDataFrame:
        """The grids."""
        ...

    @property
    def villages(self) -> gpd.GeoDataFrame:
        """The villages."""
        ...

    @property
    def exceptions(self) -> pd.DataFrame:
        """What breaks a rule, and why."""
        ...

    @property
    def provenance(self) -> pd.DataFrame:
        """Where the plan came from."""
        ...


@dataclass(frozen=True)
class Column:
    """A column of the plan, its names in the exports and its width in the register."""

    source: str
    chinese: str
    english: str
    ascii10: str  # Shapefile, UTF-8: at most 10 ASCII characters
    gbk5: str  # Shapefile, GBK: at most 5 Chinese characters (10 bytes)
    width: int = 12
    number_format: str = ""  # empty: text


GRID_COLUMNS: tuple[Column, ...] = (
    Column("code", "网格编码", "Grid code", "code", "网格编码", 18),
    Column("name", "网格名称", "Grid name", "name", "网格名称", 20),
    Column("kind", "网格类型", "Kind", "kind", "网格类型", 10),
    Column("township_name", "乡镇(街道)", "Township", "township", "乡镇街道", 14),
    Column("village_code", "村(社区)代码", "Village code", "vill_code", "村代码", 15),
    Column("village_name", "村(社区)名称", "Village", "vill_name", "村名称", 14),
    Column("households", "户数", "Households", "households", "户数", 8, "0"),
    Column("persons", "人口", "Persons", "persons", "人口", 8, "0"),
    Column("target", "目标户数", "Target", "target", "目标户数", 9, "0"),
    Column("deviation", "与目标偏差", "Deviation", "dev", "目标偏差", 11, "+0.0%;-0.0%;0.0%"),
    Column(
        "deviation_ideal", "与村均偏差", "Dev. from ideal", "dev_ideal", "村均偏差", 11,
        "+0.0%;-0.0%;0.0%",
    ),
    Column("area_m2", "面积(平方米)", "Area (m²)", "area_m2", "面积", 13, "#,##0"),
    Column("perimeter_m", "周长(米)", "Perimeter (m)", "perim_m", "周长", 11, "#,##0"),
    Column("polsby_popper", "紧凑度", "Compactness", "compact", "紧凑度", 9, "0.00"),
    Column("reach_m", "平均距离(米)", "Reach (m)", "reach_m", "平均距离", 11, "#,##0"),
    Column("edge_on_line", "沿线界线占比", "Edge on lines", "edge_line", "沿线占比", 12, "0%"),
    Column("parts", "分块数", "Parts", "parts", "分块数", 8, "0"),
    Column("bounds_text", "四至", "Bounded by", "bounds", "四至", 46),
    Column("exceptions", "例外情况", "Exceptions", "exceptions", "例外情况", 30),
    Column("reason", "例外原因", "Reason", "reason", "例外原因", 40),
)  # fmt: skip

VILLAGE_COLUMNS: tuple[Column, ...] = (
    Column("code", "村(社区)代码", "Village code", "code", "村代码", 15),
    Column("name", "村(社区)名称", "Village", "name", "村名称", 14),
    Column("township_name", "乡镇(街道)", "Township", "township", "乡镇街道", 14),
    Column("class", "城乡", "Class", "class", "城乡", 8),
    Column("households", "户数", "Households", "households", "户数", 8, "0"),
    Column("persons", "人口", "Persons", "persons", "人口", 8, "0"),
    Column("grids", "网格数", "Grids", "grids", "网格数", 8, "0"),
)

KIND_WORDS = {"comprehensive": "综合网格", "dedicated": "专属网格"}
CLASS_WORDS = {"urban": "城镇", "rural": "农村"}
_DBF_TEXT_BYTES = 254


def atomically(path: Path, write: Callable[[Path], None]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, then rename it over ``path``.

    The directory must exist and hold room for both. Raises what ``write`` raises and OSError;
    then ``path`` is as it was and nothing is left behind.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        write(beside)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def plain(value: object) -> object:
    """A cell's value as Python's own type; None for what is missing; no control characters."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        return "".join(ch for ch in value if ch in "\t\n" or ord(ch) >= 32)
    return value


def present(frame: pd.DataFrame, columns: Sequence[Column]) -> list[Column]:
    """The columns that ``frame`` has."""
    return [column for column in columns if column.source in frame.columns]


def in_language(text: str, language: Language) -> str:
    """One half of a text that the rules write as ``Chinese / English``; another text as it is."""
    halves = text.split(" / ")
    middle = len(halves) // 2
    if len(halves) % 2 or "".join(halves[:middle]).isascii():
        return text
    return " / ".join(halves[:middle] if language == "zh" else halves[middle:])


def rule_names(text: str, language: Language) -> str:
    """Rules separated by semicolons, by their names; one this version does not know as it is."""
    # Here: the rules bring the whole proposal along, a second that who only looks need not wait.
    from planning.rules import RULES

    index = 0 if language == "zh" else 1
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return "; ".join(RULES[part][index] if part in RULES else part for part in parts)


def in_words(frame: pd.DataFrame, column: Column, language: Language) -> list[object]:
    """A column's values, the program's own terms in the reader's language."""
    values = [plain(value) for value in frame[column.source]]

    def spoken(value: object) -> object:
        if not isinstance(value, str):
            return value
        if column.source in ("exceptions", "rule"):
            return rule_names(value, language)
        if column.source == "reason":
            return in_language(value, language)
        words = {"kind": KIND_WORDS, "class": CLASS_WORDS}.get(column.source, {})
        return words.get(value, value) if language == "zh" else value

    return [spoken(value) for value in values]


def write_geojson(plan: Plan, path: Path) -> Path:
    """Grids in WGS84 longitude/latitude (RFC 7946), 7 decimals (1 cm), with the notice.

    Column names are those of plan.gpkg. The notice stands in members ``notice_zh`` and
    ``notice_en`` of the collection, which readers that do not know them leave alone.
    """
    frame = plan.grids.to_crs(4326)

    def write(target: Path) -> None:
        frame.to_file(
            target, driver="GeoJSON", engine="pyogrio", layer="grids",
            COORDINATE_PRECISION=7, RFC7946="YES", DESCRIPTION=f"{NOTICE_ZH} {NOTICE_EN}",
        )  # fmt: skip

    return atomically(path, write)


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


def _field_list(encoding: Literal["UTF-8", "GBK"]) -> str:
    lines = [NOTICE_ZH, NOTICE_EN, "", f"encoding / 编码: {encoding}", ""]
    for layer, columns in (("grids", GRID_COLUMNS), ("villages", VILLAGE_COLUMNS)):
        lines.append(f"{layer}.shp")
        for column in columns:
            name = column.gbk5 if encoding == "GBK" else column.ascii10
            lines.append(f"  {name}\t{column.source}\t{column.chinese}\t{column.english}")
    return "\r\n".join(lines) + "\r\n"


def write_shapefile(plan: Plan, path: Path, *, encoding: Literal["UTF-8", "GBK"] = "UTF-8") -> Path:
    """Grids and villages as a zip of Shapefiles whose names survive.

    In UTF-8 the column names are ASCII of at most 10 letters; in GBK they are Chinese of at most
    5 characters, since a longer one is cut in mid-character and the file cannot be read back.
    Texts over 254 bytes are cut at a whole character. The coordinate system is the plan's.

    Raises
    ------
    InputError : a text holds a character that GBK cannot write (only with ``encoding="GBK"``).
    """

    def write(target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".shapefile.") as name:
            directory = Path(name)
            _shapefile(plan.grids, GRID_COLUMNS, directory, "grids", encoding)
            _shapefile(plan.villages, VILLAGE_COLUMNS, directory, "villages", encoding)
            text = _field_list(encoding)
            (directory / "README.txt").write_text(text, encoding="utf-8-sig", newline="")
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for part in sorted(directory.iterdir()):
                    archive.write(part, part.name)

    return atomically(path, write)
