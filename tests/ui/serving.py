"""The application on a port of its own, and what every test does that drives it in a browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REPOSITORY = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    log: Path,
    environment: Mapping[str, str],
    *,
    program: str = "ui.start",
    port: int | None = None,
) -> Iterator[str]:
    """The application's address while it runs; RuntimeError when it does not start.

    ``program`` the module that starts it: ``ui.start`` as ``gridwright serve`` does, so that pages
    are under the content policy they are shipped with; ``streamlit`` without all that.
    """
    port = port or free_port()
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", program, "run", "app.py", "--server.port", str(port),
             "--server.headless", "true"],
            cwd=REPOSITORY, env={**os.environ, **environment},
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                try:
                    well = "healthz" if program == "ui.start" else "_stcore/health"
                    with urllib.request.urlopen(f"{address}/{well}", timeout=2) as answer:
                        if answer.status == 200:
                            break
                except OSError:
                    time.sleep(0.25)
            else:
                raise RuntimeError("the application did not start: " + log.read_text())
            yield address
        finally:
            server.terminate()
            server.wait(20)


class Window:
    """One window that the tests of a file open after one another, each with nothing stored.

    A browser that has just read a server's scripts opens its page in half the processor time. What
    a visitor leaves behind does not last: cookies, storage, a mouse over the map, a second window.
    ``outside``: what was asked of other machines, ``broken``: errors of scripts, both since the
    last :meth:`fresh`.
    """

    def __init__(self, browser: Browser, script: str = "", **settings: Any) -> None:
        self.settings = {"locale": "zh-CN", "color_scheme": "light"} | settings
        self.context = browser.new_context(
            viewport={"width": 1366, "height": 768}, **self.settings
        )
        if script:
            self.context.add_init_script(script)
        self.outside: list[str] = []
        self.broken: list[str] = []
        self._page: Page | None = None

    def fresh(self, address: str) -> Page:
        """The window as if it had just been opened; for the application at ``address``."""
        page = self._page
        if page is None or page.is_closed():
            page = self._page = self._open()
        for other in self.context.pages:
            if other is not page:
                other.close()
        # A page of the same server, for a browser forgets the scripts of one that it has left.
        page.goto(f"{address}/healthz")
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        self.context.clear_cookies()
        page.mouse.move(0, 0)
        page.emulate_media(color_scheme=self.settings["color_scheme"])
        page.set_default_timeout(60_000)  # a loaded machine is not a defect of the program
        self.outside.clear()
        self.broken.clear()
        return page

    def _open(self) -> Page:
        page = self.context.new_page()
        page.on("request", lambda asked: self._note(asked.url))
        page.on("websocket", lambda opened: self._note(opened.url))
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        return page

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.outside.append(url)

    def close(self) -> None:
        """For good."""
        self.context.close()


IDLE = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const busy = app?.getAttribute('data-test-script-state') !== 'notRunning'
    || document.querySelector('[data-testid=stStatusWidget], [data-stale=true]');
  if (busy) { window.gwIdle = 0; return false; }
  window.gwIdle = (window.gwIdle || 0) + 1;  // asked at each frame: three of them, drawn and quiet
  return window.gwIdle > 3;
}"""


def idle(page: Page) -> None:
    """Wait until no script of the page runs and all it sent is drawn.

    What is clicked before may be an element of the run before: a list that has just opened closes
    again, and a button's file was forgotten with its run.
    """
    page.evaluate("() => { window.gwIdle = 0; }")
    page.wait_for_function(IDLE)


def download(page: Page, key: str, path: Path) -> str:
    """Take the file of the download button ``key`` to ``path``; the name it was offered under."""
    button = page.locator(f".st-key-{key} button").first
    button.wait_for()
    idle(page)
    with page.expect_download() as coming:
        button.click()
    coming.value.save_as(path)
    return coming.value.suggested_filename
