"""The worked examples of docs/reports.md, counted from the rows of the demo clinic on 24 November 2026 at 9:00."""

import json
from collections.abc import Callable
from datetime import date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from .expected_papers import find_in_notes, missing_contacts
from .figures import FIGURES
from .minutes import Minutes, hours, minute
from .recount import DAY, Recount, Row, share

WORDS = "sleeping well"
MEI = "Dr Mei Ng"
FOUR_WEEKS = date(2026, 11, 24), date(2026, 12, 21)
LAST_WEEK, LAST_MONTH = (date(2026, 11, 16), date(2026, 11, 22)), (date(2026, 10, 1), date(2026, 10, 31))
NINETY_DAYS, ALL = (date(2026, 8, 26), date(2026, 11, 23)), (date.min, date.max)


class Example(NamedTuple):
    """What a report is asked, which of its figures the page shows, and those figures from the rows."""

    question: dict[str, Any]
    shown: tuple[str, ...]
    counted: Callable[[Recount], Row]


def _of(kind: str, when: str | None, span: tuple[date, date], *shown: str) -> Example:
    question = {"kind": kind, **({"when": when} if when else {})}
    return Example(question, shown, lambda recount: FIGURES[kind](recount, *span))


def _mei(recount: Recount) -> str:
    return next(row["id"] for row in recount.rows("practitioners") if row["label"] == MEI)


def _utilisation(recount: Recount) -> Row:
    found, who = Minutes(recount, *LAST_WEEK), _mei(recount)
    work, booked = ({key for key in some if key[0] == who} for some in (found.work.keys(), found.booked))
    open_ = work - found.blocked
    return {
        "booked_hours_within_open_hours": share(hours(len(open_ & booked)), hours(len(open_))),
        "open_hours": {"count": hours(len(open_))},
        "blocked_hours": {"count": hours(len(work) - len(open_))},
        "booked_hours": {"count": hours(len(booked))},
        "delivered_hours": {"count": hours(found.mine(found.delivered, who))},
        "free_hours": {"count": hours(len(open_ - booked))},
    }


def _ahead(recount: Recount) -> Row:
    found, who = Minutes(recount, *FOUR_WEEKS), _mei(recount)
    open_ = {key for key in found.work.keys() - found.blocked if key[0] == who and key[1] >= minute(recount.now)}
    inside = open_ & found.booked
    ends = max(
        datetime.combine(FOUR_WEEKS[1] + DAY, datetime.min.time(), zone).timestamp() for zone in recount.zones.values()
    )
    weeks = (ends - recount.now.timestamp()) / (7 * DAY).total_seconds()
    return {
        "booked_hours_within_open_hours": share(hours(len(inside)), hours(len(open_))),
        "weeks_booked": {"count": round(len(inside) / (len(open_) / weeks), 1)},
    }


def _duplicates(recount: Recount) -> Row:
    """Files with a birthday in common whose last names are the same, and one first name begins with the other."""
    files = [row for row in recount.patients if row["id"] in recount.in_use]
    pairs = [
        (one, other)
        for one, other in combinations(files, 2)
        if one.get("date_of_birth") and one["date_of_birth"] == other.get("date_of_birth")
        if one["last_name"] == other["last_name"]
        if one["first_name"].startswith(other["first_name"]) or other["first_name"].startswith(one["first_name"])
    ]
    return {"groups_of_files": {"count": len(pairs)}, "files_compared": {"count": len(files)}}


EXAMPLES = {
    "activity": _of("activity", "last week", LAST_WEEK, "visits_kept", "people_seen", "new_people_seen",
                    "visits_kept_a_week_on_average"),
    "no_shows": _of("no_shows", "last week", LAST_WEEK, "no_shows", "no_shows_and_late_cancellations"),
    "cancellations": _of("cancellations", "last week", LAST_WEEK, "cancelled", "cancelled_late", "lost"),
    "new_cancellations": _of("new_cancellations", "last week", LAST_WEEK, "cancellations_made", "cancelled_late"),
    "new_bookings": _of("new_bookings", "last week", LAST_WEEK, "bookings_made", "made_on_the_website",
                        "days_ahead_on_average"),
    "utilisation": Example(
        {"kind": "utilisation", "when": "last week", "practitioner": MEI},
        ("booked_hours_within_open_hours", "blocked_hours", "delivered_hours", "free_hours"),
        _utilisation,
    ),
    "ahead": Example(
        {"kind": "ahead", "when": f"{FOUR_WEEKS[0]} to {FOUR_WEEKS[1]}", "practitioner": MEI},
        ("booked_hours_within_open_hours", "weeks_booked"),
        _ahead,
    ),
    "retention": _of("retention", None, NINETY_DAYS, "new_patients", "new_patients_who_came_back",
                     "patient_visit_average_pva", "rebook_rate"),
    "rebooking": _of("rebooking", "last month", LAST_MONTH, "rebook_rate", "patient_visit_average_pva", "new_patients"),
    "lapsed": _of("lapsed", None, (date.min, date(2026, 5, 24)), "lapsed_patients"),
    "not_rebooked": _of("not_rebooked", "last month", LAST_MONTH, "patients_without_next_booking"),
    "never_seen": _of("never_seen", None, ALL, "patients_never_seen", "of_them_with_a_visit_booked"),
    "sources": _of("sources", None, NINETY_DAYS, "invoiced_to_new_patients", "new_patients_with_a_source"),
    "duplicates": Example({"kind": "duplicates"}, ("groups_of_files", "files_compared"), _duplicates),
    "missing_contacts": Example(
        {"kind": "missing_contacts"},
        ("patients_without_phone", "patients_without_email", "sms_reminders_without_mobile"),
        missing_contacts,
    ),
    "revenue": _of("revenue", "last month", LAST_MONTH, "invoiced", "invoiced_and_paid", "invoiced_and_open",
                   "visits_billed", "average_per_visit_billed"),
    "unpaid": _of("unpaid", None, ALL, "unpaid_invoices", "patients_with_unpaid_invoices"),
    "unbilled": _of("unbilled", "last month", LAST_MONTH, "unbilled_visits", "expected_for_them"),
    "missing_notes": _of("missing_notes", "last month", LAST_MONTH, "visits_without_final_note", "visits_with_a_draft"),
    "find_in_notes": Example(
        {"kind": "find_in_notes", "when": "last month", "words": WORDS},
        ("notes_with_the_words", "patients"),
        lambda recount: find_in_notes(recount, *LAST_MONTH, WORDS),
    ),
    "cases": _of("cases", None, ALL, "open_cases", "with_a_session_limit", "without_a_session_left",
                 "expiring_within_30_days"),
    "forms": _of("forms", None, (date(2026, 11, 24), date(2026, 11, 30)), "open_forms", "visits_with_an_open_form"),
    "alerts": _of("alerts", None, (date.min, date(2025, 11, 24)), "alerts_not_touched"),
}  # fmt: skip
"""By the kind; that of `changes` is made by `changes_in`, as the demo clinic begins without an audit log."""


def changes_in(log: Path) -> Row:
    """The figures of `changes` from the lines of a log in which only its two cancellations were asked about."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    ends = [line for line in lines if "of" in line and not line["operation"].startswith(("list_", "get_"))]
    made = [line for line in ends if line["outcome"] == "ok"]
    return {
        "changes_made": {"count": len(made)},
        "approved_by_a_person": share(sum(line["channel"] == "form" for line in made), len(made)),
        "declined_by_a_person": {"count": sum(line["outcome"] == "declined" for line in ends)},
    }


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"


def in_words(name: str, figure: Row) -> str:
    """A figure as the page shows it: `no_shows: 9 of 145, 6.2%`, `invoiced: 12,345.60 in 102`."""
    count = _number(figure["count"]) if "count" in figure else ""
    count += f" of {_number(figure['of'])}" if "of" in figure else ""
    if "total" in figure:
        amount = f"{float(figure['total']):,.2f}"
        return f"{name}: {amount} in {count}" if count else f"{name}: {amount}"
    return f"{name}: {', '.join(part for part in (count, figure.get('rate')) if part)}"
