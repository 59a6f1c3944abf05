"""beats.gpkg: a division into beats as other programs read it, written whole or not at all."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.messages import register
from geo.problems import InputError, Problem
from planning.beats.describe import (
    Summary,
    beat_changes,
    beat_table,
    exception_table,
    grid_beats,
    summary,
)
from planning.beats.ground import BeatGround
from planning.beats.judge import Frame, exceptions_of
from planning.beats.officers import Posts
from planning.plan import Plan
from planning.planfile import PlanFile, write_layers

register(
    {
        "beatfile-unreadable": (
            "不是可读的警格文件;请给出 gridwright beats 写出的 beats.gpkg。",
            "is no readable beats file; give a beats.gpkg that gridwright beats wrote.",
        ),
        "beatfile-layer": (
            "缺少图层 {layer};请给出 gridwright beats 写出的 beats.gpkg。",
            "has no layer {layer}; give a beats.gpkg that gridwright beats wrote.",
        ),
    }
)

LAYERS = (
    "beats", "grid_beats", "beat_changes", "previous_mismatch", "exceptions", "officers",
    "outliers", "provenance",
)
_NEEDED = ("beats", "grid_beats")


@dataclass(frozen=True)
class BeatFile:
    """The tables of beats.gpkg. ``exceptions`` beat_code, rule, value, limit, reason;
    ``officers`` post, kind, station, beat_code; ``outliers`` incident_id, minutes (clipped)."""

    beats: gpd.GeoDataFrame
    grid_beats: pd.DataFrame
    beat_changes: pd.DataFrame
    previous_mismatch: gpd.GeoDataFrame
    exceptions: pd.DataFrame
    officers: pd.DataFrame
    outliers: pd.DataFrame
    provenance: pd.DataFrame

    def value(self, key: str) -> str | None:
        """A value of the provenance, None where it is not told."""
        rows = self.provenance.loc[self.provenance["key"] == key, "value"]
        return str(rows.iloc[0]) if len(rows) else None


def to_beatfile(
    ground: BeatGround,
    plan: Plan,
    rules: Frame,
    *,
    posts: Posts | None = None,
    source: PlanFile | None = None,
    arguments: Mapping[str, object] | None = None,
) -> BeatFile:
    """The tables of a division, a proposal's or one drawn by hand.

    ``source`` the plan whose grids these are, for the provenance.
    """
    figures = summary(ground, plan, rules)
    none = pd.DataFrame(
        {c: pd.Series(dtype=object) for c in ("post", "kind", "station", "beat_code")}
    )
    return BeatFile(
        beats=beat_table(ground, plan, rules, None if posts is None else posts.per_beat(plan)),
        grid_beats=grid_beats(ground, plan),
        beat_changes=beat_changes(ground, plan),
        previous_mismatch=_mismatch(ground),
        exceptions=exception_table(plan, exceptions_of(ground, plan, rules)),
        officers=none if posts is None else posts.table,
        outliers=ground.work.outliers,
        provenance=_provenance(ground, rules, figures, source, arguments or {}),
    )


def _mismatch(ground: BeatGround) -> gpd.GeoDataFrame:
    if ground.today is not None:
        return ground.today.mismatch
    columns = {c: pd.Series(dtype=object) for c in ("previous_beat", "grid_code")}
    numbers = {"area_m2": pd.Series(dtype=float), "households": pd.Series(dtype="int64")}
    return gpd.GeoDataFrame(
        pd.DataFrame(columns | numbers), geometry=gpd.GeoSeries([], crs=ground.crs), crs=ground.crs
    )


def _provenance(
    ground: BeatGround,
    rules: Frame,
    figures: Summary,
    source: PlanFile | None,
    arguments: Mapping[str, object],
) -> pd.DataFrame:
    rows = {"program": "gridwright beats", "python": platform.python_version()}
    rows["crs"] = str(ground.crs)
    rows |= dict(rules.settings.record())
    rows |= dict(ground.work.said)
    for name, file in ground.files.items():
        rows |= {
            f"input.{name}.file": file.name,
            f"input.{name}.size": str(file.size),
            f"input.{name}.sha256": file.sha256,
        }
    rows |= {f"argument.{name}": str(value) for name, value in arguments.items()}
    rows |= {f"result.{name}": f"{value:.6g}" for name, value in asdict(figures).items()}
    if ground.today is not None:
        rows["result.whole_before"] = f"{whole_share(ground):.6g}"
    if source is not None:
        rows |= {
            f"plan.{key}": str(value)
            for key, value in source.provenance[["key", "value"]].itertuples(index=False)
            if not str(key).startswith("library.")
        }
    for i, note in enumerate(ground.notes):
        rows[f"note.{i + 1}"] = note.text("en")
    return pd.DataFrame({"key": list(rows), "value": list(rows.values())}, dtype=object)


def whole_share(ground: BeatGround) -> float:
    """Share of today's beats (those with a grid) that are made of whole grids already."""
    if ground.today is None:
        return 0.0
    alive = sorted(set(ground.home[ground.home >= 0].tolist()))
    return float(ground.today.whole[alive].mean()) if alive else 0.0


def write_beats(tables: BeatFile, path: str | Path) -> None:
    """Write beats.gpkg. Raises :class:`InputError` where that cannot be done; nothing is left."""
    write_layers({name: getattr(tables, name) for name in LAYERS}, Path(path))


def read_beatfile(path: str | Path) -> BeatFile:
    """Read a beats.gpkg back. Raises :class:`InputError` where it is none."""
    path = Path(path)
    if not path.is_file():
        raise InputError([Problem("plan-missing", path.name)])
    try:
        present = {str(name) for name in pyogrio.list_layers(path)[:, 0]}
        frames = {n: gpd.read_file(path, layer=n) for n in LAYERS if n in present}
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise InputError([Problem("beatfile-unreadable", path.name)]) from error
    missing = [name for name in _NEEDED if name not in frames]
    if missing:
        raise InputError(
            Problem("beatfile-layer", path.name, params={"layer": name}) for name in missing
        )
    return BeatFile(**{name: frames.get(name, pd.DataFrame()) for name in LAYERS})
