"""Every text exists in both languages, is used, and stands nowhere but in the table."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from ui.map.layers import GRID_ROWS, HOUSEHOLD_ROWS, VILLAGE_ROWS
from ui.words import LANGUAGES, WORDS, chosen_language, word

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for path in [*(REPOSITORY / "ui").rglob("*.py"), REPOSITORY / "app.py"]
    if "node_modules" not in path.parts
)  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Where Chinese may stand outside the table: names of classes and roles that files use, and the
# language's own name on the switch.
KNOWS_CHINESE_DATA = {"words.py", "sources.py", "layers.py", "frame.py"}


def constants(tree: ast.Module) -> list[str]:
    """Texts of a module that are no docstring."""
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        and id(node) not in documents
    ]  # fmt: skip


def patterns() -> list[re.Pattern[str]]:
    """What the sources ask for: keys, and keys with a part filled in while running."""
    found = []
    for path in SOURCES:
        if path.name == "words.py" or path.parent.name == "wording":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.fullmatch(r"[a-z]+\.[a-z_]+(?:-[a-z]+)?", node.value):
                    found.append(re.compile(re.escape(node.value)))
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(p.value) if isinstance(p, ast.Constant) else r"[a-z0-9_-]+"
                    for p in node.values
                ]
                if isinstance(node.values[0], ast.Constant) and re.fullmatch(
                    r"[a-z]+\.[a-z_]*", str(node.values[0].value)
                ):
                    found.append(re.compile("".join(parts)))
    return found


def asked_for() -> set[str]:
    """Keys given straight to the functions that look one up."""
    keys = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in ("text", "word") and isinstance(first, ast.Constant):
                    keys.add(str(first.value))
    return keys


def test_every_text_that_is_asked_for_exists() -> None:
    keys = asked_for() | set(GRID_ROWS) | set(HOUSEHOLD_ROWS) | set(VILLAGE_ROWS)
    assert len(keys) > 60
    assert keys <= set(WORDS)


def test_every_text_is_asked_for() -> None:
    wanted = patterns()
    assert [key for key in WORDS if not any(p.fullmatch(key) for p in wanted)] == []


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_are_there_with_the_same_placeholders(key: str) -> None:
    chinese, english = WORDS[key]
    assert chinese.strip()
    assert english.strip()
    fields = [
        {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in WORDS[key]
    ]
    assert fields[0] == fields[1]


def test_chinese_is_chinese_and_english_is_english() -> None:
    names = {"GeoPackage", "GeoJSON", "Shapefile（UTF-8）", "Shapefile（GBK）"}
    for key, (chinese, english) in WORDS.items():
        assert CHINESE.search(chinese) or chinese in names or chinese.startswith("{"), key
        # The required line stands in Chinese in both languages.
        rest = english.replace("内部使用,未经地图审核不得公开", "")
        assert not CHINESE.search(rest), key


def test_no_chinese_outside_the_table() -> None:
    found = [
        f"{path.name}: {text}"
        for path in SOURCES
        if path.name not in KNOWS_CHINESE_DATA and path.parent.name != "wording"
        for text in constants(ast.parse(path.read_text("utf-8")))
        if CHINESE.search(text)
    ]
    assert found == []


def test_no_sentence_is_given_to_streamlit_directly() -> None:
    shows = {
        "markdown", "caption", "info", "warning", "error", "success", "write", "button", "title",
        "header", "subheader", "toast", "selectbox", "text_input", "number_input", "slider",
        "text", "metric", "expander", "file_uploader", "download_button", "segmented_control",
    }  # fmt: skip
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            first = node.args[0] if node.args else None
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "log":
                continue
            if node.func.attr in shows and isinstance(first, ast.Constant):
                found.append(f"{path.name}:{node.lineno}: {first.value}")
    assert found == []


@pytest.mark.parametrize(
    ("override", "locale", "language"),
    [
        (None, "zh-CN", "zh"),
        (None, "zh-TW", "zh"),
        (None, "zh", "zh"),
        (None, "en-GB", "en"),
        (None, "fr", "en"),
        (None, None, "en"),
        ("zh", "en-US", "zh"),
        ("en", "zh-CN", "en"),
        ("klingon", "zh-CN", "zh"),
    ],
)
def test_the_browser_decides_and_the_switch_overrides(
    override: str | None, locale: str | None, language: str
) -> None:
    assert chosen_language(override, locale) == language


def test_an_unknown_text_is_an_error() -> None:
    with pytest.raises(KeyError):
        word("no.such_text", "zh")
    assert LANGUAGES == ("zh", "en")
