"""``gridwright report``: what the office files: register, paper for approval, map sheets."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import geopandas as gpd

from cli.books import books_of, draw_books, draw_pictures, kept_books
from cli.workers import add_workers
from geo.harmonise import metric
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import read_layer
from planning.approval import write_approval
from planning.attachments import Content, attach
from planning.beats.beatfile import BeatFile, read_beatfile
from planning.changes import Changes, find_changes, write_changes
from planning.export import Language
from planning.planfile import PlanFile, read_plan
from planning.register import write_register
from planning.register_form import Filing
from planning.sheets.book import ROLES, Atlas
from planning.sheets.page import Imprint

register(
    {
        "report-folder": (
            "不能在这里建立文件夹({reason});请换一个位置。",
            "no folder can be made here ({reason}); name another place.",
        ),
        "report-no-code": (
            "方案中没有编码为 {code} 的网格;请核对 --only。",
            "the plan has no grid {code}; check --only.",
        ),
        "report-lines": (
            "没有坐标系,不能画在图上;请补上坐标系。",
            "does not say its coordinate system and cannot be drawn; give it one.",
        ),
    }
)

LANGUAGES: dict[str, tuple[Language, ...]] = {
    "zh": ("zh",), "en": ("en",), "both": ("zh", "en"),
}  # fmt: skip
ATTACHED = ("incidents", "services", "stations", "compounds", "posts", "leaders")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``report`` to the command line."""
    sub = commands.add_parser(
        "report",
        help="write what is filed: register, paper for approval, map sheets",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright report plan.gpkg -o filed --roads roads.gpkg "
        "--water water.gpkg\n\nThe folder then holds register.xlsx, approval.docx and sheets/: "
        "a PDF a township\nwith a page a grid, and one each of villages, townships, beats and "
        "the overview.",
    )
    sub.add_argument("plan", metavar="plan.gpkg", help="the plan to file")
    sub.add_argument("-o", "--output", required=True, metavar="DIR", help="the folder to write")
    files = sub.add_argument_group("files")
    files.add_argument("--beats", metavar="beats.gpkg", help="police beats: a sheet each")
    for name, what in (
        ("roads", "roads, drawn and named"), ("water", "waters, drawn and named"),
        ("railways", "railways"), ("incidents", "events: load per post"),
        ("services", "mediation rooms and grid stations"), ("stations", "police stations"),
        ("compounds", "compounds: their nearest room"),
        ("posts", "posts by grid: codes, no names"),
        ("leaders", "grids that posts follow: codes, no names; a sheet each"),
    ):  # fmt: skip
        files.add_argument(f"--{name}", metavar="FILE", help=what)
    what = sub.add_argument_group("what to write")
    what.add_argument("--language", choices=sorted(LANGUAGES), default="zh", help="default zh")
    what.add_argument("--only", action="append", default=[], metavar="CODE",
                      help="sheets of these grids only; may be repeated")  # fmt: skip
    what.add_argument("--changed-since", metavar="OLD.gpkg",
                      help="only sheets that changed since this version, and the table of changes")
    what.add_argument("--png", action="store_true",
                      help="also a picture of each grid's sheet, for telephones")  # fmt: skip
    what.add_argument("--no-sheets", action="store_true", help="only the papers")
    run = sub.add_argument_group("run")
    add_workers(run)
    run.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True,
                     help="go on where a run that was stopped left off (default), or start anew")
    told = sub.add_argument_group("imprint")
    told.add_argument("--place", default="", help="the county, on every sheet")
    told.add_argument("--unit", default="", help="who files it")
    told.add_argument("--date", default="", help="the date to print (today)")
    told.add_argument("--version", default="", help="the version to print")
    told.add_argument("--posts-pattern", default="1+1+2+N", metavar="PATTERN",
                      help="posts a grid should have (1+1+2+N)")  # fmt: skip
    sub.set_defaults(run=run_report)


def run_report(arguments: argparse.Namespace) -> int:
    """Do it; 0 when everything is written."""
    plan = read_plan(arguments.plan)
    beats = read_beatfile(arguments.beats) if arguments.beats else None
    codes, changes = _wanted(arguments, plan)
    context = _context(arguments, plan)
    filing = Filing(
        place=arguments.place, unit=arguments.unit, date=arguments.date or date.today().isoformat(),
        version=arguments.version, pattern=arguments.posts_pattern,
    )  # fmt: skip
    attached = attach(plan, _attachments(arguments), filing, trusted=True)
    if any(problem.severity == "error" for problem in attached.problems):
        raise InputError(attached.problems)
    for problem in attached.problems:
        print(f"{problem.severity}: {problem.text('en')}", file=sys.stderr)
    with _whole(Path(arguments.output)) as folder:
        written = _write(arguments, plan, beats, codes, changes, context, attached.filing, folder)
    for unfinished in Path(arguments.output).glob(".sheets*.unfinished"):
        shutil.rmtree(unfinished, ignore_errors=True)
    print("\n".join(written))
    return 0


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A folder beside the target; what is in it moves there when everything is written."""
    target = _folder(target)
    try:
        work = Path(tempfile.mkdtemp(prefix=".report-", dir=target))
    except OSError as error:
        raise _no_folder(target, error) from None
    try:
        yield work
        for path in sorted(work.rglob("*")):
            if path.is_file():
                place = target / path.relative_to(work)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, place)
    except OSError as error:
        raise _no_folder(target, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(
    arguments: argparse.Namespace,
    plan: PlanFile,
    beats: BeatFile | None,
    codes: set[str] | None,
    changes: Changes | None,
    context: dict[str, gpd.GeoDataFrame],
    filing: Filing,
    folder: Path,
) -> list[str]:
    """Everything in every language; what was written, a line each."""
    written: list[str] = []
    for language in LANGUAGES[arguments.language]:
        mark = "" if arguments.language != "both" else f"-{language}"
        write_register(plan, folder / f"register{mark}.xlsx", language=language,
                       filing=filing)  # fmt: skip
        write_approval(plan, folder / f"approval{mark}.docx", language=language,
                       filing=filing)  # fmt: skip
        written += [f"register{mark}.xlsx", f"approval{mark}.docx"]
        if changes is not None:
            write_changes(changes, folder / f"changes{mark}.xlsx", language=language,
                          filing=filing)  # fmt: skip
            written.append(f"changes{mark}.xlsx")
        if not arguments.no_sheets:
            imprint = Imprint(arguments.place, filing.unit, filing.date, filing.version)
            atlas = Atlas(plan, context, beats, language, imprint, filing.leaders)
            written += _sheets(arguments, atlas, _folder(folder / f"sheets{mark}"), codes)
    return written


def _wanted(
    arguments: argparse.Namespace, plan: PlanFile
) -> tuple[set[str] | None, Changes | None]:
    """Codes of the grids to draw (None for all), and the changes since an earlier version."""
    known = set(plan.grids["code"].astype(str))
    unknown = [code for code in arguments.only if code not in known]
    if unknown:
        raise InputError([Problem("report-no-code", Path(arguments.plan).name,
                                  params={"code": code}) for code in unknown])  # fmt: skip
    codes = set(arguments.only) or None
    if not arguments.changed_since:
        return codes, None
    changes = find_changes(read_plan(arguments.changed_since), plan)
    fresh = set(changes.sheets())
    return (fresh if codes is None else codes & fresh), changes


def _context(arguments: argparse.Namespace, plan: PlanFile) -> dict[str, gpd.GeoDataFrame]:
    """Roads, waters and railways in the plan's system; all their problems at once."""
    found: dict[str, gpd.GeoDataFrame] = {}
    problems: list[Problem] = []
    for role in ROLES:
        source = getattr(arguments, role)
        if not source:
            continue
        try:
            layer = read_layer(source, role)  # type: ignore[arg-type]
        except InputError as error:
            problems += error.problems
            continue
        if layer.crs is None:
            problems.append(Problem("report-lines", layer.file.name))
            continue
        table = layer.frame.drop(columns="geometry").reset_index(drop=True)
        frame = gpd.GeoDataFrame(
            table, geometry=metric(layer, plan.grids.crs), crs=plan.grids.crs
        )
        found[role] = frame[~(frame.geometry.isna() | frame.geometry.is_empty)].reset_index(
            drop=True
        )
    if problems:
        raise InputError(problems)
    return found


def _attachments(arguments: argparse.Namespace) -> list[tuple[str, Content]]:
    """Files for staff and services, under names that tell what they are, read where they lie."""
    given = ((name, getattr(arguments, name)) for name in (*ATTACHED, "roads"))
    return [(name, source) for name, source in given if source]


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_folder(path, error) from None
    return path


def _no_folder(path: Path, error: OSError) -> InputError:
    return InputError(
        [Problem("report-folder", path.name, params={"reason": error.strerror or "?"})]
    )


def _sheets(
    arguments: argparse.Namespace, atlas: Atlas, folder: Path, codes: set[str] | None
) -> list[str]:
    """Books of sheets, and pictures where they were asked for."""
    books = books_of(atlas, codes)
    target = Path(arguments.output)
    with kept_books(target, atlas, folder.name, resume=arguments.resume) as kept:
        written = draw_books(atlas, books, folder, kept, arguments.workers)
    if arguments.png:
        shown = _folder(folder / "png")
        draw_pictures(atlas, atlas.subjects("grid", codes), shown, arguments.workers)
        written.append(f"{folder.name}/png")
    return written
