"""What is wrong with an input, as data; the sentences stand in :mod:`geo.messages`.

Truth lives in the ``code`` and the ``params``: a page, a log and a test all read the same
:class:`Problem`, and only :meth:`Problem.text` turns it into words, in Chinese or English.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from geo.messages import sentence

Language = Literal["zh", "en"]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong (or was repaired) in one place.

    Parameters
    ----------
    code : key into :data:`geo.messages.SENTENCES`.
    file : the file's name as its owner knows it; never a path on the server.
    where : layer, row or column, already readable ("row 12", "column 户数"); may be empty.
    params : values for the sentence's placeholders. Never a personal value.
    severity : ``error`` stops the work, ``warning`` does not, ``note`` only informs.
    """

    code: str
    file: str = ""
    where: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    severity: Severity = "error"

    def text(self, language: Language = "en") -> str:
        """One sentence: file, place, what is wrong, what to do."""
        place = ", ".join(part for part in (self.file, self.where) if part)
        body = sentence(self.code, language, self.params)
        separator = ":" if language == "zh" else ": "
        return f"{place}{separator}{body}" if place else body


class InputError(ValueError):
    """Input that cannot be used. Carries every problem found, not only the first.

    ``columns`` are the names of the file's columns, where reading came so far: a person may then
    say which is which.
    """

    def __init__(self, problems: Iterable[Problem], columns: Iterable[str] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.columns: tuple[str, ...] = tuple(columns)
        super().__init__("\n".join(problem.text("en") for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...], tuple[str, ...]]]:
        """Cross a process border with the problems, not only their words."""
        return type(self), (self.problems, self.columns)
