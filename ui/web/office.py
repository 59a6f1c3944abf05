"""What the office's OpenID Connect provider vouches for, as Streamlit and Authlib verified it.

Streamlit keeps it in a cookie that it signs. We take the provider's word once, at its first visit
after the provider, and give a sign-in of our own for it (:mod:`ui.web.signin`).
"""

from __future__ import annotations

import json
import os
import time

from starlette.requests import Request

CLAIMS = "_streamlit_user"
NAME_CLAIM = "GRIDWRIGHT_OFFICE_NAME"
"""Environment: the claim that names an account at its first sign-in (preferred_username)."""


def provider_token() -> str:
    """Names the provider of the secrets' [auth] section, for Streamlit's own way to it."""
    from streamlit.auth_util import encode_provider_token

    return encode_provider_token("default")


def office_person(request: Request) -> tuple[str, str] | None:
    """(issuer|subject, name) of whoever the provider signed in just now, or None.

    None also for what the provider's statement says is over (``exp``).
    """
    from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

    def one(name: str) -> bytes | None:
        raw = request.cookies.get(name)
        if raw is None:
            return None
        return decode_signed_value(get_cookie_secret(), name, raw.encode("latin-1"))

    held = get_cookie_with_chunks(one, CLAIMS)
    if not held:
        return None
    try:
        told = json.loads(held)
    except ValueError:
        return None
    ours = told.get("origin") == get_origin_from_redirect_uri()
    fresh = float(told.get("exp") or 0) > time.time()
    if not (told.get("is_logged_in") and ours and fresh and told.get("iss") and told.get("sub")):
        return None
    claim = os.environ.get(NAME_CLAIM) or "preferred_username"
    return f"{told['iss']}|{told['sub']}", str(told.get(claim) or "")
