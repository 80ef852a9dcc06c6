"""What a host shows of this server, and how it asks its person: as far as somebody has written it down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Ability = Literal["yes", "no", "some versions"]

DECLARED: Final = "https://github.com/apify/mcp-client-capabilities"
"""What clients declare when they connect, collected by others; of 2 February 2026."""
DOCUMENTED: Final = "https://dev.to/serverdex/which-mcp-clients-support-which-features-i-read-the-docs-59kb"
"""What the clients' own pages say, collected by others in November 2026."""
APPS: Final = "https://modelcontextprotocol.io/extensions/client-matrix"
"""Which clients show pages, kept by the protocol's project."""
_COLUMNS: Final = {
    "form": "a person is asked",
    "link": "a link to a question",
    "apps": "pages beside answers",
    "prompts": "routines in a menu",
    "resources": "resources to attach",
    "progress": "how far a call is",
}


_BY_FORM: Final[Mapping[Ability | None, str]] = {
    "yes": "in its own window",
    "some versions": "in its own window in some versions, else on the approval page",
    "no": "on the approval page",
    None: "in its own window if it can, else on the approval page",
}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a host can do of what this server offers; None where nobody has written it down."""

    form: Ability | None = None
    """Elicitation by a form: a person is asked in the host's own window."""
    link: Ability | None = None
    """Elicitation by a URL."""
    apps: Ability | None = None
    """MCP Apps: the diary, free times and reports as pages beside the answer."""
    prompts: Ability | None = None
    """Prompts: the routines, in a menu or after a slash."""
    resources: Ability | None = None
    progress: Ability | None = None
    sources: tuple[str, ...] = ()
    """The pages on which it was read."""
    read: str = ""
    """When they were read, as an ISO date."""

    def cells(self) -> dict[str, Ability | None]:
        """Each ability by its name, in the order of the table."""
        return {
            "form": self.form,
            "link": self.link,
            "apps": self.apps,
            "prompts": self.prompts,
            "resources": self.resources,
            "progress": self.progress,
        }

    def in_words(self) -> str:
        """How its person is asked and what it is known to show, as part of a sentence."""
        how = f"asks {_BY_FORM[self.form]}"
        shown = [_COLUMNS[name] for name, ability in self.cells().items() if ability and ability != "no"]
        shown = [words for words in shown if words not in (_COLUMNS["form"], _COLUMNS["link"])]
        return f"{how}; shows {', '.join(shown)}" if shown else how


def abilities_table(hosts: Mapping[str, Abilities]) -> str:
    """A Markdown table with a row for each host by its title, and the pages on which it was read."""
    lines = [f"| assistant | {' | '.join(_COLUMNS.values())} | read |", f"|---|{'---|' * (len(_COLUMNS) + 1)}"]
    for title, known in hosts.items():
        rest = [ability or "?" for name, ability in known.cells().items() if name != "form"]
        cells = " | ".join((_BY_FORM[known.form], *rest))
        sources = ", ".join(f"[{number}]({page})" for number, page in enumerate(known.sources, 1))
        lines.append(f"| {title} | {cells} | {known.read}{f' in {sources}' if sources else ''} |")
    return "\n".join([*lines, "", "A question mark: nobody has written it down, or pages contradict each other."])
