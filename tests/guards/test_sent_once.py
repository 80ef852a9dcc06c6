"""The act of an approved call: sent once, on what was shown, and once more only where nothing was done."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.approvals.ledger import LocalLedger
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.errors import ApprovalNeeded, ClinikoRefused, OutcomeUnknown, RateLimited, Unavailable
from cliniko_mcp.guards.confirm import Confirm
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.pipeline import Caller
from tests.client.account import NOON, Account, call, person
from tests.client.virtual import run
from tests.guards.gate import Form, RoundTrip

VISIT = "1897453889804840007"
PATIENT = "1897453889804840001"
CANCEL = f"PATCH /individual_appointments/{VISIT}/cancel"
CALL = call("cancel_individual_appointment", id=VISIT, cancellation_reason="sick", apply_to_repeats=True)
LATER = [
    person(number, repeated_from_id=VISIT, starts_at=f"2026-12-0{number - 19}T01:00:00Z") for number in (20, 21, 22)
]


class Front:
    """An account with one visit of a series, whose cancellation ends as the test says, attempt by attempt."""

    def __init__(self, *ends: Callable[[], httpx2.Response]) -> None:
        self.visit = person(7, starts_at="2026-11-26T01:00:00Z", ends_at="2026-11-26T01:30:00Z", patient_id=PATIENT)
        self.patient = person(1, first_name="Ana", last_name="Lima")
        self.ends = list(ends)
        rows = {"individual_appointments": LATER, "total_entries": 3, "links": {"self": "u"}}
        self.account = Account(
            {
                f"GET /individual_appointments/{VISIT}": lambda _: httpx2.Response(200, json=self.visit),
                "GET /individual_appointments": rows,
                f"GET /patients/{PATIENT}": lambda _: httpx2.Response(200, json=self.patient),
                f"PATCH /patients/{PATIENT}": lambda _: self.ends.pop(0)(),
                "GET /user": person(3, time_zone_identifier="Australia/Sydney"),
                CANCEL: lambda _: self.ends.pop(0)(),
            }
        )
        nonces = count()
        self.questions = Questions(lambda: NOON, lambda: f"nonce-{next(nonces)}")
        self.form = Form(Verdict.YES, Verdict.NONE)

    def calls(self, called: Any = CALL, *, per_minute: int = 200, caller: Caller | None = None) -> Any:
        """What the call gives, told in virtual time."""

        async def story() -> Any:
            async with self.account.clinic(per_minute) as client:
                return await self.clinic(client, called, caller).perform(called)

        return run(story)

    def clinic(self, client: Clinic, called: Any = CALL, caller: Caller | None = None) -> GuardedClinic:
        """What the tool of this call acts through."""
        confirm = Confirm(LocalLedger(self.questions), now=client.now, wait=0)
        who = caller or Caller(asker=self.form, route="http")
        return GuardedClinic(client, [confirm], who, called.operation.name, Memory(anyio.current_time, client.now))

    @property
    def cancelled(self) -> int:
        return self.account.asked.count(CANCEL)

    def move(self) -> None:
        self.visit["starts_at"], self.visit["ends_at"] = "2026-11-27T01:00:00Z", "2026-11-27T01:30:00Z"


def done() -> httpx2.Response:
    return httpx2.Response(204)


def too_many() -> httpx2.Response:
    return httpx2.Response(429, headers={"X-RateLimit-Reset": str(int((NOON + timedelta(seconds=4)).timestamp()))})


def test_a_visit_moved_while_its_cancellation_waits_for_the_limit_is_not_cancelled() -> None:
    def limited() -> httpx2.Response:
        front.move()
        return too_many()

    front = Front(limited, done)
    with pytest.raises(ApprovalNeeded, match="has changed since"):
        front.calls()
    assert front.cancelled == 1
    assert [asked.ending for asked in front.questions.recent()] == ["changed"]


def test_after_a_429_everything_is_read_again_and_the_act_is_sent_once_more() -> None:
    front = Front(too_many, done)
    assert front.calls() is None
    first, second = [at for at, asked in enumerate(front.account.asked) if asked == CANCEL]
    assert f"GET /individual_appointments/{VISIT}" in front.account.asked[first + 1 : second]
    assert len(front.form.asked) == 1


def test_no_other_call_takes_the_place_in_the_limit_of_an_act_that_is_to_be_sent_once_more() -> None:
    front = Front(too_many, done)
    another = list[str]()

    async def story() -> None:
        looks = anyio.Event()

        def patient(_: httpx2.Request) -> httpx2.Response:
            if front.cancelled:
                looks.set()
            return httpx2.Response(200, json=front.patient)

        front.account.answers[f"GET /patients/{PATIENT}"] = patient
        # Nine up to the 429, the three that look again, and the act's own are all that a minute has room for.
        async with front.account.clinic(13) as client, anyio.create_task_group() as group:

            async def asks_while_the_series_is_read_again() -> None:
                await looks.wait()
                await anyio.sleep(front.account.latency / 2)
                with suppress(RateLimited):
                    another.append((await client.perform(call("get_patient", id=PATIENT))).id)

            group.start_soon(asks_while_the_series_is_read_again)
            await front.clinic(client).perform(CALL)

    run(story)
    assert (front.cancelled, another) == (2, [])


def test_after_a_second_429_nothing_is_sent_any_more() -> None:
    front = Front(too_many, too_many, done)
    with pytest.raises(RateLimited):
        front.calls()
    assert front.cancelled == 2


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda: httpx2.Response(502), OutcomeUnknown),
        (lambda: httpx2.Response(503), OutcomeUnknown),
        (lambda: httpx2.Response(404), ClinikoRefused),
        (lambda: httpx2.Response(422, json={"errors": {"base": "no"}}), ClinikoRefused),
    ],
)
def test_no_other_failure_is_ever_repeated(end: Callable[[], httpx2.Response], error: type[Exception]) -> None:
    front = Front(end, done)
    with pytest.raises(error):
        front.calls()
    assert front.cancelled == 1


@pytest.mark.parametrize(
    ("problem", "error"), [(httpx2.ReadTimeout("slow"), OutcomeUnknown), (httpx2.ConnectError("off"), Unavailable)]
)
def test_a_broken_connection_is_not_tried_again(problem: Exception, error: type[Exception]) -> None:
    front = Front()
    front.account.answers[CANCEL] = problem
    with pytest.raises(error):
        front.calls()
    assert front.cancelled == 1


def test_where_the_outcome_is_unknown_the_answer_says_how_to_find_out_and_the_question_is_used_up() -> None:
    front = Front(lambda: httpx2.Response(502), done)
    with pytest.raises(OutcomeUnknown) as unknown:
        front.calls()
    assert "get_individual_appointment" in unknown.value.fix
    assert front.questions.waiting() == []
    answered = RoundTrip(front.form.asked[0].challenge, Verdict.YES)
    with pytest.raises(Exception, match="asked first"):
        front.calls(caller=Caller(asker=answered, route="http"))
    assert front.cancelled == 1


def test_between_the_second_reading_and_the_act_there_is_no_request_and_no_waiting() -> None:
    front = Front(done)
    # The readings take four requests and three, the user being known with the zone, and the clinic's name one before
    # a person is asked: of nine a minute the last is the act's own.
    front.calls(per_minute=9)
    first, second = front.account.asked[:5], front.account.asked[5:8]
    assert [asked for asked in first if asked not in ("GET /user", "GET /settings/public")] == second
    assert front.account.asked[8:] == [CANCEL]


def test_an_update_that_is_asked_about_is_sent_once_as_well() -> None:
    emptying = call("update_patient", id=PATIENT, clear=["email", "notes", "city"])

    def limited() -> httpx2.Response:
        front.patient["email"] = "other@example.com"
        return too_many()

    front = Front(limited, lambda: httpx2.Response(200, json=front.patient))
    front.patient |= {"email": "ana@example.com", "notes": "x", "city": "Perth"}
    with pytest.raises(ApprovalNeeded, match="has changed since"):
        front.calls(emptying)
    assert front.account.asked.count(f"PATCH /patients/{PATIENT}") == 1


def test_an_everyday_change_waits_for_the_limit_and_is_sent_again_as_ever() -> None:
    front = Front(too_many, lambda: httpx2.Response(200, json=front.patient))
    assert front.calls(call("update_patient", id=PATIENT, city="Perth")).first_name == "Ana"
    assert front.account.asked == [f"PATCH /patients/{PATIENT}"] * 2


def test_a_record_that_the_tool_has_just_read_is_not_read_again_to_see_whether_a_change_takes_anything_away() -> None:
    front = Front(lambda: httpx2.Response(200, json=front.patient))

    async def story() -> None:
        async with front.account.clinic() as client:
            confirm = Confirm(LocalLedger(front.questions), now=client.now, wait=0)
            clinic = GuardedClinic(client, [confirm], Caller(), "some_tool", Memory(anyio.current_time, client.now))
            await clinic.perform(call("get_patient", id=PATIENT))
            await clinic.perform(call("update_patient", id=PATIENT, clear=["email", "notes"]))

    run(story)
    assert front.account.asked == [f"GET /patients/{PATIENT}", f"PATCH /patients/{PATIENT}"]
