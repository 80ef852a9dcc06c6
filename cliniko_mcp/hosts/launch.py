"""The command with which a host starts this server: absolute, and still valid after an upgrade."""

import json
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cliniko_mcp import __version__
from cliniko_mcp.errors import ConfigurationError

NAME = "cliniko-mcp"
_TEMPORARY = ("archive-v0", "environments-v2", "ephemeral-v0")
"""Folders of uv's cache, in which `uvx` makes environments that it may delete again."""


def launch_command(
    started_as: str,
    python: str = sys.executable,
    find: Callable[[str], str | None] = shutil.which,
    source: Callable[[], str | None] | None = None,
) -> list[str]:
    """The command and its first arguments; hosts add `serve` and the flags.

    This is the script that was started or the one beside its Python, with links not resolved, so that it survives
    upgrades; the module where there is no script; `uvx` where uvx runs this program.

    Raises ConfigurationError where uvx is needed and cannot be found.
    """
    if any(part in _TEMPORARY for part in Path(python).parts):
        return _by_uvx(find("uvx"), (source or installed_from)())
    for script in (Path(started_as), *(Path(python).parent / name for name in (NAME, f"{NAME}.exe"))):
        if script.stem == NAME and script.is_absolute() and script.is_file():
            return [str(script)]
    found = find(NAME)
    if found:
        return [str(Path(found).absolute())]
    return [python, "-m", "cliniko_mcp"]


def _by_uvx(uvx: str | None, source: str | None) -> list[str]:
    if uvx is None:
        raise ConfigurationError(
            "this runs in a temporary environment of uv, and uvx is not on the PATH.",
            "Install it to stay, with `uv tool install` in place of `uvx`; then run install again, or give --command.",
        )
    return [str(Path(uvx).absolute()), "--from", source or f"{NAME}=={__version__}", NAME]


def installed_from() -> str | None:
    """The file, folder or URL that this package was installed from; None where it came from a package index."""
    try:
        recorded = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    url = str(json.loads(recorded).get("url", "")) if recorded else ""
    if url.startswith("file:"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        return url2pathname(urlsplit(url).path)
    return url or None
