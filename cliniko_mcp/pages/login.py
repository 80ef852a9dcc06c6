"""The login: a program asks, a person pastes their key, sees whose it is, chooses what it may do, and is connected."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cliniko_mcp.directory.admission import admits
from cliniko_mcp.directory.whose import WrongKey
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.identity.builtin import BuiltinLogin, Details, digest_of
from cliniko_mcp.identity.scopes import READ, SCOPES
from cliniko_mcp.pages import bodies
from cliniko_mcp.pages.site import Site, TooMany, name_clinic
from cliniko_mcp.shared_state.keys import Unsealable
from cliniko_mcp.shared_state.logins import CodeRow, GrantRow, RequestRow

MAX_WRONG = 5
_AGAIN_SECONDS = 10.0
"""How long pressing yes again shows the same answer."""
_GONE = "This request has ended. Go back to your assistant and connect again."
_TOO_MANY = "Too many keys were tried. Wait a quarter of an hour, then connect again."


class LoginPages:
    """The pages of a login under way."""

    def __init__(self, site: Site, login: BuiltinLogin) -> None:
        self._site = site
        self._login = login
        self._logins = site.parts.logins

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/login/{id}", self._get, methods=["GET"]),
            Route("/login/{id}", self._post, methods=["POST"]),
        ]

    async def _row(self, request: Request) -> RequestRow | None:
        return await self._logins.request(digest_of(request.path_params["id"]), self._site.parts.now())

    async def _stopped(self, why: str, status: int = 400) -> Response:
        return await self._site.show("This cannot go on", bodies.stopped(why), status=status)

    async def _get(self, request: Request) -> Response:
        row = await self._row(request)
        if row is None:
            return await self._stopped(_GONE)
        what = row.id[:16]
        bound = await self._site.bound(request, row, what)
        if bound is None:
            return await self._site.forbidden()
        row, cookie = bound
        answer = await self._shown(row, cookie)
        self._site.set_cookie(answer, what, cookie, int(self._login.lives.request))
        return answer

    async def _shown(self, row: RequestRow, cookie: str, wrong: str = "", status: int = 200) -> Response:
        details = Details.model_validate_json(row.details)
        if row.handed_at:
            return await self._handed(row, details)
        csrf = self._site.csrf(row.id, cookie)
        pasted = self._site.opened(row.proven, row.id) if row.proven else None
        if pasted is None:
            clinic = await self._site.server_for()
            body = bodies.ask_key(details.program, details.place, clinic, details.scopes, csrf, wrong)
            return await self._site.show("Connect an assistant", body, status=status)
        whose, _, more = pasted
        body = bodies.confirm(details.program, details.place, whose, more["scopes"].split(), csrf)
        return await self._site.show("Is this right?", body, demo=whose.demo)

    async def _handed(self, row: RequestRow, details: Details) -> Response:
        sealed = row.handed if self._site.parts.now() - row.handed_at < _AGAIN_SECONDS else b""
        if not sealed:
            return await self._stopped("This request was answered. You can close this page.")
        try:
            where = self._site.parts.ring.unseal(sealed, "handed", bound=row.id.encode()).decode()
        except Unsealable:
            return await self._stopped(_GONE)
        connected = "code=" in where.partition("?")[2]
        body, head = bodies.handover(details.program, where, connected=connected)
        return await self._site.show("Connected" if connected else "Not connected", body, head=head)

    async def _post(self, request: Request) -> Response:
        row = await self._row(request)
        if row is None:
            return await self._stopped(_GONE)
        cookie = self._site.cookie(request, row.id[:16])
        form = await self._site.form(request, row.id, cookie)
        if form is None or digest_of(cookie) != row.cookie:
            return await self._site.forbidden()
        if row.handed_at:
            return await self._shown(row, cookie)
        match form.get("step"):
            case "key":
                return await self._pasted(request, row, cookie, form)
            case "back":
                await self._logins.put_request(replace(row, proven=b""))
                return self._again(request)
            case "yes":
                return await self._yes(row, cookie)
            case _:
                return await self._no(row, cookie)

    def _again(self, request: Request) -> Response:
        return RedirectResponse(f"{self._site.parts.resource.origin}{request.url.path}", 303)

    async def _pasted(self, request: Request, row: RequestRow, cookie: str, form: dict[str, str]) -> Response:
        if row.tried >= MAX_WRONG:
            return await self._stopped(_TOO_MANY, 429)
        details, key = Details.model_validate_json(row.details), form.get("key", "").strip()
        try:
            whose = await self._site.whose(request, key)
        except WrongKey:
            await self._logins.wrong_key(row.id)
            return await self._shown(row, cookie, bodies.WRONG, 422)
        except TooMany:
            return await self._stopped(_TOO_MANY, 429)
        except ClinikoMcpError as problem:
            return await self._shown(row, cookie, f"{problem.message} {problem.fix}", 503)
        may = form.get("may", READ)
        may = may if may in (READ, *details.scopes) else READ
        scopes = " ".join(SCOPES[: SCOPES.index(may) + 1])
        await self._logins.put_request(replace(row, proven=self._site.seal(whose, key, row.id, scopes=scopes)))
        return self._again(request)

    async def _yes(self, row: RequestRow, cookie: str) -> Response:
        pasted = self._site.opened(row.proven, row.id) if row.proven else None
        if pasted is None:
            return await self._shown(row, cookie)
        whose, key, more = pasted
        details, parts = Details.model_validate_json(row.details), self._site.parts
        rules = await self._site.rules()
        if not admits(rules, whose):
            row = replace(row, proven=b"")
            await self._logins.put_request(row)
            return await self._shown(row, cookie, bodies.WRONG, 422)
        await parts.keys.keep(whose, key)
        accounts = [value for kind, value in rules if kind == "account"]
        if accounts == [whose.account] and not await self._site.clinic():
            await name_clinic(self._logins, whose)
        code, code_row, grant = self._login.grant_for(details, whose.subject, more["scopes"].split())
        return await self._decided(row, cookie, self._login.answer(details, code=code), code_row, grant)

    async def _no(self, row: RequestRow, cookie: str) -> Response:
        details = Details.model_validate_json(row.details)
        where = self._login.answer(details, error="access_denied", error_description="The person said no")
        return await self._decided(row, cookie, where, None, None)

    async def _decided(
        self, row: RequestRow, cookie: str, where: str, code: CodeRow | None, grant: GrantRow | None
    ) -> Response:
        """The page that leads back to the program. Of two answers at once the first counts, and both see it."""
        parts = self._site.parts
        sealed = parts.ring.seal(where.encode(), "handed", bound=row.id.encode())
        await self._logins.decide(replace(row, handed=sealed, handed_at=parts.now()), code, grant)
        return await self._shown(await self._logins.request(row.id, parts.now()) or row, cookie)
