"""Why a patient is not coming: from the words people use to the six reasons that Cliniko keeps (api.md section 4)."""

import re
from collections.abc import Mapping
from typing import Final

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.sanitize import clean

_OTHER: Final = 50
_WORDS: Final[Mapping[int, str]] = {
    20: "worse worsened flare flareup aggravated",
    10: "better recovered resolved improved healed",
    30: "sick ill unwell flu cold covid fever vomiting virus gastro migraine sickness illness hospital",
    40: "away holiday holidays vacation travel travelling traveling overseas interstate abroad trip",
    60: "work working shift job roster meeting boss rostered",
}
_NOT: Final = frozenset(("not", "no", "isnt", "never", "without"))


def read_reason(said: str) -> tuple[int, str]:
    """Cliniko's code for a reason in words, and the note to keep: empty where the words say no more than the code.

    Words that fit none of the reasons, or several, are kept as a note to "Other".
    """
    text = clean(said, 500)
    asked = " ".join(re.findall(r"\w+", text.casefold().replace("'", "").replace("’", "")))
    for code, word in CANCELLATION_REASONS.items():
        if asked in (word.casefold(), str(code)):
            return code, ""
    spoken = set(asked.split())
    fitting = [code for code, words in _WORDS.items() if spoken & set(words.split())]
    if len(fitting) != 1 or spoken & _NOT:
        return _OTHER, text
    return fitting[0], "" if len(spoken) == 1 else text
