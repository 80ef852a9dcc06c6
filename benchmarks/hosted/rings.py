"""The secret from which everything is sealed, changed in the documented order while people call."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

import anyio
import anyio.to_thread

from benchmarks.hosted.callers import OK, Answer, Call, outcomes, play, reads, turns
from benchmarks.hosted.forms import Form
from benchmarks.hosted.stage import Stage, person_of, stage
from benchmarks.hosted.stops import stopped_and_started
from benchmarks.hosted.verdict import Verdict

_CLINICS: Final = 100
_OLD: Final = '"env:RING"'
_NEW: Final = '"env:NEWER"'
STEPS: Final = (f"{_OLD}, {_NEW}", f"{_NEW}, {_OLD}", "", _NEW)
"""What stands in `keys` after each step; the empty one seals the clinics' keys anew."""


def changed(replicas: int = 3) -> Verdict:
    """A new secret second everywhere, then first, then the clinics' keys sealed anew, then the old one gone."""
    with stage(_CLINICS, replicas=replicas) as found:
        answers, kept = anyio.run(_changed, found)
    failed = [answer for answer in answers + kept if answer.outcome != OK]
    return Verdict(
        f"the ring of {replicas} replicas changed in the documented order under load",
        f"{len(failed)} of {len(answers) + len(kept):,} calls failed, {len(kept)} of all with what was sealed before",
        "0 failures",
        not failed and len(kept) == 2 * len(STEPS) and len(answers) > 0,
        {"outcomes": outcomes(answers), "with what was sealed before": outcomes(kept)},
    )


async def _changed(found: Stage) -> tuple[list[Answer], list[Answer]]:
    answers, kept, over = list[Answer](), list[Answer](), list[bool]()

    def until_over() -> Iterator[Call]:
        for call in turns(reads(_CLINICS)):
            if over:
                return
            yield call

    async def load() -> None:
        answers.extend(await play(found.address, until_over(), 5))

    async with anyio.create_task_group() as group:
        group.start_soon(load)
        for number, keys in enumerate(STEPS):
            (first,) = await play(found.address, [Call(person_of(0), "list_patients", {"limit": 3})], 1)
            form = Form(found.address, person_of(1))
            await form.ask(str(first.body["items"][1]["id"]) if number == 0 else await _next(found, number))
            if keys:
                await _restarted(found, keys)
            else:
                await anyio.to_thread.run_sync(_sealed_anew, found)
                await anyio.sleep(5)
            cursor = {"cursor": first.body["page"]["next_cursor"]}
            kept += await play(found.address, [Call(person_of(0), "list_patients", cursor)], 1)
            kept.append(await form.yes())
            await form.close()
        over.append(True)
    return answers, kept


async def _next(found: Stage, number: int) -> str:
    (answer,) = await play(found.address, [Call(person_of(1), "list_patients", {"limit": 10})], 1)
    assert answer.outcome == OK, answer
    return str(answer.body["items"][number + 1]["id"])


async def _restarted(found: Stage, keys: str) -> None:
    """Name these secrets in the file of every replica, and stop and start one after the other."""
    for replica in found.replicas:
        file = replica.folder / "hosted.toml"
        file.write_text(re.sub(r"(?m)^keys = .*$", f"keys = [{keys}]", file.read_text("utf-8")), "utf-8")
        await stopped_and_started(replica)
        await anyio.sleep(1)  # the balancer looks every half second


def _sealed_anew(found: Stage) -> None:
    replica, began = found.replicas[0], time.monotonic()
    command = [sys.executable, "-m", "cliniko_mcp", "clinics", "rotate", "--ring", "--hosted"]
    subprocess.run(
        [*command, str(replica.folder / "hosted.toml")], env=replica.environ, check=True, capture_output=True
    )
    assert time.monotonic() - began < 120
