"""Which way a phrase is read: ahead, back, both with whole spans, or from a visit that it moves."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Facing(StrEnum):
    """The direction in which a tool reads phrases of time; docs/when.md states what each makes of them.

    `AHEAD` is for booking: the next to come. `BACK` is for reports: the latest that has begun, in whole local days, up
    to the end of today. `WHOLE` is for utilisation and bookings ahead, which look both ways: the present week, month,
    quarter or year is the whole one, lengths are whole days, and a bare name or date is the nearest one. `EITHER` is
    for a filter on when visits start: as whole, with open starts, and a bare month or weekday that could be past or to
    come is an error that names both.
    """

    AHEAD = "ahead"
    BACK = "back"
    WHOLE = "whole"
    EITHER = "either"


class Anchor(NamedTuple):
    """The visit that a phrase moves: its start and end, aware, or naive by the clinic's clock."""

    start: datetime
    end: datetime
