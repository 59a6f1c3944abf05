"""``gridwright hotspots``: events in, hotspots.gpkg out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import geopandas as gpd
import numpy as np
from pyproj import CRS

from geo.columns import MEANINGS
from geo.crs import metric_crs
from geo.geopackage import free_name
from geo.harmonise import degrees, metric, state_systems
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.read.times import parse_time
from incidents.analysis import Parameters, analyse, prepare
from incidents.areas import Areas, Homes, areas_of
from incidents.categories import LISTS, CategoryTable, default_table, read_table, write_table
from incidents.events import load_events
from incidents.hotspotfile import write_hotspots
from incidents.period import Period
from incidents.quality import Named
from incidents.selection import Selection
from incidents.sharedfile import write_shared
from incidents.sharing import share
from planning.planfile import read_plan

register(
    {
        "hotspots-columns": (
            "--columns {value}:应写成 incidents.列=文件中的列名。可用的列:{known}。",
            "--columns {value}: write incidents.MEANING=COLUMN; meanings: {known}.",
        ),
        "hotspots-date": (
            "日期“{value}”无法识别;请写成 2024-03-01。",
            "{value!r} is no date; write it as 2024-03-01.",
        ),
        "hotspots-period": (
            "起始日期不能晚于结束日期。",
            "the period ends before it begins; exchange --since and --until.",
        ),
        "hotspots-output": (
            "输出文件就是输入文件;请换一个名字。",
            "is an input; give the output another name.",
        ),
        "hotspots-areas": (
            "没有区域;请给出 --plan、--villages 或 --beats 之一。",
            "no areas: give --plan, --villages or --beats, that it is known where to look.",
        ),
    }
)

EPILOG = """example:
  gridwright hotspots county/incidents.csv --plan plan.gpkg -o hotspots.gpkg

Counted are the events that people reported. --source all adds those found on patrol; then the map
shows the patrols' ways too. Chance follows the plan's households where there are any."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``hotspots`` to the command line."""
    sub = commands.add_parser(
        "hotspots",
        help="hot spots, rates and trends of events",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    sub.add_argument("incidents", nargs="+", metavar="INCIDENTS", help="files of events")
    sub.add_argument("-o", "--output", required=True, metavar="hotspots.gpkg")
    sub.add_argument(
        "--shared", metavar="FILE.gpkg",
        help="also write the file for leaders: areas only, small counts hidden, no exact cell",
    )  # fmt: skip
    places = sub.add_argument_group("areas (at least one)")
    places.add_argument("--plan", metavar="plan.gpkg", help="grids, villages and households")
    places.add_argument("--villages", metavar="FILE", help="villages, where there is no plan")
    places.add_argument("--beats", metavar="FILE", help="police beats (beats.gpkg or any layer)")
    places.add_argument("--stations", metavar="FILE", help="to tell events piled up at a station")
    chosen = sub.add_argument_group("which events")
    chosen.add_argument("--since", metavar="DATE", help="first day")
    chosen.add_argument("--until", metavar="DATE", help="last day")
    chosen.add_argument("--category", metavar="TEXT", help="a class, or a kind as the files say it")
    chosen.add_argument(
        "--source", choices=("reported", "discovered", "all"), default="reported",
        help="reported by people (default), found on patrol, or both",
    )  # fmt: skip
    chosen.add_argument("--without-piles", action="store_true", help="leave out piled-up events")
    how = sub.add_argument_group("how")
    how.add_argument("--cell", type=float, default=200.0, metavar="M", help="default 200")
    how.add_argument("--bandwidth", type=float, default=300.0, metavar="M", help="default 300")
    how.add_argument("--kernel", choices=("quartic", "gaussian"), default="quartic")
    how.add_argument(
        "--compare", choices=("auto", "households", "ground"), default="auto",
        help="what chance follows (default: households where they are known)",
    )  # fmt: skip
    how.add_argument("--seed", type=int, default=0)
    how.add_argument("--classes", choices=tuple(LISTS), default="six", help="list of classes")
    how.add_argument("--categories", metavar="CSV", help="your table of kinds to classes")
    how.add_argument("--write-categories", metavar="CSV", help="write the table used, to edit it")
    how.add_argument("--columns", action="append", default=[], metavar="incidents.time=NAME")
    how.add_argument(
        "--datum", choices=("wgs84", "gcj02", "bd09"), default="wgs84",
        help="datum of the events' degrees (web maps: gcj02 or bd09)",
    )  # fmt: skip
    sub.set_defaults(run=run_hotspots)


@dataclass(frozen=True)
class _Places:
    """The areas asked for, and what came with them."""

    crs: CRS
    areas: Areas
    homes: Homes | None
    known: tuple[Named, ...]
    layers: Mapping[str, Layer]
    said: Mapping[str, object]


def run_hotspots(arguments: argparse.Namespace) -> int:
    """Do it; 0, also where doubts remain: they are told and stand in the file."""
    output = Path(arguments.output)
    period = _period(arguments)
    columns = _columns(arguments.columns)
    table = _table(arguments)
    outputs = [output, *([Path(arguments.shared)] if arguments.shared else [])]
    for path in outputs:
        free_name(path)
        _no_input(path, arguments)
    layers = [read_layer(file, "incidents", columns=columns) for file in arguments.incidents]
    places = _places(arguments)
    events = load_events(
        layers, crs=places.crs, table=table, datum=arguments.datum, known=places.layers
    )
    for note in (*events.notes, *places.areas.notes):
        print(f"{note.severity}: {note.text('en')}", file=sys.stderr)
    prepared = prepare(
        events, places.areas, cell=arguments.cell, known=places.known, homes=places.homes
    )
    for finding in prepared.quality.findings:
        mark = "warning" if finding.grave else "note"
        print(f"{mark}: {finding.text('en')}", file=sys.stderr)
    found = analyse(
        prepared,
        Selection(period, arguments.category, arguments.source, arguments.without_piles),
        Parameters(
            cell=arguments.cell, bandwidth=arguments.bandwidth, kernel=arguments.kernel,
            exposure=arguments.compare, seed=arguments.seed,
        ),
    )  # fmt: skip
    for note in found.notes:
        print(f"{note.severity}: {note.text('en')}", file=sys.stderr)
    said = {**_program(), **places.said}
    # the shared file first: where it cannot be made, nothing is written
    if arguments.shared:
        write_shared(share(prepared), found, arguments.shared, said)
    write_hotspots(prepared, found, output, said)
    if arguments.write_categories:
        write_table(table, arguments.write_categories)
    hot, cold = int(found.significance.hot.sum()), int(found.significance.cold.sum())
    print(
        f"{output.name}: {len(events)} events read, {len(found.rows)} selected, {found.mapped} "
        f"mapped; {hot} hot and {cold} cold cells of {int(found.cells.inside.sum())}, "
        f"closed {found.closure.shown}"
    )
    return 0


def _program() -> dict[str, object]:
    try:
        return {"program": f"gridwright {version('gridwright')}"}
    except PackageNotFoundError:  # run from a copy that was not installed
        return {"program": "gridwright"}


def _places(arguments: argparse.Namespace) -> _Places:
    """Areas from the plan, else from villages, else from beats, in one metric system."""
    files = {
        role: read_layer(getattr(arguments, role), role)
        for role in ("villages", "beats", "stations")
        if getattr(arguments, role)
    }
    layers, problems = state_systems(files)
    errors = [problem for problem in problems if problem.severity == "error"]
    if not arguments.plan and not ({"villages", "beats"} & layers.keys()):
        errors.append(Problem("hotspots-areas"))
    if errors:
        raise InputError(errors)
    plan = read_plan(arguments.plan) if arguments.plan else None
    crs = CRS(plan.grids.crs) if plan is not None else _system(layers)
    frames = {role: _frame(layer, crs) for role, layer in layers.items()}
    homes = None
    if plan is not None and len(plan.households):
        points, held = plan.households.geometry, plan.households
        persons = held["persons"].astype(float).to_numpy()
        homes = Homes(
            np.column_stack([points.x, points.y]), held["households"].to_numpy(dtype=float),
            np.where(persons < 0, np.nan, persons),
        )  # fmt: skip
    areas = areas_of(
        crs, grids=None if plan is None else plan.grids, villages=frames.get("villages"),
        beats=frames.get("beats"), homes=homes,
    )  # fmt: skip
    said: dict[str, object] = {}
    for role, layer in files.items():
        said |= {f"{role}.name": layer.file.name, f"{role}.sha256": layer.file.sha256}
    if plan is not None:
        said["plan.name"] = Path(arguments.plan).name
    return _Places(crs, areas, homes, _named(frames, areas), layers, said)


def _system(layers: Mapping[str, Layer]) -> CRS:
    layer = layers.get("villages") or layers["beats"]
    west, south, east, north = degrees(layer).total_bounds
    return metric_crs((west + east) / 2, (south + north) / 2)


def _frame(layer: Layer, crs: CRS) -> gpd.GeoDataFrame:
    frame = layer.frame[layer.frame.geometry.notna()] if "geometry" in layer.frame else None
    if frame is None:
        raise InputError([Problem("layer-no-shapes", layer.file.name)])
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=metric(layer, crs)[
        layer.frame.geometry.notna().to_numpy()], crs=crs)  # fmt: skip


def _named(frames: Mapping[str, gpd.GeoDataFrame], areas: Areas) -> tuple[Named, ...]:
    """Stations and village centres, for telling what events are piled up at."""
    found = []
    if "stations" in frames:
        stations = frames["stations"]
        xy = np.column_stack([stations.geometry.centroid.x, stations.geometry.centroid.y])
        found.append(Named("station", xy, list(stations.get("name", stations.index).astype(str))))
    if "village" in areas.levels:
        level, shapes = areas.levels["village"], gpd.GeoSeries(areas.shapes("village"))
        middle = shapes.centroid
        found.append(Named("centre", np.column_stack([middle.x, middle.y]), list(level.names)))
    return tuple(found)


def _period(arguments: argparse.Namespace) -> Period:
    """``--since`` and ``--until`` as a half-open period: the last day belongs to it."""
    days = []
    for text in (arguments.since, arguments.until):
        found = parse_time(text) if text else None
        if text and found is None:
            raise InputError([Problem("hotspots-date", params={"value": text})])
        days.append(None if found is None else found[0].astype("datetime64[D]"))
    since, until = days
    try:
        return Period(since, None if until is None else until + np.timedelta64(1, "D"))
    except ValueError as error:
        raise InputError([Problem("hotspots-period")]) from error


def _columns(given: list[str]) -> dict[str, str]:
    columns, known = {}, MEANINGS["incidents"]
    for value in given:
        key, equals, column = value.partition("=")
        meaning = key.strip().removeprefix("incidents.")
        if not equals or not column or meaning not in known:
            params = {"value": value, "known": ", ".join(known)}
            raise InputError([Problem("hotspots-columns", params=params)])
        columns[meaning] = column.strip()
    return columns


def _table(arguments: argparse.Namespace) -> CategoryTable:
    classes = LISTS[arguments.classes]
    if arguments.categories:
        return read_table(arguments.categories, classes)
    return default_table(classes)


def _no_input(output: Path, arguments: argparse.Namespace) -> None:
    """Refuse to write over a file that is read."""
    sources = [
        *arguments.incidents, arguments.plan, arguments.villages, arguments.beats,
        arguments.stations,
    ]  # fmt: skip
    for source in filter(None, sources):
        # FILE:layer names the same file; a colon may also belong to the name itself
        for file in {Path(source), Path(str(source).rpartition(":")[0] or source)}:
            if output.exists() and file.exists() and output.samefile(file):
                raise InputError([Problem("hotspots-output", output.name)])

