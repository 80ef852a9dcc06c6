"""The approval page of a server that runs for one person on this computer, with everything it is made of."""

import secrets  # noqa: TID251 - the page's path is not to be guessed
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from cliniko_mcp.approvals.browser import open_in_browser
from cliniko_mcp.approvals.decisions import Decisions
from cliniko_mcp.approvals.page import ApprovalPage
from cliniko_mcp.approvals.pin import Pin
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.settings import environment_for_others


def approval_page(questions: Questions, folder: Path, now: Callable[[], datetime]) -> ApprovalPage:
    """A page for these questions, not started yet; `now` is the clock that the questions expire by."""
    return ApprovalPage(
        Decisions(questions, Pin(folder, time.time)),  # noqa: TID251 - tries of a pin count in real time
        folder=folder,
        now=lambda: now().timestamp(),
        token=partial(secrets.token_urlsafe, 32),
        open_browser=lambda address: open_in_browser(address, environment_for_others()),
    )
