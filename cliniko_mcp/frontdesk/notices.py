"""What Cliniko may send to a patient when a booking is made, moved or cancelled: settings decide, nobody here does.

The API tells no more than the patient's choices, the site's switch and the type's templates (api.md 2.1, 2.3, 5).
"""

from typing import cast

from cliniko_mcp.frontdesk.people import Known, named
from cliniko_mcp.results.names import text_of


def booking_notices(patient: Known, kind: Known, site: Known) -> str:
    """A sentence on the confirmation and the reminders that may follow a new or moved booking."""
    sent: list[str] = []
    if _templates(kind, "appointment_confirmation_template_ids") and _wants(patient, "receives_confirmation_emails"):
        sent.append("a confirmation by email")
    how = text_of(patient.record, "reminder_type")
    if how and how != "None" and getattr(site.record, "appointment_reminders_enabled", None) is not False:
        sent.append(
            f"reminders by {how.replace('SMS & Email', 'SMS and email').replace('Email', 'email')} before the visit"
        )
    if not sent:
        return f"By the settings seen here Cliniko sends {named(patient)} nothing; the clinic's own rules may differ."
    return f"Cliniko may send {named(patient)} {' and '.join(sent)}, as the clinic has set it up."


def cancelling_notices(patient: Known) -> str:
    """A sentence on what may follow a cancellation."""
    if _wants(patient, "receives_cancellation_emails"):
        return f"Cliniko may email {named(patient)} that it is cancelled, as the clinic has set it up."
    return f"{named(patient)} gets no email about it by their own settings; tell them."


def _templates(kind: Known, field: str) -> bool:
    listed = getattr(kind.record, field, None)
    # Cliniko has templates of its own where the type names none, so only an empty list says that there are none.
    return not isinstance(listed, list) or bool(cast("list[object]", listed))


def _wants(patient: Known, field: str) -> bool:
    return getattr(patient.record, field, None) is not False and bool(text_of(patient.record, "email"))
