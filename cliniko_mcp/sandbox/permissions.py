"""The roles that may call an operation; all others get 403 with an empty body.

Source: cliniko-api.md#errors, #staff-and-sites, #account; choices 21.
"""

from collections.abc import Mapping
from typing import Final

from cliniko_mcp.cliniko.operations import Operation, Risk

ADMINISTRATOR: Final = "administrator"
PRACTITIONER: Final = "practitioner"
POWER_RECEPTIONIST: Final = "power receptionist"
RECEPTIONIST: Final = "receptionist"
BOOKKEEPER: Final = "bookkeeper"
SCHEDULER: Final = "scheduler"

ROLES: Final = (ADMINISTRATOR, PRACTITIONER, POWER_RECEPTIONIST, RECEPTIONIST, BOOKKEEPER, SCHEDULER)

_CLINICAL: Final = frozenset({ADMINISTRATOR, PRACTITIONER})
_MONEY: Final = frozenset(ROLES) - {SCHEDULER}
_PRICES: Final = frozenset({ADMINISTRATOR, POWER_RECEPTIONIST, BOOKKEEPER})

_READING: Final[Mapping[str, frozenset[str]]] = {
    "users": frozenset({ADMINISTRATOR}),
    "settings": frozenset({ADMINISTRATOR}),
    "treatment_notes": _CLINICAL,
    "invoices": _MONEY,
    "invoice_items": _MONEY,
}
_WRITING: Final[Mapping[str, frozenset[str]]] = {
    "treatment_notes": _CLINICAL,
    "treatment_note_templates": _CLINICAL,
    "businesses": frozenset({ADMINISTRATOR}),
    "appointment_types": frozenset({ADMINISTRATOR, POWER_RECEPTIONIST}),
    "taxes": _PRICES,
    "billable_items": _PRICES,
    "products": _PRICES,
    "product_suppliers": _PRICES,
}


def allowed(operation: Operation, role: str) -> bool:
    """Whether a user with this role may call this operation."""
    if operation.path == "/user":
        return True
    table = _READING if operation.risk is Risk.READ else _WRITING
    roles = table.get(operation.resource)
    return roles is None or role in roles
