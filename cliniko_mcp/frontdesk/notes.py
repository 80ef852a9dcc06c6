"""A treatment note filled in by what people say: which question, which choice and which day is meant. Pure functions.

No ids: sections and names address a question. The content itself is written by `cliniko.shapes.written_answers`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import parse_day
from cliniko_mcp.cliniko.shapes.content import NoteKind
from cliniko_mcp.cliniko.shapes.written_answers import Document, NoteQuestion
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import clean, first_few

ReadDay = Callable[[str], str]
"""A day as a phrase ("today", "2026-11-24") -> `YYYY-MM-DD`. Raises ValueError for what is not one day."""

_LINE: Final = 255
_OTHER: Final = re.compile(r"other(?:\s*:\s*(.*))?", re.IGNORECASE | re.DOTALL)
"""An answer in own words as answers print it: "Other: Latex", or "Other" alone."""
_BETWEEN: Final = re.compile(r"\s*[;,]\s*")


class Unanswerable(ValueError):
    """An answer that does not fit its question; the text says what would."""


class QuestionRow(AnswerModel):
    """A question to answer."""

    section: str | None = Field(default=None, description="The section it stands in.")
    name: str = Field(description="The name to answer it by.")
    type: NoteKind = Field(description="What it takes.")
    choices: list[str] | None = Field(default=None, description="The answers to choose from.")
    other: bool | None = Field(default=None, description="True where an answer in own words is taken too.")
    answered: bool | None = Field(default=None, description="True where it holds an answer already.")


def question_names(document: Document) -> dict[str, NoteQuestion]:
    """What each question may be called, folded: its name, with its section's name before it, with a number
    after it where there are several. A name that several share stands for none of them."""
    found: dict[str, list[NoteQuestion]] = {}
    for section, question in document.questions():
        name = fold(question.name)
        for key in dict.fromkeys((name, fold(f"{section} {name}"))):
            found.setdefault(key, []).append(question)
    every = {key: questions[0] for key, questions in found.items() if len(questions) == 1}
    for key, questions in found.items():
        if len(questions) > 1:
            numbered = {f"{key} {number}": question for number, question in enumerate(questions, 1)}
            every.update({name: question for name, question in numbered.items() if name not in found})
    return every


def _shared(document: Document) -> frozenset[str]:
    """Folded names that several questions have, so that the section has to be named too."""
    names = [fold(question.name) for _, question in document.questions()]
    return frozenset(name for name in names if names.count(name) > 1)


def called(document: Document, question: NoteQuestion) -> str:
    """A question's name as it may be given, with its section's where the name alone stands for several."""
    name, shared = question.name, _shared(document)
    section = next(section for section, other in document.questions() if other is question)
    return clean(f"{section}: {name}" if section and fold(name) in shared else name, 120)


def unanswered(document: Document) -> list[str]:
    """The questions that hold no answer."""
    return [called(document, question) for _, question in document.questions() if not question.answered]


def in_own_words(document: Document) -> list[str]:
    """The questions answered beside their choices."""
    return [called(document, question) for _, question in document.questions() if question.own_words_selected]


def listed(document: Document) -> list[QuestionRow]:
    """A row for each question, in order; see `QuestionRow`."""
    return [_listed(section, question) for section, question in document.questions()]


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
    names, shared = question_names(document), _shared(document)
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
            done.append(called(document, question))
    return done, wrong


def _some(document: Document) -> str:
    names = [clean(question.name, 60) for _, question in document.questions()]
    return first_few(names, 12) or "none"


def _answer(question: NoteQuestion, value: object, read_day: ReadDay) -> None:
    match question.type:
        case "text" | "paragraph":
            question.write(_written(value))
        case "date":
            question.write(_day(_written(value), read_day))
        case "checkboxes":
            _choose(question, _several(question, [_written(choice) for choice in _values(value)]))
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


def _several(question: NoteQuestion, answers: list[str]) -> list[str]:
    """The answers, one text taken apart where all its parts are choices, as in "Ice; Rest"."""
    parts = _BETWEEN.split(answers[0])
    taken_apart = len(answers) == 1 and _place(question, answers[0]) is None
    return parts if taken_apart and all(_place(question, part) is not None for part in parts) else answers


def _place(question: NoteQuestion, answer: str) -> int | None:
    """Which choice is meant, counted from 0: the very same words before those that only look alike."""
    values = [choice.value for choice in question.choices]
    if answer in values:
        return values.index(answer)
    folded = [fold(value) for value in values]
    return folded.index(fold(answer)) if fold(answer) in folded else None


def _choose(question: NoteQuestion, answers: Sequence[str]) -> None:
    places = [_place(question, answer) for answer in answers]
    own = [answer for answer, place in zip(answers, places, strict=True) if place is None]
    if own and question.own_words is None:
        values = ", ".join(choice.value for choice in question.choices[:15])
        raise Unanswerable(f"must be {'one' if len(answers) == 1 else 'some'} of {values}")
    words = [(match[1] or "").strip() if (match := _OTHER.fullmatch(answer)) else answer for answer in own]
    if len(words) > 1 or any(len(answer) > _LINE for answer in words):
        raise Unanswerable(f"takes one answer in own words, of at most {_LINE} characters, beside the choices")
    question.choose([place for place in places if place is not None], words[0] if words else None)
