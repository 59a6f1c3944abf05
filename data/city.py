"""A demonstration city: counties of the demonstration kind side by side, one file a layer.

About 1.7 million households in 2,000 villages. Counties are drawn one by one, each from a seed of
its own, and added to the city's files, so memory stays that of a county or two. Households are
GeoParquet and incidents Parquet; the other layers are GeoPackages.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely

from data.demo import write_county
from data.files import DEGREES, write_layer
from data.layout import FULL_COUNTY_VILLAGES
from data.names import COUNTY, COUNTY_CODE

COUNTIES = 19
# so that 19 counties have 1.7 million households in 2,000 villages, as a real city has
FULLNESS = 1_700_000 / (19 * 165_000)
_STEP = (0.39, 0.40)  # degrees from one full county's seat to the next: none is as wide as that
_KINDS = {
    "villages": "MultiPolygon", "roads": "MultiLineString", "water": "Unknown",
    "railways": "MultiLineString", "compounds": "MultiPolygon", "groups": "MultiPolygon",
    "dedicated": "MultiPolygon", "stations": "Point", "beats": "MultiPolygon",
    "services": "Point",
}  # fmt: skip
_NAMES = (
    COUNTY[:2], "望湖", "安浦", "丰泽", "云泽", "永澜", "平荡", "文渡", "泰圩", "新垛", "和塘",
    "景港", "瑞湾", "宁堰", "春集", "顺台", "昌店", "康墩", "裕沟", "嘉桥",
)  # fmt: skip
README = """\
Demonstration city of Gridwright (格匠): {counties} counties made up from seed {seed}. No place,
road or village exists, and no person is in it; the county codes belong to no county.
Coordinates: CGCS2000 (EPSG:4490), longitude and latitude.
{villages} villages, {households} households, {persons} persons, {rows} buildings, {events} events.

示范市数据,由随机种子 {seed} 生成的 {counties} 个县组成,地名、道路、村庄均为虚构,
不含任何个人信息;县级代码均不是真实的行政区划代码。
"""


def write_city(
    directory: Path,
    seed: int = 0,
    *,
    counties: int = COUNTIES,
    villages: int = FULL_COUNTY_VILLAGES,
    workers: int = 2,
    told: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write a city of ``counties`` counties of ``villages`` villages to ``directory``.

    Returns the paths written, README.txt last. The same seed and size give the same bytes for any
    number of ``workers`` (processes). ``told`` hears (counties done, of how many). Raises
    ValueError for no county, more than 20, or fewer than 4 villages; OSError where the folder
    cannot be written.
    """
    if not 1 <= counties <= len(_NAMES):
        raise ValueError(f"a city has 1 to {len(_NAMES)} counties, not {counties}")
    directory.mkdir(parents=True, exist_ok=True)
    for name in _KINDS:
        (directory / f"{name}.gpkg").unlink(missing_ok=True)
    totals = dict.fromkeys(("villages", "households", "persons", "rows", "events"), 0)
    with (
        tempfile.TemporaryDirectory(dir=directory, prefix=".counties-") as work,
        _Tables(directory) as tables,
    ):
        for number, folder in _counties(Path(work), seed, counties, villages, workers):
            move = _move(number, counties, villages)
            for key, count in _add(directory, tables, folder, number, move).items():
                totals[key] += count
            for file in folder.iterdir():
                file.unlink()
            if told is not None:
                told(number + 1, counties)
    readme = directory / "README.txt"
    readme.write_text(README.format(seed=seed, counties=counties, **totals), encoding="utf-8")
    layers = [directory / f"{name}.gpkg" for name in _KINDS]
    return [*layers, *tables.paths, readme]


def _counties(
    work: Path, seed: int, counties: int, villages: int, workers: int
) -> Iterator[tuple[int, Path]]:
    """Counties in order as they are ready, each in a folder; a few ahead, no more."""
    folders = [work / f"{number:02d}" for number in range(counties)]
    seeds = [seed * 1000 + number for number in range(counties)]
    if workers <= 1:
        for number, folder in enumerate(folders):
            write_county(folder, seeds[number], villages=villages, fullness=FULLNESS)
            yield number, folder
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, counties), mp_context=context) as pool:
        ahead: list[Future[list[Path]]] = []
        for number in range(counties):
            for later in range(len(ahead), min(counties, number + workers + 1)):
                ahead.append(
                    pool.submit(
                        write_county, folders[later], seeds[later], villages=villages,
                        fullness=FULLNESS,
                    )
                )  # fmt: skip
            ahead[number].result()
            yield number, folders[number]


def _move(number: int, counties: int, villages: int) -> np.ndarray:
    """Degrees east and north by which a county is moved, so that the city surrounds the seat."""
    across = ceil(sqrt(counties))
    down = ceil(counties / across)
    row, column = divmod(number, across)
    place = np.array([column - (across - 1) // 2, row - (down - 1) // 2])
    return np.round(place * _STEP * sqrt(villages / FULL_COUNTY_VILLAGES), 6)


def _own(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """A county's rows under its own code, and with its name where names would come twice."""
    frame = frame.copy()
    code, short = f"{COUNTY_CODE[:4]}{number + 1:02d}", _NAMES[number]
    for column in ("村代码", "编码"):
        if column in frame:
            frame[column] = code + frame[column].astype(str).str.slice(len(code))
    for column in ("乡镇", "派出所", "警格名称"):
        if column in frame:
            frame[column] = short + frame[column].astype(str)
    return frame


def _add(
    directory: Path, tables: _Tables, folder: Path, number: int, move: np.ndarray
) -> dict[str, int]:
    """Add one county's files to the city's; the counts of what was added."""

    def moved(xy: np.ndarray) -> np.ndarray:
        return np.round(xy + move, 9)

    counts = {}
    for name, kind in _KINDS.items():
        frame = pyogrio.read_dataframe(folder / f"{name}.gpkg")
        shapes = shapely.transform(frame.geometry.to_numpy(), moved)
        own = _own(pd.DataFrame(frame.drop(columns="geometry")), number)
        if name == "stations":
            own["名称"] = _NAMES[number] + own["名称"].astype(str)
        columns: dict[str, object] = {str(key): own[key].to_numpy() for key in own}
        write_layer(directory / f"{name}.gpkg", columns, shapes, kind)
        counts[name] = len(frame)
    homes = pd.read_csv(
        folder / "households.csv", dtype={"村代码": str, "小区": str, "村民小组": str}
    )
    tables.add_households(_own(homes, number), move)
    events = pd.read_csv(folder / "incidents.csv", dtype=str)
    events["事件编号"] = events["事件编号"].str.replace("SJ", f"SJ{number + 1:02d}", n=1)
    for column, shift in zip(("经度", "纬度"), move, strict=True):
        events[column] = np.round(pd.to_numeric(events[column]) + shift, 6)
    tables.add_incidents(events)
    return {
        "villages": counts["villages"], "households": int(homes["户数"].sum()),
        "persons": int(homes["人口"].sum()), "rows": len(homes), "events": len(events),
    }  # fmt: skip


class _Tables:
    """The two large tables, written a county at a time: one row group each."""

    def __init__(self, directory: Path) -> None:
        self.paths = [directory / "households.parquet", directory / "incidents.parquet"]
        self._writers: dict[Path, pq.ParquetWriter] = {}
        self._rows = 0

    def __enter__(self) -> _Tables:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def add_households(self, homes: pd.DataFrame, move: np.ndarray) -> None:
        """Buildings with their households, numbered on through the city."""
        place = np.round(homes[["经度", "纬度"]].to_numpy() + move, 7)
        homes = homes.drop(columns=["经度", "纬度"])
        homes["户编号"] += self._rows
        self._rows += len(homes)
        table = pa.Table.from_pandas(homes, preserve_index=False)
        # a county without any compound or group would have no type for the column
        for column in ("小区", "村民小组"):
            place_of = table.schema.get_field_index(column)
            table = table.set_column(place_of, column, table.column(column).cast(pa.string()))
        shapes = pa.array(shapely.to_wkb(shapely.points(place)), pa.binary())
        table = table.append_column("geometry", shapes)
        geo = {
            "version": "1.1.0",
            "primary_column": "geometry",
            "columns": {
                "geometry": {
                    "encoding": "WKB", "geometry_types": ["Point"], "crs": DEGREES.to_json_dict(),
                }
            },
        }  # fmt: skip
        self._write(self.paths[0], table.replace_schema_metadata({"geo": json.dumps(geo)}))

    def add_incidents(self, events: pd.DataFrame) -> None:
        """Events of a county; a plain table with longitude and latitude, some without."""
        table = pa.Table.from_pandas(events, preserve_index=False)
        self._write(self.paths[1], table.replace_schema_metadata(None))

    def _write(self, path: Path, table: pa.Table) -> None:
        if path not in self._writers:
            self._writers[path] = pq.ParquetWriter(path, table.schema, compression="zstd")
        self._writers[path].write_table(table.cast(self._writers[path].schema))


