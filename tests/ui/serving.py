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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
