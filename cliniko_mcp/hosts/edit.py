"""Adds one entry to a section of a configuration text, or removes it, and leaves every other byte unchanged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts.invalid import UNUSUAL
from cliniko_mcp.hosts.jsonc import InvalidJson, Member, Node, parse
from cliniko_mcp.hosts.plain import newline_of

_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Style:
    """The layout of a text: one step of indentation, and its line ending."""

    step: str
    newline: str


def entry_of(text: str, section: str, name: str, *, comments: bool) -> JsonValue:
    """The entry of this name in the section, or None. Raises InvalidJson."""
    found = _section(parse(text, comments=comments), section)
    member = found.member(name) if found else None
    return member.node.value if member else None


def with_entry(text: str, section: str, name: str, entry: Mapping[str, JsonValue], *, comments: bool) -> str:
    """The text with this entry in the section; unchanged where the entry is there already.

    Raises InvalidJson where the text is not JSON, or not an object with an object under `section`.
    """
    root = parse(text, comments=comments)
    style = _style(text, root)
    if root.start == root.end:
        return json.dumps({section: {name: entry}}, indent=_INDENT, ensure_ascii=False) + style.newline
    found = _section(root, section)
    if found is None:
        return _verified(_with_member(text, root, section, {name: dict(entry)}, style), section, name, entry, comments)
    member = found.member(name)
    if member is None:
        return _verified(_with_member(text, found, name, dict(entry), style), section, name, entry, comments)
    if member.node.value == entry:
        return text
    new = _dumped(dict(entry), _indent_at(text, member.start), style)
    return _verified(text[: member.node.start] + new + text[member.node.end :], section, name, entry, comments)


def without_entry(text: str, section: str, name: str, *, comments: bool) -> str:
    """The text without this entry, even where it occurs more than once. Raises InvalidJson as `with_entry` does."""
    while True:
        found = _section(parse(text, comments=comments), section)
        member = found.member(name) if found else None
        if found is None or member is None:
            return text
        text = _without_member(text, found, member)


def _section(root: Node, section: str) -> Node | None:
    if not root.is_object:
        raise InvalidJson("the file does not hold an object in braces")
    member = root.member(section)
    if member is None:
        return None
    if not member.node.is_object:
        raise InvalidJson(f'"{section}" is not an object in braces')
    return member.node


def _verified(text: str, section: str, name: str, entry: Mapping[str, JsonValue], comments: bool) -> str:
    if entry_of(text, section, name, comments=comments) != entry:
        raise InvalidJson(UNUSUAL)
    return text


def _style(text: str, root: Node) -> Style:
    newline = newline_of(text)
    step = _indent_at(text, root.members[0].start) if root.members else None
    return Style(step or _INDENT, newline)


def _indent_at(text: str, position: int) -> str | None:
    """The white space before this position where it is the first on its line, else None."""
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return before if not before.strip(" \t\ufeff") else None


def _line_indent(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _dumped(value: JsonValue, indent: str | None, style: Style) -> str:
    if indent is None:
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, indent=style.step, ensure_ascii=False).replace("\n", style.newline + indent)


def _with_member(text: str, node: Node, name: str, value: JsonValue, style: Style) -> str:
    if node.members:
        return _with_last_member(text, node.members[-1], name, value, style)
    outer = _line_indent(text, node.start)
    indent = outer + style.step
    member = f"{style.newline}{indent}{json.dumps(name, ensure_ascii=False)}: {_dumped(value, indent, style)}"
    inside = text[node.start + 1 : node.end - 1]
    rest = inside if inside.strip() else style.newline + outer
    return f"{text[: node.start + 1]}{member}{rest}{text[node.end - 1 :]}"


def _with_last_member(text: str, last: Member, name: str, value: JsonValue, style: Style) -> str:
    indent = _indent_at(text, last.start)
    member = f"{json.dumps(name, ensure_ascii=False)}: {_dumped(value, indent, style)}"
    lead = " " if indent is None else style.newline + indent
    comma, line_end = _rest_of_line(text, last.node.end)
    if indent is None:
        line_end = (_comma(text, last.node.end) or 0) + 1 if comma else last.node.end
    between = text[last.node.end : line_end]
    # Where a comma followed the last value, one follows the new last value too.
    before, after = ("", ",") if comma else (",", "")
    return f"{text[: last.node.end]}{before}{between}{lead}{member}{after}{text[line_end:]}"


def _without_member(text: str, node: Node, member: Member) -> str:
    position = node.members.index(member)
    _, end = _rest_of_line(text, member.node.end)
    comma_at = _comma(text, member.node.end)
    if comma_at is None:
        end = member.node.end
    start = member.start
    indent = _indent_at(text, start)
    line_end = text.find("\n", end) + 1
    if indent is not None and line_end and not text[end:line_end].strip():
        start, end = start - len(indent), line_end
    elif comma_at is not None:
        end += len(text[end:]) - len(text[end:].lstrip(" \t"))
    if comma_at is not None and comma_at >= end:
        text = text[:comma_at] + " " + text[comma_at + 1 :]
    elif comma_at is None and position:
        before = _comma(text, node.members[position - 1].node.end) or 0
        text, start, end = text[:before] + text[before + 1 :], start - 1, end - 1
    left = text[:start] + text[end:]
    if len(node.members) == 1:
        close = node.end - 1 - (end - start)
        if not left[node.start + 1 : close].strip():
            left = left[: node.start + 1] + left[close:]
    return left


def _rest_of_line(text: str, at: int) -> tuple[bool, int]:
    """Whether a comma follows the value that ends here, and where its comma and comments on that line end."""
    comma, end = False, at
    while at < len(text):
        if text[at] in " \t":
            at += 1
        elif text[at] == "," and not comma:
            comma, at = True, at + 1
            end = at
        elif text.startswith("//", at):
            line_end = text.find("\n", at)
            return comma, len(text[:line_end].rstrip("\r")) if line_end >= 0 else len(text)
        elif text.startswith("/*", at):
            at = text.index("*/", at + 2) + 2
            end = at
        else:
            break
    return comma, end


def _comma(text: str, at: int) -> int | None:
    """The position of the comma after the value that ends here; None where the bracket closes first."""
    while at < len(text):
        if text.startswith("//", at):
            at = text.index("\n", at)
        elif text.startswith("/*", at):
            at = text.index("*/", at + 2) + 2
        elif text[at] in "}],":
            return at if text[at] == "," else None
        else:
            at += 1
    return None
