"""block_time: time blocked out in a practitioner's diary by phrase, with the appointments in it shown first.

Requests: 5 for the roster and one for the kinds of blocked-out time, then at once two for working hours and one for
each hundred diary entries of the span; then a write for each block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final

from pydantic import Field

from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.cliniko.fields import utc_text
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import Ambiguous, Clash, ClinikoRefused, InvalidArguments, JsonValue
from cliniko_mcp.frontdesk import working_hours
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clashes import shown
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import collect, run_concurrently
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, candidate, chosen, remarks
from cliniko_mcp.frontdesk.spans import Span, point_of, read_span
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.names import text_of
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import label
from cliniko_mcp.tools.tool import curated

MOST: Final = 31
"""Blocks made in one call."""
_AROUND: Final = timedelta(days=7)


class BlockTime(Body):
    practitioner: str
    when: str = Field(description="E.g. Friday 12 to 1.")
    business: str | None = Field(default=None, description="Site.")
    type: str | None = Field(default=None, description="E.g. Lunch, Leave.")
    notes: str | None = None
    allow_clash: str | None = Field(default=None, description="The clash text of a refusal.")


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch to block out at a site, in UTC; `there` is the id of the very same block in the diary, if any."""

    site: Known
    time: Stretch
    there: str

    def row(self, roster: Roster) -> dict[str, JsonValue]:
        zone = roster.zone(self.site.id)
        row: dict[str, JsonValue] = {
            "starts_at": local_text(self.time.starts, zone),
            "ends_at": end_of(*self.time, zone),
            "business": self.site.name,
        }
        return {**row, "id": self.there} if self.there else row


async def work(clinic: GuardedClinic, given: BlockTime) -> Answer:
    """The blocks as made, and those that were there already. Raises Clash where appointments lie in new ones."""

    async def kinds() -> list[Record]:
        return await collect(clinic.all_named("list_unavailable_block_types", archived_at="all")) if given.type else []

    roster, known_kinds = await run_concurrently(partial(Roster.load, clinic), kinds)
    who = roster.practitioner(given.practitioner)
    asked = roster.business(given.business) if given.business else None
    for field, known in (("practitioner", who), ("business", asked)):
        if known is not None and known.gone:
            raise InvalidArguments(
                f"{known.note} There is nothing to block out.", "Choose one that clinic_overview shows.", field=field
            )
    kind = _kind(given.type, known_kinds) if given.type else None
    span = read_span(given.when, clinic.now, roster, [asked] if asked else ())
    starts, ends = span.bounds
    diary = await working_hours.read_diary(clinic, roster, starts - _AROUND, ends + _AROUND, {who.id})
    blocks = _blocks(roster, span, who, diary, asked, kind)
    new = [each for each in blocks if not each.there]
    hit = [each for each in diary.entries if each.kind != "block" and any(each.meets(*block.time) for block in new)]
    text = _seal(who, new, hit)
    rows = [each.row(roster) for each in blocks]
    body: dict[str, JsonValue] = {
        "when": read_span(
            given.when, clinic.now, roster, {each.site.id: each.site for each in blocks}.values()
        ).description,
        "practitioner": who.name,
        "items": list[JsonValue](rows),
    }
    if kind is not None:
        body["type"] = kind.name
    zone = roster.zone(blocks[0].site.id)
    booked = [_booked(each, roster) for each in hit]
    if hit and given.allow_clash != text:
        raise Clash(
            f"Not blocked out: {len(hit)} booking{'s lie' if len(hit) > 1 else ' lies'} in that time and would stay.",
            "Tell the user; move_appointment or cancel_appointment first, or, if they still want it, call again with "
            "allow_clash set to the text under clash.",
            clash=text,
            clashes=shown(booked),
        )
    notes = [f"{len(hit)} booking{'s' if len(hit) > 1 else ''} in that time: left in the diary."] if hit else []
    notes += remarks(who, asked, kind)
    if not any(working_hours.within(diary.work.get((who.id, each.site.id), ()), [each.time]) for each in blocks):
        notes.append(f"{who.name} does not work in that time anyway.")
    if new:
        await _make(clinic, given, who, kind, blocks, rows, body, notes)
    else:
        body["done"] = "Nothing was changed: that time is blocked out already."
    return Answer(body, notes, zone)


def _kind(said: str, rows: Sequence[Record]) -> Known:
    known = [
        Known(str(getattr(row, "id", "")), text_of(row, "name"), row, _gone(row), (text_of(row, "name"),))
        for row in rows
    ]
    found = chosen("kind of block", said, {each.id: each for each in known}, "list_unavailable_block_types has them.")
    if found.gone:
        raise InvalidArguments(found.note, "Choose another kind, or leave type out.", field="type")
    return found


def _gone(row: Record) -> str:
    return "archived" if getattr(row, "archived_at", None) is not None else ""


def _blocks(
    roster: Roster, span: Span, who: Known, diary: Diary, asked: Known | None, kind: Known | None
) -> list[_Block]:
    """A block for each stretch of the span with working time, at the site where the practitioner works then.

    Stretches without any working time are left out, unless there is none with.

    Raises Ambiguous where that is not one site, and InvalidArguments for too many blocks or a time without a length.
    """
    usual = [asked] if asked else [roster.businesses[each] for each in diary.sites(who.id)]
    sites = usual or roster.sites
    found: list[_Block] = []
    for site in sites:
        stretches = [Stretch(*each) for each in _stretches(span, site, kind)]
        mine = diary.work.get((who.id, site.id), ())
        there = [each for each in stretches if working_hours.within(mine, [each])]
        if not there and len(sites) == 1:
            there = stretches
        found += [_Block(site, each, _already(diary, site, each, kind)) for each in there]
    found.sort(key=lambda each: each.time)
    twice = any(one.time.ends > other.time.starts for one, other in pairwise(found))
    if not found or twice:
        raise Ambiguous(
            f"{who.name} could be blocked out at {len(sites)} sites then.",
            "Ask at which site, then call again with business.",
            candidates=[candidate(each) for each in sites[:5]],
        )
    if len(found) > MOST:
        raise InvalidArguments(
            f"That makes {len(found)} blocks; {MOST} is the most in one call.", "Shorten when.", field="when"
        )
    return found


def _already(diary: Diary, site: Known, time: Stretch, kind: Known | None) -> str:
    """The id of a block there of just this time, and of this kind where one was said; empty if there is none."""
    same = (each for each in diary.entries if each.kind == "block" and each.business_id == site.id)
    for each in same:
        sort = getattr(each.record, "unavailable_block_type_id", None)
        if (each.starts, each.ends) == time and (kind is None or kind.id == sort):
            return each.id
    return ""


def _stretches(span: Span, site: Known, kind: Known | None) -> list[tuple[datetime, datetime]]:
    point = point_of(span.at(site.id))
    if point is None:
        return [(low.astimezone(UTC), high.astimezone(UTC)) for low, high in span.windows(site.id)]
    minutes = getattr(kind.record if kind else None, "duration_in_minutes", None)
    if not isinstance(minutes, int):
        raise InvalidArguments(
            f"That is one point in time: {span.at(site.id).said}.",
            "Give a stretch such as 12 to 1, or a type, whose length is taken.",
            field="when",
        )
    return [(point, point + timedelta(minutes=minutes))]


def _booked(entry: Entry, roster: Roster) -> str:
    zone = roster.zone(entry.business_id)
    kind = roster.name("appointment_type_id", entry.type_id) or "appointment"
    span = f"{local_text(entry.starts, zone)} to {end_of(entry.starts, entry.ends, zone)}"
    patient = label(text_of(entry.record, "patient_name"))
    whose = patient if entry.kind == "appointment" else f"{len(entry.patient_ids)} patients"
    return f"{span} {kind}, {whose} (booking {entry.id})"


def _seal(who: Known, blocks: Sequence[_Block], hit: Sequence[Entry]) -> str:
    made = [f"{each.site.id} {each.time.starts.isoformat()} {each.time.ends.isoformat()}" for each in blocks]
    lying = [f"{each.id} {each.starts.isoformat()} {each.ends.isoformat()}" for each in hit]
    return f"clash-{digest(who.id, *made, '|', *lying)[:10]}"


async def _make(
    clinic: GuardedClinic,
    given: BlockTime,
    who: Known,
    kind: Known | None,
    blocks: Sequence[_Block],
    rows: Sequence[dict[str, JsonValue]],
    body: dict[str, JsonValue],
    notes: list[str],
) -> None:
    """Make the blocks one after the other, those apart that are there; what was made is said even where one fails."""
    more: dict[str, object] = {"unavailable_block_type_id": kind.id} if kind else {}
    more |= {"notes": given.notes} if given.notes else {}
    made, there = 0, sum(1 for each in blocks if each.there)
    for block, row in zip(blocks, rows, strict=True):
        if block.there:
            continue
        try:
            record = await clinic.perform(
                clinic.call(
                    "create_unavailable_block",
                    practitioner_id=who.id,
                    business_id=block.site.id,
                    starts_at=utc_text(block.time.starts, None),
                    ends_at=utc_text(block.time.ends, None),
                    **more,
                )
            )
        except ClinikoRefused as problem:
            if not made:
                raise
            body["items"] = [each for each in rows if "id" in each]
            body["failed"] = [each for each in rows if "id" not in each]
            notes.append(f"Only {made} of {len(blocks)} blocks were made, then: {problem.message} Check show_diary.")
            break
        row["id"] = str(getattr(record, "id", ""))
        made += 1
    if there:
        notes.append(f"The same block is not made twice: {there} were there already.")
    body["done"] = f"Blocked out {made} of {len(blocks)}."


tool = curated(
    "block_time",
    "Block out time in a practitioner's diary (leave, lunch, meeting) by phrase; several days make several "
    "blocks. Appointments in that time are shown first; they stay.",
    BlockTime,
    work,
    risk=Risk.WRITE,
    needs=("create_unavailable_block", "list_unavailable_block_types", *ROSTER_NEEDS, *working_hours.NEEDS),
    synonyms="time off holiday away sick day unavailable block out break annual leave closed conference",
)
