"""The child process's side of :mod:`geo.read.isolate`.

``python -m geo.read.child`` reads one request from standard input and does it;
``python -m geo.read.child nursery`` loads what reads files and then forks a process for each
request (:mod:`geo.read.nursery`).
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from geo.read.limits import LIMITS

IDLE_SECONDS = 600.0
"""A nursery that was asked for nothing for so long ends; the next file starts another."""


def _bind() -> None:
    """Take the process's means away before anything of the file is looked at."""
    try:
        import resource
    except ImportError:  # no such limits on this system; the parent's deadline still holds
        return
    seconds = round(LIMITS.seconds)
    signal.alarm(seconds + 30)  # where nobody is left to stop it
    for kind, value in (
        (resource.RLIMIT_AS, LIMITS.memory_bytes),
        (resource.RLIMIT_CPU, seconds * 2),
        (resource.RLIMIT_FSIZE, LIMITS.unpacked_bytes),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _work(request: dict[str, Any]) -> dict[str, Any]:
    from geo.problems import InputError
    from geo.read.isolate import answer_table
    from geo.read.report import Report
    from geo.read.source import Source, layers_of, read_source

    report = Report(request["file"])
    answer: dict[str, Any] = {}
    source = Source(Path(request["path"]), request["layer"])
    try:
        if request["task"] == "layers":
            answer["layers"] = layers_of(source, report)
        else:
            made = read_source(source, request["role"], request["columns"], report)
            import pyarrow.parquet as pq

            table = answer_table(made.columns, made.shapes, made.raw)
            pq.write_table(table, Path(request["folder"]) / "rows.parquet", compression="zstd")
            answer |= {
                "name": made.raw.name,
                "names": made.raw.names,
                "crs": made.raw.crs.to_wkt() if made.raw.crs is not None else "",
                "encoding": made.raw.encoding,
                "datum_hint": made.raw.datum_hint,
                "found": [asdict(column) for column in made.found],
                "dropped": [asdict(item) for item in made.dropped],
            }
    except InputError:
        pass  # its problems are in the report
    except MemoryError:
        report.error("too_much_memory", megabytes=LIMITS.memory_bytes >> 20)
    except Exception as error:  # whatever a hostile file provokes must become one sentence
        report.error("unreadable", reason=type(error).__name__)
    answer["columns"] = report.columns
    answer["problems"] = [{**asdict(p), "params": _plain(p.params)} for p in report.problems]
    return answer


def _plain(params: Any) -> dict[str, object]:
    return {
        key: value if isinstance(value, (int, float, str)) else str(value)
        for key, value in params.items()
    }


def _do(request: dict[str, Any]) -> None:
    """One request, under limits; the answer is left in its folder."""
    _bind()
    answer = _work(request)
    text = json.dumps(answer, ensure_ascii=True)
    (Path(request["folder"]) / "answer.json").write_text(text, "utf-8")


def _be_born(request: dict[str, Any], pipes: tuple[int, ...]) -> NoReturn:
    """The forked process: alone, without the nursery's ``pipes``, in its private folder.

    No other descriptor is closed: the libraries that were loaded hold files of their own (PROJ its
    database), and what they close themselves would by then be somebody else's.
    """
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        for pipe in pipes:
            os.close(pipe)
        os.chdir(request["folder"])
        os.environ["HOME"] = os.environ["TMPDIR"] = request["folder"]
        tempfile.tempdir = None
        _do(request)
        code = 0
    finally:
        os._exit(code)  # nothing of the nursery is run down a second time


class _Nursery:
    """The nursery's loop: lines of requests in, lines of exit codes out."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}  # process -> request
        self.rest = b""
        self.pipes: tuple[int, ...] = ()

    def run(self) -> None:
        """Until standard input ends, or nothing was asked for long."""
        wake, woken = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(woken, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as ready:
            poll = getattr(ready, "fileno", None)  # epoll has a descriptor of its own
            self.pipes = (wake, woken) if poll is None else (wake, woken, poll())
            ready.register(0, selectors.EVENT_READ)
            ready.register(wake, selectors.EVENT_READ)
            while True:
                events = ready.select(IDLE_SECONDS)
                if not events and not self.numbers:
                    return
                for key, _ in events:
                    if key.fd == wake:
                        os.read(wake, 4096)
                    elif not self._hear():
                        self._end()
                        return
                self._collect()

    def _hear(self) -> bool:
        block = os.read(0, 1 << 16)
        *lines, self.rest = (self.rest + block).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "kill" in said:
                self._kill([p for p, number in self.numbers.items() if number == said["kill"]])
                continue
            try:
                process = os.fork()
            except OSError as error:  # no process or memory is left: this request fails alone
                self._tell(said["number"], error.errno or 1)
                continue
            if not process:
                _be_born(said["request"], self.pipes)
            self.numbers[process] = said["number"]
        return bool(block)

    def _collect(self) -> None:
        while self.numbers:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            self._tell(self.numbers.pop(process), os.waitstatus_to_exitcode(status))

    def _tell(self, number: int, code: int) -> None:
        os.write(1, json.dumps({"number": number, "code": code}).encode() + b"\n")

    def _kill(self, processes: list[int]) -> None:
        for process in processes:
            try:
                os.killpg(process, signal.SIGKILL)
            except ProcessLookupError:  # it has not made its group yet
                os.kill(process, signal.SIGKILL)

    def _end(self) -> None:
        self._kill(list(self.numbers))


def main() -> None:
    """One request, or a nursery."""
    if sys.argv[1:] != ["nursery"]:
        _do(json.loads(sys.stdin.buffer.read()))
        return
    for name in ("pyarrow.parquet", "geo.read.isolate", "geo.read.source"):
        import_module(name)  # all that reads files, before the first fork
    _Nursery().run()


if __name__ == "__main__":
    main()
