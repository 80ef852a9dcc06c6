"""The names beside ids: of everybody who works or worked here, and of nobody whose list is switched off."""

from typing import Any

import pytest

from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.results.names import REFERENCES
from tests.conftest import YES, Assistant, in_process

pytestmark = pytest.mark.anyio


async def visits_of(assistant: Assistant, practitioner: str) -> dict[str, Any]:
    return await assistant.call("list_individual_appointments", practitioner_id=practitioner, limit=2)


async def test_who_has_left_is_named_beside_their_visits():
    async with in_process() as assistant:
        left = await assistant.rows("list_inactive_practitioners", detail="full")
        answers = [await visits_of(assistant, who["id"]) for who in left]

    named = {name for answer in answers for name in answer.get("names", {}).get("practitioner_id", {})}
    assert named
    assert named <= {who.get("display_name") or who["label"] for who in left}


@pytest.mark.parametrize(
    "flags", [{"exclude_tools": ("list_practitioners",)}, {"tools": ("list_individual_appointments",)}]
)
async def test_the_ids_stand_alone_where_the_list_of_names_is_switched_off(flags: dict[str, Any]):
    async with in_process(**flags) as assistant:
        answer = await assistant.call("list_individual_appointments", limit=2)

    assert "practitioner_id" not in answer.get("names", {})
    assert all(row["practitioner_id"] and "practitioner" not in row for row in answer["items"])


async def test_who_works_here_is_named_where_only_the_list_of_those_who_left_is_switched_off():
    async with in_process(exclude_tools=("list_inactive_practitioners",)) as assistant:
        works_here = await assistant.first("list_practitioners", limit=1)
        left = await somebody_who_left()
        answers = [await visits_of(assistant, who) for who in (works_here["id"], left)]

    assert answers[0]["names"]["practitioner_id"]
    assert "practitioner_id" not in answers[1].get("names", {})
    assert {row["practitioner_id"] for row in answers[1]["items"]} == {left}


async def somebody_who_left() -> str:
    """The id of somebody who left and has visits."""
    async with in_process() as assistant:
        for who in await assistant.rows("list_inactive_practitioners"):
            if (await visits_of(assistant, who["id"]))["items"]:
                return who["id"]
    raise LookupError("nobody who left has visits")


def test_every_reference_names_lists_that_can_be_read_by_id():
    for field, reference in REFERENCES.items():
        operation = reference.current().operation
        assert field == f"{reference.noun}_id"
        assert "id" in operation.filters


async def test_a_name_that_may_not_be_read_is_said_to_be_left_out():
    async with in_process(exclude_tools=("list_practitioners",)) as assistant:
        listed = await assistant.call("list_individual_appointments", limit=2)
        got = await assistant.call("get_individual_appointment", id=listed["items"][0]["id"])

    for answer in (listed, got):
        assert "Names of some practitioners are not shown: list_practitioners is switched off here." in answer["notes"]


async def test_related_patients_are_named_and_which_way_the_relation_runs_is_said():
    async with in_process() as assistant:
        answer = await assistant.call("list_relationships", limit=2)

    assert all(row["patient"] and row["related_patient"] for row in answer["items"])
    assert any("what the related patient is to the patient" in note for note in answer["notes"])


async def test_an_attendee_stands_beside_the_class_and_its_time():
    async with in_process(view="all") as assistant:
        booking = await assistant.first("list_group_appointments", limit=1)
        answer = await assistant.call("list_attendees", booking_id=booking["id"], limit=1)

    (row,) = answer["items"]
    assert row["booking"] == f"{booking['appointment_type']}, {booking['starts_at']}"


async def test_rows_of_an_archived_patient_say_so():
    shown: list[object] = []
    patient = ""
    for stamp in (None, "", "2026-11-01T00:00:00Z"):
        async with in_process(answer=YES) as assistant:
            assert assistant.app is not None
            if patient:
                store = assistant.app.sandbox.context.store
                store.put("patients", {**store.table("patients").rows[patient], "archived_at": stamp})
            row = await assistant.first("list_individual_appointments", limit=1)
            patient = row["patient_id"]
            shown.append(row.get("patient_archived"))

    assert shown == [None, None, True]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"label": "Dr A", "display_name": "B", "first_name": "C", "last_name": "D"}, "Dr A"),
        ({"label": "", "display_name": "B", "first_name": "C", "last_name": "D"}, "B"),
        ({"first_name": "C", "last_name": "D", "title": "Dr"}, "C D"),
        ({"title": "Dr"}, ""),
    ],
)
def test_label_display_name_first_and_last_name_a_person_in_that_order(fields: dict[str, str], name: str):
    assert name_of(Practitioner.read({"id": "1", **fields})) == name


async def test_the_appointment_of_an_invoice_is_named_by_its_type_and_the_clock_of_its_site():
    async with in_process(view="all") as assistant:
        site = next(row for row in await assistant.rows("list_businesses") if row["business_name"] == "Riverside")
        (invoice,) = await assistant.rows("list_invoices", business_id=site["id"], limit=1, detail="full")
        visit = await assistant.first(
            "list_individual_appointments", id=invoice["appointment_id"], cancelled_at="all", archived_at="all"
        )

    assert "+10:30" in visit["starts_at"] or "+09:30" in visit["starts_at"]
    assert invoice["appointment"] == f"{visit['appointment_type']}, {visit['starts_at']}"
