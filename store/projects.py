"""The store as pages and commands use it: projects, scenarios, plans, steps.

Every change is one transaction, synced to disk before the call returns: what was acknowledged
survives a kill at any moment. All methods may be called from several threads and processes at
once. They raise :class:`geo.problems.InputError`, one sentence in two languages, where the file
cannot be used or what is asked for is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from uuid import uuid4

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from geo.ground import Ground
from geo.linework import Linework
from geo.problems import InputError
from planning.county import CountyPlan
from planning.history import Step
from planning.planfile import PlanFile
from planning.record import Record, record_of
from planning.settings import Settings
from planning.tables import provenance as provenance_of
from store import audit, creation, filing, plans, scenarios
from store.accounts import Accounts
from store.creation import ProjectInfo, VillageInfo
from store.keeping import Keeping
from store.located import announce_system
from store.plans import Conflict, Entry, Opened, PlanRow
from store.presence import Here, Presence, TakenError, check_free
from store.scenarios import ScenarioInfo

__all__ = [
    "Conflict", "Entry", "Here", "Opened", "ProjectInfo", "ScenarioInfo", "Store", "TakenError",
    "VillageInfo",
]  # fmt: skip

AT_ONCE, TOGETHER = 300, 25
"""Villages up to which a project is made in one transaction; of more, so many in each."""


@dataclass(frozen=True)
class Created:
    """A new project: its number and the number of its first scenario, the proposal."""

    project: int
    scenario: int


def by_time(villages: Sequence[Sequence[Record]]) -> list[Record]:
    """Records of several villages in one list by time, each village's in their own order.

    A clock that was turned back must not put a step before the one it rests on.
    """
    timed = []
    for records in villages:
        latest = ""
        for record in records:
            latest = max(latest, str(record["time"]))
            timed.append((latest, record))
    return [record for _, record in sorted(timed, key=lambda pair: pair[0])]


def _plan_name(scenario: int, village: str) -> str:
    """What the audit trail calls a plan."""
    return f"scenario/{scenario}/village/{village}"


class Store(Keeping, Presence, Accounts):
    """A store by its file's path or its database's address, made if it is missing.

    Close it, or use it in a ``with`` statement. What changes anything says who did it, and writes
    its entry of the audit trail in the same transaction.

    Projects and scenarios are numbers, villages their codes. Typical use::

        store = Store(path)
        made = store.create_project(county_plan, "Luhe", actor="planner")
        opened = store.open_plan(made.scenario, "320116001201")
        edited = edits.transfer(opened.plan, units, key)
        step = Step("transfer", opened.plan, edited.plan, params={...}, actor="planner")
        version = store.save_step(made.scenario, step.village_code, opened.version, step)
        history = opened.history.do(replace(step, seq=version))

    The database mirrors :class:`planning.history.History`: after ``save_step``, ``undo``,
    ``redo`` and ``goto`` here and ``do``, ``undo``, ``redo`` and ``goto`` there, ``open_plan``
    gives an equal history.
    """

    def _row(self, c: Connection, scenario: int, village: str) -> PlanRow:
        return plans.plan_row(c, scenario, village, self.name)

    def _free_row(self, c: Connection, scenario: int, village: str, base_version: int) -> PlanRow:
        """The plan's row, where this session may change it at this version."""
        row = self._row(c, scenario, village)
        plans.check_version(c, row, base_version, self.name)
        check_free(c, scenario, village)
        return row

    def _move(
        self, c: Connection, row: PlanRow, scenario: int, name: str, target: int, actor: str
    ) -> int:
        """Make another step the one in force; nothing is noted where it is that already."""
        version = plans.move(c, row, name, target, actor, self._grounds)
        if version != row.version:
            detail = {"what": name, "version": version, "to": target}
            audit.append(c, "plan.edit", _plan_name(scenario, row.code), detail, actor=actor)
        return version

    # --- projects -------------------------------------------------------------------------------

    def create_project(
        self,
        county: CountyPlan,
        name: str,
        *,
        actor: str = "",
        provenance: pd.DataFrame | None = None,
        mark: str = "",
    ) -> Created:
        """Keep a county's proposal as a new project with one scenario, the proposal itself.

        ``provenance`` (key, value) of the plan file where it was read from one, else the
        county's own; ``mark`` (:func:`planning.opened.plan_digest`) finds the project again. Of
        more than :data:`AT_ONCE` villages some are kept at a time, so that others save meanwhile;
        until all are, nobody sees the project, and where that fails it is taken away.
        """
        if len(county.villages) > AT_ONCE:
            return self._create_in_parts(county, name, actor, provenance, mark)
        with self.writing() as c:
            made = Created(*creation.create_project(c, county, name, actor, provenance, mark))
            detail = {"name": name.strip(), "villages": len(county.villages)}
            audit.append(c, "project.create", f"project/{made.project}", detail, actor=actor)
            return made

    def _create_in_parts(
        self, county: CountyPlan, name: str, actor: str, told: pd.DataFrame | None, mark: str
    ) -> Created:
        said = provenance_of(county) if told is None else told
        note = f"{mark} {uuid4()}"  # nobody goes on with it: the proposal is in this memory alone
        with self.writing() as c:
            made = Created(
                *creation.insert_project(
                    c, county.ground, county.settings, name, actor, said,
                    (creation.UNFINISHED, note),
                )
            )  # fmt: skip
            announce_system(c)
        villages = creation.county_rows(county, range(len(county.villages)))
        try:
            while part := list(islice(villages, TOGETHER)):
                with self.writing() as c:
                    creation.insert_villages(c, made.project, made.scenario, part)
            with self.writing() as c:
                creation.finish_project(c, made.project, mark, self.name)
                detail = {"name": name.strip(), "villages": len(county.villages)}
                audit.append(c, "project.create", f"project/{made.project}", detail, actor=actor)
        except BaseException:
            with suppress(InputError), self.writing() as c:
                creation.delete_project(c, made.project, self.name)
            raise
        return made

    def marked(self, mark: str) -> int | None:
        """The newest project that was made with this ``mark``, or None."""
        with self.reading() as c:
            return creation.marked(c, mark)

    def ground(self, project: int) -> Ground:
        """What the store knows of a project's ground: villages, names of lines and sets.

        No household and no line's shape is in it.
        """
        with self.reading() as c:
            row = creation.check_project(c, project, self.name)
            return filing.ground_of(c, project, row)

    def projects(self) -> list[ProjectInfo]:
        """All projects, the newest first."""
        with self.reading() as c:
            return creation.projects(c)

    def villages(self, project: int) -> list[VillageInfo]:
        """A project's villages in the order of the input."""
        with self.reading() as c:
            return creation.villages(c, project, self.name)

    def settings(self, project: int) -> Settings:
        """The settings a project was proposed with."""
        with self.reading() as c:
            return creation.settings_of(c, project, self.name)

    def set_names(self, project: int) -> list[str]:
        """Names of the must-stay-together sets by their number in ``Units.whole``."""
        with self.reading() as c:
            return creation.set_names(c, project, self.name)

    def rename_project(self, project: int, name: str, *, actor: str = "") -> None:
        """Give a project another name."""
        with self.writing() as c:
            creation.rename_project(c, project, name, self.name)
            detail = {"name": name.strip()}
            audit.append(c, "project.rename", f"project/{project}", detail, actor=actor)

    def delete_project(self, project: int, *, actor: str = "") -> None:
        """Delete a project with all its scenarios and steps. There is no way back: export first."""
        with self.writing() as c:
            creation.delete_project(c, project, self.name)
            audit.append(c, "project.delete", f"project/{project}", actor=actor)

    # --- one plan -------------------------------------------------------------------------------

    def open_plan(self, scenario: int, village: str) -> Opened:
        """A village's plan in a scenario: ``plan``, ``history`` and ``version``."""
        with self.reading() as c:
            return plans.open_plan(c, self._row(c, scenario, village), self._grounds)

    def version(self, scenario: int, village: str) -> int:
        """The plan's version now: whether a page is behind, without opening the plan."""
        with self.reading() as c:
            return self._row(c, scenario, village).version

    def save_step(self, scenario: int, village: str, base_version: int, step: Step) -> int:
        """Append a step made on the plan at ``base_version``; returns the new version.

        The new version is also the step's ``seq``. Raises :class:`Conflict` where somebody was
        faster, :class:`TakenError` where another session has taken the village (nothing is saved
        then), ValueError where the step starts from another plan.
        """
        with self.writing() as c:
            row = self._free_row(c, scenario, village, base_version)
            version = plans.save_step(c, row, step, self._grounds)
            digest = audit.digest_of(record_of(step))
            detail = {"what": step.name, "version": version, "sha256": digest}
            audit.append(c, "plan.edit", _plan_name(scenario, village), detail, actor=step.actor)
            return version

    def undo(self, scenario: int, village: str, base_version: int, actor: str = "") -> int:
        """Go one step back; returns the new version (the same where there is no step).

        Raises :class:`Conflict` as :meth:`save_step` does.
        """
        with self.writing() as c:
            row = self._free_row(c, scenario, village, base_version)
            return self._move(c, row, scenario, "undo", plans.undo_target(c, row), actor)

    def redo(self, scenario: int, village: str, base_version: int, actor: str = "") -> int:
        """Go one step forward again; else as :meth:`undo`."""
        with self.writing() as c:
            row = self._free_row(c, scenario, village, base_version)
            return self._move(c, row, scenario, "redo", plans.redo_target(c, row), actor)

    def goto(
        self, scenario: int, village: str, base_version: int, seq: int, actor: str = ""
    ) -> int:
        """Make the step numbered ``seq`` the last one in force, 0 for the start.

        Any step of :meth:`log` may be gone to, also one that was undone and passed by. Returns
        the new version; KeyError for a number that is no step; else as :meth:`undo`.
        """
        with self.writing() as c:
            row = self._free_row(c, scenario, village, base_version)
            return self._move(c, row, scenario, "goto", seq, actor)

    def log(self, scenario: int, village: str) -> list[Entry]:
        """Everything that was ever done to a plan, undone steps, undos and redos included."""
        with self.reading() as c:
            return plans.entries(c, self._row(c, scenario, village))

    def changes_since(self, scenario: int, village: str, version: int) -> list[Entry]:
        """What was done to a plan after a version: what who met a :class:`Conflict` is told."""
        with self.reading() as c:
            row = self._row(c, scenario, village)
            return [entry for entry in plans.entries(c, row) if entry.seq > version]

    def record(self, scenario: int, village: str | None = None) -> list[Record]:
        """The records in force: of one village, or of all by time.

        For :func:`planning.record.write_table` and :func:`planning.record.replay`.
        """
        with self.reading() as c:
            if village is not None:
                return plans.in_force(c, self._row(c, scenario, village))
            held = scenarios.versions(c, scenario, self.name)
            edited = [code for code, version in held.items() if version]  # a city has 2,000 more
            return by_time([plans.in_force(c, self._row(c, scenario, code)) for code in edited])

    # --- scenarios ------------------------------------------------------------------------------

    def scenarios(self, project: int, *, deleted: bool = False) -> list[ScenarioInfo]:
        """A project's scenarios in the order they were made; deleted ones only on request."""
        with self.reading() as c:
            return scenarios.listed(c, project, deleted, self.name)

    def branch(
        self, scenario: int, name: str, *, actor: str = "", at: Mapping[str, int] | None = None
    ) -> int:
        """A new scenario that starts as this one is, steps and all; returns its number.

        ``at`` gives villages by code the version to start from instead of the present one: a page
        that met a :class:`Conflict` branches at the version it had opened, and saves its step
        there.
        """
        with self.writing() as c:
            made = scenarios.branch(
                c, scenario, name, actor, dict(at or {}), self._grounds, self.name
            )
            detail = {"name": name.strip(), "from": scenario}
            audit.append(c, "scenario.branch", f"scenario/{made}", detail, actor=actor)
            return made

    def rename(self, scenario: int, name: str, *, actor: str = "") -> None:
        """Give a scenario another name."""
        with self.writing() as c:
            scenarios.change(c, scenario, self.name, name=name.strip())
            self._noted(c, scenario, "rename", actor, name=name.strip())

    def archive(self, scenario: int, archived: bool = True, *, actor: str = "") -> None:
        """Put a scenario away, or take it out again; it can be opened and edited all the same."""
        with self.writing() as c:
            scenarios.stamp(c, scenario, "archived_at", archived, self.name)
            self._noted(c, scenario, "archive", actor, archived=archived)

    def delete(self, scenario: int, *, actor: str = "") -> None:
        """Delete a scenario; :meth:`restore` brings it back with every step."""
        with self.writing() as c:
            scenarios.stamp(c, scenario, "deleted_at", True, self.name)
            self._noted(c, scenario, "delete", actor)

    def restore(self, scenario: int, *, actor: str = "") -> None:
        """Bring a deleted scenario back."""
        with self.writing() as c:
            scenarios.stamp(c, scenario, "deleted_at", False, self.name)
            self._noted(c, scenario, "restore", actor)

    def adopt(self, scenario: int, *, actor: str = "") -> None:
        """Make a scenario the one in force in its project; one at a time."""
        with self.writing() as c:
            scenarios.adopt(c, scenario, self.name)
            self._noted(c, scenario, "adopt", actor)

    def _noted(
        self, c: Connection, scenario: int, what: str, actor: str, **detail: object
    ) -> None:
        audit.append(c, f"scenario.{what}", f"scenario/{scenario}", detail, actor=actor)

    def versions(self, scenario: int) -> dict[str, int]:
        """Version of every village's plan in a scenario: 0 where nothing was ever done."""
        with self.reading() as c:
            return scenarios.versions(c, scenario, self.name)

    def refiled(
        self,
        scenario: int,
        filed: PlanFile,
        villages: Sequence[str],
        near: Linework | None = None,
        ground: Ground | None = None,
    ) -> PlanFile:
        """``filed`` with the given villages as they are in the scenario now; the rest untouched.

        ``filed`` is the plan file that the project came from, or what this method gave before:
        its households layer says where the households of these villages are. ``near``: where roads,
        waters and railways run, in the project's system; the store knows their names only.
        ``ground`` is the project's (:meth:`ground`), where it is at hand already. Raises
        :class:`InputError` where the households are not the plan's.
        """
        with self.reading() as c:
            return filing.refiled(
                c, scenario, filed, villages, self._grounds, self.name, near, ground
            )

    def planfile_of(
        self, scenario: int, households: gpd.GeoDataFrame | None = None
    ) -> PlanFile:
        """A scenario as the tables of plan.gpkg, as edited: codes, names, kinds, reasons, locks.

        ``households`` is the layer of that name of the plan file the project came from; the store
        holds no household. Without it that layer is empty, and so are the unplaced either way.
        Raises :class:`InputError` where the households are not the plan's.
        """
        with self.reading() as c:
            return filing.planfile_of(c, scenario, households, self._grounds, self.name)
