"""A plan as the map shows it: layers made once, kept, and handed to every session that looks.

Pure but for the remembering: nothing here knows Streamlit, and nothing changes the plan.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planning.codes import filing_order
from planning.naming import short_number
from planning.planfile import LatePlan, PlanFile
from ui.figures import Headline, headline, inner_lengths
from ui.format import name_text
from ui.map import layers
from ui.map.encode import bounds_lonlat, to_lonlat
from ui.map.scene import Focus, Layer, Scene
from ui.overview import Overview, overview_from
from ui.tables import GridIndex, village_choices
from ui.words import Language, word

if TYPE_CHECKING:
    from geo.read import FileRecord
    from planning.county import CountyPlan
    from planning.keep import NotKept
    from ui.kept import Kept

_NO_ROWS = np.empty(0, dtype=np.intp)
Bounds = tuple[float, float, float, float]
UnitsOf = Callable[[str], gpd.GeoDataFrame | None]

CONTEXT_WORDS = ("roads", "water", "railways", "compounds")
BOARD_WORDS = ("layers", "fit", "notice")


def _bounds(frame: gpd.GeoDataFrame) -> Bounds | None:
    found = bounds_lonlat(np.asarray(to_lonlat(frame.envelope.to_frame("geometry"))))
    return (found[0], found[1], found[2], found[3]) if found else None


def board_words(language: Language) -> dict[str, str]:
    """The map's own words."""
    return {name: word(f"map.{name}", language) for name in BOARD_WORDS}


def context_words(language: Language) -> dict[str, str]:
    """Names of the context's switches."""
    return {role: word(f"layer.{role}", language) for role in CONTEXT_WORDS}


def deviation_legend(language: Language) -> dict[str, Any]:
    """The legend of a map of grids."""
    title = word("legend.deviation", language)
    choices = [title, word("legend.deviation_ideal", language)]
    return layers.legend(title, choices, word("legend.none", language))


def complete(plan: PlanFile) -> PlanFile:
    """A plan, also a foreign one, with every column the pages read and grids told apart by code.

    A grid without a code is numbered, a code that occurs twice gets ``#2``: on the screen they
    must be two. A plan without villages gets those its grids name.
    """
    grids = plan.grids.iloc[filing_order(plan.grids)] if "code" in plan.grids else plan.grids
    grids = grids[~(grids.geometry.isna() | grids.geometry.is_empty)].reset_index(drop=True)
    for column, value in _GRID_DEFAULTS.items():
        if column not in grids.columns:
            grids[column] = value
    codes = grids["code"].map(name_text)
    codes = codes.where(codes != "", [f"{i + 1:03d}" for i in range(len(grids))])
    again = codes.groupby(codes).cumcount()
    grids["code"] = codes.where(again == 0, codes + "#" + (again + 1).astype(str))
    grids["village_code"] = grids["village_code"].map(name_text)
    villages = plan.villages
    if not len(villages):
        first = grids.dissolve("village_code", aggfunc="first", as_index=False)
        by_village = grids.groupby("village_code", sort=True)
        villages = gpd.GeoDataFrame(
            {
                "code": first["village_code"],
                "name": first["village_name"]
                .map(name_text)
                .where(first["village_name"].map(name_text) != "", first["village_code"]),
                "township_name": first["township_name"],
                "households": by_village["households"].sum().to_numpy(),
                "persons": by_village["persons"].sum(min_count=1).to_numpy(),
                "grids": by_village.size().to_numpy(),
            },
            geometry=first.geometry.to_numpy(),
            crs=grids.crs,
        )
    if isinstance(plan, LatePlan):
        return plan.with_tables(grids=grids, villages=villages)
    return replace(plan, grids=grids, villages=villages)


_GRID_DEFAULTS: dict[str, object] = {
    "code": "", "name": "", "kind": "comprehensive", "village_code": "", "village_name": "",
    "township_name": "", "households": 0, "persons": None, "exceptions": "",
}  # fmt: skip


class PlanView:
    """One plan (tables as in plan.gpkg) and the context it lies in.

    Parameters
    ----------
    key : the plan's id; part of the scene's place, so that another plan moves the map.
    plan : the plan's tables.
    context : role -> frame in the plan's coordinate system.
    units_of : village code -> its units, or None where the ground was not read.
    """

    def __init__(
        self,
        key: str,
        plan: PlanFile,
        context: Mapping[str, gpd.GeoDataFrame],
        units_of: UnitsOf | None = None,
    ) -> None:
        self.key = key
        self.plan = complete(plan)
        self.context = context
        self.units_of = units_of
        self.whole = self  # of a part that somebody may see, the plan it is a part of
        self.counting: PlanFile = self.plan
        """The tables to count from on the server, with the households that nobody is shown."""
        self.owner: int | None = None  # the account that brought it; None: everybody may open it
        self.file: FileRecord | None = None  # what it was opened from, where that is known
        self.scopes: frozenset[str] | None = None  # the townships it is kept to; None: all
        self.smaller: dict[str, PlanView] = {}  # parts of it, by who may see them
        self.smaller_lock = threading.Lock()
        self.county: CountyPlan | None = None  # of a proposal that was just made
        self.kept: Kept | None = None  # where it is in the store
        self.sought = False  # was it looked for there?
        self.preparing = False  # is it being put there?
        self.taking: str | None = None  # the job that puts it there, of a large one
        self.not_kept: tuple[NotKept, ...] = ()  # what its grids lost on the way there
        self.overview = Overview(self.plan, context)  # costs nothing before it is drawn
        self._headlines: dict[str | None, Headline] = {}
        self._village_layers = lru_cache(maxsize=64)(self._draw_village)
        self._context_layers = lru_cache(maxsize=64)(self._draw_context)

    @property
    def grids(self) -> gpd.GeoDataFrame:
        """The grids, ordered by code, numbered from 0."""
        return self.plan.grids

    @property
    def large(self) -> bool:
        """Too many grids for one map: townships and villages first, the rest as one gets near."""
        return len(self.grids) >= overview_from()

    @cached_property
    def index(self) -> GridIndex:
        """The grids as a table to search."""
        return GridIndex(self.grids)

    @cached_property
    def choices(self) -> dict[str, str]:
        """The villages for a list to choose from."""
        return village_choices(self.plan.villages)

    @cached_property
    def inner(self) -> np.ndarray:
        """Metres of inner border of each grid of :attr:`grids`."""
        return inner_lengths(self.grids)

    @cached_property
    def _households_of(self) -> dict[str, np.ndarray]:
        """Grid code -> rows of its households; made once, a county has 165,000."""
        return dict(self.plan.households.groupby("grid_code", sort=False).indices)

    @cached_property
    def _county(self) -> dict[str, dict[str, str]]:
        names = self.plan.villages["name"]
        return {
            "grids": layers.grid_features(self.grids),
            "villages": layers.village_outlines(self.grids),
            "marks": layers.exception_marks(self.grids),
            "names": layers.name_labels(self.plan.villages, names),
        }

    @cached_property
    def bounds(self) -> Bounds | None:
        """The county, in degrees."""
        return _bounds(self.grids)

    def of_village(self, code: str | None) -> np.ndarray:
        """Which grids belong to the village (all of them for None), shape (n,) of bool."""
        if code is None:
            return np.ones(len(self.grids), dtype=bool)
        return np.asarray(self.grids["village_code"].astype(str) == code)

    def villages(self) -> gpd.GeoDataFrame:
        """The villages, ``grids`` counting comprehensive grids only: those a planner can set."""
        wanted = self.grids[self.grids["kind"] != "dedicated"]
        counts = wanted["village_code"].value_counts()
        codes = self.plan.villages["code"].map(name_text)
        return self.plan.villages.assign(grids=codes.map(counts).fillna(0).astype(int))

    def headline(self, village: str | None = None) -> Headline:
        """The five numbers of the county or of one village."""
        if village not in self._headlines:
            self._headlines[village] = self._headline(village)
        return self._headlines[village]

    def _headline(self, village: str | None) -> Headline:
        rows = self.of_village(village)
        return headline(self.grids[rows], self.plan.exceptions, self.inner[rows])

    def exceptions(self, village: str | None = None) -> pd.DataFrame:
        """Exceptions of the county or of one village, in the plan's order."""
        table: pd.DataFrame = self.plan.exceptions
        if village is None:
            return table
        codes = set(self.grids.loc[self.of_village(village), "code"].astype(str))
        named = table["grid_code"].astype(str)
        return table[named.isin(codes) | (named == village)]

    def _draw_village(self, code: str) -> tuple[dict[str, dict[str, str]], Bounds | None]:
        rows = self.of_village(code)
        grids = self.grids[rows]
        numbers = [
            short_number(*map(name_text, row))
            for row in zip(grids["code"], [code] * len(grids), grids["name"], strict=True)
        ]
        units = self.units_of(code) if self.units_of else None
        return {
            "grids": layers.grid_features(grids),
            "villages": layers.village_outlines(grids),
            "marks": layers.exception_marks(grids),
            "names": layers.name_labels(grids, numbers),
            "households": layers.household_points(self._households_in(code, grids)),
            "borders": layers.grid_outlines(grids),
            "units": {} if units is None else layers.unit_outlines(units),
            "micro": self._micro_of(grids),
        }, _bounds(grids)

    def _households_in(self, code: str, grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """The households of a village; those of a large plan's others stay in the file."""
        if isinstance(self.plan, LatePlan):
            return self.plan.households_of([code])
        found = [self._households_of.get(grid, _NO_ROWS) for grid in grids["code"]]
        return self.plan.households.iloc[np.sort(np.concatenate([_NO_ROWS, *found]))]

    def _micro_of(self, grids: gpd.GeoDataFrame) -> dict[str, str]:
        """Micro-grids of some grids, each with its code, households and persons."""
        micro = self.plan.micro_grids
        if micro is None or not len(micro):
            return {}
        own = micro[micro["grid_code"].astype(str).isin(set(grids["code"].astype(str)))]
        return layers.micro_features(own)

    def _draw_context(self, language: Language, village: str | None) -> tuple[Layer, ...]:
        window = None
        if village is not None:
            west, south, east, north = self.grids[self.of_village(village)].total_bounds
            window = (west - 300, south - 300, east + 300, north + 300)
        labels = context_words(language)
        return tuple(layers.context_layers(self.context, labels, window=window))

    def scene(
        self,
        language: Language,
        *,
        village: str | None = None,
        selected: tuple[str, ...] = (),
        focus: Focus = Focus(),  # noqa: B008 -- frozen
    ) -> Scene:
        """What the map shows: the county, or one village with its units and households."""
        if village is None and self.large:
            return self.overview.scene(
                language, place=f"{self.key}/", legend=deviation_legend(language),
                words=board_words(language), selected=selected, focus=focus,
            )  # fmt: skip
        if village is None:
            drawn, bounds = self._county, self.bounds
        else:
            drawn, bounds = self._village_layers(village)
        grid_rows = tuple(word(key, language) for key in layers.GRID_ROWS)
        household_rows = tuple(word(key, language) for key in layers.HOUSEHOLD_ROWS)
        stack = [Layer("grids", "area", drawn["grids"], "grid", rows=grid_rows)]
        if drawn.get("units"):
            stack.append(
                Layer("units", "line", drawn["units"], "unit", word("layer.units", language),
                      shown=False)
            )  # fmt: skip
        if drawn.get("micro"):
            rows = tuple(word(key, language) for key in layers.HOUSEHOLD_ROWS)
            stack.append(
                Layer("micro", "area", drawn["micro"], "microGrid", word("layer.micro", language),
                      rows=rows)
            )  # fmt: skip
        stack += self._context_layers(language, village)
        if drawn.get("borders"):
            stack.append(Layer("borders", "line", drawn["borders"], "gridLine"))
        stack.append(
            Layer(
                "villages", "line", drawn["villages"], "village", word("layer.villages", language)
            )
        )
        if drawn.get("households"):
            stack.append(
                Layer("households", "point", drawn["households"], "household",
                      word("layer.households", language), rows=household_rows)
            )  # fmt: skip
        stack.append(
            Layer("marks", "point", drawn["marks"], "exception", word("layer.exceptions", language))
        )
        stack.append(
            Layer("names", "point", drawn["names"], "label", word("layer.names", language),
                  min_zoom=0 if village else 13)
        )  # fmt: skip
        return Scene(
            place=f"{self.key}/{village or ''}",
            layers=tuple(stack),
            bounds=bounds,
            legend=deviation_legend(language),
            words=board_words(language),
            selected=selected,
            focus=focus,
        )


def ground_scene(
    key: str,
    villages: gpd.GeoDataFrame,
    context: Mapping[str, gpd.GeoDataFrame],
    language: Language,
) -> Scene:
    """A county that was read but has no plan yet: its villages, and the context."""
    rows = tuple(word(name, language) for name in layers.VILLAGE_ROWS)
    stack = [
        Layer("areas", "area", layers.village_areas(villages), "villageArea", rows=rows),
        *layers.context_layers(context, context_words(language)),
        Layer("names", "point", layers.name_labels(villages, villages["name"]), "label",
              word("layer.names", language), min_zoom=12),
    ]  # fmt: skip
    return Scene(
        place=f"{key}/ground",
        layers=tuple(stack),
        bounds=_bounds(villages),
        words=board_words(language),
    )


def units_frame(polygons: np.ndarray, crs: Any) -> gpd.GeoDataFrame:
    """A village's units as a frame; invalid rings would break nothing here, they are only lines."""
    return gpd.GeoDataFrame(geometry=shapely.force_2d(np.asarray(polygons, dtype=object)), crs=crs)
