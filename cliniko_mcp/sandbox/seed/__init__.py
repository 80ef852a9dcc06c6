"""The people, places and diary that a new demo clinic starts with; they move with the clinic's clock.

Everything is made up, and made the same from the same seed and start.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cliniko_mcp.sandbox.context import RequestContext
    from cliniko_mcp.sandbox.store import Table


def sow(context: "RequestContext") -> None:
    """Fill an empty clinic. A seed and start that this process has sown before cost next to nothing."""
    tables, context.ids.count = _grown(context.ids.seed, context.clock.now().replace(microsecond=0))
    context.store.take(tables)


@lru_cache(maxsize=2)
def _grown(seed: int, now: datetime) -> "tuple[Mapping[str, Table], int]":
    """The tables of a new clinic and the count of its ids. Rows are never altered in place, so clinics share them."""
    from cliniko_mcp.sandbox.clock import SandboxClock
    from cliniko_mcp.sandbox.context import RequestContext
    from cliniko_mcp.sandbox.ids import IdSequence
    from cliniko_mcp.sandbox.rules import rulebook

    context = RequestContext(SandboxClock(now, frozen=True, monotonic=float), IdSequence(seed), rulebook(), "")
    plant(context)
    return context.store.tables(), context.ids.count


def plant(context: "RequestContext") -> None:
    """Plant everything: first what is named by others, then the plan of all visits and what followed from them."""
    from cliniko_mcp.sandbox.seed import (
        account,
        cases,
        classes,
        contacts,
        diary,
        forms,
        goods,
        messages,
        money,
        notes,
        offer,
        patients,
        staff,
    )
    from cliniko_mcp.sandbox.seed.builder import Soil
    from cliniko_mcp.sandbox.seed.visits import plant_visits

    soil = Soil(context)
    staff.plant_staff(soil)
    offer.plant_offer(soil)
    goods.plant_goods(soil)
    notes.plant_templates(soil)
    account.plant_account(soil)
    contacts.plant_contacts(soil)
    patients.plant_patients(soil)
    contacts.plant_ties(soil)
    visits = [*diary.plan_diary(soil), *classes.plan_classes(soil)]
    money.plant_invoices(soil, visits)
    notes.plant_notes(soil, visits)
    cases.plant_cases(soil, visits)
    forms.plant_forms(soil, visits)
    messages.plant_messages(soil, visits)
    plant_visits(soil, visits)
