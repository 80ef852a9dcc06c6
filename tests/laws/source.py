"""The project's own source, read once: what each module calls, defines, says and cites."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cliniko_mcp"


@dataclass(frozen=True)
class Module:
    """One file: its dotted name below `cliniko_mcp` (below the project for any other), its text and its tree."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of its tree, the module first."""
        return (*ast.walk(self.tree),)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @property
    def docstring(self) -> str:
        """What the module says it is for."""
        return ast.get_docstring(self.tree) or ""

    def place(self, line: int) -> str:
        """A line of this file as editors and terminals take it: path from the project's folder, and number."""
        return f"{self.path.relative_to(ROOT).as_posix()}:{line}"

    @property
    def packaged(self) -> bool:
        """Whether it is a module of the package."""
        return self.path.is_relative_to(PACKAGE)

    def calls(self) -> tuple[tuple[int, str, ast.Call], ...]:
        """Every call with its line and the dotted text of what is called, such as `getattr` or `date.today`."""
        return self._calls

    @cached_property
    def _calls(self) -> tuple[tuple[int, str, ast.Call], ...]:
        return tuple((node.lineno, ast.unparse(node.func), node) for node in self.nodes if isinstance(node, ast.Call))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Yield every import with its line and the dotted name of what it names, type checking included."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)

    def attributes(self, *named: str) -> Iterator[tuple[int, str, str]]:
        """Yield every attribute of these names with its line, the text of its owner and its name, such as `self`,
        `page`."""
        for node in self.nodes:
            if isinstance(node, ast.Attribute) and node.attr in named:
                yield node.lineno, ast.unparse(node.value), node.attr

    def results(self) -> Iterator[tuple[int, str, str]]:
        """Yield every function with its line, its name and the text of the type that it gives back."""
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
                yield node.lineno, node.name, ast.unparse(node.returns)

    def bound_names(self) -> Iterator[tuple[int, str, ast.AST]]:
        """Yield every name that this file gives to something, with its line and the node: classes, functions, variables
        and arguments. What it only uses was named elsewhere."""
        for node in self.nodes:
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    yield node.lineno, name, node
                case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                    yield node.lineno, name, node
                case ast.arg(arg=name):
                    yield node.lineno, name, node
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                    yield node.lineno, name, node
                case ast.alias(asname=str(name)):
                    yield node.lineno, name, node
                case _:
                    pass

    def strings(self) -> Iterator[tuple[int, str]]:
        """Yield every text in the code with its line, documentation included."""
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value

    def remarks(self) -> Iterator[tuple[int, str]]:
        """Yield what is said about the code, line by line: comments, docstrings, texts that stand below a name."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in self.nodes:
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield from enumerate(node.value.value.splitlines(), node.lineno)

    def classes(self) -> Iterator[tuple[int, str]]:
        """Yield the classes defined here with their lines."""
        for node in self.nodes:
            if isinstance(node, ast.ClassDef):
                yield node.lineno, node.name


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(_read(path, PACKAGE) for path in sorted(PACKAGE.rglob("*.py")))


@cache
def project() -> tuple[Module, ...]:
    """Every module of the package, the tests and the benchmarks."""
    folders = (ROOT / "tests", ROOT / "benchmarks")
    return modules() + tuple(_read(path, ROOT) for folder in folders for path in sorted(folder.rglob("*.py")))


def _read(path: Path, root: Path) -> Module:
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    return Module(name.removesuffix("__init__").removesuffix("."), path, path.read_text("utf-8"))
