"""What an office brings for the register besides the plan: rosters, services, events, roads.

Each file's role is told from its name, else from its columns; what it holds of persons is never
read. Nothing here keeps a file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import geopandas as gpd

from geo.columns import Role
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.roles import likely_role
from planning.leaders import WORDS, Leaders, known, read_leaders
from planning.planfile import PlanFile
from planning.register_form import Filing
from planning.services import Network, compound_rooms, nearest_services, places_of
from planning.staff import Pattern, Posts, incidents_by_grid, read_posts, staffing, strangers

register(
    {
        "attachment-no-place": (
            "没有可用的坐标或坐标系,未使用;请提供带坐标的图层。",
            "holds no places, or does not say in which coordinate system, and is not used; give a "
            "layer with coordinates.",
        ),
        "attachment-no-use": (
            "看不出用途,未使用;文件名中请写明岗位、领导联网格、服务、派出所、小区、道路或事件。",
            "is of no use that its name tells, and is not used; let the name say posts, leaders, "
            "services, stations, compounds, roads or incidents.",
        ),
    }
)

_ROLES: tuple[Role, ...] = ("services", "stations", "compounds", "roads", "incidents")
ROSTER = ("岗位", "网格员", "人员", "名册", "post", "staff", "roster")


@dataclass(frozen=True)
class Attached:
    """The filing with what the files told, and what was wrong with them."""

    filing: Filing
    problems: tuple[Problem, ...]


def attach(
    plan: PlanFile,
    files: Sequence[tuple[str, bytes]],
    filing: Filing,
    *,
    trusted: bool = False,
) -> Attached:
    """Read files (name, content) and work out staff, services and compounds for ``filing``.

    ``trusted`` as in :func:`geo.read.read_layer`. A file that cannot be read or used is told among
    the problems and left out; :class:`InputError` is raised only for a pattern of posts that
    cannot be understood.
    """
    pattern = Pattern.parse(filing.pattern)
    frames: dict[Role, gpd.GeoDataFrame] = {}
    posts: Posts | None = None
    leaders: Leaders = dict(filing.leaders)
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory(prefix="gridwright-attached-") as folder:
        for number, (name, data) in enumerate(files):
            path = Path(folder) / f"{number}{''.join(Path(name).suffixes[-1:])}"
            path.write_bytes(data)
            read = partial(read_layer, path, trusted=trusted, name=name)
            role = likely_role(name)
            try:
                if any(word in name.casefold() for word in WORDS):
                    found, strange = known(plan, read_leaders(path, trusted=trusted, name=name))
                    leaders |= found
                    problems += strange
                elif any(word in name.casefold() for word in ROSTER):
                    posts = read_posts(path, trusted=trusted, name=name)
                    problems += [*posts.problems, *strangers(plan, posts)]
                elif role in _ROLES:
                    frames[role] = _placed(read(role), name)
                else:
                    problems.append(Problem("attachment-no-use", name, severity="warning"))
            except InputError as error:
                problems += error.problems
    filing = replace(filing, leaders=leaders)
    return Attached(_worked_out(plan, filing, pattern, posts, frames), tuple(problems))


def _placed(layer: Layer, name: str) -> gpd.GeoDataFrame:
    frame = layer.frame
    if not isinstance(frame, gpd.GeoDataFrame) or layer.crs is None:
        raise InputError([Problem("attachment-no-place", name)])
    kept = frame[frame.geometry.notna()].reset_index(drop=True)
    return kept.set_crs(layer.crs, allow_override=True)


def _worked_out(
    plan: PlanFile,
    filing: Filing,
    pattern: Pattern,
    posts: Posts | None,
    frames: dict[Role, gpd.GeoDataFrame],
) -> Filing:
    crs = plan.grids.crs
    counts = incidents_by_grid(plan, frames["incidents"]) if "incidents" in frames else None
    if posts is not None or counts is not None:
        filing = replace(filing, staff=staffing(plan, posts, pattern, counts))
    places = places_of(frames.get("services"), frames.get("stations"), crs)
    roads = frames.get("roads")
    network = None if roads is None else Network.of_roads(roads.to_crs(crs))
    if len(places):
        filing = replace(filing, services=nearest_services(plan, places, network))
    if "compounds" in frames:
        rooms = compound_rooms(plan, frames["compounds"], places, network)
        filing = replace(filing, compounds=rooms)
    return filing
