"""The kinds and groupings that come nearest to what managers call them, for the refusal of a word that is none."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

_MANAGERS_WORDS: Final[Mapping[str, str]] = {
    "kpi": "activity, utilisation, rebooking or revenue, each a call",
    "dashboard": "activity, utilisation, rebooking or revenue, each a call",
    "performance": "rebooking (rebook rate and PVA), activity, utilisation or revenue, each a call",
    "conversion": "retention (new patients who came back or booked again)",
    "recall": "lapsed (not seen for long) or not_rebooked (left without a next booking)",
    "reactivation": "lapsed",
    "inactive": "lapsed",
    "dropout": "not_rebooked",
    "debt": "unpaid",
    "receivable": "unpaid",
    "overdue": "unpaid",
    "outstanding": "unpaid (invoices) or missing_notes",
    "occupancy": "utilisation",
    "capacity": "utilisation",
    "sales": "revenue",
    "income": "revenue",
    "turnover": "revenue",
    "takings": "revenue (what was invoiced; payments are not in the API)",
    "referr": "sources",
    "marketing": "sources",
    "pva": "rebooking",
    "package": "cases",
    "intake": "forms",
    "audit": "changes",
    "merge": "duplicates",
    "cohort": "retention, by month",
    "new patient": "retention",
    "day": "weekday or week",
    "date": "week, weekday or month",
    "location": "site",
    "business": "site",
    "clinician": "practitioner",
    "therapist": "practitioner",
    "service": "type",
}
"""By the beginning of a word, or words side by side; a word of several kinds names them all."""


def nearest(text: str, names: Collection[str]) -> str | None:
    """What comes nearest to a text among these names, in words; None where nothing comes near."""
    spelt = " ".join(text.casefold().replace("_", " ").replace("-", " ").split())
    for word, advice in _MANAGERS_WORDS.items():
        if f" {word}" in f" {spelt}" and any(name in advice for name in names):
            return advice
    close = get_close_matches(spelt.replace(" ", "_"), names, n=1)
    return close[0] if close else next((name for name in names if any(part == name for part in spelt.split())), None)
