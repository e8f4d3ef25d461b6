"""Mutation of safety code: change one thing at a time, run the tests in plain Python, list what nobody noticed.

    python tools/mutate.py                                  all targets below
    python tools/mutate.py linac_ctl/interlocks/scan.py     one of them
    python tools/mutate.py linac_ctl/interlocks/scan.py --at 44   mutants of one line only
    python tools/mutate.py --every 5                        every fifth mutant of each: a share, with the bounds that it leaves

Each mutant lives in a forked process whose importer gives it the changed module; no file is touched. A mutant is killed
when a test fails, or when the tests take ten times as long as they should. Survivors are printed with their line; some
are equivalent (they change nothing that anybody could see), which a person has to decide: see docs/how-to/mutation.md.
"""

import ast
import copy
import importlib.machinery
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
INTERLOCKS = "tests/interlocks/"
CONTROL = "tests/control/"
TARGETS: dict[str, list[str]] = {
    "linac_ctl/interlocks/scan.py": [INTERLOCKS + "test_scan.py"],
    "linac_ctl/interlocks/panel.py": [INTERLOCKS + "test_panel.py"],
    "linac_ctl/interlocks/table.py": [INTERLOCKS + "test_table.py", INTERLOCKS + "test_catalogue.py"],
    "linac_ctl/control/field.py": [CONTROL + "test_field.py"],
    "linac_ctl/control/cycle.py": [CONTROL + "test_cycle.py"],
    "linac_ctl/control/journal.py": [CONTROL + "test_journal.py"],
    "device_models/safety.py": [INTERLOCKS + "test_channel.py"],
    "device_models/parts/chamber.py": [INTERLOCKS + "test_dose.py"],
    "device_models/beam.py": [INTERLOCKS + "test_dose.py"],
}
NOT_COMPILED = ("linac_ctl/interlocks/panel.py", "linac_ctl/interlocks/table.py")  # tested beside compiled code, which is fast
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


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Every way in which one node may be wrong."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for op in COMPARE.get(type(node.ops[0]), []):
            yield ast.Compare(node.left, [op()], node.comparators)
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
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
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


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """(parent, field, index) of every node that is logic."""
    for field, value in ast.iter_fields(tree):
        if field in ("decorator_list", "annotation", "returns", "args") and not isinstance(tree, ast.Call):
            continue
        for i, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST) and not skipped(node):
                yield tree, field, i
                yield from places(node)


def mutants(source: str) -> Iterator[tuple[int, str, str, ast.Module]]:
    """(line, before, after, changed module); the module is the same object every time, so use it before going on."""
    tree = ast.parse(source)
    for parent, field, i in list(places(tree)):
        place = getattr(parent, field)
        old = place if i is None else place[i]
        for variant in variants(copy.deepcopy(old)):
            new = ast.fix_missing_locations(ast.copy_location(variant, old))
            put(parent, field, i, new)
            yield old.lineno, first_line(old), first_line(new), tree
            put(parent, field, i, old)


def put(parent: ast.AST, field: str, i: int | None, node: ast.AST) -> None:
    """In its place in the tree."""
    if i is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[i] = node


def say(text: str) -> None:
    """At once: a run takes long."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def first_line(node: ast.AST) -> str:
    """For people."""
    return ast.unparse(node).splitlines()[0][:100]


def run_tests(tests: list[str]) -> int:
    """pytest's exit code, quiet; stops at the first failure."""
    import pytest

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]))


def give(path: Path, tree: ast.Module | None) -> None:
    """From now on an import of this file gets the changed module."""
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> object:
        if tree is not None and loader.path == str(path):
            return compile(tree, str(path), "exec")
        return original(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]


def noticed(path: Path, tree: ast.Module | None, tests: list[str], limit_s: int) -> bool:
    """Do the tests notice? In a process of its own, which has not imported any of our code yet."""
    child = os.fork()
    if child == 0:
        signal.alarm(limit_s)
        code = 1
        try:
            give(path, tree)
            code = run_tests(tests)
        except BaseException:
            code = 1
        os._exit(0 if code == 0 else 1)
    _, status = os.waitpid(child, 0)
    return status != 0


def judge(target: str, line: int | None, every: int) -> tuple[int, int]:
    """-> (mutants tried, survivors) of one file; prints each survivor."""
    path, tests = ROOT / target, [str(ROOT / t) for t in TARGETS[target] if (ROOT / t).exists()]
    begin = time.monotonic()
    if noticed(path, None, tests, 600):
        raise SystemExit(f"{target}: its tests fail without any change: {' '.join(TARGETS[target])}")
    limit_s = max(20, int(10 * (time.monotonic() - begin)))
    total = survivors = 0
    for k, (at, old, new, tree) in enumerate(mutants(path.read_text())):
        if (line is None or at == line) and k % every == 0:
            total += 1
            if not noticed(path, tree, tests, limit_s):
                survivors += 1
                say(f"{target}:{at}: {old}  ->  {new}")
    say(f"{target}: {total - survivors} of {total} killed ({100 * (total - survivors) / max(total, 1):.1f} %)"
        + (f", every {every}th: with 95 % certainty {100 * (1.0 - share(survivors, total)):.1f} % of all" if every > 1 else ""))
    return total, survivors


def share(survivors: int, tried: int) -> float:
    """The share of survivors that is not exceeded with 95 % certainty."""
    from linac_ctl.campaign.numbers import upper_bound

    return upper_bound(survivors, tried) or 0.0


def option(arguments: list[str], name: str) -> int | None:
    """The number behind an option."""
    return int(arguments[arguments.index(name) + 1]) if name in arguments else None


def main(arguments: list[str]) -> int:
    """0 when at least 95 % of all mutants were killed."""
    chosen, every = [a for a in arguments if a in TARGETS] or list(TARGETS), option(arguments, "--every") or 1
    if len(chosen) > 1:  # plain Python or not is decided once in a process
        alone = [[sys.executable, __file__, target, "--every", str(every)] for target in chosen]
        return max([subprocess.run(command, check=False).returncode for command in alone])
    os.environ["NUMBA_DISABLE_JIT"] = "0" if chosen[0] in NOT_COMPILED else "1"
    import hypothesis  # noqa: F401 - imported once here, so that no child has to
    import numba  # noqa: F401
    import pydantic  # noqa: F401
    import pydicom  # noqa: F401
    import pytest  # noqa: F401
    import transitions  # noqa: F401
    import yaml  # noqa: F401

    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    total, survivors = judge(chosen[0], option(arguments, "--at"), every)
    return 0 if total and survivors <= 0.05 * total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
