"""Compiled arithmetic is + - * / rint floor sqrt and comparisons (K12): what every processor rounds alike."""

import ast
from pathlib import Path

import pytest

from device_models.interface.compiled import source_files
from tests.contracts.sources import name, tree

ALLOWED_CALLS = {  # beside functions of ours: builtins and attributes that compiled code may call
    "abs", "min", "max", "int", "float", "range", "len", "bool", "sqrt", "rint", "floor", "float64", "int32", "u4",
}
FORBIDDEN = {"sin", "cos", "tan", "exp", "log", "log10", "log2", "pow", "power", "hypot", "arctan2", "atan2", "fma", "sum", "dot",
             "mean", "std", "cbrt", "tanh", "asin", "acos", "atan", "round"}


def compiled_functions(source: ast.Module) -> list[ast.FunctionDef]:
    """Functions under @compiled or @inlined."""
    return [node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)
            and any(isinstance(d, ast.Name) and d.id in ("compiled", "inlined") for d in node.decorator_list)]


def called(node: ast.Call) -> str:
    """`sqrt` of np.sqrt(x), math.sqrt(x) and sqrt(x)."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else "?"


def ours() -> set[str]:
    """Names of all compiled functions: what they do is looked at where they are."""
    return {f.name for path in source_files() for f in compiled_functions(tree(path))}


def sins(function: ast.FunctionDef, known: set[str]) -> list[str]:
    """`line: what` for arithmetic that processors or compilers may round differently."""
    found = []
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow | ast.MatMult):
            found.append(f"{node.lineno}: {type(node.op).__name__}")
        if isinstance(node, ast.Call) and (called(node) in FORBIDDEN or called(node) not in ALLOWED_CALLS | known):
            found.append(f"{node.lineno}: {called(node)}()")
    return found


PATHS = [path for path in source_files() if compiled_functions(tree(path))]


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_compiled_code_uses_only_what_rounds_alike_everywhere(path: Path) -> None:
    known = ours()
    assert not [sin for function in compiled_functions(tree(path)) for sin in sins(function, known)]


def test_there_is_compiled_code_to_look_at() -> None:
    assert len(PATHS) > 12 and len(ours()) > 100


@pytest.mark.parametrize("body", ["x ** 2", "np.sin(x)", "math.exp(x)", "np.sum(x)", "pow(x, 2)", "x @ x", "np.hypot(x, x)"])
def test_the_check_sees_each_of_these(body: str) -> None:
    (function,) = compiled_functions(ast.parse(f"@compiled\ndef f(x):\n    return {body}"))
    assert sins(function, set())


def test_nothing_is_compiled_with_fast_math() -> None:
    for path in source_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and called(node) in ("njit", "jit", "vectorize", "guvectorize"):
                switches = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert "fastmath" not in switches and "parallel" not in switches, name(path)
