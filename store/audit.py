"""Who did what: a trail that only grows, each entry bound to the one before it.

An entry's hash covers the entry and the hash before it, so that an entry that is changed, taken
out or put in breaks the chain at its place. Triggers refuse changes; the chain shows those of
somebody who took the triggers away. It does not show that the *last* entries were cut off, or that
the whole trail was written anew: for that, write down its head from time to time
(``gridwright store verify`` prints it) and let it be looked for (:func:`problems`).

Nothing personal is kept: who did it is the name of an account; numbers of persons, telephones and
cars are blanked wherever they were written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from geo.messages import register
from geo.personal import is_personal_name, kind_of
from geo.problems import Problem
from planning import history
from store.schema_accounts import AUDIT

register(
    {
        "store-audit-broken": (
            "审计记录在第 {seq} 条断开:{reason};请与备份核对。",
            "the audit trail is broken at entry {seq}: {reason}; compare with a backup.",
        ),
        "store-audit-head": (
            "审计记录中找不到给出的第 {seq} 条;结尾已被删去或整体被改写,请与备份核对。",
            "the audit trail does not hold the entry {seq} that was given; its end was cut off or "
            "it was written anew; compare with a backup.",
        ),
    }
)

EXPIRED = "audit.expired"
BLANK = "■"
LONGEST = 300  # characters of one text
_LAST = select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)
_DIGEST = re.compile(r"[0-9a-f]{32,128}")
_ACTING: ContextVar[tuple[str, str]] = ContextVar("acting", default=("", ""))


@dataclass(frozen=True)
class Note:
    """One entry of the trail. ``at`` is ISO 8601 in UTC; ``seq`` gives the order, not ``at``."""

    seq: int
    at: str
    actor: str
    role: str
    action: str
    object: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


@contextmanager
def acting(actor: str, role: str = "") -> Iterator[None]:
    """Whoever is named does what happens inside, where a call names nobody itself."""
    token = _ACTING.set((actor, role))
    try:
        yield
    finally:
        _ACTING.reset(token)


def append(
    c: Connection,
    action: str,
    object: str,
    detail: Mapping[str, object] | None = None,
    *,
    actor: str = "",
    role: str = "",
) -> Note:
    """Write an entry in the caller's transaction; who and in which role as :func:`acting` says."""
    usual, usual_role = _ACTING.get()
    last = c.execute(_LAST).first()
    row = {
        "seq": 1 if last is None else int(last.seq) + 1,
        "at": history.now(),
        "actor": plain(actor or usual),
        "role": plain(role or usual_role),
        "action": plain(action, is_code=True),
        "object": plain(object, is_code=True),
        "detail": _detail(detail or {}),
        "previous": "" if last is None else str(last.hash),
    }
    row["hash"] = _hash(row)
    c.execute(insert(AUDIT), row)
    return Note(**{**row, "detail": json.loads(str(row["detail"]))})


def _hash(row: Mapping[str, object]) -> str:
    names = ("seq", "at", "actor", "role", "action", "object", "detail", "previous")
    told = json.dumps([row[name] for name in names], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(value: object) -> str:
    """The hash by which the trail names a value that is kept elsewhere."""
    told = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def plain(text: object, *, is_code: bool = False) -> str:
    """A short text that every database takes and that holds no personal number."""
    told = str(text).encode("utf-8", "replace").decode("utf-8").replace("\x00", "")[:LONGEST]
    if _DIGEST.fullmatch(told):
        return told
    return BLANK if kind_of(told, is_code=is_code) else told


CODES = ("code", "grid", "object", "scope", "township", "village")


def _detail(detail: Mapping[str, object]) -> str:
    return json.dumps(_blanked(detail), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _blanked(value: object, key: str = "") -> object:
    if isinstance(value, Mapping):
        return {
            plain(name): BLANK if is_personal_name(str(name)) else _blanked(one, str(name))
            for name, one in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_blanked(one, key) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if plain(value, is_code=key in CODES) == str(value) else BLANK
    return plain(value, is_code=any(word in key for word in CODES))


def _note(row: Row[tuple[object, ...]]) -> Note:
    told = dict(row._mapping)
    try:
        detail = json.loads(told["detail"])
    except ValueError:
        detail = {}
    return Note(**{**told, "detail": detail if isinstance(detail, dict) else {}})


def trail(
    c: Connection, *, since: str = "", action: str = "", limit: int | None = None
) -> list[Note]:
    """Entries in their order: from a moment on, of an action (or ``sign-in.`` for all such).

    With ``limit`` only the last ones.
    """
    query = select(AUDIT).order_by(AUDIT.c.seq.desc())
    if since:
        query = query.where(AUDIT.c.at >= since)
    if action:
        query = query.where(AUDIT.c.action.startswith(action, autoescape=True))
    if limit is not None:
        query = query.limit(limit)
    return [_note(row) for row in c.execute(query)][::-1]


def head(c: Connection) -> str:
    """The last entry as ``number:hash``, to be written down; empty where there is none."""
    last = c.execute(_LAST).first()
    return "" if last is None else f"{last.seq}:{last.hash}"


def problems(c: Connection, file: str, known: str = "") -> list[Problem]:
    """Where the chain is broken first; empty where it holds.

    ``known`` is a head written down earlier (:func:`head`), which must be in the trail still,
    unless it has expired by rule since.
    """
    before, seen = "", False
    expired: dict[str, object] = {}
    number, first = 0, 0
    for row in c.execute(select(AUDIT).order_by(AUDIT.c.seq)):
        told = dict(row._mapping)
        if not number:
            first = number = told["seq"] - 1
            before = told["previous"] if first else ""
        reason = _wrong(told, number + 1, before)
        if reason:
            return [_broken(file, told["seq"], reason)]
        number, before = told["seq"], told["hash"]
        seen = seen or f"{number}:{before}" == known
        if told["action"] == EXPIRED:
            expired[told["object"]] = _note(row).detail.get("hash")
    if not number:
        return [_broken(file, 1, "it is empty")]
    if first:
        start = c.execute(select(AUDIT.c.previous).order_by(AUDIT.c.seq).limit(1)).scalar_one()
        if expired.get(str(first)) != start:
            return [_broken(file, first, "entries before it are missing")]
    if known and not seen and not _expired(known, first):
        return [Problem("store-audit-head", file, params={"seq": known.partition(":")[0]})]
    return []


def _expired(known: str, first: int) -> bool:
    number = known.partition(":")[0]
    return number.isdigit() and int(number) <= first


def _wrong(told: Mapping[str, object], number: int, before: str) -> str:
    if told["seq"] != number:
        return f"entry {number} is missing"
    if told["previous"] != before:
        return "it does not follow the entry before it"
    return "" if told["hash"] == _hash(told) else "it was changed"


def _broken(file: str, seq: object, reason: str) -> Problem:
    return Problem("store-audit-broken", file, params={"seq": seq, "reason": reason})


def expire(c: Connection, days: int, *, actor: str = "", role: str = "") -> int:
    """Delete entries older than ``days``; returns how many.

    An entry is written first that says up to which number, with the hash of the last one deleted:
    it anchors what remains, and without it the database refuses the deletion. Only from the start
    and without gap: an old entry behind a younger one (the clock was turned back) stays with it.
    ValueError for less than a day.
    """
    if days < 1:
        raise ValueError("entries are kept for a day at least")
    cutoff = (datetime.fromisoformat(history.now()) - timedelta(days=days)).astimezone(UTC)
    moment = cutoff.strftime("%Y-%m-%dT%H:%M:%SZ")
    young = c.execute(select(func.min(AUDIT.c.seq)).where(AUDIT.c.at >= moment)).scalar()
    old = select(AUDIT.c.seq, AUDIT.c.at, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)
    last = c.execute(old if young is None else old.where(AUDIT.c.seq < young)).first()
    if last is None:
        return 0
    count = c.execute(
        select(func.count()).select_from(AUDIT).where(AUDIT.c.seq <= last.seq)
    ).scalar_one()
    said = {"hash": last.hash, "count": count, "last": last.at, "days": days}
    append(c, EXPIRED, str(last.seq), said, actor=actor, role=role)
    c.execute(delete(AUDIT).where(AUDIT.c.seq <= last.seq))
    return int(count)
