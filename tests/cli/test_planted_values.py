"""Personal values planted under harmless names reach no file, no stream and no temporary folder.

The program runs as a user starts it, in a process of its own with a home and a temporary folder of
its own; then every file it left anywhere is searched, byte by byte, for every value.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from geo.personal import kind_of

REPOSITORY = Path(__file__).resolve().parents[2]


def luhn(digits: str) -> str:
    return next(digits + d for d in "0123456789" if kind_of(digits + d) == "bank_card")


IDENTITY, IDENTITY_X = "11010519491231002X", "440524188001010014"
MOBILE, SPACED = "13912345678", "139 1234 5679"
CARD, PLATE, NAME = luhn("622202000000000000"), "苏A12B45", "某甲某"
#: planted → what is searched for; a name is told by no form, so only columns keep it out
PLANTED = {
    IDENTITY: "11010519491231002",
    IDENTITY_X: IDENTITY_X,
    MOBILE: MOBILE,
    SPACED: "1234 5679",
    CARD: CARD,
    PLATE: "12B45",
    NAME: NAME,
}
HEAD = ["户编号", "户主姓名", "说明", "经度", "纬度", "户数", "人口", "小区", "村名", "村民小组"]


def roster() -> list[list[object]]:
    """Households with a value planted in every text column that is kept, and in every other."""
    rows: list[list[object]] = [HEAD]
    told = [IDENTITY, IDENTITY_X, MOBILE, SPACED, CARD, PLATE]
    for n in range(60):
        value = told[n % 6]
        lon, lat = 120.0005 + 0.0001 * (n % 10), 32.0005 + 0.0001 * (n // 10)
        row: list[object] = [value, NAME, f"{NAME} {value}", lon, lat, 1 + n % 3, 3]
        kept = ["阳光小区", "东村", f"{n % 3}组"]
        if n % 4 == 0:
            kept[n // 4 % 3] = f"联系 {value}" if n % 8 else value
        rows.append([*row, *kept])
    rows.append([MOBILE, NAME, CARD, "", "", PLATE, IDENTITY, MOBILE, IDENTITY, CARD])
    return rows


def as_csv(path: Path, rows: list[list[object]]) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in rows), "gb18030")
    return path


def as_excel(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.fixture
def program(tmp_path: Path):
    """Run ``gridwright`` in a world of its own; returns exit code and everything it said."""
    world = tmp_path / "world"
    for name in ("home", "temporary", "work"):
        (world / name).mkdir(parents=True)

    def call(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            capture_output=True, check=False, cwd=world / "work",
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "HOME": str(world / "home"),
                              "TMPDIR": str(world / "temporary"), "PYTHONDONTWRITEBYTECODE": "1",
                              "GRIDWRIGHT_DEBUG": ""},
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).decode()

    call.world = world  # type: ignore[attr-defined]
    return call


def leaks(world: Path, said: str) -> list[tuple[str, str]]:
    """Planted values that stand in any file below ``world``, or in what was said."""
    files = [path for path in world.rglob("*") if path.is_file()]
    texts = [(path.name, path.read_bytes()) for path in files]
    texts.append(("what was said", said.encode()))
    return [
        (place, value)
        for place, data in texts
        for value in PLANTED.values()
        for encoding in ("utf-8", "utf-16-le", "gb18030")
        if value.encode(encoding) in data
    ]


def villages(folder: Path) -> Path:
    path = folder / "villages.geojson"
    ring = "[[[120,32],[120.002,32],[120.002,32.002],[120,32.002],[120,32]]]"
    path.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"村代码":'
        f'"320116001201","村名":"东村","备注":"{NAME} {MOBILE}","网格长":"{NAME}"}},'
        f'"geometry":{{"type":"Polygon","coordinates":{ring}}}}}]}}',
        "utf-8",
    )
    return path


@pytest.mark.parametrize("make", [as_csv, as_excel])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_inspect(program, tmp_path: Path, make, language: str) -> None:
    suffix = ".csv" if make is as_csv else ".xlsx"
    source = make(tmp_path / f"roster{suffix}", roster())
    clean = program.world / "work" / "clean.gpkg"
    code, said = program(
        "inspect", source, "--villages", villages(tmp_path), "--language", language, "-o", clean
    )
    assert code == 0, said
    assert clean.exists()
    assert "阳光小区".encode() in clean.read_bytes()  # what is searched for would be found
    assert "户主姓名" in said
    assert leaks(program.world, said) == []
    assert list((program.world / "temporary").iterdir()) == []


def test_propose(program, tmp_path: Path) -> None:
    plan = program.world / "work" / "plan.gpkg"
    code, said = program(
        "propose", "--villages", villages(tmp_path), "--households",
        as_csv(tmp_path / "roster.csv", roster()), "-o", plan, "--target", 30, "--workers", 1,
    )  # fmt: skip
    assert code == 0, said
    assert "东村".encode() in plan.read_bytes()
    assert leaks(program.world, said) == []


def test_incidents(program, tmp_path: Path) -> None:
    head = "报警人,报警电话,警情编号,报警时间,警情类别,小类,来源,状态,村名,经度,纬度,简要警情,备注"
    told = (IDENTITY, MOBILE, SPACED, CARD, PLATE, IDENTITY_X)
    lines = [
        f"{NAME},{MOBILE},{v},2024-05-0{n} 10:00,{v},纠纷 {v},{v},{v},{v},120.00{n},32.001,"
        f"{NAME} {v},{NAME}"
        for n, v in enumerate(told, start=1)
    ]
    source = tmp_path / "incidents.csv"
    source.write_text("\n".join([head, *lines, f"{NAME},,{CARD},,{MOBILE},,,,,,,,"]), "utf-8")
    clean = program.world / "work" / "clean.gpkg"
    code, said = program("inspect", source, "-o", clean)
    assert code == 0, said
    assert leaks(program.world, said) == []


@pytest.mark.parametrize("make", [as_csv, as_excel])
def test_a_roster_without_header_shows_nothing(program, tmp_path: Path, make) -> None:
    """Its first row would else be told as column names."""
    suffix = ".csv" if make is as_csv else ".xlsx"
    source = make(tmp_path / f"roster{suffix}", roster()[1:])
    for arguments in (
        ("inspect", source, "-o", program.world / "work" / "clean.gpkg"),
        ("propose", "--villages", villages(tmp_path), "--households", source,
         "-o", program.world / "work" / "plan.gpkg"),
    ):  # fmt: skip
        code, said = program(*arguments)
        assert code == 2
        assert "the first row holds data" in said
        assert leaks(program.world, said) == []
    assert list((program.world / "work").iterdir()) == []


def test_bad_cells_are_told_without_their_values(program, tmp_path: Path) -> None:
    rows = roster()
    for n, value in enumerate((IDENTITY, MOBILE, CARD, PLATE, SPACED), start=1):
        rows[n][5], rows[n][6], rows[n][3] = value, f"{value}x", value
    code, said = program("inspect", as_csv(tmp_path / "roster.csv", rows))
    assert code == 0, said
    assert "are no numbers" in said
    assert leaks(program.world, said) == []


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\0" + IDENTITY_X.encode("utf-16-le") + b"\0")
    assert leaks(tmp_path, f"... {MOBILE}") == [
        ("x.bin", IDENTITY_X), ("what was said", MOBILE), ("what was said", MOBILE),
    ]  # fmt: skip
