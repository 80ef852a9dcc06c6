"""The lines of the audit log about logins: who was let in for which program, who was not, and what ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.log import Log
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean
from cliniko_mcp.shared_state.logins import LoginEvent

OPERATION: Final = "login"
_LOG = logging.getLogger(__name__)


class LoginLog:
    """Writes what it is told of. Where that is not possible, logins go on: what they may do is written down later."""

    def __init__(self, log: Log, now: Callable[[], float], issuer: str, route: str = "http") -> None:
        """`issuer` is how people of the built-in login are named in the log; `route` is from where it is told."""
        self._log = log
        self._now = now
        self._issuer = issuer
        self._route = route
        self._warned = False

    async def __call__(self, event: LoginEvent) -> None:
        """Write one line."""
        time = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        ids: dict[str, JsonValue] = {"connection": event.grant[:8]} if event.grant else {}
        told = {
            "principal": f"{self._issuer}:{event.person}" if event.person else "",
            "program": clean(event.program, 120),
            "why": clean(event.why, 200),
        }
        line: dict[str, JsonValue] = {"time": time, "operation": OPERATION, "ids": ids, "outcome": event.outcome}
        line |= {"route": self._route, **{name: text for name, text in told.items() if text}}
        try:
            await self._log.note(SECRETS.object(line))
        except OSError as problem:
            if not self._warned:
                _LOG.warning("the audit log cannot be written (%s)", problem.strerror or problem)
            self._warned = True
        else:
            self._warned = False
