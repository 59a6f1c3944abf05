"""What the repository must not hold, and what must stay switched off."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPOSITORY = Path(__file__).resolve().parents[1]
LOCKS = sorted((REPOSITORY / ".ci").glob("*.lock"))
BINARY = {".png", ".jpg", ".gpkg", ".parquet", ".zip", ".xlsx", ".xls", ".shp", ".shx", ".dbf"}
AT_THE_TOP = {
    ".ci", ".gitignore", ".streamlit", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "README.md",
    "app.py", "benchmarks", "cli", "data", "docs", "geo", "incidents", "planning",
    "pyproject.toml", "store", "tests", "ui",
}  # fmt: skip
# Directories that belong to one machine. /usr and /etc are the same on all of them, and the shipped
# installer puts the program into /opt/gridwright on every server.
MACHINE_PATH = re.compile(
    r"(?<![\w.:*}-])/(?:home|Users|root|tmp|opt(?!/gridwright\b)|work|mnt|srv|var/folders)/\w"
)
ADDRESS = re.compile(r"\w+://|\bfile:|@ |--(?:index|extra-index|find-links|trusted)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b|\braise NotImplemented" r"Error")


def tracked() -> list[Path]:
    """Files git tracks, or would track; without git, everything that make does not create."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode != 0:
        pytest.skip("not a git working copy, so what belongs to the repository is not known")
    paths = [REPOSITORY / name for name in listing.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts() -> Iterator[tuple[str, str]]:
    for path in tracked():
        if path.suffix.lower() not in BINARY:
            yield str(path.relative_to(REPOSITORY)), path.read_text("utf-8", errors="replace")


def configured_registries() -> set[str]:
    """Hosts of the package registries this machine is set up to use, whatever they are."""
    commands = [
        [sys.executable, "-m", "pip", "config", "list"],
        ["npm", "config", "get", "registry"],
    ]
    words = " ".join(
        value for key, value in os.environ.items() if re.search("INDEX|REGISTRY", key.upper())
    )
    for command in commands:
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:  # no npm here: then it names no registry either
            continue
        words += " " + result.stdout
    addresses = re.findall(r"https?://[^\s'\"]+", words)
    return {host for address in addresses if (host := urlsplit(address).hostname)}


def test_top_level_holds_only_what_the_design_names() -> None:
    assert {path.relative_to(REPOSITORY).parts[0] for path in tracked()} <= AT_THE_TOP


def test_no_path_of_one_machine() -> None:
    # repr: a checkout directly under / has no name to look for.
    here = [str(REPOSITORY)] if len(REPOSITORY.parts) > 2 else []
    found = [
        f"{name}: {match}"
        for name, text in texts()
        for match in [*MACHINE_PATH.findall(text), *(path for path in here if path in text)]
    ]
    assert found == []


def test_no_registry_host() -> None:
    hosts = configured_registries()
    found = [f"{name}: {host}" for name, text in texts() for host in hosts if host in text]
    assert found == []


def test_no_large_file() -> None:
    assert [path.name for path in tracked() if path.stat().st_size > 2_000_000] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_pins_and_hashes_every_line(lock: Path) -> None:
    entries = lock.read_text("utf-8").replace("\\\n", " ").splitlines()
    packages = [entry for entry in entries if entry and not entry.startswith("#")]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+ ", package), package
        assert HASH.search(package), package
        assert not ADDRESS.search(package), package


def test_locks_agree() -> None:
    """One environment can hold what runs, tests and benchmarks the program."""
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text("utf-8"), re.M):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_lock_covers_what_the_project_names() -> None:
    table = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    locked = (REPOSITORY / ".ci" / "requirements.lock").read_text("utf-8")
    for requirement in table["project"]["dependencies"]:
        name = re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==", locked, re.M), f"run make lock: {name}"


def test_browser_libraries_are_locked_without_addresses() -> None:
    lock = json.loads((REPOSITORY / "ui/board/package-lock.json").read_text("utf-8"))
    libraries = {name: entry for name, entry in lock["packages"].items() if name}
    assert libraries
    for name, entry in libraries.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


def test_streamlit_keeps_to_itself() -> None:
    config = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableStaticServing"] is False
    assert config["client"]["showErrorDetails"] == "none"
    assert config["client"]["showErrorLinks"] is False
    assert config["runner"]["postScriptGC"] is False


def test_streamlit_knows_every_setting() -> None:
    """A misspelt name would be ignored, and telemetry on again without a word."""
    from streamlit import config as known

    config = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text("utf-8"))
    names = {f"{section}.{name}" for section, table in config.items() for name in table}
    assert names - set(known.get_config_options()) == set()


def silent_handlers(tree: ast.Module) -> Iterator[str]:
    """``except:`` without a class, and ``except Exception`` that does nothing."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield f"line {node.lineno}: bare except"
        elif ast.unparse(node.type) in {"Exception", "BaseException"} and all(
            isinstance(statement, ast.Pass | ast.Continue) for statement in node.body
        ):
            yield f"line {node.lineno}: an exception vanishes"


def test_no_exception_vanishes() -> None:
    found = [
        f"{name}: {complaint}"
        for name, text in texts()
        if name.endswith(".py")
        for complaint in silent_handlers(ast.parse(text))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("body", "seen"),
    [("except: raise", True), ("except Exception: pass", True), ("except OSError: pass", False),
     ("except Exception as error: report(error)", False)],
)  # fmt: skip
def test_the_check_for_vanishing_exceptions(body: str, seen: bool) -> None:
    assert bool(list(silent_handlers(ast.parse(f"try: f()\n{body}")))) is seen


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{name}: {match}"
        for name, text in texts()
        if name.endswith(".py")
        for match in UNFINISHED.findall(text)
    ]
    assert found == []


class _Listener(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(b"<title>reached</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def loopback() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Listener) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.browser
def test_the_browser_of_the_tests_reaches_loopback_and_nothing_else(
    page: Page, loopback: str
) -> None:
    page.goto(loopback)
    assert page.title() == "reached"
    ask = "address => fetch(address, {mode: 'no-cors'}).then(() => 'reached', () => 'refused')"
    assert page.evaluate(ask, loopback) == "reached"
    # The second address is reserved for documentation (RFC 5737); no name to resolve.
    for outside in ["http://example.org/", "http://192.0.2.1/", "https://192.0.2.1/"]:
        assert page.evaluate(ask, outside) == "refused", outside


def test_no_svg_is_made_of_data() -> None:
    """Names go into maps as text of a canvas, of a PDF, or of an element: never as markup."""
    marks = re.compile(r"<svg|createElementNS|image/svg|format=.svg|innerHTML|insertAdjacentHTML")
    makers = [
        (name, marks.search(text))
        for name, text in texts()
        if name.endswith((".py", ".js")) and not name.startswith(("tests/", "docs/"))
    ]
    assert len(makers) > 200
    assert [name for name, found in makers if found] == []
