"""The demo clinic's own clock: it starts at any instant, runs or is frozen, and can be moved."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cliniko_mcp.sandbox.timestamps import timestamp


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the clinic's clock showed at a real moment, and whether it was frozen then: enough to continue from."""

    shown: datetime
    at: datetime
    frozen: bool

    def now(self, wall: datetime) -> datetime:
        """What the clock shows at this real time: a running one has run on, a frozen one has not."""
        return self.shown if self.frozen else self.shown + max(wall - self.at, timedelta())


class SandboxClock:
    """The clinic's clock. `monotonic` returns elapsed seconds; a frozen clock ignores it.

    `on_change` is called whenever the clock was set, moved, frozen or let run.
    """

    def __init__(self, start: datetime, *, frozen: bool, monotonic: Callable[[], float]) -> None:
        if start.tzinfo is None:
            raise ValueError("the clinic's clock needs an aware start")
        self._ticks = monotonic
        self._base = start.astimezone(UTC)
        self._since = monotonic()
        self._frozen = frozen
        self.on_change: Callable[[], None] = lambda: None

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still unless it is moved."""
        return self._frozen

    def now(self) -> datetime:
        """The clinic's present instant, in UTC."""
        if self._frozen:
            return self._base
        return self._base + timedelta(seconds=self._ticks() - self._since)

    def stamp(self) -> str:
        """The present instant in wire form, whole seconds with a literal `Z` (cliniko-api.md#values)."""
        return timestamp(self.now())

    def advance(self, step: timedelta) -> None:
        """Move the clock by this much; backwards with a negative step."""
        self._base += step
        self.on_change()

    def set(self, moment: datetime) -> None:
        """Set the clock to this instant; it stays running or frozen."""
        if moment.tzinfo is None:
            raise ValueError("the clinic's clock needs an aware instant")
        self._base = moment.astimezone(UTC)
        self._since = self._ticks()
        self.on_change()

    def restart(self, start: datetime, *, frozen: bool) -> None:
        """Set the clock to this instant and let it run, or freeze it, from there."""
        self._frozen = frozen
        self.set(start)

    def freeze(self) -> None:
        """Stop the clock where it is."""
        self._base = self.now()
        self._frozen = True
        self.on_change()

    def run(self) -> None:
        """Let the clock run on from where it is."""
        if self._frozen:
            self._since = self._ticks()
            self._frozen = False
        self.on_change()
