"""Running independent pieces of work: here, on forked workers, on threads, or on other machines.

One piece is a *parcel* (all that the work needs, and nothing else) and a function of it, the same
wherever it runs; so where it ran cannot be told from the result. A worker that dies loses nothing:
what it had under way is done again, each piece alone, and only a piece that kills its worker once
more is given up.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from typing import Any, Generic, Protocol, TypeVar

Result = TypeVar("Result")
Bundle = tuple[int, ...]
Submit = Callable[[Bundle], "Future[list[Result]]"]

MOST_TOGETHER = 4  # pieces sent to another machine at once: each sending costs as much as a tenth


class Cancelled(Exception):  # noqa: N818 (not an error: somebody asked for it)
    """The run was stopped on request; nothing was written."""


@dataclass(frozen=True)
class Lost:
    """In place of a result: the work killed its worker, also when it ran alone."""


@dataclass(frozen=True)
class Job(Generic[Result]):
    """``work`` is a function at the top of a module; ``parcel`` makes what it is called with."""

    parcel: Callable[[int], Any]
    work: Callable[[Any], Result]

    def here(self, item: int) -> Result:
        """Do one piece in this process."""
        return self.work(self.parcel(item))

    def all_here(self, bundle: Bundle) -> list[Result]:
        """Do some pieces in this process."""
        return [self.here(item) for item in bundle]


def one_by_one(work: Callable[[Any], Result], parcels: list[Any]) -> list[Result]:
    """Do pieces that were sent together; at the top of a module, so that it can be sent."""
    return [work(parcel) for parcel in parcels]


class Elsewhere(Protocol):
    """Workers that outlive the run (a cluster): how to submit to them, and how they die."""

    @property
    def width(self) -> int:
        """Pieces to have under way at once."""
        ...

    @property
    def deaths(self) -> tuple[type[Exception], ...]:
        """What a future raises when the piece's worker died."""
        ...

    def submit(self, work: Callable[[Any], Result], parcel: object) -> Future[Result]:
        """Send work and what it is called with."""
        ...


# The run's job, for workers forked from this process: they share its memory and are sent a
# number. Only a process without threads forks, so no second run can meet it here.
_shared: Job[Any] | None = None


def _end_with_parent() -> None:
    """In a worker: end when the process that forked it does, also where that was killed.

    Without, a worker waits for its next piece for ever, and holds the memory of the run.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_it() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait_for_it, daemon=True).start()


def _shared_pieces(bundle: Bundle) -> list[Any]:
    assert _shared is not None
    return _shared.all_here(bundle)


def each(
    job: Job[Result],
    todo: list[int],
    *,
    workers: int = 1,
    elsewhere: Elsewhere | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Result | Lost]]:
    """Numbers and results as they finish; the results are the same wherever they were made.

    Raises :class:`Cancelled` soon after ``stop()`` turns true, and whatever the work raises.
    """
    if elsewhere is None and (workers <= 1 or len(todo) < 4):
        for item in todo:
            if stop():
                raise Cancelled
            yield item, job.here(item)
        return
    crew: Callable[[int], AbstractContextManager[Submit[Result]]]
    if elsewhere is not None:
        deaths = elsewhere.deaths
        crew = _sent_to(job, elsewhere)
    else:
        deaths = (BrokenProcessPool,)

        def crew(size: int) -> AbstractContextManager[Submit[Result]]:
            return _local(job, min(size, workers))

    def width() -> int:
        return 2 * workers if elsewhere is None else elsewhere.width

    size = 1
    if elsewhere is not None:  # a quarter of what each has to do, at most
        size = min(MOST_TOGETHER, max(1, len(todo) // (4 * elsewhere.width)))
    queue = [tuple(todo[i : i + size]) for i in range(0, len(todo), size)]
    suspects: list[int] = []
    while queue:
        with crew(workers) as submit:
            suspects += yield from _until_broken(submit, queue, width, deaths, stop)
    for item in suspects:
        with crew(1) as submit:
            again = yield from _until_broken(submit, [(item,)], lambda: 1, deaths, stop)
        if again:
            yield item, Lost()


def _until_broken(
    submit: Submit[Result],
    queue: list[Bundle],
    width: Callable[[], int],
    deaths: tuple[type[Exception], ...],
    stop: Callable[[], bool],
) -> Generator[tuple[int, Result | Lost], None, list[int]]:
    """Work through ``queue`` (emptied from its head) until it is empty or the workers are gone.

    Returns the pieces that were under way where a worker died: one of them may have killed it.
    """
    waiting: dict[Future[list[Result]], Bundle] = {}
    suspects: list[int] = []
    broken = False
    queue.reverse()
    while (queue and not broken) or waiting:
        while queue and not broken and len(waiting) < width():
            bundle = queue.pop()
            try:
                waiting[submit(bundle)] = bundle
            except BrokenProcessPool:
                queue.append(bundle)
                broken = True
        done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
        if stop():
            for future in waiting:
                future.cancel()
            raise Cancelled
        for future in done:
            bundle = waiting.pop(future)
            try:
                results = future.result()
            except deaths as death:
                suspects += bundle
                broken = broken or isinstance(death, BrokenProcessPool)
            else:
                yield from zip(bundle, results, strict=True)
    queue.reverse()
    return suspects


def _sent_to(
    job: Job[Result], elsewhere: Elsewhere
) -> Callable[[int], AbstractContextManager[Submit[Result]]]:
    @contextmanager
    def crew(_: int) -> Iterator[Submit[Result]]:
        work = partial(one_by_one, job.work)
        yield lambda bundle: elsewhere.submit(work, [job.parcel(item) for item in bundle])

    return crew


@contextmanager
def _local(job: Job[Result], workers: int) -> Iterator[Submit[Result]]:
    """A way to submit pieces: to forked processes where nothing else runs in this one, else to
    threads.

    A process with other threads (a web server) must not fork, and one started afresh would import
    its main program again. Threads serve nearly as well: geometry and search release the lock.
    """
    global _shared
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    pool: Executor
    if alone:
        _shared = job
        context = multiprocessing.get_context("fork")
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)
    else:
        pool = ThreadPoolExecutor(workers)

    def submit(bundle: Bundle) -> Future[list[Result]]:
        if alone:
            return pool.submit(_shared_pieces, bundle)
        return pool.submit(job.all_here, bundle)

    try:
        yield submit
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if alone:
            _shared = None
