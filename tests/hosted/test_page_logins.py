"""How long a login at the pages lasts, what ends it, and when it is fresh, on a clock of its own."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import httpx2
import pytest
from starlette.applications import Starlette

from cliniko_mcp.approvals.clinic_questions import ClinicQuestions
from cliniko_mcp.approvals.ledger import LocalLedger
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Matter, PendingQuestion
from cliniko_mcp.approvals.shown import Preview
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import PersonEntry, digest_of
from cliniko_mcp.identity.person import Person
from cliniko_mcp.identity.relying_party import Proven
from cliniko_mcp.pages.approvals import ApprovalPages
from cliniko_mcp.pages.login_at_issuer import PageLogin
from cliniko_mcp.pages.people_codes import LocalOnce, PeopleCodes
from cliniko_mcp.pages.sessions import IDLE_SECONDS, LONGEST_SECONDS, IssuerSessions, LocalSessions
from cliniko_mcp.shared_state.keys import KeyRing
from tests.hosted.issuer_stage import csrf_in

pytestmark = pytest.mark.anyio
ORIGIN = "https://mcp.example.org"
FAR = datetime(2099, 1, 1, tzinfo=UTC)
PREVIEW = Preview("Archive this patient", "Keep it", "Archived", [], [], [], "", True, "d")


@dataclass
class Stage:
    """Pages of a strict clinic, with a ledger of this process."""

    now: float = 1_800_000_000.0
    strict: bool = True
    people: list[PersonEntry] = field(default_factory=list[PersonEntry])

    def __post_init__(self) -> None:
        numbers = count()
        ring = KeyRing([b"x" * 32], os.urandom)
        self.ledger = LocalLedger(Questions(lambda: datetime.fromtimestamp(self.now, UTC), lambda: str(next(numbers))))
        self.kept = LocalSessions(lambda: self.now)
        self.sessions = IssuerSessions(self.kept, ring, token=lambda: f"{next(numbers):064}", now=lambda: self.now)
        codes = PeopleCodes(lambda: self.people, self.kept, ring, LocalOnce(lambda: self.now), now=lambda: self.now)
        login = PageLogin(
            (),
            codes,
            self.sessions,
            ring,
            Resource(f"{ORIGIN}/mcp"),
            LocalOnce(lambda: self.now),
            lambda: "t",
            lambda: self.now,
        )

        async def questions(person: Person) -> list[ClinicQuestions]:
            return [ClinicQuestions(self.ledger, strict=self.strict)]

        pages = ApprovalPages(login, questions, token=lambda: "t", now=lambda: self.now)
        self.app = Starlette(routes=[*login.routes(), *pages.routes()])

    def browser(self) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.app)
        return httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN})

    def code(self, code: str) -> None:
        """Give ana this code."""
        entry = PersonEntry(id="ana", token=digest_of("t"), code=digest_of(code), code_expires=FAR)
        self.people[:] = [entry]

    async def asked(self) -> str:
        pending = await self.ledger.create(Matter("people|ana", "archive_patient", "{}", "patients/1", "f"), PREVIEW)
        await self.ledger.show(pending)
        return pending.question.challenge


async def test_a_login_ends_half_an_hour_after_the_last_click_and_after_a_day_of_work() -> None:
    stage = Stage()
    cookie = await stage.sessions.begin(Proven(Person("https://login.example.org", "1"), stage.now))
    for _ in range(int(LONGEST_SECONDS / (IDLE_SECONDS - 1))):
        stage.now += IDLE_SECONDS - 1
        assert await stage.sessions.seen(cookie, by_hand=True) is not None
    stage.now += IDLE_SECONDS - 1
    assert await stage.sessions.seen(cookie, by_hand=True) is None
    cookie = await stage.sessions.begin(Proven(Person("https://login.example.org", "1"), stage.now))
    stage.now += IDLE_SECONDS - 1
    assert await stage.sessions.seen(cookie, by_hand=False) is not None  # as the page does by itself
    stage.now += 1
    assert await stage.sessions.seen(cookie, by_hand=True) is None


async def test_what_is_kept_of_a_login_is_read_by_nobody_else_and_stands_for_no_other_browser() -> None:
    stage = Stage()
    one, other = [
        await stage.sessions.begin(Proven(Person("https://login.example.org", name), 0.0)) for name in ("ana", "eve")
    ]
    records = stage.kept._kept
    assert all(b"login.example" not in record for record, _ in records.values())
    names = list(records)
    records[names[0]], records[names[1]] = records[names[1]], records[names[0]]
    assert await stage.sessions.seen(one, by_hand=True) is None
    assert await stage.sessions.seen(other, by_hand=True) is None


async def test_in_a_strict_clinic_a_code_is_typed_again_before_a_yes_and_not_before_a_no() -> None:
    stage = Stage()
    stage.code("first")
    async with stage.browser() as browser:
        typed = await browser.post("/login", data={"code": "first"})
        cookie = typed.headers["set-cookie"]
        assert cookie.startswith("__Host-cm-login=p.") and "Secure" in cookie and "HttpOnly" in cookie
        assert "SameSite=lax" in cookie and "Path=/" in cookie
        question = await stage.asked()
        stage.now += 301
        page = await browser.get("/approvals")
        form = {"question": question, "csrf": csrf_in(page), "decision": "approve"}
        again = await browser.post("/approvals", data=form)
        assert again.status_code == 403 and "Log in once more" in again.text and "Your code" in again.text
        assert stage.ledger.table.unused() == []
        stage.code("second")
        # What the browser holds is of the token, not of the code: it is still known, and a code makes it fresh.
        assert (await browser.post("/login", data={"code": "second", "to": "/approvals"})).status_code == 303
        form["csrf"] = csrf_in(await browser.get(f"/approvals/{question}"))
        assert (await browser.post("/approvals", data=form)).headers["location"].endswith("outcome=APPROVED")
        assert [pending.answered_by for pending in stage.ledger.table.unused()] == ["people:ana"]


async def test_a_form_of_another_page_or_for_another_login_answers_nothing() -> None:
    stage = Stage(strict=False)
    stage.code("first")
    async with stage.browser() as browser:
        await browser.post("/login", data={"code": "first"})
        question = await stage.asked()
        form = {"question": question, "csrf": csrf_in(await browser.get("/approvals")), "decision": "approve"}
        for wrong in ({"csrf": "0" * 64}, {"csrf": ""}):
            assert (await browser.post("/approvals", data=form | wrong)).status_code == 403
        elsewhere = {"origin": "https://evil.example"}
        assert (await browser.post("/approvals", data=form, headers=elsewhere)).status_code == 403
        assert (await browser.post("/login/out", data=form, headers=elsewhere)).status_code == 403
        assert stage.ledger.table.unused() == []
        assert (await browser.post("/approvals", data=form)).status_code == 303


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "/x\r\nset-cookie:a=b", ""]
)
async def test_a_login_leads_to_pages_of_ours_alone(to: str) -> None:
    stage = Stage()
    stage.code("first")
    async with stage.browser() as browser:
        answer = await browser.post("/login", data={"code": "first", "to": to})
        assert answer.headers["location"] == "/approvals"


async def test_logins_that_anybody_began_are_not_remembered_for_ever() -> None:
    stage = Stage()
    once = LocalOnce(lambda: stage.now)
    assert await once.first("code", 86_400.0)
    for number in range(3_000):
        assert await once.first(f"login:{number}", 600.0)
        stage.now += 1
    assert len(once._used) < 2_000
    assert not await once.first("code", 86_400.0) and not await once.first("login:2999", 600.0)


async def test_a_cookie_that_is_nobodys_leaves_nothing_behind_when_somebody_logs_in() -> None:
    stage = Stage()
    stage.code("first")
    sent = {"cookie": "__Host-cm-login=p.x"}
    async with stage.browser() as browser:
        assert (await browser.post("/login", data={"code": "first"}, headers=sent)).status_code == 303
    assert stage.kept._kept == {}


async def test_a_form_that_names_thousands_of_questions_looks_for_those_alone_that_wait() -> None:
    stage, looked = Stage(strict=False), list[str]()
    stage.code("first")
    find = stage.ledger.table.find

    def counted(challenge: str) -> PendingQuestion | None:
        looked.append(challenge)
        return find(challenge)

    stage.ledger.table.find = counted
    async with stage.browser() as browser:
        await browser.post("/login", data={"code": "first"})
        question = await stage.asked()
        form = {"question": f"{'x ' * 4_000}{question}", "csrf": csrf_in(await browser.get("/approvals"))}
        looked.clear()
        denied = await browser.post("/approvals", data=form | {"decision": "deny_all"})
        assert denied.headers["location"].endswith("outcome=ALL_DENIED") and looked == [question]
