"""The rows that answers share, one definition each: people, visits, times, files, rates, and the types of their fields.

Dates are `2026-11-24`. A time is local to its site, with offset and weekday: `2026-11-24T09:30+11:00 Tue`. Money is
text with two decimals in the currency of the account; lengths of time are minutes unless a field names another unit.
As in the rows of operations, `id` is that of the record which the row is; ids of others carry their kind.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, WithJsonSchema

from cliniko_mcp.results.models import AnswerModel

_TIME: Final = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}(:[0-9]{2})? (Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
)
LOCAL_TIME: Final = f"^{_TIME}$"
END_TIME: Final = f"^([0-9]{{2}}:[0-9]{{2}}|{_TIME})$"
DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2} (Mon|Tue|Wed|Thu|Fri|Sat|Sun)$"
_CLOCK: Final = "[0-9]{2}:[0-9]{2}"
_DATED: Final = f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} {_CLOCK}"
_HOURS: Final = f"({_CLOCK}-{_CLOCK}|{_DATED} to {_DATED})"
CLOCK_SPAN: Final = f"^{_HOURS}(, {_HOURS})*$"
MONEY: Final = "^-?[0-9]+[.][0-9]{2}$"
PERCENT: Final = "^[0-9]+[.][0-9]%$"
UNITS: Final = {
    LOCAL_TIME: "local time",
    END_TIME: "time of day, or local time",
    DATE: "date",
    DAY: "date with weekday",
    CLOCK_SPAN: "times of day",
    MONEY: "money",
    PERCENT: "percent",
}
"""What a text of each pattern is, for documents."""

LocalTime = Annotated[str, Field(pattern=LOCAL_TIME)]
EndTime = Annotated[str, Field(pattern=END_TIME)]
"""An end beside its start: `10:30` on the same day, `24:00` at its midnight, else a whole time."""
Date = Annotated[str, Field(pattern=DATE)]
Day = Annotated[str, Field(pattern=DAY)]
Money = Annotated[str, Field(pattern=MONEY)]
Percent = Annotated[str, Field(pattern=PERCENT)]
ClockSpan = Annotated[str, Field(pattern=CLOCK_SPAN)]
"""Hours by the clock of a site, beside a day: `09:30-10:00`; with dates where it runs over midnight."""
Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
Attendance = Literal["arrived", "did not arrive", "not marked"]
NoteState = Literal["draft", "final", "none"]

ATTENDANCE: Final[dict[bool | None, Attendance]] = {True: "arrived", False: "did not arrive", None: "not marked"}
NOTE_STATES: Final[dict[int, NoteState]] = {10: "draft", 90: "final"}


class Page(AnswerModel):
    """How much of what there is an answer shows."""

    returned: int = Field(description="Rows shown.")
    total: int = Field(description="Rows there are.")
    complete: bool = Field(description="Whether all are shown.")


class CursorPage(Page):
    """How much of what there is an answer shows, and where it goes on."""

    next_cursor: str | None = Field(default=None, description="The cursor of the rows that follow, if any.")


class Rate(AnswerModel):
    """A share with what it is of."""

    count: Number = Field(description="The part.")
    of: Number = Field(description="The whole.")
    rate: Percent | None = Field(default=None, description="count of the whole, in percent; left out where of is 0.")


def rate(part: float, whole: float) -> Rate:
    """A share of a whole, both in the same unit and shown with two decimals; of nothing it has no percentage."""
    return Rate(count=round(part, 2), of=round(whole, 2), rate=f"{100 * part / whole:.1f}%" if whole else None)


class Names(AnswerModel):
    """The ids behind the names in an answer."""

    practitioner_id: dict[str, str] | None = Field(default=None, description="Id by the practitioner's name.")
    business_id: dict[str, str] | None = Field(default=None, description="Id by the site's name.")
    appointment_type_id: dict[str, str] | None = Field(default=None, description="Id by the type's name.")


class PersonRow(AnswerModel):
    """A patient's file."""

    id: str = Field(description="The patient's id.")
    name: str = Field(description="The patient's name.")
    born: Date | None = Field(default=None, description="Date of birth.")


class PatientRow(AnswerModel):
    """Whose something is, told apart from others of the same name."""

    patient: str | None = Field(default=None, description="The patient's name.")
    patient_id: str | None = Field(default=None, description="The patient's id.")
    born: Date | None = Field(default=None, description="Date of birth.")


class PlaceRow(AnswerModel):
    """When, with whom and where something in the diary is."""

    starts_at: LocalTime = Field(description="Start, by the site's clock.")
    ends_at: EndTime | None = Field(default=None, description="End; only the time of day where it is on that day.")
    practitioner: str | None = Field(default=None, description="The practitioner's name.")
    business: str | None = Field(default=None, description="The site's name.")
    type: str | None = Field(default=None, description="The appointment type's name.")


class CancelledRow(AnswerModel):
    """What is said of a visit that was cancelled; nothing of any other."""

    cancelled: bool | None = Field(default=None, description="True where it was cancelled.")
    reason: str | None = Field(default=None, description="Why it was cancelled.")


class VisitRow(PatientRow, PlaceRow):
    """A patient's visit: an appointment, or a place in a class."""

    appointment_id: str = Field(description="Id of the appointment or class.")
    attendance: Attendance | None = Field(default=None, description="Whether the patient came.")
    note: NoteState | None = Field(default=None, description="State of the treatment note.")


class Duplicates(AnswerModel):
    """Files that may be one person's."""

    confidence: Literal["likely", "possible"] = Field(description="How sure it is.")
    why: str = Field(description="What they have in common.")
    patients: list[PersonRow] = Field(description="The files.")


class UnpaidInvoices(AnswerModel):
    """A number of open invoices and what they come to."""

    invoices: int = Field(description="Open invoices.")
    total: Money = Field(description="Sum of their totals, in the account's currency.")


class FileRow(AnswerModel):
    """A file that is kept with a patient."""

    id: str = Field(description="The attachment's id.")
    patient: str | None = Field(default=None, description="The patient's name.")
    patient_id: str | None = Field(default=None, description="The patient's id.")
    filename: str | None = Field(default=None, description="The file's name.")
    content_type: str | None = Field(default=None, description="MIME type.")
    size: int | None = Field(default=None, description="Size in bytes.")
