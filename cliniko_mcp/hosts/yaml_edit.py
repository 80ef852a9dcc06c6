"""One entry in a YAML text: its own lines are written or cut out, and every other line stays to the letter."""

import re
from collections.abc import Mapping
from io import StringIO
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts.invalid import UNUSUAL, InvalidText
from cliniko_mcp.hosts.plain import is_mapping, json_of, newline_of

_WIDE = 4096
"""Columns before a long text would be broken."""


class YamlEditor:
    """Mappings under a mapping at the top, such as `extensions: {cliniko: ...}` in lines."""

    def entries(self, text: str, section: str) -> Mapping[str, JsonValue]:
        """The entries of the section by name; what is no JSON, such as a date, as text. Raises InvalidText."""
        return {str(name): json_of(entry) for name, entry in _section(_parsed(text), section).items()}

    def with_entry(self, text: str, section: str, name: str, entry: Mapping[str, JsonValue]) -> str:
        """The text with this entry in the section; unchanged where it is there already. Raises InvalidText."""
        root = _parsed(text)
        if _section(root, section).get(name) == entry:
            return text
        newline = newline_of(text)
        lines = _lines(text)
        node = _node(text, section)
        if node is None:
            lines = _ended(lines, newline) + _rendered({section: {name: dict(entry)}}, 0, newline)
        elif not node.keys:
            # Nothing, `null`, `~` or `{}` stands there: the entry takes its place.
            lines = _ended(_lines(text[: node.start].rstrip(" ") + text[node.end :]), newline)
            lines[node.line + 1 : node.line + 1] = _rendered({name: dict(entry)}, 2, newline)
        elif node.flow:
            raise InvalidText(UNUSUAL)
        else:
            places, column = node.keys, node.column
            lines = _ended(lines, newline)
            start = places.get(name, _end(lines, max(places.values()), column))
            end = _end(lines, start, column) if name in places else start
            lines[start:end] = _rendered({name: dict(entry)}, column, newline)
        expected = {**root, section: {**_section(root, section), name: dict(entry)}}
        return _verified("".join(lines), expected)

    def without_entry(self, text: str, section: str, name: str) -> str:
        """The text without this entry. Raises InvalidText."""
        root = _parsed(text)
        others = _section(root, section)
        if name not in others:
            return text
        node = _node(text, section)
        if node is None or node.flow or name not in node.keys:
            raise InvalidText(UNUSUAL)
        lines, start = _lines(text), node.keys[name]
        # The last one leaves an empty mapping behind, which a host reads as none.
        left = [] if len(node.keys) > 1 else [f"{' ' * node.column}{{}}{newline_of(text)}"]
        lines[start : _end(lines, start, node.column)] = left
        return _verified(
            "".join(lines), {**root, section: {key: value for key, value in others.items() if key != name}}
        )


class _Value(NamedTuple):
    """The value of a section with its place: from `start` to `end` in the text, its name in `line`.

    `keys` are the lines of the names in it, all of them at `column`; `flow` says that they stand in braces.
    """

    start: int
    end: int
    line: int
    column: int
    keys: dict[str, int]
    flow: bool


def _parsed(text: str) -> dict[object, object]:
    try:
        value: object = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as problem:
        raise InvalidText(" ".join(str(problem).split())[:200]) from None
    if value is None:
        return {}
    if not is_mapping(value):
        raise InvalidText("the file does not hold names with values")
    return value


def _section(root: Mapping[object, object], section: str) -> dict[object, object]:
    found = root.get(section)
    if found is None:
        return {}
    if not is_mapping(found):
        raise InvalidText(f"{section} does not hold names with values")
    return found


# The types of ruamel.yaml's nodes are not published.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
def _node(text: str, section: str) -> _Value | None:
    """The value of the section with its place in the text; None where there is no such section."""
    root: object = YAML(pure=True).compose(text)
    if root is None:
        return None
    if not isinstance(root, MappingNode) or root.flow_style:
        raise InvalidText(UNUSUAL)
    for key, value in root.value:
        if key.value == section and isinstance(value, MappingNode | ScalarNode):
            named = value.value if isinstance(value, MappingNode) else []
            return _Value(
                start=value.start_mark.index,
                end=value.end_mark.index,
                line=key.start_mark.line,
                column=named[0][0].start_mark.column if named else 0,
                keys={str(name.value): int(name.start_mark.line) for name, _ in named},
                flow=isinstance(value, MappingNode) and bool(value.flow_style),
            )
    return None


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _ended(lines: list[str], newline: str) -> list[str]:
    """The lines, the last of them ended."""
    if lines and not lines[-1].endswith("\n"):
        return [*lines[:-1], lines[-1] + newline]
    return lines


def _end(lines: list[str], start: int, column: int) -> int:
    """The line after the last one that belongs to the key at `column` in line `start`: those further in."""
    last = start
    for number in range(start + 1, len(lines)):
        stripped = lines[number].strip()
        if not stripped:
            continue
        if len(lines[number]) - len(lines[number].lstrip(" ")) <= column:
            break
        last = number
    return last + 1


def _rendered(value: dict[str, JsonValue], column: int, newline: str) -> list[str]:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = _WIDE
    stream = StringIO()
    yaml.dump(value, stream)
    return [" " * column + line + newline for line in stream.getvalue().splitlines()]


def _verified(text: str, expected: Mapping[object, object]) -> str:
    try:
        as_it_should_be = _parsed(text) == expected
    except InvalidText:
        as_it_should_be = False
    if not as_it_should_be:
        raise InvalidText(UNUSUAL)
    return text
