"""Approvals that several replicas race on: each is acted on once."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import anyio

from benchmarks.hosted.callers import OK, Answer, Call, Client, outcomes, patients
from benchmarks.hosted.forms import Browser
from benchmarks.hosted.stage import Stage, person_of, stage
from benchmarks.hosted.verdict import Verdict

_AT_ONCE: Final = 10
_PAUSE_SECONDS: Final = 0.3
_TRIES: Final = 100


def raced(approvals: int = 300, per_clinic: int = 3) -> Verdict:
    """So many approvals on the page, `per_clinic` of one; every call is repeated at all replicas at once meanwhile."""
    clinics = approvals // per_clinic
    with stage(clinics) as found:
        answers, approved = anyio.run(_raced, found, clinics, per_clinic)
        acts = [(name, patient) for name, key in found.upstream().items() for patient in key["acts"]]
    twice = [act for act, times in Counter(acts).items() if times > 1]
    ended = outcomes(answers)
    return Verdict(
        f"{approvals} approvals on the page, each raced for by 3 replicas",
        f"{len(acts)} acts, {len(twice)} done twice, {ended.get(OK, 0):,} of {len(answers):,} calls told it was done",
        f"exactly {approvals} acts",
        len(acts) == approvals == approved and not twice and set(ended) == {OK},
        {"outcomes": ended, "approved": approved},
    )


async def _raced(found: Stage, clinics: int, per_clinic: int) -> tuple[list[Answer], int]:
    answers: list[Answer] = []
    approved: list[int] = []
    turns = anyio.CapacityLimiter(_AT_ONCE)
    ids = (await patients(found.address, person_of(0)))[:per_clinic]

    async def clinic(who: str) -> None:
        async with turns:
            clients = [Client(replica.address) for replica in found.replicas]
            browser = Browser(found.address, who)
            await browser.open()
            approved.extend([await _one(clients, browser, who, patient, answers) for patient in ids])
            for client in (*clients, browser):
                await client.close()

    async with anyio.create_task_group() as group:
        for number in range(clinics):
            group.start_soon(clinic, person_of(number))
    return answers, sum(approved)


async def _one(clients: Sequence[Client], browser: Browser, who: str, patient: str, answers: list[Answer]) -> int:
    """Ask about one patient, approve it, and repeat the call everywhere until it has ended; how many were approved."""
    call, approved = Call(who, "archive_patient", {"id": patient}), 0
    first = await clients[0].call(call)
    assert first.outcome == "approval_needed", first

    async def again(client: Client) -> None:
        answer = await client.call(call)
        for _ in range(_TRIES):
            if answer.outcome != "approval_needed":
                break
            await anyio.sleep(_PAUSE_SECONDS)
            answer = await client.call(call)
        answers.append(answer)

    async with anyio.create_task_group() as group:
        for client in clients:
            group.start_soon(again, client)
        approved = await browser.approve_all()
    return approved
