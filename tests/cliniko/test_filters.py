"""Filters of lists: what a caller writes, what is sent, and that nothing else can be."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.filters import (
    ARRAY,
    COMMON,
    DATE,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Family,
    WrongFilter,
    conditions,
)
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Operation, Resource
from cliniko_mcp.errors import InvalidArguments

SYDNEY, SANTIAGO, HAVANA = map(ZoneInfo, ["Australia/Sydney", "America/Santiago", "America/Havana"])
ZONES = st.sampled_from(
    [SYDNEY, SANTIAGO, HAVANA, *map(ZoneInfo, ["Europe/London", "Asia/Beirut", "Australia/Lord_Howe"])]
)


class Thing(Record):
    id: Id


class Things(Resource):
    list_things = List(
        Thing,
        "/houses/{house_id}/things",
        "List things.",
        filters=COMMON
        | {"archived_at": INSTANT, "born": DATE, "house_id": NUMBER, "name": TEXT, "open": FLAG, "part_ids": ARRAY},
    )
    get_thing = Get(Thing, "/things/{id}", "Read a thing.", hidden=("archived_at", "deleted_at"))


def refusal(operation: Operation, arguments: Mapping[str, object]) -> Any:
    with pytest.raises(InvalidArguments) as refused:
        operation.parse(arguments)
    return refused.value.details["fields"]


def sent(field: str, family: Family, value: object, zone: ZoneInfo | None = SYDNEY) -> list[str]:
    return [condition.text(zone) for condition in conditions(field, family, value)]


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


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
    assert sent("x", family, value) == [f"x:{condition}" for condition in wire]


@pytest.mark.parametrize(
    ("family", "values"),
    [
        (
            NUMBER,
            [
                "",
                "x",
                "1.5",
                1.5,
                "~1",
                "1,x",
                ">1,2",
                "..",
                "1..x",
                "1" * 21,
                10**5000,
                "１",
                {},
                [],
                [[1]],
                [None],
                "=",
                "all",
                "9..1",
            ],
        ),
        (TEXT, ["", " ", ">a", "<=a", "~", ["a", "b"], {}, "x" * 2001, "a\nb", "a\x00", "a\ud800"]),
        (FLAG, ["yes", "1", 1, "any", ">true", "", []]),
        (DATE, ["2026-02-30", "24/11", "!=2026-11-24", "****", ">****-05-**", "..", "all", "2026-11-24T10:00"]),
        (
            INSTANT,
            ["!=2026-11-24", "~2026", "2026-02-30", "now", "..", "all", "*", "2026-11-24T26:00", ">9999-12-31", "a..b"],
        ),
        (DATE, ["2026-11-25..2026-11-24"]),
        (INSTANT, ["2026-11-25..2026-11-24", "2026-11-24T10:00..2026-11-24T09:00", "2026-11-25..2026-11-24T09:00"]),
        (ARRAY, ["any", "none", "1,2", "!=1", "x", [1, 2], ""]),
    ],
)
def test_a_filter_that_cannot_be_sent_is_refused_and_says_what_is_allowed(family: Family, values: list[object]):
    for value in values:
        with pytest.raises(WrongFilter) as refused:
            conditions("x", family, value)
        assert str(refused.value)
        assert refused.value.takes.startswith("x takes ")
        assert family.meaning in refused.value.takes


def test_a_wrong_filter_says_all_that_is_allowed_in_one_sentence():
    assert refusal(Things.list_things, {"house_id": "1", "id": "1,x"}) == {
        "id": "must be a whole number; id takes a number or an id, with one of = != > >= < <= before it where needed, "
        "a range a..b, a list a,b,c, or any / none"
    }


@pytest.mark.parametrize("stamp", ["archived_at", "deleted_at", "cancelled_at"])
def test_all_shows_hidden_and_live_rows_together_on_the_stamps_that_hide(stamp: str):
    assert sent(stamp, INSTANT, "all") == [f"{stamp}:*"]


@given(st.dates(date(2005, 1, 2), date(2037, 1, 1)), ZONES)
@example(date(2026, 9, 6), SANTIAGO)
@example(date(2026, 11, 1), HAVANA)
def test_a_day_on_an_instant_is_exactly_that_local_day(day: date, zone: ZoneInfo):
    first, last = (moment(text.split("=")[-1].split("<")[-1]) for text in sent("x", INSTANT, day.isoformat(), zone))
    second = timedelta(seconds=1)
    assert [(moment.astimezone(zone)).date() for moment in (first - second, first, last - second, last)] == [
        day - timedelta(days=1), day, day, day + timedelta(days=1)
    ]  # fmt: skip


def test_a_bound_that_the_clocks_skip_is_the_moment_at_which_they_do():
    assert sent("x", INSTANT, ">=2026-10-04T02:30") == ["x:>=2026-10-03T16:00:00Z"]


@given(
    st.sampled_from(["archived_at", "born", "id", "name", "open", "part_ids"]),
    st.text() | st.text("=<>~!?*:&;[]%#+ \n,.0123456789", max_size=20),
)
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
    assert refusal(Things.list_things, {"house_id": "1", "open": "maybe"})["open"].startswith(
        "must be true or false; open takes"
    )


@pytest.mark.parametrize(
    ("given_sort", "wire"), [("name", "name"), ("name, id:desc", "name,id:desc"), (["name", "id:asc"], "name,id:asc")]
)
def test_sort_names_columns(given_sort: object, wire: str):
    assert Things.list_things.parse({"house_id": "1", "sort": given_sort}).request().query == (("sort", wire),)


@pytest.mark.parametrize("given_sort", ["", "name:down", "name&q[]=x", "Name", "na\nme", [], [1], {}])
def test_sort_is_nothing_but_columns(given_sort: object):
    assert "sort" in refusal(Things.list_things, {"house_id": "1", "sort": given_sort})


def test_a_read_looks_past_the_stamps_that_hide_only_when_asked():
    hidden = (("q[]", "archived_at:*"), ("q[]", "deleted_at:*"))
    assert Things.get_thing.parse({"id": "1", "include_archived": True}).request().query == hidden
    assert Things.get_thing.parse({"id": "1", "include_archived": False}).request().query == ()
    assert Things.get_thing.parse({"id": "1", "include_archived": None}).request().query == ()
    assert refusal(Things.get_thing, {"id": "1", "include_archived": "yes"}) == {
        "include_archived": "must be true or false"
    }
