"""A real browser without a window, driven over the WebDriver protocol with nothing but the standard library."""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

TAB, RETURN, SPACE = "\ue004", "\ue007", " "
_OPENER = build_opener(ProxyHandler({}))
PATIENT = 300.0
"""Seconds that a test waits for the browser."""


def missing() -> str | None:
    """Why no browser can be driven here, or None."""
    names = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(names)} not installed" if names else None


class Browser:
    """One window of the browser."""

    def __init__(self, base: str, size: tuple[int, int]) -> None:
        self._base = base
        options = {
            "binary": shutil.which("chromium"),
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{session['sessionId']}"
        self.do("POST", "/goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params={
            "width": size[0], "height": size[1], "deviceScaleFactor": 2, "mobile": False,
        })  # fmt: skip

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = Request(self._base + path, data, {"Content-Type": "application/json"}, method=method)
        with _OPENER.open(request, timeout=PATIENT) as response:
            return json.load(response)["value"]

    def do(self, method: str, path: str, **body: Any) -> Any:
        return self._send(method, self._session + path, body)

    def open(self, address: str) -> None:
        self.do("POST", "/url", url=address)

    def script(self, code: str) -> Any:
        return self.do("POST", "/execute/sync", script=f"return {code}", args=[])

    def press(self, keys: str) -> None:
        pressed = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.do("POST", "/actions", actions=[{"type": "key", "id": "keys", "actions": pressed}])

    def focused(self) -> str:
        return self.script("document.activeElement.value || document.activeElement.tagName")

    def text(self) -> str:
        return self.script("document.body.innerText")

    def until(self, condition: str) -> None:
        """Wait, in the browser, until this is true of the page, whichever page that is by then."""
        whole = f"document.readyState === 'complete' && Boolean({condition})"
        code = f"const done = arguments[0]; setTimeout(() => done({whole}), 50)"
        give_up = time.monotonic() + PATIENT
        while time.monotonic() < give_up:
            # A script that is cut short by the next page is an error of the driver.
            with suppress(HTTPError):
                if self.do("POST", "/execute/async", script=code, args=[]):
                    return
        raise AssertionError(f"never came true: {condition}")

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.do("POST", "/se/log", type="browser")]

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.do("GET", "/screenshot")))

    def quit(self) -> None:
        self.do("DELETE", "")


@contextmanager
def browser(size: tuple[int, int] = (390, 844)) -> Generator[Browser]:
    """A browser with a window of this size, by default a phone's."""
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert driver.stdout is not None
        port = next(
            found.group(1) for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line))
        )
        window = Browser(f"http://127.0.0.1:{port}", size)
        try:
            yield window
        finally:
            window.quit()
    finally:
        driver.terminate()
        driver.wait(PATIENT)
        if driver.stdout:
            driver.stdout.close()
