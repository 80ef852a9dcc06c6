"""On Windows there is no fcntl, pwd or resource: every module of the package can be imported without them."""

import subprocess
import sys

import pytest

SCRIPT = """
import importlib, pkgutil, sys, types

import anyio, asyncio, click, httpx2, keyring, mcp, mcp_types, platformdirs, pydantic, rapidfuzz, starlette, uvicorn
import mcp.client.client, mcp.client.stdio, mcp.server.lowlevel, mcp.server.stdio, mcp.server.streamable_http_manager

GONE = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in GONE:
            raise ModuleNotFoundError(f"No module named {name!r}")

for name in GONE:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())
sys.modules["msvcrt"] = types.ModuleType("msvcrt")
sys.platform = "win32"

import cliniko_mcp

names = [each.name for each in pkgutil.walk_packages(cliniko_mcp.__path__, "cliniko_mcp.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
assert not GONE & sys.modules.keys()
sys.stdout.write(str(len(names)))
"""


@pytest.mark.long
def test_every_module_can_be_imported_without_what_windows_lacks() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
