"""What is sent to another machine arrives as it was."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import towns
from hypothesis import given
from hypothesis import strategies as st

from planning.county import _Run, plan_parcel
from planning.packing import as_binary
from planning.saved import to_bytes
from planning.settings import Settings

PICTURE = "12.|.23\n3.1|4..\n---+---\n.31|222\n2..|1.3"

number = st.floats(-1e7, 1e7)
shape = st.one_of(
    st.none(),
    st.tuples(number, number).map(shapely.Point),
    st.tuples(number, number, number).map(shapely.Point),
    st.lists(st.tuples(number, number), min_size=2, max_size=6).map(shapely.LineString),
    st.tuples(number, number).map(lambda p: shapely.box(p[0], p[1], p[0] + 1, p[1] + 2)),
    st.just(shapely.MultiPolygon()),
    st.just(shapely.LinearRing([(0, 0), (1, 0), (1, 1)])),
)


@dataclass(frozen=True)
class Held:
    """A parcel of its kind: an array of shapes beside other things."""

    shapes: np.ndarray
    words: dict[str, object]


def sent(value: object) -> Any:
    return pickle.loads(pickle.dumps(as_binary(value), 5))


@given(st.lists(shape, max_size=8))
def test_shapes_arrive_to_the_last_bit(shapes: list[shapely.Geometry | None]) -> None:
    held = np.empty(len(shapes), dtype=object)
    held[:] = shapes
    found = sent(Held(held, {"村": [1, 2]}))
    assert found.words == {"村": [1, 2]}
    assert found.shapes.dtype == object
    assert [type(own) for own in found.shapes] == [type(own) for own in shapes]
    assert [None if own is None else own.wkb for own in found.shapes] == [
        None if own is None else own.wkb for own in shapes
    ]


def test_other_arrays_arrive_too() -> None:
    words = np.array(["一", None, 3], dtype=object)
    square = np.array([[shapely.Point(i, j) for i in range(3)] for j in range(2)], dtype=object)
    assert sent(words).tolist() == words.tolist()
    assert sent(square).shape == (2, 3)
    assert shapely.equals_exact(sent(square), square).all()
    assert sent(np.arange(4.0)).tolist() == [0, 1, 2, 3]


def test_a_village_that_is_sent_is_planned_as_it_is_here() -> None:
    x, y = towns.ORIGIN
    held = towns.county([towns.village(PICTURE, times=10, persons=3, at=(x, y))])
    run = _Run(held, Settings(target=120), held.sets["name"].to_numpy())
    parcel = run.parcel(0)
    there = pickle.loads(pickle.dumps(parcel, 5))
    assert there.settings == parcel.settings
    assert len(there.lines) == len(parcel.lines)
    assert to_bytes(plan_parcel(there)) == to_bytes(plan_parcel(parcel))
