"""A county plan as the tables of plan.gpkg: codes, names, measures, provenance."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.collecting import uncollected
from planning.carry import told
from planning.codes import grid_codes, grid_names
from planning.county import CountyPlan, VillagePlan
from planning.graph import IntArray
from planning.planfile import PlanFile
from planning.sets import kept_whole


@uncollected()
def to_planfile(plan: CountyPlan, arguments: Mapping[str, object] | None = None) -> PlanFile:
    """The plan's tables. ``arguments`` of the run are added to the provenance."""
    named = _named(plan)
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
    code, name = (str(plan.ground.villages[column].iat[row]) for column in ("code", "name"))
    return _codes_and_names(plan, row, code, name)


def _named(plan: CountyPlan) -> list[tuple[list[str], list[str]]]:
    """Codes and names of the grids of every village."""
    codes, names = (plan.ground.villages[column].astype(str) for column in ("code", "name"))
    told = enumerate(zip(codes, names, strict=True))
    return [_codes_and_names(plan, row, code, name) for row, (code, name) in told]


def _codes_and_names(
    plan: CountyPlan, row: int, code: str, name: str
) -> tuple[list[str], list[str]]:
    if plan.villages[row].grids:  # carried over: what people know them by stays
        known = plan.villages[row].grids
        return [grid.code for grid in known], [grid.name for grid in known]
    dedicated = plan.villages[row].proposal.dedicated
    usual = int((dedicated < 0).sum())
    apart = dedicated[dedicated >= 0]
    places = [str(plan.ground.dedicated["name"].iat[d]) for d in apart] if len(apart) else []
    return grid_codes(code, usual, len(places)), grid_names(name, usual, places)


def provenance(
    plan: CountyPlan, arguments: Mapping[str, object] | None = None
) -> pd.DataFrame:
    """Where a plan came from, as key and value: the table that plan.gpkg carries."""
    return _provenance(plan, _all_grids(plan, _named(plan)), arguments or {})


def _known(persons: np.ndarray) -> pd.Series:
    """Persons as nullable whole numbers: -1 is unknown, and unknown is null."""
    return pd.Series(persons, dtype="Int64").mask(pd.Series(persons) < 0)


def _joined(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    """The villages' arrays one after another."""
    return np.concatenate(list(parts))


def _all_grids(plan: CountyPlan, named: list[tuple[list[str], list[str]]]) -> pd.DataFrame:
    """The grids of all villages in their order. Made of whole columns: a table a village, and
    then one of them, takes longer than anything else of a city's plan."""
    own = plan.villages
    village = np.repeat(np.arange(len(own)), [len(codes) for codes, _ in named])

    def of_village(column: str) -> NDArray[np.object_]:
        texts: NDArray[np.object_] = plan.ground.villages[column].to_numpy(dtype=object)
        return texts[village]

    def measured(name: str) -> NDArray[Any]:
        return _joined(getattr(v.measures, name) for v in own)

    households, ideal = measured("households"), _joined(v.proposal.ideal for v in own)
    usual = _joined(v.proposal.dedicated for v in own) < 0
    with np.errstate(invalid="ignore", divide="ignore"):
        from_ideal = np.where(ideal > 0, households / ideal - 1, np.nan)
    return pd.DataFrame(
        {
            "code": [code for codes, _ in named for code in codes],
            "name": [name for _, names in named for name in names],
            "kind": np.where(usual, "comprehensive", "dedicated"),
            "village_code": of_village("code"),
            "village_name": of_village("name"),
            "township_name": of_village("township_name"),
            "households": households,
            "persons": _known(measured("persons")),
            "target": plan.settings.target,
            "deviation": np.where(usual, households / plan.settings.target - 1, np.nan),
            "ideal": np.where(usual, ideal, np.nan),
            "deviation_ideal": np.where(usual, from_ideal, np.nan),
            "area_m2": measured("area_m2"),
            "perimeter_m": measured("perimeter_m"),
            "polsby_popper": measured("polsby_popper"),
            "reach_m": measured("reach_m"),
            "edge_on_line": measured("edge_on_line"),
            "inner_border_m": measured("inner_m"),
            "parts": measured("parts"),
            "bounds_text": [bounds for v in own for bounds in v.bounds],
            "geometry": _joined(v.outlines for v in own),
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
    own = [(v, v.micro, names) for v, names in zip(plan.villages, codes, strict=True)
           if v.micro is not None and len(v.micro.grid)]  # fmt: skip
    if not own:  # nothing but dedicated ground
        columns = ("code", "grid_code", "households", "persons")
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=[], crs=plan.ground.crs)

    def counted(weights: str) -> NDArray[np.int64]:
        sums = []
        for v, micro, _ in own:
            held = micro.label >= 0
            of_unit = getattr(v.units, weights)[held]
            found = np.bincount(micro.label[held], weights=of_unit, minlength=len(micro.grid))
            sums.append(found.astype(np.int64))
        return _joined(sums)

    table = pd.DataFrame(
        {
            "code": [code for v, _, names in own for code in _micro_codes(v, names)],
            "grid_code": [names[grid] for _, micro, names in own for grid in micro.grid],
            "households": counted("households"),
            "persons": _known(counted("persons")),
            "geometry": _joined(micro.outlines for _, micro, _ in own),
        }
    )
    return gpd.GeoDataFrame(table, geometry="geometry", crs=plan.ground.crs)


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
    # one more, of no kind, for the units that belong to no set, whose number is -1
    of_kind = np.append((plan.ground.sets["kind"] == kind).to_numpy(dtype=bool), False)
    numbers = [v.units.whole for v in plan.villages]
    return _kept(plan, [np.where(of_kind[number], number, -1) for number in numbers])


def _kept(plan: CountyPlan, numbers: Sequence[IntArray]) -> tuple[int, int]:
    """Sets with people in them, by the numbers that the units of each village have in it (-1 of
    none), and how many of them one grid holds."""
    own, number = plan.villages, _joined(numbers)
    village = np.repeat(np.arange(len(own)), [len(of_units) for of_units in numbers])
    apart = village * (number.max(initial=0) + 1) + number  # a set in two villages counts in both
    found = kept_whole(
        np.where(number >= 0, apart, -1),
        _joined(v.units.households for v in own),
        _joined(v.proposal.label for v in own),
    )
    return len(found), int(found.sum())


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
    total, kept = _kept(plan, [v.proposal.settlement for v in plan.villages])
    rows += [("whole.settlement.found", total), ("whole.settlement.kept", kept)]
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
