"""How people of the people's file log in at the pages: by a code that is good once.

From then on their browser knows them, for thirty days or until their token is revoked or replaced. The code is not the
token, so that what holds the token cannot answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import anyio

from cliniko_mcp.identity.people_file import PersonEntry, digest_of
from cliniko_mcp.pages.sessions import LoggedIn, Sessions
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

SESSION_SECONDS: Final = 2_592_000
_PURPOSE: Final = "approvals"
_ENDED: Final = b"ended"
_FEW: Final = 1_000


class Once(Protocol):
    """What is good for one use."""

    async def first(self, name: str, seconds: float) -> bool:
        """Whether nobody has used this name for so many seconds."""
        ...


class LocalOnce:
    """Uses in this process alone."""

    def __init__(self, monotonic: Callable[[], float] = anyio.current_time) -> None:
        self._monotonic = monotonic
        self._used: dict[str, float] = {}
        self._most = _FEW

    async def first(self, name: str, seconds: float) -> bool:
        """See `Once.first`; it is remembered for that long at least."""
        if name in self._used:
            return False
        now = self._monotonic()
        if len(self._used) >= self._most:  # anybody may begin a login
            self._used = {used: until for used, until in self._used.items() if until > now}
            self._most = max(_FEW, 2 * len(self._used))
        self._used[name] = now + seconds
        return True


class PeopleCodes:
    """The codes of people of the file, and the browsers that came with one."""

    def __init__(
        self,
        people: Callable[[], Sequence[PersonEntry]],
        sessions: Sessions,
        ring: KeyRing,
        once: Once,
        *,
        now: Callable[[], float],
    ) -> None:
        """`sessions` keeps which browsers were signed out; `now` is the time of day in Unix seconds."""
        self._people = people
        self._sessions = sessions
        self._ring = ring
        self._once = once
        self._now = now

    async def begin(self, code: str) -> str | None:
        """What the browser that came with this code holds from now on; None for a code that is nobody's, too old, or
        used. Raises Unavailable where it cannot be known whether it was used."""
        digest, now = digest_of(code), self._time()
        entry = next((one for one in self._people() if one.code == digest), None)
        if entry is None or entry.code_expires is None or now >= entry.code_expires:
            return None
        left = (entry.code_expires - now).total_seconds()
        if not await self._once.first(digest, left + 60):
            return None
        record = json.dumps([entry.id, entry.token, self._now() + SESSION_SECONDS, self._now()]).encode()
        return base64.urlsafe_b64encode(self._ring.seal(record, _PURPOSE)).decode()

    async def seen(self, cookie: str) -> LoggedIn | None:
        """Whose browser holds this; None where nobody's does any more. Raises Unavailable."""
        try:
            sealed = base64.urlsafe_b64decode(cookie.encode("ascii"))
            id, token, until, at = json.loads(self._ring.unseal(sealed, _PURPOSE))
        except (binascii.Error, ValueError, Unsealable):
            return None
        entry = next((one for one in self._people() if one.id == id and one.token == token), None)
        if entry is None or self._now() >= until or (entry.expires is not None and self._time() >= entry.expires):
            return None
        if await self._sessions.get(_name(cookie)):
            return None
        return LoggedIn(entry.person, at, cookie)

    async def end(self, cookie: str) -> None:
        """Whoever holds this is nobody any more."""
        await self._sessions.put(_name(cookie), _ENDED, SESSION_SECONDS)

    def _time(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)


def _name(cookie: str) -> str:
    return f"ended:{hashlib.sha256(cookie.encode()).hexdigest()}"
