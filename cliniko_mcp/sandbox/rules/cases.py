"""Patient cases: open or closed, with a doctor, the visits that count and the papers that belong.

Source: cliniko-api.md#clinical-records.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.contacts import is_doctor
from cliniko_mcp.sandbox.rules.services import ids_in
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import Json, not_found

RULES: Final = Rulebook[RequestContext]()
CASES: Final = "patient_cases"

_OWNED: Final = {"attendee_ids": "attendees", "patient_attachment_ids": "patient_attachments"}


@RULES.on(CASES, "create", "update")
def complete_case(context: RequestContext, change: Change) -> None:
    """`closed_at` is the moment of closing; the contact is a doctor; visits and papers are the patient's own."""
    new, old = change.new, change.old or {}
    if change.sets("closed"):
        new["closed_at"] = (old.get("closed_at") or context.clock.stamp()) if new["closed"] is True else None
    new["closed"] = new.get("closed_at") is not None
    if new.get("contact_id") != old.get("contact_id") and not is_doctor(context, new.get("contact_id")):
        change.errors["contact_id"] = INVALID
    for name, table in _OWNED.items():
        if change.sets(name):
            rows = (context.get(table, row_id) for row_id in ids_in(new, name))
            if any(row is not None and row.get("patient_id") != new.get("patient_id") for row in rows):
                change.errors[name] = INVALID
    new.pop("attendee_ids", None)  # stored on the attendees


@RULES.on(CASES, "created", "updated")
def count_visits(context: RequestContext, change: Change) -> None:
    """The visits that were sent are all that count: others of this case are released (cliniko-api.md#writes)."""
    if not change.sets("attendee_ids"):
        return
    own, chosen = str(change.new["id"]), ids_in(change.body, "attendee_ids")
    before = [str(row["id"]) for row in context.where("attendees", "patient_case_id", own)]
    for attendee_id in [row_id for row_id in before if row_id not in chosen]:
        _assign(context, attendee_id, None)
    for attendee_id in [row_id for row_id in chosen if row_id not in before]:
        _assign(context, attendee_id, own)


def _assign(context: RequestContext, attendee_id: str, case_id: str | None) -> None:
    context.amend("attendees", attendee_id, patient_case_id=case_id)
    attendee = context.get("attendees", attendee_id)
    if attendee is not None:
        context.amend("individual_appointments", str(attendee["booking_id"]), patient_case_id=case_id)


@RULES.on(("attendees", "individual_appointments"), "create", "update")
def check_case(context: RequestContext, change: Change) -> None:
    """A visit counts towards a case of the same patient only (choices 63)."""
    case = context.get(CASES, change.new.get("patient_case_id"))
    if change.sets("patient_case_id") and case is not None and case["patient_id"] != change.new.get("patient_id"):
        change.errors["patient_case_id"] = INVALID


@RULES.serialises(CASES)
def show_case(context: RequestContext, row: Row, shown: Json) -> None:
    """The visits that count, which the attendees store."""
    attendees = context.where("attendees", "patient_case_id", str(row["id"]))
    ids: list[JsonValue] = [attendee["id"] for attendee in attendees]
    shown["attendee_ids"] = ids
    shown["closed"] = row.get("closed_at") is not None


@RULES.rows("list_active_patient_cases")
def active_cases(context: RequestContext, request: OperationRequest) -> Iterator[Row]:
    """The cases that are neither closed nor past their last day, which still counts."""
    today = context.clock.now().astimezone(context.account_zone()).date().isoformat()
    for row in context.store.table(CASES).rows.values():
        if row.get("closed_at") is None and str(row.get("expiry_date", today)) >= today:
            yield row


@RULES.rows("list_patient_case_patient_attachments")
def case_attachments(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The papers of one case."""
    case = context.get(CASES, request.ids["patient_case_id"])
    if case is None:
        raise not_found()
    papers = (context.get("patient_attachments", row_id) for row_id in ids_in(case, "patient_attachment_ids"))
    return [row for row in papers if row is not None]
