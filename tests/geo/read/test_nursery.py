"""Readers forked from a process that has seen no file: each alone, whatever becomes of another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import box

from geo.problems import InputError
from geo.read import isolate, nursery, read_layer
from geo.read.limits import LIMITS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture(autouse=True)
def _own_nursery() -> Iterator[None]:
    nursery.end()
    yield
    nursery.end()


def villages(folder: Path, number: int) -> Path:
    names = [f"{number}-{row}" for row in range(number)]
    shapes = [box(119 + row * 0.01, 32, 119.01 + row * 0.01, 32.01) for row in range(number)]
    path = folder / f"v{number}.gpkg"
    gpd.GeoDataFrame({"村名": names}, geometry=shapes, crs=4326).to_file(path)
    return path


def run_alone(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    """What ``program`` did in a process of its own that was given ``path``."""
    return subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip


def endless(folder: Path) -> Path:
    path = villages(folder, 2)
    view = (
        "CREATE VIEW forever AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT fid, geom, (SELECT max(i) FROM n) AS 村名 FROM v2"
    )
    with sqlite3.connect(path) as database:
        database.execute(view)
        for table, columns in (
            ("gpkg_contents", "table_name, data_type, identifier, srs_id"),
            ("gpkg_geometry_columns", "table_name, column_name, geometry_type_name, srs_id, z, m"),
        ):
            own = columns.replace("table_name", "'forever'").replace("identifier", "'forever'")
            database.execute(
                f"INSERT INTO {table} ({columns}) SELECT {own} FROM {table} "
                "WHERE table_name = 'v2'"
            )
    database.close()
    return path


def process() -> int:
    held = nursery._HELD[0]
    return held._process.pid


def children(of: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{of}/task/{of}/children").read_text().split()]


def test_many_at_once_are_each_answered_with_their_own(tmp_path: Path) -> None:
    paths = [villages(tmp_path, number) for number in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda path: read_layer(path, "villages", trusted=False), paths))
    assert [len(layer.frame) for layer in read] == list(range(1, 9))
    assert [layer.frame["name"].iloc[-1] for layer in read] == [f"{n}-{n - 1}" for n in range(1, 9)]
    assert len(nursery._HELD) == 1


def test_one_that_is_stopped_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, short = endless(tmp_path), villages(tmp_path, 5)
    read_layer(short, "villages", trusted=False)
    held = process()
    monkeypatch.setattr(isolate, "LIMITS", replace(LIMITS, seconds=4))
    with ThreadPoolExecutor(2) as pool:
        stopped = pool.submit(read_layer, f"{long}:forever", "villages", trusted=False)
        assert len(read_layer(short, "villages", trusted=False).frame) == 5
        with pytest.raises(InputError) as caught:
            stopped.result()
    assert [p.code for p in caught.value.problems] == ["read_too_slow"]
    assert len(read_layer(short, "villages", trusted=False).frame) == 5
    assert process() == held
    assert children(held) == []


def test_where_it_was_killed_the_next_file_starts_another(tmp_path: Path) -> None:
    path = villages(tmp_path, 3)
    read_layer(path, "villages", trusted=False)
    first = process()
    os.kill(first, signal.SIGKILL)
    assert len(read_layer(path, "villages", trusted=False).frame) == 3
    assert process() != first


def test_a_fork_of_ours_has_one_of_its_own(tmp_path: Path) -> None:
    """Workers that plan are forked from the program; they must not share its pipes."""
    path = villages(tmp_path, 3)
    program = (
        "import os, sys\n"
        "from geo.read import nursery, read_layer\n"
        "path = sys.argv[1]\n"
        "read_layer(path, 'villages', trusted=False)\n"
        "first = nursery._HELD[0]._process.pid\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    rows = len(read_layer(path, 'villages', trusted=False).frame)\n"
        "    own = nursery._HELD[0]._process.pid\n"
        "    nursery.end()\n"
        "    os._exit(0 if rows == 3 and own != first else 1)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
        "print(len(read_layer(path, 'villages', trusted=False).frame))\n"
    )
    done = run_alone(program, path)
    assert done.stdout == "3\n", done.stderr


def test_it_ends_with_the_program(tmp_path: Path) -> None:
    path = villages(tmp_path, 1)
    program = (
        "import os, sys\n"
        "from geo.read import nursery, read_layer\n"
        "read_layer(sys.argv[1], 'villages', trusted=False)\n"
        "print(nursery._HELD[0]._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = run_alone(program, path)
    left = Path(f"/proc/{int(done.stdout)}/stat")
    for _ in range(200):
        if not left.exists() or left.read_text().split()[2] == "Z":
            return
        os.sched_yield()
        signal.sigtimedwait([], 0.05)
    raise AssertionError("the nursery lives on without its program")


def test_a_reader_sees_its_folder_and_none_of_the_nurserys_pipes(tmp_path: Path) -> None:
    """What a forked reader has open when it begins: nothing but the way to nowhere."""
    program = (
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "from geo.read import child\n"
        "def look(request):\n"
        "    held = []\n"
        "    for fd in range(256):\n"
        "        try:\n"
        "            held.append(os.readlink(f'/proc/self/fd/{fd}'))\n"
        "        except FileNotFoundError:\n"
        "            pass\n"
        "    told = {'fds': held[:3], 'more': [Path(held_file).name for held_file in held[3:]],\n"
        "            'cwd': os.getcwd(), 'home': os.environ['HOME'],\n"
        "            'group': os.getpgrp() == os.getpid()}\n"
        "    Path(request['folder'], 'seen.json').write_text(json.dumps(told))\n"
        "child._do = look\n"
        "sys.argv[1:] = ['nursery']\n"
        "child.main()\n"
    )
    asked = b'{"number": 1, "request": {"folder": "%s"}}\n' % str(tmp_path).encode()
    run = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write(asked)
    run.stdin.flush()
    assert run.stdout.readline() == b'{"number": 1, "code": 0}\n'
    run.stdin.close()
    assert run.wait(10) == 0
    run.stdout.close()
    seen = json.loads((tmp_path / "seen.json").read_text())
    # the way to nowhere itself, and what the libraries opened before any file
    assert set(seen.pop("more")) <= {"null", "proj.db"}
    assert seen == {"fds": ["/dev/null"] * 3, "cwd": str(tmp_path), "home": str(tmp_path),
                    "group": True}  # fmt: skip


@pytest.mark.parametrize("name", ["v.zip", "v.parquet", "v.gpkg"])
def test_a_library_s_own_files_stay_its_own(tmp_path: Path, name: str) -> None:
    """PROJ holds its database open over the fork; a layer whose tables took its number is lost."""
    frame = gpd.read_file(villages(tmp_path, 6)).to_crs(4547)
    if name == "v.zip":
        frame.to_file(tmp_path / "v.gdb", driver="OpenFileGDB", layer="v")
        shutil.make_archive(str(tmp_path / "v"), "zip", tmp_path, "v.gdb")
    elif name == "v.parquet":
        frame.to_parquet(tmp_path / name)
    else:
        frame.to_file(tmp_path / name)
    for _ in range(2):
        layer = read_layer(tmp_path / name, "villages", trusted=False)
        assert layer.crs is not None
        assert layer.crs.to_epsg() == 4547
        assert list(layer.frame["name"]) == [f"6-{row}" for row in range(6)]
        apart = layer.frame.geometry.reset_index(drop=True).hausdorff_distance(frame.geometry)
        assert apart.max() < 0.01
