"""Whether this computer is set up for the demo clinic alone, so that nothing else can be looked at."""

from typing import TYPE_CHECKING

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.configuration import installed_servers
from cliniko_mcp.hosts.previous_entry import previous_entry
from cliniko_mcp.hosts.table import Computer, found_hosts
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cliniko_mcp.errors import JsonValue


def demo_hosts(settings: Settings, computer: Computer) -> list[str]:
    """The assistants, as people call them, that are set up here for the demo clinic.

    None where an entry works in a real clinic, a key is there, or a flag or variable says which clinic is meant.
    """
    if settings.model_fields_set & {"sandbox", "base_url", "api_key"} or _key_is_kept():
        return []
    titles: list[str] = []
    for host in found_hosts(computer):
        try:
            entries = installed_servers(host, host.file(computer))
        except ConfigurationError:
            return []  # what it starts is not known
        if not all(map(works_in_the_demo, entries.values())):
            return []
        titles += [host.title] if entries else []
    return titles


def works_in_the_demo(entry: "Mapping[str, JsonValue]") -> bool:
    """Whether this entry of an assistant starts the server in the demo clinic; False where it cannot be read."""
    try:
        found = previous_entry(dict(entry))
    except ConfigurationError:
        return False
    return found is not None and found.settings.sandbox


def _key_is_kept() -> bool:
    from cliniko_mcp.stored_keys import kept

    try:
        return kept().key is not None
    except ConfigurationError:
        return True
