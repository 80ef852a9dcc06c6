"""Beginnings and ends as people read them: the end of a day is 24:00, and an end on another day carries its date."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.results.rows import local_text


def end_of(starts: datetime, ends: datetime, zone: ZoneInfo) -> str:
    """An end beside its beginning: `10:30`, at midnight `24:00`; in full on another day or after the clock changed."""
    first, last = starts.astimezone(zone), ends.astimezone(zone)
    if first.date() == last.date() and first.utcoffset() == last.utcoffset():
        return f"{last:%H:%M}"
    return "24:00" if _closes(first, last) else local_text(ends, zone)


def times(starts: datetime, ends: datetime, zone: ZoneInfo) -> str:
    """`09:30-10:00`, `22:00-24:00`; an end on another day carries its date, and so does its beginning."""
    first, last = starts.astimezone(zone), ends.astimezone(zone)
    if first.date() == last.date():
        return f"{first:%H:%M}-{last:%H:%M}"
    if _closes(first, last):
        return f"{first:%H:%M}-24:00"
    if not (last.hour or last.minute):
        return f"{first:%Y-%m-%d %H:%M} to {last.date() - timedelta(days=1)} 24:00"
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"


def _closes(first: datetime, last: datetime) -> bool:
    """Whether an end is the midnight at which the day of its beginning ends."""
    return last.date() == first.date() + timedelta(days=1) and not (last.hour or last.minute)
