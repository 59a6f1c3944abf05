"""Accounts, roles and sign-ins: who somebody is, and what they hold, as of this moment.

Passwords are kept as argon2id hashes (OWASP's least memory: 19 MiB, two passes); a sign-in is a
random token of 256 bits, kept as its SHA-256, so that nobody who reads the store can use one. What
is asked at every page, download and write is :meth:`Accounts.who`: an account that was disabled, a
grant that was taken or a sign-in that ended counts from that moment on.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from geo.messages import register
from geo.personal import kind_of
from geo.problems import InputError, Problem
from planning import history
from store import audit
from store.base import Base
from store.policy import ADMINISTRATOR, COUNTY, ROLES, Grant, Person
from store.schema_accounts import ACCOUNT, GRANT, SIGN_IN
from store.trouble import is_trouble

if TYPE_CHECKING:
    from argon2 import PasswordHasher

register(
    {
        "account-name": (
            "账号名“{name}”不能用:用 2 至 40 个字母、数字、汉字或 . _ - @,不含个人号码。",
            "the account name “{name}” cannot be used: take 2 to 40 letters, digits or . _ - @, "
            "and no personal number.",
        ),
        "account-taken": (
            "账号“{name}”已经有了;请换一个名字。",
            "there is an account “{name}” already; take another name.",
        ),
        "account-unknown": (
            "没有账号“{name}”;用 gridwright user list 查看。",
            "there is no account “{name}”; gridwright user list shows them.",
        ),
        "account-role": (
            "角色“{role}”不存在;可用的有 {roles}。",
            "there is no role “{role}”; there are {roles}.",
        ),
        "account-last": (
            "“{name}”是最后一位全县管理员;请先给别人这个角色。",
            "“{name}” is the last administrator of the county; give somebody else the role first.",
        ),
        "password-short": (
            "密码太短或太简单:至少 {least} 个字符,不能与账号名相同。",
            "the password is too short or too plain: at least {least} characters, and not the "
            "account's name.",
        ),
        "password-office": (
            "账号“{name}”通过单位账号登录,没有本地密码。",
            "the account “{name}” signs in through the office's provider and has no password here.",
        ),
    }
)

log = logging.getLogger("gridwright.store")

LEAST = 10  # characters of a password
TRIES = 5  # wrong passwords in a row until the account is locked
LOCKED_MINUTES = 15
HOURS = 12  # a sign-in lasts at most
IDLE_MINUTES = 60  # and ends when nothing was asked for so long
_TOUCH_SECONDS = 60  # between two notes that somebody is still there
_MOST_UNWRITTEN = 10_000  # such notes that wait for the store
_NAME = re.compile(r"[\w.@-]{2,40}")
_ADMINISTRATOR = Grant(ADMINISTRATOR)


class SignInError(Exception):
    """Name or password are wrong, or the account may not be used: whoever tries is not told which.

    ``locked`` only after a *right* name was tried too often; then waiting helps.
    """

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__("locked" if locked else "refused")
        self.locked = locked


@dataclass(frozen=True)
class AccountInfo:
    """An account as an administrator sees it. Times are ISO 8601 in UTC, empty for never."""

    id: int
    name: str
    grants: tuple[Grant, ...]
    office: bool  # signs in through the office's provider
    must_change: bool
    disabled: bool
    locked: bool
    last_seen: str
    signed_in: int


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # here: who only looks at plans does without

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobodys_hash() -> str:
    """What an unknown name's password is compared with, so that it takes as long."""
    return _hasher().hash(secrets.token_urlsafe())


def _fits(hashed: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _later(**delta: float) -> str:
    moment = datetime.fromisoformat(history.now()) + timedelta(**delta)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def check_name(name: str) -> str:
    """The name, or :class:`InputError`."""
    if not _NAME.fullmatch(name) or kind_of(name):
        raise InputError([Problem("account-name", "", params={"name": audit.plain(name)})])
    return name


def check_password(name: str, password: str) -> None:
    """Raise :class:`InputError` for a password that is too plain."""
    plain = len(set(password)) < 5 or password.casefold() == name.casefold()
    if len(password) < LEAST or plain:
        raise InputError([Problem("password-short", "", params={"least": LEAST})])


def _check_role(role: str) -> None:
    if role not in ROLES:
        told = {"role": audit.plain(role), "roles": ", ".join(ROLES)}
        raise InputError([Problem("account-role", "", params=told)])


class Accounts(Base):
    """The part of :class:`store.projects.Store` that knows people."""

    # --- for administrators ---------------------------------------------------------------------

    def accounts(self) -> list[AccountInfo]:
        """All accounts by name."""
        with self.reading() as c:
            now = history.now()
            open_now = [
                row.account_id for row in c.execute(select(SIGN_IN)) if _is_open(row, now)
            ]
            return [
                AccountInfo(
                    row.id, row.name, _grants(c, row.id), row.password is None,
                    row.must_change == 1, row.disabled_at is not None, _is_locked(row, now),
                    row.last_seen or "", open_now.count(row.id),
                )
                for row in c.execute(select(ACCOUNT).order_by(ACCOUNT.c.name))
            ]  # fmt: skip

    def add_account(
        self,
        name: str,
        password: str | None,
        grants: tuple[Grant, ...] = (),
        *,
        must_change: bool = True,
        actor: str = "",
    ) -> int:
        """A new account; without a password it signs in through the office's provider.

        Raises :class:`InputError` for a name, password or role that cannot be.
        """
        check_name(name)
        if password is not None:
            check_password(name, password)
        for grant in grants:
            _check_role(grant.role)
        with self.writing() as c:
            if c.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.name == name)).first():
                raise InputError([Problem("account-taken", "", params={"name": name})])
            row = {
                "name": name, "created_at": history.now(), "created_by": actor,
                "password": None if password is None else _hasher().hash(password),
                "must_change": int(must_change and password is not None),
            }  # fmt: skip
            made = int(c.execute(insert(ACCOUNT).returning(ACCOUNT.c.id), row).scalar_one())
            for grant in dict.fromkeys(grants):
                told = {"account_id": made, "role": grant.role, "scope": grant.scope}
                c.execute(insert(GRANT), told)
            detail = {"office": password is None, "roles": [_told(one) for one in grants]}
            audit.append(c, "account.add", f"account/{name}", detail, actor=actor)
            return made

    def reset_password(self, name: str, password: str, *, actor: str = "") -> None:
        """Give an account a password that must be changed at the next sign-in; ends all others."""
        check_password(name, password)
        with self.writing() as c:
            row = self._account(c, name)
            if row.password is None:
                raise InputError([Problem("password-office", "", params={"name": name})])
            values = {
                "password": _hasher().hash(password), "must_change": 1,
                "failed": 0, "locked_until": None,
            }  # fmt: skip
            _set(c, row.id, **values)
            _end_all(c, row.id)
            audit.append(c, "account.password", f"account/{name}", {"by": "reset"}, actor=actor)

    def grant(self, name: str, role: str, scope: str = COUNTY, *, actor: str = "") -> None:
        """Give a role, in the county or a township; nothing happens where it is held already."""
        _check_role(role)
        with self.writing() as c:
            row = self._account(c, name)
            if Grant(role, scope) in _grants(c, row.id):
                return
            c.execute(insert(GRANT), {"account_id": row.id, "role": role, "scope": scope})
            detail = {"role": role, "scope": scope}
            audit.append(c, "account.grant", f"account/{name}", detail, actor=actor)

    def revoke(self, name: str, role: str, scope: str = COUNTY, *, actor: str = "") -> None:
        """Take a role; the last administrator keeps it."""
        with self.writing() as c:
            row = self._account(c, name)
            own = (GRANT.c.account_id == row.id) & (GRANT.c.role == role) & (GRANT.c.scope == scope)
            if not c.execute(delete(GRANT).where(own)).rowcount:
                return
            if Grant(role, scope) == _ADMINISTRATOR:
                self._keep_an_administrator(c, name)
            detail = {"role": role, "scope": scope}
            audit.append(c, "account.revoke", f"account/{name}", detail, actor=actor)

    def disable(self, name: str, *, actor: str = "") -> None:
        """Shut an account: its sign-ins end at once. The last administrator's stays."""
        with self.writing() as c:
            row = self._account(c, name)
            _set(c, row.id, disabled_at=history.now())
            if _ADMINISTRATOR in _grants(c, row.id):
                self._keep_an_administrator(c, name)
            _end_all(c, row.id)
            audit.append(c, "account.disable", f"account/{name}", actor=actor)

    def enable(self, name: str, *, actor: str = "") -> None:
        """Open an account again, and unlock it."""
        with self.writing() as c:
            row = self._account(c, name)
            _set(c, row.id, disabled_at=None, failed=0, locked_until=None)
            audit.append(c, "account.enable", f"account/{name}", actor=actor)

    def sign_out_everywhere(self, name: str, *, actor: str = "") -> None:
        """End all sign-ins of an account."""
        with self.writing() as c:
            _end_all(c, self._account(c, name).id)
            audit.append(c, "sign-in.end", f"account/{name}", {"all": True}, actor=actor)

    # --- for those who sign in ------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> str:
        """A token for whoever knows name and password. Raises :class:`SignInError`.

        After :data:`TRIES` wrong passwords in a row the account is locked for a while, for a right
        password too.
        """
        with self.reading() as c:
            row = c.execute(select(ACCOUNT).where(ACCOUNT.c.name == name)).first()
        hashed = None if row is None else row.password
        # outside of any transaction: it takes a while, on purpose
        right = _fits(hashed or _nobodys_hash(), password) and hashed is not None
        with self.writing() as c:
            row = c.execute(select(ACCOUNT).where(ACCOUNT.c.name == name)).first()
            refusal = self._refusal(c, row, right, hashed)
            if refusal is None and row is not None:
                return _begin(c, row.id, row.name)
        raise refusal or SignInError()

    def _refusal(
        self, c: Connection, row: Row[Any] | None, right: bool, hashed: str | None
    ) -> SignInError | None:
        """Why not, written down; None where nothing speaks against it."""
        if row is None or row.password is None:
            audit.append(c, "sign-in.refused", "account/?", {"name": _known(row)})
            return SignInError()
        where = f"account/{row.name}"
        if _is_locked(row, history.now()):
            audit.append(c, "sign-in.refused", where, {"why": "locked"}, actor=row.name)
            return SignInError(locked=True)
        if right and row.disabled_at is None and row.password == hashed:
            return None
        failed = row.failed + (not right)
        values: dict[str, object] = {"failed": failed}
        if failed >= TRIES:
            values = {"failed": 0, "locked_until": _later(minutes=LOCKED_MINUTES)}
        _set(c, row.id, **values)
        why = "password" if not right else "disabled"
        audit.append(c, "sign-in.refused", where, {"why": why, "locks": failed >= TRIES},
                     actor=row.name)  # fmt: skip
        return SignInError(locked=failed >= TRIES)

    def sign_in_subject(self, subject: str, name: str) -> str:
        """A token for whoever the office's provider vouches for: ``subject`` is issuer|sub.

        An account without password that was made for ``name`` is bound to the subject at its first
        sign-in; afterwards only the subject counts. Raises :class:`SignInError` for others.
        """
        with self.writing() as c:
            row = c.execute(select(ACCOUNT).where(ACCOUNT.c.subject == subject)).first()
            if row is None:
                fresh = (ACCOUNT.c.name == name) & ACCOUNT.c.subject.is_(None)
                row = c.execute(
                    select(ACCOUNT).where(fresh, ACCOUNT.c.password.is_(None))
                ).first()
                if row is not None and row.disabled_at is None:
                    _set(c, row.id, subject=subject)
                    audit.append(c, "account.bind", f"account/{row.name}", actor=row.name)
            if row is not None and row.disabled_at is None:
                return _begin(c, row.id, row.name)
            told = {"name": _known(row), "office": True}
            audit.append(c, "sign-in.refused", "account/?", told)
        raise SignInError()

    def who(self, token: str) -> Person | None:
        """Whose token this is, with their grants now; None where it does not hold (any more)."""
        if not token:
            return None
        hashed = _hash_of(token)
        with self.reading() as c:
            row = c.execute(
                select(SIGN_IN, ACCOUNT.c.name, ACCOUNT.c.must_change, ACCOUNT.c.disabled_at)
                .join(ACCOUNT, ACCOUNT.c.id == SIGN_IN.c.account_id)
                .where(SIGN_IN.c.token_hash == hashed)
            ).first()
            now, unwritten = history.now(), self._unwritten.get(hashed, "")
            if row is None or row.disabled_at is not None or not _is_open(row, now, unwritten):
                return None
            grants = _grants(c, row.account_id)
        if max(row.seen_at, unwritten) < _later(seconds=-_TOUCH_SECONDS):
            self._touch(row.account_id, hashed, now)
        return Person(row.account_id, row.name, grants, row.must_change == 1)

    def _touch(self, account: int, hashed: str, now: str) -> None:
        """Note that somebody is still there.

        Where the store can be read and not written it is noted here, until it can: a full disk
        shuts nobody out, neither now nor as idle.
        """
        try:
            with self.writing() as c:
                c.execute(update(SIGN_IN).where(SIGN_IN.c.token_hash == hashed).values(seen_at=now))
                _set(c, account, last_seen=now)
        except InputError as error:
            if not is_trouble(error):
                raise
            log.warning("who is still there is not noted: %s", error.problems[0].code)
            if len(self._unwritten) >= _MOST_UNWRITTEN:
                self._unwritten.clear()
            self._unwritten[hashed] = now
        else:
            self._unwritten.pop(hashed, None)

    def change_password(self, token: str, old: str, new: str) -> None:
        """Somebody changes their own password; their other sign-ins end.

        Raises :class:`SignInError` for a wrong old one, :class:`InputError` for a plain new one.
        """
        person = self.who(token)
        if person is None:
            raise SignInError()
        with self.reading() as c:
            row = self._account(c, person.name)
        if row.password is None or not _fits(row.password, old):
            self.sign_in_failed(person.name)
            raise SignInError()
        check_password(person.name, new)
        if new == old:
            raise InputError([Problem("password-short", "", params={"least": LEAST})])
        with self.writing() as c:
            _set(c, person.id, password=_hasher().hash(new), must_change=0, failed=0)
            others = (SIGN_IN.c.account_id == person.id) & (
                SIGN_IN.c.token_hash != _hash_of(token)
            )
            c.execute(update(SIGN_IN).where(others).values(ended_at=history.now()))
            audit.append(c, "account.password", f"account/{person.name}", {"by": "owner"},
                         actor=person.name)  # fmt: skip

    def sign_in_failed(self, name: str) -> None:
        """Count a wrong password where somebody is signed in already."""
        with self.writing() as c:
            row = self._account(c, name)
            failed = row.failed + 1
            if failed >= TRIES:
                _set(c, row.id, failed=0, locked_until=_later(minutes=LOCKED_MINUTES))
                _end_all(c, row.id)
            else:
                _set(c, row.id, failed=failed)
            audit.append(c, "sign-in.refused", f"account/{name}",
                         {"why": "password", "locks": failed >= TRIES}, actor=name)  # fmt: skip

    def sign_out(self, token: str) -> None:
        """End a sign-in; nothing happens to one that is over."""
        person = self.who(token)
        own = (SIGN_IN.c.token_hash == _hash_of(token)) & SIGN_IN.c.ended_at.is_(None)
        with self.writing() as c:
            c.execute(update(SIGN_IN).where(own).values(ended_at=history.now()))
            if person is not None:
                audit.append(c, "sign-in.end", f"account/{person.name}", actor=person.name)

    def place_of(self, scenario: int, village: str) -> tuple[str, str]:
        """A village's code and township, for the policy; the code alone where it is not here."""
        from store.schema import PLAN, VILLAGE

        with self.reading() as c:
            row = c.execute(
                select(VILLAGE.c.code, VILLAGE.c.township_name)
                .join(PLAN, PLAN.c.village_id == VILLAGE.c.id)
                .where(PLAN.c.scenario_id == scenario, VILLAGE.c.code == village)
            ).first()
        return (village, "") if row is None else (row.code, row.township_name or "")

    # --------------------------------------------------------------------------------------------

    def _account(self, c: Connection, name: str) -> Row[Any]:
        row = c.execute(select(ACCOUNT).where(ACCOUNT.c.name == name)).first()
        if row is None:
            raise InputError([Problem("account-unknown", "", params={"name": audit.plain(name)})])
        return row

    def _keep_an_administrator(self, c: Connection, name: str) -> None:
        """Undo what would leave a county with accounts and nobody who can look after them."""
        administrator = (GRANT.c.role == ADMINISTRATOR) & (GRANT.c.scope == COUNTY)
        left = c.execute(
            select(ACCOUNT.c.id)
            .join(GRANT, GRANT.c.account_id == ACCOUNT.c.id)
            .where(administrator, ACCOUNT.c.disabled_at.is_(None))
        ).first()
        if left is None:
            raise InputError([Problem("account-last", "", params={"name": name})])


def _told(grant: Grant) -> str:
    return grant.role + (f"@{grant.scope}" if grant.scope else "")


def _grants(c: Connection, account: int) -> tuple[Grant, ...]:
    rows = c.execute(select(GRANT).where(GRANT.c.account_id == account).order_by(GRANT.c.id))
    return tuple(Grant(row.role, row.scope) for row in rows)


def _set(c: Connection, account: int, **values: object) -> None:
    c.execute(update(ACCOUNT).where(ACCOUNT.c.id == account).values(**values))


def _end_all(c: Connection, account: int) -> None:
    open_now = (SIGN_IN.c.account_id == account) & SIGN_IN.c.ended_at.is_(None)
    c.execute(update(SIGN_IN).where(open_now).values(ended_at=history.now()))


def _known(row: Row[Any] | None) -> str:
    """The name as the trail may have it: a name that is no account's may be a password."""
    return "?" if row is None else str(row.name)


def _is_locked(row: Row[Any], now: str) -> bool:
    # a clock that was set back must not lock anybody for longer than a quarter of an hour
    until = row.locked_until
    return until is not None and now < until <= _later(minutes=LOCKED_MINUTES)


def _is_open(row: Row[Any], now: str, unwritten: str = "") -> bool:
    """``unwritten``: when it was last used, where that is not in the store yet."""
    seen, idle = max(row.seen_at, unwritten), _later(minutes=-IDLE_MINUTES)
    # a clock that was set back must not make a sign-in longer than it may last
    return row.ended_at is None and row.created_at <= now < row.expires_at and seen >= idle


def _begin(c: Connection, account: int, name: str) -> str:
    token, now = secrets.token_urlsafe(32), history.now()
    c.execute(delete(SIGN_IN).where(SIGN_IN.c.expires_at < now))
    row = {
        "token_hash": _hash_of(token), "account_id": account, "created_at": now,
        "expires_at": _later(hours=HOURS), "seen_at": now,
    }  # fmt: skip
    c.execute(insert(SIGN_IN), row)
    _set(c, account, failed=0, locked_until=None, last_seen=now)
    audit.append(c, "sign-in", f"account/{name}", actor=name)
    return token
