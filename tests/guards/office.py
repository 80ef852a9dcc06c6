"""An account upstream and the clinic behind a guard that writes down what passes, for tests of the guarded clinic."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2

from cliniko_mcp.cliniko.calls import Risk
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Course, Memory
from cliniko_mcp.guards.pipeline import Caller, Guard, GuardedCall
from tests.client.account import Account, listed, person
from tests.client.virtual import run

PEOPLE = [person(number, first_name=f"P{number}") for number in range(250)]
IDS = [str(row["id"]) for row in PEOPLE]
ONE = IDS[7]
SITE = person(77, time_zone_identifier="Australia/Perth")
STORAGE = "https://storage.example/bucket"
FORM = {"url": STORAGE, "fields": {"key": "k/${filename}"}}
ANSWERS: dict[str, Any] = {
    "GET /patients": listed("patients", PEOPLE),
    f"GET /patients/{ONE}": PEOPLE[7],
    f"PATCH /patients/{ONE}": PEOPLE[7],
    "POST /patients": lambda _: httpx2.Response(201, json=person(300)),
    "GET /user": person(1, time_zone_identifier="Australia/Sydney"),
    f"GET /businesses/{SITE['id']}": SITE,
    f"GET /patient_attachments/{ONE}/content": httpx2.Response(302, headers={"Location": f"{STORAGE}/file"}),
    f"GET {httpx2.URL(STORAGE).path}/file": httpx2.Response(200, content=b"%PDF"),
    f"GET /patients/{ONE}/attachment_presigned_post": FORM,
    f"POST {httpx2.URL(STORAGE).path}": httpx2.Response(201, text="<Key>k/scan.pdf</Key>"),
}


class Doorkeeper:
    """A guard that writes down what passes, and lets nothing pass when told so."""

    def __init__(self) -> None:
        self.seen: list[GuardedCall] = []
        self.shut = False

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        self.seen.append(guarded)
        if self.shut:
            raise NotAllowed("Not now.")
        yield

    @property
    def requests(self) -> int:
        """How many requests went out for what passed."""
        return sum(seen.outcome.requests.sent for seen in self.seen)


class Office:
    """An account, the clinic behind a guard, and what the person who waits was told."""

    def __init__(self, *guards: Guard, answers: Mapping[str, Any] = ANSWERS) -> None:
        self.account, self.doorkeeper = Account(answers), Doorkeeper()
        self.guards: list[Guard] = [self.doorkeeper, *guards]
        self.told: list[tuple[float, float | None, str]] = []
        self.caller = Caller(principal="p", progress=self._tell)

    async def _tell(self, done: float, total: float | None, message: str) -> None:
        self.told.append((done, total, message))

    def works(self, story: Callable[[GuardedClinic], Awaitable[Any]], risk: Risk = Risk.WRITE) -> Any:
        """What the story gives, told of a clinic that was just opened, in a call that may do so much."""

        async def inner() -> Any:
            async with self.account.clinic() as client:
                memory = Memory(anyio.current_time, client.now)
                clinic = GuardedClinic(
                    client,
                    self.guards,
                    self.caller,
                    "some_tool",
                    memory,
                    upload_folder="/files",
                    course=Course(risk),
                )
                return await story(clinic)

        return run(inner)
