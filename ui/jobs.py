"""Long work outside the page's script: started, watched, cancelled, its result kept here.

A page holds only a job's id, which nobody can guess. A job runs in one thread; the core's own
process pool does the heavy part, so the page stays alive meanwhile. Nothing here knows Streamlit.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Literal

from ui.errors import JobGoneError
from ui.logs import without_calls
from ui.metrics import METRICS

log = logging.getLogger("gridwright.ui")

State = Literal["waiting", "running", "done", "failed", "cancelled"]


class CancelledError(Exception):
    """The work stopped because it was asked to."""


@dataclass(frozen=True)
class Step:
    """How far a job is: ``done`` of ``total`` (0 = unknown), at ``label``, in ``stage``."""

    stage: str = ""
    done: int = 0
    total: int = 0
    label: str = ""

    @property
    def share(self) -> float:
        """0..1; 0 while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass(frozen=True)
class Snapshot:
    """A job as it stood at one moment."""

    id: str
    kind: str
    state: State
    step: Step
    seconds: float
    result: Any = None
    error: BaseException | None = None

    @property
    def over(self) -> bool:
        """Nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")


class Job:
    """What the work is given: report with :meth:`report`, ask :meth:`cancelled` now and then."""

    def __init__(self, kind: str) -> None:
        self.id = secrets.token_urlsafe(16)
        self.kind = kind
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._started = time.monotonic()
        self._now = Snapshot(self.id, kind, "waiting", Step(), 0.0)

    def report(self, step: Step) -> None:
        """Say how far the work is. Raises :class:`CancelledError` once a stop was asked for."""
        if self._stop.is_set():
            raise CancelledError
        with self._lock:
            self._now = replace(self._now, step=step)

    def cancelled(self) -> bool:
        """Was a stop asked for?"""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask the work to stop; it does at its next report."""
        self._stop.set()

    def snapshot(self) -> Snapshot:
        """The job as it stands, with the seconds since its start."""
        with self._lock:
            now = self._now
            if not now.over:
                now = replace(now, seconds=time.monotonic() - self._started)
            return now

    def settle(self, state: State, result: Any = None, error: BaseException | None = None) -> None:
        """Set the state; a finished job keeps the seconds it took."""
        with self._lock:
            seconds = time.monotonic() - self._started
            self._now = replace(self._now, state=state, result=result, error=error, seconds=seconds)
            over = self._now.over
        if over:
            METRICS.job_ended(state)


class Jobs:
    """All jobs of this server, at most ``at_once`` of them running and the rest waiting."""

    def __init__(self, *, at_once: int = 1, kept: int = 64) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.BoundedSemaphore(at_once)
        self._kept = kept

    def start(self, kind: str, work: Callable[[Job], Any]) -> str:
        """Start ``work(job)`` in a thread and return the job's id.

        Work that stops because it was asked to raises :class:`CancelledError`.
        """
        job = Job(kind)
        with self._lock:
            self._jobs[job.id] = job
            over = [key for key, old in self._jobs.items() if old.snapshot().over]
            for key in over[: max(0, len(self._jobs) - self._kept)]:
                del self._jobs[key]
        METRICS.job_started()
        here = copy_context()  # it works for whoever asked for it
        threading.Thread(
            target=here.run, args=(self._run, job, work), name=f"job-{kind}", daemon=True
        ).start()
        return job.id

    def _run(self, job: Job, work: Callable[[Job], Any]) -> None:
        while not self._turn.acquire(timeout=0.2):
            if job.cancelled():
                job.settle("cancelled")
                return
        try:
            if job.cancelled():
                job.settle("cancelled")
                return
            job.settle("running")
            job.settle("done", result=work(job))
        except CancelledError:
            job.settle("cancelled")
        except BaseException as error:
            # Whatever it was, the page must hear of it: a thread's exception reaches nobody.
            log.info("job %s failed: %s", job.kind, type(error).__name__)
            job.settle("failed", error=without_calls(error))
        finally:
            self._turn.release()

    def look(self, job_id: str) -> Snapshot:
        """The job as it stands; raises :class:`ui.errors.JobGoneError` for an unknown id."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise JobGoneError(job_id)
        return job.snapshot()

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop; an unknown or finished job is left as it is."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is not None:
            job.cancel()
