"""Curated tools for what a front desk really does: one file each, named like the tool, which it holds as `tool`.

`empty_clinic` is what they say alike of a clinic that lacks sites, practitioners or types.
"""

from typing import Final

NAMES: Final[tuple[str, ...]] = (
    "clinic_overview",
    "find_patients",
    "find_times",
    "book_appointment",
    "move_appointment",
    "cancel_appointment",
    "show_diary",
    "block_time",
    "register_patient",
    "write_treatment_note",
    "upload_patient_attachment",
    "read_patient_attachment",
    "set_attendance",
    "patient_brief",
    "fill_gap",
    "report",
)
"""The curated tools, in the order in which lists show them."""
