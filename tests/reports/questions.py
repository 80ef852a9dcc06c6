"""What a manager asks, with the call that answers it, and the figure or rows that the answer has to give."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from . import expected, expected_papers
from .days import DAYS
from .figures import FIGURES
from .recount import Recount, Row, Visit, share

Answered = Callable[[Recount, date, date], Any]
Taken = Callable[[Row], Any]
MEI, RIVERSIDE = "Dr Mei Ng", "Riverside"


class Question(NamedTuple):
    """The words of a manager, the call, the days it is about, what is taken from the answer, and the same counted."""

    wording: str
    call: Row
    days: str
    taken: Taken
    counted: Answered


def figure(wording: str, kind: str, days: str, *names: str, **more: Any) -> Question:
    """A question that figures of the summary answer."""

    def counted(recount: Recount, first: date, last: date) -> Row:
        whole = FIGURES[kind](recount, first, last)
        return {name: whole[name] for name in names}

    return Question(wording, _call(kind, days, more), days, _summary(names), counted)


def listed(wording: str, kind: str, days: str, taken: Taken, counted: Answered, **more: Any) -> Question:
    """A question that rows or groups answer."""
    return Question(wording, _call(kind, days, more), days, taken, counted)


def of(wording: str, kind: str, days: str, names: tuple[str, ...], counted: Answered, **more: Any) -> Question:
    """A question about one practitioner or site."""
    return Question(wording, _call(kind, days, more), days, _summary(names), counted)


def _call(kind: str, days: str, more: Row) -> Row:
    return {"kind": kind, **({} if days == "all time" else {"when": days}), **more}


def _summary(names: Iterable[str]) -> Taken:
    return lambda answer: {name: answer["summary"][name] for name in names}


def groups(by: str, value: str) -> Taken:
    """A figure of each group of a breakdown, by name."""
    return lambda answer: {row["name"]: row[value] for row in answer["by"][by]["rows"]}


def rows(key: str, value: str) -> Taken:
    return lambda answer: {row[key]: row[value] for row in answer["items"]}


def ids(key: str) -> Taken:
    return lambda answer: sorted(row[key] for row in answer["items"])


def kept(recount: Recount, first: date, last: date) -> list[Visit]:
    return recount.kept(recount.within(first, last))


def kept_by(name: Callable[[Recount, Visit], str]) -> Answered:
    return lambda recount, first, last: Counter(name(recount, visit) for visit in kept(recount, first, last))


def only(table: str, name: str) -> Callable[[Recount, Visit], bool]:
    """Whether a visit is with this practitioner, or at this site."""

    def mine(recount: Recount, visit: Visit) -> bool:
        own = visit.who if table == "practitioners" else visit.site
        return recount.name(table, own) == name

    return mine


def of_mei(recount: Recount, first: date, last: date) -> Row:
    mine = [visit for visit in kept(recount, first, last) if only("practitioners", MEI)(recount, visit)]
    return {"visits_kept": {"count": len(mine)}, "people_seen": {"count": len({visit.patient for visit in mine})}}


def cancelled_at_riverside(recount: Recount, first: date, last: date) -> Row:
    booked = [visit for visit in recount.within(first, last) if only("businesses", RIVERSIDE)(recount, visit)]
    return {"cancelled": share(sum(visit.cancelled is not None for visit in booked), len(booked))}


def repeaters(recount: Recount, first: date, last: date) -> Row:
    missed = Counter(visit.patient for visit in recount.begun(recount.within(first, last)) if visit.arrived is False)
    return {patient: times for patient, times in missed.items() if times > 1}


def reasons(recount: Recount, first: date, last: date) -> Counter[str]:
    return Counter(visit.reason for visit in recount.within(first, last) if visit.cancelled)


def billed(recount: Recount, first: date, last: date) -> list[Row]:
    wanted = (expected_papers.OPEN, expected_papers.PAID)
    return [row for row in expected_papers.issued(recount, first, last) if row["status"] in wanted]


def invoiced_by_practitioner(recount: Recount, first: date, last: date) -> Row:
    sums: dict[str, Decimal] = {}
    for row in billed(recount, first, last):
        who = recount.name("practitioners", row["practitioner_id"])
        sums[who] = sums.get(who, Decimal()) + Decimal(row["total_amount"])
    return {who: f"{amount:.2f}" for who, amount in sums.items()}


def owed(recount: Recount, first: date, last: date) -> Row:
    sums: dict[str, Decimal] = {}
    for row in expected_papers.issued(recount, first, last):
        if row["status"] == expected_papers.OPEN:
            sums[row["patient_id"]] = sums.get(row["patient_id"], Decimal()) + Decimal(row["total_amount"])
    return {patient: f"{amount:.2f}" for patient, amount in sums.items()}


def over_ninety_days(recount: Recount, first: date, last: date) -> int:
    old = recount.today - timedelta(days=90)
    found = expected_papers.issued(recount, first, last)
    return sum(date.fromisoformat(row["issue_date"]) < old for row in found if row["status"] == expected_papers.OPEN)


def unbilled_bookings(recount: Recount, first: date, last: date) -> list[str]:
    return sorted(visit.booking for visit in kept(recount, first, last) if not visit.billed)


def notes_missing(recount: Recount, first: date, last: date) -> Row:
    counts: Counter[str] = Counter()
    for visit in kept(recount, first, last):
        counts[recount.name("practitioners", visit.who)] += visit.note != expected_papers.FINAL
    return counts


def seen_last(recount: Recount, first: date, last: date) -> list[str]:
    quiet = expected.gone_quiet(recount)
    return sorted(patient for patient, visit in quiet.items() if first <= visit.day <= last)


def left_without_one(recount: Recount, first: date, last: date) -> list[str]:
    return sorted(expected.without_next(recount, first, last)[0])


def ending_cases(recount: Recount, *_: date) -> list[str]:
    soon = recount.today + timedelta(days=30)
    return sorted(
        row["id"]
        for row in expected_papers.open_cases(recount)
        if row.get("expiry_date") and date.fromisoformat(row["expiry_date"]) <= soon
    )


def without_mobile(recount: Recount, *_: date) -> list[str]:
    return sorted(
        row["id"]
        for row in recount.patients
        if row["id"] in recount.in_use and "mobile for SMS reminders" in expected_papers.lacking(row)
    )


def year_before(day: date) -> date:
    return day.replace(year=day.year - 1)


QUESTIONS = (
    figure("How many visits did we do last week?", "activity", "last week", "visits_kept"),
    figure("How many people did we see in October?", "activity", "October", "people_seen"),
    figure("New faces this month, and how many were regulars?", "activity", "this month", "new_people_seen",
           "returning_people_seen"),
    figure("What do we average a week this quarter?", "activity", "this quarter", "visits_kept_a_week_on_average"),
    figure("How many classes ran last quarter?", "activity", "last quarter", "classes_held"),
    figure("How did last year go?", "activity", "last year", "visits_kept", "people_seen"),
    listed("Which services are we doing most of?", "activity", "last 12 weeks", groups("type", "count"),
           kept_by(lambda recount, visit: recount.name("appointment_types", visit.kind))),
    listed("Which weekday is the quiet one?", "activity", "last 90 days", groups("weekday", "count"),
           kept_by(lambda _, visit: f"{visit.day:%A}"), by="weekday"),
    listed("What time of day are we busiest?", "activity", "last 30 days", groups("hour", "count"),
           kept_by(lambda _, visit: f"{visit.hour:02d}:00"), by=["hour"]),
    of("How busy was Mei last month?", "activity", "last month", ("visits_kept", "people_seen"), of_mei,
       practitioner="Mei"),
    listed("Are we up on the same month a year ago?", "activity", "last month",
           lambda answer: answer["compared"]["summary"]["visits_kept"],
           lambda recount, first, _: {"count": len(kept(
               recount, year_before(first),
               year_before(first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)))},
           compare="last_year"),
    figure("What's our DNA rate?", "no_shows", "last 30 days", "no_shows"),
    figure("How many DNAs yesterday?", "no_shows", "yesterday", "no_shows"),
    figure("DNAs and late cancellations together, for the policy?", "no_shows", "last month",
           "no_shows_and_late_cancellations"),
    figure("Did we charge the no-shows anyway?", "no_shows", "last quarter", "no_shows_invoiced"),
    figure("Are classes worse for no-shows than one-to-ones?", "no_shows", "last 12 weeks",
           "no_shows_in_appointments", "no_shows_in_classes"),
    listed("Who keeps not turning up?", "no_shows", "last 90 days",
           lambda answer: {row["patient_id"]: row["no_shows"] for row in answer["items"] if row["no_shows"] > 1},
           repeaters),
    figure("How many forgot to be marked off?", "no_shows", "last week", "visits_not_marked"),
    figure("How many visits fell through last week, and how many at the last minute?", "cancellations", "last week",
           "cancelled", "cancelled_late"),
    of("Cancellation rate at Riverside?", "cancellations", "last month", ("cancelled",), cancelled_at_riverside,
       business="Riverside"),
    listed("Why do people cancel?", "cancellations", "last 90 days", groups("reason", "count"), reasons),
    figure("How many cancellations did we lose for good?", "cancellations", "last quarter", "lost"),
    figure("How many rang to cancel yesterday?", "new_cancellations", "yesterday", "cancellations_made"),
    figure("Did we charge the late cancellers?", "new_cancellations", "last month", "cancelled_late_and_invoiced"),
    figure("How many bookings did we take this week?", "new_bookings", "this week", "bookings_made"),
    figure("How many of them came through the website?", "new_bookings", "last 2 full weeks", "made_on_the_website"),
    figure("Of last quarter's new patients, how many came back?", "retention", "last quarter",
           "new_patients_who_came_back", "new_patients"),
    figure("What is our PVA?", "retention", "last 90 days", "patient_visit_average_pva"),
    figure("Rebook rate this quarter?", "rebooking", "this quarter", "rebook_rate"),
    listed("Who hasn't been in for six months?", "lapsed", "more than 6 months ago", ids("patient_id"), seen_last),
    figure("Who hasn't been since the last quarter began?", "lapsed", "last quarter", "last_seen_before_that_time"),
    listed("And who for three?", "lapsed", "more than 3 months ago", ids("patient_id"), seen_last),
    listed("Who walked out last week without booking again?", "not_rebooked", "last week", ids("patient_id"),
           left_without_one),
    figure("How many files never had a visit?", "never_seen", "all time", "patients_never_seen"),
    figure("What did we invoice last month?", "revenue", "last month", "invoiced"),
    figure("What do we bill a visit on average?", "revenue", "this year", "average_per_visit_billed"),
    listed("Who bills how much?", "revenue", "this quarter", groups("practitioner", "total"),
           invoiced_by_practitioner, by=["practitioner"]),
    listed("Who owes us, and how much?", "unpaid", "all time", rows("patient_id", "total"), owed),
    listed("How many invoices are over 90 days?", "unpaid", "all time",
           lambda answer: next(row["count"] for row in answer["by"]["age"]["rows"] if row["name"] == "over 90 days"),
           over_ninety_days),
    figure("What are third parties holding up?", "unpaid", "all time", "made_out_to_third_parties"),
    listed("What did we forget to bill?", "unbilled", "last week", ids("appointment_id"), unbilled_bookings),
    figure("What should that have brought in?", "unbilled", "last month", "expected_for_them"),
    listed("Whose notes are outstanding?", "missing_notes", "last month", groups("practitioner", "count"),
           notes_missing, by=["practitioner"]),
    figure("Which packages are nearly used up?", "cases", "all time", "with_one_or_two_sessions_left",
           "without_a_session_left"),
    listed("Which ones run out this month?", "cases", "all time",
           lambda answer: sorted(row["case_id"] for row in answer["items"] if row.get("days_left", 99) <= 30),
           ending_cases),
    figure("Intake forms still open for the coming week?", "forms", "the next 7 days", "open_forms"),
    figure("How many forms came back this week?", "forms", "this week", "forms_completed"),
    figure("Which alerts has nobody looked at for a year?", "alerts", "more than 12 months ago",
           "alerts_not_touched"),
    figure("How many new patients told us where they came from?", "sources", "last 90 days",
           "new_patients_with_a_source"),
    figure("And what were they worth?", "sources", "last quarter", "invoiced_to_new_patients"),
    listed("Who gets SMS reminders without a mobile?", "missing_contacts", "all time",
           lambda answer: sorted(row["patient_id"] for row in answer["items"]
                                 if "mobile for SMS reminders" in row["missing"]), without_mobile),
)  # fmt: skip


def span_of(question: Question, recount: Recount) -> tuple[date, date]:
    return DAYS[question.days](recount.today)
