"""A real browser without a window, driven by its own protocol over a pipe, with nothing but the standard library."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Literal

TAB, RETURN, SPACE = "\t", "\r", " "
PATIENT: Final = 300.0
"""Seconds that a test waits for the browser."""
_KEYS: Final = {TAB: ("Tab", 9, ""), RETURN: ("Enter", 13, "\r"), SPACE: (" ", 32, " ")}
"""Of a key that is no digit: its name, its number, and what it types."""


def missing() -> str | None:
    """Why no browser can be driven here, or None."""
    if shutil.which("chromium") is None:
        return "chromium not installed"
    return None if os.name == "posix" else "chromium is driven over a pipe, which needs POSIX"


class Refused(Exception):
    """The browser did not do what it was told."""


class Browser:
    """One window of the browser."""

    def __init__(self, reads: int, writes: int, size: tuple[int, int]) -> None:
        self._reads, self._writes = reads, writes
        self._number, self._left, self._session = 0, b"", ""
        self._complaints: list[str] = []
        self._loads = 0
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")
        self.resize(*size)

    def do(self, method: str, **params: Any) -> Any:
        """What the browser answers. Raises Refused where it says that it cannot."""
        self._number += 1
        sent = {"id": self._number, "method": method, "params": params}
        if self._session:
            sent["sessionId"] = self._session
        os.write(self._writes, json.dumps(sent).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            if not select.select([self._reads], [], [], PATIENT)[0]:
                raise Refused("no answer")
            if not (more := os.read(self._reads, 1 << 20)):
                raise Refused("the browser has ended")
            self._left += more
        text, _, self._left = self._left.partition(b"\0")
        return json.loads(text)

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event.get("method") == "Page.loadEventFired":
            self._loads += 1
        if event.get("method") == "Log.entryAdded":
            self._complaints.append(params["entry"]["text"])
        if event.get("method") == "Runtime.exceptionThrown":
            self._complaints.append(params["exceptionDetails"]["text"])

    def resize(self, width: int, height: int) -> None:
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def look(self, scheme: Literal["light", "dark"], media: Literal["screen", "print"] = "screen") -> None:
        """Show pages as a system with this colour scheme does, or its printer."""
        self.do("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, address: str) -> None:
        loads = self._loads
        self.do("Page.navigate", url=address)
        while self._loads == loads:
            self._note(self._next())

    def leave(self) -> None:
        """Show nothing any more, and forget what was said against the page that was shown."""
        self.open("about:blank")
        self._complaints.clear()

    def script(self, code: str) -> Any:
        found = self.do("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise Refused(found["exceptionDetails"]["text"])
        return found["result"].get("value")

    def press(self, keys: str) -> None:
        for char in keys:
            name, number, typed = _KEYS.get(char, (char, ord(char), char))
            key = {"key": name, "windowsVirtualKeyCode": number}
            self.do("Input.dispatchKeyEvent", type="keyDown" if typed else "rawKeyDown", text=typed, **key)
            self.do("Input.dispatchKeyEvent", type="keyUp", **key)

    def focused(self) -> str:
        return self.script("document.activeElement.value || document.activeElement.tagName")

    def text(self) -> str:
        return self.script("document.body.innerText")

    def until(self, condition: str) -> None:
        """Wait, in the browser, until this is true of the page, whichever page that is by then."""
        whole = f"document.readyState === 'complete' && Boolean({condition})"
        code = f"new Promise(done => setTimeout(() => done({whole}), 50))"
        give_up = time.monotonic() + PATIENT
        while time.monotonic() < give_up:
            # A script that is cut short by the next page is an error of the browser's.
            with suppress(Refused):
                if self.script(code):
                    return
        raise AssertionError(f"never came true: {condition}")

    def complaints(self) -> list[str]:
        """What the browser had to say against the pages so far."""
        return self._complaints

    def picture(self, path: Path) -> None:
        """Keep a picture of the whole page, also of what is below the window."""
        data = self.do("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def browser(size: tuple[int, int] = (390, 844)) -> Generator[Browser]:
    """A browser with a window of this size, by default a phone's."""
    (there, writes), (reads, here) = os.pipe(), os.pipe()

    def connected() -> None:
        """The browser reads from descriptor 3 and writes to 4."""
        first, second = os.dup(there), os.dup(here)  # so that neither is overwritten before it is used
        os.dup2(first, 3)
        os.dup2(second, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        arguments += ["--no-proxy-server", "--no-first-run", f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        process = subprocess.Popen(
            [shutil.which("chromium") or "chromium", *arguments],
            preexec_fn=connected,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        os.close(here)
        try:
            window = Browser(reads, writes, size)
            yield window
        finally:
            process.terminate()
            process.wait(PATIENT)
            os.close(reads)
            os.close(writes)
