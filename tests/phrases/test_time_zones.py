"""Clinic time zones by their IANA names and by the labels Cliniko shows."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.cliniko.time_zones import LABELS
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import clinic_zone, local_day, parse_when


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Australia/Sydney", "Australia/Sydney"),
        (" australia/sydney ", "Australia/Sydney"),
        ("america/new_york", "America/New_York"),
        ("Sydney", "Australia/Sydney"),
        ("tokyo", "Asia/Tokyo"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("UTC", "UTC"),
        ("gmt", "GMT"),
        ("est5edt", "EST5EDT"),
    ],
)
def test_a_zone_has_several_names(name: str, zone: str) -> None:
    assert clinic_zone(name).key == zone


@pytest.mark.parametrize("label", LABELS)
def test_every_label_is_a_zone(label: str) -> None:
    for spelling in (label, label.upper(), label.lower()):
        assert clinic_zone(spelling).key == ("UTC" if label == "UTC" else LABELS[label])


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Nowhere/Land",
        "../../etc/passwd",
        "localtime",
        "America",
        "posix/Europe/London",
        "/etc/localtime",
        "a\x00/b",
        "é/ü",
        "Australia",
        "australia/",
        "Nowhere/Else",
        "../x",
        "zone.tab",
        "Factory",
        "POSIX/europe/london",
        "\ud800/x",
        "Europe/" + "x" * 5000,
    ],
)
def test_anything_else_is_refused_with_advice(name: str) -> None:
    with pytest.raises(NotUnderstood, match="no time zone") as refused:
        clinic_zone(name)
    assert "Australia/Sydney" in refused.value.fix
    assert len(str(refused.value)) < 200


def test_a_phrase_is_read_in_the_zone_of_any_label() -> None:
    now = datetime(2026, 11, 24, 10)
    tokyo, sydney = (parse_when("tomorrow", now=now, zone=zone) for zone in ("Tokyo", "Sydney"))
    assert tokyo.zone.key == "Asia/Tokyo" and sydney.zone.key == "Australia/Sydney"


def test_the_local_day_of_an_instant_is_the_clinics() -> None:
    sydney = ZoneInfo("Australia/Sydney")
    assert local_day(datetime(2026, 11, 23, 21, 30, tzinfo=UTC), sydney) == date(2026, 11, 24)
    assert local_day(datetime(2026, 11, 23, 21, 30), sydney) == date(2026, 11, 23)
