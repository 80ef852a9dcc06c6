"""What Cliniko may send to a patient when a booking is made, moved or cancelled, which only its settings decide.

The API tells no more than the patient's choices, the site's switch and the type's templates, and never when something
is sent (cliniko-api.md#people, #calendar, #discrepancies).
"""

from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk.roster import Known, name_text, named


def booking_notices(patient: Known[Patient], kind: Known[AppointmentType], site: Known[Business]) -> str:
    """A sentence on the confirmation, the reminders and the follow-up that may go with a new or moved booking."""
    sent: list[str] = []
    # Cliniko has templates of its own where the type names none, so only an empty list says that there are none.
    confirms = kind.record.appointment_confirmation_template_ids != []
    if confirms and _by_email(patient, patient.record.receives_confirmation_emails):
        sent.append("a confirmation by email")
    how = name_text(patient.record.reminder_type)
    if how and how != "None" and site.record.appointment_reminders_enabled is not False:
        sent.append(
            f"reminders by {how.replace('SMS & Email', 'SMS and email').replace('Email', 'email')} before the visit"
        )
    if kind.record.appointment_follow_up_template_ids:
        sent.append("a follow-up after it")
    if not sent:
        return f"By the settings seen here Cliniko sends {named(patient)} nothing; the clinic's own rules may differ."
    several = f"{', '.join(sent[:-1])} and {sent[-1]}" if len(sent) > 1 else sent[0]
    return f"Cliniko may send {named(patient)} {several}, as the clinic has set it up; the API does not tell when."


def cancelling_notices(patient: Known[Patient]) -> str:
    """A sentence on what may follow a cancellation."""
    if _by_email(patient, patient.record.receives_cancellation_emails):
        return f"Cliniko may email {named(patient)} that it is cancelled, as the clinic has set it up."
    return f"{named(patient)} gets no email about it by their own settings; tell them."


def _by_email(patient: Known[Patient], wanted: bool | None) -> bool:
    return wanted is not False and bool(name_text(patient.record.email))
