"""Who speaks to Cliniko and where: the API key, the address it belongs to, and the name this program gives itself."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cliniko_mcp import __version__
from cliniko_mcp.errors import ConfigurationError

DEFAULT_SHARD: Final = "au1"
_SHARD: Final = re.compile(r"\w{2}\d{1,2}", re.ASCII)
_PRINTABLE: Final = re.compile(r"[!-~]+")
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key and the shard it belongs to. The key shows in no repr, message or log."""

    key: str = field(repr=False)
    shard: str

    @classmethod
    def parse(cls, text: str) -> "Credentials":
        """The credentials that an API key stands for; surrounding blanks are dropped (cliniko-api.md#connection).

        The shard is what follows the key's last hyphen, matched by form and never by list; without a hyphen it is au1.
        Raises ConfigurationError, whose words never contain the key.
        """
        key = text.strip()
        if not key:
            raise ConfigurationError("No API key is set.", "Give Cliniko's API key in CLINIKO_API_KEY.")
        # A colon would end the user name of Basic auth early, and everything after it would be lost.
        if not _PRINTABLE.fullmatch(key) or ":" in key:
            raise ConfigurationError("The API key contains characters that no Cliniko key has.", _COPY_AGAIN)
        _, hyphen, ending = key.rpartition("-")
        if not hyphen:
            return cls(key, DEFAULT_SHARD)
        if not _SHARD.fullmatch(ending):
            raise ConfigurationError("The API key does not end in a region such as -au2 or -uk1.", _COPY_AGAIN)
        return cls(key, ending.lower())

    @property
    def base_url(self) -> str:
        """The address of the API for this key, ending in /v1."""
        return f"https://api.{self.shard}.cliniko.com/v1"


_COPY_AGAIN: Final = "Copy the whole key again from Cliniko, with its ending."
_BASE_URL: Final = "It has to look like https://api.au1.cliniko.com/v1, or http://127.0.0.1:PORT/v1 on this computer."


def parse_base_url(text: str) -> str:
    """The base URL without a trailing slash: https anywhere, http on this computer only, ending in /v1.

    Raises ConfigurationError for anything else, and for an address that carries a user name, a query or a fragment.
    """
    written = text.strip()
    # urlsplit drops tabs and line breaks silently, so they are refused before it sees them.
    parts = _split(written) if _PRINTABLE.fullmatch(written) and "\\" not in written else None
    if parts is None or not parts.hostname:
        raise ConfigurationError("The base URL is not an address.", _BASE_URL)
    if "@" in parts.netloc or parts.query or parts.fragment or "?" in written or "#" in written:
        raise ConfigurationError("The base URL may hold neither a user name nor a query.", _BASE_URL)
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError("The base URL has to begin with https://.", _BASE_URL)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError("Plain http would send the API key unprotected to another computer.", _BASE_URL)
    path = parts.path.rstrip("/")
    if not path.endswith("/v1"):
        raise ConfigurationError("The base URL has to end in /v1.", _BASE_URL)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _split(written: str) -> SplitResult | None:
    try:
        parts = urlsplit(written)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach the host."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def user_agent(contact_email: str) -> str:
    """How this program names itself to Cliniko, which asks for a name and a contact email (cliniko-api.md#connection).

    Raises ConfigurationError where the email is missing or not one, line breaks and other control characters included.
    """
    email = contact_email.strip(" ")
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise ConfigurationError(
            "Cliniko asks for a contact email, and none that can be used is set.",
            "Give the address of the person who looks after this server in CLINIKO_CONTACT_EMAIL.",
        )
    return f"cliniko-mcp/{__version__} ({email})"
