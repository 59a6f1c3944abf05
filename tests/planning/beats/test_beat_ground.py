"""Reading what lies beside a plan: every doubt is told, in both languages, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import beat_boards as boards
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.problems import InputError, Problem
from planning.beats.ground import BeatInputs, load_beat_ground
from planning.beats.work import WorkSpec

TODAY = "AABB\nAABB"


def codes_of(notes: tuple[Problem, ...]) -> list[str]:
    for note in notes:
        assert note.text("zh")
        assert note.text("en")
        assert note.text("zh") != note.text("en")
    return [note.code for note in notes]


def refused(call: object, *arguments: object, **more: object) -> list[str]:
    with pytest.raises(InputError) as found:
        call(*arguments, **more)  # type: ignore[operator]
    return codes_of(found.value.problems)


def test_grids_become_an_exact_coverage() -> None:
    ground = load_beat_ground(boards.plan_of(2, 4))
    assert len(ground) == 8
    assert len(ground.units.edges.a) == 10
    assert ground.units.area.sum() == pytest.approx(8 * boards.CELL**2)


def test_neighbours_that_share_no_vertices_are_neighbours() -> None:
    plan = boards.plan_of(1, 2)
    low = shapely.box(*boards.square(0, 1, 2, 1).bounds)
    extra = plan.grids.iloc[[0]].assign(code="320100001000", geometry=[low])
    frame = gpd.GeoDataFrame(pd.concat([plan.grids, extra], ignore_index=True), crs=boards.CRS)
    ground = load_beat_ground(type(plan)(**{**plan.__dict__, "grids": frame}))
    pairs = set(zip(ground.units.edges.a.tolist(), ground.units.edges.b.tolist(), strict=True))
    assert pairs == {(0, 1), (0, 2), (1, 2)}


def test_a_grid_belongs_to_the_beat_of_most_households(tmp_path: Path) -> None:
    plan = boards.plan_of(1, 2)
    # beat A reaches over 30 % of the second grid, where all of its households live
    near = shapely.Point(boards.square(1.1, 0.5, 0, 0).bounds[:2])
    plan.households.loc[1, "geometry"] = near
    beats = gpd.GeoDataFrame(
        {"code": ["A", "B"]},
        geometry=[boards.square(0, 0, 1.3), boards.square(1.3, 0, 0.7)],
        crs=boards.CRS,
    )
    ground = boards.ground_of(plan, tmp_path, beats)
    assert ground.home.tolist() == [0, 0]
    assert ground.today is not None
    piece = ground.today.mismatch
    assert piece["previous_beat"].tolist() == ["B"]
    assert piece["area_m2"].iloc[0] == pytest.approx(0.7 * boards.CELL**2)
    assert piece["households"].tolist() == [0]
    assert ground.today.whole.tolist() == [False, False]
    assert "beats-without-grid" in codes_of(ground.notes)


def test_beats_of_whole_grids_cross_nothing(tmp_path: Path) -> None:
    ground = boards.ground_of(boards.plan_of(2, 4), tmp_path, boards.beats_of(TODAY))
    assert ground.today is not None
    assert len(ground.today.mismatch) == 0
    assert ground.today.whole.all()


def test_overlapping_beats_are_told(tmp_path: Path) -> None:
    beats = boards.beats_of(TODAY)
    beats.loc[0, "geometry"] = boards.square(0, 0, 2.2, 2)
    ground = boards.ground_of(boards.plan_of(2, 4), tmp_path, beats)
    assert "beats-overlap" in codes_of(ground.notes)
    assert ground.home.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def test_holes_between_beats_are_told(tmp_path: Path) -> None:
    ground = boards.ground_of(boards.plan_of(2, 4), tmp_path, boards.beats_of("AAB.\nAABB"))
    assert "beats-hole" in codes_of(ground.notes)
    assert ground.home[3] == -1


def test_beats_outside_are_told(tmp_path: Path) -> None:
    beats = boards.beats_of("AABB\nAABB\n....\nC...")
    ground = boards.ground_of(boards.plan_of(2, 4), tmp_path, beats)
    assert "beats-outside" in codes_of(ground.notes)


def test_beats_elsewhere_are_refused(tmp_path: Path) -> None:
    beats = boards.beats_of(TODAY)
    beats["geometry"] = beats.translate(100_000, 0)
    path = boards.write(beats, tmp_path / "today.gpkg")
    plan = boards.plan_of(2, 4)
    assert refused(load_beat_ground, plan, BeatInputs(existing=path)) == ["beats-elsewhere"]


def test_beats_that_are_no_areas_are_refused(tmp_path: Path) -> None:
    points = boards.beats_of(TODAY)
    points["geometry"] = points.representative_point()
    path = boards.write(points, tmp_path / "today.gpkg")
    assert refused(load_beat_ground, boards.plan_of(2, 4), BeatInputs(existing=path))


def test_one_name_far_apart_stays_two_beats(tmp_path: Path) -> None:
    beats = boards.beats_of("ABC\nABC").assign(code="", name=["东", "西", "东"])
    ground = boards.ground_of(boards.plan_of(2, 3), tmp_path, beats)
    assert "beats-same-name" in codes_of(ground.notes)
    assert ground.today is not None
    assert len(ground.today.beats) == 3
    assert ground.today.beats["code"].is_unique


def test_one_code_twice_is_one_beat(tmp_path: Path) -> None:
    beats = boards.beats_of("ABC\nABC").assign(code=["1", "2", "1"])
    ground = boards.ground_of(boards.plan_of(2, 3), tmp_path, beats)
    assert "beats-same-name" in codes_of(ground.notes)
    assert ground.home.tolist() == [0, 1, 0, 0, 1, 0]


def test_beats_in_feet_are_brought_to_metres(tmp_path: Path) -> None:
    plan = boards.plan_of(2, 4)
    shift = 200_000.0, 900_000.0
    plan = type(plan)(
        **{
            **plan.__dict__,
            "grids": plan.grids.set_crs(26986, allow_override=True).set_geometry(
                plan.grids.translate(
                    shift[0] - boards.ORIGIN[0], shift[1] - boards.ORIGIN[1]
                ).set_crs(26986, allow_override=True)
            ),
            "households": plan.households.iloc[:0].set_crs(26986, allow_override=True),
        }
    )
    beats = boards.beats_of(TODAY)
    moved = beats.translate(shift[0] - boards.ORIGIN[0], shift[1] - boards.ORIGIN[1])
    beats = beats.set_geometry(moved.set_crs(26986, allow_override=True)).to_crs(2249)
    ground = boards.ground_of(plan, tmp_path, beats)
    assert ground.home.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def incidents(path: Path, places: list[tuple[float, float] | None], **columns: object) -> Path:
    table = pd.DataFrame({"事件编号": [f"S{i}" for i in range(len(places))], **columns})
    points = gpd.GeoSeries(
        [
            None if p is None else boards.square(p[0], p[1], 0.02, 0.02).centroid
            for p in places
        ],
        crs=boards.CRS,
    ).to_crs(4326)
    table["经度"], table["纬度"] = points.x, points.y
    table.to_csv(path, index=False, encoding="utf-8")
    return path


def test_incidents_without_place_and_outside_are_counted(tmp_path: Path) -> None:
    path = incidents(tmp_path / "i.csv", [(0.5, 0.5), (1.5, 0.5), None, (9.5, 9.5), (1.6, 0.4)])
    ground = load_beat_ground(boards.plan_of(1, 2), BeatInputs(incidents=path))
    told = codes_of(ground.notes)
    assert "incidents-unplaced" in told
    assert "incidents-outside" in told
    assert ground.work.incidents.tolist() == [1, 2]
    assert ground.work.unit == "incidents"


def test_incidents_all_on_one_point_are_refused(tmp_path: Path) -> None:
    path = incidents(tmp_path / "i.csv", [(0.5, 0.5)] * 5)
    plan = boards.plan_of(1, 2)
    assert refused(load_beat_ground, plan, BeatInputs(incidents=path)) == ["incidents-one-point"]


def test_incidents_elsewhere_are_refused(tmp_path: Path) -> None:
    path = incidents(tmp_path / "i.csv", [(50.5, 0.5), (51.5, 0.5)])
    plan = boards.plan_of(1, 2)
    assert refused(load_beat_ground, plan, BeatInputs(incidents=path)) == ["incidents-nowhere"]


def test_a_pile_of_incidents_is_told(tmp_path: Path) -> None:
    places = [(0.5, 0.5)] * 30 + [(0.1 + i / 40, 0.3) for i in range(30)]
    path = incidents(tmp_path / "i.csv", list(places))
    ground = load_beat_ground(boards.plan_of(1, 2), BeatInputs(incidents=path))
    assert "incidents-pile" in codes_of(ground.notes)
    assert ground.work.incidents.sum() == 60


def test_minutes_count_without_the_absurd(tmp_path: Path) -> None:
    minutes = [10, 20, 30, 20, 10, 30, 20, 999_999]
    places = [(i / 4 + 0.1, 0.5) for i in range(8)]
    path = incidents(tmp_path / "i.csv", list(places), 用时=minutes)
    ground = load_beat_ground(
        boards.plan_of(1, 2), BeatInputs(incidents=path), WorkSpec({"incidents": 1}, minutes=True)
    )
    assert "work-clipped" in codes_of(ground.notes)
    assert ground.work.outliers["minutes"].tolist() == [999_999]
    assert ground.work.total.sum() < 300
    assert ground.work.said["work.unit"] == "minutes"


def test_categories_weigh(tmp_path: Path) -> None:
    path = incidents(tmp_path / "i.csv", [(0.5, 0.5), (1.5, 0.5)], 事件类别=["盗窃", "噪音"])
    spec = WorkSpec({"incidents": 1}, {"盗窃": 3, "火灾": 2})
    ground = load_beat_ground(boards.plan_of(1, 2), BeatInputs(incidents=path), spec)
    assert ground.work.total.tolist() == [3, 1]
    assert "work-category" in codes_of(ground.notes)


def test_a_station_with_no_grid_is_told(tmp_path: Path) -> None:
    stations = gpd.GeoDataFrame(
        {"名称": ["甲派出所", "乙派出所", "丙派出所"]},
        geometry=[
            boards.square(0, 0, 2, 2), boards.square(2, 0, 2, 2), boards.square(4, 0, 0.02, 0.02)
        ],
        crs=boards.CRS,
    )
    stations.loc[2, "geometry"] = boards.square(1.9, 0.9, 0.1, 0.1)
    path = boards.write(stations, tmp_path / "stations.gpkg")
    ground = load_beat_ground(boards.plan_of(2, 4), BeatInputs(stations=path))
    assert "station-no-grid" in codes_of(ground.notes)
    assert [ground.stations[i] for i in ground.station] == ["甲派出所", "甲派出所", "乙派出所",
                                                            "乙派出所"] * 2  # fmt: skip


def test_personal_columns_of_an_officers_table_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "officers.csv"
    pd.DataFrame(
        {
            "岗位编码": ["G1", "G2"], "警格": ["BA", "BB"], "姓名": ["甲", "乙"],
            "警号": ["012345", "012346"], "手机": ["13800000000", "13900000000"],
        }
    ).to_csv(path, index=False, encoding="utf-8")  # fmt: skip
    ground = boards.ground_of(
        boards.plan_of(2, 4), tmp_path, boards.beats_of(TODAY), officers=path
    )
    assert ground.officers is not None
    assert set(ground.officers.columns) <= {"post", "kind", "beat", "station", "officers"}
    assert any("姓名" in note.text("zh") for note in ground.notes)


@pytest.mark.parametrize(
    "name", ["年龄", "民族", "户籍人口数", "流动人口", "低保户数", "ethnicity", "重点人员", "hukou"]
)
def test_what_people_are_is_no_work(name: str) -> None:
    assert refused(WorkSpec, {name: 1.0}) == ["work-personal"]


def test_unknown_and_negative_weights_are_refused() -> None:
    assert refused(WorkSpec, {"trees": 1.0}) == ["work-unknown"]
    assert refused(WorkSpec, {"residents": -1.0}) == ["work-weight"]
    assert refused(WorkSpec, {"residents": 0.0}) == ["work-weight"]


def test_work_without_its_data_is_refused() -> None:
    plan = boards.plan_of(1, 2, persons=None)
    assert refused(load_beat_ground, plan, None, WorkSpec({"residents": 1})) == ["work-missing"]
    assert refused(load_beat_ground, plan, None, WorkSpec({"travel": 1})) == ["work-missing"]
    nobody = boards.plan_of(1, 2, households=0, persons=0)
    assert refused(load_beat_ground, nobody, None, WorkSpec()) in (["work-none"], ["work-missing"])


def test_mixed_work_is_shares_of_totals() -> None:
    plan = boards.plan_of(1, 2, households=[100, 300], persons=[500, 500])
    ground = load_beat_ground(plan, None, WorkSpec({"residents": 1, "households": 3}))
    # a quarter of all points by residents, three quarters by households
    assert ground.work.total == pytest.approx([31_250, 68_750])
    assert ground.work.said["work.weight.households"] == "3"


def test_grids_without_a_code_of_their_own_are_refused() -> None:
    for code in ("", boards.code(0, 0)):
        plan = boards.plan_of(1, 2)
        plan.grids.loc[1, "code"] = code
        assert refused(load_beat_ground, plan) == ["beats-grid-codes"]


def test_overlapping_grids_are_cleaned_and_told() -> None:
    plan = boards.plan_of(1, 2)
    plan.grids.loc[0, "geometry"] = boards.square(0, 0, 1.1)
    ground = load_beat_ground(plan)
    assert "beats-grids-gaps" in codes_of(ground.notes)
    assert ground.units.area.sum() == pytest.approx(2 * boards.CELL**2)


def test_barriers_block_borders(tmp_path: Path) -> None:
    line = boards.square(2, 0, 0, 2).bounds
    river = gpd.GeoDataFrame(
        {"名称": ["河"]},
        geometry=[shapely.LineString([line[:2], line[2:]])],
        crs=boards.CRS,
    )
    path = boards.write(river, tmp_path / "river.gpkg")
    ground = load_beat_ground(boards.plan_of(2, 4), BeatInputs(barriers=path))
    edges = ground.units.edges
    blocked = set(zip(edges.a[ground.blocked], edges.b[ground.blocked], strict=True))
    assert blocked == {(1, 2), (5, 6)}
    assert np.asarray(ground.blocked).sum() == 2
