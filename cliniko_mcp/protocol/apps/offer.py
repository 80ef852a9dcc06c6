"""Which tool opens which page, and the pages as resources: `ui://cliniko/diary.html` and the like.

https://apps.extensions.modelcontextprotocol.io/, specification 2026-01-26
"""

from collections.abc import Mapping
from typing import Any, Final

import mcp_types as types

EXTENSION: Final = "io.modelcontextprotocol/ui"
MIME: Final = "text/html;profile=mcp-app"
_SCHEME: Final = "ui://cliniko/"
_META: Final[dict[str, Any]] = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "prefersBorder": True,
    }
}
"""Nothing from outside: the lists of what a page may reach are empty."""
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "diary": ("Diary", "The diary and free times as a page, shown beside the answers of show_diary and find_times."),
    "report": ("Report", "A report as a page with plots, shown beside the answers of report."),
}
_OPENED_BY: Final[Mapping[str, str]] = {"show_diary": "diary", "find_times": "diary", "report": "report"}


def meta_of(tool: str) -> dict[str, Any] | None:
    """What a listed tool says of its page; None for one without. It is the same for every host, as lists have to be."""
    page = _OPENED_BY.get(tool)
    return {"ui": {"resourceUri": f"{_SCHEME}{page}.html"}} if page else None


def listed() -> list[types.Resource]:
    """The pages as resources, by which hosts may load them beforehand."""
    return [
        types.Resource(
            uri=f"{_SCHEME}{page}.html",
            name=f"{page}.html",
            title=title,
            description=text,
            mime_type=MIME,
            _meta=_META,
        )
        for page, (title, text) in _WORDS.items()
    ]


def read(uri: str, *, demo: bool) -> types.TextResourceContents | None:
    """The page at this address; None where it is none of ours."""
    page = uri.removeprefix(_SCHEME).removesuffix(".html")
    if page not in _WORDS or uri != f"{_SCHEME}{page}.html":
        return None
    from cliniko_mcp.protocol.apps.pages import app_page

    return types.TextResourceContents(uri=uri, mime_type=MIME, text=app_page(page, demo=demo), _meta=_META)
