"""The questions of one clinic as the pages see them: where they are kept, and who may say yes to them."""

from dataclasses import dataclass

from cliniko_mcp.approvals.ledger import Ledger


@dataclass(frozen=True, slots=True)
class ClinicQuestions:
    """The questions of one clinic."""

    ledger: Ledger
    strict: bool = False
    """Whether a yes needs a login that is not older than five minutes."""
    second: bool = False
    """Whether only somebody else than who asked may say yes, who may approve."""
