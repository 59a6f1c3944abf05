"""Where this server keeps plans, and the store there; light to import, because every page does."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from store.address import configured

if TYPE_CHECKING:
    from store.projects import Store


def is_kept() -> bool:
    """Was anything ever kept here? Until then nobody has to open the store's file."""
    place = configured(os.environ)
    return isinstance(place, str) or place.exists()


@cache
def _store_at(place: str | Path) -> Store:
    from store.projects import Store  # a second of imports that who only looks does without

    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
    return Store(place)


def the_store() -> Store:
    """This server's store, opened once: a file, or the database that the environment names."""
    return _store_at(configured(os.environ))
