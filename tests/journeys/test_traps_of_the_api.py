"""Traps of this API around ids, days, names, codes and pages: each one avoided, and held here by a test of its own."""

import pytest
from conftest import Assistant

pytestmark = pytest.mark.anyio

VISITS = "list_individual_appointments"


def requests_to(desk: Assistant, path: str) -> list[str]:
    assert desk.app is not None
    return [request.path for request in desk.app.sandbox.requests if request.path.endswith(path)]


async def test_an_id_of_19_digits_is_never_rounded(desk: Assistant):
    row = await desk.first("list_patients", limit=1)
    assert len(row["id"]) == 19
    assert (await desk.call("get_patient", id=int(row["id"])))["item"]["id"] == row["id"]
    before = requests_to(desk, "")
    for rounded in (float(row["id"]), f"{float(row['id'])}", "1.104e18"):
        assert (await desk.call("get_patient", id=rounded))["code"] == "invalid_arguments"
        assert (await desk.call("list_patients", id=rounded))["code"] == "invalid_arguments"
    assert requests_to(desk, "") == before


async def test_an_early_appointment_belongs_to_its_own_local_day(desk: Assistant):
    # 08:30 in Sydney is the evening before in UTC.
    rows = await desk.rows(
        VISITS, starts_at="2026-11-24..2026-12-18", limit=1000, fields="starts_at", business_id=87654
    )
    early = next(row for row in rows if row["starts_at"][11:16] < "10:00")
    day = early["starts_at"][:10]
    of_the_day = await desk.rows(VISITS, starts_at=day, limit=1000, fields="starts_at", business_id=87654)
    assert early in of_the_day
    assert {row["starts_at"][:10] for row in of_the_day} == {day}


async def test_part_of_a_name_is_found_in_any_case_and_with_an_apostrophe(desk: Assistant):
    for part in ("~o'b", "~O'B", "~lim"):
        rows = await desk.rows("list_patients", last_name=part, limit=100)
        assert rows
        assert all(part[1:].casefold() in row["label"].casefold() for row in rows), part


async def test_unpaid_means_open_and_a_word_that_is_no_status_is_answered_with_those_there_are(desk: Assistant):
    rows = await desk.rows("list_invoices", status=10, limit=40)
    assert {row["status_description"] for row in rows} == {"Open"}
    for word in ("open", "unpaid"):
        assert (
            await desk.rows("cliniko_read", operation="list_invoices", arguments={"status": word, "limit": 40}) == rows
        )
    refused = await desk.call("cliniko_read", operation="list_invoices", arguments={"status": "awaiting_payment"})
    assert refused["fields"]["status"].startswith("must be one of Open, Paid, Closed, Open credit")
    assert refused["schema"]["status"]["description"] == "Open, Paid, Closed, Open credit"


async def test_cancelled_appointments_are_hidden_until_asked_for_and_then_counted(desk: Assistant):
    async def count(**filters: object) -> int:
        return (await desk.call("count_records", operation=VISITS, arguments=filters))["count"]

    assert await count(cancelled_at="any") > 0
    assert await count() + await count(cancelled_at="any") == await count(cancelled_at="all")


async def test_how_many_is_the_whole_list_and_costs_one_row(desk: Assistant):
    before = len(requests_to(desk, "/patients"))
    answer = await desk.call("count_records", operation="list_patients")
    assert answer["count"] == (await desk.call("list_patients", limit=1))["page"]["total"] > 100
    assert len(requests_to(desk, "/patients")) == before + 2


async def test_more_rows_than_a_page_holds_are_gathered_from_several(desk: Assistant):
    rows = await desk.rows("list_patients", limit=250, fields="id")
    assert len({row["id"] for row in rows}) == 250


async def test_names_cost_a_request_a_kind_and_not_one_a_row(desk: Assistant):
    assert desk.app is not None
    before = len(desk.app.sandbox.requests)
    rows = await desk.rows(VISITS, starts_at=">=2026-06-01", limit=90)
    assert len(rows) > 60
    assert all(row["patient"] and row["practitioner"] and row["appointment_type"] for row in rows)
    assert len(desk.app.sandbox.requests) - before <= 1 + 4


async def test_notes_are_listed_without_what_was_written_until_it_is_asked_for(desk: Assistant):
    for shown, fields in ((False, {}), (True, {"fields": "content"})):
        rows = await desk.rows("list_treatment_notes", limit=20, **fields)
        assert any("free_text" in row for row in rows) == shown


async def test_an_empty_list_is_complete_and_no_error(desk: Assistant):
    answer = await desk.call("list_patients", last_name="Nobody of this name")
    assert answer["items"] == []
    assert answer["page"] == {"returned": 0, "total": 0, "complete": True}


@pytest.mark.parametrize("hostile", ["1/../../users", "../users", "1?x=1", "%2e%2e", "1#", "1 OR 1=1"])
async def test_an_id_never_leads_anywhere_else(desk: Assistant, hostile: str):
    before = requests_to(desk, "")
    assert (await desk.call("get_patient", id=hostile))["code"] == "invalid_arguments"
    assert requests_to(desk, "") == before
