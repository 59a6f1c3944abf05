"""Files of several months and years hold no more together than each does: nothing is settled anew,
and a solver that knows all of them works nothing out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from attack import BY_ROWS, worked_out
from hypothesis import given, settings
from hypothesis import strategies as st
from making import METRIC, events, grids

from incidents.analysis import Prepared, analyse, prepare
from incidents.areas import areas_of
from incidents.cube import Axis, count_cube
from incidents.disclosure import Mark, Protected, protect
from incidents.growing import UNDATED, Grown, _Maker
from incidents.sharedfile import shared_layers
from incidents.sharing import Shared, share


def told_until(whole: Prepared, months: int) -> Prepared:
    """The same county as its file was after so many months."""
    kept = whole.events.months < whole.events.months.min() + months
    return prepare(whole.events.take(np.flatnonzero(kept)), whole.areas)


@pytest.fixture(scope="module")
def county() -> Prepared:
    """Two years, some eight events a month and township; a fifth of the grids has hardly any."""
    whole = events(700, 5)
    return prepare(whole, areas_of(METRIC, grids=grids()))


@pytest.fixture(scope="module")
def files(county: Prepared) -> dict[int, Shared]:
    return {months: share(told_until(county, months)) for months in (5, 11, 12, 13, 23, 24)}


def same(one: Protected, other: Protected) -> bool:
    return one.marks.keys() == other.marks.keys() and all(
        (one.text(t) == other.text(t)).all() and (one.marks[t] == other.marks[t]).all()
        for t in one.marks
    )


def test_a_later_file_holds_every_number_of_an_earlier_one(files) -> None:
    names = sorted(files)
    for early, late in pairwise(names):
        before, after = files[early].common, files[late].common
        assert before.months.keys() < after.months.keys()
        assert before.years.keys() <= after.years.keys()
        assert all(same(held, after.months[m]) for m, held in before.months.items())
        assert all(same(held, after.years[y]) for y, held in before.years.items())
    assert [len(files[n].common.years) for n in names] == [0, 0, 1, 1, 1, 2]


def test_sums_of_two_files_differ_by_numbers_that_are_shown(files) -> None:
    """What made cumulative tables unfit: May's total less April's is one month of one place."""
    for early, late in ((11, 12), (12, 13), (23, 24)):
        tables = [
            {level: files[n].rows(level).set_index("code")["count"]
             for level in ("county", "township", "village", "grid")
             if _published(files[n], level)} for n in (early, late)
        ]  # fmt: skip
        month = files[late].common.span[-1]
        for level in tables[0].keys() & tables[1].keys():
            apart = tables[1][level] - tables[0][level]
            if late % 12:  # within a year the difference is a month, and a shown one
                shown = files[late].rows(level, month).set_index("code")["count"]
                assert apart.dropna().eq(shown.reindex(apart.dropna().index)).all()
            assert not apart.dropna().between(0, 2).any()
    assert not _published(files[11], "village")  # small areas are told when a year is over


def _one_time() -> Axis:
    return Axis("time", 1, {}, {})


def _published(shared: Shared, level) -> bool:
    try:
        shared.rows(level)
    except KeyError:
        return False
    return True


def test_a_year_that_is_over_tells_grids_and_stays_when_the_next_is(files) -> None:
    first, second = files[12].rows("grid", "2023"), files[24].rows("grid", "2023")
    assert first.equals(second)
    assert (first["count"].notna()).mean() > 0.5
    both = files[24].rows("grid").set_index("code")["count"]
    parts = [files[24].rows("grid", y).set_index("code")["count"] for y in ("2023", "2024")]
    assert both.equals(parts[0] + parts[1])


def test_a_years_tables_leave_its_months_as_they_stand(files) -> None:
    grown: Grown = files[24].common
    for name, year in grown.years.items():
        months = [m for m in grown.months if m.startswith(name)]
        for table, marks in year.marks.items():
            if table[1] != "month":
                continue
            for number, month in enumerate(months):
                held = grown.months[month]
                if table in held.marks:
                    shown = np.flatnonzero(held.marks[table].ravel() == Mark.SHOWN)
                    assert held.cube.table(table).ravel()[shown].min(initial=3) >= 3
                    assert (held.marks[table] == Mark.SHOWN).sum() <= (
                        marks[:, number] == Mark.SHOWN
                    ).sum()


@given(seed=st.integers(0, 10_000), many=st.integers(150, 600))
@settings(max_examples=6)
def test_all_files_of_a_year_together_give_nothing_back(seed: int, many: int) -> None:
    """The last file holds the earlier ones (above), so whoever has it has them all. Few areas,
    kinds and months, so that a solver is done in seconds."""
    kinds = np.random.default_rng(seed).choice(["环境保护", "社会治安"], many, p=[0.8, 0.2])
    whole = events(many, seed, category=kinds)
    few = grids(2, 2000.0).assign(
        village_code=["V1", "V2", "V3", "V3"], township_name=["T", "T", "U", "U"]
    )
    number = whole.months - whole.months.min()
    inside = whole.take(np.flatnonzero((number >= 8) & (number < 12)))
    made = share(prepare(inside, areas_of(METRIC, grids=few)))
    assert list(made.common.years) == ["2023"]
    for held in [*made.common.months.values(), *made.common.years.values()]:
        assert worked_out(held, BY_ROWS) == []


def test_the_attack_sees_what_two_files_give(county) -> None:
    """Sums over a year that is not over, as they were published once, are subtracted."""
    early, late = (told_until(county, n) for n in (16, 17))
    table = ("grid", "all", "all", "all")
    both = []
    for held in (early, late):
        axes, leaves = _Maker(held, np.arange(len(held.events)), 3, 1.0).axes(
            np.arange(len(held.events)), _one_time(), np.zeros(len(held.events), dtype=np.int64)
        )
        both.append(protect(count_cube(axes, leaves), [table, ("all",) * 4]))
    apart = both[1].shown(table) - both[0].shown(table)
    assert ((apart > 0) & (apart < 3)).any()  # one event of one grid in one month


def test_a_month_of_closings_changes_no_number_of_another_month(county) -> None:
    first = share(told_until(county, 5)).common.months
    state = np.where(county.events.months % 2, 4, county.events.state)
    closed = replace(county.events, state=state)
    again = share(prepare(closed, county.areas)).common.months
    odd = {m for m in first if (np.datetime64(m, "M").astype(int)) % 2}
    assert all(same(first[m], again[m]) for m in first if m not in odd)


def test_events_without_a_time_stand_in_no_table_unless_none_has_one(county) -> None:
    some = county.events.months % 3 == 0
    half = replace(
        county.events, time=np.where(some, np.datetime64("NaT", "s"), county.events.time)
    )
    made = share(prepare(half, county.areas)).common
    assert sum(int(m.cube.counts.sum()) for m in made.months.values()) < len(half)
    none = replace(county.events, time=np.full(len(half), np.datetime64("NaT", "s")))
    only = share(prepare(none, county.areas))
    assert list(only.common.years) == [UNDATED]
    reported = int((county.events.source != 2).sum())
    assert only.rows("county")["count"].sum() == reported


def test_sensitive_kinds_are_told_by_whole_years(county) -> None:
    marked = replace(county, events=replace(county.events, sensitive=np.arange(700) % 4 == 0))
    made = share(marked)
    assert made.sensitive is not None
    assert list(made.sensitive.years) == ["2023", "2024"]
    assert not made.sensitive.months
    early = share(told_until(marked, 20))
    assert early.sensitive is not None
    assert same(early.sensitive.years["2023"], made.sensitive.years["2023"])


def test_the_file_of_a_year_that_is_not_over_has_dashes_for_grids(files, county) -> None:
    half = told_until(county, 5)
    layers = shared_layers(files[5], analyse(half, trend=False))
    assert set(layers["by_grid"]["shown"]) == {"—"}
    assert layers["by_county"]["count"].notna().iloc[0]
    assert set(layers["tables"]["period"]) == set(files[5].common.months)


def test_many_small_areas_are_told_by_the_year_and_in_time(county) -> None:
    """Forty-nine villages by month would be nearly all "<3", and would take minutes to prove."""
    small = grids(7, 4000 / 7).assign(village_code=[f"V{i}" for i in range(49)], township_name="T")
    made = share(prepare(county.events, areas_of(METRIC, grids=small)))
    assert {t[0] for held in made.common.months.values() for t in held.marks} == {"county"}
    assert not _published(made, "village") or made.rows("village", "2024")["count"].notna().any()


@pytest.mark.parametrize("outside", [1, 2])
def test_a_few_events_outside_do_not_take_the_countys_year(county, outside: int) -> None:
    at = {name: where.copy() for name, where in county.at.items()}
    for where in at.values():
        where[: len(where) - outside] = np.maximum(where[: len(where) - outside], 0)
        where[-outside:] = -2
    whole = replace(county, at=at, events=replace(
        county.events, source=np.zeros_like(county.events.source)))  # fmt: skip
    rows = share(whole).rows("county", "2024").set_index("code")
    assert rows.loc["county", "count"] > 100
    assert rows["shown"].get("elsewhere", "<3") == "<3"


def test_a_quiet_month_tells_the_countys_number() -> None:
    """Seven events in ten townships: all of these are "<3", and nothing else need be."""
    towns = grids(20, 200.0).assign(township_name=[f"T{i // 40}" for i in range(400)])
    month = np.datetime64("2023-03-01", "s") + np.arange(7).astype("timedelta64[h]")
    quiet = events(7, 4, time=month, category=["城市管理"] * 7, source=["12345热线"] * 7)
    held = share(prepare(quiet, areas_of(METRIC, grids=towns))).common.months["2023-03"]
    assert held.shown(("county", "month", "all", "all")).item(0) == 7
    assert (held.marks["township", "month", "all", "all"] == Mark.SMALL).all()


def test_a_row_that_is_there_tells_of_one_event_and_no_more() -> None:
    """Thirty, three and one of three kinds: that the last has a row says it is not none, and with
    the total only three and one would be left."""
    kinds = ["社会治安"] * 30 + ["环境保护"] * 3 + ["专项重点工作"]
    month = np.datetime64("2023-03-01", "s") + np.arange(34).astype("timedelta64[h]")
    closed = {"source": ["12345热线"] * 34, "status": ["已办结"] * 34}
    told = events(34, 4, time=month, category=kinds, **closed)
    held = share(prepare(told, areas_of(METRIC, grids=grids(1, 4000.0)))).common.months["2023-03"]
    assert held.shown(("county", "month", "all", "all"))[0].item() == 34
    assert worked_out(held, BY_ROWS) == []
    shown = held.text(("county", "month", "kind", "all"))[0, 0, :, 0]
    texts = dict(zip(held.cube.axes[2].labels["kind"], shown, strict=True))
    assert texts["special_tasks"] in ("<3", "—")
    assert "—" in texts.values()


def test_what_lies_elsewhere_has_a_row_whether_anything_does_or_not(county) -> None:
    """A row that came and went with the first event outside told of that event."""
    inside = replace(county, at={k: np.maximum(v, 0) for k, v in county.at.items()})
    for held in share(inside).common.months.values():
        shown = held.text(("county", "month", "all", "all"))
        assert shown.shape[0] == 2
        assert shown[1].item() == "<3"
