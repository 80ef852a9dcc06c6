"""Whether people's own words find the right operation, or are told that there is none.

The judged halves show a number alone: a look at the failures would turn the judge into one more tuning set.
"""

from random import Random

import pytest

from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.requests import not_offered
from tests.lookup.rates import denied, found, found_in_any_order, hidden, missed, told_apart, topic
from tests.lookup.requests import requests


@pytest.mark.long
def test_requests_that_were_never_tuned_on_find_their_operation():
    rate = found("judged")

    assert rate.share >= 0.92, f"found: {rate}"


@pytest.mark.long
def test_the_order_of_words_hardly_matters_to_whether_the_operation_is_found():
    rate = found_in_any_order("judged", Random(1), 200)

    assert rate.share >= 0.94, f"found: {rate}"


@pytest.mark.long
def test_what_is_not_offered_is_told_apart_by_requests_that_were_never_tuned_on():
    rate = told_apart("judged_elsewhere")

    assert rate.share >= 0.85, f"told apart: {rate}"


@pytest.mark.long
def test_what_is_offered_is_hardly_ever_denied_to_requests_that_were_never_tuned_on():
    rate = denied("judged")

    assert rate.share <= 0.03, f"denied: {rate}"


@pytest.mark.long
def test_requests_that_were_tuned_on_stay_found():
    assert len(missed("tuning")) <= 0.02 * len(requests("tuning")), missed("tuning")


@pytest.mark.long
def test_requests_that_were_tuned_on_stay_told_apart():
    assert told_apart("tuning_elsewhere").share >= 0.9
    assert denied("tuning").share <= 0.03


@pytest.mark.long
def test_an_example_that_is_hidden_is_mostly_found_by_its_fellows():
    operations, topics, denials = hidden([0, 7])

    assert operations.share >= 0.75, operations
    assert topics.share >= 0.55, topics
    assert denials.share <= 0.06, denials


@pytest.mark.parametrize(
    "words",
    [
        "did the reminder go out",
        "has this invoice been paid",
        "stop the text reminders for him",
        "what did the email to Mr Lee say",
        "open an extra shift on Sunday",
        "cancel the appointment",
        "bring the archived patient back",
        "what are our opening hours",
    ],
)
def test_what_looks_like_something_not_offered_is_not_denied(words: str):
    assert topic(words) is None


@pytest.mark.long_but_one
@pytest.mark.parametrize("name", [name for name, entry in entries().items() if entry.kind != "meta"])
def test_the_words_of_a_name_are_never_denied(name: str):
    verb, _, rest = name.partition("_")

    assert topic(name.replace("_", " ")) is None
    assert not rest or topic(f"{verb} the {rest.replace('_', ' ')}") is None
    assert not rest or topic(rest.replace("_", " ")) is None


def test_the_halves_share_no_request_and_are_large_enough():
    halves = {half: [request.words for request in requests(half)] for half in _HALVES}
    repeated = sum(map(len, halves.values())) - len({words for half in halves.values() for words in half})

    assert repeated == 0
    assert len(halves["judged"]) >= 480
    assert len(halves["judged_elsewhere"]) >= 60
    assert len(halves["tuning"]) >= 400
    assert len(halves["tuning_elsewhere"]) >= 200


@pytest.mark.parametrize("half", ["judged", "tuning"])
def test_every_right_answer_is_an_operation_that_is_not_deprecated(half: str):
    known = entries()

    unknown = {
        name
        for request in requests(half)
        for name in request.right
        if name not in known or known[name].kind != "operation" or known[name].deprecated
    }

    assert not unknown
    assert all(request.right for request in requests(half))


@pytest.mark.parametrize("half", ["judged_elsewhere", "tuning_elsewhere"])
def test_every_request_for_what_is_not_offered_has_one_topic(half: str):
    assert all(len(request.right) == 1 and request.right <= not_offered().keys() for request in requests(half))


def test_most_resources_are_asked_for():
    known = entries()
    resources = {entry.resource for entry in known.values() if entry.resource}

    covered = {
        known[name].resource for half in ("judged", "tuning") for request in requests(half) for name in request.right
    }

    assert resources - covered <= {"appointment_type_products", "bookings", "signatures"} - covered


_HALVES = ("judged", "tuning", "judged_elsewhere", "tuning_elsewhere")
