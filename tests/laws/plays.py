"""Full calls of every curated tool, and the clinic that they are played in."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.curated.reception import NORTHSIDE, RIVERSIDE, Reception

from cliniko_mcp.results.names import LINKS
from cliniko_mcp.tools.index import entries

LETTER = b"Dear Dr Ng, Otto needs five sessions."


@dataclass(frozen=True)
class Play:
    """One call of a curated tool; a value in capitals stands for the id that `prepared` gives for it."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def spoken(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """The arguments with the ids of this clinic."""
        return {name: ids.get(str(value), value) for name, value in self.arguments.items()}

    def __str__(self) -> str:
        return f"{self.tool} {dict(self.arguments)}"


def _play(tool: str, /, **arguments: Any) -> Play:
    return Play(tool, arguments)


def _reports() -> tuple[Play, ...]:
    kinds: Any = entries()["report"].input_schema["properties"]
    words = {"find_in_notes": {"words": "better"}}
    return tuple(_play("report", kind=kind, **words.get(kind, {})) for kind in kinds["kind"]["enum"])


PLAYS = (
    _play("clinic_overview"),
    _play("clinic_overview", business=RIVERSIDE),
    _play("find_patients", query="Otto Zimt"),
    _play("find_patients", query="OTTO"),
    _play("find_patients", query="0491 570 156"),
    _play("find_patients", query="otto@mail.example"),
    _play("find_times", type="Standard consult", when="this week"),
    _play("find_times", type="Standard consult", when="Thursday", practitioner=["Mei Ng"], business=NORTHSIDE),
    _play("find_times", type="Standard consult", when="this week", kind="online"),
    _play("book_appointment", patient="Otto Zimt", practitioner="Ng", type="Standard consult", when="Friday at 16:00"),
    _play(
        "book_appointment", patient="OTTO", practitioner="Ng", type="Standard consult", when="Friday at 16:00",
        repeat="weekly x3", notes="Ring first",
    ),
    _play(
        "book_appointment", patient="Otto Zimt", practitioner="Ng", type="Standard consult", when="Friday at 16:00",
        dry_run=True,
    ),
    _play("move_appointment", appointment="OWN", when="Friday at 13:00", practitioner="Okafor"),
    _play("move_appointment", appointment="Ida Quarz", when="Friday at 13:00"),
    _play("move_appointment", appointment="CLASS", when="Friday at 9:00"),
    _play("cancel_appointment", appointment="OWN", reason="sick", note="Rang at eight"),
    _play("cancel_appointment", appointment="Ida Quarz", reason="sick"),
    _play("cancel_appointment", appointment="CLASS", patient="OTTO", reason="away"),
    _play("show_diary", when="this week", limit=400),
    _play("show_diary", when="Thursday", practitioner=["Mei Ng"], phones=True),
    _play("block_time", practitioner="Ng", when="Friday 16:00 to 16:30", type="lunch", notes="Team"),
    _play("block_time", practitioner=["Ng"], when="Friday 12:30 to 13:00", lift=True),
    _play("block_time", practitioner=["Ng"], when="Friday 12:45 to 13:00", lift=True, dry_run=True),
    _play(
        "register_patient", first_name="Jo", last_name="Park", born="3 May 1984", mobile="0491 570 157",
        email="jo@mail.example", referrer="DOCTOR", case="Knee", max_sessions=6,
    ),
    _play("register_patient", first_name="Otto", last_name="Zimt", email="otto@mail.example", mobile="0491 570 156"),
    _play("write_treatment_note", patient="Otto Zimt", template="Visit in short"),
    _play(
        "write_treatment_note", patient="Otto Zimt", template="Visit in short", visit="today",
        answers={"Notes": "Much better."},
    ),
    _play("write_treatment_note", note="DRAFT", answers={"Notes": "Much better."}, final=True),
    _play(
        "upload_patient_attachment", patient="Otto Zimt", content=b64encode(LETTER).decode(), filename="letter.txt",
        description="From the GP",
    ),
    _play("read_patient_attachment", id="FILE"),
    _play("set_attendance", patient="Otto Zimt", state="arrived"),
    _play("set_attendance", appointment="SEAT", state="arrived"),
    _play("patient_brief", patient="Otto Zimt", notes=True),
    _play("patient_brief", patient="OTTO"),
    _play("fill_gap", practitioner="Ng", when="tomorrow 10 to 10:30", phones=True),
    _play("fill_gap", appointment="OWN"),
    *_reports(),
)  # fmt: skip

OPERATION_PLAYS = (
    _play("list_bookings", starts_at="2026-11-26"),
    _play("list_individual_appointments", starts_at="2026-11-26T14:00..2026-12-31"),
    _play("get_individual_appointment", id="OWN"),
    _play("list_attendees", booking_id="CLASS"),
    _play("list_treatment_notes", patient_id="OTTO"),
    _play("update_individual_appointment", id="OWN", starts_at="2026-11-27T13:00", ends_at="2026-11-27T13:30"),
)
"""Operations whose answers show times and names beside ids."""

LABELS = frozenset(listing.name for link in LINKS.values() for listing in link.listings())
"""The lists by which names beside ids are read."""

_ROSTER = ("list_inactive_practitioners",)
_REPORTS = (
    "list_attendees", "list_availability_blocks", "list_bookings", "list_daily_availabilities", "list_invoices",
    "list_patients",
)  # fmt: skip
DISPENSABLE: Mapping[str, tuple[str, ...]] = {
    "block_time": (*_ROSTER, "list_unavailable_blocks", "archive_unavailable_block"),
    "book_appointment": (*_ROSTER, "list_active_patient_cases"),
    "cancel_appointment": (*_ROSTER, "list_invoices"),
    "clinic_overview": _ROSTER,
    "fill_gap": (*_ROSTER, "list_attendees", "list_daily_availabilities"),
    "find_times": (*_ROSTER, "list_available_times", "list_services"),
    "move_appointment": _ROSTER,
    "patient_brief": (
        *_ROSTER, "list_active_patient_cases", "list_invoices", "list_medical_alerts", "list_patient_forms",
        "list_treatment_notes",
    ),
    "register_patient": ("list_contacts", "create_patient_case"),
    "report": (*_ROSTER, *_REPORTS),
    "set_attendance": _ROSTER,
    "show_diary": (*_ROSTER, "list_medical_alerts"),
    "upload_patient_attachment": ("list_patient_attachments",),
    "write_treatment_note": (
        *_ROSTER, "list_appointment_types", "list_attendees", "list_bookings", "list_businesses", "list_patients",
        "list_practitioners", "list_treatment_notes",
    ),
}  # fmt: skip
"""What a tool reads for a part of its answers alone: switched off, that part is refused or left out, and said so."""


def prepared(clinic: Reception) -> dict[str, str]:
    """The ids, by the words of the plays, of a clinic in which Otto has visits past and to come, files and notes."""
    from cliniko_mcp.sandbox.storage import store_file

    clinic.empty_diary()
    clinic.empty("patient_attachments", "treatment_notes", "patient_forms")
    otto = clinic.patient(
        "Otto", "Zimt", email="otto@mail.example", patient_phone_numbers=[
            {"number": "0491 570 156", "normalized_number": "61491570156", "phone_type": "Mobile"}
        ],
    )  # fmt: skip
    clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30")
    own = clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-26 15:00")
    clinic.book(otto, RIVERSIDE, "Jack Whitfield", "2026-11-20 08:30", arrived=False)
    other = clinic.patient("Ida", "Quarz")
    clinic.book(other, NORTHSIDE, "Dr Mei Ng", "2026-12-10 10:00")
    clinic.book(other, NORTHSIDE, "Dr Mei Ng", "2026-11-12 10:00", arrived=True)
    group = clinic.group([otto, clinic.patient("Uwe", "Lehm")], NORTHSIDE, "Priya Nair", "2026-11-26 09:00")
    past = clinic.group([otto], NORTHSIDE, "Priya Nair", "2026-11-23 09:00")
    questions = {"sections": [{"questions": [{"name": "Notes", "type": "paragraph"}]}]}
    template = clinic.put("treatment_note_templates", name="Visit in short", content=questions)
    draft = clinic.put(
        "treatment_notes", patient_id=otto, title="Visit in short", draft=True, content=questions,
        treatment_note_template_id=template, practitioner_id=clinic.id("practitioners", "Dr Mei Ng"),
    )  # fmt: skip
    clinic.put("medical_alerts", patient_id=otto, name="Latex")
    clinic.put("patient_forms", patient_id=otto, name="Intake", completed_at=None)
    file = clinic.put(
        "patient_attachments", patient_id=otto, filename="gp.txt", content_type="text/plain", size=len(LETTER),
        processing_completed=True, processed_at="2026-11-01T00:00:00Z",
    )  # fmt: skip
    clinic.put(
        "unavailable_blocks", practitioner_id=clinic.id("practitioners", "Dr Mei Ng"), starts_at="2026-11-27T01:30:00Z",
        ends_at="2026-11-27T02:00:00Z", business_id=clinic.id("businesses", NORTHSIDE),
    )  # fmt: skip
    store_file(clinic.sandbox.context, file, otto, "gp.txt", "text/plain", LETTER)
    return {
        "OTTO": otto,
        "OWN": own,
        "CLASS": group,
        "SEAT": clinic.attendee(past, otto)["id"],
        "DRAFT": draft,
        "FILE": file,
        "DOCTOR": next(row["id"] for row in clinic.rows("contacts") if row.get("type_code") == 1),
    }
