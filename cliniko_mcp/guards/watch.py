"""What watches an app: its requests to Cliniko, and what becomes of questions to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # imported with the HTTP client
    from cliniko_mcp.approvals.ledger import Became
    from cliniko_mcp.client.attempts import Attempts


class Watch(Protocol):
    """Whoever watches. Nothing that it is told holds a name, an id or a text of the clinic."""

    def attempts(self, account: str) -> Attempts:
        """What hears of the requests of this account, which it shows by a digest alone."""
        ...

    def question(self, became: Became) -> None:
        """Hear what became of a question to a person."""
        ...
