"""The figures that reports on visits and patients have to say, from rows alone: for the demo clinic and generated ones.

Each takes a `Recount` and the first and last day, and gives the whole summary. Nothing here is the package's.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from .recount import Recount, Row, Visit, share

LATE = timedelta(hours=24)
BOOKED = ("individual_appointments", "group_appointments")


def activity(recount: Recount, first: date, last: date) -> Row:
    held = recount.kept(recount.within(first, last))
    people = {visit.patient for visit in held}
    new = {patient for patient in people if first <= recount.first_kept[patient].day}
    days = (min(last, recount.today) - first).days + 1
    return {
        "visits_kept": {"count": len(held)},
        "people_seen": {"count": len(people)},
        "new_people_seen": share(len(new), len(people)),
        "returning_people_seen": share(len(people) - len(new), len(people)),
        "visits_kept_a_week_on_average": {"count": round(len(held) * 7 / days, 2)},
        "classes_held": {"count": len({visit.booking for visit in held if visit.in_class})},
    }


def apart(name: str, part: Iterable[Visit], whole: Iterable[Visit]) -> Row:
    """The share in appointments and that in classes, where there are classes."""
    parts, wholes = list(part), list(whole)
    if not any(visit.in_class for visit in wholes):
        return {}
    return {
        f"{name}_in_{where}": share(
            sum(visit.in_class is group for visit in parts), sum(visit.in_class is group for visit in wholes)
        )
        for where, group in (("appointments", False), ("classes", True))
    }


def _policy(recount: Recount, span: list[Visit]) -> Row:
    begun = recount.begun(span)
    late = [visit for visit in span if visit.cancelled and visit.left < LATE and visit.starts <= recount.now]
    return share(sum(visit.arrived is False for visit in begun) + len(late), len(begun) + len(late))


def no_shows(recount: Recount, first: date, last: date) -> Row:
    span = recount.within(first, last)
    begun = recount.begun(span)
    missed = [visit for visit in begun if visit.arrived is False]
    people = Counter(visit.patient for visit in missed)
    return {
        "no_shows": share(len(missed), len(begun)),
        **apart("no_shows", missed, begun),
        "no_shows_and_late_cancellations": _policy(recount, span),
        "no_shows_invoiced": share(sum(visit.billed for visit in missed), len(missed)),
        "no_shows_with_a_later_visit": share(sum(map(recount.returns, missed)), len(missed)),
        "patients_with_no_shows": {"count": len(people)},
        "patients_with_more_than_one": {"count": sum(times > 1 for times in people.values())},
        "visits_not_marked": share(sum(visit.arrived is None for visit in begun), len(begun)),
    }


def _given_up(recount: Recount, gone: list[Visit]) -> Row:
    people = Counter(visit.patient for visit in gone)
    return {
        "cancelled_and_invoiced": share(sum(visit.billed for visit in gone), len(gone)),
        "cancelled_late_and_invoiced": share(
            sum(visit.billed and visit.left < LATE for visit in gone), sum(visit.left < LATE for visit in gone)
        ),
        "lost": share(sum(not recount.returns(visit) for visit in gone), len(gone)),
        "patients_who_cancelled": {"count": len(people)},
        "patients_with_more_than_one": {"count": sum(times > 1 for times in people.values())},
    }


def cancellations(recount: Recount, first: date, last: date) -> Row:
    span = recount.within(first, last)
    gone = [visit for visit in span if visit.cancelled]
    return {
        "cancelled": share(len(gone), len(span)),
        **apart("cancelled", gone, span),
        "cancelled_late": share(sum(visit.left < LATE for visit in gone), len(span)),
        "no_shows_and_late_cancellations": _policy(recount, span),
        **_given_up(recount, gone),
    }


def cancelled_between(recount: Recount, first: date, last: date) -> list[Visit]:
    """Visits that were cancelled on these days by the clock of their site, whenever they were to be."""
    return [
        visit
        for visit in recount.visits
        if recount.keeps(visit)
        and visit.cancelled
        and first <= visit.cancelled.astimezone(recount.zones[visit.site]).date() <= last
    ]


def new_cancellations(recount: Recount, first: date, last: date) -> Row:
    gone = cancelled_between(recount, first, last)
    return {
        "cancellations_made": {"count": len(gone)},
        "cancelled_late": share(sum(visit.left < LATE for visit in gone), len(gone)),
        **_given_up(recount, gone),
    }


def made_between(recount: Recount, first: date, last: date) -> list[tuple[Row, datetime]]:
    """Appointments and classes that were made on these days by the clock of their site, with that moment."""
    found: list[tuple[Row, datetime]] = []
    for table in BOOKED:
        for row in recount.rows(table):
            if not recount.mine(row["practitioner_id"], row["business_id"]):
                continue
            made = datetime.fromisoformat(row["created_at"]).astimezone(recount.zones[row["business_id"]])
            if not row.get("archived_at") and first <= made.date() <= last:
                found.append((row, made))
    return found


def new_bookings(recount: Recount, first: date, last: date) -> Row:
    rows = made_between(recount, first, last)
    ahead = [(datetime.fromisoformat(row["starts_at"]) - made) / timedelta(days=1) for row, made in rows]
    classes = sum("max_attendees" in row for row, _ in rows)
    website = sum(bool((row.get("booking_ip_address") or "").strip()) for row, _ in rows)
    return {
        "bookings_made": {"count": len(rows)},
        "made_on_the_website": share(website, len(rows)),
        "appointments_made": share(len(rows) - classes, len(rows)),
        "classes_made": share(classes, len(rows)),
        "cancelled_since": share(sum(bool(row.get("cancelled_at")) for row, _ in rows), len(rows)),
        **({"days_ahead_on_average": {"count": round(sum(ahead) / len(ahead), 2)}} if ahead else {}),
    }


def new_patients(recount: Recount, first: date, last: date) -> set[str]:
    firsts = {patient: visit for patient, visit in recount.first_kept.items() if recount.keeps(visit)}
    return {patient for patient, visit in firsts.items() if first <= visit.day <= last}


def retention(recount: Recount, first: date, last: date) -> Row:
    new = new_patients(recount, first, last)
    kept = recount.kept(recount.visits)
    days = {patient: {visit.day for visit in kept if visit.patient == patient} for patient in new}
    back = {patient for patient in new if len(days[patient]) > 1}
    again = back | {patient for patient in new if recount.ahead(patient)}
    held = [visit for visit in recount.kept(recount.within(first, last)) if not visit.in_class]
    own = sum(visit.patient in new for visit in kept)
    kept_to = recount.who or recount.site
    made = [datetime.fromisoformat(row["created_at"]).astimezone(recount.home).date() for row in recount.patients]
    return {
        "new_patients_who_came_back": share(len(back), len(new)),
        "new_patients_who_booked_again": share(len(again), len(new)),
        "new_patients": {"count": len(new)},
        **({"visits_kept_per_new_patient": {"count": round(own / len(new), 2)}} if new else {}),
        **({"patient_visit_average_pva": {"count": round(len(held) / len(new), 2)}} if new else {}),
        "rebook_rate": share(sum(map(recount.returns, held)), len(held)),
        **({} if kept_to else {"patient_files_made": {"count": sum(first <= day <= last for day in made)}}),
    }


def cohorts(recount: Recount, new: set[str]) -> list[Row]:
    """Those who came back within so many days, of each month's new patients, once these have passed for all of them."""
    came = {one: sorted({visit.day for visit in recount.kept(recount.visits) if visit.patient == one}) for one in new}
    found: dict[str, Row] = {}
    for month in sorted({str(days[0])[:7] for days in came.values()}):
        theirs = [days for days in came.values() if str(days[0])[:7] == month]
        found[month] = {"name": month, "new_patients": len(theirs), "came_back": {}}
        for number in (14, 30, 60, 90, 180):
            if all((recount.today - days[0]).days >= number for days in theirs):
                back = sum(len(days) > 1 and (days[1] - days[0]).days <= number for days in theirs)
                found[month]["came_back"][str(number)] = share(back, len(theirs))
    return [*found.values()]


def rebooking(recount: Recount, first: date, last: date) -> Row:
    told = retention(recount, first, last)
    return {name: told[name] for name in ("rebook_rate", "patient_visit_average_pva", "new_patients") if name in told}


def gone_quiet(recount: Recount) -> dict[str, Visit]:
    """The last kept visit of each patient in use who has nothing booked."""
    return {
        patient: visit
        for patient, visit in recount.last_kept.items()
        if recount.keeps(visit) and patient in recount.in_use and not recount.ahead(patient)
    }


def lapsed(recount: Recount, first: date, last: date) -> Row:
    days = [visit.day for visit in gone_quiet(recount).values()]
    longer = {"last_seen_before_that_time": {"count": sum(day < first for day in days)}}
    return {
        "lapsed_patients": {"count": sum(first <= day <= last for day in days)},
        **(longer if first > date.min else {}),
    }


def without_next(recount: Recount, first: date, last: date) -> tuple[set[str], set[str]]:
    """Patients seen on these days and not since, with nothing booked; and all who were seen, as the rate has them."""
    seen = {visit.patient: visit for visit in recount.kept(recount.within(first, last))}
    left = {
        one for one, visit in seen.items() if recount.last_kept[one].starts <= visit.starts and not recount.ahead(one)
    }
    return left & recount.in_use, seen.keys() - (left - recount.in_use)


def not_rebooked(recount: Recount, first: date, last: date) -> Row:
    left, seen = without_next(recount, first, last)
    return {"patients_without_next_booking": share(len(left), len(seen))}


def never_seen(recount: Recount, first: date, last: date) -> Row:
    files = {
        row["id"]
        for row in recount.patients
        if row["id"] in recount.in_use
        and first <= datetime.fromisoformat(row["created_at"]).astimezone(recount.home).date() <= last
    }
    unseen = files - recount.first_kept.keys()
    return {
        "patients_never_seen": share(len(unseen), len(files)),
        "of_them_with_a_visit_booked": share(sum(bool(recount.ahead(one)) for one in unseen), len(unseen)),
    }
