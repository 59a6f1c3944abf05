"""A city: counties side by side in one file a layer, the same for any number of processes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from cli.main import main
from data.city import write_city
from geo.ground import Inputs, load_ground


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(folder, 3, counties=2, villages=5, workers=1)
    return folder


def test_two_processes_write_the_same_bytes_as_one(city: Path, tmp_path: Path) -> None:
    for path in write_city(tmp_path, 3, counties=2, villages=5, workers=2):
        own, other = (hashlib.sha256((f / path.name).read_bytes()) for f in (city, tmp_path))
        assert own.hexdigest() == other.hexdigest(), path.name
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in city.iterdir()}


def test_counties_lie_beside_each_other_under_codes_of_their_own(city: Path) -> None:
    villages = gpd.read_file(city / "villages.gpkg").to_crs(4549)
    assert villages["村代码"].is_unique
    assert sorted(villages["村代码"].str[:6].unique()) == ["329901", "329902"]
    one, two = (
        shapely.union_all(own.geometry) for _, own in villages.groupby(villages["村代码"].str[:6])
    )
    assert one.intersection(two).area == 0
    assert one.distance(two) < 8000
    stations = gpd.read_file(city / "stations.gpkg")
    assert stations["编码"].is_unique
    assert set(gpd.read_file(city / "beats.gpkg")["派出所"]) <= set(stations["名称"])


def test_every_household_lies_in_the_village_that_it_names(city: Path) -> None:
    homes = gpd.read_parquet(city / "households.parquet")
    villages = gpd.read_file(city / "villages.gpkg").set_index("村代码").geometry
    own = villages.loc[homes["村代码"]].to_crs(4549).buffer(1.0).to_numpy()
    assert shapely.contains(own, homes.geometry.to_crs(4549).to_numpy()).all()
    assert np.array_equal(homes["户编号"], np.arange(1, len(homes) + 1))
    readme = (city / "README.txt").read_text(encoding="utf-8")
    assert f"{homes['户数'].sum()} households" in readme
    assert pq.read_metadata(city / "incidents.parquet").num_row_groups == 2


def test_the_readers_take_it_whole(city: Path) -> None:
    layers = ("roads", "water", "railways", "compounds", "groups", "dedicated")
    ground = load_ground(
        Inputs(
            city / "villages.gpkg", city / "households.parquet",
            **{name: city / f"{name}.gpkg" for name in layers},
        )
    )  # fmt: skip
    assert len(ground.villages) == 10
    assert len(ground.unplaced) == 0
    assert ground.datum == "wgs84"


def test_the_command_writes_a_city_of_so_many_counties(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def small(folder: Path, seed: int, *, counties: int, **_: object) -> list[Path]:
        asked.append(counties)
        return write_city(folder, seed, counties=counties, villages=4, workers=1)

    monkeypatch.setattr("data.city.write_city", small)
    assert main(["demo", "--city", "--counties", "1", str(tmp_path)]) == 0
    assert asked == [1]
    assert "README.txt" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["demo", "--city", "--counties", "99", str(tmp_path)])


def test_no_county_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 to 20 counties"):
        write_city(tmp_path, counties=0)
