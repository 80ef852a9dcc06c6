"""A table of questions as text and back, for a ledger that is kept where several processes reach it.

The record that a question was asked about is not part of it: it is read again before anything is done.
"""

import json
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import UTC
from typing import Final, TypedDict
from zoneinfo import ZoneInfo

from cliniko_mcp.approvals.question_table import Denial, Tables
from cliniko_mcp.approvals.questions import ApprovalPlace, Ending, Matter, PendingQuestion, Question, Verdict
from cliniko_mcp.approvals.shown import Account, Fact, Preview
from cliniko_mcp.cliniko.time_zones import time_zone
from cliniko_mcp.errors import ClinikoMcpError, JsonValue


class _Problem(TypedDict):
    code: str
    message: str
    fix: str
    details: dict[str, JsonValue]


class _Kept(TypedDict):
    """One question."""

    matter: list[str]
    act: list[str]
    facts: list[list[str]]
    losses: list[list[str]]
    consequences: list[str]
    restorable: bool
    challenge: str
    expires: float
    account: list[str]
    demo: bool
    program: str
    asked_at: float
    shown: bool
    verdict: str
    place: ApprovalPlace
    acting: bool
    ending: Ending | None
    ended: float
    problem: _Problem | None
    made_by: str
    asked_by: str
    answered_by: str
    told: bool
    changes: int


class _Table(TypedDict):
    """All of it; questions are named by their challenges."""

    questions: dict[str, _Kept]
    open: list[str]
    closed: list[str]
    denied: list[tuple[str, float, bool, str | None]]
    silent: dict[str, list[tuple[str, int]]]


def text_of(table: Tables) -> bytes:
    """The table as JSON."""
    denied = [
        (denial.pending.question.challenge, denial.until, denial.spare, denial.passed)
        for denial in table.denied.values()
    ]
    silent = {
        principal: [(challenge, rounds) for challenge, (_, rounds) in sent.items()]
        for principal, sent in table.silent.items()
    }
    questions = {pending.question.challenge: _kept(pending) for pending in _all(table)}
    kept = _Table(questions=questions, open=list(table.open), closed=list(table.closed), denied=denied, silent=silent)
    return json.dumps(kept, separators=(",", ":")).encode()


def table_of(text: bytes, known: MutableMapping[str, PendingQuestion]) -> Tables:
    """The table that this text stands for; empty for no text.

    A question that is `known` is brought up to date and stays the same object; new ones are added there.
    """
    table = Tables()
    if not text:
        return table
    # Only what `text_of` wrote: whoever calls has unsealed it.
    kept: _Table = json.loads(text)
    found = {challenge: _pending(one, known.get(challenge)) for challenge, one in kept["questions"].items()}
    known.update(found)
    table.open.update((challenge, found[challenge]) for challenge in kept["open"])
    table.closed.update((challenge, found[challenge]) for challenge in kept["closed"])
    for challenge, until, spare, passed in kept["denied"]:
        table.denied[found[challenge].matter.subject] = Denial(found[challenge], until, spare, passed)
    for principal, sent in kept["silent"].items():
        table.silent[principal] = {challenge: (found[challenge], rounds) for challenge, rounds in sent}
    return table


def _all(table: Tables) -> Iterator[PendingQuestion]:
    yield from table.open.values()
    yield from table.closed.values()
    for denial in table.denied.values():
        yield denial.pending
    for sent in table.silent.values():
        for pending, _ in sent.values():
            yield pending


def _kept(pending: PendingQuestion) -> _Kept:
    matter, question, preview = pending.matter, pending.question, pending.question.preview
    account, problem = question.account, pending.problem
    return _Kept(
        matter=[matter.principal, matter.operation, matter.arguments, matter.target, matter.facts, matter.effect],
        act=[preview.act, preview.keep, preview.done, preview.undo, preview.digest],
        facts=[_fact(fact) for fact in preview.facts],
        losses=[_fact(fact) for fact in preview.losses],
        consequences=list(preview.consequences),
        restorable=preview.restorable,
        challenge=question.challenge,
        expires=question.expires,
        account=[account.clinic, account.user, account.zone.key if isinstance(account.zone, ZoneInfo) else ""],
        demo=account.demo,
        program=pending.program,
        asked_at=pending.asked_at,
        shown=pending.shown,
        verdict=pending.verdict.value,
        place=pending.place,
        acting=pending.acting,
        ending=pending.ending,
        ended=pending.ended,
        problem=None
        if problem is None
        else _Problem(code=problem.code, message=problem.message, fix=problem.fix, details=dict(problem.details)),
        made_by=pending.made_by,
        asked_by=pending.asked_by,
        answered_by=pending.answered_by,
        told=pending.told,
        changes=pending.changes,
    )


def _pending(kept: _Kept, known: PendingQuestion | None) -> PendingQuestion:
    pending = known
    if pending is None:
        pending = PendingQuestion(Matter(*kept["matter"]), _question(kept), kept["program"], kept["asked_at"])
    pending.made_by, pending.asked_by, pending.answered_by = kept["made_by"], kept["asked_by"], kept["answered_by"]
    pending.shown, pending.verdict, pending.place = kept["shown"], Verdict(kept["verdict"]), kept["place"]
    pending.acting, pending.ending, pending.ended = kept["acting"], kept["ending"], kept["ended"]
    pending.told, pending.changes = kept["told"], kept["changes"]
    pending.problem = _problem(kept["problem"])
    return pending


def _question(kept: _Kept) -> Question:
    act, keep, done, undo, digest = kept["act"]
    clinic, user, zone = kept["account"]
    preview = Preview(
        act,
        keep,
        done,
        [Fact(*fact) for fact in kept["facts"]],
        [Fact(*fact) for fact in kept["losses"]],
        kept["consequences"],
        undo,
        kept["restorable"],
        digest,
    )
    account = Account(clinic, user, kept["demo"], time_zone(zone) or UTC)
    return Question(preview, kept["challenge"], kept["expires"], account)


def _fact(fact: Fact) -> list[str]:
    return [fact.label, fact.value, fact.aside, fact.becomes]


def _errors(root: type[ClinikoMcpError] = ClinikoMcpError) -> Iterator[tuple[str, type[ClinikoMcpError]]]:
    for error in root.__subclasses__():
        yield from _errors(error)
        yield error.code, error


_ERRORS: Final[Mapping[str, type[ClinikoMcpError]]] = dict(_errors())
"""Every error by its code; where one has the code of another, the more general one."""


def _problem(kept: _Problem | None) -> ClinikoMcpError | None:
    if kept is None:
        return None
    error = _ERRORS.get(kept["code"], ClinikoMcpError)
    return error(kept["message"], kept["fix"], **kept["details"])
