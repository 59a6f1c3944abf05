"""The server's log: every line one event, and canaries that must not sing."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ui.logs import Formatter, secrets_of

REPOSITORY = Path(__file__).resolve().parents[2]
CANARIES = ("王小明", "11010519491231002X", "13912345678", "canary-password", "canary-key-77")
ENVIRONMENT = {
    "GRIDWRIGHT_STORE": "postgresql+psycopg://gridwright:canary-password@localhost/plans",
    "GRIDWRIGHT_KEY": "canary-key-77",
    "HOME": "/nowhere-at-all",
}


def record(
    message: str, *values: object, error: BaseException | None = None
) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("gridwright.ui", logging.ERROR, "x.py", 1, message, values, told)


def raised(words: str) -> BaseException:
    try:
        try:
            raise ValueError(words)
        except ValueError as first:
            raise KeyError(words) from first
    except KeyError as error:
        return error


@pytest.mark.parametrize("as_json", [True, False])
def test_no_canary_gets_out_by_any_way(as_json: bool) -> None:
    form = Formatter(as_json=as_json, secrets=secrets_of(ENVIRONMENT))
    sung = "household of 王小明"
    records = [
        record("unforeseen error %s", "A1B2C3D4", error=raised(sung)),
        record("cannot read: %s", raised(sung)),
        record(f"it failed: {raised(sung)}", error=raised(sung)),
        record("identity 11010519491231002X, telephone 13912345678."),
        record("connecting to %s", ENVIRONMENT["GRIDWRIGHT_STORE"]),
        record("login for gridwright with canary-password refused"),
        record("the key is %s", "canary-key-77"),
        record("password=another-one Cookie: abc.def"),
    ]
    lines = [form.format(one) for one in records]
    for line in lines:
        assert not [canary for canary in CANARIES if canary in line], line
        assert "another-one" not in line
        assert "abc.def" not in line
    assert "A1B2C3D4" in lines[0]  # what an administrator looks for
    assert "KeyError < ValueError" in lines[0]
    assert "test_logs.py" in lines[0]
    assert "localhost/plans" in lines[4]


def test_an_event_is_one_line_of_json() -> None:
    form = Formatter(as_json=True)
    event = json.loads(form.format(record("two\nlines \x1b[31m of %d", 5, error=raised("x"))))
    assert set(event) == {"time", "level", "logger", "message", "error", "where"}
    assert event["level"] == "error"
    assert event["logger"] == "gridwright.ui"
    assert event["message"].startswith("two lines")
    assert event["time"].endswith("Z")
    assert "\n" not in form.format(record("a\nb", error=raised("c\nd")))


def test_a_record_that_does_not_fit_is_written_all_the_same() -> None:
    assert "%d rows" in Formatter(as_json=True).format(record("%d rows", "many"))


def test_ordinary_numbers_and_words_stay() -> None:
    told = "593 grids, 165000 households, code 330110001001, 20261129083653000, 30.123456789012"
    assert Formatter(as_json=False, secrets=secrets_of({"A_KEY": "the"})).format(
        record(told)
    ).endswith(told)


def test_a_developer_may_ask_for_the_words() -> None:
    line = Formatter(as_json=True, words=True).format(record("oh", error=raised("three of four")))
    assert "three of four" in line


PROGRAM = """
import logging, os, threading, warnings
from ui.logs import set_up
set_up(os.environ)
import streamlit.logger
from uvicorn import Config
streamlit.logger.init_uvicorn_logs()
Config(lambda: None, use_colors=False, access_log=False)
logging.getLogger("gridwright.web").info("started")
logging.getLogger("gridwright.web").debug("not this")
log = streamlit.logger.get_logger("streamlit.runtime.scriptrunner")
try:
    raise LookupError("household of 王小明")
except LookupError as error:
    log.exception("Uncaught app execution", exc_info=error)
    log.warning(error)
logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=True)
logging.getLogger("some.library").warning("telephone 13912345678")
warnings.warn("old: 13912345678")
def die():
    raise RuntimeError("canary-password")
thread = threading.Thread(target=die)
thread.start()
thread.join()
raise RuntimeError("canary-key-77")
"""


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_process_writes_nothing_past_it(kind: str) -> None:
    """Loggers of ours, Streamlit, uvicorn and others, a warning, two errors nobody caught."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False,
        cwd=REPOSITORY, encoding="utf-8",
        env={**os.environ, **ENVIRONMENT, "GRIDWRIGHT_LOG": kind, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 1
    assert not [canary for canary in CANARIES if canary in done.stdout + done.stderr], done.stderr
    if kind == "text":
        assert "LookupError" in done.stderr
        assert done.stderr.count("nobody caught: RuntimeError") == 2
        return
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(event["logger"], event["level"]) for event in events] == [
        ("gridwright.web", "info"),
        ("streamlit.runtime.scriptrunner", "error"),
        ("streamlit.runtime.scriptrunner", "warning"),
        ("uvicorn.error", "error"),
        ("some.library", "warning"),
        ("py.warnings", "warning"),
        ("gridwright", "critical"),
        ("gridwright", "critical"),
    ]
    assert events[1]["error"] == "LookupError"
    assert events[2]["message"] == "LookupError"
