"""Patient cases with their visits, doctors and papers, and all other attachments.

Source: cliniko-api.md#clinical-records, #attachments.
"""

from base64 import b64decode
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.seed.builder import SeedBuilder, stamp
from cliniko_mcp.sandbox.seed.patients import others
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.storage import store_file
from cliniko_mcp.sandbox.wire import Json

_CASES: Final = (
    ("Knee reconstruction", "medicare", 5),
    ("Work injury, shoulder", None, 12),
    ("Chronic disease plan", "medicare", 5),
    ("Veteran's care", "dva", 12),
    ("Car accident, neck", None, None),
)
_COUNT: Final = 64
_YEAR: Final = timedelta(days=365)
_PIXEL: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
_PAGE: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
_FILES: Final = (
    ("referral.pdf", "application/pdf", _PAGE),
    ("x-ray-report.txt", "text/plain", b"Fictional X-ray report: no fracture seen.\n"),
    ("photo.png", "image/png", _PIXEL),
)


def build_cases(builder: SeedBuilder, visits: Sequence[Visit]) -> None:
    """Cases of patients who came several times: open, closed, expired, archived; then attachments without a case."""
    rng = builder.rng("cases")
    of_patient: dict[str, list[Visit]] = {}
    for visit in visits:
        if not visit.cancelled:
            of_patient.setdefault(visit.patient_id, []).append(visit)
    patients = [str(row["id"]) for row in others(builder)]
    often = [patient_id for patient_id in patients if len(of_patient.get(patient_id, ())) >= 6]
    for number, patient in enumerate(rng.sample(often, min(_COUNT, len(often)))):
        sessions = _CASES[number % len(_CASES)][2]
        theirs = sorted(of_patient[patient], key=lambda visit: visit.starts)
        past = [visit for visit in theirs if visit.starts < builder.now]
        used = min(_used(number, sessions or 12, rng), len(past))
        _add_case(builder, number, patient, theirs[len(past) - used :][: sessions or 12])
    for number, patient in enumerate(rng.sample(patients, 30)):
        paper = _attach(builder, number, patient, rng.randint(1, 500))
        if number % 15 == 14:
            builder.archive("patient_attachments", paper, 1)


def _used(number: int, sessions: int, rng: Random) -> int:
    """How many sessions of a case are used: some cases have run out, some are about to."""
    if number % 6 < 2:
        return sessions - number % 6
    return rng.randint(1, sessions - 1)


def _add_case(builder: SeedBuilder, number: int, patient: str, visits: Sequence[Visit]) -> None:
    name, referral, sessions = _CASES[number % len(_CASES)]
    begun = min(builder.now, visits[0].starts) - timedelta(days=4)
    days_ago = (builder.now - begun) / timedelta(days=1)
    closed = begun + timedelta(days=min(days_ago, 60.0)) if number % 3 == 1 else None
    expired = number % 8 == 4
    last_day = builder.day(-3 - number) if expired else max(begun.date() + _YEAR, builder.day(5 + 3 * number))
    papers: list[JsonValue] = (
        [_attach(builder, number, patient, days_ago, pinned=number % 6 == 0)] if number % 2 else []
    )
    case = builder.add(
        "patient_cases",
        {
            "name": name,
            "patient_id": patient,
            "contact_id": builder.id("contacts", "Dr Iris Sampleford") if referral else None,
            "referral": referral is not None,
            "referral_type": referral,
            "issue_date": begun.date().isoformat(),
            "expiry_date": last_day.isoformat() if number % 5 else None,
            "max_sessions": sessions,
            "max_invoiceable_amount": "2500.0" if sessions == 12 else None,
            "include_cancelled_attendees": False,
            "include_dna_attendees": number % 2 == 0,
            "notes": "Claim number 00-0000." if sessions is None else None,
            "closed": closed is not None,
            "closed_at": stamp(closed) if closed else None,
            "patient_attachment_ids": papers,
            "updated_at": stamp(closed or begun),
        },
        made=begun,
    )
    for visit in visits:
        visit.shared["patient_case_id"] = case
    if number % 30 == 29:
        builder.archive("patient_cases", case, 1)


def _attach(builder: SeedBuilder, number: int, patient: str, days_ago: float, *, pinned: bool = False) -> str:
    filename, content_type, data = _FILES[number % len(_FILES)]
    made = builder.now - timedelta(days=days_ago)
    processed = stamp(min(made + timedelta(seconds=5), builder.now))
    facts: Json = {
        "patient_id": patient,
        "filename": filename,
        "content_type": content_type,
        "size": len(data),
        "description": "Letter of referral" if number % 3 == 0 else None,
        "pinned_at": processed if pinned else None,
        "processed_at": processed,
        "processing_completed": True,
        "user_id": builder.id("users", "Bianca Rossi" if number % 2 else "Finn Gallagher"),
        "updated_at": processed,
    }
    own = builder.add("patient_attachments", facts, made=made)
    store_file(builder.context, own, patient, filename, content_type, data)
    return own
