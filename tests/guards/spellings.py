"""Things to do, each spelt in different ways, for the tests of the gate."""

from tests.guards.every_kind import NOTE, content

Spelling = tuple[str, dict[str, object]]

# Each inner list is one thing to do, spelt in different ways; deprecated twins are things of their own.
SPELLINGS: list[list[Spelling]] = [
    [("archive_patient", {"id": "1"}), ("archive_patient", {"id": 1})],
    [("delete_patient", {"id": "1"})],
    [("archive_patient", {"id": "2"})],
    [("delete_tax", {"id": "50"})],
    [("archive_individual_appointment", {"id": "20"})],
    [
        ("cancel_individual_appointment", {"id": "20", "cancellation_reason": reason})
        for reason in ("sick", "SICK", "Sick", 30, "30")
    ],
    [("cancel_individual_appointment", {"id": "20", "cancellation_reason": "sick", "apply_to_repeats": True})],
    [("cancel_attendee", {"id": "40", "cancellation_reason": "away", "cancellation_note": "x"})],
]
# The same for updates: what each does depends on what the record holds by then.
UPDATES: list[list[Spelling]] = [
    [
        ("update_patient", {"id": "3", "clear": ["notes", "email", "medicare", "occupation", "city", "post_code"]}),
        ("update_patient", {"id": 3, "clear": ["post_code", "city", "occupation", "medicare", "email", "notes"]}),
    ],
    [("update_patient", {"id": "3", "clear": ["notes", "email", "medicare"]})],
    [("update_patient", {"id": "3", "clear": ["occupation", "city", "post_code"]})],
    [("update_patient", {"id": "3", "clear": ["date_of_birth"], "patient_phone_numbers": []})],
    [("update_patient", {"id": "3", "email": "ida@example.com", "medicare": "2950", "city": "Perth"})],
    [("update_patient", {"id": "3", "occupation": "Baker", "notes": "Prefers mornings.", "post_code": "6000"})],
    [("update_treatment_note", {"id": "27", "content": content(NOTE)})],
    [("update_treatment_note", {"id": "27", "content": content(NOTE[:100])})],
    [("update_treatment_note", {"id": "27", "content": content(NOTE[:40])})],
    [("update_treatment_note", {"id": "27", "clear": ["content"]})],
    [("update_treatment_note", {"id": "27", "patient_id": patient}) for patient in ("1", 1)],
    [("update_treatment_note", {"id": "27", "patient_id": "3", "content": content(NOTE)})],
    [("update_patient_form", {"id": "28", "completed": False})],
    [("update_patient_form", {"id": "28", "completed": True})],
    [
        ("update_individual_appointment", {"id": "20", "starts_at": starting, "clear": ["ends_at"]})
        for starting in ("2026-11-20T23:00Z", "2026-11-21T10:00")
    ],
    [
        ("update_individual_appointment", {"id": "20", "starts_at": starting, "clear": ["ends_at"]})
        for starting in ("2026-11-24T23:00Z", "2026-11-25T10:00")
    ],
    [("update_individual_appointment", {"id": "20", "patient_id": "3"})],
    [("update_individual_appointment", {"id": "20", "patient_id": "1", "notes": "Bring the scan."})],
    [("update_business", {"id": "9", "time_zone": zone}) for zone in ("Perth",)],
    [("update_business", {"id": "9", "time_zone": zone, "city": "Sydney"}) for zone in ("Sydney",)],
    [
        ("update_patient_case", {"id": "29", "attendee_ids": []}),
        ("update_patient_case", {"id": "29", "clear": ["attendee_ids"]}),
    ],
    [("update_patient_case", {"id": "29", "attendee_ids": ["40"]})],
    [("update_medical_alert", {"id": "26", "name": "."})],
    [("update_medical_alert", {"id": "26", "name": "Severe penicillin allergy"})],
]
