"""One thing wrong at a time: every small change of a file's logic, and marks that tell which statements a test reaches."""

import ast
import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

Place = tuple[int, int]  # line and column of a statement inside a function
MARK = "__reached__"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPARE: dict[type, list[type]] = {
    ast.LtE: [ast.Lt, ast.Gt], ast.Lt: [ast.LtE, ast.GtE], ast.GtE: [ast.Gt, ast.Lt], ast.Gt: [ast.GtE, ast.LtE],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
}
BINARY: dict[type, list[type]] = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd], ast.Mod: [ast.Mult], ast.FloorDiv: [ast.Mult], ast.RShift: [ast.LShift],
}
SWAPPED = {"min": "max", "max": "min", "worst": "lesser", "lesser": "worst", "any": "all", "all": "any"}
SKIPPED_CALLS = ("Field", "field_validator", "model_validator", "dtype", "RefusedError", "DeviceError", "ValueError")


class Mutant(NamedTuple):
    """One wrong module."""

    line: int
    before: str
    after: str
    statement: Place | None  # None: outside of functions, so it acts when the module is imported
    tree: ast.Module


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Every way in which one node may be wrong."""
    if isinstance(node, ast.Compare):
        for i, old in enumerate(node.ops):
            for new in COMPARE.get(type(old), []):
                yield ast.Compare(node.left, [*node.ops[:i], new(), *node.ops[i + 1 :]], node.comparators)
    elif isinstance(node, ast.BinOp):
        for op in BINARY.get(type(node.op), []):
            yield ast.BinOp(node.left, op(), node.right)
    elif isinstance(node, ast.AugAssign):
        for op in BINARY.get(type(node.op), []):
            yield ast.AugAssign(node.target, op(), node.value)
        yield ast.Pass()
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        for i in range(len(node.values)):
            rest = node.values[:i] + node.values[i + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.If | ast.While):
        yield type(node)(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float) and type(node.value) is not bool:
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
        yield ast.Call(ast.Name(SWAPPED[node.func.id], ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "abs":
        yield node.args[0]
    elif isinstance(node, ast.Assign | ast.Expr) and acts(node):
        yield ast.Pass()


def acts(statement: ast.Assign | ast.Expr) -> bool:
    """Writes to a record, or calls something: leaving it out still compiles."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    return not isinstance(statement.targets[0], ast.Name)


def skipped(node: ast.AST) -> bool:
    """Text, declarations and messages are not logic."""
    if isinstance(node, ast.JoinedStr | ast.AnnAssign):
        return True
    name = node.func if isinstance(node, ast.Call) else None
    called = name.id if isinstance(name, ast.Name) else name.attr if isinstance(name, ast.Attribute) else ""
    return called in SKIPPED_CALLS


def places(tree: ast.AST, reached: Place | None = None, inside: bool = False) -> Iterator[tuple[ast.AST, str, Any, Place | None]]:
    """(parent, field, index, statement of a function that it is in) of every node that is logic."""
    inside = inside or isinstance(tree, FUNCTIONS)
    for field, value in ast.iter_fields(tree):
        if field in ("decorator_list", "annotation", "returns", "args") and not isinstance(tree, ast.Call):
            continue
        for i, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST) and not skipped(node):
                here = (node.lineno, node.col_offset) if inside and isinstance(node, ast.stmt) else reached
                yield tree, field, i, here
                yield from places(node, here, inside)


def mutants(source: str) -> Iterator[Mutant]:
    """All of them, in order; their module is the same object every time, so use it before going on."""
    tree = ast.parse(source)
    for parent, field, i, statement in list(places(tree)):
        place = getattr(parent, field)
        old = place if i is None else place[i]
        for variant in variants(copy.deepcopy(old)):
            new = ast.fix_missing_locations(ast.copy_location(variant, old))
            put(parent, field, i, new)
            yield Mutant(old.lineno, first_line(old), first_line(new), statement, tree)
            put(parent, field, i, old)


def marked(source: str) -> ast.Module:
    """The same module, in which every statement of a function is told to `MARK` before it runs."""
    tree = ast.parse(source)
    for function in [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]:
        for node in ast.walk(function):
            for _, body in ast.iter_fields(node):
                if isinstance(body, list) and body and all(isinstance(statement, ast.stmt) for statement in body):
                    body[:] = [new for statement in body for new in with_mark(statement)]
    return ast.fix_missing_locations(tree)


def with_mark(statement: ast.stmt) -> list[ast.stmt]:
    """The statement and its mark; text and what has one already stay as they are."""
    if hasattr(statement, "marked") or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
        return [statement]
    place: Any = (statement.lineno, statement.col_offset)
    mark = ast.copy_location(ast.Expr(ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(place)], [])), statement)
    mark.marked = statement.marked = True  # type: ignore[attr-defined]
    return [mark, statement]


def put(parent: ast.AST, field: str, i: int | None, node: ast.AST) -> None:
    """In its place in the tree."""
    if i is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[i] = node


def first_line(node: ast.AST) -> str:
    """For people."""
    return ast.unparse(node).splitlines()[0][:100]


