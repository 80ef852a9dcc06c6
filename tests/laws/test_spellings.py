"""Every spelling of every argument of every tool, at the boundary: what hosts send means what its plain form means.

Each rule is one test, which names every argument that breaks it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cliniko_mcp.cliniko.filters import Family
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.tools.boundary import Spelling, plain, spelling_of_model
from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.schema import Schema, items_of, properties_of, required_of
from cliniko_mcp.tools.tool import operation_spelling
from tests.laws.every import OPERATIONS
from tests.laws.samples import ID, body_samples, complaints_about, filter_samples, needed
from tests.laws.violations import assert_none

EMPTY: tuple[JsonValue, ...] = (None, "", [])
WORDS = ("null", "none", "undefined", "Null", "None", " undefined ")
BY_NAME_OR_ID = {
    "find_patients": {"query"},
    "clinic_overview": {"business"},
    "find_times": {"type", "business"},
    "book_appointment": {"patient", "practitioner", "type", "business"},
    "move_appointment": {"appointment", "practitioner", "business"},
    "cancel_appointment": {"appointment", "patient"},
    "show_diary": {"business"},
    "block_time": {"business", "type"},
    "register_patient": {"referrer"},
    "write_treatment_note": {"patient", "template", "visit", "note"},
    "upload_patient_attachment": {"patient"},
    "read_patient_attachment": {"id"},
    "set_attendance": {"patient", "practitioner", "appointment"},
    "patient_brief": {"patient"},
    "fill_gap": {"appointment", "practitioner", "type", "business"},
    "report": {"practitioner", "business", "patient"},
}
"""Arguments of curated tools that take an id, also in place of a name."""
NO_WORDS = {"when", "repeat", "visit", "allow_clash", "appointment", "born", "cursor"}
"""Texts of curated tools in which "null" is neither a name nor free text."""


@dataclass(frozen=True)
class Argument:
    """One argument of one tool, and how the boundary reads it."""

    tool: str
    name: str
    schema: Schema
    spelling: Spelling
    operation: Operation | None

    def __str__(self) -> str:
        return f"{self.tool}: {self.name}"

    @property
    def type(self) -> JsonValue:
        return self.schema["type"]

    @property
    def needed(self) -> bool:
        return self.name in required_of(self.spelling.schema)

    @property
    def family(self) -> Family | None:
        return self.operation.filters.get(self.name) if self.operation else None

    @property
    def changed(self) -> bool:
        """Whether it is a field of an update, in which what is empty is not what is absent."""
        operation = self.operation
        return operation is not None and operation.shape == "update" and self.name not in (*operation.path_ids, "clear")

    @property
    def takes_id(self) -> bool:
        """Whether an id may be given, as text."""
        if self.operation is None:
            return self.name in BY_NAME_OR_ID.get(self.tool, ())
        family = self.family
        return (
            self.name in self.operation.path_ids
            or family in (Family.NUMBER, Family.ARRAY)
            or (family is None and self.name.endswith("_id"))
        )

    @property
    def takes_words(self) -> bool:
        """Whether it is a name or free text, in which every word is text."""
        if self.operation is None:
            item = items_of(self.schema) if self.type == "array" else self.schema
            written = item.get("type") == "string" and "enum" not in item
            draft = (self.tool, self.name) == ("write_treatment_note", "note")
            return written and self.name not in NO_WORDS and not draft
        if self.family is not None:
            return self.family is Family.TEXT
        if self.operation.body is None and self.operation.query is None:
            return False
        return self.name in body_samples(self.operation) and "undefined" not in complaints_about_word(self)

    def read(self, value: JsonValue) -> JsonValue:
        """What the boundary makes of this value; ABSENT where it leaves it out."""
        return plain({self.name: value}, self.spelling).get(self.name, ABSENT)


ABSENT = "(absent)"


def complaints_about_word(argument: Argument) -> set[str]:
    """`undefined` where the operation itself does not take this word as the value of this argument."""
    assert argument.operation is not None
    wrong = complaints_about(argument.operation, {**needed(argument.operation), argument.name: "undefined"})
    return {"undefined"} if argument.name in wrong else set()


def every() -> Iterator[Argument]:
    for operation in OPERATIONS:
        spelling = operation_spelling(operation)
        for name, schema in properties_of(spelling.schema).items():
            yield Argument(operation.name, name, schema, spelling, operation)
    for tool in entries().values():
        if tool.kind != "operation":
            spelling = spelling_of_model(tool.name, dict(tool.input_schema))
            for name, schema in properties_of(spelling.schema).items():
                yield Argument(tool.name, name, schema, spelling, None)


ARGUMENTS = tuple(every())


def differing(argument: Argument, value: JsonValue, due: JsonValue) -> Iterator[str]:
    """Yield what is wrong where the boundary does not make `due` of this value."""
    found = argument.read(value)
    if found != due or type(found) is not type(due):
        yield f"{argument}: {value!r} is {found!r}, not {due!r}"


def test_every_tool_is_played():
    assert {argument.tool for argument in ARGUMENTS} >= {*entries()} - {"get_authenticated_user"} - without_arguments()
    assert len(ARGUMENTS) > 1_400


def without_arguments() -> set[str]:
    return {name for name, tool in entries().items() if not properties_of(tool.input_schema)}


def test_empty_is_absent_for_an_optional_argument():
    assert_none(
        problem
        for argument in ARGUMENTS
        if not argument.needed and not argument.changed
        for value in (*EMPTY, *(["[]"] if argument.type == "array" else []))
        if not (argument.name == "clear" and value in ([], "[]") and argument.operation is None)
        for problem in differing(argument, value, ABSENT)
    )


def test_null_and_empty_text_are_refused_in_an_update_with_what_to_do():
    wrong: list[str] = []
    changed = [argument for argument in ARGUMENTS if argument.changed]
    for argument in changed:
        operation = argument.operation
        assert operation is not None
        for value in (None, ""):
            arguments = plain({**_json(needed(operation)), argument.name: value}, argument.spelling)
            complaint = complaints_about(operation, arguments).get(argument.name, "")
            advice = "give clear" if argument.name in operation.clearable else "leave it out"
            if advice not in complaint and not (argument.needed and complaint == "is needed"):
                wrong.append(f"{argument}: {value!r} gets {complaint!r}")

    assert len(changed) > 200
    assert_none(wrong)


def test_an_empty_list_stays_one_in_an_update():
    assert_none(
        problem
        for argument in ARGUMENTS
        if argument.changed and argument.type == "array"
        for value in ([], "[]")
        for problem in differing(argument, value, [])
    )


def test_one_value_is_a_list_of_one():
    def values(argument: Argument) -> Iterator[tuple[JsonValue, JsonValue]]:
        item = items_of(argument.schema)
        choices = item.get("enum")
        if item.get("type") == "object":
            yield {"a": "b"}, [{"a": "b"}]
            yield '{"a": "b"}', [{"a": "b"}]
        elif isinstance(choices, list):
            yield choices[0], [choices[0]]
        else:
            forms: tuple[tuple[JsonValue, JsonValue], ...] = (
                (ID, [ID]), (7, ["7"]), (7.0, ["7"]), ("2", ["2"]), ("true", ["true"]), ([7, ID], ["7", ID]),
            )  # fmt: skip
            yield from forms
            yield json.dumps([ID, "7"]), [ID, "7"]

    assert_none(
        problem
        for argument in ARGUMENTS
        if argument.type == "array"
        for value, due in values(argument)
        for problem in differing(argument, value, due)
    )


def test_a_name_with_a_comma_is_one_name():
    names = [argument for argument in ARGUMENTS if argument.operation is None and argument.name == "practitioner"]

    assert_none(
        problem
        for argument in names
        if argument.type == "array"
        for problem in differing(argument, "Mei Ng, Physio", ["Mei Ng, Physio"])
    )


def test_json_as_text_is_unwrapped_once_where_it_is_due_and_nowhere_else():
    nested: JsonValue = {"a": '{"b": 1}'}
    wrong: list[str] = []
    for argument in ARGUMENTS:
        if argument.type == "object":
            wrong += differing(argument, json.dumps(nested), nested)
            wrong += differing(argument, "[1]", "[1]")
        elif argument.type == "string" and argument.family is not Family.NUMBER:
            wrong += differing(argument, '{"b": 1}', '{"b": 1}')
            wrong += differing(argument, "[1]", "[1]")

    assert_none(wrong)


def test_a_whole_number_and_a_truth_value_are_read_however_they_are_written():
    forms: dict[str, tuple[tuple[JsonValue, JsonValue], ...]] = {
        "integer": ((5.0, 5), ("5", 5), ("5.0", 5), (" 5 ", 5), (5, 5), (5.5, 5.5), ("five", "five")),
        "number": (("5.5", 5.5), (5, 5), (5.5, 5.5)),
        "boolean": (("true", True), ("False", False), (True, True), ("yes", "yes")),
    }

    assert_none(
        problem
        for argument in ARGUMENTS
        for value, due in forms.get(str(argument.type), ())
        for problem in differing(argument, value, due)
    )


def test_a_whole_number_is_an_id_where_one_is_due_unless_it_may_have_lost_digits():
    taking = [argument for argument in ARGUMENTS if argument.takes_id]

    assert len(taking) > 400
    assert {argument.tool for argument in taking} >= {*BY_NAME_OR_ID}
    assert_none(
        problem
        for argument in taking
        for value, due in (
            (4211, "4211"),
            (4211.0, "4211"),
            (2**53 - 1, str(2**53 - 1)),
            (2**53, 2**53),
            (1.104e18, 1.104e18),
            (ID, ID),
        )
        for problem in differing(argument, value, due)
    )


def test_digits_as_text_stay_text():
    assert_none(
        problem
        for argument in ARGUMENTS
        if argument.type == "string" and argument.name != "sort"
        for text in ("0491570037", "5", "5.0", "true", "Ana", " padded ")
        for problem in differing(argument, text, text)
    )


def test_a_word_for_nothing_is_text_where_it_has_a_meaning_and_absent_elsewhere():
    def due(argument: Argument, word: str) -> JsonValue:
        choices = argument.schema.get("enum")
        if isinstance(choices, list) and word.strip().casefold() in map(str.casefold, map(str, choices)):
            return next(choice for choice in choices if str(choice).casefold() == word.strip().casefold())
        if argument.takes_words or argument.needed or (argument.family and word.strip().casefold() == "none"):
            return [word.strip()] if argument.type == "array" else word
        return None if argument.changed else ABSENT

    assert_none(
        problem
        for argument in ARGUMENTS
        if not (argument.needed and argument.type != "string")
        for word in WORDS
        for problem in differing(argument, word, due(argument, word))
    )


@pytest.mark.long
def test_a_plain_spelling_stays_as_it_is():
    wrong: list[str] = []
    for operation in OPERATIONS:
        spelling = operation_spelling(operation)
        samples = {**{name: filter_samples(name, family) for name, family in operation.filters.items()}}
        samples |= {name: values for name, values in body_samples(operation).items() if name not in samples}
        for name, values in samples.items():
            for value in values:
                arguments = _json({**needed(operation), name: value})
                if value == [] and operation.shape != "update":
                    continue
                once = plain(arguments, spelling)
                same = complaints_about(operation, arguments) or operation.parse(arguments) == operation.parse(once)
                if not same or plain(once, spelling) != once:
                    wrong.append(f"{operation.name}: {name} {value!r}")

    assert_none(wrong)


def _json(arguments: object) -> dict[str, JsonValue]:
    """Arguments of samples, which are JSON, typed as such."""
    read: dict[str, JsonValue] = json.loads(json.dumps(arguments, default=dict))
    return read
