"""The first set-up: a link that only the terminal shows binds the server to a clinic and names who looks after it."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cliniko_mcp.directory.whose import Whose, WrongKey
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.identity.builtin import digest_of
from cliniko_mcp.pages import bodies
from cliniko_mcp.pages.site import Site, TooMany, name_clinic
from cliniko_mcp.shared_state.logins import Logins, RequestRow

SETUP_SECONDS: Final = 1800.0
SETUP_FACT: Final = "setup"
_GONE: Final = "This link is not good any more. “cliniko-mcp logins setup” on the server's computer prints a new one."


async def setup_link(logins: Logins, origin: str, token: str, now: float) -> str:
    """The link that sets the server up, good for half an hour and once; a link of before ends."""
    record = {"digest": digest_of(token), "expires": now + SETUP_SECONDS}
    await logins.put_fact(SETUP_FACT, json.dumps(record).encode())
    return f"{origin}/setup/{token}"


class SetupPages:
    """The pages of the first set-up."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._logins = site.parts.logins

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/setup/{code}", self._get, methods=["GET"]),
            Route("/setup/{code}", self._post, methods=["POST"]),
        ]

    async def _open(self, request: Request) -> bytes | None:
        """The fact of the link that is open, where this is it."""
        fact = await self._logins.fact(SETUP_FACT)
        if fact is None:
            return None
        record = json.loads(fact)
        same = hmac.compare_digest(str(record["digest"]), digest_of(request.path_params["code"]))
        return fact if same and self._site.parts.now() < float(record["expires"]) else None

    async def _row(self, request: Request) -> RequestRow:
        id, now = digest_of(f"setup {request.path_params['code']}"), self._site.parts.now()
        return await self._logins.request(id, now) or RequestRow(id, "{}", now + SETUP_SECONDS)

    async def _get(self, request: Request) -> Response:
        if await self._open(request) is None:
            return await self._site.show("Not open", bodies.stopped(_GONE), status=404)
        row = await self._row(request)
        bound = await self._site.bound(request, row, "setup")
        if bound is None:
            return await self._site.forbidden()
        row, cookie = bound
        answer = await self._shown(row, cookie)
        self._site.set_cookie(answer, "setup", cookie, int(SETUP_SECONDS))
        return answer

    async def _shown(self, row: RequestRow, cookie: str, wrong: str = "", status: int = 200) -> Response:
        csrf = self._site.csrf(row.id, cookie)
        pasted = self._site.opened(row.proven, row.id) if row.proven else None
        if pasted is None:
            return await self._site.show("Set up", bodies.set_up_key(csrf, wrong), status=status)
        body = bodies.set_up_confirm(pasted[0], self._site.parts.resource.url, csrf)
        return await self._site.show("Is this your clinic?", body, demo=pasted[0].demo)

    async def _post(self, request: Request) -> Response:
        fact = await self._open(request)
        if fact is None:
            return await self._site.show("Not open", bodies.stopped(_GONE), status=404)
        row, cookie = await self._row(request), self._site.cookie(request, "setup")
        form = await self._site.form(request, row.id, cookie)
        if form is None or digest_of(cookie) != row.cookie:
            return await self._site.forbidden()
        if form.get("step") == "yes" and row.proven:
            return await self._bind(row, fact)
        if form.get("step") == "back":
            await self._logins.put_request(replace(row, proven=b""))
        else:
            refused = await self._pasted(request, row, cookie, form.get("key", "").strip())
            if refused is not None:
                return refused
        return RedirectResponse(f"{self._site.parts.resource.origin}{request.url.path}", 303)

    async def _pasted(self, request: Request, row: RequestRow, cookie: str, key: str) -> Response | None:
        try:
            whose = await self._site.whose(request, key, anybody=True)
        except WrongKey:
            return await self._shown(row, cookie, "Cliniko does not take this key. Copy it again, whole.", 422)
        except TooMany:
            return await self._shown(row, cookie, "Too many keys were tried. Wait a quarter of an hour.", 429)
        except ClinikoMcpError as problem:
            return await self._shown(row, cookie, f"{problem.message} {problem.fix}", 503)
        if whose.role != "administrator":
            role = whose.role or "without a role"
            told = f"This is the key of {whose.name}, {role}. Paste the key of an administrator."
            return await self._shown(row, cookie, told, 422)
        await self._logins.put_request(replace(row, proven=self._site.seal(whose, key, row.id)))
        return None

    async def _bind(self, row: RequestRow, fact: bytes) -> Response:
        pasted = self._site.opened(row.proven, row.id)
        if pasted is None or not await self._logins.put_fact(SETUP_FACT, None, only_from=fact):
            return await self._site.show("Not open", bodies.stopped(_GONE), status=404)
        whose, key, _ = pasted
        await pin(self._logins, whose)
        await self._site.parts.keys.keep(whose, key, manager=True)
        await self._logins.put_request(replace(row, proven=b""))
        return await self._site.show("Ready", bodies.set_up_done(self._site.parts.resource.url))


async def pin(logins: Logins, whose: Whose) -> None:
    """Bind the store to this clinic."""
    await name_clinic(logins, whose)
    await logins.admit("account", whose.account)
    await logins.admit("shard", whose.shard)
