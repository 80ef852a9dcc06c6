"""The kinds of reports: each with its direction, its usual time and what it can be grouped by, in one table."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk.reports import (
    activity,
    ahead,
    attendance,
    changes,
    hours,
    made,
    money,
    paperwork,
    records,
    returning,
)
from cliniko_mcp.frontdesk.reports.facts import VISIT_GROUPINGS
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.phrases import Facing

_OF_HOURS: Final = ("practitioner", "site", "weekday", "hour", "week", "month")
_OF_INVOICES: Final = ("practitioner", "site", "weekday", "week", "month", "new_or_returning", "source")


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A kind of report and how its question is read.

    `usual` is the phrase that is read where no time is named, empty where all time is meant. `needs` are the operations
    that it reads besides the roster. `open_start` says that it takes a time without a start ("more than 6 months ago"),
    `compared` that the same figures of an earlier span mean something.
    """

    name: str
    make: Callable[[ReportQuestion], Awaitable[Finding]]
    needs: Sequence[Operation]
    facing: Facing = Facing.BACK
    usual: str = "last 30 days"
    groupings: Sequence[str] = VISIT_GROUPINGS
    open_start: bool = False
    compared: bool = True


_TABLE: Final = (
    ReportKind("activity", activity.activity, activity.NEEDS),
    ReportKind("no_shows", attendance.no_shows, attendance.NEEDS),
    ReportKind("cancellations", attendance.cancellations, attendance.NEEDS),
    ReportKind("cancellations_made", made.cancellations_made, made.NEEDS),
    ReportKind("bookings_made", made.bookings_made, made.NEEDS),
    ReportKind("utilisation", hours.utilisation, hours.NEEDS, Facing.WHOLE, "last 28 days", _OF_HOURS),
    ReportKind("ahead", ahead.ahead, ahead.NEEDS, Facing.WHOLE, "next 8 weeks", _OF_HOURS, compared=False),
    ReportKind("retention", returning.retention, returning.NEEDS, usual="last 90 days"),
    ReportKind(
        "lapsed", returning.lapsed, returning.NEEDS, usual="more than 6 months ago", open_start=True, compared=False
    ),
    ReportKind("no_next_booking", returning.no_next_booking, returning.NEEDS),
    ReportKind(
        "never_seen", returning.never_seen, returning.NEEDS, usual="", groupings=(), open_start=True, compared=False
    ),
    ReportKind("revenue", money.revenue, money.REVENUE_NEEDS, groupings=("type", *_OF_INVOICES)),
    ReportKind("unpaid", money.unpaid, money.NEEDS, usual="", groupings=_OF_INVOICES, open_start=True, compared=False),
    ReportKind("unbilled", paperwork.unbilled, paperwork.NEEDS),
    ReportKind("missing_notes", paperwork.missing_notes, paperwork.NEEDS),
    ReportKind("changes", changes.changes, changes.NEEDS, groupings=("weekday", "hour", "week", "month")),
    ReportKind("duplicates", records.duplicates, records.NEEDS, Facing.WHOLE, "", (), compared=False),
    ReportKind("missing_contacts", records.missing_contacts, records.NEEDS, Facing.WHOLE, "", (), compared=False),
)
KINDS: Final[Mapping[str, ReportKind]] = {kind.name: kind for kind in _TABLE}
