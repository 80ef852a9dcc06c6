"""What look-up answers to odd requests, and what it never answers with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.results.cursor import Cursors
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.catalogue import GLOSSES, Catalogue, describe_text
from cliniko_mcp.tools.index import Entry, entries
from cliniko_mcp.tools.lookup import Lookup, pairs, stem, stems
from cliniko_mcp.tools.requests import not_offered, requests
from cliniko_mcp.tools.views import view_of
from tests.lookup.rates import FOUND_AMONG, operations

LOOKUP = Lookup(entries().values(), requests(), not_offered())
CURRENT = [entry for entry in entries().values() if entry.kind == "operation" and not entry.deprecated]
DEPRECATED = [entry for entry in entries().values() if entry.deprecated]
EXAMPLES = [(name, words) for name, table in requests().items() for words in table.examples]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Cursors(b"key"))


@pytest.mark.long
def test_the_words_of_a_name_find_it_among_the_first_five():
    plain = [entry.name for entry in CURRENT]

    found = [name for name in plain if name in LOOKUP.search(name.replace("_", " ")).tools[:FOUND_AMONG]]

    assert found == plain


@pytest.fixture(scope="module")
def found() -> list[tuple[str, str, list[str]]]:
    """Each tool, each of its examples, and the first five tools that are found for it."""
    return [(name, words, LOOKUP.search(words).tools[:FOUND_AMONG]) for name, words in EXAMPLES]


@pytest.mark.long
def test_an_example_finds_its_own_tool_among_the_first_five(found: list[tuple[str, str, list[str]]]):
    missed = [words for name, words, names in found if name not in names]

    assert len(missed) <= 0.002 * len(found), missed


@pytest.mark.long
def test_an_example_finds_its_own_tool_first_nearly_always(found: list[tuple[str, str, list[str]]]):
    others = [words for name, words, names in found if names[0] != name]

    assert len(others) <= 0.02 * len(found), others


@pytest.mark.long
def test_who_means_to_read_is_never_led_to_destroy_first(found: list[tuple[str, str, list[str]]]):
    known = entries()

    led = [words for name, words, names in found if (known[name].risk, known[names[0]].risk) == ("read", "destructive")]

    assert not led


@pytest.mark.long_but_one
@pytest.mark.parametrize("old", DEPRECATED, ids=lambda entry: entry.name)
def test_a_deprecated_operation_ranks_below_what_replaces_it(old: Entry):
    successor = old.replaced_by or ""
    texts = [old.name, old.description, successor, *requests()[successor].examples]

    for text in texts:
        found = LOOKUP.search(text).tools
        assert old.name not in found or found.index(successor) < found.index(old.name)


@pytest.mark.long
def test_words_nobody_knows_find_nothing_and_say_what_to_try(catalogue: Catalogue):
    for words in ("xyzzy plugh", "the", "of it to that", "12"):
        answer = catalogue.describe(None, words)

        assert answer.body == {"items": []}
        assert "Nothing fits" in answer.notes[0]


@pytest.mark.long
def test_an_excluded_operation_is_never_found():
    catalogue = Catalogue(Cursors(b"key"), frozenset({"create_medical_alert"}))

    assert "create_medical_alert" not in operations("add a latex allergy", catalogue)


@pytest.mark.long
def test_read_only_describes_nothing_that_changes_records():
    catalogue = Catalogue(Cursors(b"key"), changing=view_of(Settings(read_only=True)).changing)

    assert {entries()[name].risk for name in operations("archive a patient", catalogue)} == {"read"}
    with pytest.raises(NotAllowed, match="not change anything"):
        catalogue.describe(["archive_patient"], None)


@pytest.mark.long
def test_what_is_not_offered_is_said_first_with_what_comes_nearest(catalogue: Catalogue):
    body = catalogue.describe(None, "send Mrs Hill a text message").fields
    topic = not_offered()["sending_messages"]

    assert [*body] == ["not_in_cliniko_api", "items", "tools"]
    assert body["not_in_cliniko_api"] == {"what": topic.what, "says": topic.says, "instead": topic.instead_says}
    assert operations("send Mrs Hill a text message")[:2] == ["create_communication", "list_communications"]


@pytest.mark.long
def test_nothing_that_is_switched_off_is_named_instead():
    catalogue = Catalogue(Cursors(b"key"), changing=view_of(Settings(read_only=True)).changing)
    topic = not_offered()["sending_messages"]

    body = catalogue.describe(None, "send Mrs Hill a text message").fields

    assert body["not_in_cliniko_api"] == {"what": topic.what, "says": topic.says}
    assert "create_communication" not in str(body)
    assert catalogue.unknown("send_sms").details["suggestions"] == ["list_communications", "show_diary"]
    assert "create_communication" not in catalogue.unknown("send_sms").fix


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("send_sms", "sending_messages"),
        ("send_smss", "sending_messages"),
        ("create_invoice", "invoice_writing"),
        ("create_invoices", "invoice_writing"),
        ("list_recalls", "recalls"),
        ("set_recall", "recalls"),
        ("take_payment", "payments"),
        ("TAKE_PAYMENT", "payments"),
        ("merge_patients", "merging_patients"),
        ("merge_clients", "merging_patients"),
        ("create_webhook", "webhooks"),
    ],
)
def test_the_name_of_something_not_offered_is_answered_with_what_comes_nearest(
    catalogue: Catalogue, name: str, topic: str
):
    error, about = catalogue.unknown(name), not_offered()[topic]

    assert error.as_json() == {
        "code": "unknown_tool",
        "message": f"There is no tool called {name}. {about.says}",
        "fix": about.instead_says,
        "suggestions": [*about.instead],
    }


@pytest.mark.parametrize("topic", not_offered())
def test_every_name_that_one_would_expect_is_told_to_be_missing(catalogue: Catalogue, topic: str):
    for name in not_offered()[topic].names:
        assert not_offered()[topic].says in catalogue.unknown(name).message


@pytest.mark.long_but_one
@pytest.mark.parametrize("name", [entry.name for entry in CURRENT])
def test_a_slip_in_a_name_is_not_taken_for_something_not_offered(catalogue: Catalogue, name: str):
    for slip in (name.upper(), f"{name}s", name[:-1], name.replace("a", "e", 1), name.replace("_", "-")):
        if slip not in entries():
            assert "Cliniko" not in catalogue.unknown(slip).message


def test_a_name_with_nothing_near_it_is_not_said_to_have_suggestions(catalogue: Catalogue):
    assert catalogue.unknown("xyzzy").as_json() == {
        "code": "unknown_tool",
        "message": "There is no tool called xyzzy.",
        "fix": "Look it up with cliniko_describe.",
    }


@pytest.mark.long
@given(st.text(max_size=300))
def test_any_text_is_searched_without_complaint(query: str):
    found = LOOKUP.search(query).tools

    assert len(set(found)) == len(found)
    assert entries().keys() >= set(found)


@pytest.mark.parametrize(
    ("one", "other"), [("booking", "booked"), ("allergies", "allergy"), ("cancelled", "cancel"), ("notes", "note")]
)
def test_forms_of_a_word_meet(one: str, other: str):
    assert stem(one) == stem(other)


def test_numbers_and_times_are_all_alike():
    assert stems("invoice 1043") == stems("Invoice 7")
    assert stems("at 9am") == stems("at 10:30")[:2]


def test_articles_and_whose_something_is_do_not_part_a_pair():
    assert [*pairs("cancel her appointment")] == [*pairs("cancel the appointment")] == [*pairs("cancel appointment")]


def test_the_map_tells_apart_what_is_easily_confused():
    told = describe_text((entry.name, entry.resource or "") for entry in CURRENT)

    assert all(f" {resource} ({gloss})" in told for resource, gloss in GLOSSES.items())
    assert all(1 <= len(gloss.split()) <= 4 for gloss in GLOSSES.values())
    assert GLOSSES.keys() <= {entry.resource for entry in CURRENT}
    assert len(told) <= 2_048
