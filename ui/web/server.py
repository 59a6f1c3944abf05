"""The application as a web server: Streamlit between our guard, our headers and our own pages.

``streamlit run`` finds :data:`app` here (:mod:`ui.start`).
"""

from __future__ import annotations

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.web.server.starlette import App

from ui.web import drawn, figures, health, signin
from ui.web.guard import Guard
from ui.web.headers import SecurityHeaders
from ui.web.leaving import leaving
from ui.web.library import LibraryFiles

PAGES = Path(__file__).resolve().parents[2] / "app.py"

app = App(
    PAGES,
    routes=[*signin.routes(), *health.routes(), *figures.routes(), *drawn.routes()],
    middleware=[Middleware(SecurityHeaders), Middleware(Guard), Middleware(LibraryFiles)],
    lifespan=leaving,
)
