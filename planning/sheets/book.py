"""Books of map sheets: what each sheet is about, drawn from a plan's tables and written as PDF.

Everything is known from plan.gpkg and the lines around; households are not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planning.beats.beatfile import BeatFile
from planning.bounds import bounds_in_english
from planning.county import Cancelled
from planning.export import Language, atomically, in_language, rule_names
from planning.planfile import PlanFile
from planning.sheets.fonts import Font, find_font, load_font
from planning.sheets.page import NOTICE, WORDS, Imprint, Paper, Sheet, say
from planning.sheets.panel import AROUND, DEDICATED, INK, SOFT, SUBJECT, Panel
from planning.sheets.pdf import Page, pdf_bytes
from planning.sheets.picture import png_bytes

Kind = Literal["grid", "village", "township", "overview", "beat"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MICRO_INK, BEAT_INK = (0.11, 0.42, 0.36), (0.11, 0.18, 0.44)
ROLES = ("roads", "water", "railways")


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value).strip()


def _count(value: object) -> str:
    text = _text(value)
    return f"{int(float(text)):,}" if text else "—"


def _area(metres: float) -> str:
    return f"{metres / 1e6:.2f} km²" if metres >= 1e5 else f"{metres:,.0f} m²"


@dataclass(frozen=True)
class Atlas:
    """A county's plan ready to be drawn. ``context`` role -> frame in the plan's system.

    Raises :class:`geo.problems.InputError` on first drawing where no Chinese font is found.
    """

    plan: PlanFile
    context: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    beats: BeatFile | None = None
    language: str = "zh"
    imprint: Imprint = field(default_factory=Imprint)

    @cached_property
    def grids(self) -> gpd.GeoDataFrame:
        """The grids by code."""
        return self.plan.grids.sort_values("code", kind="stable").reset_index(drop=True)

    @cached_property
    def font(self) -> Font:
        """The font with every character that a sheet may need."""
        texts: list[str] = [*NOTICE.values(), *(w for pair in WORDS.values() for w in pair)]
        texts += [self.imprint.place, self.imprint.unit, self.imprint.date, self.imprint.version]
        frames: list[pd.DataFrame] = [
            self.plan.grids, self.plan.villages, self.plan.exceptions, *self.context.values(),
        ]  # fmt: skip
        if self.beats is not None:
            frames += [self.beats.beats, self.beats.exceptions]
        for frame in frames:
            for name in frame.columns:
                if frame[name].dtype.kind in "OT" and name != "geometry":
                    texts += [_text(value) for value in frame[name].unique()]
        signs = "：，。；、（）()·—%+−…「」第图总网格²"
        return load_font(find_font(), set("".join(texts)) | set(signs))

    def lines(self, bounds: Sequence[float]) -> list[str]:
        """The roles that have anything on a map of these bounds, for the legend."""
        box = shapely.box(*bounds)
        return [
            role for role in ROLES
            if role in self.context and len(self.context[role])
            and len(self.context[role].sindex.query(box, predicate="intersects"))
        ]  # fmt: skip

    # --- sheets -----------------------------------------------------------------------------

    def subjects(self, kind: Kind, codes: Iterable[str] | None = None) -> list[str]:
        """Codes (names of townships) of the sheets of a kind, in order; only ``codes`` if given."""
        if kind == "overview":
            return [""]
        if kind == "grid":
            found = [str(code) for code in self.grids["code"]]
        elif kind == "village":
            found = [str(code) for code in self.plan.villages["code"]]
        elif kind == "township":
            found = list(dict.fromkeys(map(_text, self.plan.villages["township_name"])))
        else:
            found = [] if self.beats is None else [str(c) for c in self.beats.beats["code"]]
        wanted = None if codes is None else set(codes)
        return [code for code in found if wanted is None or code in wanted]

    def draw(self, kind: Kind, code: str) -> Page:
        """One sheet. Raises KeyError for a subject that the plan does not have."""
        work = {
            "grid": self._grid, "village": self._village, "township": self._township,
            "overview": self._overview, "beat": self._beat,
        }  # fmt: skip
        return work[kind](code)

    def title(self, kind: Kind, code: str) -> str:
        """The sheet's title, also its bookmark."""
        names = {
            "grid": (self.grids, "code"), "village": (self.plan.villages, "code"),
            "beat": (self.beats.beats if self.beats else self.grids, "code"),
        }  # fmt: skip
        if kind in names:
            frame, column = names[kind]
            rows = frame[frame[column].astype(str) == code]
            if not len(rows):
                raise KeyError(code)
            return _text(rows["name"].iloc[0]) or code
        place = self.imprint.place
        if kind == "overview":
            return f"{place}网格总图" if self.language == "zh" else f"{place} Overview".strip()
        return code or place

    def _around(self, panel: Panel) -> gpd.GeoDataFrame:
        """The grids that the map shows, filled; the caller draws the subject over them."""
        near = panel.near(self.grids)
        usual = near["kind"] != "dedicated" if "kind" in near else pd.Series(True, near.index)
        panel.fill(near.geometry[usual], AROUND)
        panel.fill(near.geometry[~usual], DEDICATED)
        return near

    def _finish(self, paper: Paper, sheet: Sheet) -> Page:
        paper.finish(sheet, self.imprint)
        return paper.canvas.page()

    def _grid(self, code: str) -> Page:
        rows = self.grids[self.grids["code"].astype(str) == code]
        if not len(rows):
            raise KeyError(code)
        grid, shape = rows.iloc[0], rows.geometry.iloc[0]
        paper = Paper(shape.bounds, self.font, self.language)
        panel, frame = paper.panel, paper.frame
        own = DEDICATED if _text(grid.get("kind")) == "dedicated" else SUBJECT
        with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
            near = self._around(panel)
            panel.fill([shape], own)
            panel.context(self.context)
            micro = self._micro(code)
            panel.outline(micro.geometry, MICRO_INK, 0.25, (1.2, 0.8))
            panel.outline(near.geometry, SOFT, 0.25)
            panel.outline(panel.near(self.plan.villages).geometry, INK, 0.5)
            panel.outline([shape], INK, 1.0)
            panel.label(shape, self._number(grid), 15, force=True, bold=True)
            for row in near[near["code"].astype(str) != code].itertuples():
                panel.label(row.geometry, self._number(row._asdict()), 9, SOFT)
            for row in micro.itertuples():
                panel.label(row.geometry, str(row.code)[-2:], 7, MICRO_INK)
            panel.names(self.context)
        bounds = _text(grid.get("bounds_text"))
        if self.language != "zh" and bounds:
            bounds = bounds_in_english(bounds)
        texts = [(say("bounds", self.language), bounds),
                 (say("exceptions", self.language), self._exceptions(code))]  # fmt: skip
        facts = [
            ("code", code), ("village", _text(grid.get("village_name"))),
            ("township", _text(grid.get("township_name"))),
            ("kind", say(_text(grid.get("kind")) or "comprehensive", self.language)),
            ("households", _count(grid.get("households"))),
            ("persons", _count(grid.get("persons"))), ("area", _area(shape.area)),
        ]  # fmt: skip
        if len(micro):
            facts.append(("micro", f"{len(micro):,}"))
        legend = ["subject", "around", "dedicated", *self.lines(frame.window)]
        if len(micro):
            legend.append("micro")
        named = [(say(name, self.language), value) for name, value in facts if value]
        return self._finish(paper, Sheet(self.title("grid", code), named, texts, legend))

    def _village(self, code: str) -> Page:
        rows = self.plan.villages[self.plan.villages["code"].astype(str) == code]
        if not len(rows):
            raise KeyError(code)
        village, shape = rows.iloc[0], rows.geometry.iloc[0]
        paper = Paper(shape.bounds, self.font, self.language)
        panel, frame = paper.panel, paper.frame
        own = self.grids[self.grids["village_code"].astype(str) == code]
        with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
            near = self._around(panel)
            self._subject(panel, own)
            panel.context(self.context)
            panel.outline(near.geometry, SOFT, 0.2)
            panel.outline(own.geometry, INK, 0.45)
            panel.outline(panel.near(self.plan.villages).geometry, INK, 0.55)
            panel.outline([shape], INK, 1.1)
            self._numbers(panel, own, 10)
            for row in panel.near(self.plan.villages).itertuples():
                if str(row.code) != code:
                    panel.label(row.geometry.difference(shape), _text(row.name), 9, SOFT)
            panel.names(self.context)
        facts = [
            ("code", code), ("township", _text(village.get("township_name"))),
            ("grids", f"{len(own):,}"), ("households", _count(village.get("households"))),
            ("persons", _count(village.get("persons"))), ("area", _area(shape.area)),
        ]  # fmt: skip
        texts = [(say("grids", self.language), self._listing(own))]
        legend = ["subject", "around", "dedicated", *self.lines(frame.window)]
        named = [(say(name, self.language), value) for name, value in facts if value]
        return self._finish(paper, Sheet(self.title("village", code), named, texts, legend))

    def _township(self, name: str) -> Page:
        here = self.plan.villages[self.plan.villages["township_name"].map(_text) == name]
        if not len(here):
            raise KeyError(name)
        own = self.grids[self.grids["village_code"].isin(here["code"])]
        paper = Paper(here.total_bounds, self.font, self.language, "A3")
        panel, frame = paper.panel, paper.frame
        with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
            near = self._around(panel)
            self._subject(panel, own)
            panel.context(self._main(paper))
            panel.outline(near.geometry, SOFT, 0.2)
            panel.outline(panel.near(self.plan.villages).geometry, INK, 0.6)
            panel.outline([shapely.union_all(here.geometry.values)], INK, 1.2)
            for row in here.itertuples():
                panel.label(row.geometry, _text(row.name), 10, bold=True)
            self._numbers(panel, own, 7)
            panel.names(self._main(paper))
        facts = self._sums(here, own)
        texts = [(say("villages", self.language), self._listing(here))]
        legend = ["subject", "around", "dedicated", *self.lines(frame.window)]
        return self._finish(paper, Sheet(self.title("township", name), facts, texts, legend))

    def _overview(self, _: str) -> Page:
        villages = self.plan.villages
        paper = Paper(villages.total_bounds, self.font, self.language, "A3")
        panel, frame = paper.panel, paper.frame
        with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
            self._subject(panel, self.grids)
            panel.context(self._main(paper))
            panel.outline(self.grids.geometry, SOFT, 0.1)
            panel.outline(villages.geometry, INK, 0.3)
            for name, rows in villages.groupby(villages["township_name"].map(_text), sort=True):
                whole = shapely.union_all(rows.geometry.values)
                panel.outline([whole], INK, 0.9)
                panel.label(whole, str(name), 12, bold=True)
            for row in villages.itertuples():
                panel.label(row.geometry, _text(row.name), 6, SOFT)
        facts = self._sums(villages, self.grids)
        legend = ["subject", "dedicated", *self.lines(frame.window)]
        return self._finish(paper, Sheet(self.title("overview", ""), facts, [], legend))

    def _beat(self, code: str) -> Page:
        assert self.beats is not None
        beats = self.beats.beats
        rows = beats[beats["code"].astype(str) == code]
        if not len(rows):
            raise KeyError(code)
        beat, shape = rows.iloc[0], rows.geometry.iloc[0]
        table = self.beats.grid_beats
        inside = set(table.loc[table["beat_code"].astype(str) == code, "grid_code"].astype(str))
        own = self.grids[self.grids["code"].astype(str).isin(inside)]
        paper = Paper(shape.bounds, self.font, self.language)
        panel, frame = paper.panel, paper.frame
        with paper.canvas.clipped(frame.x, frame.y, frame.width, frame.height):
            near = self._around(panel)
            self._subject(panel, own)
            panel.context(self.context)
            panel.outline(near.geometry, SOFT, 0.2)
            panel.outline(own.geometry, INK, 0.4)
            panel.outline(panel.near(beats).geometry, BEAT_INK, 0.8)
            panel.outline([shape], BEAT_INK, 1.3)
            self._numbers(panel, own, 8)
            for row in panel.near(beats).itertuples():
                if str(row.code) != code:
                    panel.label(row.geometry.difference(shape), _text(row.name), 9, SOFT)
            panel.names(self.context)
        facts = [
            ("code", code), ("station", _text(beat.get("station"))), ("grids", f"{len(own):,}"),
            ("households", _count(beat.get("households"))),
            ("persons", _count(beat.get("persons"))), ("work", _count(beat.get("workload"))),
            ("area", _area(shape.area)),
        ]  # fmt: skip
        texts = [(say("grids", self.language), self._listing(own)),
                 (say("exceptions", self.language), _text(beat.get("exceptions")))]  # fmt: skip
        legend = ["subject", "around", "dedicated", "beat_line", *self.lines(frame.window)]
        named = [(say(name, self.language), value) for name, value in facts if value]
        return self._finish(paper, Sheet(self.title("beat", code), named, texts, legend))

    # --- parts ------------------------------------------------------------------------------

    def _subject(self, panel: Panel, own: gpd.GeoDataFrame) -> None:
        usual = own["kind"] != "dedicated" if "kind" in own else pd.Series(True, own.index)
        panel.fill(own.geometry[usual], SUBJECT)
        panel.fill(own.geometry[~usual], DEDICATED)

    def _numbers(self, panel: Panel, own: gpd.GeoDataFrame, size: float) -> None:
        order = np.argsort(-own.geometry.area.to_numpy(), kind="stable")
        for row in own.iloc[order].itertuples():
            panel.label(row.geometry, self._number(row._asdict()), size)

    @staticmethod
    def _number(grid: Mapping[str, object]) -> str:
        """What tells a grid from its neighbours: its code without the village's."""
        code, village = _text(grid["code"]), _text(grid.get("village_code"))
        return code.removeprefix(village) or code

    def _micro(self, code: str) -> gpd.GeoDataFrame:
        micro = self.plan.micro_grids
        if micro is None:
            return self.grids.iloc[:0]
        return micro[micro["grid_code"].astype(str) == code]

    def _exceptions(self, code: str) -> str:
        table = self.plan.exceptions
        own = table[table["grid_code"].astype(str) == code]
        language: Language = "zh" if self.language == "zh" else "en"
        told = [
            f"{rule_names(_text(e.rule), language)}: {in_language(_text(e.reason), language)}"
            for e in own.itertuples()
        ]
        return "；".join(told) if language == "zh" else "; ".join(told)

    def _listing(self, frame: pd.DataFrame) -> str:
        told = [
            f"{_text(row.name)} {_count(row.households)}" for row in frame.itertuples(index=False)
        ]
        return "；".join(told) if self.language == "zh" else "; ".join(told)

    def _sums(self, villages: pd.DataFrame, grids: pd.DataFrame) -> list[tuple[str, str]]:
        persons = pd.to_numeric(villages["persons"], errors="coerce")
        rows = [
            ("villages", f"{len(villages):,}"), ("grids", f"{len(grids):,}"),
            ("households", f"{int(villages['households'].sum()):,}"),
            ("persons", f"{int(persons.sum()):,}" if persons.notna().all() else "—"),
            ("area", _area(float(gpd.GeoSeries(villages["geometry"]).area.sum()))),
        ]  # fmt: skip
        return [(say(name, self.language), value) for name, value in rows]

    def _main(self, paper: Paper) -> Mapping[str, gpd.GeoDataFrame]:
        """What an overview has room for: lines whose name runs for a tenth of the map."""
        west, south, east, north = paper.frame.window
        least = 0.1 * max(east - west, north - south)
        kept = {}
        for role, frame in self.context.items():
            if "name" not in frame or not len(frame):
                continue
            names = frame["name"].fillna("").astype(str)
            run = frame.geometry.length.groupby(names).transform("sum")
            kept[role] = frame[(names != "") & (run >= least)]
        return kept


def write_book(
    atlas: Atlas,
    kind: Kind,
    path: Path,
    *,
    codes: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """One PDF with a page and a bookmark a subject; whole or not at all. Returns the pages.

    Nothing is written where there is no subject. Raises :class:`planning.county.Cancelled` soon
    after ``cancelled()`` turns true, :class:`geo.problems.InputError` where no font is found.
    """
    subjects = atlas.subjects(kind, codes)
    if not subjects:
        return 0
    pages = []
    for number, code in enumerate(subjects):
        if cancelled is not None and cancelled():
            raise Cancelled
        pages.append(atlas.draw(kind, code))
        if progress is not None:
            progress(number + 1, len(subjects))
    titles = [atlas.title(kind, code) for code in subjects]
    name = titles[0] if len(titles) == 1 else atlas.imprint.place or titles[0]
    data = pdf_bytes(pages, atlas.font, name, titles)

    def write(target: Path) -> None:
        target.write_bytes(data)

    atomically(path, write)
    return len(pages)


def pictures(
    atlas: Atlas, kind: Kind, codes: Iterable[str], width: int = 1080
) -> Iterator[tuple[str, bytes]]:
    """Sheets as PNG, ``width`` pixels wide: code and bytes."""
    for code in atlas.subjects(kind, codes):
        page = atlas.draw(kind, code)
        yield code, png_bytes(pdf_bytes([page], atlas.font, code), width)
