"""Micro-grids on the planner's board, and what is filed of them; no Streamlit.

The micro-grids of a village's grids are one project of the store: its "villages" are the grids, its
"grids" the micro-grids. It is made when they are first redrawn, and made anew from what there is
when a grid has been redrawn since. What is filed of a village whose grids or micro-grids were
redrawn is what follows from the last of them (:mod:`planning.micro_follow`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.ground import Ground
from planning.county import CountyPlan, VillagePlan
from planning.filing import EditedVillage, unit_of
from planning.measure import measure
from planning.micro_follow import Followed, FormerMicro, MicroChange, follow, former_of, table_of
from planning.micro_plan import MicroPlan, as_micro, part_of
from planning.plan import Plan
from planning.planfile import PlanFile
from planning.propose import Proposal
from planning.record import ground_key
from planning.settings import Settings
from store.projects import Store
from ui.desk import Answer, Desk
from ui.format import name_text
from ui.kept import Kept
from ui.words import Language, word

if TYPE_CHECKING:
    from planning.planfile import PlanFile as Tables

TARGET, LEAST, MOST = 60, 30, 100  # households of a micro-grid: usual, and the published bounds
NOT_HERE = frozenset({"kind", "rename", "explain"})
"""What grids have and micro-grids have not: a kind, a name, a reason in the register."""
Stamp = Mapping[str, tuple[int, tuple[tuple[str, int], ...]]]


class MicroDesk(Desk):
    """The desk of one grid's micro-grids."""

    cuts = False
    without = NOT_HERE

    def __init__(self, *where: Any) -> None:
        self._seen: tuple[Plan, MicroPlan] | None = None
        super().__init__(*where)

    @property
    def plan(self) -> MicroPlan:
        """The micro-grids as they are now."""
        present = self.history.present
        if self._seen is None or self._seen[0] is not present:
            self._seen = (present, as_micro(present))
        return self._seen[1]

    def own_words(self, language: Language) -> Mapping[str, str]:
        """Words that mean something else on this board, and the buttons it does without."""
        own = {
            name: word(f"microboard.{name}", language)
            for name in (
                "grid", "grids", "new", "new_title", "number", "number_title", "propose_title",
                "merge_title", "tab_grids", "by_grid", "by_grid_title", "legend",
            )
        }  # fmt: skip
        return own | {"without": " ".join(sorted([*NOT_HERE, "through"]))}

    def ask(self, message: Mapping[str, Any], actor: str = "") -> Answer:
        """As for grids; what micro-grids do not have is told."""
        if message.get("do") in NOT_HERE:
            own = name_text(message.get("id"))[:60]
            return Answer(own, "microboard.told_without", kind="warn")
        return super().ask(message, actor)


class KeptMicro(Kept):
    """The micro-grids of a village's grids in the store."""

    slot = "micro_scenario"
    branches = False

    def __init__(self, store: Store, project: int) -> None:
        super().__init__(store, project, None)

    def make_desk(self, scenario: int, village: str) -> Desk:
        """The desk of a grid's micro-grids."""
        return MicroDesk(
            self.store, self.project, scenario, village, self.ground, self.settings
        )

    def former(self) -> FormerMicro:
        """The micro-grids of the village as they are here."""
        codes: list[str] = []
        grids: list[str] = []
        shapes: list[shapely.Geometry] = []
        for grid in self.ground.villages["code"].map(name_text):
            plan = self.desk(self.scenario(None), grid).plan
            codes += [plan.grids[key].code for key in plan.keys.tolist()]
            grids += [grid] * len(plan.keys)
            shapes += list(plan.outlines())
        made = [np.empty(len(codes), dtype=object) for _ in range(3)]
        for column, values in zip(made, (codes, grids, shapes), strict=True):
            column[:] = values
        return FormerMicro(*made)

    def stamp(self) -> tuple[tuple[str, int], ...]:
        """Tells whether anything was redrawn since."""
        return tuple(sorted(self.store.versions(self.scenario(None)).items()))


class MicroBook:
    """Every redrawn micro-grid of a plan that is kept, by scenario and village."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self._held: dict[tuple[int, str], KeptMicro | None] = {}
        self._told: dict[int, dict[str, tuple[MicroChange, ...]]] = {}
        self._parents: dict[int, int | None] = {}

    @property
    def target(self) -> int:
        """Households of a micro-grid."""
        return self.kept.settings.micro or TARGET

    def of(self, scenario: int, village: str) -> KeptMicro | None:
        """The micro-grids of a village that were opened on the board, or None.

        A scenario that was branched off takes those of the scenario it comes from along.
        """
        where = scenario, village
        if where not in self._held:
            number = self.kept.store.marked(self._mark(*where))
            if number is not None:
                self._held[where] = KeptMicro(self.kept.store, number)
            else:
                parent = self._parent(scenario)
                older = None if parent is None else self.of(parent, village)
                self._held[where] = None
                if older is not None:
                    self._make(scenario, village, self._follow(scenario, village, older.former()))
        return self._held[where]

    def open(self, scenario: int, village: str, grid: str) -> KeptMicro:
        """The micro-grids of a village's grids as they are now, ready to be redrawn.

        KeyError where the plan has no micro-grids for this grid.
        """
        held = self.of(scenario, village)
        if held is not None and self._fits(held, scenario, village, grid):
            return held
        former = self._former(scenario, village)
        if former is None or not len(former):
            raise KeyError(grid)
        followed = self._follow(scenario, village, former)
        if grid not in followed.grid:
            raise KeyError(grid)
        return self._make(scenario, village, followed)

    def stamps(self, scenario: int) -> Stamp:
        """What was redrawn in each village, to be compared with an earlier answer."""
        first = self.kept.first
        if first is not None and first.plan.micro_grids is None:
            return {}  # a city without micro-grids is not asked 1,900 times
        codes = self.kept.ground.villages["code"].map(name_text)
        found = ((code, self.of(scenario, code)) for code in codes)
        return {code: (one.project, one.stamp()) for code, one in found if one is not None}

    def changes(self, scenario: int) -> dict[str, tuple[MicroChange, ...]]:
        """By village, how micro-grids followed grids that were redrawn; as last filed."""
        return {code: own for code, own in self._told.get(scenario, {}).items() if own}

    def filed(self, scenario: int, tables: Tables, villages: list[str]) -> PlanFile:
        """The plan's tables with the micro-grids of some villages as they are now."""
        told = self._told.setdefault(scenario, {})
        for village in villages:
            former = self._former(scenario, village)
            if former is None or not len(former):
                continue
            plan = self.kept.desk(scenario, village).plan
            followed = self._follow(scenario, village, former)
            told[village] = followed.changes
            tables = _with_micro(tables, plan, followed)
        return tables

    def _parent(self, scenario: int) -> int | None:
        if scenario not in self._parents:
            held = {one.id: one.parent for one in self.kept.scenarios(archived=True)}
            self._parents[scenario] = held.get(scenario)  # it never gets another
        return self._parents[scenario]

    def _mark(self, scenario: int, village: str) -> str:
        told = f"micro\0{self.kept.project}\0{scenario}\0{village}"
        return hashlib.sha256(told.encode("utf-8")).hexdigest()

    def _former(self, scenario: int, village: str) -> FormerMicro | None:
        """What a village's micro-grids were: on the board, else in the plan that was opened."""
        held = self.of(scenario, village)
        if held is not None:
            return held.former()
        first = self.kept.first
        if first is None or first.plan.micro_grids is None:
            return None
        micro, grids = first.plan.micro_grids, first.plan.grids
        codes = grids.loc[grids["village_code"].astype(str) == village, "code"].astype(str)
        own = micro[micro["grid_code"].astype(str).isin(set(codes))]
        return former_of(own.to_crs(self.kept.ground.crs))

    def _follow(self, scenario: int, village: str, former: FormerMicro) -> Followed:
        return follow(self.kept.desk(scenario, village).plan, former, self.target)

    def _fits(self, held: KeptMicro, scenario: int, village: str, grid: str) -> bool:
        """Does the board's ground of the grid still have the grid's units?"""
        if grid not in set(held.ground.villages["code"].map(name_text)):
            return False
        plan = self.kept.desk(scenario, village).plan
        key = next((k for k, own in plan.grids.items() if own.code == grid), None)
        if key is None:
            return False
        now = part_of(plan.units, plan.members(key), grid)
        return ground_key(now) == ground_key(held.desk(held.scenario(None), grid).plan.units)

    def _make(self, scenario: int, village: str, followed: Followed) -> KeptMicro:
        plan = self.kept.desk(scenario, village).plan
        county = _county(self.kept.ground, plan, followed, self.target)
        told = pd.DataFrame([("micro.village", village)], columns=["key", "value"])
        name = f"{word('layer.micro', 'zh')} · {plan.village_name or village}"
        made = self.kept.store.create_project(
            county, name, provenance=told, mark=self._mark(scenario, village)
        )
        held = KeptMicro(self.kept.store, made.project)
        self._held[scenario, village] = held
        return held


def _county(ground: Ground, plan: Plan, followed: Followed, target: int) -> CountyPlan:
    """A village's micro-grids as the store takes them: a place a grid."""
    settings = Settings(
        target=target, min_households=min(LEAST, target), max_households=max(MOST, target),
        max_persons=None,
    )  # fmt: skip
    codes = list(dict.fromkeys(followed.grid))
    own = [_village(followed.plan(plan, code), target) for code in codes]
    names = {grid.code: grid.name for grid in plan.grids.values()}
    towns = ground.villages.set_index(ground.villages["code"].map(name_text))["township_name"]
    places = gpd.GeoDataFrame(
        # the township is what a township's planner is let in by
        {"code": codes, "name": [names[code] for code in codes],
         "township_name": name_text(towns[plan.units.code]), "class_code": ""},
        geometry=[shapely.union_all(one.units.geometry) for one in own], crs=ground.crs,
    )  # fmt: skip
    whole = replace(ground, villages=places, layers={}, notes=())
    return CountyPlan(whole, settings, tuple(own))


def _village(plan: MicroPlan, target: int) -> VillagePlan:
    """One grid as a place of its own."""
    k, units = len(plan.keys), plan.units
    return VillagePlan(
        units=units,
        proposal=Proposal(
            label=plan.compact,
            dedicated=np.full(k, -1, dtype=np.int64),
            ideal=np.full(k, float(target)),
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


def _with_micro(tables: Tables, plan: Plan, followed: Followed) -> PlanFile:
    """The tables with one village's micro-grids replaced."""
    own = {grid.code for grid in plan.grids.values()} | set(plan.used)
    new = table_of(plan, followed, tables.grids.crs)
    old = tables.micro_grids
    parts = [new] if old is None else [old[~old["grid_code"].astype(str).isin(own)], new]
    joined = pd.concat([part for part in parts if len(part)], ignore_index=True)
    joined = joined.sort_values("code", kind="stable").reset_index(drop=True)
    micro = gpd.GeoDataFrame(joined, geometry="geometry", crs=tables.grids.crs)
    return replace(tables, micro_grids=micro, households=_homes(tables, plan, followed))


def _homes(tables: Tables, plan: Plan, followed: Followed) -> gpd.GeoDataFrame:
    """The households with the micro-grids of one village as they are now."""
    households = tables.households
    here = households["grid_code"].isin({grid.code for grid in plan.grids.values()})
    rows = np.flatnonzero(here.to_numpy())
    if not len(rows):
        return households
    points = households.geometry.iloc[rows]
    xy = np.column_stack([points.x, points.y])
    label = followed.label[unit_of(EditedVillage(plan, plan), xy, points)]
    codes = np.array([*followed.code, None], dtype=object)
    column = households["micro_code"].to_numpy(object, copy=True)
    column[rows] = codes[label]
    return households.assign(micro_code=pd.Series(column, households.index, dtype=object))
