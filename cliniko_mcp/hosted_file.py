"""The file of a server for many, `serve --hosted hosted.toml`: its address, who vouches for people, its secrets.

Every secret is a reference, `env:NAME` or `file:/path`, so that the file itself can be shown to anybody.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.settings import Settings, flag, secret_at

SecretReference = Annotated[str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$")]
"""Where a secret is: `env:NAME` or `file:/path`."""
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#@]+$")]
RedisAddress = Annotated[str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|(file|rediss?|unix):[^\s@]+)$")]
"""Where Redis is: `redis://host:6379/0`, or a reference to that where it holds a password."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntrospectionSection(_Section):
    """Where and as whom the issuer is asked about tokens that only it can read (RFC 7662)."""

    url: Address
    client_id: str
    client_secret: SecretReference


class PageSection(_Section):
    """As whom the pages of this server log people in at the issuer (OpenID Connect, a confidential client)."""

    client_id: str
    client_secret: SecretReference
    name: str = Field(default="", max_length=60)
    """What people know the issuer by, on the button that leads there; without it, its host."""
    scopes: tuple[str, ...] = ()
    """What is asked for beside `openid`; without it, what an assistant asks for."""
    acr_values: tuple[str, ...] = ()
    """How a person has to log in before a yes where that login must be fresh, as the issuer calls it."""
    parameters: dict[str, str] = Field(default_factory=dict[str, str])
    """More that is sent with a login, such as `audience`; an empty text leaves out what would be sent, `resource`."""

    @field_validator("parameters")
    @classmethod
    def _not_ours(cls, parameters: dict[str, str]) -> dict[str, str]:
        if ours := sorted(set(parameters) & _SENT_BY_US):
            raise ValueError(f"{', '.join(ours)} cannot be set")
        return parameters


_SENT_BY_US = frozenset(
    {
        *("response_type", "response_mode", "client_id", "client_secret", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "prompt", "max_age", "acr_values", "request", "request_uri"),
    }
)
"""What a login sends and no setting changes."""


class IssuerSection(_Section):
    """One authorization server whose tokens are accepted."""

    url: Address
    """Exactly as the issuer writes it in its tokens, with or without a slash at its end."""
    audiences: tuple[str, ...] = ()
    """What its tokens must be for; without it, the public address."""
    algorithms: tuple[Literal["RS256", "PS256", "ES256", "EdDSA"], ...] = ("RS256", "PS256", "ES256", "EdDSA")
    plain_type: bool = False
    """Accept tokens of the type JWT: Keycloak and Entra do not mark access tokens as such."""
    subject_claims: tuple[str, ...] = Field(default=("sub",), min_length=1)
    scope_claim: str = "scope"
    name_claim: str = "name"
    clinic_claim: str = "clinic"
    scope_names: dict[str, str] = Field(default_factory=dict[str, str])
    """Our scopes by the names that the issuer has for them."""
    jwks_url: Address | None = None
    """Where its keys are; without it, its metadata says so."""
    introspection: IntrospectionSection | None = None
    page: PageSection | None = None
    """Without it its people have no approvals page."""


class RedisSection(_Section):
    """What the replicas of this server share: the limit of each key, questions and their answers, locks."""

    url: RedisAddress
    sessions: Literal["sealed", "affine"] = "sealed"
    """How clients of the older era are known again: by what their session's id holds, which any replica reads, or by
    the replica that they began with, to which the balancer has to lead them (then they can be asked by forms)."""


class AuditSection(_Section):
    """Where the audit logs are, a chain a clinic; without it they are files beside the server's own."""

    postgres: SecretReference
    """Where the address of the database is, `postgresql://role@host/database`."""


class AdminSection(_Section):
    """Where this replica says whether it is ready (`/readyz`) and what it does (`/metrics`), apart from what people
    reach."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class HostedFile(_Section):
    """The whole file."""

    public_url: Address | None = None
    """The address that people give their assistants; without it no issuer's token can be for this server."""
    allow_origin: tuple[Address, ...] = ()
    people: str | None = None
    """A file of people with tokens of their own, beside the issuers."""
    ask_scopes: tuple[str, ...] = ("cliniko:read", "cliniko:write", "cliniko:destroy")
    """What a client asks for at its first login: all that a person may ever need."""
    keys: tuple[SecretReference, ...] = ()
    """The ring: secrets of 32 bytes or more, the newest first, by which all is sealed that leaves a process."""
    redis: RedisSection | None = None
    """What several replicas share; without it there is one."""
    admin: AdminSection | None = None
    audit: AuditSection | None = None
    clinics: str | None = None
    """The clinics, each with its key, sealed: a file, or where Postgres is, `postgresql://user@host/database` or a
    reference to that; without it there is one, of the key in the environment."""
    person_keys: str | None = None
    """Where the keys of people are who work in their own, as above; without it with the clinics, or beside their file.
    """
    most_open: int = Field(default=2_000, ge=1, le=100_000)
    """How many clinics a replica keeps open at a time: the one that was used longest ago is closed for the next."""
    approve_by: Literal["self", "second"] = "self"
    """Who may say yes on the approvals page in the one clinic: who asked, or only somebody else who may approve."""
    log_format: Literal["text", "json"] = "text"
    """How the log is written, unless --log-format says otherwise."""
    notice: float = Field(default=0.0, ge=0, le=60)
    """Seconds for which a replica that was told to stop goes on as before, until its balancer has noticed."""
    issuer: tuple[IssuerSection, ...] = ()

    @field_validator("clinics", "person_keys")
    @classmethod
    def _no_password(cls, place: str | None) -> str | None:
        if place is not None and re.match(r"postgres(ql)?://[^/@]*:[^/@]*@", place):
            raise ValueError("an address with a password is named as env:NAME or file:/path")
        return place

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.issuer and not self.public_url:
            raise ValueError("an issuer's tokens are for a public_url: name it")
        if self.redis and not self.keys:
            raise ValueError("what replicas share is sealed: name the same keys in the file of each")
        if self.audit and not self.keys:
            raise ValueError("the audit log is closed by the key ring: name the secrets in keys")
        if self.clinics and not self.keys:
            raise ValueError("the keys of clinics are sealed: name the secrets in keys")
        if self.clinics and self.approve_by == "second":
            raise ValueError("who approves is for each clinic to say: approve_by stands under it, with the clinics")
        if self.person_keys and (not self.clinics or _is_postgres(self.clinics)):
            raise ValueError("person_keys is for a file of clinics; in Postgres they are with the clinics")
        if any(issuer.page for issuer in self.issuer) and not self.keys:
            raise ValueError("what the pages keep of a login is sealed: name the secrets in keys")
        return self

    @property
    def has_page(self) -> bool:
        """Whether somebody can log in at the approvals page."""
        logins = self.people is not None or any(issuer.page for issuer in self.issuer)
        return bool(self.keys and self.public_url and logins)


def read_hosted(path: Path) -> HostedFile:
    """The settings of this file. Raises ConfigurationError where it cannot be read or understood."""
    try:
        return HostedFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "not UTF-8"
        raise ConfigurationError(f"{path} cannot be read ({why})") from None
    except tomllib.TOMLDecodeError as problem:
        raise ConfigurationError(f"{path} is not TOML: {problem}") from None
    except ValidationError as refused:
        told = [
            f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
            for error in refused.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError(f"{path}: {'; '.join(told)}") from None


def address_of_redis(url: str) -> str:
    """The address, looked up where it is a reference. Raises ConfigurationError where nothing is there."""
    return secret_at(url).get_secret_value() if url.startswith(("env:", "file:")) else url


def _is_postgres(place: str) -> bool:
    return place.startswith(("env:", "file:", "postgresql://", "postgres://"))


def postgres_at(place: str) -> str | None:
    """The address of Postgres, looked up where this is a reference; None for the path of a file.

    Raises ConfigurationError where nothing is there.
    """
    if not _is_postgres(place):
        return None
    return secret_at(place).get_secret_value() if place.startswith(("env:", "file:")) else place


def hosted_by(settings: Settings) -> HostedFile:
    """The file that these settings name, else what they say themselves.

    Raises ConfigurationError for a file or an address that cannot be used.
    """
    if settings.hosted:
        return read_hosted(Path(settings.hosted))
    try:
        return HostedFile(public_url=settings.public_url, allow_origin=settings.allow_origin, people=settings.people)
    except ValidationError as refused:
        named = {str(error["loc"][0]) for error in refused.errors(include_url=False, include_input=False)}
        flags = " and ".join(flag(name) for name in sorted(named))
        raise ConfigurationError(f"{flags}: an address begins with https:// and has no spaces") from None
