"""The approvals page of a server for many: each person answers the questions of their own calls, and sees no other.

In a clinic where a second person approves, who asked can only say no; everybody else of the clinic who may approve sees
the question too, with who asks, and answers it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cliniko_mcp.approvals import page_html
from cliniko_mcp.approvals.clinic_questions import ClinicQuestions
from cliniko_mcp.approvals.decisions import Answer, Outcome
from cliniko_mcp.approvals.questions import PendingQuestion, Verdict
from cliniko_mcp.identity.person import Person
from cliniko_mcp.identity.scopes import APPROVE
from cliniko_mcp.pages.login_at_issuer import HEADERS, PageLogin
from cliniko_mcp.pages.sessions import LoggedIn

PATH: Final = "/approvals"
_DONE: Final = {Answer.APPROVE: Outcome.APPROVED, Answer.DENY: Outcome.DENIED, Answer.OTHER: Outcome.OTHER}

QuestionsOf = Callable[[Person], Awaitable[Sequence[ClinicQuestions]]]
"""The questions of the clinics in which a person works."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A question, and the clinic that it is of."""

    clinic: ClinicQuestions
    pending: PendingQuestion

    def asked_by(self, seen: LoggedIn) -> bool:
        """Whether it is about a call of this person."""
        return self.pending.matter.principal == seen.person.principal

    def visible_to(self, seen: LoggedIn) -> bool:
        """Whether this person may see it, and say no."""
        return self.asked_by(seen) or (self.clinic.second and APPROVE in seen.person.scopes)

    def approvable_by(self, seen: LoggedIn) -> bool:
        """Whether this person may say yes."""
        return self.visible_to(seen) and not (self.clinic.second and self.asked_by(seen))


class ApprovalPages:
    """The page and its forms."""

    def __init__(
        self, login: PageLogin, questions: QuestionsOf, *, token: Callable[[], str], now: Callable[[], float]
    ) -> None:
        """`now` is the time of day in Unix seconds; `token` gives 256 random bits as text."""
        self._login = login
        self._questions = questions
        self._token = token
        self._now = now

    def routes(self) -> list[Route]:
        """Their addresses: of all questions, and of one."""
        return [
            Route(f"{PATH}/state", self._state, methods=["GET"]),
            Route(f"{PATH}/{{question}}/state", self._state, methods=["GET"]),
            *(
                Route(path, page, methods=[method])
                for path in (PATH, f"{PATH}/{{question}}")
                for method, page in (("GET", self._get), ("POST", self._post))
            ),
        ]

    # What is asked

    async def _get(self, request: Request) -> Response:
        one, query = _named(request), request.query_params
        seen = await self._login.seen(request, by_hand="again" not in query)
        if seen is None:
            return self._login.page(f"{PATH}/{one}" if one else PATH)
        nonce = self._token()
        shown = await self._shown(seen, nonce, one if "outcome" not in query else "")
        name, found = query.get("outcome", ""), await self._found(seen, one)
        if one and found is None and not name:
            return self._not_yours(shown)
        if name in Outcome.__members__:
            text = page_html.outcome_page(Outcome[name], found.pending if found else None, shown)
        elif found is not None and (found.pending.ending is not None or found.pending.verdict is not Verdict.NONE):
            text = page_html.outcome_page(Outcome.APPROVED, found.pending, shown)
        else:
            text = page_html.questions_page(shown)
        return HTMLResponse(text, headers=_with_policy(nonce))

    async def _state(self, request: Request) -> Response:
        seen = await self._login.seen(request, by_hand=False)
        if seen is None:
            return JSONResponse({}, 403, headers=HEADERS)
        return JSONResponse({"mark": (await self._shown(seen, one=_named(request))).mark}, headers=HEADERS)

    async def _shown(self, seen: LoggedIn, nonce: str = "", one: str = "") -> page_html.Shown:
        """What this person may see; of what waits only the `one` that is named."""
        kinds: list[list[PendingQuestion]] = [[], [], [], []]
        not_yours_to_approve: set[str] = set()
        for clinic in await self._questions(seen.person):
            for own, questions in zip(kinds, await clinic.ledger.listed(), strict=True):
                found = [item for item in (_Found(clinic, pending) for pending in questions) if item.visible_to(seen)]
                own += [item.pending for item in found]
                not_yours_to_approve |= {
                    item.pending.question.challenge for item in found if not item.approvable_by(seen)
                }
        kinds[3] = [denied for denied in kinds[3] if denied.answered_by in ("", seen.person.logged)]
        waiting = [pending for pending in kinds[0] if one in ("", pending.question.challenge)]
        return page_html.Shown(
            waiting,
            *kinds[1:],
            csrf=self._login.csrf(seen),
            nonce=nonce,
            path=PATH,
            now=self._now(),
            viewer=page_html.Viewer(seen.person.principal, seen.person.name, frozenset(not_yours_to_approve)),
        )

    async def _found(self, seen: LoggedIn, challenge: str) -> _Found | None:
        """The question of this challenge; None where it is not kept any more, or none of this person's matter."""
        for clinic in await self._questions(seen.person) if challenge else ():
            pending = await clinic.ledger.find(challenge)
            if pending is not None and (found := _Found(clinic, pending)).visible_to(seen):
                return found
        return None

    def _not_yours(self, shown: page_html.Shown) -> Response:
        return HTMLResponse(page_html.not_yours_page(shown), 403, headers=_with_policy(shown.nonce))

    # What is answered

    async def _post(self, request: Request) -> Response:
        seen = await self._login.seen(request)
        form = await self._login.form(request, seen) if seen is not None else None
        if seen is None or form is None:
            return self._login.page(PATH, "This page was opened too long ago. Begin again.", status=403)
        decision, named = form.get("decision", ""), form.get("question", "")
        if decision == "deny_all":
            waiting = {pending.question.challenge for pending in (await self._shown(seen)).waiting}
            ended = [await self._decided(seen, one, Answer.DENY) for one in waiting.intersection(named.split())]
            outcome = Outcome.ALL_DENIED if Outcome.DENIED in ended else Outcome.GONE
            return _back(f"outcome={outcome.name}")
        found = await self._found(seen, named)
        if decision not in {answer.value for answer in Answer} or found is None:
            return self._not_yours(await self._shown(seen, self._token()))
        answer = Answer(decision)
        if answer is Answer.APPROVE:
            if not found.approvable_by(seen):
                return self._not_yours(await self._shown(seen, self._token()))
            if found.clinic.strict and not seen.fresh(self._now()):
                return self._login.page(f"{PATH}/{named}", status=403, again=seen)
        outcome = await self._decided(seen, named, answer)
        return _back(f"question={quote(named)}&outcome={outcome.name}")

    async def _decided(self, seen: LoggedIn, challenge: str, answer: Answer) -> Outcome:
        found = await self._found(seen, challenge)
        if found is None:
            return Outcome.GONE
        ledger, pending = found.clinic.ledger, found.pending
        if answer is Answer.WITHDRAW:
            return Outcome.WITHDRAWN if await ledger.take_back(challenge) else Outcome.USED
        if answer is Answer.REOPEN:
            if pending.answered_by not in ("", seen.person.logged):  # a no of somebody else is not lifted
                return Outcome.GONE
            return Outcome.REOPENED if await ledger.reopen(challenge) else Outcome.GONE
        # A question that is put by a form is answered there alone.
        if not pending.shown or not await ledger.decide(
            challenge, answer is Answer.APPROVE, "page", other=answer is Answer.OTHER, by=seen.person.logged
        ):
            return Outcome.GONE
        return _DONE[answer]


def _named(request: Request) -> str:
    """The one question that an address is about; empty where it is about all."""
    return str(request.path_params.get("question", "")) or request.query_params.get("question", "")


def _with_policy(nonce: str) -> dict[str, str]:
    return HEADERS | {"Content-Security-Policy": page_html.policy(nonce)}


def _back(query: str) -> RedirectResponse:
    return RedirectResponse(f"{PATH}?{query}", 303, headers=HEADERS)
