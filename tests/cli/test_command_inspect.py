"""gridwright inspect: what is printed, in which language, and what -o writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.columns import MEANINGS, ROLES, ColumnFound, Role
from geo.datum import wgs84_to_bd09, wgs84_to_gcj02
from geo.inspect import Choice, look
from geo.read import NO_PLACE, Layer, read_layer
from geo.reasons import meaning_word, why

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def villages(tmp_path: Path) -> Path:
    """Four villages of a kilometre each way, near Luhe."""
    shapes = [
        shapely.box(118.80 + 0.01 * i, 32.30 + 0.01 * j, 118.81 + 0.01 * i, 32.31 + 0.01 * j)
        for i in range(2)
        for j in range(2)
    ]
    frame = gpd.GeoDataFrame(
        {"XZQDM": [f"32011600120{n}" for n in range(4)], "XZQMC": list("东西南北"),
         "备注": ["a"] * 4},
        geometry=shapes, crs=4490,
    )  # fmt: skip
    frame.to_file(tmp_path / "xzq.gpkg", layer="xzq")
    return tmp_path / "xzq.gpkg"


def points(n: int = 400) -> tuple[list[float], list[float]]:
    """A lattice of points in all the villages, to their very borders."""
    side = round(n**0.5)
    lon = [118.8001 + 0.0198 * (k % side) / (side - 1) for k in range(n)]
    lat = [32.3001 + 0.0198 * (k // side) / (side - 1) for k in range(n)]
    return lon, lat


def households(folder: Path, shift: Callable[..., tuple[object, object]] | None = None) -> Path:
    lon, lat = points()
    if shift is not None:
        lon, lat = shift(lon, lat)  # type: ignore[assignment]
    table = pd.DataFrame({"经度": lon, "纬度": lat, "户数": 2, "楼层": 3})
    table["联系电话"] = "13912345678"
    table.to_csv(folder / "hu.csv", index=False, encoding="gb18030")
    return folder / "hu.csv"


def incidents(folder: Path) -> Path:
    rows = [
        ("2024年3月5日下午2时", "118.801", "32.301", "纠纷"),
        ("2024/3/5 14:20", "", "", "盗窃"),
        ("2024-03-06", "0", "0", "盗窃"),
        ("2024-03-07 08:00", "118.815", "32.315", "纠纷"),
        ("2024-03-08 08:00", "abc", "32.315", "纠纷"),
        ("2024-03-09 08:00", "118.815", "99999", "纠纷"),
        ("2024-03-10 08:00", "118.95", "32.45", "纠纷"),
    ]
    table = pd.DataFrame(rows, columns=["发生时间", "经度", "纬度", "警情类别"])
    table.to_csv(folder / "jingqing.csv", index=False)
    return folder / "jingqing.csv"


def test_what_is_told_in_english(run, villages: Path, tmp_path: Path) -> None:
    code, out, err = run("inspect", households(tmp_path), "--villages", villages)
    assert (code, err) == (0, "")
    assert "hu: read as households" in out
    assert "text encoding: gb18030" in out
    assert "rows: 400 read, 400 with a place" in out
    assert "400 rows inside one, 0 in none" in out
    assert re.search(r"datum: WGS 84 \(of 400 points .* WGS 84 100.0%, GCJ-02 [0-9.]+%", out)
    assert "doubtful" not in out
    assert "户数 -> households: its name is a known synonym of number of households" in out
    assert "not needed, not kept: 楼层" in out
    assert "联系电话: the whole column, 400 cells" in out
    assert "13912345678" not in out
    assert "EPSG:4548" in out or "EPSG:4549" in out


def test_one_language(run, villages: Path, tmp_path: Path) -> None:
    """Chinese lines hold no English sentence, and English ones Chinese only as names of columns."""
    file = households(tmp_path)
    _, chinese, _ = run("inspect", file, "--villages", villages, "--language", "zh")
    _, english, _ = run("inspect", file, "--villages", villages, "--language", "en")
    assert "列名是“户数”的常见写法" in chinese
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", chinese)
    for name in ("经度", "纬度", "户数", "楼层", "联系电话"):
        english = english.replace(name, "")
    assert not CHINESE.search(english)
    assert len(chinese.splitlines()) == len(english.splitlines())


@pytest.mark.parametrize(
    ("shift", "name"), [(wgs84_to_gcj02, "GCJ-02"), (wgs84_to_bd09, "BD-09")]
)
def test_a_shifted_datum_is_found_with_its_evidence_and_undone(
    run, villages: Path, tmp_path: Path, shift, name: str
) -> None:
    output = tmp_path / "clean.gpkg"
    code, out, _ = run(
        "inspect", households(tmp_path, shift), "--villages", villages, "-o", output
    )
    assert code == 0
    assert f"datum: {name} (of 400 points" in out
    assert f"brought from {name} to WGS 84" in out
    lon, lat = points()
    back = gpd.read_file(output, layer="households").to_crs(4326).geometry
    assert back.x.to_numpy() == pytest.approx(lon, abs=1e-8)
    assert back.y.to_numpy() == pytest.approx(lat, abs=1e-8)


def test_doubt_is_stated(run, villages: Path, tmp_path: Path) -> None:
    lon, lat = points()
    table = pd.DataFrame({"lon": lon, "lat": lat})
    table.loc[:39, "lat"] += 0.1  # a tenth lies elsewhere
    table.to_csv(tmp_path / "hu.csv", index=False)
    _, out, _ = run("inspect", tmp_path / "hu.csv", "--villages", villages)
    assert "doubtful: at best 90.0% lie in a village" in out
    assert "360 rows inside one, 40 in none" in out
    inner = table.iloc[[190, 209]]  # in the very middle of the villages no shift moves them out
    inner.to_csv(tmp_path / "hu.csv", index=False)
    _, out, _ = run("inspect", tmp_path / "hu.csv", "--villages", villages)
    assert "doubtful: two of them are within 1 %" in out
    _, out, _ = run("inspect", tmp_path / "hu.csv")
    assert "without evidence" in out


def test_a_plane_system_is_found_by_the_villages(run, villages: Path, tmp_path: Path) -> None:
    lon, lat = points()
    here = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=4326).to_crs(4549)
    pd.DataFrame({"x": here.x, "y": here.y}).to_csv(tmp_path / "hu.csv", index=False)
    output = tmp_path / "clean.gpkg"
    code, out, _ = run("inspect", tmp_path / "hu.csv")
    assert code == 0
    assert "coordinate system: unknown" in out
    code, out, err = run("inspect", tmp_path / "hu.csv", "-o", output)
    assert code == 2
    assert "does not say its coordinate system" in err
    assert not output.exists()
    code, out, _ = run("inspect", tmp_path / "hu.csv", "--villages", villages, "-o", output)
    assert code == 0
    assert "EPSG:4549) (found by where the villages lie)" in out
    assert _first_lon(output) == pytest.approx(lon[0], abs=1e-7)


def _first_lon(path: Path) -> float:
    return float(gpd.read_file(path, layer="households").to_crs(4326).geometry.x[0])


def test_incidents_become_points_and_the_rest_stays_with_its_reason(
    run, villages: Path, tmp_path: Path
) -> None:
    output = tmp_path / "clean.gpkg"
    code, out, _ = run("inspect", incidents(tmp_path), "--villages", villages, "-o", output)
    assert code == 0
    assert "written: clean.gpkg: incidents (3), unplaced (4)" in out
    placed = gpd.read_file(output, layer="incidents")
    assert placed.crs.is_projected
    assert set(placed.geom_type) == {"Point"}
    unplaced = pyogrio.read_dataframe(output, layer="unplaced", read_geometry=False)
    assert unplaced[["file_row", "reason"]].to_numpy().tolist() == [
        [3, "no-coordinates"], [4, "null-island"], [6, "coordinates-unreadable"],
        [7, "outside-world"],
    ]  # fmt: skip
    assert set(unplaced["reason"]) <= set(NO_PLACE)
    assert sorted([*placed["incident_id"], *unplaced["incident_id"]]) == list(range(1, 8))
    assert "2 rows inside one, 1 in none" in out
    assert unplaced["time"].tolist()[:2] == ["2024-03-05 14:20:00", "2024-03-06"]
    told = pyogrio.read_dataframe(output, layer="provenance", read_geometry=False)
    value = dict(zip(told["key"], told["value"], strict=True))
    assert (value["rows.placed"], value["rows.unplaced"]) == ("3", "4")
    assert value["file.sha256"] == read_layer(incidents(tmp_path), "incidents").file.sha256


def same(a: Layer, b: Layer, *, renumbered: bool = False) -> None:
    """Two layers with the same rows; an area and its multi-part form are one shape."""
    assert set(a.frame.columns) == set(b.frame.columns)
    table = a.frame.drop(columns="geometry", errors="ignore").reset_index(drop=True)
    other = b.frame[table.columns].reset_index(drop=True)
    ids = ["incident_id", "household_id"] if renumbered else []
    pd.testing.assert_frame_equal(
        table.drop(columns=ids, errors="ignore"), other.drop(columns=ids, errors="ignore"),
        check_dtype=False,
    )  # fmt: skip
    if "geometry" in a.frame:
        one, two = a.frame.geometry.to_numpy(), b.frame.geometry.to_numpy()
        assert shapely.equals_exact(shapely.normalize(_multi(one)), shapely.normalize(_multi(two)),
                                    0).all()  # fmt: skip


def _multi(shapes):
    return [
        shapely.multipolygons([s]) if s is not None and s.geom_type == "Polygon" else s
        for s in shapes
    ]


def reads_back(run, source: object, folder: Path, *more: object) -> Layer:
    """Clean a source, clean the result again, and compare; returns the cleaned layer."""
    first, second = folder / "first.gpkg", folder / "second.gpkg"
    code, _, err = run("inspect", source, "-o", first, *more)
    assert code == 0, err
    role = role_of(first)
    one = read_layer(_main(first), role)
    code, _, err = run("inspect", _main(first), "--as", role, "-o", second)
    assert code == 0, err
    same(one, read_layer(_main(second), role))
    assert not [p for p in one.problems if p.severity == "error"]
    return one


def role_of(path: Path) -> Role:
    told = pyogrio.read_dataframe(path, layer="provenance", read_geometry=False)
    name = told.loc[told["key"] == "role", "value"].iloc[0]
    return next(role for role in ROLES if role == name)


def _main(path: Path) -> str:
    names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    return f"{path}:{next(name for name in names if name != 'provenance')}"


def test_what_was_written_reads_back_equal(run, villages: Path, tmp_path: Path) -> None:
    for source, role in (
        (villages, "villages"), (households(tmp_path), "households"),
        (incidents(tmp_path), "incidents"),
    ):  # fmt: skip
        written = reads_back(run, source, tmp_path, "--as", role)
        own = read_layer(source, role)
        kept = own.frame
        if own.no_place is not None:
            kept = kept[own.no_place == ""].reset_index(drop=True)
        plain = kept.drop(columns="geometry")
        ids = [c for c in ("incident_id", "household_id") if c in plain]
        pd.testing.assert_frame_equal(
            plain.drop(columns=ids), written.frame[plain.columns].drop(columns=ids),
            check_dtype=False,
        )  # fmt: skip


def test_the_same_input_gives_the_same_bytes(run, villages: Path, tmp_path: Path) -> None:
    for name in ("a.gpkg", "b.gpkg"):
        assert run("inspect", villages, "-o", tmp_path / name)[0] == 0
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()


def test_a_container_lists_its_layers(run, villages: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "户点"
    book.active.append(["经度", "纬度"])
    book.active.append([118.801, 32.301])
    other = book.create_sheet("乱七八糟")
    for row in (["甲", "乙"], ["1", "2"]):
        other.append(row)
    book.save(tmp_path / "x.xlsx")
    code, out, err = run("inspect", f"{tmp_path / 'x.xlsx'}:户点")
    assert (code, err) == (0, "")
    assert re.search(r"户点\s+\(households\?\)\n\s+乱七八糟\n", out)
    assert "rows: 1 read" in out
    first = gpd.read_file(villages)
    for layer in ("一", "二"):
        write = {"layer": layer, "append": layer == "二"}
        pyogrio.write_dataframe(first, tmp_path / "two.gpkg", **write)
    code, out, err = run("inspect", tmp_path / "two.gpkg")
    assert (code, err) == (0, "")
    assert out.splitlines()[1:] == ["layers (name one as FILE:layer):", "  一", "  二"]
    output = tmp_path / "clean.gpkg"
    code, _, err = run("inspect", tmp_path / "two.gpkg", "-o", output, "--language", "zh")
    assert code == 2
    assert "有多个图层:一, 二" in err
    assert not output.exists()


def test_columns_said_by_hand(run, tmp_path: Path) -> None:
    table = pd.DataFrame({"甲": [118.801, 118.802], "乙": [32.301, 32.302], "丙": [3, 4]})
    table.to_csv(tmp_path / "x.csv", index=False)
    said = ("--as", "households", "--columns", "lon=甲", "--columns", "households.lat=乙",
            "--columns", "households=丙")  # fmt: skip
    code, out, _ = run("inspect", tmp_path / "x.csv", *said)
    assert code == 0
    assert "丙 -> households: you said that it is the number of households" in out
    assert "read as households (as you said)" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--columns", "code=x"], "--columns needs --as"),
        (["--as", "villages", "--columns", "codex"], "is not of the form code=COLUMN"),
        (["--as", "villages", "--columns", "colour=x"], "there are: code, name"),
        (["--as", "villages", "--columns", "code=nothing"], "there is no column nothing"),
        (["--as", "castles"], "invalid choice"),
        (["-o", "clean.csv"], "let it end with .gpkg"),
        (["-o", "no/such/folder/clean.gpkg"], "cannot be written"),
        (["--villages", "nowhere.gpkg"], "there is no such file"),
    ],
)
def test_bad_arguments(run, villages: Path, tmp_path: Path, monkeypatch, arguments, told) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, _, err = run("inspect", villages, *arguments)
    assert code == 2
    assert told in err
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_cannot_be_used_is_told_in_the_language_asked_for(run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("村代码,村名\n3.2E+11,东村\n", "utf-8")
    output = tmp_path / "clean.gpkg"
    code, _, err = run("inspect", tmp_path / "x.csv", "--language", "zh", "-o", output)
    assert code == 2
    assert "科学计数" in err
    assert str(tmp_path) not in err
    assert not output.exists()
    code, _, err = run("inspect", tmp_path / "nothing.gpkg", "--language", "zh")
    assert code == 2
    assert "找不到这个文件" in err


def test_an_input_is_not_written_over(run, villages: Path) -> None:
    before = villages.read_bytes()
    for named in (villages, f"{villages}:xzq"):
        code, _, err = run("inspect", named, "-o", villages)
        assert code == 2
        assert "would be overwritten" in err
    assert villages.read_bytes() == before


def test_whole_or_not_at_all(run, villages: Path, tmp_path: Path, monkeypatch) -> None:
    """A failure while writing leaves the file of before, and nothing beside it."""
    output = tmp_path / "clean.gpkg"
    assert run("inspect", villages, "-o", output)[0] == 0
    before = output.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyogrio, "write_dataframe", full)
    code, _, err = run("inspect", villages, "-o", output)
    assert code == 2
    assert "No space left on device" in err
    assert output.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clean.gpkg", "xzq.gpkg"]


def test_names_cannot_steer_the_terminal(run, tmp_path: Path) -> None:
    names = '"\\u001b[2J\\u202eevil":1,"经度":118.801,"纬度":32.301'
    (tmp_path / "x.geojson").write_text(
        f'{{"type":"Feature","properties":{{{names}}},'
        '"geometry":{"type":"Point","coordinates":[118.801,32.301]}}',
        "utf-8",
    )
    code, out, err = run("inspect", tmp_path / "x.geojson")
    assert code == 0
    assert "evil" in out
    assert all(c.isprintable() or c == "\n" for c in out + err)


def test_every_meaning_has_its_word_in_both_languages() -> None:
    for role, meanings in MEANINGS.items():
        for meaning in meanings:
            assert CHINESE.search(meaning_word(meaning, role, "zh"))
            assert not CHINESE.search(meaning_word(meaning, role, "en"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_why(language, tmp_path: Path) -> None:
    text = (
        "村代码,编码,2020pop,经度,纬度,楼层,电话\n320116001201,1,30,118.8,32.3,1,2\n"
        "320116001202,2,,118.8,32.3,1,2\n"
    )
    (tmp_path / "x.csv").write_text(text, "utf-8")
    layer = look(tmp_path / "x.csv", Choice("villages", {}))
    phrase = {c.source: why(layer, c, language) for c in layer.columns}
    expected = {
        "zh": {
            "村代码": "列名是“村代码”的常见写法;编码 也像,但不如它明确;值是 12 位数字;2 个各不相同",
            "编码": "也像“村代码”,但 村代码 更明确;不保留",
            "2020pop": "列名的构成符合“人口”的写法;值是 30 至 30 的整数;1 行为空",
            "楼层": "这里用不到,不保留",
            "电话": "按列名属于个人信息,从不读取",
        },
        "en": {
            "村代码": "its name is a known synonym of village code; 编码 could be it too, but less "
            "surely; the values are 12 digits each; all 2 different",
            "编码": "could be the village code, but 村代码 is surer; it is not kept",
            "2020pop": "its name is built as names of number of people are; the values are whole "
            "numbers from 30 to 30; 1 empty",
            "楼层": "nothing here needs it; it is not kept",
            "电话": "its name says that it holds personal data; it is never read",
        },
    }[language]
    assert {name: phrase[name] for name in expected} == expected


def test_why_of_columns_known_by_their_values(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("甲,乙\n118.801,32.301\n118.802,32.302\n", "utf-8")
    layer = look(tmp_path / "x.csv", Choice("households"))
    assert [c.canonical for c in layer.columns] == ["lon", "lat"]
    assert "longitudes inside China" in why(layer, layer.columns[0], "en")
    assert "纬度" in why(layer, layer.columns[1], "zh")
    assert isinstance(layer.columns[0], ColumnFound)
