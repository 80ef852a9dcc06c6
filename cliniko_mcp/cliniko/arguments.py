"""Reading the arguments of a call piece by piece, so that one error can name everything that is wrong."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.models import STRANGE, Body, complaints
from cliniko_mcp.errors import InvalidArguments

_ID: Final = TypeAdapter[str](Id)


def refused_arguments(name: str, wrong: Mapping[str, str], known: tuple[str, ...]) -> InvalidArguments:
    """One error for all wrong arguments of a call."""
    sentences = "; ".join(f"{path} {problem}" for path, problem in wrong.items())
    strangers = [path for path, problem in wrong.items() if problem == STRANGE and top_of(path) not in known]
    fix = f"{name} takes {', '.join(known)}." if strangers else "Correct the arguments named here and call again."
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


def wire_names(model: type[Body] | None) -> tuple[str, ...]:
    """The arguments that fill this model, under the API's names."""
    return tuple(model.wire_names().values()) if model else ()


def part_for(model: type[Body], arguments: Mapping[str, object]) -> dict[str, object]:
    """Those of the arguments that belong to this model; null counts as not given."""
    names = wire_names(model)
    return {name: value for name, value in arguments.items() if name in names and value is not None}


def read_model(model: type[Body], given: Mapping[str, object], wrong: dict[str, str]) -> Body | None:
    """The validated model; None, with the complaints written into `wrong`, where something does not fit."""
    try:
        return model.model_validate(given)
    except ValidationError as refused:
        wrong.update(complaints(refused))
        return None
