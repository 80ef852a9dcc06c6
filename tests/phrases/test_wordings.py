"""Hedges, slips of the pen, corrections and other words for "except": what people say around a time."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Facing, parse_when
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES, WORDS, look_up

from .formatting import SYDNEY, TUESDAY, parse
from .test_reading_laws import mixtures, moments, parse_or_none

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CALENDAR = [
    *(name.lower() for name in (*WEEKDAY_NAMES, *MONTH_NAMES) if len(name) >= 4),
    *(
        "today",
        "tomorrow",
        "yesterday",
        "tonight",
        "weekend",
        "weekday",
        "fortnight",
        "week",
        "month",
        "year",
        "quarter",
    ),
    *("morning", "afternoon", "evening"),
]
HEDGES = [
    *("maybe", "perhaps", "probably", "possibly", "preferably", "ideally", "sometime", "some time", "if possible"),
    *("I think", "at some point", "if you can", "hopefully"),
]


def slips(word: str) -> set[str]:
    """Every spelling one slip away: a letter less, more or other, or two neighbours swapped."""
    found: set[str] = set()
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        found |= {head + letter + tail for letter in LETTERS}
        if tail:
            found |= {head + letter + tail[1:] for letter in LETTERS} | {head + tail[1:]}
        if len(tail) > 1:
            found.add(head + tail[1] + tail[0] + tail[2:])
    return found - {word}


SLIPS = {word: slips(word) for word in CALENDAR}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CALENDAR).flatmap(lambda word: st.tuples(st.just(word), st.sampled_from(sorted(SLIPS[word])))))
def test_a_slip_is_read_as_its_word_or_not_at_all(pair: tuple[str, str]) -> None:
    word, written = pair
    found = look_up(written)
    near = {other for other in CALENDAR if written in SLIPS[other]}
    if written in WORDS:
        assert found == WORDS[written]
    elif found is not None:
        assert (found.kind, found.text, found.value) == (WORDS[word].kind, WORDS[word].text, WORDS[word].value) or (
            # the plural of the word is one slip away as well as the word, and nothing else is
            written in slips(f"{word}s")
        )
        assert near == {word}
    if len(near) > 1 and written not in WORDS:
        assert found is None


@pytest.mark.parametrize(
    ("written", "word"),
    [
        *(("Febuary", "February"), ("Wendesday", "Wednesday"), ("Thrusday", "Thursday"), ("Agust", "August")),
        *(("next wekk", "next week"), ("next mnoth", "next month"), ("tomorow", "tomorrow"), ("tonihgt", "tonight")),
        *(("Thursday afternon", "Thursday afternoon"), ("Septmber", "September"), ("Apirl", "April")),
        *(("the weeekend", "the weekend"), ("next quater", "next quarter"), ("Decembr", "December")),
    ],
)
def test_a_calendar_word_one_slip_away_is_read(written: str, word: str) -> None:
    assert parse(written) == parse(word)


@pytest.mark.parametrize(
    "written",
    ["thuesday", "Juny", "Munday", "Febuery", "Wednsdey", "next weak", "match", "your", "moth", "banana"],
)
def test_a_word_between_two_or_further_away_is_refused(written: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(written)


@pytest.mark.long
@settings(deadline=None)
@given(mixtures, st.sampled_from(HEDGES), moments, st.booleans())
def test_a_hedge_beside_a_real_span_changes_nothing(phrase: str, hedge: str, now: datetime, first: bool) -> None:
    if not phrase:
        return
    hedged = f"{hedge} {phrase}" if first else f"{hedge}, {phrase}"
    assert parse_or_none(hedged, now, SYDNEY) == parse_or_none(phrase, now, SYDNEY)


@pytest.mark.parametrize("hedge", [*HEDGES, "maybe, perhaps", "sometimes", "some time ago", "maybe soon"])
def test_a_hedge_alone_is_an_error(hedge: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(hedge)


@pytest.mark.parametrize("phrase", ["around 3", "about Thursday", "3ish", "in 2 weeks or so", "roughly next week"])
def test_a_hedge_that_changes_the_span_is_refused(phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(phrase)


@pytest.mark.parametrize(
    ("phrase", "meaning"),
    [
        ("Wednesday, no, Thursday", "Thursday"),
        ("no, Thursday", "Thursday"),
        ("Wednesday no wait Thursday", "Thursday"),
        ("Tuesday, sorry, Thursday", "Thursday"),
        ("Tuesday - I mean Thursday", "Thursday"),
        ("Monday, no, Tuesday, no, Wednesday", "Wednesday"),
        ("Friday or rather Thursday", "Thursday"),
        ("Thursday, scrap that, Friday at 10", "Friday at 10"),
        ("Thursday at 3, no, at 4", "Thursday at 4"),
        ("Thursday at 3, no, 4", "Thursday at 4"),
        ("tomorrow at 3, make that half four", "tomorrow at half four"),
        ("Tuesday at 3, no, Thursday", "Thursday at 3"),
        ("next month, actually this month", "this month"),
        ("next Tu, no, this Thursday", "this Thursday"),
        ("Thursday. No, Friday.", "Friday"),
        ("Thursday, sorry", "Thursday"),
    ],
)
def test_of_a_correction_the_last_counts(phrase: str, meaning: str) -> None:
    assert parse(phrase) == parse(meaning)


@pytest.mark.parametrize("phrase", ["Thursday, no", "no", "no, wait", "Thursday, no, banana", "sorry"])
def test_a_correction_says_what_counts_instead(phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(phrase)


@pytest.mark.parametrize(
    "words",
    [
        *("except", "but not", "apart from", "excluding", "without", "bar", "skip", "skipping", "minus", "no", "not"),
        *("other than", "aside from", "save for", "leaving out", ", no"),
    ],
)
def test_there_are_many_words_for_except(words: str) -> None:
    expected = parse("next week except Wednesday")
    assert parse(f"next week {words} Wednesday") == expected
    assert parse(f"next week {words} mornings") == parse("next week except mornings")


@pytest.mark.parametrize(
    ("phrase", "meaning"),
    [
        ("the first half of next week", "30 November 2026 to 2 December 2026"),
        ("second half of next week", "3 December 2026 to 6 December 2026"),
        ("first half of December", "1 December 2026 to 15 December 2026"),
        ("the second half of February", "16 February 2027 to 28 February 2027"),
        ("H1 2027", "1 January 2027 to 30 June 2027"),
        ("second half of next year", "1 July 2027 to 31 December 2027"),
        ("Q1", "1 January 2027 to 31 March 2027"),
        ("the third quarter of 2027", "1 July 2027 to 30 September 2027"),
        ("Nov '27", "1 November 2027 to 30 November 2027"),
        ("24 Nov '26", "24 November 2026"),
        ("next 2 full weeks", "30 November 2026 to 13 December 2026"),
        ("next 2 full months", "1 December 2026 to 31 January 2027"),
        ("up to and including 3 December at noon", "until 3 December at noon"),
        ("the current month", "this month"),
        ("next financial year", "1 July 2027 to 30 June 2028"),
        ("FY28", "1 July 2027 to 30 June 2028"),
    ],
)
def test_periods_have_names(phrase: str, meaning: str) -> None:
    assert parse(phrase) == parse(meaning)


@pytest.mark.parametrize(
    "phrase", ["first half of next quarter", "half of next week", "FY24-26", "Q5", "more than 2 weeks ago"]
)
def test_what_has_no_fixed_meaning_is_refused(phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(phrase)


@settings(deadline=None)
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=30), st.sampled_from(list(Facing)))
def test_letters_without_a_word_of_time_are_never_a_guess(text: str, facing: Facing) -> None:
    if any(look_up(word) for word in text.split()):
        return
    with pytest.raises(NotUnderstood):
        parse_when(text, now=TUESDAY, zone=SYDNEY, facing=facing)


@pytest.mark.parametrize(
    ("phrase", "start", "end"),
    [
        ("three-thirty on Thursday arvo", "26T15:30", "26T15:31"),
        ("Thursday one-fifteen", "26T13:15", "26T13:16"),
        ("nine-eleven tomorrow", "25T09:00", "25T11:00"),
        ("4-4:30", "24T16:00", "24T16:30"),
        ("this Friday coming at 9", "27T09:00", "27T09:01"),
        ("Friday coming", "27T00:00", "28T00:00"),
        ("Thursday at 2, no hang on, Friday at 9", "27T09:00", "27T09:01"),
        ("Thursday at 2, hold on, 3", "26T15:00", "26T15:01"),
        ("tomorrow before lunch, say 9:30", "25T09:30", "25T09:31"),
        ("tomorrow after 3, 4:30 if you can", "25T16:30", "25T16:31"),
    ],
)
def test_plain_words_of_a_desk_are_read(phrase: str, start: str, end: str) -> None:
    found = parse(phrase)
    assert (f"{found.start:%dT%H:%M}", f"{found.end:%dT%H:%M}", found.times) == (start, end, ())
