"""Every sentence about input and repair, in Chinese and English, in one table.

A sentence says what is wrong and what to do; :class:`geo.problems.Problem` puts the file and the
row before it. Placeholders are :meth:`str.format` fields filled from ``Problem.params``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

SENTENCES: dict[str, tuple[str, str]] = {
    # code: (Chinese, English)
}


def register(sentences: Mapping[str, tuple[str, str]]) -> None:
    """Add a module's sentences. A code that is already taken is a programming error."""
    taken = SENTENCES.keys() & sentences.keys()
    if taken:
        raise KeyError(f"message codes registered twice: {sorted(taken)}")
    SENTENCES.update(sentences)


def sentence(code: str, language: Literal["zh", "en"], params: Mapping[str, object]) -> str:
    """The sentence for ``code``; raises KeyError for an unknown code or a missing parameter."""
    chinese, english = SENTENCES[code]
    return (chinese if language == "zh" else english).format(**params)
