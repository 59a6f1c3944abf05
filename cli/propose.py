"""``gridwright propose``: files in, plan.gpkg out."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from cli.workers import add_workers
from geo.columns import MEANINGS, ROLES
from geo.ground import Ground, Inputs, load_ground
from geo.messages import register
from geo.problems import InputError, Problem
from planning.codes import LAST_COMPREHENSIVE
from planning.county import Progress, propose_county
from planning.planfile import PlanFile, try_target, write_plan
from planning.resume import Unfinished, digest_of
from planning.running import Elsewhere
from planning.settings import PRESETS, Settings
from planning.tables import to_planfile
from planning.today import read_today

register(
    {
        "bad-settings": ("参数有误:{what}。", "{what}."),
        "grids-table-unreadable": (
            "无法读取每村网格数表;请给出含“村代码,网格数”两列的 CSV。",
            "cannot be read; give a CSV with the columns code,grids (村代码,网格数).",
        ),
        "grids-table-value": (
            "网格数“{value}”不是 1 到 899 的整数;请改正。",
            "the number of grids {value!r} is no whole number of 1 to 899; correct it.",
        ),
        "grids-table-code": (
            "村代码“{code}”为空或已出现过;每村一行。",
            "the village code {code!r} is blank or was there before; give each village one row.",
        ),
        "grids-table-village": (
            "村代码 {code} 不在村界文件中;请改正或删除该行。",
            "village code {code} is not in the villages file; correct or remove the row.",
        ),
        "output-is-input": (
            "输出文件就是输入文件,会覆盖原始数据;请换一个文件名。",
            "is one of the input files and would be overwritten; give the plan another name.",
        ),
        "band-argument": (
            "--band {value} 须在 0 和 1 之间,并与 --from 同用。",
            "--band {value} has to be between 0 and 1, and is used with --from.",
        ),
        "columns-argument": (
            "--columns 的“{value}”格式不对;请写成 villages.code=列名。",
            "--columns {value!r} is not of the form villages.code=COLUMN.",
        ),
        "columns-unknown": (
            "--columns 的“{key}”不存在;可用:{known}。",
            "--columns names {key!r}, which there is not; there are: {known}.",
        ),
    }
)

# tqdm's watching thread would keep the run from forking its workers
tqdm.monitor_interval = 0

_LAYERS = ("roads", "water", "railways", "compounds", "groups", "dedicated")
_FILES = ("villages", "households", *_LAYERS)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``propose`` to the command line."""
    sub = commands.add_parser(
        "propose",
        help="propose grids from village boundaries and households",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright propose --villages villages.gpkg --households "
        "households.csv \\\n      --roads roads.gpkg --water water.gpkg -o plan.gpkg\n\n"
        "FILE is a GeoPackage, GeoJSON, Shapefile or a zip of one, KML, GeoParquet, FileGDB, CSV "
        "or Excel;\nFILE:layer names a layer.",
    )
    need = sub.add_argument_group("files")
    need.add_argument(
        "--villages", metavar="FILE",
        help="village polygons (without: the outline of the households' adjoining areas is one)",
    )
    need.add_argument(
        "--households", required=True, metavar="FILE",
        help="household points with optional counts, or polygons with counts",
    )
    for name in _LAYERS:
        need.add_argument(f"--{name}", metavar="FILE", help=_HELP[name])
    need.add_argument("-o", "--output", required=True, metavar="plan.gpkg", help="the plan")
    need.add_argument(
        "--columns", action="append", default=[], metavar="LAYER.MEANING=COLUMN",
        help="name a column the program does not recognise, e.g. villages.code=XZQDM",
    )
    need.add_argument(
        "--datum", choices=("auto", "wgs84", "gcj02", "bd09"), default="auto",
        help="datum of the households' longitudes and latitudes (default: found by trying)",
    )
    need.add_argument(
        "--repair", action="store_true", help="also repair large overlaps between villages"
    )
    rules = sub.add_argument_group("rules")
    rules.add_argument("--preset", choices=sorted(PRESETS), help="a place's published rules")
    rules.add_argument("--target", type=int, metavar="N", help="households a grid (300)")
    rules.add_argument("--min-households", type=int, metavar="N", help="least households a grid")
    rules.add_argument("--max-households", type=int, metavar="N", help="most households a grid")
    rules.add_argument(
        "--max-persons", type=int, metavar="N", help="most persons a grid (1500; 0 for no cap)"
    )
    rules.add_argument(
        "--grids-per-village", metavar="FILE.csv", help="numbers fixed by hand: code,grids"
    )
    rules.add_argument(
        "--from", dest="today", metavar="PLAN.gpkg",
        help="keep these grids (a plan, or any polygons with codes) and change only those that "
        "break a rule",
    )
    rules.add_argument(
        "--band", type=float, metavar="SHARE",
        help="with --from: also change grids farther than this from their village's even count, "
        "e.g. 0.3 (default: only what breaks a rule)",
    )
    rules.add_argument("--micro", type=int, metavar="N", help="also micro-grids of N households")
    rules.add_argument(
        "--tolerance", type=float, metavar="M",
        help="give households up to M metres outside every village to the nearest (20)",
    )
    for name, what in (
        ("balance", "even household counts"),
        ("shape", "compact outlines"),
        ("walk", "short walks"),
        ("lines", "borders along roads and rivers"),
    ):
        rules.add_argument(
            f"--{name}", type=float, metavar="W", help=f"weight of {what}, 0 to 3 (1)"
        )
    run = sub.add_argument_group("run")
    run.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same plan (0)")
    add_workers(run)
    run.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="plan on the workers of this Dask scheduler: tls://HOST:PORT, or "
        "tcp://127.0.0.1:PORT on this machine (docs/cluster.md)",
    )
    run.add_argument("--tls-ca", metavar="FILE", help="certificate authority of the cluster")
    run.add_argument("--tls-cert", metavar="FILE", help="our certificate for the cluster")
    run.add_argument("--tls-key", metavar="FILE", help="its key")
    run.add_argument(
        "--resume", action=argparse.BooleanOptionalAction, default=True,
        help="keep finished villages beside the plan until it is written, and take up those of a "
        "run that was stopped (on)",
    )
    run.add_argument(
        "--strict", action="store_true", help="exit with 1 where a grid breaks a rule"
    )
    sub.set_defaults(run=run_propose)


_HELP = {
    "roads": "road lines; grids prefer to end at them",
    "water": "rivers and lakes, lines or polygons",
    "railways": "railway lines",
    "compounds": "residential compounds (小区), kept whole",
    "groups": "natural villages or village groups, kept whole",
    "dedicated": "schools, hospitals, parks: dedicated grids of their own",
}


def run_propose(arguments: argparse.Namespace) -> int:
    """Do it; 0, or 1 with ``--strict`` where the plan lists exceptions."""
    columns = _columns(arguments.columns)
    settings = _settings(arguments)
    band = _band(arguments)
    files = {name: getattr(arguments, name) for name in _LAYERS}
    output = Path(arguments.output)
    try_target(output)
    _no_input(output, arguments)
    ground = load_ground(
        Inputs(
            arguments.villages, arguments.households, **files, columns=columns,
            datum=arguments.datum, repair_overlaps=arguments.repair,
        ),
        settings.tolerance_m,
    )
    for note in ground.notes:
        print(f"{note.severity}: {note.text('en')}", file=sys.stderr)
    _known_villages(settings, ground, arguments.grids_per_village)
    today = None if arguments.today is None else read_today(arguments.today, ground.crs)
    kept = None
    if arguments.resume:
        kept = Unfinished(output, digest_of(ground, settings, today, band))
    total = len(ground.villages)
    gc.freeze()  # what was read stays: nobody need look through it for rubbish, nor a fork copy it
    with tqdm(total=total, unit="village", disable=not sys.stderr.isatty()) as bar:

        def show(progress: Progress) -> None:
            bar.update(progress.done - bar.n)
            if bar.disable and (progress.done % max(1, total // 10) == 0 or progress.done == total):
                print(f"{progress.done} of {total} villages", file=sys.stderr)

        with _elsewhere(arguments) as elsewhere:
            plan = propose_county(
                ground, settings, workers=arguments.workers, progress=show, today=today,
                band=band, kept=kept, elsewhere=elsewhere, shapes=False,
            )  # fmt: skip
    said = {"strict": arguments.strict} | ({} if band is None else {"band": band})
    tables = to_planfile(plan, said)
    write_plan(tables, output)
    _tell(tables, output)
    if kept is not None:
        _tell_kept(kept)
        kept.forget()
    if today is not None:
        _tell_upkeep(tables)
    return 1 if arguments.strict and len(tables.exceptions) else 0


@contextmanager
def _elsewhere(arguments: argparse.Namespace) -> Iterator[Elsewhere | None]:
    """The cluster that ``--scheduler`` names, None without one."""
    if arguments.scheduler is None:
        yield None
        return
    from planning.cluster import Certificates, connected, lost  # no other run waits for it

    files = Certificates(
        *(None if f is None else Path(f) for f in (
            arguments.tls_ca, arguments.tls_cert, arguments.tls_key
        ))
    )  # fmt: skip
    with connected(arguments.scheduler, files) as cluster:
        try:
            yield cluster
        except CancelledError as error:  # Dask gives up all work of a scheduler that is gone
            raise lost(arguments.scheduler) from error


def _no_input(output: Path, arguments: argparse.Namespace) -> None:
    """Refuse to write the plan over a file that it is made from."""
    sources = [getattr(arguments, name) for name in _FILES]
    for source in filter(None, sources):
        # FILE:layer names the same file; a colon may also belong to the name itself
        for file in {Path(source), Path(str(source).rpartition(":")[0] or source)}:
            if output.exists() and file.exists() and output.samefile(file):
                raise InputError([Problem("output-is-input", output.name)])


def _tell(plan: PlanFile, output: Path) -> None:
    unplaced = int(plan.unplaced["households"].sum())
    print(
        f"{output.name}: {len(plan.grids)} grids in {len(plan.villages)} villages, "
        f"{int(plan.grids['households'].sum())} households"
        + (f", {unplaced} more unplaced" if unplaced else "")
    )
    for key, words in (
        ("result.within_10_percent_of_ideal", "of grids within 10 % of their village's ideal"),
        ("result.inner_border_on_line", "of inner border along roads, rivers or railways"),
    ):
        value = plan.value(key)
        if value:
            print(f"  {float(value):.1%} {words}")
    for rule, count in plan.exceptions["rule"].value_counts().items():
        print(f"  {count} exceptions: {rule}")


def _tell_kept(kept: Unfinished) -> None:
    """On standard error: what was taken up, and why nothing was kept."""
    if kept.taken:
        print(f"{kept.taken} villages were taken up from a run that was stopped", file=sys.stderr)
    if kept.failed is not None:
        print(
            f"warning: finished villages could not be kept for another run ({kept.failed})",
            file=sys.stderr,
        )


def _tell_upkeep(plan: PlanFile) -> None:
    """What became of the grids that were kept, and on standard error what could not be kept."""
    value = {str(k): str(v) for k, v in plan.provenance[["key", "value"]].to_numpy()}
    print(
        f"  from {value['from.file']}: {value['from.grids_unchanged']} grids unchanged, "
        f"{value['from.grids_changed']} changed, {value['from.grids_new']} new, "
        f"{value['from.grids_gone']} gone\n"
        f"  {value['from.households_moved']} households moved; mending the same grids takes at "
        f"least {value['from.lower_bound']}"
    )
    rows = plan.provenance
    for item in rows.loc[rows["key"] == "from.not_kept", "value"]:
        print(f"warning: not kept of grid {item}", file=sys.stderr)


def _band(arguments: argparse.Namespace) -> float | None:
    band: float | None = arguments.band
    if band is not None and (arguments.today is None or not 0 < band < 1):
        raise InputError([Problem("band-argument", params={"value": band})])
    return band


def _columns(given: list[str]) -> dict[str, str]:
    """``--columns`` as a mapping from layer.meaning to column."""
    columns, problems = {}, []
    for value in given:
        key, equals, column = value.partition("=")
        if not equals or "." not in key or not column:
            problems.append(Problem("columns-argument", params={"value": value}))
            continue
        role, _, meaning = key.strip().partition(".")
        layers = {name: list(MEANINGS[name]) for name in ROLES if name in _FILES}
        if role not in layers or meaning not in layers[role]:
            params = {"key": role, "known": ", ".join(layers)}
            if role in layers:
                params = {"key": meaning, "known": ", ".join(layers[role])}
            problems.append(Problem("columns-unknown", params=params))
        columns[key.strip()] = column.strip()
    if problems:
        raise InputError(problems)
    return columns


def _settings(arguments: argparse.Namespace) -> Settings:
    """Preset first, then whatever was said on the command line."""
    changes: dict[str, object] = {"seed": arguments.seed}
    known = {f.name for f in fields(Settings)}
    for name in (
        "target", "min_households", "max_households", "max_persons", "micro",
        "balance", "shape", "walk", "lines",
    ):
        value = getattr(arguments, name)
        if value is not None and name in known:
            changes[name] = value
    if arguments.max_persons == 0:
        changes["max_persons"] = None
    if arguments.tolerance is not None:
        changes["tolerance_m"] = arguments.tolerance
    if arguments.grids_per_village:
        changes["grids_per_village"] = grids_table(Path(arguments.grids_per_village))
    try:
        if arguments.preset:
            return Settings.preset(arguments.preset, **changes)
        return Settings(**changes)  # type: ignore[arg-type]
    except ValueError as error:
        raise InputError(
            Problem("bad-settings", params={"what": what}) for what in str(error).split("; ")
        ) from error


def grids_table(path: Path) -> dict[str, int]:
    """The numbers of grids fixed by hand: a CSV with code,grids or 村代码,网格数.

    Raises :class:`InputError` with every row that is wrong.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            table = pd.read_csv(path, dtype=str, encoding=encoding)
            break
        except UnicodeDecodeError:
            continue
        except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError([Problem("grids-table-unreadable", path.name)]) from error
    else:
        raise InputError([Problem("grids-table-unreadable", path.name)])
    names = {
        "code": ("code", "village_code", "村代码", "区划代码"),
        "grids": ("grids", "number", "网格数", "网格数量"),
    }
    columns = {}
    for key, choices in names.items():
        hit = [c for c in table.columns if str(c).strip().lower() in choices]
        if not hit:
            raise InputError([Problem("grids-table-unreadable", path.name)])
        columns[key] = hit[0]
    numbers: dict[str, int] = {}
    problems = []
    codes, given = (table[columns[key]].fillna("").str.strip() for key in ("code", "grids"))
    for row, (code, grids) in enumerate(zip(codes, given, strict=True), start=2):
        if not grids.isdecimal() or len(grids) > 6 or not 1 <= int(grids) <= LAST_COMPREHENSIVE:
            params = {"value": grids[:40]}
            problems.append(Problem("grids-table-value", path.name, f"row {row}", params))
        elif not code or code in numbers:
            params = {"code": code}
            problems.append(Problem("grids-table-code", path.name, f"row {row}", params))
        else:
            numbers[code] = int(grids)
    if problems:
        raise InputError(problems)
    return numbers


def _known_villages(settings: Settings, ground: Ground, file: str | None) -> None:
    known = set(ground.villages["code"])
    unknown = [code for code in settings.grids_per_village if code not in known]
    if unknown:
        name = Path(file or "").name
        raise InputError(
            Problem("grids-table-village", name, params={"code": code}) for code in unknown
        )
