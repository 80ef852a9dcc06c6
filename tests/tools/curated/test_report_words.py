"""A manager's own word for a report is refused with the kind or the grouping that comes nearest."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Facing, parse_when
from cliniko_mcp.tools.curated.report import Report

KINDS = {
    "debtors": "unpaid",
    "aged receivables": "unpaid",
    "recall list": "lapsed (not seen for long) or not_rebooked",
    "KPIs": "activity, utilisation, rebooking or revenue",
    "conversion": "retention",
    "lapsed patients": "lapsed",
    "occupancy": "utilisation",
    "referrers": "sources",
    "revenues of all": "revenue",
}


def refusal(**arguments: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Report.model_validate(arguments)
    return str(refused.value)


@pytest.mark.parametrize("word", KINDS)
def test_a_word_for_a_kind_is_told_the_nearest(word: str) -> None:
    assert f"; the nearest is {KINDS[word]}" in refusal(kind=word)


@pytest.mark.parametrize("word", ["DNA", "DNAs", "utilization", "no-shows", "No Show"])
def test_a_word_that_means_one_kind_alone_is_taken(word: str) -> None:
    assert Report(kind=word).kind in ("no_shows", "utilisation")


def test_a_grouping_by_day_is_told_weekday_and_week() -> None:
    assert "; the nearest is weekday or week" in refusal(kind="activity", by=["day"])


def test_a_word_that_comes_near_none_is_told_only_what_there_is() -> None:
    assert "nearest" not in refusal(kind="weather")


@pytest.mark.parametrize(("phrase", "length"), [("6 months", "6 months"), ("fortnight", "a fortnight")])
def test_a_length_alone_is_told_how_to_say_not_seen_for_so_long(phrase: str, length: str) -> None:
    now = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("Australia/Sydney"))
    with pytest.raises(NotUnderstood, match=f'"more than {length} ago"'):
        parse_when(phrase, now=now, zone=ZoneInfo("Australia/Sydney"), facing=Facing.BACK)
