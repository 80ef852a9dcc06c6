"""The ids in rows whose records have names, the notes where names cannot be read, and rows with as many as fit."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointment
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointment
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.results.budget import size
from cliniko_mcp.results.names import LINKS, NAMELESS, REFERENCES, Named, ids_in, linked, zones_of
from tests.conftest import in_process
from tests.tools.curated.reception import Reception, reception

VISITS = [
    IndividualAppointment.read({"id": "1", "practitioner_id": "5", "patient_id": "6", "business_id": None}),
    IndividualAppointment.read({"id": "2", "practitioner_id": "7", "patient_id": "6", "attendee_id": "9"}),
]
SITE, VISIT_TYPE, MEI = "87654", "1104000000125362688", "1104000000007649505"


def test_the_ids_of_rows_are_collected_by_field() -> None:
    assert ids_in(VISITS) == {"practitioner_id": {"5", "7"}, "patient_id": {"6"}}
    assert ids_in(VISITS, {"patient_id", "attendee_id"}) == {"patient_id": {"6"}}
    assert ids_in(VISITS, ()) == {}
    assert ids_in([]) == {}


def test_a_field_holds_one_id_several_or_none() -> None:
    group = GroupAppointment.read({"id": "1", "patient_ids": ["6", None, "7"], "practitioner_id": ""})

    assert linked(VISITS[0], "practitioner_id") == ["5"]
    assert linked(VISITS[0], "business_id") == []
    assert linked(group, "patient_ids") == ["6", "7"]
    assert linked(group, "practitioner_id") == []
    assert ids_in([group]) == {"patient_ids": {"6", "7"}}


def test_the_zones_of_sites_are_known_where_the_site_says_one() -> None:
    sites = {
        "1": Business.read({"id": "1", "time_zone_identifier": "Australia/Perth"}),
        "2": Business.read({"id": "2"}),
        "3": Patient.read({"id": "3", "time_zone": "Australia/Perth"}),
    }
    assert zones_of(sites) == {"1": ZoneInfo("Australia/Perth")}
    assert zones_of({}) == {}


def test_no_field_is_both_named_and_nameless() -> None:
    assert not LINKS.keys() & NAMELESS.keys()
    assert [*LINKS][: len(REFERENCES)] == [*REFERENCES]


def test_patients_are_hidden_while_they_are_archived() -> None:
    patients = {
        "1": Patient.read({"id": "1", "archived_at": "2026-11-01T00:00:00Z"}),
        "2": Patient.read({"id": "2"}),
    }
    assert Named({"patient_id": patients}).hidden == {"1"}
    assert Named({"related_patient_id": patients}).hidden == frozenset()
    assert Named().hidden == frozenset()


def visits(clinic: Reception, count: int, note: str) -> list[str]:
    patient = clinic.rows("patients")[0]["id"]
    return [
        clinic.put(
            "individual_appointments",
            id=str(7000 + number),
            patient_id=patient,
            business_id=SITE,
            practitioner_id=MEI,
            appointment_type_id=VISIT_TYPE,
            starts_at=f"2027-02-{number % 28 + 1:02}T01:00:00Z",
            ends_at=f"2027-02-{number % 28 + 1:02}T01:30:00Z",
            notes=note,
        )
        for number in range(count)
    ]


@pytest.mark.anyio
@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "most"), [({}, 2000), ({"limit": 40}, 8000), ({"detail": "full"}, 8000), ({"fields": "notes"}, 8000)]
)
async def test_a_list_shows_as_many_rows_as_fit_and_goes_on_with_the_next(arguments: dict[str, Any], most: int) -> None:
    async with reception() as clinic:
        ids = visits(clinic, 40, "次回は来週。" * 40)
        first = await clinic.assistant.call("list_individual_appointments", id=ids, sort="starts_at", **arguments)
        page = first["page"]
        second = await clinic.assistant.call("list_individual_appointments", cursor=page["next_cursor"])

    shown = len(first["items"])
    assert 0 < shown < 40
    assert (page["returned"], page["total"], page["complete"]) == (shown, 40, False)
    assert most - 500 < size(first) <= most
    assert second["items"][0]["id"] not in {row["id"] for row in first["items"]}
    left = "call again with next_cursor to go on, or narrow the filters"
    assert f"{40 - shown} of 40 individual appointments are not shown: {left}." in first["notes"]


@pytest.mark.anyio
@pytest.mark.long
async def test_one_row_that_is_too_long_is_cut_and_says_how_it_is_read_on() -> None:
    async with reception() as clinic:
        (visit,) = visits(clinic, 1, "One more sentence. " * 4000)
        listed = await clinic.assistant.call("list_individual_appointments", id=visit, detail="full")
        got = await clinic.assistant.call("get_individual_appointment", id=visit)
        kept = len(str(listed["items"][0]["free_text"]["notes"]).removesuffix(" …"))
        rest = await clinic.assistant.call("list_individual_appointments", id=visit, fields=f"notes:{kept}")

    total = len("One more sentence. " * 4000) - 1
    cut = f"{total - kept:,} of {total:,} characters of notes are not shown"
    keep = "Never send a text that ends in … back in an update: it is not whole."
    assert listed["notes"] == [
        f"{cut}: call list_individual_appointments with id: {visit} and fields: notes:{kept}.",
        keep,
    ]
    assert got["item"]["free_text"]["notes"].endswith(". …")
    assert any("call again with the same arguments and fields: notes:" in note for note in got["notes"])
    assert rest["items"][0]["free_text"]["notes"].lstrip().startswith("One more sentence.")


@pytest.mark.anyio
async def test_names_of_rows_that_did_not_fit_are_not_in_the_legend() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("list_individual_appointments", starts_at="2026-11-24", sort="starts_at", limit=4)

    shown = {row["practitioner"] for row in answer["items"]}
    assert set(answer["names"]["practitioner_id"]) == shown
