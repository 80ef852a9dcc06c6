"""Audit: what was asked of the clinic, by which tool, on which record, and how it ended; no names, text or secrets.

A change is written down before it is attempted and again when it has ended; where that first line cannot be written,
nothing is attempted. Reads are written down once, and go on with a warning where that is not possible. The line tells
how many requests went out for the operation: none where it was answered from memory or refused.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from cliniko_mcp.approvals.digest import arguments, digest
from cliniko_mcp.approvals.questions import AskFirst
from cliniko_mcp.errors import ClinikoMcpError, JsonValue, NotAllowed
from cliniko_mcp.guards.log import Log
from cliniko_mcp.guards.pipeline import Channel, GuardedCall
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean

FIELDS: Final[Mapping[str, str]] = {
    "n": "The number of the line, from 1, without a gap.",
    "time": "When, in UTC, to the microsecond.",
    "operation": "The operation of the API; `login` for what became of a login, a connection or a rule of who may.",
    "ids": "The ids in its path, by name.",
    "outcome": "`begun`, `ok`, `asked`, `failed`, `interrupted`, or the code of the error. Of a question that ended "
    "while no call waited: `declined`, `lapsed` (nobody answered), `changed` or `replaced` (it was put anew). Of a "
    "login: `granted`, `declined`, `refused` (a key was not taken), `used_again` (a code or refresh token, which ended "
    "its connection), `ended`, `rule_added`, `rule_removed`.",
    "channel": "How a person answered: `form`, `page`, `terminal`, `allowed` (unasked, by the operator), or `none`.",
    "approved_by": "Who said yes on a page, where that is somebody else than who asked.",
    "effect": "What an update does that a person is asked about, by the names of the rules.",
    "rung": "What version 0.1.0 wrote in place of `channel`.",
    "tool": "The tool through which it was asked for.",
    "for": "Why a read was made for the call: `label` (a name beside an id), `zone` or `preview`; `question` where a "
    "question ended while no call waited.",
    "route": "How the caller is connected: `stdio`, `http` or `terminal`.",
    "principal": "Who: `local`, or a digest of the bearer token or of the person that it stands for.",
    "name": "The person's name, as the file of people or the issuer of their token gives it.",
    "program": "The program that somebody connected, by what it is called.",
    "why": "What a connection may do, why it ended, or the rule.",
    "made": "The id of the record that was made.",
    "of": "The line that announced the change which this line ends.",
    "requests": "How many requests went out; 0 where it was answered from memory or refused.",
    "as_at": "When what it was answered with had been read, in UTC, where that came from memory.",
    "arguments": "A digest of the arguments.",
    "before": "The seal of the line before.",
    "seal": "The digest of this line and all before it.",
}
"""The fields of a line of the audit log, in the order of `audit export`, and what each holds."""

_LOG = logging.getLogger(__name__)


class Audit:
    """Writes every operation to the audit log: the outermost guard, so that refusals are written down too."""

    def __init__(self, log: Log, now: Callable[[], datetime]) -> None:
        self._log = log
        self._now = now
        self._warned = False

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Lets the operation go on, and writes down how it ended.

        Raises NotAllowed, before anything is done, for a change that cannot be written down.
        """
        entry = _entry(guarded)
        if guarded.call.operation.changes:
            entry["of"] = await self._announce(entry)
        outcome = "interrupted"
        try:
            yield
            outcome = "ok"
        except GeneratorExit:  # whoever read a list has seen enough of it
            outcome = "ok"
            raise
        except AskFirst:
            outcome = "asked"
            raise
        except ClinikoMcpError as error:
            outcome = error.code
            raise
        except Exception:
            outcome = "failed"
            raise
        finally:
            found = guarded.outcome
            as_at = _utc_text(found.read_at) if found.read_at else ""
            second = found.approved_by if found.approved_by != guarded.caller.in_log else ""
            told = ("made", found.created), ("effect", found.effect), ("as_at", as_at), ("approved_by", second)
            entry |= {name: value for name, value in told if value}
            await self._note({**entry, "outcome": outcome, "channel": found.channel, "requests": found.requests.sent})

    async def question_ended(self, guarded: GuardedCall, outcome: str, channel: Channel) -> None:
        """Write down how a question about this call ended that no call hears of: `declined`, `lapsed`, `changed`, ...

        `channel` is where a person said no, if they did.
        """
        effect = {"effect": found} if (found := guarded.outcome.effect) else {}
        await self._note({**_entry(guarded), "for": "question", **effect, "outcome": outcome, "channel": channel})

    async def _announce(self, entry: Mapping[str, JsonValue]) -> int:
        try:
            return await self._log.append(self._stamped({**entry, "outcome": "begun"}))
        except OSError as problem:
            why = _reason(problem)
            _LOG.error("the audit log %s cannot be written (%s); changes are refused", self._log.place, why)
            raise NotAllowed(
                f"Nothing was changed: changes have to be written down first, and the audit log cannot be written "
                f"({why}).",
                "Ask whoever runs this server to make room on the disk or to make the audit log writable.",
                reason="audit",
            ) from None

    async def _note(self, entry: Mapping[str, JsonValue]) -> None:
        try:
            await self._log.append(self._stamped(entry))
        except OSError as problem:
            if not self._warned:
                _LOG.warning("the audit log %s cannot be written (%s)", self._log.place, _reason(problem))
            self._warned = True
        else:
            self._warned = False

    def _stamped(self, entry: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        return SECRETS.object({"time": _utc_text(self._now()), **entry})


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _entry(guarded: GuardedCall) -> dict[str, JsonValue]:
    call = guarded.call
    purpose: dict[str, JsonValue] = {} if guarded.purpose == "call" else {"for": guarded.purpose}
    name: dict[str, JsonValue] = {"name": clean(guarded.caller.name, 80)} if guarded.caller.name else {}
    return {
        "tool": guarded.tool[:64],
        **purpose,
        "operation": call.operation.name,
        "ids": dict(call.ids),
        "arguments": digest(arguments(call)),
        "principal": guarded.caller.in_log[:80],
        **name,
        "route": guarded.caller.route,
    }


def _reason(problem: OSError) -> str:
    # The text of an OSError names the path; its reason alone is fit for a caller.
    return problem.strerror or str(problem)
