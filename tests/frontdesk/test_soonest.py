"""The soonest there is: a year from today on, read in stretches that follow one another."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.frontdesk.roster import Roster, known_record
from cliniko_mcp.frontdesk.soonest import read_spans

SYDNEY = ZoneInfo("Australia/Sydney")


def test_whenever_is_looked_for_in_five_stretches_of_a_year_the_nearest_fortnight_first() -> None:
    site = known_record(Business.read({"id": "7", "time_zone_identifier": "Australia/Sydney"}))
    now = datetime(2026, 11, 24, 9, tzinfo=SYDNEY)
    read = read_spans("whenever", now, Roster([], [site], [], SYDNEY), [site])
    days: list[tuple[str, str]] = []
    for span in read.spans:
        ((starts, ends),) = span.windows("7")
        last = ends - timedelta(days=1)
        days.append((f"{starts.astimezone(SYDNEY):%Y-%m-%d %H:%M}", f"{last.astimezone(SYDNEY):%Y-%m-%d}"))
    assert read.walks
    assert days == [
        ("2026-11-24 00:00", "2026-12-08"),
        ("2026-12-09 00:00", "2027-01-05"),
        ("2027-01-06 00:00", "2027-02-23"),
        ("2027-02-24 00:00", "2027-05-25"),
        ("2027-05-26 00:00", "2027-11-23"),
    ]
