"""Where a browser says that it has drawn a map somebody waits for (:mod:`ui.map.drawn`)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.map.drawn import SIGNS


async def drawn(request: Request) -> Response:
    """204 when somebody waited for it, 404 otherwise; tells nothing else."""
    return Response(status_code=204 if SIGNS.hear(request.path_params["name"]) else 404)


def routes() -> list[Route]:
    """Where it is said."""
    return [Route("/drawn/{name}", drawn, methods=["POST"])]
