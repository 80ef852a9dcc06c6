"""Whether a call is one that a person is asked about: by what it does, whatever it is called and by whichever tool.

Archiving, deleting and cancelling always are. An update is where this call of it takes away what the table of effects
names, counted with what the same caller took from the same record in the last hour; and where it is one of more than 30
updates of different records of one kind within a minute, about which a person is asked once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import anyio

from cliniko_mcp.approvals.digest import digest, plain_id
from cliniko_mcp.approvals.effects import emptied_parts, losses, possible, text_amount
from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.losses import NOTHING_EARLIER, Earlier, changed
from cliniko_mcp.approvals.preview import preview, read_target
from cliniko_mcp.approvals.questions import Matter
from cliniko_mcp.approvals.shown import Preview
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.guards.pipeline import GuardedCall
from cliniko_mcp.guards.scopes import beyond_scope
from cliniko_mcp.guards.turns import Turns

BURST: Final = 30
"""How many different records of one kind one caller may update within a minute unasked."""
BURST_SECONDS: Final = 60.0
LOT_SECONDS: Final = 600.0
"""How long a yes to a burst lasts, in seconds."""
REMEMBERED_SECONDS: Final = 3600.0
"""How long small losses of a record are added up, in seconds."""
MAX_REMEMBERED: Final = 10_000

_Record = tuple[str, str]
"""A principal and a record of a resource."""


@dataclass(slots=True)
class _Burst:
    """What one caller updated of one kind of record lately."""

    updated: dict[str, float] = field(default_factory=dict[str, float])
    """When each record was updated last, by its id."""
    allowed_until: float = 0.0
    turn: anyio.Lock = field(default_factory=anyio.Lock)
    """Held while a person is asked, so that they are asked once."""


@dataclass(slots=True)
class _Taken:
    """What one caller took from one record lately."""

    earlier: Earlier
    at: float


@dataclass(frozen=True, slots=True)
class Effect:
    """Why a person is asked about a call, and what they are shown."""

    guarded: GuardedCall
    names: tuple[str, ...]
    """What an update does, by the names of the rules: `emptied`, `burst`; none for what its name says."""
    earlier: Earlier = NOTHING_EARLIER
    burst: _Burst | None = None

    @property
    def matter(self) -> Matter:
        """What an answer is bound to, before anything was read: a burst to the kind of record, all else to the call."""
        matter = Matter.of(self.guarded.caller.principal, self.guarded.call)
        if self.burst is None:
            return replace(matter, effect=" ".join(self.names)) if self.names else matter
        return _lot(self.guarded)

    @property
    def turn(self) -> AbstractAsyncContextManager[object]:
        """Held while a person is asked: about a burst they are asked once, however many calls it has."""
        return self.burst.turn if self.burst is not None else nullcontext()

    async def described(self, now: datetime) -> Preview:
        """What a person is shown, from a fresh reading. Raises what `preview` raises."""
        if self.burst is not None:
            return _of_burst(self.guarded.call)
        return await preview(self.guarded.reader, self.guarded.call, now, self.earlier)


class Effects:
    """Finds the effect of each call, and remembers what it takes to see many small ones as a large one."""

    def __init__(self, now: Callable[[], datetime], clock: Callable[[], float] = anyio.current_time) -> None:
        """`now` is the clinic's clock; `clock` counts seconds and only runs forward."""
        self._now = now
        self._clock = clock
        self._bursts: dict[_Record, _Burst] = {}
        self._taken: OrderedDict[_Record, _Taken] = OrderedDict()
        self._turns = Turns()

    async def of(self, guarded: GuardedCall, answered: Matter | None = None) -> Effect | None:
        """Why a person has to be asked about this call; None where it may go on unasked, which is then remembered.

        `answered` is what was asked and comes back answered with this call: an answer about a burst counts also when
        the minute is over by now. An update's record is read only where a rule could apply to what the call sends.
        Raises what reading it raises, and NotAllowed where the caller's token does not grant such a change.
        """
        effect = await self._found(guarded, answered)
        if effect is not None and not Risk.DESTRUCTIVE.within(guarded.caller.may):
            guarded.outcome.effect = " ".join(effect.names)
            raise beyond_scope(guarded.call.operation.title, guarded.call.operation.name, Risk.DESTRUCTIVE)
        return effect

    async def _found(self, guarded: GuardedCall, answered: Matter | None) -> Effect | None:
        call = guarded.call
        if call.operation.risk is Risk.DESTRUCTIVE:
            return Effect(guarded, ())
        if not _may_ask(call):
            return None
        earlier, record = self._earlier(guarded), None
        if possible(call, self._now(), earlier):
            # What cannot be found is not changed unseen, whatever Cliniko would do with it.
            record = guarded.known() or await read_target(guarded.reader, call)
            lost = await losses(Facts(guarded.reader, self._now()), call, record, earlier)
            if lost:
                return Effect(guarded, tuple(dict.fromkeys(loss.rule for loss in lost)), earlier)
            guarded.outcome.before = record
        burst = self._burst_of(guarded, answered)
        if burst is None:
            self._remember(guarded, earlier, record)
        return burst

    def alone(self, guarded: GuardedCall) -> AbstractAsyncContextManager[object]:
        """The context in which no other call that passes here changes the record of this one.

        What is found out about a record only holds for a change that is sent within the same context.
        """
        return self._turns.at(_target(guarded.call)) if _may_ask(guarded.call) else nullcontext()

    def approved(self, effect: Effect) -> None:
        """Note that a person said yes: a burst goes on for ten minutes, and losses that were shown count no more.

        What else the call takes from the record is added to what was taken before.
        """
        if effect.burst is not None:
            effect.burst.allowed_until = self._clock() + LOT_SECONDS
        elif effect.guarded.call.operation.shape == "update":
            self._remember(effect.guarded, effect.earlier, effect.guarded.outcome.before, shown=effect.names)

    def refused(self, effect: Effect) -> None:
        """Note that a person said no: a burst that was allowed before ends."""
        if effect.burst is not None:
            effect.burst.allowed_until = self._clock()

    def lifted(self, effect: Effect) -> bool:
        """Whether a person has said yes to the burst that this effect is, since it was found."""
        return effect.burst is not None and self._clock() < effect.burst.allowed_until

    def _earlier(self, guarded: GuardedCall) -> Earlier:
        now = self._clock()
        taken = self._taken.get(_record(guarded))
        return taken.earlier if taken is not None and now < taken.at + REMEMBERED_SECONDS else NOTHING_EARLIER

    def _remember(
        self, guarded: GuardedCall, earlier: Earlier, record: Record | None, shown: Sequence[str] = ()
    ) -> None:
        """Add what this call takes to what was taken earlier; what a person was `shown`, by rule, begins anew."""
        call = guarded.call
        text = text_amount(call, record) if record is not None else 0
        total = Earlier(
            frozenset(
                name
                for name in earlier.emptied | emptied_parts(call, record)
                if ("answers" if "." in name else "emptied") not in shown
            ),
            0 if "text" in shown else max(earlier.text, text),
        )
        key = _record(guarded)
        self._taken.pop(key, None)
        if total == NOTHING_EARLIER:
            return
        if len(self._taken) >= MAX_REMEMBERED:
            self._taken.popitem(last=False)
        self._taken[key] = _Taken(total, self._clock())

    def _burst_of(self, guarded: GuardedCall, answered: Matter | None) -> Effect | None:
        call = guarded.call
        if changed(call).keys() <= {"arrived"}:
            return None
        now, key = self._clock(), (guarded.caller.principal, call.operation.resource)
        burst = self._bursts.setdefault(key, _Burst())
        for target in [target for target, at in burst.updated.items() if at + BURST_SECONDS <= now]:
            del burst.updated[target]
        if answered is not None and answered.call == _lot(guarded).call:
            return Effect(guarded, ("burst",), burst=burst)
        target = _record(guarded)[1]
        if target not in burst.updated and len(burst.updated) >= BURST and now >= burst.allowed_until:
            return Effect(guarded, ("burst",), burst=burst)
        burst.updated[target] = now
        return None


def _record(guarded: GuardedCall) -> _Record:
    return guarded.caller.principal, _target(guarded.call)


def _may_ask(call: Call) -> bool:
    return call.operation.risk is Risk.DESTRUCTIVE or call.operation.shape == "update"


def _target(call: Call) -> str:
    return f"{call.operation.resource}/{'/'.join(map(plain_id, call.ids.values()))}"


def _lot(guarded: GuardedCall) -> Matter:
    """All updates of this kind of record by this caller, as one matter."""
    resource, principal = guarded.call.operation.resource, guarded.caller.principal
    # Bursts of two callers have nothing to do with each other.
    return Matter(principal, f"update many {resource}", "", f"{resource}/many/{principal}", effect="burst")


def _of_burst(call: Call) -> Preview:
    nouns = call.operation.resource.replace("_", " ")
    shown = Preview(
        act=f"Go on changing {nouns}",
        keep="Stop here",
        done="Allowed",
        facts=(),
        consequences=(
            f"{BURST} {nouns} were changed within a minute, and the assistant wants to change more. A yes lets it "
            f"change {nouns} for ten minutes without asking about each; changes that lose something are still asked "
            "about one by one. Every change stands in the audit log.",
        ),
    )
    return replace(shown, digest=digest(shown.stated))
