"""The demo clinic's own clock: it starts at a given instant and runs, or stands still, and can be moved."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clinic's clock showed at a real moment, and whether it stood still then: enough to go on from."""

    shown: datetime
    at: datetime
    frozen: bool

    def now(self, wall: datetime) -> datetime:
        """What the clock would show by now: a running one has gone on, a standing one stands where it stood."""
        return self.shown if self.frozen else self.shown + max(wall - self.at, timedelta())


class SandboxClock:
    """Tells the clinic's time. `monotonic` gives elapsed seconds; a frozen clock ignores it.

    `moved` is called whenever the clock was put elsewhere, stopped or let run.
    """

    def __init__(self, start: datetime, *, frozen: bool, monotonic: Callable[[], float]) -> None:
        if start.tzinfo is None:
            raise ValueError("the clinic's clock needs an aware start")
        self._ticks = monotonic
        self._base = start.astimezone(UTC)
        self._since = monotonic()
        self._frozen = frozen
        self.moved: Callable[[], None] = lambda: None

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still until it is moved."""
        return self._frozen

    def now(self) -> datetime:
        """The clinic's present instant, in UTC."""
        if self._frozen:
            return self._base
        return self._base + timedelta(seconds=self._ticks() - self._since)

    def stamp(self) -> str:
        """The present instant in wire form, whole seconds with a literal `Z` (api.md 1.6)."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def advance(self, step: timedelta) -> None:
        """Move the clock by this much; backwards with a negative step."""
        self._base += step
        self.moved()

    def set(self, moment: datetime) -> None:
        """Put the clock to this instant; it runs on, or stands still, as before."""
        if moment.tzinfo is None:
            raise ValueError("the clinic's clock needs an aware instant")
        self._base = moment.astimezone(UTC)
        self._since = self._ticks()
        self.moved()

    def restart(self, start: datetime, *, frozen: bool) -> None:
        """Put the clock to this instant and let it run or stand from there."""
        self._frozen = frozen
        self.set(start)

    def freeze(self) -> None:
        """Stop the clock where it is."""
        self._base = self.now()
        self._frozen = True
        self.moved()

    def run(self) -> None:
        """Let the clock run on from where it is."""
        if self._frozen:
            self._since = self._ticks()
            self._frozen = False
        self.moved()
