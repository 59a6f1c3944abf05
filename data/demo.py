"""The demonstration county: everything the program reads, made up from a seed.

No place in it exists, and nobody lives there: codes begin with 329901, which no county has. It is
shaped like the plain between the rivers of Jiangsu: a seat with a street grid inside a ring road,
market towns, hamlets along lanes and ditches, a winding river with tributaries.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import shapely
import shapely.affinity
import shapely.ops

from data.blocks import Blocks, cut_blocks
from data.divide import Villages, divide
from data.files import Degrees, write_layer, write_table
from data.incidents import write_events
from data.layout import Layout, draw_layout, scale_of
from data.names import COUNTY_CODE, Names
from data.people import People, settle, use_of
from data.places import beat_count, beats, reserve, services, sites, stations

_ROADS = {
    "expressway": "高速公路", "provincial": "省道", "county": "县道", "township": "乡道",
    "arterial": "城市主干道", "street": "城市道路", "lane": "村道",
}  # fmt: skip
_WATERS = {"tributary": "支流", "canal": "河道", "ditch": "沟渠"}
_BRIDGED = ("expressway", "provincial", "county", "arterial", "township", "railway")
_CARRIAGEWAY_M = 28.0

README = """\
Demonstration county of Gridwright (格匠). Everything in it is made up from seed {seed}: no place,
road or village exists, and no person is in it. The county code 329901 belongs to no county.
Coordinates: CGCS2000 (EPSG:4490), longitude and latitude.
{villages} villages, {households} households, {persons} persons, {rows} buildings.

示范县数据,全部由随机种子 {seed} 生成,地名、道路、村庄均为虚构,不含任何个人信息;
329901 不是真实的行政区划代码。
"""


def write_county(
    directory: Path, seed: int = 0, *, villages: int = 105, fullness: float = 1.0
) -> list[Path]:
    """Write the county of ``villages`` villages to ``directory`` (made where missing).

    ``fullness`` times as many households live in it as usual, with as many events.

    Returns the paths written, README.txt last. The same seed and size give the same bytes.
    Raises ValueError below 4 villages, OSError where the folder cannot be written.
    """
    rng = np.random.default_rng(seed)
    names = Names(rng)
    layout = draw_layout(scale_of(villages, fullness), names, rng)
    blocks = cut_blocks(layout, names, rng)
    use = use_of(blocks, layout, rng)
    reserved = reserve(blocks, layout, use, rng)
    people = settle(blocks, layout, use, names, rng)
    weight = np.bincount(people.face, people.households, len(blocks.faces))
    divided = divide(blocks, layout, weight, use.zone, names, rng)
    directory.mkdir(parents=True, exist_ok=True)
    degrees = Degrees()
    paths = [
        *_write_ground(directory, degrees, blocks, layout, divided, rng),
        *_write_people(directory, degrees, people, divided),
        *_write_places(directory, degrees, blocks, layout, divided, reserved, people, rng),
    ]
    readme = directory / "README.txt"
    readme.write_text(
        README.format(
            seed=seed,
            villages=len(divided.name),
            households=int(people.households.sum()),
            persons=int(people.persons.sum()),
            rows=len(people.households),
        ),
        encoding="utf-8",
    )
    return [*paths, readme]


def _line_shapes(blocks: Blocks, layout: Layout, kinds: dict[str, str]) -> pd.DataFrame:
    """Lines of some kinds as they run through the county: one row a line."""
    rows = []
    wanted = np.isin(blocks.kinds, list(kinds))
    wet = layout.river.buffer(-2.0)
    for source in np.unique(blocks.source[wanted]):
        line = blocks.lines[source]
        shape = shapely.line_merge(shapely.multilinestrings(blocks.edges[blocks.source == source]))
        if line.kind not in _BRIDGED:
            shape = shape.difference(wet)
        if not shape.is_empty:
            rows.append((line.name, line.kind, kinds[line.kind], shape))
    return pd.DataFrame(rows, columns=["name", "kind", "class", "shape"])


def _imperfect(roads: pd.DataFrame, blocks: Blocks, rng: np.random.Generator) -> pd.DataFrame:
    """Roads as they are digitised: ends that stop short, lanes that lead nowhere."""
    roads = roads.copy()
    lanes = np.flatnonzero((roads["kind"] == "lane").to_numpy())
    for row in rng.permutation(lanes)[: len(lanes) // 12]:
        shape = roads.at[row, "shape"]
        if shape.geom_type == "LineString" and shape.length > 120:
            short = shapely.ops.substring(shape, 0, shape.length - rng.uniform(3, 9))
            roads.at[row, "shape"] = short
    ends = []
    for face in rng.permutation(len(blocks.faces))[: len(blocks.faces) // 14]:
        ring = blocks.faces[face].exterior
        start = ring.interpolate(rng.uniform(0, ring.length))
        middle = blocks.faces[face].centroid
        reach = rng.uniform(0.25, 0.55)
        tip = (start.x + (middle.x - start.x) * reach, start.y + (middle.y - start.y) * reach)
        ends.append(("", "lane", _ROADS["lane"], shapely.LineString([(start.x, start.y), tip])))
    return pd.concat([roads, pd.DataFrame(ends, columns=roads.columns)], ignore_index=True)


def _write_ground(
    directory: Path,
    degrees: Degrees,
    blocks: Blocks,
    layout: Layout,
    divided: Villages,
    rng: np.random.Generator,
) -> list[Path]:
    roads = _imperfect(_line_shapes(blocks, layout, _ROADS), blocks, rng)
    express = roads[roads["kind"] == "expressway"]
    second = express.assign(
        shape=shapely.offset_curve(express["shape"].to_numpy(dtype=object), _CARRIAGEWAY_M)
    )
    roads = pd.concat([roads, second], ignore_index=True)
    water = _line_shapes(blocks, layout, _WATERS)
    ground = shapely.union_all(divided.geometry)
    river = shapely.intersection(layout.river, ground)
    ponds = _ponds(blocks, rng)
    water_shapes = np.array([*water["shape"], river, *ponds], dtype=object)
    rail = _line_shapes(blocks, layout, {"railway": "铁路"})
    river_name = next(line.name for line in layout.lines if line.kind == "river")
    return [
        write_layer(
            directory / "villages.gpkg",
            {
                "村代码": divided.code,
                "村名": divided.name,
                "乡镇": divided.township_name,
                "城乡分类代码": divided.class_code,
            },
            degrees.shapes(divided.geometry),
        ),
        write_layer(
            directory / "roads.gpkg",
            {"名称": list(roads["name"]), "道路等级": list(roads["class"])},
            degrees.shapes(roads["shape"].to_numpy(dtype=object)),
        ),
        write_layer(
            directory / "water.gpkg",
            {
                "名称": [*water["name"], river_name, *([""] * len(ponds))],
                "类型": [*water["class"], "河流", *(["池塘"] * len(ponds))],
            },
            degrees.shapes(water_shapes),
        ),
        write_layer(
            directory / "railways.gpkg",
            {"名称": list(rail["name"])},
            degrees.shapes(rail["shape"].to_numpy(dtype=object)),
        ),
    ]


def _ponds(blocks: Blocks, rng: np.random.Generator) -> list[shapely.Polygon]:
    """Small ponds in the larger blocks."""
    area = shapely.area(blocks.faces)
    large = np.flatnonzero(area > 90_000)
    ponds = []
    for face in rng.permutation(large)[: len(large) // 5]:
        middle = blocks.faces[face].centroid
        size = rng.uniform(12, 32)
        pond = middle.buffer(size, quad_segs=3)
        pond = shapely.affinity.scale(pond, rng.uniform(0.8, 1.7), 1.0)
        if blocks.faces[face].contains(pond):
            ponds.append(shapely.affinity.rotate(pond, rng.uniform(0, 180)))
    return ponds


def _write_people(
    directory: Path, degrees: Degrees, people: People, divided: Villages
) -> list[Path]:
    village = divided.of_face[people.face]
    place = degrees.xy(people.xy)
    order = np.lexsort((people.face, np.array(divided.code)[village]))

    def named(which: np.ndarray, labels: list[str]) -> np.ndarray:
        return np.array([*labels, ""], dtype=object)[which]

    table = pd.DataFrame(
        {
            "经度": np.round(place[:, 0], 7), "纬度": np.round(place[:, 1], 7),
            "户数": people.households, "人口": people.persons,
            "村代码": np.array(divided.code)[village], "村名": np.array(divided.name)[village],
            "乡镇": np.array(divided.township_name)[village],
            "小区": named(people.compound, people.compound_name),
            "村民小组": named(people.hamlet, people.hamlet_name),
        }
    ).iloc[order]  # fmt: skip
    table.insert(0, "户编号", np.arange(1, len(table) + 1))
    code = np.array(divided.code)
    return [
        write_table(directory / "households.csv", table),
        write_layer(
            directory / "compounds.gpkg",
            {
                "小区名称": people.compound_name,
                "村代码": code[divided.of_face[people.compound_face]],
            },
            degrees.shapes(np.array(people.compound_shape, dtype=object)),
        ),
        write_layer(
            directory / "groups.gpkg",
            {"名称": people.hamlet_name, "村代码": code[divided.of_face[people.hamlet_face]]},
            degrees.shapes(np.array(people.hamlet_shape, dtype=object)),
        ),
    ]


def _write_places(
    directory: Path,
    degrees: Degrees,
    blocks: Blocks,
    layout: Layout,
    divided: Villages,
    reserved: list[int],
    people: People,
    rng: np.random.Generator,
) -> list[Path]:
    found = sites(blocks, reserved, divided, divided.name)
    station_xy, station = stations(layout, divided)
    weight = np.bincount(people.face, people.households, len(blocks.faces)).astype(float)
    count = beat_count(len(divided.name))
    beat_shape, beat_name, beat_station = beats(blocks, weight, station_xy, station, count, rng)
    service_xy, service_name, service_kind = services(divided, rng)
    households = int(people.households.sum())
    events, xy = write_events(
        round(60_000 * households / (165_000 * layout.scale.fullness)),
        people.xy,
        people.households.astype(float),
        layout.centres[0],
        layout.scale.core_radius * 0.7,
        station_xy[-2],
        rng,
    )
    lonlat = np.round(degrees.xy(xy), 6)
    events["经度"], events["纬度"] = lonlat[:, 0], lonlat[:, 1]
    return [
        write_layer(
            directory / "dedicated.gpkg",
            {
                "名称": found.name,
                "类别": found.category,
                "村代码": np.array(divided.code)[divided.of_face[found.face]],
            },
            degrees.shapes(np.array(found.shape, dtype=object)),
        ),
        write_layer(
            directory / "stations.gpkg",
            {"名称": station, "编码": [f"{COUNTY_CODE}{i + 1:03d}" for i in range(len(station))]},
            degrees.xy(station_xy),
        ),
        write_layer(
            directory / "services.gpkg",
            {"名称": service_name, "类别": service_kind},
            degrees.xy(service_xy),
        ),
        write_layer(
            directory / "beats.gpkg",
            {"警格名称": beat_name, "派出所": beat_station},
            degrees.shapes(beat_shape),
        ),
        write_table(directory / "incidents.csv", events),
    ]
