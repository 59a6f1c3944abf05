"""Who gets through to the application at all: asked before Streamlit sees a request.

Without sign-in only this machine's own names are answered. With it everything but the sign-in and
the health of the server needs a sign-in that holds; pages go to the sign-in, the rest gets 401. Of
what Streamlit keeps for a browser session (files to take, uploads, the session itself) nobody is
given somebody else's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from geo.problems import InputError
from store.policy import Person
from ui.access import (
    COOKIE,
    NONE,
    SIGN_IN,
    looked_up,
    may_fetch,
    owner_of,
    sessions_of,
    sign_in_mode,
)

log = logging.getLogger("gridwright.web")

OPEN = (SIGN_IN, "/healthz", "/metrics", "/auth/login", "/oauth2callback")
"""Paths that need no sign-in, with all that begins so and goes on with a slash."""

CHANGE = f"{SIGN_IN}/password"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_MEDIA = re.compile(r"/media/([0-9a-f]{20,})")
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/")
_PROTOCOLS = b"sec-websocket-protocol"
FilesOf = Callable[[str], set[str]]
ContentOf = Callable[[str], bytes | None]


def held_files(session: str) -> set[str]:
    """Ids of the files that a browser session may take, as Streamlit's media manager has them."""
    from streamlit.runtime import get_instance

    manager = get_instance().media_file_mgr
    return set(manager._files_by_session_and_coord.get(session, {}).values())


def content_of(file: str) -> bytes | None:
    """What Streamlit holds under a file's id, or None."""
    from streamlit.runtime import get_instance

    held = get_instance().media_file_mgr.read_file(file)
    return None if held is None else held.content


def cookie_of(headers: Headers) -> str:
    """The token in a request's cookie; empty without one."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def host_of(headers: Headers) -> str:
    """The name that was asked for, without its port."""
    host = headers.get("host", "").strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def is_open(path: str) -> bool:
    """Does this path need no sign-in?"""
    return any(path == one or path.startswith(one + "/") for one in OPEN)


class Guard:
    """Lets requests through to the application, or answers them itself."""

    def __init__(
        self, app: ASGIApp, files_of: FilesOf = held_files, read: ContentOf = content_of
    ) -> None:
        self.app = app
        self.files_of, self.read = files_of, read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        answer = await self._answer(scope)
        if answer is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()  # the connection has to be asked for before it is refused
            await send({"type": "websocket.close", "code": 1008, "reason": "sign in"})
        else:
            await answer(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        """What to answer instead of the application; None lets the request through."""
        headers = Headers(scope=scope)
        if sign_in_mode() == NONE:
            if host_of(headers) in OWN_NAMES:
                return None
            return PlainTextResponse(
                "Without sign-in Gridwright answers on this machine alone "
                "(gridwright serve --sign-in local).", 403,
            )  # fmt: skip
        path = str(scope["path"])
        if is_open(path):
            return None
        try:
            who = await to_thread.run_sync(looked_up, cookie_of(headers))
        except (InputError, OSError, SQLAlchemyError) as error:
            log.error("nobody can be looked up: %s", type(error).__name__)
            return PlainTextResponse("The store is out of reach; try again shortly.", 503)
        if who is None or who.must_change:
            return _to_sign_in(scope, headers, SIGN_IN if who is None else CHANGE)
        return self._of_others(scope, path, who)

    def _of_others(self, scope: Scope, path: str, who: Person) -> Response | None:
        media = _MEDIA.match(path)
        if media is not None:
            return None if self._is_own(media[1], who) else PlainTextResponse("Not found", 404)
        upload = _UPLOAD.match(path)
        if upload is not None and owner_of(upload[1]) != who.id:
            return PlainTextResponse("Not found", 404)
        if scope["type"] == "websocket":
            scope["headers"] = _without_foreign_session(scope["headers"], who)
        return None


    def _is_own(self, file: str, who: Person) -> bool:
        """Is it shown on one of their pages, or was it made for them a moment ago?"""
        if any(file in self.files_of(session) for session in sessions_of(who.id)):
            return True
        content = self.read(file)
        return content is not None and may_fetch(who.id, content)


def _without_foreign_session(
    headers: list[tuple[bytes, bytes]], who: Person
) -> list[tuple[bytes, bytes]]:
    """A browser asks to go on with its session by a third protocol; only its owner does.

    Others get a new session, as if the old one had ended.
    """
    kept = []
    for name, value in headers:
        if name.lower() == _PROTOCOLS:
            parts = [part.strip() for part in value.decode("latin-1").split(",")]
            if len(parts) >= 3 and owner_of(parts[2]) != who.id:
                value = ", ".join(parts[:2]).encode("latin-1")
        kept.append((name, value))
    return kept


def _to_sign_in(scope: Scope, headers: Headers, where: str) -> Response:
    wants_page = scope.get("method") == "GET" and "text/html" in headers.get("accept", "")
    if wants_page:
        return RedirectResponse(where, 303)
    return PlainTextResponse("Sign in first", 401)
