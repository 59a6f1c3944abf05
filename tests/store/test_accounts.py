"""Accounts and sign-ins, in a file and on a server: who gets in, for how long, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.problems import InputError, Problem
from planning import history
from store import accounts
from store.accounts import SignInError
from store.policy import Grant, Person
from store.projects import Store

CHIEF = Grant("administrator")
PASSWORD = "long-enough-1"
TYPED = "My.Secret-2026"  # a password in the box for the name: it looks like one
Clock = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the store's clock so many minutes ahead of (or behind) the start."""
    start = datetime(2026, 3, 5, 8, tzinfo=UTC)
    at = [start]
    monkeypatch.setattr(history, "now", lambda: at[0].strftime("%Y-%m-%dT%H:%M:%SZ"))

    def to(minutes: float) -> None:
        at[0] = start + timedelta(minutes=minutes)

    return to


@pytest.fixture
def people(store: Store, clock: Clock) -> Store:
    store.add_account("chief", PASSWORD, (CHIEF,), must_change=False)
    store.add_account("li", PASSWORD, (Grant("planner", "东镇"), Grant("viewer")))
    return store


def codes(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_a_right_password_gives_a_person_with_their_grants(people: Store) -> None:
    who = people.who(people.sign_in("li", PASSWORD))
    assert who is not None
    assert (who.name, who.must_change) == ("li", True)
    assert who.grants == (Grant("planner", "东镇"), Grant("viewer"))


@pytest.mark.parametrize(("name", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_nobody_learns_which_of_the_two_was_wrong(people: Store, name: str, password: str) -> None:
    with pytest.raises(SignInError) as told:
        people.sign_in(name, password)
    assert (str(told.value), told.value.locked) == ("refused", False)


def test_five_wrong_passwords_lock_for_a_while_and_the_right_one_too(
    people: Store, clock: Clock
) -> None:
    for _ in range(accounts.TRIES):
        with pytest.raises(SignInError):
            people.sign_in("li", "wrong")
    with pytest.raises(SignInError) as told:
        people.sign_in("li", PASSWORD)
    assert told.value.locked
    clock(accounts.LOCKED_MINUTES + 1)
    assert people.who(people.sign_in("li", PASSWORD))


def test_a_right_password_starts_the_count_anew(people: Store) -> None:
    for _ in range(3):
        for _ in range(accounts.TRIES - 1):
            with pytest.raises(SignInError):
                people.sign_in("li", "wrong")
        people.sign_in("li", PASSWORD)


def test_a_sign_in_ends_when_idle_and_at_last_in_any_case(people: Store, clock: Clock) -> None:
    token = people.sign_in("li", PASSWORD)
    for minute in range(30, accounts.HOURS * 60, 30):
        clock(minute)
        assert people.who(token) is not None
    clock(accounts.HOURS * 60)
    assert people.who(token) is None
    again = people.sign_in("li", PASSWORD)
    clock(accounts.HOURS * 60 + accounts.IDLE_MINUTES + 1)
    assert people.who(again) is None


def test_a_clock_set_back_makes_no_sign_in_longer(people: Store, clock: Clock) -> None:
    token = people.sign_in("li", PASSWORD)
    clock(-5)
    assert people.who(token) is None


def test_a_clock_set_back_locks_nobody_for_long(people: Store, clock: Clock) -> None:
    clock(365 * 24 * 60)
    for _ in range(accounts.TRIES):
        with pytest.raises(SignInError):
            people.sign_in("li", "wrong")
    clock(0)
    assert people.who(people.sign_in("li", PASSWORD))


def test_a_store_that_cannot_be_written_shuts_nobody_out(
    people: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither now nor as idle; and what was not noted then is noted when it can be."""
    token, idle = people.sign_in("li", PASSWORD), people.sign_in("li", PASSWORD)
    tried: list[int] = []

    def full() -> None:
        tried.append(1)
        raise InputError([Problem("store-not-writable", "s", params={"reason": "disk is full"})])

    monkeypatch.setattr(people, "writing", full)
    for minute in range(5, accounts.IDLE_MINUTES + 30, 5):
        clock(minute)
        assert people.who(token) is not None
        assert people.who(token) is not None
    assert len(tried) == minute / 5, "tried once a minute, not at every click"
    assert {(r.name, r.levelname) for r in caplog.records} == {("gridwright.store", "WARNING")}
    assert token not in caplog.text
    assert people.who(idle) is None, "whoever was away is out all the same"
    monkeypatch.undo()
    start = datetime(2026, 3, 5, 8, tzinfo=UTC) + timedelta(minutes=minute + 2)
    monkeypatch.setattr(history, "now", lambda: start.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert people.who(token) is not None
    with Store(people.place) as fresh:  # which remembers nothing
        assert fresh.who(token) is not None


def test_what_else_goes_wrong_is_not_hushed_up(
    people: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = people.sign_in("li", PASSWORD)

    def unfit() -> None:
        raise InputError([Problem("store-unfit", "s", params={"reason": "no such value"})])

    monkeypatch.setattr(people, "writing", unfit)
    clock(5)
    with pytest.raises(InputError):
        people.who(token)


def end_by_disabling(store: Store, token: str) -> None:
    store.disable("li")


def end_by_reset(store: Store, token: str) -> None:
    store.reset_password("li", "another-long-1")


def end_by_signing_out(store: Store, token: str) -> None:
    store.sign_out(token)


def end_everywhere(store: Store, token: str) -> None:
    store.sign_out_everywhere("li")


@pytest.mark.parametrize(
    "end", [end_by_disabling, end_by_reset, end_by_signing_out, end_everywhere]
)
def test_what_ends_a_sign_in_ends_it_at_once(
    people: Store, end: Callable[[Store, str], None]
) -> None:
    token = people.sign_in("li", PASSWORD)
    end(people, token)
    assert people.who(token) is None


def test_a_role_counts_from_the_moment_it_is_given_or_taken(people: Store) -> None:
    token = people.sign_in("li", PASSWORD)

    def now() -> Person:
        found = people.who(token)
        assert found is not None
        return found

    assert not now().may("see.incidents")
    people.grant("li", "analyst")
    assert now().may("see.incidents")
    people.revoke("li", "analyst")
    assert not now().may("see.incidents")


def test_changing_ones_password_ends_the_other_sign_ins_and_not_this_one(people: Store) -> None:
    other, own = people.sign_in("li", PASSWORD), people.sign_in("li", PASSWORD)
    with pytest.raises(SignInError):
        people.change_password(own, "wrong", "another-long-1")
    with pytest.raises(InputError) as told:
        people.change_password(own, PASSWORD, "short")
    assert codes(told) == ["password-short"]
    people.change_password(own, PASSWORD, "another-long-1")
    who = people.who(own)
    assert who is not None
    assert not who.must_change
    assert people.who(other) is None
    with pytest.raises(SignInError):
        people.sign_in("li", PASSWORD)


def test_wrong_present_passwords_lock_and_sign_out_whoever_sits_there(people: Store) -> None:
    token = people.sign_in("li", PASSWORD)
    for _ in range(accounts.TRIES):
        with pytest.raises(SignInError):
            people.change_password(token, "wrong", "another-long-1")
    assert people.who(token) is None


@pytest.mark.parametrize("take", [
    lambda store: store.disable("chief"),
    lambda store: store.revoke("chief", "administrator"),
])  # fmt: skip
def test_the_last_administrator_stays(people: Store, take: Callable[[Store], None]) -> None:
    people.grant("li", "administrator", "东镇")  # of a township: not of the county
    with pytest.raises(InputError) as told:
        take(people)
    assert codes(told) == ["account-last"]
    assert people.who(people.sign_in("chief", PASSWORD))
    people.grant("li", "administrator")
    take(people)


@pytest.mark.parametrize("name", ["x", "a b", "<img>", "n" * 41, "13912345678", "", "a\n"])
def test_names_that_are_none_are_refused(people: Store, name: str) -> None:
    with pytest.raises(InputError) as told:
        people.add_account(name, PASSWORD)
    assert codes(told) == ["account-name"]


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "li.ming.east"])
def test_plain_passwords_are_refused(people: Store, password: str) -> None:
    with pytest.raises(InputError) as told:
        people.add_account("li.ming.east", password)
    assert codes(told) == ["password-short"]


def test_taken_names_unknown_accounts_and_roles_are_told(people: Store) -> None:
    for wrong, code in (
        (lambda: people.add_account("li", PASSWORD), "account-taken"),
        (lambda: people.grant("nobody", "viewer"), "account-unknown"),
        (lambda: people.grant("li", "king"), "account-role"),
    ):
        with pytest.raises(InputError) as told:
            wrong()
        assert codes(told) == [code]
        assert all(told.value.problems[0].text(language) for language in ("zh", "en"))


def test_the_offices_word_binds_an_account_once(people: Store) -> None:
    people.add_account("wang", None, (Grant("viewer"),))
    first = people.sign_in_subject("https://id|7", "wang")
    who = people.who(first)
    assert who is not None
    assert who.name == "wang"
    with pytest.raises(SignInError):  # the same name, somebody else: the place is taken
        people.sign_in_subject("https://id|8", "wang")
    assert people.who(people.sign_in_subject("https://id|7", "another name"))
    with pytest.raises(SignInError):  # an account with a password is nobody's to bind
        people.sign_in_subject("https://id|9", "li")
    with pytest.raises(SignInError):
        people.sign_in("wang", "")
    people.disable("wang")
    with pytest.raises(SignInError):
        people.sign_in_subject("https://id|7", "wang")


def test_neither_token_nor_password_is_kept_or_told(people: Store) -> None:
    token = people.sign_in("li", PASSWORD)
    with pytest.raises(SignInError):
        people.sign_in("li", "a-wrong-secret-9")
    for name in ("13912345678", TYPED):
        with pytest.raises(SignInError):
            people.sign_in(name, PASSWORD)
        with pytest.raises(SignInError):
            people.sign_in_subject("https://id|9", name)
    told = repr(people.trail())
    kept = [told, repr(people.accounts())]
    if people.path is not None:
        people.close()
        kept.append(Path(people.path).read_bytes().decode("latin-1"))
    for secret in (token, PASSWORD, "a-wrong-secret-9", "13912345678", TYPED):
        assert all(secret not in text for text in kept)


def test_the_trail_tells_sign_ins_refusals_and_roles(people: Store) -> None:
    token = people.sign_in("li", PASSWORD)
    with pytest.raises(SignInError):
        people.sign_in("li", "wrong")
    people.revoke("li", "viewer", actor="chief")
    people.sign_out(token)
    told = [(n.action, n.object, n.actor) for n in people.trail(limit=4)]
    assert told == [
        ("sign-in", "account/li", "li"),
        ("sign-in.refused", "account/li", "li"),
        ("account.revoke", "account/li", "chief"),
        ("sign-in.end", "account/li", "li"),
    ]
    assert people.verify() == []


@given(token=st.text(max_size=80))
def test_no_guessed_token_is_anybodys(tmp_path_factory: pytest.TempPathFactory, token: str) -> None:
    path = tmp_path_factory.getbasetemp() / "guessed.gridwright"
    with Store(path) as store:
        if not store.accounts():
            store.add_account("chief", PASSWORD, (CHIEF,))
            store.sign_in("chief", PASSWORD)
        assert store.who(token) is None
