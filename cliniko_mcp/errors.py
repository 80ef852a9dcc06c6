"""Everything that can go wrong, sorted by what the caller can do about it.

    ClinikoMcpError
    ├── ConfigurationError      the person who runs the server corrects its settings
    ├── CallerError             the assistant corrects its call and tries again
    │   ├── UnknownTool         ... by using a name that exists
    │   ├── InvalidArguments    ... by changing an argument
    │   ├── NotUnderstood       ... by wording a phrase of time differently
    │   ├── Ambiguous           ... by choosing one of several candidates
    │   ├── Clash               ... by taking another time, or this one knowingly
    │   └── InvalidCursor       ... by starting the list again
    ├── Refused                 a guard of this server says no
    │   ├── NotAllowed          ... because the operator switched it off (read-only, excluded, block)
    │   ├── NotLinked           ... until the person has given their own API key
    │   ├── ApprovalNeeded      ... until a person approves
    │   ├── AlreadyDone         ... because it was done already, after a person's yes
    │   └── Declined            ... because a person said no
    └── ClinikoRefused          Cliniko, or the way to it, says no
        ├── KeyRefused          401: wrong, revoked or misplaced API key
        ├── PermissionMissing   403: the key's user lacks the permission
        ├── NotFound            404: no such record, or hidden
        │   └── NoSuchName      ... or nobody and nothing of the clinic's set-up is called so
        ├── Rejected            400 and 422: the fields and the reasons
        ├── RateLimited         429: wait, then try again
        ├── Unavailable         5xx, no connection, an unreadable answer: nothing was changed
        └── OutcomeUnknown      a write was sent and its fate is not known: check before repeating

Every error carries a `code` for programs, a `message` in the clinic's words, and a `fix`: what to do next.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar, Final

from pydantic import JsonValue as JsonValue

INTERNAL_CODE: Final = "internal"
"""The code of an answer after a mistake in this program."""


class ExitCode(IntEnum):
    """What a command says to the program that started it."""

    DONE = 0
    FAILED = 1
    NOT_UNDERSTOOD = 2
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What it means, for people."""
        match self:
            case ExitCode.DONE:
                return "Done; for `doctor`, `audit verify` and `manifest --check`: nothing is wrong."
            case ExitCode.FAILED:
                return "Not done, and standard error says why; for the three above: something is wrong."
            case ExitCode.NOT_UNDERSTOOD:
                return "The command line could not be read, or for `when` the phrase; nothing was tried."
            case ExitCode.INTERRUPTED:
                return "Interrupted at the keyboard (Ctrl-C)."


class ClinikoMcpError(Exception):
    """The root of the tree: a sentence for the reader, a sentence of advice, and details as plain JSON."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, fix: str = "", **details: JsonValue) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.details: Mapping[str, JsonValue] = {name: value for name, value in details.items() if value is not None}

    def as_json(self) -> dict[str, JsonValue]:
        """The error as one flat JSON object: code, message, fix, then the details."""
        advice: dict[str, JsonValue] = {"fix": self.fix} if self.fix else {}
        return {"code": self.code, "message": self.message, **advice, **self.details}


class ConfigurationError(ClinikoMcpError):
    """A setting is missing or malformed."""

    code = "configuration"


class CallerError(ClinikoMcpError):
    """The call itself has to change."""

    code = "invalid_call"


class UnknownTool(CallerError):
    """No tool or operation has this name."""

    code = "unknown_tool"


class InvalidArguments(CallerError):
    """An argument is missing, unknown or malformed."""

    code = "invalid_arguments"


class NotUnderstood(CallerError):
    """A phrase of time could not be read."""

    code = "not_understood"


class Ambiguous(CallerError):
    """Several records fit; `candidates` lists up to five."""

    code = "ambiguous"


class Clash(CallerError):
    """A booking has clashes: `clashes` says which, `clash` is the text that allows it nevertheless."""

    code = "clash"


class InvalidCursor(CallerError):
    """A cursor was altered, belongs to another query, or comes from an earlier run."""

    code = "invalid_cursor"


class Refused(ClinikoMcpError):
    """A guard of this server stopped the call before anything was sent."""

    code = "refused"


class NotAllowed(Refused):
    """The operator of this server switched the operation off."""

    code = "not_allowed"


class NotLinked(Refused):
    """The person has to give this server an API key of their own first, at the address in `fix`."""

    code = "not_linked"


class ApprovalNeeded(Refused):
    """A person has to approve first."""

    code = "approval_needed"


class AlreadyDone(Refused):
    """Not a failure: a person said yes to this very call before, it was carried out then, and nothing more was sent."""

    code = "done"


class Declined(Refused):
    """A person was asked and said no."""

    code = "declined"


class ClinikoRefused(ClinikoMcpError):
    """Cliniko, or the network before it, did not do what was asked."""

    code = "cliniko_refused"


class KeyRefused(ClinikoRefused):
    """The API key was not accepted."""

    code = "key_refused"


class PermissionMissing(ClinikoRefused):
    """The API key's user may not do this."""

    code = "permission_missing"


class NotFound(ClinikoRefused):
    """No such record, or it is archived, deleted or cancelled."""

    code = "not_found"


class NoSuchName(NotFound):
    """Nobody and nothing among the staff, sites, types and other set-up of the clinic goes by this name."""


class Rejected(ClinikoRefused):
    """Cliniko checked the request and refused it; `fields` says why, by argument name."""

    code = "rejected"


class RateLimited(ClinikoRefused):
    """Too many requests in a minute; `retry_after` says how many seconds to wait."""

    code = "rate_limited"


class Unavailable(ClinikoRefused):
    """Cliniko could not be reached or gave no readable answer; nothing was changed."""

    code = "unavailable"


class OutcomeUnknown(ClinikoRefused):
    """A write was sent, but whether it took effect is not known."""

    code = "outcome_unknown"
