"""What a desk's morning costs in requests to Cliniko: sixteen answers, played twice through a real MCP client.

    python -m benchmarks.desk [--json] [--paths] [--save]

The client and the server stand in one process, the clinic is the demo clinic, and the clock of memory stands still
while there is work. Requests are counted from the clinic's own log, so that what is kept in memory, looked up twice or
repeated shows. Then 1, 5 and 20 people ask the same again and again with one key of 200 requests a minute. `--paths`
prints the requests of each answer, `--save` keeps the figures for the README.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
from mcp.client.client import Client

from benchmarks.report import Row, report
from benchmarks.still_clock import run
from cliniko_mcp.app import App, open_app
from cliniko_mcp.protocol.server import build_server
from cliniko_mcp.settings import Settings

FLAGS: Final[Mapping[str, Any]] = {
    "sandbox": True,
    "view": "all",
    "sandbox_now": "2026-11-24T09:00:00+11:00",
    "sandbox_clock": "frozen",
    "rate_limit": 0,
    "requests_per_minute": 60_000,
}
COLD: Final = 80
"""Requests that the sixteen answers may take the first time."""
WARM: Final = 55
"""Requests that they may take a second time, within two minutes."""
LEAST: Final = 45
"""Such answers that one key gives a desk in a minute, at the least."""
A_MINUTE: Final = 200
"""Requests that Cliniko allows a key in a minute."""
PEOPLE: Final = (1, 5, 20)
RESULT: Final = "benchmarks/desk.json"
_MINUTE: Final = 60.0
_MINUTES: Final = 2
_THINKING: Final = 0.5
"""Seconds for which a person reads an answer: hardly any, so that the limit is what ends the next."""
FOUND: Final = "a name"
NOBODY: Final = "a name nobody has"


@dataclass(frozen=True)
class Question:
    """One thing that a desk asks for: what it is, the tool and its arguments."""

    name: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


MORNING: Final[Sequence[Question]] = (
    Question("overview", "clinic_overview"),
    Question("diary of tomorrow", "show_diary", {"when": "tomorrow"}),
    Question("a week of one practitioner", "show_diary", {"when": "next week", "practitioner": ["Mei Ng"]}),
    Question(FOUND, "find_patients", {"query": "Ana Lima"}),
    Question("a name with a birth year", "find_patients", {"query": "{named}"}),
    Question(NOBODY, "find_patients", {"query": "Quentin Abernathy"}),
    Question("a phone number", "find_patients", {"query": "{phone}"}),
    Question(
        "free times of one",
        "find_times",
        {"type": "Standard consult", "practitioner": ["Mei Ng"], "when": "next week"},
    ),
    Question("free times of all", "find_times", {"type": "Standard consult", "when": "Thursday afternoon"}),
    Question(
        "a booking checked",
        "book_appointment",
        {
            "patient": "Ana Lima",
            "practitioner": "Mei Ng",
            "type": "Standard consult",
            "when": "{free}",
            "dry_run": True,
        },
    ),
    Question("a brief", "patient_brief", {"patient": "Ana Lima"}),
    Question("a gap", "fill_gap", {"practitioner": "Mei Ng", "when": "Thursday 10 to 10:45"}),
    Question("no-shows", "report", {"kind": "no_shows", "when": "last month"}),
    Question("unbilled", "report", {"kind": "unbilled", "when": "last month"}),
    Question("utilisation", "report", {"kind": "utilisation", "when": "last month"}),
    Question("20 appointments", "list_individual_appointments", {"limit": 20}),
)


@dataclass
class Answered:
    """An answer and the requests that it took, as paths."""

    question: Question
    body: Mapping[str, Any]
    paths: Sequence[str]


class Reception:
    """A desk at work: a client of a server on the demo clinic."""

    def __init__(self, app: App, client: Client, known: Mapping[str, str]) -> None:
        """`known` fills what the questions leave open in braces."""
        self.app = app
        self.known = dict(known)
        self._client = client

    async def answer(self, question: Question) -> Answered:
        """The answer to a question. Raises AssertionError where it is an error."""
        arguments = {
            name: value.format_map(self.known) if isinstance(value, str) else value
            for name, value in question.arguments.items()
        }
        before = len(self.app.sandbox.requests)
        result = await self._client.call_tool(question.tool, arguments)
        body: Mapping[str, Any] = result.structured_content or {}
        assert not result.is_error, (question.name, body)
        requests = list(self.app.sandbox.requests)[before:]
        return Answered(question, body, [f"{request.method} {request.path}" for request in requests])

    async def morning(self) -> list[Answered]:
        """The sixteen answers, one after another."""
        return [await self.answer(question) for question in MORNING]

    async def look_up(self) -> None:
        """Learn what the questions ask with, from the clinic itself: a phone number, a birth year and a free time."""
        tables: Any = self.app.sandbox.snapshot()["tables"]
        patients = [patient for patient in tables["patients"] if not patient.get("archived_at")]
        numbers = [phone["number"] for patient in patients for phone in patient.get("patient_phone_numbers") or ()]
        self.known["phone"] = numbers[40]
        names = [(row.get("first_name"), row.get("last_name"), row.get("date_of_birth")) for row in patients]
        first, last, born = [name for name in names if all(name)][60]
        self.known["named"] = f"{first} {last} {born[:4]}"
        free = await self.answer(next(question for question in MORNING if question.name == "free times of one"))
        self.known["free"] = free.body["items"][2]["starts_at"].split()[0][:16]


@asynccontextmanager
async def at_work(known: Mapping[str, str] | None = None, **settings: Any) -> AsyncGenerator[Reception]:
    """A desk with an empty memory; what its questions leave open is looked up where it is not known."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = Settings.load({**FLAGS, **settings, "audit_file": str(Path(folder) / "audit.jsonl")}, {})
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(open_app(loaded))
            client = await stack.enter_async_context(Client(build_server(app)))
            desk = Reception(app, client, known or {})
            if not known:
                await desk.look_up()
            yield desk


async def measured() -> tuple[list[Answered], list[Answered], Mapping[str, str]]:
    """The sixteen answers the first time and a second time, and what the questions ask with."""
    async with at_work() as scout:
        known = scout.known  # the clinic is the same every time
    async with at_work(known) as desk:
        return await desk.morning(), await desk.morning(), known


def table(cold: Sequence[Answered], warm: Sequence[Answered]) -> list[Row]:
    """A row for each answer, and their sums."""
    rows: list[Row] = [
        {"answer": first.question.name, "tool": first.question.tool, "cold": len(first.paths), "warm": len(then.paths)}
        for first, then in zip(cold, warm, strict=True)
    ]
    return [*rows, {"answer": "all sixteen", "tool": "", "cold": total(cold), "warm": total(warm)}]


def total(answers: Sequence[Answered]) -> int:
    """Requests of all these answers."""
    return sum(len(answer.paths) for answer in answers)


def facts(cold: Sequence[Answered], warm: Sequence[Answered]) -> dict[str, object]:
    """The budgets, and how the morning stands to them."""
    first = {answer.question.name: len(answer.paths) for answer in cold}
    return {
        "budget": f"{COLD} cold, {WARM} warm",
        "met": "yes" if total(cold) <= COLD and total(warm) <= WARM else "NO",
        "a name nobody has, to one that is found": f"{first[NOBODY] / first[FOUND]:.2f} (budget 2)",
        "such answers a minute for one key": f"{A_MINUTE * len(MORNING) / total(warm):.0f} (budget {LEAST})",
    }


async def answers_a_minute(people: int, known: Mapping[str, str]) -> float:
    """Answers that so many people get in a minute with one key, who each ask again a few seconds after an answer.

    The first minute, in which everything is new, is left out; so are answers that only say to wait.
    """
    answered = 0
    async with at_work(known, requests_per_minute=A_MINUTE) as desk:

        async def person(number: int) -> None:
            nonlocal answered
            turn = number * 3
            while True:
                question = MORNING[turn % len(MORNING)]
                try:
                    await desk.answer(question)
                except AssertionError as problem:  # the limit is used up: the answer says for how long
                    _, body = problem.args[0]
                    await anyio.sleep(body["retry_after"])
                else:
                    answered += anyio.current_time() > began + _MINUTE
                    turn += 1
                await anyio.sleep(_THINKING)

        began = anyio.current_time()
        with anyio.move_on_after(_MINUTE * (1 + _MINUTES)):
            async with anyio.create_task_group() as group:
                for number in range(people):
                    group.start_soon(person, number)
    return answered / _MINUTES


async def minutes(known: Mapping[str, str]) -> dict[int, float]:
    """Answers a minute by the number of people."""
    return {people: await answers_a_minute(people, known) for people in PEOPLE}


def main() -> None:
    """Play the morning and print."""
    cold, warm, known = run(measured)
    told = facts(cold, warm)
    found = run(partial(minutes, known))
    told |= {f"answers a minute, {people} people with one key": f"{rate:.0f}" for people, rate in found.items()}
    report("Requests to Cliniko of a desk's morning", table(cold, warm), told)
    if "--save" in sys.argv:
        saved = {"cold": total(cold), "warm": total(warm), "answers a minute": {str(n): r for n, r in found.items()}}
        (Path(__file__).resolve().parents[1] / RESULT).write_text(json.dumps(saved, indent=1) + "\n", "utf-8")
    if "--paths" in sys.argv:
        for first, then in zip(cold, warm, strict=True):
            print(f"\n{first.question.name}")
            for name, answer in (("cold", first), ("warm", then)):
                told = [f"{path} x{number}" for path, number in Counter(answer.paths).items()]
                print(f"  {name}: {', '.join(told)}")


if __name__ == "__main__":
    main()
