"""Records by name: what hides them, what they are called, and how a patient is told apart."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import NotFound
from cliniko_mcp.frontdesk.patient_names import known_patient
from cliniko_mcp.frontdesk.roster import Roster, birth_date, candidate, gone, known_record, with_birth_year

STAMP = "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(("kind", "fields", "why"), [
    (Patient, {}, ""), (Patient, {"archived_at": STAMP}, "archived"), (Patient, {"deleted_at": STAMP}, "archived"),
    (Patient, {"archived_at": "some day"}, "archived"),
    (Patient, {"merged_with_patient_id": "12", "archived_at": STAMP}, "merged into patient 12"),
    (Patient, {"merged_at": STAMP}, "merged into another patient"),
    (Business, {"archived_at": STAMP}, "archived"), (Business, {}, ""),
    (AppointmentType, {"archived_at": STAMP}, "archived"),
    (Practitioner, {"active": False}, "no longer working here (inactive)"), (Practitioner, {"active": True}, ""),
    (Practitioner, {}, ""),
])  # fmt: skip
def test_what_hides_a_record_is_said_in_one_way(kind: type[Record], fields: dict[str, Any], why: str) -> None:
    record = kind.read({"id": "1", **fields})
    assert gone(record) == known_record(record).gone == why


def test_a_patient_is_known_by_every_name_and_told_apart_by_the_year_of_birth() -> None:
    row: dict[str, Any] = {"id": "4", "first_name": "Robert", "preferred_first_name": "Bobby", "last_name": "Tables"}
    known = known_patient(Patient.read({**row, "date_of_birth": "1984-03-17"}))
    assert (known.name, known.id, birth_date(known)) == ("Bobby Tables", "4", date(1984, 3, 17))
    assert {"Tables Robert", "Robert Tables", "Bobby Tables"} <= set(known.names)
    assert with_birth_year(known) == "Bobby Tables (born 1984)"
    assert candidate(known) == {"id": "4", "name": "Bobby Tables", "born": 1984}
    nameless = known_patient(Patient.read({"id": "5", "date_of_birth": "soon"}))
    assert (nameless.name, birth_date(nameless)) == ("patient 5", None)


def test_a_name_that_is_printed_with_its_id_is_taken_back_as_that_one() -> None:
    sites = [known_record(Business.read({"id": row_id, "business_name": "北の診療所 (2)"})) for row_id in ("7", "8")]
    roster = Roster([], sites, [], ZoneInfo("UTC"))
    for site in sites:
        assert roster.business(roster.name("business_id", site.id)) is site
    for unfit in ("Southside (7)", "北の診療所 (9)"):
        with pytest.raises(NotFound):
            roster.business(unfit)


def test_names_that_only_accents_or_titles_tell_apart_are_printed_with_their_ids() -> None:
    staff = [
        known_record(Practitioner.read({"id": row_id, "label": name}))
        for row_id, name in (("7", "José Peña"), ("8", "Dr Jose Pena"), ("9", "Ana Lima"))
    ]
    roster = Roster(staff, [], [], ZoneInfo("UTC"))
    printed = [roster.name("practitioner_id", one.id) for one in staff]
    assert printed == ["José Peña (7)", "Dr Jose Pena (8)", "Ana Lima"]
    assert [roster.practitioner(name) for name in printed] == staff


def test_a_name_comes_near_where_seven_tenths_of_the_letters_agree() -> None:
    sites = [
        known_record(Business.read({"id": row_id, "business_name": name}))
        for row_id, name in (("7", "Riverside"), ("8", "Northside"))
    ]
    roster = Roster([], sites, [], ZoneInfo("UTC"))
    # n, o, r, s, d and e in this order are 12 of the 17 letters of both names, and of 18 with one letter more.
    with pytest.raises(NotFound) as near:
        roster.business("Nordsyde")
    assert near.value.details["candidates"] == [candidate(sites[1])]
    with pytest.raises(NotFound) as far:
        roster.business("Nordsydes")
    assert far.value.details["candidates"] == [*map(candidate, sites)]
