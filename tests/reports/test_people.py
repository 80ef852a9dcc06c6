"""People are findable from every row of every kind: by id, and by phone where that is asked for."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.sandbox.core import Sandbox

from .demo import NOW, reports
from .over_port import Port, Row

pytestmark = pytest.mark.anyio
NOBODY = {"utilisation", "ahead", "rebooking", "changes"}
"""Kinds whose rows are of practitioners, or of those who are connected to this server."""
WIDE = {
    "when": {
        "find_in_notes": "last 365 days",
        "forms": "2026-05-01 to 2027-02-28",
        "sources": "last 12 months",
        "alerts": "more than 2 days ago",
    },
    "words": {"find_in_notes": "walk"},
}


def numbers(port: Port) -> dict[str, set[str | None]]:
    """The phone numbers of each patient and contact; None for one who has none."""
    found: dict[str, set[str | None]] = {}
    for table, name in (("patients", "patient_phone_numbers"), ("contacts", "phone_numbers")):
        for row in port.rows(table):
            found[row["id"]] = {one["number"] for one in row.get(name) or [] if one.get("number")} or {None}
    return found


def people_in(row: Row) -> Iterator[Row]:
    """The row where it names somebody, and the rows in it that do."""
    if row.keys() & {"patient", "referrer_id"}:
        yield row
    yield from row.get("patients", ())


@pytest.mark.long
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - NOBODY))
async def test_every_person_in_a_row_has_an_id_and_a_phone(clinic: tuple[Sandbox, Port], kind: str) -> None:
    known = numbers(clinic[1])
    more = {name: of[kind] for name, of in WIDE.items() if kind in of}
    async with reports(clinic[0], datetime.fromisoformat(NOW)) as tool:
        quiet = await tool.call(kind, **more)
        told = await tool.call(kind, phones=True, **more)
    people = [person for row in told["items"] for person in people_in(row)]
    assert people, kind
    for person in people:
        name = person.get("patient") or person.get("referrer") or person.get("name")
        who = person.get("patient_id") or person.get("referrer_id") or person.get("id")
        assert name and who in known, person
        assert person.get("phone") in known[who], person
    assert any("phone" in person for person in people)
    assert not any("phone" in person for row in quiet["items"] for person in people_in(row))


@pytest.mark.long
@pytest.mark.parametrize("kind", sorted(NOBODY))
async def test_the_rows_of_the_others_name_no_patient(clinic: tuple[Sandbox, Port], kind: str) -> None:
    async with reports(clinic[0], datetime.fromisoformat(NOW)) as tool:
        assert not any([*people_in(row)] for row in (await tool.call(kind))["items"])


@pytest.mark.long
@pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if kind.practitioners))
async def test_of_someone_who_has_seen_nobody_every_figure_is_nothing(
    clinic: tuple[Sandbox, Port], kind: str, nova: str
) -> None:
    more = {name: of[kind] for name, of in WIDE.items() if kind in of}
    if kind in ("duplicates", "missing_contacts"):
        more["when"] = "last 12 months"
    async with reports(clinic[0], datetime.fromisoformat(NOW)) as tool:
        answer = await tool.call(kind, practitioner=nova, **more)
    counts = {name: figure.get("count", 0) for name, figure in answer["summary"].items() if name != "files_compared"}
    assert not any(counts.values()), counts
    assert answer["items"] == []


@pytest.fixture
def nova(clinic: tuple[Sandbox, Port]) -> Iterator[str]:
    """A practitioner who began today: no hours, no visits."""
    store = clinic[0].context.store
    row = next(iter(store.table("practitioners").rows.values()))
    identity = "1104000000999999999"
    new = {**row, "id": identity, "first_name": "Nova", "last_name": "Newcomer", "label": "Nova Newcomer",
           "display_name": "Nova Newcomer"}  # fmt: skip
    store.put("practitioners", new)
    yield "Nova Newcomer"
    store.remove("practitioners", identity)
