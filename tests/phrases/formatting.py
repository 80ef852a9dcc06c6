"""The clinic in which these tests speak: a Tuesday morning in Sydney, unless a test says otherwise."""

from datetime import datetime

from cliniko_mcp.phrases import When, parse_when

SYDNEY = "Australia/Sydney"
TUESDAY = datetime(2026, 11, 24, 10, 37)
NAMES = {1: "mon", 2: "tue", 3: "wed", 4: "thu", 5: "fri", 6: "sat", 7: "sun"}


def parse(phrase: str, now: datetime | str = TUESDAY, zone: str = SYDNEY, country: str | None = None) -> When:
    moment = datetime.fromisoformat(now) if isinstance(now, str) else now
    return parse_when(phrase, now=moment, zone=zone, country=country)


def formatted(when: When) -> str:
    """An interval in one line: "2026-11-26T15:00 2026-11-27T00:00 mon,wed 12:00-17:00"."""
    days = [",".join(NAMES[number] for number in sorted(when.weekdays))] if when.weekdays else []
    hours = [",".join(f"{clock(start)}-{clock(end)}" for start, end in when.times)] if when.times else []
    return " ".join([f"{when.start:%Y-%m-%dT%H:%M}", f"{when.end:%Y-%m-%dT%H:%M}", *days, *hours])


def clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def day(text: str) -> str:
    """A whole day, as `formatted` writes it."""
    return days(text, text)


def days(first: str, last: str) -> str:
    """Whole days from one to another, the last included, as `formatted` writes them."""
    start, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return f"{start:%Y-%m-%dT%H:%M} {datetime.fromordinal(end.toordinal() + 1):%Y-%m-%dT%H:%M}"


def hours(text: str, start: str, end: str) -> str:
    """Hours of one day, as `formatted` writes them."""
    closes = day(text).split()[1] if end == "24:00" else f"{text}T{end}"
    return f"{text}T{start} {closes}"
