"""The browser's part: its syntax, its own tests, and how it is put together for the page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ui.map.component import BOARD, LEAFLET, SCRIPTS, script, styles
from ui.map.hand import HAND_SCRIPTS


def node() -> str:
    """Node: the machine's, or the one the set-up put into the environment."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("node is not installed, so the browser's part cannot be tested here")
    return found


@pytest.mark.parametrize("name", sorted(path.name for path in BOARD.glob("*.js")))
def test_syntax(name: str) -> None:
    done = subprocess.run([node(), "--check", name], cwd=BOARD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["logic.test.js", "hand-logic.test.js"])
def test_its_own_tests_pass(name: str) -> None:
    done = subprocess.run(
        [node(), "--test", name], cwd=BOARD, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout


@pytest.mark.parametrize("names", [SCRIPTS, HAND_SCRIPTS], ids=["map", "board"])
def test_the_parts_make_one_module(tmp_path: Path, names: tuple[str, ...]) -> None:
    texts = [(BOARD / name).read_text("utf-8") for name in names]
    joined = script("module.exports = {};", *texts)
    assert "import {" not in joined
    assert joined.count("export ") == 1
    path = tmp_path / "joined.mjs"
    path.write_text(joined, "utf-8")
    done = subprocess.run([node(), "--check", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_picture_is_fetched_for_the_style() -> None:
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    text = styles((LEAFLET / "leaflet.css").read_text("utf-8"), "")
    assert "url(" not in text.replace("url(#default#VML)", "")
    assert "leaflet-pane" in text


def test_no_markup_is_ever_made_of_text() -> None:
    for name in (*SCRIPTS, *HAND_SCRIPTS):
        source = (BOARD / name).read_text("utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in source, f"{name}: {word}"
