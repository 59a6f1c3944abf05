"""A village's plan as bytes and back, without anything that reading could run.

A tree of text tells the structure, and the kinds and sizes of the arrays of numbers and shapes that
stand behind it (NumPy's own format would tell them for each: a millisecond a village). Only the
data classes that a plan is made of are known, so bytes from elsewhere can at worst be a wrong plan,
which the checksum around them (:mod:`planning.resume`) excludes for accidents.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.segments import Edges, Segments
from geo.units import Units
from planning.carry import Upkeep
from planning.county import VillagePlan
from planning.keep import NotKept
from planning.measure import Measures
from planning.micro import MicroGrids
from planning.plan import Grid
from planning.propose import Proposal
from planning.rules import GridException

_KNOWN: dict[str, Any] = {
    known.__name__: known
    for known in (
        VillagePlan, Units, Edges, Segments, Proposal, Measures, MicroGrids, Grid, Upkeep, NotKept,
        GridException,
    )
}  # fmt: skip


_HEAD = 8
"""Bytes of the tree's length, ahead of it."""


def to_bytes(plan: VillagePlan) -> bytes:
    """The plan as bytes. Raises TypeError for a part that is of no known kind."""
    arrays: list[NDArray[Any]] = []
    told = _told(plan, arrays)
    kinds = [[array.dtype.str, *array.shape] for array in arrays]
    tree = json.dumps({"plan": told, "arrays": kinds}).encode()
    bodies = (np.ascontiguousarray(array).tobytes() for array in arrays)
    return b"".join([len(tree).to_bytes(_HEAD, "little"), tree, *bodies])


def from_bytes(held: bytes) -> VillagePlan:
    """The plan again, equal to the last bit. Raises ValueError where the bytes are none."""
    try:
        start = _HEAD + int.from_bytes(held[:_HEAD], "little")
        tree = json.loads(held[_HEAD:start])
        plan = _built(tree["plan"], _arrays(held, start, tree["arrays"]))
    except (LookupError, TypeError, OverflowError, shapely.errors.ShapelyError) as error:
        raise ValueError("no village's plan") from error
    if not isinstance(plan, VillagePlan):
        raise ValueError("no village's plan")
    return plan


def _arrays(held: bytes, start: int, kinds: list[list[Any]]) -> list[NDArray[Any]]:
    """The arrays that stand one after another from ``start`` to the end."""
    arrays = []
    for kind, *shape in kinds:
        dtype = np.dtype(kind)
        if dtype.kind not in "biuf" or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError("no array of numbers")
        stop = start + math.prod(shape) * dtype.itemsize
        if stop > len(held):
            raise ValueError("an array is cut off")
        flat = np.frombuffer(held[start:stop], dtype=dtype)
        arrays.append(flat.reshape(shape).copy())
        start = stop
    if start != len(held):
        raise ValueError("more than the arrays that were told")
    return arrays


def _told(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """A part of the tree; arrays are put aside under their number."""
    if value is None or isinstance(value, (bool, int, float, str)):
        # numpy's own floats are floats; their text is the same
        return float(value) if isinstance(value, float) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_told(item, arrays) for item in value]}
    if isinstance(value, np.ndarray):
        return _told_array(value, arrays)
    name = type(value).__name__
    if is_dataclass(value) and _KNOWN.get(name) is type(value):
        parts = {f.name: _told(getattr(value, f.name), arrays) for f in fields(value)}
        return {"class": name, "parts": parts}
    raise TypeError(f"a {name} cannot be kept")


def _told_array(value: NDArray[Any], arrays: list[NDArray[Any]]) -> dict[str, Any]:
    if value.dtype != object:
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if all(isinstance(item, str) for item in value):
        return {"words": value.tolist()}
    bodies = [b"" if body is None else body for body in shapely.to_wkb(value)]
    arrays.append(np.array([len(body) for body in bodies], dtype=np.int64))
    arrays.append(np.frombuffer(b"".join(bodies), dtype=np.uint8))
    return {"shapes": len(arrays) - 2}


def _built(told: Any, arrays: list[NDArray[Any]]) -> Any:
    """The inverse of :func:`_told`."""
    if not isinstance(told, dict):
        return told
    if "class" in told:
        parts = {name: _built(part, arrays) for name, part in told["parts"].items()}
        return _KNOWN[told["class"]](**parts)
    ((kind, content),) = told.items()
    if kind == "array":
        return arrays[content]
    if kind == "words":
        return np.array(content, dtype=object)
    if kind == "shapes":
        ends = np.cumsum(arrays[content])
        body = arrays[content + 1].tobytes()
        wkb = np.empty(len(ends), dtype=object)
        for row, (start, end) in enumerate(zip(ends - arrays[content], ends, strict=True)):
            wkb[row] = body[start:end] or None
        return shapely.from_wkb(wkb)
    items = [_built(item, arrays) for item in content]
    return tuple(items) if kind == "tuple" else items
