"""The rules by which an update is asked about: what each looks for in a call, and what it finds in the record.

A rule says of a call alone whether it could apply, so that everyday changes cost no reading, and of the record as it is
what would be lost. Which update has which rules stands in `effects.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from cliniko_mcp.approvals.facts import Facts, day_words, when_words
from cliniko_mcp.approvals.links import linked_words
from cliniko_mcp.approvals.losses import (
    Earlier,
    Loss,
    amount,
    as_json,
    changed,
    empties,
    field_words,
    text_to_be,
    value_words,
    written,
)
from cliniko_mcp.cliniko.calls import Call, Operation
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.time_zones import local_instant, time_zone

YEARS_AHEAD: Final = 2
"""A start further ahead than so many years is as good as out of the diary."""
_EASTERNMOST: Final = timedelta(hours=14)
"""How far the clocks of a site can be ahead of UTC."""
_SCANT: Final = 3
"""Letters and digits of a text that may say nothing: “x”, “n/a”, “tbc”."""
_ATTENDANCE: Final = frozenset({"arrived"})

Possible = Callable[[Call, datetime, Earlier], bool]
"""Whether a rule could apply to this call, by the call alone; the time is now, aware."""
Losses = Callable[[Facts, Call, Record, Earlier], Awaitable[list[Loss]]]
"""What this call would take from this record by a rule; none where the rule does not apply to it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that an update may do that a person is asked about."""

    name: str
    fields: tuple[str, ...]
    """The fields by which it is done; none where any field may do it."""
    when: str
    """When it applies, for people, in Markdown, after "asked about"."""
    why: str
    """Why it is asked about, for people."""
    act: str
    """What a yes does, with the noun of the record."""
    undo: str
    """What a person is told about bringing back what is lost."""
    possible: Possible
    losses: Losses


def _code(fields: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in fields)


def link_cleared(field: str, row: str) -> Rule:
    """A rule for a link that is cleared, whose row a gated operation deletes; `row` names that row."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        held = value_of(record, field)
        return [Loss(field_words(field), await linked_words(facts, field, held))] if held else []

    return Rule(
        "link",
        (field,),
        f"`clear` names `{field}` and one is set",
        f"the {row} that `delete_{row.replace(' ', '_')}` deletes goes with it",
        "Take something off this {noun}",
        "It is deleted for good.",
        lambda call, now, earlier: field in (sent := changed(call)) and empties(sent[field]),
        losses,
    )


def start_moved() -> Rule:
    """A rule for a start that is moved to a day before today or more than two years ahead."""

    def possible(call: Call, now: datetime, earlier: Earlier) -> bool:
        start = changed(call).get("starts_at")
        if not isinstance(start, datetime):
            return False
        far = (_years_later(now.date()) - now.date()) - timedelta(days=2)
        if start.tzinfo is None:
            # In whatever zone the site is, this day is not over yet.
            soonest = (now.astimezone(UTC) + _EASTERNMOST).date()
            return start.date() < soonest or start.date() - now.date() > far
        return start < now or start - now > far

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        from cliniko_mcp.cliniko.shapes.bookings import BookingStamps

        start = changed(call).get("starts_at")
        if not isinstance(start, datetime) or not isinstance(record, BookingStamps):
            return []
        old, site = record.starts_at, changed(call).get("business_id") or record.business_id
        zone = await facts.zone(site if isinstance(site, str) else None)
        day, today = _instant(start, zone).astimezone(zone).date(), facts.now.astimezone(zone).date()
        was = old.astimezone(zone).date() if old is not None else None
        if day == was or today <= day <= _years_later(today):
            return []
        before = when_words(old, None, zone, facts.now)[0] if old is not None else "an unknown time"
        return [Loss("Start", before, when_words(_instant(start, zone), None, zone, facts.now)[0])]

    return Rule(
        "start",
        ("starts_at",),
        f"`starts_at` moves to a day before today, or over {YEARS_AHEAD} years ahead",
        "it leaves the diary, as if it were cancelled, without a reason",
        "Move this {noun} out of the diary",
        "It can be moved back by hand.",
        possible,
        losses,
    )


def _instant(start: datetime, zone: tzinfo) -> datetime:
    return start if start.tzinfo is not None else local_instant(start, zone)


def _years_later(day: date) -> date:
    year = day.year + YEARS_AHEAD
    return day.replace(year=year, day=min(day.day, 28)) if day.month == 2 else day.replace(year=year)


def other_patient(*fields: str) -> Rule:
    """A rule for a record that is given another patient by one of these fields."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        found: list[Loss] = []
        for name in fields:
            new, old = changed(call).get(name), value_of(record, name)
            if isinstance(new, str) and new != old:
                before = await facts.patient(old if isinstance(old, str) else None) or "nobody"
                found.append(Loss(field_words(name), before, await facts.patient(new) or new))
        return found

    return Rule(
        "patient",
        fields,
        f"{_code(fields)} becomes another patient",
        "it leaves one patient's file and appears in another's",
        "Give this {noun} to another patient",
        "It can be given back by hand.",
        lambda call, now, earlier: any(name in changed(call) for name in fields),
        losses,
    )


def form_reopened() -> Rule:
    """A rule for a completed form that is opened again."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        from cliniko_mcp.cliniko.resources.patient_forms import PatientForm

        if not isinstance(record, PatientForm) or record.completed_at is None:
            return []
        zone = await facts.zone(None)
        day, today = (at.astimezone(zone).date() for at in (record.completed_at, facts.now))
        return [Loss("Status", f"completed on {day_words(day, today)}", "not completed")]

    return Rule(
        "reopened",
        ("completed",),
        "`completed` becomes false and the form is completed",
        "what the patient handed in counts no more, and can be changed",
        "Take back that this {noun} is completed",
        "It can be completed again, with a new date.",
        lambda call, now, earlier: changed(call).get("completed") is False,
        losses,
    )


def text_reduced(field: str, what: str) -> Rule:
    """A rule for written text of which more than four fifths would go; `what` names the text."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        old, new = (list(written(as_json(value))) for value in (value_of(record, field), changed(call).get(field)))
        held, left = amount(old), amount(new)
        # An unchanged text loses nothing, whatever was taken from it before.
        if left >= held or left * 5 >= max(held, earlier.text):
            return []
        return [Loss(what, value_words(" / ".join(old)), text_to_be(new))]

    return Rule(
        "text",
        (field,),
        f"`{field}` keeps less than a fifth of the letters and digits that were written there",
        "what was written about a patient is gone, as if the record were archived",
        "Take away most of what this {noun} says",
        "What was written cannot be brought back from here.",
        lambda call, now, earlier: field in changed(call),
        losses,
    )


def zone_changed() -> Rule:
    """A rule for a site whose time zone is changed."""

    names = ("time_zone", "time_zone_identifier")

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        sent = changed(call)
        # The label counts where both are sent (cliniko-api.md#communications-phones-zones).
        new = next((sent[name] for name in names if name in sent), None)
        old = next((held for name in reversed(names) if isinstance(held := value_of(record, name), str)), None)
        known = time_zone(new) if isinstance(new, str) else None
        if new == old or (known is not None and known == time_zone(old)):
            return []
        return [Loss("Time zone", old or "none", known.key if known is not None else value_words(new))]

    return Rule(
        "zone",
        names,
        f"{_code(names)} becomes another time zone",
        "every time in the site's diary shifts",
        "Change the time zone of this {noun}",
        "It can be changed back by hand.",
        lambda call, now, earlier: any(name in changed(call) for name in names),
        losses,
    )


def _emptied() -> Rule:
    def possible(call: Call, now: datetime, earlier: Earlier) -> bool:
        return len(emptied(call)) > 0 and len(emptied(call) | _fields(earlier)) > 1

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        holds, before = held(call, record), _fields(earlier)
        going = emptied_of(call, record)
        left = {name for name in holds if not _scant(value_of(record, name))}
        if 2 * len(going | (before - left)) <= len(holds | before):
            return []
        return [
            Loss(field_words(name), await linked_words(facts, name, value_of(record, name)), value_words(sent))
            for name, sent in changed(call).items()
            if name in going
        ]

    return Rule(
        "emptied",
        (),
        "two fields or more are emptied, and these are more than half of what the record holds",
        "what is left is hardly the record any more",
        "Empty most of this {noun}",
        "What is emptied cannot be brought back from here.",
        possible,
        losses,
    )


def _fields(earlier: Earlier) -> frozenset[str]:
    return frozenset(name for name in earlier.emptied if "." not in name)


def emptied(call: Call) -> frozenset[str]:
    """The fields that an update may empty, by the call alone, attendance left out."""
    return frozenset(name for name, value in changed(call).items() if empties(value) or _scant(value)) - _ATTENDANCE


def emptied_of(call: Call, record: Record) -> frozenset[str]:
    """The fields of this record that an update empties, attendance left out.

    A text of which next to nothing is left counts too: “n/a” in place of a paragraph.
    """
    sent = changed(call)
    return frozenset(
        name
        for name in emptied(call) & held(call, record)
        if empties(sent[name]) or _says_little(sent[name], value_of(record, name))
    )


def _scant(value: object) -> bool:
    return isinstance(value, str) and amount([value]) <= _SCANT


def _says_little(sent: object, held: object) -> bool:
    """Whether a scant text stands in place of words that were three times as long; a number is no text."""
    if not isinstance(held, str) or not any(map(str.isalpha, held)):
        return False
    return 3 * amount([str(sent)]) <= amount([held])


def held(call: Call, record: Record) -> frozenset[str]:
    """The fields that an update of this record could send and that hold something, attendance left out."""
    fields = call.operation.body.model_fields if call.operation.body is not None else {}
    return frozenset(name for name in fields if _holds(value_of(record, name))) - _ATTENDANCE


def can_be_emptied(operation: Operation) -> bool:
    """Whether two fields of this update can be emptied, which the rule for emptied records takes."""
    return len({*operation.clearable} - _ATTENDANCE) > 1


def _holds(value: object) -> bool:
    return not isinstance(value, bool) and not empties(value) and as_json(value) not in ({}, None)


EMPTIED: Final = _emptied()
"""The rule that holds for every update."""
