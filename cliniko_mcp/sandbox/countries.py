"""Countries as Cliniko reads them back: a name for the code that was written, and the prefix of phone numbers."""

from collections.abc import Mapping
from typing import Final

COUNTRIES: Final[Mapping[str, str]] = {
    "AU": "Australia",
    "CA": "Canada",
    "DE": "Germany",
    "FR": "France",
    "GB": "United Kingdom",
    "HK": "Hong Kong",
    "IE": "Ireland",
    "NZ": "New Zealand",
    "SG": "Singapore",
    "US": "United States",
}
DIALLING: Final[Mapping[str, str]] = {
    "AU": "61",
    "CA": "1",
    "DE": "49",
    "FR": "33",
    "GB": "44",
    "HK": "852",
    "IE": "353",
    "NZ": "64",
    "SG": "65",
    "US": "1",
}
