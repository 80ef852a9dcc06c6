"""What all pages stand on: cookies, forms that only our own page sends, keys tried within limits, and their words."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final
from urllib.parse import parse_qsl

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cliniko_mcp.directory.admission import Rule, admits, rules_of
from cliniko_mcp.directory.keys import Keys
from cliniko_mcp.directory.whose import Proof, Whose, WrongKey
from cliniko_mcp.errors import ClinikoMcpError, JsonValue
from cliniko_mcp.identity.bodies import body_within
from cliniko_mcp.identity.builtin import digest_of
from cliniko_mcp.identity.limits import Addresses, Often
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.pages import bodies
from cliniko_mcp.pages.document import page
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable
from cliniko_mcp.shared_state.logins import LoginEvent, Logins, RequestRow, Told, nobody_told

MAX_FORM_BYTES: Final = 4096
LEAST_SECONDS: Final = 0.3
"""What every answer about a key takes at least, so that its time tells nothing."""
BUSY_SECONDS: Final = 2.0
BY_ADDRESS, IN_ALL, WITHIN = 10, 60, 900.0
CLINIC_FACT: Final = "clinic"
_LOG = logging.getLogger(__name__)


class TooMany(Exception):
    """Too many wrong keys."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages are given."""

    logins: Logins
    keys: Keys
    ring: KeyRing
    proof: Proof
    resource: Resource
    addresses: Addresses
    admit: Sequence[str]
    token: Callable[[], str]
    now: Callable[[], float]
    monotonic: Callable[[], float]
    told: Told = nobody_told


class Site:
    """Shared by the pages."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.secure = parts.resource.origin.startswith("https")
        self._wrong_from = Often(BY_ADDRESS, WITHIN, parts.monotonic)
        self._wrong = Often(IN_ALL, WITHIN, parts.monotonic)

    # Cookies and forms

    def cookie_name(self, what: str) -> str:
        """The name of a cookie that only this host and path / can have set."""
        return f"{'__Host-' if self.secure else ''}cm-{what}"

    def set_cookie(self, answer: Response, what: str, value: str, seconds: int) -> None:
        """Have the browser keep this; nothing for 0 seconds."""
        answer.set_cookie(
            self.cookie_name(what), value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def cookie(self, request: Request, what: str) -> str:
        """What the browser keeps; empty for nothing."""
        return request.cookies.get(self.cookie_name(what), "")

    async def bound(self, request: Request, row: RequestRow, what: str) -> tuple[RequestRow, str] | None:
        """The login and the cookie of the browser that it belongs to: the first that opens it; None for another."""
        cookie = self.cookie(request, what)
        if not row.cookie:
            cookie = self.parts.token()
            row = replace(row, cookie=digest_of(cookie))
            await self.parts.logins.put_request(row)
        return (row, cookie) if digest_of(cookie) == row.cookie else None

    def csrf(self, what: str, cookie: str) -> str:
        """What our own form sends with it."""
        key = self.parts.ring.derived("csrf")[0]
        return hmac.digest(key, f"{what}|{cookie}".encode(), hashlib.sha256).hex()

    async def form(self, request: Request, what: str, cookie: str) -> dict[str, str] | None:
        """The fields of a form that our own page sent with this cookie; None for any other."""
        if request.headers.get("origin") != self.parts.resource.origin or not cookie:
            return None
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            return None
        body = await body_within(request, MAX_FORM_BYTES)
        if body is None:
            return None
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=10)
        except ValueError:
            return None
        # The button that was pressed comes after the hidden field of the same name.
        fields = dict(pairs)
        good = hmac.compare_digest(fields.get("csrf", "").encode(), self.csrf(what, cookie).encode())
        return fields if good else None

    # Pages

    async def show(
        self, title: str, body: str, *, status: int = 200, head: str = "", demo: bool = False
    ) -> HTMLResponse:
        """A page under the clinic's name."""
        clinic = await self.clinic()
        demo = demo or bool(clinic.get("demo"))
        nonce = self.parts.token()
        name = str(clinic.get("name", "")) or "Cliniko"
        return page(title, body, clinic=name, demo=demo, nonce=nonce, status=status, head=head)

    def stop_page(self, request: Request, why: str) -> Response:
        """A page for a login that cannot go on, for whoever cannot wait for the store."""
        return page(
            "This cannot go on",
            bodies.stopped(why),
            clinic="Cliniko",
            demo=False,
            nonce=self.parts.token(),
            status=400,
        )

    async def forbidden(self) -> Response:
        """The answer to a form that is not our own, or comes from another browser."""
        why = "This page was opened in another browser, or too long ago. Start again in your assistant."
        return await self.show("This cannot go on", bodies.stopped(why), status=403)

    # The clinic, and who may log in

    async def clinic(self) -> Mapping[str, JsonValue]:
        """What is known of the clinic that this server is for: account, shard, name, demo."""
        kept = await self.parts.logins.fact(CLINIC_FACT)
        found: JsonValue = json.loads(kept) if kept else {}
        return found if isinstance(found, dict) else {}

    async def server_for(self) -> str:
        """The clinic in words, named before anything is typed."""
        name = (await self.clinic()).get("name")
        if name:
            return str(name)
        accounts = sorted(value for kind, value in await self.rules() if kind == "account")
        return f"the clinic with the account number {' or '.join(accounts)}" if accounts else "a clinic"

    async def rules(self) -> list[Rule]:
        """Who may log in."""
        return rules_of(self.parts.admit, await self.parts.logins.admitted())

    async def ready(self) -> bool:
        """Whether the server is set up."""
        return any(kind == "account" for kind, _ in await self.rules())

    # Keys

    async def whose(self, request: Request, key: str, *, anybody: bool = False) -> Whose:
        """Whose key was pasted, and that they may log in (`anybody` may, at the set-up).

        Raises WrongKey for every reason alike, TooMany, and Unavailable where Cliniko does not answer.
        """
        address, began = self.parts.addresses.of(request), self.parts.monotonic()
        busy = self._wrong.reached("all")
        # Counted before it is known, so that those that are tried at once are no more than those tried in turn.
        if not self._wrong_from.allows(address):
            raise TooMany
        self._wrong.note("all")
        if busy:
            await anyio.sleep(BUSY_SECONDS)
        try:
            whose = await self.parts.proof.whose(key)
            if not anybody and not admits(await self.rules(), whose):
                raise WrongKey
        except WrongKey:
            _LOG.warning("a key was refused at the login page")
            await self.parts.told(LoginEvent("refused"))
            await anyio.sleep(max(0.0, LEAST_SECONDS - (self.parts.monotonic() - began)))
            raise
        except ClinikoMcpError:
            _LOG.warning("Cliniko did not say whose a key is")
            self._was_not_wrong(address)
            raise
        self._was_not_wrong(address)
        return whose

    def _was_not_wrong(self, address: str) -> None:
        self._wrong_from.take_back(address)
        self._wrong.take_back("all")

    # What is kept of a key between two steps

    def seal(self, whose: Whose, key: str, bound: str, **more: str) -> bytes:
        """Whose key it is and the key, for the second step."""
        record = {"whose": asdict(whose), "key": key, **more}
        return self.parts.ring.seal(json.dumps(record).encode(), "pasted", bound=bound.encode())

    def opened(self, sealed: bytes, bound: str) -> tuple[Whose, str, dict[str, str]] | None:
        """What was sealed for the second step; None where there is nothing."""
        try:
            record = json.loads(self.parts.ring.unseal(sealed, "pasted", bound=bound.encode()))
        except Unsealable:
            return None
        more = {name: str(value) for name, value in record.items() if name not in ("whose", "key")}
        return Whose(**record["whose"]), str(record["key"]), more


async def name_clinic(logins: Logins, whose: Whose) -> None:
    """Keep which clinic this server is for, to name it on every page."""
    clinic = {"account": whose.account, "shard": whose.shard, "name": whose.clinic, "demo": whose.demo}
    await logins.put_fact(CLINIC_FACT, json.dumps(clinic).encode())
