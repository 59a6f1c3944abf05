"""The process that reading processes are forked from, as the reading program sees it.

Starting Python and loading what reads files takes a second of processor time; a fork of a process
that has done so, and has never seen a file, takes a hundredth. Each file is still read by a process
of its own, which ends with it. The nursery starts with the first file, dies with the program, and
goes by itself after :data:`geo.read.child.IDLE_SECONDS` without one.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any


class NurseryError(Exception):
    """The process that readers are forked from cannot be started, or has gone."""


class Nursery:
    """One such process; every method may be called from any thread."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Raises :class:`NurseryError` where it does not start."""
        try:
            self._process = subprocess.Popen(
                command, env=dict(environment), cwd="/", stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise NurseryError(type(error).__name__) from error
        self.owner = os.getpid()
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, threading.Event] = {}
        self._codes: dict[int, int] = {}
        self.gone = False
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def read(self, request: Mapping[str, Any], seconds: float) -> int | None:
        """Let a process of its own do ``request``; its exit code, None where it took longer than
        ``seconds`` and was killed. Raises :class:`NurseryError` where the nursery has gone.
        """
        number, ended = next(self._numbers), threading.Event()
        with self._lock:
            self._waiting[number] = ended
        self._say({"number": number, "request": dict(request)})
        in_time = ended.wait(seconds)
        if not in_time:
            self._say({"kill": number})
            ended.wait(10)
        with self._lock:
            self._waiting.pop(number, None)
            code = self._codes.pop(number, None)
        if not in_time:
            return None
        if code is None:
            raise NurseryError("gone")
        return code

    def close(self) -> None:
        """End it, and every reading it has under way."""
        if self._process.stdin is not None:
            with self._lock, suppress(OSError):  # it may have ended and left something unread
                self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                if self.gone:
                    raise NurseryError("gone")
                self._process.stdin.write(line)
                self._process.stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: closed meanwhile
            raise NurseryError(type(error).__name__) from error

    def _listen(self) -> None:
        """Take exit codes until there are no more; then whoever waits is told that it has gone."""
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            for line in answers:
                told = json.loads(line)
                with self._lock:
                    ended = self._waiting.get(told["number"])
                    if ended is not None:
                        self._codes[told["number"]] = told["code"]
                        ended.set()
        with self._lock:
            self.gone = True
            for ended in self._waiting.values():
                ended.set()


_LOCK = threading.Lock()
_HELD: list[Nursery] = []


def nursery(command: Sequence[str], environment: Mapping[str, str]) -> Nursery:
    """This process's nursery, started where there is none, or it has gone, or it is of the process
    that we were forked from. Raises :class:`NurseryError` where it does not start."""
    with _LOCK:
        if _HELD and (_HELD[0].gone or _HELD[0].owner != os.getpid()):
            if _HELD[0].owner == os.getpid():
                _HELD[0].close()
            _HELD.clear()
        if not _HELD:
            _HELD.append(Nursery(command, environment))
        return _HELD[0]


@atexit.register
def end() -> None:
    """Let go of this process's nursery, if it has one."""
    with _LOCK:
        if _HELD and _HELD[0].owner == os.getpid():
            _HELD[0].close()
        _HELD.clear()
