"""Where on earth the store's shapes are, told to the databases and to programs that open them.

A project's system stands in its row. On a server every shape carries its EPSG number. An SQLite
file has room for one system a column: the one that all projects share, else none is told.
"""

from __future__ import annotations

from typing import Any

import shapely
from pyproj import CRS
from sqlalchemy import Connection, select, update

from store.schema import PROJECT, VILLAGE
from store.schema_accounts import COLUMNS, SYSTEMS
from store.values import srid_of


def located(shape: Any, srid: int) -> Any:
    """A shape (or an array of them) that carries the number of its system."""
    return shapely.set_srid(shape, srid)


def srid_of_village(c: Connection, village_id: int) -> int:
    """The EPSG number of a village's project, 0 where its system has none."""
    crs = c.execute(
        select(PROJECT.c.crs)
        .join(VILLAGE, VILLAGE.c.project_id == PROJECT.c.id)
        .where(VILLAGE.c.id == village_id)
    ).scalar_one()
    return srid_of(str(crs))


def announce_system(c: Connection) -> None:
    """Tell an SQLite file's readers the system of its shapes; nothing to do on a server."""
    if c.dialect.name != "sqlite":
        return
    held = {srid_of(str(crs)) for crs in c.execute(select(PROJECT.c.crs)).scalars()}
    srid = held.pop() if len(held) == 1 else 0
    if srid and c.execute(select(SYSTEMS.c.srid).where(SYSTEMS.c.srid == srid)).first() is None:
        text = CRS.from_epsg(srid).to_wkt("WKT1_GDAL")
        row = {"srid": srid, "auth_name": "EPSG", "auth_srid": srid, "srtext": text}
        c.execute(SYSTEMS.insert(), row)
    c.execute(update(COLUMNS).values(srid=srid or None))
