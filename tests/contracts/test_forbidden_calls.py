"""Time is an argument (K3): no clock, sleep, thread, chance or address order outside of the edges."""

import ast

import pytest

from tests.contracts.sources import ROOT, files, imported, name

EDGES = ("linac_ctl/runtime/", "linac_ctl/cli/", "linac_ctl/records/", "linac_ctl/telemetry/", "linac_ctl/console/",
         "linac_ctl/campaign/", "linac_ctl/links/", "linac_ctl/testing/")
EDGE_FILES = (
    "linac_ctl/outcome.py",  # writes the record of a run: wall and processor time are results there
    "device_models/interface/stream/fd.py",  # these two wait for bytes of a peer that has its own clock
    "device_models/interface/stream/rfc2217.py",
)
MODULES = ("time", "random", "secrets", "threading", "multiprocessing", "concurrent", "sched", "_thread", "uuid")
CALLS = ("now", "utcnow", "today", "urandom", "getrandom", "default_rng", "to_thread", "run_in_executor")
INNER = [path for path in files() if not name(path).startswith(EDGES) and name(path) not in EDGE_FILES]


def is_set(node: ast.expr) -> bool:
    """Does an expression make a set, whose order is that of addresses and hash seeds?"""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return is_set(node.left) or is_set(node.right)
    made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return made or isinstance(node, ast.Set | ast.SetComp)


def walks(node: ast.AST) -> list[ast.expr]:
    """What a statement or a comprehension takes one by one, in order."""
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.iter]
    if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
        return [generator.iter for generator in node.generators]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("list", "tuple", "enumerate"):
        return node.args[:1]
    return []


def sins(source: str) -> list[str]:
    """`line: what` for everything forbidden in a source text, imports apart."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
            found.append(f"{node.lineno}: {node.func.attr}()")
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("np.random", "numpy.random"):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("id", "hash"):
            found.append(f"{node.lineno}: {node.func.id}() depends on addresses or the hash seed")
        found += [f"{each.lineno}: walks a set" for each in walks(node) if is_set(each)]
    return found


@pytest.mark.parametrize("path", INNER, ids=name)
def test_no_clock_thread_or_chance_inside(path):
    wrong = {m for m in imported(path) if m.split(".")[0] in MODULES}
    assert not wrong, f"{name(path)} imports {', '.join(sorted(wrong))}"
    assert not sins(path.read_text())


@pytest.mark.parametrize("source", [
    "from datetime import datetime\nx = datetime.now()", "for x in {1, 2}: pass", "y = [x for x in set(a)]",
    "for x in set(a) - set(b): pass", "import numpy as np\nnp.random.rand()", "list({1, 2})", "hash('a')",
    "async def f():\n    await asyncio.to_thread(g)",
])
def test_the_check_sees_each_of_these(source):
    assert sins(source)


@pytest.mark.parametrize("source", ["for x in sorted({1, 2}): pass", "for x in [1]: pass", "x = 1 in {1, 2}", "{*a, *b}"])
def test_the_check_lets_sound_code_pass(source):
    assert not sins(source)


def test_edges_are_folders_of_ours():
    assert (ROOT / "linac_ctl" / "runtime").is_dir() and (ROOT / "linac_ctl" / "cli").is_dir()
    assert all((ROOT / file).is_file() for file in EDGE_FILES)
