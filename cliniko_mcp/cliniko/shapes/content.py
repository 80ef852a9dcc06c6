"""Structured content of treatment notes, patient forms and their templates: sections of questions
(cliniko-api.md#structured-content).

Each of the four documents has its own kind of question; what may be sent is checked here in full, with complaints that
name the place inside the content. `RecordedContent` is how all four are read, whatever questions they hold.
"""

from collections.abc import Iterator, Mapping, Sized
from typing import Annotated, ClassVar, Final, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from cliniko_mcp.cliniko.fields import Id, omittable, parse_day
from cliniko_mcp.cliniko.models import Body, Record

FieldPath = tuple[str | int, ...]
Complaint = tuple[FieldPath, str]
FilledT = TypeVar("FilledT", bound=Sized)


def refusal(*complaints: Complaint) -> ValidationError:
    """The error of a validator that has something to say about places below its own model."""
    details = [
        InitErrorDetails(type="value_error", loc=place, input=None, ctx={"error": ValueError(sentence)})
        for place, sentence in complaints
    ]
    return ValidationError.from_exception_data("content", details)


def _filled(value: FilledT) -> FilledT:
    if not (value.strip() if isinstance(value, str) else len(value)):
        raise ValueError("must not be empty; leave it out instead")
    return value


def _picked(value: bool) -> bool:
    if not value:
        raise ValueError("can only be true; leave it out instead")
    return value


def _picture(value: str) -> str:
    if not value.startswith("data:image/svg+xml"):
        raise ValueError("must be an SVG picture as a data URI, such as data:image/svg+xml;base64,...")
    return value


Line = Annotated[str, Field(max_length=255), AfterValidator(_filled)]
Answer = Annotated[str, AfterValidator(_filled)]
FormAnswer = Annotated[str, Field(max_length=10_000), AfterValidator(_filled)]
Picked = Annotated[bool, AfterValidator(_picked)]
Picture = Annotated[str, AfterValidator(_picture)]

_ANSWER: Final = "paragraph: HTML; date: YYYY-MM-DD."
_DEFAULT: Final = "Paragraph: HTML."
_PICTURE: Final = "SVG data URI, at most 500x500."
_WRITTEN: Final = ("answer",)
_CHOSEN: Final = ("answers", "other")


class Structured(Body):
    """A part of the content. Values keep the type they were given in: nothing is guessed from text."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _is_an_object(cls, value: object) -> object:
        if not isinstance(value, Mapping | cls):
            raise ValueError("must be an object")
        if not value:
            raise ValueError("must not be empty; leave it out instead")
        return value  # pyright: ignore[reportUnknownVariableType]

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        complaints = tuple(self._complaints())
        if complaints:
            raise refusal(*complaints)
        return self

    def _complaints(self) -> Iterator[Complaint]:
        """What is wrong between the fields of this part, once each of them is right by itself."""
        yield from ()


class Choice(Structured):
    """One answer to choose, and whether it was chosen."""

    value: Line
    selected: Picked = omittable()


class Other(Structured):
    """The answer in the patient's or practitioner's own words, where the question offers it."""

    enabled: bool = omittable()
    selected: Picked = omittable()
    value: Line = omittable()

    def _complaints(self) -> Iterator[Complaint]:
        if self.selected and not self.enabled:
            yield ("selected",), "can be true only where enabled is true"
        if "value" in self.model_fields_set and not self.selected:
            yield ("value",), "can be given only where selected is true"


class Option(Structured):
    """One answer that a template offers."""

    value: Line


class OtherOffered(Structured):
    """Whether a template offers an answer in one's own words."""

    enabled: bool = omittable()


KindT = TypeVar("KindT", bound=str)
NoteKind = Literal["text", "paragraph", "date", "bodycharts", "checkboxes", "radiobuttons"]
FormKind = Literal["text", "paragraph", "date", "signature", "checkboxes", "radiobuttons"]


class Question(Structured, Generic[KindT]):
    """What the questions of all four documents share; `carries` says which fields belong to which type."""

    carries: ClassVar[Mapping[str, tuple[str, ...]]]

    name: Line
    type: KindT

    def _complaints(self) -> Iterator[Complaint]:
        owners = {name: [kind for kind, names in self.carries.items() if name in names] for name in self._present()}
        for name, kinds in owners.items():
            if kinds and self.type not in kinds:
                yield (name,), f"is only for questions of type {' or '.join(kinds)}"

    def _present(self) -> list[str]:
        return [name for name in type(self).model_fields if name in self.model_fields_set]


class AnsweredQuestion(Question[KindT]):
    """A question of a note or a form, which may hold answers."""

    answers: Annotated[list[Choice], AfterValidator(_filled)] = omittable()
    other: Other = omittable()

    @property
    def chosen(self) -> int:
        """How many of the offered answers are selected, `other` not counted."""
        answers = self.answers if "answers" in self.model_fields_set else []
        return sum(answer.selected is True for answer in answers)

    @property
    def in_own_words(self) -> bool:
        """Whether `other` is selected."""
        return "other" in self.model_fields_set and self.other.selected is True

    def _complaints(self) -> Iterator[Complaint]:
        yield from super()._complaints()
        if self.type == "radiobuttons" and self.chosen and self.in_own_words:
            yield ("answers",), "must have none selected where other.selected is true"
        elif self.type == "radiobuttons" and self.chosen > 1:
            yield ("answers",), "can have at most one selected in radiobuttons"

    def _day_complaints(self, answer: str) -> Iterator[Complaint]:
        try:
            right = parse_day(answer).isoformat() == answer
        except ValueError:
            right = False
        if self.type == "date" and not right:
            yield ("answer",), "must be a date such as 2026-11-24"


class OfferedQuestion(Question[KindT]):
    """A question of a template, which offers answers and holds none but a paragraph's beginning."""

    answer: Answer = omittable(description=_DEFAULT)
    answers: Annotated[list[Option], AfterValidator(_filled)] = omittable()
    other: OtherOffered = omittable()


class TreatmentNoteQuestion(AnsweredQuestion[NoteKind]):
    """A question of a treatment note."""

    carries = {
        "text": _WRITTEN,
        "paragraph": _WRITTEN,
        "date": _WRITTEN,
        "bodycharts": ("body_chart_ids",),
        "checkboxes": _CHOSEN,
        "radiobuttons": _CHOSEN,
    }

    answer: Answer = omittable(description=_ANSWER)
    body_chart_ids: Annotated[list[Id], AfterValidator(_filled)] = omittable()

    def _complaints(self) -> Iterator[Complaint]:
        yield from super()._complaints()
        if "answer" in self.model_fields_set:
            yield from self._day_complaints(self.answer)


class TreatmentNoteTemplateQuestion(OfferedQuestion[NoteKind]):
    """A question of a treatment note template."""

    carries = {"paragraph": _WRITTEN, "checkboxes": _CHOSEN, "radiobuttons": _CHOSEN}


class PatientFormQuestion(AnsweredQuestion[FormKind]):
    """A question of a patient form."""

    carries = {
        "text": _WRITTEN,
        "paragraph": _WRITTEN,
        "date": _WRITTEN,
        "signature": ("signature", "signature_id"),
        "checkboxes": _CHOSEN,
        "radiobuttons": _CHOSEN,
    }

    required: bool = omittable()
    answer: FormAnswer = omittable(description=_ANSWER)
    signature: Picture = omittable(description=_PICTURE)
    signature_id: Id = omittable(description="One the form has.")

    @property
    def answered(self) -> bool:
        """Whether the question holds any kind of answer."""
        written = {"answer", "signature", "signature_id"} & self.model_fields_set
        return bool(written) or self.chosen > 0 or self.in_own_words

    def _complaints(self) -> Iterator[Complaint]:
        yield from super()._complaints()
        if "answer" in self.model_fields_set:
            yield from self._day_complaints(self.answer)
        if self.model_fields_set >= {"signature", "signature_id"}:
            yield ("signature",), "cannot be given together with signature_id"


class PatientFormTemplateQuestion(OfferedQuestion[FormKind]):
    """A question of a patient form template."""

    carries = {"paragraph": _WRITTEN, "checkboxes": _CHOSEN, "radiobuttons": _CHOSEN}

    required: bool = omittable()


QuestionT = TypeVar("QuestionT", bound=Structured)


class Section(Structured, Generic[QuestionT]):
    """A part of a document under one heading."""

    name: Line | None = None
    description: Annotated[str, Field(max_length=10_000), AfterValidator(_filled)] | None = None
    questions: Annotated[list[QuestionT], AfterValidator(_filled)] = omittable()


class Content(Structured, Generic[QuestionT]):
    """The sections of a document, in their order."""

    sections: Annotated[list[Section[QuestionT]], AfterValidator(_filled)]


class TreatmentNoteContent(Content[TreatmentNoteQuestion]):
    """What a treatment note says."""


class TreatmentNoteTemplateContent(Content[TreatmentNoteTemplateQuestion]):
    """What notes made from a template start with."""


class PatientFormContent(Content[PatientFormQuestion]):
    """What a patient form asks, and what was answered."""

    def unanswered(self) -> Iterator[FieldPath]:
        """The places of the required questions without an answer, which keep a form from being completed."""
        for at, section in enumerate(self.sections):
            questions = section.questions if "questions" in section.model_fields_set else []
            for number, question in enumerate(questions):
                if question.required and not question.answered:
                    yield ("sections", at, "questions", number)


class PatientFormTemplateContent(Content[PatientFormTemplateQuestion]):
    """What forms made from a template ask."""


class RecordedAnswer(Record):
    """One answer of a question, as read."""

    value: str | None = None
    selected: bool | None = None


class RecordedOther(Record):
    """An answer in one's own words, as read."""

    enabled: bool | None = None
    selected: bool | None = None
    value: str | None = None


class RecordedQuestion(Record):
    """A question as read. Its type may be one that cannot be sent, whose answer may be an object or a list."""

    name: str | None = None
    type: str | None = None
    required: bool | None = None
    answer: object = None
    answers: list[RecordedAnswer] | None = None
    other: RecordedOther | None = None
    body_chart_ids: list[Id] | None = None
    signature_id: Id | None = None
    patient_field_connection: str | None = None


class RecordedSection(Record):
    """A section as read."""

    name: str | None = None
    description: str | None = None
    questions: list[RecordedQuestion] | None = None


class RecordedContent(Record):
    """The content of any of the four documents, as read."""

    sections: list[RecordedSection] | None = None
