"""Which fields of a record a row shows, in which order, and how each kind of value is written."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.resources.contacts import Contact
from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointment
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointment
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.taxes import Tax
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.results.rows import Detail, Shape, row_of, shape_of, shown_part

SYDNEY = ZoneInfo("Australia/Sydney")
KNOWN = {
    "practitioner_id": {"5": "Mei Ng"},
    "patient_id": {"6": "Ana Lima", "7": ""},
    "patient_ids": {"6": "Ana Lima"},
}
VISIT: dict[str, Any] = {"id": "1", "practitioner_id": "5", "patient_id": "6", "starts_at": "2026-11-23T23:00:00Z"}


def row(
    record: type[Record], raw: dict[str, Any], detail: Detail = "concise", fields: list[str] | None = None, **more: Any
) -> dict[str, Any]:
    return row_of(record.read({"id": "1", **raw}), Shape(record, detail, fields), SYDNEY, KNOWN, **more)


def test_the_id_comes_first_and_fields_in_their_own_order() -> None:
    raw = {"name": "GST", "rate": "10.0", "amount": "10.0"}
    assert [*row(Tax, raw, fields=["rate", "amount"])] == ["id", "amount", "rate"]
    assert [*row(Tax, raw, fields=["name", "id"])] == ["id", "name"]
    assert [*row(Tax, raw)] == ["id", "name", "rate"]
    assert [*row(Tax, raw, fields=[])] == ["id", "name", "rate"]


def test_in_full_what_matters_comes_first_then_everything_known_then_what_came_along() -> None:
    raw = {"zebra": "z", "amount": "1.0", "rate": "1.0", "name": "GST", "updated_at": "2026-11-23T23:00:00Z"}
    assert row(Tax, raw, "full") == {
        "id": "1",
        "name": "GST",
        "rate": "1.0",
        "amount": "1.0",
        "updated_at": "2026-11-24T10:00+11:00 Tue",
        "zebra": "z",
    }
    assert [*row(Tax, raw, "full")] == ["id", "name", "rate", "amount", "updated_at", "zebra"]


def test_what_lets_anyone_act_as_the_patient_is_shown_only_where_it_is_named() -> None:
    raw = {**VISIT, "telehealth_url": "https://video.example"}
    assert "telehealth_url" not in row(IndividualAppointment, raw, "full")
    assert row(IndividualAppointment, raw, fields=["telehealth_url"])["telehealth_url"] == "https://video.example"


def test_a_noun_names_the_field_of_its_id() -> None:
    assert row(IndividualAppointment, VISIT, fields=["practitioner"]) == {"id": "1", "practitioner": "Mei Ng"}


def test_a_name_that_stands_in_the_legend_has_no_id_beside_it_unless_expanded() -> None:
    fields = ["practitioner", "patient"]
    assert row(IndividualAppointment, VISIT, fields=fields) == {
        "id": "1", "practitioner": "Mei Ng", "patient": "Ana Lima", "patient_id": "6",
    }  # fmt: skip
    assert row(IndividualAppointment, VISIT, fields=fields, expand=True) == {
        "id": "1", "practitioner": "Mei Ng", "practitioner_id": "5", "patient": "Ana Lima", "patient_id": "6",
    }  # fmt: skip


def test_an_id_without_a_name_stands_alone() -> None:
    nameless = {**VISIT, "practitioner_id": "8", "patient_id": "7"}
    due = {"id": "1", "practitioner_id": "8", "patient_id": "7"}
    assert row(IndividualAppointment, nameless, fields=["practitioner", "patient"]) == due


def test_of_several_ids_those_with_a_name_are_named() -> None:
    raw = {**VISIT, "patient_ids": ["6", "7"]}
    assert row(GroupAppointment, raw, fields=["patient_ids"]) == {
        "id": "1",
        "patients": ["Ana Lima"],
        "patient_ids": ["6", "7"],
    }
    assert row(GroupAppointment, {**raw, "patient_ids": ["7"]}, fields=["patient_ids"]) == {
        "id": "1",
        "patient_ids": ["7"],
    }


def test_a_row_of_an_archived_patient_says_so() -> None:
    assert row(IndividualAppointment, VISIT, fields=["patient"], hidden={"6"})["patient_archived"] is True
    assert "patient_archived" not in row(IndividualAppointment, VISIT, fields=["patient"], hidden={"5"})
    assert "patient_archived" not in row(IndividualAppointment, VISIT, fields=["practitioner"], hidden={"5", "6"})


@pytest.mark.parametrize(
    ("starts", "ends", "end"),
    [
        ("2026-11-23T23:00:00Z", "2026-11-23T23:30:00Z", "10:30"),
        ("2026-11-23T23:00:00Z", "2026-11-24T13:00:00Z", "2026-11-25T00:00+11:00 Wed"),
        ("2027-04-03T15:30:00Z", "2027-04-03T16:30:00Z", "2027-04-04T02:30+10:00 Sun"),
        (None, "2026-11-23T23:30:00Z", "2026-11-24T10:30+11:00 Tue"),
    ],
)
def test_an_end_is_short_on_the_day_and_offset_of_its_beginning(starts: str | None, ends: str, end: str) -> None:
    raw = {**VISIT, "starts_at": starts, "ends_at": ends}
    assert row(IndividualAppointment, raw, fields=["starts_at", "ends_at"])["ends_at"] == end


def test_an_end_is_whole_where_its_beginning_is_not_shown() -> None:
    raw = {**VISIT, "ends_at": "2026-11-23T23:30:00Z"}
    assert row(IndividualAppointment, raw, fields=["ends_at"])["ends_at"] == "2026-11-24T10:30+11:00 Tue"


def test_false_and_nothing_are_left_out_of_short_rows_but_not_where_they_are_named() -> None:
    raw = {**VISIT, "did_not_arrive": False, "notes": "", "cancellation_note": None}
    assert "did_not_arrive" not in row(IndividualAppointment, raw)
    assert row(IndividualAppointment, raw, fields=["did_not_arrive", "notes"]) == {"id": "1", "did_not_arrive": False}
    assert row(IndividualAppointment, raw, "full")["did_not_arrive"] is False


def test_a_code_is_told_in_words_in_short_rows_and_as_it_is_in_full() -> None:
    assert row(Contact, {"type_code": 1}, fields=["type_code"]) == {"id": "1", "type_code": "Doctor"}
    assert row(Contact, {"type_code": 1}, "full", ["type_code"]) == {"id": "1", "type_code": 1}
    assert row(Contact, {"type_code": 77}, fields=["type_code"]) == {"id": "1", "type_code": 77}


@pytest.mark.parametrize(("length", "cut"), [(240, False), (241, True)])
@pytest.mark.parametrize("field", ["first_name", "notes"])
def test_a_short_row_shows_240_characters_of_a_text_and_says_what_it_cuts(field: str, length: int, cut: bool) -> None:
    text, shortened = "x" * length, set[str]()
    found = row(Patient, {field: text}, fields=[field], shortened=shortened)

    shown = found.get(field) or found["free_text"][field]
    assert shown == (f"{'x' * 239}…" if cut else text)
    assert shortened == ({field} if cut else set())


def test_a_full_row_shows_a_whole_text_with_its_lines() -> None:
    shortened = set[str]()
    found = row(Patient, {"first_name": "a\nb", "notes": "x\n" * 300}, "full", shortened=shortened)
    assert (found["first_name"], found["free_text"]) == ("a\nb", {"notes": ("x\n" * 300).strip()})
    assert shortened == set()


def test_a_text_that_is_read_on_from_a_place_is_whole_in_a_short_row_too() -> None:
    shortened = set[str]()
    found = row(
        Patient, {"first_name": "y" * 300, "notes": "x" * 300}, fields=["first_name:9", "notes:5"], shortened=shortened
    )
    assert (found["first_name"], found["free_text"]) == ("y" * 300, {"notes": "x" * 300})
    assert shortened == set()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, 0),
        (1.5, 1.5),
        (True, True),
        ({"a": None, "b": 1}, {"b": 1}),
        ({"a\u200b": "c\u200b"}, {"a": "c"}),
        ([1, None, "x"], [1, None, "x"]),
        ({"k" * 90: 1}, {f"{'k' * 79}…": 1}),
        ("  spaced   out ", "spaced out"),
    ],
)
def test_a_field_that_is_not_known_is_shown_as_it_came(value: object, shown: object) -> None:
    assert row(Tax, {"other": value}, "full") == {"id": "1", "other": shown}


@pytest.mark.parametrize("value", [None, "", [], {}, {"a": None}, "\u200b"])
def test_what_says_nothing_is_left_out(value: object) -> None:
    assert row(Tax, {"other": value}, "full") == {"id": "1"}


def test_money_and_dates_are_written_as_they_were() -> None:
    raw = {"date_of_birth": "1980-02-29", "notes": "n"}
    assert row(Patient, raw, fields=["date_of_birth"]) == {"id": "1", "date_of_birth": "1980-02-29"}
    assert row(Tax, {"rate": "1000000.10"}) == {"id": "1", "rate": "1000000.10"}


@pytest.mark.parametrize("fields", ["name, rate", ["name", "rate"], ("rate", "name"), " rate,,name, "])
def test_fields_are_named_in_a_list_or_with_commas(fields: object) -> None:
    assert shape_of(Tax, {"fields": fields}, "concise").fields == {"name", "rate"}


@pytest.mark.parametrize("fields", [None, "", " , ", []])
def test_no_fields_are_all_the_usual_ones(fields: object) -> None:
    assert shape_of(Tax, {"fields": fields}, "full").fields is None


@pytest.mark.parametrize("fields", [7, {"name": 1}, ["name", 7], True])
def test_fields_that_are_no_names_are_refused(fields: object) -> None:
    with pytest.raises(InvalidArguments) as refused:
        shape_of(Tax, {"fields": fields}, "concise")

    assert refused.value.message == "fields must be names of fields, separated by commas."
    assert refused.value.fix == "For example id, created_at."
    assert refused.value.details == {"field": "fields"}


def test_the_detail_is_the_usual_one_unless_it_is_asked_for() -> None:
    assert shape_of(Tax, {}, "full").detail == "full"
    assert shape_of(Tax, {"detail": ""}, "concise").detail == "concise"
    assert shape_of(Tax, {"detail": "concise"}, "full").detail == "concise"
    with pytest.raises(InvalidArguments) as refused:
        shape_of(Tax, {"detail": "long"}, "full")
    assert (refused.value.message, refused.value.fix, refused.value.details) == (
        "detail must be concise or full.",
        "Leave it out for full rows.",
        {"field": "detail"},
    )


def test_unknown_fields_are_named_in_order_beside_those_there_are() -> None:
    with pytest.raises(InvalidArguments) as refused:
        Shape(Tax, "concise", ["zebra:7", "name", "x" * 70, "a\u200bb"])

    assert refused.value.message == f"There is no field called ab, {'x' * 59}…, zebra here."
    assert refused.value.fix == "Fields: amount, created_at, id, name, rate, updated_at."


def test_a_row_that_does_not_fit_leaves_room_for_the_notes_on_it() -> None:
    whole: dict[str, Any] = {"id": "1", "notes": "word " * 1000}
    beginning, cuts = shown_part(whole, Shape(Tax), 900)
    assert len(str(beginning["notes"])) < 900 * 5 - 400 * 4
    assert [cut.place for cut in cuts] == ["notes"]
    assert shown_part(whole, Shape(Tax), 1100) == (whole, [])
    rest, cuts = shown_part(whole, Shape(Patient, fields=["notes:4990"]), 900)
    assert (rest, cuts) == ({"id": "1", "notes": "word word "}, [])
