"""The engine under the resources: values, filters, bodies, records, and the way from arguments to a request."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.fields import BoundedAmount, Colour, Id, Instant, LocalDate, Money, NonNegative, Number, Percentage
from cliniko_mcp.fields import coded, omittable, parse_day, parse_moment, utc_text
from cliniko_mcp.filters import ARRAY, COMMON, DATE, FLAG, INSTANT, NUMBER, TEXT, Family, conditions
from cliniko_mcp.model import Body, Record, linked_id
from cliniko_mcp.operation import Archive, Create, Get, List, Resource, Update

SYDNEY, SANTIAGO, HAVANA, LONDON = map(ZoneInfo, ["Australia/Sydney", "America/Santiago", "America/Havana", "Europe/London"])
ZONES = st.sampled_from([SYDNEY, SANTIAGO, HAVANA, LONDON, ZoneInfo("Asia/Beirut"), ZoneInfo("Australia/Lord_Howe")])


class Part(Body):
    kind: Literal["wide", "narrow"]
    label: str = Field(max_length=5)


class ThingBody(Body):
    name: str = Field(max_length=10)
    starts_at: Instant
    kind: coded({0: "Plain", 1: "Fancy"}) | None = None  # pyright: ignore[reportInvalidTypeForm]
    notes: str | None = None
    owner_id: Id | None = None
    parts: list[Part] = omittable()
    price: Number = omittable()
    sender: str | None = Field(default=None, alias="from")


class Thing(Record):
    id: Id
    archived_at: Instant | None = None
    created_at: Instant
    day: LocalDate | None = None
    name: str | None = None
    owner_id: Id | None = None
    part_ids: list[Id] | None = None
    places: int | None = None
    price: Money | None = None
    sender: str | None = Field(default=None, alias="from")
    total: Number | None = None


class Things(Resource):
    list_things = List(
        Thing,
        "/houses/{house_id}/things",
        "List things.",
        filters=COMMON
        | {"archived_at": INSTANT, "born": DATE, "house_id": NUMBER, "name": TEXT, "open": FLAG, "part_ids": ARRAY},
    )
    get_thing = Get(Thing, "/things/{id}", "Read a thing.", hidden=("archived_at", "deleted_at"))
    create_thing = Create(ThingBody, Thing, "/things", "Add a thing.")
    update_thing = Update(ThingBody, Thing, "/things/{id}", "Change a thing.")
    rename_thing = Update(ThingBody, Thing, "/things/{id}/name", "Rename a thing.", needed=("name",))
    archive_thing = Archive("/things/{id}/archive", "Hide a thing.")


def refusal(operation: Any, arguments: dict[str, object]) -> dict[str, str]:
    with pytest.raises(InvalidArguments) as refused:
        operation.parse(arguments)
    return dict(refused.value.details["fields"])  # pyright: ignore[reportArgumentType, reportCallIssue]


def sent(field: str, family: Family, value: object, zone: ZoneInfo | None = SYDNEY) -> list[str]:
    return [condition.text(zone) for condition in conditions(field, family, value)]


def value_of(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# Ids


@pytest.mark.parametrize("value", ["1", "0012", "12345678901234567890", 7, 1234567890123456789])
def test_an_id_of_up_to_twenty_digits_is_kept_digit_for_digit(value: object):
    assert Things.get_thing.parse({"id": value}).request().path == f"/things/{value}"


@pytest.mark.parametrize(
    "value",
    [
        *(1.0, 1e18, float("nan"), True, False, None, "", " ", " 1", "1 ", "-1", -1, "+1", "1.0", "1e3", "1_000", [], ["1"], {}),
        *("1" * 21, 10**20, 10**5000, "1\n", "\n1", "1\r\nHost: x", "1\x00", "1/../../users", "../users", "1/archive"),
        *("1?x=1", "1#x", "1&q[]=x", "%2e%2e", "1%2F2", "%31", "..", ".", "١٢٣", "１２", "²", "½", "1\u200b", "{id}"),
    ],
)
def test_what_is_not_an_id_is_refused_before_there_is_a_request(value: object):
    assert "an id" in refusal(Things.archive_thing, {"id": value})["id"]


@given(st.text() | st.integers() | st.floats() | st.text("0123456789/.%?#\n\u0661", max_size=25))
def test_a_path_never_holds_anything_but_the_id(value: object):
    try:
        path = Things.archive_thing.parse({"id": value}).request().path
    except InvalidArguments:
        return
    digits = path.removeprefix("/things/").removesuffix("/archive")
    assert path == f"/things/{digits}/archive"
    assert set(digits) <= set("0123456789") and 1 <= len(digits) <= 20
    assert digits == str(value)


# Amounts, numbers, codes, colours


@pytest.mark.parametrize(
    ("value", "normal"),
    [("85", "85"), (" 85.00 ", "85.00"), (85, "85"), (85.5, "85.5"), ("1e3", "1000"), (1e-7, "0.0000001"), ("-3.50", "-3.50"), (".5", "0.5"), (Decimal("10.0"), "10.0")],
)
def test_money_becomes_a_plain_decimal_text(value: object, normal: str):
    assert value_of(Money, value) == normal


@pytest.mark.parametrize("value", ["", "$85", "1,000", "1_000", "１２", "nan", "inf", "-Infinity", float("nan"), float("inf"), "1e999999", "9" * 5000, True, None, [], "85 AUD", "0x1"])
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
    try:
        assert len(value_of(Money, value)) < 150
    except ValidationError:
        pass


@pytest.mark.parametrize(
    ("kind", "inside", "outside"),
    [
        (NonNegative, ["0", "3999999999.99"], ["-0.01", "4000000000"]),
        (Percentage, ["0", "100", "12.5"], ["-1", "100.01"]),
        (BoundedAmount, ["-4000000000", "0"], ["-4000000000.01", "4000000000"]),
    ],
)
def test_bounded_amounts_include_and_leave_out_their_ends_as_the_contract_does(kind: Any, inside: list[str], outside: list[str]):
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


def test_a_colour_has_three_or_six_digits():
    assert [value_of(Colour, each) for each in ("#1a73e8", "#FFF")] == ["#1a73e8", "#FFF"]
    for odd in ("1a73e8", "#12345", "#1a73e8\n", "#ggg", "red", "#１２３"):
        with pytest.raises(ValidationError, match="must be a colour"):
            value_of(Colour, odd)


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


@pytest.mark.parametrize("text", ["2026-11-24", "15:30", "2026-11-24T15", "2026-13-01T10:00", "2026-02-30T10:00", "2026-11-24T25:00", "tomorrow", "", "2026-11-24T15:30+99:00", "２０２６-11-24T15:30", "2026-11-24T15:30\n2026"])
def test_what_is_not_a_moment_is_refused(text: str):
    with pytest.raises(ValueError, match=r"date and time"):
        parse_moment(text)


@pytest.mark.parametrize("text", ["2026-02-30", "24/11/2026", "20261124", "2026-11-24T00:00", "", "٢٠٢٦-11-24"])
def test_what_is_not_a_day_is_refused(text: str):
    with pytest.raises(ValueError, match=r"must be a date|not a day"):
        parse_day(text)


def test_a_local_time_that_the_clocks_skip_is_refused_with_a_sentence():
    call = Things.create_thing.parse({"name": "a", "starts_at": "2026-10-04T02:30"})
    with pytest.raises(InvalidArguments, match="02:30 on Sunday 04 October 2026 does not exist in Australia/Sydney"):
        call.request(SYDNEY)


def test_a_local_time_without_a_known_zone_is_refused():
    call = Things.create_thing.parse({"name": "a", "starts_at": "2026-11-24T15:30"})
    assert call.needs_zone
    with pytest.raises(InvalidArguments, match="needs a time zone"):
        call.request()


def test_a_moment_with_its_own_offset_needs_no_zone():
    call = Things.create_thing.parse({"name": "a", "starts_at": "2026-11-24T15:30+11:00", "notes": None})
    assert not call.needs_zone
    assert call.request().body == {"name": "a", "starts_at": "2026-11-24T04:30:00Z"}


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
        assert all(naive.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != naive for fold in (0, 1))
        return
    assert universal.astimezone(zone).replace(tzinfo=None, fold=0) == naive
    assert universal.astimezone(zone).fold == 0


# Filters


@pytest.mark.parametrize(
    ("family", "value", "wire"),
    [
        (NUMBER, "5", ["=5"]),
        (NUMBER, 5, ["=5"]),
        (NUMBER, "-5", ["=-5"]),
        (NUMBER, "1, 2,3", ["=1,2,3"]),
        (NUMBER, [1, "2"], ["=1,2"]),
        (NUMBER, "=1,2", ["=1,2"]),
        (NUMBER, "!=5", ["!=5"]),
        (NUMBER, "> 5", [">5"]),
        (NUMBER, ">=5", [">=5"]),
        (NUMBER, "<5", ["<5"]),
        (NUMBER, "<=5", ["<=5"]),
        (NUMBER, "1..9", [">=1", "<=9"]),
        (NUMBER, "1..", [">=1"]),
        (NUMBER, "..9", ["<=9"]),
        (TEXT, "Ann", ["=Ann"]),
        (TEXT, "!=Ann", ["!=Ann"]),
        (TEXT, "~ann", ["~ann"]),
        (TEXT, "~~%an%n", ["~~%an%n"]),
        (TEXT, "=any", ["=any"]),
        (TEXT, "all", ["=all"]),
        (TEXT, "a..b, c", ["=a..b, c"]),
        (FLAG, True, ["=true"]),
        (FLAG, "FALSE", ["=false"]),
        (FLAG, "!=true", ["!=true"]),
        (DATE, "2026-11-24", ["=2026-11-24"]),
        (DATE, ">2026-11-24", [">2026-11-24"]),
        (DATE, ">=2026-11-24", [">=2026-11-24"]),
        (DATE, "<2026-11-24", ["<2026-11-24"]),
        (DATE, "<=2026-11-24", ["<=2026-11-24"]),
        (DATE, "****-05-**", ["=****-05-**"]),
        (DATE, "2026-11-01..2026-11-30", [">=2026-11-01", "<=2026-11-30"]),
        (DATE, "..2026-11-30", ["<=2026-11-30"]),
        (INSTANT, "2026-11-24", [">=2026-11-23T13:00:00Z", "<2026-11-24T13:00:00Z"]),
        (INSTANT, "2026-10-04", [">=2026-10-03T14:00:00Z", "<2026-10-04T13:00:00Z"]),
        (INSTANT, "2026-11-24T15:30", [">=2026-11-24T04:30:00Z", "<=2026-11-24T04:30:00Z"]),
        (INSTANT, ">2026-11-24", [">=2026-11-24T13:00:00Z"]),
        (INSTANT, ">=2026-11-24", [">=2026-11-23T13:00:00Z"]),
        (INSTANT, "<2026-11-24", ["<2026-11-23T13:00:00Z"]),
        (INSTANT, "<=2026-11-24", ["<2026-11-24T13:00:00Z"]),
        (INSTANT, ">2026-11-24T04:30:00Z", [">2026-11-24T04:30:00Z"]),
        (INSTANT, "<=2026-11-24T15:30", ["<=2026-11-24T04:30:00Z"]),
        (INSTANT, "2026-11-23..2026-11-24", [">=2026-11-22T13:00:00Z", "<2026-11-24T13:00:00Z"]),
        (INSTANT, "2026-11-24T09:00..2026-11-24T12:00", [">=2026-11-23T22:00:00Z", "<2026-11-24T01:00:00Z"]),
        (INSTANT, "2026-11-24T09:00..", [">=2026-11-23T22:00:00Z"]),
        (ARRAY, "12", ["~12"]),
        (ARRAY, "~12", ["~12"]),
        *((family, "any", ["?"]) for family in (NUMBER, TEXT, DATE, INSTANT)),
        *((family, " NONE ", ["!?"]) for family in (NUMBER, TEXT, DATE, INSTANT)),
    ],
)
def test_a_filter_says_in_the_apis_signs_what_the_caller_wrote(family: Family, value: object, wire: list[str]):
    assert sent("x", family, value) == [f"x:{each}" for each in wire]


@pytest.mark.parametrize(
    ("family", "values"),
    [
        (NUMBER, ["", "x", "1.5", 1.5, "~1", "1,x", ">1,2", "..", "1..x", "1" * 21, 10**5000, "１", {}, [], [[1]], [None], "=", "all"]),
        (TEXT, ["", " ", ">a", "<=a", "~", ["a", "b"], {}, "x" * 2001, "a\nb", "a\x00", "a\ud800"]),
        (FLAG, ["yes", "1", 1, "any", ">true", "", []]),
        (DATE, ["2026-02-30", "24/11", "!=2026-11-24", "****", ">****-05-**", "..", "all", "2026-11-24T10:00"]),
        (INSTANT, ["!=2026-11-24", "~2026", "2026-02-30", "now", "..", "all", "*", "2026-11-24T26:00", ">9999-12-31", "a..b"]),
        (ARRAY, ["any", "none", "1,2", "!=1", "x", [1, 2], ""]),
    ],
)
def test_a_filter_that_cannot_be_sent_is_refused_and_says_what_is_allowed(family: Family, values: list[object]):
    for value in values:
        with pytest.raises(InvalidArguments) as refused:
            conditions("x", family, value)
        assert refused.value.message.startswith("x ")
        assert family.meaning in refused.value.fix
        assert refused.value.details["field"] == "x"


@pytest.mark.parametrize("stamp", ["archived_at", "deleted_at", "cancelled_at"])
def test_all_shows_hidden_and_live_rows_together_on_the_stamps_that_hide(stamp: str):
    assert sent(stamp, INSTANT, "all") == [f"{stamp}:*"]


@given(st.dates(date(2005, 1, 2), date(2037, 1, 1)), ZONES)
@example(date(2026, 9, 6), SANTIAGO)
@example(date(2026, 11, 1), HAVANA)
def test_a_day_on_an_instant_is_exactly_that_local_day(day: date, zone: ZoneInfo):
    first, last = (moment(text.split("=")[-1].split("<")[-1]) for text in sent("x", INSTANT, day.isoformat(), zone))
    second = timedelta(seconds=1)
    assert [(each.astimezone(zone)).date() for each in (first - second, first, last - second, last)] == [
        day - timedelta(days=1), day, day, day + timedelta(days=1)
    ]  # fmt: skip


def test_a_bound_that_the_clocks_skip_is_the_moment_at_which_they_do():
    assert sent("x", INSTANT, ">=2026-10-04T02:30") == ["x:>=2026-10-03T16:00:00Z"]


@given(st.sampled_from(["archived_at", "born", "id", "name", "open", "part_ids"]), st.text() | st.text("=<>~!?*:&;[]%#+ \n,.0123456789", max_size=20))
@example("name", "x&q[]=archived_at:*")
@example("name", "~Ann;deleted_at:*")
@example("id", "1&per_page=1000")
def test_a_hostile_value_cannot_leave_its_own_filter(field: str, value: str):
    try:
        query = Things.list_things.parse({"house_id": "1", field: value}).request(SYDNEY).query
    except InvalidArguments:
        return
    assert 1 <= len(query) <= 2
    assert all(name == "q[]" and text.startswith(f"{field}:") for name, text in query)
    assert parse_qsl(urlencode(query), keep_blank_values=True, strict_parsing=True) == list(query)


def test_a_list_drops_the_filter_that_its_path_already_says():
    assert "house_id" not in Things.list_things.filters
    assert Things.list_things.parse({"house_id": "7", "id": "1,2"}).request().path == "/houses/7/things"


def test_a_wrong_filter_is_named_once_with_its_advice():
    assert refusal(Things.list_things, {"house_id": "1", "open": "maybe"})["open"].startswith("must be true or false; open takes")


@pytest.mark.parametrize(("given_sort", "wire"), [("name", "name"), ("name, id:desc", "name,id:desc"), (["name", "id:asc"], "name,id:asc")])
def test_sort_names_columns(given_sort: object, wire: str):
    assert Things.list_things.parse({"house_id": "1", "sort": given_sort}).request().query == (("sort", wire),)


@pytest.mark.parametrize("given_sort", ["", "name:down", "name&q[]=x", "Name", "name\n", [], [1], {}])
def test_sort_is_nothing_but_columns(given_sort: object):
    assert "sort" in refusal(Things.list_things, {"house_id": "1", "sort": given_sort})


def test_a_read_looks_past_the_stamps_that_hide_only_when_asked():
    hidden = (("q[]", "archived_at:*"), ("q[]", "deleted_at:*"))
    assert Things.get_thing.parse({"id": "1", "include_archived": True}).request().query == hidden
    assert Things.get_thing.parse({"id": "1", "include_archived": False}).request().query == ()
    assert Things.get_thing.parse({"id": "1", "include_archived": None}).request().query == ()
    assert refusal(Things.get_thing, {"id": "1", "include_archived": "yes"}) == {"include_archived": "must be true or false"}
