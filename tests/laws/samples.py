"""Values for arguments, found by trying: of a pool of plausible ones, those that an operation accepts for a field."""

from collections.abc import Mapping
from functools import cache

from cliniko_mcp.cliniko.filters import HIDDEN, Family
from cliniko_mcp.cliniko.operations import Operation, Update
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.tools.schema import properties_of
from cliniko_mcp.tools.tool import operation_schema

ID = "1234567890123456789"
PRONOUNS = {
    "nominative": "they",
    "accusative": "them",
    "pronominal_possessive": "their",
    "predicative_possessive": "theirs",
    "reflexive": "themself",
}
CONTENT = {"sections": [{"name": "Findings", "questions": [{"name": "Pain", "type": "text"}]}]}
POOL: tuple[object, ...] = (
    "Ana", "2026-11-24T09:30", "2026-11-24T04:30:00Z", "2026-11-24", "85.00", ID, "#1a73e8", "09:30",
    "ana@example.org", "AU", "data:image/svg+xml;base64,AAAA", "https://example.org/file?Key=a", "Australia/Melbourne",
    "a" * 255, "-5", "sick", "sms", "sent", "doctor", True, False, 1, 30, 12, 60, [ID], [], PRONOUNS,
    "QX901234", "QX901234A", "NX123456",
    CONTENT, {"sections": [{"token": "a", "fields": [{"token": "b", "value": "c"}]}]},
    [{"phone_type": "Mobile", "number": "0400 000 000"}],
    {"repeat_type": "Weekly", "number_of_repeats": 3, "repeating_interval": 1}, {"include_patient_dob": True},
)  # fmt: skip
FILTERS: Mapping[Family, tuple[object, ...]] = {
    Family.NUMBER: ("12", ">12", ">=12", "<12", "<=12", "!=12", "12..20", "12..", "..20", "1,2,3", "any", "none", ID),
    Family.TEXT: ("Ana", "~Ana", "~~an", "!=Ana", "any", "none", "Zoë O'Hara"),
    Family.FLAG: (True, False),
    Family.DATE: ("2026-11-24", ">2026-11-24", "2026-11-01..2026-11-30", "any", "none"),
    Family.INSTANT: (
        "2026-11-24",
        "2026-11-24T15:30",
        ">=2026-11-24T04:30:00Z",
        "2026-11-01..2026-11-30",
        "any",
        "none",
    ),
    Family.ARRAY: (ID, "~12"),
}
"""For each family of filters: what its documentation promises, as the schema types it."""

REFUSED: Mapping[Family, tuple[object, ...]] = {
    Family.NUMBER: ("Ana", "~1", "1;2", "12..x", ">1,2", {"a": 1}, "\x00"),
    Family.TEXT: (">Ana", "a\nb", ["a", "b"], 1.5),
    Family.FLAG: ("perhaps", "any", ">true", 7),
    Family.DATE: ("24/11/2026", "2026-13-01", "~2026-11-24", "tomorrow-ish", "all"),
    Family.INSTANT: ("24/11/2026", "2026-02-30", "2026-11-24T25:00", "~2026-11-24", "..", {}),
    Family.ARRAY: ("Ana", ">12", "any"),
}


def filter_samples(name: str, family: Family) -> tuple[object, ...]:
    """What a filter of this family and name takes."""
    return (*FILTERS[family], *(("all",) if name in HIDDEN else ()))


def path_ids(operation: Operation) -> dict[str, object]:
    """The ids that the path needs."""
    return dict.fromkeys(operation.path_ids, ID)


def complaints_about(operation: Operation, arguments: Mapping[str, object]) -> dict[str, str]:
    """What the operation says is wrong, by argument; nothing where it accepts."""
    try:
        operation.parse(arguments)
    except InvalidArguments as refused:
        fields = refused.details["fields"]
        assert isinstance(fields, dict)
        return {str(path): str(problem) for path, problem in fields.items()}
    return {}


@cache
def body_samples(operation: Operation) -> Mapping[str, tuple[object, ...]]:
    """For each argument of the body or the query, the values of the pool that the operation accepts in it."""
    models = [model for model in (operation.given_body, operation.query) if model is not None]
    names = [name for model in models for name in model.wire_names().values()]
    properties = properties_of(operation_schema(operation))
    found: dict[str, tuple[object, ...]] = {}
    for name in names:
        choices = properties[name].get("enum")
        pool = choices if isinstance(choices, list) else POOL
        found[name] = tuple(value for value in pool if _accepted(operation, name, value))
    return found


def _accepted(operation: Operation, name: str, value: object) -> bool:
    wrong = complaints_about(operation, {**path_ids(operation), name: value})
    return not any(path.split(".")[0].split("[")[0] == name for path in wrong)


@cache
def needed(operation: Operation) -> Mapping[str, object]:
    """The least arguments with which the operation accepts a call."""
    arguments = path_ids(operation)
    for attempt in range(24):
        wrong = complaints_about(operation, arguments)
        if not wrong:
            break
        for path in wrong:
            name = path.split(".")[0].split("[")[0]
            if name == "arguments" and isinstance(operation, Update):
                name = next(iter(body_samples(operation)))
            values = body_samples(operation)[name]
            arguments[name] = values[attempt % len(values)]
    return arguments
