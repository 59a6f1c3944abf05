"""The server's figures (:mod:`ui.metrics`), for whoever watches it on this machine."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui.metrics import CONTENT_TYPE, METRICS

LOCAL = frozenset({"127.0.0.1", "::1"})
PASSED_ON = ("x-forwarded-for", "x-real-ip", "forwarded", "via")
"""Headers by which a proxy says that somebody else asks, from wherever it runs."""


def watch_server() -> None:
    """Let the figures ask Streamlit how many sessions there are."""
    from streamlit.runtime import get_instance

    METRICS.watch(
        "gridwright_sessions", lambda: get_instance()._session_mgr.num_active_sessions()
    )


async def figures(request: Request) -> Response:
    """All figures, to this machine alone; to others there is no such page."""
    own = request.client is not None and request.client.host in LOCAL
    if not own or any(name in request.headers for name in PASSED_ON):
        return PlainTextResponse("Not Found", 404)
    return Response(METRICS.render(), media_type=CONTENT_TYPE)


def routes() -> list[Route]:
    """Where they are asked for."""
    watch_server()
    return [Route("/metrics", figures, methods=["GET"])]
