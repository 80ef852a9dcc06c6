"""Firefox without a window, driven by its own protocol over a socket, with nothing but the standard library.

https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.approvals.chromium import PATIENT, Refused

ENTER: Final = "\ue007"
_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
_PREFS: Final[Mapping[str, object]] = {
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:1",
    "toolkit.telemetry.enabled": False,
}


def missing() -> str | None:
    """Why Firefox cannot be driven here, or None."""
    if _program() is None:
        return "neither firefox-esr nor firefox is installed"
    return None if os.name == "posix" else "the profile of Firefox is made for POSIX"


def _program() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One window of Firefox."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire, self._number = wire, 0
        self._answers = wire.makefile("rb")
        self._next()
        self.do("WebDriver:NewSession", acceptInsecureCerts=True)

    def _next(self) -> Any:
        digits = b""
        while (char := self._answers.read(1)) != b":":
            if not char:
                raise Refused("the browser has ended")
            digits += char
        return json.loads(self._answers.read(int(digits)))

    def do(self, command: str, **params: Any) -> Any:
        """What the browser answers. Raises Refused where it says that it cannot."""
        self._number += 1
        sent = json.dumps([0, self._number, command, params]).encode()
        self._wire.sendall(str(len(sent)).encode() + b":" + sent)
        _, number, problem, found = self._next()
        assert number == self._number
        if problem is not None:
            raise Refused(f"{problem['error']}: {problem['message']}")
        return found["value"] if isinstance(found, dict) and set(found) == {"value"} else found

    def open(self, address: str) -> None:
        self.do("WebDriver:Navigate", url=address)

    def source(self) -> str:
        return str(self.do("WebDriver:GetPageSource"))

    def until(self, words: str) -> None:
        """Wait until the page has this in it."""
        give_up = time.monotonic() + PATIENT
        while time.monotonic() < give_up:
            # A page that is being left for the next one has no text.
            with suppress(Refused):
                if words in self.source():
                    return
        raise AssertionError(f"the page never said {words}: {self.source()}")

    def type(self, text: str) -> None:
        """Type where the page has put the focus."""
        self.do("WebDriver:ElementSendKeys", id=self.do("WebDriver:GetActiveElement")[_ELEMENT], text=text)

    def press(self, selector: str) -> None:
        found = self.do("WebDriver:FindElement", using="css selector", value=selector)
        self.do("WebDriver:ElementClick", id=found[_ELEMENT])

    def link(self, selector: str) -> str:
        found = self.do("WebDriver:FindElement", using="css selector", value=selector)
        return str(self.do("WebDriver:GetElementAttribute", id=found[_ELEMENT], name="href"))

    def complaints(self) -> list[str]:
        """What the browser wrote to its console so far, its own remarks on itself among it."""
        self.do("Marionette:SetContext", value="chrome")
        try:
            script = "return Services.console.getMessageArray().map(message => String(message))"
            return [str(line) for line in self.do("WebDriver:ExecuteScript", script=script, args=[])]
        finally:
            self.do("Marionette:SetContext", value="content")


@contextmanager
def firefox(**prefs: object) -> Generator[Firefox]:
    """A browser with these preferences, whose names have two underscores in place of each dot."""
    chosen = {**_PREFS, **{name.replace("__", "."): value for name, value in prefs.items()}}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items()]
        Path(profile, "user.js").write_text("".join([*lines, 'user_pref("marionette.port", 0);\n']))
        arguments = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", profile]
        with subprocess.Popen(
            [_program() or "firefox", *arguments],
            env={**os.environ, "HOME": profile, "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield from _driven(process)
            finally:
                process.terminate()


def _driven(process: "subprocess.Popen[str]") -> Generator[Firefox]:
    assert process.stdout is not None
    found = next((port for line in process.stdout if (port := re.search(r"Listening on port (\d+)", line))), None)
    if found is None:
        raise Refused("Firefox did not start")
    # What it says later is read away, or a full pipe would stop it.
    threading.Thread(target=process.stdout.read, daemon=True).start()
    with socket.create_connection(("127.0.0.1", int(found.group(1))), timeout=PATIENT) as wire:
        yield Firefox(wire)
