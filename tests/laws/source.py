"""The package's own source, read once: what each module imports, calls and defines."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cliniko_mcp"


@dataclass(frozen=True)
class Module:
    """One file of the package: its dotted name below `cliniko_mcp`, its tree and its number of lines."""

    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def part(self) -> str:
        """The folder or file directly below the package that this module belongs to."""
        return self.name.split(".")[0]

    def imports(self) -> frozenset[str]:
        """Every module that is imported here, wherever in the file and for whatever reason, by its full name."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        return frozenset(found)

    def parts_imported(self) -> frozenset[str]:
        """The parts of the package that this module imports from, its own aside."""
        ours = (name.split(".") for name in self.imports() if name.startswith("cliniko_mcp."))
        return frozenset(names[1] for names in ours) - {self.part, "__version__"}

    def calls(self) -> frozenset[str]:
        """Every call by its dotted text, such as `datetime.now` or `print`."""
        return frozenset(ast.unparse(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def whole_calls(self) -> frozenset[str]:
        """Every call with its arguments, such as `Random(7)`."""
        return frozenset(ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def attributes(self) -> frozenset[str]:
        """Every attribute that is looked at, such as `os.environ`."""
        return frozenset(ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute))

    @property
    def docstring(self) -> str:
        """What the module says it is for."""
        return ast.get_docstring(self.tree) or ""

    def classes(self) -> frozenset[str]:
        """The names of the classes defined here."""
        return frozenset(node.name for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(_read(path) for path in sorted(PACKAGE.rglob("*.py")))


def _read(path: Path) -> Module:
    text = path.read_text("utf-8")
    names = path.relative_to(PACKAGE).with_suffix("").parts
    name = ".".join(names).removesuffix(".__init__")
    return Module(name, path, ast.parse(text), len(text.splitlines()))
