"""Beats on the planner's board: the machinery of grids, with grids for units and work for people.

The store keeps a division into beats as it keeps a village's grids: units (here: whole grids, whose
"households" are their work, rounded), labels, steps, scenarios. What a beat may and may not is
judged by :mod:`planning.beats` on the real grids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.ground import Ground
from geo.linework import Linework
from planning.beats.judge import BEAT_RULES, Frame, exceptions_of, frame, load_of
from planning.beats.plan import BeatPlan, as_beats
from planning.beats.pushes import pushes
from planning.county import CountyPlan, VillagePlan
from planning.measure import measure
from planning.plan import Plan
from planning.propose import Proposal
from planning.settings import Settings
from store.projects import Store
from ui.beats import BeatStudy, signature
from ui.desk import Desk
from ui.format import decimal, name_text, signed_share, whole
from ui.kept import Kept
from ui.map.colours import deviation_class
from ui.words import Language, word

NOTHING = np.empty(0, dtype=np.int64)
ADVICE = 4  # beats for which the best push is worked out: each costs a look at all grids


def judged(study: BeatStudy, plan: Plan) -> BeatPlan:
    """A plan of the board as the beats' own functions read it: real grids, today's beats by row."""
    ground = study.ground
    codes = [] if ground.today is None else [str(code) for code in ground.today.beats["code"]]
    row_of = {code: row for row, code in enumerate(codes)}
    keys: dict[int, int] = {}
    for key in plan.keys.tolist():
        keys[key] = row_of.get(plan.grids[key].code, len(codes) + key)
    label = np.array([keys[key] for key in plan.label.tolist()], dtype=np.int64)
    grids = {keys[key]: grid for key, grid in plan.grids.items()}
    top = max(grids) + 1
    return BeatPlan(ground.units, label, grids, plan.village_name, top, plan.used)


def board_units(study: BeatStudy) -> Any:
    """The grids as units of the board: their work stands where households do."""
    work = np.rint(study.ground.work.total).astype(np.int64)
    return replace(study.ground.units, households=work)


class BeatDesk(Desk):
    """The desk of a division into beats."""

    def __init__(self, study: BeatStudy, kind: str, *where: Any) -> None:
        self.study = study
        self._judge = study.divisions[kind].rules
        self._seen: tuple[Plan, BeatPlan] | None = None
        super().__init__(*where)

    @property
    def plan(self) -> BeatPlan:
        """The division as it is now."""
        present = self.history.present
        if self._seen is None or self._seen[0] is not present:
            self._seen = (present, as_beats(present))
        return self._seen[1]

    def rules(self) -> Frame:
        """What beats are judged by: for as many beats as there are now."""
        return frame(self.study.ground, self._judge.settings, len(self.plan.keys))

    def own_words(self, language: Language) -> Mapping[str, str]:
        """Words that mean something else on this board."""
        unit = self.study.ground.work.unit
        own = {
            name: word(f"beatboard.{name}", language)
            for name in (
                "grid", "grids", "unit", "units", "chosen_units", "new", "new_title", "number",
                "number_title", "propose_title", "merge_title", "tab_grids", "nothing_chosen",
                "by_grid", "by_grid_title", "show_units", "show_units_title", "on_lines",
            )
        }  # fmt: skip
        work = word("beats.work", language)
        return own | {
            "legend": word("beats.legend", language),
            "households": f"{work} ({unit})" if unit else work,
        }

    def listed(self, plan: Plan, language: Language) -> tuple[list[Any], list[Any]]:
        """Rows of the beats, and rows of what is wrong, the most overloaded with advice."""
        ground, rules = self.study.ground, self.rules()
        own = judged(self.study, plan)
        back = {own.grids[k].code: key for k in own.grids for key in plan.grids
                if plan.grids[key].code == own.grids[k].code}  # fmt: skip
        load, m, at = load_of(ground, own, rules), own.measures, 0 if language == "zh" else 1
        found = exceptions_of(ground, own, rules)
        spoken: dict[int, list[str]] = {}
        for e in found:
            text = BEAT_RULES[e.rule][at]
            if e.rule == "workload_band":
                text += f" {signed_share(load.deviation[np.searchsorted(own.keys, e.beat)], 1)}"
            elif e.rule == "max_persons":
                text += f" {whole(e.value)} / {whole(e.limit)}"
            spoken.setdefault(e.beat, []).append(text)
        rows = []
        for row, key in enumerate(own.keys.tolist()):
            beat, deviation = own.grids[key], float(load.deviation[row])
            rows.append(
                {
                    "key": back[beat.code], "code": beat.name or beat.code, "full": beat.code,
                    "name": beat.name, "dedicated": False, "locked": beat.locked,
                    "reason": beat.reason, "households": round(float(load.work[row])),
                    "persons": int(load.persons[row]), "deviation": round(deviation, 4),
                    "class": int(deviation_class([deviation])[0]),
                    "compactness": float(decimal(m.polsby_popper[row])),
                    "reach": round(float(m.reach_m[row]), 1), "on_lines": None,
                    "unit": int(own.members(key)[0]), "faults": spoken.get(key, []),
                    "extra": self._extra(load, row, language),
                }
            )  # fmt: skip
        rows.sort(key=lambda one: str(one["full"]))
        return rows, self._wrong(plan, own, back, found, spoken, language)

    def _extra(self, load: Any, row: int, language: Language) -> list[list[str]]:
        room = load.room_persons[row]
        held = [[word("beats.room_work", language), whole(load.room_work[row])]]
        if np.isfinite(room):
            held.append([word("beats.room", language), whole(room)])
        return held

    def _wrong(
        self, plan: Plan, own: BeatPlan, back: Mapping[str, int], found: list[Any],
        spoken: Mapping[int, list[str]], language: Language,
    ) -> list[dict[str, Any]]:  # fmt: skip
        worst = sorted({e.beat for e in found if e.rule == "workload_band" and e.value > 0},
                       key=lambda beat: -max(e.value for e in found if e.beat == beat))[:ADVICE]
        advice = {beat: self._advice(own, beat, language) for beat in worst}
        rows = []
        for beat, texts in spoken.items():
            for text in texts:
                rows.append(
                    {
                        "key": back[own.grids[beat].code],
                        "code": own.grids[beat].name or own.grids[beat].code,
                        "text": text + advice.pop(beat, ""),
                        "units": own.members(beat).tolist(),
                        "part": False,
                    }
                )
        return rows

    def _advice(self, own: BeatPlan, beat: int, language: Language) -> str:
        """The best grid to push to a neighbour, and what both beats then hold."""
        table = pushes(self.study.ground, own, self.rules(), beat)
        if table.empty or not float(table["gain"].iloc[0]) > 0:
            return ""
        best = table.iloc[0]
        return " · " + word(
            "beatboard.advice", language,
            grid=best["grid_code"], to=own.grids[int(best["to"])].name,
            own=signed_share(best["from_deviation"], 1),
            other=signed_share(best["to_deviation"], 1),
        )  # fmt: skip


class KeptBeats(Kept):
    """A division into beats in the store; its only village is the whole of the grids."""

    slot = "beat_scenario"

    def __init__(self, store: Store, project: int, study: BeatStudy, kind: str) -> None:
        super().__init__(store, project, None)
        self.study = study
        self.kind = kind
        self.place = str(self.ground.villages["code"].iloc[0])

    def make_desk(self, scenario: int, village: str) -> Desk:
        """The desk of the beats."""
        return BeatDesk(
            self.study, self.kind,
            self.store, self.project, scenario, village, self.ground, self.settings,
        )  # fmt: skip

    def beats(self, scenario: int) -> BeatPlan:
        """The division as it stands in a scenario."""
        return judged(self.study, self.desk(scenario, self.place).plan)


def grid_places(study: BeatStudy) -> tuple[tuple[str, str], ...]:
    """Code and township of every village whose grids the beats unite.

    The store knows beats as one place without a township; whoever redraws them has to hold all.
    """
    grids = study.ground.grids
    codes, towns = (grids[name].map(name_text) for name in ("village_code", "township_name"))
    return tuple(dict.fromkeys(zip(codes, towns, strict=True)))


def keep_beats(store: Store, study: BeatStudy, kind: str, name: str) -> KeptBeats:
    """The division in the store, put there if it is not."""
    mark = signature(study, kind)
    number = store.marked(mark)
    if number is None:
        number = store.create_project(
            _county(study, kind), name, provenance=study.file(kind).provenance, mark=mark
        ).project
    return KeptBeats(store, number, study, kind)


def _county(study: BeatStudy, kind: str) -> CountyPlan:
    """The division as the store takes it: one place, its units the grids, its grids the beats."""
    plan, units = study.divisions[kind].plan, board_units(study)
    k = len(plan.keys)
    mean = max(1, round(float(units.households.sum()) / k))
    settings = Settings(target=mean, max_persons=None, max_households=None, min_households=None)
    own = VillagePlan(
        units=units,
        proposal=Proposal(
            label=plan.compact,
            dedicated=np.full(k, -1, dtype=np.int64),
            ideal=np.full(k, float(mean)),
            given=k,
            joined=np.zeros(k, dtype=np.int64),
            alone=np.zeros(k, dtype=bool),
            settlement=np.full(len(units), -1, dtype=np.int64),
        ),
        measures=measure(units, plan.compact, k),
        outlines=plan.outlines(),
        bounds=[""] * k,
        exceptions=[],
        grids=tuple(plan.grids[int(key)] for key in plan.keys),
    )
    return CountyPlan(_ground(study, units), settings, (own,))


def _ground(study: BeatStudy, units: Any) -> Ground:
    crs = study.ground.crs
    place = gpd.GeoDataFrame(
        {"code": [units.code], "name": [""], "township_name": [""], "class_code": [""]},
        geometry=[shapely.union_all(units.geometry)], crs=crs,
    )  # fmt: skip
    none = np.empty(0, dtype=object)
    numbers = dict.fromkeys(("households", "persons", "village"), NOTHING)
    nobody = pd.DataFrame({"household_id": none, **numbers, "x": [], "y": [], "reason": ""})
    nowhere = gpd.GeoDataFrame({"kind": [], "name": []}, geometry=[], crs=crs)
    return Ground(
        crs=crs, villages=place, households=nobody.assign(set_id=NOTHING),
        lines=Linework(none, none, none), sets=pd.DataFrame({"kind": none, "name": none}),
        wholes=nowhere, dedicated=nowhere, unplaced=nobody, layers={}, notes=(),
    )  # fmt: skip
