"""What the built-in login keeps: programs, requests under way, codes, grants and their tokens, people, page sessions.

Secrets are known here by their SHA-256 digests alone, keys of Cliniko's sealed. Times are seconds since 1970. A *grant*
is what one person gave one program at one login; all tokens that came of it end with it, and nothing revives it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

GRACE_SECONDS: Final = 120.0
"""How long a refresh token that was used may be shown again: hosts refresh from several processes at once."""
MAX_SIBLINGS: Final = 10
"""How many tokens may come of one refresh token within that time."""

Outcome = Literal["unknown", "expired", "ended", "again"]
"""Why no token came of a code or a refresh token; `again` where it was used before, which ended its grant."""


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A program that registered itself."""

    id: str
    metadata: str
    """As it registered, in JSON."""
    fingerprint: str
    """The same for the same metadata from the same address."""
    created: float


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A login under way."""

    id: str
    """The digest of what its address names."""
    details: str
    """Who asks and for what, in JSON."""
    expires: float
    cookie: str = ""
    """The digest of the cookie of the browser that opened it."""
    tried: int = 0
    """Wrong keys so far."""
    proven: bytes = b""
    """Sealed: whose key was pasted, and the key."""
    handed: bytes = b""
    """Sealed: where the answer went."""
    handed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class CodeRow:
    """What a program exchanges for tokens, once."""

    digest: str
    grant: str
    details: str
    """The rest of the request, in JSON."""
    expires: float
    used: bool = False


@dataclass(frozen=True, slots=True)
class GrantRow:
    """What one person gave one program."""

    id: str
    person: str
    client: str
    program: str
    """What the program is called, for people."""
    scopes: str
    created: float
    expires: float
    used: float = 0.0
    """When a token of it was last seen; 0 where none was."""
    begun: bool = False
    """Whether its program has fetched tokens."""
    ended: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that is good: its own part, and its grant's."""

    grant: GrantRow
    scopes: str
    expires: float
    refresh: bool


@dataclass(frozen=True, slots=True)
class NewTokens:
    """Two tokens to keep by their digests; without a refresh token where the program cannot use one."""

    access: str
    access_expires: float
    refresh: str
    refresh_expires: float
    scopes: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who has logged in."""

    id: str
    """Shard, account and user, with colons."""
    name: str
    email: str
    role: str
    clinic: str
    version: int
    """Of their key: each new one counts up."""
    sealed: bytes
    """The key, sealed; empty where it was refused or forgotten."""
    proven: float
    """When Cliniko last said that it is good."""
    manager: bool = False


@dataclass(frozen=True, slots=True)
class LoginEvent:
    """What became of a login, a connection or a rule, for the audit log."""

    outcome: Literal["granted", "declined", "refused", "used_again", "ended", "rule_added", "rule_removed"]
    """`refused` is a key that was not taken; `used_again` is what ends a connection because two have its secret."""
    person: str = ""
    program: str = ""
    grant: str = ""
    why: str = ""
    """What was granted, why it ended, or the rule."""


Told = Callable[[LoginEvent], Awaitable[None]]
"""Is told of each event once it is kept."""


async def nobody_told(event: LoginEvent) -> None:
    """Nobody wants to know."""


class Logins(Protocol):
    """The store. Each method is one transaction; what several processes do at once happens one after the other."""

    async def add_client(self, row: ClientRow, *, recent: float, unused: float, most: int) -> ClientRow | None:
        """Keep a program, or give the one of the same fingerprint created after `recent`.

        Programs without a grant created before `unused` are dropped first; None where `most` without one are there.
        """
        ...

    async def client(self, id: str) -> ClientRow | None:
        """The program of this id."""
        ...

    async def begin_request(self, row: RequestRow, now: float, most: int) -> bool:
        """Keep a new login under way, and drop those that are over and end what no program fetched; False where so many
        are under way already."""
        ...

    async def put_request(self, row: RequestRow) -> None:
        """Keep a login under way; of one that is kept, its cookie and its proof, until it was answered."""
        ...

    async def request(self, id: str, now: float) -> RequestRow | None:
        """The login under way, until it expires."""
        ...

    async def wrong_key(self, id: str) -> int:
        """Count one more wrong key of this request; how many there were."""
        ...

    async def decide(self, request: RequestRow, code: CodeRow | None, grant: GrantRow | None) -> bool:
        """Keep how a request was answered, with the code that came of it; False where it was answered before."""
        ...

    async def code(self, digest: str) -> CodeRow | None:
        """The code of this digest, used or not."""
        ...

    async def take_code(self, digest: str, tokens: NewTokens, now: float) -> GrantRow | Outcome:
        """Use the code, once, and keep the tokens that come of it. Used again, it ends its grant."""
        ...

    async def token(self, digest: str, now: float) -> TokenRow | None:
        """The access token of this digest while it, its grant and its person's key are good."""
        ...

    async def refresh_token(self, digest: str) -> TokenRow | None:
        """The refresh token of this digest, whether it is still good or not."""
        ...

    async def rotate(self, digest: str, tokens: NewTokens, now: float) -> GrantRow | Outcome:
        """Use a refresh token and keep the tokens that come of it; too late or too often, it ends its grant."""
        ...

    async def end(self, now: float, why: str, *, grant: str = "", person: str = "", client: str = "") -> int:
        """End the grants of these, or all where none is named; how many were ended."""
        ...

    async def grants(self, now: float, person: str = "") -> Sequence[GrantRow]:
        """The grants that are good or ended within the last week, the newest first."""
        ...

    async def put_person(self, row: PersonRow, seal: Callable[[int], bytes]) -> PersonRow:
        """Keep somebody with a new key; their version counts up, for which `seal` seals the key, and who is a manager
        stays one. What the row says of those is not looked at."""
        ...

    async def reseal(self, id: str, version: int, sealed: bytes) -> None:
        """Keep the key of this version sealed anew, where there is no newer one."""
        ...

    async def person(self, id: str) -> PersonRow | None:
        """Somebody who has logged in."""
        ...

    async def people(self) -> Sequence[PersonRow]:
        """Everybody who has logged in."""
        ...

    async def proven(self, id: str, now: float) -> None:
        """Note that Cliniko took the key."""
        ...

    async def drop_key(self, id: str, version: int, now: float, why: str) -> bool:
        """Forget the key of this version and end every grant of its person; False where there is a newer one."""
        ...

    async def put_session(self, digest: str, person: str, expires: float) -> None:
        """Keep that somebody is logged in on our pages."""
        ...

    async def session(self, digest: str, now: float) -> str | None:
        """Who is logged in on our pages."""
        ...

    async def drop_sessions(self, digest: str = "", person: str = "") -> None:
        """Log out of our pages."""
        ...

    async def fact(self, name: str) -> bytes | None:
        """A fact about this store itself."""
        ...

    async def put_fact(self, name: str, value: bytes | None, *, only_from: bytes | None = None) -> bool:
        """Keep a fact, or drop it with None; with `only_from` only where that is what is kept, empty for nothing."""
        ...

    async def admitted(self) -> Sequence[tuple[str, str]]:
        """The rules of who may log in, as kind and value."""
        ...

    async def admit(self, kind: str, value: str, *, drop: bool = False) -> bool:
        """Add or drop a rule; whether that changed anything."""
        ...
