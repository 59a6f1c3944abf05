"""Who gets through to the application, on a server of Starlette's own tests: paths, websockets,
what belongs to others, the forms of the sign-in, and the headers of every answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from geo.problems import InputError, Problem
from store.policy import Grant
from store.projects import Store
from ui import access, storage
from ui.acting import SERVER, acting_as
from ui.web import health, signin
from ui.web.guard import Guard, held_files
from ui.web.headers import SecurityHeaders, fixed_headers

PASSWORD = "long-enough-1"
PAGE = {"accept": "text/html"}
HERE = {"origin": "http://localhost"}
MEDIA = "/media/" + "ab" * 28
Client = Callable[..., TestClient]


async def anything(request: Request) -> Response:
    return PlainTextResponse(f"through {request.url.path}")


async def protocols(socket: WebSocket) -> None:
    await socket.accept(subprotocol=socket.scope["subprotocols"][0])
    await socket.send_text(socket.headers["sec-websocket-protocol"])
    await socket.close()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with Store(tmp_path / "plans.gridwright") as opened:
        opened.add_account("chief", PASSWORD, (Grant("administrator"),), must_change=False)
        opened.add_account("li", PASSWORD, (Grant("viewer"),), must_change=False)
        opened.add_account("new", PASSWORD, (Grant("viewer"),))
        for module in (storage, signin, health):
            monkeypatch.setattr(module, "open_store", lambda: opened)
        monkeypatch.setattr(access, "_SESSIONS", {})
        monkeypatch.setattr(access, "_HANDED", {})
        yield opened


@pytest.fixture
def client(store: Store, monkeypatch: pytest.MonkeyPatch) -> Client:
    def make(name: str = "", mode: str = "local", address: str = "http://localhost") -> TestClient:
        monkeypatch.setenv(access.VARIABLE, mode)
        files = {"session-li": {"ab" * 28}}
        app = Starlette(
            routes=[
                *signin.routes(), *health.routes(),
                WebSocketRoute("/_stcore/stream", protocols),
                Route("/{path:path}", anything, methods=["GET", "PUT", "POST"]),
            ],
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(
                    Guard, files_of=lambda session: files.get(session, set()),
                    read={"cd" * 28: b"a register"}.get,
                ),
            ],
        )  # fmt: skip
        made = TestClient(app, base_url=address, follow_redirects=False)
        if name:
            made.cookies.set(access.COOKIE, store.sign_in(name, PASSWORD))
        return made

    return make


EVERY_PATH = [
    "/", "/board", "/incidents", "/people", "/_stcore/health", "/_stcore/host-config",
    "/_stcore/metrics", "/_stcore/script-health-check", "/static/js/index.js", "/component/x/y.js",
    "/sign-inner", "/healthzz", "/auth/logout", "//sign-in", "/x/../board", "/app/static/plan.gpkg",
    MEDIA + ".gpkg", "/_stcore/upload_file/session-li/1",
]  # fmt: skip


@pytest.mark.parametrize("path", EVERY_PATH)
@pytest.mark.parametrize("cookie", [None, "", "guessed", "a" * 5_000, "; =;", "用户"])
def test_nothing_is_answered_without_a_sign_in(
    client: Client, path: str, cookie: str | None
) -> None:
    own = client()
    headers = {} if cookie is None else {"cookie": f"{access.COOKIE}={cookie}".encode()}
    answer = own.get(path, headers=headers)
    assert answer.status_code == 401
    assert "through" not in answer.text
    page = own.get(path, headers={**PAGE, **headers})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    assert own.put(path, headers={**PAGE, **headers}).status_code == 401


def test_a_websocket_without_a_sign_in_is_refused_before_it_is_accepted(client: Client) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as told,
        client().websocket_connect("/_stcore/stream", subprotocols=["streamlit"]),
    ):
        pass
    assert told.value.code == 1008


def test_whoever_is_signed_in_gets_through_until_it_ends(client: Client, store: Store) -> None:
    own = client("li")
    assert own.get("/board").text == "through /board"
    store.disable("li")
    assert own.get("/board").status_code == 401


def away(*_: object) -> Any:
    raise InputError([Problem("store-unreachable", "s", params={"reason": "gone"})])


def test_while_the_store_is_away_whoever_works_gets_through_and_nobody_else(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, new, unseen = client("li"), client("new"), client("chief")
    assert own.get("/board").status_code == 200
    assert new.get("/board").status_code == 401
    monkeypatch.setattr(store, "who", away)
    assert own.get("/board").text == "through /board"
    with own.websocket_connect("/_stcore/stream", subprotocols=["streamlit"]) as socket:
        assert socket.receive_text() == "streamlit"
    assert new.get("/board").status_code == 401  # a first password is changed first all the same
    assert unseen.get("/board").status_code == 503
    assert client().get("/board").status_code == 401
    access.LAST_SEEN.clear()
    assert own.get("/board").status_code == 503


def unable(*_: object) -> Any:
    raise OSError("the disk is away")


@pytest.mark.parametrize("trouble", [away, unable])
@pytest.mark.parametrize("opening", [True, False])
def test_the_sign_ins_pages_say_that_the_store_is_away(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[..., Any], opening: bool,
) -> None:  # fmt: skip
    """Whether it cannot be opened or does not answer; and the loop is not held by opening it."""
    threads: list[threading.Thread] = []

    def opened() -> Store:
        threads.append(threading.current_thread())
        return trouble() if opening else store  # type: ignore[no-any-return]

    own, office = client("li"), client(mode="office")
    monkeypatch.setattr(signin, "open_store", opened)
    for name in ("sign_in", "sign_in_subject", "who", "change_password"):
        monkeypatch.setattr(store, name, trouble)
    monkeypatch.setattr(signin, "office_person", lambda _: ("https://id|7", "li"))
    monkeypatch.setattr(signin, "provider_token", lambda: "token")
    fields = {"name": "li", "password": PASSWORD}
    change = {"old": PASSWORD, "new": "another-long-1", "again": "another-long-1"}
    answers = [office.get("/sign-in/office?lang=en")]
    monkeypatch.setenv(access.VARIABLE, "local")
    answers += [
        own.post("/sign-in?lang=en", data=fields, headers=HERE),
        own.get("/sign-in/password?lang=en"),
        own.post("/sign-in/password?lang=en", data=change, headers=HERE),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert "Nobody can sign in at the moment" in answer.text
    assert len(threads) == len(answers)
    assert {thread.name.startswith("AnyIO worker") for thread in threads} == {True}


def test_a_password_that_must_be_changed_comes_first(client: Client) -> None:
    own = client("new")
    assert own.get("/board").status_code == 401
    assert own.get("/", headers=PAGE).headers["location"] == "/sign-in/password"
    fields = {"old": PASSWORD, "new": "another-long-1", "again": "another-long-1"}
    assert own.post("/sign-in/password", data=fields, headers=HERE).status_code == 303
    assert own.get("/board").status_code == 200


def test_files_uploads_and_sessions_of_others_are_not_there(client: Client) -> None:
    li, chief = client("li"), client("chief")
    access._SESSIONS.update({"session-li": 2, "session-chief": 1})
    assert li.get(MEDIA + ".gpkg").status_code == 200
    assert chief.get(MEDIA + ".gpkg").status_code == 404
    assert li.put("/_stcore/upload_file/session-li/1").status_code == 200
    assert chief.put("/_stcore/upload_file/session-li/1").status_code == 404
    assert chief.put("/_stcore/upload_file/unknown/1").status_code == 404
    asked = ["streamlit", "xsrf", "session-li"]
    for own, told in ((li, "streamlit, xsrf, session-li"), (chief, "streamlit, xsrf")):
        with own.websocket_connect("/_stcore/stream", subprotocols=asked) as socket:
            assert socket.receive_text() == told


def test_what_was_made_for_somebody_is_theirs_for_a_while(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    li, chief = client("li"), client("chief")
    made = "/media/" + "cd" * 28 + ".xlsx"
    assert li.get(made).status_code == 404
    access.hand_to(2, b"a register")
    assert li.get(made).status_code == 200
    assert chief.get(made).status_code == 404
    assert li.get(made.replace("cd", "ef")).status_code == 404
    later = access.time.monotonic() + access.FETCH_SECONDS + 1
    monkeypatch.setattr(access.time, "monotonic", lambda: later)
    assert li.get(made).status_code == 404
    access.hand_to(1, b"another")  # what is over is forgotten
    assert [account for account, _ in access._HANDED] == [1]


@pytest.mark.parametrize(("host", "status"), [
    ("localhost", 200), ("127.0.0.1:8501", 200), ("[::1]:8501", 200), ("LOCALHOST", 200),
    ("grid.example.gov.cn", 403), ("127.0.0.1.example.com", 403), ("10.0.0.5:8501", 403),
    ("", 403), ("localhost.", 403),
])  # fmt: skip
def test_without_sign_in_only_this_machines_names_are_answered(
    client: Client, host: str, status: int
) -> None:
    assert client(mode="none").get("/board", headers={"host": host}).status_code == status


def test_a_mode_that_does_not_exist_opens_nothing(client: Client) -> None:
    own = client(mode="everybody")
    with pytest.raises(ValueError, match="GRIDWRIGHT_SIGN_IN"):
        own.get("/board")


def test_the_form_signs_in_with_a_cookie_for_no_script_and_no_other_site(client: Client) -> None:
    own = client()
    assert "password" in own.get("/sign-in").text
    fields = {"name": "li", "password": PASSWORD}
    answer = own.post("/sign-in", data=fields, headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert own.get("/board").status_code == 200
    behind = own.post("/sign-in", data=fields, headers={**HERE, "x-forwarded-proto": "https"})
    assert "secure" in behind.headers["set-cookie"].lower()


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost.evil"])
def test_a_form_of_another_site_is_refused(client: Client, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    answer = client().post(
        "/sign-in", data={"name": "li", "password": PASSWORD}, headers=headers
    )
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("name", "password"), [
    ("li", "wrong"), ("nobody", PASSWORD), ("<script>alert(1)</script>", "x"),
    ("' or 1=1 --", "x"), ("li\x00", PASSWORD),
])  # fmt: skip
def test_a_refusal_tells_nothing_and_repeats_nothing(
    client: Client, name: str, password: str
) -> None:
    answer = client().post(
        "/sign-in?lang=en", data={"name": name, "password": password}, headers=HERE
    )
    assert answer.status_code == 401
    assert "Account or password are not right." in answer.text
    assert name not in answer.text.replace('name="name"', "") or name == "li"
    assert "set-cookie" not in answer.headers


def test_a_huge_or_broken_form_is_refused(client: Client) -> None:
    own = client()
    for body in (b"name=" + b"x" * 10_000, b"name=%ff%fe&password=\xff", b"&".join([b"a=1"] * 99)):
        assert own.post("/sign-in", content=body, headers=HERE).status_code in (400, 401)


def test_the_lock_is_told_in_both_languages(client: Client) -> None:
    own = client()
    wrong = {"name": "li", "password": "wrong"}
    for _ in range(5):
        own.post("/sign-in", data=wrong, headers=HERE)
    right = {"name": "li", "password": PASSWORD}
    assert "锁定 15 分钟" in own.post("/sign-in?lang=zh", data=right, headers=HERE).text
    assert "locked for 15 minutes" in own.post("/sign-in?lang=en", data=right, headers=HERE).text


def test_every_answer_carries_the_headers(client: Client) -> None:
    own = client("li")
    for path in ("/", "/sign-in", "/healthz", "/nowhere"):
        told = own.get(path).headers
        assert {name: told[name] for name in fixed_headers()} == fixed_headers()
    policy = fixed_headers()["content-security-policy"]
    scripts = policy.partition("script-src ")[2].partition(";")[0]
    assert "unsafe" not in scripts
    assert "sha256-" in scripts
    assert "http" not in policy  # no other host, whatever the page asks for


@pytest.fixture
def one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The place of a process' own store, which it opened not yet."""
    place = tmp_path / "own" / "plans.gridwright"
    monkeypatch.setenv("GRIDWRIGHT_STORE", str(place))
    monkeypatch.setenv(access.VARIABLE, "local")
    monkeypatch.setattr(storage, "_store_at", cache(storage._store_at.__wrapped__))
    yield place
    if storage.was_opened():
        storage.open_store().close()


def test_health_needs_no_sign_in_and_tells_of_no_store(one_store: Path) -> None:
    own = TestClient(Starlette(routes=health.routes(), middleware=[Middleware(Guard)]))
    assert own.get("/healthz").json() == {"status": "ok"}  # nothing was ever kept
    assert not one_store.exists()
    with acting_as(SERVER):
        storage.the_store().projects()
    assert own.get("/healthz").json() == {"status": "ok"}
    one_store.parent.rename(one_store.parent.with_name("away"))
    answer = own.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "store out of reach"})
    one_store.parent.with_name("away").rename(one_store.parent)
    assert own.get("/healthz").json() == {"status": "ok"}


def test_streamlit_still_keeps_files_by_session() -> None:
    """The guard asks Streamlit's media manager whose a file is, by a name that may change."""
    from streamlit.runtime.media_file_manager import MediaFileManager

    assert "_files_by_session_and_coord" in vars(MediaFileManager(storage=None))  # type: ignore[arg-type]
    assert held_files.__module__ == "ui.web.guard"


def test_streamlit_guards_forms_and_sockets_against_other_sites() -> None:
    from streamlit import config
    from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed

    assert config.get_option("server.enableXsrfProtection") is True
    assert config.get_option("server.enableCORS") is True
    assert config.get_option("server.enableStaticServing") is False
    assert _is_origin_allowed("http://grid.example", "grid.example")
    assert not _is_origin_allowed("http://evil.example", "grid.example")
