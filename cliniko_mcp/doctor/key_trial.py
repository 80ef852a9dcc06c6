"""Whether Cliniko accepts a key, tried before the key is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

import anyio

from cliniko_mcp.client.credentials import Credentials, user_agent
from cliniko_mcp.cliniko.resources.public_settings import PublicSettingsOfAccount
from cliniko_mcp.cliniko.resources.settings import SettingsOfAccount
from cliniko_mcp.cliniko.resources.users import User, Users
from cliniko_mcp.doctor.account import KEY_REFUSED
from cliniko_mcp.errors import ClinikoRefused, KeyRefused, NotFound, PermissionMissing
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean

if TYPE_CHECKING:
    from cliniko_mcp.client.clinic import Clinic

TRIAL_SECONDS: Final = 15.0
"""The time limit in seconds for the whole trial."""


@dataclass(frozen=True, slots=True)
class KeyTrial:
    """How a trial of a key ended, in a sentence for the person who gave it."""

    outcome: Literal["connected", "refused", "untried"]
    sentence: str


async def try_key(key: str, email: str, now: Callable[[], datetime]) -> KeyTrial:
    """Who the key belongs to, read from Cliniko with two or three requests.

    Raises ConfigurationError for a malformed key or email.
    """
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.client.transport import Network

    base_url, agent = Credentials.parse(key).base_url, user_agent(email)
    trial = KeyTrial("untried", "The key could not be tried: Cliniko did not answer in time.")
    with anyio.move_on_after(TRIAL_SECONDS):
        async with Clinic.open(base_url=base_url, key=key, user_agent=agent, transport=Network(), now=now) as clinic:
            trial = await _read(clinic)
    return trial


async def _read(clinic: "Clinic") -> KeyTrial:
    try:
        user = await clinic.perform(Users.get_authenticated_user.call())
    except KeyRefused:
        return KeyTrial("refused", f"{KEY_REFUSED}.")
    except ClinikoRefused as problem:
        return KeyTrial("untried", _shown(f"The key could not be tried: {problem.message}"))
    name, may_read = await _clinic_and_settings(clinic)
    return KeyTrial("connected", _shown(f"Connected to {name} as {_person(user)}; may read settings: {may_read}."))


async def _clinic_and_settings(clinic: "Clinic") -> tuple[str, str]:
    """The clinic's name, "Cliniko" where it cannot be read, and whether the key may read the settings: yes or no."""
    may_read = "not known"
    try:
        settings = await clinic.perform(SettingsOfAccount.get_settings.of({}))
        may_read = "yes"
    except (PermissionMissing, NotFound):
        may_read = "no"
        try:
            settings = await clinic.perform(PublicSettingsOfAccount.get_public_settings.of({}))
        except ClinikoRefused:
            settings = None
    except ClinikoRefused:
        settings = None
    account = settings.account if settings is not None else None
    return (account.name if account is not None else None) or "Cliniko", may_read


def _person(user: User) -> str:
    name = " ".join(part for part in (user.first_name, user.last_name) if part) or "a user without a name"
    inactive = ", who is not active" if user.active is False else ""
    return f"{name}, {user.role or 'role unknown'}{inactive}"


def _shown(text: str) -> str:
    return clean(SECRETS.text(text))
