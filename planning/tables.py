"""A county plan as the tables of plan.gpkg: codes, names, measures, provenance."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planning.carry import told
from planning.codes import grid_codes, grid_names
from planning.county import CountyPlan, VillagePlan
from planning.planfile import PlanFile
from planning.sets import kept_whole


def to_planfile(plan: CountyPlan, arguments: Mapping[str, object] | None = None) -> PlanFile:
    """The plan's tables. ``arguments`` of the run are added to the provenance."""
    named = [codes_and_names(plan, i) for i in range(len(plan.villages))]
    codes = [own for own, _ in named]
    grids = _all_grids(plan, named)
    exceptions = _exceptions(plan, codes)
    spoken = exceptions.groupby("grid_code")["rule"].agg(lambda r: "; ".join(sorted(set(r))))
    # not map().fillna(): a plan without exceptions would fill a column of numbers with text
    said = spoken.to_dict()
    grids["exceptions"] = pd.Series([said.get(code, "") for code in grids["code"]], dtype=object)
    crs = plan.ground.crs
    return PlanFile(
        grids=gpd.GeoDataFrame(grids, geometry="geometry", crs=crs),
        households=_households(plan, codes),
        villages=_villages(plan),
        unplaced=_unplaced(plan),
        exceptions=exceptions,
        provenance=_provenance(plan, grids, arguments or {}),
        micro_grids=_micro_grids(plan, codes) if plan.settings.micro else None,
    )


def codes_and_names(plan: CountyPlan, row: int) -> tuple[list[str], list[str]]:
    """Codes and names of the grids of one village (its row), comprehensive ones first."""
    if plan.villages[row].grids:  # carried over: what people know them by stays
        known = plan.villages[row].grids
        return [grid.code for grid in known], [grid.name for grid in known]
    village, dedicated = plan.ground.villages.iloc[row], plan.villages[row].proposal.dedicated
    usual = int((dedicated < 0).sum())
    places = [str(plan.ground.dedicated["name"].iloc[d]) for d in dedicated[dedicated >= 0]]
    codes = grid_codes(str(village["code"]), usual, len(places))
    return codes, grid_names(str(village["name"]), usual, places)


def provenance(
    plan: CountyPlan, arguments: Mapping[str, object] | None = None
) -> pd.DataFrame:
    """Where a plan came from, as key and value: the table that plan.gpkg carries."""
    named = [codes_and_names(plan, i) for i in range(len(plan.villages))]
    return _provenance(plan, _all_grids(plan, named), arguments or {})


def _all_grids(plan: CountyPlan, named: list[tuple[list[str], list[str]]]) -> pd.DataFrame:
    return pd.concat(
        [_grids(plan, i, *own) for i, own in enumerate(named)], ignore_index=True
    )


def _known(persons: np.ndarray) -> pd.Series:
    """Persons as nullable whole numbers: -1 is unknown, and unknown is null."""
    return pd.Series(persons, dtype="Int64").mask(pd.Series(persons) < 0)


def _grids(plan: CountyPlan, row: int, codes: list[str], names: list[str]) -> pd.DataFrame:
    village, own = plan.ground.villages.iloc[row], plan.villages[row]
    m, dedicated = own.measures, own.proposal.dedicated
    ideal = own.proposal.ideal
    with np.errstate(invalid="ignore", divide="ignore"):
        from_ideal = np.where(ideal > 0, m.households / ideal - 1, np.nan)
    comprehensive = dedicated < 0
    return pd.DataFrame(
        {
            "code": codes,
            "name": names,
            "kind": np.where(comprehensive, "comprehensive", "dedicated"),
            "village_code": village["code"],
            "village_name": village["name"],
            "township_name": village["township_name"],
            "households": m.households,
            "persons": _known(m.persons),
            "target": plan.settings.target,
            "deviation": np.where(
                comprehensive, m.households / plan.settings.target - 1, np.nan
            ),
            "ideal": np.where(comprehensive, ideal, np.nan),
            "deviation_ideal": np.where(comprehensive, from_ideal, np.nan),
            "area_m2": m.area_m2,
            "perimeter_m": m.perimeter_m,
            "polsby_popper": m.polsby_popper,
            "reach_m": m.reach_m,
            "edge_on_line": m.edge_on_line,
            "inner_border_m": m.inner_m,
            "parts": m.parts,
            "bounds_text": own.bounds,
            "geometry": own.outlines,
        }
    )


def _exceptions(plan: CountyPlan, codes: list[list[str]]) -> pd.DataFrame:
    rows = []
    for village, (own, names) in enumerate(zip(plan.villages, codes, strict=True)):
        for e in own.exceptions:
            # what concerns a whole village is told at its first grid
            code = names[max(e.grid, 0)]
            rows.append((code, e.rule, float(e.value), float(e.limit), e.reason, village))
    table = pd.DataFrame(
        rows, columns=["grid_code", "rule", "value", "limit", "reason", "village"]
    )
    return table.drop(columns="village").astype(
        {"grid_code": object, "rule": object, "value": float, "limit": float, "reason": object}
    )


def _per_row(plan: CountyPlan, codes: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Grid code and micro-grid code of every household row."""
    n = len(plan.ground.households)
    grid, micro = np.empty(n, dtype=object), np.full(n, None, dtype=object)
    for village, (own, names) in enumerate(zip(plan.villages, codes, strict=True)):
        rows = plan.ground.rows_of(village)
        unit = own.units.unit_of_row
        grid[rows] = np.array(names, dtype=object)[own.proposal.label[unit]]
        if own.micro is not None and len(own.micro.grid):
            micro_names = np.array([*_micro_codes(own, names), None], dtype=object)
            micro[rows] = micro_names[own.micro.label[unit]]
    return grid, micro


def _households(plan: CountyPlan, codes: list[list[str]]) -> gpd.GeoDataFrame:
    held = plan.ground.households
    grid, micro = _per_row(plan, codes)
    table = pd.DataFrame(
        {
            "household_id": held["household_id"].to_numpy(),
            "households": held["households"].to_numpy(),
            "persons": _known(held["persons"].to_numpy()),
            "grid_code": grid,
            "micro_code": pd.Series(micro, dtype=object),
        }
    )
    points = shapely.points(held[["x", "y"]].to_numpy(dtype=float))
    if plan.ground.areas is not None:  # an area stands for itself by a point inside its unit
        for village, own in enumerate(plan.villages):
            middle = shapely.point_on_surface(own.units.geometry)
            points[plan.ground.rows_of(village)] = middle[own.units.unit_of_row]
    return gpd.GeoDataFrame(table, geometry=points, crs=plan.ground.crs)


def _micro_codes(own: VillagePlan, names: list[str]) -> list[str]:
    assert own.micro is not None
    return [
        f"{names[grid]}{number:02d}"
        for grid, number in zip(own.micro.grid, own.micro.number, strict=True)
    ]


def _micro_grids(plan: CountyPlan, codes: list[list[str]]) -> gpd.GeoDataFrame:
    frames = []
    for own, names in zip(plan.villages, codes, strict=True):
        if own.micro is None or not len(own.micro.grid):
            continue
        held = own.micro.label >= 0
        label, m = own.micro.label[held], len(own.micro.grid)
        persons = np.bincount(label, weights=own.units.persons[held], minlength=m)
        frames.append(
            pd.DataFrame(
                {
                    "code": _micro_codes(own, names),
                    "grid_code": [names[g] for g in own.micro.grid],
                    "households": np.bincount(
                        label, weights=own.units.households[held], minlength=m
                    ).astype(np.int64),
                    "persons": _known(persons.astype(np.int64)),
                    "geometry": own.micro.outlines,
                }
            )
        )
    if not frames:  # nothing but dedicated ground
        columns = ("code", "grid_code", "households", "persons")
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=[], crs=plan.ground.crs)
    return gpd.GeoDataFrame(
        pd.concat(frames, ignore_index=True), geometry="geometry", crs=plan.ground.crs
    )


def _class(code: str) -> str | None:
    """urban or rural by the statistical class code: 111-123 town, 210 and 220 country."""
    return {"1": "urban", "2": "rural"}.get(code[:1]) if code[:1] else None


def _villages(plan: CountyPlan) -> gpd.GeoDataFrame:
    villages = plan.ground.villages
    held = [v.measures for v in plan.villages]
    counted = np.array([m.persons.sum() if (m.persons >= 0).all() else -1 for m in held])
    table = pd.DataFrame(
        {
            "code": villages["code"],
            "name": villages["name"],
            "township_name": villages["township_name"],
            "class": villages["class_code"].map(_class).astype(object),
            "households": [int(m.households.sum()) for m in held],
            "persons": _known(counted),
            "grids": [v.proposal.k for v in plan.villages],
        }
    )
    return gpd.GeoDataFrame(table, geometry=villages.geometry.to_numpy(), crs=plan.ground.crs)


def _unplaced(plan: CountyPlan) -> gpd.GeoDataFrame:
    lost = plan.ground.unplaced
    table = pd.DataFrame(
        {
            "household_id": lost["household_id"].to_numpy(),
            "households": lost["households"].to_numpy(dtype=np.int64),
            "persons": _known(lost["persons"].to_numpy(dtype=np.int64)),
            "reason": lost["reason"].astype(object).to_numpy(),
        }
    )
    xy = lost[["x", "y"]].to_numpy(dtype=float)
    finite = np.isfinite(xy).all(axis=1)
    points = np.full(len(lost), None, dtype=object)
    points[finite] = shapely.points(xy[finite])
    return gpd.GeoDataFrame(table, geometry=points, crs=plan.ground.crs)


def _sets_kept(plan: CountyPlan, kind: str) -> tuple[int, int]:
    """Sets of a kind with people in them, and how many of them one grid holds."""
    total = kept = 0
    kinds = plan.ground.sets["kind"].to_numpy()
    for own in plan.villages:
        whole = own.units.whole.copy()
        named = whole >= 0
        whole[named] = np.where(kinds[whole[named]] == kind, whole[named], -1)
        one = kept_whole(whole, own.units.households, own.proposal.label)
        total, kept = total + len(one), kept + int(one.sum())
    return total, kept


def _provenance(
    plan: CountyPlan, grids: pd.DataFrame, arguments: Mapping[str, object]
) -> pd.DataFrame:
    """Everything that made the plan, as key and value; no household, no path."""
    ground, settings = plan.ground, plan.settings
    try:
        own_version = version("gridwright")
    except PackageNotFoundError:  # run from a checkout that was not installed
        own_version = "checkout"
    rows: list[tuple[str, object]] = [
        ("program", f"gridwright {own_version}"),
        ("python", platform.python_version()),
        *((f"library.{name}", version(name)) for name in ("shapely", "geopandas", "pymetis")),
        ("crs", f"EPSG:{ground.crs.to_epsg()} {ground.crs.name}"),
        ("households.datum", ground.datum),
        *((f"setting.{k}", v) for k, v in asdict(settings).items() if k != "grids_per_village"),
        *((f"grids_of.{code}", n) for code, n in sorted(settings.grids_per_village.items())),
        *((f"argument.{k}", v) for k, v in arguments.items()),
    ]
    for role, layer in ground.layers.items():
        rows += [
            (f"input.{role}.file", layer.file.name),
            (f"input.{role}.size", layer.file.size),
            (f"input.{role}.sha256", layer.file.sha256),
            (f"input.{role}.rows", len(layer.frame)),
            (f"input.{role}.crs", "" if layer.crs is None else layer.crs.to_string()[:200]),
        ]
        rows += [
            (f"input.{role}.dropped", f"{item.column} ({item.count})") for item in layer.dropped
        ]
    rows += [
        (f"note.{i + 1}", f"{note.text('zh')} / {note.text('en')}")
        for i, note in enumerate(ground.notes)
    ]
    placed = ground.households
    rows += [
        ("count.rows_in", len(placed) + len(ground.unplaced)),
        ("count.rows_placed", len(placed)),
        ("count.rows_unplaced", len(ground.unplaced)),
        ("count.households_placed", int(placed["households"].sum())),
        ("count.households_unplaced", int(ground.unplaced["households"].sum())),
        ("count.villages", len(plan.villages)),
        ("count.grids", len(grids)),
        ("count.units", sum(len(v.units) for v in plan.villages)),
    ]
    for kind in ("compound", "group"):
        total, kept = _sets_kept(plan, kind)
        rows += [(f"whole.{kind}.sets", total), (f"whole.{kind}.kept", kept)]
    found = [
        kept_whole(v.proposal.settlement, v.units.households, v.proposal.label)
        for v in plan.villages
    ]
    rows += [
        ("whole.settlement.found", sum(len(f) for f in found)),
        ("whole.settlement.kept", sum(int(f.sum()) for f in found)),
    ]
    rows += results(grids, lines=len(ground.lines) > 0)
    if plan.today is not None:
        upkeep = [own.upkeep for own in plan.villages if own.upkeep is not None]
        gone = plan.today.gone(plan.ground.villages)
        rows += told(plan.today, upkeep, gone, grids["code"])
    return pd.DataFrame(
        [(key, "" if value is None else str(value)) for key, value in rows],
        columns=["key", "value"],
    )


def results(grids: pd.DataFrame, *, lines: bool = True) -> list[tuple[str, object]]:
    """The headline numbers of a plan from its table of grids, as the provenance tells them.

    ``lines``: were there any to follow? Nothing is told of them where there were none.
    """
    usual = grids[grids["kind"] == "comprehensive"]
    off = usual["deviation_ideal"].abs()
    length = grids["inner_border_m"].fillna(0.0)
    inner, lined = float(length.sum()), float((grids["edge_on_line"].fillna(0.0) * length).sum())
    return [
        ("result.within_5_percent_of_ideal", f"{(off <= 0.05).mean():.4f}"),
        ("result.within_10_percent_of_ideal", f"{(off <= 0.10).mean():.4f}"),
        ("result.worst_from_ideal", f"{off.max():.4f}"),
        ("result.mean_polsby_popper", f"{usual['polsby_popper'].mean():.4f}"),
        (
            "result.inner_border_on_line",
            f"{lined / inner:.4f}" if inner and lines else "",
        ),
    ]
