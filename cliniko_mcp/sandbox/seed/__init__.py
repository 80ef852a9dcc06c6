"""The records that a new demo clinic starts with, dated by its clock.

Everything is made up; the same seed and start build the same records.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cliniko_mcp.sandbox.context import RequestContext
    from cliniko_mcp.sandbox.store import Table

_BEFORE_PATIENTS: Final = 200
"""Ids that the set-up of the clinic has room for, so that patients keep theirs when it grows or shrinks."""


def load_seed(context: "RequestContext") -> None:
    """Fill an empty clinic. A seed and start that this process has built before are copied."""
    tables, context.ids.count = _built(context.ids.seed, context.clock.now().replace(microsecond=0))
    context.store.take(tables)


@lru_cache(maxsize=2)
def _built(seed: int, now: datetime) -> "tuple[Mapping[str, Table], int]":
    """The tables of a new clinic and the count of its ids. Rows are never changed in place, so clinics share them."""
    from cliniko_mcp.sandbox.clock import SandboxClock
    from cliniko_mcp.sandbox.context import RequestContext
    from cliniko_mcp.sandbox.ids import IdSequence
    from cliniko_mcp.sandbox.rules import all_rules

    context = RequestContext(SandboxClock(now, frozen=True, monotonic=float), IdSequence(seed), all_rules(), "")
    build_seed(context)
    return context.store.tables(), context.ids.count


def build_seed(context: "RequestContext") -> None:
    """Add every record: first those that others name, then the planned visits and what follows from them."""
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
    from cliniko_mcp.sandbox.seed.builder import SeedBuilder
    from cliniko_mcp.sandbox.seed.visits import build_visits

    builder = SeedBuilder(context)
    staff.build_staff(builder)
    offer.build_offer(builder)
    goods.build_goods(builder)
    notes.build_templates(builder)
    account.build_account(builder)
    contacts.build_contacts(builder)
    context.ids.count = _BEFORE_PATIENTS
    patients.build_patients(builder)
    contacts.build_ties(builder)
    visits = [*diary.plan_diary(builder), *classes.plan_classes(builder)]
    money.build_invoices(builder, visits)
    notes.build_notes(builder, visits)
    cases.build_cases(builder, visits)
    forms.build_forms(builder, visits)
    messages.build_messages(builder, visits)
    build_visits(builder, visits)
