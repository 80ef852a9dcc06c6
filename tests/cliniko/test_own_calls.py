"""Calls of our own: operations and filters as values, which refuse what an operation does not take."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.fields import Timestamp
from cliniko_mcp.cliniko.filters import (
    ARRAY,
    DATE,
    FLAG,
    INSTANT,
    MAX_IDS,
    NUMBER,
    TEXT,
    After,
    Before,
    Between,
    Condition,
    Contains,
    Family,
    FilterValue,
    From,
    Hidden,
    OneOf,
    conditions_of,
)
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.cliniko.resources.available_times import AvailableTimes, Window
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.individual_appointments import (
    IndividualAppointmentBody,
    IndividualAppointmentCancellation,
    IndividualAppointments,
)
from cliniko_mcp.cliniko.resources.patients import PatientBody, Patients
from cliniko_mcp.cliniko.time_zones import time_zone

NOON, LATER = datetime(2026, 11, 24, 1, tzinfo=UTC), datetime(2026, 11, 24, 14, tzinfo=timezone(timedelta(hours=11)))
DAY = date(2026, 11, 24)


# Filters as values.


@pytest.mark.parametrize(
    ("family", "value", "wire"),
    [
        (INSTANT, Before(NOON), ["<2026-11-24T01:00:00Z"]),
        (INSTANT, After(NOON), [">2026-11-24T01:00:00Z"]),
        (INSTANT, From(NOON), [">=2026-11-24T01:00:00Z"]),
        (INSTANT, Between(NOON, LATER), [">=2026-11-24T01:00:00Z", "<2026-11-24T03:00:00Z"]),
        (INSTANT, LATER, ["=2026-11-24T03:00:00Z"]),
        (INSTANT, Hidden.ONLY, ["?"]),
        (DATE, Before(DAY), ["<2026-11-24"]),
        (DATE, After(DAY), [">2026-11-24"]),
        (DATE, From(DAY), [">=2026-11-24"]),
        (DATE, Between(DAY, date(2026, 12, 1)), [">=2026-11-24", "<2026-12-01"]),
        (DATE, DAY, ["=2026-11-24"]),
        (NUMBER, "5", ["=5"]),
        (NUMBER, 5, ["=5"]),
        (NUMBER, OneOf(["10", "9", "9"]), ["=10,9"]),
        (NUMBER, OneOf({"7"}), ["=7"]),
        (NUMBER, After("41"), [">41"]),
        (ARRAY, "5", ["~5"]),
        (TEXT, "Lima", ["=Lima"]),
        (TEXT, ">=5, none", ["=>=5, none"]),
        (TEXT, Contains("im"), ["~im"]),
        (FLAG, True, ["=true"]),
        (FLAG, False, ["=false"]),
    ],
)
def test_a_filter_of_our_own_gives_the_condition_that_it_says(
    family: Family, value: FilterValue, wire: list[str]
) -> None:
    assert [condition.text() for condition in conditions_of("x", family, value)] == [f"x:{text}" for text in wire]


@pytest.mark.parametrize("stamp", ["archived_at", "deleted_at", "cancelled_at"])
def test_hidden_rows_come_with_the_live_ones_where_a_stamp_hides_them(stamp: str) -> None:
    assert conditions_of(stamp, INSTANT, Hidden.INCLUDED) == (Condition(stamp, "*"),)


@pytest.mark.parametrize(
    ("family", "value"),
    [
        *((INSTANT, made(NOON.replace(tzinfo=None))) for made in (Before, After, From, lambda moment: moment)),
        (INSTANT, Between(NOON, NOON.replace(tzinfo=None))),
        *((INSTANT, value) for value in (DAY, From(DAY), "2026-11-24", True, 5, OneOf(["1"]), Contains("x"))),
        (INSTANT, Hidden.INCLUDED),
        *((DATE, value) for value in (NOON, From(NOON), "2026-11-24", False, Hidden.INCLUDED)),
        *((NUMBER, value) for value in (True, DAY, From(NOON), Contains("1"), Hidden.INCLUDED)),
        *((NUMBER, OneOf(ids)) for ids in ([], map(str, range(MAX_IDS + 1)))),
        *((TEXT, value) for value in (5, True, OneOf(["1"]), DAY, Before(NOON))),
        *((FLAG, value) for value in ("true", 1, Hidden.ONLY)),
        *((ARRAY, value) for value in (OneOf(["1"]), True, Hidden.ONLY, DAY)),
    ],
)
def test_a_value_that_a_filter_does_not_take_is_a_mistake_of_ours(family: Family, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^x takes "):
        conditions_of("x", family, value)


@pytest.mark.parametrize("text", ["", "Ana", "1,2", "١", " 1"])
def test_a_text_that_is_no_id_is_never_sent_as_one(text: str) -> None:
    """An empty one would filter by nothing, and so show every row."""
    for family, value in ((NUMBER, text), (ARRAY, text), (NUMBER, OneOf([text])), (NUMBER, After(text))):
        with pytest.raises(ValueError, match="whole number"):
            conditions_of("x", family, value)


@pytest.mark.long
@given(st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Australia/Sydney"), ZoneInfo("America/Havana")])))
def test_a_moment_in_whatever_zone_is_sent_as_itself_to_the_second(moment: datetime) -> None:
    (condition,) = conditions_of("x", INSTANT, From(moment))
    assert not condition.needs_zone
    if datetime(2, 1, 1, tzinfo=UTC) < moment < datetime(9998, 1, 1, tzinfo=UTC):
        sent = condition.text().removeprefix("x:>=")
        assert sent.endswith("Z") and "." not in sent
        assert datetime.fromisoformat(sent) == moment.astimezone(UTC).replace(microsecond=0)


# Lists.


def test_a_list_takes_its_filters_by_name_and_an_order() -> None:
    span = Between(NOON, LATER)
    called = Bookings.list_bookings.call(sort="starts_at:desc", starts_at=span, practitioner_id=OneOf("21"))
    assert called.request().query == (
        ("q[]", "starts_at:>=2026-11-24T01:00:00Z"),
        ("q[]", "starts_at:<2026-11-24T03:00:00Z"),
        ("q[]", "practitioner_id:=1,2"),
        ("sort", "starts_at:desc"),
    )
    assert called == Bookings.list_bookings.where(
        {"starts_at": span, "practitioner_id": OneOf(["2", "1"])}, sort="starts_at:desc"
    )


def test_a_list_below_another_record_takes_that_records_ids_beside_its_filters() -> None:
    path = {"business_id": "1", "practitioner_id": "2", "appointment_type_id": "3"}
    window = Window.model_validate({"from": "2026-11-24", "to": "2026-11-30"})
    called = AvailableTimes.list_available_times.where(path, query=window)
    assert called.request().path == "/businesses/1/practitioners/2/appointment_types/3/available_times"
    assert called.request().query == (("from", "2026-11-24"), ("to", "2026-11-30"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Patients.list_patients.call(nickname="x"), "list_patients has no filter nickname"),
        (lambda: Patients.list_patients.where({"id ": "1"}), "has no filter"),
        (lambda: Patients.list_patients.call(patient_id="1"), "has no filter patient_id"),
        (lambda: AvailableTimes.list_available_times.call(), "takes the ids business_id"),
        (lambda: AvailableTimes.list_available_times.call(business_id="1"), "takes the ids business_id"),
        (
            lambda: Patients.list_patients.where({}, query=PatientBody.partial(notes="x")),
            "query of list_patients is nothing",
        ),
        (
            lambda: AvailableTimes.list_available_times.where(
                {"business_id": "1", "practitioner_id": "2", "appointment_type_id": "3"}, sort="starts_at"
            ),
            "cannot be sorted",
        ),
    ],
)
def test_a_list_refuses_what_it_does_not_take(make: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        make()


# Operations on one record.


def test_a_read_takes_the_ids_in_its_path_and_looks_past_what_hides_where_the_api_can() -> None:
    get = Patients.get_patient
    assert get.call(id="5") == Call(get, {"id": "5"})
    assert get.call(id="5", include_archived=True).request().query == (("q[]", "archived_at:*"),)
    plain = operations()["get_authenticated_user"]
    assert isinstance(plain, Get)
    assert plain.call(include_archived=True) == Call(plain, {})


def test_a_read_with_a_query_takes_it() -> None:
    window = Window.model_validate({"from": "2026-11-24", "to": "2026-11-30"})
    called = AvailableTimes.get_next_available_time.call(
        query=window, business_id="1", practitioner_id="2", appointment_type_id="3"
    )
    assert called.request().query == (("from", "2026-11-24"), ("to", "2026-11-30"))


def test_a_write_takes_its_ids_and_its_body() -> None:
    body = PatientBody.partial(notes="x")
    called = Patients.update_patient.of({"id": "5"}, body)
    assert (called.request().method, called.request().path, called.request().body) == (
        "PATCH", "/patients/5", {"notes": "x"}
    )  # fmt: skip


CANCELLATION = IndividualAppointmentCancellation(cancellation_reason=50)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Patients.get_patient.call(), "get_patient takes the ids id, not none"),
        (lambda: Patients.get_patient.call(patient_id="5"), "takes the ids id, not patient_id"),
        (lambda: Patients.get_patient.call(id="5", business_id="6"), "takes the ids id"),
        (
            lambda: Patients.create_patient.of({"id": "5"}, PatientBody(first_name="A", last_name="B")),
            "takes the ids none",
        ),
        (
            lambda: Patients.get_patient.of({"id": "5"}, PatientBody.partial(notes="x")),
            "body of get_patient is nothing",
        ),
        (lambda: Patients.archive_patient.of({"id": "5"}, CANCELLATION), "body of archive_patient is nothing"),
        (lambda: Patients.create_patient.of({}), "body of create_patient is PatientBody, not NoneType"),
        (lambda: Patients.update_patient.of({"id": "5"}), "body of update_patient is PatientBody, not NoneType"),
        (lambda: Patients.update_patient.of({"id": "5"}, CANCELLATION), "body of update_patient is PatientBody"),
        (lambda: IndividualAppointments.cancel_individual_appointment.of({"id": "5"}), "body of cancel_"),
        (lambda: Patients.get_patient.call(id="5", query=CANCELLATION), "query of get_patient is nothing"),
    ],
)
def test_an_operation_refuses_what_it_does_not_take(make: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        make()


@pytest.mark.parametrize("text", ["", "../taxes", "Ana", "1" * 21, "١", "1 "])
def test_a_text_that_is_no_id_leads_to_no_address(text: str) -> None:
    """An empty one, such as that of a record without an id, would lead to the address of the whole list."""
    with pytest.raises(ValueError, match="id is no id"):
        Patients.get_patient.call(id=text)
    with pytest.raises(ValueError, match="id is no id"):
        Patients.archive_patient.of({"id": text})


def test_every_operation_can_be_called_with_what_it_says_that_it_takes() -> None:
    for operation in operations().values():
        ids = dict.fromkeys(operation.path_ids, "7")
        body = operation.body.model_construct() if operation.body is not None else None
        called = operation.where(ids) if isinstance(operation, List) else operation.of(ids, body)
        assert "{" not in called.request().path


# Bodies.


def test_a_partial_body_sends_the_fields_that_it_was_given_and_no_other() -> None:
    body = PatientBody.partial(notes=None, first_name="Ana")
    assert type(body) is PatientBody
    assert body.wire() == {"first_name": "Ana", "notes": None}
    assert (body.sent("notes"), body.sent("last_name"), body.last_name) == (None, None, None)
    assert PatientBody.partial().wire() == {}


def test_a_partial_body_reads_its_values_and_keeps_moments_until_they_are_sent() -> None:
    body = IndividualAppointmentBody.partial(starts_at=LATER, patient_id=5)
    assert (body.starts_at, body.patient_id) == (LATER, "5")
    assert body.wire() == {"starts_at": "2026-11-24T03:00:00Z", "patient_id": "5"}
    assert not Call(IndividualAppointments.update_individual_appointment, {"id": "1"}, body=body).needs_zone


@pytest.mark.parametrize(
    "fields", [{"first_name": 5}, {"date_of_birth": "soon"}, {"first_name": None}, {"first_nam": "Ana"}, {"notes": []}]
)
def test_a_partial_body_refuses_what_does_not_fit(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PatientBody.partial(**fields)


# Times.


class Stamped(Record):
    at: Timestamp | None = None


@pytest.mark.parametrize("text", ["2026-11-24T04:30:00Z", "2026-11-24T15:30:00+11:00", "2026-11-24T04:30:00.123Z"])
def test_a_timestamp_is_a_moment_with_its_offset(text: str) -> None:
    record = Stamped.read({"at": text})
    assert record.at == datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
    assert record.as_json() == {"at": "2026-11-24T04:30:00Z"}


@pytest.mark.parametrize("value", ["2026-11-24T04:30:00", "2026-11-24", "soon", 5, True, [], datetime(2026, 11, 24)])
def test_a_timestamp_without_an_offset_is_none(value: Any) -> None:
    record = Stamped.read({"at": value})
    assert (record.at, record.unexpected) == (None, {"at": value})


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Australia/Sydney", "Australia/Sydney"),
        (" Australia/Sydney ", "Australia/Sydney"),
        ("Sydney", "Australia/Sydney"),
        ("eastern time (us & canada)", "America/New_York"),
        ("UTC", "Etc/UTC"),
    ],
)
def test_a_zone_goes_by_its_iana_name_or_by_clinikos_label(name: str, key: str) -> None:
    found = time_zone(name)
    assert found is not None
    assert found.key in (key, "UTC")


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        " ",
        "Nowhere/Else",
        "Australia",
        "../../etc/passwd",
        "/etc/passwd",
        "posix/UTC",
        "\x00",
        "x" * 5_000,
        "é",
    ],
)
def test_what_is_no_zone_is_none(name: str | None) -> None:
    assert time_zone(name) is None
