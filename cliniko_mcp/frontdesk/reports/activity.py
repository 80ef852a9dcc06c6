"""The report on activity: visits kept, the people seen, and how many of them are new.

Requests: one a hundred bookings of the clinic's whole history, because who is new shows in it alone; one each 95
classes.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import GROUPINGS, Facts, Measure, breakdown
from cliniko_mcp.frontdesk.reports.figures import Findable
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion, by_patient
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = visits.NEEDS

_MINUTE: Final = timedelta(minutes=1)
_WEEK: Final = 7


class SeenRow(Findable):
    """A patient who was seen."""

    visits_kept: int = Field(description="Visits kept in the time.")
    last_visit: LocalTime = Field(description="Start of the latest of them.")
    new: bool | None = Field(default=None, description="True where their first visit ever was in that time.")


async def activity(question: ReportQuestion) -> Finding:
    """Visits kept and the people seen, those who came most often first."""
    first = await question.first_visits()
    held = [*filter(question.kept, await question.visits())]
    people = by_patient(held)
    people.pop("", None)
    new = {patient for patient in people if question.holds(first[patient])}
    home = question.time.home
    begun = (min((home.end - _MINUTE).date(), question.today) - home.start.date()).days + 1
    facts = Facts(Measure.COUNT, [question.fact(visit) for visit in held])
    ranked = sorted(people.values(), key=lambda theirs: (-len(theirs), theirs[0].patient_id))
    classes = {visit.booking_id for visit in held if visit.group}
    return Finding(
        "A kept visit is an appointment, or a place in a class, of that time that has begun and was neither cancelled "
        "nor a no-show; what is not marked counts as kept. New is a patient whose first kept visit ever, with anyone "
        "at any site, was in that time. The average is over the weeks of that time as far as they have begun, today as "
        "a whole.",
        {
            "visits_kept": facts.figure,
            "people_seen": figures.count(len(people)),
            "new_people_seen": figures.share(len(new), len(people)),
            "returning_people_seen": figures.share(len(people) - len(new), len(people)),
            "visits_kept_a_week_on_average": figures.count(len(held) * _WEEK / begun if begun else 0),
            "classes_held": figures.count(len(classes)),
        },
        [_seen(question, theirs, theirs[0].patient_id in new) for theirs in ranked],
        facts,
        by={} if "type" in question.by else {"type": breakdown(GROUPINGS["type"], facts, question.roster)},
    )


def _seen(question: ReportQuestion, theirs: Sequence[Visit], new: bool) -> SeenRow:
    last = theirs[-1]
    return SeenRow(
        patient_id=last.patient_id,
        visits_kept=len(theirs),
        last_visit=local_text(last.starts, question.roster.zone(last.business_id)),
        new=True if new else None,
    )
