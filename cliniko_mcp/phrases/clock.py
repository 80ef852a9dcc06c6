"""Times of day: what "3", "half two" or "2-4pm" mean in minutes after midnight."""

from typing import Final, Literal, NamedTuple

from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.vocabulary import DAY_PARTS
from cliniko_mcp.phrases.zones import DAY_MINUTES

NOON: Final = 720
_LATE: Final = 22 * 60
ClockMode = Literal["fixed", "bare", "am", "pm", "midnight"]


class ClockTime(NamedTuple):
    """A clock time in minutes after midnight; with mode `bare` after 12 o'clock, morning or afternoon not yet decided.

    `to` is the number of minutes before it ("quarter to five"); `may_be_year` marks digits that may be a year (2030).
    """

    minutes: int
    mode: ClockMode = "fixed"
    to: int = 0
    may_be_year: bool = False

    def readings(self) -> tuple[int, ...]:
        """Every time that it can mean, in minutes after midnight, the usual one first: 1-6 pm, 7-11 am, 12 is noon."""
        if self.mode == "midnight":
            return 0, DAY_MINUTES
        if self.mode != "bare":
            return ((self.minutes - self.to) % DAY_MINUTES if self.to else self.minutes,)
        early, late = (self.minutes - self.to) % DAY_MINUTES, self.minutes + NOON - self.to
        return (late, early) if self.minutes < 7 * 60 else (early, late)


class TimeOfDay(NamedTuple):
    """One time of day in a phrase: a clock time, a range, or a part of the day.

    `first` and `final` are the clock times that bound it; `part` is the name of a part of the day.
    """

    kind: Literal["part", "at", "range", "after", "before"]
    first: ClockTime | None = None
    final: ClockTime | None = None
    part: str = ""
    plural: bool = False

    def minutes(self, within: tuple[int, int] | None = None) -> tuple[int, int]:
        """Start and end in minutes after midnight, half-open.

        `within` holds the minutes of a part of the day that stands beside it ("evening at 7") and decides am or pm.
        """
        if self.kind == "part":
            return DAY_PARTS[self.part]
        if self.first is not None and self.final is not None:
            return _range(self.first, self.final, within)
        if self.kind == "at":
            minute = _choose(self.first, within, last=False)
            if minute == DAY_MINUTES:
                raise not_understood("24:00 is the end of a day; as a time say 00:00 of the next day.")
            return minute, minute + 1
        if self.kind == "after":
            return _choose(self.first, within, last=False), DAY_MINUTES
        before = _choose(self.final, within, last=True) or DAY_MINUTES
        return 0, before


def clock_time_of(hour: int, minute: int, suffix: str = "", *, padded: bool = False) -> ClockTime | None:
    """The clock time of an hour and minute as written, or None when no clock shows it.

    `suffix` is "am", "pm" or empty; `padded` marks an hour on the 24-hour clock ("03:30", "1530").
    """
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    if suffix:
        if not 1 <= hour <= 12:
            return None
        return ClockTime(hour % 12 * 60 + minute + (NOON if suffix == "pm" else 0), "pm" if suffix == "pm" else "am")
    if hour > 12 or hour == 0 or padded:
        return ClockTime(hour * 60 + minute)
    return ClockTime(hour % 12 * 60 + minute, "bare")


def clock_words(minutes: int) -> str:
    """Minutes after midnight as text such as "15:30"; the end of the day is "24:00"."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _choose(time: ClockTime | None, within: tuple[int, int] | None, *, last: bool) -> int:
    assert time is not None
    readings = time.readings()
    if within is None:
        return readings[0]
    low, high = within
    for reading in readings:
        if low <= reading < high or (last and reading == high):
            return reading
    times = " or ".join(clock_words(reading) for reading in readings)
    raise not_understood(f"{times} does not lie within {clock_words(low)} to {clock_words(high)}.")


def _range(first: ClockTime, final: ClockTime, within: tuple[int, int] | None) -> tuple[int, int]:
    starts, ends = list(first.readings()), list(final.readings())
    if first.mode == "bare" and final.mode in {"am", "pm"}:
        # "2-4pm" and "8-10pm" share their suffix, "10-2pm" cannot; "10-12am" ends at midnight
        evening = final.mode == "pm" or final.minutes == 0
        starts = [first.minutes - first.to + (NOON if evening else 0), starts[0]]
    elif first.mode != "bare" or within is None:
        starts = starts[:1]
    # As an end 00:00 is midnight. After an afternoon start, an end that would be in the morning is in the evening:
    # "5 to 7" ends at 19:00.
    ends = [end or DAY_MINUTES for end in ends]
    pairs = [(start, end) for start in starts for end in ends if start < end]
    if within is not None:
        pairs = [pair for pair in pairs if within[0] <= pair[0] and pair[1] <= within[1]] or pairs
    elif final.mode == "bare":
        pairs = [(start, end) for start, end in pairs if end == ends[0] or start >= NOON]
    if not pairs:
        raise not_understood(f"{clock_words(starts[0])} to {clock_words(ends[0])} runs backwards.")
    start, end = pairs[0]
    if within is None and first.mode != "bare" and final.mode == "bare" and start < ends[-1] < NOON <= end:
        raise not_understood(
            f"After {clock_words(start)} the end can be {clock_words(ends[-1])} or {clock_words(end)}: "
            "say am or pm with it."
        )
    if within is None and first.mode == final.mode == "bare" and start >= NOON and end >= _LATE:
        # "5 to 11" is from five in the morning, or until eleven at night, or 10:55
        raise not_understood(
            f"{clock_words(start)} to {clock_words(end)} is hardly meant: say am or pm with the hours."
        )
    return start, end
