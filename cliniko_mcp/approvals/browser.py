"""Opens the approval page in the person's browser, when there is one."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Final

_PATIENCE: Final = 30.0

# In a process of its own: a browser's launcher may write to its standard output, which is the protocol's here. The
# address goes in through standard input, because arguments can be seen by other users. Text browsers need a terminal.
_OPEN: Final = """\
import sys, webbrowser
address = sys.stdin.readline().strip()
try:
    browser = webbrowser.get()
except webbrowser.Error:
    sys.exit(1)
if getattr(browser, "basename", "") in ("www-browser", "links", "elinks", "lynx", "w3m"):
    sys.exit(1)
sys.exit(0 if browser.open(address) else 1)
"""


def open_in_browser(address: str, environment: Mapping[str, str]) -> None:
    """Ask the system to show this address; returns at once, and silently where there is no browser."""
    try:
        launcher = subprocess.Popen(
            [sys.executable, "-c", _OPEN],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            start_new_session=sys.platform != "win32",
        )
    except OSError:
        return
    threading.Thread(target=_hand_over, args=(launcher, address), name="approval-browser", daemon=True).start()


def _hand_over(launcher: "subprocess.Popen[bytes]", address: str) -> None:
    try:
        launcher.communicate(f"{address}\n".encode(), timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        # Some launchers stay until the browser is closed.
        return
