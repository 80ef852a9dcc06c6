"""Repeat rules: how a booking or block comes back daily, weekly or monthly (cliniko-api.md#appointments)."""

from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.models import Body, Record

MAX_REPEATS: Final = 51
"""Repeats of a booking or an unavailable block, after the first."""


class RepeatRule(Body):
    """A rule as it is sent: every so many days, weeks or months, so many times after the first."""

    repeat_type: Literal["Daily", "Weekly", "Monthly"]
    number_of_repeats: int = Field(ge=1, le=MAX_REPEATS, description="After the first.")
    repeating_interval: int = Field(ge=1, le=100)


class AvailabilityRepeatRule(RepeatRule):
    """The rule of an availability block, with up to 100 repeats where bookings and unavailable blocks have 51."""

    number_of_repeats: int = Field(ge=1, le=100, description="After the first.")


class RepeatRuleRecord(Record):
    """A rule as Cliniko returns it; all fields are absent where nothing repeats."""

    repeat_type: str | None = None
    number_of_repeats: int | None = None
    repeating_interval: int | None = None
