"""Streamlit's own files as our server sends them: the same bytes, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.file_util import get_static_dir

from ui.metrics import METRICS
from ui.web.library import SHOWN_FIRST, LibraryFiles, first_page, library_files

STATIC = Path(get_static_dir())


async def beyond(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {request.url.path} went on")


@pytest.fixture
def client() -> TestClient:
    methods = ["GET", "HEAD", "POST"]
    app = Starlette(
        routes=[Route("/{path:path}", beyond, methods=methods)],
        middleware=[Middleware(LibraryFiles)],
    )
    return TestClient(app)


@pytest.mark.parametrize("kind", ["js", "css", "woff2"])
def test_a_file_is_sent_whole_and_kept_for_good(client: TestClient, kind: str) -> None:
    address, file = next(item for item in library_files().items() if item[0].endswith(f".{kind}"))
    answer = client.get(address)
    assert answer.content == file.read_bytes()
    assert answer.headers["cache-control"] == "public, immutable, max-age=31536000"
    told = {"js": "javascript", "css": "text/css", "woff2": "font/woff2"}[kind]
    assert told in answer.headers["content-type"]


@pytest.mark.parametrize(
    "path",
    ["/static/js/none.js", "/static/../index.html", "/static/js/..%2f..%2findex.html",
     "/index.html", "/board", "//static/js", "/static"],
)  # fmt: skip
def test_any_other_address_is_the_applications(client: TestClient, path: str) -> None:
    assert "went on" in client.get(f"http://testserver{path}").text


@pytest.mark.parametrize("header", ["Range", "If-None-Match", "If-Modified-Since"])
def test_parts_and_comparisons_are_streamlits_own(client: TestClient, header: str) -> None:
    address = next(iter(library_files()))
    assert "went on" in client.get(address, headers={header: "bytes=0-9"}).text
    assert client.head(address).text == ""
    assert "went on" in client.post(address).text


def test_the_first_page_is_streamlits_and_names_scripts_that_are_there(client: TestClient) -> None:
    page = client.get("/").text
    own = (STATIC / "index.html").read_text(encoding="utf-8")
    link = r'<link rel="modulepreload" fetchpriority="low" crossorigin href="\./(.+)">\n'
    ours = re.compile(link)
    assert ours.sub("", page) == own
    named = ours.findall(page)
    assert len(named) == len(set(named)) > len(SHOWN_FIRST)
    assert all((STATIC / name).is_file() and name not in own for name in named)
    for part in SHOWN_FIRST:  # another version of Streamlit may call them otherwise
        assert any(f"js/{part}." in name for name in named), part
    assert page.encode() == first_page()


def test_the_server_knows_when_somebody_was_there_last(client: TestClient) -> None:
    METRICS._asked -= 100
    assert METRICS.quiet >= 100
    client.get("/board")
    assert METRICS.quiet < 60
    with METRICS.rerun():
        assert METRICS.quiet == 0
