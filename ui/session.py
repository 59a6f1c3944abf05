"""What one visitor has open: ids in the session and in the address, never the things themselves.

The ids also stand in the page's address, so that a reload finds the project and the plan again
as long as the server holds them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st

from store.policy import DeniedError, Person
from ui.access import one_run, person
from ui.draft import Draft
from ui.errors import JobGoneError, sentences
from ui.format import markdown_text
from ui.metrics import METRICS
from ui.projects import PLANS, PROJECTS, Project, default_project
from ui.scoped import view_for
from ui.storage import is_kept, the_store
from ui.views import PlanView
from ui.words import LANGUAGES, Language, chosen_language, word

if TYPE_CHECKING:
    from ui.kept import Kept

PROPOSE = "propose"
"""The kind of job that a reload of the plan's page finds again."""

SCENARIO = "scenario"
"""Where a session remembers which scenario of the open plan is shown."""

log = logging.getLogger("gridwright.ui")


def language() -> Language:
    """The visitor's language: the switch, else what the address says, else the browser's."""
    if "language" not in st.session_state and st.query_params.get("lang") in LANGUAGES:
        st.session_state["language"] = st.query_params["lang"]
    return chosen_language(st.session_state.get("language"), st.context.locale)


def text(key: str, **values: object) -> str:
    """A text of the application in the visitor's language."""
    return word(key, language(), **values)


def _remember(name: str, value: str | None) -> None:
    st.session_state[name] = value


def note_in_address() -> None:
    """Let the address name what is open, so that a reload finds it again.

    Only for the first page: on another, Streamlit's change of parameters would lead back there.
    """
    if "job" not in st.session_state and st.query_params.get("job"):
        st.session_state["job"] = st.query_params["job"]
        st.session_state["job_kind"] = PROPOSE
    named = {name: st.session_state.get(name) for name in ("project", "plan", "scenario")}
    named["lang"] = st.session_state.get("language")
    if st.session_state.get("job_kind") == PROPOSE:
        named["job"] = st.session_state.get("job")
    wanted = {name: value for name, value in named.items() if value}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def open_project(project_id: str) -> None:
    """Make a project the visitor's own, with the plan it brought."""
    project = PROJECTS.get(project_id)
    _remember("project", project.id)
    open_plan(project.plan_id)
    st.session_state["draft"] = Draft()


def open_plan(plan_id: str | None) -> None:
    """Show another plan; the place and the selection start anew."""
    _remember("plan", plan_id)
    for key in ("village", "grid", "scenario"):
        st.session_state.pop(key, None)


def _held(name: str) -> str | None:
    value = st.session_state.get(name) or st.query_params.get(name)
    return value if isinstance(value, str) else None


def project() -> Project | None:
    """The open project; at first the one the server was started with; None without one."""
    held = _held("project")
    if held is None:
        held = default_project(os.environ)
        if held is None:
            return None
        open_project(held)
    try:
        found = PROJECTS.get(held)
        _allowed(found.owner)
    except (JobGoneError, DeniedError):
        _remember("project", None)
        _remember("plan", None)
        fallback = default_project(os.environ)
        if fallback is None:
            raise
        open_project(fallback)
        return PROJECTS.get(fallback)
    # After a reload the session is new and the address still knows: keep both.
    _remember("project", found.id)
    return found


def _allowed(owner: int | None) -> None:
    """Raise where somebody else brought it: an address that was passed on opens nothing."""
    who = person()
    if owner is not None and who.id not in (0, owner):
        raise DeniedError("open")


def plan_view(who: Person | None = None) -> PlanView | None:
    """The open plan, or None. Call :func:`project` before.

    What is in it is what ``who`` sees: whoever acts, or they with some of their grants alone.
    """
    held = _held("plan")
    if held is None:
        return None
    try:
        found = PLANS.get(held)
    except JobGoneError:
        _remember("plan", None)
        raise
    _allowed(found.owner)
    _remember("plan", held)
    who = person() if who is None else who
    if found.kept is None and who.townships is not None and is_kept():
        from ui.kept import find_kept

        find_kept(the_store(), found)  # a part of a plan is not found by what it holds
    return view_for(found, who)


def plan_now(who: Person | None = None) -> PlanView | None:
    """The open plan as it stands in the scenario that is open: with all that was redrawn.

    ``who`` as for :func:`plan_view`.
    """
    first = plan_view(who)
    if first is None or (first.kept is None and not is_kept()):
        return first
    from ui.kept import find_kept

    kept = find_kept(the_store(), first.whole)
    return first if kept is None else view_for(kept.view(scenario_of(kept)), who or person())


def scenario_of(kept: Kept) -> int:
    """The scenario this visitor has open; at first the adopted one, else the proposal."""
    asked = _held(kept.slot) or ""
    wanted = int(asked) if asked.isdecimal() else None
    found = kept.scenario(wanted)
    _remember(kept.slot, str(found) if wanted == found else None)
    return found


def open_scenario(number: int, slot: str = SCENARIO) -> None:
    """Show another scenario, here and after a reload."""
    _remember(slot, str(number))


def draft() -> Draft:
    """The settings as they stand in the form."""
    held = st.session_state.get("draft")
    return held if isinstance(held, Draft) else Draft()


def project_name(of: Project) -> str:
    """The project's name for people, plain text."""
    if of.kind == "demo":
        return text("project.demo")
    return of.name or text("project.uploaded")


def tell(error: BaseException) -> None:
    """Show an exception as sentences."""
    for sentence in sentences(error, language()):
        st.error(markdown_text(sentence))


@contextmanager
def guarded() -> Iterator[None]:
    """Around a page or a fragment: an exception becomes a sentence, never a traceback.

    Streamlit's own signals (rerun, stop) are no ``Exception`` and pass through. Whoever is not, or
    no longer, signed in sees nothing of it, whatever the page held before.
    """
    with METRICS.rerun(), one_run():
        try:
            person()
        except Exception as error:
            tell(error)
            st.stop()
        try:
            yield
        except Exception as error:
            tell(error)


def on_other_page(name: str) -> bool:
    """Is this run the first on page ``name``? Then what the browser held is gone."""
    before = st.session_state.get("page")
    st.session_state["page"] = name
    return bool(before != name)


def page_of(name: str) -> Any:
    """The navigation's page called ``name``, else the first that its visitor may see.

    :mod:`app` puts them here.
    """
    pages = st.session_state["pages"]
    return pages.get(name) or next(iter(pages.values()))


def callback(work: Callable[[], None]) -> Callable[[], None]:
    """A widget's callback whose failure is shown by the page instead of breaking it."""

    def run() -> None:
        try:
            person()
            work()
        except Exception as error:
            st.session_state["failed"] = sentences(error, language())

    return run


def show_failures() -> None:
    """What a callback could not do, once."""
    for sentence in st.session_state.pop("failed", []):
        st.error(markdown_text(sentence))
