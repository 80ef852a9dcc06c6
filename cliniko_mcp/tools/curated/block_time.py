"""block_time: time blocked out in a practitioner's diary by phrase, with the appointments in it shown first.

Requests: 5 for the roster and one for the types of blocked-out time, then at once two for working hours and one for
each hundred diary entries of the span; then a write for each block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final

from pydantic import Field

from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.cliniko.resources.unavailable_block_types import UnavailableBlockType, UnavailableBlockTypes
from cliniko_mcp.cliniko.resources.unavailable_blocks import UnavailableBlockBody, UnavailableBlocks
from cliniko_mcp.errors import Ambiguous, Clash, ClinikoRefused, InvalidArguments
from cliniko_mcp.frontdesk import working_hours
from cliniko_mcp.frontdesk.answer_rows import EndTime, LocalTime
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clashes import shown
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import (
    ROSTER_NEEDS,
    Known,
    Roster,
    candidate,
    chosen,
    known_record,
    name_text,
    remarks,
)
from cliniko_mcp.frontdesk.spans import Span, point_of, read_span
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import label
from cliniko_mcp.tools.curated.empty_clinic import require
from cliniko_mcp.tools.tool import curated

MAX_BLOCKS: Final = 31
"""Blocks made in one call."""
_AROUND: Final = timedelta(days=7)


class BlockTime(Body):
    """Whose time, when and where; `allow_clash` repeats the text of a refusal whose bookings are to stay."""

    practitioner: str
    when: str = Field(description="E.g. Friday 12 to 1.")
    business: str | None = Field(default=None, description="Site.")
    type: str | None = Field(default=None, description="E.g. Lunch, Leave.")
    notes: str | None = None
    allow_clash: str | None = Field(default=None, description="The clash text of a refusal.")


class BlockRow(AnswerModel):
    """A stretch of blocked-out time."""

    id: str | None = Field(default=None, description="Its id, once it is made.")
    starts_at: LocalTime = Field(description="Start, by the site's clock.")
    ends_at: EndTime = Field(description="End; only the time of day where it is on that day.")
    business: str = Field(description="The site's name.")


class Blocked(AnswerModel):
    """What was blocked out."""

    done: str = Field(description="What was changed.")
    when: str = Field(description="The time as it was understood.")
    practitioner: str = Field(description="The practitioner's name.")
    type: str | None = Field(default=None, description="The kind of blocked-out time.")
    items: list[BlockRow] = Field(description="The blocks, those that were there before too.")
    failed: list[BlockRow] | None = Field(default=None, description="The blocks that were not made.")


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch to block out at a site, in UTC; `existing_id` is that of the very same block in the diary, if any."""

    site: Known[Business]
    time: Stretch
    existing_id: str

    def row(self, roster: Roster, made_id: str | None) -> BlockRow:
        """The block as a row, in the site's local time."""
        zone = roster.zone(self.site.id)
        return BlockRow(
            starts_at=local_text(self.time.starts, zone),
            ends_at=end_of(*self.time, zone),
            business=self.site.name,
            id=self.existing_id or made_id,
        )


async def block_time(clinic: GuardedClinic, arguments: BlockTime) -> Answer:
    """The blocks as made, and those that were there already. Raises Clash where appointments lie in new ones."""
    roster, block_types = await run_concurrently(partial(Roster.load, clinic), partial(_block_types, clinic, arguments))
    require(roster, "site", "practitioner")
    practitioner = roster.practitioner(arguments.practitioner)
    business = roster.business(arguments.business) if arguments.business else None
    for field, known in (("practitioner", practitioner), ("business", business)):
        if known is not None and known.gone:
            raise InvalidArguments(
                f"{known.note} There is nothing to block out.", "Choose one that clinic_overview shows.", field=field
            )
    block_type = _block_type(arguments.type, block_types) if arguments.type else None
    span = read_span(arguments.when, clinic.now, roster, [business] if business else ())
    starts, ends = span.bounds
    diary = await working_hours.read_diary(clinic, roster, starts - _AROUND, ends + _AROUND, {practitioner.id})
    blocks = _blocks(roster, span, practitioner, diary, business, block_type)
    new = [block for block in blocks if not block.existing_id]
    booked = [
        entry for entry in diary.entries if entry.kind != "block" and any(entry.meets(*block.time) for block in new)
    ]
    clash = _clash_text(practitioner, new, booked)
    sites = {block.site.id: block.site for block in blocks}
    if booked and arguments.allow_clash != clash:
        raise Clash(
            f"Not blocked out: {len(booked)} booking{'s lie' if len(booked) > 1 else ' lies'} in that time and would "
            "stay.",
            "Tell the user; move_appointment or cancel_appointment first, or, if they still want it, call again with "
            "allow_clash set to the text under clash.",
            clash=clash,
            clashes=shown([_in_words(entry, roster) for entry in booked]),
        )
    notes: list[str] = []
    if booked:
        notes.append(f"{len(booked)} booking{'s' if len(booked) > 1 else ''} in that time: left in the diary.")
    notes += remarks(practitioner, business, block_type)
    work = diary.work
    if not any(working_hours.within(work.get((practitioner.id, block.site.id), ()), [block.time]) for block in blocks):
        notes.append(f"{practitioner.name} does not work in that time anyway.")
    done = "Nothing was changed: that time is blocked out already."
    made: list[str] = []
    if new:
        made = await _make(clinic, arguments, practitioner, block_type, blocks, notes)
        done = f"Blocked out {len(made)} of {len(blocks)}."
    ids = iter(made)
    rows = [block.row(roster, None if block.existing_id else next(ids, None)) for block in blocks]
    failed = [row for row in rows if row.id is None]
    body = Blocked(
        done=done,
        when=span.narrowed(sites.values()).description,
        practitioner=practitioner.name,
        type=block_type.name if block_type else None,
        items=[row for row in rows if row.id is not None],
        failed=failed or None,
    )
    return Answer(body, notes, roster.zone(blocks[0].site.id))


async def _block_types(clinic: GuardedClinic, arguments: BlockTime) -> list[UnavailableBlockType]:
    if not arguments.type:
        return []
    return await clinic.collect(UnavailableBlockTypes.list_unavailable_block_types, archived_at=Hidden.INCLUDED)


def _block_type(name: str, rows: Sequence[UnavailableBlockType]) -> Known[UnavailableBlockType]:
    known = {row.id: known_record(row) for row in rows}
    found = chosen("kind of block", name, known, "list_unavailable_block_types has them.")
    if found.gone:
        raise InvalidArguments(found.note, "Choose another kind, or leave type out.", field="type")
    return found


def _blocks(
    roster: Roster,
    span: Span,
    practitioner: Known[Practitioner],
    diary: Diary,
    business: Known[Business] | None,
    block_type: Known[UnavailableBlockType] | None,
) -> list[_Block]:
    """A block for each stretch of the span with working time, at the site where the practitioner works then.

    Stretches without any working time are left out, unless there is none with.

    Raises Ambiguous where that is not one site, and InvalidArguments for too many blocks or a time without a length.
    """
    usual = [business] if business else [roster.businesses[site_id] for site_id in diary.sites(practitioner.id)]
    sites = usual or roster.sites
    blocks: list[_Block] = []
    for site in sites:
        stretches = _stretches(span, site, block_type)
        hours = diary.work.get((practitioner.id, site.id), ())
        worked = [stretch for stretch in stretches if working_hours.within(hours, [stretch])]
        if not worked and len(sites) == 1:
            worked = stretches
        blocks += [_Block(site, stretch, _existing(diary, site, stretch, block_type)) for stretch in worked]
    blocks.sort(key=lambda block: block.time)
    twice = any(one.time.ends > other.time.starts for one, other in pairwise(blocks))
    if not blocks or twice:
        raise Ambiguous(
            f"{practitioner.name} could be blocked out at {len(sites)} sites then.",
            "Ask at which site, then call again with business.",
            candidates=[candidate(site) for site in sites[:5]],
        )
    if len(blocks) > MAX_BLOCKS:
        raise InvalidArguments(
            f"That makes {len(blocks)} blocks; {MAX_BLOCKS} is the most in one call.", "Shorten when.", field="when"
        )
    return blocks


def _existing(
    diary: Diary, site: Known[Business], time: Stretch, block_type: Known[UnavailableBlockType] | None
) -> str:
    """The id of a block there of just this time, and of this type where one was named; empty if there is none."""
    for entry in diary.entries:
        same = entry.kind == "block" and entry.business_id == site.id and (entry.starts, entry.ends) == time
        if same and (block_type is None or block_type.id == entry.record.unavailable_block_type_id):
            return entry.id
    return ""


def _stretches(span: Span, site: Known[Business], block_type: Known[UnavailableBlockType] | None) -> list[Stretch]:
    point = point_of(span.at(site.id))
    if point is None:
        return [Stretch(low.astimezone(UTC), high.astimezone(UTC)) for low, high in span.windows(site.id)]
    minutes = block_type.record.duration_in_minutes if block_type else None
    if minutes is None:
        raise InvalidArguments(
            f"That is one point in time: {span.at(site.id).description}.",
            "Give a stretch such as 12 to 1, or a type, whose length is taken.",
            field="when",
        )
    return [Stretch(point, point + timedelta(minutes=minutes))]


def _in_words(entry: Entry, roster: Roster) -> str:
    zone = roster.zone(entry.business_id)
    type_name = roster.name("appointment_type_id", entry.type_id) or "appointment"
    span = f"{local_text(entry.starts, zone)} to {end_of(entry.starts, entry.ends, zone)}"
    patient = label(name_text(entry.record.patient_name))
    whose = patient if entry.kind == "appointment" else f"{len(entry.patient_ids)} patients"
    return f"{span} {type_name}, {whose} (booking {entry.id})"


def _clash_text(practitioner: Known[Practitioner], blocks: Sequence[_Block], booked: Sequence[Entry]) -> str:
    """The text that stands for just these new blocks and just the bookings that lie in them."""

    def written(record_id: str, starts: datetime, ends: datetime) -> str:
        return f"{record_id} {starts.isoformat()} {ends.isoformat()}"

    made = [written(block.site.id, *block.time) for block in blocks]
    lying = [written(entry.id, entry.starts, entry.ends) for entry in booked]
    return f"clash-{digest(practitioner.id, *made, '|', *lying)[:10]}"


async def _make(
    clinic: GuardedClinic,
    arguments: BlockTime,
    practitioner: Known[Practitioner],
    block_type: Known[UnavailableBlockType] | None,
    blocks: Sequence[_Block],
    notes: list[str],
) -> list[str]:
    """Make the new blocks one after the other: the ids of those that were made; where one fails, `notes` say so."""
    made: list[str] = []
    for block in blocks:
        if block.existing_id:
            continue
        try:
            record = await clinic.perform(
                UnavailableBlocks.create_unavailable_block, _block_body(arguments, practitioner, block_type, block)
            )
        except ClinikoRefused as problem:
            if not made:
                raise
            notes.append(
                f"Only {len(made)} of {len(blocks)} blocks were made, then: {problem.message} Check show_diary."
            )
            break
        made.append(record.id)
    if existing := sum(1 for block in blocks if block.existing_id):
        notes.append(f"The same block is not made twice: {existing} were there already.")
    return made


def _block_body(
    arguments: BlockTime,
    practitioner: Known[Practitioner],
    block_type: Known[UnavailableBlockType] | None,
    block: _Block,
) -> UnavailableBlockBody:
    body = UnavailableBlockBody(
        practitioner_id=practitioner.id,
        business_id=block.site.id,
        starts_at=block.time.starts,
        ends_at=block.time.ends,
    )
    if block_type is not None:
        body.unavailable_block_type_id = block_type.id
    if arguments.notes:
        body.notes = arguments.notes
    return body


tool = curated(
    "block_time",
    "Block out time in a practitioner's diary (leave, lunch, meeting) by phrase; several days make several "
    "blocks. Appointments in that time are shown first; they stay. To unblock: archive_unavailable_block; "
    "for extra hours: create_availability_block.",
    BlockTime,
    block_time,
    answer=Blocked,
    risk=Risk.WRITE,
    needs=[
        UnavailableBlocks.create_unavailable_block,
        UnavailableBlockTypes.list_unavailable_block_types,
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
    ],
)
