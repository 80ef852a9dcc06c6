"""Content of notes, forms and templates: what is right goes out as it came, what is wrong is named by its place."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cliniko_mcp.cliniko.models import complaints
from cliniko_mcp.cliniko.resources.patient_forms import PatientForms
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNotes
from cliniko_mcp.cliniko.shapes.content import (
    Content,
    PatientFormContent,
    PatientFormTemplateContent,
    RecordedContent,
    TreatmentNoteContent,
    TreatmentNoteTemplateContent,
)
from cliniko_mcp.errors import InvalidArguments

Json = dict[str, Any]

DOCUMENTS: Final[Mapping[str, type[Content[Any]]]] = {
    "note": TreatmentNoteContent,
    "note template": TreatmentNoteTemplateContent,
    "form": PatientFormContent,
    "form template": PatientFormTemplateContent,
}
ANSWERED: Final = ("note", "form")
TEMPLATES: Final = ("note template", "form template")
NOTES: Final = ("note", "note template")
FORMS: Final = ("form", "form template")
ALL: Final = (*NOTES, *FORMS)

EMPTY: Final = "must not be empty; leave it out instead"
ONLY_TRUE: Final = "can only be true; leave it out instead"
UNKNOWN: Final = "is not an argument of this operation"
SVG: Final = "data:image/svg+xml;base64,PHN2Zy8+"


def told(document: str, content: object) -> list[tuple[str, str]]:
    """Every complaint about this content, as (place, sentence)."""
    try:
        DOCUMENTS[document].model_validate(content)
    except ValidationError as refused:
        return list(complaints(refused))
    return []


def one(question: object) -> Json:
    return {"sections": [{"questions": [question]}]}


# What is right.

lines = st.text(min_size=1, max_size=20).filter(str.strip)
days = st.dates().map(lambda day: day.isoformat())
ids = st.from_regex("[0-9]{1,20}", fullmatch=True)


def questions(document: str) -> st.SearchStrategy[Json]:
    """Every kind of question that this document may hold, with every field it may have."""
    answered = document in ANSWERED
    also: dict[str, st.SearchStrategy[Any]] = {"required": st.booleans()} if document in FORMS else {}

    def question(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
        return st.fixed_dictionaries({"name": lines, "type": st.just(kind)}, optional=fields | also)

    true = st.just(True)
    option = st.fixed_dictionaries({"value": lines})
    picked = st.fixed_dictionaries({"value": lines, "selected": true})
    offered = st.fixed_dictionaries({"enabled": st.booleans()})
    own = st.fixed_dictionaries({"enabled": true, "selected": true}, optional={"value": lines})
    boxes = st.lists(option | picked if answered else option, min_size=1, max_size=3)
    others = offered | own if answered else offered
    text: dict[str, st.SearchStrategy[Any]] = {"answer": lines}
    kinds = [
        question("text", **(text if answered else {})),
        question("paragraph", **text),
        question("date", **({"answer": days} if answered else {})),
        question("checkboxes", answers=boxes, other=others),
        question("radiobuttons", answers=st.lists(option, min_size=1, max_size=3), other=others),
    ]
    if answered:
        buttons = st.tuples(st.lists(option, max_size=2), picked, st.lists(option, max_size=2))
        kinds.append(question("radiobuttons", answers=buttons.map(lambda rows: [*rows[0], rows[1], *rows[2]])))
    match document:
        case "note":
            kinds.append(question("bodycharts", body_chart_ids=st.lists(ids, min_size=1, max_size=3)))
        case "note template":
            kinds.append(question("bodycharts"))
        case "form":
            kinds += [question("signature", signature=st.just(SVG)), question("signature", signature_id=ids)]
        case _:
            kinds.append(question("signature"))
    return st.one_of(kinds)


def contents(document: str) -> st.SearchStrategy[Json]:
    section = st.fixed_dictionaries(
        {"questions": st.lists(questions(document), min_size=1, max_size=3)},
        optional={"name": st.none() | lines, "description": st.none() | lines},
    )
    bare = st.fixed_dictionaries({"name": lines}, optional={"description": lines})
    sections = st.lists(section | bare, min_size=1, max_size=3)
    return st.fixed_dictionaries({"sections": sections})


@pytest.mark.long
@pytest.mark.parametrize("document", ALL)
@given(data=st.data())
def test_content_that_keeps_the_rules_is_sent_as_it_was_given(document: str, data: st.DataObject) -> None:
    content = data.draw(contents(document))
    assert told(document, content) == []
    assert DOCUMENTS[document].model_validate(content).wire() == content


texts = st.sampled_from(["", " ", "x", "<p>x</p>", "2026-11-24", "2026-02-30", SVG, "x" * 256])
flags = st.sampled_from([True, False, None, "true", 1])
loose_other = st.fixed_dictionaries({}, optional={"enabled": flags, "selected": flags, "value": texts})
loose_choices = st.lists(st.fixed_dictionaries({}, optional={"value": texts, "selected": flags}), max_size=3)
loose_questions = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Pain", "Pain", ""]),
        "type": st.sampled_from(["text", "paragraph", "date", "bodycharts", "signature", "checkboxes", "radiobuttons"]),
    },
    optional={
        "answer": texts | st.none() | st.integers(),
        "answers": loose_choices,
        "other": loose_other,
        "body_chart_ids": st.lists(texts | ids, max_size=2),
        "required": flags,
        "signature": texts,
        "signature_id": ids,
    },
)


@pytest.mark.long
@pytest.mark.parametrize("document", ALL)
@given(question=loose_questions)
def test_whatever_is_accepted_is_sent_as_it_was_given(document: str, question: Json) -> None:
    content = one(question)
    if not (found := told(document, content)):
        assert DOCUMENTS[document].model_validate(content).wire() == content
    assert all(place.startswith("sections[0].questions[0]") and sentence for place, sentence in found)


# What is wrong: one rule at a time, and one complaint.

PICKED: Final[Json] = {"value": "Left", "selected": True}
OFFERED: Final[Json] = {"value": "Left"}
TRUE: Final[Json] = {"enabled": True, "selected": True}
DATE: Final = "such as 2026-11-24"
CHOICE: Final = "of type checkboxes or radiobuttons"
NOT_A_NOTE: Final = (*TEMPLATES, "form")
NOT_A_FORM: Final = (*NOTES, "form template")


def ask(kind: str, **fields: object) -> Json:
    return {"name": "Side", "type": kind, **fields}


def box(**fields: object) -> Json:
    return ask("checkboxes", **fields)


def radio(**fields: object) -> Json:
    return ask("radiobuttons", **fields)


BROKEN: Final[list[tuple[tuple[str, ...], object, str, str]]] = [
    (ALL, "text", "", "must be an object"),
    (ALL, {}, "", EMPTY),
    (ALL, {"type": "text"}, ".name", "is needed"),
    (ALL, {"name": "Side"}, ".type", "is needed"),
    (ALL, ask("text", name=""), ".name", EMPTY),
    (ALL, ask("text", name=" \n"), ".name", EMPTY),
    (ALL, ask("text", name="x" * 256), ".name", "at most 255 characters"),
    (ALL, ask("text", name=None), ".name", "must be text"),
    (ALL, ask("address"), ".type", "'radiobuttons'"),
    (NOTES, ask("signature"), ".type", "'bodycharts'"),
    (FORMS, ask("bodycharts"), ".type", "'signature'"),
    (ALL, ask("text", id="5"), ".id", UNKNOWN),
    # answer
    (ANSWERED, ask("text", answer=""), ".answer", EMPTY),
    (ALL, ask("paragraph", answer=" "), ".answer", EMPTY),
    (ALL, ask("paragraph", answer=None), ".answer", "must be text"),
    (ANSWERED, ask("text", answer=7), ".answer", "must be text"),
    (ANSWERED, ask("date", answer="24/11/2026"), ".answer", DATE),
    (ANSWERED, ask("date", answer="2026-02-30"), ".answer", DATE),
    (ANSWERED, ask("date", answer=" 2026-11-24"), ".answer", DATE),
    (ANSWERED, box(answer="x"), ".answer", "of type text or paragraph or date"),
    (("note",), ask("bodycharts", answer="x"), ".answer", "of type text or paragraph or date"),
    (("form",), ask("signature", answer="x"), ".answer", "of type text or paragraph or date"),
    (TEMPLATES, ask("text", answer="x"), ".answer", "of type paragraph"),
    (TEMPLATES, ask("date", answer="2026-11-24"), ".answer", "of type paragraph"),
    (("form",), ask("text", answer="x" * 10_001), ".answer", "at most 10000 characters"),
    (("form",), ask("paragraph", answer="x" * 10_001), ".answer", "at most 10000 characters"),
    # answers
    (ALL, box(answers=[]), ".answers", EMPTY),
    (ALL, radio(answers=[]), ".answers", EMPTY),
    (ALL, box(answers="Left"), ".answers", "must be a list"),
    (ALL, box(answers=["Left"]), ".answers[0]", "must be an object"),
    (ALL, box(answers=[OFFERED, {}]), ".answers[1]", EMPTY),
    (ALL, box(answers=[{"value": ""}]), ".answers[0].value", EMPTY),
    (ALL, box(answers=[{"value": "x" * 256}]), ".answers[0].value", "at most 255 characters"),
    (ALL, ask("text", answers=[OFFERED]), ".answers", CHOICE),
    (ALL, ask("paragraph", answers=[OFFERED]), ".answers", CHOICE),
    (ANSWERED, box(answers=[{"selected": True}]), ".answers[0].value", "is needed"),
    (ANSWERED, box(answers=[{"value": "Left", "selected": False}]), ".answers[0].selected", ONLY_TRUE),
    (ANSWERED, box(answers=[{"value": "Left", "selected": "true"}]), ".answers[0].selected", "must be true or false"),
    (TEMPLATES, box(answers=[OFFERED, PICKED]), ".answers[1].selected", UNKNOWN),
    (ANSWERED, radio(answers=[PICKED, PICKED]), ".answers", "at most one selected"),
    (ANSWERED, radio(answers=[PICKED], other=TRUE), ".answers", "none selected where other.selected is true"),
    # other
    (ALL, box(other={}), ".other", EMPTY),
    (ALL, box(other="Both"), ".other", "must be an object"),
    (ALL, ask("text", other={"enabled": True}), ".other", CHOICE),
    (ALL, box(other={"enabled": "no"}), ".other.enabled", "must be true or false"),
    (ANSWERED, box(other={"enabled": True, "selected": False}), ".other.selected", ONLY_TRUE),
    (ANSWERED, box(other={"selected": True}), ".other.selected", "enabled is true"),
    (ANSWERED, box(other=TRUE | {"enabled": False, "value": "Both"}), ".other.selected", "enabled is true"),
    (ANSWERED, box(other={"enabled": True, "value": "Both"}), ".other.value", "selected is true"),
    (ANSWERED, box(other=TRUE | {"value": "x" * 256}), ".other.value", "at most 255 characters"),
    (ANSWERED, box(other=TRUE | {"value": ""}), ".other.value", EMPTY),
    (TEMPLATES, box(other=TRUE), ".other.selected", UNKNOWN),
    # body charts, signatures, required
    (("note",), ask("bodycharts", body_chart_ids=[]), ".body_chart_ids", EMPTY),
    (("note",), ask("bodycharts", body_chart_ids=["7", "a"]), ".body_chart_ids[1]", "must be an id"),
    (("note",), ask("text", body_chart_ids=["7"]), ".body_chart_ids", "of type bodycharts"),
    (NOT_A_NOTE, ask("text", body_chart_ids=["7"]), ".body_chart_ids", UNKNOWN),
    (("form",), ask("signature", signature="Ana Lee"), ".signature", "must be an SVG picture"),
    (("form",), ask("signature", signature_id="a"), ".signature_id", "must be an id"),
    (("form",), ask("signature", signature=SVG, signature_id="7"), ".signature", "together with signature_id"),
    (("form",), ask("text", signature=SVG), ".signature", "of type signature"),
    (("form",), ask("date", signature_id="7"), ".signature_id", "of type signature"),
    (NOT_A_FORM, ask("date", signature=SVG), ".signature", UNKNOWN),
    (NOTES, ask("text", required=True), ".required", UNKNOWN),
    (FORMS, ask("text", required="yes"), ".required", "must be true or false"),
]
CASES: Final = [
    pytest.param(document, *rest, id=f"{document}: {str(rest[0])[:90]}")
    for kinds, *rest in BROKEN
    for document in kinds
]


@pytest.mark.parametrize(("document", "question", "place", "sentence"), CASES)
def test_one_broken_rule_is_one_complaint_that_names_its_place(
    document: str, question: object, place: str, sentence: str
) -> None:
    right = {"name": "Notes", "type": "paragraph"}
    content = {"sections": [{"name": "First"}, {"questions": [right, right, question]}]}
    [(where, why)] = told(document, content)
    assert where == f"sections[1].questions[2]{place}"
    assert sentence in why


@pytest.mark.long
@pytest.mark.parametrize("document", ALL)
@given(data=st.data())
def test_a_broken_rule_is_found_among_any_right_content(document: str, data: st.DataObject) -> None:
    content = data.draw(contents(document))
    broken = [(question, place) for kinds, question, place, _ in BROKEN if document in kinds]
    question, place = data.draw(st.sampled_from(broken))
    at = data.draw(st.integers(0, len(content["sections"]) - 1))
    beside = content["sections"][at].setdefault("questions", [])
    number = data.draw(st.integers(0, len(beside)))
    beside.insert(number, question)
    assert [where for where, _ in told(document, content)] == [f"sections[{at}].questions[{number}]{place}"]


@pytest.mark.parametrize("document", ALL)
@pytest.mark.parametrize(
    ("content", "place", "sentence"),
    [
        ('{"sections": []}', "", "must be an object"),
        ([], "", "must be an object"),
        ({}, "", EMPTY),
        ({"section": []}, "", ""),
        ({"sections": []}, "sections", EMPTY),
        ({"sections": "First"}, "sections", "must be a list"),
        ({"sections": ["First"]}, "sections[0]", "must be an object"),
        ({"sections": [{"name": "First"}, {}]}, "sections[1]", EMPTY),
        ({"sections": [{"name": ""}]}, "sections[0].name", EMPTY),
        ({"sections": [{"name": "x" * 256}]}, "sections[0].name", "at most 255"),
        ({"sections": [{"description": ""}]}, "sections[0].description", EMPTY),
        ({"sections": [{"description": "x" * 10_001}]}, "sections[0].description", "at most 10000"),
        ({"sections": [{"name": "First", "questions": []}]}, "sections[0].questions", EMPTY),
        ({"sections": [{"name": "First", "questions": {}}]}, "sections[0].questions", "must be a list"),
        ({"sections": [{"name": "First", "title": "x"}]}, "sections[0].title", UNKNOWN),
    ],
)
def test_sections_have_rules_too(document: str, content: object, place: str, sentence: str) -> None:
    found = told(document, content)
    if isinstance(content, dict) and "section" in content:
        assert dict(found) == {"sections": "is needed", "section": UNKNOWN}
        return
    [(where, why)] = found
    assert where == place
    assert sentence in why


def test_limits_themselves_are_allowed() -> None:
    question = {"name": "x" * 255, "type": "text", "answer": "x" * 10_000}
    section = {"name": "x" * 255, "description": "x" * 10_000, "questions": [question]}
    assert told("form", {"sections": [section]}) == []
    assert told("note", one({"name": "Notes", "type": "paragraph", "answer": "x" * 20_000})) == []


def test_several_broken_rules_are_all_named() -> None:
    other = {"selected": True}
    bad = {"sections": [{"questions": [radio(answers=[], other=other), ask("text", name="")]}]}
    places = [where.removeprefix("sections[0].") for where, _ in told("note", bad)]
    assert places == ["questions[0].answers", "questions[0].other.selected", "questions[1].name"]


# As arguments of operations.


def refused(operation: str, **arguments: object) -> object:
    lines_of = {**vars(TreatmentNotes), **vars(PatientForms)}
    with pytest.raises(InvalidArguments) as caught:
        lines_of[operation].parse(arguments)
    return caught.value.details["fields"]


def test_an_operation_names_the_whole_path() -> None:
    content = {"sections": [{"questions": [ask("text"), ask("text"), box(answers=[])]}]}
    due = {"content.sections[0].questions[2].answers": EMPTY}
    assert refused("create_treatment_note", patient_id="1", title="Visit", draft=True, content=content) == due
    assert refused("update_treatment_note", id="1", content=content) == due
    assert refused("update_patient_form", id="1", content=content) == due


def test_content_may_be_emptied_on_update_but_not_sent_as_text() -> None:
    call = TreatmentNotes.update_treatment_note.parse({"id": "1", "clear": ["content"]})
    assert call.request().body == {"content": None}
    assert refused("update_treatment_note", id="1", content="Better today") == {"content": "must be an object"}


@pytest.mark.parametrize("operation", ["create_patient_form", "update_patient_form"])
def test_a_form_is_completed_only_when_its_required_questions_are_answered(operation: str) -> None:
    given_ids = {"id": "1"} if operation.startswith("update") else {"patient_id": "1", "name": "Intake"}
    side = box(required=True, answers=[OFFERED], other={"enabled": True})
    needed = [ask("text", required=True), side, ask("signature", required=True)]
    open_questions = [*needed, ask("text"), ask("text", required=False)]
    content = {"sections": [{"name": "First"}, {"questions": open_questions}]}
    sentence = "must be answered before the form is completed, because it is required"
    assert refused(operation, **given_ids, completed=True, content=content) == {
        f"content.sections[1].questions[{number}]": sentence for number in range(3)
    }
    answers: list[Json] = [{"answer": "44"}, {"answers": [PICKED]}, {"signature": SVG}, {}, {}]
    closed = [{**question, **answer} for question, answer in zip(open_questions, answers, strict=True)]
    form = vars(PatientForms)[operation]
    form.parse({**given_ids, "completed": True, "content": {"sections": [{"questions": closed}]}})
    form.parse({**given_ids, "completed": False, "content": content})
    form.parse({**given_ids, "completed": True})
    own_words = {**side, "other": TRUE}
    form.parse({**given_ids, "completed": True, "content": one(own_words)})
    kept = one(ask("signature", required=True, signature_id="7"))
    form.parse({**given_ids, "completed": True, "content": kept})


def test_a_note_needs_a_title_and_a_form_a_name_unless_a_template_gives_it() -> None:
    note = {"patient_id": "1", "draft": True}
    assert refused("create_treatment_note", **note) == {"title": "is needed unless treatment_note_template_id is given"}
    assert refused("create_patient_form", patient_id="1") == {
        "name": "is needed unless patient_form_template_id is given"
    }
    TreatmentNotes.create_treatment_note.parse({**note, "treatment_note_template_id": "2"})
    TreatmentNotes.create_treatment_note.parse({**note, "title": "Visit"})
    TreatmentNotes.update_treatment_note.parse({"id": "1", "draft": False})
    PatientForms.create_patient_form.parse({"patient_id": "1", "patient_form_template_id": "2"})
    PatientForms.update_patient_form.parse({"id": "1", "completed": True})


@pytest.mark.long
@pytest.mark.parametrize("document", ALL)
@given(data=st.data())
def test_content_that_may_be_sent_is_read_as_it_was(document: str, data: st.DataObject) -> None:
    content = data.draw(contents(document))
    record = RecordedContent.read(content)
    assert record.unexpected == {}
    assert record.model_dump(mode="json", exclude_unset=True) == content


def test_questions_of_unknown_types_are_read_without_loss() -> None:
    address = ask("address", patient_field_connection="address", answer={"city": "Carlton", "country_code": "AU"})
    phone = ask("phone", answer=[{"number": "0400 000 000", "phone_type": "Mobile"}])
    later = ask("scale", answer=7, options=["0", "10"], custom_field_token="abc")
    content: Json = {"sections": [{"name": None, "questions": [address, phone, later], "colour": "red"}]}
    record = RecordedContent.read(content)
    assert record.unexpected == {}
    assert record.model_dump(mode="json", exclude_unset=True) == content
