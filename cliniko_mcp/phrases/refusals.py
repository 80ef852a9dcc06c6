"""The one way to say that a phrase of time was not understood: a reason, and three phrases that are."""

from typing import Final

from cliniko_mcp.errors import JsonValue, NotUnderstood

EXAMPLES: Final = ("Thursday after 3", "next week mornings except Wednesday", "24 November 2026 at 9:30")


def not_understood(reason: str) -> NotUnderstood:
    """The error for a phrase that cannot be read, with advice and three examples; the caller raises it."""
    quoted = [f'"{example}"' for example in EXAMPLES]
    examples: list[JsonValue] = list(EXAMPLES)
    return NotUnderstood(
        reason, f"Say when in other words, for example {', '.join(quoted[:-1])} or {quoted[-1]}.", examples=examples
    )


def shown(text: str) -> str:
    """Someone's words as they may be quoted back: printable, at most 60 characters."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= 60 else clean[:59] + "…"
