"""What an address means, and that none shows a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.problems import InputError
from store.address import address_of, configured
from store.projects import Store


def test_a_path_is_a_file_and_an_address_a_database(tmp_path: Path) -> None:
    file = address_of(tmp_path / "plans.gridwright")
    assert (file.path, file.url, file.name) == (tmp_path / "plans.gridwright", None, file.name)
    server = address_of("postgresql://planner:SECRET-WORD@db.example/county")
    assert server.path is None
    assert server.url is not None
    assert server.url.drivername == "postgresql+psycopg"
    assert server.url.password == "SECRET-WORD"
    assert server.name == "county @ db.example"


@pytest.mark.parametrize(
    "text",
    ["mysql://a:SECRET-WORD@b/c", "postgresql+psycopg://a:SECRET-WORD@b",
     "postgresql://a:SECRET-WORD@b:x/c", "://"],
)  # fmt: skip
def test_an_address_that_is_none_is_one_sentence_without_it(text: str) -> None:
    with pytest.raises(InputError, match="is no address of a store") as told:
        address_of(text)
    assert "SECRET-WORD" not in told.value.problems[0].text("en") + repr(told.value)
    assert told.value.problems[0].text("zh")


def test_the_environment_names_a_file_or_a_database(tmp_path: Path) -> None:
    address = "postgresql+psycopg://planner@db.example/county"
    assert configured({"GRIDWRIGHT_STORE": address}) == address
    assert configured({"GRIDWRIGHT_STORE": str(tmp_path / "a")}) == tmp_path / "a"


def test_a_database_that_is_not_there_is_one_sentence_without_the_password() -> None:
    with pytest.raises(InputError, match="cannot be reached") as told:
        Store("postgresql+psycopg://planner:SECRET-WORD@127.0.0.1:9/county")
    (problem,) = told.value.problems
    assert "SECRET-WORD" not in problem.text("en") + problem.text("zh")
