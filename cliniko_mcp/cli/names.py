"""Names that people type: read in any case and spelling, and where there is none of that name, the nearest told."""

from collections.abc import Iterable

import click


def named(text: str, names: Iterable[str], noun: str, advice: str) -> str:
    """The one of these names that a text stands for. Raises click.UsageError with the nearest for anything else."""
    from difflib import get_close_matches

    from cliniko_mcp.cliniko.codes import choice_of

    listed = list(names)
    if (found := choice_of(text, listed)) is not None:
        return found
    near = get_close_matches(text.strip().lower(), listed, n=1)
    raise click.UsageError(f"there is no {noun} called {text}; {f'did you mean {near[0]}?' if near else advice}")
