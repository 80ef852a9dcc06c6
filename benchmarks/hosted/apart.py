"""Two clinics whose calls are mixed: nothing of one is in what the other is given, or in its log."""

import random
from collections.abc import Iterator
from typing import Any, Final

import anyio

from benchmarks.hosted.callers import OK, Answer, Call, outcomes, play
from benchmarks.hosted.stage import PATIENT, clinic_of, stage
from benchmarks.hosted.upstream import mark_of
from benchmarks.hosted.verdict import Verdict

_WHO: Final = "both"
MARKS: Final = [mark_of(number) for number in range(2)]


def interleaved(calls: int = 10_000, at_once: int = 30) -> Verdict:
    """So many calls of one person who works in both clinics, so that only the address tells them apart."""
    with stage(2, unlimited=True, shared=[_WHO]) as found:
        answers = anyio.run(play, found.address, _mixed(calls), at_once)
        logs = [_foreign_lines(path.name, path.read_text("utf-8")) for path in found.logs()]
        said = [mark for replica in found.replicas for mark in MARKS if mark in replica.said]
        kept = b"".join(path.read_bytes() for path in found.redis.files())
    own = [_mark(answer, 0) in answer.text for answer in answers]
    foreign = [answer for answer in answers if _mark(answer, 1) in answer.text]
    failed = {name: count for name, count in outcomes(answers).items() if name != OK}
    in_redis = [mark for mark in MARKS if mark.encode() in kept]
    return Verdict(
        f"{calls:,} mixed calls of two clinics over 3 replicas",
        f"{len(foreign)} answers and {sum(logs)} log lines with anything of the other, {sum(own):,} with their own",
        "0 with anything of the other",
        not foreign and not sum(logs) and not said and not in_redis and not failed and sum(own) > calls // 2,
        {"outcomes": outcomes(answers), "said": said, "in Redis": in_redis},
    )


def _mixed(calls: int) -> Iterator[Call]:
    chance = random.Random(19)
    for _ in range(calls):
        number = chance.randrange(2)
        yield _call(chance.randrange(7), number)


def _call(kind: int, number: int) -> Call:
    path, mark = f"/{clinic_of(number)}", MARKS[number]
    match kind:
        case 0:
            return Call(_WHO, "find_patients", {"query": f"Mo {mark}"}, path)
        case 1:
            return Call(_WHO, "clinic_overview", {}, path)
        case 2:
            completed: dict[str, Any] = {"name": "business", "value": mark[:4]}
            asked = {"ref": {"type": "ref/prompt", "name": "morning_brief"}, "argument": completed}
            return Call(_WHO, "", asked, path, "completion/complete")
        case 3:
            return Call(_WHO, "list_patients", {"last_name": mark, "limit": 5}, path)
        case 4:
            return Call(_WHO, "list_appointment_types", {"limit": 5}, path)
        case 5:
            return Call(_WHO, "list_businesses", {"limit": 5}, path)
        case _:
            return Call(_WHO, "get_patient", {"id": PATIENT}, path)


def _mark(answer: Answer, other: int) -> str:
    """The mark of this answer's clinic, or of the other one."""
    return MARKS[(int(answer.call.path[2:]) + other) % 2]


def _foreign_lines(name: str, text: str) -> int:
    """How many lines of a clinic's log have the other's mark."""
    number = next(number for number in range(2) if clinic_of(number) in name)
    return sum(MARKS[1 - number] in line for line in text.splitlines())
