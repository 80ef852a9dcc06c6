"""What was changed through this server, approved and refused, as the audit log tells it: by whom, when and how."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.sanitize import clean

Ending = Literal["made", "declined", "refused", "questions", "failed", "unknown"]
"""Made; a person said no; the settings did not allow it; a question was put; it came to nothing; nobody knows."""

_OTHERS: Final[tuple[Ending, ...]] = ("declined", "refused", "questions", "failed", "unknown")
COLUMNS: Final = ("day", "person", "made", "approved", "allowed", *_OTHERS, "operations")
"""What a report of the log tells of each person and day."""
_ENDINGS: Final[Mapping[str, Ending]] = {
    "ok": "made",
    "declined": "declined",
    "not_allowed": "refused",
    "asked": "questions",
    "approval_needed": "questions",
    "begun": "unknown",
    "interrupted": "unknown",
    "outcome_unknown": "unknown",
}
"""How a change ended, by its outcome in the log; every other code of an error is a failure."""
_NO_CHANGES: Final = frozenset({"done", "lapsed", "changed", "replaced"})
"""Outcomes of a change that was made by another call, and of questions that nobody answered."""
_BY_A_PERSON: Final = frozenset({"form", "page", "terminal"})


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A change that was asked of the clinic. `at` is UTC; `person` is the principal of the log."""

    at: datetime
    person: str
    operation: str
    ending: Ending
    channel: str

    @property
    def approved(self) -> bool:
        """Whether a person said yes to it."""
        return self.ending == "made" and self.channel in _BY_A_PERSON

    @property
    def allowed(self) -> bool:
        """Whether the operator had allowed beforehand what a person is asked about otherwise."""
        return self.ending == "made" and self.channel == "allowed"

    @property
    def who(self) -> str:
        """The person in words: the log knows no names."""
        return "this computer" if self.person == "local" else clean(self.person, 80) or "not known"


@dataclass(slots=True)
class Tally:
    """What one person had changed on one day: how it ended, how it was approved, and what was made how often."""

    day: date
    who: str
    endings: Counter[Ending] = field(default_factory=Counter[Ending])
    approved: int = 0
    allowed: int = 0
    operations: Counter[str] = field(default_factory=Counter[str])

    def add(self, change: LoggedChange) -> None:
        """Count this change too."""
        self.endings[change.ending] += 1
        self.approved += change.approved
        self.allowed += change.allowed
        if change.ending == "made":
            self.operations[clean(change.operation, 80)] += 1

    def row(self) -> dict[str, str | int]:
        """The tally by the names of `COLUMNS`."""
        made = ", ".join(f"{name} {times}" for name, times in self.operations.most_common())
        return {
            "day": f"{self.day} {self.day:%a}",
            "person": self.who,
            "made": self.endings["made"],
            "approved": self.approved,
            "allowed": self.allowed,
            **{name: self.endings[name] for name in _OTHERS},
            "operations": made,
        }


def tallies(changes: Iterable[LoggedChange], day_of: Callable[[LoggedChange], date]) -> list[Tally]:
    """These changes by day and person, the latest day first."""
    found: dict[tuple[date, str], Tally] = {}
    for change in changes:
        key = day_of(change), change.who
        found.setdefault(key, Tally(*key)).add(change)
    by_person = sorted(found.values(), key=lambda tally: tally.who)
    return sorted(by_person, key=lambda tally: tally.day, reverse=True)


@dataclass(frozen=True, slots=True)
class Logged:
    """The changes of some time, by when they ended, and when the oldest line that is kept was written."""

    changes: list[LoggedChange]
    since: datetime | None


def logged_changes(chain: HashChain, low: datetime, high: datetime) -> Logged:
    """The changes from `low` on and before `high`. Raises OSError where the log cannot be read."""
    begun: dict[object, LoggedChange] = {}
    found: list[LoggedChange] = []
    since: datetime | None = None
    for entry in chain.entries():
        since = since or _moment(entry)
        announced, number, change = entry.get("of"), entry.get("n"), _change(entry)
        if isinstance(announced, int):
            begun.pop(announced, None)
        if change is None:
            continue
        if announced is not None or entry.get("for") == "question":
            found.append(change)
        elif entry.get("outcome") == "begun":
            begun[number] = change
    return Logged(sorted(_inside([*found, *begun.values()], low, high), key=lambda change: change.at), since)


def _inside(changes: list[LoggedChange], low: datetime, high: datetime) -> Iterator[LoggedChange]:
    return (change for change in changes if low <= change.at < high)


def _change(entry: Mapping[str, JsonValue]) -> LoggedChange | None:
    """The change that a line of the log is about; None for a read and for what changed nothing."""
    at, outcome = _moment(entry), str(entry.get("outcome"))
    if at is None or outcome in _NO_CHANGES:
        return None
    ending: Ending = _ENDINGS.get(outcome, "failed")
    channel = entry.get("channel", entry.get("rung"))  # version 0.1.0 wrote "rung"
    return LoggedChange(at, str(entry.get("principal", "")), str(entry.get("operation", "")), ending, str(channel))


def _moment(entry: Mapping[str, JsonValue]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(entry.get("time")))
    except ValueError:
        return None
    return at if at.tzinfo else None
