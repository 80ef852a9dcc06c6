"""Where this project is published: one address in pyproject.toml, from which every file that names it is made.

`cliniko-mcp manifest` puts it into the files; `cliniko-mcp manifest --release` refuses what cannot be released yet.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cliniko_mcp import __version__
from cliniko_mcp.errors import ConfigurationError, JsonValue

PACKAGE: Final = "cliniko-mcp"
"""Its name on the Python package index and in the names of its files."""
PLACEHOLDER: Final = "OWNER"
"""What stands for the account until it is decided."""
PRIVACY: Final = "docs/privacy.md"
"""The page that says what goes where."""
_SHIPPED: Final = ("README.md", "SECURITY.md", "docs/*.md", "packaging/**/*.json", "packaging/**/*.md")
"""The files in which a reader or a program finds the address."""
_NAME_LINE: Final = re.compile(r"<!-- mcp-name: \S+ -->")
_RELEASE: Final = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>.+)$", re.MULTILINE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


def repository(root: Path) -> str:
    """The address of the repository, as `[project.urls]` of pyproject.toml names it.

    Raises ConfigurationError for anything but an account and a name at github.com.
    """
    urls: dict[str, object] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"].get("urls", {})
    address = str(urls.get("Repository", ""))
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.netloc != "github.com" or len(parts.path.strip("/").split("/")) != 2:
        raise ConfigurationError(
            "pyproject.toml: Repository under [project.urls] is not like https://github.com/account/name"
        )
    return address


def registry_name(address: str) -> str:
    """The name in the MCP registry of what is published at this address: `io.github.account/name`."""
    return f"io.github.{urlsplit(address).path.strip('/')}"


def with_address(description: dict[str, JsonValue], address: str) -> dict[str, JsonValue]:
    """A description for the registry (it has `packages`) or of the bundle, with the names and links of this address."""
    if "packages" in description:
        links: dict[str, JsonValue] = {
            "name": registry_name(address),
            "repository": {"url": address, "source": "github"},
            "websiteUrl": f"{address}#readme",
            "icons": [
                {
                    "src": address.replace("github.com", "raw.githubusercontent.com") + "/main/packaging/mcpb/icon.png",
                    "mimeType": "image/png",
                    "sizes": ["512x512"],
                }
            ],
        }
    else:
        links = {
            "repository": {"type": "git", "url": f"{address}.git"},
            "homepage": f"{address}#readme",
            "documentation": f"{address}/tree/main/docs",
            "support": f"{address}/issues",
            "icon": "icon.png",
            "privacy_policies": [f"{address}/blob/main/{PRIVACY}"],
        }
    return {**description, **links}


def with_name_line(readme: str, address: str) -> str:
    """The README with the line by which the registry knows that the package is of this project."""
    return _NAME_LINE.sub(f"<!-- mcp-name: {registry_name(address)} -->", readme)


def unreleasable(root: Path) -> Iterator[str]:
    """Yield a sentence for everything for which this must not be released yet."""
    address = repository(root)
    if PLACEHOLDER in address:
        yield f"pyproject.toml: put the account in place of {PLACEHOLDER} in {address}; then run cliniko-mcp manifest."
    shipped = (found for pattern in _SHIPPED for found in sorted(root.glob(pattern)))
    for path in () if PLACEHOLDER in address else shipped:
        if f"{PLACEHOLDER}/" in path.read_text("utf-8"):
            yield f"{path.relative_to(root).as_posix()}: {PLACEHOLDER} stands in an address; run cliniko-mcp manifest."
    newest = _RELEASE.search((root / "CHANGELOG.md").read_text("utf-8"))
    if newest is None or newest["version"] != __version__:
        told = newest["version"] if newest else "none"
        yield f"CHANGELOG.md: its newest version is {told}, cliniko_mcp/__init__.py has {__version__}."
    if newest and not _DATE.fullmatch(newest["date"]):
        yield f"CHANGELOG.md: version {newest['version']} has no date ({newest['date']})."
