"""The kinds of reports: each with its direction, its usual time and what it can be grouped by, in one table."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.reports import (
    activity,
    ahead,
    attendance,
    cases,
    changes,
    figures,
    forms,
    hours,
    made,
    money,
    notes,
    paperwork,
    records,
    returning,
    sources,
)
from cliniko_mcp.frontdesk.reports.beginnings import (
    Beginning,
    first_booking_made,
    first_invoice,
    first_visit,
)
from cliniko_mcp.frontdesk.reports.facts import VISIT_GROUPINGS
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.phrases import Facing

_OF_HOURS: Final = ("practitioner", "site", "weekday", "hour", "week", "month")
_OF_INVOICES: Final = ("practitioner", "site", "weekday", "week", "month", "new_or_returning", "source")


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A kind of report and how its question is read.

    `practitioners`, `sites` and `patients` say that it can be asked of one, `words` that it looks for words.
    `usual` is the phrase that is read where no time is named, empty where all time is meant. `needs` are the operations
    that it reads besides the roster. `open_start` says that it takes a time without a start ("more than 6 months ago"),
    `compared` that the same figures of an earlier span mean something. `begins` are what all time begins with.
    """

    name: str
    make: Callable[[ReportQuestion], Awaitable[Finding]]
    needs: Sequence[Operation]
    facing: Facing = Facing.BACK
    usual: str = "last 30 days"
    groupings: Sequence[str] = VISIT_GROUPINGS
    open_start: bool = False
    compared: bool = True
    practitioners: bool = True
    sites: bool = True
    patients: bool = False
    words: bool = False
    begins: Sequence[Beginning] = (first_visit,)


_TABLE: Final = (
    ReportKind("activity", activity.activity, activity.NEEDS),
    ReportKind("no_shows", attendance.no_shows, attendance.NEEDS),
    ReportKind("cancellations", attendance.cancellations, attendance.NEEDS),
    ReportKind("new_cancellations", made.cancellations_made, made.CANCELLATIONS_NEEDS, begins=(first_booking_made,)),
    ReportKind("new_bookings", made.bookings_made, made.NEEDS, begins=(first_booking_made,)),
    ReportKind("utilisation", hours.utilisation, hours.NEEDS, Facing.WHOLE, "last 28 days", _OF_HOURS),
    ReportKind("ahead", ahead.ahead, ahead.NEEDS, Facing.WHOLE, "next 12 weeks", _OF_HOURS, compared=False),
    ReportKind("retention", returning.retention, returning.NEEDS, usual="last 90 days"),
    ReportKind("rebooking", returning.rebooking, visits.NEEDS, usual="last 90 days"),
    ReportKind(
        "lapsed", returning.lapsed, returning.NEEDS, usual="more than 6 months ago", open_start=True, compared=False
    ),
    ReportKind("not_rebooked", returning.not_rebooked, returning.NEEDS),
    ReportKind(
        "never_seen",
        returning.never_seen,
        returning.NEEDS,
        usual="",
        groupings=(),
        open_start=True,
        compared=False,
        practitioners=False,
        sites=False,
    ),
    ReportKind(
        "revenue",
        money.revenue,
        money.REVENUE_NEEDS,
        groupings=("type", *_OF_INVOICES),
        begins=(first_invoice,),
    ),
    ReportKind("unpaid", money.unpaid, money.NEEDS, usual="", groupings=_OF_INVOICES, open_start=True, compared=False),
    ReportKind("unbilled", paperwork.unbilled, paperwork.NEEDS),
    ReportKind("missing_notes", paperwork.missing_notes, visits.NEEDS),
    ReportKind(
        "find_in_notes",
        notes.find_in_notes,
        notes.NOTES_NEEDS,
        usual="last 365 days",
        groupings=("practitioner", "week", "month", "new_or_returning"),
        sites=False,
        patients=True,
        words=True,
        compared=False,
    ),
    ReportKind("cases", cases.cases, cases.NEEDS, Facing.WHOLE, "", (), compared=False),
    ReportKind("forms", forms.forms, forms.NEEDS, Facing.WHOLE, "next 7 days", compared=False),
    ReportKind(
        "alerts",
        notes.alerts,
        notes.ALERTS_NEEDS,
        usual="more than 12 months ago",
        groupings=(),
        practitioners=False,
        sites=False,
        open_start=True,
        compared=False,
    ),
    ReportKind("sources", sources.where_from, sources.NEEDS, usual="last 90 days"),
    ReportKind(
        "changes",
        changes.changes,
        changes.NEEDS,
        groupings=("weekday", "hour", "week", "month"),
        practitioners=False,
        sites=False,
        begins=(changes.first_line,),
    ),
    ReportKind("duplicates", records.duplicates, records.NEEDS, Facing.WHOLE, "", (), compared=False),
    ReportKind("missing_contacts", records.missing_contacts, records.NEEDS, Facing.WHOLE, "", (), compared=False),
)
KINDS: Final[Mapping[str, ReportKind]] = {kind.name: kind for kind in _TABLE}

ReportRow = (
    activity.SeenRow
    | attendance.NoShowRow
    | attendance.CancellationRow
    | made.BookingMadeRow
    | figures.ReportVisitRow
    | money.DebtorRow
    | money.PayingRow
    | paperwork.UnbilledRow
    | returning.LastVisitRow
    | returning.NewPatientRow
    | returning.RebookingRow
    | returning.NeverSeenRow
    | hours.HoursRow
    | ahead.AheadRow
    | notes.NoteFoundRow
    | notes.OldAlertRow
    | cases.OpenCaseRow
    | forms.OpenFormRow
    | forms.CompletedFormRow
    | sources.SourceRow
    | changes.ChangesRow
    | records.SamePersonRow
    | records.MissingContactRow
)
"""The rows of all kinds."""
