"""The log as JSON, an object a line, for what collects the logs of servers: redacted as the other, with whose request
it is about by a digest."""

import json
import logging
from datetime import UTC, datetime

from cliniko_mcp.cli.logs import Redacting, redacted
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean
from cliniko_mcp.telemetry.current import CURRENT

ANNOUNCED = logging.getLogger("cliniko_mcp.cli.announced")
"""What the operator is told at a start; no redaction but of our secrets, which would take addresses for numbers."""


class AsJson(Redacting):
    """Formats a log record as one JSON object on one line.

    What other libraries put into their own sentences may be what a client sent: of those the sentence alone is kept.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The object: `time` (UTC), `level`, `logger`, `message`; `exception`, and of a request `request`, `clinic`,
        `person`, `trace`, each where there is one."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, JsonValue] = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            told["exception"] = [line.strip() for line in self.formatException(record.exc_info).splitlines()]
        if (facts := CURRENT.get()) is not None:
            found = {"request": facts.request, "clinic": facts.clinic, "person": facts.person, "trace": facts.trace}
            told |= {name: value for name, value in found.items() if value}
        return json.dumps(told, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    if record.name == ANNOUNCED.name:
        return clean(SECRETS.text(record.getMessage()), 500)
    if record.name == "cliniko_mcp" or record.name.startswith("cliniko_mcp."):
        return redacted(record.getMessage())
    return redacted(str(record.msg).partition("\n")[0])


def log_as_json() -> None:
    """Write the log of this process as JSON from now on, warnings of Python's among it."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(AsJson())
    ANNOUNCED.setLevel(logging.INFO)
    logging.captureWarnings(True)
