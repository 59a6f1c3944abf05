"""``gridwright user``, and a server that asks nobody who they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cli import serve
from geo.problems import InputError
from store.policy import Grant
from store.projects import Store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRIDWRIGHT_STORE", str(tmp_path / "kept" / "plans.gridwright"))
    monkeypatch.delenv("GRIDWRIGHT_PASSWORD", raising=False)
    return tmp_path / "kept" / "plans.gridwright"


def test_an_account_is_made_with_a_password_that_signs_in_and_must_be_changed(
    run: Run, kept: Path
) -> None:
    code, out, err = run("user", "add", "chief", "--role", "administrator", "--role", "viewer@东镇")
    assert (code, err) == (0, "")
    password = out.rpartition(": ")[2].strip()
    with Store(kept) as store:
        who = store.who(store.sign_in("chief", password))
    assert who is not None
    assert who.must_change
    assert who.grants == (Grant("administrator"), Grant("viewer", "东镇"))


def test_a_given_password_is_not_printed(
    run: Run, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWRIGHT_PASSWORD", "given-secret-1")
    _, out, err = run("user", "add", "chief", "--role", "administrator")
    assert "given-secret-1" not in out + err
    with Store(kept) as store:
        assert store.who(store.sign_in("chief", "given-secret-1"))


def test_roles_and_states_are_listed_as_they_are_changed(run: Run, kept: Path) -> None:
    run("user", "add", "chief", "--role", "administrator")
    code, out, _ = run("user", "add", "zhao", "--office")
    assert code == 0
    assert "may do nothing yet" in out
    run("user", "grant", "zhao", "planner@东镇")
    run("user", "disable", "zhao")
    rows = [line.split("\t") for line in run("user", "list")[1].splitlines()]
    assert [row[:3] for row in rows] == [
        ["chief", "administrator", "must-change"], ["zhao", "planner@东镇", "office,disabled"],
    ]  # fmt: skip
    run("user", "enable", "zhao")
    run("user", "revoke", "zhao", "planner@东镇")
    assert run("user", "list")[1].splitlines()[1].split("\t")[:3] == ["zhao", "-", "office"]


@pytest.mark.parametrize(("words", "told"), [
    (("add", "x"), "account name"), (("grant", "nobody", "viewer"), "no account"),
    (("disable", "chief"), "last administrator"), (("add", "chief"), "already"),
    (("password", "zhao"), "no password here"),
])  # fmt: skip
def test_what_cannot_be_is_one_sentence(
    run: Run, kept: Path, words: tuple[str, ...], told: str
) -> None:
    run("user", "add", "chief", "--role", "administrator")
    run("user", "add", "zhao", "--office")
    code, _, err = run("user", *words)
    assert (code, len(err.splitlines())) == (2, 1)
    assert told in err


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "10.1.2.3", "grid.example.gov.cn", "127.0.0.1.example.com", ""]
)
def test_a_server_without_sign_in_listens_on_this_machine_alone(address: str) -> None:
    with pytest.raises(InputError) as told:
        serve.refuse_unguarded("none", address)
    assert all(told.value.problems[0].text(language) for language in ("zh", "en"))
    for mode in ("local", "office"):
        serve.refuse_unguarded(mode, address)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_and_there_it_may(address: str) -> None:
    serve.refuse_unguarded("none", address)
