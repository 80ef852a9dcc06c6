"""What the entries of a diary share: their span, their site and practitioner, and what became of a visit."""

from pydantic import Field

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS, INVOICE_STATUSES, NOTE_STATUSES
from cliniko_mcp.cliniko.fields import Id, Timestamp, Uri
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.shapes.repeats import RepeatRuleRecord


class BookingStamps(Record):
    """Any entry of the diary: an appointment, a group appointment or a blocked-out time."""

    id: Id
    archived_at: Timestamp | None = None
    business_id: Id | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    ends_at: Timestamp | None = None
    notes: str | None = None
    practitioner_id: Id | None = None
    repeat_rule: RepeatRuleRecord | None = None
    repeated_from_id: Id | None = None
    starts_at: Timestamp | None = None
    updated_at: Timestamp | None = None


class VisitStamps(Record):
    """What became of one patient's visit: reminders, cancellation, invoice and note."""

    codes = {
        "cancellation_reason": CANCELLATION_REASONS,
        "invoice_status": INVOICE_STATUSES,
        "treatment_note_status": NOTE_STATUSES,
    }

    booking_ip_address: str | None = None
    cancellation_note: str | None = None
    cancellation_reason: int | None = None
    cancellation_reason_description: str | None = None
    cancelled_at: Timestamp | None = None
    email_reminder_sent: bool | None = None
    invoice_status: int | None = Field(default=None, description="10 open, 20 paid, 30 closed, 40 open credit.")
    online_booking_policy_accepted: bool | None = None
    sms_reminder_sent: bool | None = None
    telehealth_url: Uri | None = None
    treatment_note_status: int | None = Field(default=None, description="10 draft, 90 final.")


class AppointmentStamps(BookingStamps, VisitStamps):
    """An appointment of one patient, whether it is read as such or as an entry of the diary."""

    appointment_type_id: Id | None = None
    did_not_arrive: bool | None = Field(default=None, description="true: a no-show (DNA).")
    has_patient_appointment_notes: bool | None = None
    patient_arrived: bool | None = None
    patient_case_id: Id | None = None
    patient_id: Id | None = None
    patient_name: str | None = None
