"""From files as offices have them to grids, in Chromium: GBK without a .cpg, GCJ-02, odd columns,
hostile names, personal values that must be nowhere afterwards, choices remembered."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from counties import demonstration
from playwright.sync_api import TimeoutError
from serving import download, idle, served

from geo.datum import wgs84_to_gcj02
from planning.planfile import read_plan
from ui.map.component import LEAFLET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SLOW = 60_000
HOSTILE = "<img src=x onerror=window.__xss=1>`${window.__xss=2}`'\"村"
# an identity number whose checksum holds, a mobile number, a plate, a card number, a name
SECRETS = ("11010519491231002X", "13800138000", "苏A7K3F8", "6222021234567890128", "欧阳测试甲")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every folder that the program may write to."""
    folder = tmp_path_factory.mktemp("everything")
    for name in ("home", "data", "temporary"):
        (folder / name).mkdir()
    return folder


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    environment = {
        "HOME": str(home / "home"), "XDG_DATA_HOME": str(home / "data"),
        "GRIDWRIGHT_HOME": str(home / "home" / "gridwright"),
        "GRIDWRIGHT_STORE": str(home / "data" / "plans.gridwright"),
        "TMPDIR": str(home / "temporary"),
    }  # fmt: skip
    with served(home / "log.txt", environment) as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Villages as a GBK shapefile in a zip, no .cpg; dwellings in GCJ-02 under odd names."""
    county = demonstration(tmp_path_factory)
    # a field's name has ten bytes: five Chinese characters
    villages = gpd.read_file(county / "villages.gpkg").drop(columns="城乡分类代码")
    villages.loc[0, "村名"] = HOSTILE
    shapes = tmp_path_factory.mktemp("shapes")
    villages.to_file(shapes / "村界.shp", encoding="GBK")
    (shapes / "村界.cpg").unlink(missing_ok=True)
    packed = tmp_path_factory.mktemp("given") / "村界.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(shapes.iterdir()):
            archive.write(path, path.name)
    homes = pd.read_csv(county / "households.csv")
    x, y = wgs84_to_gcj02(homes["经度"].to_numpy(), homes["纬度"].to_numpy())
    table = pd.DataFrame({"经度": np.round(x, 6), "纬度": np.round(y, 6),
                          "几家": homes["户数"].astype(int)})  # fmt: skip
    table["备注"] = ""
    for row, secret in enumerate(SECRETS[:4]):
        table.loc[table.index[row :: 400], "备注"] = secret
    table["户主姓名"] = SECRETS[4]
    given = packed.parent / "户.csv"
    table.to_csv(given, index=False, encoding="gb18030")
    return packed, given


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1366, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert page.evaluate("() => window.__xss") is None
    context.close()
    assert broken == []


def bring(page: Page, address: str, files: tuple[Path, Path]) -> None:
    page.goto(f"{address}/project")
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached")
    field.set_input_files([str(path) for path in files])
    page.get_by_role("button", name="接受").first.wait_for()


def open_table(page: Page) -> None:
    """Show the columns of the dwellings."""
    box = page.locator("[class*=st-key-col_][class*=_households_households_]")
    idle(page)
    if not box.count():
        page.get_by_text("户.csv").first.click()
    box.first.wait_for()


def chosen(page: Page, column: str) -> None:
    """Wait until the number of households is taken from a column, and the file read anew."""
    page.wait_for_function(
        "name => { const box = document.querySelector("
        "'[class*=st-key-col_][class*=_households_households_]');"
        " const input = box?.querySelector('input');"
        " return input && !input.disabled && `${box.innerText} ${input.value}`.includes(name); }",
        arg=column,
    )


def test_from_odd_files_to_grids_with_nothing_personal_left(
    visitor: Page, address: str, files: tuple[Path, Path], home: Path, tmp_path: Path
) -> None:
    page = visitor
    bring(page, address, files)
    body = page.locator("body").inner_text()
    assert "Traceback" not in body
    assert not any(secret in body for secret in SECRETS)
    open_table(page)
    page.locator("[class*=st-key-col_][class*=_households_households_] input").first.click()
    page.get_by_role("option", name="几家", exact=True).click()
    chosen(page, "几家")
    page.get_by_text("GCJ-02").first.wait_for()
    accept = page.locator(".st-key-files_accept button:enabled")
    for _ in range(8):  # a click is not taken while the table is read again
        idle(page)
        if accept.count():
            accept.first.click()
        with contextlib.suppress(TimeoutError):
            page.wait_for_url(lambda url: "/project" not in url, timeout=8_000)
            break
    page.locator(".st-key-propose button").click()
    page.wait_for_selector(".gw-numbers")
    page.get_by_role("link", name="下载").first.click()
    download(page, "download_gpkg", tmp_path / "plan.gpkg")
    plan = read_plan(tmp_path / "plan.gpkg")
    given = pd.read_csv(files[1], encoding="gb18030")
    assert int(plan.grids["households"].sum()) == int(given["几家"].sum())
    assert not len(plan.unplaced)
    assert HOSTILE in set(plan.villages["name"])
    page.get_by_role("link", name="调整网格").first.click()
    page.wait_for_function(
        "() => Number(document.querySelector('.gw-hand')?.dataset.units || 0) > 0"
    )
    kept = page.evaluate(
        "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    told = [("browser", kept.encode())]
    told += [(path.name, path.read_bytes()) for path in home.rglob("*") if path.is_file()]
    told.append(("plan.gpkg", (tmp_path / "plan.gpkg").read_bytes()))
    assert len(told) > 3
    for name, data in told:
        for secret in SECRETS:
            for encoding in ("utf-8", "gb18030", "utf-16-le"):
                assert secret.encode(encoding) not in data, (name, secret, encoding)
    left = (home / "temporary").rglob("*")  # uploads are gone when they have been read
    assert not [path.name for path in left if path.suffix in (".csv", ".zip")]
    # what was chosen is remembered for the next file with these columns
    assert (home / "home" / "gridwright" / "choices.json").exists()
    bring(page, address, files)
    open_table(page)
    chosen(page, "几家")
