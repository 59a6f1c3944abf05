"""The database gone and back, full, read-only, in other hands; the clock turned back."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import postgres_server
import pyogrio
import pytest
from pyproj import CRS
from sqlalchemy import create_engine

from geo.problems import InputError
from planning import edits
from planning.county import CountyPlan
from planning.history import Step
from planning.plan import Plan
from planning.record import replay, same_plan
from store.formats import upgrade
from store.projects import Conflict, Store
from store.whole import migrate

CODE = "320116001201"
OTHER = "320116001202"


def moved(plan: Plan, unit: int, time: str = "") -> Step:
    to = next(key for key in plan.keys.tolist() if key != plan.label[unit])
    step = Step("transfer", plan, edits.transfer(plan, np.array([unit]), to).plan)
    return replace(step, time=time) if time else step


def save(store: Store, scenario: int, unit: int) -> int:
    page = store.open_plan(scenario, CODE)
    return store.save_step(scenario, CODE, page.version, moved(page.plan, unit))


def save_for_ever(store: Store, scenario: int, versions: list[int]) -> None:
    """Save until it fails, and keep what was acknowledged."""
    page = store.open_plan(scenario, CODE)
    plan = page.plan
    while True:
        step = moved(plan, versions[-1] % 4)
        versions.append(store.save_step(scenario, CODE, versions[-1], step))
        plan = step.after


@pytest.fixture
def alone() -> Iterator[postgres_server.Server]:
    """A server that may be stopped without anybody else noticing."""
    with postgres_server.running() as server:
        yield server


# --- a file -----------------------------------------------------------------------------------


def test_a_file_moved_away_is_one_sentence_and_back_work_goes_on(
    county: CountyPlan, tmp_path: Path
) -> None:
    place, away = tmp_path / "p.db", tmp_path / "away"
    away.mkdir()
    with Store(place) as store:
        scenario = store.create_project(county, "c").scenario
        page = store.open_plan(scenario, CODE)
        assert save(store, scenario, 0) == 1
        names = [path.name for path in tmp_path.iterdir() if path.name.startswith("p.db")]
        for name in names:
            shutil.move(tmp_path / name, away / name)
        for refused in (
            lambda: store.save_step(scenario, CODE, 1, moved(page.plan, 1)),
            lambda: store.open_plan(scenario, CODE),
        ):
            with pytest.raises(InputError) as told:
                refused()
            assert {p.code for p in told.value.problems} <= {"store-moved", "store-not-writable"}
            assert told.value.problems[0].text("zh")
        assert [path.name for path in tmp_path.iterdir()] == ["away"]  # nothing was made instead
        for name in names:
            shutil.move(away / name, tmp_path / name)
        assert save(store, scenario, 1) == 2
        assert store.verify() == []


def test_a_file_replaced_while_open_is_not_written_past(
    county: CountyPlan, tmp_path: Path
) -> None:
    """What is acknowledged goes into the file that lies there, never into one without a name."""
    place = tmp_path / "p.db"
    with Store(place) as store:
        scenario = store.create_project(county, "c").scenario
        save(store, scenario, 0)
        store.backup(tmp_path / "copy.db")
        for ending in ("", "-wal", "-shm"):
            Path(f"{place}{ending}").unlink(missing_ok=True)
        (tmp_path / "copy.db").rename(place)
        with pytest.raises(InputError, match="moved away or replaced"):
            save(store, scenario, 1)
        versions = []
        for _ in range(3):  # each connection of the pool notices for itself
            try:
                versions.append(save(store, scenario, 1))
            except InputError:
                continue
        with Store(place) as other:
            assert other.version(scenario, CODE) == len(versions) + 1 == max(versions)
            assert other.verify() == []


# --- a server ---------------------------------------------------------------------------------


def test_a_server_stopped_and_started_again(
    alone: postgres_server.Server, county: CountyPlan
) -> None:
    with Store(alone.new_place()) as store:
        scenario = store.create_project(county, "c").scenario
        page = store.open_plan(scenario, CODE)
        assert save(store, scenario, 0) == 1
        alone.stop()
        for refused in (
            lambda: store.save_step(scenario, CODE, 1, moved(page.plan, 1)),
            lambda: store.open_plan(scenario, CODE),
            lambda: Store(store.place),
        ):
            with pytest.raises(InputError, match="cannot be reached") as told:
                refused()
            assert "无法连接" in told.value.problems[0].text("zh")
        alone.start()
        assert [entry.seq for entry in store.log(scenario, CODE)] == [1]
        assert save(store, scenario, 1) == 2
        assert store.verify() == []


def test_a_server_that_breaks_down_keeps_what_it_acknowledged(
    alone: postgres_server.Server, county: CountyPlan
) -> None:
    """Stopped at once (as killed) while two write, three times over."""
    with Store(alone.new_place()) as store:
        scenario = store.create_project(county, "c").scenario
        for turn in range(3):
            stop = threading.Event()
            told: dict[str, list[int]] = {CODE: [], OTHER: []}

            def work(code: str, told: dict[str, list[int]] = told) -> None:
                page = store.open_plan(scenario, code)
                version, plan = page.version, page.plan
                while True:
                    step = moved(plan, version % 4)
                    try:
                        version = store.save_step(scenario, code, version, step)
                    except InputError:
                        return
                    told[code].append(version)
                    plan = step.after

            workers = [threading.Thread(target=work, args=(code,)) for code in told]
            for worker in workers:
                worker.start()
            while min(map(len, told.values())) < 3 + turn:
                stop.wait(0.005)
            alone.stop("immediate")
            for worker in workers:
                worker.join()
            alone.start()
            for code, versions in told.items():
                assert store.version(scenario, code) in (versions[-1], versions[-1] + 1)
            assert store.verify() == []


def test_who_may_only_read_is_told_so(
    server: postgres_server.Server, county: CountyPlan
) -> None:
    place = server.new_place()
    with Store(place) as store:
        scenario = store.create_project(county, "c").scenario
    server.execute(
        place,
        "do $$ begin create role reader login; exception when duplicate_object then end $$",
        "do $$ begin execute format('grant usage on schema %I to reader', current_schema()); "
        "execute format('grant select on all tables in schema %I to reader', current_schema()); "
        "end $$",
    )
    with Store(place.replace("gridwright@", "reader@")) as store:
        assert store.version(scenario, CODE) == 0
        with pytest.raises(InputError, match=r"cannot be opened or written \(permission denied"):
            save(store, scenario, 0)
        assert store.verify() == []


def test_a_server_kept_busy_is_one_sentence(
    server: postgres_server.Server, county: CountyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.WAIT_MS", 50)
    with Store(server.new_place()) as store:
        scenario = store.create_project(county, "c").scenario
        with Store(store.place) as other, other.writing():
            assert store.version(scenario, CODE) == 0  # readers do not wait
            with pytest.raises(InputError, match="busy"):
                save(store, scenario, 0)
        assert save(store, scenario, 0) == 1


@contextmanager
def small_disk(server: postgres_server.Server, size: str) -> Iterator[Path]:
    """A disk in memory; a skip where this account may make none."""
    folder = server.folder / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a disk of its own takes the right to mount one")
    try:
        (folder / "space").mkdir()
        if server.user:
            shutil.chown(folder / "space", server.user)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_server_whose_disk_is_full_is_one_sentence(
    alone: postgres_server.Server, county: CountyPlan
) -> None:
    with small_disk(alone, "16m") as folder:
        with alone.connect() as connection:
            connection.execute(f"create tablespace small location '{folder / 'space'}'")  # type: ignore[arg-type]
        place = alone.new_place() + "%20-cdefault_tablespace%3Dsmall"
        with Store(place) as store:
            scenario = store.create_project(county, "c").scenario
            room = shutil.disk_usage(folder).free
            (folder / "filler").write_bytes(b"x" * (room - 32768))
            versions = [0]
            with pytest.raises(InputError, match="No space left"):
                save_for_ever(store, scenario, versions)
            (folder / "filler").unlink()
            assert store.version(scenario, CODE) == versions[-1]
            assert save(store, scenario, 0) == versions[-1] + 1
            assert store.verify() == []
        alone.stop("immediate")  # so that the disk can be taken away
        alone.start()


def test_another_programs_database_is_left_alone(server: postgres_server.Server) -> None:
    place = server.new_place()
    server.execute(place, "create table project (id int)")
    with pytest.raises(InputError, match="no project file"):
        Store(place)
    assert server.execute(
        place, "select count(*) from pg_tables where schemaname = current_schema()"
    ) == [(1,)]


def test_a_newer_store_on_a_server_is_refused(server: postgres_server.Server) -> None:
    place = server.new_place()
    with Store(place):
        pass
    server.execute(place, "update alembic_version set version_num = '0003'")
    with pytest.raises(InputError, match="newer Gridwright"):
        Store(place)


CATALOGUE = (
    "select table_name, column_name, data_type, udt_name, is_nullable, column_default "
    "from information_schema.columns where table_schema = current_schema() order by 1, 2",
    "select replace(indexdef, current_schema(), '') from pg_indexes "
    "where schemaname = current_schema() order by 1",
    "select tgrelid::regclass::text, tgname, tgtype::int from pg_trigger where not tgisinternal "
    "and tgrelid = (current_schema() || '.audit')::regclass order by 2",
    "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint "
    "where connamespace = current_schema()::regnamespace order by 1, 2",
)


def test_a_server_of_format_1_is_migrated_on_command_only(server: postgres_server.Server) -> None:
    place, new = server.new_place(), server.new_place()
    engine = create_engine(place)
    with engine.begin() as c:
        upgrade(c, 0)
    engine.dispose()
    # back to what the first format was, with a project in it
    server.execute(
        place,
        "drop table audit, presence, sign_in, grant_role, account",
        "drop function audit_refuses()",
        "update alembic_version set version_num = '0001'",
        "insert into project (name, crs, settings, provenance, lines, sets, created_at, created_by)"
        " values ('old', 'EPSG:4549', '', '', '', '', '', '')",
    )
    with pytest.raises(InputError, match="gridwright store migrate"):
        Store(place)
    assert migrate(place, actor="os:root") == (1, 2)
    assert migrate(place) == (2, 2)
    with Store(place) as store, Store(new):
        (note,) = store.trail()
        assert (note.action, note.actor) == ("store.migrate", "os:root")
    assert server.execute(place, "select name from project") == [("old",)]
    for query in CATALOGUE:
        assert server.execute(place, query) == server.execute(new, query)


def test_two_servers_starting_at_once_make_the_tables_once(
    server: postgres_server.Server,
) -> None:
    place = server.new_place()
    opened: list[Store] = []
    workers = [
        threading.Thread(target=lambda: opened.append(Store(place))) for _ in range(4)
    ]  # fmt: skip
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(opened) == 4
    assert [len(store.trail()) for store in opened] == [1] * 4
    for store in opened:
        store.close()


# --- both -------------------------------------------------------------------------------------


def test_a_clock_turned_back_mixes_nothing_up(
    store: Store, county: CountyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = store.create_project(county, "c").scenario
    start = store.open_plan(scenario, CODE).plan
    for hour, unit in ((9, 0), (8, 1), (7, 2), (12, 3)):
        moment = f"2026-01-05T{hour:02}:00:00Z"
        monkeypatch.setattr("planning.history.now", lambda moment=moment: moment)
        page = store.open_plan(scenario, CODE)
        store.save_step(scenario, CODE, page.version, moved(page.plan, unit, moment))
    page = store.open_plan(scenario, OTHER)
    store.save_step(scenario, OTHER, 0, moved(page.plan, 0, "2026-01-05T10:00:00Z"))
    with pytest.raises(Conflict):
        store.undo(scenario, CODE, 3)
    assert [entry.seq for entry in store.log(scenario, CODE)] == [1, 2, 3, 4]
    record = store.record(scenario)
    assert [r["village"] for r in record] == [CODE] * 3 + [OTHER, CODE]
    own = [r for r in record if r["village"] == CODE]
    assert same_plan(replay(own, start), store.open_plan(scenario, CODE).plan)
    assert store.verify() == []


def test_shapes_on_a_server_say_where_they_are(
    server: postgres_server.Server, county: CountyPlan
) -> None:
    """What QGIS asks of PostGIS, asked of PostGIS."""
    place = server.new_place()
    with Store(place) as store:
        store.create_project(county, "c")
    villages = server.execute(
        place,
        "select st_srid(boundary), st_isvalid(boundary), st_area(boundary) from village "
        "order by position",
    )
    assert [row[:2] for row in villages] == [(4549, True)] * 2
    assert np.allclose([row[2] for row in villages], county.ground.villages.area)  # type: ignore[arg-type]
    (units,) = server.execute(
        place, "select count(*), min(st_srid(geometry)), max(st_srid(geometry)) from unit"
    )
    assert units == (sum(len(village.units) for village in county.villages), 4549, 4549)
    layers = server.execute(
        place,
        "select f_table_name from geometry_columns where f_table_schema = current_schema() "
        "order by 1",
    )
    assert layers == [("unit",), ("village",)]


def test_shapes_in_a_file_say_where_they_are(county: CountyPlan, tmp_path: Path) -> None:
    """What QGIS asks of the file, asked with GDAL, of which QGIS makes use.

    Of copies: two SQLite libraries in one process must not have one file open at once.
    """
    with Store(tmp_path / "p.db") as store:
        made = store.create_project(county, "c")
        one, two, three = (tmp_path / f"{n}.gridwright" for n in range(3))
        store.backup(one)
        elsewhere = replace(county, ground=replace(county.ground, crs=CRS.from_epsg(4547)))
        store.create_project(elsewhere, "elsewhere")
        store.backup(two)
        store.delete_project(made.project)
        store.backup(three)
    assert pyogrio.list_layers(one)[:, 0].tolist() == ["village", "unit"]
    villages, units = (pyogrio.read_dataframe(one, layer=name) for name in ("village", "unit"))
    assert (villages.crs.to_epsg(), units.crs.to_epsg()) == (4549, 4549)
    assert np.allclose(villages.area, county.ground.villages.area)
    assert len(units) == sum(len(village.units) for village in county.villages)
    # one column, two systems: none is claimed
    systems = [pyogrio.read_info(path, layer="village")["crs"] for path in (one, two, three)]
    assert systems == ["EPSG:4549", None, "EPSG:4547"]
