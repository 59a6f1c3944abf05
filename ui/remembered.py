"""What was decided about a layer, for the next file with the same columns; no Streamlit here.

One small JSON file in the program's home holds, for a set of column names, the role, the columns
chosen and the datum. It holds no value of any file: the names are kept as a digest, and of those
that were chosen a name that looks like a value (a number, something personal) is not kept at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo.columns import MEANINGS, ROLES, normal_name
from geo.inspect import Choice
from geo.personal import is_personal_name, masked

log = logging.getLogger("gridwright.ui")

HOME_VARIABLE = "GRIDWRIGHT_HOME"
MOST = 500
KEEPING = threading.Lock()
_DATUMS = ("auto", "wgs84", "gcj02", "bd09")


@dataclass(frozen=True)
class Recalled:
    """What was decided before; ``used`` whether somebody took the layer or left it aside; None:
    the program chose among what was there, which says nothing about the next file."""

    choice: Choice
    used: bool | None


def choices_file(environment: Mapping[str, str]) -> Path:
    """Where choices are kept: ``GRIDWRIGHT_HOME``, or the user's data folder."""
    home = environment.get(HOME_VARIABLE)
    folder = Path(home) if home else Path.home() / ".local" / "share" / "gridwright"
    return folder.expanduser() / "choices.json"


def digest_of(names: Sequence[str]) -> str:
    """One text for a set of column names, whatever their order."""
    return hashlib.sha256("\x1f".join(sorted(set(names))).encode()).hexdigest()[:32]


def recall(path: Path, names: Sequence[str]) -> Recalled | None:
    """What was decided about a layer with these columns, or None."""
    found = read_kept(path).get(digest_of(names)) if names else None
    if not isinstance(found, dict) or found.get("role") not in ROLES:
        return None
    columns = found.get("columns")
    columns = columns if isinstance(columns, dict) else {}
    kept = {
        str(meaning): str(column)
        for meaning, column in columns.items()
        if meaning in MEANINGS[found["role"]] and (column == "" or column in names)
    }
    datum = found.get("datum")
    choice = Choice(found["role"], kept, datum if datum in _DATUMS else "auto")
    used = found.get("used", True)
    return Recalled(choice, used if used is None else bool(used))


def keep(path: Path, names: Sequence[str], choice: Choice, *, used: bool | None) -> None:
    """Keep a decision, the newest last, at most :data:`MOST`; written whole or not at all.

    A folder that cannot be written costs the memory, not the work: it is logged.
    """
    if not names:
        return
    columns = {m: c for m, c in choice.columns.items() if _is_name(c)}
    entry = {"role": choice.role, "columns": columns, "datum": choice.datum, "used": used}
    with KEEPING:
        held = read_kept(path)
        held.pop(digest_of(names), None)
        held[digest_of(names)] = entry
        newest = dict(list(held.items())[-MOST:])
        try:
            write_kept(path, newest)
        except OSError as error:
            log.warning("choices were not kept: %s", type(error).__name__)


def _is_name(column: str) -> bool:
    """Whether a column's name may be written down: a table without a header has values there."""
    if not column:
        return True
    plain = normal_name(column)
    if is_personal_name(column) or masked(column, 200) != " ".join(column.split()):
        return False
    return not plain.isdecimal() and len(column) <= 200


def read_kept(path: Path) -> dict[str, Any]:
    """What such a file holds; nothing where it is missing or spoilt."""
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def write_kept(path: Path, held: Mapping[str, Any]) -> None:
    """Write it whole or not at all, for this user only. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(prefix=".choices-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(held, stream, ensure_ascii=False, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
