"""What Cliniko may send to a patient when something is written, which only its settings decide.

The API tells the patient's choices, the site's switch, the type's templates and whether a reminder of a booking has
gone out; of times no more than what comes before and after a visit (cliniko-api.md#people, #calendar, #discrepancies).
"""

from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.roster import Known, name_text, named

NO_MESSAGE = "Cliniko sends patients nothing about this."


def booking_notices(
    patient: Known[Patient], kind: Known[AppointmentType], site: Known[Business], *, begun: bool = False
) -> str:
    """A sentence on the confirmation, the reminders and the follow-up that may go with a new or moved booking; there
    are no reminders of one that has `begun`."""
    sent: list[str] = []
    # Cliniko has templates of its own where the type names none, so only an empty list says that there are none.
    confirms = kind.record.appointment_confirmation_template_ids != []
    if confirms and _by_email(patient, patient.record.receives_confirmation_emails):
        sent.append("a confirmation by email now")
    how = _reminded_by(patient)
    if how and not begun and site.record.appointment_reminders_enabled is not False:
        number = len(kind.record.appointment_reminder_template_ids or ())
        reminders = {0: "reminders", 1: "a reminder"}.get(number, f"{number} reminders")
        sent.append(f"{reminders} by {how} before the visit")
    if kind.record.appointment_follow_up_template_ids:
        sent.append("a follow-up after it")
    if not sent:
        return f"By the settings seen here Cliniko sends {named(patient)} nothing; the clinic's own rules may differ."
    several = f"{', '.join(sent[:-1])} and {sent[-1]}" if len(sent) > 1 else sent[0]
    return f"Cliniko may send {named(patient)} {several}, as the clinic has set it up; the API does not tell the hour."


def cancelling_notices(patient: Known[Patient]) -> str:
    """A sentence on what may follow a cancellation."""
    if _by_email(patient, patient.record.receives_cancellation_emails):
        return f"Cliniko may email {named(patient)} now that it is cancelled, as the clinic has set it up."
    return f"{named(patient)} gets no email about it by their own settings; tell them."


def reminded_already(entry: Entry) -> list[str]:
    """A sentence where a reminder of a booking as it was has gone out; none where the API tells of none."""
    record = entry.record
    ways = [way for way, sent in (("SMS", record.sms_reminder_sent), ("email", record.email_reminder_sent)) if sent]
    return [f"A reminder of it has gone out by {' and '.join(ways)}, with the time that it had."] if ways else []


def attendance_notices(kind: Known[AppointmentType] | None) -> str:
    """A sentence on what may follow a visit whose attendance is set."""
    if kind is not None and kind.record.appointment_follow_up_template_ids:
        return "Cliniko may send a follow-up after the visit, as the clinic has set it up; nothing about attendance."
    return NO_MESSAGE


def _reminded_by(patient: Known[Patient]) -> str:
    """By what the patient wants reminders, in words; empty where they want none or nothing is set."""
    how = name_text(patient.record.reminder_type)
    return "" if how == "None" else how.replace("SMS & Email", "SMS and email").replace("Email", "email")


def filing_notices(patient: Patient) -> str:
    """A sentence on what goes out for a new file: nothing now, and reminders of visits by its own setting."""
    if not patient.reminder_type:
        return "Cliniko sends nothing when a file is made."
    how = _reminded_by(Known(patient.id, "", patient))
    return f"Cliniko sends nothing when a file is made; reminders of visits are {f'by {how}' if how else 'off'} in it."


def _by_email(patient: Known[Patient], wanted: bool | None) -> bool:
    return wanted is not False and bool(name_text(patient.record.email))
