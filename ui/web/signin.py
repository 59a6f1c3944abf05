"""Signing in, changing a password, signing out: three small pages that need no script."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, urlsplit

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from geo.problems import InputError
from store.accounts import HOURS, LEAST, LOCKED_MINUTES, SignInError
from store.trouble import is_trouble
from ui.access import COOKIE, LAST_SEEN, NONE, OFFICE, SIGN_IN, sign_in_mode
from ui.frame import NAMES
from ui.metrics import METRICS
from ui.storage import open_store
from ui.web.office import CLAIMS, office_person, provider_token
from ui.words import LANGUAGES, Language, chosen_language, word

if TYPE_CHECKING:
    from store.projects import Store

log = logging.getLogger("gridwright.web")

LONGEST = 4_096  # bytes of a form
_AT_ONCE = CapacityLimiter(2)  # a password's hash takes a core and 19 MiB
TROUBLE = (InputError, OSError, SQLAlchemyError)
T = TypeVar("T")

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; --ink: #1d2733; --ground: #f4f5f6; --card: #fff; --line: #c3cad2;
  --mark: #2c5d94; --mark-ink: #fff; --bad: #a3241d; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e8ebee; --ground: #16181b; --card: #22262b;
  --line: #4a525b; --mark: #7fb2e8; --mark-ink: #10151b; --bad: #ff9d94; }} }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; color: var(--ink);
  background: var(--ground); font: 16px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei",
  sans-serif; }}
main {{ width: min(22rem, calc(100vw - 4rem)); padding: 1.6rem 1.8rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; }}
h1 {{ margin: 0 0 1rem; font-size: 1.25rem; }}
label {{ display: block; margin-top: .8rem; font-size: .9rem; }}
input {{ box-sizing: border-box; width: 100%; padding: .5rem .6rem; margin-top: .2rem;
  font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: 4px; }}
button, a.do {{ display: block; box-sizing: border-box; width: 100%; margin-top: 1.2rem;
  padding: .55rem; font: inherit; text-align: center; text-decoration: none; cursor: pointer;
  color: var(--mark-ink); background: var(--mark); border: 0; border-radius: 4px; }}
p {{ margin: .8rem 0 0; font-size: .9rem; }} p.bad {{ color: var(--bad); }}
nav {{ margin-top: 1.2rem; font-size: .85rem; }} nav a {{ color: inherit; }}
</style></head><body><main><h1>{title}</h1>{body}
<p>{notice}</p><nav>{other}</nav></main></body></html>"""


def routes() -> list[Route]:
    """What the server answers without a sign-in."""
    return [
        Route(SIGN_IN, show_sign_in, methods=["GET"]),
        Route(SIGN_IN, enter, methods=["POST"]),
        Route(f"{SIGN_IN}/password", show_change, methods=["GET"]),
        Route(f"{SIGN_IN}/password", change, methods=["POST"]),
        Route(f"{SIGN_IN}/office", enter_by_office, methods=["GET"]),
    ]


def _language(request: Request) -> Language:
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return asked  # type: ignore[return-value]
    return chosen_language(None, request.headers.get("accept-language", ""))


def _page(request: Request, title: str, body: str, status: int = 200) -> Response:
    lang = _language(request)
    other = " · ".join(
        f'<a href="?lang={one}" lang="{one}">{name}</a>'
        for one, name in NAMES.items()
        if one != lang
    )
    told = {"title": word(title, lang), "notice": word("signin.notice", lang)}
    told = {name: html.escape(value) for name, value in told.items()}
    return HTMLResponse(
        _PAGE.format(lang=lang, body=body, other=other, **told), status,
        headers={"cache-control": "no-store"},
    )  # fmt: skip


def _field(name: str, label: str, kind: str, complete: str) -> str:
    return (
        f'<label>{html.escape(label)}<input name="{name}" type="{kind}" '
        f'autocomplete="{complete}" required maxlength="200"></label>'
    )


def _said(sentence: str) -> str:
    return f'<p class="bad" role="alert">{html.escape(sentence)}</p>' if sentence else ""


def sign_in_page(request: Request, sentence: str = "", status: int = 200) -> Response:
    """The form, or the link to the office's provider."""
    lang = _language(request)
    if sign_in_mode() == OFFICE:
        link = html.escape(f"/auth/login?provider={provider_token()}")
        told = html.escape(word("signin.office", lang))
        body = f'{_said(sentence)}<a class="do" href="{link}">{told}</a>'
        return _page(request, "signin.title", body, status)
    body = (
        f'<form method="post" action="{SIGN_IN}?lang={lang}">{_said(sentence)}'
        + _field("name", word("signin.name", lang), "text", "username")
        + _field("password", word("signin.password", lang), "password", "current-password")
        + f"<button>{html.escape(word('signin.enter', lang))}</button></form>"
    )
    return _page(request, "signin.title", body, status)


async def show_sign_in(request: Request) -> Response:
    """GET: the form; straight to the application where nobody needs to sign in."""
    if sign_in_mode() == NONE:
        return RedirectResponse("/", 303)
    if sign_in_mode() == OFFICE and office_person(request) is not None:
        return RedirectResponse(f"{SIGN_IN}/office", 303)  # back from the provider
    return sign_in_page(request)


def from_here(request: Request) -> bool:
    """Was the form sent by a page of this server? Browsers say so with every POST."""
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


async def form_of(request: Request) -> dict[str, str] | None:
    """The fields of a form, or None for what is none of ours."""
    if not from_here(request):
        return None
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            return None
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=8)
    except (UnicodeDecodeError, ValueError):
        return None
    return {name: values[0] for name, values in fields.items()}


def with_cookie(response: Response, request: Request, token: str) -> Response:
    """Hand the token to the browser: to no script, no other site, over TLS where there is TLS."""
    forwarded = request.headers.get("x-forwarded-proto", "").strip().lower()
    response.set_cookie(
        COOKIE, token, max_age=HOURS * 3600, path="/", httponly=True, samesite="lax",
        secure=forwarded == "https" or request.url.scheme == "https",
    )  # fmt: skip
    return response


async def enter(request: Request) -> Response:
    """POST: name and password."""
    fields = await form_of(request)
    if fields is None:
        return PlainTextResponse("Refused", 400)
    lang = _language(request)
    name, password = fields.get("name", "").strip(), fields.get("password", "")
    try:
        token = await _asked(lambda store: store.sign_in(name, password), _AT_ONCE)
    except SignInError as error:
        METRICS.count("gridwright_sign_ins_failed_total")
        key = "signin.locked" if error.locked else "signin.refused"
        return sign_in_page(request, word(key, lang, minutes=LOCKED_MINUTES)
                            if error.locked else word(key, lang), 401)  # fmt: skip
    except TROUBLE as error:
        return _busy(request, error)
    return with_cookie(RedirectResponse("/", 303), request, token)


async def _asked(work: Callable[[Store], T], limiter: CapacityLimiter | None = None) -> T:
    """What the store answers, in a thread: opening it, too, may take a while, and everybody's
    pages wait for whoever holds the loop."""
    return await to_thread.run_sync(lambda: work(open_store()), limiter=limiter)


def _busy(request: Request, error: Exception) -> Response:
    """The store does not answer; the page of the sign-in says so."""
    log.error("nobody can sign in: %s", type(error).__name__)
    return sign_in_page(request, word("signin.busy", _language(request)), 503)


async def enter_by_office(request: Request) -> Response:
    """After the office's provider: its word becomes a sign-in of our own, which can be ended."""
    claims = office_person(request)
    lang = _language(request)
    if sign_in_mode() != OFFICE or claims is None:
        return RedirectResponse(SIGN_IN, 303)
    subject, name = claims
    try:
        token = await _asked(lambda store: store.sign_in_subject(subject, name))
    except SignInError:
        METRICS.count("gridwright_sign_ins_failed_total")
        return _forget_provider(sign_in_page(request, word("signin.unknown", lang), 403), request)
    except TROUBLE as error:
        return _busy(request, error)  # the provider's word is kept: it may be tried again
    return _forget_provider(with_cookie(RedirectResponse("/", 303), request, token), request)


def _forget_provider(response: Response, request: Request) -> Response:
    """The provider's cookie would hold for thirty days, whatever becomes of the account."""
    for name in request.cookies:
        if name.startswith(CLAIMS):
            response.delete_cookie(name, path="/")
    return response


async def show_change(request: Request, sentence: str = "", status: int = 200) -> Response:
    """GET: a new password."""
    lang, token = _language(request), request.cookies.get(COOKIE, "")
    try:
        who = await _asked(lambda store: store.who(token))
    except TROUBLE as error:
        return _busy(request, error)
    if who is None:
        return RedirectResponse(SIGN_IN, 303)
    first = word("signin.must_change", lang, least=LEAST) if who.must_change else ""
    body = (
        f'<form method="post" action="{SIGN_IN}/password?lang={lang}">{_said(sentence or first)}'
        + _field("old", word("signin.old", lang), "password", "current-password")
        + _field("new", word("signin.new", lang), "password", "new-password")
        + _field("again", word("signin.again", lang), "password", "new-password")
        + f"<button>{html.escape(word('signin.change', lang))}</button></form>"
    )
    return _page(request, "signin.change", body, status)


async def change(request: Request) -> Response:
    """POST: a new password; the other sign-ins of the account end."""
    fields = await form_of(request)
    if fields is None:
        return PlainTextResponse("Refused", 400)
    lang = _language(request)
    if fields.get("new") != fields.get("again"):
        return await show_change(request, word("signin.differ", lang), 400)
    token, old, new = request.cookies.get(COOKIE, ""), fields.get("old", ""), fields.get("new", "")
    try:
        await _asked(lambda store: store.change_password(token, old, new), _AT_ONCE)
    except SignInError:
        return await show_change(request, word("signin.wrong_old", lang), 401)
    except TROUBLE as error:
        if isinstance(error, InputError) and not is_trouble(error):
            return await show_change(request, error.problems[0].text(lang), 400)
        return _busy(request, error)
    LAST_SEEN.clear()  # other sign-ins of the account have ended
    return RedirectResponse("/", 303)
