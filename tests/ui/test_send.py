"""The file to send and the sheet to print: whole in themselves, and nothing hostile gets in."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import county_events as county
import pypdfium2
import pytest

from ui import printed
from ui.map.component import LEAFLET
from ui.paper import LEAST, Text, Writer, wrapped
from ui.places import Place
from ui.printed import NoFontError, chinese_font, report_pdf
from ui.send import report_html, safe
from ui.study import Study
from ui.survey import report
from ui.words import Language

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return county.study(tmp_path_factory.mktemp("events"))


@pytest.fixture(scope="module")
def page(study: Study) -> str:
    if not LEAFLET.exists():
        pytest.skip("leaflet is not installed (make setup)")
    return report_html(report(study, "2024", "", "zh", county.HOSTILE))


def test_a_value_can_end_no_place_it_stands_in() -> None:
    told = safe("<b>`${x}`</script>'\"\\{{1}}{% raw %}\x00\u202e")
    assert not set(told) & set("<>`${}\\'\"")
    assert "\u202e" not in told


def test_the_file_asks_nobody_for_anything(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", page)
    assert not re.findall(r"url\((?!\s*['\"]?(?:data:|#))", page)
    assert "sourceMappingURL" not in page


def test_names_from_files_are_text(page: str) -> None:
    assert "<img" not in page
    assert "${window" not in page
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", page)[0]  # {{7*7}} was not computed
    assert page.count("</script>") == page.count("<script>")


@pytest.mark.browser
def test_no_name_runs_in_a_browser(page: str, chromium: Browser, tmp_path: Path) -> None:
    """Every tooltip and pop-up opened: folium's own run what ``${…}`` holds."""
    (tmp_path / "sent.html").write_text(page, "utf-8")
    context = chromium.new_context()
    opened = context.new_page()
    opened.goto((tmp_path / "sent.html").as_uri())
    shown = opened.evaluate(
        """() => { let shown = 0;
          for (const key of Object.keys(window).filter((key) => key.startsWith("map_")))
            window[key].eachLayer((layer) => {
              for (const kind of ["Tooltip", "Popup"])
                if (layer[`get${kind}`]?.()) { layer[`open${kind}`](); shown += 1; }
            });
          return shown; }"""
    )
    assert shown > 3
    assert opened.evaluate("() => window.__xss") is None
    assert opened.locator("img[src='x']").count() == 0
    context.close()


def test_the_file_bears_both_sentences_and_its_provenance(page: str) -> None:
    assert "内部使用,未经地图审核不得公开" in page
    assert "不是行政区域界线" in page
    assert "incidents.0.sha256" in page
    assert "parameter.bandwidth_m" in page


def test_no_place_of_an_event_is_in_the_file(study: Study, page: str) -> None:
    from pyproj import Transformer

    to_degrees = Transformer.from_crs(county.CRS, 4326, always_xy=True)
    events = study.events
    lon, lat = to_degrees.transform(events.x[events.placed], events.y[events.placed])
    held = set(re.findall(r"\d+\.\d{4,}", page))
    both = [(f"{a:.6f}", f"{b:.6f}") for a, b in zip(lon, lat, strict=True)]
    assert not [pair for pair in both if pair[0] in held and pair[1] in held]


def test_the_sheet_is_one_page_with_its_font_inside(study: Study, tmp_path: Path) -> None:
    try:
        chinese_font()
    except NoFontError:
        pytest.skip("no font with Chinese characters is installed")
    for language in ("zh", "en"):
        content = report_pdf(report(study, "2024", "", language, county.HOSTILE))
        assert content.startswith(b"%PDF-")
        assert len(re.findall(rb"/Type /Page\b", content)) == 1
        assert b"/FontFile" in content or b"/CharProcs" in content
        path = tmp_path / f"{language}.pdf"
        path.write_bytes(content)
        program = shutil.which("pdftotext")
        if program:
            told = subprocess.run([program, str(path), "-"], capture_output=True, check=True)
            # a reader may put the comma between the two on a line of its own
            assert "内部使用" in told.stdout.decode()
            assert "未经地图审核不得公开" in told.stdout.decode()


def test_without_a_font_the_sheet_says_so(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "FONTS", ())
    chinese_font.cache_clear()
    with pytest.raises(NoFontError):
        report_pdf(report(study, "2024", "", "zh"))
    chinese_font.cache_clear()


@pytest.fixture
def font() -> Path:
    try:
        return chinese_font()
    except NoFontError:
        pytest.skip("no font with Chinese characters is installed")


def pages(content: bytes) -> list[str]:
    """The text of each page; every sign of it lies on the paper."""
    document = pypdfium2.PdfDocument(content)
    told = []
    for page in document:
        held, (wide, high) = page.get_textpage(), page.get_size()
        boxes = [held.get_charbox(i) for i in range(held.count_chars())]
        for west, south, east, north in boxes:
            assert 0 <= west <= east <= wide
            assert 0 <= south <= north <= high
        told.append(held.get_text_range())
    return told


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_hash_is_on_the_sheet(study: Study, font: Path, language: Language) -> None:
    made = report(study, "2024", "", language)
    told = pages(report_pdf(made))
    assert len(told) == 1
    assert dict(made.lines)["incidents.0.sha256"] in told[0]


def test_what_has_no_room_stands_on_a_sheet_behind(study: Study, font: Path) -> None:
    """Ten places with long names, many notes, a dozen files: nothing runs off, nothing is lost."""
    made = report(study, "2024", "", "en")
    shape = made.places[0].shape
    places = tuple(
        Place(i + 1, shape, made.places[0].middle, f"Where{i} " + "Long Name of a Village " * 6,
              f"why{i} " + "high in 12 of 24 months; " * 6)
        for i in range(10)
    )  # fmt: skip
    hashes = [f"{i:02d}" * 32 for i in range(40)]
    full = replace(
        made, places=places, place="A County with a Name " * 8,
        notes=tuple(f"Note{i} " + "of what else there is to know. " * 5 for i in range(12)),
        warnings=("Warned of much. " * 20,),
        lines=tuple((f"incidents.{i}.sha256", mark) for i, mark in enumerate(hashes)),
    )  # fmt: skip
    told = pages(report_pdf(full))
    assert 2 <= len(told) <= 3
    whole = " ".join(told)
    for sign in [*hashes, *(f"Where{i}" for i in range(10)), *(f"Note{i}" for i in range(12))]:
        assert sign in whole, sign
    assert all("内部使用" in page for page in told)


def test_no_letter_is_too_small_to_be_read(font: Path) -> None:
    from matplotlib.figure import Figure

    writer = Writer(Figure(figsize=(11.69, 8.27)), font)
    with pytest.raises(ValueError, match="too small"):
        writer.put(0.1, 0.1, "x", LEAST - 0.1)
    writer.fit(0.1, 0.1, "A name that is far too long " * 9, 7.0, 0.2)
    (line,) = writer.figure.texts
    assert line.get_size() >= LEAST
    assert writer.wide(line.get_text(), line.get_size()) <= 0.2
    assert writer.high(Text("字" * 100, 10.0), 0.5) > writer.high(Text("字", 10.0), 0.5)


def halves(sign: str) -> float:
    return 2.0 if ord(sign) > 0x2E7F else 1.1


def test_lines_break_between_words_and_between_characters() -> None:
    assert wrapped("one two three four", 12, halves) == ["one two", "three four"]
    assert wrapped("一二三四五，六七", 10, halves) == ["一二三四五，", "六七"]
    assert "".join(wrapped("x" * 200, 40, halves)) == "x" * 200
    assert max(map(len, wrapped("x" * 200, 40, halves))) == 36
    assert wrapped("", 10, halves) == []
