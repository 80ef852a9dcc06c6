"""Pages of a list: the slice of its rows, and the links to the page itself and its neighbours.

Source: cliniko-api.md#pagination.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.wire import Json

_DEFAULT_SIZE: Final = 50
_MAX_SIZE: Final = 100
_NUMBER: Final = re.compile(r"(-?[0-9]{1,9})[0-9]*")
_ItemT = TypeVar("_ItemT")


@dataclass(frozen=True, slots=True)
class Page:
    """A page by number, from 1, and its size."""

    number: int
    size: int

    def of(self, rows: Sequence[_ItemT]) -> Sequence[_ItemT]:
        """The items on this page; none beyond the last."""
        start = (self.number - 1) * self.size
        return rows[start : start + self.size]


def page_of(request: OperationRequest) -> Page:
    """The requested page; what is out of range is clamped, what is no number is the default (choices 4)."""
    number = _whole(request.parameter("page"), 1)
    size = _whole(request.parameter("per_page"), _DEFAULT_SIZE)
    return Page(max(1, number), min(_MAX_SIZE, max(1, size)))


def _whole(text: str | None, default: int) -> int:
    found = _NUMBER.fullmatch(text or "")
    return int(found[1]) if found else default  # further digits are left out: the number is out of range anyway


def links(request: OperationRequest, base_url: str, path: str, page: Page, total: int) -> Json:
    """The links `self`, which always names its page, and `next` and `previous` where there is one.

    All keep the rest of the query.
    """
    found: Json = {"self": _page_url(request, base_url, path, page.number)}
    if page.number * page.size < total:
        found["next"] = _page_url(request, base_url, path, page.number + 1)
    if page.number > 1:
        found["previous"] = _page_url(request, base_url, path, page.number - 1)
    return found


def _page_url(request: OperationRequest, base_url: str, path: str, number: int) -> str:
    others = [(name, value) for name, value in request.http.query if name != "page"]
    return url(base_url, path, [*others, ("page", str(number))])


def url(base_url: str, path: str, query: Sequence[tuple[str, str]]) -> str:
    """The URL of a path below the base URL with this query, encoded."""
    return f"{base_url}{path}?{urlencode(query, quote_via=quote)}" if query else f"{base_url}{path}"
