"""Blocked-out time made free again: blocks that lie wholly in it are lifted, those that reach beyond it shortened."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final

from cliniko_mcp.cliniko.filters import After, Before, FilterValue, Hidden, OneOf
from cliniko_mcp.cliniko.labels import is_hidden
from cliniko_mcp.cliniko.resources.unavailable_blocks import UnavailableBlock, UnavailableBlocks
from cliniko_mcp.errors import InvalidArguments, JsonValue, NotFound
from cliniko_mcp.frontdesk.clashes import check_zone
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.repeated_spans import RepeatedSpan
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.frontdesk.spans import point_of
from cliniko_mcp.frontdesk.working_hours import Stretch, without
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.rows import local_text

_AROUND: Final = timedelta(days=1)
_JUST_NOW: Final = timedelta(minutes=30)
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Freed:
    """A block that is in the way: `keeps` is what is left of it, None where it goes; `gone` where it did before."""

    block: UnavailableBlock
    time: Stretch
    keeps: Stretch | None = None
    gone: bool = False


async def blocks_in(
    clinic: GuardedClinic,
    roster: Roster,
    span: RepeatedSpan,
    practitioners: Collection[str],
    business_id: str | None,
    type_id: str | None,
) -> list[Freed]:
    """The blocks of these practitioners (none: of everyone) that share time with a span, by start: what becomes of
    each. A request for each hundred blocks about that time.

    Raises NotFound, with the blocks near it, where there is none, and InvalidArguments where one would fall in two.
    """
    starts, ends = span.bounds
    filters: dict[str, FilterValue] = {
        "starts_at": Before(ends + _AROUND), "ends_at": After(starts - _AROUND), "archived_at": Hidden.INCLUDED
    }  # fmt: skip
    if practitioners:
        filters["practitioner_id"] = OneOf(practitioners)
    if business_id:
        filters["business_id"] = business_id
    rows = await clinic.collect(UnavailableBlocks.list_unavailable_blocks, **filters)
    found: list[Freed] = []
    earlier: list[Freed] = []
    near: list[UnavailableBlock] = []
    for row in sorted(rows, key=lambda row: row.id):
        if row.starts_at is None or row.ends_at is None or row.business_id not in span.span.places:
            continue
        if type_id and row.unavailable_block_type_id != type_id:
            continue
        if (site := roster.businesses.get(row.business_id or "")) is not None:
            check_zone(site)
        time = Stretch(row.starts_at.astimezone(UTC), row.ends_at.astimezone(UTC))
        freed = [Stretch(*window) for window in span.windows(row.business_id)]
        if point_of(span.span.at(row.business_id)) is not None:
            freed = _from_points(row, time, freed, roster)
        kept = without([time], freed)
        if is_hidden(row):
            if not kept:
                earlier.append(Freed(row, time, gone=True))
        elif kept == [time]:
            near.append(row)
        elif len(kept) > 1:
            raise InvalidArguments(
                f"That lies in the middle of a block, {_in_words(row, roster)}, which would fall in two.",
                "Free the time up to its end, then block out the later part again.",
                field="when",
            )
        else:
            found.append(Freed(row, time, kept[0] if kept else None))
    # The same call may have lifted some already, each after its own question; what went before that is no news.
    nothing = not found
    found += [freed for freed in earlier if nothing or _just_now(freed.block, clinic)]
    found.sort(key=lambda freed: (freed.time, freed.block.id))
    if not found:
        candidates: list[JsonValue] = [_in_words(row, roster) for row in near[:_SHOWN]]
        raise NotFound(
            f"Nothing is blocked out then: {span.span.description}.",
            "show_diary has what is blocked out." if not near else "Perhaps one of the candidates is meant: ask.",
            candidates=candidates or None,
        )
    return found


def _from_points(row: UnavailableBlock, time: Stretch, points: Sequence[Stretch], roster: Roster) -> list[Stretch]:
    """All of a block that begins at one of these points in time, which have no length of their own; else nothing.

    Raises InvalidArguments where one lies within a block that is still there.
    """
    if any(point.starts == time.starts for point in points):
        return [time]
    if not is_hidden(row) and any(time.starts < point.starts < time.ends for point in points):
        raise InvalidArguments(
            f"That is one point in time within a block: {_in_words(row, roster)}.",
            "Say from when until when to free it, or when it begins to free all of it.",
            field="when",
        )
    return []


def _just_now(block: UnavailableBlock, clinic: GuardedClinic) -> bool:
    return block.archived_at is not None and clinic.now - block.archived_at <= _JUST_NOW


def _in_words(row: UnavailableBlock, roster: Roster) -> str:
    if row.starts_at is None or row.ends_at is None:
        return f"block {row.id}"
    zone = roster.zone(row.business_id)
    whose = roster.name("practitioner_id", row.practitioner_id)
    time = f"{local_text(row.starts_at, zone)} to {end_of(row.starts_at, row.ends_at, zone)}"
    return f"{time}, {whose} (block {row.id})"


def live(freed: Sequence[Freed]) -> list[Freed]:
    """Those that are still there: first the ones to lift, about which a person is asked, then the ones to shorten."""
    return sorted((one for one in freed if not one.gone), key=lambda one: one.keeps is not None)
