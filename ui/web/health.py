"""Is the server well? For the proxy and for whoever watches; tells nothing about the county."""

from __future__ import annotations

import logging

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from geo.problems import InputError
from ui.storage import is_kept, open_store, was_opened

log = logging.getLogger("gridwright.web")


def _look() -> bool:
    """Can the store be read? True where nothing was ever kept; a file that was there has to be."""
    if was_opened() or is_kept():
        open_store().projects()
    return True


async def health(_: Request) -> Response:
    """200 where pages can work, 503 where the store is out of reach."""
    try:
        await to_thread.run_sync(_look)
    except (InputError, OSError, SQLAlchemyError) as error:
        log.error("not well: %s", type(error).__name__)
        return JSONResponse({"status": "store out of reach"}, 503)
    return JSONResponse({"status": "ok"})


def routes() -> list[Route]:
    """Where it is asked."""
    return [Route("/healthz", health, methods=["GET"])]
