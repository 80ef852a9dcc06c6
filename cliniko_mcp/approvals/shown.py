"""What a person is shown about a call before they say yes, as values: form, terminal and page lay out the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from cliniko_mcp.approvals.digest import canonical
from cliniko_mcp.cliniko.models import Record

WILL_BECOME: Final = "will become"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is shown: `When`, `Wed 2 Dec, 8:00 to 8:30 am`, and beside it `in 4 days`."""

    label: str
    value: str
    """Cleaned; a text that will be written stands here whole, with its line breaks."""
    aside: str = ""
    """What is true only at the moment of asking, such as how far off a day is; not part of the digest."""
    becomes: str = ""
    """What the value is after a yes, where it becomes another one."""

    @property
    def words(self) -> str:
        """The value with what stands beside it: `Ana Lima will become Ida Berg`."""
        if self.becomes:
            return f"{self.value} {WILL_BECOME} {self.becomes}"
        return f"{self.value}, {self.aside}" if self.aside else self.value


@dataclass(frozen=True, slots=True)
class Account:
    """Whose clinic a question is about: the names at the top of it, empty where they cannot be read."""

    clinic: str = ""
    user: str = ""
    demo: bool = False
    """Whether it is the demo clinic, where nothing is real."""
    zone: tzinfo = UTC
    """In which times of day are told."""

    @property
    def words(self) -> str:
        """The clinic and the user as one line: `Northside, as Mei Ng`; empty where neither is known."""
        if self.demo:
            return "Demo clinic: nothing in it is real"
        return ", as ".join(name for name in (self.clinic, self.user) if name)


NOWHERE: Final = Account()
"""An account of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person is shown about one call, in their own words: no name of a tool or of the API stands in it."""

    act: str
    """What a yes does, as a button says it: `Cancel this appointment`."""
    keep: str
    """What a no does, as a button says it: `Keep it`."""
    done: str
    """How it is told afterwards: `Cancelled`."""
    facts: Sequence[Fact]
    """Who, when, with whom, where and why, in the order in which people ask, and the record's number last."""
    losses: Sequence[Fact] = ()
    """What will be gone, or become something else, by value."""
    consequences: Sequence[str] = ()
    """What follows, a sentence each."""
    undo: str = ""
    """Whether it can be undone and by whom, as a sentence."""
    restorable: bool = False
    """Whether it can be brought back."""
    digest: str = ""
    """The digest of the record as read and of every fact that is shown: 64 hexadecimal digits."""
    record: Record | None = field(default=None, repr=False, compare=False)
    """The record as it was read; None where none was."""

    @property
    def title(self) -> str:
        """The act as a short question: `Cancel this appointment?`."""
        return f"{self.act}?"

    @property
    def lost(self) -> Sequence[tuple[str, Sequence[Fact]]]:
        """What becomes something else, and what will be gone, each under its heading, where there is any."""
        changed = "This will change", [fact for fact in self.losses if fact.becomes]
        gone = "This will be lost", [fact for fact in self.losses if not fact.becomes]
        return [(heading, facts) for heading, facts in (changed, gone) if facts]

    @property
    def text(self) -> str:
        """Everything below the title as plain text, a fact a line, for a form or a terminal."""
        lines = [_line(fact) for fact in self.facts]
        for heading, losses in self.lost:
            lines += ["", f"{heading}:", *map(_line, losses)]
        rest = [*self.consequences, self.undo] if self.undo else [*self.consequences]
        return "\n".join([*lines, "", *rest] if lines and rest else lines or rest)

    @property
    def stated(self) -> str:
        """The canonical text of everything that is shown, for the digest; asides are left out."""
        parts = [(fact.label, fact.value, fact.becomes) for fact in (*self.facts, *self.losses)]
        return canonical([self.act, parts, list(self.consequences), self.undo])


def _line(fact: Fact) -> str:
    if "\n" in fact.becomes:
        return _indented(f"{fact.label}: {fact.value} {WILL_BECOME}:", fact.becomes)
    return _indented(f"{fact.label}:", fact.value) if "\n" in fact.value else f"{fact.label}: {fact.words}"


def _indented(heading: str, text: str) -> str:
    return "\n".join([heading, *(f"    {line}" for line in text.split("\n"))])


def clock_words(at: datetime) -> str:
    """The time of day as people write it: `8:00 am`."""
    return f"{at.hour % 12 or 12}:{at.minute:02d} {'am' if at.hour < 12 else 'pm'}"
