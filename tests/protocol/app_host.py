"""A host that shows our pages: a client of the server in node, the reference bridge in a browser without a window."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

NPM: Final = Path(__file__).resolve().parents[1] / "npm"
NEEDED: Final = (
    "@modelcontextprotocol/client",
    "@modelcontextprotocol/ext-apps",
    "axe-core",
    "esbuild",
    "playwright-core",
)


def missing() -> str | None:
    """Why no host can be had here, or None."""
    for program in ("node", "chromium"):
        if shutil.which(program) is None:
            return f"{program} not installed"
    lacking = [package for package in NEEDED if not (NPM / "node_modules" / package).is_dir()]
    return f"npm install in tests/npm has not brought {', '.join(lacking)}" if lacking else None


class Host:
    """The host, told what to do a line at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def do(self, name: str, **given: Any) -> Any:
        """What the host answers. Raises AssertionError with its words where it could not."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": name, **given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the host has ended"
        answer = json.loads(line)
        assert "error" not in answer, f"{name}: {answer['error']}"
        return answer["value"]

    def open(self, tool: str, /, width: int = 1280, theme: str = "light", result: Any = None, **args: Any) -> None:
        """Call the tool and show its page with the answer, as a host of this width does."""
        self.do("size", width=width)
        context = {"theme": theme, "locale": "de-DE", "timeZone": "America/New_York", "displayMode": "inline"}
        self.do("open", tool=tool, args=args, context=context, result=result)
        self.do("until", code="document.querySelector('#page h1') && !document.querySelector('.busy')")

    def script(self, code: str) -> Any:
        """The value of this code in the page."""
        return self.do("script", code=code)

    def text(self) -> str:
        """What can be read on the page."""
        return self.script("document.body.innerText")


@contextmanager
def host(flags: Sequence[str]) -> Generator[Host]:
    """A host of a server with these flags."""
    server = [sys.executable, "-m", "cliniko_mcp", "serve", *flags]
    chromium = shutil.which("chromium") or "chromium"
    with subprocess.Popen(
        ["node", str(NPM / "drive_app.mjs"), chromium, *server],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": str(NPM.parents[1])},
    ) as process:
        yield Host(process)
