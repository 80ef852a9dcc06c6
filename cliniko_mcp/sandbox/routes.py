"""From method and path to an operation: made from the registry, so that a new line there is a new route here.

PUT is the old update verb and still answers (api.md 1.7). What is not routed is 404, the verb included (api.md 1.9).
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, Literal
from urllib.parse import unquote

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation

_ID: Final = "{}"

Extra = Literal["legacy", "newer"]
"""Routes that no description lists and no link leads to: off unless asked for (choices 79)."""


class Routes:
    """A tree of path segments; a literal segment goes before an id, so `/practitioners/inactive` is found."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._lines: dict[tuple[str, tuple[str, ...]], Operation] = {}
        self._shapes: dict[int, set[tuple[str, ...]]] = {}
        for operation in operations:
            shape = tuple(_ID if part.startswith("{") else part for part in _parts(operation.path))
            self._lines[operation.method, shape] = operation
            self._shapes.setdefault(len(shape), set()).add(shape)

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
        """The operation and the ids in this path (still percent-encoded), or None."""
        method = "PATCH" if method == "PUT" else method
        parts = [unquote(part) for part in _parts(path)]
        shapes = [shape for shape in self._shapes.get(len(parts), ()) if _fits(shape, parts)]
        for shape in sorted(shapes, key=lambda each: each.count(_ID)):
            operation = self._lines.get((method, shape))
            if operation is not None:
                values = (part for part, step in zip(parts, shape, strict=True) if step == _ID)
                return operation, dict(zip(operation.path_ids, values, strict=True))
        return None


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")


def _fits(shape: tuple[str, ...], parts: list[str]) -> bool:
    return all(
        (part.isascii() and part.isdigit() and len(part) <= 20) if step == _ID else part == step
        for step, part in zip(shape, parts, strict=True)
    )


@cache
def routes(also: frozenset[Extra] = frozenset()) -> Routes:
    """The routes of all operations, the legacy ones that embedded links use included, and those asked for."""
    from cliniko_mcp.sandbox.legacy_routes import LEGACY, hidden_lists
    from cliniko_mcp.sandbox.newer_routes import NEWER

    extras = {"legacy": hidden_lists, "newer": lambda: NEWER}
    asked = [operation for name in sorted(also) for operation in extras[name]()]
    return Routes([*registry.operations().values(), *LEGACY, *asked])
