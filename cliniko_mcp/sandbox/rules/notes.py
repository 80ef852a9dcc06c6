"""Treatment notes: written by the practitioner who owns the key, first a draft, then final.

Source: cliniko-api.md#clinical-records, #structured-content.
"""

from collections.abc import Iterable
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.permissions import ADMINISTRATOR
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.content import start_from
from cliniko_mcp.sandbox.rules.patients import label
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import BLANK, INVALID
from cliniko_mcp.sandbox.wire import forbidden

RULES: Final = Rulebook[RequestContext]()
NOTES: Final = "treatment_notes"
DRAFT, FINAL = 10, 90


@RULES.on(NOTES, "create")
def sign_note(context: RequestContext, change: Change) -> None:
    """The key's owner is the author and must be a practitioner; what is not sent comes from the template."""
    author = practitioner_of(context, change.user_id)
    if author is None:
        raise forbidden()
    new = change.new
    start_from(context, change, "treatment_note_templates", "treatment_note_template_id")
    if not change.text("title"):
        template = context.get("treatment_note_templates", new.get("treatment_note_template_id"))
        new["title"] = template.get("name") if template else None
    user = context.get("users", change.user_id) or {}
    new["practitioner_id"] = author["id"]
    new["author_name"] = label(user.get("first_name"), user.get("last_name"))


@RULES.on(NOTES, "update")
def guard_note(context: RequestContext, change: Change) -> None:
    """A final note cannot be changed, a draft only by its author (choices 55)."""
    old = change.old or {}
    author = practitioner_of(context, change.user_id)
    if author is None or author["id"] != old.get("practitioner_id") or old.get("draft") is False:
        raise forbidden()


@RULES.on(NOTES, "create", "update")
def complete_note(context: RequestContext, change: Change) -> None:
    """A note needs a title; `draft: false` is the moment of signing; the visit is the patient's own."""
    new = change.new
    if not (change.text("title") or "").strip():
        change.errors["title"] = BLANK
    if new.get("draft") is False:
        new["finalized_at"] = context.clock.stamp()
    _find_visit(context, change)


def _find_visit(context: RequestContext, change: Change) -> None:
    """An attendee names its booking, and the booking of one patient its attendee (choices 55)."""
    new = change.new
    if change.sets("attendee_id"):
        attendee = context.get("attendees", new.get("attendee_id"))
        if not change.sets("booking_id"):
            new["booking_id"] = attendee.get("booking_id") if attendee else None
    elif change.sets("booking_id"):
        attendees = context.where("attendees", "booking_id", str(new.get("booking_id")))
        attendee = next((row for row in attendees if row.get("patient_id") == new.get("patient_id")), None)
        new["attendee_id"] = attendee["id"] if attendee else None
        if attendee is None and new.get("booking_id") is not None:
            change.errors["booking_id"] = INVALID
    else:
        return
    if attendee is not None and attendee.get("patient_id") != new.get("patient_id"):
        change.errors["attendee_id"] = INVALID
    elif attendee is not None and attendee.get("booking_id") != new.get("booking_id"):
        change.errors["booking_id"] = INVALID


@RULES.on(NOTES, "archive", "unarchive")
def guard_archive(context: RequestContext, change: Change) -> None:
    """A note is archived and unarchived by its author or an administrator (choices 55)."""
    author = practitioner_of(context, change.user_id)
    user = context.get("users", change.user_id) or {}
    own = author is not None and author["id"] == (change.old or {}).get("practitioner_id")
    if not own and user.get("role") != ADMINISTRATOR:
        raise forbidden()


@RULES.on(NOTES, "created", "updated", "archived", "unarchived")
def mirror_status(context: RequestContext, change: Change) -> None:
    """The visit shows the status of its notes."""
    for attendee_id in {str(row.get("attendee_id")) for row in (change.new, change.old or {})}:
        attendee = context.get("attendees", attendee_id)
        if attendee is not None:
            status = note_status(context.where(NOTES, "attendee_id", attendee_id))
            context.set_derived("attendees", attendee_id, treatment_note_status=status)
            context.set_derived("individual_appointments", str(attendee["booking_id"]), treatment_note_status=status)


def note_status(notes: Iterable[Row]) -> JsonValue:
    """Draft while any of a visit's notes is one, else final; None without notes (choices 55)."""
    drafts = [row.get("draft") is not False for row in notes]
    return None if not drafts else DRAFT if any(drafts) else FINAL


def practitioner_of(context: RequestContext, user_id: str | None) -> Row | None:
    """The active practitioner who is this user, or None."""
    staff = context.where("practitioners", "user_id", str(user_id))
    return next((row for row in staff if row.get("active") is not False), None)
