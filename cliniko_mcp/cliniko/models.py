"""What Cliniko returns (Record, tolerant) and what it accepts (Body, strict).

A record never refuses to be read: fields it does not know are kept, and a value that does not fit its field is kept as
it came in `unexpected`, while the field itself holds nothing, so that every field has the type it declares. A body
refuses what it does not know. Links are read as ids (cliniko-api.md#values). On update, a field that is absent is left
alone and a field that is None is emptied.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self, TypeGuard, cast

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails, PydanticSerializationError

from cliniko_mcp.errors import JsonValue

JsonObject = Mapping[str, JsonValue]
UNKNOWN_ARGUMENT: Final = "is not an argument of this operation"
"""The complaint about a name that is not known."""


class Record(BaseModel):
    """One record as Cliniko returned it. Declared fields are typed, all others are kept untouched."""

    model_config = ConfigDict(extra="allow", frozen=False, arbitrary_types_allowed=False)

    concise: ClassVar[tuple[str, ...]] = ()
    """The fields that a short row shows; empty for all but stamps. False and nothing are left out of short rows."""
    codes: ClassVar[Mapping[str, Mapping[int, str]]] = {}
    """The fields that hold codes, with the words for them: short rows say the words, and filters take them."""
    secret: ClassVar[frozenset[str]] = frozenset({"cancellation_url", "telehealth_url"})
    """Fields that let anyone act as the patient: shown only where the caller names them."""

    remark: ClassVar[str] = ""
    """A sentence that a reader of such rows needs beside them."""

    @property
    def unexpected(self) -> Mapping[str, object]:
        """What Cliniko sent for fields whose values do not fit them, by field; None for a field that it left out."""
        # Kept by hand: a private attribute with a default would cost every record that is read a fifth of its time.
        return (self.__pydantic_private__ or {}).get("unexpected", {})

    def as_sent(self) -> dict[str, Any]:
        """Every field with its value, unexpected ones as they came, in Python's types."""
        return {**self.model_dump(warnings=False), **self.unexpected}

    def as_json(self) -> dict[str, JsonValue]:
        """Every field that holds something as JSON, unexpected values as they came."""
        left_out = {name for name, value in self.unexpected.items() if value is None}
        shown = self.model_dump(mode="json", exclude_none=True, exclude=left_out or None)
        return {**shown, **_present(self.unexpected)}

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        """The record that this JSON object stands for. Never raises for odd content (cliniko-api.md#discrepancies)."""
        values = cls._with_ids(raw)
        try:
            return cls.model_validate(values)
        except (ValidationError, UnicodeError):
            return cls._read_field_by_field(values)

    @classmethod
    def _read_field_by_field(cls, values: dict[str, Any]) -> Self:
        fields = {field.alias or name: name for name, field in cls.model_fields.items()}
        # Only an id is required of a record, and it is text.
        empty: dict[str, Any] = {wire: "" for wire, name in fields.items() if cls.model_fields[name].is_required()}
        record = cls.model_construct(**empty)
        unknown: dict[str, Any] = {}
        unexpected: dict[str, object] = {}
        for wire, value in values.items():
            name = fields.get(wire)
            if name is None:
                unknown[wire.encode(errors="replace").decode()] = value
                continue
            try:
                cls.__pydantic_validator__.validate_assignment(record, name, value)
            except ValidationError:
                unexpected[name] = value
        unexpected.update({fields[wire]: None for wire in empty if wire not in values})
        record.__pydantic_extra__ = unknown
        record.__pydantic_fields_set__.update(unknown)
        object.__setattr__(record, "__pydantic_private__", {"unexpected": unexpected})
        return record

    @classmethod
    def _with_ids(cls, raw: JsonObject) -> dict[str, Any]:
        values: dict[str, Any] = {}
        fields = cls.model_fields
        for name, value in raw.items():
            if name in fields:
                values[name] = _ids_of(value) if isinstance(value, list) and _are_links(value) else value
            elif name == "links":
                continue
            elif isinstance(value, dict) and _is_link(value):
                if (linked := linked_id(value)) is not None:
                    values.setdefault(f"{name}_id", linked)
            elif _are_links(value):
                values[f"{name.removesuffix('es' if name.endswith(('sses', 'xes')) else 's')}_ids"] = _ids_of(value)
            elif value is None and f"{name}_id" in fields:
                values.setdefault(f"{name}_id", None)
            else:
                values[name] = value
        return values


def _present(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def value_of(record: Record, name: str) -> object:
    """What the record says of this field, declared or not, expected or not; None where it says nothing."""
    # An attribute that is missing costs pydantic an exception, which is dear where rows are made by the thousand.
    declared = record.__dict__.get(name)
    if declared is not None and declared != "":
        return declared
    extra = record.__pydantic_extra__
    if extra and name in extra:
        return extra[name]
    return record.unexpected.get(name, declared) if record.__pydantic_private__ else declared


def row_id(record: Record) -> str:
    """The id of any record; empty for the few kinds that have none, such as available times."""
    found = record.__dict__.get("id")
    return found if isinstance(found, str) else ""


def linked_id(link: object) -> str | None:
    """The id at the end of a link object `{"links": {"self": url}}`; None where it leads to a list or nowhere."""
    match link:
        case {"links": {"self": str(url)}}:
            pass
        case _:
            return None
    # Only digits are taken from it, so the address itself needs no parsing.
    if "?" in url or "#" in url:
        url = url.partition("?")[0].partition("#")[0]
    last = url.rstrip("/").rpartition("/")[2]
    return last if last.isascii() and last.isdigit() and len(last) <= 20 else None


def _is_link(value: object) -> bool:
    return isinstance(value, dict) and len(cast("dict[str, object]", value)) == 1 and "links" in value


def _are_links(value: object) -> TypeGuard[list[Mapping[str, object]]]:
    return isinstance(value, list) and value != [] and all(map(_is_link, cast("list[object]", value)))


def _ids_of(links: Sequence[Mapping[str, object]]) -> list[object]:
    return [linked_id(link) or link for link in links]


class Body(BaseModel):
    """What may be sent: unknown fields are refused, and only what was given is sent.

    The annotation says three things: `X` without a default is needed on create; `X | None` may be emptied on update;
    `omittable()` as a default may be left out but not emptied.
    """

    model_config = ConfigDict(extra="forbid")

    @classmethod
    @cache
    def wire_names(cls) -> Mapping[str, str]:
        """The name under which each field is sent, by the name it has in Python: they differ for Python's keywords."""
        return MappingProxyType({name: field.alias or name for name, field in cls.model_fields.items()})

    @classmethod
    @cache
    def changes(cls) -> type["Body"]:
        """The variant of this body for an update: the same fields and limits, none of them needed."""
        fields: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            loose = copy(field)
            if loose.is_required():
                loose.default = None
            fields[name] = (loose.annotation, loose)
        return create_model(f"{cls.__name__}Changes", __base__=cls, __module__=cls.__module__, **fields)

    @classmethod
    def partial(cls, **fields: object) -> Self:
        """A body for an update that holds only these fields. Raises ValidationError for a value that does not fit."""
        loose = cls.changes().model_validate(fields)
        return cls.model_construct(_fields_set=set(loose.model_fields_set), **loose.__dict__)

    @classmethod
    @cache
    def clearable(cls) -> tuple[str, ...]:
        """The fields that an update may empty, by the names under which they are sent, in their order."""
        names = cls.wire_names()
        return tuple(names[name] for name, field in cls.model_fields.items() if _allows_none(field.annotation))

    def sent(self, name: str) -> object:
        """The value that is sent under this name; None where it is not given."""
        field = next((field for field, wire in self.wire_names().items() if wire == name), name)
        return self.__dict__.get(field) if field in self.model_fields_set else None

    def wire(self, context: Mapping[str, Any] | None = None) -> dict[str, JsonValue]:
        """The JSON object to send: what was given, and nothing else. `context` may hold the `zone` of local times.

        Raises InvalidArguments where a local time cannot be sent.
        """
        try:
            return self.model_dump(mode="json", by_alias=True, exclude_unset=True, context=dict(context or {}))
        except PydanticSerializationError as wrapped:
            raise wrapped.__cause__ or wrapped from None


def _allows_none(annotation: object) -> bool:
    return type(None) in getattr(annotation, "__args__", ())


def field_path(location: Sequence[int | str]) -> str:
    """A place inside arguments as people write it: `sections[0].questions[2].answers`."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def complaints(refused: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield what is wrong as (path of the field, sentence), without repeating the value that was given."""
    for error in refused.errors(include_url=False, include_input=False):
        yield field_path(error["loc"]), _sentence(error)


_IN_WORDS: Final = {
    kind: sentence
    for kinds, sentence in {
        "missing": "is needed",
        "extra_forbidden": UNKNOWN_ARGUMENT,
        "string_type": "must be text",
        "bool_type bool_parsing": "must be true or false",
        "int_type int_parsing int_from_float": "must be a whole number",
        "float_type float_parsing decimal_type decimal_parsing": "must be a number",
        "greater_than_equal": "must be at least {ge}",
        "less_than_equal": "must be at most {le}",
        "list_type": "must be a list",
        "dict_type model_type model_attributes_type": "must be an object",
        "string_too_long": "must be at most {max_length} characters",
        "too_long": "may hold at most {max_length}",
        "literal_error": "must be {expected}",
    }.items()
    for kind in kinds.split()
}
"""What pydantic complains of, by its name for it, in words that do not speak of Python."""


def _sentence(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", error["msg"])).removeprefix("Value error, ")
    if kind == "string_too_short" and context["min_length"] == 1:
        return "must not be empty"
    if kind in _IN_WORDS:
        return _IN_WORDS[kind].format_map(context)
    message = error["msg"].removeprefix("Input ")
    return message[0].lower() + message[1:]
