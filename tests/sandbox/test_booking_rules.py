"""Bookings of all kinds, their links, hours, practitioners and sites: points 32 to 74."""

import pytest

from .client import BASE, FAR, Client, errors, last


@pytest.mark.long
def test_32_bookings_are_all_three_kinds_under_the_same_ids(client: Client) -> None:
    parts = [
        client.rows(f"/{table}") for table in ("individual_appointments", "group_appointments", "unavailable_blocks")
    ]
    together = client.rows("/bookings")
    assert {row["id"] for row in together} == {row["id"] for part in parts for row in part}
    kinds = [("max_attendees" in row, "patient" in row) for row in together]
    assert [kinds.count(kind) for kind in ((False, True), (True, False), (False, False))] == [len(p) for p in parts]
    group = client.group(FAR)
    client.join(group, "Ana Lima")
    ana = client.id("patients", "Ana Lima")
    assert group["id"] in {row["id"] for row in client.rows("/bookings", f"patient_ids:~{ana}")}
    assert client.get("/bookings", f"patient_id:={ana}", status=400) == {"message": "patient_id is not filterable"}
    missed = client.rows("/bookings", "did_not_arrive:=true", sort="starts_at:desc")
    assert missed and missed[0]["starts_at"] >= missed[-1]["starts_at"]


def test_33_places_default_to_those_of_the_type(client: Client) -> None:
    assert client.group(FAR)["max_attendees"] == 8
    assert client.group(FAR, max_attendees=3)["max_attendees"] == 3
    for places in (1, 100):
        body = {**client.booking(FAR), "max_attendees": places}
        assert set(errors(client.post("/group_appointments", body, status=422))) == {"max_attendees"}
    single = client.id("appointment_types", "Standard consult")
    assert client.group(FAR, appointment_type_id=single)["max_attendees"] == 2
    client.book(FAR, appointment_type_id=client.id("appointment_types", "Pilates class"))


def test_34_what_is_archived_or_gone_cannot_be_booked(client: Client) -> None:
    former = client.id("practitioners", "Greta Holm")
    for table, body in (
        ("individual_appointments", client.booking(FAR)),
        ("group_appointments", client.booking(FAR)),
        ("unavailable_blocks", client.block(FAR, "2027-03-01T02:00:00Z")),
    ):
        refused = client.post(f"/{table}", {**body, "practitioner_id": former}, status=422)
        assert errors(refused) == {"practitioner_id": "is invalid"}
    made = client.book(FAR)
    site = client.id("businesses", "Northside")
    client.post(f"/businesses/{site}/archive", status=204)
    assert set(errors(client.post("/individual_appointments", client.booking(FAR), status=422))) == {"business_id"}
    assert (
        client.patch(f"/individual_appointments/{made['id']}", {"notes": "kept", "business_id": site})["notes"]
        == "kept"
    )
    client.post(f"/businesses/{site}/unarchive", status=200)
    client.book(FAR)


def test_35_names_notes_and_latest_bookings_are_kept_up(client: Client) -> None:
    patient = client.post("/patients", {"first_name": "Eve", "last_name": "Park"})
    path = f"/patients/{patient['id']}"
    assert "latest_booking" not in patient
    made = client.book(FAR, patient_id=patient["id"])
    assert (made["patient_name"], made["has_patient_appointment_notes"]) == ("Eve Park", False)
    client.patch(path, {"last_name": "Hill", "appointment_notes": "Lift"})
    shown = client.get(f"/individual_appointments/{made['id']}")
    assert (shown["patient_name"], shown["has_patient_appointment_notes"]) == ("Eve Park", True)
    assert client.patch(f"/individual_appointments/{made['id']}", {"notes": "x"})["patient_name"] == "Eve Park"
    stamp = client.get(path)["updated_at"]
    later = client.book("2027-03-05T00:00:00Z", patient_id=patient["id"])
    client.book("2027-03-03T00:00:00Z", patient_id=patient["id"])
    assert last(client.get(path)["latest_booking"]) == later["id"]
    client.patch(f"/individual_appointments/{later['id']}/cancel", {"cancellation_reason": 30}, status=204)
    assert last(client.get(path)["latest_booking"]) not in (later["id"], made["id"])
    client.patch(f"/individual_appointments/{made['id']}", {"starts_at": "2027-04-01T00:00:00Z", "ends_at": None})
    assert last(client.get(path)["latest_booking"]) == made["id"]
    assert client.get(path)["updated_at"] == stamp


def test_36_private_links_are_always_there_and_never_work(client: Client) -> None:
    made = client.book(FAR)
    attendee = client.attendee(made)
    links = [made["telehealth_url"], attendee["telehealth_url"], attendee["cancellation_url"]]
    assert all(link.startswith("https://") and link.split("/")[2].endswith(".invalid") for link in links)
    assert len(set(links)) == 3
    assert made["telehealth_url"].endswith(f"/appointments/{made['id']}/connect")
    other = client.attendee(client.book(FAR))
    assert other["cancellation_url"] != attendee["cancellation_url"]


def test_37_an_old_link_to_an_archived_type_is_404(client: Client) -> None:
    made = client.book(FAR)
    kind = last(made["appointment_type"])
    client.post(f"/appointment_types/{kind}/archive", status=204)
    assert last(client.get(f"/individual_appointments/{made['id']}")["appointment_type"]) == kind
    client.get(f"/appointment_types/{kind}", status=404)
    client.get(f"/appointment_types/{kind}", "archived_at:*")


def test_38_embedded_links_to_the_legacy_family_answer(client: Client) -> None:
    ana = client.id("patients", "Ana Lima")
    group = client.group(FAR)
    client.join(group, "Ana Lima")
    patient = client.get(f"/patients/{ana}")
    rows = client.rows(patient["appointments"]["links"]["self"].removeprefix(BASE))
    assert len(rows) == 5 and group["id"] in {row["id"] for row in rows}
    practitioner = client.get(f"/practitioners/{client.id('practitioners', 'Dr Mei Ng')}")
    path = practitioner["appointments"]["links"]["self"].removeprefix(BASE)
    mine = client.rows(path, "starts_at:>2026-11-24T00:00:00Z")
    assert mine and {last(row["practitioner"]) for row in mine} == {practitioner["id"]}
    assert not any("unavailable_block_type" in row for row in mine)
    business = client.get(f"/businesses/{client.id('businesses', 'Riverside')}")
    assert client.rows(business["appointments"]["links"]["self"].removeprefix(BASE), per_page=100)
    invoice = client.get("/invoices")["invoices"][0]
    link = invoice["appointment"]["links"]["self"].removeprefix(BASE)
    assert client.get(link)["id"] == link.rsplit("/", 1)[-1]
    assert invoice["id"] in {row["id"] for row in client.rows(f"{link}/invoices")}


def test_38_every_link_in_an_answer_leads_somewhere(client: Client) -> None:
    paths = ["/patients", "/individual_appointments", "/attendees", "/practitioners", "/businesses", "/invoices"]
    for path in [*paths, "/appointment_types", "/daily_availabilities", "/unavailable_blocks", "/group_appointments"]:
        row = next(value for value in client.get(path).values() if isinstance(value, list))[0]
        for link in [row, *(value for value in row.values() if isinstance(value, dict) and "links" in value)]:
            url, _, query = link["links"]["self"].removeprefix(BASE).partition("?")
            pairs = [("q[]", query.split("=", 1)[1].replace("%3A", ":").replace("%3D", "="))] if query else []
            assert client.request("GET", url, pairs).status == 200, link


def test_39_openings_are_only_made_and_blocks_have_types(client: Client) -> None:
    opening = client.post("/availability_blocks", client.block(FAR, "2027-03-01T02:00:00Z"))
    path = f"/availability_blocks/{opening['id']}"
    assert client.get(path)["repeat_rule"] == {}
    assert [
        client.request(*call).status for call in (("PATCH", path), ("DELETE", path), ("POST", f"{path}/archive"))
    ] == [404] * 3
    kind = client.id("unavailable_block_types", "Leave")
    block = client.post(
        "/unavailable_blocks", client.block(FAR, "2027-03-01T02:00:00Z", unavailable_block_type_id=kind)
    )
    assert last(block["unavailable_block_type"]) == kind
    cleared = client.patch(f"/unavailable_blocks/{block['id']}", {"unavailable_block_type_id": None})
    assert "unavailable_block_type" not in cleared
    system = [row for row in client.rows("/unavailable_block_types") if row["system_controlled"]]
    assert [row["name"] for row in system] == ["Public holiday"]
    client.post(f"/unavailable_block_types/{system[0]['id']}/archive", status=422)
    client.patch(f"/unavailable_block_types/{kind}", {"name": "Holidays"})


def test_40_weekly_hours_are_local_and_only_read(client: Client) -> None:
    rows = client.rows("/daily_availabilities")
    for row in rows:
        assert 0 <= row["day_of_week"] <= 6
        assert row["time_zone_identifier"] in ("Australia/Sydney", "Australia/Adelaide")
        assert all(len(span[end]) == 5 for span in row["availabilities"] for end in ("starts_at", "ends_at"))
    assert len({(last(r["practitioner"]), last(r["business"]), r["day_of_week"]) for r in rows}) == len(rows)
    mei = client.id("practitioners", "Dr Mei Ng")
    assert [row["day_of_week"] for row in client.rows(f"/practitioners/{mei}/daily_availabilities")] == [1, 2, 3, 4, 5]
    assert client.request("POST", "/daily_availabilities", body={}).status == 404


def test_65_practitioners_are_split_and_found_by_type_and_site(client: Client) -> None:
    active = {row["label"] for row in client.rows("/practitioners")}
    assert "Greta Holm" not in active and "Dr Mei Ng" in active
    assert [row["label"] for row in client.rows("/practitioners/inactive")] == ["Greta Holm"]
    river = client.rows(f"/businesses/{client.id('businesses', 'Riverside')}/practitioners")
    assert [row["label"] for row in river] == ["Jack Whitfield", "Aroha Tane", "Sam Iyer"]
    massage = client.rows(f"/appointment_types/{client.id('appointment_types', 'Remedial massage')}/practitioners")
    assert [row["label"] for row in massage] == ["Marcus Bell", "Aroha Tane"]
    user = client.get("/user")["id"]
    assert [row["label"] for row in client.rows("/practitioners", f"user_id:={user}")] == ["Dr Mei Ng"]


def test_66_services_follow_from_sites_and_types(client: Client) -> None:
    site, kind = client.id("businesses", "Riverside"), client.id("appointment_types", "Remedial massage")
    rows = client.rows(f"/businesses/{site}/services")
    (row,) = [row for row in rows if last(row["appointment_type"]) == kind]
    assert [last(practitioner) for practitioner in row["practitioners"]] == [client.id("practitioners", "Aroha Tane")]
    assert "id" not in row and "links" not in row
    client.patch(f"/appointment_types/{kind}", {"business_ids": []})
    assert kind not in {last(row["appointment_type"]) for row in client.rows(f"/businesses/{site}/services")}
    assert kind not in client.get(f"/businesses/{site}")["appointment_type_ids"]


def test_67_the_two_names_of_a_zone_stay_in_step(client: Client) -> None:
    site = f"/businesses/{client.id('businesses', 'Riverside')}"
    shown = client.patch(site, {"time_zone_identifier": "Australia/Adelaide"})
    assert (shown["time_zone"], shown["time_zone_identifier"]) == ("Adelaide", "Australia/Adelaide")
    shown = client.patch(site, {"time_zone": "Hobart", "time_zone_identifier": "Australia/Perth"})
    assert (shown["time_zone"], shown["time_zone_identifier"]) == ("Hobart", "Australia/Hobart")
    assert "time_zone" in errors(client.patch(site, {"time_zone": "Atlantis"}, status=422))
    assert "logo" not in client.patch(site, {"logo": "aGVsbG8="})


def test_74_public_settings_are_a_strict_part_of_all(client: Client) -> None:
    everything, public = client.get("/settings"), client.get("/settings/public")
    for group, values in public.items():
        assert all(everything[group][name] == value for name, value in values.items())
    assert "compliance" in everything["account"] and "compliance" not in public["account"]
    assert public != everything
