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

Content = bytes | str | Path
"""What a file holds, or where it lies: a path, or "FILE:layer"."""

_ROLES: tuple[Role, ...] = ("services", "stations", "compounds", "roads", "incidents")
ROSTER = ("岗位", "网格员", "人员", "名册", "post", "staff", "roster")


@dataclass(frozen=True)
class Attached:
    """The filing with what the files told, and what was wrong with them."""

    filing: Filing
    problems: tuple[Problem, ...]


def attach(
    plan: PlanFile,
    files: Sequence[tuple[str, Content]],
    filing: Filing,
    *,
    trusted: bool = False,
) -> Attached:
    """Read files (name, content) and work out staff, services and compounds for ``filing``.

    The name tells what a file is for. A path is read where it lies, with the files beside it and
    the layer named after its colon, and its problems carry the name that it has there. ``trusted``
    as in :func:`geo.read.read_layer`. A file that cannot be read or used is told among the
    problems, as an error, and left out; :class:`InputError` is raised only for a pattern of posts
    that cannot be understood.
    """
    pattern = Pattern.parse(filing.pattern)
    frames: dict[Role, gpd.GeoDataFrame] = {}
    posts: Posts | None = None
    leaders: Leaders = dict(filing.leaders)
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory(prefix="gridwright-attached-") as folder:
        for number, (name, data) in enumerate(files):
            source: str | Path
            own: str | None
            if isinstance(data, bytes):
                source = Path(folder) / f"{number}{''.join(Path(name).suffixes[-1:])}"
                source.write_bytes(data)
                own = name
            else:
                source, own = data, None
            read = partial(read_layer, source, trusted=trusted, name=own)
            role = likely_role(name)
            try:
                if any(word in name.casefold() for word in WORDS):
                    found, strange = known(plan, read_leaders(source, trusted=trusted, name=own))
                    leaders |= found
                    problems += strange
                elif any(word in name.casefold() for word in ROSTER):
                    posts = read_posts(source, trusted=trusted, name=own)
                    problems += [*posts.problems, *strangers(plan, posts)]
                elif role in _ROLES:
                    layer = read(role)
                    frames[role] = _placed(layer)
                    problems += layer.problems
                else:
                    problems.append(Problem("attachment-no-use", name, severity="warning"))
            except InputError as error:
                problems += error.problems
    filing = replace(filing, leaders=leaders)
    return Attached(_worked_out(plan, filing, pattern, posts, frames), tuple(problems))


def _placed(layer: Layer) -> gpd.GeoDataFrame:
    frame = layer.frame
    if not isinstance(frame, gpd.GeoDataFrame) or layer.crs is None:
        raise InputError([Problem("attachment-no-place", layer.file.name)])
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
