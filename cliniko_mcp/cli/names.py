"""Words that people type: read in any case and spelling, and where there is no such word, the nearest told."""

from collections.abc import Iterable, Sequence

import click


class Choice(click.Choice[str]):
    """One of these words; of a word that is none of them the nearest is told."""

    def get_invalid_choice_message(self, value: str, ctx: click.Context | None) -> str:
        """What to say of a word that is none of them."""
        near = nearest(value, self.choices)
        return super().get_invalid_choice_message(value, ctx) + (f" Did you mean {near}?" if near else "")


def named(text: str, names: Iterable[str], noun: str, advice: str) -> str:
    """The one of these names that a text stands for. Raises click.UsageError with the nearest for anything else."""
    from cliniko_mcp.cliniko.codes import choice_of

    listed = list(names)
    if (found := choice_of(text, listed)) is not None:
        return found
    near = nearest(text, listed)
    raise click.UsageError(f"there is no {noun} called {text}; {f'did you mean {near}?' if near else advice}")


def nearest(text: str, words: Sequence[str]) -> str | None:
    """The one of these words that a text comes near to; None where it comes near none."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(text.strip().lower(), words, n=1)), None)
