"""What the planner's board shows, as the message to the browser; pure, no Streamlit.

A village's ground (its units) travels once; after that only labels that changed, and the numbers of
the grids, which are few.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import shapely

from planning.faults import FAULTS, NO_GRID, Fault, faults
from planning.graph import IntArray
from planning.history import STEPS, Step
from planning.naming import short_number
from planning.plan import Plan
from planning.record import ground_key as content_key
from ui.degrees import to_degrees
from ui.desk import CONFLICT, Answer, Desk
from ui.format import DASH, decimal, name_text, share, whole
from ui.map.colours import deviation_class
from ui.map.encode import SCALE, dumps, encode_area
from ui.map.layers import context_layers
from ui.views import deviation_legend
from ui.words import WORDS, Language, word

Context = Mapping[str, gpd.GeoDataFrame]
WORD = "redraw."
MARGIN_M = 200.0  # of the context drawn around the village
ALL_STEPS = 400  # of a long history the last ones are listed
PART_RULES = ("stray", "split_set")
MOST_KNOWN = 4  # times as many shapes as a village has units are kept encoded
MOST_TOLD = 3  # steps of one person, told to who was overtaken
MOST_PLACES = 200  # rings drawn around households without a place
_WITH_VALUES = {"changes", "mine", "meanwhile", "unsaved", "unsaved_aside"}
_KNOWN: WeakKeyDictionary[Desk, dict[bytes, tuple[list[list[list[int]]], np.ndarray]]] = (
    WeakKeyDictionary()
)
_CONTEXT: WeakKeyDictionary[Desk, dict[tuple[str, ...], str]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Sent:
    """What the browser of one session was last sent."""

    ground_key: str
    token: str
    label: IntArray
    language: Language


def words_for(language: Language) -> dict[str, str]:
    """The board's own words, without their prefix."""
    names = [key.removeprefix(WORD) for key in WORDS if key.startswith(WORD)]
    own = {
        name: word(f"redraw.{name}", language)
        for name in names
        if name not in _WITH_VALUES and not name.startswith("told_")
    }
    return own | {"notice": word("map.notice", language)}


def place_key(desk: Desk) -> str:
    """Names the village that the browser shows."""
    return f"{desk.project}/{desk.village}"


def ground_key(desk: Desk, plan: Plan) -> str:
    """Names the ground that the browser holds: another one once units were cut."""
    return f"{place_key(desk)}/{content_key(plan.units)[:16]}"


def _context(desk: Desk, context: Context) -> list[dict[str, Any]]:
    west, south, east, north = shapely.total_bounds(desk.plan.units.geometry)
    window = (west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M)
    near = {role: frame.clip(shapely.box(*window)) for role, frame in context.items()}
    near = {role: frame for role, frame in near.items() if len(frame)}
    rows = []
    for layer in context_layers(near, dict.fromkeys(near, ""), window=window):
        for text in layer.features.values():
            rows.append({"style": layer.style, "area": layer.kind == "area", "text": text})
    return rows


def ground_message(desk: Desk, plan: Plan, context: Context) -> str:
    """The village's units and what lies around them, as JSON text."""
    shapes, bounds = _encoded(desk, plan)
    middle = to_degrees(_places(plan), desk.ground.crs)
    places = np.rint(shapely.get_coordinates(middle) * SCALE).astype(int)
    head = {
        "key": ground_key(desk, plan),
        "place": place_key(desk),
        "bounds": bounds,
        "units": shapes,
        "places": places.ravel().tolist(),
        "households": plan.units.households.tolist(),
        "persons": plan.units.persons.tolist(),
    }
    return dumps(head)[:-1] + ',"context":[' + _context_text(desk, context) + "]}"


def _context_text(desk: Desk, context: Context) -> str:
    """The context as it travels, made once a village and set of layers."""
    known = _CONTEXT.setdefault(desk, {})
    roles = tuple(sorted(context))
    if roles not in known:
        rows = []
        for row in _context(desk, context):
            runs = f'{{"style":{dumps(row["style"])},"area":{dumps(row["area"])},"feature":'
            rows.append(runs + str(row["text"]) + "}")
        known[roles] = ",".join(rows)
    return known[roles]


def _encoded(desk: Desk, plan: Plan) -> tuple[list[list[list[list[int]]]], list[float]]:
    """The units' shapes as they travel, and their bounds in degrees; kept for the next cutting.

    A line cuts some units of many; encoding all of them again would take longer than the cut.
    """
    known = _KNOWN.setdefault(desk, {})
    keys = shapely.to_wkb(plan.units.geometry)
    fresh = np.flatnonzero([key not in known for key in keys])
    shown = to_degrees(plan.units.geometry[fresh], desk.ground.crs)
    for number, shape, box in zip(fresh.tolist(), shown, shapely.bounds(shown), strict=True):
        known[keys[number]] = (encode_area(shape), box)
    held = [known[key] for key in keys]
    if len(known) > MOST_KNOWN * len(keys):
        _KNOWN[desk] = dict(zip(keys, held, strict=True))
    boxes = np.array([box for _, box in held])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return [shape for shape, _ in held], [*low.round(6).tolist(), *high.round(6).tolist()]


def _places(plan: Plan) -> np.ndarray:
    """A place in each unit: where its households are if that is inside, else any point inside."""
    homes = shapely.points(plan.units.x, plan.units.y)
    inside = shapely.contains_properly(plan.units.geometry, homes)
    return np.where(inside, homes, shapely.point_on_surface(plan.units.geometry))


def _anchor(plan: Plan, key: int) -> int:
    """The unit nearest to a grid's middle: where its plate stands."""
    units = plan.members(key)
    mass = plan.units.area[units]
    x = np.average(plan.units.x[units], weights=mass)
    y = np.average(plan.units.y[units], weights=mass)
    away = (plan.units.x[units] - x) ** 2 + (plan.units.y[units] - y) ** 2
    return int(units[np.argmin(away)])


def fault_text(fault: Fault, language: Language) -> str:
    """One fault as one line."""
    name = FAULTS[fault.rule][0 if language == "zh" else 1]
    if fault.rule in ("stray", "unplaced"):
        return f"{name} · {whole(fault.value)} {word('redraw.households', language)}"
    if fault.rule == "split_set":
        return f"{name} · {name_text(fault.name)} {whole(fault.value)} / {whole(fault.limit)}"
    if fault.rule == "along_nothing":
        return f"{name} · {share(fault.value)}"
    return f"{name} · {whole(fault.value)} / {whole(fault.limit)}"


def step_text(step: Step, language: Language) -> str:
    """One step of the history as one line."""
    name = STEPS.get(step.name, (step.name, step.name))[0 if language == "zh" else 1]
    parts = [name, name_text(step.params.get("grid", ""))]
    if "k" in step.params:
        parts.append(f"→ {step.params['k']}")
    if step.households:
        parts.append(f"({whole(step.households)} {word('redraw.households', language)})")
    return " ".join(part for part in parts if part)


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _grid_rows(desk: Desk, plan: Plan, language: Language) -> tuple[list[Any], list[Any]]:
    """Rows of the grids, and rows of what is wrong."""
    found = faults(plan, desk.settings, desk.set_names, desk.unplaced)
    by_grid: dict[int, list[str]] = {}
    for fault in found:
        by_grid.setdefault(fault.key, []).append(fault_text(fault, language))
    m, rows = plan.measures, []
    target = desk.settings.target
    for row, key in enumerate(plan.keys.tolist()):
        grid = plan.grids[key]
        usual = grid.kind == "comprehensive"
        deviation = m.households[row] / target - 1 if usual else np.nan
        rows.append(
            {
                "key": key,
                "code": _short(plan, key),
                "full": grid.code,
                "name": grid.name,
                "dedicated": not usual,
                "locked": grid.locked,
                "reason": grid.reason,
                "households": int(m.households[row]),
                "persons": int(m.persons[row]),
                "deviation": _number(deviation),
                "class": int(deviation_class([deviation])[0]),
                "compactness": float(decimal(m.polsby_popper[row])),
                "reach": _number(m.reach_m[row]),
                "on_lines": _number(m.edge_on_line[row]),
                "unit": _anchor(plan, key),
                "faults": by_grid.get(key, []),
            }
        )
    rows.sort(key=lambda one: str(one["full"]))
    return rows, [_wrong_row(desk, plan, fault, language) for fault in found]


def _wrong_row(desk: Desk, plan: Plan, fault: Fault, language: Language) -> dict[str, Any]:
    """A row of what is wrong, and where a click on it goes: to units, or to places in degrees."""
    row: dict[str, Any] = {
        "key": fault.key,
        "code": DASH if fault.key == NO_GRID else _short(plan, fault.key),
        "text": fault_text(fault, language),
        "units": list(fault.units),
        "part": fault.rule in PART_RULES,
    }
    if fault.places:
        shown = to_degrees(shapely.points(np.array(fault.places)), desk.ground.crs)
        degrees = shapely.get_coordinates(shown).round(6)
        row["places"] = degrees[:MOST_PLACES].tolist()
        row["box"] = [*degrees.min(axis=0).tolist(), *degrees.max(axis=0).tolist()]
    return row


def _short(plan: Plan, key: int) -> str:
    return short_number(plan.grids[key].code, plan.units.code, plan.grids[key].name)


def _steps(desk: Desk, language: Language) -> list[dict[str, str]]:
    listed = [{"text": word("redraw.start", language), "time": ""}]
    listed += [
        {"text": step_text(step, language), "time": step.time} for step in desk.history.steps
    ]
    return listed


def _scenarios(desk: Desk, language: Language) -> list[dict[str, Any]]:
    rows = []
    for held in desk.scenarios.now():
        text = word("redraw.changes", language, count=whole(held.changes))
        name = held.name if held.parent is not None else word("redraw.first_scenario", language)
        rows.append(
            {"id": held.id, "name": name, "text": text, "open": held.id == desk.scenario}
        )
    return rows


def answer_text(answer: Answer, language: Language) -> str:
    """What is told of a request."""
    values = dict(answer.values)
    if "problems" in values and not isinstance(values["problems"], str):
        told = (problem.text(language) for problem in answer.values["problems"])  # type: ignore[attr-defined]
        values["problems"] = " ".join(told)
    values["step"] = _step_name(str(values.get("step", "")), language)
    others = values.pop("others", ())
    if "since" in values:
        values |= {"since": _clock(str(values["since"])), "who": _who(values["who"], language)}
    text = word(answer.key, language, **values)
    if answer.key in (CONFLICT, "redraw.told_rebased"):
        text = f"{text} {others_text(others, language)}".strip()  # type: ignore[arg-type]
    return text


def _step_name(name: str, language: Language) -> str:
    return STEPS.get(name, (name, name))[0 if language == "zh" else 1]


def _who(name: object, language: Language) -> str:
    return name_text(name) or word("redraw.somebody", language)


def _clock(time: str) -> str:
    """Hour and minute of a moment, by the server's clock."""
    return datetime.fromisoformat(time).astimezone().strftime("%H:%M")


def others_text(others: Sequence[tuple[str, str]], language: Language) -> str:
    """Who did what meanwhile, as one line: each person once, with their last steps."""
    by_who: dict[str, list[str]] = {}
    for who, name in others:
        by_who.setdefault(_who(who, language), []).append(_step_name(name, language))
    told = [
        word("redraw.meanwhile", language, who=who, what=", ".join(steps[-MOST_TOLD:]),
             count=whole(len(steps)))
        for who, steps in by_who.items()
    ]  # fmt: skip
    return " ".join(told)


def _unsaved(desk: Desk, language: Language) -> dict[str, Any] | None:
    """What is in no store, why, and the file it can be taken away in; None for nothing."""
    if not desk.unsaved:
        return None
    key = "redraw.unsaved" if desk.pending else "redraw.unsaved_aside"
    why = desk.trouble.problems if desk.trouble is not None else ()
    text = word(key, language, count=whole(len(desk.unsaved)))
    return {
        "text": " ".join([text, *(problem.text(language) for problem in why)]),
        "waiting": bool(desk.pending),
        "file": desk.unsaved_file(),
        "name": f"gridwright-unsaved-{desk.village}.json",
    }


def _labels(label: IntArray, sent: Sent | None, base_ok: bool) -> dict[str, Any]:
    if sent is None or not base_ok:
        return {"labels": label.tolist()}
    moved = np.flatnonzero(label != sent.label)
    keys = np.unique(label[moved]).tolist()
    changed = [[key, moved[label[moved] == key].tolist()] for key in keys]
    return {"base": sent.token, "changed": changed}


def message(
    desk: Desk, context: Context, language: Language, sent: Sent | None, answer: Answer | None,
    without: Collection[str] = (),
) -> tuple[bytes, Sent]:  # fmt: skip
    """The message that brings a browser to the desk's present state, and what it then holds.

    ``without`` are buttons that whoever looks may not use, beside those that the desk has not.
    """
    with desk.lock:
        plan, token = desk.plan, desk.token
        key = ground_key(desk, plan)
        known = sent is not None and sent.ground_key == key
        rows, wrong = desk.listed(plan, language) or _grid_rows(desk, plan, language)
        state: dict[str, Any] = {
            "version": token,
            **_labels(plan.label, sent, known),
            "grids": rows,
            "wrong": wrong,
            "steps": _steps(desk, language),
            "position": len(desk.history.past),
            "target": desk.settings.target,
            "scenarios": _scenarios(desk, language),
            "answer": None,
            "unsaved": _unsaved(desk, language),
        }
    if answer is not None:
        state["answer"] = {
            "id": answer.id, "text": answer_text(answer, language), "kind": answer.kind,
            "edit": answer.edit, "stale": answer.key == CONFLICT, "again": answer.again,
        }  # fmt: skip
    head: dict[str, Any] = {"ground_key": key, "state": state}
    if sent is None or not known or sent.language != language:
        own = desk.own_words(language)
        legend = deviation_legend(language)
        hidden = sorted({*own.get("without", "").split(), *without})
        head["words"] = words_for(language) | dict(own) | {"without": " ".join(hidden)}
        head["legend"] = legend | ({"title": own["legend"], "choices": []} if own else {})
    text = dumps(head)
    if not known:
        text = text[:-1] + ',"ground":' + ground_message(desk, plan, context) + "}"
    return text.encode(), Sent(key, token, plan.label, language)
