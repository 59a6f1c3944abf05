"""Maps that were sent, and whether a browser has drawn them; no Streamlit here.

A browser draws what it has all at once. Where something else is to come after the map, the thread
that makes the page waits until the browser says that the map stands there (``board/board.js``,
heard by :mod:`ui.web.drawn`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ui.shelf import new_id


@dataclass(frozen=True)
class Sign:
    """What a browser is asked to say once it has drawn a map: ``name``, which nobody guesses."""

    name: str = field(default_factory=new_id)
    _heard: threading.Event = field(default_factory=threading.Event, repr=False)

    def hear(self) -> None:
        """The browser has said so."""
        self._heard.set()

    def wait(self, most: float) -> bool:
        """Return as soon as the map is drawn, at the latest after ``most`` seconds: was it?

        A browser that shows another window draws nothing and says nothing.
        """
        return self._heard.wait(most)


class Signs:
    """The signs that somebody waits for at this moment; every method may be called anywhere."""

    def __init__(self) -> None:
        self._awaited: dict[str, Sign] = {}

    @contextmanager
    def awaited(self) -> Iterator[Sign]:
        """A new sign, known for as long as the block runs."""
        sign = Sign()
        self._awaited[sign.name] = sign
        try:
            yield sign
        finally:
            del self._awaited[sign.name]

    def hear(self, name: str) -> bool:
        """A browser says that it has drawn the map of that name: was anybody waiting for it?"""
        sign = self._awaited.get(name)
        if sign is not None:
            sign.hear()
        return sign is not None


SIGNS = Signs()
"""Those of this server."""
