"""The page on which a person gives their own key, under the login of the approvals page: whose it is and of which
clinic is shown before it is kept, sealed. No assistant ever sees it.

What was pasted lies between the two steps in the page itself, sealed for this person and this clinic.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cliniko_mcp.clinic_pool import ClinicPool
from cliniko_mcp.directory.clinics import ClinicEntry, opened_key
from cliniko_mcp.directory.whose import Whose, WrongKey
from cliniko_mcp.errors import ClinikoMcpError, ConfigurationError
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.identity.limits import Often
from cliniko_mcp.identity.person import Person
from cliniko_mcp.pages import connect_bodies as bodies
from cliniko_mcp.pages.document import page
from cliniko_mcp.pages.login_at_issuer import HEADERS, PageLogin
from cliniko_mcp.pages.sessions import LoggedIn
from cliniko_mcp.shared_state.directory import SomebodyElses
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable
from cliniko_mcp.shared_state.logins import LoginEvent

PATH: Final = "/connect"
PASTED_SECONDS: Final = 600.0
"""How long a person may look at whose key it is."""
MAX_TRIES, WITHIN = 10, 900.0
"""So many keys of one person within so many seconds, also good ones: for each the clinic's own key asks as well."""
_PURPOSE: Final = "pasted key"
_OLD: Final = "This page was opened too long ago. Begin again."
_LOG = logging.getLogger(__name__)


class NotThis(Exception):
    """Why a key cannot be used here, in words for its person, and the status of the answer."""

    def __init__(self, words: str, status: int = 422) -> None:
        super().__init__(words)
        self.words = words
        self.status = status


class ConnectPages:
    """The pages of a person's own keys."""

    def __init__(
        self,
        login: PageLogin,
        pool: ClinicPool,
        ring: KeyRing,
        *,
        token: Callable[[], str],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`now` is the time of day in Unix seconds; `token` gives 256 random bits as text."""
        self._login = login
        self._pool = pool
        self._ring = ring
        self._token = token
        self._now = now
        self._tries = Often(MAX_TRIES, WITHIN, monotonic)

    def routes(self) -> list[Route]:
        """Their addresses: of all clinics of a person, and of one."""
        return [
            Route(PATH, self._all, methods=["GET"]),
            Route(f"{PATH}/{{clinic}}", self._get, methods=["GET"]),
            Route(f"{PATH}/{{clinic}}", self._post, methods=["POST"]),
        ]

    # What is shown

    async def _all(self, request: Request) -> Response:
        seen = await self._login.seen(request)
        if seen is None:
            return self._login.page(PATH)
        stands = [await self._stand(entry, seen.person) for entry in self._pool.clinics.theirs(seen.person)]
        if len(stands) == 1:
            return _to(f"{PATH}/{stands[0].id}")
        return self._shown("Your keys", bodies.clinics(seen.person.name, stands))

    async def _get(self, request: Request) -> Response:
        seen = await self._login.seen(request)
        if seen is None:
            return self._login.page(f"{PATH}/{request.path_params['clinic']}")
        entry = self._entry(request, seen.person)
        if entry is None:
            return self._no_clinic()
        return await self._clinic(entry, seen, note=bodies.NOTES.get(request.query_params.get("done", ""), ""))

    async def _clinic(
        self, entry: ClinicEntry, seen: LoggedIn, *, note: str = "", wrong: str = "", status: int = 200
    ) -> Response:
        stand = await self._stand(entry, seen.person)
        body = bodies.clinic(seen.person.name, stand, self._login.csrf(seen), note=note, wrong=wrong)
        return self._shown("Your key", body, clinic=stand.called, status=status)

    async def _stand(self, entry: ClinicEntry, person: Person) -> bodies.Stand:
        own = entry.keys == "person"
        row = await self._pool.own.keys.row(entry, person.principal) if own else None
        return bodies.Stand(entry.id, entry.name or entry.id, own, row)

    def _entry(self, request: Request, person: Person) -> ClinicEntry | None:
        return self._pool.clinics.of(person, request.path_params["clinic"])

    def _no_clinic(self) -> Response:
        words = "There is no such clinic here, or you may not work in it."
        return self._shown("No such clinic", bodies.stopped(words), status=404)

    def _shown(
        self, title: str, body: str, *, clinic: str = "Cliniko", demo: bool = False, status: int = 200
    ) -> Response:
        nonce = self._token()
        return page(title, body, clinic=clinic, demo=demo, nonce=nonce, status=status, beside="Your key")

    # What is given

    async def _post(self, request: Request) -> Response:
        seen = await self._login.seen(request)
        form = await self._login.form(request, seen) if seen is not None else None
        if seen is None or form is None:
            return self._shown("Begin again", bodies.stopped(_OLD), status=403)
        entry = self._entry(request, seen.person)
        if entry is None or entry.keys != "person":
            return self._no_clinic()
        here = f"{PATH}/{entry.id}"
        try:
            match form.get("step"):
                case "key":
                    return await self._pasted(entry, seen, form.get("key", "").strip())
                case "yes":
                    await self._kept(entry, seen.person, form.get("pasted", ""))
                    return _to(f"{here}?done=kept")
                case "forget":
                    if await self._pool.own.keys.erase(entry.id, seen.person.principal):
                        await self._pool.tell(
                            entry, seen.person, LoginEvent("ended", why="their own key was forgotten")
                        )
                    return _to(f"{here}?done=forgotten")
                case _:
                    return _to(here)
        except NotThis as problem:
            return await self._clinic(entry, seen, wrong=problem.words, status=problem.status)

    async def _pasted(self, entry: ClinicEntry, seen: LoggedIn, key: str) -> Response:
        whose = await self._whose(entry, seen.person, key)
        record = {"whose": asdict(whose), "key": key, "until": self._now() + PASTED_SECONDS}
        bound = seen.person.principal.encode()
        sealed = self._ring.seal(json.dumps(record).encode(), _PURPOSE, entry.account, bound=bound)
        body = bodies.confirm(
            entry.name or entry.id, whose, self._login.csrf(seen), base64.urlsafe_b64encode(sealed).decode()
        )
        return self._shown("Is this right?", body, clinic=entry.name or whose.clinic, demo=whose.demo)

    async def _whose(self, entry: ClinicEntry, person: Person, key: str) -> Whose:
        """Whose key this is, who is of the clinic. Raises NotThis."""
        if not self._tries.allows(person.principal):
            raise NotThis("Too many keys were tried. Wait a quarter of an hour.", 429)
        proof, clinics_key = self._pool.own.proofs(entry), self._clinics_key(entry)

        async def of_clinic() -> Whose:
            try:
                return await proof.whose(clinics_key)
            except WrongKey:
                _LOG.error("Cliniko refuses the key of the clinic %s: `cliniko-mcp clinics rotate %s`", *[entry.id] * 2)
                raise _not_now() from None

        try:
            clinic, whose = await run_concurrently(of_clinic, lambda: proof.whose(key))
        except WrongKey:
            await self._pool.tell(entry, person, LoginEvent("refused", why="Cliniko does not take the key"))
            raise NotThis("Cliniko does not take this key. Copy it again, whole.") from None
        except ClinikoMcpError as problem:
            raise NotThis(f"{problem.message} {problem.fix}", 503) from None
        if (whose.shard, whose.account) != (clinic.shard, clinic.account):
            await self._pool.tell(entry, person, LoginEvent("refused", why="a key of another clinic"))
            told = f"This is a key of {whose.clinic or 'another clinic'}, and here you work in {clinic.clinic}."
            raise NotThis(f"{told} Paste a key of {clinic.clinic}.")
        return whose

    def _clinics_key(self, entry: ClinicEntry) -> str:
        try:
            return opened_key(self._ring, entry)
        except ConfigurationError as problem:
            _LOG.error("%s", problem.message)
            raise _not_now() from None

    async def _kept(self, entry: ClinicEntry, person: Person, pasted: str) -> None:
        """Keep what was pasted. Raises NotThis."""
        try:
            sealed = base64.urlsafe_b64decode(pasted.encode("ascii"))
            record = json.loads(self._ring.unseal(sealed, _PURPOSE, entry.account, bound=person.principal.encode()))
        except (binascii.Error, ValueError, Unsealable):
            raise NotThis(_OLD, 403) from None
        if self._now() >= float(record["until"]):
            raise NotThis(_OLD, 403)
        whose = Whose(**record["whose"])
        try:
            await self._pool.own.keys.keep(entry, person.principal, whose, str(record["key"]))
        except SomebodyElses:
            told = f"Somebody else here works with a key of {whose.name} already."
            raise NotThis(f"{told} Paste the key of your own user in Cliniko.") from None
        await self._pool.tell(entry, person, LoginEvent("granted", why="works with a key of their own"))


def _not_now() -> NotThis:
    return NotThis("Which clinic this is cannot be known just now. Tell whoever looks after this server.", 503)


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, headers=HEADERS)
