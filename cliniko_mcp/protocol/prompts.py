"""Prompts for the day's routines: what a person picks from a menu instead of typing it every morning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from cliniko_mcp.sanitize import clean, label

MAX_CHARACTERS: Final = 200
DAY = types.PromptArgument(name="day", description="Which day, such as today or Monday; today if left out.")
PRACTITIONER = types.PromptArgument(name="practitioner", description="Only this practitioner; everyone if left out.")
BUSINESS = types.PromptArgument(name="business", description="Only this site; all sites if left out.")
TYPE = types.PromptArgument(name="appointment_type", description="What the time is for; any type if left out.")


@dataclass(frozen=True, slots=True)
class Routine:
    """One routine: what it is called, what may be chosen, and what the assistant is asked to do."""

    name: str
    title: str
    description: str
    choices: tuple[types.PromptArgument, ...]
    steps: str


ROUTINES: Final = (
    Routine(
        "morning_huddle",
        "Morning huddle",
        "A page for the team before the first patient: the day's diary, gaps, alerts, forms and unpaid invoices.",
        (DAY, PRACTITIONER, BUSINESS),
        """Prepare our morning huddle.

1. Read the whole diary of that day: appointments, classes and blocked-out time, by practitioner.
2. For the patients in it read their medical alerts, patient forms that are not filled in, and open invoices.
3. Write one page: first and last patient of each practitioner, gaps of 30 minutes or more, who comes for the first \
time, alerts, missing forms, unpaid invoices.

Change nothing. Say so if a list was cut short, and read it to its end before you count.""",
    ),
    Routine(
        "fill_a_gap",
        "Fill a gap",
        "Finds free time in the diary and the patients who could take it; books only once you have chosen.",
        (DAY, PRACTITIONER, BUSINESS, TYPE),
        """Help me fill gaps in the diary.

1. Find the free time of that day in the diary, not only what patients can book online.
2. Cliniko's API has no waitlist. Look instead for patients of the same practitioner who cancelled or did not arrive \
in the last 4 weeks and have no appointment to come, and for those whose next appointment is more than 2 weeks away.
3. Propose up to 5 patients for each gap, with the reason and their phone number.

Book or move nothing until I have chosen the patient and the time.""",
    ),
    Routine(
        "chase_no_shows",
        "Chase no-shows",
        "Who did not arrive and has not rebooked, with words for a call; contact is noted once you have made it.",
        (DAY, PRACTITIONER, BUSINESS),
        """Help me follow up no-shows (DNA).

1. List the appointments of that day, and of the 7 days before it, where the patient did not arrive.
2. Leave out those who have an appointment to come since.
3. For each of the others show the phone number and when they were last seen, and draft two kind sentences to say or \
send.

This server cannot send messages: I do that. When I tell you that I reached someone, record a memo of it \
(create_communication), and rebook if we agreed on a time.""",
    ),
    Routine(
        "end_of_day",
        "End of day",
        "What is still open tonight: arrivals not marked, notes not finished, visits not invoiced, tomorrow's start.",
        (DAY, PRACTITIONER, BUSINESS),
        """Help me close the day.

1. Read the whole diary of that day, cancelled appointments too.
2. List what is still open: visits with neither arrived nor no-show marked, treatment notes missing or still drafts, \
visits without an invoice and invoices not yet paid.
3. Show the first patient of tomorrow for each practitioner, with their alerts and missing forms.

Ask me before you mark arrivals or change a note; invoices and payments are done in Cliniko itself.""",
    ),
)


def listed() -> types.ListPromptsResult:
    """Every routine, in the order of a day."""
    prompts = [
        types.Prompt(
            name=routine.name, title=routine.title, description=routine.description, arguments=list(routine.choices)
        )
        for routine in ROUTINES
    ]
    return types.ListPromptsResult(prompts=prompts)


def filled(name: str, arguments: Mapping[str, str]) -> types.GetPromptResult:
    """The routine `name` as a message from the person, with what they chose.

    Raises MCPError for a routine or an argument that does not exist.
    """
    routine = next((routine for routine in ROUTINES if routine.name == name), None)
    if routine is None:
        known = ", ".join(routine.name for routine in ROUTINES)
        raise MCPError(types.INVALID_PARAMS, f"There is no prompt called {label(name)}; there are {known}.")
    known_arguments = [choice.name for choice in routine.choices]
    if unknown := sorted(set(arguments) - set(known_arguments)):
        raise MCPError(types.INVALID_PARAMS, f"{name} takes {', '.join(known_arguments)}, not {label(unknown[0])}.")
    cleaned = {key: clean(value, MAX_CHARACTERS) for key, value in arguments.items()}
    chosen = {key: value for key, value in cleaned.items() if value}
    lines = [f"{key.replace('_', ' ').capitalize()}: {value}" for key, value in {"day": "today", **chosen}.items()]
    content = types.TextContent(type="text", text=f"{routine.steps}\n\n" + "\n".join(lines))
    return types.GetPromptResult(
        description=routine.description, messages=[types.PromptMessage(role="user", content=content)]
    )
