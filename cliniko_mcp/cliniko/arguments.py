"""Reading the arguments of a call piece by piece, so that one error can name everything that is wrong."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.models import UNKNOWN_ARGUMENT, Body, complaints
from cliniko_mcp.errors import InvalidArguments

_ID: Final = TypeAdapter[str](Id)
_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_COLUMN: Final = re.compile(r"(-?)([a-z_]{1,60})(?:(?: *: *| +)((?i:asc|desc))(?i:ending)?)?")


def refused_arguments(name: str, wrong: Mapping[str, str], known: tuple[str, ...]) -> InvalidArguments:
    """One error for all wrong arguments of a call."""
    sentences = "; ".join(f"{path} {problem}" for path, problem in wrong.items())
    unknown = [path for path, problem in wrong.items() if problem == UNKNOWN_ARGUMENT and top_of(path) not in known]
    fix = f"{name} takes {', '.join(known)}." if unknown else "Correct the arguments named here and call again."
    return InvalidArguments(f"{name}: {sentences}.", fix, fields=dict(wrong))


def top_of(path: str) -> str:
    """The argument that a place is in: `content` of `content.sections[0].name`."""
    return path.partition(".")[0].partition("[")[0]


def read_ids(
    names: tuple[str, ...], arguments: Mapping[str, object], wrong: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield each path id by name; what is missing or no id is written into `wrong`."""
    for name in names:
        if arguments.get(name) is None:
            wrong[name] = "is needed: an id of 1 to 20 digits"
            continue
        try:
            yield name, _ID.validate_python(arguments[name])
        except ValidationError:
            wrong[name] = 'must be an id: 1 to 20 digits, given as text such as "1234567890123456789"'


def sort_columns(value: object) -> str | None:
    """The fields to sort by as the API takes them, `starts_at:desc,id`; None for what is no such list.

    Descending is also written `-starts_at` or `starts_at desc`.
    """
    names: list[object] = [*value] if isinstance(value, list) else [*str(value).split(",")]
    columns: list[str] = []
    for name in names:
        match = _COLUMN.fullmatch(str(name).strip())
        if match is None or (match[1] and match[3]):
            return None
        field, direction = match[2], (match[3] or "").lower()
        columns.append(f"{field}:desc" if match[1] else f"{field}:{direction}" if direction else field)
    return ",".join(columns) or None


def wire_names(model: type[Body] | None) -> tuple[str, ...]:
    """The arguments that fill this model, under the API's names."""
    return tuple(model.wire_names().values()) if model else ()


def part_for(model: type[Body], arguments: Mapping[str, object]) -> dict[str, object]:
    """Those of the arguments that belong to this model; null counts as not given."""
    names = wire_names(model)
    return {name: value for name, value in arguments.items() if name in names and value is not None}


def read_model(model: type[Body], arguments: Mapping[str, object], wrong: dict[str, str]) -> Body | None:
    """The validated model; None, with the complaints written into `wrong`, where something does not fit."""
    try:
        return model.model_validate(arguments)
    except ValidationError as refused:
        wrong.update(complaints(refused))
        return None


def checked_ids(name: str, path_ids: Collection[str], ids: Mapping[str, str]) -> Mapping[str, str]:
    """These path ids of our own. Raises TypeError where they are not those that the operation takes, ValueError for a
    text that is no id: an empty one would lead to another address, that of the whole list."""
    if set(ids) != set(path_ids):
        raise TypeError(f"{name} takes the ids {', '.join(path_ids) or 'none'}, not {', '.join(ids) or 'none'}")
    for part, value in ids.items():
        if not _DIGITS.fullmatch(value):
            raise ValueError(f"{name}: {part} is no id: {value!r}")
    return ids


def check_model(what: str, model: type[Body] | None, value: Body | None, *, needed: bool = False) -> None:
    """Raise TypeError where a body or query of our own is not what the operation takes."""
    if value is None and not needed:
        return
    if model is None or not isinstance(value, model):
        raise TypeError(f"{what} is {model.__name__ if model else 'nothing'}, not {type(value).__name__}")
