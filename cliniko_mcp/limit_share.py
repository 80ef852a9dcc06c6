"""How the limit of one key is shared between the people who work with it, in one process or in several."""

from typing import Final, NamedTuple

MAX_CALLS: Final = 8
"""Calls of one person that may be under way at Cliniko while others need the limit too."""


class Share(NamedTuple):
    """Whose request it is."""

    person: str = ""
    """Who calls; empty where it is nobody's, such as an export."""
    call: int = 0
    """Which call of this process it belongs to; 0 for none."""


class Taken(NamedTuple):
    """What became of a wish for a token."""

    wait: float
    """0.0 where it was given; else the seconds until one may be free."""
    token: str = ""
    """By what it is given back."""
    over: bool = False
    """Whether the person has had a third of the minute, or as many calls under way as one may have: others go first."""


def third_of(per_minute: int) -> int:
    """Requests of a minute after which a person gives way to others."""
    return max(per_minute // 3, 1)


def half_of(per_minute: int) -> int:
    """Tokens that who has had a third leaves to others, as long as others at work have had less."""
    return per_minute // 2


NOBODYS: Final = Share()
