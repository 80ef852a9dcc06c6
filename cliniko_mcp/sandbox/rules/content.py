"""Structured content of all four documents: made clean before it is kept, taken over from a template (api.md 3.4).

What may be sent at all is said by the models of `cliniko_mcp.cliniko.shapes.content`, when the body is read.
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

RULES: Final = Rulebook()

DOCUMENTS: Final = ("treatment_notes", "treatment_note_templates", "patient_forms", "patient_form_templates")
ALLOWED_TAGS: Final = frozenset({"p", "div", "br", "ul", "ol", "li", "blockquote", "h1", "h2", "b", "i", "u", "a"})
"""The HTML that a paragraph may hold; anything else is dropped (api.md 1.6)."""

_SPACING: Final = re.compile(r"[\r\n\t]+")
Place = tuple[str | int, ...]


@RULES.on(DOCUMENTS, "create", "update")
def clean_content(context: RequestContext, change: Change) -> None:
    """Paragraphs keep the allowed HTML only, text is one plain line; what holds nothing then is refused."""
    if not change.gives("content"):
        return
    content = deepcopy(change.new.get("content"))
    for place, question in questions(content):
        answer = question.get("answer")
        if not isinstance(answer, str):
            continue
        question["answer"] = cleaned = _clean(question.get("type"), answer)
        if not cleaned.strip():
            change.errors["content"] = about((*place, "answer"), EMPTY)
    change.new["content"] = content


def _clean(kind: JsonValue, answer: str) -> str:
    if kind == "paragraph":
        return sanitised(answer)
    if kind == "text":
        return " ".join(line for part in _SPACING.split(answer) if (line := part.strip()))
    return answer


def sanitised(html: str) -> str:
    """The same text with the allowed tags only and without line breaks or tabs of its own."""
    import nh3

    return nh3.clean(
        _SPACING.sub("", html), tags=set(ALLOWED_TAGS), attributes={"a": {"href"}}, link_rel=None, strip_comments=True
    )


def questions(content: JsonValue) -> Iterator[tuple[Place, Json]]:
    """Every question of a document with its place, whatever kind it is of."""
    for at, section in enumerate(_objects(content.get("sections") if isinstance(content, dict) else None)):
        for number, question in enumerate(_objects(section.get("questions"))):
            yield ("sections", at, "questions", number), question


def _objects(value: JsonValue) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def unanswered(content: JsonValue) -> Iterator[Place]:
    """The places of the required questions that hold no answer."""
    for place, question in questions(content):
        if question.get("required") is True and not _answered(question):
            yield place


def _answered(question: Json) -> bool:
    other = question.get("other")
    in_own_words = isinstance(other, dict) and other.get("selected") is True
    chosen = any(each.get("selected") is True for each in _objects(question.get("answers")))
    return in_own_words or chosen or any(question.get(name) for name in ("answer", "signature", "signature_id"))


def start_from(context: RequestContext, change: Change, templates: str, template_field: str, *names: str) -> None:
    """Let a new document begin as its template does: the content, and these other fields, unless they were sent."""
    template = context.get(templates, change.new.get(template_field))
    if template is None:
        return
    if not change.gives("content"):
        change.new["content"] = deepcopy(template.get("content"))
    for name in names:
        if not change.gives(name):
            change.new[name] = template.get(name)
