"""The whole-number codes that several resources share, with the words people use for them.

Source: cliniko-api.md#enumerations.
"""

from typing import Final

CANCELLATION_REASONS: Final = {
    10: "Feeling better",
    20: "Condition worse",
    30: "Sick",
    40: "Away",
    50: "Other",
    60: "Work",
}
INVOICE_STATUSES: Final = {10: "Open", 20: "Paid", 30: "Closed", 40: "Open credit"}
NOTE_STATUSES: Final = {10: "Draft", 90: "Final"}
