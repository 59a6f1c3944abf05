"""What the server writes to standard error: one line an event, nothing personal, no secret.

``GRIDWRIGHT_LOG=json`` makes each line a JSON object (``time`` in UTC, ``level``, ``logger``,
``message``; of an exception ``error``, its kind, and ``where``, the calls that led there), else it
is plain text. An exception's own words never get out: they may quote what a file holds. A developer
who needs them sets ``GRIDWRIGHT_DEBUG=1``.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

VARIABLE = "GRIDWRIGHT_LOG"
DEBUG = "GRIDWRIGHT_DEBUG"
HIDDEN = "***"
LONGEST = 2_000  # characters of a message
DEEPEST = 30  # calls of a traceback, the innermost

# 18 or 15 digits of an identity number, a mobile number; then what stands where a password does
_PERSONAL = re.compile(
    r"(?<![0-9])(?:[1-9][0-9]{16}[0-9Xx]|[1-9][0-9]{14}|1[3-9][0-9]{9})(?![0-9])"
)
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_NAMED = re.compile(r"(?i)\b(password|passwd|secret|token|cookie|authorization)(\s*[=:]\s*)\S+")
_SECRET_NAMES = re.compile(r"(?i)(KEY|SECRET|PASSWORD|PASSWD|TOKEN)$")
_LEAST = 6  # characters; a shorter value would blot out ordinary words


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """Values of the environment that no line may hold: keys, secrets, passwords in addresses."""
    found = set()
    for name, value in environment.items():
        if _SECRET_NAMES.search(name):
            found.add(value)
        if "://" in value:
            try:
                password = urlsplit(value).password or ""
            except ValueError:
                continue  # no address after all
            found |= {password, unquote(password)}
    return frozenset(value for value in found if len(value) >= _LEAST)


class Formatter(logging.Formatter):
    """One line an event. ``secrets`` are blotted out, whoever wrote them."""

    def __init__(
        self, *, as_json: bool, secrets: frozenset[str] = frozenset(), words: bool = False
    ) -> None:
        super().__init__()
        self.as_json = as_json
        self.words = words
        self.secrets = sorted(secrets, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """``text`` on one line without secrets and personal numbers."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        text = _PERSONAL.sub(HIDDEN, _IN_ADDRESS.sub(HIDDEN, text))
        text = " ".join(_NAMED.sub(rf"\1\2{HIDDEN}", text).split())
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # arguments do not fit; the line must come all the same
            message = str(record.msg)
        event: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC)
            .isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.clean(_without_words(message, record)),
        }  # fmt: skip
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            event["error"] = _kinds(error)
            event["where"] = calls_of(error)
            if self.words:
                event["words"] = self.clean(str(error))
        if self.as_json:
            return json.dumps(event, ensure_ascii=False)
        line = f"{event['time']} {record.levelname} {record.name}: {event['message']}"
        if error is None:
            return line
        told = f" ({event['words']})" if self.words else ""
        return "\n  ".join([f"{line}: {event['error']}{told}", *calls_of(error)])


def _without_words(message: str, record: logging.LogRecord) -> str:
    """Libraries log ``str(error)``, or the error itself; then its kind takes the words' place."""
    values = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
    errors = [value for value in (record.msg, *values) if isinstance(value, BaseException)]
    if record.exc_info and record.exc_info[1] is not None:
        errors.append(record.exc_info[1])
    for error in errors:
        if words := str(error):
            message = message.replace(words, type(error).__name__)
    return message


def _kinds(error: BaseException) -> str:
    """The error's class and those of what caused it, the last first."""
    names: list[str] = []
    now: BaseException | None = error
    while now is not None and len(names) < 8:
        names.append(type(now).__name__)
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
    return " < ".join(names)


def calls_of(error: BaseException) -> list[str]:
    """``file:line function`` of each call an error came through, without lines of code and values.

    Of an error whose calls were let go (:func:`without_calls`) those that it had.
    """
    told: list[str] | None = getattr(error, "came_through", None)
    if told is not None:
        return told
    calls = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    return [f"{'/'.join(Path(c.filename).parts[-3:])}:{c.lineno} {c.name}" for c in calls]


def without_calls(error: BaseException) -> BaseException:
    """The same error without what its calls held, and with their names: for one that is kept.

    With a trace would be kept the files that were being read.
    """
    chain, seen = [error], set[int]()
    while chain:
        one = chain.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        vars(one)["came_through"] = calls_of(one)
        one.__traceback__ = None
        chain += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
    return error


def set_up(environment: Mapping[str, str]) -> logging.Handler:
    """Let everything this process logs go through one handler; Streamlit's and uvicorn's, too.

    Also what nobody caught, in whichever thread, and warnings. Called once, before Streamlit's
    server is imported.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        Formatter(
            as_json=environment.get(VARIABLE, "").strip().lower() == "json",
            secrets=secrets_of(environment),
            words=bool(environment.get(DEBUG)),
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.getLogger("gridwright").setLevel(logging.INFO)
    logging.captureWarnings(True)
    _take_over_streamlit()
    _take_over_uvicorn()
    log = logging.getLogger("gridwright")

    def unseen(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("nobody caught", exc_info=(kind, error, trace))

    def unseen_in_thread(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None:
            unseen(told.exc_type, told.exc_value, told.exc_traceback)

    sys.excepthook = unseen
    threading.excepthook = unseen_in_thread
    return handler


def _take_over_streamlit() -> None:
    """Streamlit gives each of its loggers a handler of its own; now they hand on to the root."""
    from streamlit import logger as theirs

    def hand_on(logger: logging.Logger) -> None:
        own = getattr(logger, "streamlit_console_handler", None)
        if own is not None:
            logger.removeHandler(own)
        logger.propagate = True

    # get_logger sets propagate to False before it calls this, and nothing sets it afterwards
    theirs.setup_formatter = hand_on
    theirs.update_formatter()


def _take_over_uvicorn() -> None:
    """uvicorn's own settings would give its loggers handlers again when its server starts."""
    from uvicorn import config

    config.LOGGING_CONFIG["loggers"] = {}
    config.LOGGING_CONFIG["handlers"] = {}
