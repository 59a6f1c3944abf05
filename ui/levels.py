"""Down and up through the levels of a plan: county, township, village, grid, micro-grid; pure.

Every number is of :func:`planning.levels.levels`, the table that the register prints, so that what
is shown of a place is the sum of what is shown below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planning.export import Language as Printed
from planning.levels import disagreements, levels
from planning.naming import name_in, short_number
from ui.format import name_text
from ui.map import layers
from ui.map.encode import bounds_lonlat, to_lonlat
from ui.map.scene import Layer, Scene
from ui.views import PlanView, board_words, deviation_legend
from ui.words import Language, word

CHAIN = ("city", "county", "township", "village", "grid", "micro_grid")
COUNTS = ("grids", "dedicated", "micro_grids", "households", "persons")
NOTHING = ""
AREAS = "areas"
"""The layer of the map that a click goes down through."""


@dataclass(frozen=True)
class Place:
    """One place of a level."""

    level: str
    code: str


class LevelBook:
    """The places of one plan, with their numbers and their ground."""

    def __init__(self, view: PlanView) -> None:
        self.view = view
        table = levels(view.plan)
        self.table = table.assign(code=table["code"].astype(str),
                                  parent=table["parent"].astype(str))  # fmt: skip
        self.wrong = tuple(disagreements(view.plan))
        self._shapes: dict[str, dict[str, shapely.Geometry]] = {}

    @property
    def root(self) -> Place:
        """The lowest place that holds everything."""
        found = Place("city", str(self.table["code"].iloc[0]))
        for level in CHAIN[:3]:
            rows = self.table[self.table["level"] == level]
            if len(rows) != 1:
                break
            found = Place(level, str(rows["code"].iloc[0]))
        return found

    def row(self, place: Place) -> pd.Series | None:
        """A place's numbers, None where there is no such place."""
        rows = self.table[
            (self.table["level"] == place.level) & (self.table["code"] == place.code)
        ]
        return rows.iloc[0] if len(rows) else None

    def path(self, place: Place) -> list[Place]:
        """The places from the root down to this one; the root alone for one that is not there."""
        root, found = self.root, [place]
        while found[0] != root:
            row = self.row(found[0])
            above = CHAIN.index(found[0].level) - 1
            if row is None or above < 0:
                return [root]
            found.insert(0, Place(CHAIN[above], str(row["parent"])))
        return found

    def below(self, place: Place) -> pd.DataFrame:
        """The rows of the places directly below, by code."""
        at = CHAIN.index(place.level) + 1
        if at == len(CHAIN):
            return self.table.iloc[:0]
        own = self.table[
            (self.table["level"] == CHAIN[at]) & (self.table["parent"] == place.code)
        ]
        return own.sort_values("code", kind="stable").reset_index(drop=True)

    def agrees(self, place: Place) -> bool:
        """Are the place's numbers the sums of what lies below it?"""
        row, below = self.row(place), self.below(place)
        if row is None or not len(below):
            return True
        names = ("households",) if place.level == "grid" else ("households", "grids")
        same = all(int(row[name]) == int(below[name].sum()) for name in names)
        return same and not any(
            one.level == place.level and one.code == place.code for one in self.wrong
        )

    def name(self, place: Place, language: Language) -> str:
        """What a place is called: its name, else its code; nothing for a root without a name."""
        row = self.row(place)
        spoken: Printed = "zh" if language == "zh" else "en"
        if place.level == "micro_grid":
            parent = "" if row is None else str(row["parent"])
            return place.code.removeprefix(parent) or place.code
        own = "" if row is None else name_in(name_text(row["name"]), spoken)
        return own or ("" if place == self.root else place.code)

    # --- the map ----------------------------------------------------------------------------

    def shapes(self, level: str) -> dict[str, shapely.Geometry]:
        """The ground of every place of a level by its code."""
        if level not in self._shapes:
            self._shapes[level] = self._ground(level)
        return self._shapes[level]

    def _ground(self, level: str) -> dict[str, shapely.Geometry]:
        plan = self.view.plan
        frames = {"grid": plan.grids, "village": plan.villages, "micro_grid": plan.micro_grids}
        if level in frames:
            frame = frames[level]
            if frame is None:
                return {}
            return dict(zip(frame["code"].astype(str), frame.geometry, strict=True))
        below = CHAIN[CHAIN.index(level) + 1]
        rows = self.table[self.table["level"] == below]
        known = self.shapes(below)
        found: dict[str, shapely.Geometry] = {}
        for parent, codes in rows.groupby("parent")["code"]:
            parts = [known[code] for code in codes if code in known]
            if parts:
                found[str(parent)] = shapely.union_all(parts)
        return found

    def frame(self, rows: pd.DataFrame) -> gpd.GeoDataFrame:
        """Rows of the table with their ground; without those that have none."""
        level = str(rows["level"].iloc[0]) if len(rows) else "grid"
        known = self.shapes(level)
        own = rows[rows["code"].isin(known)].reset_index(drop=True)
        return gpd.GeoDataFrame(
            own.assign(township_name=""), geometry=[known[code] for code in own["code"]],
            crs=self.view.grids.crs,
        )  # fmt: skip

    def scene(self, place: Place, language: Language) -> Scene:
        """The map of a place: what lies below it, to be clicked."""
        rows = self.below(place)
        if not len(rows):
            rows = self.table[
                (self.table["level"] == place.level) & (self.table["code"] == place.code)
            ]
        frame = self.frame(rows)
        return self._scene(f"{place.level}/{place.code}", frame, language)

    def followed(self, post: str, codes: Sequence[str], language: Language) -> Scene:
        """The map of the grids that a post follows."""
        grids = self.view.grids
        own = grids[grids["code"].astype(str).isin(set(codes))].reset_index(drop=True)
        frame = gpd.GeoDataFrame(own.assign(level="grid"), crs=grids.crs)
        return self._scene(f"post/{post}", frame, language)

    def _scene(self, place: str, frame: gpd.GeoDataFrame, language: Language) -> Scene:
        is_grid = len(frame) > 0 and frame["level"].iloc[0] == "grid"
        if is_grid:
            grids = self.view.grids
            frame = grids[grids["code"].astype(str).isin(set(frame["code"]))]
            features, style = layers.grid_features(frame), "grid"
            names: tuple[str, ...] = layers.GRID_ROWS
            texts = numbers(frame)
        else:
            features, names = layers.village_areas(frame), layers.VILLAGE_ROWS
            style = "villageArea"
            texts = [
                self.name(Place(str(level), str(code)), language)
                for level, code in zip(frame["level"], frame["code"], strict=True)
            ]
        box = bounds_lonlat(np.asarray(to_lonlat(frame.envelope.to_frame("geometry"))))
        return Scene(
            place=f"{self.view.key}/levels/{place}",
            layers=(
                Layer(AREAS, "area", features, style,
                      rows=tuple(word(name, language) for name in names)),
                Layer("names", "point", layers.name_labels(frame, texts), "label",
                      word("layer.names", language)),
            ),
            bounds=(box[0], box[1], box[2], box[3]) if box else None,
            legend=deviation_legend(language) if is_grid else {},
            words=board_words(language),
        )  # fmt: skip


def numbers(grids: pd.DataFrame) -> list[str]:
    """What grids are called on a map, where their names would lie on each other: the number, as on
    the plan's map, with the village where they are of several; the table beside has the names."""
    several = grids["village_code"].nunique() > 1
    found = []
    rows = zip(grids["code"], grids["village_code"], grids["name"], grids["village_name"],
               strict=True)  # fmt: skip
    for code, home, name, village in (map(name_text, row) for row in rows):
        number = short_number(code, home, name)
        found.append(f"{village} {number}" if several and village and " " not in number else number)
    return found


@lru_cache(maxsize=3)
def levels_of(view: PlanView) -> LevelBook:
    """The levels of a plan, found once."""
    return LevelBook(view)


def sums(rows: pd.DataFrame) -> dict[str, int | None]:
    """The sum of each count; None where a part is not known."""
    return {
        name: int(rows[name].sum()) if name in rows and rows[name].notna().all() else None
        for name in COUNTS
    }
