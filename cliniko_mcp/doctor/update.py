"""Whether a newer version is published: looked up only where a person switched it on, and once a day at most.

The one request of this program to a place that neither Cliniko nor the operator named; nothing of the clinic is in it.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from cliniko_mcp import __version__
from cliniko_mcp.doctor.check import Check, ok, warning
from cliniko_mcp.private_files import private_folder, read_private, write_private
from cliniko_mcp.published import PACKAGE

if TYPE_CHECKING:
    from cliniko_mcp.doctor import DoctorContext

PAGE: Final = f"https://pypi.org/pypi/{PACKAGE}/json"
"""What the index says of a project (https://docs.pypi.org/api/json/)."""
FILE: Final = "newest-version.json"
"""In the state folder: what was found, and when."""
DAY: Final = timedelta(days=1)
SECONDS: Final = 5.0
HOW_TO_UPGRADE: Final = (
    "Read CHANGELOG.md, then `pipx upgrade cliniko-mcp` or `uv tool upgrade cliniko-mcp`, or open the newer bundle."
)


class Found(BaseModel):
    """What the index said, and when it was asked; no version where it could not say."""

    at: datetime
    newest: str = ""


class _Project(BaseModel):
    version: str


class _Page(BaseModel):
    info: _Project


async def newer_version(context: "DoctorContext") -> Check:
    """Whether the package index has a newer version than this, as found within the last day."""
    from packaging.version import InvalidVersion, Version

    now = context.now()
    found = _kept(context)
    if found is None or not timedelta(0) <= now - found.at < DAY:
        found = Found(at=now, newest=await _newest(context))
        _keep(context, found)
    try:
        newest = Version(found.newest)
    except InvalidVersion:
        return warning("update", f"the package index could not say which version of {PACKAGE} is the newest")
    if newest > Version(__version__):
        return warning("update", f"version {newest} is published, and this is {__version__}", HOW_TO_UPGRADE)
    return ok("update", f"{__version__} is the newest version (asked at {found.at:%Y-%m-%d %H:%M} UTC)")


async def _newest(context: "DoctorContext") -> str:
    """The newest version on the index; empty where it could not be read."""
    import httpx2

    try:
        async with httpx2.AsyncClient(timeout=SECONDS, headers={"User-Agent": PACKAGE}) as client:
            answer = await client.get(context.index_page)
        return _Page.model_validate_json(answer.content).info.version
    except (httpx2.HTTPError, ValidationError):
        return ""


def _kept(context: "DoctorContext") -> Found | None:
    try:
        return Found.model_validate_json(read_private(context.state / FILE))
    except (OSError, ValidationError):
        return None


def _keep(context: "DoctorContext", found: Found) -> None:
    try:
        write_private(private_folder(context.state) / FILE, found.model_dump_json())
    except OSError:
        return  # it is asked again the next time, which only costs a request
