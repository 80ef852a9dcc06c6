"""report: what the clinic's own rows say of attendance, money, notes, patients and hours, with the definition used.

Requests: 5 for the roster, 1 for each 95 names shown, and those of the kind, which grow with pages of data only: see
`frontdesk.reports` (attendance, money, returning, hours, records).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from importlib import import_module
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.errors import InvalidArguments, JsonValue, NotUnderstood
from cliniko_mcp.frontdesk.reports.question import Finding, Json, ReportQuestion
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.envelope import MOST_BYTES, USUAL_BYTES, Answer, size
from cliniko_mcp.results.names import person
from cliniko_mcp.tools.tool import curated

Kind = Literal[
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
MOST: Final = 200
_USUAL: Final = 60
LONGEST: Final = timedelta(days=800)

_MODULES: Final[Mapping[Kind, str]] = {
    "no_shows": "attendance",
    "cancellations": "attendance",
    "unbilled": "attendance",
    "missing_notes": "attendance",
    "unpaid": "money",
    "lapsed": "returning",
    "new_patients": "returning",
    "utilisation": "hours",
    "duplicates": "records",
    "missing_contacts": "records",
}
_USUAL_DAYS: Final[Mapping[Kind, tuple[int, int]]] = {
    "no_shows": (30, 0),
    "cancellations": (30, 0),
    "unbilled": (30, 0),
    "missing_notes": (30, 0),
    "utilisation": (28, 1),
    "new_patients": (90, 0),
    "lapsed": (180, 60),
}
"""Where no time is said: from so many days ago to so many days ago; all time for the others."""
_ROOM: Final = 700
"""Bytes kept for what the envelope adds."""


class Report(Body):
    kind: Kind
    when: str | None = Field(default=None, description="E.g. last month.")
    practitioner: str | None = None
    business: str | None = None
    limit: int | None = None
    skip: int = 0


async def work(clinic: GuardedClinic, given: Report) -> Answer:
    """The report: what is meant, what it comes to, and the rows that fit."""
    if given.skip < 0 or (given.limit is not None and not 1 <= given.limit <= MOST):
        raise InvalidArguments(f"limit is 1 to {MOST}, and skip 0 or more.", "Correct them and call again.")
    roster = await Roster.load(clinic)
    practitioner = roster.practitioner(given.practitioner) if given.practitioner else None
    business = roster.business(given.business) if given.business else None
    phrase = given.when or _usual(given.kind, clinic, roster)
    span = read_span(phrase, clinic.now, roster, [business] if business else ()) if phrase else None
    if span is not None:
        _short_enough(span)
    asked = ReportQuestion(clinic, roster, span, practitioner, business, clinic.now)
    module = import_module(f"cliniko_mcp.frontdesk.reports.{_MODULES[given.kind]}")
    make: Callable[[ReportQuestion], Awaitable[Finding]] = getattr(module, given.kind)
    found = await make(asked)
    body: dict[str, JsonValue] = {"kind": given.kind, "when": span.description if span else "all time"}
    for name, known in (("practitioner", practitioner), ("business", business)):
        if known is not None:
            body[name] = known.name
    body |= {"definition": found.definition, "summary": dict(found.summary)}
    notes = remarks(practitioner, business)
    rows = await _rows(clinic, given, found, size([body, notes, found.notes]))
    left = len(found.rows) - given.skip - len(rows)
    body["items"] = list[JsonValue](rows)
    body["page"] = {"returned": len(rows), "total": len(found.rows), "complete": left <= 0}
    notes += found.notes
    if left > 0:
        notes.append(
            f"{left:,} more rows: call again with skip: {given.skip + len(rows)}, or narrow when. The summary is whole."
        )
    return Answer(body, notes, span.zone if span else roster.home)


def _usual(kind: Kind, clinic: GuardedClinic, roster: Roster) -> str | None:
    """The time where none is said; None where all time is meant."""
    if kind not in _USUAL_DAYS:
        return None
    today = local_day(clinic.now, roster.home)
    first, last = (today - timedelta(days=days) for days in _USUAL_DAYS[kind])
    return f"{first} to {last}"


def _short_enough(span: Span) -> None:
    starts, ends = span.bounds
    if ends - starts > LONGEST:
        raise NotUnderstood(
            f"That is longer than a report covers ({LONGEST.days} days): {span.description}.",
            "Ask about a shorter time, one after another.",
            examples=["last month", "past 12 months", "2026-01-01 to 2026-06-30"],
        )


async def _rows(clinic: GuardedClinic, given: Report, found: Finding, used: int) -> list[Json]:
    """The rows that fit, with the patients' names."""
    some = found.rows[given.skip : given.skip + (given.limit or _USUAL)]
    ids = [str(row["patient_id"]) for row in some if row.get("patient_id")]
    records = await clinic.by_id_named("list_patients", ids)
    room = (MOST_BYTES if given.limit is not None else USUAL_BYTES) - _ROOM - used
    shown: list[Json] = []
    for row in some:
        if (key := row.get("patient_id")) is not None:
            name = person(records[str(key)]) if str(key) in records else ""
            row = {"patient": name or f"patient {key}", **row}
        room -= size(row) + 1
        if room < 0 and shown:
            break
        shown.append(row)
    return shown


tool = curated(
    "report",
    "Clinic reports with the definition used: no-shows (DNA), cancellations with notice, unbilled visits, unpaid "
    "invoices, visits without final note, lapsed patients, utilisation in hours, new patients and return rate, "
    "duplicates, missing contacts.",
    Report,
    work,
    needs=ROSTER_NEEDS,
    synonyms="statistics how many rate kpi who didn't show up did not come invoiced overdue debtors owing recall not "
    "seen busy full capacity retention conversion uninvoiced unwritten incomplete find duplicate merge no email aged",
)
