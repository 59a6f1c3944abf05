"""Files on the page in Chromium: seen, corrected and told what is wrong before anything is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from serving import served

from data.demo import write_county

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SLOW = 60_000


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    write_county(folder, villages=6)
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    with served(home / "log.txt", {"GRIDWRIGHT_HOME": str(home)}) as found:
        yield found


def test_files_are_shown_before_they_are_kept_and_a_broken_one_says_why(
    address: str, county: Path, page: Page, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"type":"FeatureCollection","features":[{"type"', "utf-8")
    page.goto(f"{address}/project")
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached", timeout=SLOW)
    (tmp_path / "letter.docx").write_bytes(b"no map")
    field.set_input_files(str(tmp_path / "letter.docx"))
    said = "e => getComputedStyle(e, '::after').content"
    page.locator("[data-testid=stFileUploader] [aria-invalid=true]").wait_for(timeout=SLOW)
    uploader = page.locator("[data-testid=stFileUploader]").first
    assert re.search("not taken: over [0-9]+ MB", uploader.evaluate(said))
    field.set_input_files(
        [str(broken), str(county / "villages.gpkg"), str(county / "households.csv")]
    )
    for name in ("broken.geojson:", "villages.gpkg", "households.csv"):  # drawn one by one
        page.get_by_text(name, exact=False).first.wait_for(timeout=SLOW)
    assert "Traceback" not in page.locator("body").inner_text()
    # what each column was taken for stands there to be changed
    found = page.get_by_text("its name is a known synonym of village code; the values are 12")
    found.first.wait_for(timeout=SLOW)
    accept = page.get_by_role("button", name="Accept").or_(
        page.get_by_role("button", name="接受")
    )
    accept.first.dblclick()  # the second click must not lead back
    checking = page.get_by_text("核对文件").or_(page.get_by_text("Check the files"))
    checking.first.wait_for(state="detached", timeout=SLOW)
    assert "Traceback" not in page.locator("body").inner_text()
    target = page.locator(".st-key-set_target input").first
    target.wait_for(timeout=SLOW)
    assert target.input_value() == "300"
