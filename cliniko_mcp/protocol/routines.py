"""The routines that are offered as prompts, in a table: what each asks an assistant to do, and where it stops.

The words name tools only where the tool decides what the answer means; `tests/protocol/test_routines.py` plays each.
"""

from dataclasses import dataclass, field
from typing import Final

import mcp_types as types

DAY = types.PromptArgument(name="day", description="Which day, such as today or Monday; today if left out.")
WEEK = types.PromptArgument(name="week", description="Which week, such as this week; next week if left out.")
MONTH = types.PromptArgument(name="month", description="Which month, such as October; last month if left out.")
UNSEEN = types.PromptArgument(name="last_seen", description="How long unseen; more than 6 months ago if left out.")
ISSUED = types.PromptArgument(name="issued", description="When invoiced; more than 30 days ago if left out.")
PATIENT = types.PromptArgument(name="patient", description="Who it is; you are asked if it is left out.")
PRACTITIONER = types.PromptArgument(name="practitioner", description="Only this practitioner; everyone if left out.")
BUSINESS = types.PromptArgument(name="business", description="Only this site; all sites if left out.")
TYPE = types.PromptArgument(name="appointment_type", description="What the time is for; any type if left out.")


@dataclass(frozen=True, slots=True)
class Routine:
    """One routine: what it is called, what may be chosen, and what the assistant is asked to do.

    `limits` says what it will not do; it stands in the description, for who picks it, and in the message. `usual` is
    what an argument is where it is left out.
    """

    name: str
    title: str
    description: str
    limits: str
    choices: tuple[types.PromptArgument, ...]
    steps: str
    usual: dict[str, str] = field(default_factory=dict[str, str])


ROUTINES: Final = (
    Routine(
        "morning_huddle",
        "Morning huddle",
        "A page for the team before the first patient: the day's diary, gaps, alerts, forms and unpaid invoices.",
        "Changes nothing and sends nothing.",
        (DAY, PRACTITIONER, BUSINESS),
        """Prepare our morning huddle.

1. Read the whole diary of that day (show_diary): appointments, classes and blocked-out time, by practitioner.
2. For the patients in it read their medical alerts, patient forms that are not filled in, and open invoices.
3. Write one page: first and last patient of each practitioner, gaps of 30 minutes or more, who comes for the first \
time, alerts, missing forms, unpaid invoices.

Say so if a list was cut short, and read it to its end before you count.""",
        {"day": "today"},
    ),
    Routine(
        "fill_a_gap",
        "Fill a gap",
        "Finds free time in the diary and the patients who could take it.",
        "Books and moves nothing until you have chosen the patient and the time; sends nothing.",
        (DAY, PRACTITIONER, BUSINESS, TYPE),
        """Help me fill gaps in the diary.

1. Find the free time of that day in the diary (show_diary), not only what patients can book online.
2. Cliniko's API has no waitlist. For each gap look instead for patients who are booked later for the same, or who \
cancelled and did not book again (fill_gap).
3. Propose up to 5 patients for each gap, with the reason and their phone number.""",
        {"day": "today"},
    ),
    Routine(
        "chase_no_shows",
        "Chase no-shows",
        "Who did not arrive and has not rebooked, with words for a call.",
        "Sends nothing; records a contact, or rebooks, only once you say that you reached someone.",
        (DAY, PRACTITIONER, BUSINESS),
        """Help me follow up no-shows (DNA).

1. List the appointments of that day, and of the 7 days before it, where the patient did not arrive (report no_shows).
2. Leave out those who have an appointment to come since.
3. For each of the others show the phone number and when they were last seen, and draft two kind sentences to say or \
send.

This server cannot send messages: I do that. When I tell you that I reached someone, record a memo of it \
(create_communication), and rebook if we agreed on a time.""",
        {"day": "today"},
    ),
    Routine(
        "end_of_day",
        "End of day",
        "What is still open tonight: arrivals not marked, notes not finished, visits not invoiced, tomorrow's start.",
        "Marks no arrival and changes no note before it has asked you; sends nothing.",
        (DAY, PRACTITIONER, BUSINESS),
        """Help me close the day.

1. Read the whole diary of that day (show_diary), cancelled appointments too.
2. List what is still open: visits with neither arrived nor no-show marked, treatment notes missing or still drafts \
(report missing_notes), visits without an invoice (report unbilled) and invoices not yet paid.
3. Show the first patient of tomorrow for each practitioner, with their alerts and missing forms.

Invoices and payments are done in Cliniko itself.""",
        {"day": "today"},
    ),
    Routine(
        "week_ahead",
        "Week ahead",
        "The week by practitioner: how full it is, who is away, what clashes, which forms are still open.",
        "Changes nothing and sends nothing.",
        (WEEK, PRACTITIONER, BUSINESS),
        """Show me the week ahead.

1. Read the whole diary of that week (show_diary), leave and blocked-out time too.
2. Read how much of the working hours is booked (report ahead, of the same week, by practitioner), and which patient \
forms of its visits are not filled in (report forms).
3. Write one page: each practitioner's booked and free hours by day, who is away and when, clashes, the longest gaps, \
new patients, open forms. Say what you would look into first, and why.

Say so if a list was cut short, and read it to its end before you count.""",
        {"week": "next week"},
    ),
    Routine(
        "months_numbers",
        "Month's numbers",
        "A month on one page against the month before: visits, new patients, no-shows, hours used, income, rebooking.",
        "Changes nothing and sends nothing; names no patient.",
        (MONTH, PRACTITIONER, BUSINESS),
        """Write up the month's numbers.

1. Read these reports of that month, each compared with the previous one: activity, no_shows, cancellations, \
utilisation, revenue, rebooking.
2. Write one page: a table of the figures, before and after, then three sentences on what changed most. Give every \
rate with the counts behind it, and each figure's definition where it could be misread.
3. Where a month has just begun or a figure rests on fewer than 20 visits, say so rather than explain it.

Figures come from the reports alone: add up, guess and extrapolate nothing.""",
        {"month": "last month"},
    ),
    Routine(
        "new_patient_intake",
        "New patient intake",
        "What a new patient's file still lacks before the first visit: contact, consent, forms, referral, alerts.",
        "Registers nobody, changes no file and gives out no form before it has asked you; sends nothing.",
        (PATIENT,),
        """Help me take in a new patient.

1. Look for the file (find_patients), archived ones too, also under other spellings, the birth date and the phone \
number. If two files may be the same person, show both and let me choose.
2. If there is a file, read it (patient_brief, get_patient) and list what is missing: birth date, mobile, email, \
address, emergency contact, referral source, consent, forms not filled in, the first appointment.
3. If there is none, ask me for name, birth date, mobile and email, and read back what would be registered.

Register (register_patient), correct (update_patient) or give a form (create_patient_form) only once I have said yes \
to what you read back. Giving a form may notify the patient: say so when you ask.""",
    ),
    Routine(
        "recall_round",
        "Recall round",
        "Patients not seen for long and with nothing booked, with a reminder drafted for each.",
        "Sends nothing and books nothing: you send what you like, and say what is to be recorded.",
        (UNSEEN, PRACTITIONER, BUSINESS, TYPE),
        """Help me with a recall round.

1. List the patients last seen then who have nothing booked (report lapsed, with phones): 20 of them, and say how \
many more there are.
2. Read the consents and alerts of each (patient_brief): leave out whoever refused to be contacted or has asked not \
to be, and tell me who was left out and why. Cliniko's API does not offer its own recalls: what is set there is not \
seen here.
3. For each of the others show phone, last visit and practitioner, and draft a reminder of two kind sentences that \
says nothing of the patient's condition.

This server cannot send messages: I do that. When I tell you whom I reached, record a memo of it \
(create_communication); book only a time that I name.""",
        {"last_seen": "more than 6 months ago"},
    ),
    Routine(
        "overdue_invoices",
        "Overdue invoices",
        "Invoices that are still open, by payer and age, with a letter drafted for each.",
        "Sends nothing and changes no invoice: letters are drafts, payments are taken in Cliniko.",
        (ISSUED, PRACTITIONER, BUSINESS),
        """Help me with overdue invoices.

1. List the open invoices issued then, by payer, the largest total first (report unpaid, with phones).
2. Payments are not in Cliniko's API: an invoice that was paid in part still shows its whole total. Say that above \
the list, and ask me to check the balance in Cliniko before anything goes out.
3. For each payer draft a short, friendly letter with number, date and total of each invoice. To a third party, such \
as an insurer or employer, write nothing of the patient's treatment.

This server cannot send letters: I do that. When I tell you which went out, record a memo of it \
(create_communication).""",
        {"issued": "more than 30 days ago"},
    ),
)
"""In the order of a day, then of a week and a month, then what is done when it is needed."""
