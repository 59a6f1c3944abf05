"""One map sheet a subject: a grid, a village, a township, the county, a beat, a leader's grids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planning.beats.judge import BEAT_RULES
from planning.bounds import side_in_english, sides_of
from planning.export import Language, in_language, rule_names
from planning.naming import name_in, short_number
from planning.sheets.atlas import Atlas, Kind, area_of, count_of, text_of
from planning.sheets.page import Paper, Sheet
from planning.sheets.panel import AROUND, DEDICATED, INK, SOFT, SUBJECT, Panel
from planning.sheets.pdf import Page
from planning.sheets.side import BEAT_INK, MICRO_INK, Table
from planning.sheets.words import say

WIDE = 30_000  # from this scale on only the main lines have room
CROWDED = 15_000  # from this scale on only lines at the subject are named
SIDES = ("east", "south", "west", "north_side")


def draw(atlas: Atlas, kind: Kind, code: str) -> Page:
    """One sheet. Raises KeyError for a subject that the plan does not have."""
    work: dict[Kind, Callable[[Atlas, str], Page]] = {
        "grid": _grid, "village": _village, "township": _township, "overview": _overview,
        "beat": _beat, "leader": _leader,
    }  # fmt: skip
    return work[kind](atlas, code)


def _grid(atlas: Atlas, code: str) -> Page:
    rows = _rows(atlas.grids, code)
    grid, shape = rows.iloc[0], rows.geometry.iloc[0]
    paper = Paper(shape.bounds, atlas.font, atlas.language)
    panel, frame = paper.panel, paper.frame
    dedicated = text_of(grid.get("kind")) == "dedicated"
    micro = _micro(atlas, code)
    with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
        near = _around(atlas, panel)
        panel.fill([shape], DEDICATED if dedicated else SUBJECT)
        panel.context(_lines(atlas, paper))
        panel.borders(micro.geometry, MICRO_INK, 0.4, (1.4, 0.9))
        panel.outline(near.geometry, SOFT, 0.25)
        panel.outline(panel.near(atlas.plan.villages).geometry, INK, 0.5)
        panel.outline([shape], INK, 1.0)
        panel.label(shape, _number(grid), 15, force=True, bold=True)
        for row in micro.itertuples():
            panel.label(row.geometry, str(row.code)[-2:], 7, MICRO_INK)
        _neighbours(panel, near[near["code"].astype(str) != code], grid, shape)
        panel.names(_named(atlas, paper, shape))
    facts = [
        ("code", code), ("village", text_of(grid.get("village_name"))),
        ("township", text_of(grid.get("township_name"))),
        ("kind", say("dedicated" if dedicated else "comprehensive", atlas.language)),
        ("households", count_of(grid.get("households"))),
        ("persons", count_of(grid.get("persons"))), ("area", area_of(shape.area)),
    ]  # fmt: skip
    if len(micro):
        facts.append(("micro", f"{len(micro):,}"))
    texts = [(say("bounds", atlas.language), _four(atlas, text_of(grid.get("bounds_text")))),
             (say("exceptions", atlas.language), _exceptions(atlas, code))]  # fmt: skip
    own = ["dedicated" if dedicated else "subject"]
    borders = ["micro"] if len(micro) else []
    if len(near) > 1:
        borders.append("grid_thin")
    if shapely.intersects(shapely.boundary(atlas.plan.villages.geometry.values),
                          panel.window).any():  # fmt: skip
        borders.append("village_thin")
    legend = _legend(atlas, paper, own, near, borders)
    return _finish(atlas, paper, "grid", code, facts, texts, legend, _of_micro(atlas, micro))


def _village(atlas: Atlas, code: str) -> Page:
    villages = atlas.plan.villages
    rows = _rows(villages, code)
    village, shape = rows.iloc[0], rows.geometry.iloc[0]
    paper = Paper(shape.bounds, atlas.font, atlas.language)
    panel, frame = paper.panel, paper.frame
    own = atlas.grids[atlas.grids["village_code"].astype(str) == code]
    with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
        near = _around(atlas, panel)
        _subject(panel, own)
        panel.context(_lines(atlas, paper))
        panel.outline(near.geometry, SOFT, 0.2)
        panel.outline(own.geometry, INK, 0.45)
        panel.outline(panel.near(villages).geometry, INK, 0.55)
        panel.outline([shape], INK, 1.1)
        _numbers(panel, own, 10)
        for row in panel.near(villages).itertuples():
            if str(row.code) != code:
                panel.label(row.geometry.difference(shape), text_of(row.name), 9, SOFT)
        panel.names(_named(atlas, paper, shape))
    facts = [
        ("code", code), ("township", text_of(village.get("township_name"))),
        ("grids", f"{len(own):,}"), ("households", count_of(village.get("households"))),
        ("persons", count_of(village.get("persons"))), ("area", area_of(shape.area)),
    ]  # fmt: skip
    legend = _legend(atlas, paper, ["subject"], near, ["grid_line", "village_line"])
    return _finish(atlas, paper, "village", code, facts, [], legend, _of_grids(atlas, own))


def _township(atlas: Atlas, name: str) -> Page:
    villages = atlas.plan.villages
    here = villages[villages["township_name"].map(text_of) == name]
    if not len(here):
        raise KeyError(name)
    own = atlas.grids[atlas.grids["village_code"].isin(here["code"])]
    paper = Paper(here.total_bounds, atlas.font, atlas.language, "A3")
    panel, frame = paper.panel, paper.frame
    main = _main(atlas, paper)
    with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
        near = _around(atlas, panel)
        _subject(panel, own)
        panel.context(main)
        panel.outline(near.geometry, SOFT, 0.2)
        panel.outline(panel.near(villages).geometry, INK, 0.6)
        panel.outline([shapely.union_all(here.geometry.values)], INK, 1.2)
        for row in here.itertuples():
            panel.label(row.geometry, text_of(row.name), 10, bold=True)
        _numbers(panel, own, 7)
        panel.names(main)
    borders = ["grid_line", "village_thin", "town_line"]
    legend = _legend(atlas, paper, ["subject"], near, borders)
    facts, table = _sums(here, own), _of_villages(atlas, here, own)
    return _finish(atlas, paper, "township", name, facts, [], legend, table)


def _overview(atlas: Atlas, code: str) -> Page:
    villages = atlas.plan.villages
    paper = Paper(villages.total_bounds, atlas.font, atlas.language, "A3")
    panel, frame = paper.panel, paper.frame
    ordered = villages.sort_values("code", kind="stable")
    towns = dict(iter(ordered.groupby(ordered["township_name"].map(text_of), sort=False)))
    with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
        _subject(panel, atlas.grids)
        panel.context(_main(atlas, paper))
        panel.outline(atlas.grids.geometry, SOFT, 0.1)
        panel.outline(villages.geometry, INK, 0.3)
        for name, rows in towns.items():
            whole = shapely.union_all(rows.geometry.values)
            panel.outline([whole], INK, 0.9)
            panel.label(whole, str(name), 12, bold=True)
        for row in villages.itertuples():
            if len(towns) > 1:
                panel.label(row.geometry, text_of(row.name), 6, SOFT)
            else:
                panel.label(row.geometry, text_of(row.name), 9)
    borders = ["grid_line", "village_thin", *(["town_line"] if len(towns) > 1 else [])]
    legend = _legend(atlas, paper, ["subject"], atlas.grids, borders)
    table = _of_villages(atlas, villages, atlas.grids)
    if len(towns) > 1:
        table = _of_townships(atlas, towns)
    facts = _sums(villages, atlas.grids)
    return _finish(atlas, paper, "overview", code, facts, [], legend, table)


def _beat(atlas: Atlas, code: str) -> Page:
    if atlas.beats is None:
        raise KeyError(code)
    beats, table = atlas.beats.beats, atlas.beats.grid_beats
    rows = _rows(beats, code)
    beat, shape = rows.iloc[0], rows.geometry.iloc[0]
    inside = set(table.loc[table["beat_code"].astype(str) == code, "grid_code"].astype(str))
    own = atlas.grids[atlas.grids["code"].astype(str).isin(inside)]
    paper = Paper(shape.bounds, atlas.font, atlas.language)
    panel, frame = paper.panel, paper.frame
    with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
        near = _around(atlas, panel)
        _subject(panel, own)
        panel.context(_lines(atlas, paper))
        panel.outline(near.geometry, SOFT, 0.2)
        panel.outline(own.geometry, INK, 0.4)
        panel.outline(panel.near(beats).geometry, BEAT_INK, 0.8)
        panel.outline([shape], BEAT_INK, 1.3)
        _numbers(panel, own, 8)
        for row in panel.near(beats).itertuples():
            if str(row.code) != code:
                name = name_in(text_of(row.name), atlas.language)
                panel.label(row.geometry.difference(shape), name, 9, SOFT)
        panel.names(_named(atlas, paper, shape))
    facts = [
        ("code", code), ("station", text_of(beat.get("station"))), ("grids", f"{len(own):,}"),
        ("households", count_of(beat.get("households"))),
        ("persons", count_of(beat.get("persons"))), ("work", count_of(beat.get("workload"))),
        ("area", area_of(shape.area)),
    ]  # fmt: skip
    texts = [(say("exceptions", atlas.language), _broken(atlas, text_of(beat.get("exceptions"))))]
    legend = _legend(atlas, paper, ["subject"], near, ["beat_line", "grid_line"])
    told = _of_grids(atlas, own, named=True)
    return _finish(atlas, paper, "beat", code, facts, texts, legend, told)


def _leader(atlas: Atlas, code: str) -> Page:
    """The grids that a leader follows, wherever they lie."""
    wanted = {str(one) for one in atlas.leaders[code]}
    own = atlas.grids[atlas.grids["code"].astype(str).isin(wanted)]
    if not len(own):
        raise KeyError(code)
    paper = Paper(own.total_bounds, atlas.font, atlas.language)
    panel, frame = paper.panel, paper.frame
    villages = atlas.plan.villages
    with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
        near = _around(atlas, panel)
        _subject(panel, own)
        panel.context(_lines(atlas, paper))
        panel.outline(near.geometry, SOFT, 0.2)
        panel.outline(panel.near(villages).geometry, INK, 0.5)
        panel.outline(own.geometry, INK, 1.0)
        _numbers(panel, own, 9)
        for row in panel.near(villages).itertuples():
            panel.label(row.geometry, text_of(row.name), 8, SOFT)
        panel.names(_lines(atlas, paper))
    persons = pd.to_numeric(own["persons"], errors="coerce")
    facts = [
        ("grids", f"{len(own):,}"), ("households", f"{int(own['households'].sum()):,}"),
        ("persons", f"{int(persons.sum()):,}" if persons.notna().all() else "—"),
        ("area", area_of(float(own.geometry.area.sum()))),
    ]  # fmt: skip
    legend = _legend(atlas, paper, ["subject"], near, ["grid_line", "village_line"])
    told = _of_grids(atlas, own, named=True)
    return _finish(atlas, paper, "leader", code, facts, [], legend, told)


# --- parts --------------------------------------------------------------------------------------


def _rows(frame: gpd.GeoDataFrame, code: str) -> gpd.GeoDataFrame:
    rows = frame[frame["code"].astype(str) == code]
    if not len(rows):
        raise KeyError(code)
    return rows


def _finish(
    atlas: Atlas, paper: Paper, kind: Kind, code: str, facts: Sequence[tuple[str, str]],
    texts: Sequence[tuple[str, str]], legend: Sequence[str], table: Table | None,
) -> Page:  # fmt: skip
    named = [(say(name, atlas.language), value) for name, value in facts if value]
    sheet = Sheet(atlas.title(kind, code), named, texts, legend, table)
    paper.finish(sheet, atlas.imprint)
    return paper.canvas.page()


def _is_dedicated(grids: gpd.GeoDataFrame) -> pd.Series:
    return grids["kind"] == "dedicated" if "kind" in grids else pd.Series(False, grids.index)


def _around(atlas: Atlas, panel: Panel) -> gpd.GeoDataFrame:
    """The grids that the map shows, filled; the caller draws the subject over them."""
    near = panel.near(atlas.grids)
    dedicated = _is_dedicated(near)
    panel.fill(near.geometry[~dedicated], AROUND)
    panel.fill(near.geometry[dedicated], DEDICATED)
    return near


def _subject(panel: Panel, own: gpd.GeoDataFrame) -> None:
    dedicated = _is_dedicated(own)
    panel.fill(own.geometry[~dedicated], SUBJECT)
    panel.fill(own.geometry[dedicated], DEDICATED)


def _legend(
    atlas: Atlas, paper: Paper, own: Sequence[str], near: gpd.GeoDataFrame, more: Sequence[str]
) -> list[str]:
    """Only what the map shows."""
    around = len(near) < len(atlas.grids) or "micro" in more
    found = [*own, *(["around"] if around and len(near) > 1 else [])]
    if _is_dedicated(near).any() and "dedicated" not in found:
        found.append("dedicated")
    return [*found, *more, *atlas.lines(paper.frame.window)]


def _numbers(panel: Panel, own: gpd.GeoDataFrame, size: float) -> None:
    order = np.argsort(-own.geometry.area.to_numpy(), kind="stable")
    for row in own.iloc[order].itertuples():
        panel.label(row.geometry, _number(row._asdict()), size)


def _neighbours(
    panel: Panel, near: gpd.GeoDataFrame, grid: pd.Series, shape: shapely.Geometry
) -> None:
    """The numbers around; one that touches the subject from another village with its village,
    as every village has a first grid."""
    own = text_of(grid.get("village_code"))
    for row in near.to_dict("records"):
        number, village = _number(row), text_of(row.get("village_name"))
        # a grid of a village that is gone bears that village's name already
        abroad = village and " " not in number and text_of(row.get("village_code")) != own
        if abroad and row["geometry"].intersects(shape) and panel.label(
            row["geometry"], f"{village} {number}", 8, SOFT
        ):  # fmt: skip
            continue
        panel.label(row["geometry"], number, 9, SOFT)


def _number(grid: Mapping[str, object] | pd.Series) -> str:
    """What tells a grid from its neighbours: its code without the village's."""
    return short_number(
        text_of(grid["code"]), text_of(grid.get("village_code")), text_of(grid.get("name"))
    )


def _micro(atlas: Atlas, code: str) -> gpd.GeoDataFrame:
    micro = atlas.plan.micro_grids
    if micro is None:
        return atlas.grids.iloc[:0]
    return micro[micro["grid_code"].astype(str) == code].sort_values("code", kind="stable")


def _exceptions(atlas: Atlas, code: str) -> str:
    table = atlas.plan.exceptions
    own = table[table["grid_code"].astype(str) == code]
    language: Language = "zh" if atlas.language == "zh" else "en"
    mark = "：" if language == "zh" else ": "
    told = []
    for e in own.itertuples():
        reason = in_language(text_of(e.reason), language)
        told.append(rule_names(text_of(e.rule), language) + (mark + reason if reason else ""))
    return "\n".join(told)


def _broken(atlas: Atlas, rules: str) -> str:
    """The rules that a beat breaks, by their names."""
    index = 0 if atlas.language == "zh" else 1
    parts = [part.strip() for part in rules.replace("；", ";").split(";") if part.strip()]
    return "\n".join(BEAT_RULES[part][index] if part in BEAT_RULES else part for part in parts)


def _four(atlas: Atlas, text: str) -> str:
    """The four bounds, a line a side."""
    sides = sides_of(text)
    if sides is None:
        return text
    if atlas.language == "zh":
        return "\n".join(
            f"{say(name, 'zh')}{' ' if side[:1].isascii() else ''}{side}"
            for name, side in zip(SIDES, sides, strict=True)
        )
    return "\n".join(
        f"{say(name, 'en')}: {side_in_english(side)}"
        for name, side in zip(SIDES, sides, strict=True)
    )


def _table(atlas: Atlas, names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    """A table; a last column in which nothing is known is left out."""
    if rows and all(row[-1] == "—" for row in rows):
        names, rows = names[:-1], [row[:-1] for row in rows]
    return Table([say(name, atlas.language) for name in names], rows)


def _of_micro(atlas: Atlas, micro: gpd.GeoDataFrame) -> Table | None:
    if len(micro) < 2:
        return None
    rows = [
        (str(row.code)[-2:], count_of(row.households), count_of(row.persons))
        for row in micro.itertuples()
    ]
    return _table(atlas, ("micro", "households", "persons"), rows)


def _of_grids(atlas: Atlas, own: gpd.GeoDataFrame, *, named: bool = False) -> Table:
    """Grids with their households and persons; by their names where villages are mixed."""
    rows = []
    for grid in own.to_dict("records"):
        name = name_in(text_of(grid.get("name")), atlas.language)
        short = _number(grid)
        if named or text_of(grid.get("kind")) == "dedicated":
            short = name or short
        rows.append((short, count_of(grid.get("households")), count_of(grid.get("persons"))))
    return _table(atlas, ("grids", "households", "persons"), rows)


def _of_villages(atlas: Atlas, villages: pd.DataFrame, grids: pd.DataFrame) -> Table:
    held = grids["village_code"].astype(str).value_counts()
    rows = [
        (text_of(row.name), f"{held.get(str(row.code), 0):,}", count_of(row.households),
         count_of(row.persons))
        for row in villages.sort_values("code", kind="stable").itertuples(index=False)
    ]  # fmt: skip
    return _table(atlas, ("listed_villages", "of_grids", "households", "persons"), rows)


def _of_townships(atlas: Atlas, towns: Mapping[str, pd.DataFrame]) -> Table:
    rows = []
    for name, villages in towns.items():
        own = atlas.grids["village_code"].isin(villages["code"])
        persons = pd.to_numeric(villages["persons"], errors="coerce")
        rows.append(
            (str(name), f"{len(villages):,}", f"{int(own.sum()):,}",
             f"{int(villages['households'].sum()):,}",
             f"{int(persons.sum()):,}" if persons.notna().all() else "—")
        )  # fmt: skip
    names = ("townships", "of_villages", "of_grids", "households", "persons")
    return _table(atlas, names, rows)


def _sums(villages: pd.DataFrame, grids: pd.DataFrame) -> list[tuple[str, str]]:
    persons = pd.to_numeric(villages["persons"], errors="coerce")
    return [
        ("villages", f"{len(villages):,}"), ("grids", f"{len(grids):,}"),
        ("households", f"{int(villages['households'].sum()):,}"),
        ("persons", f"{int(persons.sum()):,}" if persons.notna().all() else "—"),
        ("area", area_of(float(gpd.GeoSeries(villages["geometry"]).area.sum()))),
    ]  # fmt: skip


def _lines(atlas: Atlas, paper: Paper) -> Mapping[str, gpd.GeoDataFrame]:
    """The lines of a sheet: all of them, or the main ones where the scale has no room for all."""
    return _main(atlas, paper) if paper.frame.scale >= WIDE else atlas.context


def _named(
    atlas: Atlas, paper: Paper, shape: shapely.Geometry
) -> Mapping[str, gpd.GeoDataFrame]:
    """The lines whose names are told: where there are many, those at the subject."""
    lines = _lines(atlas, paper)
    if paper.frame.scale < CROWDED:
        return lines
    near = shapely.buffer(shape, 3 * paper.frame.scale / 1000)  # 3 mm of paper
    return {
        role: frame.iloc[np.sort(frame.sindex.query(near, predicate="intersects"))]
        for role, frame in lines.items()
    }


def _main(atlas: Atlas, paper: Paper) -> Mapping[str, gpd.GeoDataFrame]:
    """What an overview has room for: lines whose name runs for a tenth of the map."""
    west, south, east, north = paper.frame.window
    least = 0.1 * max(east - west, north - south)
    kept = {}
    for role, frame in atlas.context.items():
        if "name" not in frame or not len(frame):
            continue
        names = frame["name"].fillna("").astype(str)
        run = frame.geometry.length.groupby(names).transform("sum")
        kept[role] = frame[(names != "") & (run >= least)]
    return kept
