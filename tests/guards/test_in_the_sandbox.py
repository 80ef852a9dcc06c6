"""The guards before the demo clinic: what its request log shows of every destructive operation."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import pytest

from cliniko_mcp.approvals.ledger import LocalLedger
from cliniko_mcp.approvals.preview import target_of
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.cliniko.models import row_id
from cliniko_mcp.cliniko.operations import List, Operation, Risk
from cliniko_mcp.cliniko.registry import operations, resource
from cliniko_mcp.errors import ApprovalNeeded, ClinikoRefused, NotFound
from cliniko_mcp.guards.confirm import Confirm
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport
from tests.guards.gate import Form, call

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DESTRUCTIVE = [operation for operation in operations().values() if operation.risk is Risk.DESTRUCTIVE]


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(now=NOW, frozen=True, rate_limit=0)


@asynccontextmanager
async def opened(sandbox: Sandbox) -> AsyncGenerator[Clinic]:
    async with Clinic.open(
        base_url=sandbox.base_url,
        key=sandbox.keys["administrator"],
        user_agent="tests (tests@example.org)",
        now=sandbox.clock.now,
        transport=SandboxTransport(sandbox),
        per_minute=1_000_000,
    ) as clinic:
        yield clinic


def changing(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in sandbox.requests if request.method != "GET"]


async def some_id(clinic: Clinic, operation: Operation) -> str | None:
    """A live record that the operation could be tried on."""
    path = target_of(operation).path.removesuffix("/{id}")
    listing = next(
        candidate
        for candidate in resource(operation.resource).operations()
        if isinstance(candidate, List) and candidate.path == path
    )
    if operation.name == "cancel_attendee":  # of an appointment of one patient Cliniko refuses it
        (group,) = (await clinic.page(call("list_group_appointments", sort="starts_at:desc"), 1, 1)).items
        listing_of = call("list_attendees", booking_id=row_id(group))
    else:
        listing_of = listing.parse({})
    page = await clinic.page(listing_of, 1, 1)
    return row_id(page.items[0]) if page.items else None


def behind_confirm(client: Clinic, sandbox: Sandbox, tool: str, caller: Caller | None = None) -> GuardedClinic:
    """The clinic behind nothing but the guard that asks a person."""
    confirm = Confirm(LocalLedger(Questions(sandbox.clock.now, lambda: "nonce")), now=sandbox.clock.now, wait=0)
    return GuardedClinic(client, [confirm], caller or Caller(), tool, Memory(anyio.current_time, client.now))


@pytest.mark.long_but_one
@pytest.mark.parametrize("operation", DESTRUCTIVE, ids=lambda operation: operation.name)
def test_unapproved_nothing_reaches_the_clinic_and_approved_exactly_one_request_does(
    sandbox: Sandbox, operation: Operation
) -> None:
    more: dict[str, object] = {"cancellation_reason": "sick"} if operation.shape == "cancel" else {}

    async def story() -> None:
        async with opened(sandbox) as clinic:
            identity = await some_id(clinic, operation)
            if identity is None:
                pytest.skip("the demo clinic has no such record")
            called = call(operation.name, id=identity, **more)
            before = changing(sandbox)
            with pytest.raises(ApprovalNeeded):
                await behind_confirm(clinic, sandbox, operation.name).perform(called)
            assert changing(sandbox) == before
            form = Form(Verdict.YES)
            try:
                await behind_confirm(clinic, sandbox, operation.name, Caller(asker=form)).perform(called)
            except ClinikoRefused as problem:
                # The demo clinic has reasons of its own to say no, but was asked once.
                assert not isinstance(problem, NotFound), problem.message
            assert len(changing(sandbox)) == len(before) + 1
            assert form.asked[0].text.endswith(".")

    anyio.run(story)


def test_the_seeded_patient_is_described_from_the_living_clinic() -> None:
    sandbox = Sandbox(now=NOW, frozen=True, rate_limit=0)

    async def story() -> str:
        async with opened(sandbox) as clinic:
            (ana,) = (await clinic.page(call("list_patients", first_name="Ana", last_name="Lima"), 1, 1)).items
            called = call("archive_patient", id=row_id(ana))
            form = Form(Verdict.NONE)
            with pytest.raises(ApprovalNeeded):
                await behind_confirm(clinic, sandbox, "archive_patient", Caller(asker=form)).perform(called)
            return form.asked[0].text

    assert re.sub(r"\d{19}", "a number", anyio.run(story)) == (
        "Northside & Riverside Allied Health, as Mei Ng\n"
        "Patient: Ana Lima, born 1984\nNumber: a number\n\nThey have 3 coming appointments, which stay in the diary.\n"
        "It can be brought back: ask the assistant to restore it."
    )
