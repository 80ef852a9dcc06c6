"""Custom fields of patients: answers by token, checked against the definition in the settings.

Source: cliniko-api.md#custom-fields.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from cliniko_mcp.cliniko.fields import parse_day
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.content_errors import about
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.content import Location, objects_in
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook[RequestContext]()
FIELD: Final = "custom_fields"
CHOSEN: Final = ("checkboxes", "radiobuttons")

Problem = tuple[Location, str]


@RULES.on("patients", "create", "update")
def check_custom_fields(context: RequestContext, change: Change) -> None:
    """Only answers to the clinic's own fields are stored; those that are sent replace all others (choices 58)."""
    answers = change.body.get(FIELD)
    if not isinstance(answers, dict):
        return
    problem = next(_problems(answers, _definition(context)), None)
    if problem is not None:
        change.errors[FIELD] = about(*problem)
        return
    change.new[FIELD] = {"sections": [_section_answers(section) for section in objects_in(answers.get("sections"))]}


@RULES.serialises("patients")
def show_custom_fields(context: RequestContext, row: Row, shown: Json) -> None:
    """The clinic's whole definition with this patient's answers in it; null for a patient who never had any."""
    stored = row.get(FIELD)
    if not isinstance(stored, dict):
        return
    answers = {
        field.get("token"): field
        for section in objects_in(stored.get("sections"))
        for field in objects_in(section.get("fields"))
    }
    sections: list[JsonValue] = []
    for section in _definition(context):
        fields: list[JsonValue] = [_shown(field, answers.get(field.get("token"), {})) for field in _fields(section)]
        sections.append({**_heading(section), "fields": fields})
    shown[FIELD] = {"sections": sections}


def _definition(context: RequestContext) -> list[Json]:
    definition = context.settings().get("patient_custom_fields_definition")
    return objects_in(definition.get("sections") if isinstance(definition, dict) else None)


def _problems(answers: Json, definition: list[Json]) -> Iterator[Problem]:
    known = _by_token(definition)
    for at, section in enumerate(objects_in(answers.get("sections"))):
        location: Location = ("sections", at)
        defined = known.get(section.get("token"))
        if defined is None:
            yield (*location, "token"), INVALID
            continue
        fields = _by_token(_fields(defined))
        for number, answer in enumerate(_fields(section)):
            here: Location = (*location, "fields", number)
            field = fields.get(answer.get("token"))
            if field is None:
                yield (*here, "token"), INVALID
            else:
                yield from _answer_problems(here, answer, field)


def _answer_problems(location: Location, answer: Json, field: Json) -> Iterator[Problem]:
    field_type, value = field.get("type"), answer.get("value")
    if field_type not in CHOSEN:
        for name in ("options", "other"):
            if name in answer:
                yield (*location, name), f"is not for a field of type {field_type}"
        if field_type == "date" and isinstance(value, str) and not _is_day(value):
            yield (*location, "value"), "must be a date such as 2026-11-24"
        return
    if "value" in answer:
        yield (*location, "value"), f"is not for a field of type {field_type}"
    options, other = objects_in(answer.get("options")), answer.get("other")
    tokens = _by_token(objects_in(field.get("options")))
    for number, option in enumerate(options):
        if option.get("token") not in tokens:
            yield (*location, "options", number, "token"), INVALID
    in_own_words = isinstance(other, dict) and other.get("selected") is True
    offered = field.get("other")
    if in_own_words and not (isinstance(offered, dict) and offered.get("enabled") is True):
        yield (*location, "other"), "is not enabled"
    if field_type == "radiobuttons" and sum(option.get("selected") is True for option in options) + in_own_words > 1:
        yield (*location, "options"), "can have at most one selected in radiobuttons"


def _is_day(value: str) -> bool:
    try:
        parse_day(value)
    except ValueError:
        return False
    return True


def _section_answers(section: Json) -> Json:
    fields: list[JsonValue] = [_field_answer(field) for field in _fields(section)]
    return {"token": section.get("token"), "fields": fields}


def _field_answer(field: Json) -> Json:
    answer: Json = {name: field[name] for name in ("token", "value") if name in field}
    chosen = [option for option in objects_in(field.get("options")) if option.get("selected") is True]
    if chosen:
        answer["options"] = [{"token": option.get("token"), "selected": True} for option in chosen]
    other = field.get("other")
    if isinstance(other, dict) and other.get("selected") is True:
        answer["other"] = {name: other[name] for name in ("selected", "value") if name in other}
    return answer


def _shown(field: Json, answer: Mapping[str, JsonValue]) -> Json:
    shown: Json = {**_heading(field), "type": field.get("type")}
    if "value" in answer:
        shown["value"] = answer["value"]
    if field.get("type") in CHOSEN:
        selected = {str(option.get("token")) for option in objects_in(answer.get("options"))}
        options: list[JsonValue] = [
            {**_heading(option), **({"selected": True} if str(option.get("token")) in selected else {})}
            for option in objects_in(field.get("options"))
        ]
        shown["options"] = options
        offered, own = field.get("other"), answer.get("other")
        if isinstance(offered, dict):
            shown["other"] = {**offered, **(own if isinstance(own, dict) else {})}
    return shown


def _heading(part: Row) -> Json:
    return {"token": part.get("token"), "name": part.get("name"), "archived": part.get("archived", False)}


def _by_token(parts: list[Json]) -> dict[JsonValue, Json]:
    return {str(part.get("token")): part for part in parts}


def _fields(section: Json) -> list[Json]:
    return objects_in(section.get("fields"))
