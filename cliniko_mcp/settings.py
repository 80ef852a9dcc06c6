"""What the operator decides, read once at start: flags over environment variables over defaults. Frozen afterwards.

This is the only reader of the environment. Each field is one flag (`--approval-wait`) and one variable
(`CLINIKO_MCP_APPROVAL_WAIT`); the key and the contact email have names of their own. A literal `${...}`, which some
hosts leave for a blank setting, counts as unset.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from cliniko_mcp.errors import ConfigurationError

ENVIRONMENT_NAMES = {"api_key": "CLINIKO_API_KEY", "contact_email": "CLINIKO_CONTACT_EMAIL"}


def _names(value: object) -> object:
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("must be a time such as 2026-11-24T09:00+11:00") from None


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Now = Annotated[datetime | None, BeforeValidator(_moment)]


class Settings(BaseModel):
    """Every setting of the server, with the words that `--help` and the README show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: SecretStr | None = Field(default=None, description="Your Cliniko API key. Not needed with --sandbox.")
    contact_email: str | None = Field(
        default=None, description="Whom Cliniko may write to about this program's requests. Not needed with --sandbox."
    )
    transport: Literal["stdio", "http", "sse"] = Field(
        default="stdio", description="How assistants connect: stdio, http (Streamable HTTP at /mcp) or sse (at /sse)."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on, for http and sse.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on, for http and sse; 0 finds one.")
    view: Literal["core", "all"] = Field(
        default="core", description="Which tools are listed: core, or all. Every operation can be called in either."
    )
    resources: Names = Field(default=(), description="Offer only the tools of these resources, separated by commas.")
    tools: Names = Field(default=(), description="Offer only these tools, separated by commas.")
    exclude_tools: Names = Field(default=(), description="Never offer or run these tools, separated by commas.")
    read_only: bool = Field(default=False, description="Refuse everything that would change the clinic's records.")
    confirm: Literal["auto", "strict", "block"] = Field(
        default="auto",
        description="How a person is asked before archive, delete and cancel: auto, strict (not by a form in the "
        "assistant's window) or block (never allowed).",
    )
    approval_wait: float = Field(
        default=40,
        ge=0,
        le=45,
        description="Seconds a call waits for a person at the approval page; 0 returns at once.",
    )
    allow_destroy: Names = Field(
        default=(), description="Operations that may archive, delete or cancel unasked, for unattended automation."
    )
    output: Literal["both", "text"] = Field(
        default="both", description="Answer in structured content and text, or in text only for hosts that pay twice."
    )
    output_schemas: bool = Field(default=False, description="Also list each tool's output schema.")
    sandbox: bool = Field(default=False, description="Work in the built-in demo clinic: no key, nothing real.")
    sandbox_port: int | None = Field(
        default=None, ge=0, le=65535, description="Also show the demo clinic on this local port, for other programs."
    )
    sandbox_now: Now = Field(default=None, description="Where the demo clinic's clock starts, as an ISO time.")
    sandbox_clock: Literal["running", "frozen"] = Field(
        default="running", description="Whether the demo clinic's clock runs or stands still."
    )
    sandbox_file: str | None = Field(default=None, description="Keep the demo clinic's state in this SQLite file.")
    seed: int = Field(default=1, ge=0, description="Which demo clinic is made; the same number makes the same one.")
    rate_limit: int = Field(
        default=200, ge=0, description="Requests a minute that the demo clinic allows for each key; 0 for no limit."
    )
    faults: Names = Field(
        default=(),
        description="Trouble that the demo clinic makes, separated by commas: 429, 5xx, slow, non-json or dropped, "
        "each with a rate, a path or a method if need be, such as slow:0.1 or 5xx:/bookings.",
    )
    base_url: str | None = Field(
        default=None, description="Another address of the API, with /v1: https, or http on this computer."
    )
    requests_per_minute: int = Field(
        default=200, ge=1, description="Requests a minute to send; more than 200 only to a demo clinic."
    )
    http_token_file: str | None = Field(
        default=None, description="File (mode 0600) with the bearer token that http and sse clients must send."
    )
    http_token: SecretStr | None = Field(
        default=None, description="The bearer token itself; environment only, because arguments are visible."
    )
    upload_folder: str | None = Field(
        default=None, description="A folder of this computer whose files may be attached to patients; none otherwise."
    )
    audit_file: str | None = Field(default=None, description="Where the audit log is kept, instead of the usual place.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.sandbox and self.sandbox_port is not None:
            raise ValueError("--sandbox-port needs --sandbox")
        if self.sandbox and self.base_url:
            raise ValueError("--sandbox and --base-url exclude each other")
        return self

    @property
    def demo(self) -> bool:
        """Whether the server talks to a demo clinic, its own or one on this computer."""
        return self.sandbox or (self.base_url or "").startswith("http://")

    @property
    def pace(self) -> int:
        """Requests a minute that may be sent: as many as were set, of them at most Cliniko's 200 to a real account."""
        return self.requests_per_minute if self.demo else min(self.requests_per_minute, 200)

    @classmethod
    def load(cls, flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Self:
        """The settings from these flags (None counts as not given) and the environment.

        Raises ConfigurationError with one line that names each wrong flag and says what it takes.
        """
        environ = os.environ if environ is None else environ
        given: dict[str, Any] = {}
        for name in cls.model_fields:
            value = environ.get(variable(name), "").strip()
            if value and not (value.startswith("${") and value.endswith("}")):
                given[name] = value
        given |= {name: value for name, value in flags.items() if value is not None and value != ()}
        try:
            return cls.model_validate(given)
        except ValidationError as refused:
            raise ConfigurationError("; ".join(_problems(refused))) from None

    def require_account(self) -> tuple[str, str]:
        """The API key and the contact email, which a real account needs.

        Raises ConfigurationError that says which is missing and where to get it.
        """
        key = self.api_key.get_secret_value().strip() if self.api_key else ""
        email = self.contact_email or ""
        if not key or not email:
            from cliniko_mcp.stored_keys import kept

            found = kept()
            email = email or found.contact_email or ""
            # A key that is kept here is for Cliniko itself: another address has to be given its key by hand.
            key = key or ("" if self.base_url else found.key or "")
        if not key:
            raise ConfigurationError(
                "no API key: run `cliniko-mcp login` or set CLINIKO_API_KEY (Cliniko: My Info, Manage API keys), "
                "or try --sandbox without one"
            )
        if not email:
            raise ConfigurationError(
                "no contact email: run `cliniko-mcp login` or set CLINIKO_CONTACT_EMAIL to an address where Cliniko "
                "can reach you"
            )
        return key, email


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return ENVIRONMENT_NAMES.get(name, f"CLINIKO_MCP_{name.upper()}")


def flag(name: str) -> str:
    """The command-line flag of a setting."""
    return "--" + name.replace("_", "-")


def _problems(refused: ValidationError) -> list[str]:
    found: list[str] = []
    for error in refused.errors(include_url=False, include_input=False):
        message = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
        found.append(f"{flag(str(error['loc'][0]))} {message[0].lower()}{message[1:]}" if error["loc"] else message)
    return found


def environment_for_others() -> dict[str, str]:
    """The environment for programs that this one starts: all but our own, among them the key and the token."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}


def no_colour() -> bool:
    """Whether the person asked every program for plain text (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
