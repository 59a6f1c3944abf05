"""hotspots.gpkg: the analyst's file of one selection, as docs/formats.md lays it down.

No layer holds a person, a text of an event or an event's own place: ``unplaced`` counts reasons.
For what leaves the analyst's desk see :mod:`incidents.disclosure`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.geopackage import write_whole
from incidents.analysis import Hotspots, Prepared
from incidents.areas import NO_PLACE_CODE, OUTSIDE_CODE, LevelName
from incidents.events import REASONS
from incidents.limits import with_limits, years_of
from incidents.steps import Steps, one_after_another
from incidents.trend import Course
from incidents.words import SOURCES

FORMAT = "1"


def layers_of(
    prepared: Prepared,
    found: Hotspots,
    said: Mapping[str, object] | None = None,
    steps: Steps = one_after_another,
) -> dict[str, pd.DataFrame]:
    """Every layer by name. ``said`` adds lines to the provenance (versions, other files).

    Density is classed by the fixed limits of the class of events, whatever ``found`` holds.
    """
    found = with_limits(prepared, found)
    layers: dict[str, pd.DataFrame] = {
        "cells": cell_layer(prepared, found),
        "density": density_layer(prepared, found, steps=steps),
    }
    for name, table in found.tables.items():
        layers[f"by_{name}"] = area_layer(prepared, name, table)
    layers["unplaced"] = unplaced_layer(prepared, found)
    columns = ["surface", "area_share", "hit_rate", "pai", "pei", "rri", "events"]
    rows = [(a.surface, a.share, a.hit, a.pai, a.pei, a.rri, a.events) for a in found.accuracy]
    layers["accuracy"] = pd.DataFrame(rows, columns=columns)
    layers["provenance"] = provenance(prepared, found, said or {})
    return layers


def write_hotspots(
    prepared: Prepared,
    found: Hotspots,
    path: str | Path,
    said: Mapping[str, object] | None = None,
    steps: Steps = one_after_another,
) -> None:
    """Write the file, whole or not at all; raises :class:`geo.problems.InputError`."""
    write_whole(layers_of(prepared, found, said, steps), path)


def cell_layer(prepared: Prepared, found: Hotspots) -> gpd.GeoDataFrame:
    """The cells of the area that hold or neighbour an event, or are significant."""
    inside, tested = found.cells.inside, found.significance
    course = np.zeros(inside.shape, dtype=np.int8)
    if found.development is not None:
        course = found.development.course
    frame = pd.DataFrame(
        {
            "cell": found.cells.names(),
            "count": found.counts[inside].astype(np.int64),
            "around": tested.count[inside].astype(np.int64),
            "expected": tested.expected[inside],
            "gi_star": tested.z[inside],
            "p_value": tested.p[inside],
            "q_value": tested.q[inside],
            "significant": tested.significant[inside].astype(np.int64),
            "direction": np.where(tested.hot, "hot", np.where(tested.cold, "cold", ""))[inside],
            "trend": [Course(int(c)).name.lower() for c in course[inside]],
            "density": found.surface[inside],
            "density_class": found.classes[inside],
        }
    )
    if prepared.households is not None:
        frame["households"] = prepared.households[inside].astype(np.int64)
    keep = (frame["around"] > 0) | (frame["significant"] == 1) | (frame["trend"] != "none")
    chosen = np.zeros(inside.shape, dtype=bool)
    chosen[inside] = keep
    shapes = found.cells.polygons(chosen)
    kept = frame[keep].reset_index(drop=True)
    return gpd.GeoDataFrame(kept, geometry=shapes, crs=prepared.areas.crs)


def density_layer(
    prepared: Prepared, found: Hotspots, *, hot_only: bool = False,
    hidden: NDArray[np.bool_] | None = None, steps: Steps = one_after_another,
) -> gpd.GeoDataFrame:  # fmt: skip
    """One outline a density class: class, from, to (events per km² of the period).

    ``hidden`` (ny, nx) cells that are not drawn. ``steps`` does the classes (stage "density").
    """
    classes = np.where(found.surface > 0, found.classes, -1)
    if hot_only:
        classes[~found.significance.hot] = -1
    if hidden is not None:
        classes[hidden] = -1
    limits = [0.0, *map(float, found.breaks), np.inf]
    drawn = [number for number in range(len(limits) - 1) if (classes == number).any()]

    def outline(piece: int) -> NDArray[np.uint8]:
        shape = found.cells.outline(classes == drawn[piece])
        return np.frombuffer(shapely.to_wkb(shape), dtype=np.uint8)

    shapes = [shapely.from_wkb(body.tobytes()) for body in steps("density", len(drawn), outline)]
    uppers = [None if np.isinf(limits[number + 1]) else limits[number + 1] for number in drawn]
    rows = [(n, limits[n], upper) for n, upper in zip(drawn, uppers, strict=True)]
    table = pd.DataFrame(rows, columns=["class", "from", "to"]).astype({"to": float})
    return gpd.GeoDataFrame(table, geometry=shapes, crs=prepared.areas.crs)


def area_layer(prepared: Prepared, name: LevelName, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """A level's table with its outlines; the two rows without an area have none."""
    shapes = np.append(prepared.areas.shapes(name), [None, None])
    frame = table.assign(suppressed=0, enough=table["enough"].astype(np.int64))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=prepared.areas.crs)


def unplaced_layer(prepared: Prepared, found: Hotspots) -> pd.DataFrame:
    """Events of the selection that no map shows, by reason and month; no event by itself."""
    events, rows = prepared.events, found.rows
    reason = np.array(REASONS, dtype=object)[events.lost[rows]]
    reason[(reason == "") & (prepared.at["county"][rows] < 0)] = "outside"
    reason[(reason == "") & (prepared.cell[rows] < 0)] = "no-cell"
    month = np.datetime_as_string(events.time[rows].astype("datetime64[M]"))
    table = pd.DataFrame({"reason": reason, "month": month})
    table = table[table["reason"] != ""]
    counted: pd.DataFrame = table.value_counts(["reason", "month"], sort=False).reset_index()
    return counted


def provenance(
    prepared: Prepared, found: Hotspots, said: Mapping[str, object]
) -> pd.DataFrame:
    """Key and value of everything that made the file."""
    events, chosen, how = prepared.events, found.selection, found.parameters
    county = found.tables["county"].set_index("code")["count"]
    lines: dict[str, object] = {"format": FORMAT, **said}
    lines |= {f"crs.{k}": v for k, v in (("name", prepared.areas.crs.name),)}
    for number, file in enumerate(events.files):
        lines[f"incidents.{number}.name"] = file.name
        lines[f"incidents.{number}.size"] = file.size
        lines[f"incidents.{number}.sha256"] = file.sha256
    lines |= {
        "filter.period": chosen.period.text(), "filter.category": chosen.category or "",
        "filter.source": chosen.source, "filter.without_piles": int(chosen.without_piles),
        "classes": events.classes.key,
        "parameter.cell_m": how.cell, "parameter.bandwidth_m": how.bandwidth,
        "parameter.kernel": how.kernel, "parameter.exposure": exposure_used(prepared, found),
        "parameter.test": found.significance.method, "parameter.alpha": how.alpha,
        "parameter.correction": "Benjamini-Hochberg", "parameter.seed": how.seed,
        "density.breaks": " ".join(f"{b:g}" for b in found.breaks),
        "density.years": f"{years_of(events, chosen.period):.4f}",
        "rates.per_1000": prepared.areas.per,
        "count.read": len(events), "count.repeats_dropped": events.repeats,
        "count.selected": len(found.rows), "count.mapped": found.mapped,
        "count.outside": int(county[OUTSIDE_CODE]), "count.unplaced": int(county[NO_PLACE_CODE]),
        "count.source_unknown": int((events.source[found.rows] == SOURCES.index("unknown")).sum()),
        "share.placed": f"{prepared.quality.share:.4f}",
        "closure": f"{found.closure.closed}/{found.closure.dispatched} {found.closure.shown}",
    }  # fmt: skip
    lines |= {f"left_out.{reason}": n for reason, n in found.left_out.items()}
    lines |= _sentences("doubt", [finding.text("en") for finding in prepared.quality.findings])
    lines |= _sentences("note", [note.text("en") for note in found.notes])
    lines["caption"] = "reported events, not all that happened; busy places have more people"
    values = [str(value) for value in lines.values()]
    return pd.DataFrame({"key": list(lines), "value": values})


def exposure_used(prepared: Prepared, found: Hotspots) -> str:
    """What chance followed in the test: households, residents (households estimated from them) or
    ground."""
    if found.parameters.exposure == "ground" or prepared.households is None:
        return "ground"
    if not prepared.households.any():
        return "ground"
    return "residents" if prepared.estimated else "households"


def _sentences(key: str, texts: Sequence[str]) -> dict[str, object]:
    return {f"{key}.{number}": text for number, text in enumerate(texts)}
