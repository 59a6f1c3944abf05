"""Figures of a running server in Prometheus' text format; no Streamlit, nothing of a person in it.

Names, units and the order of lines follow the text exposition format 0.0.4. Labels come from fixed
sets alone (a state, a kind of work): no name of a village, a file or an account can become one.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the classes of a rerun's duration, in seconds."""

_KINDS = {"counter": "counter", "gauge": "gauge", "seconds": "histogram"}
_FAMILIES = {
    "gridwright_sessions": ("gauge", "Browser sessions that are connected."),
    "gridwright_reruns_total": ("counter", "Runs of a page or of a part of one."),
    "gridwright_rerun_seconds": ("seconds", "How long such runs took."),
    "gridwright_jobs_running": ("gauge", "Long work that runs or waits for its turn."),
    "gridwright_jobs_total": ("counter", "Long work that ended, by how."),
    "gridwright_edits_saved_total": ("counter", "Steps of plans that the store acknowledged."),
    "gridwright_sign_ins_failed_total": ("counter", "Sign-ins that were refused."),
    "gridwright_errors_total": ("counter", "Unforeseen errors; each has its number in the log."),
    "process_resident_memory_bytes": ("gauge", "Memory that the process holds."),
    "process_open_fds": ("gauge", "Files and connections that the process holds open."),
    "process_cpu_seconds_total": ("counter", "Processor time that the process used."),
    "process_start_time_seconds": ("gauge", "When the process started, seconds since 1970."),
}
_ENDS = ("done", "failed", "cancelled")


class Metrics:
    """Counters and gauges of one process; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, float] = {}
        self._classes = [0] * (len(SECONDS) + 1)
        self._sum = 0.0
        self._jobs = 0
        self._running = 0
        self._gauges: dict[str, Callable[[], float]] = {}
        self._within = threading.local()
        self._started = time.time()
        self._asked = time.monotonic()
        for name, (kind, _) in _FAMILIES.items():
            if kind == "counter" and name.startswith("gridwright_jobs"):
                self._counts |= {f'{name}{{state="{end}"}}': 0.0 for end in _ENDS}
            elif kind == "counter" and name.startswith("gridwright_"):
                self._counts[name] = 0.0

    def count(self, name: str) -> None:
        """One more of ``name``; KeyError for a name that is no counter here."""
        with self._lock:
            self._counts[name] += 1

    def job_started(self) -> None:
        """Long work was asked for; it runs, or waits for its turn."""
        with self._lock:
            self._jobs += 1

    def job_ended(self, state: str) -> None:
        """Long work ended: ``done``, ``failed`` or ``cancelled``; KeyError for anything else."""
        self.count(f'gridwright_jobs_total{{state="{state}"}}')
        with self._lock:
            self._jobs -= 1

    def watch(self, name: str, read: Callable[[], float]) -> None:
        """Ask ``read`` for a gauge's value whenever figures are asked for; the last one holds."""
        if _FAMILIES[name][0] != "gauge":
            raise ValueError(f"{name} is no gauge")
        with self._lock:
            self._gauges[name] = read

    @contextmanager
    def rerun(self) -> Iterator[None]:
        """Around a run of a page or a part: counts it and its seconds, the outermost alone."""
        if getattr(self._within, "deep", False):
            yield
            return
        self._within.deep = True
        with self._lock:
            self._running += 1
        start = time.perf_counter()
        try:
            yield
        finally:
            self._within.deep = False
            self.asked()
            with self._lock:
                self._running -= 1
            self.observe(time.perf_counter() - start)

    def asked(self) -> None:
        """Note that somebody asks for something at this moment."""
        self._asked = time.monotonic()

    @property
    def quiet(self) -> float:
        """Seconds since anybody asked for anything or a run ended; 0 while one runs."""
        return 0.0 if self._running else time.monotonic() - self._asked

    @property
    def running(self) -> int:
        """How many runs there are at this moment."""
        return self._running

    def observe(self, seconds: float) -> None:
        """Note a run of that duration."""
        with self._lock:
            self._counts["gridwright_reruns_total"] += 1
            self._classes[bisect_left(SECONDS, seconds)] += 1
            self._sum += seconds

    def render(self) -> str:
        """All figures. A gauge whose value cannot be read is left out, as the format has it."""
        with self._lock:
            counts, classes, total = dict(self._counts), list(self._classes), self._sum
            gauges, jobs = dict(self._gauges), self._jobs
        values = {**counts, "gridwright_jobs_running": jobs, **_of_process(self._started)}
        for name, read in gauges.items():
            try:
                values[name] = read()
            except (RuntimeError, OSError, AttributeError):
                continue  # the server is starting or ending: there is no such figure now
        lines = []
        for name, (kind, told) in _FAMILIES.items():
            samples = (
                _histogram(name, classes, total)
                if kind == "seconds"
                else [f"{key} {_number(values[key])}" for key in values
                      if key.partition("{")[0] == name]
            )  # fmt: skip
            if samples:
                lines += [f"# HELP {name} {told}", f"# TYPE {name} {_KINDS[kind]}", *samples]
        return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _histogram(name: str, classes: list[int], total: float) -> list[str]:
    lines, so_far = [], 0
    for end, count in zip([*map(_number, SECONDS), "+Inf"], classes, strict=True):
        so_far += count
        lines.append(f'{name}_bucket{{le="{end}"}} {so_far}')
    return [*lines, f"{name}_sum {_number(total)}", f"{name}_count {so_far}"]


def _of_process(started: float) -> dict[str, float]:
    """What the system tells of this process; memory and files where it has ``/proc`` (Linux)."""
    used = os.times()
    found = {
        "process_cpu_seconds_total": used.user + used.system,
        "process_start_time_seconds": started,
    }
    own = Path("/proc/self")
    if own.is_dir():
        pages = int((own / "statm").read_text().split()[1])
        found["process_resident_memory_bytes"] = pages * os.sysconf("SC_PAGE_SIZE")
        found["process_open_fds"] = len(os.listdir(own / "fd"))
    return found


METRICS = Metrics()
"""The figures of this process."""
