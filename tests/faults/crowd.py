"""Many callers for a while, in trouble of every kind: what the short and the long soak have in common."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio
from conftest import Assistant, in_process

from cliniko_mcp.sandbox.faults import Fault

__all__ = ["Soak", "forget", "held", "in_process"]

HONEST = frozenset({"unavailable", "outcome_unknown", "rate_limited", "not_found", "rejected"})
"""The codes with which a call may end in this trouble; anything else is a fault of ours."""

TROUBLE = (
    Fault("rate_limit", rate=0.02),
    Fault("error", rate=0.02, status=503),
    Fault("error", rate=0.01, status=500),
    Fault("html", rate=0.01),
    Fault("drop", rate=0.02),
    Fault("drop_after", rate=0.01),
    Fault("slow", rate=0.02, seconds=0.02),
)


@dataclass
class Soak:
    """Callers who read, list, write and archive at random for so many seconds; what came of it."""

    seconds: float
    callers: int = 20
    pause: float = 0.0
    mark: str = "S"
    outcomes: Counter[str] = field(default_factory=Counter[str])
    written: dict[str, str] = field(default_factory=dict[str, str])
    """What each write of ours said, by the name of the patient it was to make."""
    slowest: float = 0.0

    @property
    def calls(self) -> int:
        return self.outcomes.total()

    async def run(self, assistant: Assistant, seed: int = 1) -> None:
        assert assistant.app is not None
        patients = [row["id"] for row in await assistant.rows("list_patients", limit=30)]
        assistant.app.sandbox.faults.set(*TROUBLE)
        until = time.monotonic() + self.seconds
        async with anyio.create_task_group() as group:
            for number in range(self.callers):
                group.start_soon(self._caller, assistant, Random(seed * 1000 + number), number, patients, until)
        assistant.app.sandbox.faults.set()

    async def _caller(
        self, assistant: Assistant, random: Random, number: int, patients: list[str], until: float
    ) -> None:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            name, arguments = self._chosen(random, f"{self.mark}C{number}T{turn}", patients)
            await anyio.sleep(self.pause)
            began = time.monotonic()
            body = await assistant.call(name, **arguments)
            self.slowest = max(self.slowest, time.monotonic() - began)
            code = str(body.get("code", "ok"))
            self.outcomes[code] += 1
            assert code == "ok" or code in HONEST, json.dumps(body)
            if name == "create_patient":
                self.written[arguments["first_name"]] = code
            if name == "get_patient" and code == "ok":
                assert body["item"]["id"] == arguments["id"], "an answer went to the wrong question"

    def _chosen(self, random: Random, mark: str, patients: list[str]) -> tuple[str, dict[str, Any]]:
        match random.randrange(6):
            case 0:
                return "create_patient", {"first_name": mark, "last_name": "Soaked"}
            case 1:
                return "list_individual_appointments", {"limit": 10, "starts_at": ">2026-11-24"}
            case 2:
                return "count_records", {"operation": "list_patients"}
            case 3:
                return "list_patients", {"limit": 5}
            case _:
                return "get_patient", {"id": random.choice(patients)}


def forget(assistant: Assistant) -> None:
    """Take the patients made so far out of the clinic, so that a long run measures the server and not its clinic."""
    assert assistant.app is not None
    rows = assistant.app.sandbox.context.store.table("patients").rows
    state = assistant.app.sandbox.snapshot()
    tables: Any = state["tables"]
    tables["patients"] = [row for row in rows.values() if row.get("last_name") != "Soaked"]
    assistant.app.sandbox.restore(state)


async def held(assistant: Assistant, soak: Soak) -> None:
    """Raise AssertionError where a write was lost, doubled, or done although its caller was told that it was not."""
    assert assistant.app is not None
    rows = assistant.app.sandbox.context.store.table("patients").rows.values()
    made = Counter(str(row["first_name"]) for row in rows if row.get("last_name") == "Soaked")
    assert max(made.values(), default=0) <= 1, "a write was done twice"
    for name, code in soak.written.items():
        if code == "ok":
            assert made[name] == 1, f"{name} was lost"
        elif code != "outcome_unknown":
            assert made[name] == 0, f"{name} was made, but its caller was told {code}"
    assert (await assistant.call("list_practitioners"))["items"]
