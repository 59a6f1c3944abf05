"""How parcels travel to other machines: arrays of shapes as binary at once.

Whoever pickles an array of shapes calls each of them for itself, which takes four times as long on
both sides. Nothing is read back here: what unpickles is Dask, from whom its certificates let in.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

_RING = 2  # a kind that the binary form does not know: it would come back as a line


class AsBinary:
    """In place of an array of shapes: travels as binary and arrives as the array, to the bit."""

    def __init__(self, shapes: NDArray[np.object_]) -> None:
        self._shapes = shapes

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is pickled."""
        return _shapes, (shapely.to_wkb(self._shapes.ravel()).tolist(), self._shapes.shape)


def _shapes(bodies: list[bytes | None], shape: tuple[int, ...]) -> NDArray[np.object_]:
    held = np.empty(len(bodies), dtype=object)
    held[:] = bodies
    return np.asarray(shapely.from_wkb(held), dtype=object).reshape(shape)


def as_binary(value: Any) -> Any:
    """The value with :class:`AsBinary` for arrays of shapes, also in the data classes it holds."""
    if type(value) is np.ndarray and value.dtype == object and _all_shapes(value):
        return AsBinary(value)
    if is_dataclass(value) and not isinstance(value, type):
        found = {f.name: as_binary(getattr(value, f.name)) for f in fields(value)}
        return replace(value, **found)
    return value


def _all_shapes(values: NDArray[np.object_]) -> bool:
    if not values.size or not shapely.is_valid_input(values).all():
        return False
    return not (shapely.get_type_id(values) == _RING).any()
