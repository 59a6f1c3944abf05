"""Headers that every answer carries: what the browser may load, frame and remember."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)

_POLICY = (
    "default-src 'self'",
    # Streamlit's components are modules it makes from text; its charts compile expressions
    "script-src 'self' blob:{inline}",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "frame-src 'self' blob: data:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)


def content_policy() -> str:
    """The content security policy: this server alone, no script but its files'.

    Streamlit's first page holds a script of its own; it is let through by its hash.
    """
    page = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    hashes = (sha256(script.encode("utf-8")).digest() for script in _INLINE.findall(page))
    inline = "".join(f" 'sha256-{b64encode(one).decode('ascii')}'" for one in hashes)
    return "; ".join(_POLICY).replace("{inline}", inline)


def fixed_headers() -> dict[str, str]:
    """Header -> value, the same for every answer."""
    return {
        "content-security-policy": content_policy(),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # not no-referrer: browsers then send forms with "Origin: null", and ours ask where from
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "x-robots-tag": "noindex",
    }


class SecurityHeaders:
    """Adds :func:`fixed_headers` to what the application answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.fixed = fixed_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; only the start of an answer is touched."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.fixed.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)
