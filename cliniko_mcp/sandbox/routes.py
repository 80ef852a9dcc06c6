"""From method and path to an operation, by the registry: a new operation there is a new route here.

PUT is the old update verb and still works (cliniko-api.md#writes). A method without a route is 404, as a path is
(cliniko-api.md#errors).
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, Literal
from urllib.parse import unquote

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation

_ID: Final = "{}"

ExtraRoutes = Literal["legacy", "newer"]
"""Routes that no description lists and no link leads to: off unless named (choices 79)."""


class Routes:
    """Routes by method and path segments; a literal segment takes precedence over an id (`/practitioners/inactive`)."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations: dict[tuple[str, tuple[str, ...]], Operation] = {}
        self._shapes: dict[int, set[tuple[str, ...]]] = {}
        for operation in operations:
            shape = tuple(_ID if part.startswith("{") else part for part in _parts(operation.path))
            self._operations[operation.method, shape] = operation
            self._shapes.setdefault(len(shape), set()).add(shape)

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
        """The operation and the ids in this path (still percent-encoded), or None."""
        method = "PATCH" if method == "PUT" else method
        parts = [unquote(part) for part in _parts(path)]
        shapes = [shape for shape in self._shapes.get(len(parts), ()) if _fits(shape, parts)]
        for shape in sorted(shapes, key=lambda shape: shape.count(_ID)):
            operation = self._operations.get((method, shape))
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
def routes(extra: frozenset[ExtraRoutes] = frozenset()) -> Routes:
    """The routes of all operations, of the legacy ones that embedded links use, and these extra ones."""
    from cliniko_mcp.sandbox.legacy_routes import LEGACY, hidden_lists
    from cliniko_mcp.sandbox.newer_routes import NEWER

    extras = {"legacy": hidden_lists, "newer": lambda: NEWER}
    named = [operation for name in sorted(extra) for operation in extras[name]()]
    return Routes([*registry.operations().values(), *LEGACY, *named])
