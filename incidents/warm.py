"""Compile disclosure control once, at set-up, so that no leader waits for it:
``python -m incidents.warm``. numba keeps what it compiled beside the source.
"""

from __future__ import annotations

import numpy as np

from incidents.cube import ALL, Axis, Cube
from incidents.disclosure import protect


def warm() -> None:
    """Protect a table of four areas and its total, as every other is protected."""
    area = Axis("area", 4, {"area": np.arange(4)}, {"area": list("abcd")})
    time = Axis("time", 1, {"month": np.arange(1)}, {"month": ["1"]})
    counts = np.array([[1], [5], [6], [7]], dtype=np.int64)
    protect(Cube((area, time), counts), [("area", ALL), (ALL, ALL)])


if __name__ == "__main__":
    warm()
