"""Time zones by Cliniko's labels and by IANA names, and local times where the clocks change."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.cliniko import time_zones
from cliniko_mcp.cliniko.filters import Condition
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.time_zones import (
    LABELS,
    is_identifier,
    label_of,
    local_instant,
    time_zone,
    zone_of,
    zone_or_utc,
)

ODD = [
    "",
    " ",
    "Australia",
    "Australia/",
    "Nowhere/Else",
    "../x",
    "/etc/localtime",
    "localtime",
    "posixrules",
    "Factory",
    "zone.tab",
    "tzdata.zi",
    "Europe/../localtime",
    "right/UTC",
    "a\x00/b",
    "\ud800/x",
    "é/ü",
    ".",
    "./UTC",
    "Etc//UTC",
    "x/" * 3000,
    "x" * 100_000,
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_no_zone_and_never_raise(name: str) -> None:
    assert time_zone(name) is None
    assert zone_or_utc(name) is UTC
    assert not is_identifier(name)
    assert label_of(name) is None


@given(st.text(max_size=80))
def test_no_text_raises(name: str) -> None:
    zone = time_zone(name)
    assert zone is None or zone.key
    assert isinstance(is_identifier(name), bool)


@pytest.mark.parametrize("value", [None, 7, True, [], {}])
def test_what_is_no_text_is_utc(value: None) -> None:
    assert zone_or_utc(value) is UTC
    assert time_zone(None) is None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Australia/Sydney", "Australia/Sydney"),
        ("AUSTRALIA/SYDNEY", "Australia/Sydney"),
        (" america/argentina/buenos_aires", "America/Argentina/Buenos_Aires"),
        ("Sydney", "Australia/Sydney"),
        ("SOLOMON IS.", "Pacific/Guadalcanal"),
        ("Singapore", "Asia/Singapore"),
        ("japan", "Japan"),
        ("utc", "UTC"),
        ("Etc/UTC", "Etc/UTC"),
    ],
)
def test_a_zone_is_found_by_label_and_by_identifier(name: str, key: str) -> None:
    zone = time_zone(name)
    assert zone is not None and zone.key == key


def test_every_label_names_a_zone() -> None:
    assert len(LABELS) > 150
    assert [label for label, name in LABELS.items() if time_zone(label) is None or time_zone(name) is None] == []


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Australia/Sydney", True),
        ("Singapore", True),
        ("UTC", True),
        ("Etc/GMT+12", True),
        ("Etc/GMT+5", False),
        ("australia/sydney", False),
        ("utc", False),
        ("Sydney", False),
        ("Tokyo", False),
    ],
)
def test_an_identifier_is_an_iana_name_exactly_spelled(name: str, known: bool) -> None:
    assert is_identifier(name) is known


def test_a_file_of_this_machine_is_no_zone() -> None:
    folder = "/usr/share/zoneinfo"
    if not os.path.isdir(folder):
        pytest.skip(f"this machine has no {folder}")
    names = [name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name))]
    assert {"UTC", "Japan"} <= {name for name in names if is_identifier(name)}
    assert [name for name in names if time_zone(name) is not None and not name[0].isupper()] == []


SYDNEY = ZoneInfo("Australia/Sydney")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
BEIRUT = ZoneInfo("Asia/Beirut")  # skips midnight itself


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        (SYDNEY, "2026-10-04T01:59:59", "2026-10-03T15:59:59"),
        (SYDNEY, "2026-10-04T02:00:00", "2026-10-03T16:00:00"),
        (SYDNEY, "2026-10-04T02:30:00.500000", "2026-10-03T16:00:00"),
        (SYDNEY, "2026-10-04T02:59:59", "2026-10-03T16:00:00"),
        (SYDNEY, "2026-10-04T03:00:00", "2026-10-03T16:00:00"),
        (SYDNEY, "2027-04-04T02:30:00", "2027-04-03T15:30:00"),
        (LORD_HOWE, "2026-10-04T02:10:00", "2026-10-03T15:30:00"),
        (BEIRUT, "2026-03-29T00:00:00", "2026-03-28T22:00:00"),
        (SYDNEY, "0001-01-01T12:00:00", "0001-01-01T01:55:08"),
    ],
)
def test_a_skipped_time_is_the_moment_of_the_skip_and_a_repeated_one_the_first(
    zone: ZoneInfo, wall: str, instant: str
) -> None:
    local = datetime.fromisoformat(wall)
    assert local_instant(local, zone).astimezone(UTC) == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    sent = Condition("starts_at", ">=", local.replace(microsecond=0)).text(zone)
    assert sent == f"starts_at:>={instant}Z"


def test_the_second_showing_of_a_repeated_time_can_be_asked_for() -> None:
    wall = datetime(2027, 4, 4, 2, 30)
    assert local_instant(wall, SYDNEY, last=True) - local_instant(wall, SYDNEY) == timedelta(0)  # by the wall clock
    first, second = (local_instant(wall, SYDNEY, last=last).astimezone(UTC) for last in (False, True))
    assert second - first == timedelta(hours=1)


@pytest.mark.parametrize("wall", [datetime.min, datetime.max])
def test_the_ends_of_the_calendar_are_left_as_they_are(wall: datetime) -> None:
    assert local_instant(wall, SYDNEY).replace(tzinfo=None) == wall


@pytest.mark.parametrize(
    ("identifier", "label", "key"),
    [
        ("Australia/Perth", "Sydney", "Australia/Perth"),
        (None, "Sydney", "Australia/Sydney"),
        ("", "Eastern Time (US & Canada)", "America/New_York"),
        ("Australia", "Adelaide", "Australia/Adelaide"),
    ],
)
def test_a_record_s_zone_is_its_identifier_s_and_else_its_label_s(identifier: str | None, label: str, key: str) -> None:
    site = Business.read({"id": "1", "time_zone_identifier": identifier, "time_zone": label})
    assert zone_of(site) == ZoneInfo(key)


def test_a_record_that_names_no_zone_that_exists_has_none() -> None:
    assert zone_of(Business.read({"id": "1", "time_zone_identifier": "Nowhere/Else", "time_zone": "Atlantis"})) is None


def test_no_other_module_makes_a_zone_of_a_name() -> None:
    package = Path(time_zones.__file__).parents[1]
    made = re.compile(r"""\bZoneInfo\((?!"UTC"\))|available_timezones|\bzoneinfo\.(?!ZoneInfo\b)""")
    places = [path for path in package.rglob("*.py") if made.search(path.read_text("utf-8"))]
    assert [path.name for path in places] == ["time_zones.py"]
