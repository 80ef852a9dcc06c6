"""Patients, their relations and referrals, contacts: points 58, 61, 64, 68, 72 and 73 of the checklist."""

from collections.abc import Iterator
from typing import Any

import pytest

from cliniko_mcp.sandbox.core import Sandbox
from sandbox.client import Client, errors, last

SMOKES, DIET, BORN, STORY = (f"ef4c43ec-105d-489c-88cc-0f3c5f67dc7{digit}" for digit in range(4))
SECTION, YES, NO = (f"ef4c43ec-105d-489c-88cc-0f3c5f67dc8{digit}" for digit in range(3))


def option(token: str, name: str) -> dict[str, Any]:
    return {"token": token, "name": name, "archived": False}


DEFINITION: Any = {
    "sections": [
        {
            "token": SECTION,
            "name": "Lifestyle",
            "archived": False,
            "fields": [
                {
                    "token": SMOKES,
                    "name": "Smokes",
                    "type": "radiobuttons",
                    "archived": False,
                    "options": [option(YES, "Yes"), option(NO, "No")],
                    "other": {"enabled": True},
                },
                {
                    "token": DIET,
                    "name": "Diet",
                    "type": "checkboxes",
                    "archived": True,
                    "options": [option(YES, "Yes"), option(NO, "No")],
                    "other": {"enabled": False},
                },
                {"token": BORN, "name": "Moved here", "type": "date", "archived": False},
                {"token": STORY, "name": "Story", "type": "text", "archived": False},
            ],
        }
    ]
}


@pytest.fixture
def asking(sandbox: Sandbox, client: Client) -> Iterator[Client]:
    """A clinic that asks its patients for custom fields."""
    row = sandbox.context.get("settings", "settings")
    assert row is not None
    shown = row["shown"]
    assert isinstance(shown, dict)
    sandbox.context.store.put("settings", {**row, "shown": {**shown, "patient_custom_fields_definition": DEFINITION}})
    yield client


def answers(*fields: dict[str, Any], section: str = SECTION) -> dict[str, Any]:
    return {"custom_fields": {"sections": [{"token": section, "fields": list(fields)}]}}


def test_58_answers_come_back_inside_the_definition(asking: Client, ana: str) -> None:
    assert asking.get(f"/patients/{ana}")["custom_fields"] is None
    smokes = {
        "token": SMOKES,
        "other": {"selected": True, "value": "At parties"},
        "name": "Forged",
        "type": "radiobuttons",
    }
    shown = asking.patch(f"/patients/{ana}", answers(smokes, {"token": STORY, "value": "Long"}))["custom_fields"]
    fields = shown["sections"][0]["fields"]
    assert shown["sections"][0]["name"] == "Lifestyle"
    assert [field["name"] for field in fields] == ["Smokes", "Diet", "Moved here", "Story"]
    assert fields[0]["other"] == {"enabled": True, "selected": True, "value": "At parties"}
    assert [option["name"] for option in fields[0]["options"]] == ["Yes", "No"]
    assert (fields[1]["archived"], fields[3]["value"]) == (True, "Long")
    assert "value" not in fields[2]
    assert asking.patch(f"/patients/{ana}", {"custom_fields": shown})["custom_fields"] == shown


def test_58_what_is_sent_replaces_all_there_was(asking: Client, ana: str) -> None:
    asking.patch(f"/patients/{ana}", answers({"token": STORY, "value": "Long"}))
    body = answers({"token": DIET, "options": [{"token": YES, "selected": True}, {"token": NO, "selected": True}]})
    fields = asking.patch(f"/patients/{ana}", body)["custom_fields"]["sections"][0]["fields"]
    assert "value" not in fields[3]
    assert [option.get("selected") for option in fields[1]["options"]] == [True, True]
    assert asking.patch(f"/patients/{ana}", {"custom_fields": None})["custom_fields"] is None


HERE = "sections[0].fields[0]"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (answers({"token": STORY, "value": "x"}, section=YES), "'token' is invalid in sections[0]"),
        (answers({"token": YES, "value": "x"}), f"'token' is invalid in {HERE}"),
        (
            answers({"token": SMOKES, "options": [{"token": STORY, "selected": True}]}),
            f"'token' is invalid in {HERE}.options[0]",
        ),
        (answers({"token": STORY, "value": ""}), f"{HERE} value cannot be blank"),
        (answers({"token": SMOKES, "value": "Yes"}), f"'value' is not for a field of type radiobuttons in {HERE}"),
        (
            answers({"token": STORY, "options": [{"token": YES}]}),
            f"'options' is not for a field of type text in {HERE}",
        ),
        (answers({"token": DIET, "other": {"selected": True, "value": "x"}}), f"'other' is not enabled in {HERE}"),
        (answers({"token": BORN, "value": "last May"}), f"'value' must be a date such as 2026-11-24 in {HERE}"),
        (
            answers({"token": SMOKES, "options": [{"token": YES, "selected": True}, {"token": NO, "selected": True}]}),
            f"'options' can have at most one selected in radiobuttons in {HERE}",
        ),
        (
            answers({"token": SMOKES, "options": [{"token": YES, "selected": True}], "other": {"selected": True}}),
            f"'options' can have at most one selected in radiobuttons in {HERE}",
        ),
        ({"custom_fields": {"sections": []}}, "'sections' cannot be empty"),
        ({"custom_fields": "{}"}, "must be an object"),
    ],
)
def test_58_only_what_the_clinic_asks_can_be_answered(
    asking: Client, ana: str, body: dict[str, Any], sentence: str
) -> None:
    assert errors(asking.patch(f"/patients/{ana}", body, 422)) == {"custom_fields": sentence}
    assert asking.get(f"/patients/{ana}")["custom_fields"] is None


@pytest.fixture
def kinds(sandbox: Sandbox) -> dict[str, str]:
    """Referral source types, which no route makes."""
    rows: dict[str, dict[str, Any]] = {
        "Patient": {"referrer_type": "Patient"},
        "Contact": {"referrer_type": "Contact", "subcategories": ["GP", "Specialist"]},
        "Other": {},
        "Web": {"subcategories": ["Search"]},
    }
    found = {
        name: str(sandbox.context.insert("referral_source_types", {"name": name, **more})["id"])
        for name, more in rows.items()
    }
    gone = sandbox.context.insert("referral_source_types", {"name": "Gone", "archived_at": "2026-01-01T00:00:00Z"})
    return {**found, "Gone": str(gone["id"])}


def refer(client: Client, patient: str, kind: str, status: int = 200, **more: object) -> Any:
    return client.patch(f"/patients/{patient}/referral_source", {"referral_source_type_id": kind, **more}, status)


def test_61_a_source_is_not_found_until_set_then_changed_in_place(
    client: Client, ana: str, kinds: dict[str, str]
) -> None:
    path = f"/patients/{ana}/referral_source"
    client.get(path, status=404)
    made = refer(client, ana, kinds["Other"], notes="Saw the sign")
    assert made["links"]["self"].endswith(path)
    assert (made["notes"], made["referrer"], made["referrer_type"]) == ("Saw the sign", None, None)
    assert client.get(path) == made
    changed = refer(client, ana, kinds["Web"], subcategory="Search")
    assert (changed["id"], changed["subcategory"], changed["notes"]) == (made["id"], "Search", None)
    assert [row["id"] for row in client.rows("/referral_sources", f"referral_source_type_id:={kinds['Web']}")] == [
        made["id"]
    ]
    assert client.patch(path, {"referral_source_type_id": kinds["Web"], "notes": "x"})["subcategory"] == "Search"
    assert errors(client.patch(path, {"notes": "x"}, 422)) == {"referral_source_type_id": "can’t be blank"}


def test_61_the_referrer_is_of_the_kind_that_the_type_takes(
    client: Client, ana: str, ben: str, kinds: dict[str, str]
) -> None:
    gp = client.post("/contacts", {"first_name": "Ida", "type_code": 1})["id"]
    by_patient = refer(client, ana, kinds["Patient"], referrer_id=ben)
    assert by_patient["referrer"]["links"]["self"].endswith(f"/patients/{ben}")
    assert by_patient["referrer_type"] == "Patient"
    by_contact = refer(client, ana, kinds["Contact"], referrer_id=gp, subcategory="GP")
    assert by_contact["referrer"]["links"]["self"].endswith(f"/contacts/{gp}")
    assert client.get("/referral_sources", f"referrer_id:={gp}")["total_entries"] == 1
    for kind, referrer in (("Patient", gp), ("Contact", ben), ("Other", ben), ("Patient", ana), ("Contact", "999")):
        assert errors(refer(client, ana, kinds[kind], 422, referrer_id=referrer)) == {"referrer_id": "is invalid"}
    assert client.get(f"/patients/{ana}/referral_source") == by_contact


def test_61_the_subcategory_is_one_of_the_type_and_the_type_is_live(
    client: Client, ana: str, kinds: dict[str, str]
) -> None:
    wrong = {"subcategory": "is not included in the list"}
    assert errors(refer(client, ana, kinds["Contact"], 422, subcategory="Search")) == wrong
    assert errors(refer(client, ana, kinds["Other"], 422, subcategory="GP")) == wrong
    assert errors(refer(client, ana, kinds["Gone"], 422)) == {"referral_source_type_id": "is invalid"}
    client.get(f"/patients/{ana}/referral_source", status=404)


def test_61_text_on_the_patient_makes_an_other_source_if_there_is_none(
    client: Client, ana: str, kinds: dict[str, str]
) -> None:
    made = client.post("/patients", {"first_name": "Nia", "last_name": "Sample", "referral_source": "A friend"})
    source = client.get(f"/patients/{made['id']}/referral_source")
    assert (last(source["referral_source_type"]), source["notes"]) == (kinds["Other"], "A friend")
    refer(client, ana, kinds["Web"])
    assert client.patch(f"/patients/{ana}", {"referral_source": "A friend"})["referral_source"] == "A friend"
    assert last(client.get(f"/patients/{ana}/referral_source")["referral_source_type"]) == kinds["Web"]


def test_61_types_say_where_their_referrers_are(client: Client, kinds: dict[str, str]) -> None:
    shown = {row["name"]: row for row in client.rows("/referral_source_types")}
    assert shown["Patient"]["referrers"]["links"]["self"].endswith("/v1/patients")
    assert shown["Contact"]["referrers"]["links"]["self"].endswith("/v1/contacts")
    assert (shown["Other"]["referrers"], "Gone" in shown) == (None, False)


def relate(client: Client, one: str, other: str, status: int = 201) -> Any:
    body = {"patient_id": one, "related_patient_id": other, "relation": 20}
    return client.post("/relationships", body, status)


def test_64_two_live_patients_are_related_and_nobody_to_themselves(client: Client, ana: str, ben: str) -> None:
    made = relate(client, ana, ben)
    assert (made["relation"], made["relation_description"]) == (20, "Child")
    assert (last(made["patient"]), last(made["related_patient"])) == (ana, ben)
    assert client.get("/relationships", f"patient_id:={ben}")["total_entries"] == 0
    assert errors(relate(client, ana, ana, 422)) == {"related_patient_id": "is invalid"}
    path = f"/relationships/{made['id']}"
    assert errors(client.patch(path, {"related_patient_id": ana}, 422)) == {"related_patient_id": "is invalid"}
    edith = client.id("patients", "Edith Former")
    assert errors(relate(client, ana, edith, 422)) == {"related_patient_id": "is invalid"}
    assert errors(relate(client, edith, ana, 422)) == {"patient_id": "is invalid"}


@pytest.mark.parametrize(("path", "field"), [("/patients", "patient_phone_numbers"), ("/contacts", "phone_numbers")])
def test_68_phones_are_replaced_whole_and_normalised(client: Client, path: str, field: str) -> None:
    phones = [{"phone_type": "Mobile", "number": "0491 570 006"}, {"phone_type": "Work", "number": "+44 20 7946 0018"}]
    made = client.post(path, {"first_name": "Nia", "last_name": "Sample", field: phones})
    assert [phone["normalized_number"] for phone in made[field]] == ["61491570006", "442079460018"]
    own = f"{path}/{made['id']}"
    assert client.patch(own, {field: made[field]})[field] == made[field]
    changed = client.patch(own, {"country_code": "NZ", field: [{"phone_type": "Home", "number": "09 555 0101"}]})
    assert changed[field] == [{"phone_type": "Home", "number": "09 555 0101", "normalized_number": "6495550101"}]
    assert client.patch(own, {field: []})[field] == []
    wrong = client.patch(own, {field: [{"phone_type": "Pager", "number": "1"}]}, 422)
    assert errors(wrong) == {field: "is not included in the list"}
    assert set(errors(client.patch(own, {field: [{"phone_type": "Home"}]}, 422))) == {field}


def test_68_contacts_have_a_kind_and_only_doctors_refer(client: Client, ana: str) -> None:
    plain = client.post("/contacts", {"first_name": "Pia"})
    doctor = client.post("/contacts", {"first_name": "Ida", "doctor_type": "specialist"})
    assert (plain["type_code"], plain["type"]) == (0, "Standard")
    assert (doctor["type_code"], doctor["type"]) == (1, "Doctor")
    assert (
        last(client.patch(f"/patients/{ana}", {"referring_doctor_id": doctor["id"]})["referring_doctor"])
        == doctor["id"]
    )
    refused = client.patch(f"/patients/{ana}", {"referring_doctor_id": plain["id"]}, 422)
    assert errors(refused) == {"referring_doctor_id": "is invalid"}
    assert "referring_doctor" not in client.patch(f"/patients/{ana}", {"referring_doctor_id": None})
    payer = client.patch(f"/contacts/{doctor['id']}", {"type_code": 2})
    assert (payer["type"], payer["doctor_type"]) == ("3rd Party Payer", None)


def test_72_a_merged_patient_is_hidden_and_names_the_one_that_stayed(client: Client, ana: str) -> None:
    hidden = {row["id"]: row for row in client.rows("/patients", "archived_at:?") if row["merged_at"]}
    assert hidden
    assert ana in {last(row["merged_with_patient"]) for row in hidden.values()}
    assert not hidden.keys() & {row["id"] for row in client.rows("/patients")}
    for row_id, row in hidden.items():
        client.get(f"/patients/{row_id}", status=404)
        assert client.get(f"/patients/{row_id}", "archived_at:*")["merged_at"] == row["archived_at"]


def test_73_opting_out_of_texts_is_written_one_way_and_read_the_other(client: Client) -> None:
    made = client.post("/patients", {"first_name": "Nia", "last_name": "Sample"})
    path = f"/patients/{made['id']}"
    assert made["accepted_sms_marketing"] is True
    out = client.patch(path, {"unsubscribe_sms_marketing": True})
    assert out["accepted_sms_marketing"] is False
    assert "unsubscribe_sms_marketing" not in out
    assert client.patch(path, {"accepted_sms_marketing": True, "notes": "x"})["accepted_sms_marketing"] is False
    assert client.patch(path, {"unsubscribe_sms_marketing": False})["accepted_sms_marketing"] is True


def test_73_the_label_follows_the_names(client: Client) -> None:
    made = client.post("/patients", {"first_name": "Nia", "last_name": "Sample", "label": "Forged", "title": "Dr"})
    assert made["label"] == "Nia Sample"
    assert client.patch(f"/patients/{made['id']}", {"last_name": "Ødegård"})["label"] == "Nia Ødegård"
