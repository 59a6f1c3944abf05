"""The map on a sheet: ground, lines and their names, borders, labels that do not overlap.

Lengths of the paper in millimetres, of the ground in metres of the plan's system.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from planning.naming import line_name
from planning.sheets.fonts import Font
from planning.sheets.pdf import MM_PER_PT, Canvas, Colour, Points, colour

INK, SOFT, WHITE = colour("#23262b"), colour("#5b616a"), (1.0, 1.0, 1.0)
SUBJECT, AROUND, OUTSIDE = colour("#fdf3cf"), colour("#f3f2ee"), colour("#ffffff")
DEDICATED = colour("#e3dfeb")
STYLES: dict[str, tuple[Colour, float]] = {
    # role: line colour, width in mm
    "water": (colour("#3c9db5"), 0.35),
    "roads": (colour("#a79b84"), 0.45),
    "railways": (colour("#4a4f57"), 0.35),
}
WATER_AREA = colour("#cfe8ee")
CLEAR = 0.8  # mm left free at both ends of a label: two numbers side by side are not one
NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def nice_scale(least: float) -> int:
    """The next round denominator of a scale that is no less than ``least``."""
    power = 10.0 ** math.floor(math.log10(max(least, 1.0)))
    found = next(step * power for step in (*NICE, 10.0) if step * power >= least - 1e-9)
    return math.ceil(found - 1e-6)


@dataclass(frozen=True)
class Frame:
    """Where the map lies on the paper (x, y, width, height in mm) and what it shows.

    ``scale`` its denominator: a millimetre of paper is ``scale / 1000`` metres of ground.
    """

    x: float
    y: float
    width: float
    height: float
    centre: tuple[float, float]
    scale: int

    @cached_property
    def window(self) -> tuple[float, float, float, float]:
        """The ground that is shown: west, south, east, north."""
        half = self.width * self.scale / 2000, self.height * self.scale / 2000
        cx, cy = self.centre
        return cx - half[0], cy - half[1], cx + half[0], cy + half[1]

    def paper(self, xy: Points) -> Points:
        """Ground to paper, shape (n, 2)."""
        west, south, _, _ = self.window
        away: Points = (xy - np.array([west, south])) * (1000.0 / self.scale)
        return np.asarray(away + np.array([self.x, self.y]))


def frame_for(
    bounds: Sequence[float], x: float, y: float, width: float, height: float
) -> Frame:
    """A frame that shows ``bounds`` whole with some ground around it, at a round scale."""
    west, south, east, north = bounds
    around = 1.18
    least = max((east - west) / width, (north - south) / height, 0.02) * 1000 * around
    return Frame(
        x, y, width, height, ((west + east) / 2, (south + north) / 2), nice_scale(least)
    )


@dataclass
class Taken:
    """Paper that labels stand on already, as rectangles that may be turned."""

    shapes: list[shapely.Polygon] = field(default_factory=list)

    def claim(self, shape: shapely.Polygon, *, force: bool = False) -> bool:
        """Take the paper if nothing stands there."""
        if not force and any(shape.intersects(other) for other in self.shapes):
            return False
        self.shapes.append(shape)
        return True


def _turned(
    x: float, y: float, width: float, height: float, angle: float
) -> shapely.Polygon:
    """The rectangle of a text that starts at (x, y) on its baseline."""
    corners = np.array([(0, -0.25 * height), (width, -0.25 * height), (width, 0.9 * height),
                        (0, 0.9 * height)])  # fmt: skip
    c, s = math.cos(angle), math.sin(angle)
    return shapely.Polygon(corners @ np.array([[c, s], [-s, c]]) + np.array([x, y]))


class Panel:
    """The map of one sheet."""

    def __init__(self, canvas: Canvas, frame: Frame) -> None:
        self.canvas, self.frame = canvas, frame
        self.font: Font = canvas.font
        self.taken = Taken()
        self.window = shapely.box(*frame.window)
        self.paper = shapely.box(
            frame.x, frame.y, frame.x + frame.width, frame.y + frame.height
        )

    def near(self, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """The rows of a layer that the map shows."""
        rows = np.sort(frame.sindex.query(self.window, predicate="intersects"))
        return frame.iloc[rows]

    def reserve(self, x: float, y: float, width: float, height: float) -> None:
        """Keep labels off a rectangle of the paper."""
        self.taken.claim(shapely.box(x, y, x + width, y + height), force=True)

    # --- shapes -----------------------------------------------------------------------------

    def fill(self, shapes: Iterable[shapely.Geometry], paint: Colour) -> None:
        """Fill areas."""
        for shape in shapes:
            self.canvas.areas([self.frame.paper(ring) for ring in _rings(shape)], paint)

    def outline(
        self, shapes: Iterable[shapely.Geometry], ink: Colour, weight: float,
        dash: Sequence[float] = (),
    ) -> None:  # fmt: skip
        """Draw the borders of areas."""
        for shape in shapes:
            rings = [self.frame.paper(ring) for ring in _rings(shape)]
            self.canvas.lines(rings, ink, weight, dash)

    def borders(
        self, shapes: Iterable[shapely.Geometry], ink: Colour, weight: float,
        dash: Sequence[float],
    ) -> None:  # fmt: skip
        """Draw borders that areas share once: two dashed lines on each other look whole."""
        rings = [shapely.boundary(shape) for shape in shapes]
        merged = shapely.line_merge(shapely.union_all(rings))
        lines = [self.frame.paper(line) for line in _lines(merged)]
        self.canvas.lines(lines, ink, weight, dash)

    def context(self, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
        """Waters, roads and railways, each as it is drawn on every sheet."""
        for role in ("water", "roads", "railways"):
            if role not in layers or not len(layers[role]):
                continue
            ink, weight = STYLES[role]
            shapes = shapely.intersection(self.near(layers[role]).geometry.values, self.window)
            for shape in shapes:
                rings = [self.frame.paper(ring) for ring in _rings(shape)]
                self.canvas.areas(rings, WATER_AREA)
                lines = [self.frame.paper(line) for line in _lines(shape)]
                dash = (1.6, 1.0) if role == "railways" else ()
                self.canvas.lines([*rings, *lines], ink, weight, dash)

    # --- words ------------------------------------------------------------------------------

    def label(
        self, shape: shapely.Geometry, text: str, size: float, ink: Colour = INK,
        *, force: bool = False, bold: bool = False,
    ) -> bool:  # fmt: skip
        """A text inside an area, where it is widest and the whole text is on the map; False where
        there is no room left."""
        width, height = self.font.width(text, size * MM_PER_PT), size * MM_PER_PT
        shown = shapely.intersection(shape, self._room(width, height))
        if not text or not shown.area > 0:
            return False
        x, y, box = self._middle(shown, width, height)
        if not self.taken.claim(box, force=force):
            # beside what stands there, where the area goes on
            shown = shown.difference(self._ground_taken(box, width, height))
            if not shown.area > 0:
                return False
            x, y, box = self._middle(shown, width, height)
            if not self.taken.claim(box):
                return False
        self.canvas.text(x - width / 2, y - height / 3, text, size, ink=ink, halo=0.45, bold=bold)
        return True

    def _middle(
        self, shown: shapely.Geometry, width: float, height: float
    ) -> tuple[float, float, shapely.Polygon]:
        place = _inside(shown)
        x, y = self.frame.paper(np.array([[place.x, place.y]]))[0]
        box = _turned(x - width / 2 - CLEAR, y - height / 3, width + 2 * CLEAR, height, 0.0)
        return float(x), float(y), box

    def _ground_taken(
        self, box: shapely.Polygon, width: float, height: float
    ) -> shapely.Geometry:
        """The ground on which a text's middle would meet what ``box`` meets."""
        met = [shape for shape in self.taken.shapes if shape.intersects(box)]
        west, south, _, _ = self.frame.window
        metres = self.frame.scale / 1000
        grown = []
        for shape in met:
            x1, y1, x2, y2 = shape.bounds
            left, right = x1 - width / 2 - 1.0, x2 + width / 2 + 1.0
            low, high = y1 - 0.6 * height - 0.6, y2 + 0.6 * height + 0.6
            corner = np.array([self.frame.x, self.frame.y] * 2)
            corners = np.array([left, low, right, high]) - corner
            ground = corners * metres + np.array([west, south] * 2)
            grown.append(shapely.box(*ground))
        return shapely.union_all(grown)

    def _room(self, width: float, height: float) -> shapely.Geometry:
        """Where the middle of a text of this size may lie: nothing of it is cut by the frame."""
        west, south, east, north = self.frame.window
        metres = self.frame.scale / 1000
        x, y = (width / 2 + 0.5) * metres, (height / 2 + 0.5) * metres
        if west + x >= east - x or south + y >= north - y:
            return self.window
        return shapely.box(west + x, south + y, east - x, north - y)

    def names(self, layers: Mapping[str, gpd.GeoDataFrame], size: float = 6.5) -> None:
        """Names of lines along them: the longest lines first, each name a few times at most."""
        for role in ("water", "roads", "railways"):
            if role not in layers or "name" not in layers[role]:
                continue
            near = self.near(layers[role])
            near = near.assign(name=near["name"].map(line_name))
            near = near[near["name"] != ""]
            if not len(near):
                continue
            ink = colour("#1f6d80") if role == "water" else SOFT
            runs = [
                (name, run) for name, rows in near.groupby("name", sort=True)
                for run in self._runs(rows.geometry.values)
            ]  # fmt: skip
            runs.sort(key=lambda one: (-one[1].length, str(one[0])))
            seen: dict[str, int] = {}
            for name, run in runs:
                if seen.get(str(name), 0) < 2 and self._along(run, str(name), size, ink):
                    seen[str(name)] = seen.get(str(name), 0) + 1

    def _runs(self, shapes: NDArray[np.object_]) -> list[shapely.LineString]:
        """One name's lines inside the map, joined."""
        flat = [shapely.boundary(s) if s.geom_type.endswith("Polygon") else s for s in shapes]
        shown = shapely.intersection(np.array(flat, dtype=object), self.window.buffer(-1.0))
        merged = shapely.line_merge(shapely.union_all(shown))
        return [part for part in shapely.get_parts(merged) if part.geom_type == "LineString"]

    def _along(self, run: shapely.LineString, text: str, size: float, ink: Colour) -> bool:
        """Put a name on a line where a straight stretch of it has room; False where none has."""
        width = self.font.width(text, size * MM_PER_PT)
        need = width * self.frame.scale / 1000 * 1.15
        if run.length < need:
            return False
        for share in (0.5, 0.3, 0.7, 0.15, 0.85):
            start = min(max(share * run.length - need / 2, 0.0), run.length - need)
            a, b = (run.interpolate(at) for at in (start, start + need))
            if math.hypot(b.x - a.x, b.y - a.y) < 0.94 * need:
                continue  # too crooked to be read
            ends = self.frame.paper(np.array([[a.x, a.y], [b.x, b.y]]))
            if ends[1, 0] < ends[0, 0]:
                ends = ends[::-1]
            dx, dy = ends[1] - ends[0]
            angle, height = math.atan2(dy, dx), size * MM_PER_PT
            room = (math.hypot(dx, dy) - width) / 2
            x = ends[0, 0] + math.cos(angle) * room + math.sin(angle) * height * 0.35
            y = ends[0, 1] + math.sin(angle) * room - math.cos(angle) * height * 0.35
            box = _turned(x, y, width, height, angle)
            if self.paper.contains(box) and self.taken.claim(box):
                self.canvas.text(x, y, text, size, ink=ink, angle=angle, halo=0.35)
                return True
        return False


def _inside(shape: shapely.Geometry) -> shapely.Point:
    """A point well inside an area: the middle of the largest circle in its largest part."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    if not parts:
        return shapely.point_on_surface(shape)
    largest = max(parts, key=lambda part: part.area)
    reach = max(math.sqrt(largest.area) * 0.02, 0.5)
    circle = shapely.maximum_inscribed_circle(largest, tolerance=reach)
    x, y = shapely.get_coordinates(circle)[0]
    return shapely.Point(x, y)


def _polygons(shape: shapely.Geometry) -> Iterator[shapely.Polygon]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            yield part
        elif part.geom_type in ("MultiPolygon", "GeometryCollection"):
            yield from _polygons(part)


def _rings(shape: shapely.Geometry) -> list[Points]:
    return [
        shapely.get_coordinates(ring)
        for polygon in _polygons(shape)
        for ring in (polygon.exterior, *polygon.interiors)
    ]


def _lines(shape: shapely.Geometry) -> list[Points]:
    found = []
    for part in shapely.get_parts(shape):
        if part.geom_type in ("LineString", "LinearRing"):
            found.append(shapely.get_coordinates(part))
        elif part.geom_type in ("MultiLineString", "GeometryCollection"):
            found += _lines(part)
    return found
