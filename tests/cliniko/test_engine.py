"""The engine under the resources: from arguments to a request, and from an answer to a record."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Instant, LocalDate, Money, Number, Timestamp, coded, omittable
from cliniko_mcp.cliniko.models import Body, Record, linked_id, value_of
from cliniko_mcp.cliniko.operations import Archive, Create, Get, Operation, Resource, Update
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.errors import InvalidArguments

SYDNEY = ZoneInfo("Australia/Sydney")


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
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    day: LocalDate | None = None
    name: str | None = None
    owner_id: Id | None = None
    part_ids: list[Id] | None = None
    places: int | None = None
    price: Money | None = None
    sender: str | None = Field(default=None, alias="from")
    total: Number | None = None


class Things(Resource):
    get_thing = Get(Thing, "/things/{id}", "Read a thing.")
    create_thing = Create(ThingBody, Thing, "/things", "Add a thing.")
    update_thing = Update(ThingBody, Thing, "/things/{id}", "Change a thing.")
    rename_thing = Update(ThingBody, Thing, "/things/{id}/name", "Rename a thing.", needed=("name",))
    archive_thing = Archive("/things/{id}/archive", "Hide a thing.")


def refusal(operation: Operation, arguments: Mapping[str, object]) -> Any:
    with pytest.raises(InvalidArguments) as refused:
        operation.parse(arguments)
    return refused.value.details["fields"]


# Ids


@pytest.mark.parametrize("value", ["1", "0012", "12345678901234567890", 7, 1234567890123456789])
def test_an_id_of_up_to_twenty_digits_is_kept_digit_for_digit(value: object):
    assert Things.get_thing.parse({"id": value}).request().path == f"/things/{value}"


@pytest.mark.parametrize(
    "value",
    [
        *(
            1.0,
            1e18,
            float("nan"),
            True,
            False,
            None,
            "",
            " ",
            " 1",
            "1 ",
            "-1",
            -1,
            "+1",
            "1.0",
            "1e3",
            "1_000",
            [],
            ["1"],
            {},
        ),
        *(
            "1" * 21,
            10**20,
            pytest.param(10**5000, id="huge"),
            "1\n",
            "\n1",
            "1\r\nHost: x",
            "1\x00",
            "1/../../users",
            "../users",
            "1/archive",
        ),
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


# Moments in a body


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


# Bodies: absent, null, cleared


THING = {"name": "Ann", "starts_at": "2026-11-24T04:30:00Z"}


def test_only_what_was_given_is_sent():
    assert Things.create_thing.parse(THING).request().body == THING
    assert Things.update_thing.parse({"id": "1", "name": "Ann"}).request().body == {"name": "Ann"}


def test_null_on_create_is_as_good_as_absent():
    assert Things.create_thing.parse(THING | {"notes": None, "parts": None}).request().body == THING


def test_what_create_needs_is_not_needed_on_update_unless_the_operation_says_so():
    assert refusal(Things.create_thing, {}) == {"name": "is needed", "starts_at": "is needed"}
    assert Things.update_thing.parse({"id": "1", "notes": "x"}).request().body == {"notes": "x"}
    assert refusal(Things.rename_thing, {"id": "1", "notes": "x"}) == {"name": "is needed"}


def test_clear_sends_null_and_a_value_sends_itself():
    call = Things.update_thing.parse({"id": "1", "name": "Bo", "clear": ["notes", "owner_id", "kind", "from"]})
    assert call.request().body == {"name": "Bo", "notes": None, "owner_id": None, "kind": None, "from": None}


def test_clear_may_name_a_field_twice_and_may_be_empty_or_null():
    assert Things.update_thing.parse({"id": "1", "clear": ["notes", "notes"]}).request().body == {"notes": None}
    for nothing in ([], None):
        assert Things.update_thing.parse({"id": "1", "name": "Bo", "clear": nothing}).request().body == {"name": "Bo"}


def test_clear_offers_exactly_the_fields_that_may_be_emptied():
    assert Things.update_thing.clearable == ("kind", "notes", "owner_id", "from")
    for unknown in ("name", "price", "parts", "id", "clear", "sender", 1, None, [], "notes "):
        assert refusal(Things.update_thing, {"id": "1", "clear": [unknown]})["clear"].startswith(
            "may name only kind, notes"
        )
    assert refusal(Things.update_thing, {"id": "1", "clear": "notes"}) == {"clear": "must be a list of field names"}


def test_null_on_update_is_refused_with_the_way_to_empty_a_field_where_there_is_one():
    wrong = refusal(Things.update_thing, {"id": "1", "notes": None, "price": None, "name": None})
    assert wrong["notes"] == 'cannot be null or empty text; to empty it give clear: ["notes"]'
    assert wrong["price"] == wrong["name"] == "cannot be null or empty text; leave it out to keep it"


def test_a_value_and_clear_at_once_are_refused():
    wrong = refusal(Things.update_thing, {"id": "1", "notes": "x", "clear": ["notes"]})
    assert wrong == {"notes": "is given a value and cleared at once"}


def test_an_update_that_changes_nothing_is_refused():
    assert "give at least one field" in refusal(Things.update_thing, {"id": "1"})["arguments"]


def test_an_empty_list_and_an_empty_text_are_values():
    assert Things.update_thing.parse({"id": "1", "parts": [], "notes": ""}).request().body == {"parts": [], "notes": ""}


def test_a_field_goes_by_the_name_under_which_it_is_sent():
    assert Things.create_thing.parse(THING | {"from": "Bo"}).request().body == THING | {"from": "Bo"}
    assert "from" in Things.create_thing.argument_names and "from" in Things.update_thing.argument_names
    assert "sender" in refusal(Things.create_thing, THING | {"sender": "Bo"})


def test_unknown_arguments_are_all_named_and_the_known_ones_listed():
    with pytest.raises(InvalidArguments) as refused:
        Things.create_thing.parse(THING | {"archived_at": "x", "clear": ["notes"], "q[]": "name:x"})
    assert refused.value.details["fields"] == dict.fromkeys(
        ("archived_at", "clear", "q[]"), "is not an argument of this operation"
    )
    assert refused.value.fix == f"create_thing takes {', '.join(Things.create_thing.argument_names)}."


def test_every_wrong_argument_is_named_with_its_place():
    parts = [{"kind": "wide", "label": "ok"}, {"kind": "round", "label": "far too long", "size": 1}]
    wrong = refusal(Things.update_thing, {"id": "x", "name": "a" * 11, "parts": parts, "price": "dear", "kind": "odd"})
    assert wrong["name"] == "must be at most 10 characters"
    assert wrong["kind"] == "must be one of Plain, Fancy"
    assert wrong["parts[1].kind"] == "must be 'wide' or 'narrow'"
    assert wrong["parts[1].label"] == "must be at most 5 characters"
    assert wrong["parts[1].size"] == "is not an argument of this operation"
    assert {"id", "price"} <= set(wrong) and "parts[0].kind" not in wrong


def test_an_empty_text_where_one_is_due_is_said_in_plain_words():
    wrong = refusal(operations()["create_medical_alert"], {"patient_id": "1", "name": ""})
    assert wrong == {"name": "must not be empty"}


@pytest.mark.long
@given(st.dictionaries(st.sampled_from(Things.update_thing.argument_names) | st.text(), st.deferred(lambda: JSON)))
def test_any_arguments_are_either_refused_or_sent_within_the_contract(arguments: dict[str, object]):
    try:
        request = Things.update_thing.parse(arguments).request(SYDNEY)
    except InvalidArguments as refused:
        assert refused.fix
        return
    assert request.body and set(request.body) <= set(arguments) | set(Things.update_thing.clearable)
    assert (request.method, request.query) == ("PATCH", ())


# Records


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(st.characters(exclude_categories=()))
)
LINKS = st.fixed_dictionaries(
    {"links": st.dictionaries(st.just("self"), st.text() | st.integers() | st.just("https://[x/1"))}
)
JSON = st.recursive(
    SCALARS | LINKS, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4)
)
NAMES = st.sampled_from(
    [*Thing.model_fields, "from", "links", "owner", "parts", "model_config", "unexpected", "__dict__", "read"]
)
WHOLE: dict[str, Any] = {"id": "7", "created_at": "2026-11-24T04:30:00Z"}


def kept(value: Any, sent: Any) -> bool:
    # By identity, because NaN is never equal to itself; links inside a list become ids.
    if not isinstance(sent, list):
        return value is sent
    pairs = zip(value, sent, strict=True)
    return all(one is other or one == linked_id(other) for one, other in pairs)


def self_link(url: str) -> dict[str, Any]:
    return {"links": {"self": url}}


@pytest.mark.long
@given(st.dictionaries(NAMES | st.text(st.characters(exclude_categories=())), JSON))
@example({"\ud800": 1})
@example({"price": "1e999999999", "id": 10**5000, "total": "1e400"})
def test_reading_never_raises_and_keeps_what_it_did_not_expect(raw: dict[str, Any]):
    record = Thing.read(raw)
    wire = {"sender": "from"}
    for name in set(Thing.model_fields) - {"owner_id", "part_ids"}:
        if name in record.unexpected:
            assert getattr(record, name) == ("" if name == "id" else None)
            assert wire.get(name, name) not in raw or kept(record.unexpected[name], raw[wire.get(name, name)])
    assert {"id"} - raw.keys() <= set(record.unexpected)


@pytest.mark.long
@given(st.dictionaries(NAMES | st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())))
def test_whatever_was_read_can_be_shown_as_json(raw: dict[str, Any]):
    assert isinstance(Thing.read(raw).model_dump(mode="json", warnings=False), dict)


def test_a_record_as_expected_is_typed_and_holds_nothing_unexpected():
    record = Thing.read(WHOLE | {"day": "2026-11-24", "price": "85.00", "total": 93.5, "places": 3, "from": "Bo"})
    assert record.unexpected == {}
    assert record.created_at == datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
    assert (record.price, record.total, record.sender) == ("85.00", Decimal("93.5"), "Bo")


def test_unknown_fields_are_kept_and_are_not_unexpected():
    new: dict[str, Any] = {"brand_new": {"a": [1]}}
    record = Thing.read(WHOLE | new)
    assert record.model_extra == new
    assert record.unexpected == {}


def test_odd_and_missing_values_are_reported_and_kept_beside_the_good_ones():
    record = Thing.read({"places": "many", "archived_at": "soon", "name": "Ann", "new": 1, "from": 5})
    assert record.unexpected == {"places": "many", "archived_at": "soon", "sender": 5, "id": None}
    assert (record.id, record.places, record.archived_at, record.sender) == ("", None, None, None)
    assert (record.name, record.model_extra) == ("Ann", {"new": 1})
    assert [value_of(record, name) for name in ("places", "sender", "name", "new", "id")] == ["many", 5, "Ann", 1, None]
    assert record.as_json() == {"name": "Ann", "places": "many", "archived_at": "soon", "sender": 5, "new": 1}


def test_ids_that_come_as_numbers_become_text():
    assert Thing.read(WHOLE | {"id": 1234567890123456789, "owner_id": 5}).model_dump(include={"id", "owner_id"}) == {
        "id": "1234567890123456789",
        "owner_id": "5",
    }


def test_links_become_ids_and_links_to_lists_go():
    base = "https://api.au1.cliniko.com/v1"
    links: dict[str, Any] = {
        "owner": self_link(f"{base}/people/42"),
        "maker": self_link(f"{base}/people/43"),
        "notes": self_link(f"{base}/things/7/notes"),
        "parts": [self_link(f"{base}/parts/1"), self_link(f"{base}/parts/2")],
    }
    record = Thing.read(WHOLE | links | self_link(f"{base}/things/7"))
    assert (record.owner_id, record.part_ids, record.unexpected) == ("42", ["1", "2"], {})
    assert record.model_extra == {"maker_id": "43"}


@pytest.mark.parametrize("order", [1, -1])
def test_an_id_that_cliniko_states_itself_wins_over_its_link(order: int):
    for link in (None, self_link("https://api.au1.cliniko.com/v1/people/42")):
        stated = [("owner_id", "41"), ("owner", link)][::order]
        assert Thing.read(WHOLE | dict(stated)).owner_id == "41"


def test_a_link_that_is_null_is_an_empty_id():
    assert Thing.read(WHOLE | {"owner": None}).owner_id is None
    assert "owner_id" in Thing.read(WHOLE | {"owner": None}).model_fields_set


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://api.au1.cliniko.com/v1/people/42", "42"),
        ("https://api.au1.cliniko.com/v1/people/42/", "42"),
        ("https://api.au1.cliniko.com/v1/people/42?x=1#y", "42"),
        ("https://api.au1.cliniko.com/v1/people/42/notes", None),
        ("https://api.au1.cliniko.com/v1/bookings?q[]=repeated_from_id:=42", None),
        ("https://api.au1.cliniko.com/v1/people/" + "1" * 21, None),
        ("https://api.au1.cliniko.com/v1/people/١٢", None),
        ("https://[broken/42", "42"),
        ("", None),
        (42, None),
    ],
)
def test_a_link_leads_to_an_id_or_nowhere(url: Any, linked: str | None):
    assert linked_id(self_link(url)) == linked


@pytest.mark.long
@given(JSON)
def test_no_link_however_odd_raises(link: object):
    assert linked_id(link) is None or str(linked_id(link)).isdigit()
