"""A tool as MCP knows it, and how an operation of the API becomes one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeVar, cast

from pydantic import ValidationError

from cliniko_mcp.arguments import refused_arguments
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.guardrails.desk import Desk
from cliniko_mcp.model import Body, complaints
from cliniko_mcp.operation import List, Operation, Risk
from cliniko_mcp.registry import find
from cliniko_mcp.tools.answer import MOST_TOKENS, USUAL_TOKENS, Answer, fitted, shaped
from cliniko_mcp.tools.arguments import unwrapped
from cliniko_mcp.tools.cursor import Cursors, Position
from cliniko_mcp.tools.names import NAMED, ids_in, look_up
from cliniko_mcp.tools.rows import Detail, Shape, row_of
from cliniko_mcp.tools.schema import Schema, closed, controls, input_schema, model_schema

Kind = Literal["operation", "workflow", "meta"]
Arguments = Mapping[str, object]
Run = Callable[[Desk, Arguments], Awaitable[Answer]]

DEFAULT_LIMIT: Final = 50
_LEAST_ROW_TOKENS: Final = 12


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
    synonyms: str = ""
    """Other words for it, which the plain-word lookup reads."""

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
def operation_schema(name: str) -> Schema:
    """The argument schema of an operation, built once. Raises KeyError for a name that is not an operation."""
    operation = find(name)
    if operation is None:
        raise KeyError(name)
    return input_schema(operation)


def operation_tool(operation: Operation, cursors: Cursors) -> Tool:
    """The tool that performs this operation."""

    async def run(desk: Desk, arguments: Arguments) -> Answer:
        given = unwrapped(arguments, operation_schema(operation.name))
        if operation.listing:
            return await _listed(desk, operation, given, cursors)
        return await _performed(desk, operation, given)

    return Tool(
        name=operation.name,
        title=operation.title,
        description=operation.description,
        kind="operation",
        risk=operation.risk,
        input_schema=operation_schema(operation.name),
        run=run,
        resource=operation.resource,
        operation=operation,
        synonyms=operation.synonyms,
    )


A = TypeVar("A", bound=Body)


def curated(
    name: str,
    description: str,
    arguments: type[A],
    work: Callable[[Desk, A], Awaitable[Answer]],
    *,
    risk: Risk = Risk.READ,
    needs: tuple[str, ...] = (),
    synonyms: str = "",
    title: str | None = None,
) -> Tool:
    """A curated tool: its arguments are a model, its work is a function of the desk and the validated arguments."""
    schema = model_schema(arguments)
    schema = closed(cast("Schema", schema["properties"]), cast("list[str]", schema.get("required", [])))

    async def run(desk: Desk, given: Arguments) -> Answer:
        values = {key: value for key, value in unwrapped(given, schema).items() if value is not None}
        try:
            validated = arguments.model_validate(values)
        except ValidationError as refused:
            known = tuple(cast("Schema", schema["properties"]))
            raise refused_arguments(name, dict(complaints(refused)), known) from None
        return await work(desk, validated)

    return Tool(
        name=name,
        title=title or name.replace("_", " ").capitalize(),
        description=description,
        kind="workflow",
        risk=risk,
        input_schema=schema,
        run=run,
        needs=needs,
        synonyms=synonyms,
    )


async def _performed(desk: Desk, operation: Operation, given: Mapping[str, object]) -> Answer:
    call = operation.parse(_api_arguments(operation, given))
    shape = _shape(operation, given, "full") if operation.record else None
    record = await desk.perform(call)
    if record is None or shape is None:
        return Answer({"done": _done(operation, call.target)})
    found = await look_up(desk, ids_in([record]))
    known = {kind: {key: NAMED[kind].label(one) for key, one in rows.items()} for kind, rows in found.items()}
    zone = await desk.zone(_site(record))
    item, cut = fitted(row_of(record, shape, zone, known, expand=True))
    notes = ["Long texts were cut to fit; name the fields you need in `fields`."] if cut else []
    if record.drift:
        notes.append(f"Cliniko sent something unexpected in: {', '.join(record.drift)}. It is shown as it came.")
    return Answer({"item": item}, notes, zone)


def _api_arguments(operation: Operation, given: Mapping[str, object]) -> dict[str, object]:
    ours = controls(operation)
    return {name: value for name, value in given.items() if name not in ours}


def _site(record: object) -> str | None:
    value = getattr(record, "business_id", None)
    return value if isinstance(value, str) else None


def _done(operation: Operation, target: str | None) -> str:
    verb = {"archive": "Archived", "delete": "Deleted", "cancel": "Cancelled"}.get(operation.shape, "Done:")
    noun = operation.name.split("_", 1)[1].replace("_", " ")
    return f"{verb} {noun} {target}." if target else f"{verb} {noun}."


def _shape(operation: Operation, given: Mapping[str, object], usual: Detail) -> Shape:
    detail = given.get("detail") or usual
    if detail not in ("concise", "full"):
        raise InvalidArguments("detail must be concise or full.", field="detail")
    fields = given.get("fields")
    if isinstance(fields, str):
        fields = [name.strip() for name in fields.split(",") if name.strip()]
    if fields is not None and not (isinstance(fields, list) and all(isinstance(name, str) for name in fields)):  # pyright: ignore[reportUnknownVariableType]
        raise InvalidArguments("fields must be names of fields, separated by commas.", field="fields")
    assert operation.record is not None
    return Shape(operation.record, detail, cast("list[str] | None", fields))


def _limit(given: Mapping[str, object]) -> int:
    limit = given.get("limit")
    if limit is None:
        return DEFAULT_LIMIT
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 1000:
        raise InvalidArguments("limit must be a whole number from 1 to 1000.", field="limit")
    return limit


async def _listed(desk: Desk, operation: Operation, given: dict[str, object], cursors: Cursors) -> Answer:
    limit = _limit(given)
    query = {name: value for name, value in given.items() if name not in ("limit", "cursor") and value is not None}
    position = _position(operation, given.get("cursor"), query, cursors)
    shape = _shape(operation, position.arguments, "concise")
    call = operation.parse(_api_arguments(operation, position.arguments))
    generous = "limit" in given or shape.detail == "full" or shape.fields is not None
    tokens = MOST_TOKENS if generous else USUAL_TOKENS
    useful = min(limit, tokens // _LEAST_ROW_TOKENS)
    sweep = await desk.rows(call, limit=useful, start=position.start)
    rows = await shaped(desk, sweep.rows, shape, tokens)
    returned = position.start + len(rows.shown)
    complete = sweep.complete and not rows.left
    page: dict[str, JsonValue] = {"returned": len(rows.shown)}
    if sweep.total is not None:
        page["total"] = sweep.total
    page["complete"] = complete
    notes: list[str] = []
    if not complete:
        following = sweep.next_position if not rows.left and sweep.next_position is not None else returned
        anchor = rows.shown[-1].get("id") if rows.shown else position.anchor
        page["next_cursor"] = cursors.seal(
            Position(operation.name, position.arguments, following, cast("str | None", anchor), sweep.total)
        )
        notes.append(_more(operation, returned, sweep.total))
    if position.total is not None and sweep.total is not None and position.total != sweep.total:
        notes.append(
            f"The list changed while it was being read ({position.total:,} rows before, {sweep.total:,} now), "
            "so a row may be missing here; start again without a cursor to be sure."
        )
    body: dict[str, JsonValue] = {"items": cast("list[JsonValue]", rows.shown), "page": page}
    if rows.names:
        body["names"] = rows.names
    return Answer(body, notes, rows.zone)


def _position(operation: Operation, cursor: object, query: dict[str, object], cursors: Cursors) -> Position:
    if cursor is None or cursor == "":
        return Position(operation.name, cast("dict[str, JsonValue]", query), 0)
    if not isinstance(cursor, str):
        raise InvalidArguments("cursor must be the text that the last answer gave.", field="cursor")
    position = cursors.open(cursor, operation.name)
    if query and any(position.arguments.get(name) != value for name, value in query.items()):
        raise InvalidArguments(
            "With a cursor, the other arguments are left out or repeated exactly; only limit may differ.",
            "Give the cursor alone, or start a new list without it.",
            field="cursor",
        )
    return position


def _more(operation: Operation, returned: int, total: int | None) -> str:
    noun = operation.resource.replace("_", " ")
    known = f"{total - returned:,} more {noun} match" if total is not None else f"There are more {noun}"
    return f"{known}. Call again with next_cursor to go on, or narrow the filters."


def is_list(tool: Tool) -> bool:
    """Whether the tool answers with a page of rows."""
    return isinstance(tool.operation, List)
