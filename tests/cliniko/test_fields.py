"""The vocabulary of values: amounts, codes, colours, moments and days."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cliniko_mcp.cliniko.fields import (
    BoundedAmount,
    Colour,
    HttpsAddress,
    Money,
    NonNegative,
    Number,
    Percentage,
    coded,
    parse_day,
    parse_moment,
    utc_text,
)
from cliniko_mcp.errors import InvalidArguments

SYDNEY = ZoneInfo("Australia/Sydney")
ZONES = st.sampled_from(
    [SYDNEY, *map(ZoneInfo, ["America/Santiago", "America/Havana", "Europe/London", "Australia/Lord_Howe"])]
)


def value_of(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# Amounts, numbers, codes, colours


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("85", "85"),
        (" 85.00 ", "85.00"),
        (85, "85"),
        (85.5, "85.5"),
        ("1e3", "1000"),
        (1e-7, "0.0000001"),
        ("-3.50", "-3.50"),
        (".5", "0.5"),
        (Decimal("10.0"), "10.0"),
    ],
)
def test_money_becomes_a_plain_decimal_text(value: object, normal: str):
    assert value_of(Money, value) == normal


@pytest.mark.parametrize(
    "value",
    [
        "",
        "$85",
        "1,000",
        "1_000",
        "１２",
        "nan",
        "inf",
        "-Infinity",
        float("nan"),
        float("inf"),
        "1e999999",
        "9" * 5000,
        True,
        None,
        [],
        "85 AUD",
        "0x1",
    ],
)
def test_what_is_not_an_amount_is_refused(value: object):
    with pytest.raises(ValidationError, match=r"must be an amount such as"):
        value_of(Money, value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_money_keeps_its_value_and_is_read_back_as_itself(amount: Decimal):
    once = value_of(Money, str(amount))
    assert Decimal(once) == amount
    assert value_of(Money, once) == once


@given(st.text() | st.floats() | st.integers() | st.text("0123456789eE+-.", max_size=40))
def test_money_is_never_longer_than_a_person_would_write(value: object):
    with suppress(ValidationError):
        assert len(value_of(Money, value)) < 150


@pytest.mark.parametrize(
    ("kind", "inside", "outside"),
    [
        (NonNegative, ["0", "3999999999.99"], ["-0.01", "4000000000"]),
        (Percentage, ["0", "100", "12.5"], ["-1", "100.01"]),
        (BoundedAmount, ["-4000000000", "0"], ["-4000000000.01", "4000000000"]),
    ],
)
def test_bounded_amounts_include_and_leave_out_their_ends_as_the_contract_does(
    kind: Any, inside: list[str], outside: list[str]
):
    assert [value_of(kind, value) for value in inside] == inside
    for value in outside:
        with pytest.raises(ValidationError, match="must be"):
            value_of(kind, value)


@pytest.mark.parametrize("value", [True, "nan", float("inf"), "1e400", "x", None])
def test_a_number_is_finite_or_refused(value: object):
    with pytest.raises(ValidationError):
        value_of(Number, value)


@pytest.mark.parametrize(("value", "code"), [("plain", 0), (" Fancy ", 1), (1, 1), ("1", 1)])
def test_a_code_may_be_written_as_its_word_or_its_number(value: object, code: int):
    assert value_of(coded({0: "Plain", 1: "Fancy"}), value) == code


@pytest.mark.parametrize("value", [True, False, 2, "2", "-1", "other", "", "²"])
def test_a_code_that_does_not_exist_is_refused(value: object):
    with pytest.raises(ValidationError):
        value_of(coded({0: "Plain", 1: "Fancy"}), value)


def test_a_colour_has_three_or_six_digits_or_a_name():
    assert [value_of(Colour, colour) for colour in ("#1a73e8", "#FFF")] == ["#1a73e8", "#FFF"]
    for odd in ("1a73e8", "#12345", "#1a73e8\n", "#ggg", "reddish", "", "#１２３"):
        with pytest.raises(ValidationError, match="must be a colour"):
            value_of(Colour, odd)


@pytest.mark.parametrize(
    ("name", "digits"),
    [("red", "#ff0000"), ("Light Sea Green", "#20b2aa"), ("dark-slate_grey", "#2f4f4f")],
)
def test_a_colour_may_be_named_as_in_css(name: str, digits: str):
    assert value_of(Colour, name) == digits


@pytest.mark.parametrize(
    "address",
    ["http://example.org/a", "ftp://example.org", "javascript:alert(1)", "https://", "https:///a", "example.org/a",
     "https://user:secret@example.org/", "https://[", "https://example.org/\n", "",
     "//a.org", "http://127.0.0.1.example.org/a"],
)  # fmt: skip
def test_an_address_that_is_sent_is_an_https_address(address: str):
    with pytest.raises(ValidationError, match="must be an https address"):
        value_of(HttpsAddress, address)


@pytest.mark.parametrize(
    "address", ["https://example.org/a?b=c", "HTTPS://example.org", "http://127.0.0.1:9000/storage/a b.pdf"]
)
def test_an_https_address_goes_out_as_it_is_and_so_does_one_of_a_demo_clinic_here(address: str):
    assert value_of(HttpsAddress, address) == address


# Moments and days


@pytest.mark.parametrize(
    ("text", "universal"),
    [
        ("2026-11-24T15:30", "2026-11-24T04:30:00Z"),
        ("2026-07-01 15:30", "2026-07-01T05:30:00Z"),
        ("2026-11-24T04:30:00Z", "2026-11-24T04:30:00Z"),
        ("2026-11-24T04:30z", "2026-11-24T04:30:00Z"),
        ("2026-11-24T15:30:10.999+11:00", "2026-11-24T04:30:10Z"),
        ("2026-11-24T15:30+1100", "2026-11-24T04:30:00Z"),
        ("2026-11-23T20:30-08:00", "2026-11-24T04:30:00Z"),
        ("2026-04-05T02:30", "2026-04-04T15:30:00Z"),
        ("0900-01-01T00:00Z", "0900-01-01T00:00:00Z"),
    ],
)
def test_a_moment_is_sent_in_universal_time_and_a_local_one_is_the_clinics(text: str, universal: str):
    assert utc_text(parse_moment(text), SYDNEY) == universal


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24",
        "15:30",
        "2026-11-24T15",
        "2026-13-01T10:00",
        "2026-02-30T10:00",
        "2026-11-24T25:00",
        "tomorrow",
        "",
        "2026-11-24T15:30+99:00",
        "２０２６-11-24T15:30",
        "2026-11-24T15:30\n2026",
    ],
)
def test_what_is_not_a_moment_is_refused(text: str):
    with pytest.raises(ValueError, match=r"date and time"):
        parse_moment(text)


@pytest.mark.parametrize("text", ["2026-02-30", "24/11/2026", "20261124", "2026-11-24T00:00", "", "٢٠٢٦-11-24"])
def test_what_is_not_a_day_is_refused(text: str):
    with pytest.raises(ValueError, match=r"must be a date|not a day"):
        parse_day(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "0001-01-01T00:00+10:00", "9999-12-31T23:59-10:00"])
def test_a_moment_at_the_very_end_of_the_calendar_is_refused_with_a_sentence(text: str):
    with pytest.raises(InvalidArguments, match="end of the calendar"):
        utc_text(parse_moment(text), SYDNEY)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)), ZONES)
@example(datetime(2026, 4, 5, 2, 30), SYDNEY)
@example(datetime(2026, 10, 4, 2, 0), SYDNEY)
def test_a_local_time_comes_back_as_itself_the_first_of_two_or_not_at_all(naive: datetime, zone: ZoneInfo):
    naive = naive.replace(microsecond=0)
    try:
        universal = moment(utc_text(naive, zone))
    except InvalidArguments:
        assert all(
            naive.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != naive
            for fold in (0, 1)
        )
        return
    assert universal.astimezone(zone).replace(tzinfo=None, fold=0) == naive
    assert universal.astimezone(zone).fold == 0
