"""The whole server with sign-in: accounts in Chromium, and a provider of the tests' own."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from serving import download, free_port, served
from synthetic import plan

from planning.planfile import write_plan
from store.policy import Grant
from store.projects import Store
from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD, CHANGED = "long-enough-1", "another-long-2"
KEY = "a-canary-that-must-not-sing"


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """A project's folder and a store with people."""
    (tmp_path / "county").mkdir()
    write_plan(plan(), tmp_path / "county" / "plan.gpkg")
    kept = tmp_path / "plans.gridwright"
    with Store(kept) as store:
        store.add_account("chief", PASSWORD, (Grant("administrator"),), must_change=False)
        store.add_account("li", PASSWORD, (Grant("viewer"),))
        both = (Grant("planner"), Grant("administrator"))
        store.add_account("wang", PASSWORD, both, must_change=False)
        store.add_account("zhao", None, (Grant("viewer"),))
    return {
        "GRIDWRIGHT_HOME": str(tmp_path / "home"), "GRIDWRIGHT_STORE": str(kept),
        "GRIDWRIGHT_PROJECT": str(tmp_path / "county"), "HOME": str(tmp_path),
    }  # fmt: skip


def enter(page: Page, address: str, name: str, password: str) -> None:
    page.goto(f"{address}/")
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("button").click()


def shown(page: Page) -> list[str]:
    page.locator("[data-testid=stSidebarNavLink]").first.wait_for()
    links = page.locator("[data-testid=stSidebarNavLink]").all()
    return sorted(str(link.get_attribute("href")).rpartition("/")[2] for link in links)


@pytest.mark.browser
def test_people_with_accounts_see_and_take_what_their_role_allows(
    chromium: Browser, place: dict[str, str], tmp_path: Path
) -> None:
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    environment = {**place, "GRIDWRIGHT_SIGN_IN": "local", "GRIDWRIGHT_LOG": "json",
                   "GRIDWRIGHT_KEY": KEY}  # fmt: skip
    with served(tmp_path / "log.txt", environment) as address:
        visitors = []
        for _ in range(2):
            context = chromium.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
            page = context.new_page()
            page.set_default_timeout(60_000)
            visitors.append(page)
        leader, planner = visitors

        enter(leader, address, "li", "wrong-password")
        leader.get_by_text("账号或密码不对").wait_for()
        enter(leader, address, "li", PASSWORD)
        leader.get_by_text("首次登录").wait_for()
        leader.goto(f"{address}/plan")
        assert leader.url.endswith("/sign-in/password")  # no way round it
        for field, value in (("old", PASSWORD), ("new", CHANGED), ("again", CHANGED)):
            leader.locator(f"input[name={field}]").fill(value)
        leader.locator("button").click()
        assert shown(leader) == ["", "levels", "plan"]
        leader.get_by_role("link", name="网格方案").click()
        leader.locator(".gw-numbers").wait_for()
        leader.get_by_text("li · 查看").wait_for()

        enter(planner, address, "wang", PASSWORD)
        assert shown(planner) == ["", "beats", "board", "download", "leader", "levels", "people",
                                  "project", "scenarios"]  # fmt: skip
        planner.get_by_role("link", name="人员与记录").click()
        planner.get_by_text("账号与角色").first.wait_for()
        planner.get_by_role("link", name="下载").click()
        taken: list[str] = []
        planner.on("request", lambda asked: taken.append(asked.url))
        download(planner, "download_csv", tmp_path / "grids.csv")
        assert (tmp_path / "grids.csv").read_bytes()
        media = next(url for url in taken if "/media/" in url)
        assert planner.request.get(media).status == 200
        assert leader.request.get(media).status == 404  # its address, passed on
        assert httpx2.get(media).status_code == 401

        leader.goto(f"{address}/board")
        shown(leader)
        assert leader.locator(".gw-hand").count() == 0
        leader.goto(f"{address}/plan")
        shown(leader)
        with Store(place["GRIDWRIGHT_STORE"]) as store:
            store.disable("li", actor="chief")
            actions = {(n.action, n.actor) for n in store.trail()}
        assert {("sign-in", "li"), ("export", "wang"), ("sign-in.refused", "li")} <= actions
        leader.get_by_text("English", exact=True).first.click()
        leader.get_by_text(re.compile("您没有登录|You are not signed in")).first.wait_for()
        planner.locator(".st-key-sign_out button").click()
        planner.get_by_text("您没有登录").wait_for()
        # its connection has been idle: the server may be closing it
        assert planner.request.get(media, max_retries=2).status == 401
        for page in visitors:
            page.context.close()
        figures = httpx2.get(f"{address}/metrics").text
        assert "gridwright_sign_ins_failed_total 1\n" in figures
        assert int(re.findall(r"^gridwright_reruns_total (\d+)", figures, re.M)[0]) >= 8
        assert re.findall(r"^gridwright_sessions (\d+)", figures, re.M)
        assert not re.search("wang|chief|li ", figures)
        passed_on = {"X-Forwarded-For": "10.1.2.3"}
        assert httpx2.get(f"{address}/metrics", headers=passed_on).status_code == 404
    log = (tmp_path / "log.txt").read_text("utf-8")
    assert not any(secret in log for secret in (PASSWORD, CHANGED, "wrong-password", KEY))
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"uvicorn.error"} <= {event["logger"] for event in events}
    assert "Traceback" not in log


# --- a provider of our own ----------------------------------------------------------------------


class Provider(ThreadingHTTPServer):
    """Speaks as much OpenID Connect as signing in takes; says of everybody what ``claims`` says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.claims: dict[str, Any] = {}
        self.nonce = ""

    def id_token(self) -> str:
        now = int(time.time())
        told = {
            "iss": self.address, "aud": "gridwright", "iat": now, "exp": now + 300,
            "nonce": self.nonce, **self.claims,
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": "1"}, told, self.key)


class _Answers(BaseHTTPRequestHandler):
    server: Provider

    def _json(self, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        at, own = urlsplit(self.path), self.server.address
        if at.path == "/.well-known/openid-configuration":
            self._json({
                "issuer": own, "authorization_endpoint": f"{own}/authorize",
                "token_endpoint": f"{own}/token", "jwks_uri": f"{own}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            })  # fmt: skip
        elif at.path == "/keys":
            self._json({"keys": [self.server.key.as_dict(private=False)]})
        else:
            asked = {name: values[0] for name, values in parse_qs(at.query).items()}
            self.server.nonce = asked.get("nonce", "")
            self.send_response(302)
            back = f"{asked['redirect_uri']}?code=c&state={asked['state']}"
            self.send_header("Location", back)
            self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._json({"access_token": "a", "token_type": "Bearer", "expires_in": 300,
                    "id_token": self.server.id_token()})  # fmt: skip

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def by_office(address: str) -> tuple[int, str, set[str]]:
    """Where a browser ends that follows the link of the sign-in: status, path, its cookies."""
    with httpx2.Client(follow_redirects=True, headers={"accept": "text/html"}) as client:
        page = client.get(f"{address}/")
        link = re.search(r'href="(/auth/login[^"]*)"', page.text)
        assert link is not None
        answer = client.get(address + link[1].replace("&amp;", "&"))
        return answer.status_code, answer.url.path, {one.name for one in client.cookies.jar}


def test_the_offices_provider_signs_in_whoever_has_a_place_here(
    place: dict[str, str], provider: Provider, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
        f'cookie_secret = "{"s" * 40}"\nclient_id = "gridwright"\nclient_secret = "hidden-secret"\n'
        f'server_metadata_url = "{provider.address}/.well-known/openid-configuration"\n',
        encoding="utf-8",
    )
    environment = {**place, "GRIDWRIGHT_SIGN_IN": "office", "NO_PROXY": "127.0.0.1"}
    with served(tmp_path / "log.txt", environment, port=port) as address:
        provider.claims = {"sub": "7", "preferred_username": "zhao"}
        status, path, cookies = by_office(address)
        assert (status, path) == (200, "/")
        assert "gridwright" in cookies
        assert not any(name.startswith("_streamlit_user") for name in cookies)

        for claims in (
            {"sub": "8", "preferred_username": "zhao"},  # somebody else of that name
            {"sub": "9", "preferred_username": "wang"},  # an account with a password
        ):
            provider.claims = claims
            status, _, cookies = by_office(address)
            assert status == 403
            assert "gridwright" not in cookies

        provider.claims = {"sub": "7", "aud": "another", "preferred_username": "zhao"}
        _, path, cookies = by_office(address)  # a word that was said to somebody else
        assert path == "/sign-in"
        assert "gridwright" not in cookies

        forged = httpx2.get(
            f"{address}/", cookies={"_streamlit_user": "2|1:0|forged"},
            headers={"accept": "text/html"},
        )  # fmt: skip
        assert (forged.status_code, forged.headers["location"]) == (303, "/sign-in")
    log = (tmp_path / "log.txt").read_text("utf-8")
    assert "hidden-secret" not in log
    with Store(place["GRIDWRIGHT_STORE"]) as store:
        told = [(n.action, n.object) for n in store.trail(action="sign-in")]
    assert told == [("sign-in", "account/zhao"), *[("sign-in.refused", "account/?")] * 2]
