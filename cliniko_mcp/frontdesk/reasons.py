"""Why a patient is not coming, as one of the six reasons that Cliniko keeps (api.md section 4).

Only the reasons themselves and a few phrases that mean nothing else are read. A cancellation cannot be undone, so any
other text is kept as a note: whoever knows what it means chooses the reason.
"""

import re
from collections.abc import Mapping
from typing import Final

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.sanitize import clean

_OTHER: Final = 50
_PHRASES: Final[Mapping[int, tuple[str, ...]]] = {
    10: ("better", "feels better", "recovered", "has recovered"),
    20: ("worse", "feeling worse", "feels worse"),
    30: ("ill", "unwell", "flu", "covid", "is sick", "is ill", "is unwell", "feeling sick", "feeling unwell"),
    40: ("holiday", "on holiday", "holidays", "on holidays", "vacation", "on vacation", "is away", "travelling"),
    60: ("working", "at work", "has to work", "work commitment"),
}
"""What people say instead of a reason of Cliniko's list, whole; folded as in `_folded`."""


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "").replace("’", "")))


_LISTED: Final[Mapping[str, int]] = {_folded(reason): code for code, reason in CANCELLATION_REASONS.items()}
_CODES: Final[Mapping[str, int]] = {
    **{phrase: code for code, phrases in _PHRASES.items() for phrase in phrases},
    **_LISTED,
    **{str(code): code for code in CANCELLATION_REASONS},
}


def read_reason(phrase: str) -> tuple[int, str]:
    """Cliniko's code for a reason, and the note to keep with it.

    The note is empty where the phrase is a reason of Cliniko's list, its code, or one word for it; of other phrases
    all is kept. A phrase that is not known is a note to "Other".
    """
    text = clean(phrase, 500)
    folded = _folded(text)
    code = _CODES.get(folded, _OTHER)
    plain = folded in _LISTED or (folded in _CODES and " " not in folded)
    return code, "" if plain else text
