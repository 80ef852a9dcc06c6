"""The texts of hosts' configuration files by their syntax: JSON with or without comments, TOML, YAML.

What reads and writes TOML and YAML is imported where such a file is met. Each changes one entry, leaves every other
value, comment and line as it was, and refuses a text of which it cannot be sure.
"""

from collections.abc import Mapping
from typing import Protocol

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts import edit
from cliniko_mcp.hosts.host import Host
from cliniko_mcp.hosts.jsonc import parse


class Editor(Protocol):
    """Reads and changes the entries of one section of a text. Raises InvalidText for a text that it cannot read."""

    def entries(self, text: str, section: str) -> Mapping[str, JsonValue]:
        """The entries of the section by name."""
        ...

    def with_entry(self, text: str, section: str, name: str, entry: Mapping[str, JsonValue]) -> str:
        """The text with this entry in the section; unchanged where it is there already."""
        ...

    def without_entry(self, text: str, section: str, name: str) -> str:
        """The text without this entry."""
        ...


class JsonEditor:
    """JSON; with comments where the host reads them."""

    def __init__(self, *, comments: bool) -> None:
        self._comments = comments

    def entries(self, text: str, section: str) -> Mapping[str, JsonValue]:
        """The entries of the section by name."""
        root = parse(text, comments=self._comments).value
        found = root.get(section) if isinstance(root, dict) else None
        return found if isinstance(found, dict) else {}

    def with_entry(self, text: str, section: str, name: str, entry: Mapping[str, JsonValue]) -> str:
        """The text with this entry in the section."""
        return edit.with_entry(text, section, name, entry, comments=self._comments)

    def without_entry(self, text: str, section: str, name: str) -> str:
        """The text without this entry."""
        return edit.without_entry(text, section, name, comments=self._comments)


def editor_of(host: Host) -> Editor:
    """What edits this host's file."""
    match host.syntax:
        case "toml":
            from cliniko_mcp.hosts.toml_edit import TomlEditor

            return TomlEditor()
        case "yaml":
            from cliniko_mcp.hosts.yaml_edit import YamlEditor

            return YamlEditor()
        case "json" | "jsonc":
            return JsonEditor(comments=host.comments)
