"""What surrounds every page: nothing of the page that was left answers any more."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.runtime.fragment import MemoryFragmentStorage

from ui import frame


def test_parts_of_a_page_are_forgotten_when_it_is_left_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = MemoryFragmentStorage()
    monkeypatch.setattr(st, "session_state", {})

    def a_run_starts(page: str) -> None:
        context = SimpleNamespace(page_script_hash=page, fragment_storage=storage)
        monkeypatch.setattr(frame, "get_script_run_ctx", lambda **_: context)
        frame._forget_parts_of_page_left()

    a_run_starts("project")
    storage.register("watch", lambda: None)
    a_run_starts("project")  # the page is drawn anew: what was clicked meanwhile still counts
    assert storage.contains("watch")
    a_run_starts("plan")
    assert not storage.contains("watch")
    a_run_starts("project")
    assert not storage.contains("watch")
