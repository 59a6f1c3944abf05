"""The paper for approval: figures of the plan, every exception with its reason, two sentences."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import docx
import pandas as pd
import pytest
from docx.document import Document

from planning.approval import write_approval
from planning.export import NOTICE_EN, NOTICE_ZH
from planning.planfile import PlanFile
from planning.register_form import Filing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ui"))
from synthetic import plan as synthetic_plan

HOSTILE = "柳塘 & <b>\"村\"</b> =1+1"


@pytest.fixture
def plan() -> PlanFile:
    plan = synthetic_plan()
    told = pd.DataFrame(
        {"key": ["setting.target", "setting.max_persons", "setting.max_households"],
         "value": ["300", "1500", ""]}
    )  # fmt: skip
    return replace(plan, provenance=pd.concat([plan.provenance, told], ignore_index=True))


def words(paper: Document) -> str:
    return "\n".join(paragraph.text for paragraph in paper.paragraphs)


def figures(paper: Document) -> dict[str, str]:
    return {row.cells[0].text: row.cells[1].text for row in paper.tables[0].rows}


def test_the_figures_are_the_plans(plan: PlanFile, tmp_path: Path) -> None:
    paper = docx.Document(str(write_approval(plan, tmp_path / "a.docx")))
    found = figures(paper)
    assert found["村(社区)"] == "2"
    assert found["综合网格"] == "8"
    assert found["户数合计"] == f"{plan.grids['households'].sum():,}"
    assert found["有例外的网格"] == "1"
    assert "人口合计" not in found  # the persons of two grids are not known
    text = words(paper)
    assert "每格约 300 户、不超过 1500 人" in text
    assert "不超过  户" not in text
    towns = [[cell.text for cell in row.cells] for row in paper.tables[1].rows]
    assert towns[1][:4] == ["龙池街道", "2", "8", "0"]
    assert len(towns) == 2  # one township is its own sum


def test_the_townships_are_summed(plan: PlanFile, tmp_path: Path) -> None:
    second = str(plan.villages["code"].iloc[1])

    def moved(codes: pd.Series) -> pd.Series:
        """The second village's codes, in another township."""
        other = second[:6] + "101" + second[9:]
        return codes.astype(str).map(lambda code: code.replace(second, other, 1))

    villages = plan.villages.assign(code=moved(plan.villages["code"]))
    grids = plan.grids.assign(
        code=moved(plan.grids["code"]), village_code=moved(plan.grids["village_code"])
    )
    two = replace(plan, villages=villages, grids=grids)
    table = docx.Document(str(write_approval(two, tmp_path / "a.docx"))).tables[1]
    last = [cell.text for cell in table.rows[-1].cells]
    assert len(table.rows) == 4
    assert last[:4] == ["合计", "2", "8", "0"]
    assert last[5] == f"{plan.grids['households'].sum():,}"


def test_posts_that_lack_and_long_ways_are_among_the_figures(
    plan: PlanFile, tmp_path: Path
) -> None:
    codes = plan.grids["code"].astype(str).tolist()
    staff = pd.DataFrame({"code": codes, "lacks": [2, 1, *[0] * (len(codes) - 2)]})
    services = pd.DataFrame(
        {"grid_code": codes, "kind": "mediation", "beyond": [True, *[False] * (len(codes) - 1)]}
    )
    filing = Filing(staff=staff, services=services)
    found = figures(docx.Document(str(write_approval(plan, tmp_path / "a.docx", filing=filing))))
    assert found["缺岗的网格、岗位数(1+1+2+N)"] == "2 / 3"
    assert found["多数户距调解室步行超过 15 分钟的网格"] == "1"
    assert not [name for name in found if "派出所" in name]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_exception_has_its_reason(plan: PlanFile, tmp_path: Path, language: str) -> None:
    code = plan.grids["code"].iloc[1]
    rows = [(code, "parts", 2.0, 1.0, "河在中间 / a river between")]
    more = pd.DataFrame(rows, columns=["grid_code", "rule", "value", "limit", "reason"])
    told = replace(plan, exceptions=pd.concat([plan.exceptions, more], ignore_index=True))
    path = write_approval(told, tmp_path / "a.docx", language=language)  # type: ignore[arg-type]
    table = docx.Document(str(path)).tables[2]
    cells = [[cell.text for cell in row.cells] for row in table.rows[1:]]
    assert [row[0] for row in cells] == sorted(told.exceptions["grid_code"])
    mine = next(row for row in cells if row[0] == code)
    rule, reason = ("不连片", "河在中间") if language == "zh" else (
        "not in one piece", "a river between")  # fmt: skip
    assert mine[2:] == [rule, "2", "1", reason]
    assert all(row[5] for row in cells)


def test_the_planners_word_stands_before_the_programs(plan: PlanFile, tmp_path: Path) -> None:
    code = plan.exceptions["grid_code"].iloc[0]
    own = ["两栋高层" if c == code else "" for c in plan.grids["code"]]
    told = replace(plan, grids=plan.grids.assign(reason=own))
    table = docx.Document(str(write_approval(told, tmp_path / "a.docx"))).tables[2]
    assert table.rows[1].cells[5].text == "两栋高层"


def test_a_plan_without_exceptions_says_so(plan: PlanFile, tmp_path: Path) -> None:
    none = replace(plan, exceptions=plan.exceptions.iloc[:0])
    paper = docx.Document(str(write_approval(none, tmp_path / "a.docx")))
    assert len(paper.tables) == 3  # figures, townships, signatures
    assert "无。" in words(paper)


@pytest.mark.parametrize(("language", "notice"), [("zh", NOTICE_ZH), ("en", NOTICE_EN)])
def test_both_sentences_and_the_signatures_are_there(
    plan: PlanFile, tmp_path: Path, language: str, notice: str
) -> None:
    filing = Filing(unit="示范县社会治理中心", date="2026-03-01", version="2")
    path = write_approval(plan, tmp_path / "a.docx", language=language, filing=filing)  # type: ignore[arg-type]
    paper = docx.Document(str(path))
    assert notice in words(paper)
    assert notice in paper.sections[0].footer.paragraphs[0].text
    assert "示范县社会治理中心" in words(paper)
    assert len(paper.tables[-1].rows[0].cells) == 3


def test_hostile_names_are_only_text(plan: PlanFile, tmp_path: Path) -> None:
    code = plan.exceptions["grid_code"].iloc[0]
    names = [f"{HOSTILE}\x00" if c == code else "村" for c in plan.grids["code"]]
    told = replace(plan, grids=plan.grids.assign(name=names))
    table = docx.Document(str(write_approval(told, tmp_path / "a.docx"))).tables[2]
    assert table.rows[1].cells[1].text == HOSTILE


def test_libreoffice_opens_it(plan: PlanFile, tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None or shutil.which("pdftotext") is None:
        pytest.skip("LibreOffice or pdftotext is not installed")
    path = write_approval(plan, tmp_path / "approval.docx")
    profile = (tmp_path / "profile").as_uri()
    subprocess.run(
        [office, f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf",
         "--outdir", str(tmp_path), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    run = subprocess.run(["pdftotext", str(tmp_path / "approval.pdf"), "-"], check=True,
                         capture_output=True, text=True)  # fmt: skip
    printed = re.sub(r"\s", "", run.stdout)
    assert "网格划分方案报批材料" in printed
    assert str(plan.exceptions["grid_code"].iloc[0]) in printed
