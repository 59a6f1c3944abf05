"""A plan too large for one map: townships and villages at first, the rest as somebody gets near.

Made once a server and plan. The first message holds townships and villages; the browser then asks
for *parts*, each for one village it has in view (``board/parts.js``), and gets them from here
without a page being drawn again:

==========  =====================================================================
``g:CODE``  the village's grids, its outline, its name and its grids' numbers
``c:CODE``  roads, waters, railways and compounds whose middle lies in it
``n:CODE``  its households as points, its micro-grids
``p:Z/X/Y`` a square of the picture of all households (:mod:`ui.picture`)
==========  =====================================================================
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from planning.naming import short_number
from planning.planfile import PlanFile
from ui.figures import WITHIN
from ui.format import name_text, share, signed_share, whole
from ui.late import Late
from ui.map import layers
from ui.map.colours import deviation_class
from ui.map.encode import bounds_lonlat, dumps, encode_area, encode_lines, to_lonlat
from ui.map.scene import Focus, Layer, Scene
from ui.picture import FIRST_ZOOM, LAST_ZOOM, Pyramid
from ui.shelf import new_id
from ui.words import Language, word

FROM_VARIABLE = "GRIDWRIGHT_OVERVIEW_FROM"
OVERVIEW_FROM = 2000
"""Grids from which a plan is shown by overview and parts; a county has some hundreds."""

AREA_ROWS = (
    "overview.grids", "grid.households", "grid.persons", "overview.mean", "overview.near",
    "grid.exceptions",
)  # fmt: skip
NEAR_ZOOM = 15.0
"""From here households are points: a map's width is three kilometres."""

CONTEXT_ZOOM = 12.5
GRID_DOTS, VILLAGE_DOTS = 60, 14
"""Width of a middling village, in dots of the screen, from which grids and villages are shown."""

_EQUATOR = 40_075_016.686
Parts = dict[str, dict[str, list[str]]]


def overview_from() -> int:
    """From how many grids on; the administrator may say so in the environment."""
    told = os.environ.get(FROM_VARIABLE, "")
    return int(told) if told.isdecimal() else OVERVIEW_FROM


def zoom_at(metres: float, dots: float, latitude: float) -> float:
    """The zoom, in quarters, at which ``metres`` on the ground are ``dots`` wide."""
    circle = _EQUATOR * np.cos(np.radians(latitude))
    zoom = np.log2(max(dots, 1e-9) / max(metres, 1.0) * circle / 256)
    return float(np.clip(np.round(zoom * 4) / 4, 5, 18))


class _Shapes:
    """Shapes of villages and townships as they travel: what no edit changes."""

    def __init__(self) -> None:
        self.making = threading.Lock()
        self.areas: list[str] = []
        self.towns: list[str] = []
        self.lines: dict[str, str] = {}
        self.names: dict[str, str] | None = None  # the last to be made


class Overview:
    """What the map of a large plan is made of.

    ``plan`` is complete (:func:`ui.views.complete`), its grids in the order of their codes.
    """

    def __init__(self, plan: PlanFile, context: Mapping[str, gpd.GeoDataFrame]) -> None:
        self.key = new_id()
        self.plan = plan
        self.context = context
        self._grid_parts: dict[str, dict[str, list[str]]] = {}
        self._lock = threading.Lock()
        self._homes = Late(self._read_homes)
        self._lines = Late(self._share_out_context)
        self._opened_at: int | None = None  # the first zoom whose picture was asked for
        self._scene_layers: dict[Language, tuple[Layer, ...]] = {}
        self._shapes = _Shapes()

    def after(self, plan: PlanFile, changed: Collection[str]) -> Overview:
        """The overview of the same plan in which the grids of some villages are others.

        What only villages, lines and points make stays as it is: their shapes, who lies where, the
        picture of the households. Parts of other villages are not made again.
        """
        made = Overview(plan, self.context)
        made._homes, made._lines, made._shapes = self._homes, self._lines, self._shapes
        for name in ("_areas", "_towns", "bounds", "_width"):  # made once an overview
            if name in self.__dict__:
                made.__dict__[name] = self.__dict__[name]
        with self._lock:
            held = dict(self._grid_parts)
        made._grid_parts = {code: part for code, part in held.items() if code not in changed}
        return made

    # --- where from

    @cached_property
    def _rows(self) -> dict[str, NDArray[np.intp]]:
        """Village code -> rows of its grids."""
        found = self.plan.grids.groupby("village_code", sort=False).indices
        return {str(code): rows for code, rows in found.items()}

    @cached_property
    def _areas(self) -> gpd.GeoDataFrame:
        """The villages that have grids, thinned together to what an overview can show."""
        villages = self.plan.villages
        kept = villages["code"].map(name_text).isin(set(self._rows))
        whole_shape = ~(villages.geometry.isna() | villages.geometry.is_empty)
        found = villages[kept & whole_shape].drop_duplicates("code").reset_index(drop=True)
        found = found.assign(code=found["code"].map(name_text))
        if "township_name" not in found.columns:
            found["township_name"] = ""
        found["township_name"] = found["township_name"].map(name_text)
        # a dot of the screen where they are largest: nobody sees what is lost
        thin = shapely.coverage_simplify(found.geometry.to_numpy(), self._metres_a_dot)
        return found.set_geometry(gpd.GeoSeries(thin, crs=villages.crs))

    @cached_property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """The plan, in degrees."""
        box = shapely.box(*self.plan.grids.total_bounds)
        found = bounds_lonlat(to_lonlat(gpd.GeoDataFrame(geometry=[box], crs=self.plan.grids.crs)))
        return (found[0], found[1], found[2], found[3]) if found else None

    @cached_property
    def _width(self) -> float:
        """Metres that a middling village is wide."""
        return float(np.sqrt(np.median(self.plan.villages.geometry.area)))

    @property
    def _latitude(self) -> float:
        return 0.0 if self.bounds is None else (self.bounds[1] + self.bounds[3]) / 2

    @cached_property
    def grid_zoom(self) -> float:
        """From here grids are shown."""
        return min(NEAR_ZOOM, zoom_at(self._width, GRID_DOTS, self._latitude))

    @cached_property
    def village_zoom(self) -> float:
        """From here villages are shown, before townships."""
        return min(self.grid_zoom, zoom_at(self._width, VILLAGE_DOTS, self._latitude))

    @cached_property
    def _metres_a_dot(self) -> float:
        circle = _EQUATOR * np.cos(np.radians(self._latitude))
        return float(circle / 256 / 2**self.grid_zoom)

    # --- townships and villages

    @cached_property
    def _numbers(self) -> pd.DataFrame:
        """What a tooltip of a village says, by its code; deviations as shares, NaN where none."""
        grids = self.plan.grids
        ideal, target = layers.judged(grids, "deviation_ideal"), layers.judged(grids, "deviation")
        table = pd.DataFrame(
            {
                "village": grids["village_code"].to_numpy(),
                "grids": (grids["kind"] != "dedicated").to_numpy(),
                "households": pd.to_numeric(grids["households"], errors="coerce").to_numpy(),
                "persons": pd.to_numeric(grids["persons"], errors="coerce").to_numpy(dtype=float),
                "target": target,
                "judged": np.isfinite(target),
                "far": ideal,
                "known": np.isfinite(ideal),
                "near": np.abs(ideal) <= WITHIN + 1e-9,
                "exceptions": grids["exceptions"].map(layers.exception_count).to_numpy(),
            }
        )
        return table

    def _told(self, by: pd.Series) -> pd.DataFrame:
        """Sums of the grids by area (``by``: area of each grid)."""
        table = self._numbers
        groups = table.groupby(by.to_numpy())
        told = groups[["grids", "households", "known", "near", "judged", "exceptions"]].sum()
        told["persons"] = groups["persons"].sum(min_count=1)
        told["mean"] = groups["target"].mean()
        # the grid that is farthest off speaks for its area: a mean would hide it
        farthest = table["far"].abs().groupby(by.to_numpy()).idxmax().dropna().astype(int)
        told["far"] = table["far"].reindex(farthest).set_axis(farthest.index)
        return told

    def _area_features(
        self, codes: Iterable[str], names: Iterable[str], shapes: Sequence[str],
        told: pd.DataFrame, *, village: bool,
    ) -> dict[str, str]:  # fmt: skip
        """Areas as features: code, name, classes, numbers, shape (as it travels)."""
        told = told.reindex(list(codes))
        mean, far = told["mean"].to_numpy(float), told["far"].to_numpy(float)
        classes = np.column_stack([deviation_class(mean), deviation_class(far)]).tolist()
        near = (told["near"] / told["known"].where(told["known"] > 0)).to_numpy(float)
        counts = told[["grids", "households", "persons", "exceptions"]].to_numpy(float)
        rows = [
            [whole(grids), whole(households), whole(persons), signed_share(mean[i]),
             share(near[i]), whole(exceptions) if exceptions > 0 else ""]
            for i, (grids, households, persons, exceptions) in enumerate(counts.tolist())
        ]  # fmt: skip
        return {
            code: dumps(
                {"i": code, "t": name, "v": code if village else "", "c": classes[i],
                 "r": rows[i]}
            )[:-1] + f',"g":{shape}}}'
            for i, (code, name, shape) in enumerate(zip(told.index, names, shapes, strict=True))
        }  # fmt: skip

    @cached_property
    def _towns(self) -> gpd.GeoDataFrame:
        areas = self._areas
        names, shapes = [], []
        for name, rows in areas.groupby("township_name", sort=True).indices.items():
            names.append(str(name))
            shapes.append(shapely.coverage_union_all(areas.geometry.to_numpy()[rows]))
        return gpd.GeoDataFrame({"code": names}, geometry=shapes, crs=areas.crs)

    def _draw_shapes(self) -> None:
        """The shapes of villages and townships as they travel, made once for all scenarios."""
        areas, towns, made = self._areas, self._towns, self._shapes
        coarse = shapely.coverage_simplify(
            towns.geometry.to_numpy(),
            self._metres_a_dot * 2 ** (self.grid_zoom - self.village_zoom) / 2,
        )
        fills = to_lonlat(towns.set_geometry(gpd.GeoSeries(coarse, crs=towns.crs)))
        made.areas = [dumps(encode_area(shape)) for shape in to_lonlat(areas)]
        made.towns = [dumps(encode_area(shape)) for shape in fills]
        made.lines = {
            code: dumps({"i": code, "g": encode_lines(shape)})
            for code, shape in zip(towns["code"], to_lonlat(towns), strict=True)
        }
        named = towns["code"] != ""
        made.names = layers.name_labels(towns[named], towns["code"][named])

    @cached_property
    def _drawn(self) -> dict[str, dict[str, str]]:
        """What the first message holds."""
        areas, towns, made = self._areas, self._towns, self._shapes
        with made.making:
            if made.names is None:
                self._draw_shapes()
        assert made.names is not None
        by_village = self.plan.grids["village_code"]
        town_of = dict(zip(areas["code"], areas["township_name"], strict=True))
        by_town = by_village.map(town_of).fillna("")
        return {
            "areas": self._area_features(
                areas["code"], areas["name"].map(name_text), made.areas, self._told(by_village),
                village=True,
            ),
            "towns": self._area_features(
                towns["code"], towns["code"], made.towns, self._told(by_town), village=False
            ),
            "town-lines": made.lines,
            "town-names": made.names,
            "marks": layers.exception_marks(self.plan.grids),
        }  # fmt: skip

    def scene(
        self,
        language: Language,
        *,
        place: str,
        legend: Mapping[str, Any],
        words: Mapping[str, str],
        selected: tuple[str, ...],
        focus: Focus,
    ) -> Scene:
        """The map's first state; what it asks for later comes by :meth:`answer`."""
        if language not in self._scene_layers:
            self._scene_layers[language] = self._layers(language)
        return Scene(
            place=place, layers=self._scene_layers[language], bounds=self.bounds, legend=legend,
            words=words, selected=selected, focus=self._focus(focus),
            parts={
                "key": self.key, "grids": self.grid_zoom,
                "context": max(CONTEXT_ZOOM, self.grid_zoom), "near": NEAR_ZOOM,
                "squares": [FIRST_ZOOM, LAST_ZOOM],
            },
        )  # fmt: skip

    def _focus(self, focus: Focus) -> Focus:
        """The same with the grids' bounds: the browser may not hold them yet."""
        rows = self.plan.grids["code"].isin(focus.ids) if focus.ids else None
        if rows is None or not rows.any():
            return focus
        box = shapely.box(*self.plan.grids.geometry[rows].total_bounds)
        found = bounds_lonlat(to_lonlat(gpd.GeoDataFrame(geometry=[box], crs=self.plan.grids.crs)))
        if found is None:
            return focus
        return Focus(focus.number, focus.layer, focus.ids, (found[0], found[1], found[2], found[3]))

    def _layers(self, language: Language) -> tuple[Layer, ...]:
        drawn, zoom, area_rows = self._drawn, self.grid_zoom, _rows(AREA_ROWS, language)
        homes, context = _rows(layers.HOUSEHOLD_ROWS, language), _labels(language)
        stack = [
            Layer("towns", "area", drawn["towns"], "grid", rows=area_rows,
                  max_zoom=self.village_zoom),
            Layer("areas", "area", drawn["areas"], "grid", rows=area_rows,
                  min_zoom=self.village_zoom),
            Layer("grids", "area", {}, "grid", rows=_rows(layers.GRID_ROWS, language),
                  min_zoom=zoom),
        ]  # fmt: skip
        if self.plan.micro_grids is not None:
            stack.append(Layer("micro", "area", {}, "microGrid", word("layer.micro", language),
                               min_zoom=NEAR_ZOOM))  # fmt: skip
        for part, kind, style, role in _CONTEXT:
            stack.append(Layer(part, kind, {}, style, context[role],
                               min_zoom=max(zoom, CONTEXT_ZOOM)))  # fmt: skip
        borders = word("layer.villages", language)
        stack += [
            Layer("outlines", "line", {}, "village", borders, min_zoom=zoom),
            Layer("town-lines", "line", drawn["town-lines"], "village", borders, max_zoom=zoom),
            Layer("picture", "point", {}, "household", word("layer.picture", language),
                  max_zoom=NEAR_ZOOM),
            Layer("households", "point", {}, "household", word("layer.households", language),
                  rows=homes, min_zoom=NEAR_ZOOM),
            Layer("marks", "point", drawn["marks"], "exception",
                  word("layer.exceptions", language)),
            Layer("town-names", "point", drawn["town-names"], "label",
                  word("layer.names", language), min_zoom=self.village_zoom - 0.25,
                  max_zoom=zoom + 0.5),
            Layer("village-names", "point", {}, "label", word("layer.names", language),
                  min_zoom=zoom + 0.5, max_zoom=zoom + 2.5),
            Layer("numbers", "point", {}, "label", word("layer.names", language),
                  min_zoom=zoom + 2.5),
        ]  # fmt: skip
        return tuple(stack)

    # --- parts

    def make_ready(self, pause: Callable[[Callable[[], bool]], None] = lambda _: None) -> None:
        """Make what the first steps nearer will need, one after the other; waits for it.

        ``pause`` is called before each, with a question whether it is there already because a
        visitor needed it: visitors may go first.
        """
        for made in (self._homes, self._lines):
            pause(lambda made=made: made.ready)
            made.get()

    def answer(self, wanted: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
        """Parts by name, and the names of those that are not made yet: to be asked for again.

        Names that mean nothing here are answered with nothing.
        """
        names = [str(name) for name in wanted][:400]
        found: dict[str, Any] = {}
        late: list[str] = []
        of = self._names_by_kind(names)
        found |= self._grids_of(of["g"])
        if of["g"] or self._comes_nearer(of["p"]):
            self._lines.start()  # they are wanted a step or two nearer, and take seconds
        ready = {"c": self._lines, "n": self._homes, "p": self._homes}
        make: dict[str, Callable[[list[str]], dict[str, Any]]] = {
            "c": self._context_of, "n": self._near_of, "p": self._squares_of,
        }  # fmt: skip
        for kind, source in ready.items():
            if of[kind] and not source.ready:
                source.start()
                late += [f"{kind}:{name}" for name in of[kind]]
            elif of[kind]:
                found |= make[kind](of[kind])
        return found, late

    def _comes_nearer(self, squares: list[str]) -> bool:
        """Are these squares of the picture of a nearer zoom than the first that were asked for?"""
        told = [name.partition("/")[0] for name in squares]
        zooms = [int(zoom) for zoom in told if zoom.isdecimal() and len(zoom) < 3]
        if not zooms:
            return False
        if self._opened_at is None:
            self._opened_at = max(zooms)
        return max(zooms) > self._opened_at

    @staticmethod
    def _names_by_kind(names: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {kind: [] for kind in "gcnp"}
        for name in names:
            kind, _, rest = name.partition(":")
            if kind in found:
                found[kind].append(rest)
        return found

    def _grids_of(self, codes: list[str]) -> dict[str, Any]:
        known = [code for code in codes if code in self._rows]
        with self._lock:
            missing = [code for code in known if code not in self._grid_parts]
            if missing:
                self._grid_parts |= self._draw_grids(missing)
            return {f"g:{code}": self._grid_parts[code] for code in known} | {
                f"g:{code}": {} for code in codes if code not in self._rows
            }

    def _draw_grids(self, codes: list[str]) -> dict[str, dict[str, list[str]]]:
        """Grids of several villages at once: projecting each by itself costs more than drawing."""
        rows = np.concatenate([self._rows[code] for code in codes])
        grids = self.plan.grids.iloc[rows]
        features = list(layers.grid_features(grids, 10**9).values())
        numbers = [
            short_number(*map(name_text, row))
            for row in zip(grids["code"], grids["village_code"], grids["name"], strict=True)
        ]
        labels = list(layers.name_labels(grids, numbers).values())
        outlines = layers.village_outlines(grids, 10**9)
        named = self._areas[self._areas["code"].isin(codes)]
        names = layers.name_labels(named, named["name"].map(name_text))
        found, at = {}, 0
        for code in codes:
            end = at + len(self._rows[code])
            found[code] = {
                "grids": features[at:end],
                "numbers": labels[at:end],
                "outlines": [outlines[code]] if code in outlines else [],
                "village-names": [names[code]] if code in names else [],
            }
            at = end
        return found

    def _share_out_context(self) -> dict[str, dict[str, NDArray[np.intp]]]:
        """Role -> village code -> rows of the lines whose middle lies in it or is nearest to it."""
        areas = self._areas
        tree = shapely.STRtree(areas.geometry.to_numpy())
        codes = areas["code"].to_numpy()
        found = {}
        for role, frame in self.context.items():
            shapes = frame.geometry.to_numpy()
            there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
            if not len(there) or not len(codes):
                continue
            box = shapely.bounds(shapes[there])
            middles = shapely.points((box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2)
            line, area = _containing(tree, middles)
            own = there[line]
            rows = pd.Series(own).groupby(codes[area]).indices
            found[role] = {str(code): own[index] for code, index in rows.items()}
        return found

    def _context_of(self, codes: list[str]) -> dict[str, Any]:
        shared = self._lines.get()
        found: dict[str, Any] = {}
        for code in codes:
            part: dict[str, list[str]] = {}
            for role, by_village in shared.items():
                rows = by_village.get(code)
                if rows is None:
                    continue
                for layer, text in layers.context_features(role, self.context[role], rows, code):
                    part.setdefault(layer, []).append(text)
            found[f"c:{code}"] = part
        return found

    def _read_homes(self) -> tuple[Pyramid, dict[str, NDArray[np.intp]]]:
        """The picture of all households, and rows of the households by village."""
        held = self.plan.households
        if not len(held):
            nothing = np.empty(0)
            return Pyramid(nothing, nothing, nothing), {}
        change = Transformer.from_crs(held.crs or 4326, 4326, always_xy=True)
        degrees = np.column_stack(change.transform(*shapely.get_coordinates(held.geometry).T))
        counts = pd.to_numeric(held["households"], errors="coerce").fillna(1).to_numpy(float)
        village = dict(zip(self.plan.grids["code"], self.plan.grids["village_code"], strict=True))
        codes, names = pd.factorize(held["grid_code"])
        homes = [village.get(name_text(name), "") for name in names]
        of_grid = np.array([*homes, ""], dtype=object)
        rows = pd.Series(of_grid[codes]).groupby(of_grid[codes]).indices
        pyramid = Pyramid(degrees[:, 0], degrees[:, 1], counts)
        return pyramid, {str(code): found for code, found in rows.items()}

    def _near_of(self, codes: list[str]) -> dict[str, Any]:
        _, rows = self._homes.get()
        found: dict[str, Any] = {}
        micro = self.plan.micro_grids
        for code in codes:
            own = self.plan.households.iloc[rows.get(code, np.empty(0, dtype=np.intp))]
            part = {"households": list(layers.household_points(own).values())}
            if micro is not None and code in self._rows:
                names = set(self.plan.grids["code"].iloc[self._rows[code]])
                inside = micro[micro["grid_code"].map(name_text).isin(names)]
                part["micro"] = list(layers.micro_features(inside).values())
            found[f"n:{code}"] = part
        return found

    def _squares_of(self, names: list[str]) -> dict[str, Any]:
        pyramid, _ = self._homes.get()
        found: dict[str, Any] = {}
        for name in names:
            numbers = name.split("/")
            if len(numbers) == 3 and all(part.isdecimal() and len(part) < 7 for part in numbers):
                zoom, column, row = (int(part) for part in numbers)
                found[f"p:{name}"] = pyramid.square(zoom, column, row)
            else:
                found[f"p:{name}"] = ""
        return found


def _containing(
    tree: shapely.STRtree, points: NDArray[Any]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each point once, and the area it lies in, or the nearest to one that lies in none."""
    found, area = tree.query(points, predicate="intersects")
    point, first = np.unique(found, return_index=True)
    outside = np.setdiff1d(np.arange(len(points)), point)
    far, near = tree.query_nearest(points[outside], all_matches=False)
    return np.concatenate([point, outside[far]]), np.concatenate([area[first], near])


# layer, kind, style, role: as layers.context_features names them
_CONTEXT = layers.CONTEXT_PARTS


def _rows(keys: Iterable[str], language: Language) -> tuple[str, ...]:
    return tuple(word(key, language) for key in keys)


def _labels(language: Language) -> dict[str, str]:
    return {role: word(f"layer.{role}", language) for role in ("roads", "water", "railways",
                                                               "compounds")}  # fmt: skip


def answer_text(found: Mapping[str, Any], late: Iterable[str], key: str, number: int) -> bytes:
    """An answer as it travels: features are JSON already."""
    parts = []
    for name, part in found.items():
        if isinstance(part, str):
            body = dumps(part)
        else:
            held = (f"{dumps(layer)}:[{','.join(texts)}]" for layer, texts in part.items())
            body = "{" + ",".join(held) + "}"
        parts.append(f"{dumps(name)}:{body}")
    head = dumps({"key": key, "number": number, "late": list(late)})
    return (head[:-1] + ',"parts":{' + ",".join(parts) + "}}").encode()
