"""From an exception to the sentence a user reads, in one table at the edge.

Whatever happens, a page shows a sentence and, for the unforeseen, a number that is found again in
the server's log; never a traceback.
"""

from __future__ import annotations

import errno
import logging
import secrets
import zipfile
from concurrent.futures.process import BrokenProcessPool

from geo.problems import InputError
from store.policy import DeniedError
from ui.metrics import METRICS
from ui.words import Language, word

log = logging.getLogger("gridwright.ui")


class MapLibraryMissingError(RuntimeError):
    """The browser's map library is not installed; ``make setup`` fetches it."""


class FolderNotAllowedError(PermissionError):
    """A folder outside those the server may read."""


class SignedOutError(PermissionError):
    """Nobody is signed in here, or no longer."""


class JobGoneError(LookupError):
    """A project or job that this server no longer holds, after a restart for example."""


class TakingDiedError(RuntimeError):
    """The process that takes a plan into the store ended without a word."""


class BusyError(RuntimeError):
    """The county's events are being read by somebody; what was asked for has to wait for it."""


# The first row that fits decides, so narrow classes stand before wide ones.
SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (MapLibraryMissingError, "error.map_library"),
    (FolderNotAllowedError, "error.folder_not_allowed"),
    (SignedOutError, "error.signed_out"),
    (DeniedError, "error.denied"),
    (JobGoneError, "error.gone"),
    (BusyError, "error.events_busy"),
    (MemoryError, "error.memory"),
    (TakingDiedError, "error.taking_died"),
    (BrokenProcessPool, "error.worker_died"),
    (zipfile.BadZipFile, "error.zip"),
    (FileNotFoundError, "error.file_missing"),
    (PermissionError, "error.permission"),
    (TimeoutError, "error.timeout"),
)


def reference() -> str:
    """A short number that a user can read out and an administrator can look for in the log."""
    return secrets.token_hex(4).upper()


def sentences(error: BaseException, language: Language) -> list[str]:
    """What to tell the user about ``error``; logs it with a reference when it was not foreseen."""
    if isinstance(error, InputError):
        return [problem.text(language) for problem in error.problems]
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return [word("error.disk_full", language)]
    for kind, key in SENTENCES:
        if isinstance(error, kind):
            return [word(key, language)]
    METRICS.count("gridwright_errors_total")
    number = reference()
    log.error("unforeseen error %s", number, exc_info=error)
    return [word("error.unforeseen", language, number=number)]
