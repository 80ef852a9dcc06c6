"""A change that was sent and whose answer was lost: what the error advises makes it once, in every tool that writes."""

from typing import Any

import pytest
from conftest import YES

from cliniko_mcp.sandbox.faults import Fault

from .reception import NORTHSIDE, Reception, Row, reception

pytestmark = pytest.mark.anyio
SECTIONS = [{"name": "S", "questions": [{"name": "Plan", "type": "text"}]}]
TABLES = ("individual_appointments", "attendees", "unavailable_blocks", "patients", "patient_cases", "treatment_notes")
# tool, arguments, the request that is cut off: every kind of change that a curated tool makes
CUT: list[tuple[str, dict[str, Any], str, str]] = [
    ("book_appointment", {"patient": "Otto Zimt", "practitioner": "Ng", "type": "standard", "when": "{day} at 10"},
     "POST", "individual_appointments"),
    ("book_appointment", {"patient": "Otto Zimt", "practitioner": "Ng", "type": "standard", "when": "{day} at 10",
                          "repeat": "weekly x3"}, "POST", "individual_appointments"),
    ("book_appointment", {"patient": "Otto Zimt", "type": "pilates", "when": "{day} 12:00"}, "POST", "attendees"),
    ("move_appointment", {"appointment": "{id}", "when": "an hour later"}, "PATCH", "individual_appointments"),
    ("move_appointment", {"appointment": "{id}", "when": "the day after"}, "PATCH", "individual_appointments"),
    ("move_appointment", {"appointment": "Otto's 9 on {day}", "when": "30 minutes later", "minutes": 45},
     "PATCH", "individual_appointments"),
    ("move_appointment", {"appointment": "{id}", "minutes": 60}, "PATCH", "individual_appointments"),
    ("cancel_appointment", {"appointment": "{id}", "reason": "sick"}, "PATCH", "individual_appointments"),
    ("cancel_appointment", {"appointment": "Ada's pilates on {day}", "reason": "sick"}, "PATCH", "attendees"),
    ("set_attendance", {"appointment": "Otto yesterday at 11", "state": "arrived"}, "PATCH", "attendees"),
    ("block_time", {"practitioner": "Ng", "when": "{day} 2 to 3"}, "POST", "unavailable_blocks"),
    ("block_time", {"practitioner": "Ng", "when": "{day} 3 to half 3", "lift": True}, "PATCH", "unavailable_blocks"),
    ("block_time", {"practitioner": "Ng", "when": "{day} 3 to 4", "lift": True}, "POST", "unavailable_blocks"),
    ("register_patient", {"first_name": "Ines", "last_name": "Duarte", "born": "12/4/1990", "case": "Hip"},
     "POST", "patients"),
    ("register_patient", {"first_name": "Ines", "last_name": "Duarte", "case": "Hip"}, "POST", "patient_cases"),
    ("write_treatment_note", {"patient": "Otto Zimt", "template": "plan only", "answers": {"Plan": "Rest."}},
     "POST", "treatment_notes"),
    ("write_treatment_note", {"note": "{note}", "answers": {"Plan": "Rest."}, "final": True},
     "PATCH", "treatment_notes"),
]  # fmt: skip
DAY = "2027-01-20"


def prepared(clinic: Reception) -> dict[str, str]:
    """Otto's visits, a class, a block and a draft; the ids by which calls name them."""
    clinic.empty_diary()
    otto, ada = clinic.patient("Otto", "Zimt"), clinic.patient("Ada", "Zander")
    visit = clinic.book(otto, NORTHSIDE, "Dr Mei Ng", f"{DAY} 09:00")
    past = clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-23 11:00")
    clinic.group([ada], NORTHSIDE, "Dr Mei Ng", f"{DAY} 12:00")
    template = clinic.put("treatment_note_templates", name="Plan only", content={"sections": SECTIONS})
    clinic.put(
        "unavailable_blocks", practitioner_id=clinic.id("practitioners", "Dr Mei Ng"),
        business_id=clinic.id("businesses", NORTHSIDE), starts_at=f"{DAY}T04:00:00Z", ends_at=f"{DAY}T05:00:00Z",
    )  # fmt: skip
    note = clinic.put(
        "treatment_notes", patient_id=otto, booking_id=past, draft=True, title="Plan", content={"sections": SECTIONS},
        practitioner_id=clinic.id("practitioners", "Dr Mei Ng"), treatment_note_template_id=template,
    )  # fmt: skip
    return {"id": visit, "note": note, "day": DAY}


def named(arguments: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    return {name: value.format(**ids) if isinstance(value, str) else value for name, value in arguments.items()}


def state(clinic: Reception) -> dict[str, list[Row]]:
    """Everything that a call may have changed, apart from stamps and the ids that it drew."""
    left_out = {"id", "updated_at", "created_at", "cancelled_at", "archived_at", "latest_booking_id", "links"}
    return {
        table: sorted(
            (
                {name: value for name, value in row.items() if name not in left_out and not str(name).endswith("_id")}
                | {"cancelled": bool(row.get("cancelled_at")), "archived": bool(row.get("archived_at"))}
                for row in clinic.rows(table)
            ),
            key=str,
        )
        for table in TABLES
    }


async def outcome(call: tuple[str, dict[str, Any], str, str], *, cut: bool) -> dict[str, list[Row]]:
    """What the clinic holds after a call, or after one that was cut off and the one that its error advises."""
    tool, arguments, method, table = call
    async with reception(answer=YES) as clinic:
        arguments = named(arguments, prepared(clinic))
        if cut:
            clinic.sandbox.faults.set(Fault("drop_after", path=f"/v1/{table}", method=method, times=1))
        answer = await clinic.assistant.call(tool, **arguments)
        told = str(answer)
        assert ("is not known" in told) is cut, answer
        if cut:
            assert "Call again" in told and "Do not repeat" not in told, answer
            await clinic.assistant.call(tool, **answer.get("again", arguments))
        return state(clinic)


@pytest.mark.parametrize("call", CUT, ids=lambda call: f"{call[0]} {call[2]} {call[3]} {len(call[1])}")
async def test_what_the_error_advises_makes_the_change_once(call: tuple[str, dict[str, Any], str, str]) -> None:
    assert await outcome(call, cut=True) == await outcome(call, cut=False)
