"""Pages of a list: which slice, and the links to the page itself and its neighbours (api.md 1.3)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from cliniko_mcp.sandbox.request import Ask
from cliniko_mcp.sandbox.wire import Json

_DEFAULT: Final = 50
_MOST: Final = 100
_NUMBER: Final = re.compile(r"(-?[0-9]{1,9})[0-9]*")
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Page:
    """A page by number, from 1, and its size."""

    number: int
    size: int

    def of(self, rows: Sequence[_Item]) -> Sequence[_Item]:
        """The items on this page; none beyond the last."""
        start = (self.number - 1) * self.size
        return rows[start : start + self.size]


def page_of(ask: Ask) -> Page:
    """The page that was asked for; what is out of range is clamped, what is no number is the default (choices 4)."""
    number = _whole(ask.parameter("page"), 1)
    size = _whole(ask.parameter("per_page"), _DEFAULT)
    return Page(max(1, number), min(_MOST, max(1, size)))


def _whole(text: str | None, default: int) -> int:
    found = _NUMBER.fullmatch(text or "")
    return int(found[1]) if found else default  # what has too many digits is out of range all the same without them


def links(ask: Ask, base_url: str, path: str, page: Page, total: int) -> Json:
    """`self` always names its page; `next` and `previous` only where there is one. All keep the rest of the query."""
    found: Json = {"self": _page_url(ask, base_url, path, page.number)}
    if page.number * page.size < total:
        found["next"] = _page_url(ask, base_url, path, page.number + 1)
    if page.number > 1:
        found["previous"] = _page_url(ask, base_url, path, page.number - 1)
    return found


def _page_url(ask: Ask, base_url: str, path: str, number: int) -> str:
    kept = [(name, value) for name, value in ask.request.query if name != "page"]
    return url(base_url, path, [*kept, ("page", str(number))])


def url(base_url: str, path: str, query: Sequence[tuple[str, str]]) -> str:
    """An address below the base URL with this query, encoded."""
    return f"{base_url}{path}?{urlencode(query, quote_via=quote)}" if query else f"{base_url}{path}"
