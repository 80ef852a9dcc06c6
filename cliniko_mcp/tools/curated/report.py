"""report: what the clinic's own rows say of attendance, money, notes, patients and hours, with the definition used.

Requests: 8 cold, 3 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, 1 for each 95 names shown, and those of the kind, which grow with pages of data only: see `frontdesk.reports`
(attendance, money, returning, hours, records).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.errors import NotAllowed, NotUnderstood
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import Duplicates, Page, PatientRow, VisitRow
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.reports import attendance, hours, money, records, returning
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.budget import MAX_TOKENS, USUAL_TOKENS, size
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.tools.tool import curated

ReportKind = Literal[
    "no_shows",
    "cancellations",
    "unbilled",
    "unpaid",
    "missing_notes",
    "lapsed",
    "utilisation",
    "new_patients",
    "duplicates",
    "missing_contacts",
]
MAX_SPAN: Final = timedelta(days=800)
_DEFAULT_LIMIT: Final = 60
_MAKERS: Final[Mapping[ReportKind, Callable[[ReportQuestion], Awaitable[Finding]]]] = {
    "no_shows": attendance.no_shows,
    "cancellations": attendance.cancellations,
    "unbilled": attendance.unbilled,
    "unpaid": money.unpaid,
    "missing_notes": attendance.missing_notes,
    "lapsed": returning.lapsed,
    "utilisation": hours.utilisation,
    "new_patients": returning.new_patients,
    "duplicates": records.duplicates,
    "missing_contacts": records.missing_contacts,
}
_DEFAULT_DAYS: Final[Mapping[ReportKind, tuple[int, int]]] = {
    "no_shows": (30, 0),
    "cancellations": (30, 0),
    "unbilled": (30, 0),
    "missing_notes": (30, 0),
    "utilisation": (28, 1),
    "new_patients": (90, 0),
    "lapsed": (180, 60),
}
"""Where no time is said: from so many days ago to so many days ago; all time for the others."""
_ROOM: Final = 270
"""Tokens kept for what the envelope adds."""


class Report(Body):
    """Which report, of what time, practitioner and site; `skip` goes on after the rows shown before."""

    kind: ReportKind
    when: str | None = Field(default=None, description="E.g. last month.")
    practitioner: str | None = None
    business: str | None = None
    limit: int | None = Field(default=None, ge=1, le=200)
    skip: int = Field(default=0, ge=0)


Summary = (
    attendance.NoShowSummary
    | attendance.CancellationSummary
    | attendance.UnbilledSummary
    | attendance.MissingNoteSummary
    | money.UnpaidSummary
    | returning.LapsedSummary
    | returning.NewSummary
    | hours.HoursSummary
    | records.DuplicateSummary
    | records.ContactSummary
)
ReportRow = (
    attendance.NoShowRow
    | attendance.CancellationRow
    | VisitRow
    | money.InvoiceRow
    | returning.LapsedRow
    | returning.NewRow
    | hours.HoursRow
    | Duplicates
    | records.MissingContactRow
)


class Reported(AnswerModel):
    """A report: each kind has the fields of its own in summary and items."""

    kind: ReportKind = Field(description="Which report.")
    when: str = Field(description="The time as it was understood.")
    practitioner: str | None = Field(default=None, description="The practitioner asked about.")
    business: str | None = Field(default=None, description="The site asked about.")
    definition: str | None = Field(default=None, description="What is counted and what is not.")
    summary: Summary | None = Field(default=None, description="What it comes to over all rows, shown or not.")
    items: list[ReportRow] | None = Field(default=None, description="The rows.")
    page: Page | None = Field(default=None, description="How many of how many rows are shown.")

    def with_rows(self, found: Finding, rows: Sequence[AnswerModel], page: Page) -> Reported:
        """The same with what was found, of which these rows are shown."""
        parts = {"definition": found.definition, "summary": found.summary, "items": rows, "page": page}
        return Reported.model_validate({**dict(self), **parts})


async def report(clinic: GuardedClinic, arguments: Report) -> Answer:
    """The report: what is meant, what it comes to, and the rows that fit."""
    roster = await Roster.load(clinic)
    practitioner = roster.practitioner(arguments.practitioner) if arguments.practitioner else None
    business = roster.business(arguments.business) if arguments.business else None
    sites = [business] if business else []
    if arguments.when:
        span = read_span(arguments.when, clinic.now, roster, sites)
    else:
        span = _default_span(arguments.kind, clinic, roster, sites)
    if span is not None:
        _check_length(span)
    body = Reported(
        kind=arguments.kind,
        when=span.description if span else "all time",
        practitioner=practitioner.name if practitioner else None,
        business=business.name if business else None,
    )
    notes = remarks(practitioner, business)
    zone = span.zone if span else roster.home
    try:
        found = await _MAKERS[arguments.kind](ReportQuestion(clinic, roster, span, practitioner, business, clinic.now))
    except NotAllowed as refusal:
        notes.append(f"This report is not made, because it reads what may not be read. {refusal.message}")
        return Answer(body, notes, zone)
    used = size([body.as_json(), found.definition, found.summary.as_json(), notes, found.notes])
    rows = await _rows(clinic, arguments, found, used, notes)
    left = len(found.rows) - arguments.skip - len(rows)
    body = body.with_rows(found, rows, Page(returned=len(rows), total=len(found.rows), complete=left <= 0))
    notes += found.notes
    if left > 0:
        after = arguments.skip + len(rows)
        notes.append(f"{left:,} more rows: call again with skip: {after}, or narrow when. The summary is whole.")
    return Answer(body, notes, zone)


def _default_span(
    kind: ReportKind, clinic: GuardedClinic, roster: Roster, sites: Sequence[Known[Business]]
) -> Span | None:
    """The time where none is said; None where all time is meant."""
    if kind not in _DEFAULT_DAYS:
        return None
    today = local_day(clinic.now, roster.home)
    first, last = (today - timedelta(days=days) for days in _DEFAULT_DAYS[kind])
    return Span.of_days(first, last, roster, sites)


def _check_length(span: Span) -> None:
    starts, ends = span.bounds
    if ends - starts > MAX_SPAN:
        raise NotUnderstood(
            f"That is longer than a report covers ({MAX_SPAN.days} days): {span.description}.",
            "Ask about a shorter time, one after another.",
            examples=["last month", "past 12 months", "2026-01-01 to 2026-06-30"],
        )


async def _rows(
    clinic: GuardedClinic, arguments: Report, found: Finding, used: int, notes: list[str]
) -> list[AnswerModel]:
    """The rows that fit, with the patients' names; a note where names may not be read."""
    some = found.rows[arguments.skip : arguments.skip + (arguments.limit or _DEFAULT_LIMIT)]
    ids = [row.patient_id for row in some if isinstance(row, PatientRow) and row.patient_id]
    reads = PartialReads()
    patients = await reads.read("Patients' names", partial(clinic.by_id, Patients.list_patients, ids)) or {}
    notes += reads.notes
    room = (MAX_TOKENS if arguments.limit is not None else USUAL_TOKENS) - _ROOM - used
    shown: list[AnswerModel] = []
    for row in some:
        if isinstance(row, PatientRow) and row.patient_id:
            patient = patients.get(row.patient_id)
            name = (name_of(patient) if patient else "") or f"patient {row.patient_id}"
            row = row.model_copy(update={"patient": name})
        room -= size(row.as_json()) + 1
        if room < 0 and shown:
            break
        shown.append(row)
    return shown


tool = curated(
    "report",
    "Clinic reports with the definition used: no-shows (DNA), cancellations with notice, unbilled visits, unpaid "
    "invoices, visits without final note, lapsed patients, utilisation in hours, new patients and return rate, "
    "duplicates, missing contacts. Plain counts: count_records.",
    Report,
    report,
    answer=Reported,
    needs=[*ROSTER_NEEDS, *visits.NEEDS],
)
