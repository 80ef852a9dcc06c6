"""Whose key of Cliniko's this is, by asking Cliniko: two requests, the user and the clinic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

import anyio

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.client.credentials import Credentials, parse_base_url, user_agent
from cliniko_mcp.cliniko.resources.public_settings import PublicSettingsOfAccount
from cliniko_mcp.cliniko.resources.users import Users
from cliniko_mcp.errors import ClinikoMcpError, ConfigurationError, KeyRefused, Unavailable
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.sanitize import clean

if TYPE_CHECKING:
    import httpx2

    from cliniko_mcp.shared_state.logins import PersonRow

SECONDS: Final = 10.0
_NAME: Final = 60


class WrongKey(Exception):
    """Not a key that Cliniko takes, or one of a user who is not in use."""


@dataclass(frozen=True, slots=True)
class Whose:
    """A person of a clinic, as Cliniko tells of them."""

    shard: str
    account: str
    user: str
    name: str
    email: str
    role: str
    clinic: str
    demo: bool = False

    @classmethod
    def of(cls, row: PersonRow) -> Self:
        """The person as they were when they last logged in."""
        shard, account, user = row.id.split(":")
        return cls(shard, account, user, row.name, row.email, row.role, row.clinic)

    @property
    def subject(self) -> str:
        """Who they are, the same at each login."""
        return f"{self.shard}:{self.account}:{self.user}"


class Proof:
    """Asks Cliniko whose a key is."""

    def __init__(
        self,
        contact_email: str,
        base_url: str | None,
        transport: httpx2.AsyncBaseTransport | None,
        now: Callable[[], datetime],
    ) -> None:
        """`base_url` stands in for Cliniko's own addresses; `transport` for the network."""
        self._agent = user_agent(contact_email)
        self._base_url = parse_base_url(base_url) if base_url else None
        self._transport = transport
        self._now = now

    def well_formed(self, text: str) -> bool:
        """Whether this can be a key at all."""
        try:
            Credentials.parse(text)
        except ConfigurationError:
            return False
        return 7 <= len(text.strip()) <= 200

    async def whose(self, text: str) -> Whose:
        """Whose key it is. Raises WrongKey, and Unavailable where Cliniko does not say."""
        if not self.well_formed(text):
            raise WrongKey
        credentials = Credentials.parse(text)
        try:
            with anyio.fail_after(SECONDS):
                async with Clinic.open(
                    base_url=self._base_url or credentials.base_url,
                    key=credentials.key,
                    user_agent=self._agent,
                    now=self._now,
                    transport=self._transport,
                ) as clinic:
                    # At once, so that a key that is good takes no longer than one that is not.
                    user, public = await run_concurrently(
                        lambda: clinic.perform(Users.get_authenticated_user.call()),
                        lambda: clinic.perform(PublicSettingsOfAccount.get_public_settings.call()),
                    )
                    demo = clinic.demo
        except KeyRefused:
            raise WrongKey from None
        except TimeoutError:
            raise Unavailable("Cliniko did not answer in time.", "Try again in a minute.") from None
        except ClinikoMcpError as problem:
            raise Unavailable(problem.message, "Try again in a minute.") from None
        if user.active is False or user.user_active is False:
            raise WrongKey
        account = public.account
        if account is None or not account.id:
            raise Unavailable("Cliniko does not say which clinic this key is for.", "Try again later.")
        return Whose(
            shard=credentials.shard,
            account=str(account.id),
            user=str(user.id),
            name=clean(" ".join(part for part in (user.first_name, user.last_name) if part), _NAME),
            email=clean(user.email or "", 254),
            role=clean(user.role or "", _NAME),
            clinic=clean(account.name or "", 100),
            demo=demo,
        )
