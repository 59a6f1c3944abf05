"""The store as pages and commands use it: projects, scenarios, plans, steps.

Every change is one transaction, synced to disk before the call returns: what was acknowledged
survives a kill at any moment. All methods may be called from several threads and processes at
once. They raise :class:`geo.problems.InputError`, one sentence in two languages, where the file
cannot be used or what is asked for is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from weakref import WeakValueDictionary

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from geo.ground import Ground
from geo.problems import InputError, Problem
from geo.units import Units
from planning.county import CountyPlan
from planning.history import Step
from planning.planfile import PlanFile
from planning.record import Record, RecordError
from planning.settings import Settings
from store import creation, files, filing, plans, scenarios
from store.creation import ProjectInfo, VillageInfo
from store.database import reading, telling, writing
from store.plans import Conflict, Entry, Opened, PlanRow
from store.scenarios import ScenarioInfo
from store.sqlite import open_file
from store.values import DamagedError

__all__ = [
    "Conflict", "Entry", "Opened", "ProjectInfo", "ScenarioInfo", "Store", "VillageInfo",
]  # fmt: skip


@dataclass(frozen=True)
class Created:
    """A new project: its number and the number of its first scenario, the proposal."""

    project: int
    scenario: int


class Store:
    """One store file, made if it is missing. Close it, or use it in a ``with`` statement.

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

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._engine = open_file(self.path)
        # villages opened again, and scenarios of one village, share their units
        self._grounds: WeakValueDictionary[str, Units] = WeakValueDictionary()

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._telling(), reading(self._engine, self.path.name) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._telling(), writing(self._engine, self.path.name) as connection:
            yield connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """A stored record that does not fit is damage, whoever finds it."""
        with telling(self.path.name):
            try:
                yield
            except RecordError as error:
                raise DamagedError(str(error)) from error

    def _row(self, c: Connection, scenario: int, village: str) -> PlanRow:
        return plans.plan_row(c, scenario, village, self.path.name)

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
        county's own; ``mark`` (:func:`planning.opened.plan_digest`) finds the project again.
        """
        with self._writing() as c:
            made = creation.create_project(c, county, name, actor, provenance, mark)
            return Created(*made)

    def marked(self, mark: str) -> int | None:
        """The newest project that was made with this ``mark``, or None."""
        with self._reading() as c:
            return creation.marked(c, mark)

    def ground(self, project: int) -> Ground:
        """What the store knows of a project's ground: villages, names of lines and sets.

        No household and no line's shape is in it.
        """
        with self._reading() as c:
            creation.check_project(c, project, self.path.name)
            return filing.ground_of(c, project, self.path.name)

    def projects(self) -> list[ProjectInfo]:
        """All projects, the newest first."""
        with self._reading() as c:
            return creation.projects(c)

    def villages(self, project: int) -> list[VillageInfo]:
        """A project's villages in the order of the input."""
        with self._reading() as c:
            return creation.villages(c, project, self.path.name)

    def settings(self, project: int) -> Settings:
        """The settings a project was proposed with."""
        with self._reading() as c:
            return creation.settings_of(c, project, self.path.name)

    def set_names(self, project: int) -> list[str]:
        """Names of the must-stay-together sets by their number in ``Units.whole``."""
        with self._reading() as c:
            return creation.set_names(c, project, self.path.name)

    def rename_project(self, project: int, name: str) -> None:
        """Give a project another name."""
        with self._writing() as c:
            creation.rename_project(c, project, name, self.path.name)

    def delete_project(self, project: int) -> None:
        """Delete a project with all its scenarios and steps. There is no way back: export first."""
        with self._writing() as c:
            creation.delete_project(c, project, self.path.name)

    # --- one plan -------------------------------------------------------------------------------

    def open_plan(self, scenario: int, village: str) -> Opened:
        """A village's plan in a scenario: ``plan``, ``history`` and ``version``."""
        with self._reading() as c:
            return plans.open_plan(c, self._row(c, scenario, village), self._grounds)

    def version(self, scenario: int, village: str) -> int:
        """The plan's version now: whether a page is behind, without opening the plan."""
        with self._reading() as c:
            return self._row(c, scenario, village).version

    def save_step(self, scenario: int, village: str, base_version: int, step: Step) -> int:
        """Append a step made on the plan at ``base_version``; returns the new version.

        The new version is also the step's ``seq``. Raises :class:`Conflict` where somebody was
        faster (nothing is saved then), ValueError where the step starts from another plan.
        """
        with self._writing() as c:
            row = self._row(c, scenario, village)
            plans.check_version(c, row, base_version, self.path.name)
            return plans.save_step(c, row, step, self._grounds)

    def undo(self, scenario: int, village: str, base_version: int, actor: str = "") -> int:
        """Go one step back; returns the new version (the same where there is no step).

        Raises :class:`Conflict` as :meth:`save_step` does.
        """
        with self._writing() as c:
            row = self._row(c, scenario, village)
            plans.check_version(c, row, base_version, self.path.name)
            return plans.move(c, row, "undo", plans.undo_target(c, row), actor, self._grounds)

    def redo(self, scenario: int, village: str, base_version: int, actor: str = "") -> int:
        """Go one step forward again; else as :meth:`undo`."""
        with self._writing() as c:
            row = self._row(c, scenario, village)
            plans.check_version(c, row, base_version, self.path.name)
            return plans.move(c, row, "redo", plans.redo_target(c, row), actor, self._grounds)

    def goto(
        self, scenario: int, village: str, base_version: int, seq: int, actor: str = ""
    ) -> int:
        """Make the step numbered ``seq`` the last one in force, 0 for the start.

        Any step of :meth:`log` may be gone to, also one that was undone and passed by. Returns
        the new version; KeyError for a number that is no step; else as :meth:`undo`.
        """
        with self._writing() as c:
            row = self._row(c, scenario, village)
            plans.check_version(c, row, base_version, self.path.name)
            return plans.move(c, row, "goto", seq, actor, self._grounds)

    def log(self, scenario: int, village: str) -> list[Entry]:
        """Everything that was ever done to a plan, undone steps, undos and redos included."""
        with self._reading() as c:
            return plans.entries(c, self._row(c, scenario, village))

    def record(self, scenario: int, village: str | None = None) -> list[Record]:
        """The records in force: of one village, or of all by time.

        For :func:`planning.record.write_table` and :func:`planning.record.replay`.
        """
        with self._reading() as c:
            if village is not None:
                return plans.in_force(c, self._row(c, scenario, village))
            codes = scenarios.village_codes(c, scenario, self.path.name)
            held = [r for code in codes for r in plans.in_force(c, self._row(c, scenario, code))]
        return sorted(held, key=lambda r: str(r["time"]))

    # --- scenarios ------------------------------------------------------------------------------

    def scenarios(self, project: int, *, deleted: bool = False) -> list[ScenarioInfo]:
        """A project's scenarios in the order they were made; deleted ones only on request."""
        with self._reading() as c:
            return scenarios.listed(c, project, deleted, self.path.name)

    def branch(
        self, scenario: int, name: str, *, actor: str = "", at: Mapping[str, int] | None = None
    ) -> int:
        """A new scenario that starts as this one is, steps and all; returns its number.

        ``at`` gives villages by code the version to start from instead of the present one: a page
        that met a :class:`Conflict` branches at the version it had opened, and saves its step
        there.
        """
        with self._writing() as c:
            return scenarios.branch(
                c, scenario, name, actor, dict(at or {}), self._grounds, self.path.name
            )

    def rename(self, scenario: int, name: str) -> None:
        """Give a scenario another name."""
        with self._writing() as c:
            scenarios.change(c, scenario, self.path.name, name=name.strip())

    def archive(self, scenario: int, archived: bool = True) -> None:
        """Put a scenario away, or take it out again; it can be opened and edited all the same."""
        with self._writing() as c:
            scenarios.stamp(c, scenario, "archived_at", archived, self.path.name)

    def delete(self, scenario: int) -> None:
        """Delete a scenario; :meth:`restore` brings it back with every step."""
        with self._writing() as c:
            scenarios.stamp(c, scenario, "deleted_at", True, self.path.name)

    def restore(self, scenario: int) -> None:
        """Bring a deleted scenario back."""
        with self._writing() as c:
            scenarios.stamp(c, scenario, "deleted_at", False, self.path.name)

    def adopt(self, scenario: int) -> None:
        """Make a scenario the one in force in its project; one at a time."""
        with self._writing() as c:
            scenarios.adopt(c, scenario, self.path.name)

    def versions(self, scenario: int) -> dict[str, int]:
        """Version of every village's plan in a scenario: 0 where nothing was ever done."""
        with self._reading() as c:
            return scenarios.versions(c, scenario, self.path.name)

    def refiled(self, scenario: int, filed: PlanFile, villages: Sequence[str]) -> PlanFile:
        """``filed`` with the given villages as they are in the scenario now; the rest untouched.

        ``filed`` is the plan file that the project came from, or what this method gave before:
        its households layer says where the households of these villages are. Raises
        :class:`InputError` where they are not the plan's.
        """
        with self._reading() as c:
            return filing.refiled(c, scenario, filed, villages, self._grounds, self.path.name)

    def planfile_of(
        self, scenario: int, households: gpd.GeoDataFrame | None = None
    ) -> PlanFile:
        """A scenario as the tables of plan.gpkg, as edited: codes, names, kinds, reasons, locks.

        ``households`` is the layer of that name of the plan file the project came from; the store
        holds no household. Without it that layer is empty, and so are the unplaced either way.
        Raises :class:`InputError` where the households are not the plan's.
        """
        with self._reading() as c:
            return filing.planfile_of(c, scenario, households, self._grounds, self.path.name)

    # --- files ----------------------------------------------------------------------------------

    def backup(self, path: str | Path) -> None:
        """Write a copy of the whole store, in use or not; whole or not at all."""
        files.backup(self.path, Path(path))

    def export_project(self, project: int, path: str | Path) -> None:
        """Write a project with all its scenarios and steps as one file; whole or not at all."""
        with self._reading() as c:
            creation.project_row(c, project, self.path.name)
        files.export_project(self.path, project, Path(path))

    def import_project(self, path: str | Path) -> int:
        """Take over the project of a file that :meth:`export_project` wrote; returns its number.

        Raises :class:`InputError` for a file that is foreign, damaged, from a newer version, or
        whose plans and steps disagree; nothing is taken over then.
        """
        with self._writing() as c:
            made = files.import_project(c, Path(path))
            if len(made) != 1:
                raise InputError([Problem("store-foreign", Path(path).name)])
            return made[0]

    def verify(self) -> list[Problem]:
        """What is wrong with the file; empty where every step is there and replays."""
        with self._reading() as c:
            return files.verify_file(c, self.path.name)
