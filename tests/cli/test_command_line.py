"""The program as a whole: help, exit codes, no traceback, nothing written on error."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli import main as program

COMMANDS = ("propose", "check", "compare", "inspect", "demo", "serve")


def gridwright(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, as a user meets it."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        capture_output=True, text=True, check=False,
        cwd=cwd or Path(__file__).resolve().parents[2],
    )  # fmt: skip


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_shows_an_example(run, command: str | None) -> None:
    code, out, err = run(*([command] if command else []), "--help")
    assert code == 0
    assert err == ""
    assert re.search(rf"example:?\s+gridwright {command or ''}", out)


def test_every_command_is_listed(run) -> None:
    _, out, _ = run("--help")
    assert all(re.search(rf"^\s+{command}\s", out, re.M) for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["atlantis"], ["propose"], ["propose", "--villages", "v.gpkg"], ["check"],
        ["propose", "--villages", "v", "--households", "h", "-o", "p.gpkg", "--target", "many"],
        ["propose", "--villages", "v", "--households", "h", "-o", "p.gpkg", "--preset", "mars"],
        ["check", "plan.gpkg", "--no-such-option"],
    ],
)  # fmt: skip
def test_bad_arguments(run, arguments: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert "error:" in err
    assert list(tmp_path.iterdir()) == []


def test_no_traceback_reaches_a_user(tmp_path: Path) -> None:
    (tmp_path / "villages.gpkg").write_bytes(b"not a geopackage at all")
    (tmp_path / "households.csv").write_text("a,b\n1,2\n", "utf-8")
    output = tmp_path / "plan.gpkg"
    result = gridwright(
        "propose", "--villages", tmp_path / "villages.gpkg",
        "--households", tmp_path / "households.csv", "-o", output,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) >= 2  # both files are told, each on its line
    assert any(line.startswith("villages.gpkg") for line in lines)
    assert any(line.startswith("households.csv") for line in lines)
    assert str(tmp_path) not in result.stderr
    assert not output.exists()


def test_a_fault_of_our_own_is_one_line(run, monkeypatch, files, tmp_path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.delenv("GRIDWRIGHT_DEBUG", raising=False)
    monkeypatch.setattr("cli.propose.propose_county", broken)
    arguments = (
        "propose", "--villages", files["villages"], "--households", files["households"],
        "-o", tmp_path / "plan.gpkg",
    )  # fmt: skip
    code, out, err = run(*arguments)
    assert (code, out) == (3, "")
    assert [line for line in err.splitlines() if "unexpected error (ZeroDivisionError)" in line]
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("GRIDWRIGHT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(*arguments)


def test_interrupted(run, monkeypatch, files, tmp_path) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.propose.propose_county", stopped)
    code, out, err = run(
        "propose", "--villages", files["villages"], "--households", files["households"],
        "-o", tmp_path / "plan.gpkg",
    )  # fmt: skip
    assert code == 130
    assert out == ""
    assert "nothing was written" in err
    assert list(tmp_path.iterdir()) == []


def test_no_unknown_message_code() -> None:
    """Every code a Problem is made with in the command line has its sentence."""
    import cli.check
    import cli.inspect
    import cli.propose  # registers its sentences
    from geo.messages import SENTENCES

    used = set()
    for module in (cli.check, cli.inspect, cli.propose, program):
        text = Path(module.__file__).read_text("utf-8")
        used |= set(re.findall(r'Problem\(\s*"([a-z-]+)"', text))
    assert used
    assert used <= set(SENTENCES)
