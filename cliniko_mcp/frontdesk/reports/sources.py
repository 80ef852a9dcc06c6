"""Where patients come from, as their files say: for reports that group by it.

Requests: one a hundred patients whose source is recorded, and one for the kinds of sources.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.referral_source_types import ReferralSourceTypes
from cliniko_mcp.cliniko.resources.referral_sources import ReferralSources
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts
from cliniko_mcp.frontdesk.reports.question import ReportQuestion
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

NEEDS: Final[tuple[Operation, ...]] = (
    ReferralSources.list_referral_sources,
    ReferralSourceTypes.list_referral_source_types,
)


async def sources(clinic: GuardedClinic) -> dict[str, str]:
    """The name of the kind of source of each patient for whom one is recorded, by the patient's id."""
    recorded, kinds = await run_concurrently(
        partial(clinic.collect, ReferralSources.list_referral_sources),
        partial(clinic.collect, ReferralSourceTypes.list_referral_source_types, archived_at=Hidden.INCLUDED),
    )
    names = {kind.id: name_of(kind) or kind.id for kind in kinds}
    return {
        row.patient_id: names.get(row.referral_source_type_id, row.referral_source_type_id)
        for row in recorded
        if row.patient_id
    }


async def with_people(question: ReportQuestion, facts: Facts) -> Facts:
    """The facts with what a grouping asked for needs to know of the patient: whether new, and from where."""
    first = await question.first_days() if "new_or_returning" in question.by else None
    known = await sources(question.clinic) if "source" in question.by else {}
    if first is None and not known:
        return facts

    def filled(fact: Fact) -> Fact:
        began = first.get(fact.patient_id) if first is not None else None
        new = None if first is None or fact.day is None else began is None or fact.day <= began
        return replace(fact, new=new, source=known.get(fact.patient_id, ""))

    return replace(facts, found=[filled(fact) for fact in facts.found])
