"""Personal data never gets in, whatever its column is called, and never into a message."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from geo.columns import Role
from geo.personal import blank_personal, is_personal_name, kind_of, masked
from geo.problems import InputError
from geo.read import Layer, read_layer

IDENTITY, IDENTITY_X = "11010519491231002X", "440524188001010014"
MOBILE, CARD, PLATE = "13912345678", "6222020000000000002", "苏A·12B45"
CANARIES = (IDENTITY, IDENTITY_X, MOBILE, CARD, "12B45", "某甲某")


def with_check_digit(digits: str) -> str:
    """A number that passes Luhn's test."""
    for last in "0123456789":
        if kind_of(digits + last) == "bank_card":
            return digits + last
    raise AssertionError(digits)


CARD = with_check_digit("622202000000000000")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (IDENTITY, "identity_number"),
        (IDENTITY.lower(), "identity_number"),
        (f"身份证{IDENTITY_X}。", "identity_number"),
        ("１１０１０５１９４９１２３１００２Ｘ", "identity_number"),
        ("110105491231002", "identity_number"),
        ("A123456789", "identity_number"),
        (MOBILE, "mobile_number"),
        ("电话139-1234-5678", "mobile_number"),
        ("+86 13912345678", "mobile_number"),
        (CARD, "bank_card"),
        (" ".join(CARD[i : i + 4] for i in range(0, 19, 4)), "bank_card"),
        (PLATE, "plate"),
        ("苏AD12345", "plate"),
        ("110105194912310021", None),  # wrong check digit
        ("320116001001", None),  # a village code
        ("67000010001", None),
        ("东村三组", None),
        ("120.123456789012", None),
        ("S122省道", None),
        ("6222020000000000001", None),
    ],
)
def test_kind_of(text: str, kind: str | None) -> None:
    assert kind_of(text) == kind


PERSONAL = (
    "姓名 户主 户主姓名 与户主关系 身份证号 公民身份号码 证件号码 手机号 联系电话 联系方式 微信 "
    "出生日期 "
    "民族 宗教 政治面貌 婚姻 学历 工作单位 健康 残疾 精神障碍 低保 银行卡 一卡通 车牌 照片 "
    "重点人员类别 "
    "报警人 报警电话 当事人 嫌疑人 受害人 民警姓名 警号 案情 简要警情 網格員 聯絡電話 聯繫方式 "
    "Phone "
    "ID_CARD passport_no e-mail"
)
HARMLESS = (
    "户数 人口 村名 小区名称 经度 民警数 残疾人数 户编号 name code 派出所 警力 大类 来源 "
    "households "
    "village_name"
)


@pytest.mark.parametrize("name", PERSONAL.split())
def test_personal_names(name: str) -> None:
    assert is_personal_name(name)


@pytest.mark.parametrize("name", HARMLESS.split())
def test_other_names(name: str) -> None:
    assert not is_personal_name(name)


def roster(folder: Path) -> Path:
    path = folder / "roster.csv"
    lines = ["户编号,户主姓名,身份证号,手机,村名,小区,经度,纬度,户数,备注"]
    for place in range(12):
        lines.append(
            f"{MOBILE}{place},某甲某,{IDENTITY},{MOBILE},东村,阳光小区,120.0{place},32.01,1,{CARD}"
        )
    lines.append(f"{IDENTITY_X},某甲某,{IDENTITY},{MOBILE},{MOBILE},{PLATE},120.1,32.1,{MOBILE},x")
    path.write_text("\n".join(lines), "utf-8")
    return path


def everything(layer: Layer) -> str:
    told = [p.text(language) for p in layer.problems for language in ("zh", "en")]
    parts = [layer.frame.to_csv(), layer.frame.dtypes, layer.dropped, layer.columns, layer.name]
    return " ".join(map(str, [*parts, layer.file, *told, layer.problems]))


@pytest.mark.parametrize("trusted", [True, False], ids=["in process", "apart"])
def test_planted_values_reach_nothing(tmp_path: Path, trusted: bool) -> None:
    layer = read_layer(roster(tmp_path), "households", trusted=trusted)
    seen = everything(layer)
    for canary in CANARIES:
        assert canary not in seen
    assert list(layer.frame["household_id"]) == list(range(1, 14))
    dropped = {(item.column, item.kind): item.count for item in layer.dropped}
    assert dropped[("户主姓名", "column")] == 13
    assert dropped[("村名", "mobile_number")] == 1
    assert dropped[("小区", "plate")] == 1
    assert set(layer.frame.columns) == {
        "household_id", "households", "village_name", "compound", "geometry",
    }  # fmt: skip


ROLES: tuple[Role, ...] = ("villages", "households", "incidents", "compounds", "stations")


@pytest.mark.parametrize("role", ROLES)
def test_personal_columns_of_any_role(tmp_path: Path, role: Role) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        f"名称,小区名称,报警人,报警电话,警情类别,状态,经度,纬度\n{MOBILE},{PLATE},某甲某,{MOBILE},"
        f"{IDENTITY},{CARD},120.1,32.1\n东,东,东,东,东,东,120.1,32.2\n",
        "utf-8",
    )
    try:
        seen = everything(read_layer(path, role))
    except InputError as error:
        seen = repr(error.problems) + str(error)
    for canary in CANARIES:
        assert canary not in seen


def test_a_personal_column_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_layer(roster(tmp_path), "households", columns={"group": "户主姓名"})
    assert [p.code for p in caught.value.problems] == ["read_column_personal"]


def test_unused_columns_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("经度,纬度,楼层,密码\n120.1,32.1,3,secret\n", "utf-8")
    layer = read_layer(path, "households")
    assert "secret" not in everything(layer)
    assert {c.source: c.why for c in layer.columns}["密码"] == "unused"


def test_blank_personal_counts_by_kind() -> None:
    cleaned, counts = blank_personal(pd.Series([IDENTITY, "东村", MOBILE, None, IDENTITY]))
    assert cleaned.isna().tolist() == [True, False, True, True, True]
    assert counts == {"identity_number": 2, "mobile_number": 1}


def test_masked() -> None:
    assert masked(MOBILE) == "***"
    assert masked("12345678901") == "***"
    assert masked("many") == "many"
    assert len(masked("长" * 500)) == 24
