"""Where this server keeps plans, and the store there; light to import, because every page does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.projects import Store

STORE_VARIABLE = "GRIDWRIGHT_STORE"


def store_path(environment: Mapping[str, str]) -> Path:
    """Where the store is: :data:`STORE_VARIABLE`, else the user's own data folder."""
    named = environment.get(STORE_VARIABLE, "")
    if named:
        return Path(named).expanduser().resolve()
    home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "gridwright" / "plans.gridwright"


def is_kept() -> bool:
    """Was anything ever kept here? Until then nobody has to open the store."""
    return store_path(os.environ).exists()


@cache
def _store_at(path: Path) -> Store:
    from store.projects import Store  # a second of imports that who only looks does without

    path.parent.mkdir(parents=True, exist_ok=True)
    return Store(path)


def the_store() -> Store:
    """This server's store, opened once."""
    return _store_at(store_path(os.environ))
