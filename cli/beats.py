"""``gridwright beats``: a plan of grids in, beats.gpkg out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from geo.messages import register
from geo.problems import InputError, Problem
from planning.beats.beatfile import BeatFile, to_beatfile, whole_share, write_beats
from planning.beats.describe import Summary, summary
from planning.beats.ground import BeatGround, BeatInputs, load_beat_ground
from planning.beats.judge import BEAT_RULES
from planning.beats.officers import assign
from planning.beats.propose import BeatProgress, propose_beats
from planning.beats.resume import UnfinishedAreas, digest_of
from planning.beats.settings import CROSSINGS, KINDS, BeatSettings
from planning.beats.work import WORDS, WorkSpec
from planning.planfile import read_plan, try_target

register(
    {
        "beats-argument": (
            "{option} 的“{value}”格式不对;请写成 {form}。",
            "{option} {value!r} is not of the form {form}.",
        ),
        "beats-least-change-existing": (
            "“最少调整”需要现有警格;请用 --existing 给出,或选择 balanced、compact。",
            "least change starts from today's beats; give them with --existing, or choose "
            "balanced or compact.",
        ),
        "beats-output-is-input": (
            "输出文件就是输入文件,会覆盖原始数据;请换一个文件名。",
            "is one of the input files and would be overwritten; give the beats another name.",
        ),
    }
)

_FILES = ("existing", "stations", "officers", "incidents", "barriers")
_HELP = {
    "existing": "today's beats: polygons, with codes or names and their station",
    "stations": "police stations: areas no beat may leave, or points",
    "officers": "posts, one a row, or counts a beat or station; codes, no names",
    "incidents": "incidents with places, to count as work",
    "barriers": "lines or areas no beat may cross (river, expressway)",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``beats`` to the command line."""
    sub = commands.add_parser(
        "beats",
        help="unite whole grids into police beats",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright beats plan.gpkg --existing beats_today.gpkg --incidents "
        "incidents.csv \\\n      --objective least-change --workload-band 0.10 -o beats.gpkg\n\n"
        "Each beat is exactly a union of whole grids and in one piece; what cannot be kept is "
        "listed.",
    )
    sub.add_argument("plan", metavar="plan.gpkg", help="the plan whose grids the beats unite")
    sub.add_argument("-o", "--output", required=True, metavar="beats.gpkg", help="the beats")
    files = sub.add_argument_group("files")
    for name in _FILES:
        files.add_argument(f"--{name}", metavar="FILE", help=_HELP[name])
    files.add_argument(
        "--columns", action="append", default=[], metavar="LAYER.MEANING=COLUMN",
        help="name a column the program does not recognise, e.g. beats.code=CAR_RTE",
    )
    work = sub.add_argument_group("work")
    work.add_argument(
        "--work", metavar="KIND[=WEIGHT],...",
        help=f"what counts as work: {', '.join(WORDS)}, mixed by weight, e.g. "
        "residents=1,incidents=2 (default: incidents where given, else residents)",
    )
    work.add_argument(
        "--categories", metavar="NAME=WEIGHT,...",
        help="weights of incident categories, 1 where not named",
    )
    work.add_argument(
        "--minutes", action="store_true",
        help="count incidents by the minutes they took, absurd ones clipped",
    )
    _add_rules(sub.add_argument_group("rules"))
    run = sub.add_argument_group("run")
    run.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same beats (0)")
    run.add_argument(
        "--strict", action="store_true", help="exit with 1 where a beat breaks a rule"
    )
    run.add_argument(
        "--resume", action=argparse.BooleanOptionalAction, default=True,
        help="go on where a run that was stopped left off (default), or start anew",
    )
    sub.set_defaults(run=run_beats)


def _add_rules(rules: argparse._ArgumentGroup) -> None:
    rules.add_argument(
        "--objective", choices=KINDS,
        help="what to look for (default: least-change with --existing, else balanced)",
    )
    rules.add_argument(
        "--workload-band", type=float, default=0.10, metavar="SHARE",
        help="how far a beat's work may lie from its area's mean (0.10)",
    )
    rules.add_argument(
        "--max-persons-urban", type=int, default=10_000, metavar="N",
        help="most residents of a town beat (10000; 0 for no cap)",
    )
    rules.add_argument(
        "--max-persons-rural", type=int, default=5_000, metavar="N",
        help="most residents of a country beat (5000; 0 for no cap)",
    )
    rules.add_argument(
        "--beats", type=int, metavar="N",
        help="number of beats (default: today's, or what caps and officers ask for)",
    )
    rules.add_argument(
        "--cross", choices=CROSSINGS, default="township",
        help="borders a beat may cross: any, those between villages of one township (default; "
        "with stations, of one station), or no village border",
    )
    for name, what in (
        ("link", "take two grids for neighbours (a bridge, an island): A,B"),
        ("cut", "take two grids for no neighbours (a wall, no bridge): A,B"),
        ("together", "keep grids in one beat: A,B,..."),
        ("apart", "keep two grids in different beats: A,B"),
        ("lock", "leave a beat of today as it is: its code"),
    ):
        rules.add_argument(
            f"--{name}", action="append", default=[], help=what,
            metavar="BEAT" if name == "lock" else "GRIDS",
        )


def run_beats(arguments: argparse.Namespace) -> int:
    """Do it; 0, or 1 with ``--strict`` where the beats list exceptions."""
    settings = settings_of(arguments)
    spec = work_spec(arguments)
    inputs = BeatInputs(
        **{name: getattr(arguments, name) for name in _FILES},
        columns=_columns(arguments.columns),
    )
    output = Path(arguments.output)
    try_target(output)
    _no_input(output, arguments)
    plan = read_plan(arguments.plan)
    ground = load_beat_ground(plan, inputs, spec)
    for note in ground.notes:
        print(f"{note.severity}: {note.text('en')}", file=sys.stderr)
    kept = UnfinishedAreas(output, digest_of(ground, settings)) if arguments.resume else None
    with tqdm(total=len(ground), unit="grid", disable=not sys.stderr.isatty()) as bar:
        shown = 0

        def show(progress: BeatProgress) -> None:
            nonlocal shown
            bar.update(progress.done - bar.n)
            tenth = 10 * progress.done // progress.total
            if bar.disable and tenth > shown:
                shown = tenth
                print(f"{progress.done} of {progress.total} grids", file=sys.stderr)

        found = propose_beats(ground, settings, progress=show, kept=kept)
    posts = assign(ground, found.plan, found.rules)
    for note in (*found.notes, *(posts.notes if posts else ())):
        print(f"{note.severity}: {note.text('en')}", file=sys.stderr)
    said = {"plan": Path(arguments.plan).name, "strict": arguments.strict}
    tables = to_beatfile(
        ground, found.plan, found.rules, posts=posts, source=plan, arguments=said
    )
    write_beats(tables, output)
    if kept is not None:
        _tell_kept(kept)
        kept.forget()
    _tell(tables, summary(ground, found.plan, found.rules), ground, found.fewest, output)
    return 1 if arguments.strict and len(tables.exceptions) else 0


def _tell_kept(kept: UnfinishedAreas) -> None:
    """On standard error: what was taken up, and why nothing was kept."""
    if kept.taken:
        print(f"{kept.taken} areas were taken up from a run that was stopped", file=sys.stderr)
    if kept.failed is not None:
        print(
            f"warning: finished areas could not be kept for another run ({kept.failed})",
            file=sys.stderr,
        )


def _tell(
    tables: BeatFile, s: Summary, ground: BeatGround, fewest: int, output: Path
) -> None:
    print(
        f"{output.name}: {s.beats} beats of {len(ground)} grids; "
        f"the caps need at least {fewest}"
    )
    unit = ground.work.unit
    rows = [
        (f"work ({unit}) inside the band", f"{s.inside:.1%} of beats"),
        ("worst deviation from the area's mean", f"{s.worst:.1%}"),
        ("mean distance of work from its beat's centre", f"{s.travel_m:,.0f} m"),
        ("beats in several pieces (declared)", f"{s.broken}"),
    ]
    if ground.today is not None:
        rows += [
            ("today's beats already of whole grids", f"{whole_share(ground):.1%}"),
            ("least work any such division must move", f"{s.bound:.1%}"),
            ("... knowing that grids move whole", f"{s.bound_whole:.1%}"),
            ("work moved to another beat", f"{s.moved_work:.1%}"),
            ("grids moved to another beat", f"{s.moved_grids:.1%}"),
            ("beats untouched", f"{s.untouched}"),
        ]
    for what, value in rows:
        print(f"  {what:<46}{value:>16}")
    for rule, count in tables.exceptions["rule"].value_counts().items():
        print(f"  {count} exceptions: {BEAT_RULES[rule][1]}")


def settings_of(arguments: argparse.Namespace) -> BeatSettings:
    """The rules as said on the command line. Raises :class:`InputError` for what cannot be."""
    kind = arguments.objective or ("least-change" if arguments.existing else "balanced")
    if kind == "least-change" and not arguments.existing:
        raise InputError([Problem("beats-least-change-existing")])
    groups = {
        name: tuple(_codes(f"--{name}", text, 2) for text in getattr(arguments, name))
        for name in ("link", "cut", "together", "apart")
    }
    for name in ("link", "cut", "apart"):
        for codes in groups[name]:
            if len(codes) != 2:
                params = {"option": f"--{name}", "value": ",".join(codes), "form": "A,B"}
                raise InputError([Problem("beats-argument", params=params)])
    try:
        return BeatSettings(
            kind=kind,
            band=arguments.workload_band,
            max_persons_urban=arguments.max_persons_urban or None,
            max_persons_rural=arguments.max_persons_rural or None,
            beats=arguments.beats,
            cross=arguments.cross,
            links=groups["link"],
            cuts=groups["cut"],
            together=groups["together"],
            apart=groups["apart"],
            locked=frozenset(arguments.lock),
            seed=arguments.seed,
        )
    except ValueError as error:
        raise InputError(
            Problem("beats-setting", params={"what": what}) for what in str(error).split("; ")
        ) from error


def work_spec(arguments: argparse.Namespace) -> WorkSpec:
    """What counts as work, as said on the command line."""
    return WorkSpec(
        weights=_weights("--work", arguments.work),
        categories=_weights("--categories", arguments.categories),
        minutes=arguments.minutes,
    )


def _codes(option: str, text: str, least: int) -> tuple[str, ...]:
    codes = tuple(part.strip() for part in text.split(",") if part.strip())
    if len(codes) < least:
        params = {"option": option, "value": text, "form": "A,B"}
        raise InputError([Problem("beats-argument", params=params)])
    return codes


def _weights(option: str, text: str | None) -> dict[str, float]:
    """``a=2,b`` as a mapping; a name alone weighs 1."""
    weights: dict[str, float] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, _, value = part.partition("=")
        try:
            weights[name.strip()] = float(value) if value.strip() else 1.0
        except ValueError as error:
            params = {"option": option, "value": part.strip(), "form": "NAME=WEIGHT,..."}
            raise InputError([Problem("beats-argument", params=params)]) from error
    return weights


def _columns(given: list[str]) -> dict[str, str]:
    columns = {}
    for value in given:
        key, equals, column = value.partition("=")
        if not equals or "." not in key or not column:
            form = "beats.code=COLUMN"
            params = {"option": "--columns", "value": value, "form": form}
            raise InputError([Problem("beats-argument", params=params)])
        columns[key.strip()] = column.strip()
    return columns


def _no_input(output: Path, arguments: argparse.Namespace) -> None:
    """Refuse to write the beats over a file that they are made from."""
    for source in filter(None, [arguments.plan, *(getattr(arguments, n) for n in _FILES)]):
        for file in {Path(source), Path(str(source).rpartition(":")[0] or source)}:
            if output.exists() and file.exists() and output.samefile(file):
                raise InputError([Problem("beats-output-is-input", output.name)])
