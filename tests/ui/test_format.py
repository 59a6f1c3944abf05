"""Numbers and names as people read them."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from ui import format as f

HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>x", '" onload="x', "${alert(1)}"]


@pytest.mark.parametrize("nothing", [None, math.nan, pd.NA, "text"])
def test_what_is_missing_is_a_dash(nothing: object) -> None:
    for form in (f.whole, f.share, f.signed_share, f.decimal, f.area_km2):
        assert form(nothing) == f.DASH


def test_numbers() -> None:
    assert f.whole(1234567.4) == "1,234,567"
    assert f.share(0.9534, 1) == "95.3 %"
    assert f.signed_share(-0.204) == "−20 %"
    assert f.signed_share(0.25) == "+25 %"
    assert f.signed_share(-0.001) == "0 %"
    assert f.decimal(0.6361) == "0.64"
    assert f.area_km2(250_000) == "0.250"
    assert f.area_km2(12_500_000) == "12.50"


def test_a_name_is_one_plain_line() -> None:
    assert f.name_text(" 柳塘\n 村\x00\u202e ") == "柳塘 村"
    assert f.name_text(None) == ""
    assert f.name_text(math.nan) == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_html_is_only_text(text: str) -> None:
    safe = f.html_text(text)
    assert "<" not in safe
    assert '"' not in safe


def test_markdown_is_only_text() -> None:
    assert f.markdown_text("[x](http://y) **b**") == r"\[x\]\(http\://y\) \*\*b\*\*"
    assert f.markdown_text(":red[x] $a$") == r"\:red\[x\] \$a\$"
