"""The content of a treatment note, filled in by question name (api.md 3.4): no ids, so sections and names address it.

A document here is the content as plain JSON: begun from a template, or taken over from a draft. Pure functions.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final, cast

from cliniko_mcp.cliniko.fields import parse_day
from cliniko_mcp.cliniko.shapes.content import NoteKind, RecordedContent, RecordedQuestion
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.sanitize import clean, plain

Json = dict[str, JsonValue]
ReadDay = Callable[[str], str]
"""A day as said ("today", "2026-11-24") -> `YYYY-MM-DD`. Raises ValueError for what is not one day."""

KINDS: Final[tuple[str, ...]] = cast("tuple[str, ...]", NoteKind.__args__)  # pyright: ignore[reportAttributeAccessIssue]
_TAGS: Final = re.compile(r"</?(?:p|div|br|ul|ol|li|blockquote|h1|h2|b|i|u|a)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?!(?:[a-zA-Z]{2,8}|#[0-9]{1,6});)")
_LINE: Final = 255


class Unanswerable(ValueError):
    """An answer that does not fit its question; the text says what would."""


@dataclass(slots=True)
class Document:
    """A note's content under way: `content` as it will be sent, and what of the source cannot be written here."""

    content: Json
    left_out: list[str] = field(default_factory=list[str])

    def questions(self) -> Iterator[tuple[str, Json]]:
        """Every question with the name of its section, in order."""
        for section in cast("list[Json]", self.content["sections"]):
            for question in cast("list[Json]", section.get("questions", [])):
                yield str(section.get("name") or ""), question

    def names(self) -> dict[str, Json]:
        """What each question may be called, folded: its name, with its section's name before it, with a number
        after it where there are several. A name that several share stands for none of them."""
        found: dict[str, list[Json]] = {}
        for section, question in self.questions():
            name = fold(str(question["name"]))
            for key in dict.fromkeys((name, fold(f"{section} {name}"))):
                found.setdefault(key, []).append(question)
        every = {key: those[0] for key, those in found.items() if len(those) == 1}
        for key, those in found.items():
            if len(those) > 1:
                numbered = {f"{key} {number}": question for number, question in enumerate(those, 1)}
                every.update({one: question for one, question in numbered.items() if one not in found})
        return every

    def shared(self) -> frozenset[str]:
        """Folded names that several questions have, so that the section has to be said too."""
        names = [fold(str(question["name"])) for _, question in self.questions()]
        return frozenset(name for name in names if names.count(name) > 1)

    def called(self, question: Json) -> str:
        """A question's name as it may be said, with its section's where the name alone stands for several."""
        name, shared = str(question["name"]), self.shared()
        section = next(section for section, each in self.questions() if each is question)
        return clean(f"{section}: {name}" if section and fold(name) in shared else name, 120)

    def open(self) -> list[str]:
        """The questions that hold no answer."""
        return [self.called(one) for _, one in self.questions() if not answered(one)]

    def in_own_words(self) -> list[str]:
        """The questions answered beside their choices."""
        return [self.called(one) for _, one in self.questions() if _other_selected(one)]

    def listed(self) -> list[JsonValue]:
        """The questions for a reader: section, name, type, and the answers to choose from."""
        return [_listed(section, question) for section, question in self.questions()]


def begun(content: RecordedContent | None) -> Document:
    """A document of a template's or a draft's questions with the answers they hold so far."""
    document = Document({"sections": []})
    for section in (content.sections if content else None) or ():
        kept: list[JsonValue] = []
        for question in section.questions or ():
            if question.type in KINDS and question.name:
                kept.append(_question(question))
            else:
                document.left_out.append(clean(question.name or question.type or "a question", 80))
        row: Json = {}
        if section.name and section.name.strip():
            row["name"] = section.name
        if section.description and section.description.strip():
            row["description"] = section.description
        if kept:
            row["questions"] = kept
        if row:
            cast("list[JsonValue]", document.content["sections"]).append(row)
    return document


def _question(question: RecordedQuestion) -> Json:
    row: Json = {"name": question.name, "type": question.type}
    if isinstance(question.answer, str) and question.answer.strip():
        row["answer"] = question.answer
    if question.answers and question.type in ("checkboxes", "radiobuttons"):
        row["answers"] = [
            {"value": each.value, **({"selected": True} if each.selected else {})}
            for each in question.answers
            if each.value
        ]
    other = question.other
    if other is not None and other.enabled and question.type in ("checkboxes", "radiobuttons"):
        own: Json = {"enabled": True}
        if other.selected:
            own["selected"] = True
            if other.value:
                own["value"] = other.value
        row["other"] = own
    if question.body_chart_ids:
        row["body_chart_ids"] = list[JsonValue](question.body_chart_ids)
    return row


def answered(question: Json) -> bool:
    """Whether a question holds any answer."""
    written = bool(question.get("answer") or question.get("body_chart_ids"))
    return written or _other_selected(question) or bool(_chosen(question))


def _other_selected(question: Json) -> bool:
    other = question.get("other")
    return isinstance(other, dict) and other.get("selected") is True


def _chosen(question: Json) -> list[Json]:
    return [each for each in _choices(question) if each.get("selected") is True]


def _choices(question: Json) -> list[Json]:
    return cast("list[Json]", question.get("answers", []))


def _offered(question: Json) -> list[str]:
    return [str(each["value"]) for each in _choices(question)]


def _listed(section: str, question: Json) -> Json:
    row: Json = {"section": clean(section, 80)} if section else {}
    row |= {"name": clean(str(question["name"]), 120), "type": question["type"]}
    if choices := _offered(question):
        row["choices"] = [clean(each, 60) for each in choices]
    if "other" in question:
        row["other"] = True
    if answered(question):
        row["answered"] = True
    return row


def told(content: RecordedContent | None, most: int) -> str:
    """What a note says, a line for each answered question, as plain text of at most `most` characters."""
    lines: list[str] = []
    for section in (content.sections if content else None) or ():
        for question in section.questions or ():
            chosen = [each.value for each in question.answers or () if each.selected and each.value]
            own = question.other.value if question.other and question.other.selected else None
            written = plain(question.answer) if isinstance(question.answer, str) else ""
            if answer := "; ".join(part for part in (written, *chosen, own or "") if part):
                lines.append(f"{question.name or section.name or ''}: {answer}")
    return clean("\n".join(lines), most, lines=True)


def fill(document: Document, answers: Mapping[str, object], read_day: ReadDay) -> tuple[list[str], dict[str, str]]:
    """Put each answer where its question is: the names of the questions answered, and what was wrong, by name.

    Nothing of a document with something wrong is to be sent.
    """
    names, shared = document.names(), document.shared()
    done: list[str] = []
    seen: list[Json] = []
    wrong: dict[str, str] = {}
    for said, value in answers.items():
        question = names.get(fold(said))
        if question is None:
            also = "stands in several sections; say the section before it" if fold(said) in shared else None
            wrong[clean(said, 80)] = also or f"is no question here; there are {_some(document)}"
            continue
        if any(question is each for each in seen):
            wrong[clean(said, 80)] = "is answered twice"
            continue
        try:
            _answer(question, value, read_day)
        except ValueError as problem:
            wrong[clean(said, 80)] = str(problem)
        else:
            seen.append(question)
            done.append(document.called(question))
    return done, wrong


def _some(document: Document) -> str:
    names = [clean(str(question["name"]), 60) for _, question in document.questions()]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "") or "none"


def _answer(question: Json, value: object, read_day: ReadDay) -> None:
    match question["type"]:
        case "text":
            question["answer"] = " ".join(_written(value).split())
        case "paragraph":
            question["answer"] = as_html(_written(value))
        case "date":
            question["answer"] = _day(_written(value), read_day)
        case "checkboxes":
            _choose(question, [_written(each) for each in _listed_values(value)])
        case "radiobuttons":
            _choose(question, [_one(value)])
        case _:
            ids = [_written(each) for each in _listed_values(value)]
            if not all(each.isascii() and each.isdigit() and len(each) <= 20 for each in ids):
                raise Unanswerable("takes ids of body charts; they are drawn in Cliniko itself")
            question["body_chart_ids"] = list[JsonValue](ids)


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


def _listed_values(value: object) -> Iterable[object]:
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    if not values:
        raise Unanswerable("must not be empty; leave out what has no answer")
    return values


def _one(value: object) -> str:
    if isinstance(value, list):
        values = cast("list[object]", value)
        if len(values) != 1:
            raise Unanswerable("takes one answer")
        value = values[0]
    return _written(value)


def _day(said: str, read_day: ReadDay) -> str:
    try:
        return parse_day(said).isoformat()
    except ValueError:
        return read_day(said)


def _choose(question: Json, said: list[str]) -> None:
    offered = {fold(value): value for value in _offered(question)}
    known = [offered[fold(each)] for each in said if fold(each) in offered]
    own = [each for each in said if fold(each) not in offered]
    open_ended = "other" in question
    if own and not open_ended:
        raise Unanswerable(f"must be {'one' if len(said) == 1 else 'some'} of {', '.join(_offered(question)[:15])}")
    if len(own) > 1 or (own and len(own[0]) > _LINE):
        raise Unanswerable(f"takes one answer in own words, of at most {_LINE} characters, beside the choices")
    question["answers"] = [
        {"value": value, **({"selected": True} if value in known else {})} for value in _offered(question)
    ]
    if not question["answers"]:
        del question["answers"]
    if open_ended:
        question["other"] = {"enabled": True, **({"selected": True, "value": own[0]} if own else {})}


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
