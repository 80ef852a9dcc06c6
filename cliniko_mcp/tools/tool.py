"""A tool as MCP knows it, and how an operation of the API becomes one."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from cliniko_mcp.approvals.digest import canonical, digest
from cliniko_mcp.cliniko.arguments import refused_arguments, wire_names
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Body, Record, complaints, row_id
from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.cliniko.registry import is_list, reads
from cliniko_mcp.errors import ClinikoRefused, InvalidArguments, JsonValue, OutcomeUnknown
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import ENVELOPE_TOKENS, MAX_TOKENS, USUAL_TOKENS
from cliniko_mcp.results.cursor import Cursors
from cliniko_mcp.results.cutting import cut_notes
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.names import Named, ids_in, referenced
from cliniko_mcp.results.rows import row_of, shape_of, shown_part, site_of
from cliniko_mcp.tools.boundary import (
    MAX_ARGUMENT_BYTES,
    NOTHING,
    Spelling,
    explained,
    plain,
    spelling_of_model,
    spelling_of_operation,
)
from cliniko_mcp.tools.lists import listed
from cliniko_mcp.tools.messages import messages_after, messages_after_cancelling
from cliniko_mcp.tools.paging import Paging, opened
from cliniko_mcp.tools.reading_on import reading_on
from cliniko_mcp.tools.replaced import notes_on, read_before, replaced_fields
from cliniko_mcp.tools.schema import (
    Schema,
    answer_schema,
    description_of,
    display_arguments,
    input_schema,
    model_schema,
    object_schema,
    properties_of,
    required_of,
)

ToolKind = Literal["operation", "curated", "meta"]
Arguments = Mapping[str, JsonValue]
"""What a caller sent: JSON, of which nothing has been checked yet."""
Run = Callable[[GuardedClinic, Arguments], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: what hosts are told of it, and what it does with validated or refused arguments."""

    name: str
    title: str
    description: str
    kind: ToolKind
    risk: Risk
    input_schema: Schema
    run: Run
    resource: str | None = None
    operation: Operation | None = None
    answer_schema: Schema | None = None
    """For a curated tool: the schema of its answers."""
    needs: tuple[Operation, ...] = ()
    """For a curated tool: the operations it acts through; excluding one of them excludes the tool."""
    max_argument_bytes: int = MAX_ARGUMENT_BYTES
    """How large its arguments may be as JSON; uploads take more than others."""
    repeatable: bool = False
    """Whether the same call again does nothing twice, so that it is the advice where a change was cut off."""
    pages: Callable[[Cursors], Run] | None = None
    """For a curated tool whose rows come in pages: how it runs with the cursors of an app."""

    def under(self, cursors: Cursors) -> "Tool":
        """The tool with these cursors, where it has pages."""
        return replace(self, run=self.pages(cursors), pages=None) if self.pages else self

    @property
    def annotations(self) -> dict[str, JsonValue]:
        """MCP's hints, all four, derived from the risk (specification 2026-07-28, ToolAnnotations)."""
        method = self.operation.method if self.operation else None
        return {
            "title": self.title,
            "readOnlyHint": self.risk is Risk.READ,
            "destructiveHint": self.risk is Risk.DESTRUCTIVE,
            "idempotentHint": self.risk is Risk.READ or method == "PATCH",
            "openWorldHint": True,
        }

    def risk_of(self, arguments: Arguments) -> Risk:
        """The risk of a call with these arguments: one that only checks is one of reading."""
        checks = self.kind == "curated" and self.risk is Risk.WRITE and arguments.get("dry_run") is True
        return Risk.READ if checks else self.risk

    def room(self, arguments: Arguments) -> int:
        """The most tokens of an answer to these arguments: more where the caller chose how much, and after a change."""
        by_itself = self.kind == "curated" and self.risk is Risk.READ and not _LARGER.intersection(arguments)
        return USUAL_TOKENS if by_itself else MAX_TOKENS


CALL_AGAIN: Final = "Call again with the same arguments: what took effect is found and not done twice."
"""The advice where a change was cut off in a tool that can be called again."""
_BEGUN: Final = "begun_at"
"""What a cursor of a curated tool carries beside the arguments: the moment of the first page."""
_LARGER: Final = frozenset({"cursor", "history", "limit", "notes", "skip", "visits"})
"""Arguments by which a caller of a curated tool asks for a long answer."""


@cache
def operation_schema(operation: Operation) -> Schema:
    """The argument schema of an operation, built once in this process."""
    return input_schema(operation)


@cache
def operation_spelling(operation: Operation) -> Spelling:
    """How the spellings of an operation's arguments are read, worked out once in this process."""
    return spelling_of_operation(operation, operation_schema(operation))


def operation_tool(operation: Operation, cursors: Cursors, unread: frozenset[str] = frozenset()) -> Tool:
    """The tool that performs this operation; a record whose reading is among `unread` is changed and not shown."""
    schema = operation_schema(operation)

    async def run(clinic: GuardedClinic, arguments: Arguments) -> Answer:
        try:
            values = plain(arguments, operation_spelling(operation))
            if is_list(operation):
                return await listed(clinic, operation, values, cursors)
            return await _performed(clinic, operation, values, unread)
        except InvalidArguments as problem:
            raise explained(problem, operation.name, schema, operation.description) from None

    return Tool(
        name=operation.name,
        title=operation.title,
        description=description_of(operation),
        kind="operation",
        risk=operation.risk,
        input_schema=schema,
        run=run,
        resource=operation.resource,
        operation=operation,
    )


ArgumentsT = TypeVar("ArgumentsT", bound=Body)


def curated(
    name: str,
    description: str,
    model: type[ArgumentsT],
    work: Callable[[GuardedClinic, ArgumentsT], Awaitable[Answer]],
    *,
    risk: Risk = Risk.READ,
    needs: Sequence[Operation] = (),
    title: str | None = None,
    kind: ToolKind = "curated",
    answer: type[AnswerModel] | None = None,
    max_argument_bytes: int = MAX_ARGUMENT_BYTES,
    repeatable: bool = False,
) -> Tool:
    """A curated tool: its arguments are those of `model`, its work a function of the clinic and the validated model.

    `answer` is the model of its answers, `needs` are the operations it acts through; `repeatable`: see `Tool`.
    """
    described = model_schema(model)
    schema = object_schema(properties_of(described), required_of(described))
    spelling = spelling_of_model(name, schema)

    async def run(clinic: GuardedClinic, arguments: Arguments) -> Answer:
        try:
            return await work(clinic, _validated(name, model, plain(arguments, spelling)))
        except InvalidArguments as problem:
            raise explained(problem, name, schema) from None
        except OutcomeUnknown as problem:
            if not repeatable:
                raise
            raise OutcomeUnknown(problem.message, CALL_AGAIN, **problem.details) from None

    return Tool(
        name=name,
        title=title or name.replace("_", " ").capitalize(),
        description=description,
        kind=kind,
        risk=risk,
        input_schema=schema,
        run=run,
        answer_schema=answer_schema(answer) if answer else None,
        needs=tuple(needs),
        max_argument_bytes=max_argument_bytes,
        repeatable=repeatable,
    )


def curated_pages(
    name: str,
    description: str,
    model: type[ArgumentsT],
    work: Callable[[GuardedClinic, ArgumentsT, Paging], Awaitable[Answer]],
    *,
    needs: Sequence[Operation] = (),
    answer: type[AnswerModel],
) -> Tool:
    """A curated tool that reads and whose rows come in pages: as `curated`, with `limit` and `cursor` in its model.

    A cursor alone stands for all arguments; it is bound to this tool and this caller, as those of lists are.
    """

    async def unbound(_: GuardedClinic, _arguments: ArgumentsT) -> Answer:
        raise RuntimeError(f"{name} has no cursors yet")

    made = curated(name, description, model, unbound, needs=needs, answer=answer)
    spelling = spelling_of_model(name, made.input_schema)

    def pages(cursors: Cursors) -> Run:
        async def run(clinic: GuardedClinic, arguments: Arguments) -> Answer:
            principal = clinic.caller.principal
            try:
                values = plain(arguments, spelling)
                position = opened(name, values, cursors, principal, {_BEGUN: clinic.now.isoformat()})
                carried = {key: value for key, value in position.query.arguments.items() if key != _BEGUN}
                # A page that follows is told what the first one was: the memory of long lists goes by the call.
                clinic.caller = replace(clinic.caller, call=digest(name, canonical(carried)))
                begun_at = datetime.fromisoformat(str(position.query.arguments[_BEGUN]))
                paging = Paging(position, begun_at, lambda after: cursors.seal(after, principal))
                return await work(clinic, _validated(name, model, {**values, **carried}), paging)
            except InvalidArguments as problem:
                raise explained(problem, name, made.input_schema) from None

        return run

    return replace(made, pages=pages)


def _validated(name: str, model: type[ArgumentsT], values: Mapping[str, JsonValue]) -> ArgumentsT:
    try:
        return model.model_validate(values)
    except ValidationError as refused:
        raise refused_arguments(name, dict(complaints(refused)), wire_names(model)) from None


async def _performed(
    clinic: GuardedClinic, operation: Operation, arguments: Arguments, unread: frozenset[str]
) -> Answer:
    ours = display_arguments(operation)
    call = operation.parse({name: value for name, value in arguments.items() if name not in ours})
    shape = shape_of(operation.record, arguments, "full") if operation.record else None
    replaces = bool(replaced_fields(call))
    before, told = None, ""
    if replaces:
        before, record = await clinic.replace(call, read_before(call))
    else:
        record, told, before = await clinic.destroy(call)
    if record is None or shape is None:
        notes = [*_told(operation, told), *await messages_after_cancelling(clinic, call, before)]
        return Answer({"done": _done(operation, call.target)}, notes)
    if operation.shape != "get" and any(read.name in unread for read in reads(operation.resource)):
        notes = [_UNSHOWN, *(notes_on(call, before, record) if replaces else [])]
        notes += await messages_after(clinic, call, record, Named())
        return Answer({"done": _done(operation, row_id(record) or call.target)}, notes)
    zone = await _zone_of(clinic, record)
    found = await referenced(clinic, ids_in([record], set(shape.names(record))), zone)
    shown = row_of(record, shape, zone or ZoneInfo("UTC"), found.labels, expand=True, hidden=found.hidden)
    item, cuts = shown_part(shown, shape, MAX_TOKENS - ENVELOPE_TOKENS)
    notes = [*cut_notes(cuts, reading_on(operation, record)), *_words_for_nothing(call), *found.notes]
    notes += [record.remark] if record.remark else []
    notes += notes_on(call, before, record) if replaces else []
    notes += await messages_after(clinic, call, record, found)
    if record.unexpected:
        names = ", ".join(record.unexpected)
        notes.append(f"Cliniko sent something unexpected in: {names}. It is shown as it came.")
    return Answer({"item": item}, notes, zone)


def _words_for_nothing(call: Call) -> Iterator[str]:
    """Yield a note for each field that now holds a word such as "null", which is a name or a text like any other."""
    operation, body = call.operation, call.body
    for name in wire_names(operation.given_body) if body is not None else ():
        text = body.sent(name) if body is not None else None
        if (
            isinstance(text, str)
            and text.strip().casefold() in NOTHING
            and operation_spelling(operation).takes_text(name)
        ):
            remedy = f'call again with clear: ["{name}"]' if name in operation.clearable else "change it"
            if operation.shape != "update":
                remedy = "empty it with clear in the update operation"
            yield f'{name} now holds the text "{text.strip()}". If it was meant to hold nothing, {remedy}.'


async def _zone_of(clinic: GuardedClinic, record: Record) -> ZoneInfo | None:
    """The zone of the record's site, else of the key's user; None where neither can be read just now.

    Read when the call has been performed, so that what is refused sends nothing; and after a change nothing may fail
    that serves only to show it.
    """
    for site in dict.fromkeys((site_of(record), None)):
        with suppress(ClinikoRefused):
            return await clinic.zone(site)
    return None


_DEEDS: Final[Mapping[str, str]] = {
    "archive": "Archived",
    "delete": "Deleted",
    "cancel": "Cancelled",
    "create": "Created",
    "update": "Updated",
    "unarchive": "Restored",
}
_UNSHOWN: Final = "What the record holds is not shown: reading it is switched off here."


def _told(operation: Operation, told: str) -> list[str]:
    """What a person was told before they said yes (who, what, when, and what stays behind), as what has been done."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    sentences = (line if line.endswith((".", ":", "!", "?")) else f"{line}." for line in lines)
    return [f"{_DEEDS[operation.shape]}. {' '.join(sentences)}"] if lines else []


def _done(operation: Operation, target: str | None) -> str:
    verb = _DEEDS.get(operation.shape, "Done:")
    noun = operation.name.split("_", 1)[1].replace("_", " ")
    return f"{verb} {noun} {target}." if target else f"{verb} {noun}."
