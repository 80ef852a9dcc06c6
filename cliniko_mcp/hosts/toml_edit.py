"""One entry in a TOML text: it is added at the end, or taken out where it stands, and every other line is kept."""

import tomllib
from collections.abc import Mapping

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts.invalid import UNUSUAL, InvalidText
from cliniko_mcp.hosts.plain import json_of, newline_of


class TomlEditor:
    """Tables under a table, such as `[mcp_servers.cliniko]`."""

    def entries(self, text: str, section: str) -> Mapping[str, JsonValue]:
        """The entries of the section by name. Raises InvalidText."""
        return _section(_parsed(text), section)

    def with_entry(self, text: str, section: str, name: str, entry: Mapping[str, JsonValue]) -> str:
        """The text with this entry at its end; unchanged where it is there already. Raises InvalidText."""
        import tomlkit

        root = _parsed(text)
        if _section(root, section).get(name) == entry:
            return text
        kept = self.without_entry(text, section, name)
        newline = newline_of(text)
        block = tomlkit.dumps({section: {name: dict(entry)}}).strip("\n") + "\n"
        lead = "" if not kept.strip() else kept.rstrip("\r\n") + newline * 2
        after = (lead or kept) + block.replace("\n", newline)
        return _verified(after, _changed(root, section, name, entry))

    def without_entry(self, text: str, section: str, name: str) -> str:
        """The text without this entry. Raises InvalidText."""
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        root = _parsed(text)
        if name not in _section(root, section):
            return text
        try:
            document = tomlkit.parse(text)
            table = document[section]
            del table[name]  # pyright: ignore[reportIndexIssue, reportArgumentType]
        except (TOMLKitError, KeyError, TypeError):
            raise InvalidText(UNUSUAL) from None
        left, newline = document.as_string(), newline_of(text)
        if left.endswith(newline * 2) and not text.endswith(newline * 2):
            left = left.removesuffix(newline)  # the line that stood between it and the rest
        return _verified(left, _changed(root, section, name, None))


def _parsed(text: str) -> dict[str, JsonValue]:
    try:
        return {name: json_of(value) for name, value in tomllib.loads(text).items()}
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise InvalidText(str(problem)) from None


def _section(root: Mapping[str, JsonValue], section: str) -> dict[str, JsonValue]:
    found = root.get(section, {})
    if not isinstance(found, dict):
        raise InvalidText(f"{section} is not a table")
    return found


def _changed(
    root: Mapping[str, JsonValue], section: str, name: str, entry: Mapping[str, JsonValue] | None
) -> dict[str, JsonValue]:
    """What the text has to hold after the change."""
    others: dict[str, JsonValue] = {key: value for key, value in _section(root, section).items() if key != name}
    return {**root, section: {**others, **({name: dict(entry)} if entry is not None else {})}}


def _verified(text: str, expected: Mapping[str, JsonValue]) -> str:
    try:
        found = _filled(_parsed(text))
    except InvalidText:
        raise InvalidText(UNUSUAL) from None
    if found != _filled(expected):
        raise InvalidText(UNUSUAL)
    return text


def _filled(root: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Without empty tables: one that held nothing else may go with its last entry."""
    return {key: value for key, value in root.items() if value != {}}
