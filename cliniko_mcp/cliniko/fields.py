"""The vocabulary of values that Cliniko's records are made of, with what a reader of a schema needs to know.

Wire forms are those of cliniko-api.md#values: ids are digit strings, money is a decimal string, instants are UTC
with a literal `Z`, dates are `YYYY-MM-DD`. An instant may also be written in clinic-local time; it stays naive until
it is sent, when the clinic's zone is known (`utc_text`).
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SerializationInfo, WithJsonSchema

from cliniko_mcp.cliniko.codes import code_of as code_of_word
from cliniko_mcp.errors import InvalidArguments, JsonValue

COLOUR_PATTERN = "^#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})$"
_DIGITS = re.compile(r"[0-9]{1,20}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AMOUNT = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
"""As Cliniko sends it (cliniko-api.md#values)."""
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]+)?\s?(Z|z|[+-][0-9]{2}:?[0-9]{2})?"
)


def _id(value: object) -> object:
    # A whole number is unambiguous; a float has already lost digits of a 19-digit id (cliniko-api.md#values).
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ValueError('must be an id: 1 to 20 digits, given as text such as "1234567890123456789"')
    return value


def _decimal(value: object) -> object:
    # The length is bounded because an exponent would otherwise unfold into any number of digits.
    text = "" if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal) else str(value).strip()
    if not _AMOUNT.fullmatch(text):
        raise ValueError('must be an amount such as "85.00"')
    return format(Decimal(text), "f")


def parse_moment(text: str) -> datetime:
    """A date and time as written: aware where the text names an offset or `Z`, else naive and clinic-local.

    Raises ValueError for anything else, a bare date included.
    """
    written = text.strip()
    if not _USUAL.fullmatch(written):
        match = _MOMENT.fullmatch(written)
        if match is None:
            raise ValueError("must be a date and time such as 2026-11-24T15:30 (clinic time) or 2026-11-24T04:30:00Z")
        day, clock, seconds, _, offset = match.groups()
        written = f"{day}T{clock}{seconds or ''}{(offset or '').upper()}"
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{text.strip()} is not a date and time that exists") from None


def parse_day(text: str) -> date:
    """A calendar day `YYYY-MM-DD`. Raises ValueError for anything else."""
    if not _DATE.fullmatch(text.strip()):
        raise ValueError("must be a date such as 2026-11-24")
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text.strip()} is not a day that exists") from None


def utc_text(moment: datetime, zone: tzinfo | None) -> str:
    """A moment in the one form the API accepts, `YYYY-MM-DDTHH:MM:SSZ` (cliniko-api.md#filters); a naive one is read
    in `zone`.

    A local time that the clocks pass twice is the first of the two. Raises InvalidArguments where the clocks skip that
    local time, where a local time has no zone to be read in, and at the very ends of the calendar.
    """
    try:
        return _universal(moment, zone).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
    except OverflowError:
        raise InvalidArguments(
            f"{moment:%H:%M} on {moment.date().isoformat()} is too near the end of the calendar to be sent.",
            "Choose a year that a clinic would use.",
        ) from None


def _universal(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is None:
        if zone is None:
            raise InvalidArguments(
                f"{moment:%Y-%m-%dT%H:%M} needs a time zone, and the clinic's is not known here.",
                "Give the time in UTC, such as 2026-11-24T04:30:00Z.",
            )
        local = moment.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
            raise InvalidArguments(
                f"{moment:%H:%M} on {moment:%A %d %B %Y} does not exist in {zone}: the clocks go forward.",
                "Choose a time before or after the change.",
            )
        moment = local
    return moment.astimezone(UTC)


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a date and time such as 2026-11-24T15:30")
    return parse_moment(value)


def _moment_text(moment: datetime | JsonValue, info: SerializationInfo) -> JsonValue:
    if not isinstance(moment, datetime):  # an unexpected value of a record is shown as it came
        return moment
    context: Mapping[str, tzinfo] = info.context or {}
    return utc_text(moment, context.get("zone"))


def _timestamp(value: object) -> object:
    moment = _moment(value)
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise ValueError("must name its offset from UTC")
    return moment


def _finite(value: Decimal) -> Decimal:
    if not math.isfinite(float(value)):
        raise ValueError("must be a number such as 85.5")
    return value


def _float(value: Decimal | JsonValue) -> JsonValue:
    return float(value) if isinstance(value, Decimal) else value


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a date such as 2026-11-24")
    return parse_day(value)


def _colour(value: str) -> str:
    if re.fullmatch(COLOUR_PATTERN, value):
        return value
    from webcolors import name_to_hex

    try:
        return name_to_hex(re.sub(r"[ _-]", "", value))
    except ValueError:
        raise ValueError("must be a colour such as #1a73e8, or its name in CSS such as teal") from None


def _https(value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        raise ValueError("must be an https address") from None
    local = parts.scheme == "http" and host in ("127.0.0.1", "::1", "localhost")
    if not host or not (parts.scheme == "https" or local) or parts.username is not None or _CONTROL.search(value):
        raise ValueError("must be an https address")
    return value


def coded(words: Mapping[int, str]) -> Any:
    """A whole-number code that may also be written as its word, however it is spelt; the value is the code.

    The schema shows the words, which a model chooses better than numbers; codes are read as well
    (cliniko-api.md#enumerations).
    """

    def code_of(value: object) -> object:
        if isinstance(value, bool):
            raise ValueError(f"must be one of {', '.join(words.values())}")
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            code = code_of_word(value, words)
            if code is None:
                raise ValueError(f"must be one of {', '.join(words.values())}")
            return code
        return value

    def known(value: int) -> int:
        if value not in words:
            raise ValueError("must be one of " + ", ".join(f"{word} ({code})" for code, word in words.items()))
        return value

    schema = {"type": "string", "enum": [word.casefold() for word in words.values()]}
    return Annotated[int, BeforeValidator(code_of), AfterValidator(known), WithJsonSchema(schema, mode="validation")]


def _numeral(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else value


def omittable(**constraints: Any) -> Any:
    """A field that may be left out but never emptied: `clear` does not offer it, and null is refused."""
    return Field(default=None, **constraints)


# The pattern of an id stays out of schemas: it would cost every list thousands of tokens and help no model choose.
Id = Annotated[str, BeforeValidator(_id), WithJsonSchema({"type": "string"})]
Money = Annotated[str, BeforeValidator(_decimal), WithJsonSchema({"type": "string"})]
Quantity = Money
Number = Annotated[
    Decimal,
    AfterValidator(_finite),
    PlainSerializer(_float, return_type=Any),
    WithJsonSchema({"type": "number"}),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(_moment_text, return_type=Any, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
# An instant as a record holds it: always with its offset, where a body may hold clinic-local time.
Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    PlainSerializer(_moment_text, return_type=Any, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
LocalDate = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string"})]
# For a choice of whole numbers, which a schema that every host accepts can only list as text.
Numeral = BeforeValidator(_numeral)
TimeOfDay = Annotated[str, Field(pattern=r"^[0-9]{2}:[0-9]{2}$")]
Colour = Annotated[str, AfterValidator(_colour), WithJsonSchema({"type": "string"})]
Uri = str
# An address as it may be sent; http only of a demo clinic on this computer. A record is read with plain text.
HttpsAddress = Annotated[str, AfterValidator(_https), WithJsonSchema({"type": "string"})]


def _not_negative(value: str) -> str:
    if not 0 <= Decimal(value) < 4_000_000_000:
        raise ValueError("must be 0 or more, and less than 4,000,000,000")
    return value


def _percentage(value: str) -> str:
    if not 0 <= Decimal(value) <= 100:
        raise ValueError("must be a percentage from 0 to 100")
    return value


def _bounded(value: str) -> str:
    if not -4_000_000_000 <= Decimal(value) < 4_000_000_000:
        raise ValueError("must be between -4,000,000,000 and 4,000,000,000")
    return value


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError("must be an email address")
    return value


_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,63}")
# Money and addresses as they may be sent; a record is read with plain Money and text, whatever it holds.
NonNegative = Annotated[Money, AfterValidator(_not_negative)]
Percentage = Annotated[Money, AfterValidator(_percentage)]
BoundedAmount = Annotated[Money, AfterValidator(_bounded)]
Email = Annotated[str, AfterValidator(_email)]
