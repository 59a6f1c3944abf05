"""Which file is which, which folder may be read, and settings from a form."""

from __future__ import annotations

from pathlib import Path

import pytest

from planning.settings import PRESETS, Settings
from ui.draft import OWN, Draft, contradictions, preset_of, to_settings, with_preset
from ui.errors import FolderNotAllowedError
from ui.sources import (
    READABLE,
    UPLOADABLE,
    allowed_folder,
    allowed_roots,
    candidates,
    first_guess,
    guess_role,
    missing_roles,
    safe_name,
)
from ui.words import WORDS


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("villages", "villages"), ("村界", "villages"), ("neighborhoods", "villages"),
        ("households", "households"), ("户点", "households"), ("各村户数", "households"),
        ("dwelling_points", "households"), ("roads", "roads"), ("道路中心线", "roads"),
        ("railways", "railways"), ("铁路", "railways"), ("water", "water"), ("水系", "water"),
        ("compounds", "compounds"), ("小区", "compounds"), ("村民小组", "groups"),
        ("dedicated", "dedicated"), ("专属网格", "dedicated"), ("incidents", ""),
    ],
)  # fmt: skip
def test_names_suggest_roles(name: str, role: str) -> None:
    assert guess_role(name) == role


def test_the_demonstration_countys_files_find_their_roles(tmp_path: Path) -> None:
    names = ["villages.gpkg", "households.csv", "roads.gpkg", "water.gpkg", "railways.gpkg",
             "compounds.gpkg", "groups.gpkg", "dedicated.gpkg", "README.txt",
             "plan.gpkg"]  # fmt: skip
    found = candidates([tmp_path / name for name in names], lambda path: ["one"])
    chosen = first_guess(found)
    assert {role: Path(source).stem for role, source in chosen.items()} == {
        role: role for role in chosen
    }
    assert len(chosen) == 8
    assert missing_roles(chosen) == []


def test_a_file_of_several_layers_gives_a_candidate_each(tmp_path: Path) -> None:
    found = candidates([tmp_path / "county.gpkg"], lambda path: ["村界", "户点"])
    assert [c.source for c in found] == [
        f"{tmp_path}/county.gpkg:村界",
        f"{tmp_path}/county.gpkg:户点",
    ]
    assert first_guess(found).keys() == {"villages", "households"}


def test_a_file_that_cannot_be_listed_stays_one_candidate(tmp_path: Path) -> None:
    def fails(path: Path) -> list[str]:
        raise ValueError("damaged")

    assert len(candidates([tmp_path / "x.gpkg"], fails)) == 1
    assert missing_roles({}) == ["villages", "households"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\村界.shp", "村界.shp"),
        ("a\x00b.gpkg", "ab.gpkg"),
        ("...", "file"),
        (".hidden", "hidden"),
        ("<img>.csv", "img.csv"),
    ],
)
def test_a_browsers_name_is_never_a_path(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_shapefiles_parts_can_be_uploaded() -> None:
    assert {"shp", "dbf", "shx", "prj", "cpg"} <= set(UPLOADABLE)
    assert not any(suffix.startswith(".") for suffix in UPLOADABLE)
    assert all(suffix.startswith(".") for suffix in READABLE)


def test_only_folders_below_the_roots_may_be_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data" / "county", tmp_path / "secret"
    inside.mkdir(parents=True)
    outside.mkdir()
    (tmp_path / "data" / "link").symlink_to(outside)
    roots = [tmp_path / "data"]
    assert allowed_folder(f" {inside} ", roots) == inside
    for name in (outside, tmp_path / "data" / "link", tmp_path / "data" / ".." / "secret",
                 tmp_path / "no-such-thing"):  # fmt: skip
        with pytest.raises(FolderNotAllowedError):
            allowed_folder(str(name), roots)
    with pytest.raises(FileNotFoundError):
        allowed_folder(str(tmp_path / "data" / "none"), roots)


def test_the_administrator_names_the_roots(tmp_path: Path) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    assert allowed_roots({}, home, here) == [home, here]
    assert allowed_roots({"GRIDWRIGHT_FOLDERS": f"{tmp_path}"}, home, here) == [tmp_path]


# --- settings


def test_the_form_starts_from_the_cores_own_defaults() -> None:
    assert to_settings(Draft()) == Settings()


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str) -> None:
    draft = with_preset(Draft(seed=7), name)
    assert preset_of(draft) == name
    assert draft.seed == 7
    assert to_settings(draft) == Settings.preset(name, seed=7)
    assert contradictions(draft) == []
    assert f"settings.preset_{name}" in WORDS


def test_departing_from_a_preset_makes_it_ones_own() -> None:
    assert preset_of(Draft(target=301)) == OWN


@pytest.mark.parametrize(
    "draft", [Draft(target=300, max_households=200), Draft(target=300, min_households=400)]
)
def test_contradictions_are_told_before_the_core_refuses(draft: Draft) -> None:
    (key,) = contradictions(draft)
    assert key in WORDS


def test_numbers_of_grids_reach_the_core() -> None:
    settings = to_settings(Draft(grids_per_village={"320116001001": 5}))
    assert settings.grids_per_village == {"320116001001": 5}
