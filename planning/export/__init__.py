"""A plan in the forms other programs and people take, and what those forms have in common.

Each writer takes a plan's tables (:mod:`planning.planfile`) and a path, writes beside the path
and renames, so that a reader meets the old file or the new one and never half a file. Texts that
came from a file stay texts: a name that begins with ``=`` is no formula in Excel.

Every export says that it is internal and that grid borders are no administrative boundaries, and
in which coordinate system it is.
"""

from planning.export.columns import (
    GRID_COLUMNS,
    LEVELS,
    MICRO_COLUMNS,
    NOTICE_EN,
    NOTICE_ZH,
    VILLAGE_COLUMNS,
    Column,
    Language,
    Level,
    Plan,
    in_language,
    in_words,
    plain,
    present,
    rule_names,
    table_of,
)
from planning.export.forms import (
    harmless,
    with_notice,
    write_csv,
    write_geojson,
    write_geopackage,
    write_geoparquet,
    write_kml,
)
from planning.export.safely import atomically
from planning.export.shapefile import clipped, fits_gbk, write_shapefile
from planning.export.systems import SYSTEMS, System, in_system, system_crs

__all__ = [
    "GRID_COLUMNS",
    "LEVELS",
    "MICRO_COLUMNS",
    "NOTICE_EN",
    "NOTICE_ZH",
    "SYSTEMS",
    "VILLAGE_COLUMNS",
    "Column",
    "Language",
    "Level",
    "Plan",
    "System",
    "atomically",
    "clipped",
    "fits_gbk",
    "harmless",
    "in_language",
    "in_system",
    "in_words",
    "plain",
    "present",
    "rule_names",
    "system_crs",
    "table_of",
    "with_notice",
    "write_csv",
    "write_geojson",
    "write_geopackage",
    "write_geoparquet",
    "write_kml",
    "write_shapefile",
]
