"""The checks of the account: key, region, connection to Cliniko, the key's user and role, clock, rate and sites."""

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
from cliniko_mcp.cliniko.time_zones import zone_of
from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.errors import (
    ClinikoRefused,
    ConfigurationError,
    KeyRefused,
    NotFound,
    PermissionMissing,
    RateLimited,
)
from cliniko_mcp.guards.zones import zone_of_user
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.doctor import DoctorContext

TIMEOUT_SECONDS: Final = 45.0
"""The time limit in seconds for all requests to the account."""
MAX_SKEW: Final = timedelta(seconds=30)
FAILING_SKEW: Final = timedelta(minutes=5)
_ACCOUNT_CHECKS: Final = ("reachability", "tls", "user", "zone", "role", "clock", "rate", "sites")
_PERMISSION_PROBES: Final = (
    (SettingsOfAccount.get_settings, "settings"),
    (TreatmentNotes.list_treatment_notes, "treatment notes"),
    (Users.list_users, "users"),
)

KEY_REFUSED: Final = "Cliniko did not accept the key: it is mistyped, revoked, or its ending names another region"
NEW_KEY: Final = (
    "Make a new key in Cliniko (My Info, Manage API keys), copy it with its ending, and run `cliniko-mcp login`."
)


@dataclass(slots=True)
class Account:
    """What is needed to reach a clinic: base URL, key, contact email, and a transport in place of the network."""

    base_url: str
    key: str = field(repr=False)
    email: str
    transport: httpx2.AsyncBaseTransport | None = None


class RecordingTransport(httpx2.AsyncBaseTransport):
    """Passes requests on, and records how many there were, the skew of the server's clock, and the last failure."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, now: Callable[[], datetime]) -> None:
        self._inner = inner
        self._now = now
        self.requests = 0
        self.answered = 0
        self.limited = False
        self.skew: timedelta | None = None
        self.problem: BaseException | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response of the inner transport."""
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
        """Close the inner transport."""
        await self._inner.aclose()

    def _compare(self, date: str | None, began: datetime) -> None:
        if date is None:
            return
        try:
            server_time = parsedate_to_datetime(date)
        except ValueError:
            return
        server_time = server_time if server_time.tzinfo else server_time.replace(tzinfo=UTC)
        self.skew = server_time - (began + (self._now() - began) / 2)


async def examine_account(context: "DoctorContext") -> AsyncGenerator[Check]:
    """Yield the checks of key, email and region; then, where these pass, the checks that need a few requests."""
    credentials = _credentials(context)
    for check in credentials.checks:
        yield check
    if credentials.account is None:
        for name in _ACCOUNT_CHECKS:
            yield warning(name, "not tried without a key, an email and an address")
        return
    for check in await _check_account(credentials.account, context):
        yield check


@dataclass(slots=True)
class _Credentials:
    """The checks of key, email and region, and the account where all of these pass."""

    checks: list[Check]
    account: Account | None = None


def _credentials(context: "DoctorContext") -> _Credentials:
    settings = context.settings
    if settings.sandbox:
        return _demo(context)
    checks: list[Check] = []
    key, email, base_url = "", "", ""
    try:
        key, where = _key(settings)
        parsed = Credentials.parse(key)
        checks.append(ok("key", f"a key is {where}, and is well formed"))
        base_url = parsed.base_url
        shard = parsed.shard
    except ConfigurationError as problem:
        checks.append(failed("key", problem.message, problem.fix or "Run `cliniko-mcp login`."))
        shard = ""
    try:
        email = _email(settings)
        user_agent(email)
        checks.append(ok("email", f"Cliniko may write to {email}"))
    except ConfigurationError as problem:
        email = ""
        checks.append(failed("email", problem.message, "Run `cliniko-mcp login`, or set CLINIKO_CONTACT_EMAIL."))
    if settings.base_url:
        try:
            base_url = parse_base_url(settings.base_url)
            checks.append(ok("region", f"not asked for: --base-url {base_url}"))
        except ConfigurationError as problem:
            base_url = ""
            checks.append(failed("region", problem.message, problem.fix))
    elif shard:
        checks.append(ok("region", f"{shard}, by the key's ending: {base_url}"))
    else:
        checks.append(warning("region", "unknown without a key"))
    complete = bool(key and email and base_url and all(check.status != "failed" for check in checks))
    return _Credentials(checks, Account(base_url, key, email, context.transport) if complete else None)


def _demo(context: "DoctorContext") -> _Credentials:
    from cliniko_mcp.app import demo_clinic
    from cliniko_mcp.sandbox.transport import SandboxTransport

    clinic = demo_clinic(context.settings)
    key = next(iter(clinic.keys.values()))
    checks = [
        ok("key", "not needed: this is the demo clinic"),
        ok("email", "not needed: this is the demo clinic"),
        ok("region", "none: the demo clinic is inside this program"),
    ]
    account = Account(clinic.base_url, key, "demo@example.org", context.transport or SandboxTransport(clinic))
    return _Credentials(checks, account)


def _key(settings: Settings) -> tuple[str, str]:
    """The key and where it was found. Raises ConfigurationError."""
    from cliniko_mcp.stored_keys import kept

    if settings.api_key and (key := settings.api_key.get_secret_value().strip()):
        return key, "set in CLINIKO_API_KEY"
    stored = kept()
    if stored.key and settings.base_url:
        raise ConfigurationError(
            "the key that is kept here is for Cliniko alone, and --base-url names another address.",
            "Give the key of that address in CLINIKO_API_KEY, or leave out --base-url.",
        )
    if not stored.key:
        raise ConfigurationError(
            "there is no API key.",
            "Run `cliniko-mcp login`, or try `cliniko-mcp doctor --sandbox`, which needs none.",
        )
    return (
        stored.key,
        "in this computer's keychain" if stored.place == "keychain" else "in a file that only you can read",
    )


def _email(settings: Settings) -> str:
    from cliniko_mcp.stored_keys import kept

    email = settings.contact_email or kept().contact_email
    if not email:
        raise ConfigurationError("there is no contact email.")
    return email


async def _check_account(account: Account, context: "DoctorContext") -> list[Check]:
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.client.transport import Network

    settings = context.settings
    recorder = RecordingTransport(account.transport or Network(), context.now)
    async with Clinic.open(
        base_url=account.base_url,
        key=account.key,
        user_agent=user_agent(account.email),
        transport=recorder,
        per_minute=settings.pace,
        now=context.now,
    ) as clinic:
        checks: dict[str, Check] = {}
        with anyio.move_on_after(TIMEOUT_SECONDS):
            await _run_reads(clinic, recorder, settings, account.base_url, checks)
        if "clock" in checks:
            checks.setdefault("rate", _rate(recorder, settings))
    reason = "the limit of requests a minute is used up" if recorder.limited else "Cliniko did not answer in time"
    return [checks.get(name) or warning(name, f"not tried, because {reason}") for name in _ACCOUNT_CHECKS]


async def _run_reads(
    clinic: "Clinic", recorder: RecordingTransport, settings: Settings, base_url: str, checks: dict[str, Check]
) -> None:
    """Put the checks into `checks` one by one, because the time limit may end this before all are done."""

    def add(*results: Check) -> None:
        checks.update({check.name: check for check in results})

    try:
        user = await clinic.perform(Users.get_authenticated_user.call())
    except ClinikoRefused as problem:
        add(*_user_unread(problem, recorder, base_url, settings))
        return
    add(*_reachable(base_url, settings, demo=clinic.demo), _user(user), _zone(user))
    add(_clock(recorder.skew, demo=clinic.demo))
    add(await _role(clinic))
    add(await _sites(clinic))


def _user_unread(
    problem: ClinikoRefused, recorder: RecordingTransport, base_url: str, settings: Settings
) -> list[Check]:
    """The checks where the key's user could not be read: first the connection, then what Cliniko answered."""
    rest = [warning(name, "not tried") for name in ("zone", "role", "clock", "rate", "sites")]
    if recorder.answered:
        connection = _reachable(base_url, settings)
        if isinstance(problem, KeyRefused):
            user = failed("user", KEY_REFUSED, NEW_KEY)
        elif isinstance(problem, RateLimited):
            user = warning("user", "not tried: the limit of requests a minute is used up", problem.fix)
        else:
            user = failed("user", problem.message, problem.fix)
        return [*connection, user, *rest]
    return [*_unreachable(recorder.problem, base_url), warning("user", "not tried"), *rest]


def _unreachable(problem: BaseException | None, base_url: str) -> list[Check]:
    cause = problem
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLError):
        reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else cause.reason
        return [
            ok("reachability", f"{base_url} can be reached"),
            failed(
                "tls",
                f"the connection could not be secured: {reason or 'no protocol in common'}",
                "Check this computer's date; if a firewall or virus scanner opens connections, exempt *.cliniko.com.",
            ),
        ]
    reason = "no answer in time" if isinstance(problem, httpx2.TimeoutException) else "no connection"
    return [
        failed(
            "reachability",
            f"{base_url} cannot be reached: {reason}",
            "Check the internet connection, the firewall for https to *.cliniko.com, and the key's ending.",
        ),
        warning("tls", "not tried"),
    ]


def _reachable(base_url: str, settings: Settings, *, demo: bool = False) -> list[Check]:
    """The checks of a connection over which a response came."""
    if settings.sandbox:
        return [ok(name, "not needed: the demo clinic is inside this program") for name in ("reachability", "tls")]
    tls = "the connection is encrypted, and the certificate is valid"
    if base_url.startswith("http://"):
        tls = "not used: the address is on this computer"
    says = " and says that it is a demo clinic" if demo else ""
    return [ok("reachability", f"{base_url} answers{says}"), ok("tls", tls)]


def _user(user: User) -> Check:
    name = " ".join(part for part in (user.first_name, user.last_name) if part) or "a user without a name"
    role = user.role or "unknown role"
    if user.active is False:
        return warning(
            "user", f"the key belongs to {name} ({role}), who is not active", "Use the key of an active user."
        )
    return ok("user", f"the key belongs to {name} ({role})")


def _zone(user: User) -> Check:
    found = zone_of_user(user)
    if found.note:
        return warning("zone", f"guessed: {found.note}", "Set the user's time zone in Cliniko (My Info).")
    return ok("zone", f"{found.zone.key}, that of the key's user; times at a site are in the site's own")


async def _role(clinic: "Clinic") -> Check:
    allowed: list[str] = []
    denied: list[str] = []
    for operation, what in _PERMISSION_PROBES:
        try:
            await (clinic.page(operation.call(), 1, 1) if is_list(operation) else clinic.perform(operation.of({})))
            allowed.append(what)
        except (PermissionMissing, NotFound):
            denied.append(what)
        except ClinikoRefused as problem:
            return warning("role", f"what the role may do is not known: {problem.message}", problem.fix)
    parts = [f"may read {', '.join(allowed)}"] if allowed else []
    parts += [f"may not read {', '.join(denied)}"] if denied else []
    return ok("role", f"the role {'; '.join(parts)}")


def _clock(skew: timedelta | None, *, demo: bool) -> Check:
    if demo:
        return ok("clock", "the demo clinic has a clock of its own")
    if skew is None:
        return warning("clock", "Cliniko did not say what time it is, so this computer's clock was not compared")
    seconds = round(abs(skew).total_seconds())
    which = "behind" if skew > timedelta(0) else "ahead of"
    fix = "Let this computer set its time from the internet: today and now would be wrong."
    if abs(skew) > FAILING_SKEW:
        return failed("clock", f"this computer's clock is {seconds:,} s {which} Cliniko's", fix)
    if abs(skew) > MAX_SKEW:
        return warning("clock", f"this computer's clock is {seconds} s {which} Cliniko's", fix)
    return ok("clock", f"within {max(seconds, 1)} s of Cliniko's")


def _rate(recorder: RecordingTransport, settings: Settings) -> Check:
    detail = f"{settings.pace} requests a minute; this examination used {recorder.requests}"
    if recorder.limited:
        return warning(
            "rate",
            f"{detail}, and Cliniko's limit was reached",
            "Another program works as the same user; give each program a user of its own.",
        )
    return ok("rate", detail)


async def _sites(clinic: "Clinic") -> Check:
    sites: list[str] = []
    unknown: list[str] = []
    try:
        async for site in clinic.all(Businesses.list_businesses.call()):
            name = site.business_name or site.label or site.id or "?"
            zone = site.time_zone_identifier or site.time_zone
            sites.append(f"{name} ({zone or 'no time zone'})")
            if zone_of(site) is None:
                unknown.append(name)
    except ClinikoRefused as problem:
        return warning("sites", f"the sites could not be read: {problem.message}", problem.fix)
    if not sites:
        return warning(
            "sites", "the clinic has no site that this key may see", "Add one in Cliniko, or use another key."
        )
    detail = f"{len(sites)}: {', '.join(sites)}"
    if unknown:
        return warning(
            "sites", detail, f"Set a time zone in Cliniko for {', '.join(unknown)}; until then the user's zone is used."
        )
    return ok("sites", detail)
