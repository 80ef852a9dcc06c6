"""Custom fields of patients: answers by token, held against the definition in the settings (api.md 3.5)."""

from collections.abc import Iterator, Mapping
from typing import Final

from cliniko_mcp.cliniko.fields import parse_day
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.content_errors import about
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook()
FIELD: Final = "custom_fields"
CHOSEN: Final = ("checkboxes", "radiobuttons")

Place = tuple[str | int, ...]
Complaint = tuple[Place, str]


@RULES.on("patients", "create", "update")
def check_custom_fields(context: RequestContext, change: Change) -> None:
    """Only answers are kept, and only to what the clinic asks; what was sent replaces all there was (choices 58)."""
    given = change.given.get(FIELD)
    if not isinstance(given, dict):
        return
    complaint = next(_complaints(given, _definition(context)), None)
    if complaint is not None:
        change.errors[FIELD] = about(*complaint)
        return
    change.new[FIELD] = {"sections": [_section_answers(each) for each in _objects(given.get("sections"))]}


@RULES.presents("patients")
def show_custom_fields(context: RequestContext, row: Row, shown: Json) -> None:
    """The clinic's whole definition with this patient's answers in it; null for a patient who never had any."""
    kept = row.get(FIELD)
    if not isinstance(kept, dict):
        return
    answers = {
        field.get("token"): field
        for section in _objects(kept.get("sections"))
        for field in _objects(section.get("fields"))
    }
    sections: list[JsonValue] = []
    for section in _definition(context):
        fields: list[JsonValue] = [_shown(field, answers.get(field.get("token"), {})) for field in _fields(section)]
        sections.append({**_heading(section), "fields": fields})
    shown[FIELD] = {"sections": sections}


def _definition(context: RequestContext) -> list[Json]:
    definition = context.settings().get("patient_custom_fields_definition")
    return _objects(definition.get("sections") if isinstance(definition, dict) else None)


def _complaints(given: Json, definition: list[Json]) -> Iterator[Complaint]:
    known = _by_token(definition)
    for at, section in enumerate(_objects(given.get("sections"))):
        place: Place = ("sections", at)
        asked = known.get(section.get("token"))
        if asked is None:
            yield (*place, "token"), INVALID
            continue
        fields = _by_token(_fields(asked))
        for number, answer in enumerate(_fields(section)):
            here: Place = (*place, "fields", number)
            field = fields.get(answer.get("token"))
            if field is None:
                yield (*here, "token"), INVALID
            else:
                yield from _answer_complaints(here, answer, field)


def _answer_complaints(place: Place, answer: Json, field: Json) -> Iterator[Complaint]:
    kind, value = field.get("type"), answer.get("value")
    if kind not in CHOSEN:
        for name in ("options", "other"):
            if name in answer:
                yield (*place, name), f"is not for a field of type {kind}"
        if kind == "date" and isinstance(value, str) and not _is_day(value):
            yield (*place, "value"), "must be a date such as 2026-11-24"
        return
    if "value" in answer:
        yield (*place, "value"), f"is not for a field of type {kind}"
    options, other = _objects(answer.get("options")), answer.get("other")
    tokens = _by_token(_objects(field.get("options")))
    for number, option in enumerate(options):
        if option.get("token") not in tokens:
            yield (*place, "options", number, "token"), INVALID
    in_own_words = isinstance(other, dict) and other.get("selected") is True
    offered = field.get("other")
    if in_own_words and not (isinstance(offered, dict) and offered.get("enabled") is True):
        yield (*place, "other"), "is not enabled"
    if kind == "radiobuttons" and sum(each.get("selected") is True for each in options) + in_own_words > 1:
        yield (*place, "options"), "can have at most one selected in radiobuttons"


def _is_day(value: str) -> bool:
    try:
        parse_day(value)
    except ValueError:
        return False
    return True


def _section_answers(section: Json) -> Json:
    fields: list[JsonValue] = [_field_answer(each) for each in _fields(section)]
    return {"token": section.get("token"), "fields": fields}


def _field_answer(field: Json) -> Json:
    kept: Json = {name: field[name] for name in ("token", "value") if name in field}
    chosen = [each for each in _objects(field.get("options")) if each.get("selected") is True]
    if chosen:
        kept["options"] = [{"token": each.get("token"), "selected": True} for each in chosen]
    other = field.get("other")
    if isinstance(other, dict) and other.get("selected") is True:
        kept["other"] = {name: other[name] for name in ("selected", "value") if name in other}
    return kept


def _shown(field: Json, answer: Mapping[str, JsonValue]) -> Json:
    shown: Json = {**_heading(field), "type": field.get("type")}
    if "value" in answer:
        shown["value"] = answer["value"]
    if field.get("type") in CHOSEN:
        selected = {str(each.get("token")) for each in _objects(answer.get("options"))}
        options: list[JsonValue] = [
            {**_heading(each), **({"selected": True} if str(each.get("token")) in selected else {})}
            for each in _objects(field.get("options"))
        ]
        shown["options"] = options
        offered, told = field.get("other"), answer.get("other")
        if isinstance(offered, dict):
            shown["other"] = {**offered, **(told if isinstance(told, dict) else {})}
    return shown


def _heading(part: Row) -> Json:
    return {"token": part.get("token"), "name": part.get("name"), "archived": part.get("archived", False)}


def _by_token(parts: list[Json]) -> dict[JsonValue, Json]:
    return {str(part.get("token")): part for part in parts}


def _fields(section: Json) -> list[Json]:
    return _objects(section.get("fields"))


def _objects(value: JsonValue) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
