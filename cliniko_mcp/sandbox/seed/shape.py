"""The statistics that the demo clinic is made by, in one table: what to aim at, and the bounds of what comes out.

The seed reads `aim`; `tests/sandbox/test_believable.py` counts the raw rows and holds them against `low` and `high`.
Where a figure is published, `source` says where; the others are choices, made to be unremarkable for an Australian
clinic whose patients get reminders.
"""

from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple


class Figure(NamedTuple):
    """A statistic: the value that the seed aims at, the bounds of what comes out, its unit and meaning, its source."""

    aim: float
    low: float
    high: float
    unit: str
    meaning: str
    source: str = ""


_CALGARY: Final = (
    "20.6% no-shows and cancellations together, of 6,162 appointments in a physiotherapy clinic: Onigbinde, "
    "https://www.mendeley.com/catalogue/767902c5-2b39-3d91-8ed9-1e651f2fb14e/"
)
_SURVEY: Final = (
    "10.4% on average over 634 clinics in the United States, standard deviation 7.4: "
    "https://digitalscholarship.unlv.edu/thesesdissertations/2323/"
)
_SKEWED: Final = (
    "many patients with one to three visits, a few with more than twenty: "
    "https://www.cultureofone.com.au/insights/patient-visit-average-physiotherapy"
)

NO_SHOWS: Final = Figure(0.045, 0.03, 0.06, "share", "of visits begun whose attendance is recorded", _SURVEY)
UNRECORDED: Final = Figure(0.012, 0.0, 0.03, "share", "of visits begun: nobody recorded whether the patient came")
CANCELLED: Final = Figure(0.105, 0.08, 0.14, "share", "of visits that would have begun: cancelled", _CALGARY)
LATE: Final = Figure(0.28, 0.25, 0.45, "share", "of cancellations: with less than 24 hours' notice")
REFILLED: Final = Figure(0.6, 0.4, 0.8, "share", "of times cancelled a day or more before: given to someone else")
REBOOKED: Final = Figure(0.7, 0.6, 0.985, "share", "of cancelled visits: the patient books again; regulars always do")

NEW_FILES: Final = Figure(0.62, 0.5, 0.75, "share", "of patients: their file was made since the diary began")
FILE_TO_BOOKING: Final = Figure(
    0.2, 0.0, 3.0, "days", "from a new file to the first booking, nine in ten; aim: the share not booked at once"
)
BOOKING_TO_VISIT: Final = Figure(4.0, 1.0, 8.0, "days", "from the first booking of a new file to the visit, median")
FIRST_IS_INITIAL: Final = Figure(0.94, 0.85, 1.0, "share", "of new files: the first booking is an Initial consult")
NEVER_BOOKED: Final = Figure(0.02, 0.0, 0.04, "share", "of patients: entered and never booked")

REGULARS_BEFORE: Final = Figure(
    0.5, 0.3, 0.7, "share", "of patients from before the diary: long-term, every week or two"
)
REGULARS_SINCE: Final = Figure(0.15, 0.05, 0.25, "share", "of new patients: stay for the long term")
COURSE: Final = Figure(4.6, 3.0, 8.0, "visits", "mean length of a course of treatment of everyone else", _SKEWED)
VISITS: Final = Figure(5.0, 3.0, 6.0, "visits", "held in eighteen months, median over the people seen", _SKEWED)
CAME_BACK: Final = Figure(0.8, 0.65, 0.92, "share", "of new patients: seen on a second day")
RETURNS: Final = Figure(0.22, 0.1, 0.4, "share", "of finished courses: another one some months later")

UTILISATION: Final = Figure(0.70, 0.60, 0.85, "share", "booked of open hours, of most practitioners")
PART_TIME: Final = Figure(0.5, 0.35, 0.58, "share", "booked of open hours, of the part-timer below")
PART_TIMER: Final = "Lena"
LEVEL: Final = Figure(
    0.12, 0.0, 0.15, "share", "by which the load of nine weeks in ten may differ from the median week"
)

NOTED: Final = Figure(0.8, 0.67, 0.9, "share", "of individual visits held: with a note")
LANDLINE: Final = Figure(0.08, 0.03, 0.12, "share", "of patients: only a landline")
NO_PHONE: Final = Figure(0.02, 0.005, 0.04, "share", "of patients: no phone at all")
NO_EMAIL: Final = Figure(0.08, 0.05, 0.25, "share", "of patients: no email")
ONLINE_FIRST: Final = Figure(0.4, 0.2, 0.5, "share", "of first bookings: made on the website")
ONLINE_LATER: Final = Figure(0.2, 0.1, 0.3, "share", "of later bookings that can be: made on the website")
ONLINE: Final = Figure(0.15, 0.08, 0.3, "share", "of all individual bookings: made on the website")

SOURCED: Final = Figure(0.75, 0.6, 0.9, "share", "of patients: how they heard of the clinic is noted")
INVOICED: Final = Figure(0.96, 0.9, 0.99, "share", "of visits held more than a week ago: invoiced")
INVOICE_DELAY: Final = Figure(
    0.12, 0.0, 4.0, "days", "from a visit to its invoice, at most; aim: the share not done at once"
)
SPENT_CASES: Final = Figure(0.15, 0.05, 0.4, "share", "of open cases: all sessions used, or past their last day")

UNPAID: Final = (
    Figure(0.16, 0.08, 0.25, "share", "of invoices up to 7 days old: unpaid"),
    Figure(0.055, 0.03, 0.1, "share", "of invoices 8 to 30 days old: unpaid"),
    Figure(0.03, 0.01, 0.06, "share", "of invoices 31 to 60 days old: unpaid"),
    Figure(0.016, 0.003, 0.035, "share", "of invoices 61 to 90 days old: unpaid"),
    Figure(0.004, 0.001, 0.01, "share", "of older invoices: unpaid"),
)
UNPAID_DAYS: Final = (8, 31, 61, 91)
"""The ages in days at which the next of UNPAID begins."""

WRITTEN_OFF: Final = Figure(0.008, 0.0, 0.02, "share", "of invoices older than 90 days: closed unpaid")

REMINDERS: Final = (
    ("SMS", Figure(0.56, 0.4, 0.65, "share", "of patients: reminded by SMS")),
    ("SMS & Email", Figure(0.25, 0.15, 0.35, "share", "of patients: reminded by both")),
    ("Email", Figure(0.12, 0.05, 0.2, "share", "of patients: reminded by email")),
    ("None", Figure(0.07, 0.02, 0.12, "share", "of patients: not reminded")),
)
SOURCES: Final = (
    ("Contact", Figure(0.38, 0.28, 0.48, "share", "of sources: a doctor or another referrer")),
    ("Patient", Figure(0.27, 0.17, 0.37, "share", "of sources: another patient")),
    ("Internet", Figure(0.24, 0.15, 0.33, "share", "of sources: the internet")),
    ("Other", Figure(0.11, 0.05, 0.2, "share", "of sources: something else")),
)
REFERRERS: Final = (
    ("Dr Iris Sampleford", Figure(0.42, 0.3, 0.55, "share", "of patients sent by a contact")),
    ("Dr Otto Exemplar", Figure(0.24, 0.12, 0.35, "share", "of patients sent by a contact")),
    ("Mr Bartholomew Knie", Figure(0.15, 0.06, 0.25, "share", "of patients sent by a contact")),
    ("Dr Pia Former", Figure(0.1, 0.03, 0.2, "share", "of patients sent by a contact; she has retired")),
    ("Dr Solveig Ørsted-Muster", Figure(0.06, 0.01, 0.13, "share", "of patients sent by a contact")),
    ("Ms Cleo Advocate", Figure(0.03, 0.003, 0.1, "share", "of patients sent by a contact")),
)


def drawn(rng: Random, table: Sequence[tuple[str, Figure]]) -> str:
    """One of the names of a table of shares, as often as its share says."""
    roll = rng.random()
    for name, figure in table:
        roll -= figure.aim
        if roll < 0:
            return name
    return table[-1][0]
