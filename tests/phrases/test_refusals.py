"""What cannot be read without guessing is an error that shows three phrases that can."""

import re

import pytest

from cliniko_mcp.errors import NotUnderstood

from .formatting import parse

VAGUE = [
    *(
        "soon",
        "3ish",
        "3-ish",
        "asap",
        "sometime",
        "around 3",
        "about 3",
        "in a few days",
        "~3pm",
    ),
    *("some time", "maybe", "in 2 weeks or so", "Thursdayish", "whenever", "later", "late Friday"),
]
UNDATED = ["Christmas", "Easter Monday", "in summer", "before Christmas", "the school holidays", "next spring"]
CONTRADICTIONS = [
    *("Monday 24 Nov", "Monday, 24 November 2026", "today Monday", "tomorrow Friday", "Friday the 3rd"),
    *("tomorrow morning at 3pm", "next week last week", "Monday at 3 at 4", "weekdays this weekend"),
    *(
        "tomorrow morning afternoon",
        "Saturday except weekends",
        "arvo except Wednesday",
        "today bar Thursday",
        "Tue 24 Nov to Thu 28 Nov",
    ),
]
NOTHING_LEFT_OUT = ["arvo except Wednesday", "today bar Thursday"]
EITHER_WAY = ["next week but Wednesday", "tomorrow but morning", "weekdays but Friday", "next week but the 2nd"]
REVERSED = [
    *("from 5pm to 3pm", "28 to 24 November", "28 Nov to 24 Nov", "from 10 to 9", "10pm to 2am", "Nov 28-24"),
    *("2026-11-28/2026-11-24", "Friday to Monday next week", "the 28th to the 24th", "between 4pm and 2pm"),
]
IMPOSSIBLE = [
    *("31 June", "30/2", "30th of February", "24/13/2026", "0/11", "29/2/2027", "2026-02-30", "2026-13-01", "25:00"),
    *("13pm", "0am", "9:75", "2026-11-24T25:00", "2026-W54", "2026-366", "fifth Monday in December"),
]
OPEN = [
    *("from Monday", "after Thursday", "since next week", "Mondays", "mornings", "Tuesday mornings", "not Wednesday"),
    *("every Monday", "every morning", "any Monday", "every 2 weeks from Monday", "every fortnight on Thursday"),
    *("every Thursday fortnight", "every first Monday of the month", "every 1st of the month", "each 15th until June"),
    *("every 24 November", "each month end", "every tomorrow", "any arvo", "any arvo bar Wednesday", "any evening"),
]
UNCLEAR = [
    *("3", "9-5", "5 to 11 Monday", "1 to 10 tomorrow", "2030", "by 2030", "Thursday 2026", "tomorrow 2030"),
    *("by 3pm February", "first"),
    *("next December", "last March", "the next Tuesday", "thuesday", "the last 2 weeks of November"),
]
MIXED = [
    *("Monday morning or Wednesday afternoon", "next week except Wednesday afternoon", "24 Nov or 3 Dec"),
    *("in the next 4 weeks except 1 December", "within 2 weeks of Thursday"),
]
NONSENSE = [
    *("", "   ", "banana", "Thursday banana", "the", "on", "a", "please", "and", "or Thursday", "Thursday or", "next"),
    *("Thursday at", "except", "in", "2 weeks", "week", "every 2 weeks", "next available", "Thursday and and Friday"),
    *("after 3 or Thursday", "Thursday or after 3", "after 3 or tomorrow", "morning or until Monday", "- Thursday"),
    *("in -3 days", "in the next -2 weeks", ",", "tomorrow, and"),
]
FOREIGN = [
    *(
        "🙂",
        "tomorrow 🙂",
        "tom\x00orrow",
        "tomorrow\ttoday\x07",
        "明日",
        "٣pm",
        "tomorrow; DROP",
        "<b>",
        "\u202etoday",
    ),
]
ILL_FITTING = [
    *("next week except tomorrow", "next week except next week", "next week except am or pm", "tomorrow or in 2 hours"),
    *("the past 3 days in the next 3 days", "next Tuesday this week", "by yesterday", "since tomorrow", "mid month"),
    *("end of the year", "tomorrow after evening", "tomorrow half", "tomorrow half 25", "tomorrow between 10"),
    *(
        "rest of next week",
        "the 28th to the 24th of next month",
        "week commencing Tuesday 7 December",
        "next 0 Mondays",
    ),
]
FAR = ["in 99999 days", "in 900 weeks", "in 50 years", "24/11/3026", "1 January 1066", "next 1000 Mondays"]


@pytest.mark.long_but_one
@pytest.mark.parametrize(
    "phrase",
    [
        *VAGUE,
        *UNDATED,
        *CONTRADICTIONS,
        *EITHER_WAY,
        *REVERSED,
        *IMPOSSIBLE,
        *OPEN,
        *UNCLEAR,
        *MIXED,
        *NONSENSE,
        *FOREIGN,
        *FAR,
        *ILL_FITTING,
        "x" * 201,
        "tomorrow " * 30,
    ],
)
def test_it_is_refused_with_advice_and_three_examples(phrase: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        parse(phrase)
    assert refused.value.message
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 300
    examples = refused.value.details["examples"]
    assert isinstance(examples, list)
    assert len(examples) == 3
    for example in examples:
        assert isinstance(example, str)
        assert example in refused.value.fix
        assert parse(example)


def test_a_contradiction_says_what_the_day_really_is() -> None:
    with pytest.raises(NotUnderstood, match="24 November 2026 is a Tuesday, not a Monday"):
        parse("Monday 24 Nov")


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(NotUnderstood, match="banana"):
        parse("Thursday banana")


def test_a_moment_outside_the_years_of_a_diary_is_refused() -> None:
    for now in ("1899-05-05T10:00", "2300-01-01T10:00", "9999-12-31T23:59"):
        with pytest.raises(NotUnderstood):
            parse("tomorrow", now)


@pytest.mark.parametrize("number", range(1, 32))
def test_a_number_beside_a_weekday_is_refused_with_what_can_be_said(number: int) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        parse(f"Friday {number}")
    ways = re.findall(r"say (.+)\.$", refusal.value.message)[0].replace('"', "").split(" or ")
    assert len(ways) == (2 if number <= 12 else 1) and ways[-1].startswith(f"Friday the {number}")
    for way in ways:
        try:
            parse(way)
        except NotUnderstood as problem:  # that day of the month is another weekday
            assert "not a Friday" in problem.message or "No month" in problem.message, way
