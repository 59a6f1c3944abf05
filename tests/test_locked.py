"""The look through what is locked (.ci/audit): what fails, what is excused and for how long."""

from __future__ import annotations

import datetime as dt
import json
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
TODAY = dt.date(2026, 12, 1)
HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    loader = SourceFileLoader("audit_of_the_lock", str(REPOSITORY / ".ci" / "audit"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[loader.name] = module  # dataclasses look their module up
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = written
    return module


def answer(*vulnerabilities: dict[str, object]) -> str:
    return json.dumps(
        {
            "dependencies": [
                {"name": "quiet", "version": "2.0", "vulns": []},
                {"name": "thing", "version": "1.0", "vulns": list(vulnerabilities)},
                {"name": "unknown", "version": "3", "skip_reason": "not found"},
            ]
        }
    )


HOLE = {"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"], "description": "…"}


def exception(**changed: str) -> str:
    told = {"id": '"CVE-2026-1"', "package": '"thing"', "reason": '"not reached"'}
    told |= {"until": "2027-01-31"} | changed
    return "[[exception]]\n" + "".join(f"{key} = {value}\n" for key, value in told.items())


def test_a_known_vulnerability_fails(audit: ModuleType) -> None:
    wrong, told = audit.judge(answer(HOLE), "", TODAY)
    assert wrong == ["thing 1.0: PYSEC-1, mended in 1.1"]
    assert "2 packages audited, 1 found, 0 excused" in told


def test_none_known_and_nobody_to_ask_are_told_apart(audit: ModuleType) -> None:
    assert audit.judge(answer(), "", TODAY) == ([], "known vulnerabilities: 2 packages audited, "
                                                    "0 found")  # fmt: skip
    wrong, told = audit.judge(None, "", TODAY)
    assert wrong == []
    assert "nothing was audited" in told


def test_an_exception_holds_until_its_day(audit: ModuleType) -> None:
    assert audit.judge(answer(HOLE), exception(), TODAY)[0] == []
    wrong, _ = audit.judge(answer(HOLE), exception(until="2026-11-30"), TODAY)
    assert wrong == [
        "the exception for CVE-2026-1 ended on 2026-11-30",
        "thing 1.0: PYSEC-1, mended in 1.1",
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (exception(until="2027-12-31"), "more than three months"),
        (exception(until='"soon"'), "a date"),
        (exception().replace("reason", "because"), "without reason"),
    ],
)
def test_an_exception_says_why_and_how_long(audit: ModuleType, table: str, said: str) -> None:
    wrong, _ = audit.judge(answer(HOLE), table, TODAY)
    assert any(said in line for line in wrong)
    assert any("PYSEC-1" in line for line in wrong)


def test_an_exception_that_excuses_nothing_is_taken_out(audit: ModuleType) -> None:
    wrong, _ = audit.judge(answer(), exception(), TODAY)
    assert wrong == ["the exception for CVE-2026-1 excuses nothing any more: take it out"]


def test_a_lock_is_looked_through_without_a_network(audit: ModuleType) -> None:
    lock = (
        f"# generated\nright==1.0 \\\n    {HASH}\nother==2.0 \\\n    {HASH}\nabsent==1 {HASH}\n"
        f"elsewhere==1 ; sys_platform == 'win32' {HASH}\nbare==1\nloose>=3 {HASH}\n"
    )
    found = audit.own_mistakes(lock, {"right": "1.0", "other": "2.1", "bare": "1"})
    assert found == [
        "other 2.1 is installed and 2.0 locked: run make setup-dev",
        "absent is locked and not installed: run make setup-dev",
        "bare has no hash: run make lock",
        f"not pinned: loose>=3 {HASH}"[:72],
    ]


def test_the_exceptions_of_this_repository_are_well_formed(audit: ModuleType) -> None:
    text = (REPOSITORY / ".ci" / "audit-exceptions.toml").read_text("utf-8")
    assert audit.excused(text, dt.date.min)[1] == []
    example = "\n".join(line.removeprefix("# ") for line in text.splitlines()[4:])
    assert set(audit.excused(example, TODAY)[0]) == {"GHSA-0000-0000-0000"}
