"""Structured content of all four documents: sanitised before it is stored, copied from a template
(cliniko-api.md#structured-content).

The models in `cliniko_mcp.cliniko.shapes.content` decide what may be sent at all, when the body is validated.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.content_errors import EMPTY, about
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook[RequestContext]()

DOCUMENTS: Final = ("treatment_notes", "treatment_note_templates", "patient_forms", "patient_form_templates")
ALLOWED_TAGS: Final = frozenset({"p", "div", "br", "ul", "ol", "li", "blockquote", "h1", "h2", "b", "i", "u", "a"})
"""The HTML that a paragraph may hold; anything else is dropped (cliniko-api.md#values)."""

_SPACING: Final = re.compile(r"[\r\n\t]+")
Location = tuple[str | int, ...]


@RULES.on(DOCUMENTS, "create", "update")
def clean_content(context: RequestContext, change: Change) -> None:
    """Paragraphs keep only the allowed HTML, text is one plain line; an answer that is empty then is refused."""
    if not change.sets("content"):
        return
    content = deepcopy(change.new.get("content"))
    for location, question in questions(content):
        answer = question.get("answer")
        if not isinstance(answer, str):
            continue
        question["answer"] = cleaned = _clean(question.get("type"), answer)
        if not cleaned.strip():
            change.errors["content"] = about((*location, "answer"), EMPTY)
    change.new["content"] = content


def _clean(question_type: JsonValue, answer: str) -> str:
    if question_type == "paragraph":
        return sanitised(answer)
    if question_type == "text":
        return " ".join(line for part in _SPACING.split(answer) if (line := part.strip()))
    return answer


def sanitised(html: str) -> str:
    """The HTML with only the allowed tags and without line breaks or tabs."""
    import nh3

    return nh3.clean(
        _SPACING.sub("", html), tags=set(ALLOWED_TAGS), attributes={"a": {"href"}}, link_rel=None, strip_comments=True
    )


def questions(content: JsonValue) -> Iterator[tuple[Location, Json]]:
    """Every question of a document with its location, whatever its type."""
    for at, section in enumerate(objects_in(content.get("sections") if isinstance(content, dict) else None)):
        for number, question in enumerate(objects_in(section.get("questions"))):
            yield ("sections", at, "questions", number), question


def objects_in(value: JsonValue) -> list[Json]:
    """The objects in a list; none in anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def unanswered(content: JsonValue) -> Iterator[Location]:
    """The locations of the required questions without an answer."""
    for location, question in questions(content):
        if question.get("required") is True and not _answered(question):
            yield location


def _answered(question: Json) -> bool:
    other = question.get("other")
    in_own_words = isinstance(other, dict) and other.get("selected") is True
    chosen = any(choice.get("selected") is True for choice in objects_in(question.get("answers")))
    return in_own_words or chosen or any(question.get(name) for name in ("answer", "signature", "signature_id"))


def start_from(context: RequestContext, change: Change, templates: str, template_field: str, *names: str) -> None:
    """Copy the content and these other fields of the template into a new document, unless they were sent."""
    template = context.get(templates, change.new.get(template_field))
    if template is None:
        return
    if not change.sets("content"):
        change.new["content"] = deepcopy(template.get("content"))
    for name in names:
        if not change.sets(name):
            change.new[name] = template.get(name)
