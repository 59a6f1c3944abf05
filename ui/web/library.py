"""Streamlit's own page, scripts, styles and fonts, each sent in one piece.

A page is some 130 of these files. Streamlit hands each to threads and sends it 64 kB at a time:
milliseconds of the one processor that Python has, taken from the page that is being made meanwhile.
Their names hold a hash of what is in them, so browsers keep them for good.

What a part of a page needs is asked for when the part is first shown, and what that needs when it
has come. The first page names the files that the map needs, so that they are there by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from mimetypes import guess_type
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from ui.metrics import METRICS

FOR_GOOD = "public, immutable, max-age=31536000"
"""What Streamlit says of these files, too."""

SHOWN_FIRST = ("BidiComponent", "Html", "ButtonGroup", "Selectbox", "TextInput")
"""Parts of Streamlit that every page with a map shows, the map first."""

_ASKS_FOR_MORE = ("range", "if-range", "if-none-match", "if-modified-since")
_IMPORT = re.compile(r"""(?:from|import)\s*["'`]\./([\w.~-]+\.js)["'`]""")


@cache
def library_files() -> Mapping[str, Path]:
    """Address -> file, for everything that Streamlit brings with a hash in its name."""
    root = Path(get_static_dir())
    return {
        f"/{path.relative_to(root).as_posix()}": path
        for path in sorted((root / "static").rglob("*"))
        if path.is_file()
    }


def _needed(file: Path) -> Iterator[Path]:
    """A script, and all that it imports before it runs."""
    seen, ahead = {file}, [file]
    while ahead:
        script = ahead.pop(0)
        yield script
        for name in _IMPORT.findall(script.read_text(encoding="utf-8")):
            found = file.parent / name
            if found not in seen and found.is_file():
                seen.add(found)
                ahead.append(found)


@cache
def first_page() -> bytes:
    """Streamlit's page, with the scripts of :data:`SHOWN_FIRST` named beside its own."""
    page = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    scripts = Path(get_static_dir(), "static", "js")
    found = [
        file
        for part in SHOWN_FIRST
        for start in sorted(scripts.glob(f"{part}.*.js"))
        for file in _needed(start)
    ]
    links = "".join(
        '<link rel="modulepreload" fetchpriority="low" crossorigin'
        f' href="./static/js/{file.name}">\n'
        for file in dict.fromkeys(found)
        if file.name not in page
    )
    return page.replace("</head>", f"{links}</head>", 1).encode()


class LibraryFiles:
    """Answers for the first page and the files of :func:`library_files`; all else goes on.

    Only the names that were there at the start are known: no path is put together from a request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.files = library_files()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            METRICS.asked()
        answer = self._answer(scope)
        await (self.app if answer is None else answer)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if any(name in Headers(scope=scope) for name in _ASKS_FOR_MORE):
            return None
        path = str(scope["path"])
        if path == "/":
            return Response(
                first_page(), media_type="text/html", headers={"cache-control": "no-cache"}
            )
        file = self.files.get(path)
        if file is None:
            return None
        kind = guess_type(file.name)[0] or "application/octet-stream"
        # from the system's cache, a megabyte takes less than asking a thread for it
        return Response(file.read_bytes(), media_type=kind, headers={"cache-control": FOR_GOOD})
