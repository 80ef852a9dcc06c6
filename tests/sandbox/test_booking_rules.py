"""Bookings of all kinds, their links, hours, practitioners and sites: points 32 to 74 (api.md section 6, B and D)."""

from .client import BASE, FAR, Front, errors, last


def test_32_bookings_are_all_three_kinds_under_the_same_ids(desk: Front) -> None:
    parts = [
        desk.rows(f"/{table}") for table in ("individual_appointments", "group_appointments", "unavailable_blocks")
    ]
    together = desk.rows("/bookings")
    assert {row["id"] for row in together} == {row["id"] for part in parts for row in part}
    kinds = [("max_attendees" in row, "patient" in row) for row in together]
    assert [kinds.count(kind) for kind in ((False, True), (True, False), (False, False))] == [len(p) for p in parts]
    group = desk.group(FAR)
    desk.join(group, "Ana Lima")
    ana = desk.id("patients", "Ana Lima")
    assert group["id"] in {row["id"] for row in desk.rows("/bookings", f"patient_ids:~{ana}")}
    assert desk.get("/bookings", f"patient_id:={ana}", status=400) == {"message": "patient_id is not filterable"}
    missed = desk.rows("/bookings", "did_not_arrive:=true", sort="starts_at:desc")
    assert missed and missed[0]["starts_at"] >= missed[-1]["starts_at"]


def test_33_places_default_to_those_of_the_type(desk: Front) -> None:
    assert desk.group(FAR)["max_attendees"] == 8
    assert desk.group(FAR, max_attendees=3)["max_attendees"] == 3
    for places in (1, 100):
        body = {**desk.booking(FAR), "max_attendees": places}
        assert set(errors(desk.post("/group_appointments", body, status=422))) == {"max_attendees"}
    single = desk.id("appointment_types", "Standard consult")
    assert desk.group(FAR, appointment_type_id=single)["max_attendees"] == 2
    desk.book(FAR, appointment_type_id=desk.id("appointment_types", "Pilates class"))


def test_34_what_is_archived_or_gone_cannot_be_booked(desk: Front) -> None:
    former = desk.id("practitioners", "Greta Holm")
    for table, body in (
        ("individual_appointments", desk.booking(FAR)),
        ("group_appointments", desk.booking(FAR)),
        ("unavailable_blocks", desk.block(FAR, "2027-03-01T02:00:00Z")),
    ):
        refused = desk.post(f"/{table}", {**body, "practitioner_id": former}, status=422)
        assert errors(refused) == {"practitioner_id": "is invalid"}
    made = desk.book(FAR)
    site = desk.id("businesses", "Northside")
    desk.post(f"/businesses/{site}/archive", status=204)
    assert set(errors(desk.post("/individual_appointments", desk.booking(FAR), status=422))) == {"business_id"}
    assert (
        desk.patch(f"/individual_appointments/{made['id']}", {"notes": "kept", "business_id": site})["notes"] == "kept"
    )
    desk.post(f"/businesses/{site}/unarchive", status=200)
    desk.book(FAR)


def test_35_names_notes_and_latest_bookings_are_kept_up(desk: Front) -> None:
    patient = desk.post("/patients", {"first_name": "Eve", "last_name": "Park"})
    path = f"/patients/{patient['id']}"
    assert "latest_booking" not in patient
    made = desk.book(FAR, patient_id=patient["id"])
    assert (made["patient_name"], made["has_patient_appointment_notes"]) == ("Eve Park", False)
    desk.patch(path, {"last_name": "Hill", "appointment_notes": "Lift"})
    shown = desk.get(f"/individual_appointments/{made['id']}")
    assert (shown["patient_name"], shown["has_patient_appointment_notes"]) == ("Eve Park", True)
    assert desk.patch(f"/individual_appointments/{made['id']}", {"notes": "x"})["patient_name"] == "Eve Park"
    stamp = desk.get(path)["updated_at"]
    later = desk.book("2027-03-05T00:00:00Z", patient_id=patient["id"])
    desk.book("2027-03-03T00:00:00Z", patient_id=patient["id"])
    assert last(desk.get(path)["latest_booking"]) == later["id"]
    desk.patch(f"/individual_appointments/{later['id']}/cancel", {"cancellation_reason": 30}, status=204)
    assert last(desk.get(path)["latest_booking"]) not in (later["id"], made["id"])
    desk.patch(f"/individual_appointments/{made['id']}", {"starts_at": "2027-04-01T00:00:00Z", "ends_at": None})
    assert last(desk.get(path)["latest_booking"]) == made["id"]
    assert desk.get(path)["updated_at"] == stamp


def test_36_private_links_are_always_there_and_never_work(desk: Front) -> None:
    made = desk.book(FAR)
    attendee = desk.attendee(made)
    links = [made["telehealth_url"], attendee["telehealth_url"], attendee["cancellation_url"]]
    assert all(link.startswith("https://") and link.split("/")[2].endswith(".invalid") for link in links)
    assert len(set(links)) == 3
    assert made["telehealth_url"].endswith(f"/appointments/{made['id']}/connect")
    other = desk.attendee(desk.book(FAR))
    assert other["cancellation_url"] != attendee["cancellation_url"]


def test_37_an_old_link_to_an_archived_type_is_404(desk: Front) -> None:
    made = desk.book(FAR)
    kind = last(made["appointment_type"])
    desk.post(f"/appointment_types/{kind}/archive", status=204)
    assert last(desk.get(f"/individual_appointments/{made['id']}")["appointment_type"]) == kind
    desk.get(f"/appointment_types/{kind}", status=404)
    desk.get(f"/appointment_types/{kind}", "archived_at:*")


def test_38_embedded_links_to_the_legacy_family_answer(desk: Front) -> None:
    ana = desk.id("patients", "Ana Lima")
    group = desk.group(FAR)
    desk.join(group, "Ana Lima")
    patient = desk.get(f"/patients/{ana}")
    rows = desk.rows(patient["appointments"]["links"]["self"].removeprefix(BASE))
    assert len(rows) == 5 and group["id"] in {row["id"] for row in rows}
    practitioner = desk.get(f"/practitioners/{desk.id('practitioners', 'Dr Mei Ng')}")
    path = practitioner["appointments"]["links"]["self"].removeprefix(BASE)
    mine = desk.rows(path, "starts_at:>2026-11-24T00:00:00Z")
    assert mine and {last(row["practitioner"]) for row in mine} == {practitioner["id"]}
    assert not any("unavailable_block_type" in row for row in mine)
    business = desk.get(f"/businesses/{desk.id('businesses', 'Riverside')}")
    assert desk.rows(business["appointments"]["links"]["self"].removeprefix(BASE), per_page=100)
    invoice = desk.get("/invoices")["invoices"][0]
    link = invoice["appointment"]["links"]["self"].removeprefix(BASE)
    assert desk.get(link)["id"] == link.rsplit("/", 1)[-1]
    assert invoice["id"] in {row["id"] for row in desk.rows(f"{link}/invoices")}


def test_38_every_link_in_an_answer_leads_somewhere(desk: Front) -> None:
    paths = ["/patients", "/individual_appointments", "/attendees", "/practitioners", "/businesses", "/invoices"]
    for path in [*paths, "/appointment_types", "/daily_availabilities", "/unavailable_blocks", "/group_appointments"]:
        row = next(value for value in desk.get(path).values() if isinstance(value, list))[0]
        for link in [row, *(value for value in row.values() if isinstance(value, dict) and "links" in value)]:
            url, _, query = link["links"]["self"].removeprefix(BASE).partition("?")
            pairs = [("q[]", query.split("=", 1)[1].replace("%3A", ":").replace("%3D", "="))] if query else []
            assert desk.ask("GET", url, pairs).status == 200, link


def test_39_openings_are_only_made_and_blocks_have_types(desk: Front) -> None:
    opening = desk.post("/availability_blocks", desk.block(FAR, "2027-03-01T02:00:00Z"))
    path = f"/availability_blocks/{opening['id']}"
    assert desk.get(path)["repeat_rule"] == {}
    assert [desk.ask(*each).status for each in (("PATCH", path), ("DELETE", path), ("POST", f"{path}/archive"))] == [
        404
    ] * 3
    kind = desk.id("unavailable_block_types", "Leave")
    block = desk.post("/unavailable_blocks", desk.block(FAR, "2027-03-01T02:00:00Z", unavailable_block_type_id=kind))
    assert last(block["unavailable_block_type"]) == kind
    cleared = desk.patch(f"/unavailable_blocks/{block['id']}", {"unavailable_block_type_id": None})
    assert "unavailable_block_type" not in cleared
    system = [row for row in desk.rows("/unavailable_block_types") if row["system_controlled"]]
    assert [row["name"] for row in system] == ["Public holiday"]
    desk.post(f"/unavailable_block_types/{system[0]['id']}/archive", status=422)
    desk.patch(f"/unavailable_block_types/{kind}", {"name": "Holidays"})


def test_40_weekly_hours_are_local_and_only_read(desk: Front) -> None:
    rows = desk.rows("/daily_availabilities")
    for row in rows:
        assert 0 <= row["day_of_week"] <= 6
        assert row["time_zone_identifier"] in ("Australia/Sydney", "Australia/Adelaide")
        assert all(len(span[end]) == 5 for span in row["availabilities"] for end in ("starts_at", "ends_at"))
    assert len({(last(r["practitioner"]), last(r["business"]), r["day_of_week"]) for r in rows}) == len(rows)
    mei = desk.id("practitioners", "Dr Mei Ng")
    assert [row["day_of_week"] for row in desk.rows(f"/practitioners/{mei}/daily_availabilities")] == [1, 2, 3, 4, 5]
    assert desk.ask("POST", "/daily_availabilities", body={}).status == 404


def test_65_practitioners_are_split_and_found_by_type_and_site(desk: Front) -> None:
    active = {row["label"] for row in desk.rows("/practitioners")}
    assert "Greta Holm" not in active and "Dr Mei Ng" in active
    assert [row["label"] for row in desk.rows("/practitioners/inactive")] == ["Greta Holm"]
    river = desk.rows(f"/businesses/{desk.id('businesses', 'Riverside')}/practitioners")
    assert [row["label"] for row in river] == ["Jack Whitfield", "Aroha Tane", "Sam Iyer"]
    massage = desk.rows(f"/appointment_types/{desk.id('appointment_types', 'Remedial massage')}/practitioners")
    assert [row["label"] for row in massage] == ["Marcus Bell", "Aroha Tane"]
    user = desk.get("/user")["id"]
    assert [row["label"] for row in desk.rows("/practitioners", f"user_id:={user}")] == ["Dr Mei Ng"]


def test_66_services_follow_from_sites_and_types(desk: Front) -> None:
    site, kind = desk.id("businesses", "Riverside"), desk.id("appointment_types", "Remedial massage")
    rows = desk.rows(f"/businesses/{site}/services")
    (row,) = [row for row in rows if last(row["appointment_type"]) == kind]
    assert [last(each) for each in row["practitioners"]] == [desk.id("practitioners", "Aroha Tane")]
    assert "id" not in row and "links" not in row
    desk.patch(f"/appointment_types/{kind}", {"business_ids": []})
    assert kind not in {last(row["appointment_type"]) for row in desk.rows(f"/businesses/{site}/services")}
    assert kind not in desk.get(f"/businesses/{site}")["appointment_type_ids"]


def test_67_the_two_names_of_a_zone_stay_in_step(desk: Front) -> None:
    site = f"/businesses/{desk.id('businesses', 'Riverside')}"
    shown = desk.patch(site, {"time_zone_identifier": "Australia/Adelaide"})
    assert (shown["time_zone"], shown["time_zone_identifier"]) == ("Adelaide", "Australia/Adelaide")
    shown = desk.patch(site, {"time_zone": "Hobart", "time_zone_identifier": "Australia/Perth"})
    assert (shown["time_zone"], shown["time_zone_identifier"]) == ("Hobart", "Australia/Hobart")
    assert "time_zone" in errors(desk.patch(site, {"time_zone": "Atlantis"}, status=422))
    assert "logo" not in desk.patch(site, {"logo": "aGVsbG8="})


def test_74_public_settings_are_a_strict_part_of_all(desk: Front) -> None:
    everything, public = desk.get("/settings"), desk.get("/settings/public")
    for group, values in public.items():
        assert all(everything[group][name] == value for name, value in values.items())
    assert "compliance" in everything["account"] and "compliance" not in public["account"]
    assert public != everything
