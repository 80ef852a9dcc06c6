"""What block_time answers: blocks as rows."""

from pydantic import Field

from cliniko_mcp.frontdesk.answer_rows import EndTime, LocalTime
from cliniko_mcp.frontdesk.block_plans import PlannedBlock
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.frontdesk.unblocking import Freed
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text


class BlockRow(AnswerModel):
    """A stretch of blocked-out time."""

    id: str | None = Field(default=None, description="Its id, once it is made.")
    starts_at: LocalTime = Field(description="Start, by the site's clock.")
    ends_at: EndTime = Field(description="End; only the time of day where it is on that day.")
    business: str = Field(description="The site's name.")
    practitioner: str | None = Field(default=None, description="The practitioner's name, where there are several.")
    was: str | None = Field(default=None, description="The time it had before, where it was shortened.")


class Blocked(AnswerModel):
    """What was blocked out, or made free again."""

    done: str = Field(description="What was changed.")
    when: str = Field(description="The time as it was understood.")
    practitioner: str = Field(description="The practitioner's name; of several all of them.")
    type: str | None = Field(default=None, description="The kind of blocked-out time.")
    items: list[BlockRow] = Field(description="The blocks, those that were there before too.")
    failed: list[BlockRow] | None = Field(default=None, description="The blocks that were not made or changed.")
    clashes: list[str] | None = Field(default=None, description="Appointments in that time, in a dry run.")
    clash: str | None = Field(default=None, description="The text that allows them, for allow_clash.")


def planned_row(block: PlannedBlock, roster: Roster, made_id: str | None, *, several: bool) -> BlockRow:
    """A block that was made, or is to be, in the site's local time."""
    zone = roster.zone(block.site.id)
    return BlockRow(
        id=block.existing_id or made_id,
        starts_at=local_text(block.time.starts, zone),
        ends_at=end_of(*block.time, zone),
        business=roster.name("business_id", block.site.id),
        practitioner=roster.name("practitioner_id", block.practitioner.id) if several else None,
    )


def freed_row(freed: Freed, roster: Roster, *, several: bool) -> BlockRow:
    """A block that was lifted, or what is left of one, with the time that it had before."""
    zone = roster.zone(freed.block.business_id)
    time = freed.keeps or freed.time
    was = f"{local_text(freed.time.starts, zone)} to {end_of(*freed.time, zone)}" if freed.keeps else None
    return BlockRow(
        id=freed.block.id,
        starts_at=local_text(time.starts, zone),
        ends_at=end_of(*time, zone),
        business=roster.name("business_id", freed.block.business_id),
        practitioner=roster.name("practitioner_id", freed.block.practitioner_id) if several else None,
        was=was,
    )
