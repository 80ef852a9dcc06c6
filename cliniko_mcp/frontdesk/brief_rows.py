"""The rows of a patient's brief: the person, their cases, forms, consent, unpaid invoices and what was written."""

from typing import Literal

from pydantic import Field

from cliniko_mcp.frontdesk.answer_rows import (
    CancelledRow,
    Date,
    LocalTime,
    NoteState,
    PersonRow,
    UnpaidInvoices,
    VisitRow,
)
from cliniko_mcp.results.models import AnswerModel

Consented = Literal["yes", "no", "not answered"]


def consented(answer: bool | None) -> Consented:
    """An answer on consent in words."""
    if answer is None:
        return "not answered"
    return "yes" if answer else "no"


class VisitCounts(AnswerModel):
    """How many visits a patient had and has."""

    past: int = Field(description="Visits that are over, no-shows too.")
    no_shows: int = Field(description="Those to which the patient did not come.")
    coming: int = Field(description="Visits to come.")
    cancelled: int = Field(description="Cancelled visits.")


class Sessions(AnswerModel):
    """How many sessions of a case are used up, by its own rule for no-shows and cancelled visits."""

    max: int | None = Field(default=None, description="Sessions that the case allows, where it has a limit.")
    used: int = Field(description="Visits so far.")
    booked: int = Field(description="Visits to come.")
    left: int | None = Field(default=None, description="Sessions that are neither used nor booked.")
    over: int | None = Field(default=None, description="Visits beyond the limit.")
    no_shows: int | None = Field(default=None, description="Visits to which the patient did not come.")
    no_shows_count: bool | None = Field(default=None, description="Whether those count as used.")
    cancelled: int | None = Field(default=None, description="Cancelled visits.")
    cancelled_count: bool | None = Field(default=None, description="Whether those count as used.")
    last: LocalTime | None = Field(default=None, description="Start of the latest visit that counts.")
    next: LocalTime | None = Field(default=None, description="Start of the next one.")
    after_expiry: int | None = Field(default=None, description="Visits booked after the last day of the case.")


class CaseRow(AnswerModel):
    """An open case."""

    id: str = Field(description="The case's id.")
    name: str = Field(description="The case's name.")
    referral_type: str | None = Field(default=None, description="Kind of referral.")
    expiry_date: Date | None = Field(default=None, description="Last day of the case.")
    sessions: Sessions = Field(description="Its sessions.")
    max_invoiceable_amount: str | None = Field(default=None, description="Limit in the account's currency.")


class FormRow(AnswerModel):
    """A patient form."""

    id: str = Field(description="The form's id.")
    name: str = Field(description="The form's name.")
    given_at: LocalTime | None = Field(default=None, description="When it was given to the patient.")
    completed_at: LocalTime | None = Field(default=None, description="When it was completed.")


class Consent(AnswerModel):
    """What the patient agreed to."""

    privacy_policy: Consented = Field(description="Privacy policy.")
    sms_marketing: Consented = Field(description="Marketing by SMS.")
    email_marketing: Consented = Field(description="Marketing by email.")
    consent_form_completed: bool = Field(description="Whether a form named consent is completed.")
    consent_form: FormRow | None = Field(default=None, description="The latest of those.")


class Unpaid(UnpaidInvoices):
    """The patient's open invoices."""

    numbers: list[int] | None = Field(default=None, description="Numbers of the first ten.")
    oldest: Date | None = Field(default=None, description="When the oldest was issued.")


class NoteRow(AnswerModel):
    """A treatment note as it was written."""

    id: str = Field(description="The note's id.")
    title: str = Field(description="Its title.")
    written_at: LocalTime | None = Field(default=None, description="When it was begun.")
    author: str = Field(description="Who wrote it.")
    state: NoteState = Field(description="Draft or final.")
    text: str = Field(description="Questions and answers, as text.")
    cut: str | None = Field(default=None, description="Where the whole is, if this is not all.")


class VisitText(AnswerModel):
    """What people wrote of a visit."""

    treatment_notes: list[NoteRow] = Field(description="The treatment notes of the visit.")


class BriefVisit(VisitRow, CancelledRow):
    """A visit of the patient, with what belongs to it."""

    forms: list[FormRow] | None = Field(default=None, description="Forms of the visit, completed and open.")
    free_text: VisitText | None = Field(default=None, description="What people wrote.")


class Written(AnswerModel):
    """What people wrote in the patient's file."""

    alerts: list[str] | None = Field(default=None, description="Medical alerts.")
    appointment_notes: str | None = Field(default=None, description="Remarks shown with appointments.")
    notes: str | None = Field(default=None, description="Remarks in the file.")
    treatment_notes: list[NoteRow] | None = Field(default=None, description="The latest notes of no visit shown.")


class BriefRow(PersonRow):
    """A patient on one page."""

    preferred_first_name: str | None = Field(default=None, description="First name they go by, where it is another.")
    age: int | None = Field(default=None, description="Age in years.")
    sex: str | None = Field(default=None, description="Sex.")
    gender_identity: str | None = Field(default=None, description="Gender identity.")
    occupation: str | None = Field(default=None, description="Occupation.")
    pronouns: str | None = Field(default=None, description="Pronouns.")
    next_visits: list[BriefVisit] = Field(description="The next visits, as many as asked for.")
    last_visits: list[BriefVisit] = Field(description="The last visits, as many, the latest first.")
    counts: VisitCounts = Field(description="How many visits there are.")
    open_cases: list[CaseRow] | None = Field(default=None, description="Open cases.")
    open_forms: list[FormRow] | None = Field(default=None, description="Forms that are not completed.")
    consent: Consent | None = Field(default=None, description="Consent.")
    unpaid: Unpaid | None = Field(default=None, description="Open invoices.")
    free_text: Written | None = Field(default=None, description="What people wrote.")
    history: list[BriefVisit] | None = Field(
        default=None, description="All visits in order of time: appointments and classes, past, cancelled and to come."
    )
