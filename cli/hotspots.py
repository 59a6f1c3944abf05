"""``gridwright hotspots``: events in, hotspots.gpkg out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from cli.event_places import Places, places_of
from cli.event_steps import KeptSteps, digest_of, forgetting
from cli.workers import add_workers
from geo.columns import MEANINGS
from geo.geopackage import free_name
from geo.messages import register, sentence
from geo.problems import InputError, Language, Problem
from geo.read import read_layer
from geo.read.times import parse_time
from incidents.analysis import Parameters, analyse, prepare
from incidents.categories import LISTS, CategoryTable, default_table, read_table, write_table
from incidents.events import Events, load_events
from incidents.hotspotfile import write_hotspots
from incidents.period import Period
from incidents.quality import Finding
from incidents.selection import Selection
from incidents.sharedfile import write_shared
from incidents.sharing import share
from planning.pieces import Pieces

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
        "hotspots-warning": ("注意:", "warning: "),
        "hotspots-note": ("说明:", "note: "),
        "hotspots-done": (
            "{file}:读入 {read} 条事件,选中 {selected} 条,上图 {mapped} 条;"
            "{cells} 个格子中 {hot} 个显著偏高、{cold} 个显著偏低;办结率 {closed}",
            "{file}: {read} events read, {selected} selected, {mapped} mapped; {hot} hot and "
            "{cold} cold cells of {cells}, closed {closed}",
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
    run = sub.add_argument_group("run")
    add_workers(run)
    run.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True,
                     help="go on where a run that was stopped left off (default), or start anew")
    sub.add_argument("--language", choices=("zh", "en"), default="en", help="of what is printed")
    sub.set_defaults(run=run_hotspots)


def run_hotspots(arguments: argparse.Namespace) -> int:
    """0, also where doubts remain: they are told and stand in the file; 2 with what is wrong."""
    language: Language = arguments.language
    try:
        _run(arguments, language)
    except InputError as error:
        # main() speaks English only
        for problem in error.problems:
            print(problem.text(language), file=sys.stderr)
        return 2
    return 0


def _told(problem: Problem | Finding, grave: bool, language: Language) -> None:
    """A doubt or a note, on standard error."""
    mark = sentence("hotspots-warning" if grave else "hotspots-note", language, {})
    print(f"{mark}{problem.text(language)}", file=sys.stderr)


def _run(arguments: argparse.Namespace, language: Language) -> None:
    output = Path(arguments.output)
    period = _period(arguments)
    columns = _columns(arguments.columns)
    table = _table(arguments)
    outputs = [output, *([Path(arguments.shared)] if arguments.shared else [])]
    for path in outputs:
        free_name(path)
        _no_input(path, arguments)
    places = places_of(arguments)
    events = _events(arguments, columns, table, places)
    for note in (*table.notes, *events.notes, *places.areas.notes):
        _told(note, note.severity == "warning", language)
    selection = Selection(period, arguments.category, arguments.source, arguments.without_piles)
    parameters = Parameters(
        cell=arguments.cell, bandwidth=arguments.bandwidth, kernel=arguments.kernel,
        exposure=arguments.compare, seed=arguments.seed,
    )  # fmt: skip
    kept = None
    if arguments.resume:
        kept = Pieces(output, digest_of(events, places, selection, parameters))
    steps = KeptSteps(kept, arguments.workers, language)
    with forgetting(kept):
        prepared = prepare(
            events, places.areas, cell=arguments.cell, known=places.known, homes=places.homes,
            steps=steps,
        )  # fmt: skip
        for finding in prepared.quality.findings:
            _told(finding, finding.grave, language)
        found = analyse(prepared, selection, parameters, steps=steps)
        for note in found.notes:
            _told(note, note.severity == "warning", language)
        notes = {f"categories.{i}": note.text("en") for i, note in enumerate(table.notes)}
        said = {**_program(), **places.said, **notes}
        # the shared file first: where it cannot be made, nothing is written
        if arguments.shared:
            write_shared(share(prepared), found, arguments.shared, said, steps.of("shared"))
        write_hotspots(prepared, found, output, said, steps)
    steps.tell()
    if arguments.write_categories:
        write_table(table, arguments.write_categories)
    params: dict[str, object] = {
        "file": output.name, "read": len(events), "selected": len(found.rows),
        "mapped": found.mapped, "hot": int(found.significance.hot.sum()),
        "cold": int(found.significance.cold.sum()), "cells": int(found.cells.inside.sum()),
        "closed": found.closure.shown,
    }  # fmt: skip
    print(sentence("hotspots-done", language, params))


def _events(
    arguments: argparse.Namespace,
    columns: Mapping[str, str],
    table: CategoryTable,
    places: Places,
) -> Events:
    """The events of all files; what the files held besides is gone when this returns."""
    layers = [read_layer(file, "incidents", columns=columns) for file in arguments.incidents]
    return load_events(
        layers, crs=places.crs, table=table, datum=arguments.datum, known=places.layers
    )


def _program() -> dict[str, object]:
    try:
        return {"program": f"gridwright {version('gridwright')}"}
    except PackageNotFoundError:  # run from a copy that was not installed
        return {"program": "gridwright"}


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

