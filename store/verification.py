"""Whether all is well with a store: the file, every plan against its log, the audit trail."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from geo.messages import register
from geo.problems import Problem
from planning.record import RecordError
from store import audit
from store.creation import check_project
from store.plans import plan_row, replayed
from store.schema import LOG, PLAN, PROJECT, SCENARIO, VILLAGE
from store.values import DamagedError

register(
    {
        "store-inconsistent": (
            "方案与其步骤记录不一致({reason});请恢复备份。",
            "a plan and its steps disagree ({reason}); restore a backup.",
        ),
    }
)


def verify_store(c: Connection, file: str, head: str = "") -> list[Problem]:
    """What is wrong with a store; empty where every promise is kept.

    ``head`` is the audit trail's head as it was written down at some time. A file of the first
    format has no trail to look at.
    """
    if c.dialect.name == "sqlite":
        report = c.exec_driver_sql("pragma integrity_check(1)").scalar_one()
        if report != "ok":
            return [Problem("store-damaged", file, params={"reason": str(report)[:200]})]
        if c.exec_driver_sql("pragma foreign_key_check").first() is not None:
            params = {"reason": "rows without their project"}
            return [Problem("store-damaged", file, params=params)]
    numbers = c.execute(select(PROJECT.c.id).order_by(PROJECT.c.id)).scalars().all()
    found = [p for number in numbers for p in verify_project(c, number, file)]
    if inspect(c).has_table("audit"):
        found += audit.problems(c, file, head)
    return found


def verify_project(c: Connection, project: int, file: str) -> list[Problem]:
    """Every plan: entries numbered without gap, the log replayed gives the plan that is kept."""
    try:
        check_project(c, project, file)
    except DamagedError as error:
        params = {"reason": str(error)[:200]}
        return [Problem("store-inconsistent", file, params=params)]
    found = []
    plans = c.execute(
        select(PLAN.c.id, PLAN.c.scenario_id, SCENARIO.c.name, VILLAGE.c.code)
        .join(SCENARIO, PLAN.c.scenario_id == SCENARIO.c.id)
        .join(VILLAGE, PLAN.c.village_id == VILLAGE.c.id)
        .where(SCENARIO.c.project_id == project)
        .order_by(PLAN.c.id)
    ).all()
    for plan in plans:
        try:
            row = plan_row(c, plan.scenario_id, plan.code, file)
            seqs = c.execute(
                select(LOG.c.seq).where(LOG.c.plan_id == row.id).order_by(LOG.c.seq)
            ).scalars()
            if list(seqs) != list(range(1, row.version + 1)):
                raise RecordError("steps are missing")
            replayed(c, row)
        except (RecordError, DamagedError) as error:
            where = f"{plan.name}, {plan.code}"
            params = {"reason": str(error)[:200]}
            found.append(Problem("store-inconsistent", file, where, params))
    return found
