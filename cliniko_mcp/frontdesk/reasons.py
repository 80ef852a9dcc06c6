"""Why a patient is not coming, as one of the six reasons that Cliniko keeps (cliniko-api.md#enumerations).

A cancellation cannot be undone, so no reason is guessed from a sentence: the caller, who knows what it means,
chooses one.
"""

import re
from collections.abc import Mapping
from typing import Final

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.sanitize import clean

MAX_REASON_LENGTH: Final = 500
"""Characters kept of a reason in the caller's own words."""

_OTHER: Final = 50


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


_CODES: Final[Mapping[str, int]] = {
    **{_folded(reason): code for code, reason in CANCELLATION_REASONS.items()},
    **{str(code): code for code in CANCELLATION_REASONS},
}


def read_reason(phrase: str) -> tuple[int, str]:
    """Cliniko's code for a reason, and the note to keep with it: empty for a reason of Cliniko's list or its code.

    Every other phrase becomes in full the note to "Other".
    """
    text = clean(phrase, MAX_REASON_LENGTH)
    code = _CODES.get(_folded(text))
    return (_OTHER, text) if code is None else (code, "")
