"""The error for a phrase of time that is not understood: a reason, and three phrases that are understood."""

from collections.abc import Sequence
from typing import Final

from cliniko_mcp.errors import JsonValue, NotUnderstood
from cliniko_mcp.phrases.facing import Facing
from cliniko_mcp.sanitize import clean

EXAMPLES: Final = ("Thursday after 3", "next week mornings except Wednesday", "24 November 2026 at 9:30")
BACK: Final = ("last month", "this week", "1 October 2026 to 15 October 2026")
"""Examples of what is over, for reports."""


def not_understood(reason: str, of: Sequence[str] = EXAMPLES) -> NotUnderstood:
    """A NotUnderstood error with advice and three examples, for the caller to raise."""
    quoted = [f'"{example}"' for example in of]
    examples: list[JsonValue] = list(of)
    return NotUnderstood(
        reason, f"Say when in other words, for example {', '.join(quoted[:-1])} or {quoted[-1]}.", examples=examples
    )


def looking_back(problem: NotUnderstood) -> NotUnderstood:
    """The same error with examples of spans that are over, where it has those of times to come."""
    return not_understood(problem.message, BACK) if problem.details.get("examples") == [*EXAMPLES] else problem


def quotable(text: str) -> str:
    """Text that a person typed, fit to be quoted in a message: visible characters only, at most 60 of them."""
    return clean(text, 60) or "?"


def length_alone(text: str, *, one: bool, facing: Facing) -> NotUnderstood:
    """The refusal of a length such as "6 months", with what it may have meant; `one` where no number is before it."""
    length = quotable(f"a {text}" if one else text)
    ways = f'"in {length}", "within {length}" or "{length} ago"'
    if facing is Facing.BACK:
        bare = quotable(text)
        ways = f'"past {bare}", "more than {length} ago" (all before that day) or "{length} ago" (that day)'
    return not_understood(f"A length alone is no time: say {ways}.")
