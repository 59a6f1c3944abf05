"""The analysts' page, where: hot spots, and areas by their rates."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from incidents.analysis import Hotspots, Parameters
from incidents.areas import LevelName, Per
from incidents.density import Kernel
from incidents.selection import Selection
from ui.event_choices import years_in
from ui.finding_maps import (
    MEASURES,
    area_scene,
    measure_breaks,
    measure_name,
    outline_layer,
    point_layer,
    spot_scene,
)
from ui.findings import cluster_rows, level_names, near_repeat_table, scan_rows, shown_table
from ui.format import markdown_text, whole
from ui.map.component import show_map
from ui.map.scene import Layer
from ui.places import spoken
from ui.session import callback, language, text
from ui.sought import clusters_of, near_of, near_usable, people_scanned, scan_of, scanned_level
from ui.study import Study
from ui.survey import analysed, warnings

MAP, COLUMNS = "analysis", [60, 40]

ABOVE, WARNING = 232, 72  # pixels above the map: boxes and edges, and each warning
VIEWS = ("gi", "density", "course")
KERNELS: tuple[Kernel, ...] = ("quartic", "gaussian")
BANDWIDTHS = (200, 300, 400, 500, 800)  # metres; by a rule of thumb a city gets 1.7 km
MOST_TOGETHER = 20_000  # events that HDBSCAN groups while somebody waits: three seconds
MOST_NEAR = 12_000  # events whose pairs are compared while somebody waits: four seconds


def number_column(head: str, form: str = "%.1f") -> object:
    """A column of numbers under a heading of this application."""
    return st.column_config.NumberColumn(text(head), format=form)


def map_below(pixels: int) -> None:
    """Make the map end above the window's edge where so much stands above it."""
    st.html(f"<style>.stApp .gw-board {{ height: max(380px, calc(100vh - {pixels}px)); }}</style>")


def show_spots(study: Study, found: Hotspots, years: float) -> None:
    """The map of cells, what hangs together, where a circle is sure, and near repeats."""
    told = len(warnings(study, language())) + len(found.notes)
    map_below(ABOVE + WARNING * told)
    for sentence in warnings(study, language()):
        st.warning(markdown_text(sentence))
    left, right = st.columns(COLUMNS, gap="small")
    with right:
        labels = {view: text(f"incidents.view_{view}") for view in VIEWS}
        view = st.radio(
            text("incidents.view"), VIEWS, format_func=labels.__getitem__, horizontal=True,
            key=f"analysis_view_{language()}", label_visibility="collapsed",
        )  # fmt: skip
        everywhere = view == "density" and density_everywhere()
        if view == "density":
            _density_how()
        extra = _points(study, found)
        hot, cold = int(found.significance.hot.sum()), int(found.significance.cold.sum())
        told = text("incidents.spots_told", hot=whole(hot), cold=whole(cold),
                    cells=whole(int(found.cells.inside.sum())), mapped=whole(found.mapped),
                    all=whole(len(found.rows)))  # fmt: skip
        st.markdown(markdown_text(told))
        st.caption(text("incidents.gi_text"))
        extra += _clusters(study, found)
        extra += _scan(study, found)
        _near(study, found)
    with left:
        scene = spot_scene(study, found, view, language(), years, extra, everywhere=everywhere)
        show_map(scene, name=MAP)


def density_everywhere() -> bool:
    """Is density to be drawn where it is not significantly high, too?"""
    st.session_state.setdefault("analysis_everywhere", False)
    kept = st.session_state["analysis_everywhere"]
    chosen = st.toggle(text("incidents.everywhere"), value=kept, key="analysis_everywhere_box",
                       help=text("incidents.everywhere_help"))  # fmt: skip
    st.session_state["analysis_everywhere"] = chosen
    return chosen


def density_parameters(cell: float) -> Parameters:
    """How density is drawn as chosen; the back-test and the analysts' file go by it, too."""
    kernel: Kernel = st.session_state.get("analysis_kernel", KERNELS[0])
    bandwidth = float(st.session_state.get("analysis_bandwidth", 300))
    return Parameters(cell=cell, bandwidth=bandwidth, kernel=kernel)


def density_told(how: Parameters) -> str:
    """Kernel and bandwidth in words."""
    return text("incidents.density_how", kernel=text(f"incidents.kernel_{how.kernel}"),
                metres=whole(how.bandwidth))  # fmt: skip


def _density_how() -> None:
    """Kernel and bandwidth; kept apart from their boxes, which are not always on the page."""
    one, two = st.columns([45, 55], gap="small")
    names = {kernel: text(f"incidents.kernel_{kernel}") for kernel in KERNELS}
    for column, name, options, shown in (
        (one, "kernel", KERNELS, names.__getitem__),
        (two, "bandwidth", BANDWIDTHS, lambda metres: whole(metres)),
    ):
        box, kept = f"analysis_{name}_{language()}", f"analysis_{name}"
        st.session_state[box] = st.session_state.get(kept, "quartic" if name == "kernel" else 300)
        column.selectbox(
            text(f"incidents.{name}"), options, format_func=shown, key=box,
            help=text(f"incidents.{name}_help"), on_change=callback(partial(_kept, box, kept)),
        )  # fmt: skip


def _kept(box: str, kept: str) -> None:
    st.session_state[kept] = st.session_state[box]


def _points(study: Study, found: Hotspots) -> list[Layer]:
    """The events' own places, of one area at a time."""
    level: LevelName = (
        "village" if "village" in study.areas.levels else next(iter(study.areas.levels))
    )
    held = study.areas.levels[level]
    names = {"": text("incidents.no_points")}
    names |= {str(c): f"{spoken(n, c, language())} · {c}"
              for c, n in zip(held.codes, held.names, strict=True)}  # fmt: skip
    area = st.selectbox(
        text("incidents.points_of"), list(names), format_func=names.__getitem__,
        key=f"analysis_points_{language()}",
    )  # fmt: skip
    return [point_layer(study, found, area, language())] if area else []


def _clusters(study: Study, found: Hotspots) -> list[Layer]:
    if not st.toggle(text("incidents.clusters"), key="analysis_clusters"):
        return []
    if len(found.rows) > MOST_TOGETHER:
        st.info(text("incidents.too_many", most=whole(MOST_TOGETHER)))
        return []
    with st.spinner(text("job.counting")):
        held = clusters_of(study, found)
    st.dataframe(
        cluster_rows(held), hide_index=True, height=170, row_height=28,
        column_config={"number": number_column("incidents.place_number", "%d"),
                       "events": number_column("incidents.count", "%d"),
                       "per_km2": number_column("incidents.per_km2", "%.0f")},
    )  # fmt: skip
    st.caption(text("incidents.clusters_text"))
    return [outline_layer(study, held.outline, text("incidents.clusters"))]


def _scan(study: Study, found: Hotspots) -> list[Layer]:
    if not st.toggle(text("incidents.scan"), key="analysis_scan"):
        return []
    level = scanned_level(study)
    held = study.areas.levels[level]
    known = np.flatnonzero(people_scanned(study) > 0)
    if len(known) < 10:
        st.info(text("incidents.scan_people"))
        return []
    with st.spinner(text("job.counting")):
        sure = [circle for circle in scan_of(study, found) if circle.p <= 0.05]
    names = [spoken(held.names[i], held.codes[i], language()) for i in known]
    st.dataframe(
        scan_rows(study, sure, names), hide_index=True, height=170, row_height=28,
        column_config={
            "where": st.column_config.TextColumn(text("incidents.scan_where")),
            "radius": number_column("incidents.scan_radius", "%.0f"),
            "areas": number_column("incidents.scan_areas", "%d"),
            "events": number_column("incidents.count", "%d"),
            "expected": number_column("incidents.cell_expected", "%.0f"),
            "risk": number_column("incidents.scan_risk", "%.2f"),
            "p": number_column("incidents.scan_p", "%.3f"),
        },
    )  # fmt: skip
    st.caption(text("incidents.scan_text"))
    shapes = study.areas.shapes(level)[known]
    import shapely

    rings = [shapely.union_all(shapes[circle.places]) for circle in sure]
    layer = outline_layer(study, rings, text("incidents.scan"))
    return [Layer("circles", "line", layer.features, "beatLine", text("incidents.scan"))]


def _near(study: Study, found: Hotspots) -> None:
    if not st.toggle(text("incidents.near"), key="analysis_near"):
        return
    usable = near_usable(study, found)
    if not len(usable) or len(usable) > MOST_NEAR:
        st.info(text("incidents.near_limits", most=whole(MOST_NEAR)))
        return
    with st.spinner(text("job.counting")):
        table = near_of(study, found)
    st.dataframe(near_repeat_table(table), height=250)
    st.caption(text("incidents.near_text"))


def show_areas(study: Study, found: Hotspots, years: float) -> None:
    """A level as a map of rates, and its table; counts stand in the table, never in colour."""
    lang = language()
    names = level_names(study, lang)
    map_below(ABOVE + WARNING * len(found.notes))
    left, right = st.columns(COLUMNS, gap="small")
    with right:
        one, two = st.columns(2, gap="small")
        level = one.selectbox(
            text("incidents.level"), list(names), format_func=names.__getitem__,
            index=_with_rates(study, list(names)), key=f"analysis_level_{lang}",
        )  # fmt: skip
        measures = {name: measure_name(study, name, lang) for name in MEASURES}
        people = getattr(study.areas.levels[level], study.areas.per)
        measure = two.selectbox(
            text("incidents.measure"), MEASURES, format_func=measures.__getitem__,
            index=0 if (people > 0).any() else MEASURES.index("density"),  # no rate of nobody
            key=f"analysis_measure_{lang}",
        )  # fmt: skip
        _area_table(found, level, study.areas.per, years)
        if measure == "change_on_year" and found.selection.period.open:
            st.info(text("incidents.changes_choose"))
        st.caption(text("incidents.areas_text"))
    whole_time = Selection(category=found.selection.category, source=found.selection.source,
                           without_piles=found.selection.without_piles)  # fmt: skip
    base = analysed(study, study.prepared, whole_time, trend=False)
    breaks = measure_breaks(study, base, level, measure, years_in(study, ""))
    with left:
        show_map(area_scene(study, found, level, measure, lang, years, breaks), name=MAP)


def _with_rates(study: Study, names: list[LevelName]) -> int:
    """The finest level of which the people are known, to begin with."""
    per = study.areas.per
    known = [bool((getattr(study.areas.levels[name], per) > 0).any()) for name in names]
    return known.index(True) if any(known) else 0


def _area_table(found: Hotspots, level: LevelName, per: Per, years: float) -> None:
    texts = ("code", "name", "unusual")
    forms = {
        "count": "%d", "rate_per_1000": "%.2f", "rate_smoothed": "%.2f", "rate_low": "%.2f",
        "rate_high": "%.2f", "density": "%.1f", "persons": "%.0f", "closure_rate": "%.2f %%",
        "change_on_period": "%+.1f %%", "change_on_year": "%+.1f %%",
    }  # fmt: skip
    config = {name: st.column_config.TextColumn(text(f"incidents.col_{name}")) for name in texts}
    heads = {name: f"incidents.col_{name}" for name in forms}
    if per == "households":
        heads |= {"rate_per_1000": "incidents.rate_homes", "persons": "column.households"}
        forms["households"] = forms.pop("persons")
        heads["households"] = heads.pop("persons")
    config |= {name: number_column(heads[name], form) for name, form in forms.items()}
    order = ["name", "count", "rate_per_1000", "rate_smoothed", "unusual", "rate_low", "rate_high",
             "density", "closure_rate", "change_on_period", "change_on_year", per,
             "code"]  # fmt: skip
    st.dataframe(
        shown_table(found, level, language(), years), column_config=config, column_order=order,
        hide_index=True, height=430, row_height=28, placeholder="—",
    )  # fmt: skip
