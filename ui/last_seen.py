"""Whom the store last knew behind each token, for the minutes in which it does not answer; pure.

People who work keep their page, and what they do stays in memory until the store is back. Nothing
is written on the strength of it: what a write asks is the store alone (:mod:`ui.storage`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from store.policy import Person

SECONDS = 600
"""How long somebody is taken for who they were."""

ROOM = 5_000  # tokens


class LastSeen:
    """Token -> whom it was, and when. Kept by its hash, so that memory gives no sign-in away."""

    def __init__(
        self, seconds: float = SECONDS, room: int = ROOM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._seconds, self._room, self._clock = seconds, room, clock
        self._held: OrderedDict[bytes, tuple[float, Person]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, token: str, who: Person | None) -> None:
        """The store answered just now; ``None``: the token is nobody's (any more)."""
        key = _key(token)
        with self._lock:
            self._held.pop(key, None)
            if who is not None:
                self._held[key] = (self._clock(), who)
            while len(self._held) > self._room:
                self._held.popitem(last=False)

    def find(self, token: str) -> Person | None:
        """Whom it was a moment ago, or None."""
        with self._lock:
            at, who = self._held.get(_key(token), (0.0, None))
            return who if who is not None and self._clock() - at <= self._seconds else None

    def clear(self) -> None:
        """Forget everybody: an account, a role or a password was changed."""
        with self._lock:
            self._held.clear()


def _key(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
