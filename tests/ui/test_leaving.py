"""Sessions whose time is over are let go even where nobody comes after them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo

from ui.web import leaving


class Session:
    """As much of a session as its shelf asks for."""

    def __init__(self, number: int) -> None:
        self.id, self.over = str(number), False

    def shutdown(self) -> None:
        """It ends."""
        self.over = True


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> tuple[MemorySessionStorage, list[float]]:
    """Streamlit's own shelf, its clock set by hand."""
    clock = [0.0]
    storage = MemorySessionStorage(ttl_seconds=10)
    storage._cache._timer = lambda: clock[0]  # type: ignore[attr-defined]
    manager = type("Manager", (), {"_session_storage": storage})()
    runtime = type("Runtime", (), {"_session_mgr": manager})()
    monkeypatch.setattr("streamlit.runtime.exists", lambda: True)
    monkeypatch.setattr("streamlit.runtime.get_instance", lambda: runtime)
    return storage, clock


def kept(storage: MemorySessionStorage, number: int) -> Any:
    session: Any = Session(number)
    storage.save(SessionInfo(client=None, session=session, script_run_count=1))
    return session


def test_only_those_whose_time_is_over(shelf: tuple[MemorySessionStorage, list[float]]) -> None:
    storage, clock = shelf
    first = kept(storage, 1)
    clock[0] = 6.0
    second = kept(storage, 2)
    assert leaving.let_go() == 0
    clock[0] = 12.0
    assert leaving.let_go() == 1
    assert (first.over, second.over) == (True, False)
    assert [held.session.id for held in storage.list()] == ["2"]


def test_memory_is_given_back_once_nobody_leaves_any_more(
    shelf: tuple[MemorySessionStorage, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, clock = shelf
    given = []
    monkeypatch.setattr(leaving, "give_back", lambda: given.append(len(storage.list())))

    async def while_it_runs() -> None:
        task = asyncio.create_task(leaving.look_after(every=0.001))
        kept(storage, 1)
        await asyncio.sleep(0.02)
        assert given == []
        clock[0] = 11.0
        while not given:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        task.cancel()

    with ThreadPoolExecutor(1) as pool:  # the main thread's loop may be a browser's
        pool.submit(asyncio.run, asyncio.wait_for(while_it_runs(), 10)).result()
    assert given == [0]


def test_a_shelf_that_fails_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def fails_once() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise AttributeError("elsewhere")
        return 0

    monkeypatch.setattr(leaving, "let_go", fails_once)

    async def while_it_runs() -> None:
        task = asyncio.create_task(leaving.look_after(every=0.001))
        while len(asked) < 3:
            await asyncio.sleep(0.001)
        task.cancel()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asyncio.wait_for(while_it_runs(), 10)).result()


def test_giving_back_works_on_this_system() -> None:
    leaving.give_back()


def test_where_streamlit_does_not_run_there_is_nothing_to_let_go() -> None:
    assert leaving.let_go() == 0
