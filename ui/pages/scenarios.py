"""Scenarios of the open plan: branch, adopt, put away, bring back; two of them side by side."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from planning.record import table_of, write_table
from store.projects import ScenarioInfo
from ui.access import taken
from ui.comparison import Pair
from ui.format import DASH, html_text, local_time, name_text
from ui.kept import Kept, find_kept
from ui.map.component import forget_what_was_sent, show_map
from ui.map.scene import Focus
from ui.session import (
    callback,
    guarded,
    language,
    note_in_address,
    on_other_page,
    open_scenario,
    page_of,
    plan_view,
    project,
    project_name,
    scenario_of,
    show_failures,
    text,
)
from ui.shelf import Shelf
from ui.storage import the_store
from ui.tables import village_choices

PAIRS: Shelf[Pair] = Shelf(room=8)
OPENED = 0  # in the boxes: the plan as it was opened, before any step
COUNTY = ""
TOLD, NAME = "scenario_told", "scenario_name"


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("scenarios"):
            forget_what_was_sent()
            st.session_state.pop(TOLD, None)
        show_failures()
        opened = project()
        view = plan_view() if opened is not None else None
        note_in_address()
        kept = None if view is None else find_kept(the_store(), view.whole)
        if opened is None or kept is None:
            with st.container(key="gw_empty"):
                st.markdown(text("scenarios.empty"))
                st.page_link(page_of("board"), label=text("page.board"), icon=":material/draw:")
            return
        title = html_text(text("scenarios.title"))
        st.html(f"<h2 class='gw-h2'>{title} · {html_text(project_name(opened))}</h2>")
        held = kept.store.scenarios(kept.project, deleted=True)
        _manage(kept, held)
        _record(kept)
        _side_by_side(kept, held)


def name_of(scenario: ScenarioInfo) -> str:
    """A scenario's name; the first one's in the visitor's language."""
    return text("scenarios.first") if scenario.parent is None else scenario.name


def _state(scenario: ScenarioInfo, current: int) -> str:
    words = [
        text(f"scenarios.state_{name}")
        for name, is_so in (
            ("adopted", scenario.adopted), ("open", scenario.id == current),
            ("archived", scenario.archived), ("deleted", scenario.deleted),
        )
        if is_so
    ]  # fmt: skip
    return " · ".join(words)


# --- what there is ------------------------------------------------------------------------------


def _manage(kept: Kept, held: list[ScenarioInfo]) -> None:
    current = scenario_of(kept)
    names = {one.id: name_of(one) for one in held}
    table = pd.DataFrame(
        {
            "name": [names[one.id] for one in held],
            "state": [_state(one, current) for one in held],
            "parent": [names.get(one.parent or 0, "") for one in held],
            "edited": [one.edited for one in held],
            "changes": [one.changes for one in held],
            "made": [local_time(one.created_at) for one in held],
        }
    )
    st.caption(text("scenarios.lead"))
    st.dataframe(
        table,
        column_config={name: text(f"scenarios.{name}") for name in table.columns},
        hide_index=True,
        key="scenario_table",
    )
    chosen_box, name_box = st.columns(2, vertical_alignment="bottom")
    key = f"scenario_chosen_{language()}"
    by_id = {one.id: one for one in held}
    if st.session_state.get(key) not in by_id:
        st.session_state[key] = current
    chosen = chosen_box.selectbox(
        text("scenarios.chosen"), list(by_id), format_func=names.__getitem__, key=key
    )
    name_box.text_input(text("scenarios.new_name"), key=NAME, max_chars=60)
    _buttons(kept, by_id[chosen], current)


def _buttons(kept: Kept, chosen: ScenarioInfo, current: int) -> None:
    usable = not chosen.deleted
    actions = [
        ("open", usable and chosen.id != current),
        ("adopt", usable and not chosen.adopted),
        ("branch", usable),
        ("rename", usable and chosen.parent is not None),
        ("unarchive" if chosen.archived else "archive", usable and chosen.id != current),
        ("restore" if chosen.deleted else "delete", chosen.deleted or chosen.id != current),
    ]
    with st.container(horizontal=True, gap="small"):
        for do, possible in actions:
            st.button(
                text(f"scenarios.{do}"), key=f"scenario_{do}", disabled=not possible,
                on_click=callback(partial(act, kept, chosen.id, do)),
            )  # fmt: skip
    # Stays until the next act: a page may be run again before anybody has read it.
    told = st.session_state.get(TOLD)
    if told:
        st.caption(text(told))


def act(kept: Kept, scenario: int, do: str) -> None:
    """Carry out one of the buttons, with the name as it stands in its box at this moment: the page
    that drew the button may have been drawn before the name was typed."""
    st.session_state.pop(TOLD, None)
    store, name = kept.store, name_text(st.session_state.get(NAME, "")).strip()[:60]
    if do in ("branch", "rename") and not name:
        st.session_state[TOLD] = "scenarios.told_name"
        return
    if do == "open":
        open_scenario(scenario)
    elif do == "adopt":
        store.adopt(scenario)
    elif do == "branch":
        open_scenario(store.branch(scenario, name))
    elif do == "rename":
        store.rename(scenario, name)
    elif do in ("archive", "unarchive"):
        store.archive(scenario, do == "archive")
    elif do == "delete":
        store.delete(scenario)
    else:
        store.restore(scenario)
    st.session_state[TOLD] = "scenarios.told_done"


# --- the record ---------------------------------------------------------------------------------


def _record(kept: Kept) -> None:
    with st.expander(text("scenarios.record")):
        st.caption(text("scenarios.record_text"))
        records = kept.store.record(scenario_of(kept))
        if not records:
            st.caption(text("scenarios.record_none"))
            return
        table = table_of(records)
        step = "step_zh" if language() == "zh" else "step"
        shown = table[["time", "actor", "village_code", step, "note", "from_to"]]
        heads = ("time", "actor", "village", "step", "note", "from_to")
        st.dataframe(
            shown.set_axis([text(f"scenarios.{head}") for head in heads], axis=1), hide_index=True
        )
        csv, excel, _ = st.columns([1, 1, 4])
        for place, kind in ((csv, "csv"), (excel, "xlsx")):
            place.download_button(
                text(f"scenarios.record_{kind}"),
                data=taken(
                    "take.record", partial(_record_file, kept, scenario_of(kept), kind), "record"
                ),
                file_name=f"{text('scenarios.record_name')}.{kind}",
                key=f"record_{kind}",
                on_click="ignore",
                width="stretch",
            )


def _record_file(kept: Kept, scenario: int, kind: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as folder:
        path = Path(folder) / f"record.{kind}"
        write_table(kept.store.record(scenario), path)
        return path.read_bytes()


# --- side by side -------------------------------------------------------------------------------


@st.fragment
def _side_by_side(kept: Kept, held: list[ScenarioInfo]) -> None:
    with guarded():
        st.html(f"<h3 class='gw-h3'>{html_text(text('scenarios.compare'))}</h3>")
        left, right, village = _choices(kept, held)
        if left == right:
            st.info(text("scenarios.same"))
            return
        pair = _pair(kept, left, right)
        one, two = pair.scenes(language(), village, _focus(pair))
        places = st.container(key="gw_pair").columns(2, gap="small")
        for place, scene, name in zip(places, (one, two), ("left", "right"), strict=True):
            with place:
                show_map(scene, name=name)
        numbers, grids = st.columns([4, 6], gap="small")
        with numbers:
            st.dataframe(
                pair.numbers(language()),
                column_config={
                    "measure": text("scenarios.measure"), "a": text("scenarios.left"),
                    "b": text("scenarios.right"),
                },
                hide_index=True,
                key="compared_numbers",
            )  # fmt: skip
        with grids:
            _changed_grids(pair)


def _choices(kept: Kept, held: list[ScenarioInfo]) -> tuple[int, int, str | None]:
    names = {one.id: name_of(one) for one in held if not one.deleted}
    if kept.first is not None:
        names = {OPENED: text("scenarios.as_opened"), **names}
    boxes = st.columns(3, gap="small")
    current = scenario_of(kept)
    wanted = {"left": next(iter(names)), "right": current}
    chosen = {}
    for box, side in zip(boxes, ("left", "right"), strict=False):
        key = f"compare_{side}_{language()}"
        if st.session_state.get(key) not in names:
            st.session_state[key] = wanted[side]
        chosen[side] = box.selectbox(
            text(f"scenarios.{side}"), list(names), format_func=names.__getitem__, key=key
        )
    view = kept.first or kept.view(current)
    places = {COUNTY: text("plan.whole_county"), **village_choices(view.plan.villages)}
    key = f"compare_place_{language()}"
    if st.session_state.get(key) not in places:
        held_village = st.session_state.get("village")
        st.session_state[key] = held_village if held_village in places else COUNTY
    place = boxes[2].selectbox(
        text("plan.place"), list(places), format_func=places.__getitem__, key=key
    )
    return int(chosen["left"]), int(chosen["right"]), place or None


def _pair(kept: Kept, left: int, right: int) -> Pair:
    """The comparison of two states; kept while neither changes."""
    versions = [
        "0" if one == OPENED else str(sum(kept.store.versions(one).values()))
        for one in (left, right)
    ]
    # after the versions: a save in between is then shown under too early a name, never too late
    views = [kept.first if one == OPENED and kept.first else kept.view(one)
             for one in (left, right)]  # fmt: skip
    key = f"{kept.project}/{left}.{versions[0]}/{right}.{versions[1]}"
    if key not in PAIRS:
        PAIRS.put(key, Pair(views[0], views[1]))
    return PAIRS.get(key)


def _focus(pair: Pair) -> Focus:
    number, codes = st.session_state.get("compare_focus", (0, ("", "")))
    return replace(pair.place(*codes), number=number) if number else Focus()


def _changed_grids(pair: Pair) -> None:
    table = pair.grids(language())
    if table.empty:
        st.caption(text("scenarios.no_difference"))
        return
    st.session_state["rows_compared"] = [
        (name_text(a), name_text(b)) for a, b in zip(table["code_a"], table["code_b"], strict=True)
    ]
    st.dataframe(
        table,
        key="table_compared",
        column_order=["change", "code_a", "code_b", "households_a", "households_b",
                      "jaccard_area"],
        column_config={
            "change": text("scenarios.change"),
            "code_a": text("scenarios.code_a"),
            "code_b": text("scenarios.code_b"),
            "households_a": text("scenarios.households_a"),
            "households_b": text("scenarios.households_b"),
            "jaccard_area": st.column_config.NumberColumn(text("scenarios.jaccard"),
                                                          format="percent"),
        },
        placeholder=DASH,
        hide_index=True,
        on_select=callback(_row_chosen),
        selection_mode="single-row",
    )  # fmt: skip
    st.caption(text("scenarios.click_row"))


def _row_chosen() -> None:
    rows = list(st.session_state["table_compared"].selection.rows)
    held = st.session_state.get("rows_compared", [])
    if rows and rows[0] < len(held):
        number = st.session_state.get("compare_focus", (0, ("", "")))[0]
        st.session_state["compare_focus"] = (number + 1, held[rows[0]])
