"""The documents say what the program does: commands, options, targets, links."""

from __future__ import annotations

import argparse
import re
from functools import cache
from pathlib import Path

import pytest

from cli.main import parser

REPOSITORY = Path(__file__).resolve().parents[1]
README = REPOSITORY / "README.md"
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    """Sub-command -> its parser, from the program itself."""
    actions = parser()._actions  # argparse has no public way to list what it parses
    return next(dict(a.choices) for a in actions if isinstance(a, argparse._SubParsersAction))


@cache
def options(command: str) -> frozenset[str]:
    names = {name for action in commands()[command]._actions for name in action.option_strings}
    return frozenset(name for name in names if name.startswith("--")) - {"--help"}


@cache
def documented() -> str:
    return "\n".join(path.read_text("utf-8") for path in DOCUMENTS)


def slug(heading: str) -> str:
    """The anchor a heading gets on common forges."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower())
    return kept.strip().replace(" ", "-")


def broken_links(document: Path) -> list[str]:
    text = document.read_text("utf-8")
    broken = []
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name) if name else document
        if not path.exists():
            broken.append(target)
        elif anchor and path.suffix == ".md":
            anchors = {slug(heading) for heading in HEADING.findall(path.read_text("utf-8"))}
            if anchor not in anchors:
                broken.append(target)
    return broken


def example_lines() -> list[list[str]]:
    """Words of every ``gridwright ...`` line of a code block, continuation lines joined."""
    blocks = "\n".join(FENCE.findall(documented())).replace("\\\n", " ")
    lines = re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?gridwright\s+(.+)$", blocks, re.MULTILINE)
    return [re.sub(r"\s#.*|\s{2,}\(.*", "", line).split() for line in lines]


def test_every_command_is_documented() -> None:
    undocumented = [name for name in commands() if f"`gridwright {name}`" not in documented()]
    assert undocumented == []


def test_every_documented_command_exists() -> None:
    named = set(re.findall(r"`gridwright ([a-z]+)[`\s]", documented()))
    assert named - set(commands()) == set()


def test_every_option_is_documented() -> None:
    known = set(OPTION.findall(documented()))
    missing = {f"{command} {name}" for command in commands() for name in options(command) - known}
    assert missing == set()


@pytest.mark.parametrize("command", sorted(commands()))
def test_help_shows_an_example_that_parses(command: str) -> None:
    """An example with an option misspelt would send a reader to the error message."""
    shown = commands()[command].format_help().replace("\\\n", " ")
    examples = re.findall(rf"gridwright ({command} .+)", shown.partition("example")[2])
    assert examples, f"gridwright {command} --help shows no example"
    for example in examples:
        parser().parse_args(example.split())


def test_every_example_parses() -> None:
    lines = example_lines()
    assert {words[0] for words in lines} == set(commands())
    for words in lines:
        parser().parse_args(words)


def test_every_make_target_named_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    code = "\n".join([*FENCE.findall(documented()), *re.findall(r"`[^`\n]+`", documented())])
    named = set(re.findall(r"\bmake ([a-z-]+)\b", code))
    assert {"run", "test"} <= named
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    assert broken_links(document) == []


def test_the_check_for_links_sees(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text(
        "# One thing\n[ok](#one-thing) [no](#two) ![no](b.png) [ok](a.md) [ok](https://e.org/x)\n",
        "utf-8",
    )
    assert broken_links(document) == ["#two", "b.png"]


def test_every_test_that_the_documents_name_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", documented())
    assert len(named) > 30
    missing = []
    for file, test in named:
        path = REPOSITORY / file
        if not path.is_file() or (test and f"def {test}(" not in path.read_text("utf-8")):
            missing.append(f"{file}::{test}")
    assert missing == []
