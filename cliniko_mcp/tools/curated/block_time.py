"""block_time: time blocked out in practitioners' diaries by phrase, with the appointments in it shown first; or freed.

Requests: 10 cold, 5 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none and one for the types of blocked-out time, then at once two for working hours and one for each hundred diary
entries of the span; then a write for each block. To free time again: the same 6, one for each hundred blocks about that
time, and a write for each, before which a person is asked where a block goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from pydantic import Field

from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.cliniko.resources.unavailable_block_types import UnavailableBlockType, UnavailableBlockTypes
from cliniko_mcp.cliniko.resources.unavailable_blocks import UnavailableBlockBody, UnavailableBlocks
from cliniko_mcp.errors import Clash, ClinikoRefused, Declined, InvalidArguments, NoSuchName, NotAllowed, NotFound
from cliniko_mcp.frontdesk import working_hours
from cliniko_mcp.frontdesk.block_plans import BlockPlan, BlockType, PlannedBlock, plan_blocks
from cliniko_mcp.frontdesk.block_rows import Blocked, freed_row, planned_row
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clashes import shown
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.notices import NO_MESSAGE
from cliniko_mcp.frontdesk.repeated_spans import RepeatedSpan, read_repeated
from cliniko_mcp.frontdesk.roster import (
    ROSTER_NEEDS,
    Known,
    Roster,
    candidate,
    in_set_up,
    known_record,
    name_text,
    remarks,
)
from cliniko_mcp.frontdesk.second_readings import second_readings
from cliniko_mcp.frontdesk.set_up_words import means_everyone, means_everywhere
from cliniko_mcp.frontdesk.staff_named import staff_named, with_profession
from cliniko_mcp.frontdesk.unblocking import Freed, blocks_in, live
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import counted, first_few, label
from cliniko_mcp.tools.curated.empty_clinic import require
from cliniko_mcp.tools.tool import curated

_AROUND: Final = timedelta(days=7)
_SHOWN: Final = 5
_FROM_NOW: Final = re.compile(r"^(?!.*\bnow\b).*\b(?:until?l?|till?|rest|remainder|before|(?:next|within) \d+)\b", re.I)
_BY: Final = re.compile(r"\bby\b", re.I)


class BlockTime(Body):
    """Whose time, when and where; `allow_clash` repeats the text of a refusal whose bookings are to stay."""

    practitioner: list[str] | None = Field(default=None, description="Else all at the site.")
    when: str = Field(description="E.g. every Monday 12 to 1 for 6 weeks.")
    business: str | None = Field(default=None, description="Site.")
    type: str | None = Field(default=None, description="E.g. Lunch.")
    notes: str | None = None
    lift: bool = Field(default=False, description="Free it again.")
    dry_run: bool = False
    allow_clash: str | None = None


class _Meant(NamedTuple):
    """What the arguments mean: of whom (none: all at the sites), at which site (None: all), what kind, and when."""

    roster: Roster
    practitioners: list[Known[Practitioner]]
    business: Known[Business] | None
    block_type: BlockType
    span: RepeatedSpan


async def block_time(clinic: GuardedClinic, arguments: BlockTime) -> Answer:
    """The blocks as made, and those that were there already, or what was made free. Raises Clash where appointments lie
    in new blocks."""
    roster, block_types = await run_concurrently(partial(Roster.load, clinic), partial(_block_types, clinic, arguments))
    require(roster, "site", "practitioner")
    practitioners = _practitioners(arguments, roster)
    business = None
    if arguments.business and not means_everywhere(arguments.business):
        business = roster.business(arguments.business)
    for field, known in [*(("practitioner", one) for one in practitioners), ("business", business)]:
        if known is not None and known.gone:
            raise InvalidArguments(
                f"{known.note} There is nothing to block out.", "Choose one that clinic_overview shows.", field=field
            )
    block_type = _block_type(arguments.type, block_types) if arguments.type else None
    span = read_repeated(arguments.when, clinic.now, roster, [business] if business else ())
    if _BY.search(arguments.when) and (found := span.span.home).start <= clinic.now:
        raise InvalidArguments(
            f"“By” says until when, and not from when to block out: {found.description}.",
            'Say both, such as "tomorrow 9 to 5" or "from now until Friday".',
            field="when",
        )
    meant = _Meant(roster, practitioners, business, block_type, span)
    return await (_freed if arguments.lift else _blocked)(clinic, arguments, meant)


def _practitioners(arguments: BlockTime, roster: Roster) -> list[Known[Practitioner]]:
    """Those who were named; none where everyone at a site is meant. Raises InvalidArguments where nobody is said."""
    names = arguments.practitioner or []
    if means_everyone(names):
        return []
    if not names and not arguments.business:
        raise InvalidArguments(
            "The practitioner is missing: whose time is it?",
            "Name one or several, a business for all who work there then, or everyone.",
            field="practitioner",
        )
    return staff_named(roster, names)


async def _block_types(clinic: GuardedClinic, arguments: BlockTime) -> list[UnavailableBlockType]:
    if not arguments.type:
        return []
    return await clinic.collect(UnavailableBlockTypes.list_unavailable_block_types, archived_at=Hidden.INCLUDED)


def _block_type(name: str, rows: Sequence[UnavailableBlockType]) -> Known[UnavailableBlockType]:
    """The kind of this name. Raises NotFound with all kinds in use where there is none, and Ambiguous."""
    known = {row.id: known_record(row) for row in rows}
    kinds = [kind for kind in known.values() if not kind.gone]
    listed = ", ".join(kind.name for kind in kinds) or "none"
    try:
        found = in_set_up("kind of block", name, known, "")
    except NotFound as problem:
        raise NoSuchName(
            problem.message,
            f"The kinds are: {listed}. Choose one, or leave type out.",
            candidates=[candidate(kind) for kind in kinds],
        ) from None
    if found.gone:
        raise InvalidArguments(found.note, f"Choose another kind ({listed}), or leave type out.", field="type")
    return found


async def _blocked(clinic: GuardedClinic, arguments: BlockTime, meant: _Meant) -> Answer:
    roster, practitioners, business, block_type, span = meant
    starts, ends = span.bounds
    ids = {practitioner.id for practitioner in practitioners}
    diary = await working_hours.read_diary(clinic, roster, starts - _AROUND, ends + _AROUND, ids)
    everyone = practitioners or [known for known in roster.practitioners.values() if not known.gone]
    # of a profession those are left out who are not at work then and there, as of a whole site
    named = bool(practitioners) and not with_profession(roster, arguments.practitioner or ())
    plan = plan_blocks(roster, span, everyone, diary, business, block_type, named=named)
    booked = plan.booked(diary)
    past = [block for block in plan.new if block.time.ends <= clinic.now]
    lying = [*(_is_past(block, roster) for block in past), *(_in_words(entry, roster) for entry in booked)]
    clash = _clash_text(plan.new, booked)
    if lying and not arguments.dry_run and arguments.allow_clash != clash:
        _refuse(booked, lying, clash)
    begins_now = span.span.home.start == clinic.now.replace(second=0, microsecond=0)
    unsaid = ["No beginning was said: from now on."] if begins_now and _FROM_NOW.search(arguments.when) else []
    notes = [*([plan.length] if plan.length else unsaid), *_left_out(plan, roster)]
    notes += remarks(*practitioners, business, block_type)
    first = plan.blocks[0]
    notes += second_readings(arguments.when, first.time.starts, clinic.now, roster, first.site)
    made: list[str] = []
    if arguments.dry_run:
        done = f"Nothing was changed: a dry run. {len(plan.new)} of {len(plan.blocks)} would be blocked out."
    elif not plan.new:
        there = [block.existing_id for block in plan.blocks]
        done = f"Nothing was changed: that time is blocked out already, id {first_few(there, _SHOWN)}."
    else:
        if booked:
            notes.append(f"{counted(len(booked), 'booking')} in that time: left in the diary.")
        notes.append(NO_MESSAGE)
        made = await _make(clinic, arguments, block_type, plan, notes)
        done = f"Blocked out {len(made)} of {len(plan.blocks)}."
    several = len({block.practitioner.id for block in plan.blocks}) > 1
    new_ids = iter(made)
    rows = [
        planned_row(block, roster, None if block.existing_id else next(new_ids, None), several=several)
        for block in plan.blocks
    ]
    failed = [] if arguments.dry_run else [row for row in rows if row.id is None]
    sites = {block.site.id: block.site for block in plan.blocks}
    body = Blocked(
        done=done,
        when=span.description_at(sites.values()),
        practitioner=", ".join(
            dict.fromkeys(roster.name("practitioner_id", block.practitioner.id) for block in plan.blocks)
        ),
        type=block_type.name if block_type else None,
        items=[row for row in rows if row not in failed],
        failed=failed or None,
        clashes=(lying or None) if arguments.dry_run else None,
        clash=clash if lying and arguments.dry_run else None,
    )
    return Answer(body, notes, roster.zone(plan.blocks[0].site.id))


def _refuse(booked: Sequence[Entry], lying: Sequence[str], clash: str) -> None:
    listed = shown(lying)
    # The text that allows it is given only with everything it allows.
    whole = len(listed) == len(lying) and listed[-1] == lying[-1]
    go_on = "allow_clash set to the text under clash." if whole else "dry_run first, which shows all of it."
    staying = f"{len(booked)} booking{'s lie' if len(booked) > 1 else ' lies'} in that time and would stay."
    first = "move_appointment or cancel_appointment first, or, " if booked else "say another time, or, "
    raise Clash(
        f"Not blocked out: {staying if booked else 'that time is past.'}",
        f"Tell the user; {first}if they still want it, call again with {go_on}",
        clash=clash if whole else None,
        clashes=listed,
    )


def _left_out(plan: BlockPlan, roster: Roster) -> list[str]:
    """Sentences on time in which they are not at work: what is blocked out nevertheless, and what is left out."""
    notes: list[str] = []
    working = {block.practitioner.id for block in plan.blocks if block.worked}
    idle = dict.fromkeys(block.practitioner.id for block in plan.blocks if block.practitioner.id not in working)
    notes += [f"{roster.name('practitioner_id', who)} does not work in that time anyway." for who in idle]
    missing: dict[str, dict[str, None]] = {}
    for block in plan.left_out:
        day = local_text(block.time.starts, roster.zone(block.site.id))
        missing.setdefault(roster.name("practitioner_id", block.practitioner.id), {})[f"{day[-3:]} {day[:10]}"] = None
    for name, days in missing.items():
        notes.append(f"Left out, because {name} is not at work then: {first_few([*days], _SHOWN)}.")
    return notes


def _is_past(block: PlannedBlock, roster: Roster) -> str:
    zone = roster.zone(block.site.id)
    return f"{local_text(block.time.starts, zone)} to {end_of(*block.time, zone)} is past."


def _in_words(entry: Entry, roster: Roster) -> str:
    zone = roster.zone(entry.business_id)
    type_name = roster.name("appointment_type_id", entry.type_id) or "appointment"
    span = f"{local_text(entry.starts, zone)} to {end_of(entry.starts, entry.ends, zone)}"
    patient = label(name_text(entry.record.patient_name))
    whose = patient if entry.kind == "appointment" else counted(len(entry.patient_ids), "patient")
    return f"{span} {type_name}, {whose} (booking {entry.id})"


def _clash_text(blocks: Sequence[PlannedBlock], booked: Sequence[Entry]) -> str:
    """The text that stands for just these new blocks and just the bookings that lie in them."""

    def written(record_id: str, starts: datetime, ends: datetime) -> str:
        return f"{record_id} {starts.isoformat()} {ends.isoformat()}"

    made = [written(f"{block.practitioner.id} {block.site.id}", *block.time) for block in blocks]
    lying = [written(entry.id, entry.starts, entry.ends) for entry in booked]
    return f"clash-{digest(*made, '|', *lying)[:10]}"


async def _make(
    clinic: GuardedClinic, arguments: BlockTime, block_type: BlockType, plan: BlockPlan, notes: list[str]
) -> list[str]:
    """Make the new blocks one after the other: the ids of those that were made; where one fails, `notes` say so."""
    made: list[str] = []
    for block in plan.new:
        body = UnavailableBlockBody(
            practitioner_id=block.practitioner.id,
            business_id=block.site.id,
            starts_at=block.time.starts,
            ends_at=block.time.ends,
        )
        if block_type is not None:
            body.unavailable_block_type_id = block_type.id
        if arguments.notes:
            body.notes = arguments.notes
        try:
            record = await clinic.perform(UnavailableBlocks.create_unavailable_block, body)
        except ClinikoRefused as problem:
            if not made:
                raise
            notes.insert(
                0, f"Only {len(made)} of {len(plan.blocks)} blocks were made, then: {problem.message} Call again for "
                "the rest: what is there is not made twice."
            )  # fmt: skip
            break
        made.append(record.id)
    if existing := len(plan.blocks) - len(plan.new):
        notes.append(f"The same block is not made twice; there already: {existing}.")
    return made


async def _freed(clinic: GuardedClinic, arguments: BlockTime, meant: _Meant) -> Answer:
    roster, practitioners, business, block_type, span = meant
    ids = [practitioner.id for practitioner in practitioners]
    found = await blocks_in(
        clinic, roster, span, ids, business.id if business else None, block_type.id if block_type else None
    )
    notes: list[str] = []
    changed: list[Freed] = []
    for freed in () if arguments.dry_run else live(found):
        try:
            await _free(clinic, freed)
        except (Declined, NotAllowed, ClinikoRefused) as problem:
            if not changed:
                raise
            notes.append(f"Only {len(changed)} of {len(live(found))} were changed, then: {problem.message}")
            break
        changed.append(freed)
    if changed:
        notes.append(NO_MESSAGE)
    gone = [freed for freed in found if freed.gone]
    several = len({freed.block.practitioner_id for freed in found}) > 1
    kept = [freed for freed in found if freed.gone or arguments.dry_run or freed in changed]
    lost = [freed for freed in found if freed not in kept]
    sites = [roster.businesses[site] for site in dict.fromkeys(freed.block.business_id or "" for freed in found)]
    body = Blocked(
        done=_freed_text(found if arguments.dry_run else changed, gone, dry=arguments.dry_run),
        when=span.description_at(sites),
        practitioner=", ".join(
            dict.fromkeys(roster.name("practitioner_id", freed.block.practitioner_id) for freed in found)
        ),
        type=block_type.name if block_type else None,
        items=[freed_row(freed, roster, several=several) for freed in kept],
        failed=[freed_row(freed, roster, several=several) for freed in lost] or None,
    )
    return Answer(body, [*notes, *remarks(*practitioners, business)], roster.zone(sites[0].id))


async def _free(clinic: GuardedClinic, freed: Freed) -> None:
    if freed.keeps is None:
        await clinic.perform(UnavailableBlocks.archive_unavailable_block, id=freed.block.id)
        return
    changes = UnavailableBlockBody.partial(starts_at=freed.keeps.starts, ends_at=freed.keeps.ends)
    await clinic.perform(UnavailableBlocks.update_unavailable_block, changes, id=freed.block.id)


def _freed_text(changed: Sequence[Freed], gone: Sequence[Freed], *, dry: bool) -> str:
    lifted = sum(freed.keeps is None and not freed.gone for freed in changed)
    shortened = sum(freed.keeps is not None for freed in changed)
    parts = [f"{number} {verb}" for number, verb in ((lifted, "lifted"), (shortened, "shortened")) if number]
    earlier = f"already lifted: id {', '.join(freed.block.id for freed in gone[:_SHOWN])}" if gone else ""
    if dry:
        return f"Nothing was changed: a dry run. Would be {' and '.join(parts)}." if parts else f"Nothing: {earlier}."
    if not parts:
        return f"Nothing was changed: {earlier}."
    return f"{' and '.join(parts)}{f'; {earlier}' if earlier else ''}.".capitalize()


tool = curated(
    "block_time",
    "Block out time in practitioners' diaries (leave, lunch, a whole site) by phrase, or with lift free it again, in "
    "whole or part. Appointments in that time are shown first; they stay. Extra hours: create_availability_block.",
    BlockTime,
    block_time,
    answer=Blocked,
    risk=Risk.WRITE,
    repeatable=True,
    needs=[
        UnavailableBlocks.create_unavailable_block,
        UnavailableBlockTypes.list_unavailable_block_types,
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
    ],
)
