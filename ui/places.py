"""Places to look at: neighbouring significant cells as one place, with a name and a reason; pure.

What stands here is for people who must not see small counts: a place has a band of how much more
there is than chance would put there, never a number of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.ndimage import label

from incidents.disclosure import LEAST_HOUSEHOLDS
from incidents.trend import Course
from planning.naming import name_in
from ui.format import DASH, name_text
from ui.words import Language, word

if TYPE_CHECKING:
    from incidents.analysis import Hotspots, Prepared
    from ui.study import Courses, Study

MOST = 10
ROAD_M = 250.0  # a road this near the middle of a place is a name people know it by
BANDS = (2.0, 3.0, 5.0, 10.0)
MAINLY = 0.5  # of a place's events in one class, for the class to be named
ENOUGH = 10  # events of that class, so that naming it tells nothing about one


@dataclass(frozen=True)
class Place:
    """One place: ``shape`` in metres (whole cells), ``middle`` its fullest cell's middle."""

    number: int
    shape: shapely.Geometry
    middle: tuple[float, float]
    where: str
    why: str


def may_be_shown(prepared: Prepared) -> np.ndarray:
    """(ny, nx) cells that others may see: of eight households or more, or of none."""
    inside: np.ndarray = prepared.cells.inside
    held = prepared.households
    return inside if held is None else inside & ((held == 0) | (held >= LEAST_HOUSEHOLDS))


def shown_hot(prepared: Prepared, found: Hotspots) -> np.ndarray:
    """(ny, nx) significant cells that others may see: none with a few events around it."""
    from incidents.sharing import few_events

    hot: np.ndarray = found.significance.hot & may_be_shown(prepared) & ~few_events(found)
    return hot


def ten_places(
    study: Study, prepared: Prepared, found: Hotspots, language: Language, most: int = MOST,
    *, within: np.ndarray | None = None,
) -> list[Place]:
    """The places with the most events beyond chance, the worst first. Of a part (``within``,
    (ny, nx) cells) those that lie in it for the most, in the words of the whole and cut to it."""
    shown = shown_hot(prepared, found)
    groups, many = label(shown, structure=np.ones((3, 3)))
    if not many:
        return []
    here = np.ones(shown.shape, dtype=bool) if within is None else within
    inner = np.bincount(groups.ravel(), weights=here.ravel(), minlength=many + 1)[1:]
    theirs = inner > np.bincount(groups.ravel(), minlength=many + 1)[1:] / 2
    tested = found.significance
    beyond = np.where(shown, tested.count - tested.expected, 0.0)
    excess = np.bincount(groups.ravel(), weights=beyond.ravel(), minlength=many + 1)[1:]
    order = [i for i in np.argsort(-excess, kind="stable") if theirs[i]][:most]
    names = study.kept.get("names")
    if names is None:
        names = study.kept["names"] = _Names(study)
    courses = study.courses.get(found.selection.category)
    at = prepared.cell[found.rows]
    kinds = prepared.events.group[found.rows]
    places = []
    for number, group in enumerate(order, start=1):
        held = groups == group + 1
        rows, columns = np.nonzero(held & here)
        size, cells = found.cells.size, found.cells
        x, y = cells.x0 + columns * size, cells.y0 + rows * size
        top = int(np.argmax(found.counts[held & here]))
        middle = (float(x[top] + size / 2), float(y[top] + size / 2))
        middles = np.column_stack([x, y]) + size / 2
        ratio = float(tested.count[held].sum() / max(tested.expected[held].sum(), 1e-9))
        inside = kinds[held.ravel()[np.maximum(at, 0)] & (at >= 0)]
        places.append(
            Place(
                number,
                shapely.union_all(shapely.box(x, y, x + size, y + size)),
                middle,
                names.of(middles, middle, language),
                _why(study, ratio, held, courses, inside, found, language),
            )
        )
    return places


def band(ratio: float, language: Language) -> str:
    """How many times what chance would put there, in words, never the number itself."""
    step = int(np.searchsorted(BANDS, ratio, side="right"))
    if step == 0:
        return word("incidents.band_low", language)
    if step == len(BANDS):
        return word("incidents.band_high", language, low=f"{BANDS[-1]:g}")
    low, high = BANDS[step - 1], BANDS[step]
    return word("incidents.band", language, low=f"{low:g}", high=f"{high:g}")


def joined(how: str, parts: Sequence[str], language: Language) -> str:
    """Parts that are not empty, joined as the language does it; ``how`` is "and" or "then"."""
    told = [part for part in parts if part]
    return reduce(lambda a, b: word(f"incidents.{how}", language, a=a, b=b), told) if told else ""


def course_word(course: int, language: Language) -> str:
    """What became of a cell, in words; "" where nothing can be said."""
    name = Course(course).name.lower()
    return "" if course == Course.NONE else word(f"incidents.course_{name}", language)


def _why(
    study: Study,
    ratio: float,
    held: np.ndarray,
    courses: Courses | None,
    kinds: np.ndarray,
    found: Hotspots,
    language: Language,
) -> str:
    homes = study.open.households
    against = "ground" if homes is None else "people" if study.open.estimated else "households"
    if homes is not None and not homes[held].any():  # times nobody would say nothing
        parts = [word("incidents.why_nobody", language)]
    else:
        parts = [word(f"incidents.why_{against}", language, band=band(ratio, language))]
    if courses is not None and courses.months:
        told = courses.course[held]
        told = told[told > 0]
        if len(told):
            parts.append(course_word(int(np.bincount(told).argmax()), language))
        hot = int(courses.hot[held].max())
        if hot:
            unit = {3: "quarters", 12: "years"}.get(courses.unit, "months")
            parts.append(word(f"incidents.why_{unit}", language, hot=hot, all=courses.months))
    if found.selection.category is None and len(kinds):
        counts = np.bincount(kinds[kinds >= 0], minlength=1)
        top = int(counts.argmax())
        if counts[top] >= ENOUGH and counts[top] > MAINLY * len(kinds):
            names = study.events.classes.classes[study.events.classes.keys[top]]
            name = names[0 if language == "zh" else 1]
            parts.append(word("incidents.why_mainly", language, name=name))
    return joined("then", parts, language)


def spoken(name: object, code: object, language: Language) -> str:
    """An area's name as a language speaks it, its code where it has none."""
    return name_in(name_text(name), language) or name_text(code)


class _Names:
    """What places are called: the grid or village they lie in, and the roads beside them."""

    def __init__(self, study: Study) -> None:
        self.areas = study.areas
        self.tree = shapely.STRtree(study.areas.units)
        roads = study.roads
        self.roads: np.ndarray = np.empty(0, dtype=object)
        self.road_names: list[str] = []
        if roads is not None and "name" in roads:
            names = roads["name"].map(name_text)
            kept = roads[(names != "").to_numpy() & roads.geometry.notna().to_numpy()]
            self.roads = np.asarray(kept.geometry.to_numpy())
            self.road_names = [name_text(name) for name in kept["name"]]
        self.road_tree = shapely.STRtree(self.roads)

    def of(self, inner: np.ndarray, middle: tuple[float, float], language: Language) -> str:
        """Up to two areas that hold most of the cells, then up to two roads."""
        parts = []
        for level in ("grid", "village", "beat"):
            held = self.areas.levels.get(level)
            if held is None or held.own is not None:
                continue
            _, unit = self.tree.query(shapely.points(inner), predicate="within")
            if not len(unit):  # a cell on the border, its middle outside
                unit = np.atleast_1d(self.tree.nearest(shapely.Point(middle)))
            counts = np.bincount(held.of[unit], minlength=len(held))
            best = [int(i) for i in np.argsort(-counts, kind="stable")[:2] if counts[i]]
            names = [spoken(held.names[i], held.codes[i], language) for i in best]
            parts.append(joined("and", names, language))
            break
        roads = self._roads(middle)
        if roads:
            key = "incidents.near_one" if len(roads) == 1 else "incidents.near_two"
            parts.append(word(key, language, a=roads[0], b=roads[-1]))
        return joined("then", parts, language) or DASH

    def _roads(self, middle: tuple[float, float]) -> list[str]:
        if not len(self.roads):
            return []
        point = shapely.Point(middle)
        near = self.road_tree.query(point, predicate="dwithin", distance=ROAD_M)
        near = near[np.argsort(shapely.distance(self.roads[near], point), kind="stable")]
        return list(dict.fromkeys(self.road_names[i] for i in near))[:2]
