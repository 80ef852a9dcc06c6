"""A tool as MCP knows it, and how an operation of the API becomes one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from cliniko_mcp.cliniko.arguments import refused_arguments, wire_names
from cliniko_mcp.cliniko.models import Body, Record, complaints, value_of
from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.cliniko.registry import is_list
from cliniko_mcp.errors import ClinikoRefused, InvalidArguments, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.cursor import Cursors
from cliniko_mcp.results.envelope import CUT, Answer, fitted
from cliniko_mcp.results.names import NAMED, ids_in, look_up
from cliniko_mcp.results.rows import row_of, shape_of
from cliniko_mcp.tools.boundary import MAX_BYTES, explained, unwrapped
from cliniko_mcp.tools.lists import listed
from cliniko_mcp.tools.schema import Schema, closed, controls, input_schema, model_schema

Kind = Literal["operation", "workflow", "meta"]
Arguments = Mapping[str, object]
Run = Callable[[GuardedClinic, Arguments], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: what hosts are told of it, and what it does with validated or refused arguments."""

    name: str
    title: str
    description: str
    kind: Kind
    risk: Risk
    input_schema: Schema
    run: Run
    resource: str | None = None
    operation: Operation | None = None
    needs: tuple[str, ...] = ()
    """For a curated tool: the operations it acts through; excluding one of them excludes the tool."""
    most_bytes: int = MAX_BYTES
    """How large its arguments may be as JSON; uploads take more than others."""

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


@cache
def operation_schema(operation: Operation) -> Schema:
    """The argument schema of an operation, built once."""
    return input_schema(operation)


def operation_tool(operation: Operation, cursors: Cursors) -> Tool:
    """The tool that performs this operation."""

    async def run(clinic: GuardedClinic, arguments: Arguments) -> Answer:
        schema = operation_schema(operation)
        given = unwrapped(arguments, schema)
        try:
            if is_list(operation):
                return await listed(clinic, operation, given, cursors)
            return await _performed(clinic, operation, given)
        except InvalidArguments as problem:
            raise explained(problem, operation.name, schema, operation.description) from None

    return Tool(
        name=operation.name,
        title=operation.title,
        description=operation.description,
        kind="operation",
        risk=operation.risk,
        input_schema=operation_schema(operation),
        run=run,
        resource=operation.resource,
        operation=operation,
    )


A = TypeVar("A", bound=Body)


def curated(
    name: str,
    description: str,
    arguments: type[A],
    work: Callable[[GuardedClinic, A], Awaitable[Answer]],
    *,
    risk: Risk = Risk.READ,
    needs: tuple[str, ...] = (),
    title: str | None = None,
    kind: Kind = "workflow",
    most_bytes: int = MAX_BYTES,
) -> Tool:
    """A curated tool: its arguments are a model, its work is a function of the desk and the validated arguments."""
    schema = model_schema(arguments)
    schema = closed(cast("Schema", schema["properties"]), cast("list[str]", schema.get("required", [])))

    async def run(clinic: GuardedClinic, given: Arguments) -> Answer:
        values = {key: value for key, value in unwrapped(given, schema).items() if value is not None}
        try:
            return await work(clinic, _validated(name, arguments, values))
        except InvalidArguments as problem:
            raise explained(problem, name, schema) from None

    return Tool(
        name=name,
        title=title or name.replace("_", " ").capitalize(),
        description=description,
        kind=kind,
        risk=risk,
        input_schema=schema,
        run=run,
        needs=needs,
        most_bytes=most_bytes,
    )


def _validated(name: str, arguments: type[A], values: Mapping[str, object]) -> A:
    try:
        return arguments.model_validate(values)
    except ValidationError as refused:
        raise refused_arguments(name, dict(complaints(refused)), wire_names(arguments)) from None


async def _performed(clinic: GuardedClinic, operation: Operation, given: Mapping[str, object]) -> Answer:
    call = operation.parse(_api_arguments(operation, given))
    shape = shape_of(operation, given, "full") if operation.record else None
    # Read before the call is performed: after a change nothing may fail that serves only to show it.
    home = await clinic.zone()
    record = await clinic.perform(call)
    if record is None or shape is None:
        return Answer({"done": _done(operation, call.target)}, zone=home)
    found = await look_up(clinic, ids_in([record]))
    known = {kind: {key: NAMED[kind].label(one) for key, one in rows.items()} for kind, rows in found.items()}
    zone = await _zone_of(clinic, record, home)
    item, cut = fitted(row_of(record, shape, zone, known, expand=True))
    notes = [CUT] if cut else []
    if record.unexpected:
        names = ", ".join(record.unexpected)
        notes.append(f"Cliniko sent something unexpected in: {names}. It is shown as it came.")
    return Answer({"item": item}, notes, zone)


async def _zone_of(clinic: GuardedClinic, record: Record, home: ZoneInfo) -> ZoneInfo:
    try:
        return await clinic.zone(_site(record))
    except ClinikoRefused:
        return home


def _api_arguments(operation: Operation, given: Mapping[str, object]) -> dict[str, object]:
    ours = controls(operation)
    return {name: value for name, value in given.items() if name not in ours}


def _site(record: Record) -> str | None:
    value = value_of(record, "business_id")
    return value if isinstance(value, str) else None


def _done(operation: Operation, target: str | None) -> str:
    verb = {"archive": "Archived", "delete": "Deleted", "cancel": "Cancelled"}.get(operation.shape, "Done:")
    noun = operation.name.split("_", 1)[1].replace("_", " ")
    return f"{verb} {noun} {target}." if target else f"{verb} {noun}."
