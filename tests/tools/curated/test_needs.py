"""What a curated tool calls stands in its `needs`, or it does without it and says so; nothing is missing in silence."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import YES

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.tools import curated
from cliniko_mcp.tools.tool import Tool

from .reception import NORTHSIDE, Reception, reception
from .test_request_counts import CALLS, prepared

pytestmark = pytest.mark.anyio

MORE: list[tuple[str, dict[str, Any]]] = [
    ("find_patients", {"query": "0412 000 111"}),
    ("find_patients", {"query": "otto@mail.example"}),
    ("find_patients", {"query": "OTTO"}),
    ("find_times", {"type": "Standard consult", "when": "this week", "kind": "online"}),
    ("find_times", {"type": "Standard consult", "when": "this week", "kind": "online", "practitioner": ["Ng"]}),
    ("find_times", {"type": "Initial consult", "kind": "online", "practitioner": ["Brandt"]}),
    ("find_times", {"type": "Pilates class", "when": "tomorrow"}),
    ("find_times", {"type": "Standard consult", "when": "Friday 12:00 to 12:30", "practitioner": ["Ng"]}),
    ("book_appointment", {**CALLS["book_appointment"], "repeat": "weekly x2", "allow_clash": ""}),
    ("book_appointment", {"patient": "Otto Zimt", "type": "Pilates class", "when": "30 November 2026 at 9:00"}),
    ("move_appointment", {"appointment": "CLASS", "when": "Friday at 9:00"}),
    ("move_appointment", {"appointment": "Otto Zimt", "when": "Friday at 13:00"}),
    ("cancel_appointment", {"appointment": "CLASS", "patient": "Otto Zimt", "reason": "away"}),
    ("cancel_appointment", {"appointment": "OWN", "patient": "Otto Zimt", "reason": "away"}),
    ("set_attendance", {"practitioner": "Ng", "state": "arrived"}),
    ("set_attendance", {"appointment": "TODAY", "state": "did_not_arrive"}),
    ("fill_gap", {"appointment": "OWN", "phones": True}),
    ("write_treatment_note", {"patient": "Otto Zimt", "template": "Visit in short", "answers": {"Notes": "Fine."}}),
    ("write_treatment_note", {"note": "DRAFT", "visit": "TODAY", "answers": {"Notes": "Fine."}, "final": True}),
    ("block_time", {"practitioner": ["Ng"], "when": "Friday 12:00 to 12:30", "lift": True}),
    ("block_time", {"practitioner": ["Ng"], "when": "Friday 12:15 to 12:30", "lift": True}),
    ("register_patient", {"first_name": "Jo", "last_name": "Park", "referrer": "Sampleford", "case": "Knee"}),
    ("register_patient", {"first_name": "Otto", "last_name": "Zimt", "case": "Knee"}),
    *(("report", {"kind": name, **({"words": "well"} if kind.words else {})}) for name, kind in KINDS.items()),
    ("report", {"kind": "revenue", "by": ["source", "type"]}),
    ("report", {"kind": "utilisation", "practitioner": "Ng"}),
    ("report", {"kind": "missing_contacts", "when": "last month"}),
]
PLAYED = [*CALLS.items(), *MORE]
OPTIONAL: dict[str, frozenset[str]] = {
    "book_appointment": frozenset({"list_active_patient_cases"}),
    "cancel_appointment": frozenset({"list_invoices"}),
    "find_times": frozenset(
        {"list_services", "list_available_times", "get_public_settings", "list_unavailable_block_types"}
    ),
    "show_diary": frozenset({"list_medical_alerts"}),
    "block_time": frozenset({"archive_unavailable_block", "list_unavailable_blocks", "update_unavailable_block"}),
    "register_patient": frozenset({"create_patient_case", "list_contacts", "list_patient_cases"}),
    "patient_brief": frozenset(
        {
            "list_medical_alerts",
            "list_active_patient_cases",
            "list_patient_forms",
            "list_invoices",
            "list_treatment_notes",
        }
    ),
    "read_patient_attachment": frozenset({"list_patients"}),
    "report": frozenset({"list_patients", *(need.name for kind in KINDS.values() for need in kind.needs)})
    - {"list_bookings", "list_attendees"},
}
"""What a tool calls and can do without."""
ROSTER_EXTRA = frozenset({"list_inactive_practitioners"})
"""Without this those who left stay unknown, in every tool."""


def tool_of(name: str) -> Tool:
    tool: Tool = import_module(f"cliniko_mcp.tools.curated.{name}").tool
    return tool


def needs(name: str) -> frozenset[str]:
    return frozenset(need.name for need in tool_of(name).needs)


def stocked(clinic: Reception) -> dict[str, str]:
    """The clinic of the request counts, with a class, a draft and today's visit; ids by word."""
    ids = prepared(clinic, 1)
    otto = next(row["id"] for row in clinic.rows("patients") if row.get("last_name") == "Zimt")
    today = next(row["id"] for row in clinic.rows("individual_appointments") if row["starts_at"] < "2026-11-24T00")
    note = {"sections": [{"questions": [{"name": "Notes", "type": "paragraph"}]}]}
    practitioner = clinic.id("practitioners", "Dr Mei Ng")
    draft = clinic.put(
        "treatment_notes", patient_id=otto, title="Begun", draft=True, content=note, practitioner_id=practitioner
    )
    clinic.book(clinic.patient("Gone", "Away"), NORTHSIDE, "Dr Mei Ng", "2026-11-17 09:00")
    clinic.group([], NORTHSIDE, "Tom Okafor", "2026-11-30 09:00")
    own_class = clinic.group([otto], NORTHSIDE, "Tom Okafor", "2026-11-26 09:00")
    clinic.put(
        "unavailable_blocks", practitioner_id=practitioner, business_id=clinic.id("businesses", NORTHSIDE),
        starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T01:30:00Z",
        unavailable_block_type_id=clinic.rows("unavailable_block_types")[0]["id"],
    )  # fmt: skip
    return {**ids, "OTTO": otto, "TODAY": today, "DRAFT": draft, "CLASS": own_class}


def filled_in(arguments: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    return {name: ids.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}


@pytest.mark.long_but_one
@pytest.mark.parametrize("name", curated.NAMES)
async def test_every_operation_that_is_called_stands_in_the_needs(name: str, tmp_path: Path) -> None:
    called: set[str] = set()
    for number, arguments in enumerate(arguments for tool, arguments in PLAYED if tool == name):
        log = tmp_path / f"{number}.jsonl"
        async with reception(answer=YES, audit_file=str(log)) as clinic:
            ids = stocked(clinic)
            await clinic.assistant.call(name, **filled_in(arguments, ids))
        lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        called |= {
            line["operation"] for line in lines if line["tool"] == name and line.get("for") not in ("zone", "preview")
        }
    allowed = needs(name) | OPTIONAL.get(name, frozenset())
    assert called - ROSTER_EXTRA <= allowed
    assert not needs(name) & OPTIONAL.get(name, frozenset())
    assert OPTIONAL.get(name, frozenset()) <= called


async def test_the_same_call_again_is_the_advice_of_all_that_write_but_for_moves_and_files() -> None:
    writing = {name for name in curated.NAMES if tool_of(name).risk is not Risk.READ}
    again = {name for name in curated.NAMES if tool_of(name).repeatable}
    assert writing - again == {"move_appointment", "upload_patient_attachment"} and again < writing


LEFT = "Practitioners who no longer work here are not shown: reading them is switched off here."


async def test_nobody_is_said_not_to_exist_who_may_have_left_and_may_not_be_read() -> None:
    async with reception(exclude_tools=tuple(ROSTER_EXTRA)) as clinic:
        diary = await clinic.assistant.call("show_diary", practitioner=["Nobody Known"], when="today")
        assert diary["code"] == "not_found" and LEFT in diary["fix"]
        listed = await clinic.assistant.call("list_individual_appointments", practitioner_id="Nobody Known")
        assert listed["code"] == "not_found" and LEFT in listed["fix"]
        found = await clinic.assistant.call("list_individual_appointments", practitioner_id="Dr Mei Ng")
        assert LEFT in found["notes"]


WITHOUT: list[tuple[str, str, dict[str, Any]]] = [
    ("list_services", "find_times", {"type": "Standard consult", "kind": "online"}),
    ("list_available_times", "find_times", {"type": "Standard consult", "kind": "online"}),
    ("list_active_patient_cases", "book_appointment", CALLS["book_appointment"]),
    ("list_medical_alerts", "patient_brief", {"patient": "Otto Zimt"}),
    ("list_active_patient_cases", "patient_brief", {"patient": "Otto Zimt"}),
    ("list_patient_forms", "patient_brief", {"patient": "Otto Zimt"}),
    ("list_invoices", "patient_brief", {"patient": "Otto Zimt"}),
    ("list_treatment_notes", "patient_brief", {"patient": "Otto Zimt", "notes": True}),
    ("list_patients", "read_patient_attachment", {"id": "FILE"}),
    ("list_patients", "report", {"kind": "no_shows"}),
    *(
        ("list_patients", "report", {"kind": kind})
        for kind in ("duplicates", "missing_contacts", "retention", "never_seen")
    ),
    ("list_patients", "report", {"kind": "lapsed", "when": "2026-11-16 to 2026-11-23"}),
    ("list_invoices", "report", {"kind": "unpaid"}),
    ("list_daily_availabilities", "report", {"kind": "utilisation"}),
    ("list_availability_blocks", "report", {"kind": "utilisation"}),
]


@pytest.mark.long_but_one
@pytest.mark.parametrize(("operation", "tool", "arguments"), WITHOUT)
async def test_a_part_that_is_switched_off_is_left_out_with_a_sentence(
    operation: str, tool: str, arguments: dict[str, Any]
) -> None:
    async with reception(exclude_tools=(operation,)) as clinic:
        ids = stocked(clinic)
        answer = await clinic.assistant.call(tool, **filled_in(arguments, ids))
        assert "code" not in answer, answer
        assert any("switched off here" in sentence for sentence in [*answer.get("notes", []), *answer.get("why", [])])


async def test_the_settings_are_not_needed_to_say_that_online_booking_is_closed() -> None:
    async with reception(exclude_tools=("get_public_settings",)) as clinic:
        for row in clinic.rows("practitioners"):
            clinic.store.put("practitioners", {**row, "show_in_online_bookings": False})
        answer = await clinic.assistant.call("find_times", type="Standard consult", kind="online", when="this week")
        assert answer["items"] == []
        assert any("switched off here" in sentence for sentence in answer["why"])


async def test_ids_stand_alone_where_names_may_not_be_read() -> None:
    async with reception(exclude_tools=("list_patients",)) as clinic:
        ids = stocked(clinic)
        shown = await clinic.assistant.call("report", kind="no_shows")
        assert shown["items"]
        assert all(row["patient"] == f"patient {row['patient_id']}" for row in shown["items"])
        file = await clinic.assistant.call("read_patient_attachment", id=ids["FILE"])
        assert file["item"]["patient_id"] == ids["OTTO"] and "patient" not in file["item"]


@pytest.mark.long
async def test_online_times_that_may_not_be_read_give_way_to_the_diary() -> None:
    async with reception(exclude_tools=("list_available_times",)) as clinic:
        answer = await clinic.assistant.call("find_times", type="Standard consult", kind="online", when="this week")
        assert answer["items"] == []
        assert [row["differs"] for row in answer["alternatives"]] == ["kind diary: what the clinic can book"]


@pytest.mark.parametrize("tool", ["write_treatment_note", "set_attendance", "book_appointment", "patient_brief"])
async def test_nobody_is_said_not_to_exist_because_the_list_of_patients_is_switched_off(tool: str) -> None:
    async with reception(exclude_tools=("list_patients",)) as clinic:
        ids = stocked(clinic)
        arguments = {**CALLS[tool], "patient": ids["OTTO"]}
        answer = await clinic.assistant.call(tool, **arguments)
        assert answer["code"] == "not_allowed"
        assert clinic.assistant.changes() == []
