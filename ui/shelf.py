"""Things that many visitors share, by id, with room for only so many."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from ui.errors import JobGoneError

T = TypeVar("T")


def new_id() -> str:
    """An id that nobody can guess: who holds it may look."""
    return secrets.token_urlsafe(12)


class Shelf(Generic[T]):
    """Things by id; the one unused for longest leaves when there is no room, unless pinned."""

    def __init__(self, room: int) -> None:
        self._things: OrderedDict[str, T] = OrderedDict()
        self._room = room
        self._pinned: set[str] = set()
        self._lock = threading.Lock()

    def put(
        self, key: str, thing: T, *, pinned: bool = False,
        keep: Callable[[T], bool] = lambda _: False,
    ) -> None:  # fmt: skip
        """Keep ``thing`` under ``key``; a pinned thing stays until the server stops.

        Things of which ``keep`` is true do not make room now, however long unused.
        """
        with self._lock:
            self._things[key] = thing
            self._things.move_to_end(key)
            if pinned:
                self._pinned.add(key)
            loose = [
                name for name, held in self._things.items()
                if name not in self._pinned and not keep(held)
            ]  # fmt: skip
            for name in loose[: max(0, len(loose) - self._room)]:
                del self._things[name]

    def get(self, key: str) -> T:
        """The thing; raises :class:`ui.errors.JobGoneError` when it is not (any longer) here."""
        with self._lock:
            if key not in self._things:
                raise JobGoneError(key)
            self._things.move_to_end(key)
            return self._things[key]

    def drop(self, key: str) -> None:
        """Forget one; nothing happens where it is not here."""
        with self._lock:
            self._things.pop(key, None)
            self._pinned.discard(key)

    def all(self) -> list[T]:
        """Everything on the shelf, the one unused for longest first."""
        with self._lock:
            return list(self._things.values())

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._things


class Answers:
    """Answers that are made once, for whoever asks first; who asks meanwhile waits for the same.

    Of a burst of visitors one works and the others share. What went wrong is told to all who
    waited, and made again for the next.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer under ``key``, made by ``make`` if nobody did; raises what that raises."""
        with self._lock:
            held = self._held.get(key)
            mine = held is None
            if held is None:
                held = self._held[key] = Future()
            self._held.move_to_end(key)
            while len(self._held) > self._room:
                self._held.popitem(last=False)
        if mine:
            try:
                held.set_result(make())
            except BaseException as error:
                with self._lock:
                    self._held.pop(key, None)
                held.set_exception(error)
                raise
        answer: T = held.result()
        return answer

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._held.clear()
