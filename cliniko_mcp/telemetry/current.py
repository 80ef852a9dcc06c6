"""The request that is being answered, for whatever is logged meanwhile."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Facts:
    """What the log says of a request: no name, and nothing of what was asked."""

    request: str
    """Eight hexadecimal digits of our own, because a client's id may be anything."""
    clinic: str = ""
    """The clinic's id in the file of clinics; empty where there is one."""
    person: str = ""
    """A digest of who calls, 16 hexadecimal digits; empty for nobody."""
    trace: str = ""
    """The trace, 32 hexadecimal digits; empty where none is kept."""


CURRENT: Final[ContextVar[Facts | None]] = ContextVar("CURRENT", default=None)
"""None between requests."""
