"""Staff, sites, services and settings: points 65 to 67 and 74 of the checklist."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.cliniko.time_zones import LABELS, is_identifier, label_of
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.rules.account import PRIVATE
from sandbox.client import Client, errors, last

ADDRESS = "CLINIKO_OPENAPI"


def labels(rows: list[dict[str, Any]]) -> set[str]:
    return {row["label"] for row in rows}


def test_65_the_main_list_holds_who_works_here_and_the_other_who_left(client: Client) -> None:
    assert "Greta Holm" not in labels(client.rows("/practitioners"))
    assert labels(client.rows("/practitioners/inactive")) == {"Greta Holm"}
    assert {row["active"] for row in client.rows("/practitioners")} == {True}
    assert client.rows("/practitioners", "active:=false") == []
    greta = client.id("practitioners", "Greta Holm")
    assert client.get(f"/practitioners/{greta}")["active"] is False
    user = last(client.get(f"/practitioners/{greta}")["user"])
    assert labels(client.rows("/practitioners/inactive", f"user_id:={user}")) == {"Greta Holm"}


def test_65_nested_lists_are_of_one_site_or_one_type(client: Client) -> None:
    north, river = (client.id("businesses", name) for name in ("Northside", "Riverside"))
    assert labels(client.rows(f"/businesses/{river}/practitioners")) == {"Jack Whitfield", "Aroha Tane", "Sam Iyer"}
    assert labels(client.rows(f"/businesses/{north}/practitioners/inactive")) == {"Greta Holm"}
    assert client.rows(f"/businesses/{river}/practitioners/inactive") == []
    feet = client.id("appointment_types", "Foot and gait check")
    assert labels(client.rows(f"/appointment_types/{feet}/practitioners")) == {"Lena Brandt"}
    rehab = client.id("appointment_types", "Post-surgical rehab")
    assert labels(client.rows(f"/appointment_types/{rehab}/practitioners/inactive")) == {"Greta Holm"}
    client.get("/businesses/999/practitioners", status=404)
    client.get("/appointment_types/999/practitioners", status=404)


def offered(client: Client, site: str) -> dict[str, set[str]]:
    rows = client.rows(f"/businesses/{site}/services")
    assert {last(row["business"]) for row in rows} <= {site}
    return {
        last(row["appointment_type"]): {last(practitioner) for practitioner in row["practitioners"]} for row in rows
    }


def test_66_services_follow_the_types_of_a_site_and_who_gives_them(client: Client) -> None:
    river = client.id("businesses", "Riverside")
    types = client.get(f"/businesses/{river}")["appointment_type_ids"]
    assert list(offered(client, river)) == types
    massage = client.id("appointment_types", "Remedial massage")
    aroha, marcus = (client.id("practitioners", name) for name in ("Aroha Tane", "Marcus Bell"))
    assert offered(client, river)[massage] == {aroha}
    client.patch(f"/businesses/{river}", {"appointment_type_ids": [massage]})
    assert offered(client, river) == {massage: {aroha}}
    client.patch(f"/appointment_types/{massage}", {"practitioner_ids": [marcus]})
    assert offered(client, river) == {massage: set()}
    client.patch(f"/appointment_types/{massage}", {"business_ids": []})
    assert offered(client, river) == {}
    assert {last(row["business"]) for row in client.rows("/services")} == {client.id("businesses", "Northside")}


def test_66_archived_types_and_sites_and_staff_who_left_offer_nothing(sandbox: Sandbox, client: Client) -> None:
    north, river = (client.id("businesses", name) for name in ("Northside", "Riverside"))
    kind, greta = client.id("appointment_types", "Standard consult"), client.id("practitioners", "Greta Holm")
    assert all(greta not in staff for staff in offered(client, north).values())
    client.post(f"/appointment_types/{kind}/archive", status=204)
    assert kind not in offered(client, north)
    client.post(f"/businesses/{river}/archive", status=204)
    assert river not in {last(row["business"]) for row in client.rows("/services")}
    client.get(f"/businesses/{river}/services", status=404)


def test_66_a_service_has_no_id_and_no_address(client: Client) -> None:
    assert set(client.get("/services")["services"][0]) == {"appointment_type", "business", "practitioners"}


@pytest.mark.parametrize(
    ("sent", "label", "name"),
    [
        ({"time_zone": "Perth"}, "Perth", "Australia/Perth"),
        ({"time_zone_identifier": "Europe/London"}, "London", "Europe/London"),
        ({"time_zone": "Perth", "time_zone_identifier": "Europe/London"}, "Perth", "Australia/Perth"),
        ({"time_zone": "Wellington"}, "Wellington", "Pacific/Auckland"),
        ({"time_zone_identifier": "Pacific/Auckland"}, "Auckland", "Pacific/Auckland"),
        ({"time_zone_identifier": "America/Adak"}, None, "America/Adak"),
        ({"city": "Elsewhere"}, "Sydney", "Australia/Sydney"),
    ],
)
def test_67_both_names_of_a_zone_move_together_and_the_label_wins(
    client: Client, sent: dict[str, str], label: str | None, name: str
) -> None:
    shown = client.patch(f"/businesses/{client.id('businesses', 'Northside')}", sent)
    assert (shown["time_zone"], shown["time_zone_identifier"]) == (label, name)


@pytest.mark.parametrize(
    "sent",
    [
        {"time_zone": "Atlantis"},
        {"time_zone": "Australia/Perth"},
        {"time_zone_identifier": "Perth"},
        {"time_zone_identifier": "Etc/GMT+5"},
    ],
)
def test_67_an_unknown_zone_is_refused(client: Client, sent: dict[str, str]) -> None:
    path = f"/businesses/{client.id('businesses', 'Northside')}"
    assert errors(client.patch(path, sent, 422)) == dict.fromkeys(sent, "is not included in the list")
    assert client.get(path)["time_zone"] == "Sydney"


@pytest.mark.parametrize("sent", ["Atlantis", "Sydney"])
def test_67_a_patient_has_an_iana_zone_or_none(client: Client, sent: str) -> None:
    path = f"/patients/{client.id('patients', 'Ana Lima')}"
    assert errors(client.patch(path, {"time_zone": sent}, 422)) == {"time_zone": "is not included in the list"}
    assert client.patch(path, {"time_zone": "Europe/London"})["time_zone"] == "Europe/London"
    assert client.patch(path, {"time_zone": None})["time_zone"] is None


@pytest.mark.long
@pytest.mark.skipif(ADDRESS not in os.environ, reason=f"{ADDRESS} does not name the official description")
def test_67_every_zone_that_cliniko_takes_is_known() -> None:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    schemas = yaml.load(Path(os.environ[ADDRESS]).read_text("utf-8"), Loader=loader)["components"]["schemas"]
    assert set(LABELS) == set(schemas["TimeZone"]["enum"])
    assert [name for name in schemas["TimeZoneIdentifier"]["enum"] if not is_identifier(name)] == []
    assert all(LABELS[label] == name for name in LABELS.values() if (label := label_of(name)) is not None)


def test_67_a_logo_goes_in_and_never_comes_out(client: Client) -> None:
    path = f"/businesses/{client.id('businesses', 'Northside')}"
    for body in ({"logo": "aGVsbG8=", "logo_height": 60}, {"remove_logo": True}):
        assert not {"logo", "logo_height", "remove_logo"} & set(client.patch(path, body))
    assert not {"logo", "logo_height", "remove_logo"} & set(client.get(path))


def test_74_public_settings_are_a_strict_subset(client: Client, tom: Client) -> None:
    whole, public = client.get("/settings"), tom.get("/settings/public")
    assert set(public) == set(whole)
    for group, values in public.items():
        assert isinstance(values, Mapping)
        assert values.items() <= whole[group].items() if not _nested(values) else set(values) <= set(whole[group])
        assert all(whole[group][name] == value for name, value in values.items())
        assert set(whole[group]) - set(values) == set(PRIVATE.get(group, ()))
    assert public != whole
    assert tom.request("GET", "/settings").status == 403


def _nested(values: Mapping[str, Any]) -> bool:
    return any(isinstance(value, dict | list) for value in values.values())
