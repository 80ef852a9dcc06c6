"""The questions and answers of structured content and custom fields, as text (cliniko-api.md#structured-content).

One reader for treatment notes, patient forms, the templates of both, and patients' custom fields. It takes a record or
the JSON that Cliniko sent, so that content with something unexpected in it is read as well. Pure functions.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeGuard

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.sanitize import clean, counted, plain

UNREAD: Final = "(not read here)"
"""Stands where there may be an answer, in a build that this reader does not know."""
_WORDLESS: Final = "(no words)"
_SIGNED: Final = "signed"
_NOT_SIGNED: Final = "not signed"
EMPTY: Final = frozenset({_WORDLESS, _NOT_SIGNED})
"""Answers that only say that there is none."""
_OWN_WORDS: Final = "Other"
_LINE_BREAK: Final = "\n  "
"""An answer's further lines are set in, so that none of them passes for a question."""
_ANSWER_FIELDS: Final = ("answer", "value")
_CHOICE_FIELDS: Final = ("answers", "options")
_KNOWN_TYPES: Final = frozenset(
    {
        "address",
        "bodycharts",
        "checkboxes",
        "date",
        "full_name",
        "paragraph",
        "phone",
        "pronouns",
        "radiobuttons",
        "select",
        "signature",
        "text",
    }
)
_KNOWN_FIELDS: Final = frozenset(
    {
        *_ANSWER_FIELDS,
        *_CHOICE_FIELDS,
        "archived",
        "body_chart_ids",
        "custom_field_token",
        "description",
        "name",
        "other",
        "patient_field_connection",
        "required",
        "signature",
        "signature_id",
        "token",
        "type",
    }
)
"""Fields of a question that are read, and those that hold no answer; in a question of another type, any other field may
be its answer."""
_LEFT_OUT_LENGTH: Final = 80
"""Room kept for the sentence that says what was left out."""


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """A question, the section it stands in, and its answer in words; `answer` is empty where there is none."""

    section: str
    question: str
    answer: str
    parts: tuple[str, ...] = field(default=(), compare=False)
    """The answer one by one, as where several choices are ticked."""
    token: str = field(default="", compare=False)
    """What a custom field is known by; empty for other questions."""

    @property
    def written(self) -> str:
        """What somebody wrote or chose; empty where the answer only says that there is none, or that it is not read."""
        return "" if self.answer in {*EMPTY, UNREAD, _SIGNED} else self.answer


@dataclass(frozen=True, slots=True)
class AnswerText:
    """Content as text, and whether answers or names of questions were left out of it."""

    text: str
    cut: bool = False


def answer_text(content: object, limit: int, *, lines: bool = False) -> AnswerText:
    """The content as `Question: answer`, of at most `limit` characters, with the questions without an answer at the
    end; on one line, or with `lines` on a line each. What does not fit is left out by whole answers, and counted."""
    separator = "\n" if lines else " / "
    if isinstance(content, str):
        written = plain(content)
        words = clean(written, limit, lines=lines)
        return AnswerText(words, cut=words != clean(written, lines=lines))
    found = list(questions_and_answers(content))
    names = _names(found)
    parts = [f"{name}: {_laid_out(pair.answer, lines)}" for name, pair in zip(names, found, strict=True) if pair.answer]
    unanswered = [name for name, pair in zip(names, found, strict=True) if not pair.answer]
    whole = separator.join([*parts, *([f"No answer: {', '.join(unanswered)}"] if unanswered else [])])
    if len(whole) <= limit:
        return AnswerText(whole)
    return AnswerText(_cut(parts, len(unanswered), separator, limit), cut=True)


def _cut(parts: Sequence[str], unanswered: int, separator: str, limit: int) -> str:
    room = limit - _LEFT_OUT_LENGTH
    kept: list[str] = []
    for part in parts:
        if sum(map(len, kept)) + len(kept) * len(separator) + len(part) > room:
            break
        kept.append(part)
    begun = not kept and bool(parts) and room > 1
    if begun:
        kept.append(parts[0][: room - 1].rstrip() + "…")
    more = [f"{counted(left, 'more answer')} left out"] if (left := len(parts) - len(kept)) else []
    if unanswered:
        more.append(f"{unanswered} without an answer")
    if more:
        kept.append(f"({', '.join(more)}) …")
    text = separator.join(kept)
    return text if len(text) <= limit else clean(text, limit, lines="\n" in separator)


def _laid_out(answer: str, lines: bool) -> str:
    return _LINE_BREAK.join(filter(None, answer.split("\n"))) if lines else " ".join(answer.split())


def _names(found: Sequence[QuestionAnswer]) -> list[str]:
    """What each question is called: with its section where several share the name, by its section where it has none."""
    times = Counter(pair.question.casefold() for pair in found)
    return [
        f"{pair.section}: {pair.question}"
        if pair.section and pair.question and times[pair.question.casefold()] > 1
        else pair.question or pair.section or "Question without a name"
        for pair in found
    ]


def questions_and_answers(content: object) -> Iterator[QuestionAnswer]:
    """Every question of the content in its order; nothing where there is no content.

    A custom field that was archived is passed over unless it is answered. Content or a section of an unknown build
    counts as one question whose answer is not read.
    """
    content = _json(content)
    if content is None:
        return
    sections = content.get("sections") if _is_object(content) else content
    if not _is_list(sections):
        if content not in ({}, {"sections": None}):
            yield QuestionAnswer("", "Content", _words(content) or UNREAD)
        return
    for section in sections:
        if not _is_object(section):
            if section is not None:
                yield QuestionAnswer("", "Section", _words(section) or UNREAD)
            continue
        name = _line(section.get("name"))
        for part in ("questions", "fields"):
            yield from _questions(name, section.get(part), archived=section.get("archived") is True)


def _questions(section: str, questions: object, *, archived: bool) -> Iterator[QuestionAnswer]:
    if questions is None:
        return
    for question in questions if _is_list(questions) else [questions]:
        if not _is_object(question):
            if question is not None:
                yield QuestionAnswer(section, "", _words(question) or UNREAD)
            continue
        parts = _parts(question)
        if parts or not (archived or question.get("archived") is True):
            name, token = _line(question.get("name")), _line(question.get("token"))
            yield QuestionAnswer(section, name, "; ".join(parts), parts, token)


def _parts(question: Mapping[str, object]) -> tuple[str, ...]:
    """The answers in words, none where there is none."""
    if question.get("type") == "signature" or question.get("signature") or question.get("signature_id"):
        signed = any(question.get(name) for name in ("signature", "signature_id", *_ANSWER_FIELDS))
        return (_SIGNED if signed else _NOT_SIGNED,)
    parts = [_written(question.get(name), question.get("type")) for name in _ANSWER_FIELDS]
    for name in _CHOICE_FIELDS:
        parts += _chosen(question.get(name), offered=name == "options")
    parts.append(_own_words(question.get("other")))
    if charts := question.get("body_chart_ids"):
        parts.append(f"body chart {_words(charts)}")
    parts = [part for part in parts if part]
    if parts or question.get("type") in _KNOWN_TYPES:
        return tuple(parts)
    unknown = any(value not in (None, "") for name, value in question.items() if name not in _KNOWN_FIELDS)
    return (UNREAD,) if unknown else ()


def _written(value: object, kind: object) -> str:
    if isinstance(value, str):
        # Only paragraphs are HTML; elsewhere "<" and ">" are what was typed.
        words = plain(value) if kind == "paragraph" or not isinstance(kind, str) else clean(value, lines=True)
        return words or (_WORDLESS if value.strip() else "")
    return _words(value)


def _chosen(choices: object, *, offered: bool) -> Iterator[str]:
    """The choices that are selected. Options that are only names are those offered, not an answer."""
    if choices is None:
        return
    if not _is_list(choices):
        yield "" if offered else _words(choices) or UNREAD
        return
    for choice in choices:
        if not _is_object(choice):
            if not offered and choice is not None:
                yield UNREAD
        elif choice.get("selected"):
            names = (_line(choice.get(name)) for name in ("value", "name", "token"))
            yield next((name for name in names if name), "") or UNREAD


def _own_words(other: object) -> str:
    if not _is_object(other):
        return _words(other) and f"{_OWN_WORDS}: {_words(other)}"
    words = _line(other.get("value"))
    if other.get("selected") is False or not (words or other.get("selected")):
        return ""
    return f"{_OWN_WORDS}: {words}" if words else _OWN_WORDS


def _words(value: object) -> str:
    """The words of any other answer, such as an address, telephone numbers, a name or pronouns, in their order."""
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case str():
            return clean(value)
        case _ if _is_object(value):
            return ", ".join(words for part in value.values() if (words := _words(part)))
        case _ if _is_list(value):
            nested = any(_is_object(part) for part in value)
            return ("; " if nested else ", ").join(words for part in value if (words := _words(part)))
        case _:
            return clean(str(value))


def _line(value: object) -> str:
    return clean(value) if isinstance(value, str) else _words(value)


def _json(content: object) -> object:
    return content.as_json() if isinstance(content, Record) else content


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)
