"""The archive for machines without a network: what goes in, and what its installer refuses.

``GRIDWRIGHT_LONG=1`` makes the archive, installs it where there is no network, and opens a page
(docs/deploy.md has a run).
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
INSTALLER = REPOSITORY / "docs" / "deploy" / "install.sh"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"

linux_only = pytest.mark.skipif(
    platform.system() != "Linux", reason="a bundle is made and installed on Linux only"
)


def program_files() -> list[str]:
    listing = subprocess.run(
        [REPOSITORY / ".ci" / "bundle", "--list"],
        capture_output=True, text=True, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    if "not a git repository" in listing.stderr:
        pytest.skip("not a git working copy, and only git knows what belongs to the program")
    assert listing.returncode == 0, listing.stderr
    return listing.stdout.splitlines()


@linux_only
def test_the_program_in_the_archive_is_whole_and_nothing_else(tmp_path: Path) -> None:
    """Copied alone to an empty folder, it knows every command, every page and the store."""
    names = program_files()
    assert {name.split("/")[0] for name in names} == {
        ".streamlit", "CHANGELOG.md", "README.md", "app.py", "cli", "data", "docs", "geo",
        "incidents", "planning", "pyproject.toml", "store", "ui",
    }  # fmt: skip
    assert not [name for name in names if name.endswith((".test.js", ".gpkg", ".png~"))]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    program = """
import importlib, pathlib, sys
sys.path.insert(0, ".")
for path in sorted(pathlib.Path(".").rglob("*.py")):
    if path.parts[0] in ("cli", "store", "ui") and "versions" not in path.parts:
        if path.name not in ("env.py", "__main__.py"):
            importlib.import_module(".".join(path.with_suffix("").parts))
from ui.map.component import BOARD, LEAFLET
from store.projects import Store
assert (LEAFLET / "leaflet.js").is_file() and (LEAFLET / "leaflet.css").is_file()
assert BOARD.is_relative_to(pathlib.Path.cwd()), BOARD
Store(pathlib.Path("new.gridwright")).close()
"""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, env=clean,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def write_sums(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    (folder / "SHA256SUMS").write_text(
        "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
            for path in files
            if path.name != "SHA256SUMS"
        )
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An unpacked archive of this machine's kind that holds next to nothing."""
    folder = tmp_path / "archive"
    (folder / "wheels").mkdir(parents=True)
    shutil.copy(INSTALLER, folder)
    (folder / "wheels" / "thing-1-py3-none-any.whl").write_bytes(b"a wheel")
    (folder / "app.tar").write_bytes(b"the program")
    (folder / "requirements.lock").write_text("thing==1\n")
    facts(folder)
    return folder


def facts(folder: Path, **changed: str) -> None:
    told = {"version": "1.2.3", "python": HERE, "machine": platform.machine(), "glibc": "2.17"}
    told |= changed
    (folder / "MANIFEST").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
    write_sums(folder)


def run_installer(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    prefix = folder.parent / "prefix"
    return subprocess.run(
        ["bash", folder / "install.sh", "--prefix", prefix, "--python", sys.executable, *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2, one sentence in each language, and each of ``words`` in the English one."""
    assert done.returncode == 2, done.stdout + done.stderr
    chinese, english = done.stderr.splitlines()
    assert not chinese.isascii()
    assert english.isascii()
    for word in words:
        assert word in english


@linux_only
def test_a_whole_archive_of_the_right_kind_may_be_installed(archive: Path) -> None:
    done = run_installer(archive, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1.2.3 can be installed" in done.stdout
    assert not (archive.parent / "prefix").exists()


@linux_only
@pytest.mark.parametrize("name", ["app.tar", "wheels/thing-1-py3-none-any.whl", "MANIFEST"])
def test_a_changed_file_is_found_before_anything_is_done(archive: Path, name: str) -> None:
    with (archive / name).open("ab") as file:
        file.write(b"x")
    refused(run_installer(archive), name, "SHA256SUMS")
    assert not (archive.parent / "prefix").exists()


@linux_only
def test_a_missing_and_a_planted_file_are_found(archive: Path) -> None:
    (archive / "wheels" / "numpy-99-py3-none-any.whl").write_bytes(b"planted")
    refused(run_installer(archive), "wheels/numpy-99-py3-none-any.whl")
    (archive / "wheels" / "numpy-99-py3-none-any.whl").unlink()
    (archive / "wheels" / "thing-1-py3-none-any.whl").unlink()
    refused(run_installer(archive), "wheels/thing-1-py3-none-any.whl")
    (archive / "app.tar").unlink()
    refused(run_installer(archive), "app.tar is missing")


@linux_only
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"python": "3.99"}, ("Python 3.99", HERE)),
        ({"machine": "sparc"}, ("Linux sparc", platform.machine())),
        ({"glibc": "2.999"}, ("glibc 2.999",)),
    ],
)
def test_another_kind_of_machine_is_told_why_not(
    archive: Path, changed: dict[str, str], words: tuple[str, ...]
) -> None:
    facts(archive, **changed)
    refused(run_installer(archive), *words)


@linux_only
def test_arguments_that_mean_nothing_are_refused(archive: Path) -> None:
    refused(run_installer(archive, "--prefix", "here"), "full path")
    refused(run_installer(archive, "--force"), "--force")
    refused(run_installer(archive, "--python"), "needs a value")
    helped = run_installer(archive, "--help")
    assert helped.returncode == 0
    assert "--roll-back" in helped.stdout
    assert "pipefail" not in helped.stdout


@linux_only
def test_an_installation_that_fails_leaves_the_version_in_use(archive: Path) -> None:
    prefix = archive.parent / "prefix"
    installed(prefix, "1.0")
    (prefix / "current").symlink_to("versions/1.0")
    done = run_installer(archive)  # its app.tar is no archive
    assert done.returncode == 3
    assert "the version in use is what it was" in done.stderr
    assert os.readlink(prefix / "current") == "versions/1.0"
    assert run_installer(archive, "--check").returncode == 0  # and may be tried again


@linux_only
def test_what_is_installed_is_not_written_over(archive: Path) -> None:
    installed(archive.parent / "prefix", "1.2.3")
    refused(run_installer(archive), "1.2.3 is installed", "remove that folder")


def installed(prefix: Path, version: str) -> None:
    (prefix / "versions" / version).mkdir(parents=True)
    (prefix / "versions" / version / "complete").touch()


@linux_only
def test_rolling_back_changes_two_links_and_back_again(archive: Path) -> None:
    prefix = archive.parent / "prefix"
    refused(run_installer(archive, "--roll-back"), "no version before")
    for version in ("1.0", "2.0"):
        installed(prefix, version)
    (prefix / "current").symlink_to("versions/2.0")
    (prefix / "previous").symlink_to("versions/1.0")
    done = run_installer(archive, "--roll-back")
    assert done.returncode == 0, done.stderr
    assert "backup" in done.stdout
    assert os.readlink(prefix / "current") == "versions/1.0"
    assert os.readlink(prefix / "previous") == "versions/2.0"
    assert run_installer(archive, "--roll-back").returncode == 0
    assert os.readlink(prefix / "current") == "versions/2.0"
    (prefix / "versions" / "1.0" / "complete").unlink()
    refused(run_installer(archive, "--roll-back"), "no version before")


# --- the whole of it, on request ------------------------------------------------------------------

INSIDE = r"""
set -eu
ip link set lo up
test -z "$(ip route)"
if timeout 5 bash -c '</dev/tcp/192.0.2.1/80' 2>/dev/null; then exit 9; fi
cd "$WORK/archive"/*
./install.sh --prefix "$WORK/prefix" --python "$PYTHON"
program=$WORK/prefix/current/venv/bin/gridwright
cd "$WORK"
"$program" demo county >/dev/null
cd county
"$program" propose --villages villages.gpkg --households households.csv --roads roads.gpkg \
    --water water.gpkg --railways railways.gpkg --compounds compounds.gpkg \
    --groups groups.gpkg --dedicated dedicated.gpkg -o plan.gpkg
cd /
"$program" serve --project "$WORK/county" --port 8501 --headless 2>"$WORK/serve.log" &
server=$!
trap 'kill $server' EXIT
"$PYTHON" - "$WORK/page.png" <<'PAGE'
import sys, time, urllib.request
from playwright.sync_api import sync_playwright
for _ in range(240):
    try:
        urllib.request.urlopen("http://127.0.0.1:8501/_stcore/health", timeout=2).read()
        break
    except OSError:
        time.sleep(0.25)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
    )
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
    page.goto("http://127.0.0.1:8501/?lang=en", wait_until="domcontentloaded")
    page.get_by_text("593", exact=True).first.wait_for(timeout=60_000)
    page.locator(".leaflet-container canvas").first.wait_for(state="attached", timeout=60_000)
    page.screenshot(path=sys.argv[1])
    print("page:", page.title())
    browser.close()
PAGE
"""


@linux_only
@pytest.mark.skipif(
    os.environ.get("GRIDWRIGHT_LONG") != "1", reason="five minutes; GRIDWRIGHT_LONG=1 asks for it"
)
def test_installed_where_there_is_no_network_then_upgraded_and_rolled_back(tmp_path: Path) -> None:
    python = sys._base_executable  # type: ignore[attr-defined]
    made = {}
    for version in ("0.1.0", "0.1.1"):
        source = tmp_path / f"source-{version}"
        run("git", "clone", "-q", "--no-hardlinks", REPOSITORY, source)
        project = source / "pyproject.toml"
        text = re.sub('version = "[^"]+"', f'version = "{version}"', project.read_text(), count=1)
        project.write_text(text)
        (source / "ui/board/node_modules").symlink_to(
            (REPOSITORY / "ui/board/node_modules").resolve()
        )
        run(source / ".ci/bundle", tmp_path, env={"VENV": sys.prefix})
        (made[version],) = tmp_path.glob(f"gridwright-{version}-*.tar.gz")
    unpack(made["0.1.0"], tmp_path / "archive")
    print(run(
        "unshare", "-rn" if os.geteuid() else "-n", "bash", "-c", INSIDE,
        env={"WORK": str(tmp_path), "PYTHON": sys.executable, "HOME": str(tmp_path / "home"),
             "GRIDWRIGHT_STORE": str(tmp_path / "kept" / "plans.gridwright"), "PYTHONPATH": ""},
    ))  # fmt: skip
    assert (tmp_path / "page.png").stat().st_size > 50_000
    prefix = tmp_path / "prefix"
    unpack(made["0.1.1"], tmp_path / "newer")
    (newer,) = (tmp_path / "newer").iterdir()
    install = [newer / "install.sh", "--prefix", prefix, "--python", python]
    told = run("unshare", "-rn" if os.geteuid() else "-n", *install, env={"PYTHONPATH": ""})
    assert "0.1.0 is kept" in told
    assert installed_version(prefix) == "0.1.1"
    print(told, run(*install, "--roll-back"))
    assert installed_version(prefix) == "0.1.0"
    run(prefix / "current/venv/bin/gridwright", "check", tmp_path / "county/plan.gpkg")


def run(*command: object, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def unpack(archive: Path, folder: Path) -> None:
    folder.mkdir()
    run("tar", "-xzf", archive, "-C", folder)


def installed_version(prefix: Path) -> str:
    """What the program in use says of itself, asked without this checkout in the way."""
    return run(
        prefix / "current/venv/bin/python", "-c",
        "from importlib.metadata import version; print(version('gridwright'))",
        env={"PYTHONPATH": ""},
    ).strip()  # fmt: skip
