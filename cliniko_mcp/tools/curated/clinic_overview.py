"""clinic_overview: who works where and when, what is offered, and what time it is at each site.

Requests: 7 cold, 0 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, one for each hundred weekly hours and one for the public settings, all at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.daily_availabilities import DailyAvailabilities, DailyAvailability
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.cliniko.resources.public_settings import PublicSettingsOfAccount
from cliniko_mcp.errors import Ambiguous, NotFound
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.appointment_offers import minutes_of, offered_at
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, known_record, name_text, remarks
from cliniko_mcp.frontdesk.working_hours import hours_of
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.assemble import merged
from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.results.budget import USUAL_TOKENS, size
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import are, counted, label
from cliniko_mcp.tools.curated.empty_clinic import lacking
from cliniko_mcp.tools.tool import curated

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ROOM: Final = USUAL_TOKENS - 300
_A_WHILE: Final = timedelta(seconds=30)
WeeklyHours = dict[int, list[tuple[int, int]]]
"""Minutes after midnight by ISO weekday."""


class ClinicOverview(Body):
    """Which part of the clinic: one site, or all of it."""

    business: str | None = Field(default=None, description="Only this site.")


class SiteRow(AnswerModel):
    """A site of the clinic."""

    id: str = Field(description="The site's id.")
    name: str = Field(description="The site's name.")
    now: LocalTime = Field(description="The time there now.")
    time_zone: str = Field(description="IANA name of its zone.")
    address: str | None = Field(default=None, description="Its address.")
    open: str = Field(description="Weekly hours of all who work there, by its clock.")


class StaffRow(AnswerModel):
    """A practitioner who works at the clinic."""

    id: str = Field(description="The practitioner's id.")
    name: str = Field(description="The practitioner's name.")
    designation: str | None = Field(default=None, description="What they are.")
    works: dict[str, str] | None = Field(default=None, description="Weekly hours by the name of the site.")
    no_weekly_hours: bool | None = Field(default=None, description="True where they have none here.")
    online: bool | None = Field(default=None, description="False where patients cannot book them online.")


class TypeRow(AnswerModel):
    """An appointment type in use."""

    id: str = Field(description="The type's id.")
    name: str = Field(description="The type's name.")
    minutes: int = Field(description="Usual length in minutes.")
    places: int | None = Field(default=None, description="Places, where it is a class.")
    only_at: list[str] | None = Field(default=None, description="The sites that offer it, where not all do.")
    online: bool | None = Field(default=None, description="False where patients cannot book it online.")


class YouRow(AnswerModel):
    """Whose key this is."""

    name: str = Field(description="Their name.")
    role: str | None = Field(default=None, description="Their role in Cliniko, which decides what the key may do.")
    practitioner: str | None = Field(default=None, description='Whom "me" and "my" mean here; none if absent.')
    practitioner_id: str | None = Field(default=None, description="That practitioner's id.")


class Overview(AnswerModel):
    """The clinic: sites, practitioners and appointment types."""

    you: YouRow | None = Field(default=None, description="Whose key this is.")
    sites: list[SiteRow] = Field(description="Open sites.")
    practitioners: list[StaffRow] = Field(description="Who works here.")
    appointment_types: list[TypeRow] = Field(description="What is offered.")
    clinic: str | None = Field(default=None, description="The clinic's name.")
    online_booking: bool | None = Field(default=None, description="Whether online booking is on at all.")


async def clinic_overview(clinic: GuardedClinic, arguments: ClinicOverview) -> Answer:
    """Sites, practitioners with their weekly hours, and appointment types; hidden ones are counted, not shown."""
    (roster, rows), settings = await run_concurrently(
        partial(
            run_concurrently,
            partial(Roster.load, clinic),
            partial(clinic.collect, DailyAvailabilities.list_daily_availabilities),
        ),
        partial(clinic.perform, PublicSettingsOfAccount.get_public_settings),
    )
    business = roster.business(arguments.business) if arguments.business else None
    sites = [business] if business else roster.sites
    hours = _hours(rows)
    shown = {site.id for site in sites}
    here = {practitioner_id for practitioner_id, site_id in hours if site_id in shown}
    active = [known for known in roster.practitioners.values() if not known.gone]
    practitioners = [known for known in active if business is None or known.id in here]
    in_use = [known for known in roster.types.values() if not known.gone]
    types = [known for known in in_use if not sites or any(offered_at(site, known) for site in sites)]
    staff = {known.id for known in practitioners}
    online = settings.online_bookings
    you = _you(roster)
    whole = Overview(
        you=you,
        sites=[_site(site, roster, hours, staff, clinic) for site in sites],
        practitioners=[_practitioner(known, hours, sites) for known in practitioners],
        appointment_types=[_type(known, sites) for known in types],
        clinic=(name_text(settings.account.name) or None) if settings.account else None,
        online_booking=online.enabled if online else None,
    )
    body, left_out = _what_fits(whole)
    notes = [*_who_you_are(you), *lacking(roster), *remarks(business), *left_out]
    gone = sum(bool(known.gone) for known in roster.practitioners.values())
    if gone:
        notes.append(f"{counted(gone, 'former practitioner')} {are(gone)} left out: list_inactive_practitioners.")
    archived = sum(bool(known.gone) for known in (*roster.types.values(), *roster.businesses.values()))
    if archived:
        left_out = counted(archived, "archived type or site", "archived types and sites")
        notes.append(f"{left_out} {are(archived)} left out, and still found by name.")
    at = clinic.course.as_at
    if at is not None and clinic.now - at >= _A_WHILE:
        notes.append(f"As at {at.astimezone(roster.home):%H:%M}: what was changed elsewhere since may be missing.")
    zones = {roster.zone(site.id) for site in sites}
    return Answer(body, notes, zones.pop() if len(zones) == 1 else roster.home)


def _you(roster: Roster) -> YouRow | None:
    """Whose key this is, with the practitioner who "me" stands for; None where that may not be read."""
    if roster.user is None:
        return None
    try:
        own = roster.practitioner("me")
    except (Ambiguous, NotFound):
        own = None
    return YouRow(
        name=known_record(roster.user).name,
        role=name_text(roster.user.role) or None,
        practitioner=own.name if own else None,
        practitioner_id=own.id if own else None,
    )


def _who_you_are(you: YouRow | None) -> list[str]:
    if you is None:
        return []
    role = f", {label(you.role)}" if you.role else ""
    if you.practitioner is None:
        return [f"You are {label(you.name)}{role}: no practitioner, so “me” and “my” stand for nobody."]
    return [f"You are {label(you.name)}{role}: “me” and “my” are the practitioner {label(you.practitioner)}."]


def _hours(rows: Iterable[DailyAvailability]) -> dict[tuple[str, str], WeeklyHours]:
    """Weekly hours by (practitioner, site)."""
    found: dict[tuple[str, str], WeeklyHours] = {}
    for row in rows:
        weekday, spans = row.day_of_week, sorted(hours_of(row))
        if weekday is not None and spans:
            week = found.setdefault((row.practitioner_id or "", row.business_id or ""), {})
            week.setdefault(weekday % 7 or 7, []).extend(spans)
    return found


def _site(
    site: Known[Business],
    roster: Roster,
    hours: Mapping[tuple[str, str], WeeklyHours],
    staff: set[str],
    clinic: GuardedClinic,
) -> SiteRow:
    zone = roster.zone(site.id)
    week: WeeklyHours = {}
    for (practitioner_id, site_id), days in hours.items():
        if site_id == site.id and practitioner_id in staff:
            for day, spans in days.items():
                week.setdefault(day, []).extend(spans)
    record = site.record
    parts = (record.address_1, record.address_2, record.city, record.state, record.post_code)
    return SiteRow(
        id=site.id,
        name=site.name,
        now=local_text(clinic.now, zone),
        time_zone=str(zone),
        address=", ".join(filter(None, (name_text(part) for part in parts))) or None,
        open=week_words({day: merged(spans) for day, spans in week.items()}) or "no weekly hours",
    )


def _practitioner(
    known: Known[Practitioner], hours: Mapping[tuple[str, str], WeeklyHours], sites: Sequence[Known[Business]]
) -> StaffRow:
    works = {site.name: week_words(hours[known.id, site.id]) for site in sites if (known.id, site.id) in hours}
    return StaffRow(
        id=known.id,
        name=known.name,
        designation=name_text(known.record.designation) or None,
        works=works or None,
        no_weekly_hours=None if works else True,
        online=None if known.record.show_in_online_bookings is True else False,
    )


def _type(known: Known[AppointmentType], sites: Sequence[Known[Business]]) -> TypeRow:
    places = known.record.max_attendees
    offering = [site.name for site in sites if offered_at(site, known)]
    return TypeRow(
        id=known.id,
        name=known.name,
        minutes=minutes_of(known),
        places=places if places is not None and places > 1 else None,
        only_at=offering if len(offering) < len(sites) else None,
        online=None if known.record.show_in_online_bookings is True else False,
    )


def _what_fits(whole: Overview) -> tuple[Overview, list[str]]:
    """As much of the overview as an answer holds, types left out first; notes on how many of which are left out."""
    staff, types = list(whole.practitioners), list(whole.appointment_types)

    def shown() -> Overview:
        return whole.model_copy(update={"practitioners": staff, "appointment_types": types})

    left_out: list[str] = []
    parts = (types, len(types), "appointment_types"), (staff, len(staff), "practitioners")
    for rows, before, name in parts:
        while rows and size(shown().as_json()) > _ROOM:
            rows.pop()
        if len(rows) < before:
            left_out.append(f"{before - len(rows)} more {name.replace('_', ' ')}: see list_{name}.")
    return shown(), left_out


def week_words(week: Mapping[int, Iterable[tuple[int, int]]]) -> str:
    """`Mon-Fri 08:30-17:00; Sat 10:00-12:00`: days with the same hours together."""
    phrases: list[tuple[str, list[int]]] = []
    for day in sorted(week):
        hours = " and ".join(f"{clock_words(low)}-{clock_words(high)}" for low, high in week[day])
        same = next((days for text, days in phrases if text == hours), None)
        if same is not None:
            same.append(day)
        else:
            phrases.append((hours, [day]))
    return "; ".join(f"{_days(days)} {hours}" for hours, days in phrases)


def _days(days: Sequence[int]) -> str:
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_DAYS[days[0] - 1]}-{_DAYS[days[-1] - 1]}"
    return " ".join(_DAYS[day - 1] for day in days)


tool = curated(
    "clinic_overview",
    "Get to know the clinic and who you are: sites (locations) with hours and the time now, practitioners with their "
    "days, appointment types with lengths. Leave, extra hours: show_diary.",
    ClinicOverview,
    clinic_overview,
    answer=Overview,
    needs=[
        DailyAvailabilities.list_daily_availabilities,
        PublicSettingsOfAccount.get_public_settings,
        *ROSTER_NEEDS,
    ],
)
