"""Independent pieces of an analysis, and who does them.

An analysis says what its pieces are: a stage's name, how many there are, and a function from a
piece's number to an array. Where they are done, in which order, on how many processes, and whether
a piece was kept by a run that was stopped, is a :class:`Steps`' business: the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Steps(Protocol):
    """Does the pieces of one stage after another."""

    def __call__(self, stage: str, pieces: int, work: Callable[[int], Array]) -> list[Array]:
        """``work(0)`` to ``work(pieces - 1)``, in this order, wherever they were done.

        ``work`` depends on nothing but what the analysis was made from, and gives numbers, truth
        values or bytes: nothing that would have to be unpickled. A stage's name occurs once.
        """
        ...


def one_after_another(stage: str, pieces: int, work: Callable[[int], Array]) -> list[Array]:
    """In this process, keeping nothing: for pages, whose areas are a county's at most."""
    return [work(piece) for piece in range(pieces)]


def blocks(length: int, size: int) -> list[slice]:
    """0 to ``length`` in pieces of ``size``, the last one shorter; the same on every machine."""
    starts = range(0, max(length, 1), size)
    return [slice(start, min(start + size, length)) for start in starts]


def joined(parts: list[Array]) -> Array:
    """Arrays of consecutive blocks put together along their last axis."""
    return np.concatenate(parts, axis=-1)
