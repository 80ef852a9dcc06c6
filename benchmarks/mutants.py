"""Every small mistake that can be made in a module, one at a time: what `benchmarks.mutation` tries the tests on.

A condition turned round, an operand of `and` or `or` left out, a limit off by one, a number or a truth value changed, a
value not returned, a statement or a `with` left out, one exception of several not caught. Not tried: words, logging,
annotations, and what only another system runs.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
_NEXT: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_OTHER = {"min": "max", "max": "min", "all": "any", "any": "all"}
_ELSEWHERE = ("sys.platform", "os.name", "TYPE_CHECKING")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: where it is, what it changes into what, and the whole module with it.

    `lines` are the first and last of the statement that it is in, of a compound one those before its body.
    """

    name: str
    text: str
    lines: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A node of a module and what may stand in its place."""

    where: str
    holder: ast.AST
    name: str
    index: int | None
    node: ast.AST
    other: ast.AST
    lines: tuple[int, int]

    def mutant(self, tree: ast.AST) -> Mutant:
        """The module with the other node in place; the tree is afterwards as it was."""
        _put(self.holder, self.name, self.index, self.other)
        text = ast.unparse(ast.fix_missing_locations(tree))
        _put(self.holder, self.name, self.index, self.node)
        after = "(left out)" if isinstance(self.other, ast.Pass | ast.If) else _short(self.other)
        return Mutant(f"{self.where}: {_short(self.node)}  ->  {after}", text, self.lines)


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of this module's source, each different from the others and from the source."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    names: dict[str, int] = {}
    for candidate in list(_candidates(tree)):
        mutant = candidate.mutant(tree)
        if mutant.text in seen:
            continue
        seen.add(mutant.text)
        names[mutant.name] = number = names.get(mutant.name, 0) + 1
        yield mutant if number == 1 else replace(mutant, name=f"{mutant.name}  #{number}")


def sample(sources: Mapping[str, str], number: int, chance: Random) -> list[tuple[str, Mutant]]:
    """So many mutants of these modules, each as likely as any other, in random order; by the module's name.

    Only those that are drawn are written out, so that a few of thousands cost little.
    """
    trees = {module: ast.parse(source) for module, source in sources.items()}
    every = [(module, candidate) for module, tree in trees.items() for candidate in _candidates(tree)]
    chance.shuffle(every)
    seen = {ast.unparse(tree) for tree in trees.values()}
    found: list[tuple[str, Mutant]] = []
    for module, candidate in every:
        if len(found) == number:
            break
        mutant = candidate.mutant(trees[module])
        if mutant.text not in seen:
            seen.add(mutant.text)
            found.append((module, mutant))
    return found


def _candidates(tree: ast.AST) -> Iterator[_Candidate]:
    for where, holder, name, index, node, lines in _places(tree, "", (1, 1)):
        for other in _instead(node, holder, name):
            yield _Candidate(where, holder, name, index, node, other, lines)


def _short(node: ast.AST) -> str:
    lines = ast.unparse(node).splitlines()
    return lines[0] if len(lines) == 1 else f"{lines[0]} [{len(lines)} lines]"


def _put(holder: Any, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(holder, name, node)
    else:
        getattr(holder, name)[index] = node


def _places(
    holder: ast.AST, where: str, lines: tuple[int, int]
) -> Iterator[tuple[str, ast.AST, str, int | None, ast.AST, tuple[int, int]]]:
    for name, value in ast.iter_fields(holder):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        many = isinstance(value, list)
        for index, node in enumerate(value if many else [value]):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            if not isinstance(node, ast.AST) or _no_matter(node):
                continue
            inside = where
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inside = f"{where}.{node.name}".lstrip(".")
            own = _lines(node) if isinstance(node, ast.stmt | ast.ExceptHandler) else lines
            yield inside or "(module)", holder, name, index if many else None, node, own
            yield from _places(node, inside, own)


def _lines(node: ast.stmt | ast.ExceptHandler) -> tuple[int, int]:
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return node.lineno, max(last, node.lineno)


def _no_matter(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="_LOG")))):
            return True
        case ast.If(test=test) | ast.IfExp(test=test):
            return any(word in ast.unparse(test) for word in _ELSEWHERE)
        case ast.ClassDef(bases=[ast.Name(id="Protocol" | "TypedDict")]):
            return True
        case ast.Assign(value=ast.Subscript()) | ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
            return isinstance(node.targets[0], ast.Name) and node.targets[0].id[0].isupper()
        case _:
            return False


def _instead(node: ast.AST, holder: ast.AST, name: str) -> Iterator[ast.AST]:
    if isinstance(node, ast.expr):
        tested = (name == "test" and not isinstance(holder, ast.Assert)) or name == "ifs"
        if tested and not isinstance(node, ast.Constant):
            yield _not(node)
        yield from _other_values(node)
    elif isinstance(node, ast.Return) and not (node.value is None or _is(node.value, None)):
        yield ast.Return(ast.Constant(not node.value.value if _is(node.value, True, False) else None))  # type: ignore[attr-defined]
    elif isinstance(node, ast.Expr | ast.Raise | ast.Delete | ast.Break | ast.Continue | ast.AugAssign) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript | ast.Tuple)
    ):
        yield ast.Pass()
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield ast.If(ast.Constant(True), node.body, [])
    elif isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple) and len(node.type.elts) > 1:
        for left_out in node.type.elts:
            kept: list[ast.expr] = [element for element in node.type.elts if element is not left_out]
            yield ast.ExceptHandler(ast.Tuple(kept, ast.Load()), node.name, node.body)


def _other_values(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.BoolOp(op=op, values=values):
            for left_out in values:
                kept = [value for value in values if value is not left_out]
                yield kept[0] if len(kept) == 1 else ast.BoolOp(op, kept)
        case ast.Compare(left=left, ops=ops, comparators=others):
            for at, op in enumerate(ops):
                for table in (_TURNED, _NEXT):
                    if type(op) in table:
                        yield ast.Compare(left, [*ops[:at], table[type(op)](), *ops[at + 1 :]], others)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SWAPPED and not (_words(left) or _words(right)):
            yield ast.BinOp(left, _SWAPPED[type(op)](), right)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id=called)) if called in _OTHER:
            yield ast.Call(ast.Name(_OTHER[called], ast.Load()), node.args, node.keywords)
        case _:
            return


def _words(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _words(node.left) or _words(node.right)
    if isinstance(node, ast.IfExp):
        return _words(node.body)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _not(node: ast.expr) -> ast.expr:
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(left=left, ops=[op], comparators=others):
            return ast.Compare(left, [_TURNED[type(op)]()], others)
        case _:
            return ast.UnaryOp(ast.Not(), node)


def _is(node: ast.expr, *values: object) -> bool:
    return isinstance(node, ast.Constant) and any(node.value is value for value in values)
