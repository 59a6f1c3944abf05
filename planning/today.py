"""Today's grids: polygons that a county already works with, from a plan or from any layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import list_layers, read_layer
from geo.read.source import record
from planning.graph import IntArray
from planning.micro_follow import FormerMicro, former_of
from planning.planfile import PlanFile, read_plan

register(
    {
        "grids-no-polygons": (
            "没有网格多边形;请给出现有网格的面图层,或格匠的方案文件。",
            "holds no grid polygon; give the polygons of today's grids, or a plan.",
        ),
        "grids-elsewhere": (
            "现有网格与各村均不相交;请检查坐标系,或是否给错了文件。",
            "its grids touch none of the villages; check its coordinate system, or the file.",
        ),
    }
)

RETIRED = "code.retired"  # the provenance's key for a code that no grid may have again


@dataclass(frozen=True)
class Today:
    """Today's grids of a county, in the ground's metric system.

    ``grids``: code (blank where unknown), name, kind, village_code, geometry; one row a grid.
    ``file``, ``sha256`` what they were read from; ``used`` every code ever given, also to grids
    that are gone; ``micro`` their micro-grids, None where there are none.
    """

    grids: gpd.GeoDataFrame
    file: str
    sha256: str
    used: frozenset[str] = frozenset()
    micro: FormerMicro | None = None

    def shares(self, villages: gpd.GeoDataFrame) -> list[IntArray]:
        """Rows of the grids of each village.

        A grid belongs to the village whose code it names, where it has ground there; else to
        the one that holds most of it. Raises :class:`InputError` where none touches any.
        """
        shapes = self.grids.geometry.to_numpy()
        areas = villages.geometry.to_numpy()
        grid, village = shapely.STRtree(areas).query(shapes, predicate="intersects")
        held = shapely.area(shapely.intersection(shapes[grid], areas[village]))
        if not (held > 0).any():
            raise InputError([Problem("grids-elsewhere", self.file)])
        codes = villages["code"].astype(str).to_numpy()
        named = self.grids["village_code"].to_numpy()[grid] == codes[village]
        home = np.full(len(shapes), -1, dtype=np.int64)
        order = np.lexsort((-village, held, named))
        order = order[held[order] > 0]
        home[grid[order]] = village[order]
        rows = np.flatnonzero(home >= 0)
        rows = rows[np.argsort(home[rows], kind="stable")]
        count = np.bincount(home[rows], minlength=len(villages))
        return np.split(rows, np.cumsum(count)[:-1])

    def gone(self, villages: gpd.GeoDataFrame) -> list[str]:
        """Codes of the grids that have no ground in any village."""
        here = np.concatenate(self.shares(villages))
        lost = np.setdiff1d(np.arange(len(self.grids)), here)
        return [str(code) for code in self.grids["code"].to_numpy()[lost]]


def of_plan(plan: PlanFile, crs: CRS, file: str = "", sha256: str = "") -> Today:
    """The grids of a plan that was read, or made, already."""
    retired = plan.provenance.loc[plan.provenance["key"] == RETIRED, "value"].astype(str)
    found = _today(plan.grids, crs, file, sha256, frozenset(retired))
    micro = plan.micro_grids
    if micro is None or not len(micro):
        return found
    return replace(found, micro=former_of(micro.to_crs(crs)))


def read_today(source: str | Path, crs: CRS, *, trusted: bool = True) -> Today:
    """Read a plan.gpkg, or any polygon layer (``FILE:layer``) with codes and names.

    ``trusted`` False for what somebody sent: then it is read apart from this process, as every
    upload is, and a plan gives its grids and nothing else. Raises :class:`InputError` for a file
    that cannot be read, holds no polygons, or does not say its coordinate system.
    """
    path = Path(source)
    if trusted and path.is_file() and _is_plan(path):
        found = record(path)
        return of_plan(read_plan(path), crs, found.name, found.sha256)
    if not trusted and "grids" in list_layers(path, trusted=False):
        source = f"{source}:grids"
    layer = read_layer(source, "dedicated", trusted=trusted)
    frame = layer.frame
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError([Problem("grids-no-polygons", layer.file.name)])
    if layer.crs is None:
        raise InputError([Problem("plan-crs-unknown", layer.file.name)])
    frame = frame.rename(columns={"category": "kind"})
    return _today(frame, crs, layer.file.name, layer.file.sha256, frozenset())


def _is_plan(path: Path) -> bool:
    if path.suffix.lower() != ".gpkg":
        return False
    try:
        return "grids" in pyogrio.list_layers(path)[:, 0]
    except (pyogrio.errors.DataSourceError, OSError):
        return True  # then reading it as a plan says what is wrong with it


def _today(
    frame: gpd.GeoDataFrame, crs: CRS, file: str, sha256: str, retired: frozenset[str]
) -> Today:
    frame = frame.to_crs(crs)
    shapes = _polygons(frame.geometry.to_numpy())
    solid = np.flatnonzero(shapely.area(shapes) > 0)
    if not len(solid):
        raise InputError([Problem("grids-no-polygons", file)])

    def text(name: str) -> NDArray[np.object_]:
        if name not in frame:
            return np.full(len(solid), "", dtype=object)
        values: pd.Series[str] = frame[name].iloc[solid].fillna("").astype(str).str.strip()
        return np.asarray(values, dtype=object)

    kind = text("kind")
    dedicated = np.char.find(kind.astype(str), "专属") >= 0
    table = pd.DataFrame(
        {
            "code": text("code"),
            "name": text("name"),
            "kind": np.where(dedicated | (kind == "dedicated"), "dedicated", "comprehensive"),
            "village_code": text("village_code"),
        }
    )
    # rows of one code are the parts of one grid; a grid without a code is one by itself
    own = np.where(table["code"] == "", [f"\0{i}" for i in range(len(table))], table["code"])
    first = ~pd.Series(own).duplicated().to_numpy()
    grids = table[first].reset_index(drop=True)
    row = pd.Index(own[first]).get_indexer(pd.Index(own))
    held = np.split(shapes[solid][np.argsort(row, kind="stable")], np.cumsum(np.bincount(row))[:-1])
    joined = [shapely.union_all(parts) if len(parts) > 1 else parts[0] for parts in held]
    used = frozenset(grids["code"]) - {""} | retired
    return Today(gpd.GeoDataFrame(grids, geometry=joined, crs=crs), file, sha256, used)


def _polygons(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Valid polygons of shapes as they are in files; anything else becomes empty ground."""
    valid = np.where(shapely.is_missing(shapes), shapely.Polygon(), shapes)
    broken = ~shapely.is_valid(valid)
    valid[broken] = shapely.make_valid(valid[broken])
    for row in np.flatnonzero(~np.isin(shapely.get_type_id(valid), (3, 6))):
        parts = shapely.get_parts(valid[row])
        valid[row] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), (3, 6))])
    return np.asarray(valid, dtype=object)
