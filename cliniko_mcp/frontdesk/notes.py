"""The content of a treatment note, filled in by question name (cliniko-api.md#structured-content): no ids, so sections
and names address it.

A document is begun from a template, or taken over from a draft. Pure functions.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final, TypeGuard, get_args

from pydantic import Field

from cliniko_mcp.cliniko.fields import parse_day
from cliniko_mcp.cliniko.shapes.content import NoteKind, RecordedContent, RecordedQuestion
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import clean, first_few

Json = dict[str, JsonValue]
ReadDay = Callable[[str], str]
"""A day as a phrase ("today", "2026-11-24") -> `YYYY-MM-DD`. Raises ValueError for what is not one day."""

KINDS: Final[tuple[NoteKind, ...]] = get_args(NoteKind)
_CHOOSING: Final[tuple[NoteKind, ...]] = ("checkboxes", "radiobuttons")
_TAGS: Final = re.compile(r"</?(?:p|div|br|ul|ol|li|blockquote|h1|h2|b|i|u|a)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?!(?:[a-zA-Z]{2,8}|#[0-9]{1,6});)")
_LINE: Final = 255


class Unanswerable(ValueError):
    """An answer that does not fit its question; the text says what would."""


@dataclass(slots=True)
class NoteChoice:
    """One of the answers to choose from."""

    value: str
    selected: bool = False

    @property
    def content(self) -> Json:
        """The choice as it is sent: `value`, and `selected` only where it is true."""
        return {"value": self.value, **({"selected": True} if self.selected else {})}


@dataclass(slots=True)
class NoteQuestion:
    """A question with what it holds so far: `answer` as it is sent, `choices`, and an answer in own words beside them.

    `own_words` is None where only the choices may be taken, and empty where that is open but not used.
    """

    name: str
    type: NoteKind
    answer: str = ""
    choices: list[NoteChoice] = field(default_factory=list[NoteChoice])
    own_words: str | None = None
    own_words_selected: bool = False
    body_chart_ids: list[str] = field(default_factory=list[str])

    @property
    def answered(self) -> bool:
        """Whether it holds any answer."""
        chosen = any(choice.selected for choice in self.choices)
        return bool(self.answer or self.body_chart_ids or self.own_words_selected or chosen)

    @property
    def content(self) -> Json:
        """The question as it is sent: `name`, `type`, and of the rest only what holds something."""
        row: Json = {"name": self.name, "type": self.type}
        if self.answer:
            row["answer"] = self.answer
        if self.choices:
            row["answers"] = [choice.content for choice in self.choices]
        if self.own_words is not None:
            other: Json = {"enabled": True}
            if self.own_words_selected:
                other["selected"] = True
                if self.own_words:
                    other["value"] = self.own_words
            row["other"] = other
        if self.body_chart_ids:
            row["body_chart_ids"] = list[JsonValue](self.body_chart_ids)
        return row


@dataclass(slots=True)
class NoteSection:
    """A section of a note: its heading and description, empty where there is none, and its questions."""

    name: str
    description: str
    questions: list[NoteQuestion]

    @property
    def content(self) -> Json:
        """The section as it is sent: `name`, `description` and `questions`, each only where there is one."""
        row: Json = {}
        if self.name:
            row["name"] = self.name
        if self.description:
            row["description"] = self.description
        if self.questions:
            row["questions"] = [question.content for question in self.questions]
        return row


class QuestionRow(AnswerModel):
    """A question to answer."""

    section: str | None = Field(default=None, description="The section it stands in.")
    name: str = Field(description="The name to answer it by.")
    type: NoteKind = Field(description="What it takes.")
    choices: list[str] | None = Field(default=None, description="The answers to choose from.")
    other: bool | None = Field(default=None, description="True where an answer in own words is taken too.")
    answered: bool | None = Field(default=None, description="True where it holds an answer already.")


@dataclass(slots=True)
class Document:
    """A note's content while it is filled in, and what of the source cannot be written here."""

    sections: list[NoteSection] = field(default_factory=list[NoteSection])
    left_out: list[str] = field(default_factory=list[str])

    @property
    def content(self) -> Json:
        """The content as it is sent: an object whose only member is `sections`."""
        return {"sections": [section.content for section in self.sections]}

    def questions(self) -> Iterator[tuple[str, NoteQuestion]]:
        """Every question with the name of its section, in order."""
        for section in self.sections:
            for question in section.questions:
                yield section.name, question

    def names(self) -> dict[str, NoteQuestion]:
        """What each question may be called, folded: its name, with its section's name before it, with a number
        after it where there are several. A name that several share stands for none of them."""
        found: dict[str, list[NoteQuestion]] = {}
        for section, question in self.questions():
            name = fold(question.name)
            for key in dict.fromkeys((name, fold(f"{section} {name}"))):
                found.setdefault(key, []).append(question)
        every = {key: questions[0] for key, questions in found.items() if len(questions) == 1}
        for key, questions in found.items():
            if len(questions) > 1:
                numbered = {f"{key} {number}": question for number, question in enumerate(questions, 1)}
                every.update({name: question for name, question in numbered.items() if name not in found})
        return every

    def shared(self) -> frozenset[str]:
        """Folded names that several questions have, so that the section has to be named too."""
        names = [fold(question.name) for _, question in self.questions()]
        return frozenset(name for name in names if names.count(name) > 1)

    def called(self, question: NoteQuestion) -> str:
        """A question's name as it may be given, with its section's where the name alone stands for several."""
        name, shared = question.name, self.shared()
        section = next(section for section, other in self.questions() if other is question)
        return clean(f"{section}: {name}" if section and fold(name) in shared else name, 120)

    def open(self) -> list[str]:
        """The questions that hold no answer."""
        return [self.called(question) for _, question in self.questions() if not question.answered]

    def in_own_words(self) -> list[str]:
        """The questions answered beside their choices."""
        return [self.called(question) for _, question in self.questions() if question.own_words_selected]

    def listed(self) -> list[QuestionRow]:
        """A row for each question, in order; see `QuestionRow`."""
        return [_listed(section, question) for section, question in self.questions()]


def document_of(content: RecordedContent | None) -> Document:
    """A document of a template's or a draft's questions with the answers they hold so far."""
    document = Document()
    for section in (content.sections if content else None) or ():
        kept: list[NoteQuestion] = []
        for recorded in section.questions or ():
            if (question := _question(recorded)) is not None:
                kept.append(question)
            else:
                document.left_out.append(clean(recorded.name or recorded.type or "a question", 80))
        name, description = section.name or "", section.description or ""
        part = NoteSection(name if name.strip() else "", description if description.strip() else "", kept)
        if part.content:
            document.sections.append(part)
    return document


def _question(recorded: RecordedQuestion) -> NoteQuestion | None:
    """The question to fill in; None for one that a note cannot hold."""
    if not _is_kind(recorded.type) or not recorded.name:
        return None
    question = NoteQuestion(recorded.name, recorded.type, body_chart_ids=list(recorded.body_chart_ids or ()))
    if isinstance(recorded.answer, str) and recorded.answer.strip():
        question.answer = recorded.answer
    if question.type in _CHOOSING:
        question.choices = [
            NoteChoice(choice.value, bool(choice.selected)) for choice in recorded.answers or () if choice.value
        ]
        if recorded.other is not None and recorded.other.enabled:
            question.own_words_selected = bool(recorded.other.selected)
            question.own_words = (recorded.other.value or "") if recorded.other.selected else ""
    return question


def _is_kind(kind: str | None) -> TypeGuard[NoteKind]:
    return kind in KINDS


def _listed(section: str, question: NoteQuestion) -> QuestionRow:
    return QuestionRow(
        section=clean(section, 80) if section else None,
        name=clean(question.name, 120),
        type=question.type,
        choices=[clean(choice.value, 60) for choice in question.choices] or None,
        other=True if question.own_words is not None else None,
        answered=True if question.answered else None,
    )


def fill(document: Document, answers: Mapping[str, object], read_day: ReadDay) -> tuple[list[str], dict[str, str]]:
    """Put each answer where its question is: the names of the questions answered, and what was wrong, by name.

    Nothing of a document with something wrong is to be sent.
    """
    names, shared = document.names(), document.shared()
    done: list[str] = []
    seen: list[NoteQuestion] = []
    wrong: dict[str, str] = {}
    for name, value in answers.items():
        question = names.get(fold(name))
        if question is None:
            also = "stands in several sections; say the section before it" if fold(name) in shared else None
            wrong[clean(name, 80)] = also or f"is no question here; there are {_some(document)}"
            continue
        if any(question is other for other in seen):
            wrong[clean(name, 80)] = "is answered twice"
            continue
        try:
            _answer(question, value, read_day)
        except ValueError as problem:
            wrong[clean(name, 80)] = str(problem)
        else:
            seen.append(question)
            done.append(document.called(question))
    return done, wrong


def _some(document: Document) -> str:
    names = [clean(question.name, 60) for _, question in document.questions()]
    return first_few(names, 12) or "none"


def _answer(question: NoteQuestion, value: object, read_day: ReadDay) -> None:
    match question.type:
        case "text":
            question.answer = " ".join(_written(value).split())
        case "paragraph":
            question.answer = as_html(_written(value))
        case "date":
            question.answer = _day(_written(value), read_day)
        case "checkboxes":
            _choose(question, [_written(choice) for choice in _values(value)])
        case "radiobuttons":
            _choose(question, [_one(value)])
        case "bodycharts":
            ids = [_written(chart) for chart in _values(value)]
            if not all(chart.isascii() and chart.isdigit() and len(chart) <= 20 for chart in ids):
                raise Unanswerable("takes ids of body charts; they are drawn in Cliniko itself")
            question.body_chart_ids = ids


def _written(value: object) -> str:
    match value:
        case bool():
            return "Yes" if value else "No"
        case int() | float():
            return str(value)
        case str() if value.strip():
            return value.strip()
        case _:
            raise Unanswerable("must be text; leave out what has no answer")


def _values(value: object) -> list[object]:
    values: list[object] = [*value] if isinstance(value, list) else [value]
    if not values:
        raise Unanswerable("must not be empty; leave out what has no answer")
    return values


def _one(value: object) -> str:
    values: list[object] = [*value] if isinstance(value, list) else [value]
    if len(values) != 1:
        raise Unanswerable("takes one answer")
    return _written(values[0])


def _day(phrase: str, read_day: ReadDay) -> str:
    try:
        return parse_day(phrase).isoformat()
    except ValueError:
        return read_day(phrase)


def _choose(question: NoteQuestion, answers: list[str]) -> None:
    offered = {fold(choice.value): choice.value for choice in question.choices}
    known = [offered[fold(answer)] for answer in answers if fold(answer) in offered]
    own = [answer for answer in answers if fold(answer) not in offered]
    if own and question.own_words is None:
        values = ", ".join(choice.value for choice in question.choices[:15])
        raise Unanswerable(f"must be {'one' if len(answers) == 1 else 'some'} of {values}")
    if len(own) > 1 or (own and len(own[0]) > _LINE):
        raise Unanswerable(f"takes one answer in own words, of at most {_LINE} characters, beside the choices")
    question.choices = [NoteChoice(choice.value, choice.value in known) for choice in question.choices]
    if question.own_words is not None:
        question.own_words = own[0] if own else ""
        question.own_words_selected = bool(own)


def as_html(text: str) -> str:
    """A paragraph's answer: HTML of the allowed tags stays, every other `<` and `&` is written out; plain text keeps
    its paragraphs and line breaks."""
    if not _TAGS.search(text):
        parts = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
        return "".join(f"<p>{'<br>'.join(escape(part.strip(), quote=False).splitlines())}</p>" for part in parts)
    pieces: list[str] = []
    last = 0
    for tag in _TAGS.finditer(text):
        pieces += [_escaped(text[last : tag.start()]), tag.group()]
        last = tag.end()
    return "".join([*pieces, _escaped(text[last:])])


def _escaped(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
