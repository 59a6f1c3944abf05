"""What visitors leave behind: sessions whose time is over are let go, and memory is given back.

Streamlit keeps the session of a connection that broke for ``server.disconnectedSessionTTL``
seconds, but takes it from its shelf only when the next connection breaks: after the last visitor of
the day nothing would be freed. Freed memory goes back to the system only when it is asked for.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from anyio import to_thread

log = logging.getLogger("gridwright.web")

EVERY = 30.0
"""Seconds between two looks."""


def let_go() -> int:
    """Take sessions whose time is over from Streamlit's shelf; how many. On its own loop only."""
    from streamlit.runtime import exists, get_instance

    if not exists():
        return 0
    # no public way leads there; a test fails where another Streamlit has it elsewhere
    shelf = get_instance()._session_mgr._session_storage._cache  # type: ignore[attr-defined]
    gone = shelf.expire()
    for _, held in gone:
        held.session.shutdown()  # its files and uploads go with it
    return len(gone)


def give_back() -> None:
    """Collect what is in circles, then return free pages to the system where it has a way."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc; others return pages by themselves
        trim(0)


async def look_after(every: float = EVERY) -> None:
    """Look again and again. Memory is given back once nobody leaves any more."""
    owed = False
    while True:
        await asyncio.sleep(every)
        try:
            gone = let_go()
        except Exception as error:  # another version's shelf: memory grows, and the log says why
            log.warning("sessions were not let go: %s", type(error).__name__)
            continue
        if owed and not gone:
            await to_thread.run_sync(give_back)
        owed = gone > 0


@asynccontextmanager
async def leaving(_: Any) -> AsyncIterator[None]:
    """For as long as the server runs."""
    task = asyncio.create_task(look_after())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
