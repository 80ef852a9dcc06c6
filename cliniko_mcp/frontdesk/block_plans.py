"""Which stretches to block out: for each practitioner and site those in which they are at work there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.cliniko.resources.unavailable_block_types import UnavailableBlockType
from cliniko_mcp.errors import Ambiguous, InvalidArguments
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clashes import check_zone
from cliniko_mcp.frontdesk.repeated_spans import RepeatedSpan
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, Known, Roster, candidate
from cliniko_mcp.frontdesk.spans import point_of
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, within
from cliniko_mcp.sanitize import counted

MAX_BLOCKS: Final = 60
"""Blocks made in one call."""
BlockType = Known[UnavailableBlockType] | None


@dataclass(frozen=True, slots=True)
class PlannedBlock:
    """A stretch of a practitioner's time to block out at a site, in UTC; `existing_id` is that of the very same block
    in the diary, if any; `worked` says whether they are at work there in any of it."""

    practitioner: Known[Practitioner]
    site: Known[Business]
    time: Stretch
    existing_id: str
    worked: bool


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """The blocks by start, and stretches that are left out because the practitioner is not at work in them."""

    blocks: Sequence[PlannedBlock]
    left_out: Sequence[PlannedBlock]
    length: str = ""
    """A sentence on how long the blocks are, where only a point in time was said."""

    @property
    def new(self) -> list[PlannedBlock]:
        """Those that are not in the diary yet."""
        return [block for block in self.blocks if not block.existing_id]

    def booked(self, diary: Diary) -> list[Entry]:
        """Appointments and classes that lie in new blocks, by start."""
        return [
            entry
            for entry in diary.entries
            if entry.kind != "block"
            and any(block.practitioner.id == entry.practitioner_id and entry.meets(*block.time) for block in self.new)
        ]


def plan_blocks(
    roster: Roster,
    span: RepeatedSpan,
    practitioners: Collection[Known[Practitioner]],
    diary: Diary,
    business: Known[Business] | None,
    block_type: BlockType,
    *,
    named: bool,
) -> BlockPlan:
    """The blocks of these practitioners: of each stretch at each site where they are at work in it, by its clock.

    One who was `named` and has no working time in any of it is blocked out at the one site that it can be; one of a
    whole site is left out. Raises Ambiguous where several sites can be meant, and InvalidArguments for too many blocks,
    a time without a length, or a site where nobody is at work then.
    """
    blocks: list[PlannedBlock] = []
    left_out: list[PlannedBlock] = []
    for practitioner in practitioners:
        usual = [roster.businesses[site] for site in diary.sites(practitioner.id)]
        sites = usual or (roster.sites if named else [])
        if business:
            sites = [business] if named or business in usual else []
        for site in sites:
            check_zone(site)
        planned = [
            _planned(practitioner, site, stretch, diary, block_type)
            for site in sites
            for stretch in _stretches(span, site, block_type)
        ]
        worked = [block for block in planned if block.worked]
        if not worked and named and len(sites) != 1:
            raise Ambiguous(
                f"{roster.name('practitioner_id', practitioner.id)} could be blocked out at {len(sites)} sites then.",
                "Ask at which site, then call again with business.",
                candidates=[candidate(site) for site in sites[:MAX_CANDIDATES]],
            )
        taken = worked or (planned if named else [])
        blocks += taken
        # A stretch that is worked at one site is not left out because it is not worked at another.
        left_out += [block for block in planned if not any(block.time.starts < other.time.ends
                     and other.time.starts < block.time.ends for other in taken)]  # fmt: skip
    if not blocks:
        where = f" at {roster.name('business_id', business.id)}" if business else ""
        raise InvalidArguments(
            f"Nobody is at work{where} then: {span.description_at([business] if business else roster.sites)}.",
            "Check the day, or name the practitioner whose time to block out nevertheless.",
            field="when",
        )
    if len(blocks) > MAX_BLOCKS:
        raise InvalidArguments(
            f"That makes {len(blocks)} blocks; {MAX_BLOCKS} is the most in one call.", "Shorten when.", field="when"
        )
    blocks.sort(key=lambda block: (block.time, block.practitioner.name, block.site.id))
    return BlockPlan(blocks, left_out, _length_of_type(span, block_type))


def _length_of_type(span: RepeatedSpan, block_type: BlockType) -> str:
    minutes = block_type.record.duration_in_minutes if block_type else None
    if block_type is None or minutes is None or any(point_of(when) is None for when in span.span.places.values()):
        return ""
    length = counted(minutes, "minute is", "minutes are")
    return f"No end was said: {length} blocked out, the length that the clinic set for {block_type.name}."


def _planned(
    practitioner: Known[Practitioner], site: Known[Business], time: Stretch, diary: Diary, block_type: BlockType
) -> PlannedBlock:
    worked = within(diary.work.get((practitioner.id, site.id), ()), [time])
    existing = _existing(diary, practitioner.id, site.id, time, block_type)
    return PlannedBlock(practitioner, site, time, existing, bool(worked))


def _existing(diary: Diary, practitioner_id: str, site_id: str, time: Stretch, block_type: BlockType) -> str:
    """The id of a block of theirs there of just this time, and of this type where one was named; empty if none is."""
    for entry in diary.entries:
        place = (entry.kind, entry.practitioner_id, entry.business_id, entry.starts, entry.ends)
        if place == ("block", practitioner_id, site_id, *time) and (
            block_type is None or block_type.id == entry.record.unavailable_block_type_id
        ):
            return entry.id
    return ""


def _stretches(span: RepeatedSpan, site: Known[Business], block_type: BlockType) -> list[Stretch]:
    found = [Stretch(low.astimezone(UTC), high.astimezone(UTC)) for low, high in span.windows(site.id)]
    when = span.span.at(site.id)
    if point_of(when) is None:
        return found
    minutes = block_type.record.duration_in_minutes if block_type else None
    if minutes is None:
        raise InvalidArguments(
            f"That is one point in time: {when.description}.",
            "Give a stretch such as 12 to 1, or a type, whose length is taken.",
            field="when",
        )
    return [Stretch(time.starts, time.starts + timedelta(minutes=minutes)) for time in found]
