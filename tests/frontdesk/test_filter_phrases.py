"""Phrases of time in filters of lists and in counts: the rows are those of an independent computation."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import in_process
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.curated.reception import Reception

from cliniko_mcp.cliniko.filters import Family, conditions
from cliniko_mcp.cliniko.registry import find
from cliniko_mcp.frontdesk.filter_phrases import is_time_phrase

SYDNEY, PERTH = ZoneInfo("Australia/Sydney"), ZoneInfo("Australia/Adelaide")
TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
BACK: dict[str, tuple[date | None, date]] = {
    "last month": (date(2026, 10, 1), date(2026, 11, 1)),
    "yesterday": (date(2026, 11, 23), TODAY),
    "today": (TODAY, TODAY + DAY),
    "this week": (date(2026, 11, 23), TODAY + DAY),
    "last week": (date(2026, 11, 16), date(2026, 11, 23)),
    "November": (date(2026, 11, 1), TODAY + DAY),
    "March": (date(2026, 3, 1), date(2026, 4, 1)),
    "Friday": (date(2026, 11, 20), date(2026, 11, 21)),
    "since 1 October": (date(2026, 10, 1), TODAY + DAY),
    "in the last 30 days": (TODAY - 30 * DAY, TODAY),
    "the last 3 months": (date(2026, 8, 24), TODAY),
    "before April": (None, date(2026, 4, 1)),
    "more than 6 months ago": (None, date(2026, 5, 24)),
    "2026-10": (date(2026, 10, 1), date(2026, 11, 1)),
    "3/10/2026": (date(2026, 10, 3), date(2026, 10, 4)),
    "1 September..10 October": (date(2026, 9, 1), date(2026, 10, 11)),
    "2026-10-01..yesterday": (date(2026, 10, 1), TODAY),
    "..last month": (None, date(2026, 11, 1)),
    "> 3 October": (date(2026, 10, 4), date.max),
    ">= last month": (date(2026, 10, 1), date.max),
    "< last month": (None, date(2026, 10, 1)),
    "<= last month": (None, date(2026, 11, 1)),
}


def inside(stamp: str | None, span: tuple[date | None, date], zone: ZoneInfo) -> bool:
    """Whether an instant of a raw row lies on the local days of a span."""
    if not stamp:
        return False
    day = datetime.fromisoformat(stamp).astimezone(zone).date()
    return (span[0] is None or span[0] <= day) and day < span[1]


@pytest.mark.long_but_one
@pytest.mark.anyio
@pytest.mark.parametrize("phrase", BACK)
async def test_rows_made_or_changed_in_a_span_of_the_past_are_those_of_the_raw_rows(phrase: str) -> None:
    async with in_process() as assistant:
        reception = Reception(assistant)
        edges = [bound for bound in BACK[phrase] if bound is not None and bound != date.max]
        for edge in edges:  # a microsecond before local midnight is out, midnight itself is in
            midnight = datetime.combine(edge, time(), SYDNEY).astimezone(UTC)
            for moment in (midnight - timedelta(seconds=1), midnight):
                stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
                reception.put("patients", first_name="Edge", last_name="Case", created_at=stamp, updated_at=stamp)
        for field in ("created_at", "updated_at"):
            due = {
                row["id"]
                for row in reception.rows("patients")
                if not row.get("archived_at") and inside(row[field], BACK[phrase], SYDNEY)
            }
            arguments = {field: phrase}
            counted = await assistant.call("count_records", operation="list_patients", arguments=arguments)
            listed = await assistant.call("list_patients", **arguments, limit=1000, fields="id")
            assert counted["count"] == len(due) == listed["page"]["total"]
            assert {row["id"] for row in listed["items"]} <= due
            assert any(note.startswith(f"{field}: ") and "(Australia/Sydney)" in note for note in counted["notes"])


EITHER = {
    "next week": (date(2026, 11, 30), date(2026, 12, 7)),
    "last week": (date(2026, 11, 16), date(2026, 11, 23)),
    "this week": (date(2026, 11, 23), date(2026, 11, 30)),
    "tomorrow": (TODAY + DAY, TODAY + 2 * DAY),
    "next Friday": (date(2026, 12, 4), date(2026, 12, 5)),
    "last November": None,
    "yesterday": (TODAY - DAY, TODAY),
}


@pytest.mark.long_but_one
@pytest.mark.anyio
@pytest.mark.parametrize(("site", "zone"), [("Northside", SYDNEY), ("Riverside", PERTH)])
@pytest.mark.parametrize("phrase", [phrase for phrase, span in EITHER.items() if span])
async def test_starts_are_read_by_the_clock_of_the_site_that_is_named(phrase: str, site: str, zone: ZoneInfo) -> None:
    async with in_process() as assistant:
        reception = Reception(assistant)
        span = EITHER[phrase]
        assert span is not None
        own = reception.id("businesses", site)
        due = [
            row
            for row in reception.rows("individual_appointments")
            if row["business_id"] == own
            and not any(row.get(stamp) for stamp in ("archived_at", "deleted_at", "cancelled_at"))
            and inside(row["starts_at"], span, zone)
        ]
        for name in (site, own, f"={own}", [own]):
            arguments: dict[str, Any] = {"starts_at": phrase, "business_id": name}
            answer = await assistant.call(
                "count_records", operation="list_individual_appointments", arguments=arguments
            )
            assert answer["count"] == len(due)
            assert any(note.startswith("starts_at: ") and f"({zone.key})" in note for note in answer["notes"])


@pytest.mark.anyio
@pytest.mark.parametrize(("tool", "field", "phrase", "why"), [
    ("list_bookings", "starts_at", "Friday", "That can mean Friday 20 November 2026 or Friday 27 November 2026"),
    ("list_bookings", "starts_at", "March", "That can mean Sunday 1 March 2026 to Tuesday 31 March 2026 or"),
    ("list_patients", "created_at", "next week", "still to come"),
    ("list_patients", "created_at", "Mondays in October", "several stretches of time"),
    ("list_patients", "updated_at", "soonish", "too vague"),
    ("list_invoices", "issue_date", "yesterday morning", "Only whole days count"),
    ("list_bookings", "cancelled_at", "tomorrow", "still to come"),
    ("list_patients", "created_at", ">= before March", "no beginning"),
])  # fmt: skip
async def test_what_cannot_be_read_names_the_field_and_nothing_is_listed(
    tool: str, field: str, phrase: str, why: str
) -> None:
    async with in_process() as assistant:
        assert assistant.app is not None
        for name, arguments in (
            (tool, {field: phrase}),
            ("count_records", {"operation": tool, "arguments": {field: phrase}}),
        ):
            answer = await assistant.call(name, **arguments)
            assert answer["code"] == "invalid_arguments" and field in answer["fields"]
            assert why in answer["message"]
        assert {request.path for request in assistant.app.sandbox.requests} <= {"/v1/user"}


@pytest.mark.anyio
async def test_days_of_issue_and_of_birth_are_whole_days() -> None:
    async with in_process() as assistant:
        reception = Reception(assistant)
        for field, table, phrase, low, high in (
            ("issue_date", "invoices", "last month", "2026-10-01", "2026-10-31"),
            ("issue_date", "invoices", "last week", "2026-11-16", "2026-11-22"),
            ("date_of_birth", "patients", "1984", "1984-01-01", "1984-12-31"),
            ("date_of_birth", "patients", "17 March 1984", "1984-03-17", "1984-03-17"),
            ("date_of_birth", "patients", "17/3/84", "1984-03-17", "1984-03-17"),
        ):
            due = [
                row
                for row in reception.rows(table)
                if not row.get("archived_at") and low <= (row.get(field) or "") <= high
            ]
            answer = await assistant.call("count_records", operation=f"list_{table}", arguments={field: phrase})
            assert answer["count"] == len(due) > 0, phrase


@pytest.mark.anyio
async def test_a_list_goes_on_by_its_cursor_and_with_the_phrase_repeated() -> None:
    async with in_process() as assistant:
        first = await assistant.call("list_bookings", starts_at="last week", limit=2)
        cursor = first["page"]["next_cursor"]
        alone = await assistant.call("list_bookings", cursor=cursor, limit=2)
        again = await assistant.call("list_bookings", cursor=cursor, limit=2, starts_at="last week")
        assert alone["items"] == again["items"] != first["items"]


DAYS = st.dates(date(2000, 1, 1), date(2030, 1, 1))
PLAIN = st.one_of(
    DAYS.map(str),
    st.tuples(DAYS, DAYS).map(lambda pair: f"{min(pair)}..{max(pair)}"),
    st.tuples(st.sampled_from([">", ">=", "<", "<="]), DAYS).map(lambda pair: f"{pair[0]}{pair[1]}"),
    st.tuples(DAYS, st.times()).map(lambda pair: f"{pair[0]}T{pair[1]:%H:%M}"),
    st.sampled_from(["any", "none", "all", "ANY"]),
)


@settings(max_examples=60)
@given(PLAIN)
def test_what_the_grammar_of_filters_reads_is_no_phrase(value: str) -> None:
    operation = find("list_patients")
    assert operation is not None
    assert conditions("archived_at", Family.INSTANT, value)
    assert not is_time_phrase(operation, "archived_at", value)
