"""Who is logged in at the pages: a browser holds a random name, and what stands behind it is kept here, sealed."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from cliniko_mcp.identity.person import Person
from cliniko_mcp.identity.relying_party import FRESH_SECONDS, Proven
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

IDLE_SECONDS: Final = 1_800.0
"""After so long without a click a person logs in again."""
LONGEST_SECONDS: Final = 28_800.0
"""So does everybody after a day's work: what the issuer granted may have ended by then."""
_MAX_LOCAL: Final = 10_000
_PURPOSE: Final = "page login"


class Sessions(Protocol):
    """Where logins are kept. Every method raises Unavailable where that cannot be reached."""

    async def put(self, name: str, record: bytes, seconds: float) -> None:
        """Keep this for so many seconds, unless `get` makes them more."""
        ...

    async def get(self, name: str, seconds: float = 0.0) -> bytes:
        """What is kept, from now on for so many seconds where they are named; empty where nothing is."""
        ...

    async def drop(self, name: str) -> None:
        """Keep it no longer."""
        ...


class LocalSessions:
    """Sessions of this process alone, which end with it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    async def put(self, name: str, record: bytes, seconds: float) -> None:
        """See `Sessions.put`; beyond ten thousand the oldest go first."""
        self._kept[name] = record, self._monotonic() + seconds
        self._kept.move_to_end(name)
        while len(self._kept) > _MAX_LOCAL:
            self._kept.popitem(last=False)

    async def get(self, name: str, seconds: float = 0.0) -> bytes:
        """See `Sessions.get`."""
        record, until = self._kept.get(name, (b"", 0.0))
        if self._monotonic() >= until:
            self._kept.pop(name, None)
            return b""
        if seconds > 0:
            await self.put(name, record, seconds)
        return record

    async def drop(self, name: str) -> None:
        """See `Sessions.drop`."""
        self._kept.pop(name, None)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A person at a page."""

    person: Person
    at: float
    """When they last proved that it is them, in Unix seconds; 0 where nobody knows."""
    cookie: str
    """What their browser holds, to which forms are bound."""

    def fresh(self, now: float) -> bool:
        """Whether that was within the last five minutes."""
        return now - self.at <= FRESH_SECONDS


class IssuerSessions:
    """The logins of issuers' people, sealed where they are kept."""

    def __init__(
        self, sessions: Sessions, ring: KeyRing, *, token: Callable[[], str], now: Callable[[], float]
    ) -> None:
        """`now` is the time of day in Unix seconds; `token` gives 256 random bits as text."""
        self._sessions = sessions
        self._ring = ring
        self._token = token
        self._now = now

    async def begin(self, proven: Proven) -> str:
        """What the browser of this person holds from now on."""
        cookie, person = self._token(), proven.person
        name = _name(cookie)
        kept = {
            "who": [person.issuer, person.subject, person.name, person.clinic],
            "scopes": sorted(person.scopes),
            "at": proven.at,
            "until": self._now() + LONGEST_SECONDS,
        }
        record = self._ring.seal(json.dumps(kept).encode(), _PURPOSE, bound=name.encode())
        await self._sessions.put(name, record, IDLE_SECONDS)
        return cookie

    async def seen(self, cookie: str, *, by_hand: bool) -> LoggedIn | None:
        """Whose browser holds this; None where nobody's does any more. Only what is done `by_hand` keeps it going."""
        name = _name(cookie)
        record = await self._sessions.get(name, IDLE_SECONDS if by_hand else 0.0)
        try:
            kept = json.loads(self._ring.unseal(record, _PURPOSE, bound=name.encode()))
        except Unsealable:
            return None
        if self._now() >= kept["until"]:
            await self._sessions.drop(name)
            return None
        issuer, subject, called, clinic = kept["who"]
        return LoggedIn(Person(issuer, subject, called, frozenset(kept["scopes"]), clinic), kept["at"], cookie)

    async def end(self, cookie: str) -> None:
        """Whoever holds this is nobody any more."""
        await self._sessions.drop(_name(cookie))


def _name(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
