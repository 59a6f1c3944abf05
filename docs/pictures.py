"""Draw the pictures of docs/: ``python docs/pictures.py REAL_DIR CITY_DIR COUNTY_DIR``.

REAL_DIR holds ``cambridge_ma`` (Cambridge's public domain data), CITY_DIR a folder with a link to
it and a plan.gpkg proposed from it, COUNTY_DIR the demonstration county with its plan.gpkg. Needs
matplotlib, which only development installs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import shapely
from matplotlib.axes import Axes

from geo.coverage import dissolve
from geo.ground import Ground, Inputs, load_ground
from geo.units import Units, build_units
from planning.county import describe
from planning.graph import graph_of
from planning.partition import village_seed
from planning.settings import Settings
from planning.start import centres_of, metis_start, power_start

HERE = Path(__file__).parent / "pictures"
LINE = "#3b6fb6"
plt.rcParams["font.family"] = ["Noto Sans CJK SC", "DejaVu Sans"]


def _canvas(bounds: np.ndarray, width: float = 9.0) -> tuple[plt.Figure, Axes]:
    west, south, east, north = bounds
    figure, axes = plt.subplots(figsize=(width, width * (north - south) / (east - west) + 0.2))
    axes.set_xlim(west - 20, east + 20)
    axes.set_ylim(south - 20, north + 20)
    axes.set_aspect("equal")
    axes.axis("off")
    figure.subplots_adjust(0, 0, 1, 1)
    return figure, axes


def _save(figure: plt.Figure, name: str) -> None:
    figure.savefig(HERE / name, dpi=80)
    plt.close(figure)


def _draw(axes: Axes, shapes: np.ndarray, **style: object) -> None:
    gpd.GeoSeries(shapes).plot(ax=axes, **style)


def _base(axes: Axes, ground: Ground, village: int) -> None:
    share = ground.village(village)
    _draw(axes, share.lines, color=LINE, linewidth=0.7)
    _draw(axes, np.array([share.area.boundary]), color="black", linewidth=1.6)


def _dots(axes: Axes, ground: Ground, village: int) -> None:
    xy = ground.village(village).xy
    axes.scatter(xy[:, 0], xy[:, 1], s=1.2, color="#444444", linewidths=0)


def _labels(axes: Axes, units: Units, label: np.ndarray, ideal: float) -> None:
    outlines = dissolve(units.geometry, label)
    held = np.bincount(label, weights=units.households)
    frame = gpd.GeoDataFrame({"deviation": held / ideal - 1}, geometry=outlines)
    frame.plot(ax=axes, column="deviation", cmap="RdBu", vmin=-0.3, vmax=0.3, alpha=0.75)
    frame.boundary.plot(ax=axes, color="black", linewidth=1.6)
    for place, count in zip(frame.representative_point(), held, strict=True):
        axes.annotate(f"{count:.0f}", (place.x, place.y), ha="center", fontsize=9)


def method(real: Path) -> None:
    """The steps of docs/method.md on one neighbourhood."""
    city = real / "cambridge_ma" / "clean"
    layers = {"roads": "streets", "water": "water", "railways": "rail"}
    ground = load_ground(
        Inputs(
            f"{city}/cambridge.gpkg:neighborhoods", city / "dwelling_points.csv",
            **{role: f"{city}/cambridge.gpkg:{name}" for role, name in layers.items()},
        )
    )
    village = list(ground.villages["name"]).index("Neighborhood Nine")
    bounds = np.array(ground.villages.geometry.iloc[village].bounds)
    units = build_units(ground.village(village))
    figure, axes = _canvas(bounds)
    _draw(axes, dissolve(units.geometry, units.block), facecolor="#f3efe4", edgecolor="#999999")
    _base(axes, ground, village)
    _save(figure, "method-2-enclosures.png")
    figure, axes = _canvas(bounds)
    _draw(axes, units.geometry, facecolor="none", edgecolor="#bbbbbb", linewidth=0.4)
    _base(axes, ground, village)
    _dots(axes, ground, village)
    _save(figure, "method-3-units.png")
    settings = Settings()
    plan = describe(units, ground.lines, settings)
    graph, k = graph_of(units), plan.proposal.k
    start = metis_start(graph, k, village_seed(units.code, 0))
    power = power_start(graph, k, centres_of(graph, start, k))
    ideal = units.households.sum() / k
    for name, label in (("6-start", power), ("7-grids", plan.proposal.label)):
        figure, axes = _canvas(bounds)
        _labels(axes, units, label, ideal)
        _base(axes, ground, village)
        _dots(axes, ground, village)
        _save(figure, f"method-{name}.png")


def plan_map(path: Path, layers: list[Path | str], name: str, village: str | None = None) -> None:
    """A plan as a map: grids by deviation from the ideal, lines, village borders."""
    grids = gpd.read_file(path, layer="grids")
    villages = gpd.read_file(path, layer="villages")
    if village is not None:
        grids = grids[grids["village_name"] == village]
        villages = villages[villages["name"] == village]
    figure, axes = _canvas(villages.total_bounds, 10.0)
    grids.plot(
        ax=axes, column="deviation_ideal", cmap="RdBu", vmin=-0.3, vmax=0.3, alpha=0.75,
        missing_kwds={"color": "#cccccc"},
    )
    grids.boundary.plot(ax=axes, color="black", linewidth=0.5 if village is None else 1.6)
    box = shapely.box(*villages.total_bounds)
    for layer in layers:
        file, _, part = str(layer).partition(":")
        lines = gpd.read_file(file, layer=part or None).to_crs(grids.crs)
        lines[lines.intersects(box)].plot(ax=axes, color=LINE, linewidth=0.4, alpha=0.8)
    villages.boundary.plot(ax=axes, color="#a03020", linewidth=1.2)
    if village is not None:
        homes = gpd.read_file(path, layer="households")
        homes[homes["grid_code"].isin(grids["code"])].plot(ax=axes, color="#444444", markersize=1.5)
    if village is not None or len(grids) < 200:
        for place, count in zip(grids.representative_point(), grids["households"], strict=True):
            axes.annotate(f"{count}", (place.x, place.y), ha="center", fontsize=7)
    _save(figure, name)


def plans(city: Path, county: Path) -> None:
    """The plans that docs/results.md shows: Cambridge, the county, a village, a community."""
    layers = [county / name for name in ("water.gpkg", "railways.gpkg")]
    plan_map(county / "plan.gpkg", layers, "demo-county.png")
    layers.append(county / "roads.gpkg")
    villages = gpd.read_file(county / "plan.gpkg", layer="villages")
    for kind in ("rural", "urban"):
        of_kind = villages[villages["class"] == kind]
        from_median = (of_kind["grids"] - of_kind["grids"].median()).abs()
        middle = of_kind.loc[from_median.idxmin()]
        plan_map(county / "plan.gpkg", layers, f"demo-{kind}.png", str(middle["name"]))
    real = city / "cambridge_ma" / "clean" / "cambridge.gpkg"
    plan_map(city / "plan.gpkg", [f"{real}:streets", f"{real}:water"], "cambridge.png")


if __name__ == "__main__":
    method(Path(sys.argv[1]))
    plans(Path(sys.argv[2]), Path(sys.argv[3]))
