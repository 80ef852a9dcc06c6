"""The error for a phrase of time that is not understood: a reason, and three phrases that are understood."""

from typing import Final

from cliniko_mcp.errors import JsonValue, NotUnderstood
from cliniko_mcp.sanitize import clean

EXAMPLES: Final = ("Thursday after 3", "next week mornings except Wednesday", "24 November 2026 at 9:30")


def not_understood(reason: str) -> NotUnderstood:
    """A NotUnderstood error with advice and three examples, for the caller to raise."""
    quoted = [f'"{example}"' for example in EXAMPLES]
    examples: list[JsonValue] = list(EXAMPLES)
    return NotUnderstood(
        reason, f"Say when in other words, for example {', '.join(quoted[:-1])} or {quoted[-1]}.", examples=examples
    )


def quotable(text: str) -> str:
    """Text that a person typed, fit to be quoted in a message: visible characters only, at most 60 of them."""
    return clean(text, 60) or "?"
