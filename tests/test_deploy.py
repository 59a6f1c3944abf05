"""What is shipped for a server: units that systemd reads, a proxy that keeps people out."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from proxy import NAME, Proxy, proxied

REPOSITORY = Path(__file__).resolve().parents[1]
DEPLOY = REPOSITORY / "docs" / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])


def settings(unit: Path) -> dict[str, list[str]]:
    """``Section.Key`` -> its values, in order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, f"{unit.name}: {line}"
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


@pytest.mark.parametrize("name", ["gridwright.service", "gridwright-backup.service"])
def test_a_unit_may_write_where_it_must_and_nowhere_else(name: str) -> None:
    unit = settings(DEPLOY / name)
    for key, value in {
        "User": "gridwright", "ProtectSystem": "strict", "ProtectHome": "yes",
        "PrivateTmp": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "",
        "UMask": "0077", "IPAddressDeny": "any", "StateDirectoryMode": "0700",
    }.items():  # fmt: skip
        assert unit[f"Service.{key}"] == [value], key
    assert "MemoryMax" in str(unit)
    assert "Service.ReadWritePaths" not in unit  # its own state and cache are enough


def test_no_unit_and_no_example_holds_a_secret() -> None:
    unit = settings(DEPLOY / "gridwright.service")
    assert unit["Service.EnvironmentFile"] == ["-/etc/gridwright/gridwright.env"]
    for path in DEPLOY.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"(?i)(password|secret|_KEY)\s*=\s*\S", text), path.name
        assert "://gridwright:" not in text, path.name


def test_the_service_listens_on_loopback_and_comes_back() -> None:
    unit = settings(DEPLOY / "gridwright.service")
    (start,) = unit["Service.ExecStart"]
    assert "--address 127.0.0.1" in start
    assert "--headless" in start
    assert unit["Service.Restart"] == ["on-failure"]
    assert unit["Service.LimitCORE"] == ["0"]


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze here, and nothing else reads units")
    for unit in UNITS:
        # the program is not installed where the units look for it
        text = unit.read_text("utf-8").replace("/opt/gridwright/current/venv/bin/", "/bin/echo ")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program, "verify", "--man=no", *(tmp_path / unit.name for unit in UNITS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_proxy_takes_what_the_program_takes() -> None:
    config = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text("utf-8"))
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    (most,) = re.findall(r"client_max_body_size (\d+)m;", text)
    assert config["server"]["maxUploadSize"] < int(most) <= config["server"]["maxUploadSize"] + 20


class Echo(BaseHTTPRequestHandler):
    """Answers with the request as it arrived."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: in two, each would wait for the other's receipt

    def do_GET(self) -> None:
        body = f"{self.command} {self.path}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (the server looks it up by this name)

    def do_BREAK(self) -> None:
        """No answer at all, as of a program that just ended."""
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: a test's output is not the place."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    application = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=application.serve_forever, daemon=True).start()
    with proxied(tmp_path_factory.mktemp("nginx"), application.server_port) as found:
        yield found
    application.shutdown()
    application.server_close()


class Named(http.client.HTTPSConnection):
    """A connection to loopback under the example's name."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(NAME, proxy.secure, timeout=20, context=proxy.trust)

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


def ask(
    proxy: Proxy, path: str, *, method: str = "GET", host: str = NAME, **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    connection = Named(proxy)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": host, **sent})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def many(proxy: Proxy, methods: list[str], path: str, **headers: str) -> list[int]:
    """The same asked again and again, by one connection; what is counted is the address."""
    connection, answers = Named(proxy), []
    try:
        for method in methods:
            connection.request(method, path, headers={"Host": NAME, **headers})
            answer = connection.getresponse()
            answer.read()
            answers.append(answer.status)
    finally:
        connection.close()
    return answers


def test_nobody_becomes_somebody_else_by_a_header(proxy: Proxy) -> None:
    status, headers, seen = ask(
        proxy, "/plan", X_Forwarded_User="admin", X_Remote_User="admin", Remote_User="admin",
        X_Forwarded_For="10.9.8.7", X_Forwarded_Host="evil.example", Forwarded="for=10.9.8.7",
        X_Forwarded_Proto="http",
    )  # fmt: skip
    assert status == 200
    assert "admin" not in seen
    assert "10.9.8.7" not in seen
    assert "evil.example" not in seen
    assert f"Host: {NAME}" in seen
    assert "X-Forwarded-For: 127.0.0.1" in seen
    assert "X-Forwarded-Proto: https" in seen
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["Server"] == "nginx"  # and not which


def test_a_websocket_is_passed_on(proxy: Proxy) -> None:
    _, _, seen = ask(proxy, "/_stcore/stream", Connection="Upgrade", Upgrade="websocket")
    assert "Upgrade: websocket" in seen
    assert "Connection: upgrade" in seen
    _, _, seen = ask(proxy, "/_stcore/host-config")
    assert "upgrade" not in seen.lower()


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/healthz", "/_stcore/metrics", "/%6detrics", "//metrics", "/metrics?x"],
)
def test_figures_and_health_are_not_for_the_public(proxy: Proxy, path: str) -> None:
    assert ask(proxy, path)[0] == 404


def test_what_pages_need_to_start_is_passed_on(proxy: Proxy) -> None:
    """A page asks for these before it opens its websocket, and for a hundred files at once."""
    for path in ("/_stcore/health", "/_stcore/host-config"):
        assert ask(proxy, path)[0] == 200
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda n: ask(proxy, f"/static/js/{n}.js")[0], range(120)))
    assert set(answers) == {200}


def test_another_name_gets_no_answer(proxy: Proxy) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, "/", host="evil.example")


def test_plain_http_leads_to_tls_under_the_own_name(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.plain, timeout=20)
    connection.request("GET", "/plan?x=1", headers={"Host": "evil.example"})
    answer = connection.getresponse()
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://{NAME}/plan?x=1"
    connection.close()


def test_an_office_behind_one_address_signs_in_and_guessing_is_slowed_down(proxy: Proxy) -> None:
    """Fifty people at eight o'clock: each looks at the form, sends it, and goes on."""
    day = many(proxy, ["GET", "POST"] * 50, "/sign-in")
    assert set(day) == {200}
    sent = many(proxy, ["POST"] * 30, "/sign-in/password")
    assert sent.count(200) <= 15  # sixty in all at once, and what the seconds between them allow
    assert set(sent) == {200, 429}
    assert ask(proxy, "/sign-in")[0] == 200  # the form is still shown, and other pages go on
    assert ask(proxy, "/plan")[0] == 200


def test_no_log_holds_what_stands_after_the_question_mark(proxy: Proxy) -> None:
    secret = "4f1c-not-to-be-kept"
    came_from = f"https://{NAME}/?plan={secret}"
    for path in ("/oauth2callback", "/", "/sign-in", "/metrics", "/static/gone"):
        ask(proxy, f"{path}?code={secret}&state={secret}", Referer=came_from)
    # so many that some are refused, which another log would tell of
    assert 429 in many(proxy, ["POST"] * 70, f"/sign-in?lang={secret}", Referer=came_from)
    plain = http.client.HTTPConnection("127.0.0.1", proxy.plain, timeout=20)
    plain.request("GET", f"/?plan={secret}", headers={"Host": NAME, "Referer": came_from})
    plain.getresponse().read()
    plain.close()
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, f"/?plan={secret}", host="evil.example")
    assert ask(proxy, f"/gone?code={secret}", method="BREAK", Referer=came_from)[0] == 502
    logs = {path.name: path.read_text("utf-8") for path in proxy.folder.glob("*.log")}
    assert {"gridwright.log", "gridwright-error.log"} <= set(logs)
    assert "GET /oauth2callback HTTP/1.1" in logs["gridwright.log"]
    assert '"POST /sign-in HTTP/1.1" 429' in logs["gridwright.log"]
    assert [name for name, text in logs.items() if secret in text] == []
