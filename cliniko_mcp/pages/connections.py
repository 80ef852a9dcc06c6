"""Connections: what works for me, and for a manager everybody's; end one, end all, forget my key, a new key."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cliniko_mcp.directory.admission import admits, parse_rule
from cliniko_mcp.directory.whose import Whose, WrongKey
from cliniko_mcp.errors import ClinikoMcpError, ConfigurationError
from cliniko_mcp.identity.builtin import digest_of
from cliniko_mcp.pages import bodies
from cliniko_mcp.pages.site import Site, TooMany
from cliniko_mcp.shared_state.logins import PersonRow

SESSION_SECONDS: Final = 1800.0
_NARROW: Final = ("email", "role")
"""The kinds of rules that a manager changes."""
_TOO_MANY: Final = "Too many keys were tried. Wait a quarter of an hour."


class ConnectionPages:
    """The pages of somebody's connections."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._logins = site.parts.logins

    def routes(self) -> list[Route]:
        """Their address."""
        return [
            Route("/connections", self._get, methods=["GET"]),
            Route("/connections", self._post, methods=["POST"]),
        ]

    async def _who(self, cookie: str) -> PersonRow | None:
        person = await self._logins.session(digest_of(cookie), self._site.parts.now()) if cookie else None
        row = await self._logins.person(person) if person else None
        return row if row is not None and admits(await self._site.rules(), Whose.of(row)) else None

    async def _get(self, request: Request) -> Response:
        cookie = self._site.cookie(request, "me") or self._site.parts.token()
        answer = await self._shown(cookie)
        self._site.set_cookie(answer, "me", cookie, int(SESSION_SECONDS))
        return answer

    async def _shown(self, cookie: str, *, note: str = "", wrong: str = "", status: int = 200) -> Response:
        who, csrf = await self._who(cookie), self._site.csrf("me", cookie)
        if who is None:
            return await self._site.show("Your connections", bodies.sign_in(csrf, wrong), status=status)
        now = self._site.parts.now()
        grants = await self._logins.grants(now, "" if _manages(who) else who.id)
        names = {person.id: person.name for person in await self._logins.people()} if _manages(who) else {}
        mine = [grant for grant in grants if grant.person == who.id]
        others = [(names.get(grant.person, "?"), grant) for grant in grants if grant.person != who.id]
        rules = await self._rules() if _manages(who) else None
        body = bodies.connections(who.name, mine, others, csrf, rules=rules, note=note or wrong)
        return await self._site.show("Your connections", body, status=status)

    async def _post(self, request: Request) -> Response:
        cookie = self._site.cookie(request, "me")
        form = await self._site.form(request, "me", cookie)
        if form is None:
            return await self._site.forbidden()
        who, step, now = await self._who(cookie), form.get("step"), self._site.parts.now()
        if step in ("key", "new"):
            return await self._key(request, cookie, who, form.get("key", "").strip())
        if who is None:
            return await self._shown(cookie)
        match step:
            case "end":
                grants = {grant.id: grant for grant in await self._logins.grants(now)}
                grant = grants.get(form.get("grant", ""))
                if grant is None or (grant.person != who.id and not _manages(who)):
                    return await self._site.forbidden()
                await self._logins.end(now, f"{who.name} ended it", grant=grant.id)
                return await self._shown(cookie, note=f"{grant.program} is ended.")
            case "end_all":
                ended = await self._logins.end(now, f"{who.name} ended all", person=who.id)
                return await self._shown(cookie, note=f"{ended} ended." if ended else "There was none to end.")
            case "forget":
                await self._logins.drop_key(who.id, who.version, now, "the key was forgotten")
                await self._logins.drop_sessions(person=who.id)
                return await self._shown(cookie, wrong="Your key is forgotten, and your assistants are ended.")
            case "admit" | "unadmit":
                return await self._admit(cookie, who, form, drop=step == "unadmit")
            case _:
                await self._logins.drop_sessions(digest_of(cookie))
                return await self._shown(cookie)

    async def _rules(self) -> bodies.Rules:
        fixed = [parse_rule(text) for text in self._site.parts.admit]
        # The clinic itself is bound on the server's computer alone.
        kept = await self._logins.admitted()
        narrow = [rule for rule in kept if rule[0] in _NARROW]
        return bodies.Rules([*fixed, *(rule for rule in kept if rule[0] not in _NARROW)], narrow)

    async def _admit(self, cookie: str, who: PersonRow, form: dict[str, str], *, drop: bool) -> Response:
        """Change who may connect, for a manager, who cannot shut themselves out."""
        if not _manages(who):
            return await self._site.forbidden()
        try:
            kind, value = parse_rule(f"email:{form['email']}" if "email" in form else form.get("rule", ""))
        except ConfigurationError:
            return await self._shown(cookie, wrong="That is no email address.", status=422)
        if kind not in _NARROW:
            return await self._site.forbidden()
        rules = [rule for rule in await self._site.rules() if rule != (kind, value)]
        rules += [] if drop else [(kind, value)]
        if not admits(rules, Whose.of(who)):
            told = "That would shut you out yourself. First add your own role, or your email."
            return await self._shown(cookie, wrong=told, status=422)
        await self._logins.admit(kind, value, drop=drop)
        return await self._shown(cookie, note="Removed." if drop else "Added.")

    async def _key(self, request: Request, cookie: str, who: PersonRow | None, key: str) -> Response:
        try:
            whose = await self._site.whose(request, key)
        except WrongKey:
            return await self._shown(cookie, wrong=bodies.WRONG, status=422)
        except TooMany:
            return await self._shown(cookie, wrong=_TOO_MANY, status=429)
        except ClinikoMcpError as problem:
            return await self._shown(cookie, wrong=f"{problem.message} {problem.fix}", status=503)
        known = await self._logins.person(whose.subject)
        if who is not None:
            if whose.subject != who.id:
                return await self._shown(cookie, wrong="That is the key of somebody else.", status=422)
            await self._site.parts.keys.keep(whose, key)
            return await self._shown(cookie, note="The new key is used from now on. Delete the old one in Cliniko.")
        if known is None:
            return await self._shown(cookie, wrong="No assistant was connected with your key yet.", status=422)
        if not await self._site.parts.keys.same_role(known, whose):
            told = "Your role in Cliniko has changed, so your assistants have ended. Connect them again."
            return await self._shown(cookie, wrong=told, status=422)
        # A session begins under a new name: what the browser had before may be known to others.
        fresh, now = self._site.parts.token(), self._site.parts.now()
        await self._logins.put_session(digest_of(fresh), whose.subject, now + SESSION_SECONDS)
        answer = RedirectResponse(f"{self._site.parts.resource.origin}/connections", 303)
        self._site.set_cookie(answer, "me", fresh, int(SESSION_SECONDS))
        return answer


def _manages(who: PersonRow) -> bool:
    """Whether they look after the server: they set it up, and are still an administrator."""
    return who.manager and who.role == "administrator"
