"""What a planner asks for, turned into an edit: (request, plan, settings) -> a new plan.

A request is a small mapping as a browser, a script or a recorded history sends it; nothing in it
is trusted. Pure: the same request on the same plan gives the same plan, so that replaying a
history gives the present plan. Coordinates are metres in the plan's own system.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from geo.enclosures import VillageGround
from geo.repair import polygonal
from planning import edits
from planning.edits import Edited
from planning.graph import IntArray
from planning.plan import Kind, Plan
from planning.settings import Settings
from planning.strokes import cut_by_line, draw_exactly, split_by_line

Request = Mapping[str, object]

MOST_GRIDS = 899  # as many codes as a village has
MOST_POINTS = 20_000  # of a drawn line; a hand draws some hundreds
NAME_LENGTH = 60
REASON_LENGTH = 400


class RequestError(ValueError):
    """The request cannot be carried out on this plan: it names what is not there.

    ``code`` is one of "unknown", "units", "grid", "grids", "number", "shape", "text", "cut" (the
    pieces would not tile the village; nothing was cut).
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True)
class Done:
    """What came of a request.

    ``step`` its name; ``units`` and ``households`` changed grid, ``left`` units a lock held back,
    ``doubtful`` first units of stray parts that tidying left for a person; ``cut`` pieces more than
    there were units before; ``said`` what the history tells of it (codes, names and numbers by
    name).
    """

    plan: Plan
    step: str
    units: int = 0
    households: int = 0
    left: int = 0
    doubtful: tuple[int, ...] = ()
    cut: int = 0
    said: Mapping[str, str | int] = field(default_factory=dict)

    def changed(self, before: Plan) -> bool:
        """Is the plan another one than before?"""
        return (
            self.plan.units is not before.units
            or bool((self.plan.label != before.label).any())
            or dict(self.plan.grids) != dict(before.grids)
        )


def carry_out(
    request: Request, plan: Plan, settings: Settings, ground: VillageGround | None = None
) -> Done:
    """Carry out one request; raises :class:`RequestError` for one that names what is not there.

    ``ground`` tells where households live, for a request that cuts units (``"through": True``
    with "cut" or "draw"); without it a unit's households all go where its point lies. Never
    raises for making a bad plan: what is wrong with the result is listed elsewhere
    (:func:`planning.faults.faults`). Locked grids neither lose nor gain.
    """
    work = _WORK.get(str(request.get("do")))
    if work is None:
        raise RequestError("unknown", str(request.get("do"))[:40])
    if work in (_cut, _draw) and request.get("through") is True:
        return _through(request, plan, ground)
    return work(request, plan, settings)


# --- reading a request --------------------------------------------------------------------------


def _whole(value: object, code: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise RequestError(code, repr(value)[:40])
    return int(value)


def _listed(request: Request, name: str, code: str) -> list[object]:
    found = request.get(name)
    if not isinstance(found, list | tuple) or not found:
        raise RequestError(code, name)
    return list(found)


def _units(request: Request, plan: Plan) -> IntArray:
    numbers = np.array([_whole(v, "units") for v in _listed(request, "units", "units")])
    if (numbers < 0).any() or (numbers >= len(plan.units)).any():
        raise RequestError("units", "out of range")
    return numbers.astype(np.int64)


def _grid(request: Request, plan: Plan, name: str = "grid") -> int:
    key = _whole(request.get(name), "grid")
    if key not in plan.grids:
        raise RequestError("grid", str(key))
    return key


def _grids(request: Request, plan: Plan) -> list[int]:
    keys = [_whole(value, "grids") for value in _listed(request, "grids", "grids")]
    if any(key not in plan.grids for key in keys):
        raise RequestError("grids", str(keys)[:40])
    return keys


def _number(request: Request, name: str = "k") -> int:
    number = _whole(request.get(name), "number")
    if not 1 <= number <= MOST_GRIDS:
        raise RequestError("number", str(number))
    return number


def _text(request: Request, name: str, longest: int) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise RequestError("text", name)
    return " ".join("".join(ch for ch in value if ch.isprintable()).split())[:longest]


def _kind(request: Request) -> Kind:
    value = request.get("kind", "comprehensive")
    if value == "comprehensive":
        return "comprehensive"
    if value == "dedicated":
        return "dedicated"
    raise RequestError("unknown", "kind")


def _points(request: Request, least: int) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for point in _listed(request, "points", "shape"):
        if not isinstance(point, list | tuple) or len(point) != 2:
            raise RequestError("shape", "points")
        try:
            x, y = float(point[0]), float(point[1])
        except (TypeError, ValueError) as error:
            raise RequestError("shape", "points") from error
        if not (math.isfinite(x) and math.isfinite(y)):
            raise RequestError("shape", "points")
        if not points or points[-1] != (x, y):
            points.append((x, y))
    if not least <= len(points) <= MOST_POINTS:
        raise RequestError("shape", f"{len(points)} points")
    return points


def _named(plan: Plan, keys: list[int]) -> str:
    village = plan.units.code
    codes = (plan.grids[key].code.removeprefix(village) for key in keys if key in plan.grids)
    return " ".join(codes)


def _done(step: str, edited: Edited, **said: str | int) -> Done:
    return Done(edited.plan, step, edited.units, edited.households, edited.left, said=said)


# --- one function a request ---------------------------------------------------------------------


def _transfer(request: Request, plan: Plan, settings: Settings) -> Done:
    to = _grid(request, plan, "to")
    how = str(request["do"])
    return _done(how, edits.transfer(plan, _units(request, plan), to), grid=_named(plan, [to]))


def _merge(request: Request, plan: Plan, settings: Settings) -> Done:
    keys = _grids(request, plan)
    return _done("merge", edits.merge(plan, keys), grid=_named(plan, keys))


def _split(request: Request, plan: Plan, settings: Settings) -> Done:
    key, k = _grid(request, plan), _number(request)
    return _done("split", edits.split(plan, key, k, settings), grid=_named(plan, [key]), k=k)


def _cut(request: Request, plan: Plan, settings: Settings) -> Done:
    key, line = _grid(request, plan), _line(request)
    return _done("cut", split_by_line(plan, key, line), grid=_named(plan, [key]))


def _draw(request: Request, plan: Plan, settings: Settings) -> Done:
    key, outline = _grid(request, plan), _outline(request)
    return _done("draw", edits.draw(plan, key, outline), grid=_named(plan, [key]))


def _through(request: Request, plan: Plan, ground: VillageGround | None) -> Done:
    """Cut or draw with the units on the line cut."""
    key, do = _grid(request, plan), str(request["do"])
    line = _line(request) if do == "cut" else None
    outline = _outline(request) if line is None else None
    try:
        edited = (
            cut_by_line(plan, key, line, ground)
            if line is not None
            else draw_exactly(plan, key, outline, ground)
        )
    except (ValueError, shapely.GEOSException) as error:
        raise RequestError("cut", str(error)[:200]) from error
    done = _done(do, edited, grid=_named(plan, [key]))
    return replace(done, cut=len(edited.plan.units) - len(plan.units))


def _line(request: Request) -> shapely.LineString:
    return shapely.LineString(_points(request, 2))


def _outline(request: Request) -> shapely.Geometry:
    outline = polygonal(shapely.make_valid(shapely.Polygon(_points(request, 3))))
    if not outline.area > 0:
        raise RequestError("shape", "no area")
    return outline


def _balance(request: Request, plan: Plan, settings: Settings) -> Done:
    keys = _grids(request, plan)
    return _done("balance", edits.balance(plan, keys, settings), grid=_named(plan, keys))


def _new(request: Request, plan: Plan, settings: Settings) -> Done:
    units = _units(request, plan)
    return _done("new", edits.new_grid(plan, units, _kind(request)))


def _rename(request: Request, plan: Plan, settings: Settings) -> Done:
    key, name = _grid(request, plan), _text(request, "name", NAME_LENGTH)
    if not name:
        raise RequestError("text", "name")
    return Done(edits.rename(plan, key, name), "rename", said={"grid": _named(plan, [key])})


def _change_kind(request: Request, plan: Plan, settings: Settings) -> Done:
    key = _grid(request, plan)
    after = edits.change_kind(plan, key, _kind(request))
    return Done(after, "kind", said={"grid": _named(plan, [key])})


def _explain(request: Request, plan: Plan, settings: Settings) -> Done:
    key, reason = _grid(request, plan), _text(request, "reason", REASON_LENGTH)
    return Done(edits.explain(plan, key, reason), "explain", said={"grid": _named(plan, [key])})


def _set_number(request: Request, plan: Plan, settings: Settings) -> Done:
    k = _number(request)
    return _done("number", edits.set_number(plan, k, settings), k=k)


def _propose(request: Request, plan: Plan, settings: Settings) -> Done:
    return _done("propose", edits.propose_again(plan, settings))


def _tidy(request: Request, plan: Plan, settings: Settings) -> Done:
    tidied = edits.tidy(plan)
    one = tidied.edited
    doubtful = tuple(int(unit) for unit in tidied.doubtful)
    return Done(one.plan, "tidy", one.units, one.households, one.left, doubtful)


def _lock(request: Request, plan: Plan, settings: Settings) -> Done:
    locked = bool(request.get("locked", True))
    keys = _grids(request, plan) if "grids" in request else list(plan.grids)
    after = edits.lock(plan, keys, locked)
    return Done(after, "lock" if locked else "unlock", said={"grid": _named(plan, keys)})


_WORK: dict[str, Callable[[Request, Plan, Settings], Done]] = {
    "transfer": _transfer,
    "brush": _transfer,
    "drag": _transfer,
    "merge": _merge,
    "split": _split,
    "cut": _cut,
    "draw": _draw,
    "balance": _balance,
    "new": _new,
    "rename": _rename,
    "kind": _change_kind,
    "explain": _explain,
    "number": _set_number,
    "propose": _propose,
    "tidy": _tidy,
    "lock": _lock,
}

STEPS = ("start", *(name for name in _WORK), "unlock")
"""Names of all steps a history can hold."""
