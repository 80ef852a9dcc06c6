"""report: what the clinic's own rows say of attendance, money, notes, patients and hours, with the definition used.

Requests: 10 cold, 5 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, 1 for each 95 names shown, and those of the kind, which grow with pages of data only: see the modules of
`frontdesk.reports`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, WithJsonSchema

from cliniko_mcp.cliniko.codes import choice_of
from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import InvalidArguments, NotAllowed
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import CursorPage, PatientRow
from cliniko_mcp.frontdesk.day_sheet import phones_of
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.cohorts import Cohort
from cliniko_mcp.frontdesk.reports.facts import GROUPINGS, breakdown
from cliniko_mcp.frontdesk.reports.figures import Breakdown, Comparison, Figure, Findable
from cliniko_mcp.frontdesk.reports.kinds import KINDS, ReportKind, ReportRow
from cliniko_mcp.frontdesk.reports.nearest import nearest
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.reports.sources import with_people
from cliniko_mcp.frontdesk.reports.span import Earlier, before, closed, over, read_time
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Roster, known_record, remarks
from cliniko_mcp.frontdesk.set_up_words import means_all_time, means_everyone, means_everywhere
from cliniko_mcp.frontdesk.spans import OpenSpan, Span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import Facing
from cliniko_mcp.results.budget import MAX_TOKENS, USUAL_TOKENS, size
from cliniko_mcp.results.envelope import Answer, compact
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import counted
from cliniko_mcp.tools.paging import Paging
from cliniko_mcp.tools.tool import curated_pages

_FEW: Final = 10
"""Rows shown where nobody says how many: a question of how many is answered with the count and a few examples."""
_ROOM: Final = 300
"""Tokens kept for what the envelope adds."""
_A_WHILE: Final = timedelta(minutes=1)


def _one_of(names: Collection[str]) -> AfterValidator:
    def chosen(text: str) -> str:
        if (name := choice_of(text, names)) is None:
            near = nearest(text, names)
            raise ValueError(f"must be one of {', '.join(names)}{f'; the nearest is {near}' if near else ''}")
        return name

    return AfterValidator(chosen)


_Kind = Annotated[str, _one_of(KINDS), WithJsonSchema({"type": "string", "enum": [*KINDS]})]
_Grouping = Annotated[str, _one_of(GROUPINGS)]


class Report(Body):
    """Which report, of what time, practitioner and site; `cursor` goes on after the rows shown before."""

    kind: _Kind
    when: str | None = None
    practitioner: str | None = None
    business: str | None = None
    by: list[_Grouping] = Field(default_factory=list[str])
    compare: Earlier | None = None
    words: str | None = None
    patient: str | None = None
    phones: bool = False
    limit: int | None = Field(default=None, ge=1, le=200)
    cursor: str | None = None


class Reported(AnswerModel):
    """A report: each kind has the figures and rows of its own."""

    kind: str = Field(description="Which report.")
    when: str = Field(description="The time as it was understood.")
    over: str | None = Field(default=None, description="How much of that time is over.")
    practitioner: str | None = Field(default=None, description="The practitioner asked about.")
    business: str | None = Field(default=None, description="The site asked about.")
    patient: str | None = Field(default=None, description="The patient asked about.")
    definition: str | None = Field(default=None, description="What is counted and what is not.")
    summary: dict[str, Figure] | None = Field(default=None, description="The figures, over all rows, shown or not.")
    by: dict[str, Breakdown] | None = Field(default=None, description="The first figure broken down.")
    cohorts: list[Cohort] | None = Field(default=None, description="In retention by month: how soon they came back.")
    compared: Comparison | None = Field(default=None, description="The same figures of an earlier span.")
    items: list[ReportRow] | None = Field(default=None, description="The rows, or a few examples of them.")
    page: CursorPage | None = Field(default=None, description="How many of how many rows are shown.")

    def with_parts(self, **parts: object) -> Reported:
        """The same with what was found."""
        return Reported.model_validate({**dict(self), **parts})


async def report(clinic: GuardedClinic, arguments: Report, paging: Paging) -> Answer:
    """The report: what is meant, what it comes to, and the rows that fit."""
    kind, now = KINDS[arguments.kind], paging.begun_at
    _check(kind, arguments)
    roster = await Roster.load(clinic)
    who = arguments.practitioner
    practitioner = roster.practitioner(who) if who and not means_everyone([who], or_anyone=True) else None
    at = arguments.business
    business = roster.business(at) if at and not means_everywhere(at) else None
    patient = await find_patient(clinic, arguments.patient) if arguments.patient else None
    phrase = _phrase(kind, arguments.when) if arguments.when else "" if patient else kind.usual
    span = read_time(phrase, now, roster, business, kind.facing) if phrase else None
    body = Reported(
        kind=kind.name,
        when=span.description if span else "all time",
        over=over(span, now) if span else None,
        practitioner=practitioner.name if practitioner else None,
        business=business.name if business else None,
        patient=patient.name if patient else None,
    )
    notes = remarks(practitioner, business, patient)
    zone = span.zone if span else roster.home
    try:
        span = await _read(kind, span, clinic)
        question = ReportQuestion(
            clinic, roster, span, practitioner, business, now, arguments.by, arguments.words or "", patient,
            arguments.phones,
        )  # fmt: skip
        if "new_or_returning" in arguments.by:
            await question.history()  # first, because everything else that is read is part of it
        then = await _earlier(kind, question, arguments.compare)
        found = await kind.make(question)
        groups = await _groups(question, found)
    except NotAllowed as refusal:
        notes.append(f"This report is not made, because it reads what may not be read. {refusal.message}")
        return Answer(body, notes, zone)
    body = body.with_parts(
        definition=found.definition, summary=found.summary, by=groups or None, cohorts=found.cohorts or None
    )
    if then is not None:
        body = body.with_parts(compared=_compared(found, *then))
    larger = arguments.limit is not None or paging.continued or arguments.by or arguments.compare
    most = MAX_TOKENS if larger else USUAL_TOKENS
    lines = [compact(row.as_json()) for row in found.rows]
    start, remark = paging.begin(lines)
    some = found.rows[start : start + (arguments.limit or _FEW)]
    room = most - _ROOM - paging.tokens - size([body.as_json(), notes, found.notes])
    rows = await _rows(clinic, arguments, some, room, notes)
    notes += [*found.notes, *remark, *_as_at(now, clinic.now, zone)]
    end = start + len(rows)
    left = len(found.rows) - end
    page = CursorPage(
        returned=len(rows),
        total=len(found.rows),
        complete=left <= 0,
        next_cursor=paging.next_cursor(lines, end) if left > 0 else None,
    )
    if left > 0:
        notes.append(f"{counted(left, 'more row')}: call again with next_cursor as cursor, and limit for more at once.")
    return Answer(body.with_parts(items=rows, page=page), notes, zone, room=most)


def _as_at(begun: datetime, now: datetime, zone: ZoneInfo) -> list[str]:
    """A remark where the first page was made a while ago, whose moment the others keep."""
    if now - begun < _A_WHILE:
        return []
    return [f"Made as at {local_text(begun, zone)}, when its first rows were given."]


def _check(kind: ReportKind, arguments: Report) -> None:
    """Raises InvalidArguments for what this kind does not have or cannot do without."""
    wrong = [name for name in arguments.by if name not in kind.groupings]
    if wrong:
        takes = f"It can be grouped by {', '.join(kind.groupings)}." if kind.groupings else "Leave by out."
        raise InvalidArguments(f"{kind.name} is not grouped by {', '.join(wrong)}.", takes, field="by")
    if kind.words and not arguments.words:
        raise InvalidArguments(f"{kind.name} needs words to look for.", "Give words.", field="words")
    refused = {
        "compare": arguments.compare is not None and not kind.compared,
        "words": arguments.words is not None and not kind.words,
        "practitioner": arguments.practitioner is not None and not kind.practitioners,
        "business": arguments.business is not None and not kind.sites,
        "patient": arguments.patient is not None and not kind.patients,
    }
    for name, is_refused in refused.items():
        if is_refused:
            raise InvalidArguments(f"{kind.name} does not take {name}.", f"Leave {name} out.", field=name)


def _phrase(kind: ReportKind, when: str) -> str:
    """The phrase to read; empty where all time is meant and the kind can do without a beginning."""
    if not means_all_time(when):
        return when
    if kind.open_start or kind.words or not kind.usual:
        return ""
    return "until today" if kind.facing is Facing.BACK else when


async def _read(kind: ReportKind, span: Span | OpenSpan | None, clinic: GuardedClinic) -> Span | OpenSpan | None:
    """The time as the kind takes it: with a start, unless it can do without."""
    return span if span is None or kind.open_start else await closed(span, clinic, kind.begins)


async def _earlier(kind: ReportKind, question: ReportQuestion, earlier: Earlier | None) -> tuple[Span, Finding] | None:
    """The earlier span and what is found there. It comes first, because it reads what the later one needs."""
    if earlier is None:
        return None
    span = before(question.time, earlier, question.roster, question.business)
    return span, await kind.make(question.at(span))


def _compared(found: Finding, span: Span, then: Finding) -> Comparison:
    change = figures.changes(found.summary, then.summary)
    return Comparison(when=span.description, summary=then.summary, change=change)


async def _groups(question: ReportQuestion, found: Finding) -> dict[str, Breakdown]:
    """The breakdowns asked for, then those that the kind itself makes."""
    if found.facts is None:
        return found.by
    facts, roster = await with_people(question, found.facts), question.roster
    return {name: breakdown(GROUPINGS[name], facts, roster) for name in question.by} | found.by


async def _rows(
    clinic: GuardedClinic, arguments: Report, some: Sequence[AnswerModel], room: int, notes: list[str]
) -> Sequence[AnswerModel]:
    """Those of these rows that fit, with the patients' names; a note where names may not be read."""
    ids = [row.patient_id for row in some if isinstance(row, PatientRow) and row.patient_id]
    reads = PartialReads()
    patients = await reads.read("Patients' names", partial(clinic.by_id, Patients.list_patients, ids)) or {}
    notes += reads.notes
    shown: list[AnswerModel] = []
    for row in some:
        if isinstance(row, PatientRow) and row.patient_id:
            row = row.model_copy(update=_who(row, patients, phones=arguments.phones))
        room -= size(row.as_json()) + 1
        if room < 0 and shown:
            break
        shown.append(row)
    return shown


def _who(row: PatientRow, patients: Mapping[str, Patient], *, phones: bool) -> dict[str, str | None]:
    """The name of a row's patient, and the phone number where it is asked for."""
    patient = patients.get(row.patient_id or "")
    who: dict[str, str | None] = {"patient": (name_of(patient) if patient else "") or f"patient {row.patient_id}"}
    if phones and isinstance(row, Findable) and patient is not None:
        who["phone"] = next(iter(phones_of(known_record(patient))), None)
    return who


tool = curated_pages(
    "report",
    "A manager's figures, by practitioner, site, type, week...; looks back.",
    Report,
    report,
    answer=Reported,
    needs=[*ROSTER_NEEDS, *visits.NEEDS],
)
"""The clinic's reports: each a definition, figures and rows, computed from whole lists, not from a first page."""
