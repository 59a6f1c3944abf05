"""``gridwright inspect``: what is in a file, what each column was taken for and why, what is wrong;
and with ``-o`` the same layer cleaned, without personal data, in metres."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cli.inspection import lines_of, lines_of_layers, printable
from geo.clean import clean, layers_to_keep
from geo.columns import MEANINGS, ROLES, Role
from geo.geopackage import free_name, write_whole
from geo.inspect import Choice, look
from geo.messages import register
from geo.problems import InputError, Language, Problem
from geo.read import list_layers, read_layer

register(
    {
        "inspect-column-argument": (
            "--columns 的“{value}”格式不对;请写成 code=列名。",
            "--columns {value!r} is not of the form code=COLUMN.",
        ),
        "inspect-column-unknown": (
            "--columns 的“{key}”不存在;{role} 可用:{known}。",
            "--columns names {key!r}, which {role} do not have; there are: {known}.",
        ),
        "inspect-role-needed": (
            "用 --columns 时请同时用 --as 说明图层是什么(如 --as villages)。",
            "--columns needs --as, which says what the layer is (such as --as villages).",
        ),
        "inspect-nothing": (
            "没有可写出的行。",
            "leaves no row to write.",
        ),
    }
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``inspect`` to the command line."""
    sub = commands.add_parser(
        "inspect",
        help="look into a file: layers, columns, coordinates, problems; -o writes it cleaned",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright inspect incidents.csv --villages villages.gpkg -o clean.gpkg"
        "\n\nFILE is anything the other commands take; FILE:layer names a layer. Nothing is kept "
        "but\nwhat -o writes, and that holds no personal data.",
    )
    sub.add_argument("file", metavar="FILE[:layer]", help="the file, and the layer where several")
    sub.add_argument(
        "--as", dest="role", choices=ROLES, metavar="ROLE",
        help="what the layer is: " + ", ".join(ROLES) + " (default: found out)",
    )  # fmt: skip
    sub.add_argument(
        "--columns", action="append", default=[], metavar="MEANING=COLUMN",
        help="take a column as given, e.g. code=XZQDM; needs --as; may be repeated",
    )  # fmt: skip
    sub.add_argument(
        "--villages", metavar="FILE",
        help="village boundaries, to find the datum of points and those outside every village",
    )  # fmt: skip
    sub.add_argument(
        "--datum", choices=("auto", "wgs84", "gcj02", "bd09"), default="auto",
        help="datum of longitudes and latitudes (auto: as the villages show, else WGS 84)",
    )  # fmt: skip
    sub.add_argument("--language", choices=("zh", "en"), default="en", help="of what is printed")
    sub.add_argument(
        "-o", "--output", metavar="clean.gpkg",
        help="write the cleaned layer, with rows without a place in a layer unplaced",
    )  # fmt: skip
    sub.set_defaults(run=run_inspect)


def run_inspect(arguments: argparse.Namespace) -> int:
    """0 where the file can be used; 2 with its problems, in the language asked for, where not."""
    language: Language = arguments.language
    try:
        _inspect(arguments, language)
    except InputError as error:
        # main() speaks English only
        for problem in error.problems:
            print(printable(problem.text(language)), file=sys.stderr)
        return 2
    return 0


def _inspect(arguments: argparse.Namespace, language: Language) -> None:
    choice = _choice(arguments)
    output = Path(arguments.output) if arguments.output else None
    if output is not None:
        free_name(output)
        _no_input(output, arguments)
    layers = list_layers(arguments.file)
    _show(lines_of_layers(arguments.file, layers, language))
    try:
        layer = look(arguments.file, choice)
    except InputError as error:
        undecided = all(problem.code == "read_several_layers" for problem in error.problems)
        if undecided and output is None:
            return  # the list was what could be told
        raise
    villages = None
    if arguments.villages:
        villages = read_layer(arguments.villages, "villages")
    try:
        cleaned = clean(layer, villages=villages, datum=arguments.datum)
    except InputError:
        if output is not None:
            raise
        _show(lines_of(layer, None, arguments.role is not None, language))
        return
    _show(lines_of(layer, cleaned, arguments.role is not None, language))
    if output is not None:
        kept = layers_to_keep(cleaned)
        if not sum(len(frame) for name, frame in kept.items() if name != "provenance"):
            raise InputError([Problem("inspect-nothing", layer.file.name)])
        write_whole(kept, output)
        told = ", ".join(f"{n} ({len(f)})" for n, f in kept.items())
        _show(["", f"{'写出' if language == 'zh' else 'written'}: {output.name}: {told}"])


def _show(lines: list[str]) -> None:
    for line in lines:
        print(printable(line))


def _choice(arguments: argparse.Namespace) -> Choice | None:
    """What was said about the layer, None where all is to be found out."""
    role: Role | None = arguments.role
    if role is None:
        if arguments.columns:
            raise InputError([Problem("inspect-role-needed")])
        return None
    columns, problems = {}, []
    for value in arguments.columns:
        key, equals, column = value.partition("=")
        meaning = key.strip().removeprefix(f"{role}.")
        if not equals or not meaning or not column:
            problems.append(Problem("inspect-column-argument", params={"value": value}))
        elif meaning not in MEANINGS[role]:
            params = {"key": meaning, "role": role, "known": ", ".join(MEANINGS[role])}
            problems.append(Problem("inspect-column-unknown", params=params))
        columns[meaning] = column
    if problems:
        raise InputError(problems)
    return Choice(role, columns)


def _no_input(output: Path, arguments: argparse.Namespace) -> None:
    """Refuse to write over a file that is read."""
    for source in filter(None, (arguments.file, arguments.villages)):
        for file in {Path(source), Path(str(source).rpartition(":")[0] or source)}:
            if output.exists() and file.exists() and output.samefile(file):
                raise InputError([Problem("output-is-input", output.name)])

