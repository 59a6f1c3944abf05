"""What people decided about a county's events, for the next reading; no Streamlit here.

Three things last: the table of classes as it was edited, the piles that somebody confirmed as
real places, and which numbers of a year leaders were told, by which grids
(:mod:`incidents.told`). They are kept in one small JSON file in the program's home, by the county
(a digest of its areas' codes), so that next month's file finds them. Of a pile a digest of its
place is kept: nobody reads it there, though whoever tries each metre of the county would find it.
Of the table the rows are kept that differ from the one that comes with the program, and no words
that look like something personal; of what was told no count and no outline.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from geo.personal import masked
from incidents.areas import Areas
from incidents.categories import LISTS, CategoryTable, default_table
from incidents.events import Events
from incidents.quality import Finding
from ui.remembered import KEEPING, choices_file, read_kept, write_kept

log = logging.getLogger("gridwright.ui")

MOST = 200  # counties
_LONGEST = 100  # signs of a kind's words; longer is no kind
_TOLD = {"events", "shapes", "labels", "marks"}


def events_file(environment: Mapping[str, str]) -> Path:
    """Where decisions about events are kept, beside the choices about columns."""
    return choices_file(environment).with_name("events.json")


def county_key(areas: Areas) -> str:
    """The same for every reading of a county, with a plan and without."""
    name = next(n for n in ("village", "beat", "grid", "county") if n in areas.levels)
    codes = areas.levels[name].codes  # type: ignore[index]
    return _digest([name, *sorted(map(str, codes))])


def pile_key(events: Events, finding: Finding) -> str:
    """A digest of where a pile lies, to the metre."""
    row = int(finding.rows[0])
    return _digest([f"{events.x[row]:.0f}", f"{events.y[row]:.0f}"])


def kept_table(file: Path, county: str) -> CategoryTable | None:
    """The table of classes as it was last used in this county, or None."""
    held = _county(read_kept(file), county).get("table")
    if not isinstance(held, dict) or held.get("list") not in LISTS:
        return None
    table = default_table(LISTS[held["list"]])
    rows = held.get("rows")
    for words, row in (rows if isinstance(rows, dict) else {}).items():
        if isinstance(row, list) and len(row) == 2 and row[0] in ("", *table.classes.keys):
            table = table.changed(str(words), row[0], sensitive=bool(row[1]))
    return table


def keep_table(file: Path, county: str, table: CategoryTable) -> None:
    """Keep the rows in which a table differs from the one that comes with its list."""
    base = default_table(table.classes).rows
    rows = {
        words: [key, sensitive]
        for words, (key, sensitive) in table.rows.items()
        if base.get(words) != (key, sensitive) and _is_kind(words)
    }
    _put(file, county, "table", {"list": table.classes.key, "rows": rows})


def kept_piles(file: Path, county: str) -> frozenset[str]:
    """Digests of the piles that were confirmed in this county."""
    held = _county(read_kept(file), county).get("piles")
    return frozenset(map(str, held)) if isinstance(held, list) else frozenset()


def keep_piles(file: Path, county: str, piles: Iterable[str]) -> None:
    """Keep which piles are real places."""
    _put(file, county, "piles", sorted(piles))


def kept_told(file: Path, county: str) -> dict[str, Any]:
    """Year -> what was noted of its being told (:data:`incidents.told.Note`)."""
    held = _county(read_kept(file), county).get("told")
    return {
        str(year): note for year, note in (held if isinstance(held, dict) else {}).items()
        if isinstance(note, dict) and note.keys() == _TOLD
    }  # fmt: skip


def keep_told(file: Path, county: str, notes: Mapping[str, Any]) -> None:
    """Keep what was told of years."""
    if kept_told(file, county) != notes:
        _put(file, county, "told", dict(notes))


def _put(file: Path, county: str, name: str, value: object) -> None:
    """One decision more, the newest county last. A folder that cannot be written costs the memory,
    not the work."""
    with KEEPING:
        held = read_kept(file)
        mine = {**_county(held, county), name: value}
        held.pop(county, None)
        held[county] = mine
        try:
            write_kept(file, dict(list(held.items())[-MOST:]))
        except OSError as error:
            log.warning("decisions about events were not kept: %s", type(error).__name__)


def _county(held: Mapping[str, Any], county: str) -> dict[str, Any]:
    found = held.get(county)
    return found if isinstance(found, dict) else {}


def _is_kind(words: str) -> bool:
    plain = " ".join(words.split())
    return 0 < len(plain) <= _LONGEST and masked(plain, _LONGEST) == plain


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
