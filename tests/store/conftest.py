"""A county small enough to be proposed in a moment, and stores of both kinds to hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely
import towns
from postgres_server import new_place, place, server

from planning.county import CountyPlan, propose_county
from planning.settings import Settings
from store.projects import Store

__all__ = ["new_place", "place", "server"]

CODES = ("320116001201", "320116001202")


@pytest.fixture(scope="session")
def county() -> CountyPlan:
    """Two villages with roads, a river's name and one dedicated place."""
    x, y = towns.ORIGIN
    first = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code=CODES[0])
    second = towns.village(
        "1.2.3   1\n.4.5.    ", times=20, persons=3, code=CODES[1], at=(x + 3000, y)
    )
    ground = towns.county(
        [first, second],
        road_names=["人民路", "通扬河"],
        dedicated=[("实验小学", shapely.box(x + 3060, y + 5, x + 3140, y + 45))],
    )
    return propose_county(ground, Settings(target=60))


@pytest.fixture
def store(place: str | Path) -> Iterator[Store]:
    """An empty store, of either kind."""
    with Store(place) as opened:
        yield opened
