"""Every tool by name, made when first asked for; and the four catalogue tools through which all of them are reached."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from itertools import islice

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.registry import RESOURCES, is_list, resource
from cliniko_mcp.errors import InvalidArguments, JsonValue, NotAllowed, UnknownTool
from cliniko_mcp.guards.exclusion import switched_off
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.read_only import only_reading
from cliniko_mcp.results.budget import MAX_TOKENS, size
from cliniko_mcp.results.cursor import Cursors
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.boundary import explained, plain
from cliniko_mcp.tools.index import Entry, entries, find_operation
from cliniko_mcp.tools.lists import plain_filters
from cliniko_mcp.tools.lookup import Lookup
from cliniko_mcp.tools.requests import NotOffered, not_offered, requests
from cliniko_mcp.tools.schema import display_arguments
from cliniko_mcp.tools.tool import Arguments, Tool, curated, operation_spelling, operation_tool

_DESCRIBED = 5
_LIKELY = 10
"""A curated tool is mentioned if it is among so many of the first tools found."""
_ALIKE = 75
"""From this score (0 to 100) on, one name may be meant by the other."""
_SAME = 90
"""From this score on, two names are the same except for a letter or two."""
GLOSSES = {
    "attendees": "places in bookings",
    "availability_blocks": "one-off openings",
    "available_times": "free slots",
    "billable_items": "fees",
    "bookings": "whole diary",
    "communications": "message log",
    "contacts": "doctors, payers",
    "daily_availabilities": "weekly hours",
    "individual_appointments": "one patient",
    "patient_form_templates": "filled in by patients",
    "products": "goods",
    "public_settings": "for everyone",
    "services": "types bookable online",
    "settings": "needs admin",
    "treatment_note_templates": "filled in by clinicians",
    "unavailable_blocks": "leave, breaks",
}
"""What a resource is, where its name could be taken for another's."""
_EXECUTORS = {
    Risk.READ: (
        "cliniko_read",
        "Run any read operation (list_, get_): what the clinic's records say. Changes nothing.",
    ),
    Risk.WRITE: (
        "cliniko_write",
        "Run any operation that adds or changes records (create_, update_, unarchive_). "
        "Where a change would take away what was there, a person is asked first.",
    ),
    Risk.DESTRUCTIVE: (
        "cliniko_destroy",
        "Run an operation that archives, deletes or cancels. A person is always asked first and may say no.",
    ),
}


class DescribeArguments(Body):
    """The arguments of `cliniko_describe`: names, or plain words to find operations by, or neither."""

    names: list[str] | None = Field(default=None, max_length=_DESCRIBED, description="Up to 5 operation names.")
    query: str | None = Field(default=None, max_length=300, description="What you want to do, in plain words.")


class RunArguments(Body):
    """The arguments of the tools that run an operation by name."""

    operation: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class CountArguments(Body):
    """The arguments of `cliniko_count`: a list and its filters."""

    operation: str = Field(description="A list operation, such as list_patients.")
    arguments: dict[str, JsonValue] = Field(default_factory=dict, description="Its filters.")


class Catalogue:
    """Finds tools by name, makes them lazily, and holds what the operator excluded."""

    unread: frozenset[str] = frozenset()
    """Readings that nobody may do: what a change answers with shows no more than they would."""

    def __init__(
        self, cursors: Cursors, excluded: frozenset[str] = frozenset(), changing: frozenset[str] = frozenset()
    ) -> None:
        self._cursors = cursors
        self.excluded = excluded
        self._changing = changing
        self._hidden = excluded | changing
        """What is never suggested: the excluded, and with read-only what changes something."""
        self._made: dict[str, Tool] = {}
        self._lookup: Lookup | None = None

    def find(self, name: str) -> Tool | None:
        """The tool of this name, or None; deprecated operations are found as well. Exclusion is a guard's business."""
        if name not in self._made:
            if (made := self._make(name)) is None:
                return None
            self._made[name] = made
        return self._made[name]

    def get(self, name: str) -> Tool:
        """The tool of this name, for running it.

        Raises UnknownTool, and NotAllowed for a catalogue tool that is excluded. Whatever else is excluded is given all
        the same: when it runs, a guard refuses it and that is written down.
        """
        tool = self.find(name)
        if tool is None:
            raise self.unknown(name)
        if tool.kind == "curated" and name in self._changing - self.excluded:
            return _refusing(tool, only_reading(tool.title, name))
        if name not in self.excluded:
            return tool
        refusal = switched_off(tool.title, name)
        if tool.operation is None and not tool.needs:
            raise refusal
        return _refusing(tool, refusal)

    def _make(self, name: str) -> Tool | None:
        from cliniko_mcp.tools.curated import NAMES

        if name in NAMES:
            tool: Tool = import_module(f"cliniko_mcp.tools.curated.{name}").tool
            return tool.under(self._cursors)
        if name == "cliniko_describe":
            return self._describer()
        if name == "count_records":
            return self._counter()
        for risk, (executor, _) in _EXECUTORS.items():
            if name == executor:
                return self._executor(risk)
        operation = find_operation(name)
        return operation_tool(operation, self._cursors, self.unread) if operation else None

    def everything(self) -> Mapping[str, Tool]:
        """All tools in listing order: curated, catalogue, then operations by resource. Imports every module."""
        from cliniko_mcp.tools.curated import NAMES

        names = [*NAMES, "count_records", "cliniko_describe", *(executor for executor, _ in _EXECUTORS.values())]
        names += [operation.name for module in RESOURCES for operation in resource(module).operations()]
        return {name: tool for name in names if (tool := self.find(name)) is not None}

    def description(self, entry: Entry) -> str:
        """What the list says of a tool; the map in cliniko_describe holds only what may be called in this run."""
        if entry.name != "cliniko_describe" or not self._hidden:
            return entry.description
        shown = (other for name, other in entries().items() if name not in self._hidden)
        return describe_text(
            (other.name, other.resource or "") for other in shown if other.kind == "operation" and not other.deprecated
        )

    def _describer(self) -> Tool:
        async def describe(_: GuardedClinic, arguments: DescribeArguments) -> Answer:
            return self.describe(arguments.names, arguments.query)

        return curated(
            "cliniko_describe",
            describe_text(_current()),
            DescribeArguments,
            describe,
            title="Find operations",
            kind="meta",
        )

    def describe(self, names: list[str] | None, query: str | None) -> Answer:
        """Up to five tools by name, or what fits these words, best first.

        Raises what is wrong with the first name where none of them can be described.
        `items` are tools, each with its description, risk and full argument schema. Words find operations, beside them
        curated tools under `tools`, and `not_in_cliniko_api` where they ask for something that Cliniko's API lacks.
        """
        if names:
            return self._described(dict.fromkeys(names))
        if query:
            return self._looked_up(query)
        raise InvalidArguments("Give names or a query.", "For example query: add a patient to a class.")

    def _looked_up(self, query: str) -> Answer:
        names, topic = self.lookup.search(query)
        body: dict[str, JsonValue] = {}
        nearest: list[str] = []
        if topic:
            lacking = not_offered()[topic]
            nearest = self._allowed(lacking.instead)
            body["not_in_cliniko_api"] = {"what": lacking.what, "says": lacking.says} | self._help(lacking)
        found = [entries()[name] for name in self._allowed([*nearest, *names])]
        likely = {*nearest, *names[:_LIKELY]}
        curated_tools = (entry for entry in found if entry.kind == "curated" and entry.name in likely)
        tools: list[JsonValue] = [_summary(entry) for entry in curated_tools]
        body["items"] = _with_schemas(entry for entry in found if entry.kind == "operation")
        if tools:
            body["tools"] = tools[:3]
        nothing = "Nothing fits these words. Try other English words, or names from this tool's description."
        return Answer(body, [] if found else [nothing])

    def _allowed(self, names: Iterable[str]) -> list[str]:
        """Those of these names that may be suggested, each once."""
        return [name for name in dict.fromkeys(names) if name not in self._hidden]

    def _help(self, lacking: NotOffered) -> dict[str, JsonValue]:
        """What to do instead of something that is not offered, unless a tool that the advice names is switched off."""
        return {} if self._hidden.intersection(lacking.instead) else {"instead": lacking.instead_says}

    def _described(self, names: Iterable[str]) -> Answer:
        barred = {name: problem for name in names if (problem := self._barred(name))}
        found = [entries()[name] for name in names if name not in barred]
        if not found:
            raise next(iter(barred.values()))
        return Answer({"items": _with_schemas(found)}, [_in_one_line(problem) for problem in barred.values()])

    def _barred(self, name: str) -> UnknownTool | NotAllowed | None:
        """Why the tool of this name cannot be described; None where it can."""
        entry = entries().get(name)
        if entry is None:
            return self.unknown(name)
        if name in self.excluded:
            return switched_off(entry.title, name)
        return only_reading(entry.title, name) if name in self._hidden else None

    @property
    def lookup(self) -> Lookup:
        """The plain-word index over all tools, built at the first question."""
        if self._lookup is None:
            self._lookup = Lookup(entries().values(), requests(), not_offered())
        return self._lookup

    def unknown(self, name: str) -> UnknownTool:
        """The error for a name that no tool has, with the nearest names that exist.

        Where the name asks for something that Cliniko's API lacks, it says so.
        """
        from rapidfuzz import fuzz, process

        folded = name.casefold()
        alike = process.extract(folded, entries().keys(), scorer=fuzz.ratio, limit=3, score_cutoff=_ALIKE)
        topics = {name: topic for topic, lacking in not_offered().items() for name in lacking.names}
        expected = process.extractOne(folded, topics.keys(), scorer=fuzz.ratio, score_cutoff=_SAME)
        found, topic = self.lookup.search(name)
        if expected and (not alike or expected[1] > alike[0][1]):
            topic = topics[expected[0]]
        elif alike:
            topic = None
        unknown = f"There is no tool called {clean(name, 60)}."
        if topic:
            return self._lacking(unknown, not_offered()[topic])
        near = self._allowed([*(name for name, _, _ in alike), *found])[:5]
        return UnknownTool(
            unknown,
            f"{'Use one of the suggestions, or look' if near else 'Look'} it up with cliniko_describe.",
            suggestions=list[JsonValue](near) or None,
        )

    def _lacking(self, message: str, lacking: NotOffered) -> UnknownTool:
        fix = str(self._help(lacking).get("instead", "Look up what there is with cliniko_describe."))
        near = self._allowed(lacking.instead)
        return UnknownTool(f"{message} {lacking.says}", fix, suggestions=list[JsonValue](near) or None)

    def _counter(self) -> Tool:
        async def count(clinic: GuardedClinic, arguments: CountArguments) -> Answer:
            tool = self.get(arguments.operation)
            operation = tool.operation
            if operation is None or not is_list(operation):
                raise InvalidArguments(
                    f"{arguments.operation} is not a list.", "Name a list_ operation.", field="operation"
                )
            if self._barred(tool.name):
                await clinic.check(operation)  # before a name among its filters is looked up
            ours = display_arguments(operation)  # a number is the same however rows would be shown
            try:
                values = plain(arguments.arguments, operation_spelling(operation))
                values, named = await plain_filters(clinic, operation, values)
                call = operation.parse({name: value for name, value in values.items() if name not in ours})
            except InvalidArguments as problem:
                explanation = explained(problem, tool.name, tool.input_schema, tool.description)
                raise self._barred(tool.name) or explanation from None
            total = await clinic.count(call)
            noun = operation.resource.replace("_", " ")
            if total is None:
                return Answer({}, [*named, f"Cliniko did not say how many {noun} there are."])
            return Answer({"count": total, "of": noun}, named)

        description = "How many records match: give a list operation and its filters."
        return curated("count_records", description, CountArguments, count, kind="meta")

    def _executor(self, risk: Risk) -> Tool:
        name, description = _EXECUTORS[risk]

        async def execute(clinic: GuardedClinic, arguments: RunArguments) -> Answer:
            tool = self._target(arguments.operation, risk)
            return await tool.run(clinic.of(tool.name), arguments.arguments)

        return curated(name, description, RunArguments, execute, risk=risk, kind="meta")

    def _target(self, name: str, risk: Risk) -> Tool:
        tool = self.get(name)
        if tool.kind == "meta":
            raise UnknownTool(f"{name} is no operation.", "Name the operation that is to run, such as get_patient.")
        if tool.risk is not risk:
            if barred := self._barred(name):
                raise barred
            executor, _ = _EXECUTORS[tool.risk]
            raise InvalidArguments(f"{name} is a {tool.risk} operation.", f"Call {executor} with the same arguments.")
        return tool


def _refusing(tool: Tool, refusal: NotAllowed) -> Tool:
    """The tool, refused before it reads anything and whatever is wrong with its arguments.

    What it would do is taken to the guards all the same, so that the refusal stands in the audit log.
    """

    async def run(clinic: GuardedClinic, arguments: Arguments) -> Answer:
        if tool.operation is not None:
            with suppress(InvalidArguments, NotAllowed):
                return await tool.run(clinic, arguments)
        else:
            needed = next((need for need in tool.needs if need.risk is not Risk.READ), tool.needs[0])
            with suppress(NotAllowed):
                await clinic.check(needed)
        raise refusal

    return replace(tool, run=run)


def _summary(entry: Entry) -> dict[str, JsonValue]:
    return {"name": entry.name, "description": entry.description, "risk": entry.risk}


def _with_schemas(found: Iterable[Entry]) -> list[JsonValue]:
    """The first five, each with its schemas (of a curated tool its answers' too) as long as there is room for them."""
    items, room = list[JsonValue](), MAX_TOKENS - 400
    for entry in islice(found, _DESCRIBED):
        rows = [{**_summary(entry), **schemas} for schemas in entry.schemas()]
        items.append(row := next((row for row in rows if size(row) < room), rows[-1]))
        room -= size(row)
    return items


def _in_one_line(problem: UnknownTool | NotAllowed) -> str:
    suggestions = problem.details.get("suggestions")
    near = f" Near it: {', '.join(map(str, suggestions))}." if isinstance(suggestions, list) else ""
    return problem.message + near


def describe_text(operations: Iterable[tuple[str, str]]) -> str:
    """The description of cliniko_describe, with the whole map of these current operations (name and resource)."""
    return (
        "Look up operations and their arguments, by name or in plain words, before running an unlisted one. "
        f"A name is verb_resource, in the singular except for list. {map_text(operations)}"
    )


def map_text(operations: Iterable[tuple[str, str]]) -> str:
    """The whole map: resources that share their verbs together, those easily confused with what they are, then what
    else each verb is about.
    """
    verbs: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    for name, module in operations:
        if verb := _verb(name, module):
            verbs.setdefault(module, []).append(verb)
        else:
            verb, _, rest = name.partition("_")
            others.setdefault(verb, []).append(rest)
    groups: dict[str, list[str]] = {}
    for module, found in verbs.items():
        gloss = f" ({GLOSSES[module]})" if module in GLOSSES else ""
        groups.setdefault(" ".join(found), []).append(module + gloss)
    shared = [f"{found}: {' '.join(modules)}" for found, modules in groups.items()]
    return "; ".join([*shared, *(f"also {verb}: {' '.join(rests)}" for verb, rests in others.items())])


def _current() -> Iterator[tuple[str, str]]:
    for module in RESOURCES:
        yield from ((line.name, module) for line in resource(module).operations() if not line.deprecated)


def _verb(name: str, module: str) -> str | None:
    """The verb of a name that is made of a verb and the resource: `list` of `list_taxes`; None for any other name."""
    verb, _, rest = name.partition("_")
    singular = {module, module.removesuffix("s"), module.removesuffix("es"), module.removesuffix("ies") + "y"}
    return verb if rest in singular else None
