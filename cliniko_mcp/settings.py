"""What the operator decides, read once at start: flags over environment variables over defaults. Frozen afterwards.

This is the only reader of the environment. Each field is one flag (`--approval-wait`) and one variable
(`CLINIKO_MCP_APPROVAL_WAIT`); the key and the contact email have names of their own. A literal `${...}`, which some
hosts leave for a blank setting, counts as unset. A variable that is none of these is an error, because a misspelt
`CLINIKO_MCP_READ_ONLY` must not let changes through.
"""

import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.redaction import SECRETS

ENVIRONMENT_NAMES = {"api_key": "CLINIKO_API_KEY", "contact_email": "CLINIKO_CONTACT_EMAIL"}
PREFIX = "CLINIKO_MCP_"
SECRET_SETTINGS = ("api_key", "http_token")
"""Settings that have no flag: the arguments of a process are visible to everyone on the computer."""
REQUESTS_PER_MINUTE = 200
"""What Cliniko allows each user (docs/cliniko-api.md#rate-limit)."""
_SERVICE = re.compile(
    r"""
      CLINIKO_MCP_(?:\w+_)?SERVICE_HOST=[0-9a-f.:]+
    | CLINIKO_MCP_(?:\w+_)?SERVICE_PORT(?:_\w+)?=\d+
    | CLINIKO_MCP_(?:\w+_)?PORT(?:_\d+_(?:TCP|UDP|SCTP))?=(?:tcp|udp|sctp)://\S+
    | CLINIKO_MCP_(?:\w+_)?PORT_\d+_(?:TCP|UDP|SCTP)_(?:PROTO=(?:tcp|udp|sctp)|PORT=\d+|ADDR=[0-9a-f.:]+)
    """,
    re.VERBOSE,
)
"""Variables that Kubernetes makes in every pod for a service whose name begins with cliniko-mcp, with their values
(https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables)."""
_LOG = logging.getLogger(__name__)


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
        description="How a person is asked before archive, delete, cancel and updates that do as much: auto, "
        "strict (not by a form in the assistant's window) or block (never allowed).",
    )
    approval_wait: float = Field(
        default=40,
        ge=0,
        le=45,
        description="Seconds a call waits for a person at the approval page; 0 returns at once.",
    )
    allow_destroy: Names = Field(
        default=(),
        description="Operations (archive, delete, cancel, update) that nobody is asked about, for automation.",
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
        default=REQUESTS_PER_MINUTE, ge=1, description="Requests a minute to send; more than 200 only with --sandbox."
    )
    http_token_file: str | None = Field(
        default=None, description="File (mode 0600) with the bearer token that http and sse clients must send."
    )
    http_token: SecretStr | None = Field(
        default=None, description="The bearer token itself; environment only, because arguments are visible."
    )
    hosted: str | None = Field(
        default=None,
        description="File (TOML) of a server for many: its public address, the issuers of its tokens, its secrets.",
    )
    people: str | None = Field(
        default=None,
        description="File (TOML) with a token and scopes for each person, for http; `people add` writes it.",
    )
    public_url: str | None = Field(
        default=None, description="The address that people give their assistants, such as https://mcp.example.org/mcp."
    )
    login: Literal["builtin"] | None = Field(
        default=None, description="builtin: people connect by the address alone, each with their own key, for http."
    )
    admit: Names = Field(
        default=(),
        description="Who may log in: account:NUMBER, and within it email:ADDRESS or role:NAME, separated by commas.",
    )
    login_file: str | None = Field(
        default=None, description="Where the built-in login keeps what it knows (SQLite), instead of the usual place."
    )
    login_store: str | None = Field(
        default=None,
        description="Where several servers keep the logins together instead, as env:NAME or file:/path of an address "
        "of Postgres.",
    )
    login_key: Names = Field(
        default=(), description="What seals people's keys, as env:NAME, file:/path or keychain, the newest first."
    )
    login_lives: Names = Field(
        default=(),
        description="How long logins last where not as usual, such as access:1h, idle:14d, whole:30d, code:60s, "
        "request:10m.",
    )
    client_host: Names = Field(
        default=(), description="Further hosts that people may connect from, as names, separated by commas."
    )
    trusted_proxies: Names = Field(
        default=(), description="Addresses or networks of proxies that are believed where a request comes from."
    )
    allow_origin: Names = Field(
        default=(), description="Web pages that may call from a browser, as https://host, separated by commas."
    )
    upload_folder: str | None = Field(
        default=None, description="A folder of this computer whose files may be attached to patients; none otherwise."
    )
    audit_file: str | None = Field(default=None, description="Where the audit log is kept, instead of the usual place.")
    audit_copy: str | None = Field(
        default=None,
        description="Copy each line of the audit log to file:PATH, command:PROGRAM, syslog or syslog:HOST:PORT too.",
    )
    log_format: Literal["text", "json"] | None = Field(
        default=None, description="How the log on standard error is written, for http and sse: text, or json."
    )
    update_notice: bool = Field(
        default=False, description="Let doctor ask the Python package index, once a day, for a newer version."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.sandbox and self.sandbox_port is not None:
            raise ValueError("--sandbox-port needs --sandbox")
        if self.sandbox and self.base_url:
            raise ValueError("--sandbox and --base-url exclude each other")
        if (self.people or self.hosted) and (self.transport != "http" or self.http_token or self.http_token_file):
            raise ValueError("--people and --hosted are for http, and take the place of one token for everybody")
        if self.login and (self.transport != "http" or self.people or self.hosted or self.http_token):
            raise ValueError("--login builtin is for http, and takes the place of --people, --hosted and one token")
        if self.login and self.http_token_file:
            raise ValueError("--login builtin takes the place of --http-token-file")
        if self.login_store and not self.login_store.startswith(("env:", "file:")):
            raise ValueError("--login-store is env:NAME or file:/path: the address may hold a password")
        if self.login_store and self.login_file:
            raise ValueError("--login-store and --login-file exclude each other")
        if self.log_format == "json" and self.transport == "stdio":
            raise ValueError("--log-format json is for http and sse")
        if self.hosted and (self.people or self.public_url or self.allow_origin):
            raise ValueError("--people, --public-url and --allow-origin stand in the file of --hosted")
        return self

    @property
    def demo(self) -> bool:
        """Whether the clinic is the demo clinic, as far as settings can know: of another address only its answers tell
        (`Clinic.demo`)."""
        return self.sandbox

    @property
    def pace(self) -> int:
        """Requests a minute that may be sent: as many as were set, but at most Cliniko's 200 without --sandbox."""
        return self.requests_per_minute if self.sandbox else min(self.requests_per_minute, REQUESTS_PER_MINUTE)

    @property
    def clock_start(self) -> datetime | None:
        """Where this program's own clock starts; None for the computer's clock.

        Only beside a demo clinic that another program serves on this computer: its --sandbox-now is given here as well.
        """
        return self.sandbox_now if (self.base_url or "").startswith("http://") else None

    @classmethod
    def load(cls, flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Self:
        """The settings from these flags (None counts as not given) and the environment.

        Raises ConfigurationError with one line that names each wrong flag and says what it takes, or each variable that
        is no setting and the one that comes nearest.
        """
        environ = dict(_set_variables(os.environ if environ is None else environ))
        known = {variable(name): name for name in cls.model_fields}
        if unknown := sorted(name for name in environ if name.upper().startswith(PREFIX) and name not in known):
            raise ConfigurationError("; ".join(_unknown_variable(name, known) for name in unknown))
        values: dict[str, Any] = {name: environ[key] for key, name in known.items() if key in environ}
        for name in SECRET_SETTINGS:
            SECRETS.learn(str(values.get(name, "")))
        values |= {name: value for name, value in flags.items() if value is not None and value != ()}
        if values.get("hosted") or values.get("people") or values.get("login"):
            values.setdefault("transport", "http")
        try:
            return cls.model_validate(values)
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


_MOUNTED = ("/run/secrets/", "/var/run/secrets/")
"""Where containers find their secrets, whose modes are not theirs to choose and which nobody else sees."""


def secret_at(reference: str, environ: Mapping[str, str] | None = None) -> SecretStr:
    """The secret at a reference, `env:NAME` or `file:/path`.

    Raises ConfigurationError where nothing is there, and for a file that others can read.
    """
    kind, _, where = reference.partition(":")
    if kind == "env":
        found = (os.environ if environ is None else environ).get(where, "").strip()
    else:
        try:
            mode = Path(where).stat().st_mode
            found = Path(where).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"the secret in {where} cannot be read") from None
        if os.name == "posix" and not where.startswith(_MOUNTED) and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(f"the secret in {where} can be read by others: chmod 600 it")
    if not found:
        raise ConfigurationError(f"there is no secret at {reference}")
    SECRETS.learn(found)
    return SecretStr(found)


def open_telemetry(environ: Mapping[str, str] | None = None) -> bool:
    """Whether OpenTelemetry's own variables name a collector to which traces are sent."""
    environ = os.environ if environ is None else environ
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(environ.get(name, "").strip() for name in names)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return ENVIRONMENT_NAMES.get(name, f"{PREFIX}{name.upper()}")


def _set_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that hold something, by name, without those that Kubernetes made; says so on the log."""
    passed_over: list[str] = []
    for name, text in environ.items():
        value = text.strip()
        if not value or (value.startswith("${") and value.endswith("}")):
            continue
        if _SERVICE.fullmatch(f"{name}={value}"):
            passed_over.append(name)
        else:
            yield name, value
    if passed_over:
        _LOG.warning(
            "%d environment variables that Kubernetes made for a service, %s among them, are no settings: passed over",
            len(passed_over),
            min(passed_over, key=len),
        )


def _unknown_variable(name: str, known: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    # Without the prefix, which would make all of them alike; CLINIKO_MCP_API_KEY means CLINIKO_API_KEY.
    by_setting = {setting: key for key, setting in known.items()}
    near = get_close_matches(name[len(PREFIX) :].lower(), by_setting, n=1)
    advice = f"did you mean {by_setting[near[0]]}?" if near else "`cliniko-mcp serve --help` lists them"
    return f"{name} is not a setting: {advice}"


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
