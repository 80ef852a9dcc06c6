"""Answers as structured content: the one writer of questions and answers, the other way of the reader in `answers`
(cliniko-api.md#structured-content).

A document is begun from a template, or taken over from a draft. What is written reads back as the same questions and
answers; a question that could not be is left out by its name. Pure functions.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, TypeGuard, get_args

from cliniko_mcp.cliniko.shapes.answers import QuestionAnswer, questions_and_answers
from cliniko_mcp.cliniko.shapes.content import NoteKind, RecordedContent, RecordedQuestion
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sanitize import clean

Json = dict[str, JsonValue]

_KINDS: Final[tuple[NoteKind, ...]] = get_args(NoteKind)
_CHOOSING: Final[tuple[NoteKind, ...]] = ("checkboxes", "radiobuttons")
_NAME_LENGTH: Final = 80
_TAGS: Final = re.compile(r"</?(?:p|div|br|ul|ol|li|blockquote|h1|h2|b|i|u|a)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?!(?:[a-zA-Z]{2,8}|#[0-9]{1,6});)")


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

    def write(self, text: str) -> None:
        """Answer in text: one line, a paragraph as HTML, or a day as `YYYY-MM-DD`."""
        match self.type:
            case "text":
                self.answer = " ".join(text.split())
            case "paragraph":
                self.answer = as_html(text)
            case _:
                self.answer = text

    def choose(self, places: Sequence[int], own_words: str | None = None) -> None:
        """Answer with the choices at these places alone, and in own words; empty own words tick "Other" without any."""
        self.choices = [NoteChoice(choice.value, place in places) for place, choice in enumerate(self.choices)]
        if self.own_words is not None:
            self.own_words = own_words or ""
            self.own_words_selected = own_words is not None


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


@dataclass(slots=True)
class Document:
    """A note's content while it is filled in, and what of the source cannot be written here."""

    sections: list[NoteSection] = field(default_factory=list[NoteSection])
    left_out: list[str] = field(default_factory=list[str])
    """The names of the questions that could not be written as they were read."""

    @property
    def content(self) -> Json:
        """The content as it is sent: an object whose only member is `sections`."""
        return {"sections": [section.content for section in self.sections]}

    def questions(self) -> Iterator[tuple[str, NoteQuestion]]:
        """Every question with the name of its section, in order."""
        for section in self.sections:
            for question in section.questions:
                yield section.name, question

    def answers(self) -> Iterator[tuple[NoteQuestion, str]]:
        """Every question with its answer in words as the reader has it, in order; empty where there is none."""
        for section in self.sections:
            pairs = questions_and_answers({"sections": [section.content]})
            for question, pair in zip(section.questions, pairs, strict=True):
                yield question, pair.answer


def document_of(content: RecordedContent | None) -> Document:
    """A document of a template's or a draft's questions with the answers they hold so far."""
    document = Document()
    for section in (content.sections if content else None) or ():
        kept = [
            question
            for recorded in section.questions or ()
            if (question := _question(recorded)) is not None and _reads_alike(recorded, question)
        ]
        name, description = section.name or "", section.description or ""
        part = NoteSection(name if name.strip() else "", description if description.strip() else "", kept)
        if part.content:
            document.sections.append(part)
    missing = Counter(questions_and_answers(content)) - Counter(questions_and_answers(document.content))
    document.left_out = [_called(pair) for pair in missing.elements()]
    return document


def _question(recorded: RecordedQuestion) -> NoteQuestion | None:
    """The question to fill in; None for one that a note cannot hold."""
    if not _is_kind(recorded.type) or not (recorded.name or "").strip():
        return None
    question = NoteQuestion(recorded.name or "", recorded.type, body_chart_ids=list(recorded.body_chart_ids or ()))
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


def _reads_alike(recorded: RecordedQuestion, question: NoteQuestion) -> bool:
    """Whether nothing of the question is lost on the way: the reader finds the same before and after."""
    before, after = (
        list(questions_and_answers({"sections": [{"questions": [content]}]}))
        for content in (recorded.as_json(), question.content)
    )
    return before == after


def _is_kind(kind: str | None) -> TypeGuard[NoteKind]:
    return kind in _KINDS


def _called(pair: QuestionAnswer) -> str:
    return clean(pair.question or pair.section or "a question", _NAME_LENGTH)


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
