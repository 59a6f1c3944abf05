"""``gridwright report``: one folder with everything that is filed, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pypdfium2
import pytest

from cli.main import main
from geo.problems import InputError
from planning.planfile import read_plan, write_plan
from planning.sheets.fonts import find_font


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four villages of the demonstration county and their plan."""
    try:
        find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    from data.demo import write_county

    folder = tmp_path_factory.mktemp("county")
    write_county(folder, villages=4)
    lines = [x for r in ("roads", "water") for x in (f"--{r}", str(folder / f"{r}.gpkg"))]
    assert main(["propose", "--villages", str(folder / "villages.gpkg"), "--households",
                 str(folder / "households.csv"), *lines, "-o", str(folder / "plan.gpkg"),
                 "--workers", "1"]) == 0  # fmt: skip
    return folder


def pages(path: Path) -> int:
    document = pypdfium2.PdfDocument(path)
    try:
        return len(document)
    finally:
        document.close()


def test_everything_is_filed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "filed"
    lines = [x for r in ("roads", "water") for x in (f"--{r}", str(folder / f"{r}.gpkg"))]
    more = [x for r in ("services", "stations") for x in (f"--{r}", str(folder / f"{r}.gpkg"))]
    first = read_plan(folder / "plan.gpkg").grids["code"].iloc[0]
    (tmp_path / "leaders.csv").write_text(f"岗位,网格编码\n县长,{first}\n", encoding="utf-8")
    more += ["--incidents", str(folder / "incidents.csv"), "--leaders",
             str(tmp_path / "leaders.csv")]  # fmt: skip
    assert main(["report", str(folder / "plan.gpkg"), "-o", str(out), *lines, *more,
                 "--place", "示范县", "--unit", "政法委"]) == 0  # fmt: skip
    plan = read_plan(folder / "plan.gpkg")
    sheets = out / "sheets"
    assert sum(pages(path) for path in sheets.glob("grids-*.pdf")) == len(plan.grids)
    assert pages(sheets / "villages.pdf") == 4
    assert pages(sheets / "overview.pdf") == 1
    assert not (sheets / "beats.pdf").exists()
    assert pages(sheets / "leaders.pdf") == 1
    assert len(pd.read_excel(out / "register.xlsx", sheet_name=None)) > 4
    assert (out / "approval.docx").read_bytes()[:2] == b"PK"
    assert not list(out.glob(".report-*"))


def test_only_what_changed_is_printed_again(folder: Path, tmp_path: Path) -> None:
    plan = read_plan(folder / "plan.gpkg")
    usual = plan.grids[plan.grids["kind"] == "comprehensive"]
    code = str(usual["code"].iloc[0])
    grids = plan.grids.copy()
    grids.loc[grids["code"] == code, "households"] += 1
    old = tmp_path / "old.gpkg"
    write_plan(type(plan)(**{**plan.__dict__, "grids": grids}), old)
    out = tmp_path / "again"
    assert main(["report", str(folder / "plan.gpkg"), "-o", str(out),
                 "--changed-since", str(old), "--language", "both", "--png"]) == 0  # fmt: skip
    for language in ("zh", "en"):
        sheets = out / f"sheets-{language}"
        assert sum(pages(path) for path in sheets.glob("grids-*.pdf")) == 1
        assert pages(sheets / "villages.pdf") == 1
        assert (sheets / "png" / f"{code}.png").read_bytes()[:4] == b"\x89PNG"
        assert (out / f"changes-{language}.xlsx").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "nosuch"], "no grid nosuch"),
        (["--roads", "missing.gpkg"], "missing.gpkg"),
        (["--beats", "missing.gpkg"], "missing.gpkg"),
        (["--services", "missing.gpkg:rooms"], "missing.gpkg"),
        (["--posts", "missing.csv"], "missing.csv"),
        (["--posts-pattern", "?"], "?"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_nothing_is_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
    words: str,
) -> None:  # fmt: skip
    out = tmp_path / "filed"
    code = main(["report", str(folder / "plan.gpkg"), "-o", str(out), *arguments])
    err = capsys.readouterr().err
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert not out.exists() or not list(out.iterdir())


def test_a_folder_that_cannot_be_made_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    out = str(tmp_path / "file" / "filed")
    assert main(["report", str(folder / "plan.gpkg"), "-o", out, "--no-sheets"]) == 2
    assert "no folder can be made here" in capsys.readouterr().err
