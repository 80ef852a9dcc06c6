"""How far a call travels: our own functions and modules that one call passes through, and the requests it sends.

    python -m benchmarks.hops

Counted with a profile hook around one call of an in-memory client to an in-memory server, after one of the same kind
has loaded what is loaded once. Every call of a function of the package counts, comprehensions and generators' steps
included; the demo clinic and the resource tables, which stand for Cliniko and for data, are left out.
"""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import anyio

from cliniko_mcp import __file__ as package_file
from tests.conftest import YES, Assistant, in_process

PACKAGE: Final = str(Path(package_file).parent) + "/"
LEFT_OUT: Final = ("sandbox/", "cliniko/resources/", "resources/")


@dataclass
class Hops:
    """What one call passed through."""

    calls: int = 0
    functions: set[tuple[str, str, int]] = field(default_factory=set[tuple[str, str, int]])
    modules: set[str] = field(default_factory=set[str])
    requests: int = 0

    def hook(self, frame: FrameType, event: str, _: object) -> None:
        """Count one event of the interpreter."""
        name = frame.f_code.co_filename
        if event != "call" or not name.startswith(PACKAGE):
            return
        module = name.removeprefix(PACKAGE)
        if module.startswith(LEFT_OUT):
            return
        self.calls += 1
        self.modules.add(module)
        self.functions.add((module, frame.f_code.co_qualname, frame.f_code.co_firstlineno))


Ask = Callable[[Assistant, str], Any]


async def _list_patients(assistant: Assistant, _: str) -> None:
    await assistant.call("list_patients", limit=1)


async def _archive_patient(assistant: Assistant, patient: str) -> None:
    answer = await assistant.call("archive_patient", id=patient)
    assert "done" in answer, answer


async def _book_appointment(assistant: Assistant, when: str) -> None:
    answer = await assistant.call(
        "book_appointment",
        patient="Ana Lima",
        practitioner="Mei Ng",
        type="Standard consult",
        when=when,
    )
    assert answer.get("done") == "Booked.", answer


async def _free(assistant: Assistant) -> list[str]:
    answer = await assistant.call(
        "find_times", type="Standard consult", practitioner=["Mei Ng"], when="in the next 3 weeks", limit=10
    )
    return [f"{row['starts_at'].split()[0][:16]}" for row in answer["items"]]


async def measured() -> dict[str, Hops]:
    """The three calls, each after one like it."""
    found: dict[str, Hops] = {}
    async with in_process(answer=YES) as assistant:
        assert assistant.app is not None
        rows = await assistant.rows("list_patients", limit=40, fields="id")
        free = await _free(assistant)
        plays: dict[str, tuple[Ask, list[str]]] = {
            "list_patients": (_list_patients, ["", ""]),
            "archive_patient": (_archive_patient, [rows[30]["id"], rows[31]["id"]]),
            "book_appointment": (_book_appointment, [free[0], free[3]]),
        }
        for name, (ask, arguments) in plays.items():
            await ask(assistant, arguments[0])
            hops = Hops()
            before = len(assistant.app.sandbox.requests)
            threading.setprofile(hops.hook)
            sys.setprofile(hops.hook)
            try:
                await ask(assistant, arguments[1])
            finally:
                sys.setprofile(None)
                threading.setprofile(None)
            hops.requests = len(assistant.app.sandbox.requests) - before
            found[name] = hops
    return found


def main() -> None:
    """Print a line for each of the three calls."""
    print(f"{'':18}{'calls':>8}{'functions':>11}{'modules':>9}{'requests':>10}")
    for name, hops in anyio.run(measured).items():
        print(f"{name:18}{hops.calls:8,}{len(hops.functions):11}{len(hops.modules):9}{hops.requests:10}")


if __name__ == "__main__":
    main()
