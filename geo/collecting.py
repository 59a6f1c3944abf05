"""Shapes are made by the million, and Python then looks through all of them for rubbish, again and
again: half of the time of making them. They hold nothing that could form a cycle.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles of objects meanwhile; what is not part of one is freed as ever.

    Several threads may be in it at once: the search is on again when the one that found it on is
    done.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
