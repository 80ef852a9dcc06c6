"""Curated tools for what a front desk really does: one file each, named like the tool, which it holds as `tool`."""

from typing import Final

NAMES: Final[tuple[str, ...]] = (
    "write_treatment_note",
    "upload_patient_attachment",
    "read_patient_attachment",
)
"""The curated tools, in the order in which lists show them."""
