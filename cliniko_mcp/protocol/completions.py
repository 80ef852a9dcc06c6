"""Completions: names of staff, sites, types and patients, and times, while a person types them into a prompt.

Patients are looked for from the third letter on. Other names are read in whole lists through the guards, and kept for a
minute, so that typing costs no request a letter.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

import anyio
import mcp_types as types

from cliniko_mcp.client.memory import SingleFlightCache
from cliniko_mcp.cliniko.models import row_id
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.names import REFERENCES

SECONDS_KEPT: Final = 60.0
MAX_VALUES: Final = 100
"""Values in one completion, by the protocol."""
MAX_ROWS: Final = 1_000
_FIELDS: Final = {
    "practitioner": "practitioner_id",
    "practitioners": "practitioner_id",
    "business": "business_id",
    "businesses": "business_id",
    "appointment_type": "appointment_type_id",
    "appointment_types": "appointment_type_id",
}
"""The field whose names complete an argument of a prompt, or the id in an address."""
LEAST_LETTERS: Final = 3
"""Letters of a patient's name before anybody is looked for: fewer fit half the clinic."""
DAYS: Final = tuple(
    "today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
)

_MONTHS: Final = "january february march april may june july august september october november december"
TIMES: Final[Mapping[str, tuple[str, ...]]] = {
    "day": DAYS,
    "week": ("this week", "next week", "the week after next"),
    "month": ("last month", "this month", *_MONTHS.split()),
    "last_seen": ("more than 3 months ago", "more than 6 months ago", "more than 12 months ago"),
    "issued": ("more than 14 days ago", "more than 30 days ago", "more than 60 days ago", "more than 90 days ago"),
}
"""What may stand for a time in a prompt, by its argument; whatever else is typed is read as well."""

ClinicOf = Callable[[str], Awaitable[GuardedClinic]]
"""The clinic as the tool of this name may use it."""


class Suggestion(NamedTuple):
    """A record's name and its id."""

    name: str
    id: str


class Completions:
    """What may stand for an argument; one for a run, so that its short memory is shared, by account."""

    def __init__(self, clock: Callable[[], float] = anyio.current_time) -> None:
        self._known = SingleFlightCache[tuple[str, str], list[Suggestion]](SECONDS_KEPT, clock)

    async def answer(self, params: types.CompleteRequestParams, clinic_of: ClinicOf) -> types.CompleteResult:
        """The values that fit what was typed so far, at most 100; none where the names may not or cannot be read."""
        typed = params.argument.value.strip().casefold()
        if isinstance(params.ref, types.ResourceTemplateReference):
            noun = params.ref.uri.removeprefix("cliniko://").partition("/")[0]
            known = await self._suggestions(noun, clinic_of) if params.argument.name == "id" else []
            found = [record_id for name, record_id in known if record_id.startswith(typed) or _fits(name, typed)]
        elif params.argument.name in TIMES:
            found = [phrase for phrase in TIMES[params.argument.name] if _fits(phrase, typed)]
        elif params.argument.name == "patient":
            found = await _patients(typed, clinic_of)
        else:
            known = await self._suggestions(params.argument.name, clinic_of)
            found = [name for name, _ in known if _fits(name, typed)]
        values = list(dict.fromkeys(found))
        return types.CompleteResult(
            completion=types.Completion(
                values=values[:MAX_VALUES], total=len(values), has_more=len(values) > MAX_VALUES
            )
        )

    async def _suggestions(self, noun: str, clinic_of: ClinicOf) -> list[Suggestion]:
        async def fetch(keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], list[Suggestion]]:
            return {key: await _read(key[1], clinic_of) for key in keys}

        field = _FIELDS.get(noun)
        if field is None:
            return []
        try:
            key = (await clinic_of(REFERENCES[field].current().operation.name)).account, field
            return (await self._known.get_many([key], fetch))[key]
        except ClinikoMcpError:  # an error in the middle of a word would help nobody: there are no suggestions
            return []


async def _patients(typed: str, clinic_of: ClinicOf) -> list[str]:
    """The patients whose names hold what was typed, with the day they were born, which tells namesakes apart."""
    from cliniko_mcp.cliniko.resources.patients import Patients
    from cliniko_mcp.frontdesk.patient_names import by_name

    if len(typed) < LEAST_LETTERS:
        return []
    try:
        found = await by_name(await clinic_of(Patients.list_patients.name), typed)
    except ClinikoMcpError:
        return []
    here = [] if found.close else [known for known in found.patients if not known.gone]
    return [f"{known.name}, born {born}" if (born := known.record.date_of_birth) else known.name for known in here]


async def _read(field: str, clinic_of: ClinicOf) -> list[Suggestion]:
    reference = REFERENCES[field]
    call = reference.current()
    clinic = await clinic_of(call.operation.name)
    sweep = await clinic.rows(call, limit=MAX_ROWS)
    found = [Suggestion(reference.label(record), row_id(record)) for record in sweep.rows]
    return sorted((one for one in found if all(one)), key=lambda suggestion: suggestion.name.casefold())


def _fits(name: str, typed: str) -> bool:
    """Whether what was typed begins the name or one of its words."""
    folded = name.casefold()
    return folded.startswith(typed) or f" {typed}" in folded
