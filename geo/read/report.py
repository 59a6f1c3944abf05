"""Collects every problem of a file, so that all are told at once and not one a try."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from geo.problems import InputError, Problem, Severity
from geo.read.layer import Raw


class Report:
    """Problems of one file. ``file`` is its name without folders."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.columns: list[str] = []  # the file's columns, once they are known

    def add(self, severity: Severity, code: str, where: str = "", /, **params: object) -> None:
        """Note one problem; parameters are the sentence's placeholders."""
        self.problems.append(Problem(f"read_{code}", self.file, where, params, severity))

    def error(self, code: str, where: str = "", /, **params: object) -> None:
        """A problem that makes the file unusable, found while others may still be found."""
        self.add("error", code, where, **params)

    def warn(self, code: str, where: str = "", /, **params: object) -> None:
        """Something to know and perhaps to correct; the work goes on."""
        self.add("warning", code, where, **params)

    def note(self, code: str, where: str = "", /, **params: object) -> None:
        """Something that was found or changed."""
        self.add("note", code, where, **params)

    def fail(self, code: str, where: str = "", /, **params: object) -> NoReturn:
        """A problem after which nothing more can be read."""
        self.error(code, where, **params)
        raise InputError(self.problems, self.columns)

    def stop_on_errors(self) -> None:
        """Raise everything found so far if any of it is an error."""
        if any(problem.severity == "error" for problem in self.problems):
            raise InputError(self.problems, self.columns)


def listed(raw: Raw, rows: Iterable[int] | Iterable[np.integer[Any]], most: int = 5) -> str:
    """Row numbers as a person counts them, the first few: "3, 7, 12 …"."""
    chosen = [int(row) for row in rows]
    text = ", ".join(str(raw.number(row)) for row in chosen[:most])
    return text + (" …" if len(chosen) > most else "")


@contextmanager
def remarks_told(report: Report) -> Iterator[None]:
    """GDAL's warnings as one note; their words may hold values of the file, so only the count."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    if caught and not any(problem.code == "read_remarks" for problem in report.problems):
        report.note("remarks", count=len(caught))
