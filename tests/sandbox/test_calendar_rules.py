"""The calendar, by the numbers of the checklist."""

from datetime import timedelta

import pytest

from .client import BASE, FAR, Client, errors, last

MONDAY = "2026-11-30T00:00:00Z"
"""Monday 30 November 2026, 11:00 at Northside."""


def test_23_the_end_follows_from_the_type(client: Client) -> None:
    assert client.book(MONDAY)["ends_at"] == "2026-11-30T00:30:00Z"
    assert client.book(MONDAY, ends_at=None)["ends_at"] == "2026-11-30T00:30:00Z"
    made = client.book(MONDAY, ends_at="2026-11-30T02:00:00Z")
    assert made["ends_at"] == "2026-11-30T02:00:00Z"
    path = f"/individual_appointments/{made['id']}"
    kind = client.id("appointment_types", "Initial consult")
    assert client.patch(path, {"appointment_type_id": kind})["ends_at"] == "2026-11-30T02:00:00Z"
    assert client.patch(path, {"ends_at": None})["ends_at"] == "2026-11-30T00:45:00Z"
    assert client.group(MONDAY)["ends_at"] == "2026-11-30T01:00:00Z"


def test_23_the_end_must_lie_after_the_start_as_it_is_kept(client: Client) -> None:
    sentence = {"ends_at": "end time must be greater than start time"}
    made = client.book(MONDAY)
    path = f"/individual_appointments/{made['id']}"
    assert errors(client.patch(path, {"starts_at": "2026-11-30T00:30:00Z"}, status=422)) == sentence
    assert (
        errors(client.post("/individual_appointments", client.booking(MONDAY, ends_at=MONDAY), status=422)) == sentence
    )
    assert client.patch(path, {"starts_at": "2026-11-30T00:29:59Z"})["ends_at"] == made["ends_at"]
    later = client.patch(path, {"starts_at": "2026-11-30T03:00:00Z", "ends_at": None})
    assert later["ends_at"] == "2026-11-30T03:30:00Z"
    block = {**client.block(MONDAY, MONDAY)}
    assert errors(client.post("/unavailable_blocks", block, status=422)) == sentence


def test_24_nothing_is_checked_when_booking(client: Client) -> None:
    first = client.book(MONDAY)
    assert client.book(MONDAY)["id"] != first["id"]
    client.book("2026-11-29T16:00:00Z")  # three in the morning
    client.book("2020-01-01T00:00:00Z")
    client.book(
        MONDAY, practitioner_id=client.id("practitioners", "Lena Brandt")
    )  # not in online bookings, not her day
    client.book(MONDAY, business_id=client.id("businesses", "Riverside"))


def _conflict(client: Client, made: dict[str, str], table: str = "individual_appointments") -> bool:
    return client.get(f"/{table}/{made['id']}/conflicts")["conflicts"]["exist"]


def test_25_conflicts_are_worked_out_live(client: Client) -> None:
    made = client.book(FAR)
    assert _conflict(client, made) is False
    block = client.post("/unavailable_blocks", client.block("2027-03-01T00:30:00Z", "2027-03-01T01:00:00Z"))
    assert _conflict(client, made) is False  # they only touch
    client.patch(f"/unavailable_blocks/{block['id']}", {"starts_at": "2027-03-01T00:29:59Z"})
    assert _conflict(client, made) is True
    assert _conflict(client, block, "unavailable_blocks") is True
    client.post(f"/unavailable_blocks/{block['id']}/archive", status=204)
    assert _conflict(client, made) is False


def test_25_only_live_bookings_of_the_same_practitioner_conflict(client: Client) -> None:
    made = client.book(FAR)
    client.book(FAR, practitioner_id=client.id("practitioners", "Tom Okafor"))
    assert _conflict(client, made) is False
    other = client.book("2027-03-01T00:15:00Z", business_id=client.id("businesses", "Riverside"))
    assert _conflict(client, made) is True
    client.patch(f"/individual_appointments/{other['id']}/cancel", {"cancellation_reason": 50}, status=204)
    assert _conflict(client, made) is False
    group = client.group(FAR, practitioner_id=client.id("practitioners", "Dr Mei Ng"))
    assert _conflict(client, made) and _conflict(client, group, "group_appointments")
    client.get(f"/individual_appointments/{other['id']}/conflicts", status=404)


def _series(client: Client, first: dict[str, str], table: str = "individual_appointments") -> list[dict[str, str]]:
    return client.rows(f"/{table}", f"repeated_from_id:={first['id']}", sort="starts_at")


def _rule(kind: str, number: int, interval: int = 1) -> dict[str, object]:
    return {"repeat_type": kind, "number_of_repeats": number, "repeating_interval": interval}


def test_26_a_rule_makes_later_records_at_the_same_local_time(client: Client) -> None:
    first = client.book("2027-03-25T22:00:00Z", repeat_rule=_rule("Weekly", 3, 2))  # Friday 26 March, 09:00 in Sydney
    later = _series(client, first)
    assert [row["starts_at"] for row in later] == [
        "2027-04-08T23:00:00Z",  # the clocks went back on 4 April
        "2027-04-22T23:00:00Z",
        "2027-05-06T23:00:00Z",
    ]
    assert {last(row["repeated_from"]) for row in later} == {first["id"]}
    assert later[0]["ends_at"] == "2027-04-08T23:30:00Z"
    link = f"{BASE}/individual_appointments?q%5B%5D=repeated_from_id%3A%3D{first['id']}"
    assert first["repeats"] == {"links": {"self": link}}
    assert first["repeat_rule"] == _rule("Weekly", 3, 2)
    assert all(row["repeats"] is None for row in later)
    assert all(len(client.rows("/attendees", f"booking_id:={row['id']}")) == 1 for row in later)


def test_26_the_end_of_a_month_is_clipped_and_does_not_wander(client: Client) -> None:
    first = client.book("2027-01-31T01:00:00Z", repeat_rule=_rule("Monthly", 3))
    assert [row["starts_at"][:10] for row in _series(client, first)] == ["2027-02-28", "2027-03-31", "2027-04-30"]
    daily = client.book("2027-05-01T01:00:00Z", repeat_rule=_rule("Daily", 2, 10))
    assert [row["starts_at"][:10] for row in _series(client, daily)] == ["2027-05-11", "2027-05-21"]


def test_26_a_series_has_its_limits(client: Client) -> None:
    body = client.booking(FAR, repeat_rule=_rule("Daily", 52))
    assert "repeat_rule" in errors(client.post("/individual_appointments", body, status=422))
    assert len(_series(client, client.book(FAR, repeat_rule=_rule("Daily", 51)))) == 51
    before = client.get("/availability_blocks")["total_entries"]
    opening = client.block(FAR, "2027-03-01T02:00:00Z", repeat_rule=_rule("Daily", 100))
    client.post("/availability_blocks", opening)
    assert client.get("/availability_blocks")["total_entries"] == before + 101
    wrong = client.block(FAR, "2027-03-01T02:00:00Z", repeat_rule=_rule("Daily", 101))
    assert "repeat_rule" in errors(client.post("/availability_blocks", wrong, status=422))


@pytest.mark.parametrize("table", ["individual_appointments", "group_appointments", "unavailable_blocks"])
@pytest.mark.parametrize(
    ("starts_at", "kind"), [("9998-12-31T20:00:00Z", "Daily"), ("9998-11-30T00:00:00Z", "Monthly")]
)
def test_26_a_series_that_time_has_no_room_for_is_refused_whole(
    client: Client, table: str, starts_at: str, kind: str
) -> None:
    before = client.get(f"/{table}")["total_entries"]
    body = {**client.booking(starts_at, repeat_rule=_rule(kind, 9, 100)), "ends_at": f"{starts_at[:10]}T21:00:00Z"}
    assert set(errors(client.post(f"/{table}", body, status=422))) == {"repeat_rule"}
    assert client.get(f"/{table}")["total_entries"] == before


def test_26_what_does_not_repeat_says_so_and_rules_stay(client: Client) -> None:
    made = client.book(FAR)
    assert (made["repeat_rule"], made["repeats"]) == ({}, None)
    path = f"/individual_appointments/{made['id']}"
    assert errors(client.patch(path, {"repeat_rule": _rule("Daily", 1)}, status=422)) == {
        "repeat_rule": "cannot be changed"
    }
    assert client.patch(path, {"repeat_rule": {}, "notes": "x"})["notes"] == "x"


def test_27_cancelling_the_series_takes_this_and_later_ones(client: Client) -> None:
    first = client.book(FAR, repeat_rule=_rule("Weekly", 3))
    second = _series(client, first)[0]
    body = {"cancellation_reason": 60, "cancellation_note": "New job", "apply_to_repeats": True}
    client.patch(f"/individual_appointments/{second['id']}/cancel", body, status=204)
    assert _series(client, first) == []
    gone = client.rows("/individual_appointments", f"repeated_from_id:={first['id']}", "cancelled_at:?")
    assert len(gone) == 3
    assert {row["cancellation_reason_description"] for row in gone} == {"Work"}
    assert {row["cancellation_note"] for row in gone} == {"New job"}
    assert client.get(f"/individual_appointments/{first['id']}")["cancelled_at"] is None


def test_27_one_cancellation_leaves_the_others_and_cannot_be_repeated(client: Client) -> None:
    first = client.book(FAR, repeat_rule=_rule("Weekly", 2))
    path = f"/individual_appointments/{first['id']}"
    assert errors(client.patch(f"{path}/cancel", {}, status=422)) == {"cancellation_reason": "can’t be blank"}
    client.patch(f"{path}/cancel", {"cancellation_reason": 10}, status=204)
    client.get(path, status=404)
    shown = client.get(path, "cancelled_at:*")
    assert (shown["cancellation_reason"], shown["cancelled_at"]) == (10, "2026-11-23T22:00:00Z")
    assert len(_series(client, first)) == 2
    assert set(errors(client.patch(f"{path}/cancel", {"cancellation_reason": 10}, status=422))) == {"base"}
    client.patch(path, {"notes": "x"}, status=404)


def test_28_an_appointment_and_its_one_attendee_share_their_state(client: Client) -> None:
    made = client.book(FAR, notes="Knee")
    attendee = client.attendee(made)
    assert attendee["notes"] == "Knee"
    assert attendee["booking"] == {"links": {"self": f"{BASE}/bookings/{made['id']}"}}
    assert client.get(f"/individual_appointments/{made['id']}/attendees")["attendees"] == [attendee]
    assert client.rows("/attendees", f"appointment_id:={made['id']}") == [attendee]
    client.patch(f"/individual_appointments/{made['id']}", {"notes": "Hip"})
    assert client.attendee(made)["notes"] == "Hip"
    client.patch(f"/attendees/{attendee['id']}", {"notes": None})
    assert client.get(f"/individual_appointments/{made['id']}")["notes"] is None
    client.patch(f"/individual_appointments/{made['id']}/cancel", {"cancellation_reason": 30}, status=204)
    assert client.rows("/attendees", f"booking_id:={made['id']}") == []
    assert client.attendee(made, "cancelled_at:*")["cancellation_reason"] == 30


def test_28_a_case_is_shared_and_an_archived_one_refused_for_the_whole_record(client: Client) -> None:
    ana = client.id("patients", "Ana Lima")
    case = client.post("/patient_cases", {"name": "Knee", "patient_id": ana})
    made = client.book(FAR, patient_case_id=case["id"])
    assert last(client.attendee(made)["patient_case"]) == case["id"]
    assert [row["id"] for row in client.rows(f"/patient_cases/{case['id']}/bookings")] == [made["id"]]
    other = client.book("2027-03-02T00:00:00Z")
    client.patch(f"/attendees/{client.attendee(other)['id']}", {"patient_case_id": case["id"]})
    assert last(client.get(f"/individual_appointments/{other['id']}")["patient_case"]) == case["id"]
    assert len(client.rows("/attendees", f"patient_case_id:={case['id']}")) == 2
    client.post(f"/patient_cases/{case['id']}/archive", status=204)
    third = client.book("2027-03-03T00:00:00Z")
    refused = client.patch(f"/attendees/{client.attendee(third)['id']}", {"patient_case_id": case["id"]}, status=422)
    assert errors(refused) == {"base": "Case has been archived."}


def test_28_archiving_either_archives_both(client: Client) -> None:
    made = client.book(FAR)
    client.post(f"/individual_appointments/{made['id']}/archive", status=204)
    assert client.attendee(made, "archived_at:*")["archived_at"]
    other = client.book(FAR)
    client.post(f"/attendees/{client.attendee(other)['id']}/archive", status=204)
    client.get(f"/individual_appointments/{other['id']}", status=404)


@pytest.mark.parametrize(("arrived", "came", "missed"), [(True, True, False), (False, False, True), (None, None, None)])
def test_29_arrival_has_three_states(
    client: Client, arrived: bool | None, came: bool | None, missed: bool | None
) -> None:
    made = client.book(FAR)
    attendee = client.attendee(made)
    assert (attendee["arrived"], made["patient_arrived"], made["did_not_arrive"]) == (None, None, None)
    client.patch(f"/attendees/{attendee['id']}", {"arrived": not arrived})
    assert client.patch(f"/attendees/{attendee['id']}", {"arrived": arrived})["arrived"] is arrived
    shown = client.get(f"/individual_appointments/{made['id']}")
    assert (shown["patient_arrived"], shown["did_not_arrive"]) == (came, missed)
    missing = {row["id"] for row in client.rows("/individual_appointments", "did_not_arrive:=true")}
    assert (made["id"] in missing) is bool(missed)
    ignored = client.patch(f"/individual_appointments/{made['id']}", {"patient_arrived": not came})
    assert ignored["patient_arrived"] == came


def test_30_only_a_place_in_a_group_is_cancelled_on_the_attendee(client: Client) -> None:
    made = client.book(FAR)
    own = client.attendee(made)
    refused = client.patch(f"/attendees/{own['id']}/cancel", {"cancellation_reason": 40}, status=422)
    assert set(errors(refused)) == {"base"}
    assert client.get(f"/individual_appointments/{made['id']}")["cancelled_at"] is None
    group = client.group(FAR)
    place = client.join(group, "Ana Lima")
    assert (place["cancellation_reason"], place["cancellation_reason_description"]) == (None, "")
    client.patch(f"/attendees/{place['id']}/cancel", {"cancellation_reason": 40}, status=204)
    assert client.get(f"/attendees/{place['id']}", "cancelled_at:*")["cancellation_reason_description"] == "Away"
    assert client.get(f"/group_appointments/{group['id']}")["patient_ids"] == []
    assert client.join(group, "Ana Lima")["id"] != place["id"]


def test_30_a_place_is_cancelled_in_later_groups_too(client: Client) -> None:
    first = client.group(FAR, repeat_rule=_rule("Weekly", 2))
    groups = [first, *_series(client, first, "group_appointments")]
    places = [client.join(group, "Ana Lima") for group in groups]
    client.join(groups[2], "Ben Adeyemi")
    body = {"cancellation_reason": 40, "apply_to_repeats": True}
    client.patch(f"/attendees/{places[1]['id']}/cancel", body, status=204)
    live = [client.get(f"/group_appointments/{group['id']}")["patient_ids"] for group in groups]
    assert live == [[client.id("patients", "Ana Lima")], [], [client.id("patients", "Ben Adeyemi")]]


def test_31_a_group_has_places_and_takes_nobody_twice(client: Client) -> None:
    group = client.group(FAR, max_attendees=2)
    client.join(group, "Ana Lima")
    assert set(errors(client.join(group, "Ana Lima", 422))) == {"patient_id"}
    ben = client.join(group, "Ben Adeyemi")
    assert set(errors(client.join(group, "Maya Rosen", 422))) == {"base"}
    assert len(client.get(f"/group_appointments/{group['id']}")["patient_ids"]) == 2
    client.post(f"/attendees/{ben['id']}/archive", status=204)
    client.join(group, "Maya Rosen")
    held = client.get(f"/group_appointments/{group['id']}")["patient_ids"]
    assert held == [client.id("patients", "Ana Lima"), client.id("patients", "Maya Rosen")]
    assert [row["id"] for row in client.rows("/group_appointments", f"patient_ids:~{held[1]}", f"id:={group['id']}")]
    single = client.book(FAR)
    assert set(errors(client.join(single, "Ben Adeyemi", 422))) == {"booking_id"}


def test_31_max_attendees_can_be_lowered_below_the_places_that_are_taken(client: Client) -> None:
    group = client.group(FAR, max_attendees=3)
    for name in ("Ana Lima", "Ben Adeyemi", "Maya Rosen"):
        client.join(group, name)
    lowered = client.patch(f"/group_appointments/{group['id']}", {"max_attendees": 2})
    assert (lowered["max_attendees"], len(lowered["patient_ids"])) == (2, 3)
    assert set(errors(client.join(group, "Grace Example", 422))) == {"base"}


@pytest.mark.long
def test_the_clock_can_be_moved(client: Client) -> None:
    client.sandbox.clock.advance(timedelta(days=1))
    assert client.post("/patients", {"first_name": "A", "last_name": "B"})["created_at"] == "2026-11-24T22:00:00Z"


@pytest.mark.long
def test_the_names_that_others_rely_on_are_there(client: Client) -> None:
    mei = client.get(f"/practitioners/{client.id('practitioners', 'Dr Mei Ng')}")
    assert (mei["display_name"], mei["designation"], mei["active"]) == ("Dr Mei Ng", "Physiotherapist", True)
    (ana,) = client.rows("/patients", "first_name:=Ana", "last_name:=Lima")
    assert ana["date_of_birth"].startswith("1984")
    coming = client.rows("/bookings", f"patient_ids:~{ana['id']}", "starts_at:>2026-11-24T12:59:59Z")
    assert len(coming) == 3
    assert all(last(row["business"]) == client.id("businesses", "Northside") for row in coming)
    lengths = {row["name"]: row["duration_in_minutes"] for row in client.rows("/appointment_types")}
    assert (lengths["Initial consult"], lengths["Standard consult"]) == (45, 30)
    assert {row["status"] for row in client.rows("/invoices")} == {10, 20, 30, 40}
    zones = {row["label"]: row["time_zone_identifier"] for row in client.rows("/businesses")}
    assert zones == {"Northside": "Australia/Sydney", "Riverside": "Australia/Adelaide"}
    assert client.get("/user")["time_zone_identifier"] == "Australia/Sydney"
