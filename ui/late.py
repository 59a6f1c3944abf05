"""What is made beside the page: started once a server, waited for only by who really needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

import geopandas as gpd

T = TypeVar("T")


class Late(Generic[T]):
    """A value that one thread makes and all visitors share.

    What went wrong while it was made is raised wherever it is asked for.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._value: T | None = None
        self._error: Exception | None = None
        self._done = threading.Event()

    def start(self) -> None:
        """Begin, unless it was begun; returns at once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="late", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._make()
        except Exception as error:  # raised to whoever asks, who can tell the visitor
            self._error = error
        finally:
            self._done.set()

    @property
    def ready(self) -> bool:
        """Whether :meth:`get` returns at once."""
        return self._done.is_set()

    def get(self) -> T:
        """The value, waited for. Raises what its making raised."""
        self.start()
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class LateLayers(Mapping[str, gpd.GeoDataFrame]):
    """Layers by role that are read when somebody looks at them."""

    def __init__(self, read: Callable[[], Mapping[str, gpd.GeoDataFrame]]) -> None:
        self._late = Late(read)

    @property
    def ready(self) -> bool:
        """Whether nobody would have to wait."""
        return self._late.ready

    def begin(self) -> None:
        """Read them now, beside whatever is done meanwhile; returns at once."""
        self._late.start()

    def __getitem__(self, role: str) -> gpd.GeoDataFrame:
        return self._late.get()[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._late.get())

    def __len__(self) -> int:
        return len(self._late.get())
