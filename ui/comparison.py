"""Two scenarios side by side: maps that move together, and what differs in numbers; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd

from planning.compare import Comparison, compare_plans
from ui.format import area_km2, decimal, name_text, share, whole
from ui.map.encode import bounds_lonlat, dumps, encode_area, to_lonlat
from ui.map.scene import Focus, Layer, Scene
from ui.views import PlanView
from ui.words import Language, word

GROUP = "compared"
MOVED_ROWS = ("scenarios.code_a", "scenarios.code_b", "grid.households", "grid.area")
SLIVER_M2 = 1.0  # what is smaller nobody moved: two ways of drawing one border
_FORMS = {
    "grids": whole, "households": whole, "exceptions": whole, "households_changed": whole,
    "grids_changed": whole,
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two plans of one county. What lies between them is computed when it is first asked for."""

    left: PlanView
    right: PlanView

    @cached_property
    def found(self) -> Comparison:
        """The comparison; :class:`geo.problems.InputError` where they share no ground."""
        return compare_plans(self.left.plan, self.right.plan)

    @cached_property
    def moved(self) -> gpd.GeoDataFrame:
        """Ground whose grid on the right does not continue its grid on the left."""
        moved = self.found.moved
        return moved[moved["area_m2"] >= SLIVER_M2].reset_index(drop=True)

    @cached_property
    def _features(self) -> dict[str, str]:
        features = {}
        for i, (row, shape) in enumerate(
            zip(self.moved.itertuples(), to_lonlat(self.moved), strict=True)
        ):
            values = [
                name_text(row.code_a), name_text(row.code_b), whole(row.households),
                area_km2(row.area_m2) + " km²",
            ]  # fmt: skip
            features[str(i)] = dumps(
                {"i": str(i), "t": "", "r": values, "g": encode_area(shape)}
            )
        return features

    def scenes(self, language: Language, village: str | None, focus: Focus) -> tuple[Scene, Scene]:
        """The left and the right map, the differences drawn on both."""
        rows = tuple(word(key, language) for key in MOVED_ROWS)
        label = word("scenarios.moved", language)
        moved = Layer("moved", "area", self._features, "moved", label, rows)
        both = []
        for view in (self.left, self.right):
            scene = view.scene(language, village=village, focus=focus)
            hidden = [layer for layer in scene.layers if layer.id not in ("households", "units")]
            at = next(i for i, layer in enumerate(hidden) if layer.id == "grids") + 1
            both.append(
                replace(scene, layers=(*hidden[:at], moved, *hidden[at:]), group=GROUP)
            )
        return both[0], both[1]

    def numbers(self, language: Language) -> pd.DataFrame:
        """Measure, left, right; what lies between stands on the right."""
        rows = []
        for row in self.found.summary().itertuples():
            form = _FORMS.get(row.measure)
            if form is None:
                form = share if row.measure in ("within_10", "worst", "edge_on_line") else None
            values = [
                "" if value is None or np.isnan(value) else form(value) if form
                else decimal(value, 3)
                for value in (row.a, row.b)
            ]  # fmt: skip
            rows.append((word(f"scenarios.{row.measure}", language), *values))
        return pd.DataFrame(rows, columns=["measure", "a", "b"])

    def grids(self, language: Language) -> pd.DataFrame:
        """The grids that are not the same: one row each, the most changed first."""
        table = self.found.grids[self.found.grids["change"] != "same"].copy()
        kept = table["households_kept"].to_numpy(dtype=float)
        size = np.maximum(table["households_a"], table["households_b"]).to_numpy(dtype=float)
        order = np.argsort(kept - size, kind="stable")
        table = table.iloc[order].reset_index(drop=True)
        table["change"] = [word(f"scenarios.change_{kind}", language) for kind in table["change"]]
        return table

    def place(self, code_a: object, code_b: object) -> Focus:
        """Where a row of :meth:`grids` lies, for both maps; ``number`` is the caller's."""
        frames = [
            view.grids[view.grids["code"] == name_text(code)]
            for view, code in ((self.left, code_a), (self.right, code_b))
            if name_text(code)
        ]
        shapes = [to_lonlat(frame) for frame in frames if len(frame)]
        if not shapes:
            return Focus()
        found = bounds_lonlat(np.concatenate([np.asarray(shape) for shape in shapes]))
        return Focus(bounds=(found[0], found[1], found[2], found[3])) if found else Focus()
