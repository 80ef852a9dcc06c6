"""How the desks of four countries say when: read as meant in each direction, or refused with what to say instead."""

from datetime import datetime

import pytest

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Anchor, Facing, parse_when
from cliniko_mcp.phrases.idioms import in_plain_words

from .formatting import SYDNEY, TUESDAY, formatted, parse

VISIT = Anchor(datetime(2026, 12, 9, 14, 15), datetime(2026, 12, 9, 15, 0))

# said so at a desk, and the plain words that it means: the two are read alike in every direction
SAME = [
    ("now until 2", "from now until 14:00"),
    ("from now until 3", "from now until 3pm"),
    ("now to half past 4", "from now until 4:30pm"),
    ("between now and 11", "from now until 11am"),
    ("a week Thursday", "Thursday week"),
    ("a week on Thursday", "Thursday week"),
    ("week on Monday", "Monday week"),
    ("a fortnight Friday", "Friday fortnight"),
    ("a fortnight on Friday", "Friday fortnight"),
    ("two weeks Monday", "Monday fortnight"),
    ("first up Friday", "first thing Friday"),
    ("wc 7 Dec", "w/c 7 Dec"),
    ("week beg 7 Dec", "week beginning 7 Dec"),
    ("tail end of next week", "end of next week"),
    ("back end of next week", "end of next week"),
    ("front end of next week", "start of next week"),
    ("YTD", "year to date"),
    ("MTD", "month to date"),
    ("FYTD", "FY to date"),
    ("by EOFY", "by the end of the financial year"),
    ("by COB Friday", "by the end of Friday"),
    ("by close of business on Friday", "by the end of Friday"),
    ("by end of play tomorrow", "by the end of tomorrow"),
    ("until EOD Friday", "until Friday"),
    ("by EOD", "by the end of the day"),
    ("weeknights next week", "weekday evenings next week"),
    ("in the lunch hour tomorrow", "lunchtime tomorrow"),
    ("straight after lunch", "after lunch"),
    ("right after 3", "after 3"),
    ("late Friday arvo", "Friday late afternoon"),
    ("late in the arvo on Friday", "Friday late afternoon"),
    ("early tomorrow morning", "tomorrow early morning"),
    ("of an evening next week", "evenings next week"),
    ("Thursday, failing that Friday", "Thursday or Friday"),
    ("Thursday or if not Friday", "Thursday or Friday"),
    ("Thursday instead of Friday", "Thursday"),
    ("at 3pm rather than 2pm", "at 3pm"),
    ("Friday at 3 on the dot", "Friday at 3"),
    ("in 6/52", "in 6 weeks"),
    ("in a week or two", "in 1 to 2 weeks"),
    ("in 4-6 weeks", "in 4 to 6 weeks"),
    ("in 2 or 3 weeks", "in 2 to 3 weeks"),
    ("earlier in the week", "earlier this week"),
    ("12 today", "at 12 today"),
    ("9 tomorrow", "tomorrow at 9"),
    ("3 on the 27th", "the 27th at 3"),
    ("9 on 27/11", "27/11 at 9"),
    ("back half of next week", "second half of next week"),
    ("first half of 2026", "H1 2026"),
    ("the second half of 2025", "H2 2025"),
    ("same time, Friday", "Friday, same time"),
    ("the same time, the day after", "the day after, same time"),
    ("same time please, next Tuesday", "next Tuesday, same time"),
    ("a fortnight on", "a fortnight later"),
    ("two weeks on", "2 weeks later"),
]


def read(phrase: str, facing: Facing, anchor: Anchor | None) -> str:
    try:
        return parse_when(phrase, now=TUESDAY, zone=SYDNEY, country="AU", facing=facing, anchor=anchor).description
    except NotUnderstood:
        return "refused"


@pytest.mark.parametrize(("said", "plain"), SAME, ids=[said for said, _ in SAME])
def test_an_idiom_is_read_as_the_plain_words_in_every_direction(said: str, plain: str) -> None:
    ways: list[tuple[Facing, Anchor | None]] = [(Facing.AHEAD, VISIT), *((facing, None) for facing in Facing)]
    found = [read(said, *way) for way in ways]
    assert found == [read(plain, *way) for way in ways]
    assert set(found) != {"refused"}


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("late arvo", "2026-11-24T15:00 2026-11-24T17:00"),
        ("mid-arvo Friday", "2026-11-27T14:00 2026-11-27T16:00"),
        ("early afternoon", "2026-11-24T12:00 2026-11-24T14:00"),
        ("early morning", "2026-11-25T00:00 2026-11-25T09:00"),
        ("mid morning tomorrow", "2026-11-25T09:00 2026-11-25T11:00"),
        ("late morning tomorrow", "2026-11-25T10:00 2026-11-25T12:00"),
        ("early evening", "2026-11-24T17:00 2026-11-24T19:00"),
        ("late evening", "2026-11-24T20:00 2026-11-25T00:00"),
        ("this arvo", "2026-11-24T12:00 2026-11-24T17:00"),
        ("tomorrow arvo", "2026-11-25T12:00 2026-11-25T17:00"),
        ("the day after Monday", "2026-12-01T00:00 2026-12-02T00:00"),
        ("the day before Thursday", "2026-11-25T00:00 2026-11-26T00:00"),
        ("the day after 7 December", "2026-12-08T00:00 2026-12-09T00:00"),
        ("a week Thursday", "2026-12-03T00:00 2026-12-04T00:00"),
        ("in 4 to 6 weeks", "2026-12-22T00:00 2027-01-06T00:00"),
        ("first fortnight of December", "2026-12-01T00:00 2026-12-15T00:00"),
        ("last fortnight of December", "2026-12-18T00:00 2027-01-01T00:00"),
        ("second week of February", "2027-02-08T00:00 2027-02-15T00:00"),
        ("12 on Monday", "2026-11-30T12:00 2026-11-30T12:01"),
        ("10 on next Tuesday", "2026-12-01T10:00 2026-12-01T10:01"),
        ("Friday from lunch", "2026-11-27T12:00 2026-11-28T00:00"),
        ("from lunchtime on Friday", "2026-11-27T12:00 2026-11-28T00:00"),
        ("Friday 5pm for an hour", "2026-11-27T17:00 2026-11-27T18:00"),
        ("5pm Friday for 90 minutes", "2026-11-27T17:00 2026-11-27T18:30"),
        ("half an hour from 9 tomorrow", "2026-11-25T09:00 2026-11-25T09:30"),
        ("30 mins at 9am Tuesday", "2026-12-01T09:00 2026-12-01T09:30"),
        ("23 Dec to 4 Jan inclusive", "2026-12-23T00:00 2027-01-05T00:00"),
        ("earlier today", "2026-11-24T00:00 2026-11-24T10:37"),
        ("earlier this month", "2026-11-01T00:00 2026-11-24T00:00"),
        ("mid-morning Tuesday or Thursday next week", "2026-11-30T00:00 2026-12-07T00:00 tue,thu 09:00-11:00"),
    ],
)
def test_it_is_read_ahead_as_the_page_says(phrase: str, expected: str) -> None:
    assert formatted(parse(phrase)) == expected


def test_a_week_on_a_weekday_counts_from_now_where_a_visit_moves_too() -> None:
    for phrase in ("a week on Thursday", "a week Thursday", "Thursday week"):
        moved = parse_when(phrase, now=TUESDAY, zone=SYDNEY, anchor=VISIT)
        assert f"{moved.start:%a %d %b %H:%M}" == "Thu 03 Dec 14:15", phrase


@pytest.mark.parametrize(
    ("phrase", "advice"),
    [
        ("second week of December", "week of 7 December"),
        ("third week of the month", "week of 9 November"),
        ("fifth week of December", "the last week of the month"),
        ("twice a week", "How often"),
        ("every other Friday", "How often"),
        ("every second Tuesday", "How often"),
        ("alternate Fridays", "How often"),
        ("fortnightly", "How often"),
        ("after school", "after 3:30"),
        ("school pick-up", "after 3:30"),
        ("before work", "give the hour"),
        ("after tea", "give the hour"),
        ("smoko", "give the hour"),
        ("crack of dawn", "give the hour"),
        ("business hours", "9 to 5"),
        ("after hours", "9 to 5"),
        ("COB", "after 4"),
        ("COB Friday", "after 4"),
        ("end of play", "after 4"),
        ("end of the day", "after 4"),
        ("last thing Friday", "after 4"),
        ("late Friday", "late Friday afternoon"),
        ("early Monday", "Friday before 10"),
        ("the long weekend", "give the dates"),
        ("public holidays", "give the dates"),
        ("school holidays", "give the dates"),
        ("bank holiday Monday", "give the dates"),
        ("half term", "give the dates"),
        ("Xmas week", "give the date"),
        ("New Year's Eve", "give the date"),
        ("Australia Day", "give the date"),
        ("the King's Birthday", "give the date"),
        ("EOFY", "give dates"),
        ("mid-March", "10 to 20 March"),
        ("noonish", "between which hours"),
        ("just after 3", '"at 3"'),
        ("2pm or so", "too vague"),
        ("quarter past", "quarter past 9"),
        ("3 weeks", "in 3 weeks"),
        ("a couple of weeks", "within a couple of weeks"),
        ("fortnight", "in a fortnight"),
        ("w/e 13 Dec", "week ending 13 December"),
        ("this coming week", "next week"),
        ("this fortnight", "the next 2 weeks"),
        ("tomorrow from first thing", "I could not read"),
        ("Monday 9 to 5 for an hour", "I could not read"),
        ("11pm for 2 hours", "I could not read"),
        ("this time next week", "next Tuesday at 3"),
        ("in 3/12", "in 3 months"),
        ("in 3/7", "in 3 days"),
    ],
)
@pytest.mark.parametrize("anchor", [None, VISIT], ids=["ahead", "from a visit"])
def test_what_has_no_time_of_its_own_is_refused_with_what_to_say(
    phrase: str, advice: str, anchor: Anchor | None
) -> None:
    with pytest.raises(NotUnderstood) as refused:
        parse_when(phrase, now=TUESDAY, zone=SYDNEY, country="AU", anchor=anchor)
    assert advice in str(refused.value)


@pytest.mark.parametrize(
    "plain",
    ["thursday after 3", "late next month", "end of the month", "early next week", "7/12", "on 3/12", "in july"],
)
def test_plain_words_stay_as_they_are(plain: str) -> None:
    assert in_plain_words(plain) == plain
