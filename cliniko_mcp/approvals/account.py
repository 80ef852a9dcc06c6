"""Whose clinic a question is about, as far as the key may know."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, tzinfo
from typing import Final

from cliniko_mcp.approvals.facts import Reader, name_of
from cliniko_mcp.approvals.shown import Account
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.sanitize import clean

_MAX_NAME: Final = 80


async def whose(clinic: Reader, *, demo: Callable[[], bool]) -> Account:
    """The account's name, the key's user and their time zone; what cannot be read is left out.

    `demo` is asked when the clinic has answered, by which a demo clinic at another address is known.

    A question is asked all the same where none of it can be read: the names are for the person's eye alone.
    """
    from cliniko_mcp.cliniko.resources.public_settings import PublicSettingsOfAccount

    name, user = "", ""
    zone: tzinfo = UTC
    with suppress(ClinikoMcpError):
        settings = await clinic.perform(PublicSettingsOfAccount.get_public_settings.of({}))
        name = clean((settings.account.name if settings.account is not None else None) or "", _MAX_NAME)
    with suppress(ClinikoMcpError):
        user = name_of(await clinic.user()) or ""
    with suppress(ClinikoMcpError):
        zone = await clinic.zone()
    return Account(name, user, demo(), zone)
