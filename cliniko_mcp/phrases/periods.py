"""Calendar periods with names of their own: quarters, halves, and the financial years of a country."""

from datetime import date, timedelta
from typing import Final

from cliniko_mcp.phrases.dates import DaySpan, Now, add_months, either_reading, month_days, nearer
from cliniko_mcp.phrases.facing import Facing
from cliniko_mcp.phrases.refusals import not_understood

_DAY: Final = timedelta(days=1)
FINANCIAL_YEAR: Final = "financial year"
# month and day on which a financial year begins
_FINANCIAL_STARTS: Final = {"AU": (7, 1), "NZ": (4, 1), "GB": (4, 6)}
_COUNTRY_NAMES: Final = {"australia": "AU", "new zealand": "NZ", "united kingdom": "GB", "uk": "GB"}
_COUNTRY_ZONES: Final = {
    **dict.fromkeys(("Pacific/Auckland", "Pacific/Chatham", "NZ", "NZ-CHAT", "Antarctica/McMurdo"), "NZ"),
    **dict.fromkeys(("Europe/London", "Europe/Belfast", "GB", "GB-Eire"), "GB"),
}


def financial_year(ends_in: int, now: Now) -> DaySpan:
    """The financial year that ends in this calendar year, by the clinic's country.

    Raises NotUnderstood outside Australia, New Zealand and the United Kingdom.
    """
    month, day = _FINANCIAL_STARTS.get(_country(now), (0, 0))
    if not month:
        raise not_understood("I know the financial years of Australia, New Zealand and the UK only: give dates.")
    if not 1901 <= ends_in <= 2199:
        raise not_understood(f"A financial year {ends_in} is more than a diary reaches.")
    return DaySpan(date(ends_in - 1, month, day), date(ends_in, month, day) - _DAY)


def present_financial_year(now: Now) -> int:
    """The calendar year in which the financial year of today ends."""
    year = now.today.year
    return year if now.today <= financial_year(year, now).last else year + 1


def _country(now: Now) -> str:
    name = now.country.strip().casefold()
    if name:
        return _COUNTRY_NAMES.get(name, name.upper())
    if now.zone.key.startswith("Australia/"):
        return "AU"
    return _COUNTRY_ZONES.get(now.zone.key, "")


def quarter_days(number: int, year: int) -> DaySpan:
    """The days of a calendar quarter, 1 to 4."""
    return DaySpan(month_days(year, 3 * number - 2).first, month_days(year, 3 * number).last)


def quarter_without_year(number: int, now: Now) -> DaySpan:
    """The days of a quarter without a year: the next that is not over, or facing back the latest that has begun."""
    year = now.today.year
    this = quarter_days(number, year)
    if this.first <= now.today <= this.last:
        return this
    past = quarter_days(number, year if this.last < now.today else year - 1)
    coming = quarter_days(number, year if this.first > now.today else year + 1)
    if now.facing is Facing.EITHER:
        raise either_reading(past, coming)
    if now.facing is Facing.WHOLE:
        return nearer(past, coming, now.today)
    return past if now.back else coming


def quarter_of_year(number: int, year: DaySpan) -> DaySpan:
    """The days of a quarter of any year, such as a financial one."""
    return DaySpan(add_months(year.first, 3 * number - 3), add_months(year.first, 3 * number) - _DAY)


def half_days(unit: str, days: DaySpan, number: int) -> DaySpan:
    """The first or second half of a period: Monday to Wednesday of a week, the first 15 days of a month, 6 months.

    Raises NotUnderstood for a unit that has no halves.
    """
    if unit == "week":
        middle = days.first + 3 * _DAY
    elif unit == "month":
        middle = days.first.replace(day=16)
    elif unit in {"year", FINANCIAL_YEAR}:
        middle = add_months(days.first, 6)
    else:
        raise not_understood(f"Half a {unit} has no fixed meaning: give dates.")
    return DaySpan(days.first, middle - _DAY) if number == 1 else DaySpan(middle, days.last)
