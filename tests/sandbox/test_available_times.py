"""Online availability, by the numbers of the checklist."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.rules.available_times import BookableService, available
from cliniko_mcp.sandbox.wire import Json

from .client import NOW, Client

FRAME = {"message": "Invalid time frame definition. Please check from/to param limitations."}

WEEK = ("2026-11-30", "2026-12-04")
"""Monday to Friday of the next week."""


def _path(client: Client, kind: str = "Standard consult", who: str = "Dr Mei Ng", site: str = "Northside") -> str:
    ids = client.id("businesses", site), client.id("practitioners", who), client.id("appointment_types", kind)
    return "/businesses/{}/practitioners/{}/appointment_types/{}".format(*ids)


def _times(client: Client, first: str, last: str, kind: str = "Standard consult", **place: str) -> list[str]:
    path = f"{_path(client, kind, **place)}/available_times"
    return [row["appointment_start"] for row in client.rows(path, from_=first, to=last)]


def _empty(client: Client, who: str = "Dr Mei Ng") -> None:
    """Take everything out of one diary, lunch too."""
    practitioner = client.id("practitioners", who)
    store = client.sandbox.context.store
    for table in ("individual_appointments", "group_appointments", "unavailable_blocks"):
        for row_id in list(store.table(table).matching("practitioner_id", practitioner)):
            store.remove(table, row_id)


def _hours(client: Client, who: str, spans: list[tuple[str, str]]) -> None:
    """Give someone these hours on every day on which they have any."""
    store, practitioner = client.sandbox.context.store, client.id("practitioners", who)
    for row in list(store.table("daily_availabilities").rows.values()):
        if row["practitioner_id"] == practitioner:
            store.put(
                "daily_availabilities", {**row, "availabilities": [{"starts_at": a, "ends_at": b} for a, b in spans]}
            )


def _online(client: Client, **values: object) -> None:
    """Change the account's rules of online booking."""
    store = client.sandbox.context.store
    row = cast("dict[str, Any]", dict(store.table("settings").rows["settings"]))
    row["shown"] = {**row["shown"], "online_bookings": {**row["shown"]["online_bookings"], **values}}
    store.put("settings", row)


@pytest.mark.long_but_one
@pytest.mark.parametrize(
    ("first", "last", "fine"),
    [
        ("2026-11-24", "2026-11-24", True),
        ("2026-11-24", "2026-12-01", True),
        ("2026-11-24", "2026-12-02", False),
        ("2026-11-23", "2026-11-24", False),
        ("2026-11-26", "2026-11-25", False),
        ("2026-11-24", "soon", False),
        ("2026-11-31", "2026-12-01", False),
        ("", "2026-11-24", False),
    ],
)
def test_41_the_time_frame_is_checked_in_the_accounts_zone(client: Client, first: str, last: str, fine: bool) -> None:
    for name in ("available_times", "next_available_time"):
        answer = client.request("GET", f"{_path(client)}/{name}", [("from", first), ("to", last)])
        assert answer.status == (200 if fine else 400)
        assert fine or answer.json() == FRAME


def test_41_the_last_days_of_the_calendar_are_no_time_frame(client: Client) -> None:
    for name in ("available_times", "next_available_time"):
        assert client.get(f"{_path(client)}/{name}", from_="9999-12-31", to="9999-12-31", status=400) == FRAME


def test_41_both_ends_are_needed(client: Client) -> None:
    assert client.get(f"{_path(client)}/available_times", to="2026-11-24", status=400) == FRAME
    assert client.get(f"{_path(client)}/available_times", from_="2026-11-24", status=400) == FRAME


def _close_online(client: Client) -> None:
    _online(client, enabled=False)


def _hide(table: str, name: str, **values: object) -> Callable[[Client], None]:
    def act(client: Client) -> None:
        client.sandbox.context.set_derived(table, client.id(table, name), **cast("Json", values))

    return act


def _no_hours(client: Client) -> None:
    store, mei = client.sandbox.context.store, client.id("practitioners", "Dr Mei Ng")
    for row_id in list(store.table("daily_availabilities").matching("practitioner_id", mei)):
        store.remove("daily_availabilities", row_id)


@pytest.mark.parametrize(
    "close",
    [
        _close_online,
        _hide("businesses", "Northside", show_in_online_bookings=False),
        _hide("businesses", "Northside", archived_at="2026-01-01T00:00:00Z"),
        _hide("businesses", "Northside", appointment_type_ids=[]),
        _hide("practitioners", "Dr Mei Ng", show_in_online_bookings=False),
        _hide("practitioners", "Dr Mei Ng", active=False),
        _hide("practitioners", "Dr Mei Ng", business_ids=[]),
        _hide("appointment_types", "Standard consult", show_in_online_bookings=False),
        _hide("appointment_types", "Standard consult", archived_at="2026-01-01T00:00:00Z"),
        _hide("appointment_types", "Standard consult", practitioner_ids=[]),
        _no_hours,
    ],
)
def test_42_a_closed_gate_is_404_and_not_an_empty_list(client: Client, close: Callable[[Client], None]) -> None:
    query = [("from", WEEK[0]), ("to", WEEK[1])]
    path = _path(client)
    assert client.request("GET", f"{path}/available_times", query).status == 200
    close(client)
    for name in ("available_times", "next_available_time"):
        assert client.request("GET", f"{path}/{name}", query).status == 404


def test_42_an_opening_alone_opens_the_gate(client: Client) -> None:
    _empty(client)
    _no_hours(client)
    _open(client, "2026-11-30T01:00:00Z", "2026-11-30T02:00:00Z")
    assert _times(client, *WEEK) == ["2026-11-30T01:00:00Z", "2026-11-30T01:30:00Z"]


def _open(client: Client, starts_at: str, ends_at: str, site: str = "Northside") -> None:
    body = {
        "practitioner_id": client.id("practitioners", "Dr Mei Ng"),
        "business_id": client.id("businesses", site),
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    client.post("/availability_blocks", body)


def test_43_hours_and_openings_join(client: Client) -> None:
    _empty(client)
    _hours(client, "Dr Mei Ng", [("09:00", "10:00")])
    assert _times(client, "2026-11-30", "2026-11-30") == ["2026-11-29T22:00:00Z", "2026-11-29T22:30:00Z"]
    _open(client, "2026-11-29T23:00:00Z", "2026-11-29T23:30:00Z")
    assert _times(client, "2026-11-30", "2026-11-30", "Initial consult") == [
        "2026-11-29T22:00:00Z",
        "2026-11-29T22:30:00Z",
    ]
    _open(client, "2026-11-30T02:00:00Z", "2026-11-30T03:00:00Z", site="Riverside")
    assert len(_times(client, "2026-11-30", "2026-11-30")) == 3


@pytest.mark.long
def test_43_local_hours_hold_across_the_clock_changes(sandbox: Sandbox) -> None:
    sandbox.clock.set(datetime(2027, 3, 30, tzinfo=UTC))
    client = Client(sandbox)
    _empty(client)
    _hours(client, "Dr Mei Ng", [("09:00", "09:30")])
    assert _times(client, "2027-04-01", "2027-04-06") == [
        "2027-03-31T22:00:00Z",
        "2027-04-01T22:00:00Z",
        "2027-04-04T23:00:00Z",  # from Sunday 4 April on, Sydney is an hour nearer to UTC
        "2027-04-05T23:00:00Z",
    ]


def test_43_a_site_in_another_zone_keeps_its_own_hours(client: Client) -> None:
    _empty(client, "Jack Whitfield")
    _hours(client, "Jack Whitfield", [("08:00", "08:30")])
    times = _times(client, "2026-11-30", "2026-11-30", who="Jack Whitfield", site="Riverside")
    assert times == ["2026-11-29T21:30:00Z"]  # 08:00 at Riverside, 08:30 at Northside


def test_43_a_day_of_the_account_may_reach_into_the_next_of_the_site(client: Client) -> None:
    _empty(client)
    site = client.id("businesses", "Northside")
    client.patch(f"/businesses/{site}", {"time_zone_identifier": "Pacific/Auckland"})
    _hours(client, "Dr Mei Ng", [("00:00", "00:30")])
    times = _times(client, "2026-11-30", "2026-11-30")
    assert times == ["2026-11-30T11:00:00Z"]  # Tuesday 00:00 in Auckland, still Monday 22:00 in Sydney


def test_44_everything_live_in_the_diary_is_cut_out(client: Client) -> None:
    _empty(client)
    _hours(client, "Dr Mei Ng", [("09:00", "12:00")])
    assert len(_times(client, "2026-11-30", "2026-11-30")) == 6
    client.book("2026-11-29T22:00:00Z")
    client.book("2026-11-29T22:30:00Z", business_id=client.id("businesses", "Riverside"))
    client.group("2026-11-29T23:00:00Z", practitioner_id=client.id("practitioners", "Dr Mei Ng"))
    body = {**client.booking("2026-11-30T00:00:00Z"), "ends_at": "2026-11-30T00:30:00Z"}
    block = client.post("/unavailable_blocks", body)
    assert _times(client, "2026-11-30", "2026-11-30") == ["2026-11-30T00:30:00Z"]
    client.post(f"/unavailable_blocks/{block['id']}/archive", status=204)
    assert _times(client, "2026-11-30", "2026-11-30") == ["2026-11-30T00:00:00Z", "2026-11-30T00:30:00Z"]


def test_45_notice_and_reach_bound_what_is_offered(client: Client) -> None:
    _empty(client)
    _hours(client, "Dr Mei Ng", [("09:00", "15:00")])
    assert _times(client, "2026-11-24", "2026-11-24")[0] == "2026-11-24T00:00:00Z"  # now is 09:00, two hours' notice
    assert _times(client, "2026-11-24", "2026-11-24", "Initial consult")[0] == "2026-11-24T02:00:00Z"  # four of its own
    client.sandbox.clock.advance(timedelta(minutes=1))
    assert _times(client, "2026-11-24", "2026-11-24")[0] == "2026-11-24T00:30:00Z"  # the grid stays where it was
    zero = client.id("appointment_types", "Standard consult")
    client.patch(f"/appointment_types/{zero}", {"online_bookings_lead_time_hours": 0})
    assert _times(client, "2026-11-24", "2026-11-24")[0] == "2026-11-23T22:30:00Z"
    _online(client, allow_bookings_days_in_advance=2)
    assert _times(client, "2026-11-24", "2026-11-30")[-1] == "2026-11-25T22:00:00Z"  # two days from 09:01


def test_46_the_grid_is_the_default_types_and_the_length_the_asked_ones(client: Client) -> None:
    _empty(client)
    _hours(client, "Dr Mei Ng", [("09:00", "10:45")])
    day = ("2026-11-30", "2026-11-30")
    assert [time[11:16] for time in _times(client, *day, "Initial consult")] == ["22:00", "22:30", "23:00"]
    assert [time[11:16] for time in _times(client, *day, "Extended consult")] == ["22:00", "22:30"]
    assert [time[11:16] for time in _times(client, *day, "Short review")] == ["22:00", "22:30", "23:00", "23:30"]
    mei = client.id("practitioners", "Dr Mei Ng")
    client.sandbox.context.set_derived(
        "practitioners", mei, default_appointment_type_id=client.id("appointment_types", "Extended consult")
    )
    assert [time[11:16] for time in _times(client, *day, "Short review")] == ["22:00", "23:00"]


def test_46_the_grid_starts_anew_after_each_booking(client: Client) -> None:
    _empty(client)
    _hours(client, "Dr Mei Ng", [("09:00", "11:00")])
    client.book("2026-11-29T22:10:00Z", ends_at="2026-11-29T22:25:00Z")
    times = _times(client, "2026-11-30", "2026-11-30")
    assert [time[11:16] for time in times] == ["22:25", "22:55", "23:25"]


def test_47_a_group_type_lists_its_groups_with_a_free_place(client: Client) -> None:
    _empty(client, "Priya Nair")
    place = {"kind": "Pilates class", "who": "Priya Nair"}
    assert _times(client, *WEEK, **place) == []
    group = client.group("2026-12-01T21:00:00Z", max_attendees=2)
    client.group("2026-12-02T05:00:00Z", appointment_type_id=client.id("appointment_types", "Balance class"))
    body = {"booking_id": group["id"], "patient_id": client.id("patients", "Ana Lima")}
    client.post("/attendees", body)
    assert _times(client, *WEEK, **place) == ["2026-12-01T21:00:00Z"]
    client.post("/attendees", {**body, "patient_id": client.id("patients", "Ben Adeyemi")})
    assert _times(client, *WEEK, **place) == []


def test_48_only_so_many_starts_of_each_part_of_a_day(client: Client) -> None:
    _empty(client)
    _hours(client, "Dr Mei Ng", [("10:00", "18:30")])
    _online(client, max_appointments_per_day_segment=2)
    times = _times(client, "2026-11-30", "2026-11-30")
    assert [time[11:16] for time in times] == ["23:00", "23:30", "01:00", "01:30", "06:00", "06:30"]


def test_48_a_full_day_offers_nothing(client: Client) -> None:
    _empty(client)
    _hours(client, "Dr Mei Ng", [("09:00", "12:00")])
    _online(client, daily_bookings_limit=2)
    client.book("2026-11-29T22:00:00Z")
    assert len(_times(client, "2026-11-30", "2026-11-30")) == 5
    client.book("2026-11-29T23:00:00Z")
    assert _times(client, "2026-11-30", "2026-11-30") == []
    assert _times(client, "2026-12-01", "2026-12-01") != []


def test_49_times_are_in_order_once_each_and_paged(client: Client) -> None:
    path = f"{_path(client)}/available_times"
    every = _times(client, *WEEK)
    assert every == sorted(set(every)) and all(start.endswith("Z") for start in every)
    page = client.get(path, from_=WEEK[0], to=WEEK[1], per_page=4, page=2)
    assert [row["appointment_start"] for row in page["available_times"]] == every[4:8]
    assert page["total_entries"] == len(every) > 8
    assert {"self", "next", "previous"} == set(page["links"])
    assert "from=2026-11-30" in page["links"]["next"]


def test_50_the_next_time_is_the_first_of_them(client: Client) -> None:
    path = f"{_path(client)}/next_available_time"
    every = _times(client, *WEEK)
    answer = client.get(path, from_=WEEK[0], to=WEEK[1])
    assert (answer["appointment_start"], answer["total_entries"]) == (every[0], len(every))
    assert list(answer["links"]) == ["self"]
    weekend = client.get(path, from_="2026-11-28", to="2026-11-29")
    assert (weekend["appointment_start"], weekend["total_entries"]) == (None, 0)


def test_51_a_booking_takes_its_slot_and_cancelling_gives_it_back(client: Client) -> None:
    before = _times(client, *WEEK)
    made = client.book(before[3])
    assert _times(client, *WEEK) == [start for start in before if start != before[3]]
    client.patch(f"/individual_appointments/{made['id']}/cancel", {"cancellation_reason": 30}, status=204)
    assert _times(client, *WEEK) == before


def test_a_year_of_availability_is_quick(client: Client) -> None:
    clinic = client.sandbox.context
    _online(client, allow_bookings_days_in_advance=365)
    tables = (("businesses", "Northside"), ("practitioners", "Dr Mei Ng"), ("appointment_types", "Standard consult"))
    rows = [clinic.store.table(table).rows[client.id(table, name)] for table, name in tables]
    place = BookableService(*rows, rules=cast("Json", clinic.settings()["online_bookings"]))
    available(clinic, place, NOW.date(), NOW.date())  # builds the index
    began = time.process_time()
    found = available(clinic, place, NOW.date(), NOW.date() + timedelta(days=365))
    assert time.process_time() - began < 0.6  # the budget is 200 ms; a busy machine gets slack
    assert len(found) > 3000
    assert date.fromisoformat(found[-1].date().isoformat()) > date(2027, 11, 1)
