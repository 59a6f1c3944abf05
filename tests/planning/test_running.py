"""Workers of a run that is killed do not outlive it; what is sent together is done once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from planning.running import MOST_TOGETHER, Job, Lost, each

RUN = """
import os, time
from planning.running import Job, each

def work(item):
    if item < 2:
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(0.2 if item else 0)
    return item

done = each(Job(int, work), list(range(6)), workers=2)
next(done)
time.sleep(600)
"""


def test_workers_end_when_the_run_is_killed() -> None:
    """They wait for their next piece then; whoever waits for their output waits as long."""
    process = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE)
    assert process.stdout is not None
    workers = {process.stdout.readline(), process.stdout.readline()}
    assert b"" not in workers
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=30)  # ends when nobody holds the other end any more
    assert out == b""


class DiedError(Exception):
    """A worker of :class:`Machines` died."""


class Machines:
    """Workers elsewhere: threads, which die of some pieces."""

    deaths: tuple[type[Exception], ...] = (DiedError,)

    def __init__(self, width: int, deadly: frozenset[int]) -> None:
        self.width, self.deadly = width, deadly
        self.sent: list[list[int]] = []
        self._pool = ThreadPoolExecutor(2)

    def submit(self, work: Callable[[Any], Any], parcel: Any) -> Future[Any]:
        self.sent.append(parcel)

        def run() -> Any:
            if self.deadly & set(parcel):
                raise DiedError
            return work(parcel)

        return self._pool.submit(run)


def double(item: int) -> int:
    return 2 * item


@given(
    todo=st.lists(st.integers(0, 500), unique=True, max_size=60),
    width=st.integers(1, 20),
    deadly=st.frozensets(st.integers(0, 500), max_size=3),
)
def test_whatever_is_sent_together_each_is_done_once_and_the_deadly_ones_alone_are_lost(
    todo: list[int], width: int, deadly: frozenset[int]
) -> None:
    machines = Machines(width, deadly)
    done = list(each(Job(int, double), list(todo), elsewhere=machines))
    assert sorted(item for item, _ in done) == sorted(todo)
    for item, result in done:
        if item in deadly:
            assert isinstance(result, Lost)
        else:
            assert result == 2 * item
    first = machines.sent[: len(todo)]
    assert max(map(len, first), default=1) <= min(MOST_TOGETHER, max(1, len(todo) // (4 * width)))
