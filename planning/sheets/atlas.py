"""What map sheets are drawn from: a plan, the lines around, beats, leaders' grids; and titles.

Everything is known from plan.gpkg and the lines around; households are not drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import geopandas as gpd
import pandas as pd
import shapely

from planning.beats.beatfile import BeatFile
from planning.codes import filing_order
from planning.naming import name_in
from planning.planfile import PlanFile
from planning.sheets.fonts import Font, find_font, load_font
from planning.sheets.page import NOTICE, Imprint
from planning.sheets.words import WORDS, say

Kind = Literal["grid", "village", "township", "overview", "beat", "leader"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ROLES = ("roads", "water", "railways")


def text_of(value: object) -> str:
    """A cell as text; nothing for what is missing."""
    return "" if value is None or value is pd.NA or value != value else str(value).strip()


def count_of(value: object) -> str:
    """A count as it is printed; a dash for what is not known."""
    text = text_of(value)
    return f"{int(float(text)):,}" if text else "—"


def area_of(metres: float) -> str:
    """Square metres as they are printed."""
    return f"{metres / 1e6:.2f} km²" if metres >= 1e5 else f"{metres:,.0f} m²"


@dataclass(frozen=True)
class Atlas:
    """A county's plan ready to be drawn. ``context`` role -> frame in the plan's system;
    ``leaders`` code of a leader's post -> codes of the grids they follow.

    Raises :class:`geo.problems.InputError` on first drawing where no Chinese font is found.
    """

    plan: PlanFile
    context: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    beats: BeatFile | None = None
    language: str = "zh"
    imprint: Imprint = field(default_factory=Imprint)
    leaders: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def grids(self) -> gpd.GeoDataFrame:
        """The grids as they are filed: by village and code."""
        return self.plan.grids.iloc[filing_order(self.plan.grids)].reset_index(drop=True)

    @cached_property
    def font(self) -> Font:
        """The font with every character that a sheet may need."""
        texts: list[str] = [*NOTICE.values(), *(w for pair in WORDS.values() for w in pair)]
        texts += [self.imprint.place, self.imprint.unit, self.imprint.date, self.imprint.version]
        texts += self.leaders
        # Here: the rules bring the whole proposal along, and the first page needs no sheet.
        from planning.beats.judge import BEAT_RULES
        from planning.rules import RULES

        texts += [word for rules in (RULES, BEAT_RULES) for pair in rules.values() for word in pair]
        frames: list[pd.DataFrame] = [
            self.plan.grids, self.plan.villages, self.plan.exceptions, *self.context.values(),
        ]  # fmt: skip
        if self.beats is not None:
            frames += [self.beats.beats, self.beats.exceptions]
        for frame in frames:
            for name in frame.columns:
                if frame[name].dtype.kind in "OT" and name != "geometry":
                    texts += [text_of(value) for value in frame[name].unique()]
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
            found = list(dict.fromkeys(map(text_of, self.plan.villages["township_name"])))
        elif kind == "leader":
            found = list(self.leaders)
        else:
            found = [] if self.beats is None else [str(c) for c in self.beats.beats["code"]]
        wanted = None if codes is None else set(codes)
        return [code for code in found if wanted is None or code in wanted]

    def title(self, kind: Kind, code: str) -> str:
        """The sheet's title, also its bookmark. KeyError for a subject that is not there."""
        place, language = self.imprint.place, self.language
        if kind in ("grid", "village", "beat"):
            frame = {"grid": self.grids, "village": self.plan.villages}.get(
                kind, self.beats.beats if self.beats else self.grids
            )
            rows = frame[frame["code"].astype(str) == code]
            if not len(rows):
                raise KeyError(code)
            name = name_in(text_of(rows["name"].iloc[0]) or code, language)
            bare = kind == "beat" and name.isascii() and "beat" not in name.casefold()
            return say("beat_of", language, name=name) if bare else name
        if kind == "leader":
            if code not in self.leaders:
                raise KeyError(code)
            return say("leader_of", language, name=code)
        if kind == "overview":
            return say("overview_of" if place else "overview", language, name=place)
        return code or place
