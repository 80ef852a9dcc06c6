"""A server for many looked at before it serves: its file, what seals, what replicas share, issuers, the way in."""

from __future__ import annotations

import secrets  # noqa: TID251 - a ring wants chance, though nothing is sealed here
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2

from cliniko_mcp.directory.clinics import opened_key
from cliniko_mcp.directory.keys import read_ring
from cliniko_mcp.directory.open_directory import OpenDirectory, open_directory
from cliniko_mcp.directory.person_keys import PersonKeys
from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.doctor.hosted_pages import examine_page
from cliniko_mcp.doctor.real_token import examine_token
from cliniko_mcp.errors import ClinikoMcpError, ConfigurationError, JsonValue
from cliniko_mcp.hosted_file import HostedFile, IssuerSection, address_of_redis, read_hosted
from cliniko_mcp.identity.issuer_metadata import places_of
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import read_people
from cliniko_mcp.settings import secret_at
from cliniko_mcp.shared_state.audit_postgres import open_audit
from cliniko_mcp.shared_state.connection import open_state

if TYPE_CHECKING:
    from cliniko_mcp.shared_state.keys import KeyRing

MAX_SKEW: Final = 15.0
"""Seconds that clocks may differ before a person is told; tokens are allowed 30."""
_CLOCK: Final = "Keep the clocks right by NTP (timedatectl): tokens begin and end by them."
_WAY_IN: Final = (
    "Start the server, and see that the name leads to the proxy, that its certificate is good, and that every path "
    "goes on to the server unchanged."
)


async def examine_hosted(
    path: str, transport: httpx2.AsyncBaseTransport | None = None, token: str | None = None
) -> AsyncGenerator[Check]:
    """Yield each check as it is done. Nothing is changed, and nobody is logged in; `transport` is for the network.

    `token` is where a real token is that is looked at too: `env:NAME` or `file:/path`.
    """
    try:
        file = read_hosted(Path(path))
    except ConfigurationError as problem:
        yield failed("hosted file", problem.message, "docs/issuers.md and docs/replicas.md show what may stand there.")
        return
    yield ok("hosted file", f"{path} can be read")
    ring: KeyRing | None = None
    if file.keys:
        try:
            ring = read_ring(file.keys, lambda one: secret_at(one).get_secret_value(), secrets.token_bytes)
            yield ok("key ring", f"{len(file.keys)} secret{'s' * (len(file.keys) > 1)}, each of 32 bytes or more")
        except ConfigurationError as problem:
            yield failed("key ring", problem.message, "openssl rand -base64 48 > FILE; chmod 600 FILE")
    for check in _people(file):
        yield check
    async for check in _clinics(file, ring):
        yield check
    if file.redis is not None:
        yield await _redis(file.redis.url)
    if file.audit is not None:
        yield await _audit(file.audit.postgres)
    async with httpx2.AsyncClient(timeout=10.0, transport=transport, trust_env=True) as http:
        for issuer in file.issuer:
            async for check in _issuer(http, file, issuer):
                yield check
        if file.public_url:
            async for check in _way_in(http, file):
                yield check
        else:
            yield warning("address", "there is no public_url", "Name the address that people give their assistants.")
    if token is not None:
        async for check in examine_token(file, token, transport):
            yield check


def _people(file: HostedFile) -> Generator[Check]:
    if not file.people:
        return
    try:
        people = read_people(Path(file.people)).person
    except ConfigurationError as problem:
        yield failed("people", problem.message, "`cliniko-mcp people` writes the file.")
        return
    now = datetime.now(UTC)  # noqa: TID251 - a command begins now
    over = [person.id for person in people if person.expires is not None and person.expires <= now]
    if over:
        advice = "`cliniko-mcp people add ID --replace` gives a new token, `people revoke ID` takes them out."
        yield warning("people", f"{len(people)}, whose tokens have expired for {', '.join(over[:5])}", advice)
    else:
        yield ok("people", f"{len(people)} with a token of their own")


async def _clinics(file: HostedFile, ring: KeyRing | None) -> AsyncGenerator[Check]:
    if not file.clinics:
        return
    refused: list[str] = []
    try:
        async with open_directory(file) as directory:
            clinics = await directory.store.all()
            if ring is not None:
                for entry in clinics:
                    opened_key(ring, entry)
            own = [entry for entry in clinics if entry.keys == "person"]
            if own and ring is not None and await directory.has_keys():
                await PersonKeys(directory.directory, ring, time.time).check_ring()  # noqa: TID251 - none is kept here
                refused = [entry.id for entry in own if await _has_refused(directory, entry.id)]
    except ClinikoMcpError as problem:
        yield failed("clinics", problem.message, problem.fix or "`cliniko-mcp clinics` writes them.")
        return
    alone = [entry.id for entry in clinics if not entry.people]
    yield ok("clinics", f"{len(clinics)}, and the ring opens the key of each")
    if alone and not file.issuer:
        who = "Name their people in it, or give people's tokens a clinic (people add --clinic)."
        yield warning("clinics", f"only a token that names it leads to {', '.join(alone[:5])}", who)
    if own and not file.has_page:
        who = "Name public_url, and people or [issuer.page]."
        yield failed("people's keys", f"{own[0].id} wants people's own keys, and there is no page to give them", who)
    if own and file.redis is not None and not directory.in_table and file.person_keys is None:
        who = 'Name where replicas keep them together: person_keys = "env:DATABASE_URL", an address of Postgres.'
        yield failed("people's keys", "what is given at one replica would not be known at the others", who)
    if refused:
        who = "Those people give a new key at /connect; `cliniko-mcp clinics list` counts them."
        yield warning("people's keys", f"Cliniko refuses keys of people in {', '.join(refused[:5])}", who)


async def _has_refused(directory: OpenDirectory, clinic: str) -> bool:
    return any(not row.sealed for row in await directory.directory.keys(clinic=clinic))


async def _redis(url: str) -> Check:
    try:
        async with open_state(address_of_redis(url)) as state:
            begun = time.monotonic()
            facts = await state.facts()
            took = (time.monotonic() - begun) * 1000
    except ClinikoMcpError as problem:
        advice = "Set maxmemory-policy noeviction; Redis 6.2 or newer, or Valkey; see that it can be reached from here."
        return failed("shared state", problem.message, advice)
    told = f"Redis {facts.get('redis_version', '?')} answers in {took:.1f} ms and forgets nothing (noeviction)"
    if facts.get("aof_enabled") != "1":
        return warning("shared state", told, "With `appendonly yes` a no and open questions outlast a restart of it.")
    return ok("shared state", told)


async def _audit(reference: str) -> Check:
    try:
        async with open_audit(secret_at(reference).get_secret_value()) as audit:
            begun = time.monotonic()
            found = await audit.may_change()
            took = (time.monotonic() - begun) * 1000
    except ConfigurationError as problem:
        return failed("audit log", problem.message, problem.fix or "docs/replicas.md tells how to set it up.")
    except OSError as problem:
        return failed("audit log", str(problem), "See that Postgres can be reached from here: changes are refused.")
    if found:
        told = f"the servers' role could change it in Postgres ({', '.join(found)})"
        advice = (
            "`cliniko-mcp audit setup`, run as another role that owns the tables, leaves theirs nothing but adding."
        )
        return failed("audit log", told, advice)
    return ok("audit log", f"Postgres answers in {took:.1f} ms, and the servers' role may only add lines and read them")


async def _issuer(http: httpx2.AsyncClient, file: HostedFile, issuer: IssuerSection) -> AsyncGenerator[Check]:
    host = urlsplit(issuer.url).netloc
    document: Mapping[str, JsonValue] = {}
    for place in places_of(issuer.url):
        try:
            answer = await http.get(place)
            found: JsonValue = answer.json() if answer.status_code == 200 else None
        except (httpx2.HTTPError, ValueError):
            continue
        if isinstance(found, dict) and not document:
            document = found
            if (skew := _skew(answer)) > MAX_SKEW:
                yield warning("clocks", f"{host} and this computer differ by {skew:.0f} seconds", _CLOCK)
    if not document:
        yield failed("issuer", f"{issuer.url} shows no metadata", "Its url has to be written exactly as its `iss`.")
        return
    if document.get("issuer") != issuer.url:
        named = str(document.get("issuer"))
        yield failed("issuer", f"{issuer.url} calls itself {named}", f'Write url = "{named}" under [[issuer]].')
        return
    methods = document.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        advice = "Switch PKCE with S256 on at the issuer: assistants refuse to log in where its metadata lacks it."
        yield failed("issuer", f"{host} does not say that it does PKCE with S256", advice)
        return
    if not document.get("registration_endpoint") and not document.get("client_id_metadata_document_supported"):
        advice = "Register each assistant there beforehand, with its callback address, and give people its client id."
        yield warning("issuer", f"{host} takes no registrations of assistants", advice)
    else:
        yield ok("issuer", f"{host} is reached, does PKCE with S256 and takes registrations")
    for check in examine_page(file, issuer, document):
        yield check


async def _way_in(http: httpx2.AsyncClient, file: HostedFile) -> AsyncGenerator[Check]:
    try:
        resource = Resource.parse(file.public_url or "")
        health = await http.get(f"{resource.origin}/healthz")
        answer = await http.post(resource.url, json={})
        if health.status_code != 200 or answer.status_code != 401:
            told = (
                f"{resource.origin} answers {health.status_code} at /healthz and {answer.status_code} without a token"
            )
            yield failed("address", told, _WAY_IN)
            return
        yield ok("address", "it is reached, and without a token nothing is answered")
        if file.issuer:
            wanted = f'resource_metadata="{resource.metadata_of("")}"'
            document: JsonValue = (await http.get(resource.metadata_of(""))).json()
            named = document.get("resource") if isinstance(document, dict) else None
            if wanted not in answer.headers.get("www-authenticate", "") or named != resource.url:
                yield failed("metadata", f"it does not say that {resource.url} is where assistants log in", _WAY_IN)
            else:
                yield ok("metadata", "assistants are told where to log in")
    except ConfigurationError as problem:
        yield failed("address", problem.message, "Correct public_url.")
    except (httpx2.HTTPError, ValueError) as problem:
        yield failed("address", f"{file.public_url} does not answer ({type(problem).__name__})", _WAY_IN)


def _skew(answer: httpx2.Response) -> float:
    """By how many seconds the clock of who answered differs from ours."""
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return 0.0
    return abs((datetime.now(UTC) - there).total_seconds())  # noqa: TID251 - two clocks are compared
