"""What every test may ask for: real data beside the repository, and a browser without internet.

Environment:
``GRIDWRIGHT_REAL_DATA``  directory of the real data sets; default ``../shared/real``.
``GRIDWRIGHT_CHROMIUM``  the browser's program; default: the first Chromium found, the
headless shell before others.
``GRIDWRIGHT_REQUIRE_BROWSER=1``  a missing browser fails the test instead of skipping it.
``GRIDWRIGHT_REQUIRE_POSTGRES=1``  the same for PostgreSQL with PostGIS.
``GRIDWRIGHT_PICTURES``  a folder for a picture of each page of a browser test that fails.
``GRIDWRIGHT_LONG=1``  the whole runs of killed and interleaved writers (docs/store.md), and an
installation without a network (docs/deploy.md).
``HYPOTHESIS_PROFILE``  ``dev`` (default) or ``ci`` (fewer examples, the same every time).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

REPOSITORY = Path(__file__).resolve().parents[1]

# No deadline anywhere: a loaded machine is not a defect of the program.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=50,  # the same fifty each time; "dev" looks at a hundred new ones
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

DEAD_END = "http://127.0.0.1:9"  # the discard port: nothing listens
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # continuous integration runs as root, where the sandbox cannot start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names lead nowhere, and so do addresses (the proxy below): a page that needs the internet
    # must fail here as it would on a closed network. Chromium never sends loopback to a proxy.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    # As an argument, because Playwright's own proxy setting takes loopback's exemption away.
    f"--proxy-server={DEAD_END}",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that drive a browser first: they wait most, and one begun last would run alone."""
    browsing = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in browsing)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Say what stood on the pages of a browser test that failed: it may fail but once in ten."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    opened = [page for browser in _BROWSERS for one in browser.contexts for page in one.pages]
    for number, page in enumerate(opened):
        if not page.is_closed():
            seen = f"{page.url}\n{page.locator('body').inner_text()[:3000]}"
            report.sections.append(("what the page showed", seen))
            if pictures := os.environ.get("GRIDWRIGHT_PICTURES"):
                page.screenshot(path=Path(pictures) / f"{item.name}-{number}.png")


@pytest.fixture(autouse=True)
def _main_stays() -> Iterator[None]:
    """Streamlit runs a page as ``__main__`` and leaves it there; a process that is spawned later
    would run that page's file, which may be gone, before its own work."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Return a function: name of a real data set (or a path below it) -> its path, or skip."""
    root = Path(os.environ.get("GRIDWRIGHT_REAL_DATA", REPOSITORY.parent / "shared" / "real"))

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f"the real data set {name!r} is not here (looked in {root})")
        return path

    return find


def _without_browser(reason: str) -> None:
    if os.environ.get("GRIDWRIGHT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason}, and GRIDWRIGHT_REQUIRE_BROWSER=1 asks for one")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium per test process; open a context of your own (``chromium.new_context()``).

    Nothing but loopback answers it. While it runs, the main thread holds an event loop, so a test
    in the same process cannot call ``asyncio.run`` itself.
    """
    named = os.environ.get("GRIDWRIGHT_CHROMIUM")
    # the shell is the same browser without windows of its own, which cost a quarter of its work
    known = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
    candidates = [named] if named else known
    program = next(filter(None, map(shutil.which, candidates)), None)
    if program is None:
        _without_browser(f"no browser found ({', '.join(candidates)})")
    playwright_api = pytest.importorskip("playwright.sync_api")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            args=CHROMIUM_ARGUMENTS,
        )
        plain = browser.new_context

        def listening(**settings: Any) -> BrowserContext:
            context = plain(**settings)
            context.on("console", lambda said: _note_refusal(said.text))
            return context

        browser.new_context = listening  # type: ignore[method-assign]
        _BROWSERS.append(browser)
        yield browser
        _BROWSERS.remove(browser)
        browser.close()


_REFUSED: list[str] = []
_BROWSERS: list[Browser] = []


def _note_refusal(text: str) -> None:
    if "Content Security Policy" in text:
        _REFUSED.append(text)


@pytest.fixture(autouse=True)
def _nothing_is_refused() -> Iterator[None]:
    """The content policy lets every page of every browser test do what it does."""
    _REFUSED.clear()
    yield
    assert _REFUSED == []


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page with nothing stored, the size of the smallest screen the program supports."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    yield context.new_page()
    context.close()
