"""beats.gpkg, posts, and beats that follow redrawn grids."""

from __future__ import annotations

from pathlib import Path

import beat_boards as boards
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.problems import InputError
from planning import edits
from planning.beats.adjust import adjust, follow
from planning.beats.beatfile import read_beatfile, to_beatfile, whole_share, write_beats
from planning.beats.describe import beat_table
from planning.beats.ground import BeatGround, load_beat_ground
from planning.beats.judge import exceptions_of, load_of
from planning.beats.officers import assign, posts_of
from planning.beats.plan import BeatPlan, as_beats
from planning.beats.propose import BeatProposal, Effort, propose_beats
from planning.beats.pushes import pushes
from planning.beats.settings import BeatSettings
from planning.history import History, Step
from planning.record import record_of, replay

QUICK = Effort(least_moves=20_000, small_starts=4)
CONTRACT = {
    "beats": {
        "code", "name", "station", "class", "grids", "households", "persons", "incidents",
        "workload", "workload_share", "officers", "parts", "polsby_popper", "reach_m", "exceptions",
    },
    "grid_beats": {"grid_code", "beat_code", "previous_beat", "moved"},
    "beat_changes": {
        "beat_code", "matched_previous", "jaccard_area", "persons_kept", "workload_kept"
    },
    "previous_mismatch": {"previous_beat", "grid_code", "area_m2", "households"},
    "provenance": {"key", "value"},
}  # fmt: skip
LEANING = "AAAAAB\nAAAAAB\nAAAAAB\nAAAAAB"


@pytest.fixture
def ground(tmp_path: Path) -> BeatGround:
    return boards.ground_of(boards.plan_of(4, 6), tmp_path, boards.beats_of(LEANING))


@pytest.fixture
def found(ground: BeatGround) -> BeatProposal:
    return propose_beats(ground, BeatSettings(), effort=QUICK)


def test_the_file_is_the_contract(
    ground: BeatGround, found: BeatProposal, tmp_path: Path
) -> None:
    tables = to_beatfile(ground, found.plan, found.rules, source=boards.plan_of(4, 6))
    path = tmp_path / "beats.gpkg"
    write_beats(tables, path)
    again = read_beatfile(path)
    for layer, columns in CONTRACT.items():
        assert columns <= set(getattr(again, layer).columns), layer
    assert again.beats["code"].tolist() == tables.beats["code"].tolist()
    assert again.beats["persons"].sum() == 24 * 300
    assert again.grid_beats["moved"].sum() == 7
    assert again.value("setting.kind") == "least-change"
    assert again.value("work.weight.residents") == "1"
    assert again.value("input.existing.file") == "today.gpkg"
    assert again.value("plan.setting.target") == "300"
    first = path.read_bytes()
    write_beats(tables, path)
    assert path.read_bytes() == first


def test_each_beat_is_exactly_its_grids(ground: BeatGround, found: BeatProposal) -> None:
    table = beat_table(ground, found.plan, found.rules)
    grids = boards.plan_of(4, 6).grids.geometry.to_numpy()
    for i, outline in enumerate(table.geometry):
        union = shapely.union_all(grids[found.plan.compact == i])
        assert shapely.area(shapely.symmetric_difference(outline, union)) == pytest.approx(0)
    assert table["workload_share"].sum() == pytest.approx(1)
    assert table["room_persons"].tolist() == (10_000 - table["persons"]).tolist()


def test_a_division_without_beats_of_today_is_written_too(tmp_path: Path) -> None:
    ground = load_beat_ground(boards.plan_of(2, 3, persons=None))
    found = propose_beats(ground, BeatSettings(kind="balanced", beats=2), effort=QUICK)
    path = tmp_path / "beats.gpkg"
    write_beats(to_beatfile(ground, found.plan, found.rules), path)
    again = read_beatfile(path)
    assert len(again.beats) == 2
    assert again.beats["code"].is_unique
    assert again.beats["persons"].isna().all()
    assert len(again.previous_mismatch) == 0
    assert again.grid_beats["moved"].sum() == 0


def test_what_is_no_beats_file_is_refused(tmp_path: Path) -> None:
    for name, content, code in (
        ("gone.gpkg", None, "plan-missing"),
        ("text.gpkg", b"beats", "beatfile-unreadable"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError) as refused:
            read_beatfile(path)
        assert [p.code for p in refused.value.problems] == [code]
    other = boards.write(boards.beats_of("AB"), tmp_path / "other.gpkg")
    with pytest.raises(InputError) as refused:
        read_beatfile(other)
    assert {p.code for p in refused.value.problems} == {"beatfile-layer"}


def test_edits_and_history_of_grids_work_on_beats(
    ground: BeatGround, found: BeatProposal
) -> None:
    start = found.plan
    grid = np.flatnonzero(start.label == 0)[:1]
    given = edits.transfer(start, grid, 1).plan
    history = History(start).do(Step("transfer", start, given))
    apart = edits.new_grid(given, np.flatnonzero(given.label == 1)[:1]).plan
    history = history.do(Step("new", given, apart))
    assert isinstance(apart, BeatPlan)
    fresh = (set(apart.grids) - set(start.grids)).pop()
    assert apart.grids[fresh].name.endswith("警格")
    assert history.undo().undo().present is start
    merged = edits.merge(apart, [0, fresh]).plan
    assert set(merged.grids) <= set(start.grids) | {fresh}
    assert edits.lock(start, [0]).locked() == {0}


def test_records_of_beat_steps_replay(found: BeatProposal) -> None:
    start = found.plan
    step = Step("transfer", start, edits.transfer(start, np.array([0, 1]), 1).plan)
    again = as_beats(replay([record_of(step)], start))
    assert again.label.tolist() == step.after.label.tolist()
    assert dict(again.grids) == dict(step.after.grids)
    fresh, key = again.fresh()
    assert fresh.grids[key].name.endswith("警格")


def test_posts_go_to_the_beats_they_name_and_then_by_work(tmp_path: Path) -> None:
    beats = boards.beats_of("AABBCC\nAABBCC", {"A": "甲", "B": "甲", "C": "乙"})
    path = tmp_path / "posts.csv"
    pd.DataFrame(
        {
            "岗位编码": ["P1", "P2", "P3", "P4", "P5"],
            "岗位类型": ["民警", "民警", "辅警", "民警", "民警"],
            "警格编码": ["BA", "", "", "BX", ""],
            "派出所": ["", "乙", "甲", "", "丁"],
        }
    ).to_csv(path, index=False, encoding="utf-8")
    ground = boards.ground_of(boards.plan_of(2, 6), tmp_path, beats, officers=path)
    found = propose_beats(ground, BeatSettings(), effort=QUICK)
    posts = assign(ground, found.plan, found.rules)
    assert posts is not None
    place = posts.table.set_index("post")["beat_code"]
    assert place["P1"] == "BA"
    assert place["P2"] == "BC"
    assert place["P3"] == "BB"  # the beat of its station without a post
    assert place["P4"]  # its beat does not exist: placed by work
    assert place["P5"] == ""  # its station has no beats
    assert posts.per_beat(found.plan).sum() == 4
    assert {note.code for note in posts.notes} >= {"officers-unknown-beat", "officers-lost-station"}
    table = to_beatfile(ground, found.plan, found.rules, posts=posts)
    assert table.beats["officers"].sum() == 4


def test_beats_without_a_post_and_posts_with_too_much_are_told(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    pd.DataFrame({"警格": ["BA", "BB"], "民警数": [3, 1]}).to_csv(path, index=False)
    beats = boards.beats_of("AABBCC\nAABBCC")
    ground = boards.ground_of(boards.plan_of(2, 6), tmp_path, beats, officers=path)
    found = propose_beats(ground, BeatSettings(), effort=QUICK)
    posts = assign(ground, found.plan, found.rules)
    assert posts is not None
    assert posts.per_beat(found.plan).tolist() == [3, 1, 0]
    told = {note.code: note for note in posts.notes}
    assert told["officers-few"].params["short"] == 1
    assert told["officers-much"].params["code"] == "BB"
    assert all(note.text("zh") and note.text("en") for note in posts.notes)


def test_counts_become_posts_with_codes() -> None:
    table = posts_of(pd.DataFrame({"beat": ["A", "B"], "officers": [2, 1]}))
    assert table["beat"].tolist() == ["A", "A", "B"]
    assert table["post"].is_unique


def redrawn(tmp_path: Path, moved: bool) -> tuple[BeatGround, BeatProposal, BeatGround, object]:
    ground = boards.ground_of(
        boards.plan_of(2, 4), tmp_path, boards.beats_of("AABB\nAABB")
    )
    found = propose_beats(ground, BeatSettings(band=0.3), effort=QUICK)
    plan = boards.plan_of(2, 4)
    if moved:  # the border between the second and the third grid of the north goes 100 m west
        plan.grids.loc[1, "geometry"] = boards.square(1, 0, 0.8)
        plan.grids.loc[2, "geometry"] = boards.square(1.8, 0, 1.2)
        plan.grids.loc[2, "persons"] = 360
        plan.grids.loc[1, "persons"] = 240
    return ground, found, load_beat_ground(plan), plan


def test_beats_follow_redrawn_grids_and_say_what_changed(tmp_path: Path) -> None:
    ground, found, fresh, plan = redrawn(tmp_path, moved=True)
    after = follow(ground, found.plan, found.rules, fresh, plan)
    assert after.plan.label.tolist() == found.plan.label.tolist()
    assert [g.code for g in after.plan.grids.values()] == ["BA", "BB"]
    table = after.changes.set_index("code")
    assert table["change"].tolist() == ["changed", "changed"]
    assert table.loc["BA", "moved_m2"] == pytest.approx(0.2 * boards.CELL**2)
    assert table.loc["BB", "persons"] - table.loc["BB", "persons_before"] == 60
    assert whole_share(after.ground) == 0


def test_beats_on_the_same_grids_are_the_same(tmp_path: Path) -> None:
    ground, found, fresh, plan = redrawn(tmp_path, moved=False)
    after = follow(ground, found.plan, found.rules, fresh, plan)
    assert after.changes["change"].tolist() == ["same", "same"]
    assert after.changes["moved_m2"].sum() == pytest.approx(0)


def test_grids_and_beats_are_adjusted_together(tmp_path: Path) -> None:
    ground, found, _, _ = redrawn(tmp_path, moved=False)
    # two of the eastern grids grew: 1,600 against 1,200 residents
    persons = [300, 300, 500, 300, 300, 300, 500, 300]
    plan = boards.plan_of(2, 4, persons=persons)
    after = follow(ground, found.plan, found.rules, load_beat_ground(plan), plan)
    settings = BeatSettings(band=0.1)
    tight = adjust(after, settings)
    assert boards.in_one_piece(after.ground, tight.plan.label)
    before = exceptions_of(after.ground, after.plan, after.rules)
    assert len(exceptions_of(after.ground, tight.plan, tight.rules)) <= len(before) + 2
    assert set(tight.plan.grids) == {0, 1}
    held = np.bincount(tight.plan.compact, weights=persons)
    assert np.abs(held / held.mean() - 1).max() <= 0.15
    assert isinstance(after.ground.today.beats, gpd.GeoDataFrame)  # type: ignore[union-attr]


def test_pushes_show_both_beats_and_never_break_one(
    ground: BeatGround, found: BeatProposal
) -> None:
    start = as_beats(found.plan.relabel(ground.home.copy()))
    table = pushes(ground, start, found.rules, 0)
    # the fifth column of the leaning beat, and nothing else, touches the other one
    assert sorted(table["grid"]) == [4, 10, 16, 22]
    assert (table["gain"] > 0).all()
    first = table.iloc[0]
    after = edits.transfer(start, np.array([first["grid"]]), int(first["to"])).plan
    load = load_of(ground, after, found.rules)
    assert first["from_deviation"] == pytest.approx(load.deviation[0])
    assert first["to_deviation"] == pytest.approx(load.deviation[1])
    assert first["to_room_persons"] == load.room_persons[1]
    for grid in table["grid"]:
        label = edits.transfer(start, np.array([grid]), 1).plan.label
        assert boards.in_one_piece(ground, label)
    assert not len(pushes(ground, edits.lock(start, [1]), found.rules, 0))


def test_a_cut_parts_two_grids(ground: BeatGround) -> None:
    pairs = tuple((boards.code(r, 2), boards.code(r, 3)) for r in range(4))
    found = propose_beats(ground, BeatSettings(kind="balanced", cuts=pairs), effort=QUICK)
    east = [r * 6 + c for r in range(4) for c in (3, 4, 5)]
    assert len(set(found.plan.label[east])) == 1
