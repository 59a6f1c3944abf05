"""Run one engine in a process of its own, with a deadline, and measure what it answers."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.instance import Instance, village
from benchmarks.measure import quality
from benchmarks.ours import gridwright
from benchmarks.peers import LIBRARY, PEERS, Answer

ENGINES: dict[str, Callable[[Instance, int], Answer]] = {"gridwright": gridwright, **PEERS}
DEADLINE_S = 180.0
ENGINE_MODULES = {"graph", "propose", "partition", "parts", "search", "sets", "settings", "start"}
_WARM_UP_HOUSEHOLDS = 900


def run(name: str, instance: Instance, *, seed: int = 1, deadline: float = DEADLINE_S) -> Any:
    """One row: ``engine``, ``status`` and, when done, seconds, cpu_seconds and the measures.

    ``status`` is "done", "not installed: ...", "over 180 s" or "failed: ...". The clock starts
    after libraries are loaded and, for every engine alike, a warm-up on a village of 900
    households has compiled what is compiled on first use.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe()
    # The instance goes over the pipe, not with the arguments: those are written before the child
    # runs, and whoever writes more than a pipe holds to a child that died waits for ever.
    child = context.Process(target=answer, args=(name, seed, sender), daemon=True)
    # before the child imports the engine: an edit while it runs must not pass for what ran
    row = {"engine": name, "seed": seed, "date": today(), "machine": machine(name)}
    child.start()
    sender.close()
    try:
        if receiver.recv() != "ready":
            return row | {"status": receiver.recv()}
        receiver.send(instance)
        if not receiver.poll(deadline):
            return row | {"status": f"over {deadline:.0f} s"}
        result = receiver.recv()
    except (EOFError, BrokenPipeError):
        return row | {"status": "failed: the process ended without an answer"}
    finally:
        child.kill()
        child.join()
    if isinstance(result, str):
        return row | {"status": result}
    labels, split, seconds, cpu_seconds = result
    return (
        row
        | {"status": "done", "seconds": seconds, "cpu_seconds": cpu_seconds}
        | quality(instance, labels, split=split).record()
    )


def answer(name: str, seed: int, sender: Connection) -> None:
    """The child: send "ready", take the instance, send (labels, split, seconds, cpu seconds); or
    what went wrong."""
    engine = ENGINES[name]
    try:
        engine(village(_WARM_UP_HOUSEHOLDS), seed)
    except ImportError as error:
        sender.send("stopped")
        sender.send(f"not installed: {error.name or error}")
        return
    sender.send("ready")
    instance = sender.recv()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        found = engine(instance, seed)
    except (ValueError, RuntimeError, IndexError, KeyError, MemoryError) as error:
        # a peer that gives up is a result; anything else is a mistake of ours and must show
        sender.send(f"failed: {type(error).__name__}: {str(error)[:120]}")
        return
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sender.send((found.labels, found.split, round(wall, 3), round(cpu, 3)))


def machine(name: str) -> dict[str, str | int]:
    """What a reader needs to judge a time: processor, cores, Python and library versions."""
    library = LIBRARY.get(name, "numba")
    try:
        release = version(library)
    except PackageNotFoundError:
        release = "not installed"
    found = {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "python": platform.python_version(),
        library: release,
    }
    return found if name in LIBRARY else {**found, "source": _source()}


def _source() -> str:
    """A digest of our engine's modules: rows with the same one ran the same program."""
    digest = hashlib.sha256()
    for path in sorted((Path(__file__).parents[1] / "planning").glob("*.py")):
        if path.stem in ENGINE_MODULES:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def today() -> str:
    """The date a record carries, UTC."""
    return datetime.now(UTC).date().isoformat()
