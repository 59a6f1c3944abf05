"""Is it the store that fails, or what was asked of it? Light to import: every page asks."""

from __future__ import annotations

from geo.problems import InputError

_TROUBLE = {
    "store-not-writable", "store-busy", "store-unreachable", "store-moved", "store-damaged",
}  # fmt: skip


def is_trouble(error: InputError) -> bool:
    """Is it the store that fails, and not what was asked of it? Then trying again may help."""
    return any(problem.code in _TROUBLE for problem in error.problems)
