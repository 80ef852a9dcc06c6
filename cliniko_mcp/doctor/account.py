"""What is looked at with the key: the region, the way to Cliniko, whose key it is, what its user may do, the sites."""

import ssl
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import anyio
import httpx2

from cliniko_mcp.client.credentials import Credentials, parse_base_url, user_agent
from cliniko_mcp.cliniko.registry import is_list
from cliniko_mcp.cliniko.resources.businesses import Businesses
from cliniko_mcp.cliniko.resources.settings import SettingsOfAccount
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNotes
from cliniko_mcp.cliniko.resources.users import User, Users
from cliniko_mcp.cliniko.time_zones import time_zone
from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.errors import (
    ClinikoRefused,
    ConfigurationError,
    KeyRefused,
    NotFound,
    PermissionMissing,
    RateLimited,
)
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.doctor import Surroundings

PATIENCE: Final = 45.0
"""Seconds for the whole examination of the account."""
SKEW: Final = timedelta(seconds=30)
LARGE_SKEW: Final = timedelta(minutes=5)
_REMOTE: Final = ("reachability", "tls", "user", "role", "clock", "rate", "sites")
_MAY: Final = (
    (SettingsOfAccount.get_settings, "settings"),
    (TreatmentNotes.list_treatment_notes, "treatment notes"),
    (Users.list_users, "users"),
)

_REFUSED: Final = "Cliniko did not accept the key: it is mistyped, revoked, or its ending names another region"
_NEW_KEY: Final = (
    "Make a new key in Cliniko (My Info, Manage API keys), copy it with its ending, and run `cliniko-mcp login`."
)


@dataclass(slots=True)
class Account:
    """The way to a clinic: address, key, email, and what replaces the network."""

    base_url: str
    key: str = field(repr=False)
    email: str
    transport: httpx2.AsyncBaseTransport | None = None


class Listening(httpx2.AsyncBaseTransport):
    """Passes requests on, and notes how many there were, what the other side's clock said, and what went wrong."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, now: Callable[[], datetime]) -> None:
        self._inner = inner
        self._now = now
        self.requests = 0
        self.answered = 0
        self.limited = False
        self.skew: timedelta | None = None
        self.problem: BaseException | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the transport below."""
        self.requests += 1
        began = self._now()
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.RequestError as problem:
            self.problem = problem
            raise
        self.answered += 1
        self.limited |= response.status_code == 429
        self._compare(response.headers.get("date"), began)
        return response

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    def _compare(self, date: str | None, began: datetime) -> None:
        if date is None:
            return
        try:
            theirs = parsedate_to_datetime(date)
        except ValueError:
            return
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        self.skew = theirs - (began + (self._now() - began) / 2)


async def examine_account(surroundings: "Surroundings") -> AsyncGenerator[Check]:
    """Yield the key, the email and the region; then, where those are right, what a few reads of the account show."""
    credentials = _credentials(surroundings)
    for found in credentials.lines:
        yield found
    if credentials.account is None:
        for name in _REMOTE:
            yield warning(name, "not tried without a key, an email and an address")
        return
    for found in await _remote(credentials.account, surroundings):
        yield found


@dataclass(slots=True)
class _Credentials:
    lines: list[Check]
    account: Account | None = None


def _credentials(surroundings: "Surroundings") -> _Credentials:
    settings = surroundings.settings
    if settings.sandbox:
        return _demo(surroundings)
    lines: list[Check] = []
    key, email, base_url = "", "", ""
    try:
        key, where = _key(settings)
        parsed = Credentials.parse(key)
        lines.append(ok("key", f"a key is {where}, and is well formed"))
        base_url = parsed.base_url
        shard = parsed.shard
    except ConfigurationError as problem:
        lines.append(failed("key", problem.message, problem.fix or "Run `cliniko-mcp login`."))
        shard = ""
    try:
        email = _email(settings)
        user_agent(email)
        lines.append(ok("email", f"Cliniko may write to {email}"))
    except ConfigurationError as problem:
        email = ""
        lines.append(failed("email", problem.message, "Run `cliniko-mcp login`, or set CLINIKO_CONTACT_EMAIL."))
    if settings.base_url:
        try:
            base_url = parse_base_url(settings.base_url)
            lines.append(ok("region", f"not asked for: --base-url {base_url}"))
        except ConfigurationError as problem:
            base_url = ""
            lines.append(failed("region", problem.message, problem.fix))
    elif shard:
        lines.append(ok("region", f"{shard}, by the key's ending: {base_url}"))
    else:
        lines.append(warning("region", "unknown without a key"))
    complete = bool(key and email and base_url and all(line.status != "failed" for line in lines))
    return _Credentials(lines, Account(base_url, key, email, surroundings.transport) if complete else None)


def _demo(surroundings: "Surroundings") -> _Credentials:
    from cliniko_mcp.app import demo_clinic
    from cliniko_mcp.sandbox.transport import SandboxTransport

    clinic = demo_clinic(surroundings.settings)
    key = next(iter(clinic.keys.values()))
    lines = [
        ok("key", "not needed: this is the demo clinic"),
        ok("email", "not needed: this is the demo clinic"),
        ok("region", "none: the demo clinic is inside this program"),
    ]
    account = Account(clinic.base_url, key, "demo@example.org", surroundings.transport or SandboxTransport(clinic))
    return _Credentials(lines, account)


def _key(settings: Settings) -> tuple[str, str]:
    """The key and where it was found. Raises ConfigurationError."""
    from cliniko_mcp.stored_keys import kept

    if settings.api_key and (given := settings.api_key.get_secret_value().strip()):
        return given, "set in CLINIKO_API_KEY"
    found = kept()
    if found.key and settings.base_url:
        raise ConfigurationError(
            "the key that is kept here is for Cliniko alone, and --base-url names another address.",
            "Give the key of that address in CLINIKO_API_KEY, or leave out --base-url.",
        )
    if not found.key:
        raise ConfigurationError(
            "there is no API key.",
            "Run `cliniko-mcp login`, or try `cliniko-mcp doctor --sandbox`, which needs none.",
        )
    return found.key, "in this computer's keychain" if found.place == "keychain" else "in a file that only you can read"


def _email(settings: Settings) -> str:
    from cliniko_mcp.stored_keys import kept

    email = settings.contact_email or kept().contact_email
    if not email:
        raise ConfigurationError("there is no contact email.")
    return email


async def _remote(account: Account, surroundings: "Surroundings") -> list[Check]:
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.client.transport import Network

    settings = surroundings.settings
    listening = Listening(account.transport or Network(), surroundings.now)
    async with Clinic.open(
        base_url=account.base_url,
        key=account.key,
        user_agent=user_agent(account.email),
        transport=listening,
        per_minute=settings.pace,
        now=surroundings.now,
    ) as clinic:
        found: dict[str, Check] = {}
        with anyio.move_on_after(PATIENCE):
            await _reads(clinic, listening, settings, account.base_url, found)
        if "clock" in found:
            found.setdefault("rate", _rate(listening, settings))
    why = "the limit of requests a minute is used up" if listening.limited else "Cliniko did not answer in time"
    return [found.get(name) or warning(name, f"not tried, because {why}") for name in _REMOTE]


async def _reads(
    clinic: "Clinic", listening: Listening, settings: Settings, base_url: str, found: dict[str, Check]
) -> None:
    """Put into `found` what each read shows, as soon as it is there: the time for all of them may run out."""

    def add(*lines: Check) -> None:
        found.update({each.name: each for each in lines})

    try:
        user = await clinic.perform(Users.get_authenticated_user.call())
    except ClinikoRefused as problem:
        add(*_no_user(problem, listening, base_url, settings))
        return
    add(*_way(base_url, settings), _user(user))
    add(_clock(listening.skew, settings))
    add(await _role(clinic))
    add(await _sites(clinic))


def _no_user(problem: ClinikoRefused, listening: Listening, base_url: str, settings: Settings) -> list[Check]:
    """The lines for an account whose own user could not be read: the way there, then what Cliniko said."""
    rest = [warning(name, "not tried") for name in ("role", "clock", "rate", "sites")]
    if listening.answered:
        way = _way(base_url, settings)
        if isinstance(problem, KeyRefused):
            return [*way, failed("user", _REFUSED, _NEW_KEY), *rest]
        if isinstance(problem, RateLimited):
            return [*way, warning("user", "not tried: the limit of requests a minute is used up", problem.fix), *rest]
        return [*way, failed("user", problem.message, problem.fix), *rest]
    return [*_no_way(listening.problem, base_url), warning("user", "not tried"), *rest]


def _no_way(problem: BaseException | None, base_url: str) -> list[Check]:
    cause = problem
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLError):
        why = getattr(cause, "verify_message", "") or cause.reason or "it could not be agreed on"
        return [
            ok("reachability", f"{base_url} can be reached"),
            failed(
                "tls",
                f"the connection could not be made safe: {why}",
                "Check this computer's date; if a firewall or virus scanner opens connections, exempt *.cliniko.com.",
            ),
        ]
    why = "no answer in time" if isinstance(problem, httpx2.TimeoutException) else "no connection"
    return [
        failed(
            "reachability",
            f"{base_url} cannot be reached: {why}",
            "Check the internet connection, the firewall for https to *.cliniko.com, and the key's ending.",
        ),
        warning("tls", "not tried"),
    ]


def _way(base_url: str, settings: Settings) -> list[Check]:
    """The lines for a way by which an answer came."""
    if settings.sandbox:
        return [ok(name, "not needed: the demo clinic is inside this program") for name in ("reachability", "tls")]
    tls = "the connection is encrypted, and the certificate is valid"
    if base_url.startswith("http://"):
        tls = "not used: the address is on this computer"
    return [ok("reachability", f"{base_url} answers"), ok("tls", tls)]


def _user(user: User) -> Check:
    name = " ".join(part for part in (user.first_name, user.last_name) if part) or "a user without a name"
    role = user.role or "unknown role"
    if user.active is False:
        return warning(
            "user", f"the key belongs to {name} ({role}), who is not active", "Use the key of an active user."
        )
    return ok("user", f"the key belongs to {name} ({role})")


async def _role(clinic: "Clinic") -> Check:
    may: list[str] = []
    may_not: list[str] = []
    for operation, what in _MAY:
        try:
            await (clinic.page(operation.call(), 1, 1) if is_list(operation) else clinic.perform(operation.of({})))
            may.append(what)
        except (PermissionMissing, NotFound):
            may_not.append(what)
        except ClinikoRefused as problem:
            return warning("role", f"what the role may do is not known: {problem.message}", problem.fix)
    parts = [f"may read {', '.join(may)}"] if may else []
    parts += [f"may not read {', '.join(may_not)}"] if may_not else []
    return ok("role", f"the role {'; '.join(parts)}")


def _clock(skew: timedelta | None, settings: Settings) -> Check:
    if settings.demo:
        return ok("clock", "the demo clinic has a clock of its own")
    if skew is None:
        return warning("clock", "Cliniko did not say what time it is, so this computer's clock was not compared")
    seconds = round(abs(skew).total_seconds())
    which = "behind" if skew > timedelta(0) else "ahead of"
    fix = "Let this computer set its time from the internet: today and now would be wrong."
    if abs(skew) > LARGE_SKEW:
        return failed("clock", f"this computer's clock is {seconds:,} s {which} Cliniko's", fix)
    if abs(skew) > SKEW:
        return warning("clock", f"this computer's clock is {seconds} s {which} Cliniko's", fix)
    return ok("clock", f"within {max(seconds, 1)} s of Cliniko's")


def _rate(listening: Listening, settings: Settings) -> Check:
    detail = f"{settings.pace} requests a minute; this examination used {listening.requests}"
    if listening.limited:
        return warning(
            "rate",
            f"{detail}, and Cliniko's limit was reached",
            "Another program works as the same user; give each program a user of its own.",
        )
    return ok("rate", detail)


async def _sites(clinic: "Clinic") -> Check:
    found: list[str] = []
    unknown: list[str] = []
    try:
        async for site in clinic.all(Businesses.list_businesses.call()):
            name = site.business_name or site.label or site.id or "?"
            zone = site.time_zone_identifier
            found.append(f"{name} ({zone or 'no time zone'})")
            if time_zone(zone) is None:
                unknown.append(name)
    except ClinikoRefused as problem:
        return warning("sites", f"the sites could not be read: {problem.message}", problem.fix)
    if not found:
        return warning(
            "sites", "the clinic has no site that this key may see", "Add one in Cliniko, or use another key."
        )
    detail = f"{len(found)}: {', '.join(found)}"
    if unknown:
        return warning(
            "sites", detail, f"Set a time zone in Cliniko for {', '.join(unknown)}; until then the user's zone is used."
        )
    return ok("sites", detail)
